/* attempt.h — one attempt to deliver, in the light of what else was logged of its message. */
#ifndef MAILTRAIL_ATTEMPT_H
#define MAILTRAIL_ATTEMPT_H

#include "meaning.h"
#include "story.h"

/* Without regard to case; an absent one is an empty one. */
bool same_address(struct slice a, struct slice b);
/* Whether a row of trace/attempts.sql is of that kind: "delivered", "failed" ... */
bool attempt_is(const struct rows *attempts, size_t row, const char *kind);
/* Whether two rows are of the same original and final address. */
bool same_delivery(const struct rows *attempts, size_t a, size_t b);
/* Whether a row is a deferral that was no attempt: the retry time was not reached. */
bool is_passed_over(const struct rows *attempts, size_t row);
/* The last attempt that was made before a row, for the same original; -1: none. */
ptrdiff_t last_attempt(const struct rows *attempts, size_t row);

/* Whether what reports on a message is an automatic answer to it: Exim's autoreply transport logs a delivery to ">address" as it
   sends one. */
bool is_answer(const struct part *part);

/* The host of an attempt. */
struct far_host {
    struct slice host, ip; /* absent: not told, or not of one host alone */
    bool beside;           /* the attempt's own line has none: a host error of the message just before names it */
};

struct far_host far_host_of(const struct part *part, size_t row);

/* What a failure or a deferral means; where it was given up, what the last attempt made means. */
struct meaning meaning_of_attempt(const struct part *part, size_t row);
/* The same of a row of trace/refusals.sql or trace/rejections.sql. */
struct meaning meaning_of_refusal(const struct rows *refusals, size_t row);

#endif
