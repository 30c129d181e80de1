/* fit.c — see fit.h. */
#include "fit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "../base/memory.h"
#include "../base/text.h"

enum { ROOM_LEAST = 20, TAB = 8 };

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* Where a line of at most room places ends: behind its last blank, or in the middle of a word that is longer. */
static size_t break_at(struct slice line, size_t room)
{
    size_t places = 0, blank = 0;
    bool word = false; /* blanks at the beginning are no place to break at */
    for (size_t i = 0; i < line.n; i++) {
        places += line.p[i] == '\t' ? TAB : begins_character(line.p[i]);
        if (places > room && begins_character(line.p[i]))
            return line.p[i] == ' ' ? i : blank ? blank : i;
        if (line.p[i] == ' ' && word)
            blank = i + 1;
        word |= line.p[i] != ' ' && line.p[i] != '\t';
    }
    return line.n;
}

static struct slice without_blanks(struct slice line)
{
    while (line.n && line.p[line.n - 1] == ' ')
        line.n--;
    return line;
}

static void put_line(FILE *out, struct slice line, size_t width, size_t indent)
{
    if (width < indent + ROOM_LEAST)
        indent = 0;
    line = without_blanks(line);
    size_t cut = width ? break_at(line, width) : line.n;
    for (;;) {
        struct slice part = without_blanks(slice_of(line.p, cut));
        fwrite(part.p, 1, part.n, out);
        fputc('\n', out);
        line = slice_after(line, cut);
        while (line.n && line.p[0] == ' ')
            line = slice_after(line, 1);
        if (line.n == 0)
            return;
        fprintf(out, "%*s", (int)indent, "");
        cut = break_at(line, width - indent);
    }
}

/* A line on its way. */
struct fit {
    FILE *out;
    size_t width, indent;
    char *line;
    size_t n, capacity;
};

static ssize_t take(void *cookie, const char *text, size_t n)
{
    struct fit *fit = cookie;
    struct slice rest = slice_of(text, n);
    while (rest.n) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t part = end ? (size_t)(end - rest.p) : rest.n;
        fit->line = grow(fit->line, &fit->capacity, fit->n + part + 1, 1);
        memcpy(fit->line + fit->n, rest.p, part);
        fit->n += part;
        if (end) {
            put_line(fit->out, slice_of(fit->line, fit->n), fit->width, fit->indent);
            fit->n = 0;
        }
        rest = slice_after(rest, part + (end != NULL));
    }
    return (ssize_t)n;
}

static int end(void *cookie)
{
    struct fit *fit = cookie;
    if (fit->n)
        put_line(fit->out, slice_of(fit->line, fit->n), fit->width, fit->indent);
    free(fit->line);
    free(fit);
    return 0;
}

FILE *fit_open(FILE *out, size_t width, size_t indent)
{
    struct fit *fit = xcalloc(1, sizeof *fit);
    *fit = (struct fit){.out = out, .width = width && width < ROOM_LEAST ? ROOM_LEAST : width, .indent = indent};
    FILE *stream = fopencookie(fit, "w", (cookie_io_functions_t){.write = take, .close = end});
    if (!stream)
        exit(EXIT_MEMORY);
    return stream;
}

/* How many octets of text, whole characters from its beginning, take at most so many places. */
static size_t octets_in(struct slice text, size_t places)
{
    size_t n = 0;
    for (size_t used = 0; n < text.n;) {
        size_t next = n + 1;
        while (next < text.n && !begins_character(text.p[next]))
            next++;
        used += text_width(slice_of(text.p + n, next - n));
        if (used > places)
            break;
        n = next;
    }
    return n;
}

void fit_middle(FILE *out, struct slice text, size_t width)
{
    size_t all = text_width(text), room = width > 3 ? width - 3 : 0, head = room / 3;
    if (all <= width) {
        text_write(out, text, TEXT_TERMINAL);
        return;
    }
    text_write(out, slice_of(text.p, octets_in(text, head)), TEXT_TERMINAL);
    fputs("...", out);
    text_write(out, slice_after(text, octets_in(text, all - (room - head))), TEXT_TERMINAL);
}
