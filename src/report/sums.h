/* sums.h — a measure's sums over a span by its first key, in memory: what leagues and counts of names are made of. */
#ifndef MAILTRAIL_SUMS_H
#define MAILTRAIL_SUMS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../parsers/slice.h"
#include "../base/error.h"

/* bytes in octets; key is string.id, 0: none, or where the measure has hours or bins. */
struct sum {
    int64_t key, count, addresses, bytes;
};

/* By key, each once.  Owned; sums_free. */
struct sums {
    struct sum *rows;
    size_t count, capacity;
};

/* What is said of a measure's keys in view tally_names. */
struct sum_names {
    int64_t names, domains, edomains;
};

/* Sums the measure; spanned: over temp.report_span and temp.rollup_built, else over all there is.  A measure that is
   not there has no sums.  0, or -1 with *err (FAIL_DB); sums_free in either case. */
int sums_read(sqlite3 *db, struct slice measure, bool spanned, struct sums *sums, struct error *err);

/* Into *foremost: those that are among the first top by count or by bytes, ties included. */
void sums_foremost(const struct sums *sums, size_t top, struct sums *foremost);

/* Into *domains one row for each domain, under the least key of it, with the sums of all of it: those that are among
   the first top as above, and all keys without a domain; and into *names how many names and domains count anything.
   0, or -1 with *err (FAIL_DB). */
int sums_domains(sqlite3 *db, const struct sums *sums, size_t top, struct sums *domains, struct sum_names *names,
                 struct error *err);

void sums_free(struct sums *sums);

#endif
