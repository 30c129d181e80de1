/* mentions.h — in which hours a text occurs: tables mention and id_mention, written.  mentioned.h reads them.

   A bucket of mention is of one UTC day and of MENTION_BUCKET strings that follow each other.  Its strings are two octets
   each, the first from 64 to 127, the second below 64, so that no two neighbours look like a third: plain SQL finds one
   with instr().  Behind them stand 24 bits each, most significant octet first: bit h is the hour from h:00 on.

   A bucket of id_mention is of one UTC day and one value of the first bits of an id's hash: five octets each, the next 32
   bits of the hash and the hour, sorted. */
#ifndef MAILTRAIL_MENTIONS_H
#define MAILTRAIL_MENTIONS_H

#include "../ingest/batch.h"
#include "store.h"

#define MENTION_BUCKET 1024 /* strings; each may be mentioned in four ways: 4096 codes */
#define MENTION_CODE 2      /* octets */
#define MENTION_HOURS 3
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
