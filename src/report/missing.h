/* missing.h — what prune took of the facts that a report counts, so that it says so itself. */
#ifndef MAILTRAIL_MISSING_H
#define MAILTRAIL_MISSING_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../parsers/slice.h"
#include "../base/error.h"

/* A server of which facts within the span are pruned.  Sums by whole days are left of them. */
struct missing_server {
    char *name;
    char *day;  /* the first that has its facts: "2026-11-23" */
    bool parts; /* the span begins or ends within a day before it; of that part there are no sums */
};

/* Owned; missing_free. */
struct missing {
    struct missing_server *servers; /* by name */
    size_t count, capacity;
    bool parts; /* of any */
};

/* since INT64_MIN, until INT64_MAX: no edge there; server NULL: all.  0, or -1 with *err (FAIL_DB); missing_free in
   either case. */
int missing_read(sqlite3 *db, int64_t since, int64_t until, const char *server, struct missing *missing,
                 struct error *err);
void missing_free(struct missing *missing);

/* What a statement reads: facts themselves, or what they were summed up to. */
enum { READS_FACTS = 1, READS_SUMS = 2 };

/* Until the next call, what statements prepared on db read is added to *reads; NULL: no longer. */
void missing_watch(sqlite3 *db, unsigned *reads);

/* A sentence for the head of the report, NULL if nothing is missing; the caller's to free. */
char *missing_in_all(const struct missing *missing);

/* The same for a table that reads this; details names what of it is counted from facts, absent: all of it. */
char *missing_in_table(const struct missing *missing, unsigned reads, struct slice details);

#endif
