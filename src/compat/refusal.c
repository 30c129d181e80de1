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

struct refusals {
    struct tallies known;  /* texts; the rest is beside them */
    struct refusal *found; /* of each text; parts point into its key */
    size_t found_capacity;
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
    tallies_free(&(*refusals)->known);
    arena_free(&(*refusals)->keys);
    free((*refusals)->found);
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

static bool speaks_of_refusal(struct slice text)
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

static void forget(struct refusals *r)
{
    tallies_free(&r->known);
    arena_empty(&r->keys);
}

static const struct refusal *recall(struct refusals *r, struct slice text)
{
    if (r->known.count == KNOWN_MAX)
        forget(r);
    size_t count = r->known.count;
    size_t index = (size_t)(tallies_at(&r->known, &r->keys, text) - r->known.items);
    r->found = grow(r->found, &r->found_capacity, r->known.count, sizeof *r->found);
    if (r->known.count > count)
        r->found[index] = judge(r->known.items[index].key, false);
    return &r->found[index];
}

/* ---- the reason -------------------------------------------------------------------------------- */

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
    size_t mark = part.n ? marks_before(bare, part.p) : 0;
    for (size_t i = 0; i < part.n; i++) {
        if (is_mark(part.p[i]) && mark < s->count)
            put(r, n, s->words[mark++]);
        else
            put(r, n, slice_of(part.p + i, 1));
    }
}

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

static enum refusal_kind read(struct refusals *r, struct slice text, const struct event *ev, bool in_any_case,
                              struct slice *reason)
{
    struct strangers s = strangers_of(text, ev);
    struct slice bare = bare_text(r, text, &s, ev->ip);
    struct refusal own;
    const struct refusal *found = &own;
    if (bare.n <= KNOWN_TEXT && !in_any_case) {
        found = recall(r, bare);
        bare = r->known.items[found - r->found].key;
    } else {
        own = judge(bare, in_any_case);
    }
    if (found->kind != REFUSAL_NONE)
        *reason = reason_text(r, bare, found, &s);
    return found->kind;
}

enum refusal_kind refusals_read(struct refusals *refusals, struct slice text, const struct event *ev,
                                struct slice *reason)
{
    return read(refusals, text, ev, false, reason);
}

enum refusal_kind refusals_discard(struct refusals *refusals, struct slice text, const struct event *ev,
                                   struct slice *reason)
{
    return read(refusals, text, ev, true, reason);
}
