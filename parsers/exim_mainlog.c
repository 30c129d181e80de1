/* exim_mainlog.c — Exim's main, reject and panic log: lines with a flag behind a message id.  Lines without
   one are in exim_unflagged.c.  Fixtures: tests/fixtures/lines/exim_mainlog.t */
#include "exim_fields.h"
#include "ascii.h"

/* How many readings of one line are tried before giving up: a stranger's line costs no more than this
   many ordinary ones. */
enum { TRIES = 64 };

/* The last lit that begins before offset limit; -1 if there is none. */
static ptrdiff_t find_before(struct slice s, const char *lit, size_t limit)
{
    size_t n = limit + strlen(lit) - 1;
    return slice_find_last(slice_of(s.p, n < s.n ? n : s.n), lit);
}

/* A reading keeps what the line's head said. */
static struct event fresh(const struct event *ev)
{
    struct event reading;
    event_reset(&reading);
    reading.kind = ev->kind;
    reading.delivery = ev->delivery;
    reading.exim_id = ev->exim_id;
    reading.flags = ev->flags & EVF_FAKEREJECT;
    return reading;
}

/* --- <= and (= --- */

static void read_sender(struct scan *s, struct event *ev)
{
    struct slice sender = exim_address(s);
    ev->sender = slice_is(sender, "<>") ? slice_of(sender.p + 1, 0) : sender;
}

/* A= may hold any text here, the client chose it: it goes up to the marks before S=. */
static bool auth_fits(struct slice fields, struct event *ev)
{
    static const char *const marks[] = {" K", " PRX=", " PRDR"};
    size_t end = fields.n;
    if (!slice_starts(fields, " A="))
        end = 0;
    for (size_t i = 0; end && i < 3; i++) {
        ptrdiff_t at = find_before(slice_of(fields.p, end), marks[i], end);
        size_t after = at < 0 ? 0 : (size_t)at + strlen(marks[i]);
        if (at > 3 && !memchr(fields.p + after, ' ', end - after) && (i == 1 || after == end))
            end = (size_t)at;
    }
    if (end)
        exim_auth(slice_of(fields.p + 3, end - 3), ev);
    struct scan s = scan_over(slice_after(fields, end));
    exim_fields(&s, exim_arrival_last_fields, false, ev);
    return at_end(&s);
}

static bool sni_fits(struct slice fields, struct event *ev)
{
    struct scan s = scan_over(fields);
    exim_fields(&s, exim_arrival_sni_fields, false, ev);
    return !s.bad && auth_fits(scan_rest(&s), ev);
}

/* One more reading fits: the first found, which is the rightmost, is kept. */
static void keep(struct event *best, const struct event *reading, int *fits)
{
    if ((*fits)++ == 0)
        *best = *reading;
    else
        best->flags |= EVF_AMBIGUOUS;
}

static bool dn_fits(struct slice fields, int *tries, struct event *ev)
{
    int fits = 0;
    struct event best;
    for (size_t limit = fields.n; limit > 5 && (*tries)-- > 0;) {
        ptrdiff_t quote = find_before(fields, "\"", limit);
        if (quote < 5)
            break;
        struct event reading = *ev;
        reading.dn = slice_of(fields.p + 5, (size_t)quote - 5);
        if (sni_fits(slice_after(fields, (size_t)quote + 1), &reading))
            keep(&best, &reading, &fits);
        limit = (size_t)quote;
    }
    if (fits)
        *ev = best;
    return fits > 0;
}

static bool mid_fits(struct slice fields, int *tries, struct event *ev)
{
    struct scan s = scan_over(fields);
    exim_fields(&s, exim_arrival_mid_fields, false, ev);
    if (s.bad || !ev->protocol.p) /* no arrival is without P=: what comes before it is a stranger's text */
        return false;
    struct slice rest = scan_rest(&s);
    return slice_starts(rest, " DN=\"") ? dn_fits(rest, tries, ev) : sni_fits(rest, ev);
}

