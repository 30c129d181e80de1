/* spamd.c — what SpamAssassin's spamd says, 2.2 to 4.0.  Fixtures: tests/fixtures/lines/spamd.t

   Strangers' text: the Message-ID, the user of `spamc -u`, the client's reverse name.  The id is written first
   and ends at its first ">"; the user stands between it and figures of spamd's own, so it is bounded from
   both ends; in a result line every key but the user's is read from the right, where no value may hold a
   comma (spamd makes "_" of commas in the ids). */
#include "address.h"
#include "dialect.h"

/* <id> or id without the brackets; "(unknown)" and nothing are no id. */
static struct slice bare_id(struct slice id)
{
    if (id.n == 0 || slice_is(id, "(unknown)"))
        return SLICE_ABSENT;
    if (id.n >= 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
        return slice_of(id.p + 1, id.n - 2);
    return id;
}

/* A Message-ID at the cursor, with its brackets: to the first ">", which no id may hold inside. */
static struct slice scan_id(struct scan *s)
{
    const char *start = s->p;
    if (scan_try(s, "(unknown)"))
        return SLICE_ABSENT;
    if (scan_lit(s, "<"))
        scan_until(s, '>');
    return s->bad ? SLICE_ABSENT : bare_id(slice_of(start, (size_t)(s->p - start)));
}

/* No user is known where spamc named none. */
static struct slice known_user(struct slice user)
{
    return slice_is(user, "(unknown)") ? SLICE_ABSENT : user;
}

/* who is "user:uid"; the user may hold colons, the uid is a number, to 3.0 with a full stop. */
static void read_user(struct scan *s, struct slice who, struct event *ev)
{
    struct scan uid = scan_over(who);
    struct slice user = scan_until_last(&uid, ":");
    scan_u63(&uid, UINT32_MAX);
    scan_try(&uid, ".");
    if (uid.bad || uid.p != uid.end) {
        s->bad = true;
        return;
    }
    if (slice_find(user, "> for ") >= 0)
        ev->flags |= EVF_AMBIGUOUS;
    ev->user = known_user(user);
}

/* 4.1 seconds, also padded as of 2.x. */
static int64_t scan_seconds(struct scan *s)
{
    while (scan_try(s, " "))
        ;
    int64_t ms = scan_milli(s);
    if (!scan_try(s, " seconds"))
        scan_lit(s, " second");
    return ms;
}

/* u:uid in 4.1 seconds[, 1602 bytes][.] */
static void read_user_and_work(struct scan *s, struct event *ev)
{
    struct slice who = scan_until_last(s, " in ");
    if (!s->bad)
        read_user(s, who, ev);
    ev->scan_ms = scan_seconds(s);
    if (scan_try(s, ", ")) {
        ev->size = scan_u63(s, INT64_MAX);
        scan_lit(s, " bytes");
    }
    scan_try(s, ".");
}

/* (1.8/5.0) for u:uid in 4.1 seconds, 1602 bytes. */
static void read_verdict(struct scan *s, struct event *ev)
{
    ev->score_milli = scan_milli(s);
    scan_lit(s, "/");
    ev->threshold_milli = scan_milli(s);
    scan_lit(s, ") for ");
    read_user_and_work(s, ev);
}

static void read_spam(struct scan *s, struct event *ev)
{
    ev->flags |= EVF_IS_SPAM;
    read_verdict(s, ev);
}

/* <mid>[ aka <rmid>] for u:uid[.][, expecting 1602 bytes.] */
static void read_start(struct scan *s, struct event *ev)
{
    ev->message_id = scan_id(s);
    if (scan_try(s, " aka "))
        ev->resent_id = scan_id(s);
    if (!scan_lit(s, " for "))
        return;
    struct slice who = scan_rest(s);
    ptrdiff_t at = slice_find_last(who, ", expecting ");
    if (at >= 0)
        who.n = (size_t)at;
    read_user(s, who, ev);
    if (s->bad)
        return;
    s->p = who.p + who.n;
    if (scan_try(s, ", expecting ")) {
        ev->size = scan_u63(s, INT64_MAX);
        scan_lit(s, " bytes.");
    }
}

/* The value behind the last key in *left, which is cut off there; absent, and *left as it was, if the key
   is missing. */
static struct slice take_last(struct slice *left, const char *key)
{
    ptrdiff_t at = slice_find_last(*left, key);
    if (at < 0)
        return SLICE_ABSENT;
    size_t skip = (size_t)at + strlen(key);
    struct slice value = slice_of(left->p + skip, left->n - skip);
    left->n = (size_t)at;
    return value;
}

/* A whole number in text; NUM_ABSENT for anything else, absence included. */
static int64_t number_of(struct slice text)
{
    if (!text.p)
        return NUM_ABSENT;
    struct scan s = scan_over(text);
    int64_t value = scan_u63(&s, INT64_MAX);
    return s.p == s.end ? value : NUM_ABSENT;
}

static int64_t milli_of(struct slice text)
{
    if (!text.p)
        return NUM_ABSENT;
    struct scan s = scan_over(text);
    int64_t value = scan_milli(&s);
    return s.p == s.end ? value : NUM_ABSENT;
}

/* user=U,uid=N,required_score=S,rhost=H,raddr=A,rport=P from right to left, since U may hold any of the keys.
   What is missing at the right was cut off; then so is the value that comes last. */
static void read_client(struct slice left, struct event *ev)
{
    static const char *const keys[] = {",rport=", ",raddr=", ",rhost=", ",required_score=", ",uid="};
    struct slice values[5];
    for (size_t i = 0; i < 5; i++)
        values[i] = take_last(&left, keys[i]);
    ev->port = number_of(values[0]);
    if (values[1].p && address_like(values[1]))
        ev->ip = values[1];
    ev->host = values[2];
    ev->threshold_milli = milli_of(values[3]);
    if (values[4].p && slice_starts(left, "user="))
        ev->user = known_user(slice_after(left, 5));
}

/* mid=<...>[,rmid=<...>][,bayes=0.5],autolearn=no[ autolearn_force=no][,shortcircuit=no], no commas within.
   A value is whole only where something follows it, or where it ends in ">". */
static void read_ids(struct slice tail, struct event *ev)
{
    while (tail.n > 0) {
        const char *comma = memchr(tail.p, ',', tail.n);
        struct slice pair = comma ? slice_of(tail.p, (size_t)(comma - tail.p)) : tail;
        bool whole = comma || (pair.n && pair.p[pair.n - 1] == '>');
        if (slice_starts(pair, "mid=") && whole)
            ev->message_id = bare_id(slice_after(pair, 4));
        else if (slice_starts(pair, "rmid=") && whole)
            ev->resent_id = bare_id(slice_after(pair, 5));
        else if (slice_starts(pair, "bayes=") && whole)
            ev->text = pair;
        else if (slice_starts(pair, "autolearn=")) {
            struct scan s = scan_over(slice_after(pair, 10));
            ev->autolearn = scan_word(&s);
        }
        tail = slice_after(tail, pair.n + (comma ? 1 : 0));
    }
}

/* Whether a tail holds a whole mid=: a line with less was cut, and its last value with it. */
static bool ends_in_ids(struct slice tail)
{
    return slice_starts(tail, "mid=");
}

/* All behind "scantime=4.1,size=1602,".  3.0 goes on with mid=, later versions with user=. */
static void read_pairs(struct scan *s, struct event *ev)
{
    struct slice left = scan_all(s);
    if (ends_in_ids(left)) {
        read_ids(left, ev);
        return;
    }
    ptrdiff_t at = slice_find_last(left, ",mid=");
    if (at >= 0) {
        read_ids(slice_after(left, (size_t)at + 1), ev);
        left.n = (size_t)at;
    } else if ((at = slice_find_last(left, ",")) >= 0) {
        left.n = (size_t)at;
    } else {
        return;
    }
    read_client(left, ev);
}

/* Y  6 - TEST,TEST scantime=4.1,size=1602,...  The score is an integer here, cut off towards zero. */
static void read_result(struct scan *s, struct event *ev)
{
    if (scan_try(s, "Y "))
        ev->flags |= EVF_IS_SPAM;
    else
        scan_lit(s, ". ");
    scan_try(s, " ");
    ev->score_milli = scan_milli(s);
    scan_lit(s, " - ");
    ev->rules = scan_until_lit(s, " scantime=");
    ev->scan_ms = scan_milli(s);
    if (scan_lit(s, ",size=")) {
        ev->size = scan_u63(s, INT64_MAX);
        if (s->p != s->end && scan_lit(s, ","))
            read_pairs(s, ev);
    }
}

/* name [addr]:port to port P, fd N[, TLS] or, to 3.3, name [addr] at port N.  The name is the reverse name of
   the client, a stranger's text: the address is the last in brackets. */
static void read_connection(struct scan *s, struct event *ev)
{
    struct slice name = scan_until_last(s, "[");
    if (name.n > 0 && name.p[name.n - 1] == ' ')
        name.n--;
    struct slice addr = scan_until(s, ']');
    if (s->bad || !address_like(addr)) {
        s->bad = true;
        return;
    }
    ev->host = name.n ? name : SLICE_ABSENT;
    if (name.n && memchr(name.p, ' ', name.n))
        ev->flags |= EVF_AMBIGUOUS;
    ev->ip = addr;
    if (scan_try(s, " at port ")) {
        ev->port = scan_u63(s, 65535);
        return;
    }
    scan_lit(s, ":");
    ev->port = scan_u63(s, 65535);
    scan_lit(s, " to port ");
    ev->interface_port = scan_u63(s, 65535);
    if (scan_try(s, ", fd "))
        scan_u63(s, INT32_MAX);
    if (scan_try(s, ", "))
        ev->tls = scan_all(s);
}

static void read_setuid(struct scan *s, struct event *ev)
{
    ev->user = scan_until_last(s, " succeeded");
    scan_all(s);
}

/* Setting local for u:uid in 0.2 seconds, 431 bytes */
static void read_tell(struct scan *s, struct event *ev)
{
    scan_until_lit(s, " for ");
    read_user_and_work(s, ev);
}

static void read_skipped(struct scan *s, struct event *ev)
{
    ev->scan_ms = scan_seconds(s);
    scan_try(s, ".");
}

/* A child's pid, in brackets since 3.3. */
static void read_pid(struct scan *s, struct event *ev)
{
    scan_try(s, "[");
    ev->count = scan_u63(s, INT32_MAX);
    scan_all(s);
}

/* (getpwnam) unable to find user: 'u' */
static void read_no_user(struct scan *s, struct event *ev)
{
    scan_until_lit(s, " unable to find user: ");
    if (scan_try(s, "'"))
        ev->user = known_user(scan_until_last(s, "'"));
    else
        ev->user = known_user(scan_all(s));
}

static void read_free(struct scan *s, struct event *ev)
{
    (void)ev;
    scan_all(s);
}

/* "on SOCKET (running version V)", "on port N/tcp (running version V)" */
static void read_started(struct scan *s, struct event *ev)
{
    struct slice rest = scan_all(s);
    ptrdiff_t at = slice_find_last(rest, "(running version ");
    if (at >= 0 && rest.p[rest.n - 1] == ')')
        ev->version = slice_of(rest.p + at + 17, rest.n - (size_t)at - 18);
}

/* Wordings by their heads, the frequent ones first.  Notes also carry their whole text. */
static const struct wording {
    const char *head;
    enum event_kind kind;
    void (*read)(struct scan *s, struct event *ev);
} wordings[] = {
    {"connection from ", EV_SCANNER_NOTE, read_connection},
    {"result: ", EV_SCAN_RESULT, read_result},
    {"setuid to ", EV_SCANNER_NOTE, read_setuid},
    {"processing message ", EV_SCAN_START, read_start},
    {"checking message ", EV_SCAN_START, read_start},
    {"clean message (", EV_SCAN_VERDICT, read_verdict},
    {"identified spam (", EV_SCAN_VERDICT, read_spam},
    {"Tell: ", EV_SCANNER_NOTE, read_tell},
    {"skipped large message in ", EV_SCANNER_NOTE, read_skipped},
    {"skipped large message after ", EV_SCANNER_NOTE, read_free},
    {"unauthorized connection from ", EV_SCANNER_NOTE, read_connection},
    {"got connection over ", EV_SCANNER_NOTE, read_free},
    {"handle_user (", EV_SCANNER_NOTE, read_no_user},
    {"handle_user ", EV_SCANNER_NOTE, read_free},
    {"server successfully spawned child process, pid ", EV_SCANNER_NOTE, read_pid},
    {"server pid: ", EV_SCANNER_NOTE, read_pid},
    {"handled cleanup of child pid ", EV_SCANNER_NOTE, read_pid},
    {"child [", EV_SCANNER_NOTE, read_pid},
    {"child ", EV_SCANNER_NOTE, read_free},
    {"server started ", EV_SCANNER_NOTE, read_started},
    {"server ", EV_SCANNER_NOTE, read_free},
    {"still running as root", EV_SCANNER_NOTE, read_free},
    {"bad protocol: ", EV_SCANNER_NOTE, read_free},
    {"timeout: ", EV_SCANNER_NOTE, read_free},
    {"timing: ", EV_SCANNER_NOTE, read_free},
    {"service unavailable: ", EV_SCANNER_NOTE, read_free},
    {"creating default_prefs", EV_SCANNER_NOTE, read_free},
    {"failed to create readable default_prefs", EV_SCANNER_NOTE, read_free},
    {"using default config for ", EV_SCANNER_NOTE, read_free},
    {"created ", EV_SCANNER_NOTE, read_free},
    {"copy_config timeout", EV_SCANNER_NOTE, read_free},
    {"error: ", EV_SCANNER_NOTE, read_free},
    {"unknown order: ", EV_SCANNER_NOTE, read_free},
    {"accept_a_conn: ", EV_SCANNER_NOTE, read_free},
    {"SSL failure: ", EV_SCANNER_NOTE, read_free},
    {"fork failed", EV_SCANNER_NOTE, read_free},
    {"alarm ", EV_SCANNER_NOTE, read_free},
    {"cannot ", EV_SCANNER_NOTE, read_free},
    {"could not ", EV_SCANNER_NOTE, read_free},
    {"[...]", EV_SCANNER_NOTE, read_free}, /* the rest of a line that was too long */
    {NULL, EV_NONE, NULL},
};

/* 4.0 folds equal lines: "text [... logline repeated 16 times]". */
static struct slice without_fold(struct slice text, struct event *ev)
{
    static const char fold[] = " [... logline repeated ";
    ptrdiff_t at = slice_find_last(text, fold);
    if (at < 0)
        return text;
    struct scan s = scan_over(slice_after(text, (size_t)at + sizeof fold - 1));
    int64_t count = scan_u63(&s, INT32_MAX);
    if (!scan_lit(&s, " times]") || s.p != s.end)
        return text;
    ev->count = count;
    return slice_of(text.p, (size_t)at);
}

/* "prefork: ", "plugin: ", "auto-whitelist: ": a facility that is not spamd's own, or Perl's own warnings. */
static bool is_other_facility(struct slice text)
{
    size_t i = 0;
    while (i < text.n && ((text.p[i] >= 'a' && text.p[i] <= 'z') || text.p[i] == '-' ||
                          text.p[i] == '_' || (text.p[i] >= '0' && text.p[i] <= '9')))
        i++;
    if (i > 0 && slice_starts(slice_after(text, i), ": "))
        return true;
    return slice_starts(text, "Use of uninitialized value") || slice_starts(text, "Wide character in ") ||
           (slice_find(text, " at ") >= 0 && slice_find_last(text, " line ") >= 0);
}

static void skip_level(struct scan *s)
{
    static const char *const levels[] = {"info: ", "warn: ", "dbg: "};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (scan_try(s, levels[i]))
            return;
}

static enum verdict parse(const struct frame *frame, struct event *ev)
{
    struct scan s = scan_over(without_fold(frame->body, ev));
    skip_level(&s);
    bool named = scan_try(&s, "spamd: ");
    struct slice text = scan_rest(&s);
    for (const struct wording *w = wordings; w->head; w++)
        if (scan_try(&s, w->head)) {
            ev->kind = w->kind;
            if (w->kind == EV_SCANNER_NOTE)
                ev->text = text;
            w->read(&s, ev);
            return verdict_of(&s, frame->body, ev);
        }
    if (named || !is_other_facility(text))
        return VERDICT_UNKNOWN;
    ev->kind = EV_SCANNER_NOTE;
    ev->text = text;
    return VERDICT_OK;
}

static const char *const tags[] = {"spamd", "spamd-child", NULL};

const struct dialect dialect_spamd = {"spamd", "SpamAssassin's spamd, 2.2 to 4.0", tags, parse};
