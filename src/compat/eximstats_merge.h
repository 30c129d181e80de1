/* eximstats_merge.h — earlier reports, text or HTML, added up into counters. */
#ifndef MAILTRAIL_EXIMSTATS_MERGE_H
#define MAILTRAIL_EXIMSTATS_MERGE_H

#include "eximstats_counts.h"

/* Reads every report of the options; only what they show can be counted. */
void eximstats_merge(struct eximstats_counts *counts, const struct eximstats_options *options);

#endif
