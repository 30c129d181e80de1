/* key.c — see key.h. */
#include "key.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../../parsers/ascii.h"
#include "../../parsers/dialect.h"
#include "../../parsers/header.h"
#include "../base/memory.h"
#include "array.h"

/* ---- an argument ------------------------------------------------------------------------------- */

static struct slice without_edges(struct slice text, const char *before, const char *behind)
{
    while (text.n && strchr(before, text.p[0]))
        text = slice_after(text, 1);
    while (text.n && strchr(behind, text.p[text.n - 1]))
        text.n--;
    return text;
}

static struct slice without_prefix(struct slice text)
{
    static const char *const prefixes[] = {"mailto:", "message-id:", "@"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (begins(text, prefixes[i]) && text.n > strlen(prefixes[i]))
            return without_edges(slice_after(text, strlen(prefixes[i])), " ", "");
    return text;
}

/* The Exim id in "250 OK id=1abcde-...", or the text itself. */
static struct slice id_told(struct slice text)
{
    for (size_t i = 0; i + 3 < text.n; i++) {
        struct slice rest = slice_after(text, i);
        bool told = begins(rest, "id=") && (i == 0 || text.p[i - 1] == ' ');
        size_t n = told ? exim_id_length(slice_after(rest, 3)) : 0;
        if (n)
            return slice_of(rest.p + 3, n);
    }
    return text;
}

/* "x@y.example" of "A Name <x@y.example>". */
static struct slice within_brackets(struct slice text)
{
    const char *open = text.n && text.p[text.n - 1] == '>' ? memrchr(text.p, '<', text.n) : NULL;
    return open ? slice_of(open + 1, (size_t)(text.p + text.n - open) - 2) : text;
}

static size_t digits_at_end(struct slice text)
{
    size_t n = 0;
    while (n < text.n && is_digit(text.p[text.n - 1 - n]))
        n++;
    return n;
}

/* An IP without [] and the port behind it. */
static struct slice without_port(struct slice text)
{
    size_t digits = digits_at_end(text), colon = text.n - digits;
    bool port = digits && colon > 1 && text.p[colon - 1] == ':';
    struct slice host = port ? slice_of(text.p, colon - 1) : text;
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        return slice_of(host.p + 1, host.n - 2);
    bool is_ipv4 = host.n && digits_at_end(host) && memchr(host.p, '.', host.n) && !memchr(host.p, ':', host.n) &&
                   !memchr(host.p, '@', host.n);
    return is_ipv4 ? host : text;
}

static struct slice without_quotes(struct slice text)
{
    bool quoted = text.n > 2 && (text.p[0] == '"' || text.p[0] == '\'') && text.p[text.n - 1] == text.p[0];
    return quoted ? slice_of(text.p + 1, text.n - 2) : text;
}

struct key key_of(const char *argument)
{
    struct slice whole = without_edges(slice_of(argument, strlen(argument)), " \t", " \t");
    struct slice text = without_quotes(without_edges(whole, "(", ",;.!?) "));
    struct key key = {without_port(without_prefix(within_brackets(id_told(text)))), SLICE_ABSENT, false};
    if (begins(whole, "subject:"))
        key.words = slice_after(whole, sizeof "subject:" - 1);
    if (!key.text.n)
        key.text = whole;
    key.is_id = exim_id_valid(key.text);
    return key;
}

/* ---- a text ------------------------------------------------------------------------------------ */

static bool same_text(struct slice a, struct slice b)
{
    return a.p && b.p && a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

/* As table string has it: a@b.c -> b.c, mx.b.c -> b.c. */
static struct slice domain_of(struct slice text)
{
    const char *at = text.n ? memrchr(text.p, '@', text.n) : NULL, *dot = text.n ? memchr(text.p, '.', text.n) : NULL;
    if (!at && !dot)
        return SLICE_ABSENT;
    struct slice rest = slice_after(text, (size_t)((at ? at : dot) - text.p) + 1);
    return at || memchr(rest.p, '.', rest.n) ? rest : SLICE_ABSENT;
}

bool key_is(const struct key *key, struct slice text)
{
    if (key->words.p || !text.p)
        return false;
    bool may_be_domain = key->text.n && !memchr(key->text.p, '@', key->text.n);
    return same_text(key->text, text) || (may_be_domain && same_text(key->text, domain_of(text)));
}

bool key_has_words(const struct key *key, const char *text)
{
    struct slice words = key->words;
    char word[256];
    while (words.n) {
        size_t n = 0;
        while (words.n && *words.p == ' ')
            words = slice_after(words, 1);
        while (n < words.n && words.p[n] != ' ')
            n++;
        if (n >= sizeof word)
            return false;
        memcpy(word, words.p, n);
        word[n] = 0;
        if (!strcasestr(text, word))
            return false;
        words = slice_after(words, n);
    }
    return true;
}

/* ---- several ----------------------------------------------------------------------------------- */

bool key_in_array(const struct key *key, struct slice array)
{
    char *room = array.n ? xmalloc(array.n) : NULL;
    bool found = false;
    for (struct slice text; !found && (text = array_next(&array, room)).p;)
        found = key_is(key, text);
    free(room);
    return found;
}

static bool subject_has(const struct key *key, struct slice header)
{
    struct slice subject;
    if (!header_is(header, "subject", &subject))
        return false;
    char *text = xmalloc(subject.n + 1);
    memcpy(text, subject.p, subject.n);
    text[subject.n] = 0;
    bool found = key_has_words(key, text);
    free(text);
    return found;
}

bool key_in_header(const struct key *key, struct slice header)
{
    if (key->words.p)
        return subject_has(key, header);
    struct slice id = header_message_id(header);
    if (id.p)
        return same_text(key->text, id);
    for (struct slice address; (address = header_address(&header)).p;)
        if (key_is(key, address))
            return true;
    return false;
}
