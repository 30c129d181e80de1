/* tally.h — counters by key: what eximstats keeps in Perl hashes.  A table grows with its keys only. */
#ifndef MAILTRAIL_TALLY_H
#define MAILTRAIL_TALLY_H

#include <stdint.h>

#include "../base/memory.h"

struct tally {
    struct slice key;
    uint64_t messages, addresses, bytes;
};

/* Zeroed is empty.  Keys lie in an arena of the caller's, which several tables may share. */
struct tallies {
    struct tally *items; /* in the order of their first sight */
    size_t count, capacity;
    struct tally_slot *slots;
    size_t slot_count; /* a power of two, or 0 */
};

enum tally_order {
    TALLY_BY_COUNT,  /* messages, then bytes, most first; then key by its octets */
    TALLY_BY_VOLUME, /* bytes, then messages, most first; then key */
    TALLY_BY_KEY
};

/* The counters of a key, all 0 if it is new.  Valid until the next key is added. */
struct tally *tallies_at(struct tallies *table, struct arena *keys, struct slice key);

void tallies_free(struct tallies *table);

/* Sum, not above UINT64_MAX. */
uint64_t tally_sum(uint64_t a, uint64_t b);

/* How many keys have messages, and how many messages all have together. */
size_t tallies_used(const struct tallies *table);
uint64_t tallies_messages(const struct tallies *table);

/* The first top of the keys that have messages, in order; *count says how many.  The caller's to free; keys stay
   the table's. */
struct tally *tallies_sorted(const struct tallies *table, enum tally_order order, uint64_t top, size_t *count);

#endif
