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
    uint32_t id;  /* 0: free */
    uint32_t kin; /* the string's domain by its id; with FOLDED set, a place in strings.folded */
};
#define FOLDED ((uint32_t)1 << 31)

struct strings {
    struct store *store;
    struct hashes *hashes;
    struct insert *insert[1 + COMMON_TABLE_COUNT]; /* of string, then of the common tables */
    int64_t next_id[1 + COMMON_TABLE_COUNT];
    struct known *slots;
    size_t slot_count, used;
    struct batch_kin *folded; /* of strings with capitals: few */
    size_t folded_count, folded_capacity;
    bool holds_all; /* every stored string is in slots: what is not there is new */
    struct hash_want *missing; /* room for find_missing */
    size_t missing_capacity;
    uint32_t *order[1 + COMMON_TABLE_COUNT]; /* which rows of a batch are new */
    size_t order_capacity[1 + COMMON_TABLE_COUNT], new_count[1 + COMMON_TABLE_COUNT];
};

#define STRING_COLUMN(name, type) {#name, type, offsetof(struct batch_string, name)}
static const struct row_column string_columns[] = {
    STRING_COLUMN(id, COLUMN_INT), STRING_COLUMN(text, COLUMN_TEXT), STRING_COLUMN(domain, COLUMN_REF)};
static const struct row_layout string_layout = {"string", sizeof(struct batch_string), string_columns, 3};

static int prepare_table(struct strings *strings, const struct row_layout *layout, int number, struct error *err)
{
    char *sql = sqlite3_mprintf("SELECT coalesce(max(id), 0) + 1 FROM %s", layout->table);
    sqlite3_stmt *stmt = store_prepare(strings->store, sql, err);
    int done = stmt && sqlite3_step(stmt) == SQLITE_ROW ? 0 : stmt ? store_error(strings->store, err) : -1;
    strings->next_id[number] = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_free(sql);
    return done < 0 ? -1 : insert_new(strings->store, layout, &strings->insert[number], err);
}

int strings_new(struct store *store, struct strings **out, struct error *err)
{
    struct strings *strings = xcalloc(1, sizeof *strings);
    strings->store = store;
    strings->slots = xcalloc(strings->slot_count = SLOTS_FIRST, sizeof *strings->slots);
    *out = strings;
    int done = prepare_table(strings, &string_layout, 0, err);
    for (int i = 0; i < COMMON_TABLE_COUNT && done == 0; i++)
        done = prepare_table(strings, &common_layouts[i], i + 1, err);
    strings->holds_all = strings->next_id[0] == 1;
    return done < 0 ? -1 : hashes_new(store, &strings->hashes, err);
}

void strings_free(struct strings **strings)
{
    if (!*strings)
        return;
    hashes_free(&(*strings)->hashes);
    for (int i = 0; i <= COMMON_TABLE_COUNT; i++) {
        insert_free(&(*strings)->insert[i]);
        free((*strings)->order[i]);
    }
    free((*strings)->missing);
    free((*strings)->folded);
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
    strings->folded_count = widen ? strings->folded_count : 0;
    strings->holds_all = strings->holds_all && widen;
    for (size_t i = 0; widen && i < old_count; i++)
        if (old[i].id) {
            *slot_of(strings, old[i].hash) = old[i];
            strings->used++;
        }
    free(old);
}

static uint32_t pack_kin(struct strings *strings, const struct batch_kin *kin)
{
    if (!kin->folded)
        return kin->domain;
    strings->folded =
        grow(strings->folded, &strings->folded_capacity, strings->folded_count + 1, sizeof *strings->folded);
    strings->folded[strings->folded_count] = *kin;
    return FOLDED | (uint32_t)strings->folded_count++;
}

static struct batch_kin unpack_kin(const struct strings *strings, uint32_t kin)
{
    return kin & FOLDED ? strings->folded[kin & ~FOLDED] : (struct batch_kin){kin, 0};
}

/* What is emptied from memory must be found in the database from then on. */
static int remember(struct strings *strings, uint64_t hash, int64_t id, const struct batch_kin *kin, struct error *err)
{
    if (strings->used * 4 > strings->slot_count * 3) {
        if (strings->slot_count == SLOTS_MAX && strings_flush(strings, err) < 0)
            return -1;
        make_room(strings);
    }
    *slot_of(strings, hash) = (struct known){hash, (uint32_t)id, pack_kin(strings, kin)};
    strings->used++;
    return 0;
}

#define AHEAD 12 /* slots asked for before they are read: the table is far larger than a cache */

/* Numbers the batch's strings from the first on that the table in memory knows; gathers the others behind those
   that are gathered already, and answers how many they are then. */
