/* tell.h — stories written out, for people and for programs. */
#ifndef MAILTRAIL_TELL_H
#define MAILTRAIL_TELL_H

#include <stdio.h>

#include "story.h"

struct tell {
    FILE *out;
    const struct stories *stories;
    const struct rows *refusals; /* what never became a message: rows of trace/rejections.sql and the like */
    const struct rows *logins;   /* to mailboxes, of no story: rows of trace/sessions.sql */
    size_t refusals_found, logins_found; /* before the limit */
    const struct originals *refusal_lines; /* NULL: no original lines are told */
    const char *const *keys;
    int key_count;
    bool colour;
    int width; /* of the terminal; 0: lines are not broken */
};

void tell_text(const struct tell *tell);

/* One object; docs/trace.md has its members. */
void tell_json(const struct tell *tell);

#endif
