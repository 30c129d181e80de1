/* exim_wordings.c — what each wording of a line without a flag says: those known by their first words, and behind a host
   that begins the line.  Where strangers' texts end is the caller's to say (exim_unflagged.c). */
#include "exim_wordings.h"
#include "ascii.h"

typedef void wording_reader(struct scan *s, const struct wording *w, const struct least *least,
                            struct event *ev);

struct wording {
    const char *start;
    size_t n; /* of start */
    wording_reader *read; /* begins behind start; turns s bad if the rest is of another form */
    enum event_kind kind;
    unsigned flags;
    const char *word; /* stage of a rejection, outcome of a connection */
};

static struct slice literal(const char *text)
{
    return text ? slice_of(text, strlen(text)) : SLICE_ABSENT;
}

/* What is left without the blank before it; absent if nothing is. */
static struct slice rest_text(struct scan *s)
{
    scan_try(s, " ");
    struct slice rest = scan_all(s);
    return rest.n ? rest : SLICE_ABSENT;
}

/* ": message", " : message" or nothing. */
static void message(struct scan *s, struct event *ev)
{
    if (!scan_try(s, ": ") && !scan_try(s, " : ")) {
        if (!scan_try(s, ":"))
            scan_try(s, " :");
        if (s->p != s->end)
            s->bad = true;
        return;
    }
    ev->reason = scan_all(s);
}

/* --- who it was --- */

/* Up to the first blank at or behind least, or to the colon before it. */
static struct slice word_of(struct scan *s, const char *least)
{
    const char *start = s->p;
    const char *from = least && least > start ? least : start;
    const char *blank = memchr(from, ' ', (size_t)(s->end - from));
    s->p = blank ? blank : s->end;
    if (s->p > start && s->p[-1] == ':' && !least)
        s->p--;
    if (s->p == start)
        s->bad = true;
    return between(start, s->p);
}

/* An ident may hold blanks; a local user's name does not. */
static void ident(struct scan *s, const char *least, struct event *ev)
{
    ev->ident = word_of(s, least);
}

static void behind_host(struct scan *s, const struct least *least, struct event *ev)
{
    if (scan_try(s, " I="))
        ev->interface_ip = exim_ip(s, &ev->interface_port);
    if (scan_try(s, " U="))
        ident(s, least->ident, ev);
    if (scan_try(s, " Ci="))
        ev->connection_id = scan_word(s);
    if (!s->bad && ev->connection_id.n > 1 && s->p[-1] == ':') {
        ev->connection_id.n--;
        s->p--;
    }
}

/* H=FULLHOST[ I=][ U=][ Ci=] or U=user. */
static void host_ident(struct scan *s, const struct least *least, struct event *ev)
{
    if (scan_try(s, "U=")) {
        ident(s, least->ident, ev);
        if (scan_try(s, " Ci="))
            ev->connection_id = scan_word(s);
        return;
    }
    scan_lit(s, "H=");
    exim_fullhost(s, least->helo, ev);
    behind_host(s, least, ev);
}

/* The same behind "from": without H=, or a local user. */
static void from_host(struct scan *s, const struct least *least, struct event *ev)
{
    scan_try(s, "H=");
    struct scan host = *s;
    exim_fullhost(&host, least->helo, ev);
    if (!host.bad) {
        *s = host;
        behind_host(s, least, ev);
        return;
    }
    ev->host = ev->helo = SLICE_ABSENT;
    if (scan_try(s, "local process"))
        return;
    if (s->p != s->end && (*s->p == '(' || *s->p == '[')) /* a host that breaks off */
        s->bad = true;
    scan_try(s, "U=");
    ident(s, least->ident, ev);
}

/* --- rejections --- */

/* The command's argument as sent, then the message.  A bracketed address is read with its quotes in mind; Exim cuts
   an argument at 100 bytes, which may leave it open. */
static void bracketed_command(struct scan *s, struct slice *address, struct event *ev)
{
    enum { CUT = 100 };
    const char *start = s->p;
    struct scan at = *s;
    struct slice inner = exim_angle(&at);
    struct slice cut = slice_of(start, scan_left(s) < CUT ? scan_left(s) : CUT);
    if (!at.bad && at.p != at.end && *at.p != ':') /* parameters of the command */
        scan_until_lit(&at, ": ");
    if (!at.bad) {
        at.p -= at.p[-1] == ' ' ? 2 : 0;
        *address = inner;
        *s = at;
    } else if (cut.n == CUT && (scan_left(s) == CUT || slice_starts(slice_after(scan_rest(s), CUT), ": "))) {
        s->p = start + CUT;
    } else {
        scan_until_last(s, ">: ");
        s->p -= s->bad ? 0 : 2;
        if (s->bad) {
            s->bad = false;
            s->p = s->end;
        }
    }
    ev->command = between(start, s->p);
    if (ev->command.n && s->p[-1] == ' ') /* "rejected MAIL <> : no" */
        ev->command.n--;
}

/* Length of the helo name, or of its first word, if rest is that argument or begins with it and a colon; else 0. */
static size_t helo_argument(struct slice helo, struct slice rest)
{
    const char *blank = helo.p ? memchr(helo.p, ' ', helo.n) : NULL;
    size_t lengths[] = {helo.n, blank ? (size_t)(blank - helo.p) : 0};
    for (size_t i = 0; helo.p && i < 2; i++) {
        size_t n = lengths[i];
        if (n && starts_alike(slice_of(helo.p, n), rest) && (n == rest.n || rest.p[n] == ':'))
            return n;
    }
    return 0;
}

/* A bare argument may hold ": " itself, or be all there is.  What follows the last is taken for the message; sure is
   only the argument of HELO, which stands in front of the host's address already: the whole, or its first
   word. */
static void bare_command(struct scan *s, struct event *ev)
{
    struct slice rest = scan_rest(s);
    ptrdiff_t last = slice_find_last(rest, ": ");
    size_t n = last < 0 ? rest.n : (size_t)last, helo = helo_argument(ev->helo, rest);
    if (helo)
        n = helo;
    else if (last > 0)
        ev->flags |= EVF_AMBIGUOUS;
    ev->command = slice_of(rest.p, n);
    if (n && rest.p[n - 1] == ' ') /* "rejected STARTTLS : no" */
        ev->command.n--;
    s->p += n;
}

