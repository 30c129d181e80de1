/* memory.c — the few places that allocate. */
#include "memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define ARENA_BLOCK ((size_t)2 << 20)
#define LARGE ((size_t)2 << 20) /* from here on memory comes in pages of this size, if the system has them */

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    char bytes[];
};

static void *or_exit(void *p)
{
    if (!p) {
        fputs("mailtrail: out of memory\n", stderr);
        exit(EXIT_MEMORY);
    }
    return p;
}

/* Large pages: a first touch of each small one costs more than the work done on it. */
static void *large_alloc(size_t size)
{
    void *p = or_exit(aligned_alloc(LARGE, (size + LARGE - 1) & ~(LARGE - 1)));
    madvise(p, size, MADV_HUGEPAGE);
    return p;
}

void *xmalloc(size_t size)
{
    return size >= LARGE ? large_alloc(size) : or_exit(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        or_exit(NULL);
    if (count * size >= LARGE)
        return memset(large_alloc(count * size), 0, count * size);
    return or_exit(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t size)
{
    return or_exit(realloc(old, size ? size : 1));
}

char *xstrdup(const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(xmalloc(n), text, n);
}

char *xprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = xmalloc((size_t)n + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

void *grow_more(void *array, size_t *capacity, size_t need, size_t item_size)
{
    size_t wanted = *capacity * 2 > need ? *capacity * 2 : need;
    if (wanted < 16)
        wanted = 16;
    if (wanted > SIZE_MAX / item_size)
        or_exit(NULL);
    size_t old_size = *capacity * item_size;
    *capacity = wanted;
    if (wanted * item_size < LARGE)
        return xrealloc(array, wanted * item_size);
    void *larger = large_alloc(wanted * item_size);
    if (old_size)
        memcpy(larger, array, old_size);
    free(array);
    return larger;
}

static struct arena_block *block_for(struct arena *arena, size_t size)
{
    struct arena_block *next = arena->current ? arena->current->next : arena->first;
    if (next && next->size >= size) {
        next->used = 0;
        return arena->current = next;
    }
    size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
    struct arena_block *block = xmalloc(sizeof *block + room);
    *block = (struct arena_block){.next = next, .size = room, .used = 0};
    if (arena->current)
        arena->current->next = block;
    else
        arena->first = block;
    return arena->current = block;
}

void *arena_alloc(struct arena *arena, size_t size, size_t align)
{
    struct arena_block *block = arena->current;
    size_t start = block ? (block->used + align - 1) & ~(align - 1) : 0;
    if (!block || start + size > block->size) {
        block = block_for(arena, size);
        start = 0;
    }
    block->used = start + size;
    arena->used += size;
    return block->bytes + start;
}

struct slice arena_copy(struct arena *arena, struct slice text)
{
    if (!text.p)
        return text;
    char *copy = arena_alloc(arena, text.n ? text.n : 1, 1);
    memcpy(copy, text.p, text.n);
    return slice_of(copy, text.n);
}

struct slice arena_join(struct arena *arena, struct slice a, const char *between, struct slice b)
{
    size_t n = strlen(between);
    char *whole = arena_alloc(arena, a.n + n + b.n + 1, 1);
    if (a.n)
        memcpy(whole, a.p, a.n);
    memcpy(whole + a.n, between, n);
    if (b.n)
        memcpy(whole + a.n + n, b.p, b.n);
    return slice_of(whole, a.n + n + b.n);
}

void arena_empty(struct arena *arena)
{
    arena->current = NULL;
    arena->used = 0;
}

void arena_free(struct arena *arena)
{
    for (struct arena_block *block = arena->first, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (struct arena){0};
}
