/* copies.c — the join in SQL, its consequences row by row. */
#include "copies.h"

#include <stdlib.h>

#include "../base/memory.h"

struct pair {
    int64_t copy, parent;
};

struct copies {
    struct store *store;
    const struct server **servers; /* of the batches noted */
    size_t server_count, server_capacity;
    int64_t first, last;           /* times touched; first > last: none */
    struct pair *pairs;
    size_t pair_count, pair_capacity;
};

int copies_new(struct store *store, struct copies **copies, struct error *err)
{
    *copies = xcalloc(1, sizeof **copies);
    (*copies)->store = store;
    (*copies)->first = INT64_MAX;
    (*copies)->last = INT64_MIN;
    return store_run(store,
                     "CREATE TEMP TABLE near (id INTEGER PRIMARY KEY, server INTEGER, exim_id TEXT,"
                     "  message_id TEXT, sender INTEGER, received INTEGER);"
                     "CREATE INDEX temp.near_message_id ON near (message_id);", err);
}

void copies_free(struct copies **copies)
{
    if (!*copies)
        return;
    free((*copies)->servers);
    free((*copies)->pairs);
    free(*copies);
    *copies = NULL;
}

static void note_server(struct copies *copies, const struct server *server)
{
    for (size_t i = 0; i < copies->server_count; i++)
        if (copies->servers[i] == server)
            return;
    copies->servers = grow(copies->servers, &copies->server_capacity, copies->server_count + 1,
                           sizeof *copies->servers);
    copies->servers[copies->server_count++] = server;
}

static void note_time(struct copies *copies, int64_t at)
{
    if (at == NUM_ABSENT)
        return;
    if (at < copies->first)
        copies->first = at;
    if (at > copies->last)
        copies->last = at;
}

void copies_note(struct copies *copies, const struct server *server, const struct batch *batch)
{
    const struct delivery_row *rows = (const void *)batch->events[TABLE_DELIVERY].rows;
    note_server(copies, server);
    for (uint32_t i = 0; i < batch->messages.count; i++)
        note_time(copies, batch_message(batch, i)->received);
    for (size_t i = 0; i < batch->events[TABLE_DELIVERY].count; i++)
        note_time(copies, rows[i].at);
}

static const struct server *server_of(const struct copies *copies, int64_t id)
{
    for (size_t i = 0; i < copies->server_count; i++)
        if (copies->servers[i]->id == id)
            return copies->servers[i];
    return NULL;
}

/* Whether there are arrivals that may be copies, or messages that were handed off, in the times touched. */
static int any_at_all(struct copies *copies, bool *any, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        copies->store, "SELECT 1 FROM message INDEXED BY message_unjoined WHERE flags >= 32"
                       " AND at BETWEEN ?1 - 86400 AND ?2 + 60 LIMIT 1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, copies->first);
    sqlite3_bind_int64(stmt, 2, copies->last);
    int found = store_next(copies->store, stmt, err);
    *any = found > 0;
    sqlite3_finalize(stmt);
    return found < 0 ? -1 : 0;
}

static int fill_near(struct copies *copies, struct error *err)
{
    char *sql = sqlite3_mprintf(
        "DELETE FROM temp.near; INSERT INTO temp.near SELECT id, server, exim_id, message_id, sender, received"
        "  FROM message WHERE at BETWEEN %lld - 60 AND %lld + 60 AND received IS NOT NULL"
        "   AND message_id IS NOT NULL", (long long)copies->first, (long long)copies->last);
    int done = store_run(copies->store, sql, err);
    sqlite3_free(sql);
    return done;
}

/* When an id was given: its second and the part behind it. Between them stands a pid, which tells nothing of order. */
#define MOMENT_OF(id) "(substr(" id ", 1, 6) || substr(" id ", iif(length(" id ") > 16, -4, -2)))"

/* The latest message before each unjoined one that it can be a copy of. */
static int find_pairs(struct copies *copies, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        copies->store,
        "SELECT c.id, (SELECT p.id FROM temp.near p WHERE p.message_id = c.message_id AND p.server = c.server"
        "   AND p.sender IS c.sender AND p.received BETWEEN c.received - 60 AND c.received"
        "   AND " MOMENT_OF("p.exim_id") " < " MOMENT_OF("c.exim_id")
        " ORDER BY p.received DESC, " MOMENT_OF("p.exim_id") " DESC LIMIT 1) AS origin"
        "  FROM message c INDEXED BY message_unjoined"
        " WHERE c.flags >= 32 AND c.flags & 64 AND c.at BETWEEN ?1 AND ?2 + 60 AND origin IS NOT NULL", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, copies->first);
    sqlite3_bind_int64(stmt, 2, copies->last);
    int code;
    copies->pair_count = 0;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        copies->pairs = grow(copies->pairs, &copies->pair_capacity, copies->pair_count + 1,
                             sizeof *copies->pairs);
        copies->pairs[copies->pair_count++] = (struct pair){
            sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1)};
    }
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : store_error(copies->store, err);
}

