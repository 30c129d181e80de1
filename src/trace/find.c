/* find.c — a bit for each key, on strings, on what names strings, on messages and refusals; read in the slots that the
   keys are mentioned in, or, where those are many or not known, all over. */
#include "find.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../../parsers/dialect.h"
#include "../base/memory.h"
#include "../base/hash.h"
#include "../store/hashes.h"
#include "../store/mentions.h"
#include "key.h"
#include "slots.h"

#define KIN_SLOTS_MAX 1600 /* slots in which each string is looked at once it comes; beyond, all are before */
#define KIN_DENSE 2        /* tables are read as they lie where each row of one slot of so many is to be looked at */

/* ---- numbers ----------------------------------------------------------------------------------- */

void numbers_add(struct numbers *numbers, int64_t number)
{
    if (numbers->count && numbers->list[numbers->count - 1] == number)
        return;
    numbers->list = grow(numbers->list, &numbers->room, numbers->count + 1, sizeof *numbers->list);
    numbers->list[numbers->count++] = number;
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

void numbers_sort(struct numbers *numbers)
{
    size_t kept = 0;
    if (numbers->count)
        qsort(numbers->list, numbers->count, sizeof *numbers->list, compare_numbers);
    for (size_t i = 0; i < numbers->count; i++)
        if (kept == 0 || numbers->list[kept - 1] != numbers->list[i])
            numbers->list[kept++] = numbers->list[i];
    numbers->count = kept;
}

bool numbers_have(const struct numbers *numbers, int64_t number)
{
    return numbers->count && bsearch(&number, numbers->list, numbers->count, sizeof number, compare_numbers);
}

/* ---- keys -------------------------------------------------------------------------------------- */

/* How well a row's keys are known. */
enum known {
    KNOWN_NOT,
    KNOWN_EXACT, /* the strings that keys are, as given or in small letters */
    KNOWN_ALL    /* those in any case, and those whose domain a key is */
};

/* Which keys a row of a table matches, by its id. */
struct masks {
    uint8_t *list, *known;
    int64_t count;
};

/* Keys that a refusal has, or a header of the refused message. */
struct refused {
    int64_t at, server;
    uint64_t id_hash; /* of the Exim id */
    uint8_t mask;
};

struct search {
    struct store *store;
    const struct find_request *request;
    struct key keys[FIND_KEYS];
    uint8_t all;         /* the bits of all keys */
    int64_t server;      /* server.id; 0: all */
    struct masks strings, clients, routes;
    enum known wanted; /* of the rows at hand */
    sqlite3_stmt *read_string, *read_client, *read_route, *read_message;
    struct slots slots;
    int64_t from, to; /* the span at hand */
    int failed;       /* -1: a row could not be read, *err says why */
    struct error *err;
    struct {
        int64_t message;
        uint8_t mask;
    } *hits;
    size_t hit_count, hit_room;
    struct refused *parts;
    size_t part_count, part_room;
    int64_t header_kind; /* string.id of the kind of event that a refused message's headers are; 0: there are none */
    struct found *found;
};

/* ---- masks ------------------------------------------------------------------------------------- */

static int masks_new(struct search *search, const char *max_id, struct masks *masks, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(search->store, max_id, err);
    if (!stmt)
        return -1;
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(search->store, err);
    masks->count = sqlite3_column_int64(stmt, 0) + 1;
    masks->list = xcalloc((size_t)masks->count, 1);
    masks->known = xcalloc((size_t)masks->count, 1);
    sqlite3_finalize(stmt);
    return done;
}

static void masks_free(struct masks *masks)
{
    free(masks->list);
    free(masks->known);
}

/* Whether the row of that id is still to be looked at; it is known from then on. */
static bool is_unknown(const struct search *search, struct masks *masks, int64_t id)
{
    if (masks->known[id] >= search->wanted)
        return false;
    masks->known[id] = (uint8_t)search->wanted;
    return true;
}

/* Whether the statement, whose last parameter is a number, has a row. */
static bool read_one(struct search *search, sqlite3_stmt *stmt, int64_t id)
{
    sqlite3_bind_int64(stmt, sqlite3_bind_parameter_count(stmt), id);
    int code = sqlite3_step(stmt);
    if (code != SQLITE_ROW && code != SQLITE_DONE && search->failed == 0)
        search->failed = store_error(search->store, search->err);
    return code == SQLITE_ROW;
}

static struct slice column_text(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return slice_of(text, (size_t)sqlite3_column_bytes(stmt, column));
}

/* The keys of a string: its text, or its domain, which is stored in small letters. */
static uint8_t mask_of_string(struct search *search, int64_t id)
{
    struct masks *masks = &search->strings;
    if (id <= 0 || id >= masks->count)
        return 0;
    if (search->wanted != KNOWN_ALL || !is_unknown(search, masks, id))
        return masks->list[id];
    if (read_one(search, search->read_string, id)) {
        int64_t domain = sqlite3_column_int64(search->read_string, 0);
        struct slice text = column_text(search->read_string, 1);
        for (int i = 0; i < search->request->key_count; i++) {
            struct slice key = search->keys[i].text;
            bool of_domain = domain && domain == search->slots.small[i] && !memchr(key.p, '@', key.n);
            if (of_domain || key_is(&search->keys[i], text))
                masks->list[id] |= (uint8_t)(1 << i);
        }
    }
    sqlite3_reset(search->read_string);
    return masks->list[id];
}

/* The keys of a row whose columns are strings. */
static uint8_t mask_of_row(struct search *search, struct masks *masks, sqlite3_stmt *read, int64_t id)
{
    uint8_t mask = 0;
    if (id <= 0 || id >= masks->count)
        return 0;
    if (!is_unknown(search, masks, id))
        return masks->list[id];
    if (read_one(search, read, id))
        for (int i = 0; i < sqlite3_column_count(read); i++)
            mask |= mask_of_string(search, sqlite3_column_int64(read, i)); /* 0: NULL */
    sqlite3_reset(read);
    return masks->list[id] = mask;
}

static uint8_t string_at(struct search *search, sqlite3_stmt *stmt, int column)
{
    return mask_of_string(search, sqlite3_column_int64(stmt, column));
}

static uint8_t client_at(struct search *search, sqlite3_stmt *stmt, int column)
{
    return mask_of_row(search, &search->clients, search->read_client, sqlite3_column_int64(stmt, column));
}

static uint8_t route_at(struct search *search, sqlite3_stmt *stmt, int column)
{
    return mask_of_row(search, &search->routes, search->read_route, sqlite3_column_int64(stmt, column));
}

/* A pass: each row goes to take; ?1 and ?2 are the span at hand, ?3 the kind of headers, where the
   statement has them. */
static int pass(struct search *search, sqlite3_stmt *stmt, void (*take)(struct search *, sqlite3_stmt *), struct error *err)
{
    if (sqlite3_bind_parameter_count(stmt) >= 2) {
        sqlite3_bind_int64(stmt, 1, search->from);
        sqlite3_bind_int64(stmt, 2, search->to);
    }
    if (sqlite3_bind_parameter_count(stmt) == 3)
        sqlite3_bind_int64(stmt, 3, search->header_kind);
    int code;
    search->failed = 0;
    search->err = err;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW && search->failed == 0)
        take(search, stmt);
    int done = code == SQLITE_DONE ? 0 : search->failed ? -1 : store_error(search->store, err);
    sqlite3_reset(stmt);
    return done;
}

