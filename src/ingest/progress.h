/* progress.h — one line on standard error while it is a terminal: how far, how fast, how long still. */
#ifndef MAILTRAIL_PROGRESS_H
#define MAILTRAIL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;              /* standard error is a terminal, and nobody asked for quiet */
    int64_t total;           /* stored octets of all that is to be read; 0: not known */
    int64_t done;            /* of the sources finished */
    int64_t lines;           /* of the sources finished */
    double started, printed; /* monotonic seconds */
};

void progress_start(struct progress *progress, bool quiet, int64_t total);
/* octets: stored octets read of the current source; lines: of it. */
void progress_show(struct progress *progress, int64_t octets, int64_t lines);
/* The current source is done with. */
void progress_next(struct progress *progress, int64_t octets, int64_t lines);
/* Clears the line, so that a message or the summary can stand there. */
void progress_clear(const struct progress *progress);

#endif
