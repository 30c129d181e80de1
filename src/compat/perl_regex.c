/* perl_regex.c — a thin wrap of PCRE2's 8-bit library. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "perl_regex.h"

#include <stdlib.h>

#include "../base/memory.h"

#define WORK_LIMIT 1000000 /* steps of one match */

struct perl_regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

/* PCRE2's option for a flag letter; false: no such flag. */
static bool add_flag(char flag, uint32_t *options)
{
    static const struct { char flag; uint32_t option; } known[] = {
        {'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE}, {'s', PCRE2_DOTALL}, {'x', PCRE2_EXTENDED},
        {'n', PCRE2_NO_AUTO_CAPTURE}, {'g', 0}, {'o', 0}, {'a', 0}, {'u', 0}, {'l', 0}, {'d', 0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].flag == flag) {
            *options |= known[i].option;
            return true;
        }
    return false;
}

static int fail_compile(struct slice text, int code, size_t at, struct error *err)
{
    PCRE2_UCHAR why[200] = "";
    pcre2_get_error_message(code, why, sizeof why);
    return error_set(err, FAIL_USAGE, "the pattern '%.*s' is not understood at octet %zu: %s",
                     (int)(text.n > 200 ? 200 : text.n), text.p, at, (const char *)why);
}

int perl_regex_new(struct perl_regex **regex, struct slice text, struct slice flags, struct error *err)
{
    uint32_t options = 0;
    int code;
    size_t at;
    for (size_t i = 0; i < flags.n; i++)
        if (!add_flag(flags.p[i], &options))
            return error_set(err, FAIL_USAGE, "no flag '%c' behind a pattern; there are i m s x n", flags.p[i]);
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)text.p, text.n, options, &code, &at, NULL);
    if (!compiled)
        return fail_compile(text, code, at, err);
    pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* without it matching is slower, nothing else */
    struct perl_regex *made = xmalloc(sizeof *made);
    *made = (struct perl_regex){compiled, pcre2_match_data_create_from_pattern(compiled, NULL),
                                pcre2_match_context_create(NULL)};
    if (!made->match || !made->limits)
        abort();
    pcre2_set_match_limit(made->limits, WORK_LIMIT);
    pcre2_set_depth_limit(made->limits, WORK_LIMIT);
    *regex = made;
    return 0;
}

int perl_regex_from_source(struct perl_regex **regex, const char *source, struct error *err)
{
    const char *last = strrchr(source, '/');
    if (*source != '/' || last == source)
        return error_set(err, FAIL_USAGE,
                         "'%s' is not /pattern/flags; other Perl source is not run", source);
    struct slice text = slice_of(source + 1, (size_t)(last - source) - 1);
    return perl_regex_new(regex, text, slice_of(last + 1, strlen(last + 1)), err);
}

bool perl_regex_matches(const struct perl_regex *regex, struct slice subject)
{
    return pcre2_match(regex->code, (PCRE2_SPTR)subject.p, subject.n, 0, 0, regex->match, regex->limits) >= 0;
}

void perl_regex_free(struct perl_regex **regex)
{
    if (!*regex)
        return;
    pcre2_match_context_free((*regex)->limits);
    pcre2_match_data_free((*regex)->match);
    pcre2_code_free((*regex)->code);
    free(*regex);
    *regex = NULL;
}