/* An address without its brackets, up to the colon behind it; it was read as one before it was refused. */
static void bare_address(struct scan *s, struct event *ev)
{
    const char *start = s->p;
    while (s->p != s->end && !slice_starts(scan_rest(s), ": ")) {
        size_t quoted = *s->p == '"' ? exim_quoted_length(scan_rest(s)) : 0;
        s->p += quoted ? quoted : 1;
    }
    ev->command = between(start, s->p);
    if (ev->command.n && s->p[-1] == ' ')
        ev->command.n--;
}

/* What a command's argument is. */
enum argument { NONE, RECIPIENT, SENDER, HELO, OTHER };

static void rejected_command(struct scan *s, enum argument argument, struct event *ev)
{
    struct slice address = SLICE_ABSENT;
    if (s->p != s->end && *s->p == '<' && argument != HELO)
        bracketed_command(s, &address, ev);
    else if (argument == RECIPIENT || argument == SENDER)
        bare_address(s, ev);
    else
        bare_command(s, ev);
    if (argument == RECIPIENT)
        ev->recipient = address;
    else if (argument == SENDER)
        ev->sender = address;
    message(s, ev);
}

struct stage {
    const char *text;
    size_t n;
    struct slice name;
    enum argument argument;
};

#define STAGE(text, name, argument) {text, sizeof(text) - 1, {name, sizeof(name) - 1}, argument}
static const struct stage stages[] = {
    STAGE("RCPT ", "rcpt", RECIPIENT),
    STAGE("MAIL ", "mail", SENDER),
    STAGE("after DATA PRDR", "data", NONE),
    STAGE("after DATA", "data", NONE),
    STAGE("DATA", "predata", NONE),
    STAGE("connection in \"connect\" ACL", "connect", NONE),
    STAGE("EHLO or HELO ", "helo", HELO),
    STAGE("during MIME ACL checks", "mime", NONE),
    STAGE("by non-SMTP ACL", "local", NONE),
    STAGE("by local_scan()", "data", NONE),
    STAGE("by DCC", "data", NONE),
    STAGE("AUTH ", "auth", OTHER),
    STAGE("STARTTLS ", "starttls", OTHER),
    STAGE("STARTTLS", "starttls", NONE),
    STAGE("ETRN ", "etrn", OTHER),
    STAGE("VRFY ", "vrfy", OTHER),
    STAGE("EXPN ", "expn", OTHER),
    STAGE("QUIT", "quit", NONE),
    STAGE("MAILAUTH", "auth", NONE),
    STAGE("ATRN ", "other", OTHER),
    STAGE("WELLKNOWN ", "other", OTHER)};
#undef STAGE

/* Behind "[temporarily ]rejected ". */
static void rejected_what(struct scan *s, struct event *ev)
{
    ev->kind = EV_REJECTION;
    ev->flags |= EVF_REJECTLOG;
    for (size_t i = 0; !s->bad && i < sizeof stages / sizeof *stages; i++) {
        const struct stage *stage = &stages[i];
        if (scan_left(s) < stage->n || *s->p != *stage->text || memcmp(s->p, stage->text, stage->n) != 0)
            continue;
        s->p += stage->n;
        ev->stage = stage->name;
        if (stage->argument != NONE)
            rejected_command(s, stage->argument, ev);
        else
            message(s, ev);
        return;
    }
    s->bad = true;
}

/* --- words behind a host --- */

static void read_rejected(struct scan *s, const struct wording *w, const struct least *least,
                          struct event *ev)
{
    (void)w, (void)least;
    rejected_what(s, ev);
}

static void read_reason(struct scan *s, const struct wording *w, const struct least *least,
                        struct event *ev)
{
    (void)least;
    ev->reason = between(s->p - w->n, s->end);
    s->p = s->end;
}

/* The whole text, known words included. */
static void read_text(struct scan *s, const struct wording *w, const struct least *least,
                      struct event *ev)
{
    (void)least;
    ev->text = between(s->p - w->n, s->end);
    s->p = s->end;
}

static void read_rest(struct scan *s, const struct wording *w, const struct least *least,
                      struct event *ev)
{
    (void)w, (void)least;
    ev->text = scan_all(s);
}

/* "exim 4.98 daemon started: pid=1, ..." */
static void read_daemon(struct scan *s, const struct wording *w, const struct least *least,
                        struct event *ev)
{
    struct scan at = *s;
    struct slice version = scan_word(&at);
    if (scan_try(&at, " daemon started"))
        ev->version = version;
    read_text(s, w, least, ev);
}

/* "fail for <address>: message"; the refusal itself has a line of its own. */
static void read_sender_verify(struct scan *s, const struct wording *w, const struct least *least,
                               struct event *ev)
{
    (void)least;
    const char *start = s->p - w->n;
    if (scan_try(s, "defer"))
        ev->flags |= EVF_TEMPORARY;
    else
        scan_lit(s, "fail");
    scan_lit(s, " for ");
    ev->text = between(start, s->p - 5);
    ev->sender = exim_angle(s);
    message(s, ev);
}

/* "RCPT <address>: discarded by X ACL: message": the client was told that all is well. */
static void read_discarded(struct scan *s, const struct wording *w, const struct least *least,
                           struct event *ev)
{
    (void)w, (void)least;
    const char *start = s->p;
    if (s->p != s->end && *s->p == '<') {
        struct scan at = *s;
        ev->recipient = exim_angle(&at);
        if (!at.bad)
            *s = at;
    }
    scan_until_lit(s, ": discarded by ");
    if (s->bad)
        return;
    ev->command = between(start, s->p - 15);
    const char *by = s->p - 13;
    scan_until_lit(s, " ACL");
    ev->text = s->bad ? SLICE_ABSENT : between(by, s->p);
    message(s, ev);
}

/* "QUIT) from <sender>[ for recipients]" */
static void read_incomplete(struct scan *s, const struct wording *w, const struct least *least,
                            struct event *ev)
{
    (void)w, (void)least;
    ev->outcome = SLICE_LIT("incomplete");
    ev->reason = scan_until(s, ')');
    scan_lit(s, " from ");
    ev->sender = exim_angle(s);
    if (!scan_try(s, " for "))
        return;
    const char *start = s->p;
    do {
        struct slice address = exim_address(s);
        if (!s->bad && !memchr(address.p, '@', address.n))
            s->bad = true;
    } while (scan_try(s, " "));
    ev->recipients = between(start, s->p);
}

