/* arena.h — bytes between two pages that must not be touched, and whether what a parser found lies where it may:
   in the line or in a literal. */
#ifndef MAILTRAIL_ARENA_H
#define MAILTRAIL_ARENA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../../src/ingest/describe.h"

/* Bytes between two guard pages. */
struct arena {
    char *data;
    size_t size;
};

static inline void die(const char *why)
{
    perror(why);
    exit(2);
}

/* Room for want bytes and at least one more. */
static inline struct arena arena_new(size_t want)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (want / page + 1) * page;
    char *all = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + page, size, PROT_READ | PROT_WRITE) != 0)
        die("mmap");
    return (struct arena){all + page, size};
}

static inline void arena_free(struct arena arena)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(arena.data - page, arena.size + 2 * page);
}

/* The line such that its last byte is the last byte before the guard page; or its first the first. */
static inline struct slice arena_place(struct arena arena, struct slice line, bool at_end)
{
    char *to = at_end ? arena.data + arena.size - line.n : arena.data;
    if (line.n)
        memcpy(to, line.p, line.n);
    return slice_of(to, line.n);
}

/* Whether a slice lies in the line, or wholly outside of the arena and readable: a literal. */
static inline bool slice_is_sound(struct arena arena, struct slice line, struct slice s)
{
    uintptr_t p = (uintptr_t)s.p, first = (uintptr_t)line.p, last = first + line.n;
    static volatile char sink;
    if (!s.p)
        return s.n == 0;
    if (p >= first && p <= last)
        return s.n <= last - p;
    if (p >= (uintptr_t)arena.data && p <= (uintptr_t)arena.data + arena.size)
        return false;
    for (size_t i = 0; i < s.n; i++)
        sink = s.p[i];
    (void)sink;
    return true;
}

/* NULL, or the name of what points where it must not. */
static inline const char *unsound(struct arena arena, struct slice line, const struct described *d)
{
#define CHECK(slice, name)                                                                         \
    if (!slice_is_sound(arena, line, slice))                                                       \
        return name;
    CHECK(d->frame.host, "frame.host")
    CHECK(d->frame.tag, "frame.tag")
    CHECK(d->frame.body, "frame.body")
#define TEXT(name, doc) CHECK(d->event.name, #name)
#define NUM(name, doc)
    EVENT_FIELDS(TEXT, NUM)
#undef TEXT
#undef NUM
#undef CHECK
    if (d->verdict == VERDICT_DAMAGED && d->event.fault_at > d->frame.body.n)
        return "fault_at";
    if (d->verdict == VERDICT_OK && (d->event.kind <= EV_NONE || d->event.kind >= EV_KINDS))
        return "kind";
    return NULL;
}

#endif
