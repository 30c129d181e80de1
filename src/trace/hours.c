/* hours.c — keys to strings by their hashes, strings to hours. */
#include "hours.h"

#include <stdlib.h>

#include "../../parsers/ascii.h"
#include "../base/hash.h"
#include "../base/memory.h"
#include "../store/hashes.h"
#include "../store/mentioned.h"

#define DAY 86400
#define HOUR 3600
#define HOURS_A_DAY 24
#define WANTS_A_KEY 8 /* as given and in small letters in three ways each, through others, as an id */

bool hours_can_tell(struct slice key)
{
    return batch_is_folded(key);
}

static int find_strings(struct store *store, const struct slice *keys, int count, struct hours *hours, struct error *err)
{
    struct hash_want wants[2 * HOURS_KEYS];
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
        *(wants[i].number % 2 ? &hours->small[wants[i].number / 2] : &hours->as_given[wants[i].number / 2]) = wants[i].id;
    hashes_free(&hashes);
    return done;
}

static void take(void *context, const struct mention_want *want, int64_t day, uint32_t bits)
{
    struct hours *hours = context;
    hours->days = grow(hours->days, &hours->room, hours->count + 1, sizeof *hours->days);
    struct hours_day *of = &hours->days[hours->count++];
    *of = (struct hours_day){.day = day};
    of->hours[want->is_id ? HOUR_ID : (enum hour_kind)want->kind] = bits;
}

static int compare_days(const void *a, const void *b)
{
    int64_t x = ((const struct hours_day *)a)->day, y = ((const struct hours_day *)b)->day;
    return x < y ? -1 : x > y;
}

static void merge_days(struct hours *hours)
{
    size_t kept = 0;
    if (hours->count)
        qsort(hours->days, hours->count, sizeof *hours->days, compare_days);
    for (size_t i = 0; i < hours->count; i++) {
        const struct hours_day day = hours->days[i];
        if (kept == 0 || hours->days[kept - 1].day != day.day)
            hours->days[kept++] = (struct hours_day){.day = day.day};
        for (int k = 0; k < HOUR_KINDS; k++)
            hours->days[kept - 1].hours[k] |= day.hours[k];
    }
    hours->count = kept;
    for (size_t i = 0; i < kept; i++) {
        const uint32_t *of = hours->days[i].hours;
        hours->any += (size_t)__builtin_popcount(of[HOUR_COLUMN] | of[HOUR_CLIENT] | of[HOUR_ROUTE] | of[HOUR_KIN] |
                                                 of[HOUR_ID]);
        hours->kin += (size_t)__builtin_popcount(of[HOUR_KIN]);
    }
}

/* A string in the three ways in which rows have it. */
static size_t put_string(struct mention_want *wants, size_t n, int64_t string)
{
    for (int kind = MENTION_COLUMN; string && kind < MENTION_KIN; kind++)
        wants[n++] = (struct mention_want){.kind = (enum mention_kind)kind, .string = string};
    return n;
}

static size_t put_wants(const struct hours *hours, const struct slice *keys, int count, uint64_t seed,
                        struct mention_want *wants)
{
    size_t n = 0;
    for (int i = 0; i < count; i++) {
        n = put_string(wants, n, hours->as_given[i]);
        if (hours->small[i] != hours->as_given[i])
            n = put_string(wants, n, hours->small[i]);
        if (hours->small[i])
            wants[n++] = (struct mention_want){.kind = MENTION_KIN, .string = hours->small[i]};
        wants[n++] = (struct mention_want){.is_id = true, .hash = batch_id_hash(keys[i], seed)};
    }
    return n;
}

int hours_read(struct store *store, const struct slice *keys, int count, int64_t since, int64_t until, struct hours *hours,
               struct error *err)
{
    struct mention_want wants[WANTS_A_KEY * HOURS_KEYS];
    struct mention_listener listener = {take, hours};
    *hours = (struct hours){.first = floor_div(since, DAY), .last = floor_div(until, DAY)};
    if (hours->first < -DAY) /* before any log, and small enough to be reckoned with */
        hours->first = -DAY;
    if (hours->last > 100000)
        hours->last = 100000;
    if (find_strings(store, keys, count, hours, err) < 0)
        return -1;
    size_t n = put_wants(hours, keys, count, store_hash_seed(store), wants);
    if (mentioned_find(store, wants, n, hours->first, hours->last, &listener, err) < 0)
        return -1;
    merge_days(hours);
    return 0;
}

void hours_free(struct hours *hours)
{
    free(hours->days);
    *hours = (struct hours){0};
}

/* ---- stretches --------------------------------------------------------------------------------- */

/* The day's place from which on hours may begin at or behind a time. */
static size_t first_day(const struct hours *hours, int64_t at)
{
    size_t low = 0, high = hours->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((hours->days[middle].day + 1) * DAY <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool hours_next(const struct hours *hours, enum hour_kind kind, int64_t *from, int64_t *to)
{
    int64_t behind = *to;
    bool begun = false;
    for (size_t d = first_day(hours, behind); d < hours->count; d++)
        for (int h = 0; h < HOURS_A_DAY; h++) {
            int64_t at = hours->days[d].day * DAY + h * HOUR;
            bool has = hours->days[d].hours[kind] >> h & 1;
            if (at < behind || (!has && !begun))
                continue;
            if (begun && (at != *to || !has))
                return true;
            if (!begun)
                *from = at;
            *to = at + HOUR;
            begun = true;
        }
    return begun;
}
