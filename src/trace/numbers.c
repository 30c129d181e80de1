/* numbers.c — see numbers.h. */
#include "numbers.h"

#include <stdlib.h>

#include "../base/memory.h"

void numbers_add(struct numbers *numbers, int64_t number)
{
    if (numbers->count && numbers->list[numbers->count - 1] == number)
        return;
    numbers->list = grow(numbers->list, &numbers->room, numbers->count + 1, sizeof *numbers->list);
    numbers->list[numbers->count++] = number;
}

int numbers_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

void numbers_sort(struct numbers *numbers)
{
    size_t kept = 0;
    if (numbers->count)
        qsort(numbers->list, numbers->count, sizeof *numbers->list, numbers_compare);
    for (size_t i = 0; i < numbers->count; i++)
        if (kept == 0 || numbers->list[kept - 1] != numbers->list[i])
            numbers->list[kept++] = numbers->list[i];
    numbers->count = kept;
}

bool numbers_have(const struct numbers *numbers, int64_t number)
{
    return numbers->count && bsearch(&number, numbers->list, numbers->count, sizeof number, numbers_compare);
}
