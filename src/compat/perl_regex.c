/* perl_regex.c — what of Perl's syntax PCRE2 reads differently is rewritten, then PCRE2 does the work. */
#include "perl_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "../base/memory.h"
#include "required_literals.h"

#define LITERAL_LEAST 3   /* octets: a shorter one is in most lines */
#define LITERAL_TRIES 1000 /* texts after which a literal that most of them hold is no longer searched for */

#define JIT_STACK_START ((size_t)32 << 10)
#define JIT_STACK_MOST ((size_t)8 << 20)

struct perl_regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    bool jit, is_literal;
    char *literals;     /* what a text must hold, as required_literals has it; NULL: not worth it */
    const char *next;   /* the one that is searched for next, if the present one proves too frequent */
    unsigned literal_flags;
    struct perl_regex *literal; /* the one that is searched for now; NULL: none */
    unsigned tried, held;       /* texts searched for it, and those that hold it */
    struct perl_regex *finder;  /* the longest literal, for texts of many lines; NULL: none */
};

/* ---- the syntax -------------------------------------------------------------------------------- */

static size_t blanks(const char *p)
{
    return strspn(p, " \t");
}

static size_t digits(const char *p)
{
    return strspn(p, "0123456789");
}

/* A quantifier as Perl has it since 5.34, {,n} and blanks inside braces included: writes it as PCRE2 reads it.
   Answers how many octets it took; 0: it is none. */
static size_t quantifier(const char *p, char **out)
{
    const char *start = p++;
    p += blanks(p);
    const char *low = p;
    size_t low_n = digits(p);
    p += low_n;
    p += blanks(p);
    bool comma = *p == ',';
    p += comma;
    p += comma ? blanks(p) : 0;
    const char *high = p;
    size_t high_n = comma ? digits(p) : 0;
    p += high_n;
    p += blanks(p);
    if (*p != '}' || low_n + high_n == 0)
        return 0;
    char *text = xprintf("{%.*s%s%.*s}", low_n ? (int)low_n : 1, low_n ? low : "0", comma ? "," : "", (int)high_n, high);
    size_t n = strlen(text);
    memcpy(*out, text, n);
    *out += n;
    free(text);
    return (size_t)(p + 1 - start);
}

/* Perl takes \Q, \E and \L for its strings, not for its patterns: in a pattern that is read, as here, they are the
   letters.  In PCRE2 they are not. */
static bool is_string_escape(char c)
{
    return c && strchr("QELUlu", c);
}

/* An escape: a backslash and what it stands in front of.  \N{U+hex} is \x{hex} in PCRE2.  As quantifier. */
static size_t escape(const char *p, char **out)
{
    if (strncmp(p, "\\N{U+", 5) == 0) {
        memcpy(*out, "\\x{", 3);
        *out += 3;
        return 5;
    }
    if (!is_string_escape(p[1]))
        *(*out)++ = '\\';
    *(*out)++ = p[1];
    return 2;
}

/* A pattern that does not end in an escape, in PCRE2's syntax; the caller's to free. */
static char *translated(const char *p)
{
    char *text = xmalloc(2 * strlen(p) + 1), *out = text;
    bool class = false;
    while (*p) {
        size_t n = *p == '\\' ? escape(p, &out) : *p == '{' && !class ? quantifier(p, &out) : 0;
        p += n;
        if (n)
            continue;
        class = class ? *p != ']' : *p == '[';
        *out++ = *p++;
    }
    *out = 0;
    return text;
}

/* ---- compiling --------------------------------------------------------------------------------- */

