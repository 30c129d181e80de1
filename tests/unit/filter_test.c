/* filter_test.c — a filter has all that was added, and little else. */
#include "../../src/store/filter.h"

#include <stdlib.h>

#include "../../src/base/hash.h"
#include "../../src/base/memory.h"
#include "tap.h"

/* How many of count hashes, from the first number on, the filter seems to have. */
static size_t seems(const unsigned char *filter, size_t size, uint64_t first, size_t count)
{
    size_t seen = 0;
    for (uint64_t i = first; i < first + count; i++)
        seen += filter_may_have(filter, size, hash_mix(i, 7));
    return seen;
}

static void test_filter(size_t count)
{
    size_t size = filter_size(count);
    unsigned char *filter = xcalloc(size, 1);
    for (uint64_t i = 0; i < count; i++)
        filter_add(filter, size, hash_mix(i, 7));
    check_int((int64_t)seems(filter, size, 0, count), (int64_t)count, "all that were added");
    check(seems(filter, size, count, 100000) < 2000, "less than two of a hundred others");
    free(filter);
}

int main(void)
{
    check_int((int64_t)filter_size(0), 0, "an empty filter takes nothing");
    check(!filter_may_have(NULL, 0, 1), "and has nothing");
    test_filter(1000);
    test_filter(8192);
    test_filter(20000);
    return tap_end();
}
