/* exim_unflagged.c — lines of Exim without a delivery flag: of the readings that a line may have, the right one, or a
   mark.  The wordings themselves: exim_wordings.c.  What is left is text of the site's own. */
#include "exim_wordings.h"
#include "ascii.h"

static struct event fresh(const struct event *ev)
{
    struct event reading;
    event_reset(&reading);
    reading.exim_id = ev->exim_id;
    return reading;
}

static const char *end_of(struct slice s)
{
    return s.p ? s.p + s.n : NULL;
}

static bool inside(const char *p, struct slice s)
{
    return s.p && p >= s.p && p < s.p + s.n;
}

/* What may stand behind a stranger's text, where a longer one would end.  Commands and helo names are longer rather than
   shorter: everybody can send one; an ident, an id or a DN with such words in it takes more.  In struct least's order. */
static const struct ending {
    size_t field; /* of struct least */
    const char *before, *mark;
    size_t before_n;
    bool longer;
} endings[] = {
#define ENDING(field, before, mark, longer) {offsetof(struct least, field), before, mark, sizeof(before) - 1, longer}
    ENDING(command, "\"", "\" H=", true),
    ENDING(command, "\"", "\" U=", true),
    ENDING(command, "\"", "\" from ", true),
    ENDING(command, " for ", " H=", true),
    ENDING(command, "TRN ", " received from ", true),
    ENDING(helo, "(", ") [", true),
    ENDING(ident, "U=", " X=", false),
    ENDING(ident, "U=", " F=<", false),
    ENDING(ident, "U=", " rejected ", false),
    ENDING(ident, "U=", " temporarily rejected ", false),
    ENDING(auth, ":", " rejected ", false),
    ENDING(auth, ":", " temporarily rejected ", false),
    ENDING(dn, " DN=\"", "\" ", true),
#undef ENDING
};

enum { ENDINGS = sizeof endings / sizeof *endings };

/* The field of a reading that an ending is an end of. */
static struct slice ended_field(const struct ending *e, const struct event *ev)
{
    switch (e->field) {
    case offsetof(struct least, command): return ev->command;
    case offsetof(struct least, helo): return ev->helo;
    case offsetof(struct least, ident): return ev->ident;
    case offsetof(struct least, auth): return ev->auth_sender.p ? ev->auth_sender : ev->auth_id;
    default: return ev->dn;
    }
}

#define BIT_OF(field) (1u << (field) / sizeof(const char *))

/* In which of struct least's fields a reading has a stranger's text. */
static unsigned strangers_in(const struct event *ev)
{
    return (ev->command.p ? BIT_OF(offsetof(struct least, command)) : 0) |
           (ev->helo.p ? BIT_OF(offsetof(struct least, helo)) : 0) |
           (ev->ident.p ? BIT_OF(offsetof(struct least, ident)) : 0) |
           (ev->auth_id.p || ev->auth_sender.p ? BIT_OF(offsetof(struct least, auth)) : 0) |
           (ev->dn.p ? BIT_OF(offsetof(struct least, dn)) : 0);
}

/* Where a longer one may end: in a helo name's or DN's case behind the words of the first reading, where free text begins;
   an address that was read with its quotes is no such end. */
static struct slice doubtful(struct slice text, const struct ending *e, const struct event *first)
{
    const char *from = end_of(ended_field(e, first));
    if (e->field == offsetof(struct least, helo) || e->field == offsetof(struct least, dn)) {
        from = first->text.p;
        if (first->reason.p)
            from = first->reason.p;
        if (first->command.p && !first->recipient.p && !inside(first->sender.p, first->command))
            from = first->command.p;
        const struct slice read[] = {first->ip, first->sender, first->recipients}; /* maybe behind such words */
        for (size_t i = 0; i < 3; i++)
            if (from && read[i].p && from < end_of(read[i]))
                from = end_of(read[i]);
        if (!from || from < text.p || from > text.p + text.n)
            return SLICE_ABSENT;
    }
    return between(from, text.p + text.n);
}

/* Whether the line has the helo name twice, so that both are where they seem to be.  Of one with a blank the second may
   be the first word only, which proves nothing. */
static bool is_certain(const struct event *ev)
{
    struct slice command = ev->command;
    if (!ev->helo.p || !slice_is(ev->stage, "helo"))
        return false;
    if (slice_starts(command, "EHLO ") || slice_starts(command, "HELO "))
        command = slice_after(command, 5);
    return command.n == ev->helo.n && starts_alike(ev->helo, command);
}

