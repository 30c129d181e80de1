/* reason_normal.c — a reason without what varies from message to message: addresses, hosts, ids, numbers, quoted
   text, lines of an answer.  What names the cause stays: words, codes, DNS lists.  Tests: tests/unit/reason_test.c */
#include "dialect.h"
#include "ascii.h"

struct out {
    char *p;
    size_t n, cap;
};

static void put(struct out *out, struct slice s)
{
    size_t room = out->cap - out->n, n = s.n < room ? s.n : room;
    if (n)
        memcpy(out->p + out->n, s.p, n);
    out->n += n;
}

static void put_text(struct out *out, const char *text)
{
    put(out, slice_of(text, strlen(text)));
}

/* --- what a word is --- */

static bool is_ip(struct slice s)
{
    size_t dots = 0, colons = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = lower(s.p[i]);
        dots += c == '.';
        colons += c == ':';
        if (!is_digit(c) && c != '.' && c != ':' && (c < 'a' || c > 'f'))
            return false;
        if (!is_digit(c) && c != '.' && dots && !colons)
            return false;
    }
    return (dots == 3 && s.n >= 7) || colons >= 2;
}

static bool is_number(struct slice s)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        digits += is_digit(s.p[i]);
        if (!is_digit(s.p[i]) && s.p[i] != '.' && s.p[i] != '%' && s.p[i] != '-' && s.p[i] != '+')
            return false;
    }
    return digits > 0;
}

/* Whether s begins as the pattern, in which 0 stands for any digit. */
static bool looks_like(struct slice s, const char *pattern)
{
    size_t i = 0;
    for (; pattern[i]; i++)
        if (i >= s.n || (pattern[i] == '0' ? !is_digit(s.p[i]) : s.p[i] != pattern[i]))
            return false;
    return true;
}

/* 10:00:01, 2026-11-20T10:00:01.000Z */
static bool is_time(struct slice s)
{
    return (s.n == 8 && looks_like(s, "00:00:00")) || looks_like(s, "0000-00-00T00:00");
}

/* Digits with a unit behind them: 30s, 5KB, 4h. */
static bool is_amount(struct slice s)
{
    size_t i = 0;
    while (i < s.n && (is_digit(s.p[i]) || (i > 0 && s.p[i] == '.')))
        i++;
    return i > 0 && s.n - i <= 2;
}

/* A score drawn: "+++++", "*****". */
static bool is_bar(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != *s.p)
            return false;
    return s.n && (*s.p == '+' || (*s.p == '*' && s.n > 2));
}

/* 5.1.1, the same wherever it stands; a reply code only where one can be. */
static bool is_status(struct slice s)
{
    return s.n >= 5 && (*s.p == '2' || *s.p == '4' || *s.p == '5') && s.p[1] == '.' &&
           is_digit(s.p[2]) && memchr(s.p + 3, '.', s.n - 3) && s.n <= 9;
}

static bool is_reply_code(struct slice s, const char *begin)
{
    if (s.n < 3 || *s.p < '2' || *s.p > '5' || !is_digit(s.p[1]) || !is_digit(s.p[2]))
        return false;
    if (s.n > 3 && s.p[3] != '-')
        return false;
    return s.p == begin || (s.p - begin >= 2 && (s.p[-2] == ':' || s.p[-1] == 'n'));
}

enum { SMALL, LARGE, DIGIT, GLUE };

static int sort_of(char c)
{
    return is_digit(c) ? DIGIT : c >= 'A' && c <= 'Z' ? LARGE : is_alnum(c) ? SMALL : GLUE;
}

/* Queue ids, hashes and such: long, and of letters and digits so mixed that nobody would say them; not a name
   with dots. */
static bool is_id(struct slice s)
{
    size_t count[4] = {0}, changes = 0;
    if (exim_id_valid(s))
        return true;
    for (size_t i = 0; i < s.n; i++) {
        int sort = sort_of(s.p[i]);
        count[sort]++;
        changes += i > 0 && sort != sort_of(s.p[i - 1]);
        if (sort == GLUE && s.p[i] != '-' && s.p[i] != '_')
            return false;
    }
    bool mixed = count[SMALL] && count[LARGE] && count[DIGIT] && changes >= 5;
    bool numbered = count[DIGIT] >= 5 || (count[DIGIT] >= 3 && changes >= 3);
    return s.n >= 8 && count[SMALL] + count[LARGE] > 0 && (numbered || mixed);
}

