/* exigrep_line.h — a line of Exim's main log as exigrep sees it: stamp, message id, text; read out of syslog too. */
#ifndef MAILTRAIL_EXIGREP_LINE_H
#define MAILTRAIL_EXIGREP_LINE_H

#include <stdint.h>

#include "../../parsers/slice.h"

struct exigrep_line {
    struct slice text;  /* from Exim's own stamp on, its LF included if it has one */
    struct slice stamp; /* date and time, with fraction and zone where printed */
    struct slice id;    /* message id; absent: the line belongs to no message */
    struct slice body;  /* what follows id or stamp, without LF */
};

/* A time as it was printed. */
struct exigrep_time {
    int64_t local_us; /* microseconds from 1970-01-01 00:00 of the clock that printed it */
    int zone_minutes; /* east of UTC, or EXIGREP_NO_ZONE */
};
#define EXIGREP_NO_ZONE INT32_MAX

/* Reads a line, its LF included if it has one.  A frame of syslog is left out, if Exim sent the line through it.
   false: no line of Exim's, or one without Exim's own stamp; *line is then not set. */
bool exigrep_line_read(struct slice whole, struct exigrep_line *line);

/* Whether the message ends with this line: it was completed, or refused as a whole.  Only the line's own first words
   say so, never what strangers wrote into it. */
bool exigrep_line_ends(const struct exigrep_line *line);

/* The message that this one, which arrives with this line, reports on (R= of a bounce); absent if none. */
struct slice exigrep_line_cause(const struct exigrep_line *line);

/* The time of a line's stamp. */
struct exigrep_time exigrep_time_of(const struct exigrep_line *line);

/* Microseconds between two times.  Times without a zone are the machine's: its change to summer time counts. */
int64_t exigrep_time_between(struct exigrep_time from, struct exigrep_time to);

#endif
