/* heads.c — digit by digit, least first; a digit that all heads share costs nothing. */
#include "heads.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define DIGITS 8
#define VALUES 256

static unsigned char digit_of(const struct headed *row, int digit)
{
    return (unsigned char)(row->head >> (8 * digit));
}

/* How many heads have each value in each digit. */
static void count_digits(const struct headed *rows, size_t count, size_t counts[DIGITS][VALUES])
{
    memset(counts, 0, DIGITS * VALUES * sizeof counts[0][0]);
    for (size_t i = 0; i < count; i++)
        for (int d = 0; d < DIGITS; d++)
            counts[d][digit_of(&rows[i], d)]++;
}

static void place_by_digit(const struct headed *from, struct headed *to, size_t count, int digit,
                           const size_t counts[VALUES])
{
    size_t places[VALUES], place = 0;
    for (int v = 0; v < VALUES; v++) {
        places[v] = place;
        place += counts[v];
    }
    for (size_t i = 0; i < count; i++)
        to[places[digit_of(&from[i], digit)]++] = from[i];
}

static void sort_heads(struct headed *rows, size_t count)
{
    size_t counts[DIGITS][VALUES];
    struct headed *room = xmalloc(count * sizeof *room), *from = rows, *to = room;
    count_digits(rows, count, counts);
    for (int d = 0; d < DIGITS; d++) {
        if (counts[d][digit_of(&rows[0], d)] == count)
            continue;
        place_by_digit(from, to, count, d, counts[d]);
        struct headed *swap = from;
        from = to;
        to = swap;
    }
    if (from != rows)
        memcpy(rows, from, count * sizeof *rows);
    free(room);
}

struct comparison {
    heads_compare *compare;
    const void *context;
};

static int compare_equal(const void *a, const void *b, void *arg)
{
    const struct comparison *by = arg;
    return by->compare(by->context, ((const struct headed *)a)->index, ((const struct headed *)b)->index);
}

void heads_sort(struct headed *rows, size_t count, heads_compare *compare, const void *context)
{
    struct comparison by = {compare, context};
    if (count < 2)
        return;
    sort_heads(rows, count);
    if (!compare)
        return;
    for (size_t run = 0, i = 1; i <= count; i++)
        if (i == count || rows[i].head != rows[run].head) {
            if (i - run > 1)
                qsort_r(rows + run, i - run, sizeof *rows, compare_equal, &by);
            run = i;
        }
}
