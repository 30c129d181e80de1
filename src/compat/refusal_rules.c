/* refusal_rules.c — one function a rule, in eximstats' order: the first that fits tells the reason. */
#include "refusal_rules.h"

#include "../../parsers/scan.h"

/* What a rule has found. */
typedef bool rule_reader(struct slice text, const char *word, struct refusal *found);

static struct slice between(const char *from, const char *to)
{
    return slice_of(from, (size_t)(to - from));
}

static const char *end_of(struct slice s)
{
    return s.p + s.n;
}

/* The first lit at or behind from, or NULL. */
static const char *find(struct slice text, const char *from, const char *lit)
{
    return from ? memmem(from, (size_t)(end_of(text) - from), lit, strlen(lit)) : NULL;
}

/* The end of the line that p is in: its newline. */
static const char *line_end(struct slice text, const char *p)
{
    const char *newline = memchr(p, '\n', (size_t)(end_of(text) - p));
    return newline ? newline : end_of(text);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n';
}

static const char *without_blanks(const char *from, const char *to)
{
    while (to > from && is_blank(to[-1]))
        to--;
    return to;
}

/* From ": " on up to the next colon or the end of the text. */
static bool message_at(struct slice text, const char *colon, struct slice *message)
{
    if (!colon)
        return false;
    const char *start = colon + 2;
    const char *next = memchr(start, ':', (size_t)(end_of(text) - start));
    *message = between(colon, next ? next : without_blanks(start, end_of(text)));
    return true;
}

/* --- rules --- */

static bool whole_word(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    if (at)
        found->part[0] = between(at, at + strlen(word));
    return at != NULL;
}

/* A fixed reason, already set. */
static bool only_named(struct slice text, const char *word, struct refusal *found)
{
    (void)found;
    return find(text, text.p, word) != NULL;
}

/* word COMMAND ... ": message", as most refusals are. */
static bool command_message(struct slice text, const char *word, struct refusal *found)
{
    for (const char *at = find(text, text.p, word); at; at = find(text, at + 1, word)) {
        const char *p = at + strlen(word);
        while (p < end_of(text) && *p >= 'A' && *p <= 'Z')
            p++;
        if (p == end_of(text) || *p != ' ')
            continue;
        found->part[0] = between(at, p);
        return message_at(text, find(text, p + 1, ": "), &found->part[1]);
    }
    return false;
}

/* The word and all up to a blank, which a newline is not. */
static bool word_after(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    if (!at || at + strlen(word) == end_of(text) || at[strlen(word)] == ' ')
        return false;
    const char *p = at + strlen(word);
    const char *blank = memchr(p, ' ', (size_t)(end_of(text) - p));
    found->part[0] = between(at, blank ? blank : end_of(text));
    return true;
}

/* From the word to the end of the line. */
static bool to_line_end(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    if (at)
        found->part[0] = between(at, line_end(text, at));
    return at != NULL;
}

/* The same without the word itself. */
static bool behind_word(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    if (at)
        found->part[0] = between(at + strlen(word), line_end(text, at));
    return at != NULL;
}

static bool connection_closed(struct slice text, const char *word, struct refusal *found)
{
    for (const char *at = find(text, text.p, word); at; at = find(text, at + 1, word)) {
        struct slice rest = between(at + strlen(word), end_of(text));
        if (!slice_starts(rest, "after ") && !slice_starts(rest, "in response "))
            continue;
        found->part[0] = between(at, without_blanks(at, end_of(text)));
        return true;
    }
    return false;
}

/* " rejected DATA: ": the blank is not part of the reason. */
static bool rejected_data(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    if (at)
        found->part[0] = between(at + 1, line_end(text, at));
    return at != NULL;
}

