/* span.h — the time and the servers a report is about: the view `tally` narrowed to them. */
#ifndef MAILTRAIL_SPAN_H
#define MAILTRAIL_SPAN_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../parsers/slice.h"
#include "../base/error.h"
#include "sums.h"

/* What the head of a report says.  Owned texts; span_head_free. */
struct span_head {
    char *begin;   /* local time of the first second, or NULL: nothing was read */
    char *end;     /* of the last */
    char *servers; /* "mx1 (Europe/Berlin), mx2 (UTC)" */
    int n_servers;
};

enum { SPAN_SUMS = 32, SPAN_ONCE = 8 };

/* Which keys a view of sums holds. */
enum span_keys {
    SPAN_ALL,
    SPAN_FOREMOST, /* those that can be among the first `top` by count or by bytes; ties are all there */
    SPAN_DOMAINS   /* one for each domain, with the sums of all of the domain: the foremost, and all without one */
};

/* A measure's sums over the span, and what was made of them. */
struct span_sums {
    struct sums all, domains;
    struct sum_names counts;
    bool counted; /* domains and counts are there */
    bool made[SPAN_DOMAINS + 1]; /* by enum span_keys: whether there is a table, temp.report_sum_1 for sums[0] */
};

/* What stands before the database's own view `tally`. */
struct span {
    sqlite3 *db;
    char *view;   /* CREATE VIEW of the span asked for; NULL: all there is, no view needed */
    bool summed;  /* the view now in place is that of the sums */
    bool started; /* the transaction is ours */
    struct slice names[SPAN_SUMS]; /* measures summed so far */
    struct span_sums sums[SPAN_SUMS];
    int n_sums;
    struct slice once[SPAN_ONCE]; /* views read into temporary tables so far */
    int n_once;
    int64_t since, until;
    const char *server;
};

/* Begins a read transaction and puts a temporary view `tally` in place: full local days from rollup, the
   parts of days at either edge counted from the facts.  since INT64_MIN and until INT64_MAX: no edge
   there; server NULL: all, else it must outlive the span.  0, or -1 with *err; span_close in either case. */
int span_open(struct span *span, sqlite3 *db, int64_t since, int64_t until, const char *server,
              struct error *err);

/* With a list of measures ("received_host, received_email", which must outlive the span): `tally` now
   holds their sums over the span by key1 alone (slot and the other keys 0; at, time and server NULL),
   worked out once however many reports ask.  With an empty list: `tally` by days again.
   keys says which are there; top goes with SPAN_FOREMOST and must be the same in all calls.
   0, or -1 with *err. */
int span_sum(struct span *span, struct slice measures, enum span_keys keys, int top,
             struct error *err);

/* With a list of measures: table `tally_names` has how many keys each of them has over the span; of counts without their
   domains, which takes reading the strings.  With empty lists: the database's own view again.  top as above.  0, or -1 with
   *err. */
int span_names(struct span *span, struct slice measures, struct slice counts, int top, struct error *err);

/* With a list of views ("scans"; must outlive the span): each is read once, as far as the span and the
   server go, into a temporary table of its name, for all reports that ask.  0, or -1 with *err. */
int span_once(struct span *span, struct slice views, struct error *err);

/* Takes all of it away again. */
void span_close(struct span *span);

int span_head_read(sqlite3 *db, int64_t since, int64_t until, const char *server,
                   struct span_head *head, struct error *err);
void span_head_free(struct span_head *head);

#endif
