/* slots.c — keys to strings by their hashes, strings to slots. */
#include "slots.h"

#include <stdlib.h>

#include "../../parsers/ascii.h"
#include "../base/hash.h"
#include "../base/memory.h"
#include "../store/hashes.h"
#include "../store/mentioned.h"

#define DAY 86400
#define WANTS_A_KEY 8 /* as given and in small letters in three ways each, through others, as an id */

bool slots_can_tell(struct slice key)
{
    return batch_is_folded(key);
}

static int find_strings(struct store *store, const struct slice *keys, int count, struct slots *slots, struct error *err)
{
    struct hash_want wants[2 * SLOTS_KEYS];
    struct hashes *hashes = NULL;
    uint64_t seed = store_hash_seed(store);
    for (int i = 0; i < count; i++) {
        char *room = xmalloc(keys[i].n + 1);
        wants[2 * i] = (struct hash_want){hash_bytes(keys[i], seed), 0, (uint32_t)(2 * i)};
        wants[2 * i + 1] = (struct hash_want){hash_bytes(lower_into(room, keys[i]), seed), 0, (uint32_t)(2 * i + 1)};
        free(room);
    }
    int done = hashes_new(store, &hashes, err);
    if (done == 0)
        done = hashes_find(hashes, wants, (size_t)count * 2, err);
    for (int i = 0; i < count * 2 && done == 0; i++)
        *(wants[i].number % 2 ? &slots->small[wants[i].number / 2] : &slots->as_given[wants[i].number / 2]) = wants[i].id;
    hashes_free(&hashes);
    return done;
}

static void take(void *context, const struct mention_want *want, int64_t day, uint32_t times)
{
    struct slots *slots = context;
    slots->days = grow(slots->days, &slots->room, slots->count + 1, sizeof *slots->days);
    struct slots_day *of = &slots->days[slots->count++];
    *of = (struct slots_day){.day = day};
    of->times[want->is_id ? SLOT_ID : (enum slot_kind)want->kind] = times;
}

static int compare_days(const void *a, const void *b)
{
    int64_t x = ((const struct slots_day *)a)->day, y = ((const struct slots_day *)b)->day;
    return x < y ? -1 : x > y;
}

static size_t count_slots(uint32_t times)
{
    return (size_t)__builtin_popcount(times & (((uint32_t)1 << SLOT_EIGHTH) - 1)) * (size_t)__builtin_popcount(times >> SLOT_EIGHTH);
}

static void merge_days(struct slots *slots)
{
    size_t kept = 0;
    if (slots->count)
        qsort(slots->days, slots->count, sizeof *slots->days, compare_days);
    for (size_t i = 0; i < slots->count; i++) {
        const struct slots_day day = slots->days[i];
        if (kept == 0 || slots->days[kept - 1].day != day.day)
            slots->days[kept++] = (struct slots_day){.day = day.day};
        for (int k = 0; k < SLOT_KINDS; k++)
            slots->days[kept - 1].times[k] |= day.times[k];
    }
    slots->count = kept;
    for (size_t i = 0; i < kept; i++)
        slots->kin += count_slots(slots->days[i].times[SLOT_KIN]);
}

/* A string in the three ways in which rows have it. */
static size_t put_string(struct mention_want *wants, size_t n, int64_t string)
{
    for (int kind = MENTION_COLUMN; string && kind < MENTION_KIN; kind++)
        wants[n++] = (struct mention_want){.kind = (enum mention_kind)kind, .string = string};
    return n;
}

static size_t put_wants(const struct slots *slots, const struct slice *keys, int count, uint64_t seed,
                        struct mention_want *wants)
{
    size_t n = 0;
    for (int i = 0; i < count; i++) {
        n = put_string(wants, n, slots->as_given[i]);
        if (slots->small[i] != slots->as_given[i])
            n = put_string(wants, n, slots->small[i]);
        if (slots->small[i])
            wants[n++] = (struct mention_want){.kind = MENTION_KIN, .string = slots->small[i]};
        wants[n++] = (struct mention_want){.is_id = true, .hash = batch_id_hash(keys[i], seed)};
    }
    return n;
}

static void begin_slots(struct slots *slots, int64_t since, int64_t until)
{
    *slots = (struct slots){.first = floor_div(since, DAY), .last = floor_div(until, DAY)};
    if (slots->first < -DAY) /* before any log, and small enough to be reckoned with */
        slots->first = -DAY;
    if (slots->last > 100000)
        slots->last = 100000;
}

static int read_days(struct store *store, const struct mention_want *wants, size_t n, struct slots *slots, struct error *err)
{
    const struct mention_listener listener = {take, slots};
    if (mentioned_find(store, wants, n, slots->first, slots->last, &listener, err) < 0)
        return -1;
    merge_days(slots);
    return 0;
}

int slots_read(struct store *store, const struct slice *keys, int count, int64_t since, int64_t until, struct slots *slots,
               struct error *err)
{
    struct mention_want wants[WANTS_A_KEY * SLOTS_KEYS];
    begin_slots(slots, since, until);
    if (find_strings(store, keys, count, slots, err) < 0)
        return -1;
    return read_days(store, wants, put_wants(slots, keys, count, store_hash_seed(store), wants), slots, err);
}

int slots_read_ids(struct store *store, const struct slice *ids, int count, int64_t since, int64_t until, struct slots *slots,
                   struct error *err)
{
    struct mention_want wants[SLOTS_KEYS];
    begin_slots(slots, since, until);
    for (int i = 0; i < count; i++)
        wants[i] = (struct mention_want){.is_id = true, .hash = batch_id_hash(ids[i], store_hash_seed(store))};
    return read_days(store, wants, (size_t)count, slots, err);
}

int slots_read_strings(struct store *store, const int64_t *strings, size_t count, int64_t since, int64_t until,
                       struct slots *slots, struct error *err)
{
    struct mention_want *wants = xcalloc(count + 1, sizeof *wants);
    begin_slots(slots, since, until);
    for (size_t i = 0; i < count; i++)
        wants[i] = (struct mention_want){.kind = MENTION_COLUMN, .string = strings[i]};
    int done = read_days(store, wants, count, slots, err);
    free(wants);
    return done;
}

void slots_free(struct slots *slots)
{
    free(slots->days);
    *slots = (struct slots){0};
}

/* ---- stretches --------------------------------------------------------------------------------- */

/* The day's place from which on slots may begin at or behind a time. */
static size_t first_day(const struct slots *slots, int64_t at)
{
    size_t low = 0, high = slots->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((slots->days[middle].day + 1) * DAY <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool slots_next(const struct slots *slots, enum slot_kind kind, int64_t *from, int64_t *to)
{
    int64_t behind = *to;
    bool begun = false;
    for (size_t d = first_day(slots, behind); d < slots->count; d++)
        for (int64_t slot = 0; slot < DAY_SLOTS; slot++) {
            int64_t at = slots->days[d].day * DAY + slot * SLOT_SECONDS;
            bool has = has_slot(slots->days[d].times[kind], slot);
            if (at < behind || (!has && !begun))
                continue;
            if (begun && (at != *to || !has))
                return true;
            if (!begun)
                *from = at;
            *to = at + SLOT_SECONDS;
            begun = true;
        }
    return begun;
}
