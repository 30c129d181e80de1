/* mentions.h — when a text occurs: tables mention and id_mention, written.  mentioned.h reads them.

   A day has 192 slots of 450 seconds, eighths of an hour.  Most texts occur in one hour of a day, if at all, so that a
   bit for each hour and one for each eighth, in whichever hour, tell the slots nearly as well as 192 bits would.

   A bucket of mention is of one UTC day and of MENTION_BUCKET strings that follow each other.  Its strings are two octets
   each, the first from 64 to 127, the second below 64, so that no two neighbours look like a third: plain SQL finds one
   with instr().  Behind them stand 32 bits each, most significant octet first: bit h is the hour from h:00 on, bit
   24 + e the eighth of an hour.

   A bucket of id_mention is of one UTC day and one value of the first bits of an id's hash: five octets each, the next 32
   bits of the hash and the slot, sorted.  A Message-ID is mentioned where it came, an Exim id where a client was refused under
   it and, of a message, where a line of it or the arrival of a bounce of it stands far from the second in the id: earlier
   than ID_NEAR seconds before it, or from ID_NEAR seconds behind it on. */
#ifndef MAILTRAIL_MENTIONS_H
#define MAILTRAIL_MENTIONS_H

#include "../ingest/batch.h"
#include "store.h"

#define MENTION_BUCKET 1024 /* strings; each may be mentioned in four ways: 4096 codes */
#define MENTION_CODE 2      /* octets */
#define MENTION_TIMES 4 /* octets */
#define MENTION_DAY_BITS 22 /* a bucket's place is its day, and in these low bits its number in the day */
#define ID_MENTION_DAY_BITS 6 /* the same; the number is the first bits of the hash */
#define ID_MENTION_SIZE 5

/* How a string is mentioned. */
enum mention_kind {
    MENTION_COLUMN, /* a row has it in a column of its own */
    MENTION_CLIENT, /* a row's client has it */
    MENTION_ROUTE,  /* a row's route has it */
    MENTION_KIN     /* one of these has a text that it is the domain or the small letters of */
};

struct mentions;

/* -1: *err.  Lives inside the writer's connection. */
int mentions_new(struct store *store, struct mentions **mentions, struct error *err);
void mentions_free(struct mentions **mentions); /* before the store is closed */

/* Takes up what a batch mentions, once strings_resolve was through it. */
int mentions_note(struct mentions *mentions, struct batch *batch, struct error *err);

/* Stores what was taken up, inside the transaction that is open. */
int mentions_flush(struct mentions *mentions, struct error *err);

/* The two octets of a string in its bucket. */
static inline uint32_t mention_code(int64_t id, enum mention_kind kind)
{
    uint32_t code = (uint32_t)(id % MENTION_BUCKET) * 4 + (uint32_t)kind;
    return (64 | code >> 6) << 8 | (code & 63);
}

#endif
