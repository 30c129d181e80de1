/* timeline.h — what a story has to tell, in order of time; what repeats is one entry. */
#ifndef MAILTRAIL_TIMELINE_H
#define MAILTRAIL_TIMELINE_H

#include "story.h"

enum entry_kind {
    ENTRY_REFUSAL,  /* row of part->refusals */
    ENTRY_ARRIVAL,
    ENTRY_SCAN,
    ENTRY_DEFERRALS, /* row is the first of all deferrals of one delivery */
    ENTRY_ATTEMPT,
    ENTRY_EVENT,     /* row is the first of count with the same words */
    ENTRY_END,
    ENTRY_SESSION
};

struct entry {
    int64_t at;
    enum entry_kind kind;
    int depth; /* 0: the message itself, 1: its copies and bounces ... */
    const struct part *part;
    size_t row;
    size_t last;  /* row of the last that the entry stands for */
    int64_t count; /* how many it stands for; of deferrals, those that were attempts */
    size_t order; /* as it was added */
};

struct timeline {
    struct entry *list;
    size_t count, room;
};

/* Of a root and all that came of it; timeline_free. */
void timeline_read(const struct part *root, struct timeline *timeline);
void timeline_free(struct timeline *timeline);

#endif