static void split_connection_id(struct event *ev)
{
    ptrdiff_t at = slice_find_last(ev->ident, " Ci=");
    if (at < 0 || memchr(ev->ident.p + at + 1, ' ', ev->ident.n - (size_t)at - 1))
        return;
    ev->connection_id = slice_after(ev->ident, (size_t)at + 4);
    ev->ident.n = (size_t)at;
}

/* U= may hold any text: it goes up to P=. */
static bool ident_fits(struct slice fields, int *tries, struct event *ev)
{
    int fits = 0;
    struct event best;
    if (!slice_starts(fields, " U="))
        return mid_fits(fields, tries, ev);
    for (size_t limit = fields.n; limit > 3 && (*tries)-- > 0;) {
        ptrdiff_t at = find_before(fields, " P=", limit);
        if (at < 3)
            break;
        struct event reading = *ev;
        reading.ident = slice_of(fields.p + 3, (size_t)at - 3);
        split_connection_id(&reading);
        if (mid_fits(slice_after(fields, (size_t)at), tries, &reading))
            keep(&best, &reading, &fits);
        limit = (size_t)at;
    }
    if (fits)
        *ev = best;
    return fits > 0;
}

static bool behind_host_fits(struct scan *s, int *tries, struct event *ev)
{
    exim_fields(s, exim_arrival_host_fields, false, ev);
    return !s->bad && ident_fits(scan_rest(s), tries, ev);
}

/* The helo name may hold any text, ") [1.2.3.4]" as well. */
static bool helo_fits(struct scan host, int *tries, struct event *ev)
{
    int fits = 0;
    struct event best;
    struct slice rest = scan_rest(&host);
    for (size_t limit = rest.n; limit > 0 && (*tries)-- > 0;) {
        ptrdiff_t at = find_before(rest, ") [", limit);
        if (at < 0)
            break;
        struct event reading = *ev;
        struct scan s = host;
        exim_fullhost(&s, rest.p + at, &reading);
        bool here = reading.helo.p && reading.helo.p + reading.helo.n == rest.p + at;
        if (!s.bad && here && behind_host_fits(&s, tries, &reading))
            keep(&best, &reading, &fits);
        limit = (size_t)at;
    }
    if (fits)
        *ev = best;
    return fits > 0;
}

/* All between sender and S=. */
static bool front_fits(struct slice fields, int *tries, struct event *ev)
{
    struct scan s = scan_over(fields);
    exim_fields(&s, exim_arrival_origin_fields, false, ev);
    if (!scan_try(&s, " H="))
        return !s.bad && ident_fits(scan_rest(&s), tries, ev);
    struct slice host = scan_rest(&s);
    const char *round = memchr(host.p, '(', host.n);
    const char *square = memchr(host.p, '[', host.n);
    if (round && square && round < square)
        return helo_fits(s, tries, ev);
    exim_fullhost(&s, NULL, ev);
    return !s.bad && behind_host_fits(&s, tries, ev);
}

/* Reads the line from both ends, around an S= from which all to the end fits. */
static bool arrival_apart(struct slice fields, struct event *ev)
{
    int tries = TRIES, fits = 0;
    struct event best;
    for (size_t limit = fields.n; limit > 0 && tries-- > 0;) {
        ptrdiff_t at = find_before(fields, " S=", limit);
        if (at < 0)
            break;
        struct event reading = *ev;
        struct scan tail = scan_over(slice_after(fields, (size_t)at));
        exim_fields(&tail, exim_arrival_tail_fields, false, &reading);
        if (at_end(&tail) && front_fits(slice_of(fields.p, (size_t)at), &tries, &reading))
            keep(&best, &reading, &fits);
        limit = (size_t)at;
    }
    if (fits)
        *ev = best;
    return fits > 0;
}

