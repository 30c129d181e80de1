/* query.h — one question of anybody's, read-only, written out as it is answered. */
#ifndef MAILTRAIL_QUERY_H
#define MAILTRAIL_QUERY_H

#include "grid.h"
#include "../base/error.h"

struct query {
    const char *text;              /* one SELECT, VALUES, EXPLAIN or reading PRAGMA */
    const char *const *parameters; /* "name=value", NULL-terminated; NULL: none.  What looks like a number is one */
    int64_t since, until;          /* :since and :until, where the query has them; INT64_MIN and INT64_MAX: NULL */
    int64_t limit_ms;              /* time SQLite may work on it; 0: no limit */
    enum grid_format format;
};

/* Runs a query and writes its rows to out; flushing out is the caller's.  db is a reading connection ever after.
   *fault_at: the octet of query->text that is to blame, -1 where none is.  0; -1: *err (FAIL_USAGE: the query or a
   parameter is wrong; FAIL_DB: it was refused, stopped, or the database failed). */
int query_run(sqlite3 *db, const struct query *query, FILE *out, int64_t *fault_at, struct error *err);

/* The line that an octet of text stands in, and below it a mark under the octet. */
void query_show_place(FILE *out, const char *text, int64_t at);

#endif