static void mark(struct search *search, int64_t id, int key)
{
    if (id > 0 && id < search->strings.count)
        search->strings.list[id] |= (uint8_t)(1 << key);
}

static int mark_strings(struct search *search, int key, struct error *err)
{
    struct slice text = search->keys[key].text;
    sqlite3_stmt *stmt = store_prepare(
        search->store, memchr(text.p, '@', text.n)
            ? "SELECT id FROM string WHERE text = ?1 COLLATE NOCASE"
            : "SELECT id FROM string WHERE text = ?1 COLLATE NOCASE"
              " OR domain IN (SELECT id FROM string WHERE text = ?1 COLLATE NOCASE)", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, text.p, (int)text.n, SQLITE_STATIC);
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        mark(search, sqlite3_column_int64(stmt, 0), key);
    int done = code == SQLITE_DONE ? 0 : store_error(search->store, err);
    sqlite3_finalize(stmt);
    return done;
}

/* All strings of all keys, by a pass over table string. */
static int mark_all(struct search *search, struct error *err)
{
    for (int i = 0; i < search->request->key_count; i++)
        if (!search->keys[i].words.p && mark_strings(search, i, err) < 0)
            return -1;
    memset(search->strings.known, KNOWN_ALL, (size_t)search->strings.count);
    search->wanted = KNOWN_ALL;
    return 0;
}

