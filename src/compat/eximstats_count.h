/* eximstats_count.h — entries of a log into counters, by the rules of eximstats 4.96. */
#ifndef MAILTRAIL_EXIMSTATS_COUNT_H
#define MAILTRAIL_EXIMSTATS_COUNT_H

#include "../ingest/entry.h"
#include "../ingest/timebase.h"
#include "eximstats_counts.h"

struct counter;

/* Counts into *counts, which is borrowed, as are the options and the zone, in which stamps without one are read. */
struct counter *counter_new(struct eximstats_counts *counts, const struct eximstats_options *options,
                            const struct zone *zone);
void counter_free(struct counter **counter); /* accepts NULL, leaves NULL */

/* Begins a source: no stamp came before. */
void counter_begin(struct counter *counter, const struct timebase *time);

/* Takes an entry whose frame is whole. */
void counter_take(struct counter *counter, const struct entry *entry);

/* Begin and end of what was counted, sums. */
void counter_finish(struct counter *counter);

#endif
