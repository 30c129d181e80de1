/* ingest.h — paths into the database. */
#ifndef MAILTRAIL_INGEST_H
#define MAILTRAIL_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "../store/store.h"
#include "config.h"

struct ingest_request {
    const char *const *paths; /* files, folders, "-" */
    size_t path_count;
    struct settings given;    /* from the command line: before what the configuration says */
    const struct config *config;
    bool twice;               /* a log that another server has counts for this one too */
    bool no_lines;            /* the lines of new sources are not archived */
    bool quiet;               /* no notes, no summary, no progress line */
};

struct ingest_outcome {
    int64_t sources, unchanged; /* read; looked at and found read already */
    int64_t empty;              /* new, and without a line as yet */
    int64_t failed;             /* paths that could not be taken, or only in part */
    int64_t lines, unparsed, rows, copies;
};

/* Reads every path into the store, taking up where it was left.  What is wrong with a path is told on standard
   error at once, and the rest goes on.  0: see *outcome; -1: the database failed, nothing after the last
   commit is kept, see *err. */
int ingest_run(struct store *store, const struct ingest_request *request, struct ingest_outcome *outcome,
               struct error *err);

/* Reads all archived lines with the parsers of today, and puts what they say in place of what they said: in one
   transaction, so that readers see the one or the other.  0; -1: nothing was changed, see *err. */
int ingest_again(struct store *store, bool quiet, struct ingest_outcome *outcome, struct error *err);

#endif
