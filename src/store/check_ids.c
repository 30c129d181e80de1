/* check_ids.c — rows are read in the order in which they lie, which mostly is that of time, and what they name is looked up in
   portions, by day and hash: so a bucket of id_mention is read once a portion. */
#include "check_ids.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../parsers/dialect.h"
#include "../../parsers/header.h"
#include "../base/memory.h"
#include "mentioned.h"

#define FACTS_AT_ONCE 65536
#define OCTETS_AT_ONCE ((size_t)16 << 20)

enum id_kind {
    ID_EVERYWHERE, /* mentioned wherever a row has it */
    ID_FAR,        /* an Exim id, mentioned only far from its own second */
    ID_IN_HEADER   /* a Message-ID inside a header, if it is that header */
};

/* What rows say when. */
static const struct id_source {
    const char *what; /* with a time and an id */
    const char *sql;  /* time, id */
    enum id_kind kind;
} id_sources[] = {
    {"message at %" PRId64 " has Message-ID %s",
     "SELECT received, message_id FROM message WHERE received >= 0 AND message_id <> ''", ID_EVERYWHERE},
    {"message at %" PRId64 " reports on message %s",
     "SELECT received, parent FROM message WHERE received >= 0 AND parent IS NOT NULL", ID_FAR},
    {"rejection at %" PRId64 " is of message %s", "SELECT at, message FROM rejection WHERE at >= 0 AND message <> ''",
     ID_EVERYWHERE},
    {"delivery at %" PRId64 " is of message %s",
     "SELECT d.at, m.exim_id FROM delivery d JOIN message m ON m.id = d.message WHERE d.at >= 0", ID_FAR},
    {"event at %" PRId64 " is of message %s", "SELECT at, message FROM event WHERE at >= 0 AND message IS NOT NULL", ID_FAR},
    {"header at %" PRId64 " has Message-ID %s",
     "SELECT e.at, replace(t.text, char(1), coalesce(e.own, '')) FROM event e JOIN string k ON k.id = e.kind"
     " JOIN string t ON t.id = e.text WHERE e.at >= 0 AND k.text = 'rejected_header'", ID_IN_HEADER},
};

struct id_fact {
    int64_t at;
    uint64_t hash;
    struct slice id; /* with a NUL behind it */
    bool found;
};

struct ids {
    struct store *store;
    const struct check_ids_listener *listener;
    const struct id_source *source;
    struct id_fact *facts;
    struct mention_want *wants; /* of a day's facts, in their order */
    size_t count, first;        /* first: fact of the first want */
    struct arena texts;
};

static int64_t day_of(const struct id_fact *fact)
{
    return fact->at / (DAY_SLOTS * SLOT_SECONDS);
}

static int compare_facts(const void *a, const void *b)
{
    const struct id_fact *x = a, *y = b;
    if (day_of(x) != day_of(y))
        return day_of(x) < day_of(y) ? -1 : 1;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static void take(void *context, const struct mention_want *want, int64_t day, uint32_t times)
{
    struct ids *ids = context;
    struct id_fact *fact = &ids->facts[ids->first + (size_t)(want - ids->wants)];
    fact->found = has_slot(times, fact->at / SLOT_SECONDS - day * DAY_SLOTS);
}

/* The facts from ids->first on that are of its day. */
static int find_day(struct ids *ids, size_t count, struct error *err)
{
    const struct mention_listener listener = {take, ids};
    int64_t day = day_of(&ids->facts[ids->first]);
    for (size_t i = 0; i < count; i++)
        ids->wants[i] = (struct mention_want){.is_id = true, .hash = ids->facts[ids->first + i].hash};
    return mentioned_find(ids->store, ids->wants, count, day, day, &listener, err);
}

static void tell_missing(struct ids *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        const struct id_fact *fact = &ids->facts[i];
        if (fact->found)
            continue;
        char *fault = sqlite3_mprintf(ids->source->what, fact->at, fact->id.p);
        char *whole = xprintf("%s, which is not mentioned then", fault);
        ids->listener->tell(ids->listener->context, whole);
        free(whole);
        sqlite3_free(fault);
    }
}

static int find_facts(struct ids *ids, struct error *err)
{
    int done = 0;
    if (ids->count)
        qsort(ids->facts, ids->count, sizeof *ids->facts, compare_facts);
    for (size_t end; ids->first < ids->count && done == 0; ids->first = end) {
        for (end = ids->first + 1; end < ids->count && day_of(&ids->facts[end]) == day_of(&ids->facts[ids->first]);)
            end++;
        done = find_day(ids, end - ids->first, err);
    }
    if (done == 0)
        tell_missing(ids);
    ids->count = ids->first = 0;
    arena_empty(&ids->texts);
    return done;
}

static bool is_far(struct slice id, int64_t at)
{
    int64_t second = exim_id_valid(id) ? exim_id_second(id) : at;
    return at < second - ID_NEAR || at >= second + ID_NEAR;
}

/* With a NUL behind it. */
static struct slice keep_id(struct ids *ids, struct slice id)
{
    char *text = arena_alloc(&ids->texts, id.n + 1, 1);
    memcpy(text, id.p, id.n);
    text[id.n] = 0;
    return slice_of(text, id.n);
}

static void add_fact(struct ids *ids, sqlite3_stmt *row)
{
    const char *text = (const char *)sqlite3_column_text(row, 1);
    struct slice id = slice_of(text, (size_t)sqlite3_column_bytes(row, 1));
    int64_t at = sqlite3_column_int64(row, 0);
    if (ids->source->kind == ID_IN_HEADER)
        id = header_message_id(id);
    if (id.n == 0 || (ids->source->kind == ID_FAR && !is_far(id, at)))
        return;
    ids->facts[ids->count++] =
        (struct id_fact){at, batch_id_hash(id, store_hash_seed(ids->store)), keep_id(ids, id), false};
}

static int check_source(struct ids *ids, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(ids->store, ids->source->sql, err);
    int code = SQLITE_DONE, done = stmt ? 0 : -1;
    while (done == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        add_fact(ids, stmt);
        if (ids->count == FACTS_AT_ONCE || ids->texts.used > OCTETS_AT_ONCE)
            done = find_facts(ids, err);
    }
    if (done == 0)
        done = code == SQLITE_DONE ? find_facts(ids, err) : store_error(ids->store, err);
    sqlite3_finalize(stmt);
    return done;
}

int check_ids(struct store *store, const struct check_ids_listener *listener, struct error *err)
{
    struct ids ids = {.store = store, .listener = listener};
    int done = 0;
    ids.facts = xmalloc(FACTS_AT_ONCE * sizeof *ids.facts);
    ids.wants = xmalloc(FACTS_AT_ONCE * sizeof *ids.wants);
    for (size_t i = 0; i < sizeof id_sources / sizeof *id_sources && done == 0; i++) {
        ids.source = &id_sources[i];
        done = check_source(&ids, err);
    }
    free(ids.facts);
    free(ids.wants);
    arena_free(&ids.texts);
    return done;
}