static int find_header_kind(struct search *search, struct error *err)
{
    struct hash_want want = {hash_bytes(SLICE_LIT("rejected_header"), store_hash_seed(search->store)), 0, 0};
    struct hashes *hashes = NULL;
    int done = hashes_new(search->store, &hashes, err);
    if (done == 0)
        done = hashes_find(hashes, &want, 1, err);
    search->header_kind = want.id;
    hashes_free(&hashes);
    return done;
}

static int begin_masks(struct search *search, struct error *err)
{
    if (masks_new(search, "SELECT max(id) FROM string", &search->strings, err) < 0 ||
        masks_new(search, "SELECT max(id) FROM client", &search->clients, err) < 0 ||
        masks_new(search, "SELECT max(id) FROM route", &search->routes, err) < 0)
        return -1;
    search->read_string = store_prepare(search->store, "SELECT domain, text FROM string WHERE id = ?1", err);
    search->read_client = search->read_string
        ? store_prepare(search->store, "SELECT host, helo, ip FROM client WHERE id = ?1", err) : NULL;
    search->read_route = search->read_client
        ? store_prepare(search->store, "SELECT host, ip FROM route WHERE id = ?1", err) : NULL;
    search->read_message = search->read_route
        ? store_prepare(search->store, "SELECT id FROM message WHERE exim_id = ?1 AND server = ?2", err) : NULL;
    return search->read_message ? find_header_kind(search, err) : -1;
}

static void end_masks(struct search *search)
{
    sqlite3_finalize(search->read_string);
    sqlite3_finalize(search->read_client);
    sqlite3_finalize(search->read_route);
    sqlite3_finalize(search->read_message);
    masks_free(&search->strings);
    masks_free(&search->clients);
    masks_free(&search->routes);
}

/* ---- messages ---------------------------------------------------------------------------------- */

static void hit(struct search *search, int64_t message, uint8_t mask)
{
    if (!mask)
        return;
    search->hits = grow(search->hits, &search->hit_room, search->hit_count + 1, sizeof *search->hits);
    search->hits[search->hit_count].message = message;
    search->hits[search->hit_count++].mask = mask;
}

/* Keys that are an id of the column, and with a message the Message-ID and the words of the subject.  Texts are looked
   at only where a key may be in them: to have them costs as much as all numbers of a row together. */
static uint8_t mask_of_ids(const struct search *search, sqlite3_stmt *stmt, int column)
{
    uint8_t mask = 0;
    for (int i = 0; i < search->request->key_count; i++)
        if (search->keys[i].is_id && slice_equal(search->keys[i].text, column_text(stmt, column)))
            mask |= (uint8_t)(1 << i);
    return mask;
}

static bool is_message_id(const struct key *key, sqlite3_stmt *stmt, int column)
{
    if (key->words.p || (size_t)sqlite3_column_bytes(stmt, column) != key->text.n)
        return false;
    return key_is(key, column_text(stmt, column));
}

static uint8_t mask_of_texts(const struct search *search, sqlite3_stmt *stmt, int message_id, int subject)
{
    uint8_t mask = 0;
    for (int i = 0; i < search->request->key_count; i++) {
        const struct key *key = &search->keys[i];
        const char *text = key->words.p ? (const char *)sqlite3_column_text(stmt, subject) : NULL;
        if (text ? key_has_words(key, text) : is_message_id(key, stmt, message_id))
            mask |= (uint8_t)(1 << i);
    }
    return mask;
}

/* The envelope recipients, where they were logged. */
static uint8_t mask_of_recipients(const struct search *search, sqlite3_stmt *stmt, int column)
{
    uint8_t mask = 0;
    if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
        return 0;
    for (int i = 0; i < search->request->key_count; i++)
        if (key_in_array(&search->keys[i], column_text(stmt, column)))
            mask |= (uint8_t)(1 << i);
    return mask;
}

