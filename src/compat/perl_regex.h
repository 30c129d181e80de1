/* perl_regex.h — Perl's regular expressions, run by PCRE2: octets, not characters; compiled to machine code. */
#ifndef MAILTRAIL_PERL_REGEX_H
#define MAILTRAIL_PERL_REGEX_H

#include "../../parsers/slice.h"
#include "../base/error.h"

struct perl_regex;

enum perl_regex_flags {
    PERL_REGEX_LITERAL = 1,  /* every octet stands for itself */
    PERL_REGEX_CASELESS = 2, /* of ASCII's letters */
    PERL_REGEX_MULTILINE = 4,  /* /m */
    PERL_REGEX_DOTALL = 8,     /* /s */
    PERL_REGEX_EXTENDED = 16,  /* /x */
    PERL_REGEX_NO_CAPTURE = 32 /* /n */
};

/* Compiles a pattern.  -1: *err (FAIL_USAGE) says what is wrong with it and where. */
int perl_regex_new(const char *pattern, unsigned flags, struct perl_regex **regex, struct error *err);
void perl_regex_free(struct perl_regex **regex); /* accepts NULL, leaves NULL */

/* Whether it matches anywhere in text.  1: yes; 0: no; -1: *err (FAIL_DATA): PCRE2's limits were reached. */
int perl_regex_matches(struct perl_regex *regex, struct slice text, struct error *err);

/* The first place at or behind from in a text of many lines that may belong to a line which matches: a quick search for
   what every match holds.  text.n: there is none. */
size_t perl_regex_candidate(struct perl_regex *regex, struct slice text, size_t from);

#endif
