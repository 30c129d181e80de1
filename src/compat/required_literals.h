/* required_literals.h — what must stand in a text for a pattern to match it: searched for first, since that is quick. */
#ifndef MAILTRAIL_REQUIRED_LITERALS_H
#define MAILTRAIL_REQUIRED_LITERALS_H

/* Writes runs of characters that every match of the pattern (PCRE2's syntax) holds to out, each with a NUL behind it, in
   their order, and an empty one behind the last.  out has room for the pattern and two octets more. */
void required_literals(const char *pattern, char *out);

#endif