static void take_message(struct search *s, sqlite3_stmt *stmt)
{
    if (s->server && sqlite3_column_int64(stmt, 1) != s->server)
        return;
    uint8_t mask = string_at(s, stmt, 2) | string_at(s, stmt, 3) | string_at(s, stmt, 4) | client_at(s, stmt, 5);
    mask |= mask_of_ids(s, stmt, 6) | mask_of_texts(s, stmt, 7, 8) | mask_of_recipients(s, stmt, 9);
    hit(s, sqlite3_column_int64(stmt, 0), mask);
}

static void take_delivery(struct search *s, sqlite3_stmt *stmt)
{
    uint8_t mask = string_at(s, stmt, 1) | string_at(s, stmt, 2) | route_at(s, stmt, 3);
    if (mask)
        hit(s, sqlite3_column_int64(stmt, 0), mask);
}

static int compare_hits(const void *a, const void *b)
{
    return compare_numbers(a, b); /* the message comes first in a hit */
}

/* Messages whose hits make up all keys; a server, of which deliveries know nothing, is looked at once more. */
static void keep_full(struct search *search, struct numbers *messages)
{
    if (search->hit_count)
        qsort(search->hits, search->hit_count, sizeof *search->hits, compare_hits);
    for (size_t i = 0, next; i < search->hit_count; i = next) {
        uint8_t mask = 0;
        for (next = i; next < search->hit_count && search->hits[next].message == search->hits[i].message; next++)
            mask |= search->hits[next].mask;
        if (mask == search->all)
            numbers_add(messages, search->hits[i].message);
    }
}

static int keep_server(struct search *search, struct numbers *messages, struct error *err)
{
    size_t kept = 0;
    if (!search->server)
        return 0;
    sqlite3_stmt *stmt = store_prepare(search->store, "SELECT server FROM message WHERE id = ?1", err);
    for (size_t i = 0; stmt && i < messages->count; i++) {
        sqlite3_bind_int64(stmt, 1, messages->list[i]);
        if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int64(stmt, 0) == search->server)
            messages->list[kept++] = messages->list[i];
        sqlite3_reset(stmt);
    }
    messages->count = kept;
    sqlite3_finalize(stmt);
    return stmt ? 0 : -1;
}

/* ---- refusals ---------------------------------------------------------------------------------- */

/* What a refusal, or a header of the message refused, has of the keys: in its row there may be only some, and the rest in
   the headers. */
static void keep_part(struct search *search, int64_t at, int64_t server, struct slice exim_id, uint8_t mask)
{
    search->parts = grow(search->parts, &search->part_room, search->part_count + 1, sizeof *search->parts);
    search->parts[search->part_count++] =
        (struct refused){at, server, hash_bytes(exim_id, store_hash_seed(search->store)), mask};
}

static void take_refusal(struct search *search, sqlite3_stmt *stmt)
{
    if (search->server && sqlite3_column_int64(stmt, 1) != search->server)
        return;
    uint8_t mask = client_at(search, stmt, 2) | string_at(search, stmt, 3) | string_at(search, stmt, 4) |
                   mask_of_ids(search, stmt, 5);
    if (mask == search->all)
        numbers_add(&search->found->rejection_times, sqlite3_column_int64(stmt, 0));
    else if (mask && search->header_kind && sqlite3_column_type(stmt, 5) != SQLITE_NULL)
        keep_part(search, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), column_text(stmt, 5), mask);
}

static void take_header(struct search *search, sqlite3_stmt *stmt)
{
    uint8_t mask = 0;
    if (search->server && sqlite3_column_int64(stmt, 1) != search->server)
        return;
    for (int i = 0; i < search->request->key_count; i++)
        if (key_in_header(&search->keys[i], column_text(stmt, 3)))
            mask |= (uint8_t)(1 << i);
    if (mask)
        keep_part(search, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), column_text(stmt, 2), mask);
}

static int compare_parts(const void *a, const void *b)
{
    const struct refused *x = a, *y = b;
    if (x->server != y->server)
        return x->server < y->server ? -1 : 1;
    if (x->id_hash != y->id_hash)
        return x->id_hash < y->id_hash ? -1 : 1;
    return compare_numbers(&x->at, &y->at);
}

