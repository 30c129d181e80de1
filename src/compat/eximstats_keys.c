/* eximstats_keys.c — hosts, domains, addresses and users as eximstats cuts them out of a line. */
#include "eximstats_keys.h"

#include "../../parsers/scan.h"
#include "../base/memory.h"
#include "../../parsers/ascii.h"

/* ---- small things ------------------------------------------------------------------------------ */

const struct slice local_host = {"local", 5};

struct slice first_word(struct slice text)
{
    const char *blank = text.n ? memchr(text.p, ' ', text.n) : NULL;
    return slice_of(text.p, blank ? (size_t)(blank - text.p) : text.n);
}

char *scratch(struct scratch *s, size_t size)
{
    s->p = grow(s->p, &s->capacity, size, 1);
    return s->p;
}

char *append(char *to, struct slice text, bool small)
{
    for (size_t i = 0; i < text.n; i++)
        to[i] = small ? lower(text.p[i]) : text.p[i];
    return to + text.n;
}

struct slice lowered(struct scratch *s, struct slice text)
{
    char *to = scratch(s, text.n + 1);
    append(to, text, true);
    return slice_of(to, text.n);
}

/* ---- who --------------------------------------------------------------------------------------- */

/* The last "[...]" of a host item. */
struct slice bracketed(struct slice peer)
{
    const char *open = peer.n ? memrchr(peer.p, '[', peer.n) : NULL;
    const char *close = open ? memchr(open, ']', (size_t)(peer.p + peer.n - open)) : NULL;
    return close ? slice_of(open, (size_t)(close - open) + 1) : local_host;
}

static bool stands_behind(struct slice text, const char *p, const char *lit)
{
    size_t n = strlen(lit);
    return p >= text.p + n && memcmp(p - n, lit, n) == 0;
}

/* Of a line without a flag eximstats knows few wordings with a host but no H=. */
struct slice refused_ip(struct slice text, struct slice peer)
{
    if (!peer.p || peer.p < text.p || peer.p > text.p + text.n)
        return local_host;
    if (stands_behind(text, peer.p, "H=") || stands_behind(text, peer.p, "SMTP call from ") ||
        (stands_behind(text, peer.p, "Connection from ") && *peer.p == '['))
        return bracketed(peer);
    if (!slice_starts(text, "rejected HELO from ") && !slice_starts(text, "rejected EHLO from "))
        return local_host;
    struct slice ip = bracketed(peer), behind = slice_of(ip.p + ip.n, (size_t)(text.p + text.n - ip.p) - ip.n);
    return slice_starts(behind, ":") || slice_starts(behind, " I=") ? ip : local_host;
}

