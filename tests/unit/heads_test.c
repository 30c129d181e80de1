/* heads_test.c — heads_sort against the C library's qsort over the same rows, with few and with many equal heads. */
#include <stdlib.h>
#include <string.h>

#include "../../src/base/heads.h"
#include "tap.h"

#define ROWS 5000

/* What an index stands for where heads are equal: its digits turned round, so that it is not the order given. */
static uint32_t rank_of(uint32_t index)
{
    uint32_t rank = 0;
    for (int bit = 0; bit < 16; bit++)
        rank = rank << 1 | (index >> bit & 1);
    return rank;
}

static int compare_ranks(const void *context, uint32_t a, uint32_t b)
{
    (void)context;
    return (rank_of(a) > rank_of(b)) - (rank_of(a) < rank_of(b));
}

static int compare_rows(const void *a, const void *b)
{
    const struct headed *x = a, *y = b;
    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    return compare_ranks(NULL, x->index, y->index);
}

static void test_against_qsort(size_t count, uint64_t mask, const char *what)
{
    static struct headed rows[ROWS], wanted[ROWS];
    uint64_t drawn = 88172645463325252u;
    for (uint32_t i = 0; i < count; i++) {
        drawn ^= drawn << 13;
        drawn ^= drawn >> 7;
        drawn ^= drawn << 17;
        rows[i] = (struct headed){drawn & mask, i};
    }
    memcpy(wanted, rows, sizeof rows);
    qsort(wanted, count, sizeof *wanted, compare_rows);
    heads_sort(rows, count, compare_ranks, NULL);
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += rows[i].head != wanted[i].head || rows[i].index != wanted[i].index;
    check_int((int64_t)wrong, 0, what);
}

int main(void)
{
    test_against_qsort(ROWS, UINT64_MAX, "heads over all 64 bits");
    test_against_qsort(ROWS, 0x8000000000000000u, "two heads, told by the last bit");
    test_against_qsort(ROWS, 0x00ff00000000ff01u, "digits apart");
    test_against_qsort(ROWS, 0, "one head");
    test_against_qsort(1, UINT64_MAX, "one row");
    test_against_qsort(0, UINT64_MAX, "no row");
    return tap_end();
}