/* "'connect' ACL: message" */
static void read_dropped_by(struct scan *s, const struct wording *w, const struct least *least,
                            struct event *ev)
{
    (void)least;
    ev->stage = literal(w->word);
    scan_until_lit(s, " ACL");
    message(s, ev);
}

#define W(start, read, kind) {start, sizeof(start) - 1, read, EV_##kind, 0, NULL}
#define WF(start, read, kind, flags, word) {start, sizeof(start) - 1, read, EV_##kind, flags, word}

/* Behind a host and its fields, a blank stepped over. */
static const struct wording host_wordings[] = {
    WF("rejected ", read_rejected, REJECTION, EVF_REJECTLOG, NULL),
    WF("temporarily rejected ", read_rejected, REJECTION, EVF_REJECTLOG | EVF_TEMPORARY, NULL),
    W("Warning: ACL 'warn' statement skipped", read_text, INTERNAL_ERROR),
    W("Warning: ", read_rest, ACL_WARNING),
    W("incomplete transaction (", read_incomplete, CONNECTION),
    WF("sender verify ", read_sender_verify, DELIVERY_NOTE, EVF_REJECTLOG, NULL),
    WF("RCPT ", read_discarded, DELIVERY_NOTE, EVF_REJECTLOG, NULL),
    WF("dropped by ", read_dropped_by, REJECTION, EVF_REJECTLOG, "connect"),
    W("TLS error on connection", read_text, TLS),
    W("SMTP error from remote mail", read_reason, HOST_ERROR),
    W("SMTP timeout ", read_reason, HOST_ERROR),
    W("Remote host closed connection", read_reason, HOST_ERROR),
    W("Malformed SMTP reply", read_reason, HOST_ERROR),
    W("Connection refused", read_reason, HOST_ERROR),
    W("Connection timed out", read_reason, HOST_ERROR),
    W("Connection reset by peer", read_reason, HOST_ERROR),
    W("Operation timed out", read_reason, HOST_ERROR),
    W("Network is unreachable", read_reason, HOST_ERROR),
    W("Network Error", read_reason, HOST_ERROR),
    W("Netwk addr not available", read_reason, HOST_ERROR),
    W("No route to host", read_reason, HOST_ERROR),
    W("Host is unreachable", read_reason, HOST_ERROR),
    W("Host is down", read_reason, HOST_ERROR),
    W("Broken pipe", read_reason, HOST_ERROR),
    W("Permission denied", read_reason, HOST_ERROR),
    W("Invalid argument", read_reason, HOST_ERROR),
    W("Operation not permitted", read_reason, HOST_ERROR),
    W("Cannot assign requested address", read_reason, HOST_ERROR),
    W("Address family not supported", read_reason, HOST_ERROR),
    W("Event requests alternate response", read_reason, HOST_ERROR),
    W("DANE ", read_reason, HOST_ERROR),
    W("retry time not reached", read_reason, DELIVERY_NOTE),
    W("a TLS session is required", read_reason, HOST_ERROR)};

/* Its first bytes are looked at before all of them: most wordings differ there. */
static bool starts(struct slice text, const struct wording *w)
{
    return text.n >= w->n && text.p[0] == w->start[0] && text.p[w->n - 1] == w->start[w->n - 1] &&
           memcmp(text.p, w->start, w->n) == 0;
}

static const struct wording *host_wording(struct scan *s)
{
    for (size_t i = 0; i < sizeof host_wordings / sizeof *host_wordings; i++)
        if (starts(scan_rest(s), &host_wordings[i])) {
            s->p += host_wordings[i].n;
            return &host_wordings[i];
        }
    return NULL;
}

static void apply(struct scan *s, const struct wording *w, const struct least *least,
                  struct event *ev)
{
    ev->kind = w->kind;
    ev->flags |= w->flags;
    w->read(s, w, least, ev);
}

/* ADDR F=<> P=<> tmp-reject from cutthrough after DATA: R= T= H=.. C="..": the next host refused what we were still
   receiving.  The fields of its answer stay in the reason. */
static void cutthrough_refusal(struct scan *s, struct event *ev)
{
    ev->recipient = exim_address(s);
    scan_lit(s, " F=");
    ev->sender = exim_angle(s);
    if (scan_try(s, " P="))
        ev->return_path = exim_angle(s);
    if (scan_try(s, " tmp-reject from cutthrough after DATA:"))
        ev->flags |= EVF_TEMPORARY;
    else
        scan_lit(s, " rejected after DATA:");
    scan_try(s, " ");
    ev->kind = EV_REJECTION;
    ev->stage = SLICE_LIT("data");
    ev->reason = scan_all(s);
}

/* A site's own text behind the host. */
static void own_text(struct scan *s, struct event *ev)
{
    struct scan at = *s;
    struct event reading = *ev;
    cutthrough_refusal(&at, &reading);
    if (!at.bad) {
        *ev = reading;
        *s = at;
        return;
    }
    ev->kind = EV_ACL_TEXT;
    ev->text = scan_all(s);
}

/* A=name:id, where the id is as the client sent it and ends at the first blank at or behind least. */
static void auth(struct scan *s, const char *least, struct event *ev)
{
    if (scan_try(s, " A="))
        exim_auth(word_of(s, least), ev);
}

static void session_fields(struct scan *s, const struct least *least, struct event *ev)
{
    exim_fields(s, exim_cipher_fields, true, ev);
    if (scan_try(s, " DN="))
        ev->dn = exim_dn(s, least->dn);
    exim_fields(s, exim_sender_fields, true, ev);
    if (!s->bad)
        auth(s, least->auth, ev);
    exim_fields(s, exim_reject_fields, true, ev);
}