static void parse_arrival(struct scan *s, struct event *ev)
{
    ev->kind = EV_ARRIVAL;
    read_sender(s, ev);
    if (s->bad)
        return;
    struct scan straight = *s;
    exim_fields(&straight, exim_arrival_fields, false, ev);
    if (at_end(&straight) && ev->size != NUM_ABSENT) {
        s->p = straight.p;
        return;
    }
    struct event reading = fresh(ev);
    reading.sender = ev->sender;
    if (arrival_apart(scan_rest(s), &reading)) {
        *ev = reading;
        s->p = s->end;
        return;
    }
    *s = straight;
    s->bad = true;
}

static void parse_fake_reject(struct scan *s, struct event *ev)
{
    ev->flags |= EVF_FAKEREJECT;
    parse_arrival(s, ev);
}

/* --- => -> >> *> ** == --- */

typedef bool rest_reader(struct scan *s, struct event *ev);

static bool routed(const struct event *ev)
{
    return ev->router.p || ev->transport.p;
}

static bool delivered_rest(struct scan *s, struct event *ev)
{
    exim_fields(s, exim_delivery_fields, false, ev);
    return at_end(s) && routed(ev);
}

static bool cutthrough_rest(struct scan *s, struct event *ev)
{
    exim_fields(s, exim_cutthrough_fields, false, ev);
    return at_end(s) && routed(ev);
}

/* DT= stands behind the message, where the remote host's words, or a filter's, may end in one as well.  Nothing on the
   line tells the two apart, but no attempt that a remote host answered takes more than an hour. */
static void split_deliver_time(struct event *ev)
{
    enum { LONGEST_MS = 3600000 };
    ptrdiff_t at = slice_find_last(ev->reason, " DT=");
    if (at < 0)
        return;
    struct scan s = scan_over(slice_after(ev->reason, (size_t)at + 4));
    int64_t ms = scan_exim_time(&s);
    if (!at_end(&s) || (ev->host.p && ms > LONGEST_MS))
        return;
    ev->deliver_ms = ms;
    ev->reason.n = (size_t)at;
    if (ev->host.p || slice_find(ev->reason, ", output: ") >= 0)
        ev->flags |= EVF_AMBIGUOUS;
}

/* " : message" from Exim 4.99 on, ": message" before. */
static bool failed_rest(struct scan *s, struct event *ev)
{
    exim_fields(s, exim_failure_fields, true, ev);
    if (s->bad)
        return false;
    if (scan_try(s, " : ") || scan_try(s, ": "))
        ev->reason = scan_all(s);
    else if (!routed(ev) || !at_end(s))
        return false;
    split_deliver_time(ev);
    return true;
}

/* The system's text for errno ends where our own fields or the message begin. */
static struct slice errno_text(struct scan *s)
{
    static const char *const stops[] = {" H=", " DT=", ": "};
    size_t n = scan_left(s);
    for (size_t i = 0; i < 3; i++) {
        ptrdiff_t at = slice_find(slice_of(s->p, n), stops[i]);
        if (at >= 0)
            n = (size_t)at;
    }
    struct slice text = slice_of(s->p, n);
    s->p += n;
    return text;
}

static void deferral_message(struct scan *s, struct event *ev)
{
    struct slice system = SLICE_ABSENT;
    if (ev->errno_code > 0 && scan_try(s, ": "))
        system = errno_text(s);
    bool apart = s->p != s->end && *s->p == ' ';
    exim_fields(s, exim_deferral_fields, true, ev);
    if (scan_try(s, ": "))
        ev->reason = scan_all(s);
    if (!system.p)
        return;
    if (apart && ev->reason.p)
        ev->text = system;
    else
        ev->reason = ev->reason.p ? between(system.p, s->end) : system;
}

static bool deferred_rest(struct scan *s, struct event *ev)
{
    exim_fields(s, exim_failure_fields, false, ev);
    if (!scan_try(s, " routing"))
        scan_try(s, " transporting");
    scan_lit(s, " defer (");
    bool negative = scan_try(s, "-");
    int64_t code = scan_u63(s, INT32_MAX);
    scan_lit(s, ")");
    if (s->bad)
        return false;
    ev->errno_code = negative ? -code : code;
    deferral_message(s, ev);
    return at_end(s);
}

