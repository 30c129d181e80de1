/* check.h — whether what the database says in several places is the same in all of them.

   kind        what must hold
   sqlite      SQLite's own integrity check; where it finds something, nothing else is looked at
   references  every number of a source, server, message, client, route, cause, string or bucket leads to a row
   accounting  a source's lines are the sum of its lines by kind; no kind has more copies than lines
   rows        rows that a source brought of a kind = its lines of that kind - copies, see below
   identity    no two rows of one event, one message, one source's beginning
   sums        the sums stored are those that schema/rollup.sql makes of the facts
   derived     what messages and deliveries hold of other rows: times, states, flags, orphans, copies of a scanner
   hashes      string_hash is sorted, and finds each string, client, route and cause, and nothing else
   mentions    what a row has in its columns, client and route is mentioned in its hour, and its domain is; of a database of
               over 200000 lines the rows of seconds picked evenly are looked at.  Each Message-ID and Exim id is found where
               id_mention is to have it (check_ids.h)
   lines       archived blocks are as they were packed, follow without a hole, and are as many lines and octets as were
               read of their source

   Rows and lines differ rightly, so that only bounds can be held, where
   - the source told "last message repeated N times": up to 100000 rows for a line, and copies beyond lines;
   - Exim's syslog had late stamps (late.h): rows taken back are gone, their lines stay counted; only the upper bound;
   - something was forgotten: a source read again finds its own rows, and counts them as copies.  So a source's rows
     may be as many as its lines where it has copies, and more until it is read again;
   - a message arrived twice under one id: the last arrival counts.  Where no message of the server is marked so, the
     equality must hold;
   - something was pruned: rows of before server.pruned_before are gone, and sums and what messages say of other rows are
     held from there on; lines that source.pruned_lines counts are gone;
   - a message was completed twice, or a continuation held no header: only the upper bound. */
#ifndef MAILTRAIL_CHECK_H
#define MAILTRAIL_CHECK_H

#include "store.h"

/* Told of each kind: its faults one by one, a sentence each, at most CHECK_FAULTS_TOLD; then once with NULL, and how
   many there were. */
#define CHECK_FAULTS_TOLD 20
struct check_listener {
    void (*tell)(void *context, const char *kind, const char *fault, int64_t faults);
    void *context;
};

/* Checks the database in one read transaction.  *faults: how many in all.  0; -1: it could not be read. */
int check_run(struct store *store, const struct check_listener *listener, int64_t *faults, struct error *err);

#endif
