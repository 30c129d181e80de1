/* rollup_build.h — the sums counted anew from the facts, by schema/rollup.sql. */
#ifndef MAILTRAIL_ROLLUP_BUILD_H
#define MAILTRAIL_ROLLUP_BUILD_H

#include <sqlite3.h>
#include <stdint.h>

#include "../base/error.h"

/* Makes temp.rollup_built, with rollup's columns and key and nothing in it, if it is not there.  0, or -1. */
int rollup_build_table(sqlite3 *db, struct error *err);

/* The rows of every measure from facts of since <= at < until (INT64_MIN, INT64_MAX: no bound there) are added to
   temp.rollup_built, which is made if need be; server 0: all.  0, or -1. */
int rollup_build(sqlite3 *db, int64_t since, int64_t until, int64_t server, struct error *err);

/* The same from all facts, without the days whose facts are pruned.  0, or -1. */
int rollup_build_unpruned(sqlite3 *db, struct error *err);

/* Puts temp.rollup_built in the place of all sums that are stored but those of pruned days, and drops it.  0, or -1. */
int rollup_load(sqlite3 *db, struct error *err);

#endif