/* An address that was never routed is printed with its quotes. */
static struct slice final_word(struct scan *s)
{
    struct scan quoted = *s;
    if (s->p == s->end || *s->p != '"')
        return scan_word(s);
    struct slice address = exim_address(&quoted);
    if (quoted.bad)
        return scan_word(s);
    *s = quoted;
    return address;
}

/* The usual form: an address without a blank, maybe (parents) and <original>. */
static void word_addresses(struct scan *s, bool colon, struct event *ev)
{
    ev->recipient = final_word(s);
    if (s->bad)
        return;
    if (colon && ev->recipient.n > 1 && s->p[-1] == ':') {
        ev->recipient.n--;
        s->p--;
        return;
    }
    if (scan_try(s, " (")) {
        ev->parents = scan_until_lit(s, ") <");
        s->p -= s->bad ? 0 : 2;
        if (!s->bad && !memchr(ev->parents.p, '@', ev->parents.n)) /* no addresses: part of a recipient with blanks */
            s->bad = true;
    }
    if (scan_left(s) > 1 && s->p[0] == ' ' && s->p[1] == '<') {
        s->p++;
        ev->original = exim_angle(s);
    }
}

/* "FINAL (P1, P2)": parents are addresses, or this is part of FINAL. */
static void split_parents(struct event *ev)
{
    struct slice all = ev->recipient;
    ptrdiff_t at = all.n && all.p[all.n - 1] == ')' ? slice_find_last(all, " (") : -1;
    if (at < 0 || !memchr(all.p + at, '@', all.n - (size_t)at))
        return;
    ev->parents = slice_of(all.p + at + 2, all.n - (size_t)at - 3);
    ev->recipient.n = (size_t)at;
}

/* Whether the original, a quoted local part and a domain, is the recipient but for its quotes, its case
   and maybe its domain: Exim printed both from one address, and no stranger's text between. */
static bool certified(struct slice final, struct slice original)
{
    size_t i = 1, k = 0;
    if (original.n < 2 || original.p[0] != '"')
        return false;
    for (; i < original.n && original.p[i] != '"'; i++, k++) {
        if (original.p[i] == '\\' && i + 1 < original.n)
            i++;
        if (k >= final.n || lower(final.p[k]) != lower(original.p[i]))
            return false;
    }
    struct slice domain = slice_after(original, i < original.n ? i + 1 : i);
    if (k == final.n)
        return true;
    if (final.n - k != domain.n)
        return false;
    for (i = 0; i < domain.n; i++)
        if (lower(final.p[k + i]) != lower(domain.p[i]))
            return false;
    return true;
}

/* One reading with a blank in the recipient, which ends before the " <" at offset at. */
static bool spaced_reading(struct scan line, size_t at, rest_reader *rest, struct event *ev)
{
    struct scan s = {line.p + at + 1, line.end, false};
    ev->recipient = slice_of(line.p, at);
    ev->original = exim_angle(&s);
    if (s.bad || !rest(&s, ev))
        return false;
    if (certified(ev->recipient, ev->original))
        return true;
    split_parents(ev);
    return routed(ev);
}

/* The recipient is printed without its quotes and may hold anything.  The reading in which it equals its
   original is the right one; else one without a blank in it, which best holds already if there is one; else
   the rightmost, or where the message behind is free text, the leftmost. */
static int spaced_addresses(struct scan line, rest_reader *rest, bool free_text, int fits,
                            struct event *best)
{
    struct slice all = scan_rest(&line);
    const struct event start = fresh(best);
    bool sure = false;
    for (size_t limit = all.n, i = 0; limit > 0 && i < TRIES; i++) {
        ptrdiff_t at = find_before(all, " <", limit);
        if (at <= 0)
            break;
        limit = (size_t)at;
        if (fits && free_text && (limit + 2 >= all.n || all.p[limit + 2] != '"'))
            continue;
        struct event reading = start;
        if (!spaced_reading(line, limit, rest, &reading))
            continue;
        bool certain = certified(reading.recipient, reading.original);
        if (!fits || (certain && !sure) || (free_text && !sure))
            *best = reading;
        sure = sure || certain;
        fits++;
    }
    if (fits > 1 && !sure)
        best->flags |= EVF_AMBIGUOUS;
    return fits;
}

