/* strings.c — a table of numbers lately used in front of the database.  What is not in it is looked up in the
   order of the hashes; what is new is appended to string at once, and to string_hash once a transaction, sorted,
   so that the tree is walked from left to right instead of jumped about in. */
#include "strings.h"

#include <stdlib.h>

#include "insert.h"

#define SLOTS_FIRST ((size_t)1 << 16)
#define SLOTS_MAX ((size_t)1 << 21) /* 32 MiB; at three quarters full it is emptied and begins anew */

struct known {
    uint64_t hash;
    int64_t id; /* 0: free */
};

struct missing {
    uint64_t hash;
    uint32_t number;
};

struct strings {
    struct store *store;
    sqlite3_stmt *find;
    struct insert *insert, *insert_hash;
    struct known *slots;
    size_t slot_count, used;
    int64_t next_id;
    bool holds_all; /* every stored string is in slots: what is not there is new */
    struct known *pending; /* new, and not in string_hash yet */
    size_t pending_count, pending_capacity;
    struct missing *missing; /* room for find_missing and for the order of what is new */
    uint32_t *order;
    size_t missing_capacity, order_capacity;
};

#define STRING_COLUMN(name, type) {#name, type, offsetof(struct batch_string, name)}
static const struct row_column string_columns[] = {
    STRING_COLUMN(id, COLUMN_INT), STRING_COLUMN(text, COLUMN_TEXT), STRING_COLUMN(domain, COLUMN_REF)};
static const struct row_layout string_layout = {"string", sizeof(struct batch_string), string_columns, 3};

static const struct row_column hash_columns[] = {{"hash", COLUMN_INT, offsetof(struct known, hash)},
                                                 {"id", COLUMN_INT, offsetof(struct known, id)}};
static const struct row_layout hash_layout = {"string_hash", sizeof(struct known), hash_columns, 2};

static int first_id(struct strings *strings, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(strings->store, "SELECT coalesce(max(id), 0) FROM string", err);
    if (!stmt)
        return -1;
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(strings->store, err);
    strings->next_id = sqlite3_column_int64(stmt, 0) + 1;
    strings->holds_all = strings->next_id == 1;
    sqlite3_finalize(stmt);
    return done;
}

int strings_new(struct store *store, struct strings **out, struct error *err)
{
    struct strings *strings = xcalloc(1, sizeof *strings);
    strings->store = store;
    strings->slots = xcalloc(strings->slot_count = SLOTS_FIRST, sizeof *strings->slots);
    *out = strings;
    if (first_id(strings, err) < 0)
        return -1;
    strings->find = store_prepare(store, "SELECT id FROM string_hash WHERE hash = ?1", err);
    return strings->find && insert_new(store, &string_layout, &strings->insert, err) == 0 &&
           insert_new(store, &hash_layout, &strings->insert_hash, err) == 0 ? 0 : -1;
}

void strings_free(struct strings **strings)
{
    if (!*strings)
        return;
    sqlite3_finalize((*strings)->find);
    insert_free(&(*strings)->insert);
    insert_free(&(*strings)->insert_hash);
    free((*strings)->pending);
    free((*strings)->missing);
    free((*strings)->order);
    free((*strings)->slots);
    free(*strings);
    *strings = NULL;
}

static struct known *slot_of(struct strings *strings, uint64_t hash)
{
    size_t mask = strings->slot_count - 1;
    size_t i = hash & mask;
    while (strings->slots[i].id && strings->slots[i].hash != hash)
        i = (i + 1) & mask;
    return &strings->slots[i];
}

static void make_room(struct strings *strings)
{
    struct known *old = strings->slots;
    size_t old_count = strings->slot_count;
    bool widen = old_count < SLOTS_MAX;
    strings->slot_count = widen ? old_count * 2 : old_count;
    strings->slots = xcalloc(strings->slot_count, sizeof *strings->slots);
    strings->used = 0;
    strings->holds_all = strings->holds_all && widen;
    for (size_t i = 0; widen && i < old_count; i++)
        if (old[i].id) {
            *slot_of(strings, old[i].hash) = old[i];
            strings->used++;
        }
    free(old);
}

