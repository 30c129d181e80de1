/* backlog.h — lines kept until it is known whether they are wanted.  The newest are in a ring in memory, in the order
   they came; those that outlive it, because their message stays open for long, go to an unnamed temporary file. */
#ifndef MAILTRAIL_BACKLOG_H
#define MAILTRAIL_BACKLOG_H

#include <stdint.h>
#include <stdio.h>

#include "../../parsers/slice.h"
#include "../base/error.h"

struct backlog;

/* The lines of one message, in order.  All zero: none yet.  It must stay where it is in memory while it holds lines. */
struct held {
    uint64_t first, last; /* places in the ring; 0: nothing there */
    int64_t spilled;      /* the newest of those in the file: its place there, counted from 1; 0: none */
};

/* ring_size: octets of the ring, which must hold the longest line several times over. */
struct backlog *backlog_new(size_t ring_size);
void backlog_free(struct backlog **backlog); /* accepts NULL, leaves NULL; held lines are forgotten */

/* Adds a line.  -1: *err (FAIL_OS): the temporary file could not be written. */
int backlog_add(struct backlog *backlog, struct held *held, struct slice line, struct error *err);

/* Writes the lines of a message one after the other.  -1: *err (FAIL_OS): the temporary file could not be read. */
int backlog_write(struct backlog *backlog, const struct held *held, FILE *out, struct error *err);

/* Forgets the lines of a message. */
void backlog_drop(struct backlog *backlog, struct held *held);

#endif
