/* slice.h — a borrowed run of bytes: never owned, may hold NULs, has no terminator. */
#ifndef MAILTRAIL_SLICE_H
#define MAILTRAIL_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* p == NULL: absent (SQL NULL).  n == 0 with p set: empty (SQL ''). */
struct slice {
    const char *p;
    size_t n;
};

#define SLICE_ABSENT ((struct slice){NULL, 0})
/* A slice over a string literal, without its terminator. */
#define SLICE_LIT(lit) ((struct slice){(lit), sizeof(lit) - 1})

static inline struct slice slice_of(const char *p, size_t n)
{
    return (struct slice){p, n};
}

static inline bool slice_is(struct slice s, const char *text)
{
    size_t n = strlen(text);
    return s.p && s.n == n && memcmp(s.p, text, n) == 0;
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.n == b.n && !a.p == !b.p && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_starts(struct slice s, const char *text)
{
    size_t n = strlen(text);
    return s.n >= n && memcmp(s.p, text, n) == 0;
}

/* What follows the first n bytes; n must not exceed s.n. */
static inline struct slice slice_after(struct slice s, size_t n)
{
    return (struct slice){s.p + n, s.n - n};
}

#endif