/* What is emptied from memory must be found in the database from then on. */
static int remember(struct strings *strings, uint64_t hash, int64_t id, struct error *err)
{
    if (strings->used * 4 > strings->slot_count * 3) {
        if (strings->slot_count == SLOTS_MAX && strings_flush(strings, err) < 0)
            return -1;
        make_room(strings);
    }
    *slot_of(strings, hash) = (struct known){hash, id};
    strings->used++;
    return 0;
}

static int64_t number_new(struct strings *strings, uint64_t hash)
{
    strings->pending = grow(strings->pending, &strings->pending_capacity, strings->pending_count + 1,
                            sizeof *strings->pending);
    strings->pending[strings->pending_count++] = (struct known){hash, strings->next_id};
    return strings->next_id++;
}

static int look_up(struct strings *strings, uint64_t hash, int64_t *id, struct error *err)
{
    sqlite3_bind_int64(strings->find, 1, (int64_t)hash);
    int code = sqlite3_step(strings->find);
    *id = code == SQLITE_ROW ? sqlite3_column_int64(strings->find, 0) : 0;
    sqlite3_reset(strings->find);
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_error(strings->store, err);
}

static int compare_missing(const void *a, const void *b)
{
    int64_t x = (int64_t)((const struct missing *)a)->hash, y = (int64_t)((const struct missing *)b)->hash;
    return x < y ? -1 : x > y; /* as SQLite sorts them */
}

#define AHEAD 12 /* slots asked for before they are read: the table is far larger than a cache */

/* Numbers the strings that the table in memory knows; gathers the others, by hash when they must be looked up. */
static size_t find_missing(struct strings *strings, struct batch *batch)
{
    size_t count = 0;
    strings->missing = grow(strings->missing, &strings->missing_capacity, batch->string_count,
                            sizeof *strings->missing);
    batch->ids = grow(batch->ids, &batch->id_capacity, batch->string_count, sizeof *batch->ids);
    batch->ids[0] = 0;
    for (uint32_t i = 1; i < batch->string_count; i++) {
        if (i + AHEAD < batch->string_count)
            __builtin_prefetch(&strings->slots[batch->hashes[i + AHEAD] & (strings->slot_count - 1)]);
        batch->ids[i] = slot_of(strings, batch->hashes[i])->id;
        if (!batch->ids[i])
            strings->missing[count++] = (struct missing){batch->hashes[i], i};
    }
    if (!strings->holds_all)
        qsort(strings->missing, count, sizeof *strings->missing, compare_missing);
    return count;
}

int strings_resolve(struct strings *strings, struct batch *batch, struct error *err)
{
    size_t new_count = 0, count = find_missing(strings, batch);
    const struct missing *missing = strings->missing;
    uint32_t *order = strings->order =
        grow(strings->order, &strings->order_capacity, count, sizeof *order);
    int done = 0;
    for (size_t i = 0; i < count && done == 0; i++) {
        struct batch_string *string = &batch->strings[missing[i].number];
        int64_t *id = &batch->ids[missing[i].number];
        if (i + AHEAD < count)
            __builtin_prefetch(&strings->slots[missing[i + AHEAD].hash & (strings->slot_count - 1)]);
        if (!strings->holds_all)
            done = look_up(strings, missing[i].hash, id, err);
        if (done == 0 && !*id) {
            *id = string->id = number_new(strings, missing[i].hash);
            order[new_count++] = missing[i].number;
        }
        if (done == 0)
            done = remember(strings, missing[i].hash, *id, err);
    }
    if (done == 0)
        done = insert_rows(strings->insert, (const char *)batch->strings, order, new_count, batch->ids, err);
    return done;
}

static int compare_known(const void *a, const void *b)
{
    int64_t x = (int64_t)((const struct known *)a)->hash, y = (int64_t)((const struct known *)b)->hash;
    return x < y ? -1 : x > y;
}

int strings_flush(struct strings *strings, struct error *err)
{
    size_t count = strings->pending_count;
    uint32_t *order = xmalloc(count * sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    qsort(strings->pending, count, sizeof *strings->pending, compare_known);
    int done = insert_rows(strings->insert_hash, (const char *)strings->pending, order, count, NULL, err);
    strings->pending_count = 0;
    free(order);
    return done;
}