/* A backslash with nothing behind it, which PCRE2 would take for itself where it takes what it does not know. */
static bool ends_in_escape(const char *pattern)
{
    size_t n = strlen(pattern), backslashes = 0;
    while (backslashes < n && pattern[n - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

static uint32_t options_of(unsigned flags)
{
    static const struct { unsigned flag; uint32_t option; } known[] = {
        {PERL_REGEX_LITERAL, PCRE2_LITERAL},     {PERL_REGEX_CASELESS, PCRE2_CASELESS},
        {PERL_REGEX_MULTILINE, PCRE2_MULTILINE}, {PERL_REGEX_DOTALL, PCRE2_DOTALL},
        {PERL_REGEX_EXTENDED, PCRE2_EXTENDED},   {PERL_REGEX_NO_CAPTURE, PCRE2_NO_AUTO_CAPTURE}};
    uint32_t options = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        options |= flags & known[i].flag ? known[i].option : 0;
    return options;
}

/* pattern as it was given, for the message; text in PCRE2's syntax. */
static pcre2_code *compile(const char *pattern, const char *text, unsigned flags, struct error *err)
{
    uint32_t options = options_of(flags);
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    int code;
    PCRE2_SIZE at;
    if (!context)
        exit(EXIT_MEMORY);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    if (!(flags & PERL_REGEX_LITERAL))
        pcre2_set_compile_extra_options(context, PCRE2_EXTRA_BAD_ESCAPE_IS_LITERAL);
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &code, &at, context);
    if (!compiled) {
        char why[256];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        error_set(err, FAIL_USAGE, "pattern '%s': %s, behind '%.*s'", pattern, why, (int)at, text);
    }
    pcre2_compile_context_free(context);
    return compiled;
}

static struct perl_regex *with_code(pcre2_code *code, unsigned flags)
{
    struct perl_regex *r = xcalloc(1, sizeof *r);
    r->is_literal = flags & PERL_REGEX_LITERAL;
    r->code = code;
    r->match = pcre2_match_data_create(1, NULL);
    r->context = pcre2_match_context_create(NULL);
    r->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MOST, NULL);
    if (!r->match || !r->context || !r->stack)
        exit(EXIT_MEMORY);
    pcre2_jit_stack_assign(r->context, NULL, r->stack);
    r->jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
    return r;
}

/* Goes on to the next literal that is long enough. */
static void next_literal(struct perl_regex *r)
{
    struct error err;
    perl_regex_free(&r->literal);
    r->tried = r->held = 0;
    while (!r->literal && *r->next) {
        size_t n = strlen(r->next);
        if (n >= LITERAL_LEAST)
            perl_regex_new(r->next, r->literal_flags, &r->literal, &err);
        r->next += n + 1;
    }
}

/* Literals are worth a search of their own where the pattern might go back and forth. */
static void use_literals(struct perl_regex *r, const char *text, unsigned flags)
{
    if ((flags & (PERL_REGEX_LITERAL | PERL_REGEX_EXTENDED)) || !strpbrk(text, "*+{"))
        return;
    r->literals = xmalloc(strlen(text) + 2);
    required_literals(text, r->literals);
    r->next = r->literals;
    r->literal_flags = (flags & PERL_REGEX_CASELESS) | PERL_REGEX_LITERAL;
    next_literal(r);
}

/* What texts of many lines are searched for: the longest literal. */
static void use_finder(struct perl_regex *r, const char *text, unsigned flags)
{
    struct error err;
    if (flags & (PERL_REGEX_LITERAL | PERL_REGEX_EXTENDED))
        return;
    char *literals = xmalloc(strlen(text) + 2), *longest = literals;
    required_literals(text, literals);
    for (char *p = literals; *p; p += strlen(p) + 1)
        if (strlen(p) > strlen(longest))
            longest = p;
    if (strlen(longest) >= LITERAL_LEAST)
        perl_regex_new(longest, (flags & PERL_REGEX_CASELESS) | PERL_REGEX_LITERAL, &r->finder, &err);
    free(literals);
}

int perl_regex_new(const char *pattern, unsigned flags, struct perl_regex **regex, struct error *err)
{
    if (!(flags & PERL_REGEX_LITERAL) && ends_in_escape(pattern))
        return error_set(err, FAIL_USAGE, "pattern '%s': \\ at its end stands in front of nothing", pattern);
    char *text = flags & PERL_REGEX_LITERAL ? xstrdup(pattern) : translated(pattern);
    pcre2_code *code = compile(pattern, text, flags, err);
    *regex = code ? with_code(code, flags) : NULL;
    if (code) {
        use_literals(*regex, text, flags);
        use_finder(*regex, text, flags);
    }
    free(text);
    return code ? 0 : -1;
}

void perl_regex_free(struct perl_regex **regex)
{
    struct perl_regex *r = *regex;
    if (!r)
        return;
    perl_regex_free(&r->literal);
    perl_regex_free(&r->finder);
    free(r->literals);
    pcre2_code_free(r->code);
    pcre2_match_data_free(r->match);
    pcre2_match_context_free(r->context);
    pcre2_jit_stack_free(r->stack);
    free(r);
    *regex = NULL;
}

/* ---- matching ---------------------------------------------------------------------------------- */

/* false: text lacks what every match holds. */
static bool may_match(struct perl_regex *regex, struct slice text, struct error *err)
{
    if (!regex->literal)
        return true;
    bool held = perl_regex_matches(regex->literal, text, err) != 0;
    regex->held += held;
    if (++regex->tried == LITERAL_TRIES && regex->held > LITERAL_TRIES / 2)
        next_literal(regex);
    return held;
}

int perl_regex_matches(struct perl_regex *regex, struct slice text, struct error *err)
{
    if (!may_match(regex, text, err))
        return 0;
    PCRE2_SPTR p = (PCRE2_SPTR)text.p;
    int code = regex->jit ? pcre2_jit_match(regex->code, p, text.n, 0, 0, regex->match, regex->context)
                          : pcre2_match(regex->code, p, text.n, 0, 0, regex->match, regex->context);
    if (code == PCRE2_ERROR_JIT_STACKLIMIT)
        code = pcre2_match(regex->code, p, text.n, 0, PCRE2_NO_JIT, regex->match, regex->context);
    if (code >= 0)
        return 1;
    if (code == PCRE2_ERROR_NOMATCH)
        return 0;
    char why[256];
    pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
    return error_set(err, FAIL_DATA, "the pattern takes too long on this line (%s): %.*s", why,
                     (int)(text.n < 200 ? text.n : 200), text.p);
}

size_t perl_regex_candidate(struct perl_regex *regex, struct slice text, size_t from)
{
    struct perl_regex *finder = regex->is_literal ? regex : regex->finder;
    if (!finder || !finder->jit)
        return from;
    int code = pcre2_jit_match(finder->code, (PCRE2_SPTR)text.p, text.n, from, 0, finder->match, finder->context);
    return code >= 0                       ? pcre2_get_ovector_pointer(finder->match)[0]
           : code == PCRE2_ERROR_NOMATCH ? text.n
                                         : from;
}