/* "(DATA ACL discarded recipients): text", whatever the brackets are. */
static bool discarded(struct slice text, const char *word, struct refusal *found)
{
    for (const char *at = find(text, text.p, word); at; at = find(text, at + 1, word)) {
        const char *p = at + strlen(word);
        if (at == text.p || end_of(text) - p < 3 || p[1] != ':' || p[2] != ' ')
            continue;
        found->part[0] = between(p + 3, line_end(text, p));
        return true;
    }
    return false;
}

static bool refused_relay(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    const char *to = find(text, at ? at + strlen(word) : NULL, " to");
    if (to)
        found->part[0] = between(at, to);
    return to != NULL;
}

static bool dropped_for(struct slice text, const char *word, struct refusal *found)
{
    static const char *const what[] = {"nonmail commands", "unrecognized commands", "syntax or protocol errors"};
    for (const char *at = find(text, text.p, word); at; at = find(text, at + 1, word)) {
        struct slice rest = between(at + strlen(word), end_of(text));
        for (size_t i = 0; i < 3; i++)
            if (slice_starts(rest, what[i])) {
                found->part[0] = between(at, rest.p + strlen(what[i]));
                return true;
            }
    }
    return false;
}

/* "local_scan() function ... - message temporarily rejected" */
static bool local_scan(struct slice text, const char *word, struct refusal *found)
{
    static const char end[] = " - message temporarily rejected";
    const char *at = find(text, text.p, word);
    if (!at || !slice_starts(between(at + strlen(word), end_of(text)), "() function "))
        return false;
    ptrdiff_t last = slice_find_last(between(at, line_end(text, at)), end);
    if (last < (ptrdiff_t)strlen(word) + 12)
        return false;
    found->part[0] = slice_of(at, (size_t)last + strlen(end));
    return true;
}

static bool protocol_error(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    const char *from = at ? at + strlen(word) : NULL;
    const char *error = find(text, from, "error"), *violation = find(text, from, "violation");
    if (!error && !violation)
        return false;
    bool first = error && (!violation || error < violation);
    found->part[0] = between(at, first ? error + 5 : violation + 9);
    return true;
}

/* "rejected EHLO from HOST: syntactically invalid argument" */
static bool invalid_helo(struct slice text, const char *word, struct refusal *found)
{
    (void)found;
    for (const char *at = find(text, text.p, word); at; at = find(text, at + 1, word)) {
        const char *p = at + strlen(word);
        struct slice rest = between(p, end_of(text));
        if (rest.n < 10 || (*p != 'H' && *p != 'E') || (p[1] != 'H' && p[1] != 'E') ||
            !slice_starts(slice_after(rest, 2), "LO from "))
            continue;
        size_t i = 10;
        while (i < rest.n && rest.p[i] != ':' && rest.p[i] != REFUSAL_COLONS)
            i++;
        if (slice_starts(slice_after(rest, i), ": syntactically invalid argument"))
            return true;
    }
    return false;
}

static bool rcpt_response(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    const char *was = find(text, at ? at + strlen(word) : NULL, " was: ");
    if (was)
        found->part[0] = between(was + 6, line_end(text, was));
    return was != NULL;
}

static bool failed_lookup(struct slice text, const char *word, struct refusal *found)
{
    for (const char *at = find(text, text.p, word); at; at = find(text, at + 1, word)) {
        const char *name = at + strlen(word), *p = name;
        while (p < end_of(text) && !is_blank(*p))
            p++;
        if (p == name || !slice_starts(between(p, end_of(text)), " failed"))
            continue;
        found->part[0] = between(at, name);
        found->part[1] = slice_of(p + 1, 6);
        return true;
    }
    return false;
}

/* word "from HOST (text" */
static bool refused_for(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    const char *bracket = find(text, at ? at + strlen(word) : NULL, " (");
    if (!bracket)
        return false;
    found->part[0] = between(at, at + strlen(word) - 4);
    found->part[1] = between(bracket + 1, line_end(text, bracket));
    return true;
}