/* The seconds of refusals whose parts make up all keys. */
static void keep_refused(struct search *search)
{
    struct refused *parts = search->parts;
    if (search->part_count)
        qsort(parts, search->part_count, sizeof *parts, compare_parts);
    for (size_t i = 0, next; i < search->part_count; i = next) {
        uint8_t mask = 0;
        for (next = i; next < search->part_count && parts[next].server == parts[i].server && parts[next].id_hash == parts[i].id_hash; next++)
            mask |= parts[next].mask;
        for (size_t k = i; k < next && mask == search->all; k++)
            numbers_add(&search->found->rejection_times, parts[k].at);
    }
}

/* The second of the login that a line opens or is; a session that nobody logged into has none. */
static void take_session(struct search *search, sqlite3_stmt *stmt)
{
    if (sqlite3_column_type(stmt, 0) == SQLITE_NULL || (search->server && sqlite3_column_int64(stmt, 1) != search->server))
        return;
    if ((string_at(search, stmt, 2) | string_at(search, stmt, 3) | string_at(search, stmt, 4)) == search->all)
        numbers_add(&search->found->session_times, sqlite3_column_int64(stmt, 0));
}

/* ---- events ------------------------------------------------------------------------------------ */

/* What was logged of somebody: with a message, or by itself. */
static void take_event(struct search *search, sqlite3_stmt *stmt)
{
    int64_t server = sqlite3_column_int64(stmt, 1);
    uint8_t mask = string_at(search, stmt, 3);
    if (!mask || (search->server && server != search->server))
        return;
    if (sqlite3_column_type(stmt, 2) == SQLITE_NULL) {
        if (mask == search->all)
            numbers_add(&search->found->event_times, sqlite3_column_int64(stmt, 0));
        return;
    }
    sqlite3_bind_text(search->read_message, 1, (const char *)sqlite3_column_text(stmt, 2), -1, SQLITE_STATIC);
    if (read_one(search, search->read_message, server))
        hit(search, sqlite3_column_int64(search->read_message, 0), mask);
    sqlite3_reset(search->read_message);
}

static void take_failure(struct search *search, sqlite3_stmt *stmt)
{
    if (search->server && sqlite3_column_int64(stmt, 1) != search->server)
        return;
    if ((client_at(search, stmt, 2) | string_at(search, stmt, 3)) == search->all)
        numbers_add(&search->found->login_times, sqlite3_column_int64(stmt, 0));
}

/* ---- an id alone -------------------------------------------------------------------------------- */

/* The messages of one Exim id, by its index; where there are none it may still be the id of what was refused. */
static int find_id(struct search *search, struct numbers *messages, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(search->store, "SELECT id FROM message WHERE exim_id = ?1"
                                                      " AND (?2 = 0 OR server = ?2)", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, search->keys[0].text.p, (int)search->keys[0].text.n, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, search->server);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        numbers_add(messages, sqlite3_column_int64(stmt, 0));
    numbers_sort(messages);
    sqlite3_finalize(stmt);
    return 0;
}

/* ---- all --------------------------------------------------------------------------------------- */

int find_server(struct store *store, struct slice name, int64_t *number, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, "SELECT id FROM server WHERE name = ?1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, name.p, (int)name.n, SQLITE_STATIC);
    *number = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    return 0;
}

static int read_server(struct search *search, struct error *err)
{
    const char *name = search->request->server;
    if (name && find_server(search->store, slice_of(name, strlen(name)), &search->server, err) < 0)
        return -1;
    return search->server || !name ? 0 : error_set(err, FAIL_USAGE, "no server '%s' in this database", search->request->server);
}

static int read_keys(struct search *search, struct error *err)
{
    const struct find_request *request = search->request;
    if (request->key_count < 1 || request->key_count > FIND_KEYS)
        return error_set(err, FAIL_USAGE, "trace: give one to %d keys", FIND_KEYS);
    for (int i = 0; i < request->key_count; i++) {
        search->keys[i] = key_of(request->keys[i]);
        search->all |= (uint8_t)(1 << i);
        if (!*request->keys[i] || (search->keys[i].words.p && search->keys[i].words.n == 0))
            return error_set(err, FAIL_USAGE, "trace: a key is empty");
    }
    return 0;
}

