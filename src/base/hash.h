/* hash.h — the hashes that are stored or decide identity: XXH3, 64 bits, the same on every machine. */
#ifndef MAILTRAIL_HASH_H
#define MAILTRAIL_HASH_H

#include <stdint.h>

#include "../../parsers/slice.h"

/* Hash of bytes under a seed; an absent slice hashes as empty. */
uint64_t hash_bytes(struct slice bytes, uint64_t seed);

/* Two numbers into one, order mattering. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a ^ (b * 0x9E3779B97F4A7C15u + 0x7F4A7C15u);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

#endif
