/* imapd.c — the University of Washington's imapd, ipop3d and ipop2d, 4.x to 2007f.
   Fixtures: tests/fixtures/lines/imapd.t

   Most lines are WORDING user=USER host=HOST TAIL.  USER is what the client sent, cut at 80 (64) characters,
   and may hold all of that grammar; HOST is "name [ip]", "[ip]", UNKNOWN or empty, cut at 80.  So the wording
   is read from the left, the tail from the right, host= is the last one in between, and the address the last
   thing in brackets.
   USER of an end line is who last tried to log in, which does not say that it worked; "???" is nobody.

   Outcomes: logout; autologout, idle for too long; dropped, the connection broke; killed, by a signal or by
   another session that wanted the mailbox; error. */
#include "address.h"
#include "dialect.h"

/* How the keys are written: since 2000, and before. */
struct style {
    const char *user, *host;
};
static const struct style styles[] = {{" user=", " host="}, {" user ", " host "}};

/* "name [ip]", "[ip]", "name" (its address was cut off), UNKNOWN or nothing.  A name with a blank is none
   that an honest name server gives. */
static void set_host(struct slice text, struct event *ev)
{
    if (!address_off_end(&text, &ev->ip)) {
        ptrdiff_t at = slice_find_last(text, " [");
        if (at >= 0)
            text.n = (size_t)at;
    }
    while (text.n > 0 && text.p[0] == ' ')
        text = slice_after(text, 1);
    if (text.n == 0 || text.p[0] == '[' || slice_is(text, "UNKNOWN"))
        return;
    if (slice_starts(text, "SSH_C")) { /* the environment, when preauthenticated through ssh */
        ev->text = text;
        return;
    }
    if (memchr(text.p, ' ', text.n))
        ev->flags |= EVF_AMBIGUOUS;
    ev->host = text;
}

static void set_user(struct slice user, struct event *ev)
{
    if (!slice_is(user, "???"))
        ev->user = user;
}

/* Takes tail key and digits off the end of *s: " ndele=3". */
static bool take_number(struct slice *s, const char *key, int64_t *number)
{
    ptrdiff_t at = slice_find_last(*s, key);
    if (at < 0)
        return false;
    struct scan t = scan_over(slice_after(*s, (size_t)at + strlen(key)));
    int64_t value = scan_u63(&t, INT64_MAX);
    if (t.bad || t.p != t.end)
        return false;
    *number = value;
    s->n = (size_t)at;
    return true;
}

/* " nmsgs=first/total" or " no mailbox", off the end of *s. */
static void take_mailbox(struct slice *s, struct event *ev)
{
    ptrdiff_t at = slice_find_last(*s, " nmsgs=");
    if (at >= 0) {
        struct scan t = scan_over(slice_after(*s, (size_t)at + 7));
        scan_u63(&t, INT64_MAX);
        int64_t total = scan_lit(&t, "/") ? scan_u63(&t, INT64_MAX) : NUM_ABSENT;
        if (t.bad || t.p != t.end)
            return;
        ev->messages = total;
        s->n = (size_t)at;
    } else if ((at = slice_find_last(*s, " no mailbox")) >= 0 && (size_t)at + 11 == s->n) {
        ev->text = slice_of(s->p + at + 1, 10);
        s->n = (size_t)at;
    }
}

/* " mech=PLAIN", off the end of *s; the mechanism is one the server has, so it holds no blank. */
static void take_mechanism(struct slice *s, struct event *ev)
{
    ptrdiff_t at = slice_find_last(*s, " mech=");
    if (at < 0)
        return;
    struct slice mech = slice_after(*s, (size_t)at + 6);
    if (memchr(mech.p, ' ', mech.n) || memchr(mech.p, '[', mech.n))
        return;
    ev->method = mech;
    s->n = (size_t)at;
}

/* USER host=HOST: the last host= parts them. */
static void read_user_host(struct scan *s, const struct style *style, struct event *ev)
{
    struct slice user = scan_until_last(s, style->host);
    if (s->bad)
        return;
    set_user(user, ev);
    set_host(scan_all(s), ev);
}

static void read_with_tail(struct scan *s, const struct style *style, struct event *ev,
                           void (*take)(struct slice *, struct event *))
{
    struct slice text = scan_rest(s);
    take(&text, ev);
    struct scan t = scan_over(text);
    read_user_host(&t, style, ev);
    if (t.bad)
        s->bad = true;
    else
        scan_all(s);
}

