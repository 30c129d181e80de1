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
    ENTRY_OTHERS,   /* row is the first of the attempts for count addresses that came to the same */
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
    bool folded;  /* another entry stands for it */
    bool beside;  /* of ENTRY_OTHERS: besides the recipient that was asked for */
};

struct timeline {
    struct entry *list;
    size_t count, room;
};

/* Of a root and all that came of it; timeline_free. */
void timeline_read(const struct part *root, struct timeline *timeline);

/* Makes one entry of the attempts of a part that came to the same, where they are many, or where a key names a recipient:
   this one stays, and stands before the others. */
void timeline_fold(struct timeline *timeline, const char *const *keys, int key_count);
void timeline_free(struct timeline *timeline);

#endif
