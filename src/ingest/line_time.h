/* line_time.h — the instants of lines read again, one after the other, without what ingest knew. */
#ifndef MAILTRAIL_LINE_TIME_H
#define MAILTRAIL_LINE_TIME_H

#include "timebase.h"

struct line_time {
    struct timebase time;
    int64_t at; /* of the last line that had a stamp */
};

/* Begins with lines of which one is known to be at near: it tells the years of stamps without one.  The zone is the
   server's, borrowed. */
void line_time_begin(struct line_time *lt, const struct zone *zone, int64_t near);

/* The instant of the next line (its LF may be there); that of the line before if it has no stamp. */
int64_t line_time_next(struct line_time *lt, struct slice line);

#endif
