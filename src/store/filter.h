/* filter.h — a Bloom filter over hashes: ten bits and six questions for each, so that one of a hundred that are not in it
   seems to be. */
#ifndef MAILTRAIL_FILTER_H
#define MAILTRAIL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets that a filter of so many hashes takes. */
size_t filter_size(size_t count);

/* Adds a hash to the filter of that many octets, which are zeros at first. */
void filter_add(unsigned char *filter, size_t size, uint64_t hash);

/* false: the hash was not added.  A filter of no octets holds nothing. */
bool filter_may_have(const unsigned char *filter, size_t size, uint64_t hash);

#endif
