/* perl_source.h — the Perl that eximstats' -pattern takes: /pattern/flags, and no other. */
#ifndef MAILTRAIL_PERL_SOURCE_H
#define MAILTRAIL_PERL_SOURCE_H

#include "perl_regex.h"

/* Compiles "/pattern/flags"; flags are i m s x n, and g o a u l d, which change nothing here.  -1: *err
   (FAIL_USAGE). */
int perl_source_new(const char *source, struct perl_regex **regex, struct error *err);

/* Whether it matches anywhere.  A match that takes too much work is none. */
bool perl_source_matches(struct perl_regex *regex, struct slice subject);

#endif
