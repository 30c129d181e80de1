/* span.h — the time and the servers a report is about: the view `tally` narrowed to them. */
#ifndef MAILTRAIL_SPAN_H
#define MAILTRAIL_SPAN_H

#include <sqlite3.h>
#include <stdint.h>

#include "../base/error.h"

/* What the head of a report says.  Owned texts; span_head_free. */
struct span_head {
    char *begin;   /* local time of the first second, or NULL: nothing was read */
    char *end;     /* of the last */
    char *servers; /* "mx1 (Europe/Berlin), mx2 (UTC)" */
    int n_servers;
};

/* Puts a temporary view `tally` before the one of the database: full local days from rollup, the parts
   of days at either edge counted from the facts.  since INT64_MIN and until INT64_MAX: no edge there;
   server NULL: all.  With all three so the database's own view stays.  0, or -1 with *err. */
int span_open(sqlite3 *db, int64_t since, int64_t until, const char *server, struct error *err);

/* Takes it away again; silent when there is none. */
void span_close(sqlite3 *db);

/* Runs schema/rollup.sql: the rows of every measure from facts of since <= at < until (bounds as
   above; server 0: all) go into temp.rollup_built, which is made if it is not there.  0, or -1. */
int span_build(sqlite3 *db, int64_t since, int64_t until, int64_t server, struct error *err);

int span_head_read(sqlite3 *db, int64_t since, int64_t until, const char *server,
                   struct span_head *head, struct error *err);
void span_head_free(struct span_head *head);

#endif
