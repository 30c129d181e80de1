/* perl_regex.h — the regular expressions of the old programs' command lines, under PCRE2: octets, Perl's meaning,
   bounded work for each match. */
#ifndef MAILTRAIL_PERL_REGEX_H
#define MAILTRAIL_PERL_REGEX_H

#include <stdbool.h>

#include "../../parsers/slice.h"
#include "../base/error.h"

struct perl_regex;

/* Compiles text; flags are letters as behind a closing slash: i m s x n, and g o a u l d, which change nothing here.
   -1: *err (FAIL_USAGE). */
int perl_regex_new(struct perl_regex **regex, struct slice text, struct slice flags, struct error *err);

/* The same of "/text/flags", which is Perl source.  Any other source is refused. */
int perl_regex_from_source(struct perl_regex **regex, const char *source, struct error *err);

/* Whether it matches anywhere.  A match that takes too much work is none. */
bool perl_regex_matches(const struct perl_regex *regex, struct slice subject);

void perl_regex_free(struct perl_regex **regex); /* accepts NULL, leaves NULL */

#endif
