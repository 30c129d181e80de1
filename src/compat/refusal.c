/* refusal.c — a line without its strangers' words, and a memory of such lines: they are few, however many hosts and
   addresses there are. */
#include "refusal.h"

#include <stdlib.h>

#include "../base/memory.h"
#include "refusal_rules.h"
#include "tally.h"

#define KNOWN_MAX 65536   /* texts remembered before all are forgotten */
#define KNOWN_TEXT 2048   /* octets of a text worth remembering */
#define STRANGERS_MAX 12

/* What the rules say of a text. */
struct known {
    struct refusal found; /* its parts point into the text */
    struct slice reason;  /* absent: it quotes strangers, and is not the same on each line */
    uint32_t note;        /* the caller's */
};

struct refusals {
    struct tallies texts;
    struct known *known; /* of each text */
    size_t known_capacity;
    struct arena keys;
    char *bare, *reason;   /* scratch: the text with marks, the reason with the marks filled */
    size_t bare_capacity, reason_capacity;
};

/* What strangers wrote in a line, from left to right, none in another. */
struct strangers {
    struct slice words[STRANGERS_MAX];
    size_t count;
};

struct refusals *refusals_new(void)
{
    return xcalloc(1, sizeof(struct refusals));
}

void refusals_free(struct refusals **refusals)
{
    if (!*refusals)
        return;
    tallies_free(&(*refusals)->texts);
    arena_free(&(*refusals)->keys);
    free((*refusals)->known);
    free((*refusals)->bare);
    free((*refusals)->reason);
    free(*refusals);
    *refusals = NULL;
}

/* ---- what strangers wrote ---------------------------------------------------------------------- */

static void add_words(struct strangers *s, struct slice text, struct slice words)
{
    if (words.n == 0 || words.p < text.p || words.p + words.n > text.p + text.n)
        return;
    size_t i = s->count;
    for (; i > 0 && s->words[i - 1].p > words.p; i--)
        s->words[i] = s->words[i - 1];
    s->words[i] = words;
    s->count++;
}

static void drop_nested(struct strangers *s)
{
    size_t kept = 0;
    const char *end = NULL;
    for (size_t i = 0; i < s->count; i++) {
        struct slice words = s->words[i];
        if (end && words.p < end) {
            if (words.p > s->words[kept - 1].p || words.p + words.n <= end)
                continue;
            kept--; /* begins with the one before, and is longer */
        }
        s->words[kept++] = words;
        end = words.p + words.n;
    }
    s->count = kept;
}

static struct strangers strangers_of(struct slice text, const struct event *ev)
{
    const struct slice fields[STRANGERS_MAX] = {
        ev->host, ev->helo,    ev->ip,          ev->ident, ev->sender, ev->recipient,
        ev->command, ev->auth_id, ev->auth_sender, ev->dn,    ev->sni,    ev->recipients};
    struct strangers s = {.count = 0};
    for (size_t i = 0; i < STRANGERS_MAX; i++)
        add_words(&s, text, fields[i]);
    drop_nested(&s);
    return s;
}

/* The text with a mark for each stranger's words, and a newline behind it. */
static struct slice bare_text(struct refusals *r, struct slice text, const struct strangers *s, struct slice ip)
{
    r->bare = grow(r->bare, &r->bare_capacity, text.n + 1, 1);
    const char *from = text.p;
    char *to = r->bare;
    for (size_t i = 0; i < s->count; i++) {
        size_t n = (size_t)(s->words[i].p - from);
        memcpy(to, from, n);
        to += n;
        bool colons = s->words[i].p == ip.p && memchr(ip.p, ':', ip.n);
        *to++ = colons ? REFUSAL_COLONS : REFUSAL_MARK;
        from = s->words[i].p + s->words[i].n;
    }
    size_t n = (size_t)(text.p + text.n - from);
    memcpy(to, from, n);
    to[n] = '\n';
    return slice_of(r->bare, (size_t)(to - r->bare) + n + 1);
}

/* ---- what is known of such a text -------------------------------------------------------------- */

bool speaks_of_refusal(struct slice text)
{
    return memmem(text.p, text.n, "rejected", 8) || memmem(text.p, text.n, "refused", 7) ||
           memmem(text.p, text.n, "dropped", 7);
}

