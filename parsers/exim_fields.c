/* exim_fields.c — the field grammar of Exim's log lines.  Values that strangers choose are read so
   that they can only be values: a quote, blank or bracket in the wrong place makes the reading fail. */
#include "exim_fields.h"
#include "ascii.h"

#define NONE 0
#define AT(member) ((uint16_t)offsetof(struct event, member))
#define F(key, form, text, num) {key, sizeof(key) - 1, FORM_##form, text, num}
#define MARK(key) F(key, MARK, NONE, NONE)

#define ORIGIN F(" R=", WORD, AT(parent_id), NONE), MARK(" DS")
#define INTERFACE F(" I=", INTERFACE, AT(interface_ip), AT(interface_port))
#define CONNECTION F(" Ci=", WORD, AT(connection_id), NONE)
#define CIPHER F(" X=", WORD, AT(tls), NONE), F(" CV=", WORD, AT(cert), NONE)
#define SPF F(" SPF=", WORD, AT(spf), NONE), F(" SPF", PASS, AT(spf), NONE)
#define DMARC F(" DMARC=", WORD, AT(dmarc), NONE), F(" DMARC", PASS, AT(dmarc), NONE)
#define SNI F(" SNI=", SNI, AT(sni), NONE)
#define MID CONNECTION, F(" P=", WORD, AT(protocol), NONE), MARK(" L"), SPF, CIPHER
#define LAST MARK(" PRDR"), F(" PRX=", WORD, AT(proxy), NONE), MARK(" K")
#define TAIL                                                                                       \
    F(" S=", NUMBER, NONE, AT(size)), MARK(" M8S="), F(" DKIM=", WORD, AT(dkim), NONE),            \
        MARK(" ARC"), DMARC, F(" RT=", TIME, NONE, AT(receive_ms)),                                \
        F(" Q=", WORD, AT(queue_name), NONE), F(" id=", MSGID, AT(message_id), NONE),              \
        F(" id*=", GENERATED, AT(message_id), NONE), F(" T=", QUOTED, AT(subject), NONE),          \
        F(" from ", ANGLE, AT(raw_sender), NONE), F(" for ", LIST, AT(recipients), NONE)
#define ENVELOPE                                                                                   \
    F(" F=", ANGLE, AT(sender), NONE), F(" Q=", WORD, AT(queue_name), NONE),                       \
        F(" P=", ANGLE, AT(return_path), NONE), F(" R=", WORD, AT(router), NONE),                  \
        F(" T=", WORD, AT(transport), NONE), F(" S=", NUMBER, NONE, AT(size))
#define OUTGOING                                                                                   \
    F(" H=", OUTHOST, NONE, NONE), F(" PRX=", INTERFACE, AT(proxy), NONE), INTERFACE,              \
        F(" ST=", SHADOW, AT(shadow), NONE), MARK(" TFO"), MARK(" PS=")
#define SESSION CIPHER, F(" DN=", DN, AT(dn), NONE)
#define AUTH F(" A=", AUTH, NONE, NONE)
#define END {"", 0, 0, 0, 0}

const struct field exim_arrival_fields[] = {
    ORIGIN, F(" H=", FULLHOST, NONE, NONE), INTERFACE, MARK(" TFO"), F(" U=", WORD, AT(ident), NONE),
    MID, F(" DN=", DN, AT(dn), NONE), SNI, AUTH, LAST, TAIL, END};
const struct field exim_arrival_origin_fields[] = {ORIGIN, END};
const struct field exim_arrival_host_fields[] = {INTERFACE, MARK(" TFO"), END};
const struct field exim_arrival_mid_fields[] = {MID, END};
const struct field exim_arrival_sni_fields[] = {SNI, END};
const struct field exim_arrival_last_fields[] = {LAST, END};
const struct field exim_arrival_tail_fields[] = {TAIL, END};
#define BEFORE_ANSWER                                                                              \
    ENVELOPE, OUTGOING, SESSION, AUTH, MARK(" L"), MARK(" PRDR"), MARK(" K"),                      \
        F(" DKIM=", WORD, AT(dkim), NONE)
