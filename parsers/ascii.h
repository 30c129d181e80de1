/* ascii.h — letters and digits of ASCII, whatever the locale. */
#ifndef MAILTRAIL_ASCII_H
#define MAILTRAIL_ASCII_H

#include <stdint.h>

#include "slice.h"

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

/* A letter, a digit, or a byte of a character beyond ASCII. */
static inline bool is_alnum(char c)
{
    return is_digit(c) || is_letter(c) || (unsigned char)c >= 0x80;
}

/* Whether s begins with a text of small letters, in whatever case. */
static inline bool begins(struct slice s, const char *text)
{
    size_t i = 0;
    for (; text[i]; i++)
        if (i >= s.n || lower(s.p[i]) != text[i])
            return false;
    return true;
}

/* Whether text begins with head, whatever the case of its letters. */
static inline bool starts_alike(struct slice head, struct slice text)
{
    if (head.n > text.n)
        return false;
    for (size_t i = 0; i < head.n; i++)
        if (lower(head.p[i]) != lower(text.p[i]))
            return false;
    return true;
}

/* Of eight octets, those that are capitals: bit 7 of each.  An octet below 128 that 63 added to makes greater than 127 is
   'A' or beyond, 37 added to one beyond 'Z'. */
static inline uint64_t capitals_of(uint64_t octets)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t low = octets & ones * 127;
    return (low + ones * 63) & ~(low + ones * 37) & ~octets & ones * 128;
}

static inline bool has_capitals(struct slice text)
{
    uint64_t octets = 0;
    size_t i = 0;
    for (; i + sizeof octets <= text.n; i += sizeof octets) {
        memcpy(&octets, text.p + i, sizeof octets);
        if (capitals_of(octets))
            return true;
    }
    octets = 0;
    for (; i < text.n; i++)
        octets = octets << 8 | (unsigned char)text.p[i];
    return capitals_of(octets);
}

/* The text with its letters made small, in memory of as many octets. */
static inline struct slice lower_into(char *to, struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        to[i] = lower(text.p[i]);
    return slice_of(to, text.n);
}

#endif
