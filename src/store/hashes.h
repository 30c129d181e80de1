/* hashes.h — string.id by the hash of the text: table string_hash.  One row a pair would be a tree of random keys, whose
   upkeep is a tenth of an ingest; so pairs stand sorted in runs.  What is new makes a small run; runs that grow together
   become one, of eight times the size: a pair is written some times in its life, whatever the database's size, and looked
   for in a few runs, each with a filter that mostly says where it is not. */
#ifndef MAILTRAIL_HASHES_H
#define MAILTRAIL_HASHES_H

#include "../../parsers/slice.h"
#include "store.h"

struct hashes;

/* A text asked for. */
struct hash_want {
    uint64_t hash;
    int64_t id;      /* 0: not stored */
    uint32_t number; /* the caller's own */
};

int hashes_new(struct store *store, struct hashes **hashes, struct error *err);
void hashes_free(struct hashes **hashes);

/* Fills in the ids of what is stored; sorts the wants by hash.  What was added and not flushed is not found. */
int hashes_find(struct hashes *hashes, struct hash_want *wants, size_t count, struct error *err);

/* A new text, whose hash is not stored yet. */
void hashes_add(struct hashes *hashes, uint64_t hash, int64_t id);

/* Stores what was added, inside the transaction that is open. */
int hashes_flush(struct hashes *hashes, struct error *err);

/* Calls visit for each bucket in the order of runs, with its number in string_hash, the first bits of its hashes as a
   number and how many bits these are, and its octets as stored, which are the call's only, until it answers other than 0;
   answers that, or -1. */
struct hash_bucket {
    int64_t number;
    uint64_t first;
    int bits;
    struct slice pairs;
};
struct hash_walk {
    int (*visit)(void *context, const struct hash_bucket *bucket, struct error *err);
    void *context;
};
int hashes_walk(struct hashes *hashes, const struct hash_walk *walk, struct error *err);

#define HASH_PAIR 12 /* octets of a pair: the hash, then the id */

/* The hash of a pair as stored. */
uint64_t hashes_pair_hash(const char *pair);

#endif