/* H=... or U=..., fields, words. */
static void read_host_line(struct scan *s, const struct wording *w, const struct least *least,
                           struct event *ev)
{
    s->p -= w->n;
    scan_try(s, " DS ");
    host_ident(s, least, ev);
    scan_try(s, "*"); /* a connection used again */
    if (scan_try(s, ": ")) {
        ev->kind = EV_HOST_ERROR;
        ev->reason = scan_all(s);
            return;
    }
    session_fields(s, least, ev);
    if (!scan_try(s, " "))
        scan_lit(s, ": ");
    if (s->bad)
        return;
    const struct wording *verb = host_wording(s);
    if (verb)
        apply(s, verb, least, ev);
    else
        own_text(s, ev);
}

/* F=<sender>[ H=..][ U=..][ P=..] rejected by ... */
static void read_sender_line(struct scan *s, const struct wording *w, const struct least *least,
                             struct event *ev)
{
    (void)w;
    ev->sender = s->p != s->end && *s->p == '<' ? exim_angle(s) : exim_address(s);
    if (scan_try(s, " H="))
        exim_fullhost(s, least->helo, ev);
    behind_host(s, least, ev);
    if (scan_try(s, " P="))
        ev->protocol = scan_word(s);
    scan_lit(s, " ");
    if (scan_try(s, "temporarily "))
        ev->flags |= EVF_TEMPORARY;
    scan_lit(s, "rejected ");
    rejected_what(s, ev);
}

/* --- words at the line's beginning --- */

static void read_ip(struct scan *s, const struct wording *w, const struct least *least,
                    struct event *ev)
{
    (void)w, (void)least;
    ev->ip = scan_word(s);
    ev->text = rest_text(s);
}

static void read_hostname(struct scan *s, const struct wording *w, const struct least *least,
                          struct event *ev)
{
    (void)w, (void)least;
    ev->host = scan_word(s);
    ev->text = rest_text(s);
}

/* D=t, in one place or another of the words behind a host, never in a stranger's. */
static void duration(struct slice words, struct event *ev)
{
    ptrdiff_t at = slice_starts(words, "D=") ? 0 : slice_find(words, " D=");
    if (at < 0)
        return;
    struct scan s = scan_over(slice_after(words, (size_t)at + (at || *words.p == ' ' ? 3 : 2)));
    ev->duration = scan_word(&s);
}

/* "SMTP connection from HOST words" */
static void read_connection(struct scan *s, const struct wording *w, const struct least *least,
                            struct event *ev)
{
    static const struct { const char *text, *outcome; } ends[] = {
        {"closed by QUIT", "quit"}, {"closed by EOF", "eof"}, {"closed by DROP", "dropped"},
        {"closed after", "dropped"}, {"lost", "lost"}, {"closed by", "closed"}};
    ev->outcome = literal(w->word);
    if (scan_try(s, "Ci=")) {
        ev->connection_id = scan_word(s);
        scan_lit(s, " from ");
    }
    from_host(s, least, ev);
    if (scan_try(s, " F="))
        ev->sender = exim_angle(s);
    if (s->p != s->end && *s->p != ' ' && *s->p != ':')
        s->bad = true;
    ev->text = rest_text(s);
    if (!ev->text.p)
        return;
    duration(ev->text, ev);
    struct slice words = ev->text;
    if (slice_starts(words, "D=") && memchr(words.p, ' ', words.n))
        words = slice_after(words, ev->duration.n + 3);
    else if (slice_starts(words, "D="))
        ev->text = SLICE_ABSENT;
    for (size_t i = 0; !ev->outcome.p && i < sizeof ends / sizeof *ends; i++)
        if (slice_starts(words, ends[i].text) || slice_starts(words, "TFO lost"))
            ev->outcome = literal(ends[i].outcome);
}

/* Words of our own, then "from HOST", then the reason in brackets or behind a colon. */
static void read_refused(struct scan *s, const struct wording *w, const struct least *least,
                         struct event *ev)
{
    ev->stage = literal(w->word);
    from_host(s, least, ev);
    if (!scan_try(s, " refused") && !scan_try(s, " dropped"))
        scan_try(s, " received");
    if (scan_try(s, " (")) {
        const char *start = s->p;
        if (scan_left(s) && s->end[-1] == ')')
            ev->reason = between(start, s->end - 1);
        else
            ev->reason = between(start - 1, s->end);
        s->p = s->end;
    } else {
        message(s, ev);
    }
}

/* `rejected HELO from HOST: syntactically invalid argument(s): x`, `rejected MAIL from HOST: no HELO/EHLO given` */
static void read_rejected_from(struct scan *s, const struct wording *w, const struct least *least,
                               struct event *ev)
{
    static const struct slice invalid = {"syntactically invalid argument(s): ", 35};
    ev->stage = literal(w->word);
    from_host(s, least, ev);
    message(s, ev);
    if (ev->reason.n < invalid.n || memcmp(ev->reason.p, invalid.p, invalid.n) != 0)
        return;
    ev->command = slice_after(ev->reason, invalid.n);
    ev->reason.n = invalid.n - 2;
}

/* `rejected MAIL FROM:<x> HOSTIDENT: message too big: ...` */
static void read_rejected_mail(struct scan *s, const struct wording *w, const struct least *least,
                               struct event *ev)
{
    const char *start = s->p;
    ev->stage = literal(w->word);
    ev->sender = exim_angle(s);
    if (!s->bad)
        ev->command = between(start, s->p);
    scan_lit(s, " ");
    host_ident(s, least, ev);
    message(s, ev);
}

/* `rejected MAIL command HOSTIDENT: ...`, `Error or EOF on input from HOSTIDENT` */
static void read_host_reason(struct scan *s, const struct wording *w, const struct least *least,
                             struct event *ev)
{
    ev->stage = literal(w->word);
    from_host(s, least, ev);
    message(s, ev);
}

/* `rejected from <x>[ H=..][ U=..]: message` */
static void read_rejected_message(struct scan *s, const struct wording *w,
                                  const struct least *least, struct event *ev)
{
    ev->stage = literal(w->word);
    ev->sender = exim_angle(s);
    if (scan_try(s, " H="))
        exim_fullhost(s, least->helo, ev);
    behind_host(s, least, ev);
    message(s, ev);
}

