/* timebase.h — stamps as printed into instants: zone, fold of the clock, years that were not printed. */
#ifndef MAILTRAIL_TIMEBASE_H
#define MAILTRAIL_TIMEBASE_H

#include "../../parsers/dialect.h"
#include "source.h"
#include "zone.h"

#define YEAR_UNKNOWN 0
#define SILENCE_REPORTED (183 * 86400) /* a gap between stamps without years that must not be guessed over */
#define UNPROVED_REPORTED (60 * 86400) /* a file changed so long after its last stamp does not tell the year by its time */

enum years_from { YEARS_PRINTED, YEARS_INFERRED, YEARS_GIVEN };

struct instant {
    int64_t at;       /* Unix seconds, UTC */
    int16_t ms;       /* 0-999; -1: no fraction printed */
    bool guessed;     /* in a fold, and nothing told which pass: the first was taken */
    int32_t offset;   /* seconds east of UTC at that instant, in the server's zone */
};

/* State of one source; plain data, carried over from run to run. */
struct timebase {
    const struct zone *zone;  /* borrowed: the server's */
    int64_t last_local;       /* local seconds of the stamp before, if has_last */
    bool has_last;
    bool in_second_pass;      /* of the fold that the last stamp was in */
    int32_t year;             /* of the next stamp without one, as far as known; YEAR_UNKNOWN */
    enum years_from years;
    int64_t silence;          /* longest step forward between stamps without years, seconds */
    int64_t silence_at;       /* local seconds where it began */
    int64_t unproved;         /* seconds from the last stamp to the file's time, which alone told the year; 0: it did not */
    struct stamp stamp;       /* the stamp before, and its instant: equal ones follow it */
    struct instant instant;
    bool plain;               /* that instant follows from the stamp alone, in no fold */
};

void timebase_start(struct timebase *tb, const struct zone *zone);

/* The instant of a stamp.  id_second: the second that the line's message id holds, or INT64_MIN; in a fold
   of the clock it tells the passes apart. */
struct instant timebase_resolve(struct timebase *tb, const struct stamp *stamp, int64_t id_second);

/* Whether this stamp needs a year that is not known yet: timebase_find_year must come first. */
bool timebase_needs_year(const struct timebase *tb, const struct stamp *stamp);

/* Finds the year of the first stamp without one at or behind an offset, by a pass over the rest of the source: the
   message ids beside stamps tell it, else a full stamp behind them, else log_time, which the last stamp is no later
   than; from there to the first stamp the years follow from the steps between.  Leaves the source at another place.
   0; -1: *err. */
int timebase_find_year(struct timebase *tb, struct source *source, int64_t offset, struct error *err);

/* Takes the year of the first stamp without one as given. */
void timebase_give_year(struct timebase *tb, int32_t year);

#endif