static struct refusal judge(struct slice text, bool in_any_case)
{
    if (!in_any_case && !speaks_of_refusal(text))
        return (struct refusal){.kind = REFUSAL_NONE, .prefix = ""};
    return refusal_of(text);
}

/* ---- its reason -------------------------------------------------------------------------------- */

static bool is_mark(char c)
{
    return c == REFUSAL_MARK || c == REFUSAL_COLONS;
}

static size_t marks_before(struct slice text, const char *p)
{
    size_t marks = 0;
    for (const char *at = text.p; at < p; at++)
        marks += is_mark(*at);
    return marks;
}

static void put(struct refusals *r, size_t *n, struct slice text)
{
    r->reason = grow(r->reason, &r->reason_capacity, *n + text.n + 1, 1);
    memcpy(r->reason + *n, text.p, text.n);
    *n += text.n;
}

/* A stretch of the bare text, with the words in the marks' places. */
static void put_part(struct refusals *r, size_t *n, struct slice bare, struct slice part, const struct strangers *s)
{
    size_t mark = part.n && s ? marks_before(bare, part.p) : 0;
    while (part.n) {
        size_t run = 0;
        while (run < part.n && !is_mark(part.p[run]))
            run++;
        put(r, n, slice_of(part.p, run));
        part = slice_after(part, run);
        if (!part.n)
            break;
        if (s && mark < s->count)
            put(r, n, s->words[mark++]);
        part = slice_after(part, 1);
    }
}

static bool quotes_strangers(const struct refusal *found)
{
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < found->part[i].n; k++)
            if (is_mark(found->part[i].p[k]))
                return true;
    return false;
}

/* strangers: NULL if the reason does not quote any. */
static struct slice reason_text(struct refusals *r, struct slice bare, const struct refusal *found,
                                const struct strangers *s)
{
    size_t n = 0;
    put(r, &n, slice_of(found->prefix, strlen(found->prefix)));
    for (size_t i = 0; i < 2; i++)
        put_part(r, &n, bare, found->part[i], s);
    if (n && *r->reason >= 'a' && *r->reason <= 'z')
        *r->reason = (char)(*r->reason - 32);
    return slice_of(r->reason, n);
}

static void forget(struct refusals *r)
{
    tallies_free(&r->texts);
    arena_empty(&r->keys);
}

/* What is known of a text, found out if it is new. */
static struct known *recall(struct refusals *r, struct slice text)
{
    if (r->texts.count == KNOWN_MAX)
        forget(r);
    size_t count = r->texts.count;
    size_t index = (size_t)(tallies_at(&r->texts, &r->keys, text) - r->texts.items);
    if (r->texts.count == count)
        return &r->known[index];
    r->known = grow(r->known, &r->known_capacity, r->texts.count, sizeof *r->known);
    struct slice key = r->texts.items[index].key;
    struct known *made = &r->known[index];
    *made = (struct known){.found = judge(key, false)};
    if (!quotes_strangers(&made->found))
        made->reason = arena_copy(&r->keys, reason_text(r, key, &made->found, NULL));
    return made;
}

static enum refusal_kind read(struct refusals *r, struct slice text, const struct event *ev, bool in_any_case,
                              struct refusal_reason *reason)
{
    struct strangers s = strangers_of(text, ev);
    struct slice bare = bare_text(r, text, &s, ev->ip);
    reason->note = NULL;
    if (bare.n > KNOWN_TEXT || in_any_case) {
        struct refusal found = judge(bare, in_any_case);
        reason->text = reason_text(r, bare, &found, &s);
        return found.kind;
    }
    struct known *known = recall(r, bare);
    reason->text = known->reason;
    if (known->reason.p)
        reason->note = &known->note;
    else
        reason->text = reason_text(r, r->texts.items[known - r->known].key, &known->found, &s);
    return known->found.kind;
}

enum refusal_kind refusals_read(struct refusals *refusals, struct slice text, const struct event *ev,
                                struct refusal_reason *reason)
{
    return read(refusals, text, ev, false, reason);
}

enum refusal_kind refusals_discard(struct refusals *refusals, struct slice text, const struct event *ev,
                                   struct refusal_reason *reason)
{
    return read(refusals, text, ev, true, reason);
}