/* The client's own words, up to the first mark at or behind least that can end them; the mark is eaten. */
static struct slice command_until(struct scan *s, const char *mark, const char *least)
{
    const char *start = s->p;
    if (!s->bad && least && least > start)
        s->p = least;
    scan_until_lit(s, mark);
    return s->bad ? SLICE_ABSENT : between(start, s->p - strlen(mark));
}

/* `"EHLO name" from HOST`; the command is the client's */
static void read_rejected_quoted(struct scan *s, const struct wording *w, const struct least *least,
                                 struct event *ev)
{
    ev->stage = literal(w->word);
    ev->command = command_until(s, "\" from ", least->command);
    from_host(s, least, ev);
    if (s->p != s->end)
        message(s, ev);
}

/* A command, which is the client's, up to where the host item begins; and that. */
static void command_and_host(struct scan *s, const char *before_host, const char *before_ident,
                             const struct least *least, struct event *ev)
{
    struct scan local = *s;
    ev->command = command_until(s, before_host, least->command);
    if (s->bad) {
        *s = local;
        ev->command = command_until(s, before_ident, least->command);
    }
    if (s->bad)
        return;
    s->p -= 2;
    host_ident(s, least, ev);
}

/* `command" HOSTIDENT` */
static void quoted_command(struct scan *s, const struct least *least, struct event *ev)
{
    command_and_host(s, "\" H=", "\" U=", least, ev);
}

/* `[next ]input="..."`, escaped by Exim, up to the end of the line; or nothing. */
static void early_input(struct scan *s, struct event *ev)
{
    ev->text = rest_text(s);
    if (!ev->text.p)
        return;
    struct scan at = scan_over(ev->text);
    scan_try(&at, "next ");
    scan_lit(&at, "input=");
    size_t n = at.bad || at.p == at.end || *at.p != '"' ? 0 : exim_quoted_length(scan_rest(&at));
    if (!n || n != scan_left(&at))
        s->bad = true;
}

/* `rejected connection from HOST input="..."` behind the reason in brackets */
static void read_synchronization(struct scan *s, const struct wording *w, const struct least *least,
                                 struct event *ev)
{
    ev->reason = scan_until_lit(s, "): rejected ");
    ev->stage = literal(w->word);
    if (scan_try(s, "connection from ")) {
        ev->stage = SLICE_LIT("connect");
        from_host(s, least, ev);
    } else {
        scan_lit(s, "\"");
        quoted_command(s, least, ev);
    }
    if (!s->bad)
        early_input(s, ev);
}

/* `protocol error in "command" HOSTIDENT words` */
static void read_protocol_error(struct scan *s, const struct wording *w, const struct least *least,
                                struct event *ev)
{
    (void)w;
    quoted_command(s, least, ev);
    ev->reason = rest_text(s);
}

/* `unqualified recipient rejected: <x> HOSTIDENT[ words]` */
static void read_unqualified(struct scan *s, const struct wording *w, const struct least *least,
                             struct event *ev)
{
    const char *start = s->p;
    ev->stage = literal(w->word);
    struct slice address = exim_angle(s);
    if (s->bad)
        return;
    ev->command = between(start, s->p);
    if (strcmp(w->word, "rcpt") == 0)
        ev->recipient = address;
    else
        ev->sender = address;
    scan_lit(s, " ");
    host_ident(s, least, ev);
    ev->reason = between(w->start, w->start + w->n - 2);
    ev->text = rest_text(s);
}

/* `too many recipients: message rejected: sender=<x> HOSTIDENT` */
static void read_too_many(struct scan *s, const struct wording *w, const struct least *least,
                          struct event *ev)
{
    ev->stage = literal(w->word);
    ev->reason = SLICE_LIT("too many recipients");
    ev->sender = exim_angle(s);
    scan_lit(s, " ");
    host_ident(s, least, ev);
    ev->text = rest_text(s);
}

/* `VRFY failed for x HOSTIDENT` */
static void read_vrfy(struct scan *s, const struct wording *w, const struct least *least,
                      struct event *ev)
{
    ev->stage = literal(w->word);
    command_and_host(s, " H=", " U=", least, ev);
}

/* `ETRN x received from HOST`: no refusal yet. */
static void read_etrn(struct scan *s, const struct wording *w, const struct least *least,
                      struct event *ev)
{
    ev->stage = literal(w->word);
    ev->command = command_until(s, " received from ", least->command);
    from_host(s, least, ev);
}

/* The reason with our own words before it, nothing taken out. */
static void read_rejection_text(struct scan *s, const struct wording *w, const struct least *least,
                                struct event *ev)
{
    ev->stage = literal(w->word);
    read_reason(s, w, least, ev);
}

static void read_message_header(struct scan *s, const struct wording *w, const struct least *least,
                                struct event *ev)
{
    ev->stage = literal(w->word);
    from_host(s, least, ev);
    ev->reason = rest_text(s);
}

/* `on connection from HOST (code): text`, or text at once */
static void read_tls_error(struct scan *s, const struct wording *w, const struct least *least,
                           struct event *ev)
{
    struct scan at = *s;
    if (scan_try(&at, "connection from ") || scan_try(&at, "connection to ")) {
        from_host(&at, least, ev);
        ev->reason = rest_text(&at);
        if (!at.bad) {
            *s = at;
            return;
        }
    }
    read_text(s, w, least, ev);
}

/* `[ip] words` */
static void read_bracketed_ip(struct scan *s, const struct wording *w, const struct least *least,
                              struct event *ev)
{
    (void)least;
    s->p -= w->n;
    ev->ip = exim_ip(s, &ev->port);
    ev->text = rest_text(s);
    if (!slice_starts(ev->text, "SSL verify error") && slice_find(ev->text, "TLS") < 0 &&
        slice_find(ev->text, " verify denied ") < 0)
        ev->kind = EV_ACL_TEXT;
}

static void read_by(struct scan *s, const struct wording *w, const struct least *least,
                    struct event *ev)
{
    read_text(s, w, least, ev);
    ev->reason = ev->text;
    ev->text = SLICE_ABSENT;
}

static void read_queue_run(struct scan *s, const struct wording *w, const struct least *least,
                           struct event *ev)
{
    struct scan at = *s;
    if (scan_try(&at, "'"))
        ev->queue_name = scan_until_lit(&at, "' ");
    read_text(s, w, least, ev);
    ptrdiff_t pid = slice_find(ev->text, "queue run: pid=");
    if (pid < 0)
        return;
    at = scan_over(slice_after(ev->text, (size_t)pid + 15));
    ev->count = scan_u63(&at, INT32_MAX);
}

