/* filter.c — the places of a hash: its lower half, then steps of a number made of all of it. */
#include "filter.h"

#define BITS_A_HASH 10
#define PLACES 6

size_t filter_size(size_t count)
{
    return count ? (count * BITS_A_HASH + 7) / 8 : 0;
}

static uint64_t step_of(uint64_t hash)
{
    return (hash * 0x9E3779B97F4A7C15u >> 32) | 1;
}

void filter_add(unsigned char *filter, size_t size, uint64_t hash)
{
    uint64_t at = (uint32_t)hash, step = step_of(hash);
    for (int i = 0; i < PLACES; i++, at += step) {
        uint64_t bit = at % (size * 8);
        filter[bit / 8] |= (unsigned char)(1u << bit % 8);
    }
}

bool filter_may_have(const unsigned char *filter, size_t size, uint64_t hash)
{
    uint64_t at = (uint32_t)hash, step = step_of(hash);
    if (!size)
        return false;
    for (int i = 0; i < PLACES; i++, at += step) {
        uint64_t bit = at % (size * 8);
        if (!(filter[bit / 8] >> bit % 8 & 1))
            return false;
    }
    return true;
}
