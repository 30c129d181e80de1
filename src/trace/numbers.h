/* numbers.h — a list of numbers: ids, or seconds. */
#ifndef MAILTRAIL_NUMBERS_H
#define MAILTRAIL_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numbers {
    int64_t *list; /* ascending, each once; the caller's to free */
    size_t count, room;
};

/* Adds a number; numbers_sort makes the list what the struct says. */
void numbers_add(struct numbers *numbers, int64_t number);
void numbers_sort(struct numbers *numbers);
bool numbers_have(const struct numbers *numbers, int64_t number);

/* Of two numbers, for qsort and bsearch; also of structs whose first member is one. */
int numbers_compare(const void *a, const void *b);

#endif
