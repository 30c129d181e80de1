/* vm_pop3d.c — vm-pop3d 1.1.6 and DirectAdmin's 1.1.7f-DA-2.  Fixtures: tests/fixtures/lines/vm_pop3d.t

   A name in quotes is what the client sent and may hold quotes, blanks and all of the wordings below, so
   lines are read from the right: of several endings only the one whose whole rest fits is taken.  1.1.6
   prints no addresses with logins and ends, no messages, no octets, and no failed logins at all: that a log has
   none says nothing.  So a line whose form only one of the two has says which (version).

   Outcomes: logout; autologout, idle for too long; dropped, the connection broke (signal 13 is a write to a
   connection that is gone); killed, another signal; limit, too many failures or bad commands; error. */
#include "address.h"
#include "dialect.h"

/* What only the one writes, or only the other. */
static const struct slice upstream = {"1.1.6", 5}, directadmin = {"1.1.7f-DA-2", 11};

/* An address, or the word the daemon prints when it does not talk to a socket. */
static bool set_ip(struct slice text, struct event *ev)
{
    if (slice_is(text, "localhost") || slice_is(text, "(unknown)"))
        return true;
    if (!address_like(text))
        return false;
    ev->ip = text;
    return true;
}

/* A name that holds the daemon's own punctuation may have been made to deceive. */
static void set_user(struct slice user, struct event *ev)
{
    ev->user = user;
    if (slice_find(user, "' ") >= 0)
        ev->flags |= EVF_AMBIGUOUS;
}

/* ", nmsgs=3" or ", ndel=0" at the cursor. */
static bool read_count(struct scan *s, const char *key, int64_t *number)
{
    scan_lit(s, key);
    *number = scan_u63(s, INT64_MAX);
    return !s->bad;
}

/* IP[, nmsgs=N[, ndel=N]] to the end of the line; nothing is kept if it does not fit. */
static bool fits_address(struct slice tail, int counts, struct event *ev)
{
    struct event got = *ev;
    const char *comma = memchr(tail.p, ',', tail.n);
    struct scan s = scan_over(tail);
    s.p = comma ? comma : s.end;
    if (!set_ip(slice_of(tail.p, (size_t)(s.p - tail.p)), &got))
        return false;
    if (counts > 0 && !read_count(&s, ", nmsgs=", &got.messages))
        return false;
    if (counts > 1 && !read_count(&s, ", ndel=", &got.deleted))
        return false;
    if (s.p != s.end)
        return false;
    *ev = got;
    return true;
}

/* USER' of 'DOMAIN, as 1.1.6 prints it. */
static void set_user_of_domain(struct slice text, struct event *ev)
{
    ptrdiff_t at = slice_find_last(text, "' of '");
    if (at < 0) {
        set_user(text, ev);
        return;
    }
    if (slice_find(text, "' of '") != at)
        ev->flags |= EVF_AMBIGUOUS;
    set_user(slice_of(text.p, (size_t)at), ev);
    ev->domain = slice_after(text, (size_t)at + 6);
}

/* "USER DIGEST" or "USER DIGEST@DOMAIN": a failed APOP logs all that the client sent behind the word. */
static void split_digest(struct event *ev)
{
    ptrdiff_t at = slice_find_last(ev->user, " ");
    if (at < 0)
        return;
    struct slice digest = slice_after(ev->user, (size_t)at + 1);
    size_t n = 0;
    while (n < digest.n && ((digest.p[n] >= '0' && digest.p[n] <= '9') ||
                            (digest.p[n] >= 'a' && digest.p[n] <= 'f')))
        n++;
    if (n != 32 || (digest.n > n && digest.p[n] != '@'))
        return;
    ev->user.n = (size_t)at;
    ev->method = SLICE_LIT("APOP");
}

/* The endings of "User '...": what stands between the quote and the ending is the name. */
static const struct ending {
    const char *text;
    int counts; /* how many of nmsgs= and ndel= follow the address; -1: nothing follows at all */
    enum event_kind kind;
} endings[] = {
    {"' - failed auth, from=", 0, EV_AUTH_FAILURE},
    {"' logged in from ", 1, EV_LOGIN},
    {"' logged in", -1, EV_LOGIN},
};

static bool try_ending(struct slice text, const struct ending *end, struct event *ev)
{
    ptrdiff_t at = slice_find_last(text, end->text);
    if (at < 0)
        return false;
    struct slice tail = slice_after(text, (size_t)at + strlen(end->text));
    if (end->counts < 0 ? tail.n > 0 : !fits_address(tail, end->counts, ev))
        return false;
    ev->kind = end->kind;
    ev->version = end->counts < 0 ? upstream : directadmin;
    if (end->counts < 0)
        set_user_of_domain(slice_of(text.p, (size_t)at), ev);
    else
        set_user(slice_of(text.p, (size_t)at), ev);
    if (end->kind == EV_AUTH_FAILURE)
        split_digest(ev);
    return true;
}

