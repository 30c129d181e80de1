/* address.h — whether bytes look like an IP address.  Not whether they are one: a log line that carries
   1.2.3.400 is kept as it stands. */
#ifndef MAILTRAIL_ADDRESS_H
#define MAILTRAIL_ADDRESS_H

#include "slice.h"

static inline bool address_is_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' ||
           c == ':';
}

/* Hex digits, points and colons, of each sort enough: a word such as "cafe" is none. */
static inline bool address_like(struct slice s)
{
    bool dotted = false;
    for (size_t i = 0; i < s.n; i++) {
        if (!address_is_byte(s.p[i]))
            return false;
        dotted |= s.p[i] == '.' || s.p[i] == ':';
    }
    return dotted && s.n >= 2 && s.n <= 45;
}

/* Takes " [ip]" or "[ip]" off the end of *s into *ip; false, and *s as it was, if none ends it.  Right for
   names of strangers: what the daemon itself found is always the last thing. */
static inline bool address_off_end(struct slice *s, struct slice *ip)
{
    if (s->n < 4 || s->p[s->n - 1] != ']')
        return false;
    size_t at = s->n - 1;
    while (at > 0 && address_is_byte(s->p[at - 1]))
        at--;
    struct slice inner = slice_of(s->p + at, s->n - 1 - at);
    if (at == 0 || s->p[at - 1] != '[' || !address_like(inner))
        return false;
    *ip = inner;
    s->n = at - 1;
    if (s->n > 0 && s->p[s->n - 1] == ' ')
        s->n--;
    return true;
}

#endif