/* ---- passes ------------------------------------------------------------------------------------ */

struct table_pass {
    const char *sql;
    void (*take)(struct search *search, sqlite3_stmt *stmt);
    enum slot_kind kind;
    const char *columns; /* of SLOT_COLUMN: those that strings are looked for in */
    const char *where;   /* which other rows may have something */
};

#define EVENT_SQL "SELECT at, server, message, recipient FROM event"
#define SESSION_SQL "SELECT iif(kind = 2, at, (SELECT min(n.at) FROM session_line n WHERE n.at BETWEEN l.at AND l.at + 600" \
                    "   AND n.server = l.server AND n.service = l.service AND n.pid IS l.pid AND n.kind = 2))," \
                    " server, user, host, ip FROM session_line l"
#define HEADER_SQL "SELECT e.at, e.server, e.message, replace(t.text, char(1), coalesce(e.own, ''))" \
                   " FROM event e JOIN string t ON t.id = e.text AND e.kind = ?3"

static const struct table_pass everything[] = {
    {"SELECT id, server, sender, auth_id, local_user, client, exim_id, message_id, subject, recipients FROM message",
     take_message, 0, NULL, NULL},
    {"SELECT message, recipient, original, route FROM delivery", take_delivery, 0, NULL, NULL},
    {"SELECT at, server, client, sender, recipient, message FROM rejection", take_refusal, 0, NULL, NULL},
    {"SELECT at, server, client, user FROM auth_failure", take_failure, 0, NULL, NULL},
    {SESSION_SQL, take_session, 0, NULL, NULL},
    {EVENT_SQL, take_event, 0, NULL, NULL},
    {HEADER_SQL, take_header, 0, NULL, NULL}};

/* Each pass looks whether a row that it sees has all keys, however it was found: columns are compared in SQL, so that few
   rows are seen; the others' rows are looked at one by one. */
#define MESSAGE_SQL "SELECT id, server, sender, auth_id, local_user, client, NULL, NULL, NULL, recipients FROM message"
#define DELIVERY_SQL "SELECT message, recipient, original, route FROM delivery"
#define REJECTION_SQL "SELECT at, server, client, sender, recipient, message FROM rejection"
#define AUTH_FAILURE_SQL "SELECT at, server, client, user FROM auth_failure"
static const struct table_pass by_slot[] = {
    {MESSAGE_SQL, take_message, SLOT_COLUMN, "sender, auth_id, local_user", "recipients IS NOT NULL"},
    {DELIVERY_SQL, take_delivery, SLOT_COLUMN, "recipient, original", NULL},
    {REJECTION_SQL, take_refusal, SLOT_COLUMN, "sender, recipient", NULL},
    {AUTH_FAILURE_SQL, take_failure, SLOT_COLUMN, "user", NULL},
    {SESSION_SQL, take_session, SLOT_COLUMN, "user, host, ip", NULL},
    {EVENT_SQL, take_event, SLOT_COLUMN, "recipient", NULL},
    {HEADER_SQL, take_header, SLOT_COLUMN, NULL, "true"},
    {MESSAGE_SQL, take_message, SLOT_CLIENT, NULL, "client IS NOT NULL"},
    {REJECTION_SQL, take_refusal, SLOT_CLIENT, NULL, "client IS NOT NULL"},
    {AUTH_FAILURE_SQL, take_failure, SLOT_CLIENT, NULL, "client IS NOT NULL"},
    {DELIVERY_SQL, take_delivery, SLOT_ROUTE, NULL, "route IS NOT NULL"},
    {MESSAGE_SQL, take_message, SLOT_KIN, NULL, "true"},
    {DELIVERY_SQL, take_delivery, SLOT_KIN, NULL, "true"},
    {REJECTION_SQL, take_refusal, SLOT_KIN, NULL, "true"},
    {AUTH_FAILURE_SQL, take_failure, SLOT_KIN, NULL, "true"},
    {SESSION_SQL, take_session, SLOT_KIN, NULL, "kind < 3"},
    {EVENT_SQL, take_event, SLOT_KIN, NULL, "recipient IS NOT NULL"},
    {HEADER_SQL, take_header, SLOT_KIN, NULL, "true"},
    {"SELECT id, server, NULL, NULL, NULL, NULL, NULL, message_id, NULL, NULL FROM message", take_message, SLOT_ID, NULL,
     "message_id IS NOT NULL"},
    {REJECTION_SQL, take_refusal, SLOT_ID, NULL, "message IS NOT NULL"},
    {HEADER_SQL, take_header, SLOT_ID, NULL, "true"}};