static bool is_number_and_dots(struct slice s)
{
    size_t i = 0;
    while (i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.'))
        i++;
    return i == s.n;
}

/* The host without its first label, if two are left; what is in parentheses keeps the one and the point. */
struct slice domain_of(struct scratch *s, struct slice host)
{
    if (*host.p == '[' || is_number_and_dots(host))
        return host;
    bool open = host.n > 1 && host.p[0] == '(' && host.p[1] != '.';
    struct slice name = slice_after(host, open);
    const char *dot = name.n ? memchr(name.p, '.', name.n) : NULL;
    struct slice rest = dot ? slice_after(name, (size_t)(dot - name.p) + 1) : SLICE_ABSENT;
    const char *second = rest.n ? memchr(rest.p, '.', rest.n) : NULL;
    if (!dot || dot == name.p || !second || second == rest.p)
        return SLICE_LIT("localdomain");
    char *to = scratch(s, host.n + 2);
    char *end = append(append(to, SLICE_LIT("(."), false) - (open ? 0 : 2), rest, true);
    return slice_of(to, (size_t)(end - to));
}

/* "<address>" at the head of s, of which the address may be empty behind its @; 0: none. */
static size_t angle_length(struct slice s)
{
    size_t i = 1;
    if (s.n < 3 || *s.p != '<')
        return 0;
    while (i < s.n && s.p[i] != '@' && s.p[i] != '>')
        i++;
    if (i == 1 || i == s.n)
        return 0;
    const char *close = memchr(s.p + i, '>', s.n - i);
    return close ? (size_t)(close - s.p) + 1 : 0;
}

/* The first word with its blank, and the original address if that comes next. */
static struct slice email_with_original(struct slice rest)
{
    struct slice word = first_word(rest);
    if (word.n == 0 || word.n == rest.n)
        return slice_of(rest.p, 0);
    return slice_of(rest.p, word.n + 1 + angle_length(slice_after(rest, word.n + 1)));
}

struct slice email_of(struct slice rest, bool original)
{
    return original ? email_with_original(rest) : first_word(rest);
}

/* What follows the first @ that something follows. */
static struct slice behind_at(struct slice word)
{
    const char *at = word.n > 1 ? memchr(word.p, '@', word.n - 1) : NULL;
    return at ? slice_after(word, (size_t)(at - word.p) + 1) : SLICE_ABSENT;
}

/* The octets behind an @ up to a > that comes before any blank, or an absent slice; from on. */
static struct slice angled_domain(struct slice s, size_t from)
{
    for (size_t i = from; i + 2 < s.n; i++) {
        struct slice rest = first_word(slice_after(s, i));
        const char *close = s.p[i] == '@' && rest.n > 2 ? memchr(rest.p + 2, '>', rest.n - 2) : NULL;
        if (close)
            return slice_of(rest.p + 1, (size_t)(close - rest.p) - 1);
    }
    return SLICE_ABSENT;
}

/* The first word with its blank and "<user@domain>" if that comes next; the first domain before a > in small letters. */
static struct slice edomain_with_original(struct scratch *s, struct slice rest)
{
    struct slice word = first_word(rest);
    if (word.n == 0 || word.n == rest.n)
        return slice_of(rest.p, 0);
    struct slice next = first_word(slice_after(rest, word.n + 1));
    struct slice domain = next.n && *next.p == '<' ? angled_domain(next, 1) : SLICE_ABSENT;
    const char *end = domain.p ? domain.p + domain.n + 1 : word.p + word.n + 1;
    struct slice all = slice_of(rest.p, (size_t)(end - rest.p));
    struct slice first = angled_domain(all, 0);
    if (!first.p)
        return all;
    char *to = scratch(s, all.n);
    append(to, all, false);
    append(to + (first.p - all.p), first, true);
    return slice_of(to, all.n);
}

struct slice edomain_of(struct scratch *s, struct slice rest, bool original)
{
    if (slice_starts(rest, "<>"))
        return slice_of(rest.p, 2);
    if (slice_starts(rest, "blackhole"))
        return slice_of(rest.p, 9);
    if (original)
        return edomain_with_original(s, rest);
    struct slice domain = behind_at(first_word(rest));
    return domain.p ? lowered(s, domain) : SLICE_LIT("");
}

/* ---- users and aliases -------------------------------------------------------------------------- */

/* " <address> " behind the user, with its blanks left out. */
static struct slice parent_of(struct slice rest)
{
    struct slice from = rest;
    for (ptrdiff_t at; (at = slice_find(from, " <")) >= 0; from = slice_after(from, (size_t)at + 1)) {
        struct slice angle = slice_after(from, (size_t)at + 1);
        ptrdiff_t close = angle.n > 2 ? slice_find(slice_after(angle, 2), "> ") : -1;
        if (close >= 0)
            return slice_of(angle.p, (size_t)close + 3);
    }
    return SLICE_ABSENT;
}

struct slice user_of(struct scratch *s, struct slice rest, bool original, struct slice *parent)
{
    ptrdiff_t angle = slice_find(rest, " <");
    struct slice user = angle >= 0 ? slice_of(rest.p, (size_t)angle) : first_word(rest);
    bool with_parent = original || (user.n && (*user.p == '/' || *user.p == '|'));
    *parent = with_parent ? parent_of(rest) : SLICE_ABSENT;
    if (!parent->p)
        return user;
    char *to = scratch(s, user.n + 1 + parent->n);
    append(append(append(to, user, false), SLICE_LIT(" "), false), *parent, false);
    return slice_of(to, user.n + 1 + parent->n);
}

static bool equal_but_case(struct slice a, struct slice b)
{
    size_t i = 0;
    while (i < a.n && i < b.n && lower(a.p[i]) == lower(b.p[i]))
        i++;
    return a.n == b.n && i == a.n;
}

/* The address between the brackets that come next, maybe behind one letter in parentheses: an alias, unless it is the
   word itself. */
bool is_alias(struct slice rest)
{
    struct slice word = first_word(rest), behind = slice_after(rest, word.n);
    if (behind.n > 5 && behind.p[1] == '(' && behind.p[2] != ')' && behind.p[3] == ')')
        behind = slice_after(behind, 4);
    size_t i = 0;
    while (i < behind.n && behind.p[i] == ' ')
        i++;
    if (i == 0 || i == behind.n || behind.p[i] != '<')
        return false;
    struct slice inner = slice_after(behind, i + 1);
    const char *close = inner.n ? memchr(inner.p, '>', inner.n) : NULL;
    return close && close > inner.p && !equal_but_case(word, slice_of(inner.p, (size_t)(close - inner.p)));
}

/* ---- lines of sa-exim ---------------------------------------------------------------------------- */

struct slice scanned_ip(struct slice text)
{
    ptrdiff_t from = slice_find(text, "From");
    struct slice rest = from >= 0 ? slice_after(text, (size_t)from + 4) : slice_of(text.p, 0);
    for (ptrdiff_t at; (at = slice_find(rest, "[")) >= 0; rest = slice_after(rest, (size_t)at + 1)) {
        ptrdiff_t close = slice_find(slice_after(rest, (size_t)at), "]");
        if (close > 1)
            return slice_of(rest.p + at, (size_t)close + 1);
    }
    return slice_find(text, "(local)") >= 0 ? local_host : slice_of(text.p, 0);
}
