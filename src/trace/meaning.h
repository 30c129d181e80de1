/* meaning.h — what a refusal means in plain words, and whose it is to mend. */
#ifndef MAILTRAIL_MEANING_H
#define MAILTRAIL_MEANING_H

#include "../../parsers/slice.h"

enum direction {
    MEANING_OUT,  /* a far server answered us */
    MEANING_HERE, /* our own server could not deliver */
    MEANING_IN    /* we refused a client */
};

struct meaning {
    const char *name;  /* for a verdict: "mailbox full" */
    const char *words; /* a sentence's worth */
    const char *side;  /* "sender", "recipient", "ours", "nobody", "unclear" */
    bool after_retries; /* it was given up: what it says is of the last attempt that was made */
    int code;          /* 550; 0: none was given */
    char enhanced[12]; /* "5.1.1"; "": none was given */
};

/* What a class of reasons (reason_class of the views; may be absent) and the words with it mean.  The codes are those
   that the words begin with, or that stand behind a colon in them. */
struct meaning meaning_of(struct slice reason_class, struct slice words, enum direction direction);

#endif
