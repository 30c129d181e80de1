/* meaning.h — what a refusal means in plain words, and whose it is to mend. */
#ifndef MAILTRAIL_MEANING_H
#define MAILTRAIL_MEANING_H

#include "../../parsers/slice.h"

enum direction {
    MEANING_OUT,    /* a far server answered us, or was not reached */
    MEANING_HERE,   /* our own server could not deliver */
    MEANING_EITHER, /* one of the two: the log does not tell which */
    MEANING_IN      /* we refused a client */
};

/* A failure, a deferral or a refusal, as it was logged. */
struct refused {
    struct slice reason_class; /* as the views have it; may be absent */
    struct slice words;        /* may be absent */
    enum direction direction;
    bool temporary;            /* put off; what words with a 4xx say is so in any case */
    bool local_domain;         /* the address' domain is known to be one of ours */
    bool smarthost;            /* it was to go to a smarthost, as the router or the transport is named */
};

struct meaning {
    const char *name;  /* for a verdict: "mailbox full" */
    const char *words; /* a sentence's worth */
    const char *side;  /* "sender", "recipient", "ours", "nobody", "unclear" */
    bool after_retries; /* it was given up: what it says is of the last attempt that was made */
    int code;          /* 550; 0: none was given */
    char enhanced[12]; /* "5.1.1"; "": none was given */
};

/* The codes are those that the words begin with, or that stand behind a colon in them. */
struct meaning meaning_of(const struct refused *refused);

#endif
