/* header.c — see header.h. */
#include "header.h"

#include <string.h>

#include "ascii.h"

bool header_is(struct slice header, const char *name, struct slice *text)
{
    size_t n = strlen(name);
    if (!begins(header, name) || header.n == n || header.p[n] != ':')
        return false;
    *text = slice_after(header, n + 1);
    return true;
}

struct slice header_message_id(struct slice header)
{
    struct slice text;
    if (!header_is(header, "message-id", &text))
        return SLICE_ABSENT;
    const char *open = memchr(text.p, '<', text.n);
    const char *close = open ? memchr(open, '>', text.n - (size_t)(open - text.p)) : NULL;
    return close ? slice_of(open + 1, (size_t)(close - open) - 1) : SLICE_ABSENT;
}

static bool parts_addresses(char c)
{
    static const char between[] = " \t,;<>()[]\":";
    return memchr(between, c, sizeof between - 1);
}

struct slice header_address(struct slice *text)
{
    while (text->n) {
        size_t from = 0, to;
        while (from < text->n && parts_addresses(text->p[from]))
            from++;
        for (to = from; to < text->n && !parts_addresses(text->p[to]);)
            to++;
        struct slice word = slice_of(text->p + from, to - from);
        *text = slice_after(*text, to);
        if (memchr(word.p, '@', word.n))
            return word;
    }
    return SLICE_ABSENT;
}
