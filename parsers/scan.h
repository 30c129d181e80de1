/* scan.h — a cursor over borrowed bytes with a sticky fault: chain freely, ask once at the end.
   Once bad, every step is a no-op that yields an absent slice or NUM_ABSENT. */
#ifndef MAILTRAIL_SCAN_H
#define MAILTRAIL_SCAN_H

#include "event.h"

struct scan {
    const char *p, *end;
    bool bad; /* p then stands at the byte that stopped us */
};

static inline struct scan scan_over(struct slice s)
{
    return (struct scan){s.p, s.p + s.n, false};
}

static inline size_t scan_left(const struct scan *s)
{
    return (size_t)(s->end - s->p);
}

static inline struct slice scan_rest(const struct scan *s)
{
    return slice_of(s->p, scan_left(s));
}

/* Step over lit if it stands here; false, without turning bad, if not. */
static inline bool scan_try(struct scan *s, const char *lit)
{
    size_t n = strlen(lit);
    if (s->bad || scan_left(s) < n || memcmp(s->p, lit, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* Step over lit, or turn bad. */
static inline bool scan_lit(struct scan *s, const char *lit)
{
    if (!scan_try(s, lit))
        s->bad = true;
    return !s->bad;
}

/* Up to the next blank or the end, which is not eaten; empty is bad. */
struct slice scan_word(struct scan *s);

/* Up to stop, which is eaten and not part of the answer; no stop is bad. */
struct slice scan_until(struct scan *s, char stop);

/* Up to the first lit, which is eaten; no lit is bad. */
struct slice scan_until_lit(struct scan *s, const char *lit);

/* Up to the last lit, which is eaten; no lit is bad.  For text of strangers that may hold lit itself. */
struct slice scan_until_last(struct scan *s, const char *lit);

/* All that is left. */
struct slice scan_all(struct scan *s);

/* Decimal digits, 0..max; none, or more than max, is bad: NUM_ABSENT. */
int64_t scan_u63(struct scan *s, int64_t max);

/* [-]digits[.digits] in thousandths, further digits cut off. */
int64_t scan_milli(struct scan *s);

/* Exim's readconf_printtime: 3m45s, 1d2h, 0.285s, 1w; in milliseconds. */
int64_t scan_exim_time(struct scan *s);

/* Offset of the first lit in s, or -1. */
ptrdiff_t slice_find(struct slice s, const char *lit);
/* Offset of the last lit in s, or -1. */
ptrdiff_t slice_find_last(struct slice s, const char *lit);

#endif
