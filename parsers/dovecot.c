/* dovecot.c — Dovecot 1.x to 2.4 through syslog: logins and failures, ends of sessions, local deliveries; all
   else of it is a note.  Fixtures: tests/fixtures/lines/dovecot.t

   user=<...> of a login line is what the client sent; the address and the method stand behind it, so they
   are looked for from the right.  A failed login is counted by the line of the login process, which
   always comes; the auth process tells the same again, with the reason, only where auth_verbose is on: a note.

   Outcomes: logout; autologout, idle for too long; dropped, the connection broke or was closed unasked;
   killed, the server went down; limit, a limit of connections or of sizes; error. */
#include "address.h"
#include "dialect.h"

struct named {
    const char *text, *name;
};

/* The name of the first entry whose text is found, or the last entry's. */
static struct slice name_of(struct slice text, const struct named *list)
{
    for (; list->text; list++)
        if (slice_find(text, list->text) >= 0)
            break;
    return list->name ? slice_of(list->name, strlen(list->name)) : SLICE_ABSENT;
}

static struct slice outcome_of(struct slice reason)
{
    static const struct named outcomes[] = {
        {"Logged out", "logout"},
        {"logging out", "logout"},
        {"Inactivity", "autologout"},
        {"inactivity", "autologout"},
        {"Maximum number of connections", "limit"},
        {"too large", "limit"},
        {"Input buffer full", "limit"},
        {"Too many", "limit"},
        {"process_full", "limit"},
        {"shutting down", "killed"},
        {"shutting_down", "killed"},
        {"rror", "error"},
        {"Internal", "error"},
        {"nternal_failure", "error"},
        {"auth mechanism", "error"},
        {"BUG", "error"},
        {NULL, "dropped"}};
    return name_of(reason, outcomes);
}

static struct slice service_of(struct slice program)
{
    static const struct named services[] = {{"imap", "imap"}, {"IMAP", "imap"}, {"pop3", "pop3"},
                                            {"POP3", "pop3"}, {"lmtp", "lmtp"}, {"lda", "lda"},
                                            {"deliver", "lda"}, {NULL, NULL}};
    return name_of(program, services);
}

/* Up to the comma, which is not eaten. */
static struct slice scan_value(struct scan *s)
{
    struct slice rest = scan_rest(s);
    const char *comma = memchr(rest.p, ',', rest.n);
    size_t n = comma ? (size_t)(comma - rest.p) : rest.n;
    s->p += n;
    return slice_of(rest.p, n);
}

/* The digits behind key, or NUM_ABSENT. */
static int64_t number_behind(struct slice text, const char *key)
{
    ptrdiff_t at = slice_find_last(text, key);
    if (at < 0)
        return NUM_ABSENT;
    struct scan s = scan_over(slice_after(text, (size_t)at + strlen(key)));
    return scan_u63(&s, INT64_MAX);
}

/* USER>, method=M, rip=IP, lip=IP, mpid=N, TLS, session=<S>: the last rip= is the server's own, and so is the
   method right in front of it.  Other orders of login_log_format_elements give less. */
static void read_who(struct scan *s, struct event *ev)
{
    struct slice text = scan_rest(s);
    ptrdiff_t rip = slice_find_last(text, ">, rip="), method = slice_find_last(text, ">, method=");
    ptrdiff_t at = slice_find_last(text, ", rip=");
    if (at < 0 || (rip < 0 && method < 0)) {
        s->bad = true;
        return;
    }
    struct scan tail = scan_over(slice_after(text, (size_t)at + 6));
    struct slice ip = scan_value(&tail);
    if (address_like(ip))
        ev->ip = ip;
    ptrdiff_t end = rip == at - 1 ? rip : method;
    if (end == method && method >= 0) {
        ptrdiff_t from = method + 10;
        ev->method = from <= at ? slice_of(text.p + from, (size_t)(at - from)) : SLICE_ABSENT;
    }
    if (end < 0 || end > at) {
        s->bad = true;
        return;
    }
    struct slice user = slice_of(text.p, (size_t)end);
    if (slice_find(user, ">, ") >= 0)
        ev->flags |= EVF_AMBIGUOUS;
    if (user.n > 0)
        ev->user = user;
    if (slice_find(scan_rest(&tail), ", TLS") >= 0)
        ev->tls = SLICE_LIT("TLS");
    if (ev->kind == EV_LOGIN) /* the process that will say how it ends */
        ev->count = number_behind(scan_rest(&tail), ", mpid=");
    scan_all(s);
}

/* "(auth failed, 3 attempts in 12 secs)": how many; NUM_ABSENT if nobody tried. */
static int64_t attempts_of(struct slice reason)
{
    ptrdiff_t at = slice_find_last(reason, "(auth failed, ");
    if (at < 0)
        return NUM_ABSENT;
    struct scan s = scan_over(slice_after(reason, (size_t)at + 14));
    return scan_u63(&s, INT32_MAX);
}

