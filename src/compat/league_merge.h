/* league_merge.h — the league tables of earlier reports.  Each comes twice, by count and by volume; a row is added once.
   Rows of equal printed volume get a few octets on top, so that they keep their order. */
#ifndef MAILTRAIL_LEAGUE_MERGE_H
#define MAILTRAIL_LEAGUE_MERGE_H

#include "eximstats_counts.h"

struct league_merge;

struct league_merge *league_merge_new(struct eximstats_counts *counts); /* counts are borrowed */
void league_merge_free(struct league_merge **merge);                    /* accepts NULL, leaves NULL */

/* A title such as "Top 50 sending hosts by message count". */
void league_merge_begin(struct league_merge *merge, struct slice title);
/* The heads of the columns. */
void league_merge_columns(struct league_merge *merge, struct slice heads);
/* A row; false: this is none, the table has ended. */
bool league_merge_row(struct league_merge *merge, struct slice row);
/* Behind the last row. */
void league_merge_end(struct league_merge *merge);

#endif