static void read_quoted(struct scan *s, struct event *ev)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (try_ending(scan_rest(s), &endings[i], ev)) {
            scan_all(s);
            return;
        }
    s->bad = true;
}

static void read_user(struct scan *s, struct event *ev)
{
    ev->method = SLICE_LIT("USER");
    read_quoted(s, ev);
}

static void read_apop(struct scan *s, struct event *ev)
{
    ev->method = SLICE_LIT("APOP");
    read_quoted(s, ev);
}

/* USER tried to log in with USER, though he has an APOP secret. */
static void read_apop_user(struct scan *s, struct event *ev)
{
    ev->method = SLICE_LIT("USER");
    ev->reason = SLICE_LIT("APOP user");
    ev->version = directadmin;
    set_user(scan_until_last(s, " tried to log in with USER"), ev);
}

/* USER logged in with [shared ]mailbox PATH, the APOP login of 1.1.6. */
static void read_apop_mailbox(struct scan *s, struct event *ev)
{
    ev->method = SLICE_LIT("APOP");
    ev->version = upstream;
    set_user(scan_until_lit(s, " logged in with "), ev);
    scan_try(s, "shared ");
    scan_lit(s, "mailbox ");
    ev->mailbox = scan_all(s);
}

/* 'USER' from IP, nmsgs=N, ndel=N; 1.1.6 has the bare user. */
static void read_end(struct scan *s, struct event *ev)
{
    struct slice text = scan_rest(s);
    ev->version = slice_starts(text, "'") ? directadmin : upstream;
    if (!slice_starts(text, "'")) {
        set_user(scan_all(s), ev);
        return;
    }
    ptrdiff_t at = slice_find_last(text, "' from ");
    if (at < 1 || !fits_address(slice_after(text, (size_t)at + 7), 2, ev)) {
        s->bad = true;
        return;
    }
    set_user(slice_of(text.p + 1, (size_t)at - 1), ev);
    scan_all(s);
}

/* [ from IP] */
static void read_from(struct scan *s, struct event *ev)
{
    ev->version = s->p == s->end ? upstream : directadmin;
    if (scan_try(s, " from ") && !set_ip(scan_rest(s), ev))
        s->bad = true;
    else
        scan_all(s);
}

static void read_timeout(struct scan *s, struct event *ev)
{
    if (scan_try(s, "user: "))
        set_user(scan_all(s), ev);
    else
        scan_lit(s, "no user");
}

static void read_signal(struct scan *s, struct event *ev)
{
    if (slice_is(scan_rest(s), "13"))
        ev->outcome = SLICE_LIT("dropped");
    scan_u63(s, 255);
}

static void read_connect(struct scan *s, struct event *ev)
{
    if (!set_ip(scan_all(s), ev))
        s->bad = true;
}

/* NAME N bytes, from the right: a name with a blank was made by the client to look like more. */
static struct slice read_bytes(struct scan *s, struct event *ev)
{
    struct slice text = scan_rest(s);
    ev->version = directadmin;
    if (text.n < 6 || memcmp(text.p + text.n - 6, " bytes", 6) != 0) {
        s->p = s->end;
        s->bad = true;
        return SLICE_ABSENT;
    }
    struct slice left = slice_of(text.p, text.n - 6);
    ptrdiff_t at = slice_find_last(left, " ");
    s->p += at + 1;
    ev->bytes = scan_u63(s, INT64_MAX);
    scan_lit(s, " bytes");
    if (at < 0 || s->bad) {
        s->bad = true;
        return SLICE_ABSENT;
    }
    struct slice name = slice_of(text.p, (size_t)at);
    if (memchr(name.p, ' ', name.n))
        ev->flags |= EVF_AMBIGUOUS;
    return name;
}

static void read_bytes_domain(struct scan *s, struct event *ev)
{
    ev->domain = read_bytes(s, ev);
}

static void read_bytes_user(struct scan *s, struct event *ev)
{
    ev->user = read_bytes(s, ev);
}

/* USER's mailbox; Error code=N, or what is used instead of it */
static void read_unable(struct scan *s, struct event *ev)
{
    set_user(scan_until_last(s, "'s mailbox; "), ev);
    ev->reason = scan_all(s);
    ev->version = slice_starts(ev->reason, "Error code=") ? directadmin : upstream;
}

/* USER (DOMAIN), or USER@DOMAIN: of debugging builds. */
static void read_nobody(struct scan *s, struct event *ev)
{
    struct slice text = scan_all(s);
    ptrdiff_t at = slice_find_last(text, " (");
    ev->reason = SLICE_LIT("Non-existent user");
    if (at >= 0 && text.p[text.n - 1] == ')') {
        ev->domain = slice_of(text.p + at + 2, text.n - (size_t)at - 3);
        text.n = (size_t)at;
    }
    set_user(text, ev);
}

