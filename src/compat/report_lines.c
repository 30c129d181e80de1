/* report_lines.c — HTML's tags as blanks, its entities as what they stand for. */
#include "report_lines.h"

#include <stdlib.h>

#include "../base/memory.h"

int report_lines_open(struct report_lines *in, const char *path)
{
    *in = (struct report_lines){.buffer = NULL};
    if (source_open(path, &in->source, &in->err) < 0)
        return -1;
    in->lines = lines_over(in->source, 0, SLICE_ABSENT);
    in->buffer = xmalloc(LINE_KEPT + 1);
    return 0;
}

void report_lines_close(struct report_lines *in)
{
    lines_free(&in->lines);
    source_close(&in->source);
    free(in->buffer);
    in->buffer = NULL;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The tags of reports.  An address such as <p.novak@example> is taken for one, as eximstats takes it. */
static bool is_tag_name(struct slice name)
{
    static const char *const names[] = {"html", "head", "title", "body", "ul", "li", "table", "tr",
                                        "td", "th", "pre", "hr", "p", "br"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(name, names[i]))
            return true;
    return name.n == 2 && *name.p == 'h' && name.p[1] >= '0' && name.p[1] <= '9';
}

/* Octets of the tag at the head of s, or 0. */
static size_t tag_length(struct slice s)
{
    size_t start = s.n > 1 && s.p[1] == '/' ? 2 : 1, i = start;
    while (i < s.n && is_word(s.p[i]))
        i++;
    struct slice name = slice_of(s.p + start, i - start);
    bool anchor = slice_is(name, "a") && i + 1 < s.n && s.p[i] == ' ' && is_word(s.p[i + 1]);
    const char *close = i < s.n ? memchr(s.p + i, '>', s.n - i) : NULL;
    return close && (anchor || is_tag_name(name)) ? (size_t)(close - s.p) + 1 : 0;
}

/* Octets of the entity at the head of s, or 0; *c: what it stands for. */
static size_t entity_length(struct slice s, char *c)
{
    static const struct { const char *text; char c; } entities[] = {
        {"&lt;", '<'}, {"&gt;", '>'}, {"&nbsp;", ' '}, {"&amp;", '&'}, {"&quot;", '"'}, {"&#39;", '\''}};
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (slice_starts(s, entities[i].text)) {
            *c = entities[i].c;
            return strlen(entities[i].text);
        }
    return 0;
}

static struct slice without_html(char *to, struct slice raw)
{
    size_t n = 0;
    for (size_t i = 0; i < raw.n;) {
        struct slice rest = slice_after(raw, i);
        char c = raw.p[i];
        size_t length = c == '<' ? tag_length(rest) : c == '&' ? entity_length(rest, &c) : 0;
        if (c == '<' && length && raw.p[i] == '<')
            c = ' ';
        to[n++] = c;
        i += length ? length : 1;
    }
    return slice_of(to, n);
}

bool report_lines_next(struct report_lines *in)
{
    struct line line;
    if (in->again) {
        in->again = false;
        return true;
    }
    if (in->err.kind || lines_next(in->lines, &line, &in->err) <= 0)
        return false;
    in->raw = line.text;
    in->plain = without_html(in->buffer, line.text);
    return true;
}

void report_lines_back(struct report_lines *in)
{
    in->again = true;
}