static void read_login(struct scan *s, const struct style *style, struct event *ev)
{
    read_with_tail(s, style, ev, take_mailbox);
}

static void read_authenticated(struct scan *s, const struct style *style, struct event *ev)
{
    ev->method = SLICE_LIT("AUTHENTICATE");
    read_with_tail(s, style, ev, take_mechanism);
}

static void take_update(struct slice *text, struct event *ev)
{
    int64_t seen;
    take_number(text, " nseen=", &seen);
    take_number(text, " ndele=", &ev->deleted);
    take_number(text, " nmsgs=", &ev->messages);
}

static void read_update(struct scan *s, const struct style *style, struct event *ev)
{
    read_with_tail(s, style, ev, take_update);
}

/* USER host=HOST mbx=MAILBOX: TEXT.  Only who is logged in gets here; the first host= counts, since the
   mailbox, too, is named by the user. */
static void read_mailbox_error(struct scan *s, const struct style *style, struct event *ev)
{
    set_user(scan_until_lit(s, style->host), ev);
    struct slice host = scan_until_lit(s, " mbx=");
    if (s->bad)
        return;
    set_host(host, ev);
    ev->mailbox = scan_until_lit(s, ": ");
    if (slice_find(scan_rest(s), " host=") >= 0 || slice_find(scan_rest(s), ": ") >= 0)
        ev->flags |= EVF_AMBIGUOUS;
    ev->reason = scan_all(s);
}

/* Where USER and the authenticating user part in "USER auth=AUTH".  Nearly always both are the same, and then
   it is in the middle, whatever the name holds.  Otherwise the last auth=; if there are several nobody
   can tell. */
static ptrdiff_t find_auth(struct slice who, struct event *ev)
{
    static const char key[] = " auth=";
    size_t half = who.n >= 6 ? (who.n - 6) / 2 : 0;
    ptrdiff_t last = slice_find_last(who, key);
    if (last < 0 || slice_find(who, key) == last)
        return last;
    if ((who.n - 6) % 2 == 0 && memcmp(who.p + half, key, 6) == 0 &&
        memcmp(who.p, who.p + half + 6, half) == 0)
        return (ptrdiff_t)half;
    ev->flags |= EVF_AMBIGUOUS;
    return last;
}

/* USER[ domain=D] auth=AUTH host=HOST */
static void read_failure(struct scan *s, const struct style *style, struct event *ev)
{
    struct slice who = scan_until_last(s, style->host);
    if (s->bad)
        return;
    ptrdiff_t at = find_auth(who, ev);
    struct slice user = at < 0 ? who : slice_of(who.p, (size_t)at);
    if (at >= 0)
        ev->auth_id = slice_after(who, (size_t)at + 6);
    ptrdiff_t domain = slice_find_last(user, " domain=");
    if (domain >= 0 && !slice_equal(user, ev->auth_id)) { /* Red Hat's build */
        ev->domain = slice_after(user, (size_t)domain + 8);
        user.n = (size_t)domain;
        if (slice_is(ev->domain, "(null)"))
            ev->domain = SLICE_ABSENT;
    }
    set_user(user, ev);
    set_host(scan_all(s), ev);
}

enum {
    L_USER,   /* WORDING user=... */
    L_HOST,   /* WORDING host=..., without a user */
    L_NEITHER /* text of c-client: the head alone decides */
};

struct wording {
    const char *head; /* up to the blank before user= or host= */
    int shape;
    enum event_kind kind;
    const char *method, *outcome, *reason;
    void (*read)(struct scan *s, const struct style *style, struct event *ev);
};

