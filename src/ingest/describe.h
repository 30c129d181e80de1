/* describe.h — what a line says, in words: one line for the fixtures, many for `mailtrail explain`.
   Reads nothing but the line and writes nothing but the stream. */
#ifndef MAILTRAIL_DESCRIBE_H
#define MAILTRAIL_DESCRIBE_H

#include <stdio.h>
#include "entry.h"

/* A line as the parsers see it.  All slices point into the line or to literals. */
struct described {
    struct frame frame;
    const struct dialect *dialect; /* NULL: foreign, or no frame at all */
    enum verdict verdict;
    struct event event;            /* kind EV_FOREIGN or EV_CONTINUATION where dialect is NULL */
};

/* Runs frame and dialect over a line (LF and CR removed).  Sets all of *out. */
void describe_read(struct slice line, struct described *out);

/* The same for what the line is among others: the last part of an entry tells what the whole entry says, and a line
   that belongs to an entry before it is EV_CONTINUATION. */
void describe_entry(const struct entry *entry, struct described *out);

/* One line, LF included, of printable ASCII:
     KIND [fault_at=N] [at=STAMP] [frame_tag=] [frame_pid=] [frame_host=] [frame_part=] [kind=]
     [flags=a,b] then the set fields in the order of EVENT_FIELDS as name=value.
   KIND is the event's name in capitals, or UNKNOWN, or DAMAGED; STAMP is YYYY-MM-DDThh:mm:ss
   [.ffffff][+hhmm], with "--" for a year not printed.  A value stands bare if it is of bytes 0x21-0x7e
   without " and \, else in double quotes with \", \\ and \xHH. */
void describe_line(FILE *out, const struct described *what);

/* For people: the line with what a terminal would obey escaped, then a fact a line with what it means. */
void describe_explain(FILE *out, struct slice line, const struct described *what);

#endif
