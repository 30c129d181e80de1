/* perl_source.c — slashes and flags; the pattern itself is perl_regex's. */
#include "perl_source.h"

#include <stdlib.h>

#include "../base/memory.h"

/* false: no such flag. */
static bool add_flag(char flag, unsigned *flags)
{
    static const struct { char flag; unsigned bit; } known[] = {
        {'i', PERL_REGEX_CASELESS}, {'m', PERL_REGEX_MULTILINE}, {'s', PERL_REGEX_DOTALL}, {'x', PERL_REGEX_EXTENDED},
        {'n', PERL_REGEX_NO_CAPTURE}, {'g', 0}, {'o', 0}, {'a', 0}, {'u', 0}, {'l', 0}, {'d', 0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].flag == flag) {
            *flags |= known[i].bit;
            return true;
        }
    return false;
}

int perl_source_new(const char *source, struct perl_regex **regex, struct error *err)
{
    const char *last = strrchr(source, '/');
    unsigned flags = 0;
    if (*source != '/' || last == source)
        return error_set(err, FAIL_USAGE, "'%s' is not /pattern/flags; other Perl source is not run", source);
    for (const char *flag = last + 1; *flag; flag++)
        if (!add_flag(*flag, &flags))
            return error_set(err, FAIL_USAGE, "no flag '%c' behind a pattern; there are i m s x n", *flag);
    char *pattern = xprintf("%.*s", (int)(last - source) - 1, source + 1);
    int done = perl_regex_new(pattern, flags, regex, err);
    free(pattern);
    return done;
}

bool perl_source_matches(struct perl_regex *regex, struct slice subject)
{
    struct error ignored;
    return perl_regex_matches(regex, subject, &ignored) > 0;
}