static bool is_address(struct slice s)
{
    const char *at = s.n > 2 ? memchr(s.p + 1, '@', s.n - 2) : NULL;
    return at && is_alnum(at[1]);
}

/* host.name, with a dot inside. */
static bool is_host(struct slice s)
{
    size_t dots = 0;
    for (size_t i = 0; i < s.n; i++) {
        dots += s.p[i] == '.' && i > 0 && i + 1 < s.n;
        if (!is_alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '-' && s.p[i] != '_')
            return false;
    }
    return dots > 0 && !is_ip(s) && !is_number(s);
}

static bool has_label(struct slice name, const char *label)
{
    size_t n = strlen(label), start = 0;
    for (size_t i = 0; i <= name.n; i++) {
        if (i < name.n && name.p[i] != '.')
            continue;
        bool same = i - start == n;
        for (size_t k = 0; same && k < n; k++)
            same = lower(name.p[start + k]) == label[k];
        if (same)
            return true;
        start = i + 1;
    }
    return false;
}

/* zen.spamhaus.org and its like: a name that says what it is. */
static bool is_list(struct slice name)
{
    static const char *const labels[] = {
        "rbl",      "dnsbl",    "bl",        "sbl",      "xbl",      "pbl",       "cbl",      "dbl",
        "zen",      "dul",      "psbl",      "ubl",      "surbl",    "multi",     "uribl",    "spamhaus",
        "spamcop",  "sorbs",    "abuseat",   "njabl",    "dnswl",    "blocklist", "blacklist", "black",
        "uceprotect", "mailspike", "barracudacentral", "hostkarma", "spamrats", "ix"};
    for (size_t i = 0; is_host(name) && i < sizeof labels / sizeof *labels; i++)
        if (has_label(name, labels[i]))
            return true;
    return false;
}

/* --- pieces of a reason: each step says how many octets it read and wrote for, 0 if it is not its turn --- */

struct place {
    struct slice all;  /* the reason */
    size_t at;
    struct slice rest; /* from at on */
};

