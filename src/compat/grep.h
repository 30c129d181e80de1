/* grep.h — archived lines searched, and printed message by message as exigrep does. */
#ifndef MAILTRAIL_GREP_H
#define MAILTRAIL_GREP_H

#include <stdbool.h>
#include <stdint.h>

#include "../store/store.h"

struct grep_options {
    const char *pattern;
    bool ignore_case, literal, invert;
    int64_t queue_time;   /* seconds; -1: not given */
    int64_t since, until; /* INT64_MIN, INT64_MAX: not given.  Lines in between are searched; messages are printed whole */
};

/* Searches the lines of a server and prints to standard output: the messages of which a line matches, in the order in
   which their first lines are met, source after source, and matching lines of no message as they are met.  0; -1: *err (FAIL_USAGE: the pattern; FAIL_DATA: it takes too
   long on a line; FAIL_DB). */
int grep_server(struct store *store, int64_t server, const struct grep_options *options, struct error *err);

#endif