static enum event_kind login_kind(struct slice reason, struct slice tail)
{
    if (slice_is(reason, "Login") || slice_is(reason, "Logged in") ||
        (slice_find(tail, ", mpid=") >= 0 && slice_starts(reason, "Log")))
        return EV_LOGIN;
    if (slice_find(reason, "(auth failed, ") >= 0 || slice_starts(reason, "Authenticate "))
        return EV_AUTH_FAILURE;
    return EV_SESSION_END;
}

/* What imap-login and pop3-login say: REASON: user=<...>, ... */
static bool try_login(struct scan *s, struct event *ev)
{
    struct slice text = scan_rest(s);
    ptrdiff_t at = slice_find(text, ": user=<");
    if (at < 0)
        return false;
    struct slice reason = slice_of(text.p, (size_t)at);
    s->p += at + 8;
    ev->kind = login_kind(reason, scan_rest(s));
    if (ev->kind != EV_LOGIN) {
        ev->reason = reason;
        ev->count = attempts_of(reason);
    }
    if (ev->kind == EV_SESSION_END || (ev->kind == EV_AUTH_FAILURE && ev->count != NUM_ABSENT))
        ev->outcome = outcome_of(reason);
    read_who(s, ev);
    return true;
}

/* The number behind the slash of key=N/N; the first may be empty. */
static int64_t second_behind(struct slice text, const char *key)
{
    ptrdiff_t at = slice_find_last(text, key);
    if (at < 0)
        return NUM_ABSENT;
    struct scan s = scan_over(slice_after(text, (size_t)at + strlen(key)));
    if (scan_try(&s, "/"))
        return scan_u63(&s, INT64_MAX);
    scan_u63(&s, INT64_MAX);
    return scan_lit(&s, "/") ? scan_u63(&s, INT64_MAX) : NUM_ABSENT;
}

/* in=N out=N deleted=N expunged=N ..., or 1.x's bytes=IN/OUT, or top=N/OCTETS, retr=N/OCTETS, del=N/TOTAL, size=N.  TOP sends
   the head of a message, which fetches none; del= is told when QUIT made it true: of other ends 2.2 leaves it empty. */
static void read_figures(struct slice text, struct event *ev)
{
    if (slice_starts(text, " top=")) {
        ev->fetched = number_behind(text, ", retr=");
        ev->bytes = second_behind(text, ", retr=");
        ev->deleted = number_behind(text, ", del=");
        ev->messages = second_behind(text, ", del=");
        ev->size = number_behind(text, ", size=");
    } else if (slice_starts(text, " bytes=")) {
        ev->bytes = second_behind(text, " bytes=");
    } else {
        ev->bytes = number_behind(text, " out=");
        ev->deleted = number_behind(text, " expunged=");
        ev->fetched = number_behind(text, " body_count=");
    }
}

/* Disconnected: REASON FIGURES, Connection closed REASON FIGURES, Logged out FIGURES (2.4). */
static bool try_end(struct scan *s, struct event *ev)
{
    static const char *const heads[] = {"Disconnected", "Connection closed", "Logged out", NULL};
    static const char *const figures[] = {" top=", " bytes=", " in=", NULL};
    struct slice text = scan_rest(s);
    size_t i = 0;
    while (heads[i] && !slice_starts(text, heads[i]))
        i++;
    if (!heads[i])
        return false;
    ptrdiff_t at = -1;
    for (i = 0; figures[i] && at < 0; i++)
        at = slice_find_last(text, figures[i]);
    struct slice reason = slice_of(text.p, at < 0 ? text.n : (size_t)at);
    ev->kind = EV_SESSION_END;
    ev->outcome = outcome_of(reason);
    ev->reason = reason;
    read_figures(slice_after(text, reason.n), ev);
    scan_all(s);
    return true;
}

static struct slice without(struct slice text, char open, char close)
{
    if (text.n >= 2 && text.p[0] == open && text.p[text.n - 1] == close)
        return slice_of(text.p + 1, text.n - 2);
    return text;
}

/* What may follow a Message-ID, and which field the rest of the line is for. */
enum { TO_MAILBOX, TO_ADDRESS, TO_NOBODY };
static const struct delivered {
    const char *text;
    int to;
} delivered[] = {{": saved mail to ", TO_MAILBOX},
                 {": stored mail into mailbox ", TO_MAILBOX},
                 {": forwarded to ", TO_ADDRESS},
                 {": discarded", TO_NOBODY},
                 {": marked message to be discarded", TO_NOBODY},
                 {NULL, TO_NOBODY}};

/* The wording that stands last in text, at *at; NULL if there is none. */
static const struct delivered *last_delivered(struct slice text, ptrdiff_t *at)
{
    const struct delivered *last = NULL;
    *at = -1;
    for (const struct delivered *d = delivered; d->text; d++) {
        ptrdiff_t found = slice_find_last(text, d->text);
        if (found > *at) {
            *at = found;
            last = d;
        }
    }
    return last;
}

