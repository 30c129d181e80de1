/* tally.c — open addressing over an array of counters. */
#include "tally.h"

#include <stdlib.h>

#include "../base/hash.h"

struct tally_slot {
    uint32_t hash;  /* upper half of the key's */
    uint32_t place; /* index + 1; 0: free */
};

static void place(struct tallies *table, uint64_t hash, size_t index)
{
    size_t mask = table->slot_count - 1, i = hash & mask;
    while (table->slots[i].place)
        i = (i + 1) & mask;
    table->slots[i] = (struct tally_slot){(uint32_t)(hash >> 32), (uint32_t)index + 1};
}

static void widen(struct tallies *table)
{
    free(table->slots);
    table->slot_count = table->slot_count ? table->slot_count * 4 : 64;
    table->slots = xcalloc(table->slot_count, sizeof *table->slots);
    for (size_t i = 0; i < table->count; i++)
        place(table, hash_bytes(table->items[i].key, 0), i);
}

static struct tally *add(struct tallies *table, struct arena *keys, struct slice key, uint64_t hash)
{
    if (table->count * 2 >= table->slot_count)
        widen(table);
    table->items = grow(table->items, &table->capacity, table->count + 1, sizeof *table->items);
    place(table, hash, table->count);
    struct tally *item = &table->items[table->count++];
    *item = (struct tally){.key = arena_copy(keys, key)};
    return item;
}

struct tally *tallies_at(struct tallies *table, struct arena *keys, struct slice key)
{
    uint64_t hash = hash_bytes(key, 0);
    size_t mask = table->slot_count - 1;
    for (size_t i = hash & mask; table->slot_count && table->slots[i].place; i = (i + 1) & mask) {
        struct tally *item = &table->items[table->slots[i].place - 1];
        if (table->slots[i].hash == (uint32_t)(hash >> 32) && slice_equal(item->key, key))
            return item;
    }
    return add(table, keys, key, hash);
}

void tallies_free(struct tallies *table)
{
    free(table->items);
    free(table->slots);
    *table = (struct tallies){0};
}

uint64_t tally_sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

size_t tallies_used(const struct tallies *table)
{
    size_t used = 0;
    for (size_t i = 0; i < table->count; i++)
        used += table->items[i].messages > 0;
    return used;
}

uint64_t tallies_messages(const struct tallies *table)
{
    uint64_t messages = 0;
    for (size_t i = 0; i < table->count; i++)
        messages += table->items[i].messages;
    return messages;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

static int compare_keys(const struct tally *a, const struct tally *b)
{
    size_t n = a->key.n < b->key.n ? a->key.n : b->key.n;
    int order = n ? memcmp(a->key.p, b->key.p, n) : 0;
    return order ? order : (a->key.n > b->key.n) - (a->key.n < b->key.n);
}

static int by_count(const void *left, const void *right)
{
    const struct tally *a = left, *b = right;
    int order = compare_numbers(a->messages, b->messages);
    order = order ? order : compare_numbers(a->bytes, b->bytes);
    return order ? order : compare_keys(a, b);
}

static int by_volume(const void *left, const void *right)
{
    const struct tally *a = left, *b = right;
    int order = compare_numbers(a->bytes, b->bytes);
    order = order ? order : compare_numbers(a->messages, b->messages);
    return order ? order : compare_keys(a, b);
}

static int by_key(const void *left, const void *right)
{
    return compare_keys(left, right);
}

struct tally *tallies_sorted(const struct tallies *table, enum tally_order order, uint64_t top, size_t *count)
{
    static int (*const compare[])(const void *, const void *) = {by_count, by_volume, by_key};
    struct tally *rows = xmalloc(table->count * sizeof *rows);
    *count = 0;
    for (size_t i = 0; i < table->count; i++)
        if (table->items[i].messages)
            rows[(*count)++] = table->items[i];
    qsort(rows, *count, sizeof *rows, compare[order]);
    if (*count > top)
        *count = (size_t)top;
    return rows;
}
