/* eximstats_counts.c — memory of the counters. */
#include "eximstats_counts.h"

#include <stdlib.h>
#include <string.h>

const char *const other_names[OTHER_KINDS] = {"Rejects", "Temp Rejects", "Ham", "Spam"};

static struct histogram histogram_new(const struct eximstats_options *options)
{
    size_t count = (size_t)options->per_hour * 24;
    return (struct histogram){count ? xcalloc(count, sizeof(uint64_t)) : NULL, count};
}

static struct time_table time_table_new(const struct time_bounds *bounds)
{
    return (struct time_table){.bounds = bounds, .counts = xcalloc(bounds->count, sizeof(uint64_t))};
}

void counts_init(struct eximstats_counts *counts, const struct eximstats_options *options)
{
    *counts = (struct eximstats_counts){.begin = NO_BEGIN, .end = NO_END};
    counts->received_at = histogram_new(options);
    counts->delivered_at = histogram_new(options);
    for (int i = 0; i < 2; i++) {
        counts->queued[i] = time_table_new(&options->queue);
        counts->delivery[i] = time_table_new(&options->delivery);
    }
    counts->pattern_count = options->pattern_count;
    counts->patterns = xcalloc(options->pattern_count, sizeof *counts->patterns);
    for (size_t i = 0; i < options->pattern_count; i++)
        counts->patterns[i].histogram = histogram_new(options);
    counts_receipts(counts, options, SLICE_LIT("all"));
}

static void free_tables(struct eximstats_counts *c)
{
    struct tallies *const single[] = {&c->local_senders, &c->local_destinations, &c->local_domains, &c->transports,
                                      &c->relayed, &c->failures, &c->reasons, &c->temporary_reasons};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        tallies_free(single[i]);
    for (size_t i = 0; i < BY_KINDS; i++) {
        tallies_free(&c->senders[i]);
        tallies_free(&c->destinations[i]);
    }
    for (size_t i = 0; i < OTHER_KINDS; i++)
        tallies_free(&c->ips[i]);
}

void counts_free(struct eximstats_counts *counts)
{
    free(counts->received_at.slots);
    free(counts->delivered_at.slots);
    for (int i = 0; i < 2; i++) {
        free(counts->queued[i].counts);
        free(counts->delivery[i].counts);
    }
    for (size_t i = 0; i < counts->pattern_count; i++)
        free(counts->patterns[i].histogram.slots);
    free(counts->patterns);
    for (size_t i = 0; i < counts->receipt_count; i++)
        free(counts->receipts[i].times.counts);
    free(counts->receipts);
    free_tables(counts);
    arena_free(&counts->keys);
}

struct tally *counts_at(struct eximstats_counts *counts, struct tallies *table, struct slice key)
{
    return tallies_at(table, &counts->keys, key);
}

void counts_add(struct eximstats_counts *counts, struct tallies *table, struct slice key, uint64_t bytes)
{
    struct tally *tally = counts_at(counts, table, key);
    tally->messages++;
    tally->bytes = tally_sum(tally->bytes, bytes);
}

void time_table_add(struct time_table *table, int64_t ms, uint64_t n)
{
    for (size_t i = 0; i < table->bounds->count; i++)
        if (table->bounds->seconds[i] > INT64_MAX / 1000 || ms < table->bounds->seconds[i] * 1000) {
            table->counts[i] += n;
            return;
        }
    table->over += n;
}

struct time_table *counts_receipts(struct eximstats_counts *counts, const struct eximstats_options *options,
                                   struct slice protocol)
{
    for (size_t i = 0; i < counts->receipt_count; i++)
        if (slice_equal(counts->receipts[i].protocol, protocol))
            return &counts->receipts[i].times;
    counts->receipts = grow(counts->receipts, &counts->receipt_capacity, counts->receipt_count + 1,
                            sizeof *counts->receipts);
    struct receipt_table *made = &counts->receipts[counts->receipt_count++];
    *made = (struct receipt_table){arena_copy(&counts->keys, protocol), time_table_new(&options->receipt)};
    return &made->times;
}

void counts_sum_up(struct eximstats_counts *counts)
{
    for (size_t i = 0; i < BY_KINDS; i++) {
        counts->received.distinct[i] = tallies_used(&counts->senders[i]);
        counts->delivered.distinct[i] = tallies_used(&counts->destinations[i]);
    }
    for (size_t i = 0; i < OTHER_KINDS; i++)
        counts->others[i] = (struct other_total){tallies_messages(&counts->ips[i]), counts->ips[i].count};
}