/* Wordings with a user, and then those without. */
static const struct wording wordings[] = {
    {"Login", L_USER, EV_LOGIN, "LOGIN", NULL, NULL, read_login},
    {"Logout", L_USER, EV_SESSION_END, NULL, "logout", NULL, read_user_host},
    {"Update", L_USER, EV_MAILBOX_NOTE, NULL, NULL, NULL, read_update},
    {"Autologout", L_USER, EV_SESSION_END, NULL, "autologout", NULL, read_user_host},
    {"Login failed", L_USER, EV_AUTH_FAILURE, "LOGIN", NULL, NULL, read_failure},
    {"Login failure", L_USER, EV_AUTH_FAILURE, "LOGIN", NULL, NULL, read_failure},
    {"Login excessive login failures", L_USER, EV_AUTH_FAILURE, "LOGIN", NULL,
     "excessive login failures", read_failure},
    {"Login disabled", L_USER, EV_AUTH_FAILURE, "LOGIN", NULL, "disabled", read_failure},
    {"Login SYSTEM BREAK-IN ATTEMPT", L_USER, EV_AUTH_FAILURE, "LOGIN", NULL,
     "SYSTEM BREAK-IN ATTEMPT", read_failure},
    {"Authenticated", L_USER, EV_LOGIN, NULL, NULL, NULL, read_authenticated},
    {"Preauthenticated", L_USER, EV_LOGIN, "PREAUTH", NULL, NULL, read_user_host},
    {"Auth", L_USER, EV_LOGIN, "AUTH", NULL, NULL, read_login},
    {"APOP", L_USER, EV_LOGIN, "APOP", NULL, NULL, read_login},
    {"Admin Login", L_USER, EV_LOGIN, "ADMIN", NULL, NULL, read_login},
    {"Hangup", L_USER, EV_SESSION_END, NULL, "dropped", "Hangup", read_user_host},
    {"Killed", L_USER, EV_SESSION_END, NULL, "killed", "Killed", read_user_host},
    {"Killed (lost mailbox lock)", L_USER, EV_SESSION_END, NULL, "killed", "lost mailbox lock",
     read_user_host},
    {"Killed (terminated)", L_USER, EV_SESSION_END, NULL, "killed", "terminated", read_user_host},
    {"Kiss of death", L_USER, EV_SESSION_END, NULL, "killed", "Kiss of death", read_user_host},
    {"- Command line too long", L_USER, EV_SESSION_END, NULL, "error", "Command line too long",
     read_user_host},
    {"Error opening or locking INBOX", L_USER, EV_MAILBOX_NOTE, NULL, NULL,
     "Error opening or locking INBOX", read_user_host},
    {"Fatal mailbox error", L_USER, EV_SESSION_END, NULL, "error", NULL, read_mailbox_error},
    {"Fatal disk error", L_USER, EV_SESSION_END, NULL, "error", NULL, read_mailbox_error},
    {"Fatal error", L_USER, EV_SESSION_END, NULL, "error", NULL, read_mailbox_error},
    {"Retrying after disk error", L_USER, EV_MAILBOX_NOTE, NULL, NULL, NULL, read_mailbox_error},
    {"Line too long before authentication", L_HOST, EV_MAILBOX_NOTE, NULL, NULL, NULL, NULL},
    {"Null command before authentication", L_HOST, EV_MAILBOX_NOTE, NULL, NULL, NULL, NULL},
    {"Missing command before authentication", L_HOST, EV_MAILBOX_NOTE, NULL, NULL, NULL, NULL},
    {"Unable to accept SSL connection,", L_HOST, EV_MAILBOX_NOTE, NULL, NULL, NULL, NULL},
    {NULL, L_USER, EV_NONE, NULL, NULL, NULL, NULL},
};

/* Heads of what the c-client library says; the rest is free. */
static const char *const chatter[] = {
    "Trying to get mailbox lock from process ",
    "New mailbox modification time but apparently no changes",
    "Mailbox vulnerable - ",
    "Mailbox is open by another process",
    "Mailbox lock file ",
    "Mailbox shrank",
    "Mailbox open failed",
    "Mailbox isn't a valid mailbox",
    "File ",
    "SECURITY PROBLEM: ",
    "SYSTEM ERROR: ",
    "IMAP toolkit crash: ",
    "SSL error status: ",
    "Unable to load ",
    "Unable to create SSL ",
    "Unable to set ",
    "Unable to lock ",
    "Unable to open ",
    "Unable to create ",
    "Unable to write ",
    "Can't ",
    "Error ",
    "Expunged ",
    "No messages deleted",
    "No such ",
    "Not a ",
    "Unexpected changes to mailbox",
    "Checkpoint",
    "Message ",
    "Invalid ",
    "Bad ",
    "imap/tcp server failing",
    "pop3/tcp server failing",
    NULL};

/* imap, pop3 or pop2 by the program's name. */
static struct slice service_of(struct slice tag)
{
    if (slice_find(tag, "pop2") >= 0)
        return SLICE_LIT("pop2");
    return slice_find(tag, "pop3") >= 0 ? SLICE_LIT("pop3") : SLICE_LIT("imap");
}

