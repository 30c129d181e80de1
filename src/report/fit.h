/* fit.h — lines of text made to fit a terminal. */
#ifndef MAILTRAIL_FIT_H
#define MAILTRAIL_FIT_H

#include <stdio.h>

#include "../../parsers/slice.h"

/* A stream of which the lines, which have passed the escaper, come out without the blanks at their ends.  What goes
   beyond width is broken, behind a blank if there is one, and goes on indented by so many blanks; width 0: nothing is.
   fclose() writes the rest; out stays open. */
FILE *fit_open(FILE *out, size_t width, size_t indent);

/* Writes text for a terminal, in at most width places: of a longer one the middle is left out. */
void fit_middle(FILE *out, struct slice text, size_t width);

#endif