/* `address <x> marked delivered by u`, `recipient <x> added by u` */
static void read_recipient_note(struct scan *s, const struct wording *w, const struct least *least,
                                struct event *ev)
{
    (void)least;
    s->p -= w->start[w->n - 1] == '<';
    ev->recipient = exim_angle(s);
    ev->text = rest_text(s);
}

/* `PRDR R=<x> acceptance|refusal|deferral`, or `PRDR x words of the ACL`: words are the rule when it
   says no, but an accepting ACL may have some too, and 4xx or 5xx is not told. */
static void read_prdr(struct scan *s, const struct wording *w, const struct least *least,
                      struct event *ev)
{
    struct scan at = *s;
    bool told = scan_try(&at, "R=");
    struct slice recipient = told ? exim_angle(&at) : exim_address(&at);
    scan_lit(&at, " ");
    struct slice answer = scan_all(&at);
    if (at.bad) {
        read_text(s, w, least, ev);
        return;
    }
    *s = at;
    ev->recipient = recipient;
    if (told && slice_is(answer, "acceptance")) {
        ev->text = answer;
        return;
    }
    ev->kind = EV_REJECTION;
    ev->stage = literal("data");
    ev->reason = answer;
    if (!told)
        ev->flags |= EVF_AMBIGUOUS;
    else if (slice_is(answer, "deferral"))
        ev->flags |= EVF_TEMPORARY;
}

static void read_sender_note(struct scan *s, const struct wording *w, const struct least *least,
                             struct event *ev)
{
    struct scan at = *s;
    ev->sender = exim_angle(&at);
    read_text(s, w, least, ev);
}

/* `x authenticator failed for HOST: 535 answer (set_id=u)` */
static void read_authenticator(struct scan *s, const struct wording *w, const struct least *least,
                               struct event *ev)
{
    ev->auth = scan_word(s);
    scan_lit(s, w->word);
    from_host(s, least, ev);
    message(s, ev);
    struct slice r = ev->reason;
    exim_codes(ev);
    if (ev->smtp_code >= 400 && ev->smtp_code < 500)
        ev->flags |= EVF_TEMPORARY;
    ptrdiff_t id = slice_find(r, " (set_id=");
    if (id < 0)
        return;
    ptrdiff_t close = slice_find_last(r, ")");
    ptrdiff_t colon = slice_find_last(r, "): "); /* the account's state may follow */
    ptrdiff_t end = colon > id && r.p[r.n - 1] != ')' ? colon : close;
    if (end < id)
        return;
    ev->auth_id = slice_of(r.p + id + 9, (size_t)(end - id) - 9);
}

/* `x authenticator failed H=mx [ip] answer`: we failed to log in there. */
static void read_client_authenticator(struct scan *s, const struct wording *w,
                                      const struct least *least, struct event *ev)
{
    const char *start = s->p;
    ev->auth = scan_word(s);
    scan_lit(s, w->word);
    const char *words_end = s->p - 3;
    exim_fullhost(s, least->helo, ev);
    ev->text = s->bad ? SLICE_ABSENT : between(start, words_end);
    scan_lit(s, " ");
    ev->reason = scan_all(s);
}

#define REJECT(start, read, stage) WF(start, read, REJECTION, EVF_REJECTLOG, stage)
#define DEFER(start, read, stage) WF(start, read, REJECTION, EVF_REJECTLOG | EVF_TEMPORARY, stage)
#define MAIN(start, read, stage) WF(start, read, REJECTION, 0, stage)