static struct slice literal(const char *text)
{
    return text ? slice_of(text, strlen(text)) : SLICE_ABSENT;
}

/* Reads a wording of the table; false if none begins the line. */
static bool try_wordings(struct scan *s, struct event *ev)
{
    struct slice body = scan_rest(s);
    for (const struct wording *w = wordings; w->head; w++)
        for (size_t i = 0; i < 2; i++) {
            struct scan t = *s;
            const char *key = w->shape == L_HOST ? styles[i].host : styles[i].user;
            if (!scan_try(&t, w->head) || !scan_try(&t, key))
                continue;
            ev->kind = w->kind;
            ev->method = literal(w->method);
            ev->outcome = literal(w->outcome);
            ev->reason = literal(w->reason);
            if (w->shape == L_HOST) {
                set_host(scan_all(&t), ev);
                ev->text = slice_of(body.p, strlen(w->head));
            } else {
                w->read(&t, &styles[i], ev);
            }
            *s = t;
            return true;
        }
    return false;
}

/* "imap service init from IP", "imaps SSL service init from IP", "port N service init from IP" */
static bool try_init(struct scan *s, struct event *ev)
{
    static const struct {
        const char *head, *service;
    } heads[] = {{"imap service init from ", "imap"}, {"imaps SSL service init from ", "imap"},
                 {"pop3 service init from ", "pop3"}, {"pop3s SSL service init from ", "pop3"},
                 {"pop2 service init from ", "pop2"}};
    ev->kind = EV_SESSION_OPEN;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (scan_try(s, heads[i].head)) {
            ev->service = literal(heads[i].service);
            ev->ip = scan_word(s);
            return true;
        }
    struct scan t = *s;
    if (!scan_try(&t, "port "))
        return false;
    ev->interface_port = scan_u63(&t, 65535);
    scan_lit(&t, " service init from ");
    ev->ip = scan_word(&t);
    *s = t;
    return true;
}

/* AUTHENTICATE MECH failure host=HOST, or invalid: MECH is what the client sent.  A PLAIN or LOGIN that failed
   has its "Login failed" line, with the user, in front of it: here it is no second failure. */
static bool try_authenticate(struct scan *s, struct event *ev)
{
    static const char *const ends[] = {" failure", " invalid"};
    if (!scan_try(s, "AUTHENTICATE "))
        return false;
    ev->kind = EV_AUTH_FAILURE;
    struct slice mech = scan_until_last(s, " host=");
    if (s->bad)
        return true;
    set_host(scan_all(s), ev);
    for (size_t i = 0; i < 2; i++) {
        ptrdiff_t at = slice_find_last(mech, ends[i]);
        if (at >= 0 && (size_t)at + 8 == mech.n) {
            ev->method = slice_of(mech.p, (size_t)at);
            ev->reason = literal(ends[i] + 1);
            if (slice_is(ev->method, "PLAIN") || slice_is(ev->method, "LOGIN"))
                ev->kind = EV_MAILBOX_NOTE;
            return true;
        }
    }
    s->p = mech.p + mech.n;
    s->bad = true;
    return true;
}

/* ERROR, while DOING user=USER host=HOST and Mailbox closed (TEXT) user=...: the connection or the mailbox
   went away.  The first user= counts: in front of it there are only texts of our own side. */
static bool try_broken(struct scan *s, struct event *ev)
{
    struct slice body = scan_rest(s);
    ptrdiff_t at = slice_find(body, " user=");
    struct slice reason = slice_of(body.p, at < 0 ? 0 : (size_t)at);
    bool closed = slice_starts(reason, "Mailbox closed (");
    if (!closed && slice_find(reason, ", while ") < 0)
        return false;
    ev->kind = EV_SESSION_END;
    ev->outcome = literal(closed ? "error" : "dropped");
    ev->reason = reason;
    s->p += reason.n + 6;
    read_user_host(s, &styles[0], ev);
    return true;
}

/* Overlong (N) client literal user=USER host=HOST */
static bool try_overlong(struct scan *s, struct event *ev)
{
    const char *start = s->p;
    if (!scan_try(s, "Overlong ("))
        return false;
    ev->kind = EV_MAILBOX_NOTE;
    ev->size = scan_u63(s, INT64_MAX);
    if (scan_lit(s, ") client literal user=")) {
        ev->text = slice_of(start, (size_t)(s->p - start) - 6);
        read_user_host(s, &styles[0], ev);
    }
    return true;
}

