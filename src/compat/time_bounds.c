/* time_bounds.c — a small calculator: what Perl would make of such an item. */
#include "time_bounds.h"

#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../../parsers/ascii.h"

struct calculation {
    const char *p, *end;
    bool bad;
};

static int64_t wrapped(uint64_t n)
{
    return (int64_t)n;
}

/* A leading 0 makes it octal, as in Perl. */
static int64_t number(struct calculation *c)
{
    bool octal = c->end - c->p > 1 && *c->p == '0';
    uint64_t n = 0;
    if (c->p == c->end || !is_digit(*c->p))
        c->bad = true;
    for (; c->p < c->end && is_digit(*c->p); c->p++) {
        uint64_t digit = (uint64_t)(*c->p - '0');
        c->bad |= octal && digit > 7;
        n = n * (octal ? 8 : 10) + digit;
    }
    return wrapped(n);
}

static bool eat(struct calculation *c, char sign)
{
    if (c->p == c->end || *c->p != sign)
        return false;
    c->p++;
    return true;
}

/* -5, +5; two signs in a row are another operator of Perl's, and none for a number. */
static int64_t signed_number(struct calculation *c)
{
    bool minus = eat(c, '-');
    if (!minus)
        eat(c, '+');
    int64_t n = number(c);
    return minus ? wrapped(0 - (uint64_t)n) : n;
}

static int64_t divided(struct calculation *c, int64_t a, int64_t b)
{
    if (b == 0) {
        c->bad = true;
        return 0;
    }
    return b == -1 ? wrapped(0 - (uint64_t)a) : a / b;
}

static int64_t product(struct calculation *c)
{
    int64_t n = signed_number(c);
    while (!c->bad) {
        if (eat(c, '*'))
            n = wrapped((uint64_t)n * (uint64_t)signed_number(c));
        else if (eat(c, '/'))
            n = divided(c, n, signed_number(c));
        else
            break;
    }
    return n;
}

static int64_t sum(struct calculation *c)
{
    int64_t n = product(c);
    while (!c->bad) {
        if (eat(c, '+'))
            n = wrapped((uint64_t)n + (uint64_t)product(c));
        else if (eat(c, '-'))
            n = wrapped((uint64_t)n - (uint64_t)product(c));
        else
            break;
    }
    return n;
}

static int64_t item_value(const char *from, const char *to)
{
    struct calculation c = {from, to, false};
    int64_t n = sum(&c);
    return c.bad || c.p != c.end ? 0 : n;
}

static int ascending(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

void time_bounds_read(struct time_bounds *bounds, const char *text)
{
    size_t capacity = 0, n = strlen(*text ? text : (text = "60,300,900,1800,3600,10800,21600,43200,86400"));
    *bounds = (struct time_bounds){0};
    while (n > 0 && text[n - 1] == ',') /* empty items at the end are none */
        n--;
    const char *end = text + n;
    for (const char *p = text; p < end; p++) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *to = comma ? comma : end;
        bounds->seconds = grow(bounds->seconds, &capacity, bounds->count + 1, sizeof *bounds->seconds);
        bounds->seconds[bounds->count++] = item_value(p, to);
        p = to;
    }
    if (bounds->count)
        qsort(bounds->seconds, bounds->count, sizeof *bounds->seconds, ascending);
    if (bounds->count == 1 && bounds->seconds[0] == 0)
        bounds->count = 0;
}
