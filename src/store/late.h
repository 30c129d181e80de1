/* late.h — rows whose stamp is syslog's and not the daemon's own: it may be a second behind.  The same line from
   the daemon's own log is the same event, whichever came first, and its stamp is the one that stays. */
#ifndef MAILTRAIL_LATE_H
#define MAILTRAIL_LATE_H

#include "messages.h"

struct late;

int late_new(struct store *store, struct late **late, struct error *err);
void late_free(struct late **late);

/* Notes that late rows are stored from now on. */
int late_note(struct late *late, struct error *err);

/* Whether a late row is stored at a mark and second.  1, 0, -1. */
int late_is(struct late *late, enum event_table table, int64_t at, int64_t mark, struct error *err);

/* Makes a late row the daemon's own, who told it with the same stamp.  1: it was late; 0: none was; -1. */
int late_settle(struct late *late, enum event_table table, int64_t at, int64_t mark, struct error *err);

/* Takes the late row of a mark at a second back, sums included, if there is one.  1: it is gone; 0: there is
   none; -1. */
int late_withdraw(struct late *late, enum event_table table, int64_t at, int64_t mark,
                  struct messages *messages, const struct server *server, struct rollup *rollup,
                  struct error *err);

#endif