static bool is_command(struct slice recipient)
{
    return recipient.n && (*recipient.p == '|' || *recipient.p == '/' || *recipient.p == '>');
}

/* In a message an original with a quote is rare, so few lines are read twice. */
static bool worth_another(struct scan line, bool free_text, bool fits)
{
    return !fits || (free_text && slice_find(scan_rest(&line), " <\"") >= 0);
}

/* "a (b@c)" as the recipient proves to be one where the original says so.  A command or a file's name may hold the same:
   there nothing tells. */
static void doubt_parents(struct event *ev)
{
    if (!ev->parents.p)
        return;
    struct slice all = between(ev->recipient.p, ev->parents.p + ev->parents.n + 1);
    if (is_command(ev->recipient)) {
        ev->flags |= EVF_AMBIGUOUS;
    } else if (certified(all, ev->original)) {
        ev->recipient = all;
        ev->parents = SLICE_ABSENT;
    }
}

static bool parse_attempt(struct scan *s, rest_reader *rest, bool free_text, struct event *ev)
{
    struct scan word = *s;
    word_addresses(&word, free_text, ev);
    bool fits = !word.bad && rest(&word, ev);
    bool whole = fits && (ev->original.p || !is_command(ev->recipient)); /* commands and files have an original */
    fits = fits && (whole || routed(ev));
    if (worth_another(*s, free_text, whole)) {
        struct event best = whole ? *ev : fresh(ev);
        if (spaced_addresses(*s, rest, free_text, whole, &best)) {
            *ev = best;
            fits = true;
        }
    }
    doubt_parents(ev);
    *s = word;
    s->bad = !fits;
    if (fits)
        s->p = s->end;
    return fits;
}

/* "blackhole (RCPT ACL discarded recipients): message", "discarded (system filter)" and "blackhole" with the
   text of a local_scan: the whole message was thrown away. */
static bool parse_discarded(struct scan *s, struct event *ev)
{
    struct scan at = *s;
    const char *start = at.p;
    struct event reading = fresh(ev);
    if (!scan_try(&at, "blackhole") && !scan_try(&at, "discarded"))
        return false;
    reading.recipient = between(start, at.p);
    if (at.p != at.end && *at.p != ' ')
        return false;
    if (scan_try(&at, " (")) {
        reading.text = scan_until(&at, ')');
        if (scan_try(&at, ": "))
            reading.reason = scan_all(&at);
    } else if (scan_try(&at, " ") && at.p != at.end) {
        reading.reason = scan_all(&at);
    }
    if (!at_end(&at))
        return false;
    *ev = reading;
    *s = at;
    return true;
}

static void parse_delivered(struct scan *s, struct event *ev)
{
    ev->kind = EV_DELIVERY;
    ev->delivery = DELIVERY_DELIVERED;
    struct scan start = *s;
    if (!parse_attempt(s, delivered_rest, false, ev) && parse_discarded(&start, ev))
        *s = start;
    if (!s->bad && !ev->transport.p)
        ev->delivery = DELIVERY_DISCARDED;
}

static void parse_additional(struct scan *s, struct event *ev)
{
    ev->kind = EV_DELIVERY;
    ev->delivery = DELIVERY_ADDITIONAL;
    parse_attempt(s, delivered_rest, false, ev);
}

static void parse_cutthrough(struct scan *s, struct event *ev)
{
    ev->kind = EV_DELIVERY;
    ev->delivery = DELIVERY_CUTTHROUGH;
    parse_attempt(s, cutthrough_rest, false, ev);
}

