/* strings.c — a table of numbers lately used in front of the database.  What is not in it is looked up by hash;
   what is new is appended to string at once, and to string_hash once a transaction. */
#include "strings.h"

#include <stdlib.h>

#include "hashes.h"
#include "insert.h"

#define SLOTS_FIRST ((size_t)1 << 16)
#define SLOTS_MAX ((size_t)1 << 21) /* 32 MiB; at three quarters full it is emptied and begins anew */

struct known {
    uint64_t hash;
    int64_t id; /* 0: free */
};

struct strings {
    struct store *store;
    struct hashes *hashes;
    struct insert *insert;
    struct known *slots;
    size_t slot_count, used;
    int64_t next_id;
    bool holds_all; /* every stored string is in slots: what is not there is new */
    struct hash_want *missing; /* room for find_missing, and for the order of what is new */
    uint32_t *order;
    size_t missing_capacity, order_capacity;
};

#define STRING_COLUMN(name, type) {#name, type, offsetof(struct batch_string, name)}
static const struct row_column string_columns[] = {
    STRING_COLUMN(id, COLUMN_INT), STRING_COLUMN(text, COLUMN_TEXT), STRING_COLUMN(domain, COLUMN_REF)};
static const struct row_layout string_layout = {"string", sizeof(struct batch_string), string_columns, 3};

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
    return hashes_new(store, &strings->hashes, err) < 0 ||
           insert_new(store, &string_layout, &strings->insert, err) < 0 ? -1 : 0;
}

void strings_free(struct strings **strings)
{
    if (!*strings)
        return;
    hashes_free(&(*strings)->hashes);
    insert_free(&(*strings)->insert);
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

#define AHEAD 12 /* slots asked for before they are read: the table is far larger than a cache */

/* Numbers the strings that the table in memory knows; gathers the others. */
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
            strings->missing[count++] = (struct hash_want){batch->hashes[i], 0, i};
    }
    return count;
}

int strings_resolve(struct strings *strings, struct batch *batch, struct error *err)
{
    size_t new_count = 0, count = find_missing(strings, batch);
    const struct hash_want *missing = strings->missing;
    uint32_t *order = strings->order =
        grow(strings->order, &strings->order_capacity, count, sizeof *order);
    int done = strings->holds_all ? 0 : hashes_find(strings->hashes, strings->missing, count, err);
    for (size_t i = 0; i < count && done == 0; i++) {
        struct batch_string *string = &batch->strings[missing[i].number];
        int64_t *id = &batch->ids[missing[i].number];
        if (i + AHEAD < count)
            __builtin_prefetch(&strings->slots[missing[i + AHEAD].hash & (strings->slot_count - 1)]);
        *id = missing[i].id;
        if (!*id) {
            *id = string->id = strings->next_id++;
            hashes_add(strings->hashes, missing[i].hash, *id);
            order[new_count++] = missing[i].number;
        }
        done = remember(strings, missing[i].hash, *id, err);
    }
    if (done == 0)
        done = insert_rows(strings->insert, (const char *)batch->strings, order, new_count, batch->ids, err);
    return done;
}

int strings_flush(struct strings *strings, struct error *err)
{
    return hashes_flush(strings->hashes, err);
}
