/* hash.c — one translation unit holds the inlined library. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "hash.h"

uint64_t hash_bytes(struct slice bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.p, bytes.n, seed);
}