#define TIMES F(" QT=", TIME, NONE, AT(queue_ms)), F(" DT=", TIME, NONE, AT(deliver_ms))

const struct field exim_delivery_fields[] = {
    BEFORE_ANSWER, F(" C=", QUOTED, AT(response), NONE), TIMES, END};
const struct field exim_cutthrough_fields[] = {
    BEFORE_ANSWER, F(" C=", OPEN, AT(response), NONE), TIMES, END};
const struct field exim_failure_fields[] = {ENVELOPE, OUTGOING, SESSION, END};
const struct field exim_deferral_fields[] = {OUTGOING, F(" DT=", TIME, NONE, AT(deliver_ms)), END};
const struct field exim_cipher_fields[] = {CONNECTION, CIPHER, END};
const struct field exim_sender_fields[] = {SNI, F(" F=", ANGLE, AT(sender), NONE), END};
const struct field exim_reject_fields[] = {SPF, DMARC, END};

static void set_text(struct event *ev, uint16_t at, struct slice value)
{
    if (at)
        memcpy((char *)ev + at, &value, sizeof value);
}

static void set_number(struct event *ev, uint16_t at, int64_t value)
{
    if (at)
        memcpy((char *)ev + at, &value, sizeof value);
}

/* Length of what begins s, looks like an address and has a bracket behind it; else 0.  Its numbers are not weighed. */
static size_t bracketed_ip_length(struct slice s)
{
    enum { DIGIT = 1, MARK = 0x101 };
    static const uint16_t sorts[256] = {['0' ... '9'] = DIGIT, ['a' ... 'f'] = DIGIT, ['A' ... 'F'] = DIGIT,
                                             ['.'] = MARK, [':'] = MARK};
    unsigned seen = 0; /* marks in the high byte */
    size_t i = 0;
    for (unsigned sort; i < s.n && (sort = sorts[(unsigned char)s.p[i]]); i++)
        seen += sort;
    if (i < s.n && s.p[i] == '%') /* a scope: fe80::1%eth0 */
        for (i++; i < s.n && s.p[i] > ' ' && s.p[i] != '%' && s.p[i] != ']'; i++)
            ;
    return seen >> 8 >= 2 && i < s.n && s.p[i] == ']' ? i : 0;
}

/* A port; digits that are none are left to be a fault. */
static void port_here(struct scan *s, int64_t *port)
{
    if (scan_left(s) < 2 || *s->p != ':' || !is_digit(s->p[1]))
        return;
    s->p++;
    int64_t value = scan_u63(s, 65535);
    if (port)
        *port = value;
}

struct slice exim_ip(struct scan *s, int64_t *port)
{
    if (s->bad || s->p == s->end || *s->p != '[') {
        s->bad = true;
        return SLICE_ABSENT;
    }
    enum { LONGEST = 64 }; /* 45 bytes and a scope; no more is looked at, lest a line be read over and over */
    const char *start = s->p + 1;
    size_t room = (size_t)(s->end - start);
    size_t n = bracketed_ip_length(slice_of(start, room < LONGEST ? room : LONGEST));
    if (!n) {
        s->bad = true;
        return SLICE_ABSENT;
    }
    s->p = start + n + 1;
    port_here(s, port);
    return slice_of(start, n);
}

