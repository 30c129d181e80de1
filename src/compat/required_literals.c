/* required_literals.c — a pattern read for its plain characters.  Where there are alternatives nothing is required; what
   is not understood ends the reading, and what was found before it still holds. */
#include "required_literals.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Behind a class; NULL: it does not end. */
static const char *skip_class(const char *p)
{
    p += 1 + (p[1] == '^');
    p += *p == ']';
    for (; *p && *p != ']'; p++) {
        const char *posix = *p == '[' && p[1] == ':' ? strstr(p + 2, ":]") : NULL;
        if (*p == '\\' && p[1])
            p++;
        else if (posix)
            p = posix + 1;
    }
    return *p ? p + 1 : NULL;
}

/* Behind a character, an escape, a class or a group; NULL: not understood.  Groups are nested no deeper than PCRE2
   allows. */
static const char *skip_atom(const char *p)
{
    if (*p == '\\')
        return p[1] && p[1] != 'c' ? p + 2 : NULL;
    if (*p == '[')
        return skip_class(p);
    if (*p != '(')
        return p + 1;
    for (p++; p && *p && *p != ')';)
        p = skip_atom(p);
    return p && *p ? p + 1 : NULL;
}

/* Behind a quantifier, if there is one. */
static const char *skip_quantifier(const char *p)
{
    const char *end = p + (*p && strchr("*+?", *p));
    if (*p == '{') {
        size_t n = strspn(p + 1, "0123456789,");
        end = n && p[1 + n] == '}' ? p + n + 2 : p;
    }
    return end > p && (*end == '?' || *end == '+') ? end + 1 : end;
}

/* The plain character that an atom is; 0: it is another thing. */
static char plain(const char *p)
{
    if (*p == '\\')
        return isalnum((unsigned char)p[1]) ? 0 : p[1];
    return strchr(".^$[(", *p) ? 0 : *p;
}

/* Escapes of one letter; others have more behind them, or mean more. */
static bool is_simple(const char *p)
{
    return *p != '\\' || plain(p) || strchr("dDwWsSbBAZzhHvVRK", p[1]);
}

/* Ends a run that began at start, if it is not empty. */
static char *end_run(const char *start, char *out)
{
    if (out > start)
        *out++ = 0;
    return out;
}

void required_literals(const char *pattern, char *out)
{
    char *start = out;
    if (strchr(pattern, '|') || strstr(pattern, "(?") || strstr(pattern, "(*"))
        pattern = "";
    for (const char *p = pattern, *end; *p && is_simple(p) && (end = skip_atom(p)); p = skip_quantifier(end)) {
        char c = plain(p);
        bool repeated = skip_quantifier(end) != end;
        if (c && (!repeated || *end == '+'))
            *out++ = c;
        if (!c || repeated)
            start = out = end_run(start, out);
    }
    *end_run(start, out) = 0;
}
