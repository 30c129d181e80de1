/* lines.h — a source cut into lines, read ahead by a thread of its own so that reading and inflating
   overlap with parsing. */
#ifndef MAILTRAIL_LINES_H
#define MAILTRAIL_LINES_H

#include "source.h"
#include "../../parsers/slice.h"

#define LINE_KEPT 65536 /* octets of a line that are looked at; what is longer is counted, not kept */
#define TAIL_SIZE 4096  /* octets before a position that are hashed to know the place again */

struct lines;

struct line {
    struct slice text; /* LF removed, all else as it stands: may hold NULs; at most LINE_KEPT octets.  Unless it was
                          cut, or is open, its LF stands behind it and may be read */
    int64_t offset;    /* of its first octet in the source, >= 0 */
    int64_t end;       /* offset behind its LF */
    int64_t size;      /* octets of the whole line without LF; more than text.n when it was cut */
    bool open;         /* the source ended without an LF */
};

/* Lines from the place where the source stands, which is at offset from; before: up to TAIL_SIZE octets that
   stand in front of it, for lines_tail, or absent.  Borrows the source until lines_free; no one else may touch
   it in between, source_progress excepted. */
struct lines *lines_over(struct source *source, int64_t from, struct slice before);

/* Gives the source's octets to a sink as well, in order, from where it stands now: those before the next line at
   the latest when lines_flush is called, those of a long line while it is read.  Called in lines_next and
   lines_flush. */
typedef void line_sink(void *context, struct slice octets);
void lines_copy(struct lines *in, line_sink *sink, void *context);
void lines_flush(struct lines *in);

/* The next line.  text points into the reader's buffers and is valid until the next call.  1: a line;
   0: the end; -1: *err, after which only lines_free is allowed. */
int lines_next(struct lines *in, struct line *line, struct error *err);

/* Up to TAIL_SIZE octets that stand before the end of the line last returned, or before the unread rest when
   lines_next told the end or an error; valid until the next call of lines_next. */
struct slice lines_tail(const struct lines *in);

void lines_free(struct lines **in); /* accepts NULL, leaves NULL; stops the thread */

#endif