static bool ends_in(struct slice text, const char *tail)
{
    size_t n = strlen(tail);
    return text.n >= n && memcmp(text.p + text.n - n, tail, n) == 0;
}

/* Whether Exim could have printed this: the sender's address stands in every refusal of what follows MAIL, a host we
   send to has no helo name, who does not get in is told a code, and what becomes of a connection is told in our own words.
   A user of ours has no blank in his name, and "temporarily" ends none. */
static bool is_plausible(const struct event *ev)
{
    static const char *const later[] = {"rcpt", "predata", "data", "mime", "local"};
    bool ours = ev->kind == EV_CONNECTION || ev->kind == EV_TLS || slice_is(ev->stage, "connect");
    if (ends_in(ev->ident, " temporarily") || ends_in(ev->auth_id, " temporarily"))
        return false;
    if (!ev->ip.p && ev->ident.p && memchr(ev->ident.p, ' ', ev->ident.n))
        return false;
    if (ev->kind == EV_ACL_TEXT || (ev->kind == EV_HOST_ERROR && ev->helo.p))
        return false;
    if (ours && (slice_find(ev->text, ") [") >= 0 || slice_find(ev->reason, ") [") >= 0))
        return false;
    if (ev->kind == EV_AUTH_FAILURE)
        return ev->reason.n && *ev->reason.p >= '4' && *ev->reason.p <= '5';
    for (size_t i = 0; ev->kind == EV_REJECTION && !ev->sender.p && i < sizeof later / sizeof *later; i++)
        if (slice_is(ev->stage, later[i]))
            return false;
    return true;
}

static bool same_reading(const struct event *a, const struct event *b)
{
    for (size_t i = 0; i < ENDINGS; i++)
        if (end_of(ended_field(&endings[i], a)) != end_of(ended_field(&endings[i], b)))
            return false;
    return true;
}

/* How many readings of one line are tried: a stranger's costs no more than so many ordinary ones. */
enum { READINGS = 64 };

/* Readings other than the first, which is NULL if nothing fits so: how many fit, and the best of them. */
struct others {
    const struct event *first;
    int left; /* of READINGS; below 0, not all were tried */
    int fits;
    bool longer; /* the best is better than the first */
    struct event best;
};

static void add_other(struct others *others, const struct ending *e, const struct event *reading)
{
    if ((others->first && same_reading(others->first, reading)) ||
        (others->fits && same_reading(&others->best, reading)))
        return;
    if (others->fits++ == 0 || (is_certain(reading) && !is_certain(&others->best))) {
        others->best = *reading;
        others->longer = e->longer;
    }
}

static void read_with(struct slice text, const struct wording *w, struct least least, const char *end,
                      const struct ending *e, struct others *others)
{
    struct event reading;
    if (others->left < 0 || others->left-- == 0)
        return;
    event_reset(&reading);
    memcpy((char *)&least + e->field, &end, sizeof end);
    if (exim_reads(text, w, &least, &reading) && is_plausible(&reading) &&
        end_of(ended_field(e, &reading)) >= end)
        add_other(others, e, &reading);
}

/* Helo names that are tried with another text of a certain length: the shortest, and some longest. */
enum { LONG_HELOS = 3 };

/* Readings in which the text ends at end, as far as they fit. */
static void read_to_ending(struct slice text, const struct wording *w, const char *end,
                           const struct ending *e, struct others *others)
{
    struct least least = {NULL, NULL, NULL, NULL, NULL};
    read_with(text, w, least, end, e, others);
    if (e->field == offsetof(struct least, helo))
        return;
    bool before = e->field == offsetof(struct least, command); /* the helo name is behind it */
    struct slice side = before ? between(end, text.p + text.n) : between(text.p, end);
    for (int i = 0; i < LONG_HELOS; i++) {
        ptrdiff_t at = slice_find_last(side, ") [");
        if (at < 0)
            return;
        least.helo = side.p + at;
        read_with(text, w, least, end, e, others);
        side.n = (size_t)at + 2;
    }
}

/* Readings in which the text ends at the ending's mark in region, from the right. */
static void read_to_endings(struct slice text, const struct wording *w, struct slice region,
                            const struct ending *e, struct others *others)
{
    while (others->left >= 0) {
        ptrdiff_t at = slice_find_last(region, e->mark);
        if (at < 0)
            return;
        read_to_ending(text, w, region.p + at, e, others);
        region.n = (size_t)at + strlen(e->mark) - 1;
    }
}