/* A stored message with its server, which is NULL when no line of it came with this transaction. */
static int load(const struct copies *copies, struct messages *messages, int64_t id,
                struct message_image *image, struct error *err)
{
    int64_t server;
    if (messages_load(messages, id, image, &server, err) < 0)
        return -1;
    image->server = server_of(copies, server);
    return 0;
}

static int join_pair(struct copies *copies, const struct pair *pair, struct messages *messages,
                     struct rollup *rollup, struct error *err)
{
    struct message_image was, is, parent;
    if (load(copies, messages, pair->copy, &was, err) < 0 ||
        load(copies, messages, pair->parent, &parent, err) < 0)
        return -1;
    if (!was.server)
        return 0;
    is = was;
    is.is_copy = true;
    rollup_message(rollup, &was, -1);
    rollup_message(rollup, &is, 1);
    if (parent.received < copies->first)
        copies->first = parent.received; /* its deliveries may be stored already */
    char *sql = sqlite3_mprintf(
        "UPDATE message SET copy_of = (SELECT exim_id FROM message WHERE id = %lld), flags = flags & ~64"
        " WHERE id = %lld; UPDATE message SET flags = flags | 32 WHERE id = %lld;",
        (long long)pair->parent, (long long)pair->copy, (long long)pair->parent);
    int done = store_run(copies->store, sql, err);
    sqlite3_free(sql);
    return done;
}

#define NAMED_FOR_SCANNING(name)                                                                   \
    "(" name " LIKE '%spam%' OR " name " LIKE '%scan%' OR " name " LIKE '%virus%' OR " name        \
    " LIKE '%clam%' OR " name " LIKE '%amavis%' OR " name " LIKE '%filter%')"

/* Local deliveries of messages that were handed off. */
static const char find_hand_offs[] =
    DELIVERY_IMAGE_COLUMNS
    " JOIN message m ON m.id = d.message LEFT JOIN string t ON t.id = w.transport"
    " LEFT JOIN string u ON u.id = w.router"
    " WHERE d.at BETWEEN ?1 AND ?2 + 60 AND m.flags & 32 AND w.host IS NULL AND w.ip IS NULL"
    "   AND d.kind IN (?3, ?4) AND (" NAMED_FOR_SCANNING("t.text") " OR " NAMED_FOR_SCANNING("u.text") ")";

static int hand_off_one(struct copies *copies, sqlite3_stmt *found, sqlite3_stmt *change, int64_t kind,
                        struct messages *messages, struct rollup *rollup, struct error *err)
{
    struct message_image m;
    struct delivery_image d = messages_delivery_image(found);
    if (load(copies, messages, sqlite3_column_int64(found, 10), &m, err) < 0)
        return -1;
    if (!m.server)
        return 0;
    rollup_delivery(rollup, &d, &m, -1);
    d.kind = kind;
    rollup_delivery(rollup, &d, &m, 1);
    sqlite3_bind_int64(change, 1, kind);
    sqlite3_bind_int64(change, 2, d.at);
    sqlite3_bind_int64(change, 3, sqlite3_column_int64(found, 1));
    return store_step(copies->store, change, err);
}

static int hand_off(struct copies *copies, const int64_t *kinds, struct messages *messages,
                    struct rollup *rollup, struct error *err)
{
    sqlite3_stmt *find = store_prepare(copies->store, find_hand_offs, err);
    sqlite3_stmt *change = find ? store_prepare(copies->store,
                                                "UPDATE delivery SET kind = ?1 WHERE at = ?2 AND mark = ?3",
                                                err) : NULL;
    int code = SQLITE_DONE, done = change ? 0 : -1;
    const int64_t bounds[] = {copies->first, copies->last, kinds[DELIVERY_DELIVERED], kinds[DELIVERY_ADDITIONAL]};
    for (int i = 0; i < 4 && done == 0; i++)
        sqlite3_bind_int64(find, i + 1, bounds[i]);
    while (done == 0 && (code = sqlite3_step(find)) == SQLITE_ROW)
        done = hand_off_one(copies, find, change, kinds[DELIVERY_HANDOFF], messages, rollup, err);
    if (done == 0 && code != SQLITE_DONE)
        done = store_error(copies->store, err);
    sqlite3_finalize(find);
    sqlite3_finalize(change);
    return done;
}

int copies_join(struct copies *copies, const int64_t *kinds, struct messages *messages, struct rollup *rollup,
                struct error *err)
{
    bool any = false;
    int done = copies->first > copies->last ? 0 : any_at_all(copies, &any, err);
    if (done == 0 && any) {
        done = fill_near(copies, err) < 0 || find_pairs(copies, err) < 0 ? -1 : 0;
        for (size_t i = 0; i < copies->pair_count && done == 0; i++)
            done = join_pair(copies, &copies->pairs[i], messages, rollup, err);
        if (done == 0)
            done = hand_off(copies, kinds, messages, rollup, err);
    }
    copies->first = INT64_MAX;
    copies->last = INT64_MIN;
    copies->server_count = 0;
    return done;
}
