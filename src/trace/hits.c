/* hits.c — keys may be in several rows of a message, or of a refusal and its headers: each gives some. */
#include "hits.h"

#include <stdlib.h>

#include "../base/hash.h"
#include "../base/memory.h"
#include "../store/hashes.h"

struct hit {
    int64_t message;
    uint8_t mask;
};

/* Keys that a refusal has, or a header of the refused message. */
struct refused_part {
    int64_t at, server;
    uint64_t id_hash; /* of the Exim id */
    uint8_t mask;
};

static int find_header_kind(struct hits *hits, struct error *err)
{
    struct hash_want want = {hash_bytes(SLICE_LIT("rejected_header"), store_hash_seed(hits->store)), 0, 0};
    struct hashes *hashes = NULL;
    int done = hashes_new(hits->store, &hashes, err);
    if (done == 0)
        done = hashes_find(hashes, &want, 1, err);
    hits->header_kind = want.id;
    hashes_free(&hashes);
    return done;
}

int hits_begin(struct hits *hits, struct masks *masks, int64_t server, struct found *found, struct error *err)
{
    *hits = (struct hits){.store = masks->store, .masks = masks, .server = server, .found = found};
    hits->read_message = store_prepare(hits->store, "SELECT id FROM message WHERE exim_id = ?1 AND server = ?2", err);
    return hits->read_message ? find_header_kind(hits, err) : -1;
}

void hits_free(struct hits *hits)
{
    sqlite3_finalize(hits->read_message);
    free(hits->list);
    free(hits->parts);
}

/* Whether a row, whose second column is its server, is of another than is asked for. */
static bool is_elsewhere(const struct hits *hits, sqlite3_stmt *stmt)
{
    return hits->server && sqlite3_column_int64(stmt, 1) != hits->server;
}

/* ---- messages ---------------------------------------------------------------------------------- */

void hits_add(struct hits *hits, int64_t message, uint8_t mask)
{
    if (!mask)
        return;
    hits->list = grow(hits->list, &hits->room, hits->count + 1, sizeof *hits->list);
    hits->list[hits->count].message = message;
    hits->list[hits->count++].mask = mask;
}

void take_message(struct hits *hits, sqlite3_stmt *stmt)
{
    struct masks *m = hits->masks;
    if (is_elsewhere(hits, stmt))
        return;
    uint8_t mask = mask_of_string(m, stmt, 2) | mask_of_string(m, stmt, 3) | mask_of_string(m, stmt, 4);
    mask |= mask_of_client(m, stmt, 5);
    mask |= mask_of_ids(m, stmt, 6) | mask_of_texts(m, stmt, 7, 8) | mask_of_recipients(m, stmt, 9);
    hits_add(hits, sqlite3_column_int64(stmt, 0), mask);
}

void take_delivery(struct hits *hits, sqlite3_stmt *stmt)
{
    struct masks *m = hits->masks;
    hits_add(hits, sqlite3_column_int64(stmt, 0),
             mask_of_string(m, stmt, 1) | mask_of_string(m, stmt, 2) | mask_of_route(m, stmt, 3));
}

static int compare_hits(const void *a, const void *b)
{
    return numbers_compare(a, b); /* the message comes first in a hit */
}

/* Messages whose hits make up all keys; a server, of which deliveries know nothing, is looked at once more. */
static void keep_full(struct hits *hits, struct numbers *messages)
{
    if (hits->count)
        qsort(hits->list, hits->count, sizeof *hits->list, compare_hits);
    for (size_t i = 0, next; i < hits->count; i = next) {
        uint8_t mask = 0;
        for (next = i; next < hits->count && hits->list[next].message == hits->list[i].message; next++)
            mask |= hits->list[next].mask;
        if (mask == hits->masks->all)
            numbers_add(messages, hits->list[i].message);
    }
}

static int keep_server(struct hits *hits, struct numbers *messages, struct error *err)
{
    size_t kept = 0;
    if (!hits->server)
        return 0;
    sqlite3_stmt *stmt = store_prepare(hits->store, "SELECT server FROM message WHERE id = ?1", err);
    int found = stmt ? 0 : -1;
    for (size_t i = 0; found >= 0 && i < messages->count; i++) {
        sqlite3_bind_int64(stmt, 1, messages->list[i]);
        found = store_next(hits->store, stmt, err);
        if (found > 0 && sqlite3_column_int64(stmt, 0) == hits->server)
            messages->list[kept++] = messages->list[i];
        sqlite3_reset(stmt);
    }
    messages->count = kept;
    sqlite3_finalize(stmt);
    return found < 0 ? -1 : 0;
}

/* ---- refusals ---------------------------------------------------------------------------------- */

/* What a refusal, or a header of the message refused, has of the keys: in its row there may be only some, and the rest in
   the headers. */
