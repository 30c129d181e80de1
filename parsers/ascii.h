/* ascii.h — letters and digits of ASCII, whatever the locale. */
#ifndef MAILTRAIL_ASCII_H
#define MAILTRAIL_ASCII_H

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

#endif
