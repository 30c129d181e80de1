/* layout.h — lines of a trace for people: colours, and entries with a time, broken at the width of the terminal. */
#ifndef MAILTRAIL_LAYOUT_H
#define MAILTRAIL_LAYOUT_H

#include "tell.h"

enum colour { COLOUR_PLAIN, COLOUR_GOOD, COLOUR_BAD, COLOUR_OPEN, COLOUR_FAINT, COLOUR_STRONG };

/* What begins and what ends a colour: nothing where none are wanted. */
const char *colour_on(const struct tell *tell, enum colour colour);
const char *colour_off(const struct tell *tell, enum colour colour);
/* A text of ours in a colour. */
void put_coloured(const struct tell *tell, enum colour colour, const char *text);

/* An entry's body, written into memory first because lines are broken when it is whole. */
struct body {
    char *text;
    size_t n;
    FILE *out;
};

/* What the body is to be written to; body_put closes it. */
FILE *body_open(struct body *body);
/* Writes an entry: its time, a verb in a colour, and the body behind them, whose further lines stand below its first. */
void body_put(const struct tell *tell, struct body *body, struct slice time, enum colour colour, const char *verb);

#endif