static void keep_part(struct hits *hits, sqlite3_stmt *stmt, int exim_id, uint8_t mask)
{
    const char *text = (const char *)sqlite3_column_text(stmt, exim_id);
    struct slice id = slice_of(text, (size_t)sqlite3_column_bytes(stmt, exim_id));
    hits->parts = grow(hits->parts, &hits->part_room, hits->part_count + 1, sizeof *hits->parts);
    hits->parts[hits->part_count++] =
        (struct refused_part){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                              hash_bytes(id, store_hash_seed(hits->store)), mask};
}

void take_refusal(struct hits *hits, sqlite3_stmt *stmt)
{
    struct masks *m = hits->masks;
    if (is_elsewhere(hits, stmt))
        return;
    uint8_t mask = mask_of_client(m, stmt, 2) | mask_of_string(m, stmt, 3) | mask_of_string(m, stmt, 4) |
                   mask_of_ids(m, stmt, 5);
    if (mask == m->all)
        numbers_add(&hits->found->rejection_times, sqlite3_column_int64(stmt, 0));
    else if (mask && hits->header_kind && sqlite3_column_type(stmt, 5) != SQLITE_NULL)
        keep_part(hits, stmt, 5, mask);
}

void take_header(struct hits *hits, sqlite3_stmt *stmt)
{
    if (is_elsewhere(hits, stmt))
        return;
    uint8_t mask = mask_of_header(hits->masks, stmt, 3);
    if (mask)
        keep_part(hits, stmt, 2, mask);
}

static int compare_parts(const void *a, const void *b)
{
    const struct refused_part *x = a, *y = b;
    if (x->server != y->server)
        return x->server < y->server ? -1 : 1;
    if (x->id_hash != y->id_hash)
        return x->id_hash < y->id_hash ? -1 : 1;
    return numbers_compare(&x->at, &y->at);
}

/* The seconds of refusals whose parts make up all keys. */
static void keep_refused(struct hits *hits)
{
    struct refused_part *parts = hits->parts;
    if (hits->part_count)
        qsort(parts, hits->part_count, sizeof *parts, compare_parts);
    for (size_t i = 0, next; i < hits->part_count; i = next) {
        uint8_t mask = 0;
        for (next = i; next < hits->part_count && parts[next].server == parts[i].server && parts[next].id_hash == parts[i].id_hash; next++)
            mask |= parts[next].mask;
        for (size_t k = i; k < next && mask == hits->masks->all; k++)
            numbers_add(&hits->found->rejection_times, parts[k].at);
    }
}

/* ---- others ------------------------------------------------------------------------------------ */

void take_failure(struct hits *hits, sqlite3_stmt *stmt)
{
    if (is_elsewhere(hits, stmt))
        return;
    if ((mask_of_client(hits->masks, stmt, 2) | mask_of_string(hits->masks, stmt, 3)) == hits->masks->all)
        numbers_add(&hits->found->login_times, sqlite3_column_int64(stmt, 0));
}

void take_session(struct hits *hits, sqlite3_stmt *stmt)
{
    struct masks *m = hits->masks;
    if (sqlite3_column_type(stmt, 0) == SQLITE_NULL || is_elsewhere(hits, stmt))
        return;
    if ((mask_of_string(m, stmt, 2) | mask_of_string(m, stmt, 3) | mask_of_string(m, stmt, 4)) == m->all)
        numbers_add(&hits->found->session_times, sqlite3_column_int64(stmt, 0));
}

/* What was logged of somebody: with a message, or by itself. */
void take_event(struct hits *hits, sqlite3_stmt *stmt)
{
    struct masks *m = hits->masks;
    if (sqlite3_column_type(stmt, 3) == SQLITE_NULL || is_elsewhere(hits, stmt))
        return;
    uint8_t mask = mask_of_string(m, stmt, 3) | mask_of_string(m, stmt, 4) | mask_of_client(m, stmt, 5);
    if (!mask)
        return;
    if (sqlite3_column_type(stmt, 2) == SQLITE_NULL) {
        if (mask == hits->masks->all)
            numbers_add(&hits->found->event_times, sqlite3_column_int64(stmt, 0));
        return;
    }
    sqlite3_bind_text(hits->read_message, 1, (const char *)sqlite3_column_text(stmt, 2), -1, SQLITE_STATIC);
    if (masks_look_up(hits->masks, hits->read_message, sqlite3_column_int64(stmt, 1)))
        hits_add(hits, sqlite3_column_int64(hits->read_message, 0), mask);
    sqlite3_reset(hits->read_message);
}

/* ---- all --------------------------------------------------------------------------------------- */

int hits_keep(struct hits *hits, struct error *err)
{
    struct found *found = hits->found;
    keep_full(hits, &found->messages);
    keep_refused(hits);
    numbers_sort(&found->rejection_times);
    numbers_sort(&found->login_times);
    numbers_sort(&found->event_times);
    numbers_sort(&found->session_times);
    return keep_server(hits, &found->messages, err);
}
