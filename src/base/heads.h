/* heads.h — many rows sorted by a number that stands for the beginning of their keys. */
#ifndef MAILTRAIL_HEADS_H
#define MAILTRAIL_HEADS_H

#include <stddef.h>
#include <stdint.h>

struct headed {
    uint64_t head;
    uint32_t index; /* of the row */
};

/* Order of two rows whose heads are equal: less than 0, 0, greater than 0. */
typedef int heads_compare(const void *context, uint32_t a, uint32_t b);

/* Sorts by head, and rows of equal heads by compare; NULL: they stay in the order they are in.  The time is linear where few heads are equal. */
void heads_sort(struct headed *rows, size_t count, heads_compare *compare, const void *context);

#endif