/* [sieve: ]msgid=<ID>: saved mail to MAILBOX and kin.  The id is the sender's text: the last wording counts. */
static bool try_delivery(struct scan *s, struct event *ev)
{
    struct scan t = *s;
    ptrdiff_t at;
    scan_try(&t, "sieve: ");
    if (!scan_try(&t, "msgid="))
        return false;
    struct slice rest = scan_all(&t);
    const struct delivered *how = last_delivered(rest, &at);
    if (!how)
        return false;
    struct slice id = slice_of(rest.p, (size_t)at);
    struct slice where = slice_after(rest, (size_t)at + strlen(how->text));
    if (slice_starts(id, "<"))
        ev->message_id = without(id, '<', '>');
    if (how->to == TO_MAILBOX)
        ev->mailbox = without(where, '\'', '\'');
    else if (how->to == TO_ADDRESS)
        ev->recipient = without(where, '<', '>');
    ev->kind = EV_TRANSFER;
    ev->text = slice_after(rest, (size_t)at + 2);
    *s = t;
    return true;
}

/* DRIVER(USER,IP[,<SESSION>]): REASON, what the auth process says of a failure. */
static void read_auth(struct slice text, struct event *ev)
{
    ptrdiff_t open = slice_find(text, "("), close = slice_find_last(text, "): ");
    if (open < 0 || close < open)
        return;
    struct slice inner = slice_of(text.p + open + 1, (size_t)(close - open - 1));
    ptrdiff_t session = slice_find_last(inner, ",<");
    if (session >= 0)
        inner.n = (size_t)session;
    ptrdiff_t comma = slice_find_last(inner, ",");
    if (comma < 0)
        return;
    struct slice ip = slice_after(inner, (size_t)comma + 1);
    if (!address_like(ip))
        return;
    ev->ip = ip;
    struct slice user = slice_of(inner.p, (size_t)comma);
    ev->user = slice_is(user, "?") ? SLICE_ABSENT : user;
    ev->reason = slice_after(text, (size_t)close + 3);
}

/* PROGRAM, PROGRAM(USER), PROGRAM(USER)<PID><SESSION> and ": ".  The user here is one who is logged in. */
static struct slice read_program(struct scan *s, struct event *ev)
{
    const char *start = s->p;
    while (s->p < s->end && ((*s->p >= 'a' && *s->p <= 'z') || (*s->p >= 'A' && *s->p <= 'Z') ||
                             (*s->p >= '0' && *s->p <= '9') || *s->p == '-' || *s->p == '_'))
        s->p++;
    struct slice program = slice_of(start, (size_t)(s->p - start));
    if (program.n == 0)
        s->bad = true;
    if (scan_try(s, "(")) {
        struct slice rest = scan_rest(s);
        ptrdiff_t plain = slice_find(rest, "): "), more = slice_find(rest, ")<");
        bool has_session = more >= 0 && (plain < 0 || more < plain);
        struct slice user = scan_until_lit(s, has_session ? ")<" : ")");
        if (has_session) {
            struct slice ids = scan_until_lit(s, ">: ");
            struct scan pid = ids.p ? scan_over(ids) : *s;
            ev->count = scan_u63(&pid, INT32_MAX);
        } else {
            scan_lit(s, ": ");
        }
        if (!s->bad && user.n > 0 && !slice_starts(program, "auth"))
            ev->user = user;
    } else {
        scan_lit(s, ": ");
    }
    return program;
}

/* A process that nobody has logged in to prints its pid where the user would stand. */
static bool is_number(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n > 0;
}

/* "Dovecot v2.3.19.1 (9b53102964) starting up for imap, pop3" */
static void read_version(struct slice text, struct event *ev)
{
    struct scan s = scan_over(text);
    if (!scan_try(&s, "Dovecot v"))
        return;
    struct slice version = scan_word(&s);
    if (slice_find(scan_rest(&s), " starting up") >= 0)
        ev->version = version;
}

static enum verdict parse(const struct frame *frame, struct event *ev)
{
    struct scan s = scan_over(frame->body);
    struct slice program = read_program(&s, ev);
    if (s.bad)
        return VERDICT_UNKNOWN;
    ev->service = service_of(program);
    if (ev->service.p && (try_login(&s, ev) || try_end(&s, ev) || try_delivery(&s, ev)))
        return verdict_of(&s, frame->body, ev);
    ev->kind = EV_MAILBOX_NOTE;
    ev->count = NUM_ABSENT;
    ev->text = scan_rest(&s);
    read_version(ev->text, ev);
    if (slice_starts(program, "auth"))
        read_auth(ev->text, ev);
    else if (is_number(ev->user))
        ev->user = SLICE_ABSENT;
    return VERDICT_OK;
}

static const char *const tags[] = {"dovecot", NULL};

const struct dialect dialect_dovecot = {"dovecot", "Dovecot's logins, sessions and deliveries", tags,
                                        parse};