/* Offset behind the closing quote of the quoted string that begins s, backslashes minded; or 0. */
size_t exim_quoted_length(struct slice s)
{
    size_t i = 1;
    while (i < s.n) {
        const char *quote = memchr(s.p + i, '"', s.n - i);
        if (!quote)
            return 0;
        size_t end = (size_t)(quote - s.p), slashes = 0;
        while (end - slashes > i && s.p[end - slashes - 1] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return end + 1;
        i = end + 1;
    }
    return 0;
}

/* Length of an address that begins s, up to stop outside of quotes; a quoted part must make up a
   whole dotted part.  Returns s.n + 1 if there is no such address. */
static size_t address_length(struct slice s, char stop)
{
    size_t i = 0;
    const char *at = memchr(s.p, stop, s.n);
    size_t plain = at ? (size_t)(at - s.p) : s.n;
    if (!memchr(s.p, '"', plain))
        return memchr(s.p, ' ', plain) || memchr(s.p, '<', plain) ? s.n + 1 : plain;
    while (i < s.n && s.p[i] != stop) {
        char c = s.p[i];
        if (c != '"') {
            if (c == ' ' || c == '<')
                return s.n + 1;
            i++;
            continue;
        }
        size_t quoted = exim_quoted_length(slice_after(s, i));
        if (!quoted || (i > 0 && s.p[i - 1] != '.' && s.p[i - 1] != ':'))
            return s.n + 1;
        i += quoted;
        if (i < s.n && s.p[i] != '@' && s.p[i] != '.' && s.p[i] != stop)
            return s.n + 1;
    }
    return i;
}

struct slice exim_address(struct scan *s)
{
    if (s->bad)
        return SLICE_ABSENT;
    struct slice rest = scan_rest(s);
    const char *blank = memchr(rest.p, ' ', rest.n);
    size_t n = blank ? (size_t)(blank - rest.p) : rest.n;
    if (memchr(rest.p, '"', n))
        n = address_length(rest, ' ');
    if (n == 0 || n > rest.n) {
        s->bad = true;
        return SLICE_ABSENT;
    }
    s->p += n;
    return slice_of(rest.p, n);
}

struct slice exim_angle(struct scan *s)
{
    if (!scan_lit(s, "<"))
        return SLICE_ABSENT;
    struct slice rest = scan_rest(s);
    size_t n = address_length(rest, '>');
    if (n >= rest.n) {
        s->bad = true;
        return SLICE_ABSENT;
    }
    s->p += n + 1;
    return slice_of(rest.p, n);
}

/* The helo name ends at the first ") [" with an address behind it, which is read as well. */
static void helo_and_ip(struct scan *s, const char *least, struct event *ev)
{
    const char *start = s->p + 1;
    const char *at = least && least > start ? least : start;
    while ((at = memchr(at, ')', (size_t)(s->end - at)))) {
        struct scan rest = {at + 2, s->end, false};
        ev->ip = s->end - at > 3 && at[1] == ' ' ? exim_ip(&rest, &ev->port) : SLICE_ABSENT;
        if (ev->ip.p && !rest.bad) {
            ev->helo = slice_of(start, (size_t)(at - start));
            s->p = rest.p;
            return;
        }
        at++;
    }
    ev->ip = SLICE_ABSENT;
    s->bad = true;
}

void exim_fullhost(struct scan *s, const char *least, struct event *ev)
{
    if (s->bad || s->p == s->end) {
        s->bad = true;
        return;
    }
    const char *start = s->p;
    if (*s->p != '(' && *s->p != '[') {
        struct slice name = scan_word(s);
        if (s->bad || scan_left(s) < 2 || (s->p[1] != '(' && s->p[1] != '[')) {
            s->p = start;
            s->bad = true;
            return;
        }
        ev->host = name;
        s->p++;
    }
    if (*s->p == '(')
        helo_and_ip(s, least, ev);
    else
        ev->ip = exim_ip(s, &ev->port);
    if (!s->bad)
        ev->peer = slice_of(start, (size_t)(s->p - start));
}

static void read_outhost(struct scan *s, bool colon, struct event *ev)
{
    struct slice name = scan_word(s);
    if (s->bad)
        return;
    if (colon && name.p[name.n - 1] == ':') {
        name.n--;
        s->p--;
    }
    ev->host = ev->peer = name;
    struct scan at = *s;
    scan_try(&at, " DS");
    if (!scan_try(&at, " ["))
        return;
    at.p--;
    *s = at;
    ev->ip = exim_ip(s, &ev->port);
    ev->peer.n = (size_t)(s->p - name.p);
    ev->flags |= EVF_REMOTE;
    scan_try(s, "*");
}

void exim_auth(struct slice value, struct event *ev)
{
    const char *colon = memchr(value.p, ':', value.n);
    ev->auth = slice_of(value.p, colon ? (size_t)(colon - value.p) : value.n);
    if (!colon)
        return;
    struct slice id = slice_after(value, ev->auth.n + 1);
    ev->auth_id = id;
    const char *last = memrchr(id.p, ':', id.n);
    if (!last)
        return;
    /* An address without a blank may be the AUTH= sender, and may be part of the id: nothing tells. */
    struct slice sender = slice_after(id, (size_t)(last - id.p) + 1);
    if (!memchr(sender.p, '@', sender.n) || memchr(sender.p, ' ', sender.n))
        return;
    ev->auth_sender = sender;
    ev->auth_id.n = (size_t)(last - id.p);
    ev->flags |= EVF_AMBIGUOUS;
}

static struct slice read_word(struct scan *s, bool colon)
{
    struct slice word = scan_word(s);
    if (s->bad)
        return word;
    const char *quote = memchr(word.p, '"', word.n);
    if (quote) {
        s->p = quote;
        s->bad = true;
    } else if (colon && word.p[word.n - 1] == ':') {
        word.n--;
        s->p--;
    }
    return word;
}

/* A server name as the client gave it: in quotes, which older versions write and 4.96 does not. */
static struct slice read_sni(struct scan *s, bool colon)
{
    if (!scan_try(s, "\""))
        return read_word(s, colon);
    const char *start = s->p, *quote = memchr(s->p, '"', scan_left(s));
    struct slice name = slice_of(start, quote ? (size_t)(quote - start) : 0);
    if (!quote || memchr(name.p, ' ', name.n))
        s->bad = true;
    else
        s->p = quote + 1;
    return name;
}

static struct slice read_quoted(struct scan *s, bool may_stay_open)
{
    struct slice rest = scan_rest(s);
    size_t n = rest.n && *rest.p == '"' ? exim_quoted_length(rest) : 0;
    if (!n && may_stay_open && rest.n && *rest.p == '"') {
        s->p = s->end;
        return slice_after(rest, 1);
    }
    if (!n) {
        s->bad = true;
        return SLICE_ABSENT;
    }
    s->p += n;
    return slice_of(rest.p + 1, n - 2);
}

struct slice exim_dn(struct scan *s, const char *least)
{
    if (!scan_lit(s, "\""))
        return SLICE_ABSENT;
    const char *start = s->p;
    const char *at = least && least > start ? least : start;
    for (; (at = memchr(at, '"', (size_t)(s->end - at))); at++)
        if (at + 1 == s->end || at[1] == ' ' || at[1] == ':') {
            s->p = at + 1;
            return slice_of(start, (size_t)(at - start));
        }
    s->bad = true;
    return SLICE_ABSENT;
}

/* An address of a recipient list; anything that looks like a field is none. */
static bool list_address(struct scan *s)
{
    struct slice address = exim_address(s);
    return !s->bad && (memchr(address.p, '@', address.n) || !memchr(address.p, '=', address.n));
}

static struct slice read_list(struct scan *s)
{
    const char *start = s->p;
    do {
        if (!list_address(s))
            s->bad = true;
    } while (!s->bad && scan_try(s, " "));
    return slice_of(start, (size_t)(s->end - start));
}

static struct slice read_shadow(struct scan *s)
{
    const char *start = s->p;
    scan_word(s);
    if (scan_try(s, " (")) /* its error is our own transport's: up to the last bracket that ends it */
        scan_until(s, ')');
    return slice_of(start, (size_t)(s->p - start));
}

static void read_value(struct scan *s, const struct field *f, bool colon, struct event *ev)
{
    switch ((enum field_form)f->form) {
    case FORM_MARK:
        if (s->p != s->end && *s->p != ' ' && *s->p != ':')
            read_word(s, colon);
        break;
    case FORM_PASS: set_text(ev, f->text, SLICE_LIT("pass")); break;
    case FORM_WORD: set_text(ev, f->text, read_word(s, colon)); break;
    case FORM_SNI: set_text(ev, f->text, read_sni(s, colon)); break;
    case FORM_GENERATED: ev->flags |= EVF_ID_GENERATED; /* fall through */
    case FORM_MSGID: set_text(ev, f->text, exim_address(s)); break;
    case FORM_NUMBER: set_number(ev, f->num, scan_u63(s, INT64_MAX)); break;
    case FORM_TIME: set_number(ev, f->num, scan_exim_time(s)); break;
    case FORM_ANGLE: set_text(ev, f->text, exim_angle(s)); break;
    case FORM_QUOTED: set_text(ev, f->text, read_quoted(s, false)); break;
    case FORM_OPEN: set_text(ev, f->text, read_quoted(s, true)); break;
    case FORM_DN: break; /* read by fields_from_dn */
    case FORM_FULLHOST: exim_fullhost(s, NULL, ev); break;
    case FORM_OUTHOST: read_outhost(s, colon, ev); break;
    case FORM_INTERFACE: {
        int64_t port = NUM_ABSENT;
        set_text(ev, f->text, exim_ip(s, &port));
        set_number(ev, f->num, port);
        break;
    }
    case FORM_AUTH: {
        struct slice value = read_word(s, colon);
        if (!s->bad)
            exim_auth(value, ev);
        break;
    }
    case FORM_SHADOW: set_text(ev, f->text, read_shadow(s)); break;
    case FORM_LIST: set_text(ev, f->text, read_list(s)); break;
    }
}

/* A bare mark must end where it stands, but for its own suffixes. */
static bool mark_ends(const char *p, const char *end)
{
    while (p < end && (*p == '*' || *p == '.' || *p == '-'))
        p++;
    return p == end || *p == ' ' || *p == ':';
}

static bool field_here(const struct scan *s, const struct field *f)
{
    if (scan_left(s) < f->key_n || memcmp(s->p, f->key, f->key_n) != 0)
        return false;
    if (f->form == FORM_MARK || f->form == FORM_PASS)
        return f->key[f->key_n - 1] == '=' || mark_ends(s->p + f->key_n, s->end);
    return true;
}

/* A quote with no backslash before it, which GnuTLS would have put there. */
static bool has_bare_quote(struct slice dn)
{
    const char *end = dn.p + dn.n;
    for (const char *at = dn.p; (at = memchr(at, '"', (size_t)(end - at))); at++)
        if (at == dn.p || at[-1] != '\\')
            return true;
    return false;
}

/* Exim does not escape the text of DN=, so a quote may stand in it: its end is the first quote behind
   which the rest fits.  A DN with a bare quote in it is marked: it could also be a field's text. */
static void fields_from_dn(struct scan *s, const struct field *f, bool colon, struct event *ev)
{
    enum { TRIES = 32 };
    struct scan start = *s;
    struct event before = *ev;
    const char *least = NULL;
    for (int i = 0; i < TRIES; i++) {
        *s = start;
        ev->dn = exim_dn(s, least);
        least = s->p;
        exim_fields(s, f + 1, colon, ev);
        if (!s->bad && (colon || s->p == s->end))
            break;
        s->bad = true;
        if (!ev->dn.p)
            break;
        *ev = before;
    }
    if (!s->bad && has_bare_quote(ev->dn))
        ev->flags |= EVF_AMBIGUOUS;
}

void exim_fields(struct scan *s, const struct field *list, bool colon, struct event *ev)
{
    for (const struct field *f = list; f->key_n; f++) {
        if (s->bad || scan_left(s) < 2 || *s->p != ' ')
            return;
        while (f->key_n && f->key[1] != s->p[1])
            f++;
        if (!f->key_n)
            return;
        if (!field_here(s, f))
            continue;
        const char *start = s->p;
        s->p += f->key_n;
        if (f->form == FORM_DN) {
            fields_from_dn(s, f, colon, ev);
            return;
        }
        read_value(s, f, colon, ev);
        if (!s->bad && s->p != s->end && *s->p != ' ' && !(colon && *s->p == ':')) {
            s->bad = true;
            s->p = start;
        }
    }
}

/* The command that Exim quotes may hold an address with anything in it. */
static void skip_command(struct scan *s)
{
    const char *angle = memchr(s->p, '<', scan_left(s));
    const char *colon = memchr(s->p, ':', scan_left(s));
    if (!angle || !colon || angle > colon + 1)
        return;
    struct scan at = {angle, s->end, false};
    exim_angle(&at);
    if (!at.bad)
        s->p = at.p;
}

static bool code_here(struct slice s)
{
    return s.n >= 3 && s.p[0] >= '2' && s.p[0] <= '9' && is_digit(s.p[1]) && is_digit(s.p[2]) &&
           (s.n == 3 || s.p[3] == ' ' || s.p[3] == '-' || s.p[3] == '\\');
}

/* "SMTP error from remote mail server after RCPT TO:<x>: 550 no", maybe behind a host. */
static struct slice error_answer(struct slice reason)
{
    if (!slice_starts(reason, "SMTP error") && !memchr(reason.p, ']', reason.n))
        return SLICE_ABSENT;
    ptrdiff_t at = slice_find(reason, "SMTP error from remote mail");
    ptrdiff_t after = at < 0 ? -1 : slice_find(slice_after(reason, (size_t)at), " after ");
    if (after < 0)
        return SLICE_ABSENT;
    struct scan s = scan_over(slice_after(reason, (size_t)(at + after) + 7));
    skip_command(&s);
    scan_until_lit(&s, ": ");
    /* Exim before 4 named the host here: "after RCPT TO:<x>: host mx.y [ip]: 550 no" */
    if (scan_try(&s, "host "))
        scan_until_lit(&s, "]: ");
    return s.bad ? SLICE_ABSENT : scan_rest(&s);
}

/* `response to "RCPT TO:<x>" from mx.y [ip] was: 550 no` */
static struct slice callout_answer(struct slice reason)
{
    struct scan s = scan_over(reason);
    if (!scan_try(&s, "response to \""))
        return SLICE_ABSENT;
    skip_command(&s);
    scan_until_lit(&s, "] was: ");
    return s.bad ? SLICE_ABSENT : scan_rest(&s);
}

/* `R=r T=t H=mx.y [ip] C="450 later"`: the next host's answer to what we were still receiving. */
static struct slice cutthrough_answer(struct slice reason)
{
    ptrdiff_t at = slice_starts(reason, "R=") ? slice_find(reason, " C=\"") : -1;
    return at < 0 ? SLICE_ABSENT : slice_after(reason, (size_t)at + 4);
}

static struct slice answer_in(struct slice reason)
{
    static struct slice (*const forms[])(struct slice reason) = {error_answer, callout_answer,
                                                                 cutthrough_answer};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct slice answer = forms[i](reason);
        if (answer.p)
            return answer;
    }
    return reason;
}