static void read_free(struct scan *s, struct event *ev)
{
    (void)ev;
    scan_all(s);
}

/* Wordings by their heads, the frequent ones first.  A note keeps its text. */
static const struct wording {
    const char *head;
    enum event_kind kind;
    const char *outcome;
    void (*read)(struct scan *s, struct event *ev);
} wordings[] = {
    {"User '", EV_LOGIN, NULL, read_user},
    {"bytes: domain ", EV_TRANSFER, NULL, read_bytes_domain},
    {"bytes: user ", EV_TRANSFER, NULL, read_bytes_user},
    {"Session ended for user: ", EV_SESSION_END, "logout", read_end},
    {"Session ended for no user", EV_SESSION_END, "logout", read_from},
    {"Connect from ", EV_SESSION_OPEN, NULL, read_connect},
    {"Quitting on signal: ", EV_SESSION_END, "killed", read_signal},
    {"Quitting Too many ", EV_SESSION_END, "limit", read_free},
    {"Session timed out for ", EV_SESSION_END, "autologout", read_timeout},
    {"Socket closed", EV_SESSION_END, "dropped", read_from},
    {"APOP User '", EV_LOGIN, NULL, read_apop},
    {"APOP user ", EV_AUTH_FAILURE, NULL, read_apop_user},
    {"User ", EV_LOGIN, NULL, read_apop_mailbox},
    {"Unable to use ", EV_MAILBOX_NOTE, NULL, read_unable},
    {"Connection opened", EV_SESSION_OPEN, NULL, read_free},
    {"Incoming connection opened", EV_SESSION_OPEN, NULL, read_free},
    {"Quitting - ", EV_SESSION_END, "error", read_free},
    {"Unknown quit", EV_SESSION_END, "error", read_free},
    {"Out of memory", EV_SESSION_END, "error", read_free},
    {"Non-existent user: ", EV_MAILBOX_NOTE, NULL, read_nobody},
    {NULL, EV_NONE, NULL, NULL},
};

/* Heads of lines that are kept as notes and not taken apart. */
static const char *const notes[] = {
    "Couldn't ",
    "Can't start server ",
    "Error with closing socket: ",
    "Failed ",
    "Removing lockfile ",
    "seteuid not set: ",
    "setuid not set: ",
    "socket() failed: ",
    "setsockopt() failed: ",
    "Bad permissions on APOP password file",
    "Unable to create database structure: ",
    "Unable to open APOP ",
    "db_get error: ",
    "waitpid pid=",
    "signal=",
    "stopped=",
    "Started server ",
    "Server exited ",
    "Total messages = ",
    "Deleted all messages",
    "Delete ", /* this and the next: 1.1.7g */
    "Retrieved Message-Id: ",
    "pam", /* this and the rest: debugging builds */
    "uid ",
    "cmd: ",
    NULL};

/* Why a session ended, where the line says: itself, without the verb. */
static struct slice cause_of(struct slice body)
{
    struct scan s = scan_over(body);
    if (!scan_try(&s, "Quitting - ") && !scan_try(&s, "Quitting on "))
        scan_try(&s, "Quitting ");
    return scan_rest(&s);
}

static void begin(const struct wording *w, struct slice body, struct event *ev)
{
    ev->kind = w->kind;
    if (w->kind == EV_MAILBOX_NOTE)
        ev->text = body;
    if (!w->outcome)
        return;
    ev->outcome = slice_of(w->outcome, strlen(w->outcome));
    if (slice_starts(body, "Quitting ") || slice_is(ev->outcome, "error"))
        ev->reason = cause_of(body);
}

static enum verdict parse(const struct frame *frame, struct event *ev)
{
    struct scan s = scan_over(frame->body);
    ev->service = SLICE_LIT("pop3");
    for (const struct wording *w = wordings; w->head; w++)
        if (scan_try(&s, w->head)) {
            begin(w, frame->body, ev);
            w->read(&s, ev);
            return verdict_of(&s, frame->body, ev);
        }
    for (size_t i = 0; notes[i]; i++)
        if (slice_starts(frame->body, notes[i])) {
            ev->kind = EV_MAILBOX_NOTE;
            ev->text = frame->body;
            return VERDICT_OK;
        }
    return VERDICT_UNKNOWN;
}

static const char *const tags[] = {"vm-pop3d", "vm_pop3d", NULL};

const struct dialect dialect_vm_pop3d = {"vm_pop3d", "vm-pop3d 1.1.6 and 1.1.7f-DA-2", tags, parse};