/* Authenticated anonymous=PASSWORD host=HOST, Login anonymous=..., Anonymous select of MAILBOX host=HOST */
static bool try_anonymous(struct scan *s, struct event *ev)
{
    bool select = scan_try(s, "Anonymous select of ");
    if (!select && !scan_try(s, "Authenticated anonymous=") && !scan_try(s, "Login anonymous="))
        return false;
    struct slice said = scan_until_last(s, " host=");
    ev->kind = select ? EV_MAILBOX_NOTE : EV_LOGIN;
    ev->user = SLICE_LIT("anonymous");
    if (select)
        ev->mailbox = said;
    else
        ev->text = said;
    if (!select)
        ev->method = SLICE_LIT("ANONYMOUS");
    if (!s->bad)
        set_host(scan_all(s), ev);
    return true;
}

/* IMAP login to host=SERVER user=USER host=CLIENT: ipop3d as a proxy. */
static bool try_proxy(struct scan *s, struct event *ev)
{
    if (!scan_try(s, "IMAP login to host="))
        return false;
    ev->kind = EV_LOGIN;
    ev->method = SLICE_LIT("PROXY");
    ev->text = scan_until_lit(s, " user=");
    if (!s->bad)
        read_user_host(s, &styles[0], ev);
    return true;
}

/* Admin A override of user=U host=H: A acts as U.  Failed A override of user=U host=H. */
static bool try_override(struct scan *s, struct event *ev)
{
    struct scan t = *s;
    bool failed = scan_try(&t, "Failed ");
    if (!failed && !scan_try(&t, "Admin "))
        return false;
    struct slice admin = scan_until_lit(&t, " override of user=");
    if (t.bad)
        return false;
    ev->kind = failed ? EV_AUTH_FAILURE : EV_MAILBOX_NOTE;
    ev->auth_id = admin;
    ev->reason = SLICE_LIT("override");
    read_user_host(&t, &styles[0], ev);
    *s = t;
    return true;
}

/* Moved N bytes of new mail to MAILBOX from SPOOL host= HOST */
static bool try_moved(struct scan *s, struct event *ev)
{
    if (!scan_try(s, "Moved "))
        return false;
    ev->kind = EV_TRANSFER;
    ev->bytes = scan_u63(s, INT64_MAX);
    scan_lit(s, " bytes of new mail to ");
    ev->mailbox = scan_until_lit(s, " from ");
    ev->text = scan_until_last(s, " host=");
    if (!s->bad)
        set_host(scan_all(s), ev);
    return true;
}

/* Login USER failed: TEXT, when the session could not be set up. */
static bool try_setup(struct scan *s, struct event *ev)
{
    struct scan t = *s;
    if (!scan_try(&t, "Login "))
        return false;
    struct slice user = scan_until_lit(&t, " failed: ");
    if (t.bad)
        return false;
    ev->kind = EV_MAILBOX_NOTE;
    ev->user = user;
    ev->reason = scan_all(&t);
    *s = t;
    return true;
}

static bool try_chatter(struct scan *s, struct event *ev)
{
    struct slice body = scan_rest(s);
    for (size_t i = 0; chatter[i]; i++)
        if (slice_starts(body, chatter[i])) {
            ev->kind = EV_MAILBOX_NOTE;
            ev->text = scan_all(s);
            return true;
        }
    return false;
}

static enum verdict parse(const struct frame *frame, struct event *ev)
{
    static bool (*const tries[])(struct scan *, struct event *) = {
        try_init,     try_wordings, try_authenticate, try_broken, try_overlong, try_anonymous,
        try_proxy,    try_override, try_moved,        try_setup,  try_chatter};
    struct scan s = scan_over(frame->body);
    ev->service = service_of(frame->tag);
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++)
        if (tries[i](&s, ev))
            return verdict_of(&s, frame->body, ev);
    return VERDICT_UNKNOWN;
}

/* inetd starts the programs under any name: these are the ones met. */
static const char *const tags[] = {"imapd",  "imapsd",  "in.imapd",  "uw-imapd", "ipop3d", "ipop3sd",
                                   "pop3sd", "in.pop3d", "in.ipop3d", "ipop2d",   "pop2d",  NULL};

const struct dialect dialect_imapd = {"imapd", "UW imapd, ipop3d and ipop2d", tags, parse};