/* Length of the x.y.z that begins s and is a word of its own, or 0. */
static size_t enhanced_length(struct slice s)
{
    size_t n = 2;
    if (s.n < 5 || (*s.p != '2' && *s.p != '4' && *s.p != '5') || s.p[1] != '.')
        return 0;
    for (int part = 0; part < 2; part++) {
        size_t start = n;
        while (n < s.n && n - start < 3 && is_digit(s.p[n]))
            n++;
        if (n == start || (part == 0 && (n == s.n || s.p[n++] != '.')))
            return 0;
    }
    return n == s.n || s.p[n] == ' ' || s.p[n] == '\\' ? n : 0;
}

void reply_codes(struct slice answer, int64_t *smtp_code, struct slice *enhanced_code)
{
    *smtp_code = NUM_ABSENT;
    if (code_here(answer)) {
        *smtp_code = (answer.p[0] - '0') * 100 + (answer.p[1] - '0') * 10 + (answer.p[2] - '0');
        answer = slice_after(answer, answer.n > 3 ? 4 : 3);
    }
    size_t n = enhanced_length(answer);
    *enhanced_code = n ? slice_of(answer.p, n) : SLICE_ABSENT;
}

void exim_codes(struct event *ev)
{
    if (ev->reason.n)
        reply_codes(answer_in(ev->reason), &ev->smtp_code, &ev->enhanced_code);
}
