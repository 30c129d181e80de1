/* wording_test.c — a text is parted into a pattern and what is its own, and is the same again when put together. */
#include <stdio.h>
#include <string.h>

#include "../../src/ingest/wording.h"
#include "tap.h"

static struct slice text_of(const char *text)
{
    return text ? slice_of(text, strlen(text)) : SLICE_ABSENT;
}

/* As schema/views.sql does: each place is replaced by its field, the own stretch last. */
static size_t put_together(const struct wording *w, const struct slice fields[WORDING_PLACES], char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < w->pattern.n; i++) {
        unsigned char c = (unsigned char)w->pattern.p[i];
        struct slice part = c == WORDING_OWN       ? w->own
                            : c < WORDING_PLACES ? fields[c]
                                                 : slice_of(w->pattern.p + i, 1);
        memcpy(out + n, part.p, part.n);
        n += part.n;
    }
    return n;
}

struct example {
    const char *text, *ip, *host, *recipient;
    const char *pattern, *own; /* places as ^1 to ^6; NULL pattern: none */
};

/* The pattern with its places made readable. */
static void readable(struct slice pattern, char *out)
{
    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];
        if (c > 0 && c < WORDING_PLACES) {
            *out++ = '^';
            c = (char)('0' + c);
        }
        *out++ = c;
    }
    *out = 0;
}

static void test_example(const struct example *e)
{
    char buf[WORDING_MAX], seen[2 * WORDING_MAX + 1], again[4 * WORDING_MAX];
    struct wording w;
    const struct slice fields[WORDING_PLACES] = {[WORDING_IP] = text_of(e->ip), [WORDING_HOST] = text_of(e->host),
                                                 [WORDING_RECIPIENT] = text_of(e->recipient)};
    struct slice text = text_of(e->text);
    bool known = wording_split(text, fields, buf, &w);
    if (!check(known == (e->pattern != NULL), "%s: %s", e->text, e->pattern ? "has a pattern" : "has none") || !known)
        return;
    readable(w.pattern, seen);
    check(strcmp(seen, e->pattern) == 0, "%s: pattern %s, got %s", e->text, e->pattern, seen);
    check_text(w.own, e->own, e->text);
    check(put_together(&w, fields, again) == text.n && memcmp(again, text.p, text.n) == 0, "%s: the same again",
          e->text);
}

int main(void)
{
    static const struct example examples[] = {
        {"250 2.0.0 Ok: queued as AdwT7gnELV", NULL, NULL, NULL, "250 2.0.0 Ok: queued as ^1", "AdwT7gnELV"},
        {"192.0.2.7 is listed at zen.dnsbl.example (127.0.0.4: http://dnsbl.example/192.0.2.7)", "192.0.2.7", NULL,
         NULL, "^2 is listed at zen.dnsbl.example (127.0.0.4: http://dnsbl.example/^2)", NULL},
        {"no IP address for mx.b.example.", NULL, "mx.b.example", NULL, "no IP address for ^3.", NULL},
        {"no IP address for mx.b.example.org", NULL, "mx.b.example", NULL, "no IP address for mx.b.example.org", NULL},
        {"RCPT TO:<bob@b.example>: 550 5.1.1 <bob@b.example> unknown", NULL, NULL, "bob@b.example",
         "RCPT TO:<^6>: 550 5.1.1 <^6> unknown", NULL},
        {"250 2.6.0 <x1@y.example> 15980 bytes in 0.163 s", NULL, NULL, NULL, "250 2.6.0 <^1 s",
         "x1@y.example> 15980 bytes in 0.163"},
        {"from 2001:db8::1", "2001:db8::1", NULL, NULL, "from ^2", NULL},
        {"a text without anything", NULL, NULL, NULL, "a text without anything", NULL},
        {"holds \001 itself", NULL, NULL, NULL, NULL, NULL},
        {"", NULL, NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        test_example(&examples[i]);
    char longer[WORDING_MAX + 2], buf[WORDING_MAX];
    struct wording w;
    const struct slice none[WORDING_PLACES] = {SLICE_ABSENT};
    memset(longer, 'x', sizeof longer);
    check(wording_split(slice_of(longer, WORDING_MAX), none, buf, &w), "as long as a pattern may be");
    check(!wording_split(slice_of(longer, WORDING_MAX + 1), none, buf, &w), "longer");
    return tap_end();
}