/* The name that did not get in, or an address that is none, is all that is left. */
static size_t put_rest(const struct place *here, struct out *out)
{
    static const struct { const char *words, *instead; } ends[] = {
        {"set_id=", "set_id=<user>)"}, {"header is: ", "header is: <address>"}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (slice_starts(here->rest, ends[i].words)) {
            put_text(out, ends[i].instead);
            return here->rest.n;
        }
    return 0;
}

/* Behind "\n" an answer's next line, which begins with the codes of the first: how an answer is broken into lines
   is no reason. */
static size_t put_line_break(const struct place *here, struct out *out)
{
    struct slice s = here->rest;
    size_t n = 0;
    while (n < s.n && s.p[n] == '\\')
        n++;
    if (n == 0 || n == s.n || s.p[n] != 'n')
        return 0;
    n++;
    struct slice code = slice_of(s.p + n, s.n - n < 3 ? s.n - n : 3);
    if (is_reply_code(code, code.p) && n + 3 < s.n && (s.p[n + 3] == '-' || s.p[n + 3] == ' ')) {
        n += 4;
        size_t word = 0;
        while (n + word < s.n && s.p[n + word] != ' ')
            word++;
        if (is_status(slice_of(s.p + n, word)))
            n += word < s.n - n ? word + 1 : word;
    }
    if (out->n && out->p[out->n - 1] != ' ' && n < s.n)
        put_text(out, " ");
    return n;
}

/* "(helo name) [ip]": the name is the client's, and may be anything. */
static size_t put_helo(const struct place *here, struct out *out)
{
    if (*here->rest.p != '(')
        return 0;
    enum { LONGEST = 256 };
    struct slice s = slice_of(here->rest.p, here->rest.n < LONGEST ? here->rest.n : LONGEST);
    ptrdiff_t end = slice_find(s, ") [");
    const char *close = memchr(s.p, ')', s.n);
    if (end < 0)
        return 0;
    struct slice behind = slice_after(here->rest, (size_t)end + 3);
    const char *bracket = memchr(behind.p, ']', behind.n);
    bool is_helo = bracket && is_ip(slice_of(behind.p, (size_t)(bracket - behind.p)));
    if (!is_helo || (close < s.p + end && !memchr(s.p + 1, '[', (size_t)end - 1)))
        return 0;
    put_text(out, "(<host>)");
    return (size_t)end + 1;
}

/* <>, <a@b>, <"a b> c"@d>: the length with its brackets, 0 if it is none. */
static size_t address_length(struct slice s)
{
    bool quoted = false, at = false;
    size_t n = 1;
    for (; n < s.n && (quoted || s.p[n] != '>'); n++) {
        if (s.p[n] == '\\' && n + 1 < s.n)
            n++;
        else if (s.p[n] == '"')
            quoted = !quoted;
        else if (!quoted && (s.p[n] == ' ' || s.p[n] == '<'))
            return 0;
        at |= s.p[n] == '@' && !quoted;
    }
    return n < s.n && (at || n == 1) ? n + 1 : 0;
}

static size_t put_address(const struct place *here, struct out *out)
{
    size_t n = *here->rest.p == '<' ? address_length(here->rest) : 0;
    if (n)
        put_text(out, "<address>");
    return n;
}

/* What stands for the inside of "", '' or (); NULL: it stays. */
static const char *stand_in(char open, struct slice inner)
{
    if (open == '"' || open == '\'')
        return "<text>";
    return is_host(inner) && !is_list(inner) ? "(<host>)" : NULL;
}

static size_t put_enclosed(const struct place *here, struct out *out)
{
    struct slice s = here->rest;
    char open = *s.p, close = open == '(' ? ')' : open;
    bool apostrophe = open == '\'' && here->at > 0 && here->all.p[here->at - 1] != ' ';
    if ((open != '"' && open != '\'' && open != '(') || apostrophe)
        return 0;
    const char *end = s.n > 1 ? memchr(s.p + 1, close, s.n - 1) : NULL;
    if (!end)
        return 0;
    struct slice inner = slice_of(s.p + 1, (size_t)(end - s.p) - 1);
    const char *text = stand_in(open, inner);
    if (!text)
        return 0;
    put_text(out, text);
    return inner.n + 2;
}

/* [ip], [ip]:port, [host.name ...]. */
static size_t put_bracketed(const struct place *here, struct out *out)
{
    struct slice s = here->rest;
    size_t n = 1;
    if (*s.p != '[')
        return 0;
    while (n < s.n && s.p[n] != ']' && s.p[n] != ' ')
        n++;
    struct slice inner = slice_of(s.p + 1, n - 1);
    if (n == s.n || (!is_ip(inner) && !is_host(inner)))
        return 0;
    put_text(out, is_ip(inner) ? "[<ip>" : "[<host>");
    if (s.p[n] != ']')
        return n;
    put_text(out, "]");
    n++;
    size_t port = n + 1;
    while (n < s.n && s.p[n] == ':' && port < s.n && is_digit(s.p[port]))
        port++;
    return port > n + 1 ? port : n;
}

/* A URL keeps its host, which often is the list that says no. */
static size_t put_url(const struct place *here, struct out *out)
{
    struct slice s = here->rest;
    size_t head = begins(s, "http://") ? 7 : begins(s, "https://") ? 8 : 0, n = head, host = 0;
    if (!head)
        return 0;
    for (; n < s.n && !memchr(" \">)\\", s.p[n], 5); n++)
        if (!host && (s.p[n] == '/' || s.p[n] == '?'))
            host = n;
    put(out, slice_of(s.p, host ? host : n));
    if (host && n > host + 1)
        put_text(out, "/<path>");
    return n;
}

/* " C=EHLO,MAIL,RCPT": what the client said so far. */
static size_t put_commands(const struct place *here, struct out *out)
{
    struct slice s = here->rest;
    size_t n = 2;
    if (!slice_starts(s, "C=") || (here->at > 0 && here->all.p[here->at - 1] != ' '))
        return 0;
    while (n < s.n && ((s.p[n] >= 'A' && s.p[n] <= 'Z') || s.p[n] == ',' || s.p[n] == '.'))
        n++;
    if (n == 2)
        return 0;
    put_text(out, "C=<commands>");
    return n;
}

enum { IN_WORD, LETTER, ENDS_WORD };
static const unsigned char word_bytes[256] = {
    [' '] = ENDS_WORD, ['"'] = ENDS_WORD, ['<'] = ENDS_WORD, ['>'] = ENDS_WORD,  ['('] = ENDS_WORD,
    [')'] = ENDS_WORD, ['['] = ENDS_WORD, [']'] = ENDS_WORD, [','] = ENDS_WORD,  [';'] = ENDS_WORD,
    ['\''] = ENDS_WORD, ['\t'] = ENDS_WORD, ['\\'] = ENDS_WORD, ['A' ... 'Z'] = LETTER, ['a' ... 'z'] = LETTER};

/* Letters alone, as in most words, stand for nothing. */
static size_t letters_length(struct slice s)
{
    size_t n = 0;
    while (n < s.n && word_bytes[(unsigned char)s.p[n]] == LETTER)
        n++;
    return n;
}

/* A word begins with so many letters. */
static size_t word_length(struct slice s, size_t letters)
{
    size_t n = letters;
    while (n < s.n && word_bytes[(unsigned char)s.p[n]] != ENDS_WORD)
        n++;
    if (n == letters)
        return n;
    while (n > 1 && (s.p[n - 1] == '.' || s.p[n - 1] == ':' || s.p[n - 1] == '!'))
        n--;
    const char *equal = memchr(s.p, '=', n);
    if (equal && !is_address(slice_of(s.p, n))) /* size=5: name and value apart */
        n = (size_t)(equal - s.p) + 1;
    return n;
}

/* A host name in front of its (HELO) or its [IP], as Exim names hosts.  A list's name stands alone, or in front of
   what the list says in brackets. */
static bool is_named_host(struct slice word, struct slice after)
{
    if (after.n < 3 || after.p[0] != ' ' || !is_host(word))
        return false;
    return after.p[1] == '[' || (after.p[1] == '(' && !is_list(word));
}

/* The word that Google's answers end in: "... pXsup9KDgM - gsmtp". */
static bool is_last_id(struct slice after)
{
    return slice_starts(after, " - gsmtp") || slice_starts(after, " - esmtp");
}

static const char *word_stands_for(struct slice word, struct slice after, const char *begin)
{
    if (is_named_host(word, after))
        return "<host>";
    if (is_address(word))
        return "<address>";
    if (is_ip(word) && !is_time(word))
        return "<ip>";
    if (is_status(word) || is_reply_code(word, begin))
        return NULL;
    if (is_number(word) || is_time(word) || is_amount(word) || is_bar(word))
        return "<n>";
    if (*word.p == '/' && word.n > 1)
        return "<path>";
    return is_id(word) || is_last_id(after) ? "<id>" : NULL;
}

static size_t put_word(const struct place *here, struct out *out)
{
    size_t letters = letters_length(here->rest);
    size_t n = *here->rest.p == ':' ? 0 : word_length(here->rest, letters);
    if (n == 0)
        return 0;
    struct slice word = slice_of(here->rest.p, n), after = slice_after(here->rest, n);
    const char *text = NULL;
    if (n > letters)
        text = word_stands_for(word, after, here->all.p);
    else if (is_last_id(after))
        text = "<id>";
    if (text)
        put_text(out, text);
    else
        put(out, word);
    return n;
}

static size_t put_octet(const struct place *here, struct out *out)
{
    put(out, slice_of(here->rest.p, 1));
    return 1;
}

/* By the first byte of the steps. */
static size_t put_piece(const struct place *here, struct out *out)
{
    size_t n = 0;
    switch (*here->rest.p) {
    case '\\': n = put_line_break(here, out); break;
    case '<': n = put_address(here, out); break;
    case '[': n = put_bracketed(here, out); break;
    case '(': n = put_helo(here, out); /* fall through */
    case '"':
    case '\'': n = n ? n : put_enclosed(here, out); break;
    case 'C': n = put_commands(here, out); break;
    case 's':
    case 'h': n = put_rest(here, out); /* fall through */
    case 'H': n = n ? n : put_url(here, out); break;
    default: break;
    }
    n = n ? n : put_word(here, out);
    return n ? n : put_octet(here, out);
}

size_t reason_normalise(struct slice reason, char *buf, size_t cap)
{
    struct out out = {buf, 0, cap};
    enum { AHEAD = 512 }; /* what is looked at from each place on, lest the ends of many brackets be looked for far off */
    for (size_t i = 0; i < reason.n && out.n < cap;) {
        size_t ahead = reason.n - i < AHEAD ? reason.n - i : AHEAD;
        struct place here = {reason, i, slice_of(reason.p + i, ahead)};
        i += put_piece(&here, &out);
    }
    return out.n;
}
