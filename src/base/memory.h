/* memory.h — allocation that succeeds or ends the program with exit code 70. */
#ifndef MAILTRAIL_MEMORY_H
#define MAILTRAIL_MEMORY_H

#include <stddef.h>

#include "../../parsers/slice.h"

#define EXIT_MEMORY 70

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
/* printf into memory of the caller's. */
char *xprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* array with room for at least need items of the given size; *capacity is kept in items and at least
   doubles when it grows. */
void *grow_more(void *array, size_t *capacity, size_t need, size_t item_size);
static inline void *grow(void *array, size_t *capacity, size_t need, size_t item_size)
{
    return need <= *capacity ? array : grow_more(array, capacity, need, item_size);
}

/* Bytes that live until the arena is emptied; blocks are kept for the next use. */
struct arena {
    struct arena_block *first, *current;
    size_t used; /* octets handed out since it was emptied */
};

void *arena_alloc(struct arena *arena, size_t size, size_t align);
struct slice arena_copy(struct arena *arena, struct slice text); /* absent stays absent */
struct slice arena_join(struct arena *arena, struct slice a, const char *between, struct slice b); /* one text of three */
void arena_empty(struct arena *arena);
void arena_free(struct arena *arena);

#endif