static void parse_suppressed(struct scan *s, struct event *ev)
{
    ev->kind = EV_DELIVERY;
    ev->delivery = DELIVERY_SUPPRESSED;
    parse_attempt(s, delivered_rest, false, ev);
}

static void parse_deferred(struct scan *s, struct event *ev)
{
    ev->kind = EV_DELIVERY;
    ev->delivery = DELIVERY_DEFERRED;
    parse_attempt(s, deferred_rest, true, ev);
}

/* Failures that are told without any field. */
static bool parse_bare_failure(struct scan *s, struct event *ev)
{
    static const char *const wordings[] = {"routing yielded a ", "mua_wrapper "};
    struct scan at = *s;
    struct event reading = fresh(ev);
    if (!scan_try(&at, "mua_wrapper is set")) {
        reading.recipient = scan_word(&at);
        scan_lit(&at, " ");
        struct slice rest = scan_rest(&at);
        if (at.bad || (!slice_starts(rest, wordings[0]) && !slice_starts(rest, wordings[1])))
            return false;
    } else {
        at.p = s->p;
    }
    reading.reason = scan_all(&at);
    *ev = reading;
    *s = at;
    return true;
}

static void parse_failed(struct scan *s, struct event *ev)
{
    ev->kind = EV_DELIVERY;
    ev->delivery = DELIVERY_FAILED;
    if (!parse_bare_failure(s, ev))
        parse_attempt(s, failed_rest, true, ev);
}

static void parse_completed(struct scan *s, struct event *ev)
{
    ev->kind = EV_COMPLETED;
    if (scan_try(s, " QT="))
        ev->queue_ms = scan_exim_time(s);
}

/* --- the line --- */

struct flag {
    const char *text;
    void (*parse)(struct scan *s, struct event *ev);
};

static const struct flag flags[] = {
    {"<= ", parse_arrival},    {"=> ", parse_delivered},    {"-> ", parse_additional},
    {"Completed", parse_completed}, {"== ", parse_deferred}, {"** ", parse_failed},
    {">> ", parse_cutthrough}, {"*> ", parse_suppressed},   {"(= ", parse_fake_reject}};

/* "Completed" is a word of its own: "Completed by hand" is somebody's text. */
static const struct flag *flag_here(struct scan *s)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct scan at = *s;
        if (!scan_try(&at, flags[i].text))
            continue;
        if (flags[i].parse == parse_completed && at.p != at.end &&
            !slice_starts(scan_rest(&at), " QT="))
            return NULL;
        *s = at;
        return &flags[i];
    }
    return NULL;
}

/* A line of over 8 KiB is cut by Exim, who says so in its last bytes. */
static struct slice without_overflow(struct slice body)
{
    struct slice note = SLICE_LIT("**** log string overflowed log buffer ****");
    if (body.n > note.n && memcmp(body.p + body.n - note.n, note.p, note.n) == 0)
        body.n -= note.n;
    return body;
}

static enum verdict parse(const struct frame *frame, struct event *ev)
{
    struct slice body = without_overflow(frame->body);
    if (frame->kind == FRAME_NONE || frame->part > 1) {
        ev->kind = EV_CONTINUATION;
        ev->text = frame->body;
        return VERDICT_OK;
    }
    struct scan s = scan_over(body);
    size_t id = exim_id_length(body);
    if (id) {
        ev->exim_id = slice_of(body.p, id);
        s.p += id;
        if (s.p != s.end)
            s.p++;
    }
    const struct flag *flag = id ? flag_here(&s) : NULL;
    if (flag)
        flag->parse(&s, ev);
    else
        exim_unflagged(scan_rest(&s), ev);
    exim_codes(ev);
    return flag ? verdict_of(&s, body, ev) : VERDICT_OK;
}

static const char *const tags[] = {"exim", "exim4", "exim3", "exim-mail", "eximm", NULL};

const struct dialect dialect_exim_mainlog = {
    "exim_mainlog", "Exim's main, reject and panic log", tags, parse};