/* In byte order of their first byte; among those of one first byte the first that fits is taken. */
static const struct wording wordings[] = {
    W(" DS H=", read_host_line, ACL_TEXT),
    W("\"discard\" verb not allowed", read_text, INTERNAL_ERROR),
    W("\"drop\" verb not allowed", read_text, INTERNAL_ERROR),
    W("#011", read_text, INTERNAL_ERROR), /* a frame of a backtrace */
    W("(SSL_", read_text, TLS),
    W("---", read_text, INTERNAL_ERROR),
    W("<|", read_text, DELIVERY_NOTE),
    W("ACL \"warn\" with \"message\" setting", read_text, INTERNAL_ERROR),
    W("ACL for ", read_text, INTERNAL_ERROR),
    W("ALPN unusable", read_text, TLS),
    W("ARC: ", read_text, SIGNATURE),
    WF("ATRN '", read_etrn, PROTOCOL_ERROR, 0, "other"),
    W("Abandon queue run", read_queue_run, QUEUE_RUN),
    W("CNAME loop for ", read_text, DNS),
    W("Child mail process returned", read_text, INTERNAL_ERROR),
    W("Ci=", read_text, PROTOCOL_ERROR),
    W("Connection aborted; STARTTLS support", read_text, TLS),
    WF("Connection from ", read_refused, REJECTION, EVF_TEMPORARY, "connect"), /* 421: too many, or load */
    W("Couldn't open journal file", read_text, INTERNAL_ERROR),
    W("Couldn't open message log", read_text, INTERNAL_ERROR),
    W("DANE attempt failed", read_text, TLS),
    W("DANE error", read_text, TLS),
    W("DCC: ", read_text, CONTENT_SCAN),
    W("DKIM: ", read_text, SIGNATURE),
    W("DMARC ", read_text, SIGNATURE),
    W("DMARC: ", read_text, SIGNATURE),
    W("DNS list lookup ", read_text, DNS),
    W("Daemon cannot be run", read_text, DAEMON),
    W("Delivery deferred by ", read_text, DELIVERY_NOTE),
    W("Delivery status for ", read_text, INTERNAL_ERROR),
    W("EHLO/HELO response must not", read_text, INTERNAL_ERROR),
    WF("ETRN ", read_etrn, PROTOCOL_ERROR, 0, "etrn"),
    W("End ", read_queue_run, QUEUE_RUN),
    W("Error in system filter", read_text, INTERNAL_ERROR),
    REJECT("Error or EOF on input from ", read_host_reason, "data"),
    W("Error reading spool file", read_text, INTERNAL_ERROR),
    REJECT("Error while reading message with no usable sender address", read_rejection_text, "local"),
    W("Exim configuration error", read_text, INTERNAL_ERROR),
    W("Expansion of ", read_text, INTERNAL_ERROR),
    W("F=", read_sender_line, REJECTION),
    W("Failed to ", read_text, INTERNAL_ERROR),
    W("Format error in spool file", read_text, INTERNAL_ERROR),
    W("Frozen", read_by, FROZEN),
    W("H=", read_host_line, ACL_TEXT),
    W("Header modification in data ACLs", read_text, INTERNAL_ERROR),
    W("LMTP connection closed", read_text, CONNECTION),
    W("Long ", read_text, DNS),
    W("MIME acl condition", read_text, CONTENT_SCAN),
    W("Message abandoned: ", read_text, CONNECTION),
    W("Message is frozen", read_by, FROZEN),
    W("Message removed because older", read_by, REMOVED),
    W("OCSP ", read_text, TLS),
    W("PRDR ", read_prdr, DELIVERY_NOTE),
    W("Process failed (", read_text, INTERNAL_ERROR),
    W("Received TLS cert", read_text, TLS),
    W("Required TLS certificate status", read_text, TLS),
    W("SEGV_", read_text, INTERNAL_ERROR),
    W("SIGHUP received", read_text, DAEMON),
    W("SIGINT received", read_text, CONNECTION),
    W("SIGSEGV ", read_text, INTERNAL_ERROR),
    W("SIGTERM received while reading", read_text, CONNECTION),
    W("SIGTERM ", read_text, DAEMON),
    REJECT("SMTP call from ", read_refused, "other"),
    WF("SMTP command timeout on connection from ", read_connection, CONNECTION, 0, "timeout"),
    WF("SMTP command timeout on TLS connection from ", read_connection, CONNECTION, 0, "timeout"),
    W("SMTP connection from ", read_connection, CONNECTION),
    WF("SMTP connection lost after final dot ", read_connection, CONNECTION, 0, "lost"),
    W("SMTP connection ", read_connection, CONNECTION),
    WF("SMTP data timeout (message abandoned) on connection from ", read_connection, CONNECTION, 0,
       "timeout"),
    WF("SMTP data timeout (message abandoned) on TLS connection from ", read_connection, CONNECTION,
       0, "timeout"),
    W("SMTP error from remote mail", read_reason, HOST_ERROR),
    W("SMTP timeout ", read_reason, HOST_ERROR),
    W("SMTP peer appears to have", read_text, PROTOCOL_ERROR),
    REJECT("SMTP protocol synchronization error (", read_synchronization, "other"),
    W("SMTP protocol error in \"", read_protocol_error, PROTOCOL_ERROR),
    W("SMTP protocol violation", read_text, PROTOCOL_ERROR),
    W("SMTP syntax error in \"", read_protocol_error, PROTOCOL_ERROR),
    W("SPF: ", read_text, SIGNATURE),
    W("SSL channel closed", read_text, TLS),
    W("SSL verify error", read_text, TLS),
    W("SSL_", read_text, TLS),
    W("Server certificate ", read_text, TLS),
    W("Spool error", read_text, INTERNAL_ERROR),
    W("Spool file is locked", read_text, DELIVERY_NOTE),
    W("Spool file for ", read_text, DELIVERY_NOTE),
    W("Spool", read_text, INTERNAL_ERROR),
    W("Start ", read_queue_run, QUEUE_RUN),
    REJECT("TLS ALPN (", read_rejection_text, "starttls"),
    W("TLS error on ", read_tls_error, TLS),
    W("TLS ", read_text, TLS),
    W("Tainted ", read_text, INTERNAL_ERROR),
    W("U=", read_host_line, ACL_TEXT),
    W("Unfrozen by ", read_by, THAWED),
    W("User ", read_text, INTERNAL_ERROR),
    MAIN("VRFY failed for ", read_vrfy, "vrfy"),
    W("WARNING: deprecated Diffie-Hellman", read_text, TLS),
    W("Warning: No server certificate", read_text, TLS),
    W("Warning: ", read_text, INTERNAL_ERROR),
    W("[", read_bracketed_ip, TLS),
    REJECT("acl_smtp_mime: ", read_rejection_text, "mime"),
    W("address <", read_recipient_note, DELIVERY_NOTE),
    W("backtrace", read_text, INTERNAL_ERROR),
    W("bind of [", read_text, INTERNAL_ERROR),
    W("bounce_message_file is not absolute", read_text, INTERNAL_ERROR),
    W("cancelled by ", read_by, REMOVED),
    W("cannot accept message: ", read_text, INTERNAL_ERROR),
    W("configured error code starts", read_text, INTERNAL_ERROR),
    REJECT("connection from ", read_refused, "connect"),
    W("cwd=", read_text, COMMAND_LINE),
    W("daemon: ", read_text, DAEMON),
    W("delivery re-exec ", read_text, INTERNAL_ERROR),
    W("dnslist query is too long", read_text, DNS),
    W("dnslists domain ", read_text, DNS),
    W("dnssec fail ", read_text, DNS),
    W("exec of ", read_text, INTERNAL_ERROR),
    W("exim user lost privilege", read_text, INTERNAL_ERROR),
    W("exim ", read_daemon, DAEMON),
    W("expansion of ", read_text, INTERNAL_ERROR),
    W("failed to ", read_text, INTERNAL_ERROR),
    W("failure to ", read_text, INTERNAL_ERROR),
    W("frozen by ", read_by, FROZEN),
    W("getsockname() failed", read_text, INTERNAL_ERROR),
    W("getsockopt() failed", read_text, INTERNAL_ERROR),
    W("home directory \"", read_text, INTERNAL_ERROR),
    W("host name alias list truncated", read_text, DNS),
    W("ident connection to ", read_text, CONNECTION),
    W("ignoring AUTH=", read_text, PROTOCOL_ERROR),
    W("internal scanner error", read_text, CONTENT_SCAN),
    DEFER("invalid return ", read_rejection_text, "data"),
    W("invalid ", read_text, INTERNAL_ERROR),
    W("list matching forced to fail", read_text, DNS),
    W("listen backlog ", read_text, DAEMON),
    DEFER("local_scan() function ", read_rejection_text, "data"),
    W("log directory space check failed", read_text, INTERNAL_ERROR),
    W("lowest numbered MX record points to local host", read_text, DELIVERY_NOTE),
    W("malware acl condition", read_text, CONTENT_SCAN),
    W("moved from ", read_text, DELIVERY_NOTE),
    WF("no MAIL in SMTP connection from ", read_connection, CONNECTION, 0, "no mail"),
    WF("no MAIL in TFO SMTP connection from ", read_connection, CONNECTION, 0, "no mail"),
    W("no host name found for IP address ", read_ip, DNS),
    W("no IP address found for host ", read_hostname, DNS),
    W("no immediate delivery: ", read_text, DELIVERY_NOTE),
    W("no recipients found in headers", read_text, DELIVERY_NOTE),
    W("notify triggered queue run", read_text, QUEUE_RUN),
    W("original recipients ignored", read_text, DELIVERY_NOTE),
    MAIN("overlong message header line received from ", read_message_header, "data"),
    W("peer close after all rcpt responses", read_text, DELIVERY_NOTE),
    W("pid ", read_text, DAEMON),
    W("process ", read_text, INTERNAL_ERROR),
    W("qualify/rewrite: ", read_text, DELIVERY_NOTE),
    W("queue run: ", read_text, INTERNAL_ERROR),
    W("re-exec of exim ", read_text, INTERNAL_ERROR),
    W("recipient <", read_recipient_note, DELIVERY_NOTE),
    W("recipient verify defer", read_text, DELIVERY_NOTE),
    W("redirection process ", read_text, INTERNAL_ERROR),
    REJECT("refused connection from ", read_refused, "connect"),
    W("regex acl condition", read_text, CONTENT_SCAN),
    REJECT("rejected HELO from ", read_rejected_from, "helo"),
    REJECT("rejected EHLO from ", read_rejected_from, "helo"),
    REJECT("rejected MAIL from ", read_rejected_from, "mail"),
    REJECT("rejected XCLIENT from ", read_rejected_from, "other"),
    REJECT("rejected MAIL FROM:", read_rejected_mail, "mail"),
    DEFER("rejected MAIL command ", read_host_reason, "mail"), /* 421 too many messages */
    REJECT("rejected from ", read_rejected_message, "data"),
    REJECT("rejected \"", read_rejected_quoted, "helo"),
    W("remote host address is the local host", read_text, DELIVERY_NOTE),
    W("removed by ", read_by, REMOVED),
    W("rescind the above message-accept", read_text, RETRACTED),
    W("retry time not reached", read_text, DELIVERY_NOTE),
    W("rewrite: ", read_text, DELIVERY_NOTE),
    MAIN("ridiculously long message header received from ", read_message_header, "data"),
    W("routing loop for ", read_text, INTERNAL_ERROR),
    W("sender address changed to ", read_sender_note, DELIVERY_NOTE),
    W("sender verify ", read_text, DELIVERY_NOTE),
    W("setsockopt(", read_text, INTERNAL_ERROR),
    W("socket bind() ", read_text, DAEMON),
    W("spool directory space check failed", read_text, INTERNAL_ERROR),
    W("spam acl condition", read_text, CONTENT_SCAN),
    W("tainted ", read_text, INTERNAL_ERROR),
    WF("temporarily refused connection from ", read_refused, REJECTION, EVF_TEMPORARY, "connect"),
    DEFER("temporarily rejected \"", read_rejected_quoted, "helo"),
    WF("timed out while reading local message", read_text, CONNECTION, 0, "timeout"),
    DEFER("too many recipients: excess temporarily rejected: sender=", read_too_many, "rcpt"),
    REJECT("too many recipients: message rejected: sender=", read_too_many, "rcpt"),
    W("unable to ", read_text, INTERNAL_ERROR),
    WF("unexpected disconnection while reading SMTP command from ", read_connection, CONNECTION, 0,
       "lost"),
    W("unfrozen by ", read_by, THAWED),
    REJECT("unqualified sender rejected: ", read_unqualified, "mail"),
    REJECT("unqualified recipient rejected: ", read_unqualified, "rcpt"),
    REJECT("unqualified verify rejected: ", read_unqualified, "vrfy")};

