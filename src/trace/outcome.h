/* outcome.h — what became of each recipient of a message, and of all in one line. */
#ifndef MAILTRAIL_OUTCOME_H
#define MAILTRAIL_OUTCOME_H

#include <stdio.h>

#include "story.h"

enum outcome {
    OUTCOME_DELIVERED,
    OUTCOME_PARTLY,     /* the address stands for several, of which one failed or waits */
    OUTCOME_FAILED,
    OUTCOME_WAITING,
    OUTCOME_DISCARDED,
    OUTCOME_SUPPRESSED, /* *>: a delivery that was not made, of a test */
    OUTCOME_HANDED,     /* to a scanner, whose copy was not found */
    OUTCOME_UNSEEN,     /* put off, and then the message was gone */
    OUTCOME_REMOVED,    /* put off, and then the message was taken off the queue */
    OUTCOME_REFUSED     /* at the end of the data, when the message was received for others (PRDR) */
};
enum { OUTCOMES = OUTCOME_REFUSED + 1 };

/* A recipient as the sender gave it. */
struct recipient {
    struct slice address;
    enum outcome outcome;
    const char *why;       /* a name of meaning.h, of a failure or a deferral; NULL: none */
    bool after_retries;    /* it was given up: why is that of the last attempt made */
};

struct recipients {
    struct recipient *list; /* in the order of their first attempts, then those refused */
    size_t count, room;
};

/* Of one part; what was handed to a scanner is what its copies say.  recipients_free. */
void recipients_read(const struct part *part, struct recipients *recipients);
void recipients_free(struct recipients *recipients);

/* "delivered", "partly" ... as JSON has them. */
const char *outcome_name(enum outcome outcome);

/* "delivered to 2 of 3 recipients; 1 bounced: mailbox full", without a newline. */
void verdict_write(FILE *out, const struct part *part, const struct recipients *recipients);

/* Whether all went well: 1; it is not over: 0; something failed: -1. */
int verdict_mood(const struct part *part, const struct recipients *recipients);

#endif