static bool remote_mailer(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    const char *colon = find(text, at ? at + strlen(word) : NULL, ":");
    ptrdiff_t last = colon ? slice_find_last(between(colon + 1, end_of(text)), ": ") : -1;
    if (last < 0)
        return false;
    found->part[0] = between(at, colon + 1);
    return message_at(text, colon + 1 + last, &found->part[1]);
}

static bool overloaded(struct slice text, const char *word, struct refusal *found)
{
    static const char why[] = " refused: load average";
    const char *at = find(text, text.p, word);
    const char *refused = find(text, at ? at + strlen(word) : NULL, why);
    if (!refused)
        return false;
    found->part[0] = between(at, at + strlen(word) - 4);
    found->part[1] = slice_of(refused + 1, strlen(why) - 1);
    return true;
}

/* "Connection from HOST refused ...", large or small. */
static bool refused_connection(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    while (at && (at == text.p || (at[-1] != 'C' && at[-1] != 'c')))
        at = find(text, at + 1, word);
    const char *refused = find(text, at ? at + strlen(word) : NULL, " refused");
    if (!refused)
        return false;
    found->part[0] = between(at - 1, at + strlen(word) - 4);
    found->part[1] = between(refused + 1, line_end(text, refused));
    return true;
}

static bool connection_refused(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    if (at)
        found->part[0] = between(at + 2, at + strlen(word));
    return at != NULL;
}

static bool refused_by_acl(struct slice text, const char *word, struct refusal *found)
{
    const char *at = find(text, text.p, word);
    if (!find(text, at ? at + strlen(word) : NULL, "ACL"))
        return false;
    found->part[0] = between(at, line_end(text, at));
    return true;
}

/* --- their order --- */

struct rule {
    const char *word;
    rule_reader *read;
    enum refusal_kind kind;
    const char *prefix;
};

#define P(word, read) {word, read, REFUSAL_PERMANENT, ""}
#define T(word, read) {word, read, REFUSAL_TEMPORARY, ""}
#define N(word, read, prefix) {word, read, REFUSAL_PERMANENT, prefix}

static const struct rule rules[] = {
    N("SpamAssassin", only_named, "Rejected by SpamAssassin"),
    T("temporarily rejected ", command_message),
    T("temporarily refused connection", whole_word),
    P("listed at ", word_after),
    P("Forged IP detected in HELO", whole_word),
    P("Invalid domain or IP given in HELO/EHLO", whole_word),
    P("unqualified recipient rejected", whole_word),
    P("closed connection ", connection_closed),
    P("sender rejected", whole_word),
    P(" rejected after DATA: ", behind_word),
    P(" rejected DATA: ", rejected_data),
    P("DATA ACL discarded recipients", discarded),
    P("VRFY rejected", whole_word),
    P("too many recipients", whole_word),
    P("refused relay", refused_relay),
    P("rejected by non-SMTP ACL: ", to_line_end),
    P("rejected by local_scan", to_line_end),
    P("dropped: too many ", dropped_for),
    P("local_scan", local_scan),
    P("SMTP protocol ", protocol_error),
    P("message too big", whole_word),
    N("rejected ", invalid_helo, "Rejected HELO/EHLO: syntactically invalid argument"),
    N("response to \"RCPT TO", rcpt_response, "Response to RCPT TO was: "),
    P("lookup of host ", failed_lookup),
    P("rejected ", command_message),
    P("refused connection from", refused_for),
    P("error from remote mailer after ", remote_mailer),
    P("Connection from", overloaded),
    P("onnection from", refused_connection),
    P(": Connection refused", connection_refused),
    T("temporarily rejected connection in ", refused_by_acl)};

struct refusal refusal_of(struct slice text)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct refusal found = {.kind = rules[i].kind, .prefix = rules[i].prefix};
        if (rules[i].read(text, rules[i].word, &found))
            return found;
    }
    return (struct refusal){.kind = REFUSAL_PERMANENT, .prefix = "Unknown"};
}