static int run_everywhere(struct search *search, struct error *err)
{
    bool bounded = search->request->since != INT64_MIN || search->request->until != INT64_MAX;
    int done = 0;
    search->from = search->request->since;
    search->to = search->request->until;
    for (size_t i = 0; i < sizeof everything / sizeof *everything && done == 0; i++) {
        char *sql = xprintf("%s%s", everything[i].sql, bounded ? " WHERE at >= ?1 AND at < ?2" : "");
        sqlite3_stmt *stmt = store_prepare(search->store, sql, err); /* unbounded it is read as it lies */
        done = stmt ? pass(search, stmt, everything[i].take, err) : -1;
        sqlite3_finalize(stmt);
        free(sql);
    }
    return done;
}

/* "7 IN (sender, recipient) OR 8 IN ..." for the strings of all keys: compared one by one, which is quicker than a
   search for each row in a list of strings. */
static char *any_column(const struct search *search, const char *columns)
{
    sqlite3_str *any = sqlite3_str_new(NULL);
    sqlite3_str_appendall(any, "false");
    for (int i = 0; i < search->request->key_count; i++) {
        int64_t given = search->slots.as_given[i], small = search->slots.small[i];
        if (given)
            sqlite3_str_appendf(any, " OR %lld IN (%s)", (long long)given, columns);
        if (small && small != given)
            sqlite3_str_appendf(any, " OR %lld IN (%s)", (long long)small, columns);
    }
    return sqlite3_str_finish(any);
}

/* In the slots named, within the bounds that were asked for. */
static int run_stretches(struct search *search, const struct table_pass *table, sqlite3_stmt *stmt, struct error *err)
{
    const struct find_request *request = search->request;
    int64_t from = INT64_MIN, to = INT64_MIN;
    int done = 0;
    search->wanted = table->kind == SLOT_KIN || search->slots.kin > KIN_SLOTS_MAX ? KNOWN_ALL : KNOWN_EXACT;
    while (done == 0 && slots_next(&search->slots, table->kind, &from, &to)) {
        search->from = from > request->since ? from : request->since;
        search->to = to < request->until ? to : request->until;
        if (search->from < search->to)
            done = pass(search, stmt, table->take, err);
    }
    return done;
}

static int run_by_slot(struct search *search, const struct table_pass *table, struct error *err)
{
    int64_t from = INT64_MIN, to = INT64_MIN;
    if (!slots_next(&search->slots, table->kind, &from, &to))
        return 0;
    char *any = table->columns ? any_column(search, table->columns) : NULL;
    char *sql = sqlite3_mprintf("%s WHERE at >= ?1 AND at < ?2 AND (%s OR %s)", table->sql, any ? any : "false",
                                table->where ? table->where : "false");
    sqlite3_stmt *stmt = store_prepare(search->store, sql, err);
    int done = stmt ? run_stretches(search, table, stmt, err) : -1;
    sqlite3_finalize(stmt);
    sqlite3_free(sql);
    sqlite3_free(any);
    return done;
}

static int run_slots(struct search *search, struct error *err)
{
    int done = 0;
    for (size_t i = 0; i < sizeof by_slot / sizeof *by_slot && done == 0; i++)
        done = run_by_slot(search, &by_slot[i], err);
    return done;
}

/* ---- where to look ------------------------------------------------------------------------------ */

static bool can_tell_slots(const struct search *search)
{
    for (int i = 0; i < search->request->key_count; i++)
        if (search->keys[i].words.p || !slots_can_tell(search->keys[i].text))
            return false;
    return !search->request->everywhere;
}

