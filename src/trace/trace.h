/* trace.h — what became of the messages that keys touch. */
#ifndef MAILTRAIL_TRACE_H
#define MAILTRAIL_TRACE_H

#include <stdio.h>

#include "find.h"

enum trace_format { TRACE_TEXT, TRACE_JSON };

struct trace_request {
    struct find_request find;
    size_t limit; /* stories, and refusals; the latest are told */
    enum trace_format format;
    bool lines; /* the original lines beside the stories */
    bool colour;
    int width; /* of the terminal; 0: do not break lines */
};

/* Writes the stories to out; flushing is the caller's.  *found: how many there were, refusals with them.  0, or -1 with
   *err (FAIL_USAGE, FAIL_DB). */
int trace_run(struct store *store, const struct trace_request *request, FILE *out, size_t *found, struct error *err);

#endif