static size_t find_missing(struct strings *strings, struct batch *batch, uint32_t first, size_t count)
{
    strings->missing = grow(strings->missing, &strings->missing_capacity, count + batch->string_count - first,
                            sizeof *strings->missing);
    batch->ids = grow(batch->ids, &batch->id_capacity, batch->string_count, sizeof *batch->ids);
    batch->kin = grow(batch->kin, &batch->kin_capacity, batch->string_count, sizeof *batch->kin);
    batch->ids[0] = 0;
    for (uint32_t i = first; i < batch->string_count; i++) {
        if (i + AHEAD < batch->string_count)
            __builtin_prefetch(&strings->slots[batch->hashes[i + AHEAD] & (strings->slot_count - 1)]);
        const struct known *known = slot_of(strings, batch->hashes[i]);
        batch->ids[i] = known->id;
        if (known->id)
            batch->kin[i] = unpack_kin(strings, known->kin);
        else
            strings->missing[count++] = (struct hash_want){batch->hashes[i], 0, i};
    }
    return count;
}

/* Gives what is new its id, and notes it for its table. */
static int64_t number_new(struct strings *strings, struct batch *batch, const struct hash_want *want)
{
    struct batch_string *string = &batch->strings[want->number];
    uint32_t table = string->common;
    int64_t id = strings->next_id[table]++;
    size_t count = strings->new_count[table]++;
    strings->order[table] =
        grow(strings->order[table], &strings->order_capacity[table], count + 1, sizeof **strings->order);
    strings->order[table][count] = table ? string->place : want->number;
    int64_t *id_of_row = table ? (void *)(batch->commons[table - 1].rows +
                                          string->place * common_layouts[table - 1].size) : &string->id;
    *id_of_row = id; /* the first column of every common table */
    hashes_add(strings->hashes, want->hash, id);
    return id;
}

static int put_new(struct strings *strings, const struct batch *batch, struct error *err)
{
    int done = insert_rows(strings->insert[0], (const char *)batch->strings, strings->order[0],
                           strings->new_count[0], batch->ids, err);
    for (int i = 0; i < COMMON_TABLE_COUNT && done == 0; i++)
        done = insert_rows(strings->insert[i + 1], batch->commons[i].rows, strings->order[i + 1],
                           strings->new_count[i + 1], batch->ids, err);
    memset(strings->new_count, 0, sizeof strings->new_count);
    return done;
}

/* Numbers the batch's strings from the first on.  What they lead to may be strings of the batch that were none
   before. */
static int number_from(struct strings *strings, struct batch *batch, uint32_t first, size_t *count, struct error *err)
{
    size_t before = *count;
    *count = find_missing(strings, batch, first, before);
    struct hash_want *missing = strings->missing;
    int done = strings->holds_all ? 0 : hashes_find(strings->hashes, missing + before, *count - before, err);
    for (size_t i = before; i < *count && done == 0; i++) {
        int64_t id = missing[i].id ? missing[i].id : number_new(strings, batch, &missing[i]);
        batch->ids[missing[i].number] = id;
        if (!batch->strings[missing[i].number].common)
            batch_find_kin(batch, missing[i].number);
    }
    return done;
}

/* Once all are numbered: what they lead to is as well. */
static int remember_all(struct strings *strings, struct batch *batch, size_t count, struct error *err)
{
    const struct hash_want *missing = strings->missing;
    int done = 0;
    for (size_t i = 0; i < count && done == 0; i++) {
        const struct batch_string *string = &batch->strings[missing[i].number];
        struct batch_kin *kin = &batch->kin[missing[i].number];
        if (i + AHEAD < count)
            __builtin_prefetch(&strings->slots[missing[i + AHEAD].hash & (strings->slot_count - 1)]);
        *kin = (struct batch_kin){(uint32_t)batch->ids[string->domain], (uint32_t)batch->ids[string->folded]};
        done = remember(strings, missing[i].hash, batch->ids[missing[i].number], kin, err);
    }
    return done;
}

int strings_resolve(struct strings *strings, struct batch *batch, struct error *err)
{
    size_t count = 0;
    int done = 0;
    for (uint32_t first = 1, end = 0; first < batch->string_count && done == 0; first = end) {
        end = (uint32_t)batch->string_count;
        done = number_from(strings, batch, first, &count, err);
    }
    if (done == 0)
        done = remember_all(strings, batch, count, err);
    return done < 0 ? -1 : put_new(strings, batch, err);
}

int strings_flush(struct strings *strings, struct error *err)
{
    return hashes_flush(strings->hashes, err);
}