/* Slots that there are, from the first day to the last in which something is mentioned, within the bounds. */
static int count_slots(struct search *search, int64_t *count, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(search->store, "SELECT (SELECT min(place) FROM mention) >> 22,"
                                                      " (SELECT max(place) FROM mention) >> 22", err);
    if (!stmt)
        return -1;
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(search->store, err);
    int64_t first = sqlite3_column_int64(stmt, 0), last = sqlite3_column_int64(stmt, 1);
    first = first > search->slots.first ? first : search->slots.first;
    last = last < search->slots.last ? last : search->slots.last;
    *count = last < first ? 0 : (last - first + 1) * DAY_SLOTS;
    sqlite3_finalize(stmt);
    return done;
}

/* A message under its Exim id is found by its arrival. */
static int hit_ids(struct search *search, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(search->store, "SELECT id, at, server FROM message WHERE exim_id = ?1", err);
    for (int i = 0; stmt && i < search->request->key_count; i++) {
        if (!search->keys[i].is_id)
            continue;
        sqlite3_bind_text(stmt, 1, search->keys[i].text.p, (int)search->keys[i].text.n, SQLITE_STATIC);
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            int64_t at = sqlite3_column_int64(stmt, 1);
            if (at >= search->request->since && at < search->request->until &&
                (!search->server || sqlite3_column_int64(stmt, 2) == search->server))
                hit(search, sqlite3_column_int64(stmt, 0), (uint8_t)(1 << i));
        }
        sqlite3_reset(stmt);
    }
    sqlite3_finalize(stmt);
    return stmt ? 0 : -1;
}

/* Reads the slots of the keys.  *everywhere: they cannot be told, or are so many that a pass over everything is
   quicker. */
static int read_slots(struct search *search, bool *everywhere, struct error *err)
{
    struct slice keys[FIND_KEYS];
    int64_t all;
    *everywhere = !can_tell_slots(search);
    for (int i = 0; i < search->request->key_count; i++)
        keys[i] = search->keys[i].text;
    if (*everywhere)
        return 0;
    if (slots_read(search->store, keys, search->request->key_count, search->request->since, search->request->until,
                   &search->slots, err) < 0 ||
        count_slots(search, &all, err) < 0)
        return -1;
    *everywhere = (int64_t)search->slots.kin * KIN_DENSE > all;
    return 0;
}

static int mark_known(struct search *search, bool everywhere, struct error *err)
{
    if (everywhere || search->slots.kin > KIN_SLOTS_MAX)
        return mark_all(search, err);
    for (int i = 0; i < search->request->key_count; i++) {
        mark(search, search->slots.as_given[i], i);
        mark(search, search->slots.small[i], i);
    }
    return 0;
}

static int search_all(struct search *search, struct error *err)
{
    bool everywhere = true;
    if (read_slots(search, &everywhere, err) < 0 || begin_masks(search, err) < 0 ||
        mark_known(search, everywhere, err) < 0 || hit_ids(search, err) < 0 ||
        (everywhere ? run_everywhere(search, err) : run_slots(search, err)) < 0)
        return -1;
    keep_full(search, &search->found->messages);
    keep_refused(search);
    numbers_sort(&search->found->rejection_times);
    numbers_sort(&search->found->login_times);
    numbers_sort(&search->found->event_times);
    numbers_sort(&search->found->session_times);
    return keep_server(search, &search->found->messages, err);
}

int find_run(struct store *store, const struct find_request *request, struct found *found, struct error *err)
{
    struct search search = {.store = store, .request = request, .found = found};
    *found = (struct found){0};
    int done = read_keys(&search, err);
    if (done == 0)
        done = read_server(&search, err);
    bool alone = done == 0 && request->key_count == 1 && search.keys[0].is_id;
    if (alone)
        done = find_id(&search, &found->messages, err);
    if (done == 0 && found->messages.count == 0)
        done = search_all(&search, err);
    end_masks(&search);
    slots_free(&search.slots);
    free(search.hits);
    free(search.parts);
    return done;
}

void found_free(struct found *found)
{
    free(found->messages.list);
    free(found->rejection_times.list);
    free(found->login_times.list);
    free(found->event_times.list);
    free(found->session_times.list);
    *found = (struct found){0};
}
