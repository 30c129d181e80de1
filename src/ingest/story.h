/* story.h — events into rows: each kind of line owns its columns of its message, or makes a row of its own.
   Within the batch a message's lines meet here; over a batch's edge they meet in the database. */
#ifndef MAILTRAIL_STORY_H
#define MAILTRAIL_STORY_H

#include "../../parsers/dialect.h"
#include "batch.h"
#include "timebase.h"

/* Whose line it is, which one, and when. */
struct origin {
    int64_t server, source;  /* ids in the database */
    struct instant when;
    uint64_t mark;           /* with when.at, the event's identity */
    bool late;               /* stamped by syslog for a daemon that has a log of its own */
    uint32_t tally;          /* its kind of line in the batch */
};

/* Adds what an understood line says.  Kinds that say nothing worth a row (blank, foreign, continuation)
   are ignored. */
void story_add(struct batch *batch, const struct origin *origin, const struct frame *frame,
               const struct event *ev);

/* Keeps a line that nobody understood.  line: its number, from 1; size: its octets; text: what is kept. */
void story_unparsed(struct batch *batch, const struct origin *origin, int64_t line, const char *dialect,
                    int64_t fault_at, int64_t size, struct slice text);

#endif