/* Where the ending may be at all: all of the line, if nothing fits so far. */
static struct slice region_of(struct slice text, const struct ending *e, const struct event *first)
{
    if (!first)
        return slice_find(text, e->before) >= 0 ? text : SLICE_ABSENT;
    struct slice field = ended_field(e, first);
    size_t n = e->before_n;
    if (field.p < text.p + n || field.p > text.p + text.n || field.p[-1] != e->before[n - 1] ||
        *(field.p - n) != *e->before || memcmp(field.p - n, e->before, n) != 0)
        return SLICE_ABSENT;
    return doubtful(text, e, first);
}

/* Sets all of others; at most so many readings are tried as are left. */
static void read_otherwise(struct slice text, const struct wording *w, const struct event *first, int left,
                           struct others *others)
{
    others->first = first;
    others->left = left;
    others->fits = 0;
    unsigned present = first ? strangers_in(first) : ~0u;
    for (size_t i = 0; i < ENDINGS && present >= BIT_OF(endings[i].field); i++) {
        if (!(present & BIT_OF(endings[i].field)))
            continue;
        struct slice region = region_of(text, &endings[i], first);
        if (region.n)
            read_to_endings(text, w, region, &endings[i], others);
    }
}

/* Whether the message repeats, from the mark on, what the client said elsewhere. */
static bool repeats(struct slice message, struct slice said, const char *mark)
{
    enum { ENOUGH = 16 };
    ptrdiff_t at = slice_find(said, mark);
    if (at < 0 || !message.p)
        return false;
    struct slice piece = slice_after(said, (size_t)at);
    return memmem(message.p, message.n, piece.p, piece.n < ENOUGH ? piece.n : ENOUGH) != NULL;
}

static bool echoes(const struct event *ev)
{
    static const char *const marks[] = {") [", " rejected "};
    const struct slice said[] = {ev->sender, ev->recipient, ev->auth_id};
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 2; k++)
            if (repeats(ev->reason, said[i], marks[k]))
                return true;
    return false;
}

/* The reading instead of what ev holds, but for the id and its mark. */
static void take(struct event *ev, const struct event *reading)
{
    struct slice id = ev->exim_id;
    unsigned mark = ev->flags & EVF_AMBIGUOUS;
    *ev = *reading;
    ev->exim_id = id;
    ev->flags |= mark;
}

/* In how many places a helo name may end; no more are counted than are weighed, and one. */
static int helo_ends(struct slice text)
{
    int ends = 0;
    const char *at = text.p, *end = text.p + text.n;
    while (ends <= LONG_HELOS && (at = memchr(at, ')', (size_t)(end - at))))
        ends += slice_starts(between(++at, end), " [");
    return ends;
}

/* A reading that is the first, or longer where one was found.  The site's words behind a warning often repeat the
   client's: they are kept. */
static void weigh_others(struct slice text, const struct wording *w, struct event *ev)
{
    if (is_certain(ev))
        return;
    bool own = !is_plausible(ev);
    struct others others;
    read_otherwise(text, w, ev, READINGS, &others);
    if (own && others.fits == 0 && helo_ends(text) > 1)
        read_otherwise(text, w, NULL, others.left, &others);
    if (others.left < 0)
        ev->flags |= EVF_AMBIGUOUS;
    if (others.fits == 0)
        return;
    bool better = others.longer && ev->kind != EV_ACL_WARNING && !echoes(ev);
    if (own || better || is_certain(&others.best))
        take(ev, &others.best);
    if (!is_certain(ev) && (!own || others.fits > 1))
        ev->flags |= EVF_AMBIGUOUS;
}

/* Whether the line reads as the wording says, in whatever way. */
static bool read_wording(struct slice text, const struct wording *w, struct event *ev)
{
    static const struct least nowhere = {NULL, NULL, NULL, NULL, NULL};
    if (exim_reads(text, w, &nowhere, ev)) {
        weigh_others(text, w, ev);
    } else {
        *ev = fresh(ev);
        struct others others;
        read_otherwise(text, w, NULL, READINGS, &others);
        if (others.left < 0 || others.fits > 1)
            ev->flags |= EVF_AMBIGUOUS;
        if (others.fits == 0)
            return false;
        take(ev, &others.best);
        if (is_certain(ev))
            ev->flags &= ~(unsigned)EVF_AMBIGUOUS;
    }
    if (ev->helo.p && !is_certain(ev) && helo_ends(text) > LONG_HELOS) /* more than were weighed */
        ev->flags |= EVF_AMBIGUOUS;
    return true;
}