enum { WORDINGS = sizeof wordings / sizeof *wordings };

/* Halves the table to the first wording of a first byte. */
const struct wording *exim_wording_of(struct slice text)
{
    size_t low = 0, high = WORDINGS;
    if (text.n == 0)
        return NULL;
    unsigned char first = (unsigned char)*text.p;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if ((unsigned char)*wordings[middle].start < first)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < WORDINGS && (unsigned char)*wordings[low].start == first; low++)
        if (starts(text, &wordings[low]))
            return &wordings[low];
    return NULL;
}

const struct wording *exim_authenticator_wording_of(struct slice text)
{
    static const struct wording verbs[] = {
        WF("", read_authenticator, AUTH_FAILURE, EVF_REJECTLOG, " authenticator failed for "),
        WF("", read_client_authenticator, HOST_ERROR, 0, " authenticator failed H="),
        WF("", read_client_authenticator, HOST_ERROR, 0,
           " authenticator cancelled authentication H=")};
    const char *blank = memchr(text.p, ' ', text.n);
    if (!blank)
        return NULL;
    struct slice rest = slice_after(text, (size_t)(blank - text.p));
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (slice_starts(rest, verbs[i].word))
            return &verbs[i];
    return NULL;
}

enum event_kind exim_wording_kind(const struct wording *w)
{
    return w->kind;
}

bool exim_reads(struct slice text, const struct wording *w, const struct least *least, struct event *ev)
{
    struct scan s = scan_over(slice_after(text, w->n));
    apply(&s, w, least, ev);
    return at_end(&s);
}

bool exim_host_error(struct scan *s, struct event *ev)
{
    static const struct least nowhere = {NULL, NULL, NULL, NULL, NULL};
    const struct wording *verb = host_wording(s);
    if (!verb || verb->kind != EV_HOST_ERROR)
        return false;
    apply(s, verb, &nowhere, ev);
    return true;
}
