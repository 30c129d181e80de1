/* text.h — the one escaper: whatever leaves mailtrail passes here, once, at the edge. */
#ifndef MAILTRAIL_TEXT_H
#define MAILTRAIL_TEXT_H

#include <stdio.h>

#include "../../parsers/slice.h"

enum text_mode {
    TEXT_PLAIN,    /* as it stands */
    TEXT_TERMINAL, /* control bytes, DEL, C1 and bidirectional controls as #ooo: nothing drives a terminal or turns words round */
    TEXT_HTML,     /* for text and for double-quoted attributes; broken UTF-8 as U+FFFD */
    TEXT_JSON,     /* inside the quotes of a JSON string; broken UTF-8 as U+FFFD */
    TEXT_CSV,      /* one whole cell, RFC 4180, quoted where needed; a leading = + - @ gets ' before it */
    TEXT_TSV       /* one whole cell; tab, newline and backslash escaped */
};

void text_write(FILE *out, struct slice text, enum text_mode mode);

/* A whole JSON value: the text in its quotes, null for an absent one. */
void text_write_json(FILE *out, struct slice text);

/* Places on a terminal that text takes in TEXT_TERMINAL, near enough: one for a character, four for a control byte. */
size_t text_width(struct slice text);

#endif
