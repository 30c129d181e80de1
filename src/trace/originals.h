/* originals.h — the lines that stories were read from, as the archive keeps them. */
#ifndef MAILTRAIL_ORIGINALS_H
#define MAILTRAIL_ORIGINALS_H

#include "rows.h"

/* A line as it was read, without its LF. */
struct original {
    int64_t source, line; /* source.id, number of the line in it from 1 */
    int64_t at;           /* its instant */
    struct slice path;    /* of the source; both texts are the reader's */
    struct slice text;
};

struct originals {
    struct original *list; /* in order of time, then of source and line; each once */
    size_t count, room;
};

/* Seconds of a server, and what a line of one of them must have in it. */
enum { LOOK_TEXTS = 3 };
struct look {
    int64_t server;                  /* server.id */
    int64_t *seconds;                /* in order; a line may also be stamped one second beside them */
    size_t count;
    struct slice texts[LOOK_TEXTS];  /* all of them; absent ones are in every line, the first is not absent */
    struct originals *into;
};

/* Reads the lines of all looks; what was ingested without its lines has none.  0, or -1 with *err. */
int originals_read(struct reader *reader, struct look *looks, size_t count, struct error *err);

/* Adds the lines of others, each once, in order. */
void originals_add(struct originals *originals, const struct originals *others);

void originals_free(struct originals *originals);

#endif
