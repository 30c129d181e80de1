/* eximstats_read.h — the files of the command line, in the order of their time, into counters. */
#ifndef MAILTRAIL_EXIMSTATS_READ_H
#define MAILTRAIL_EXIMSTATS_READ_H

#include "eximstats_counts.h"

/* Reads every log of the options.  What is wrong with a file is told on standard error, and the rest goes on. */
void eximstats_read(struct eximstats_counts *counts, const struct eximstats_options *options);

/* Whether a file of the command line can be opened; complains as eximstats does if not. */
bool eximstats_can_read(const char *path);

#endif
