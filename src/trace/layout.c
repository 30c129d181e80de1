/* layout.c — see layout.h. */
#include "layout.h"

#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/text.h"

enum { INDENT = 23 }; /* two blanks, a time and two blanks */

const char *colour_on(const struct tell *tell, enum colour colour)
{
    static const char *const codes[] = {"", "\033[32m", "\033[31m", "\033[33m", "\033[2m", "\033[1m"};
    return tell->colour ? codes[colour] : "";
}

const char *colour_off(const struct tell *tell, enum colour colour)
{
    return tell->colour && colour ? "\033[0m" : "";
}

void put_coloured(const struct tell *tell, enum colour colour, const char *text)
{
    fprintf(tell->out, "%s%s%s", colour_on(tell, colour), text, colour_off(tell, colour));
}

/* Where a line of at most room places ends: behind its last blank, or in the middle of a word that is longer. */
static size_t break_at(struct slice line, size_t room)
{
    size_t end = 0, places = 0, blank = 0;
    while (end < line.n) {
        places += ((unsigned char)line.p[end] & 0xc0) != 0x80;
        if (places > room)
            return blank ? blank : end;
        if (line.p[end] == ' ' && end)
            blank = end + 1;
        end++;
    }
    return line.n;
}

/* Writes what is to stand behind column INDENT, used places of its first line being taken. */
static void put_body(const struct tell *tell, struct slice body, size_t used)
{
    size_t width = tell->width > INDENT + 20 ? (size_t)tell->width - INDENT : 0;
    while (body.n) {
        const char *newline = memchr(body.p, '\n', body.n);
        struct slice line = slice_of(body.p, newline ? (size_t)(newline - body.p) : body.n);
        size_t cut = width ? break_at(line, width > used ? width - used : 1) : line.n;
        fwrite(line.p, 1, cut, tell->out);
        body = slice_after(body, cut < line.n ? cut : line.n + (newline != NULL));
        used = 0;
        fprintf(tell->out, body.n ? "\n%*s" : "\n", body.n ? INDENT : 0, "");
    }
}

FILE *body_open(struct body *body)
{
    *body = (struct body){0};
    body->out = open_memstream(&body->text, &body->n);
    if (!body->out)
        exit(EXIT_MEMORY);
    return body->out;
}

void body_put(const struct tell *tell, struct body *body, struct slice time, enum colour colour, const char *verb)
{
    fclose(body->out);
    fputs("  ", tell->out);
    fputs(colour_on(tell, COLOUR_FAINT), tell->out);
    text_write(tell->out, time, TEXT_TERMINAL);
    fprintf(tell->out, "%s%*s", colour_off(tell, COLOUR_FAINT), time.n < 21 ? 21 - (int)time.n : 2, "");
    put_coloured(tell, colour, verb);
    fputc(' ', tell->out);
    put_body(tell, slice_of(body->text, body->n), strlen(verb) + 1);
    if (!body->n)
        fputc('\n', tell->out);
    free(body->text);
}
