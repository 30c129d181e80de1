/* scan.c — the cursor's steps. */
#include "scan.h"

static struct slice stop_bad(struct scan *s)
{
    s->bad = true;
    return SLICE_ABSENT;
}

struct slice scan_word(struct scan *s)
{
    if (s->bad)
        return SLICE_ABSENT;
    const char *start = s->p;
    const char *blank = memchr(start, ' ', scan_left(s));
    s->p = blank ? blank : s->end;
    return s->p == start ? stop_bad(s) : slice_of(start, (size_t)(s->p - start));
}

struct slice scan_until(struct scan *s, char stop)
{
    if (s->bad)
        return SLICE_ABSENT;
    const char *start = s->p;
    const char *at = memchr(start, stop, scan_left(s));
    if (!at)
        return stop_bad(s);
    s->p = at + 1;
    return slice_of(start, (size_t)(at - start));
}

static struct slice step_to(struct scan *s, ptrdiff_t at, const char *lit)
{
    const char *start = s->p;
    if (at < 0)
        return stop_bad(s);
    s->p += (size_t)at + strlen(lit);
    return slice_of(start, (size_t)at);
}

struct slice scan_until_lit(struct scan *s, const char *lit)
{
    return s->bad ? SLICE_ABSENT : step_to(s, slice_find(scan_rest(s), lit), lit);
}

struct slice scan_until_last(struct scan *s, const char *lit)
{
    return s->bad ? SLICE_ABSENT : step_to(s, slice_find_last(scan_rest(s), lit), lit);
}

struct slice scan_all(struct scan *s)
{
    if (s->bad)
        return SLICE_ABSENT;
    struct slice all = scan_rest(s);
    s->p = s->end;
    return all;
}

int64_t scan_u63(struct scan *s, int64_t max)
{
    int64_t value = 0;
    const char *start = s->p;
    if (s->bad)
        return NUM_ABSENT;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        int digit = *s->p - '0';
        if (value > (max - digit) / 10) {
            s->bad = true;
            return NUM_ABSENT;
        }
        value = value * 10 + digit;
        s->p++;
    }
    if (s->p == start) {
        s->bad = true;
        return NUM_ABSENT;
    }
    return value;
}

/* Up to three digits behind a decimal point, as thousandths; further digits are stepped over. */
static int64_t fraction_milli(struct scan *s)
{
    int64_t value = 0, unit = 100;
    const char *start = s->p;
    for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++, unit /= 10)
        value += (*s->p - '0') * unit;
    if (s->p == start)
        s->bad = true;
    return value;
}

int64_t scan_milli(struct scan *s)
{
    bool negative = scan_try(s, "-");
    int64_t whole = scan_u63(s, INT64_MAX / 2000);
    int64_t part = scan_try(s, ".") ? fraction_milli(s) : 0;
    if (s->bad)
        return NUM_ABSENT;
    return negative ? -(whole * 1000 + part) : whole * 1000 + part;
}

int64_t scan_exim_time(struct scan *s)
{
    static const struct { char unit; int64_t ms; } units[] = {
        {'w', 604800000}, {'d', 86400000}, {'h', 3600000}, {'m', 60000}, {'s', 1000}};
    int64_t total = 0;
    size_t next = 0;
    do {
        int64_t value = scan_milli(s);
        if (s->bad || s->p == s->end || value < 0) {
            s->bad = true;
            return NUM_ABSENT;
        }
        while (next < 5 && units[next].unit != *s->p)
            next++;
        if (next == 5 || value > INT64_MAX / 8 / units[next].ms) {
            s->bad = true;
            return NUM_ABSENT;
        }
        total += value * (units[next].ms / 1000);
        next++;
        s->p++;
    } while (s->p < s->end && *s->p >= '0' && *s->p <= '9' && next < 5);
    return total;
}

/* How frequent a byte is in a log, roughly: blanks and small letters are everywhere. */
static const unsigned char frequency[256] = {
    [' '] = 2, ['.'] = 1, ['0' ... '9'] = 1, ['a'] = 2, ['b' ... 'd'] = 1, ['e'] = 2, ['f' ... 'h'] = 1, ['i'] = 2,
    ['j' ... 'm'] = 1, ['n' ... 'o'] = 2, ['p' ... 'q'] = 1, ['r' ... 't'] = 2, ['u' ... 'z'] = 1};

/* memchr for the rarest byte of lit, then the rest: several times faster than memmem for short texts. */
ptrdiff_t slice_find(struct slice s, const char *lit)
{
    size_t n = 0, anchor = 0;
    for (; lit[n]; n++)
        if (frequency[(unsigned char)lit[n]] < frequency[(unsigned char)lit[anchor]])
            anchor = n;
    if (!s.p || s.n < n)
        return -1;
    const char *p = s.p + anchor, *end = s.p + s.n - n + anchor + 1;
    while ((p = memchr(p, lit[anchor], (size_t)(end - p)))) {
        if (memcmp(p - anchor, lit, n) == 0)
            return p - anchor - s.p;
        if (++p == end)
            break;
    }
    return -1;
}

ptrdiff_t slice_find_last(struct slice s, const char *lit)
{
    size_t n = strlen(lit);
    if (!s.p || n == 0 || s.n < n)
        return -1;
    for (size_t left = s.n - n + 1; left > 0;) {
        const char *at = memrchr(s.p, lit[0], left);
        if (!at)
            return -1;
        if (memcmp(at, lit, n) == 0)
            return at - s.p;
        left = (size_t)(at - s.p);
    }
    return -1;
}