/* `x@y: error ignored[: why]`, of a recipient or of the sender of a bounce */
static bool read_ignored(struct slice text, struct event *ev)
{
    struct scan s = scan_over(text);
    ev->recipient = exim_address(&s);
    if (ev->recipient.n > 1 && s.p[-1] == ':') {
        ev->recipient.n--;
        s.p--;
    }
    scan_lit(&s, ": ");
    ev->text = scan_rest(&s);
    return !s.bad && slice_starts(ev->text, "error ignored");
}

/* `<x@y>: T transport output: words` */
static bool read_output(struct slice text, struct event *ev)
{
    struct scan s = scan_over(text);
    ev->recipient = exim_angle(&s);
    scan_lit(&s, ": ");
    ev->transport = scan_until_lit(&s, " transport output: ");
    ev->text = scan_all(&s);
    return !s.bad;
}

/* Wordings that begin with a word of the configuration or an address. */
static bool read_inner_wording(struct slice text, struct event *ev)
{
    static const struct {
        const char *text;
        enum event_kind kind;
        bool (*read)(struct slice text, struct event *ev); /* NULL: the text is kept as it is, if ... */
        const char *head, *tail; /* it begins and ends so; head NULL: the words stand behind its first word */
    } inner[] = {
        {" transport output: ", EV_DELIVERY_NOTE, read_output, "<", ""},
        {": error ignored", EV_DELIVERY_NOTE, read_ignored, "", ""},
        {" transport process returned non-zero status", EV_INTERNAL_ERROR, NULL, NULL, ""},
        {" transport process vanished unexpectedly", EV_INTERNAL_ERROR, NULL, NULL, ""},
        {" router: skipped error: ", EV_DELIVERY_NOTE, NULL, NULL, ""},
        {" (while routing <", EV_DELIVERY_NOTE, NULL, "", ")"},
        {" (while verifying <", EV_DELIVERY_NOTE, NULL, "", ")"},
        {" accept() failures: ", EV_DAEMON, NULL, NULL, ""},
        {" select() failures: ", EV_DAEMON, NULL, NULL, ""},
        {": accepted by +include_", EV_DNS, NULL, "", "include_unknown"},
        {": accepted by +include_", EV_DNS, NULL, "", "include_defer"},
        {" rewritten as \"", EV_DELIVERY_NOTE, NULL, "\"", ""},
        {": callout unencrypted to ", EV_TLS, NULL, "", "(not in hosts_require_tls)"},
        {": delivering unencrypted to H=", EV_TLS, NULL, "", "(not in hosts_require_tls)"}};
    const char *blank = memchr(text.p, ' ', text.n);
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
        struct event reading = fresh(ev);
        const char *head = inner[i].head;
        ptrdiff_t at = slice_find(text, inner[i].text);
        reading.kind = inner[i].kind;
        reading.text = text;
        if (at <= 0 || (head ? !slice_starts(text, head) : text.p + at != blank) ||
            !ends_in(text, inner[i].tail) || (inner[i].read && !inner[i].read(text, &reading)))
            continue;
        *ev = reading;
        return true;
    }
    return false;
}

static bool read_authenticator_line(struct slice text, struct event *ev)
{
    const struct wording *w = exim_authenticator_wording_of(text);
    return w && read_wording(text, w, ev);
}

/* Exim before 4.8 wrote no H= here: `mx.y [ip] Connection refused` */
static bool read_old_host_error(struct slice text, struct event *ev)
{
    struct event reading = fresh(ev);
    struct scan s = scan_over(text);
    exim_fullhost(&s, NULL, &reading);
    scan_lit(&s, " ");
    if (s.bad || !ev->exim_id.p || !reading.host.p || reading.helo.p)
        return false;
    if (!exim_host_error(&s, &reading))
        return false;
    *ev = reading;
    return true;
}

void exim_unflagged(struct slice text, struct event *ev)
{
    const struct wording *w = exim_wording_of(text);
    if (w && read_wording(text, w, ev))
        return;
    if (w) {
        enum event_kind kind = exim_wording_kind(w);
        ev->kind = kind == EV_REJECTION ? EV_ACL_TEXT : kind;
        ev->text = text;
        return;
    }
    if (text.n && (read_authenticator_line(text, ev) || read_inner_wording(text, ev) ||
                   read_old_host_error(text, ev)))
        return;
    ev->kind = EV_ACL_TEXT;
    ev->text = text;
}
