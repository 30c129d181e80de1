/* guard.h — a connection on which anybody's SQL may run: it reads, it ends, and it is told why it was stopped. */
#ifndef MAILTRAIL_GUARD_H
#define MAILTRAIL_GUARD_H

#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>

#include "../base/error.h"

enum guard_stop { GUARD_GOES_ON, GUARD_TIME_IS_UP, GUARD_INTERRUPTED };

struct guard {
    sqlite3 *db;
    int64_t limit_ms;     /* of work in guard_step; 0: none */
    int64_t worked_ms;    /* in the steps so far */
    int64_t began_ms;     /* when the step at hand began */
    enum guard_stop stop;
    char refused[160];    /* what a statement wanted that is not reading; "" : nothing */
    sigset_t old_mask;
};

/* Makes of db, for good, a connection that only reads: no writing, no ATTACH, no extension, no PRAGMA that changes
   something; texts up to 64 MiB; big sorts in temporary files without a name.  From here to guard_close a Ctrl-C
   stops guard_step instead of the program.  The guard must stay where it is.  0, or -1 with *err; guard_close in
   either case. */
int guard_open(struct guard *guard, sqlite3 *db, int64_t limit_ms, struct error *err);
void guard_close(struct guard *guard);

/* sqlite3_step, of which the time is counted.  SQLITE_INTERRUPT: guard->stop says why. */
int guard_step(struct guard *guard, sqlite3_stmt *stmt);

#endif
