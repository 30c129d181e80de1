/* attempt.c — see attempt.h.  Exim writes no host on the line of a deferral whose connection failed: its host error does. */
#include "attempt.h"

#include <string.h>
#include <strings.h>

#include "../../parsers/scan.h"

enum {
    JUST_BEFORE = 60, /* seconds from a host error to the line of the attempt */
    AT_ONCE = 2       /* seconds between an automatic answer and the line of its delivery */
};

bool same_address(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

bool attempt_is(const struct rows *attempts, size_t row, const char *kind)
{
    return slice_is(rows_text(attempts, row, "kind"), kind);
}

bool same_delivery(const struct rows *attempts, size_t a, size_t b)
{
    return same_address(rows_text(attempts, a, "original"), rows_text(attempts, b, "original")) &&
           same_address(rows_text(attempts, a, "recipient"), rows_text(attempts, b, "recipient"));
}

bool is_passed_over(const struct rows *attempts, size_t row)
{
    return attempt_is(attempts, row, "deferred") && slice_is(rows_text(attempts, row, "reason_class"), "retry");
}

ptrdiff_t last_attempt(const struct rows *attempts, size_t row)
{
    for (size_t i = row; i-- > 0;)
        if (same_address(rows_text(attempts, i, "original"), rows_text(attempts, row, "original")) &&
            attempt_is(attempts, i, "deferred") && !is_passed_over(attempts, i))
            return (ptrdiff_t)i;
    return -1;
}

bool is_answer(const struct part *part)
{
    const struct part *to = part->parent;
    for (size_t i = 0; part->relation == RELATION_BOUNCE && to && i < to->attempts.count; i++) {
        struct slice recipient = rows_text(&to->attempts, i, "recipient");
        int64_t before = part->at - rows_integer(&to->attempts, i, "at");
        if (recipient.n && *recipient.p == '>' && attempt_is(&to->attempts, i, "delivered") && before >= -AT_ONCE && before <= AT_ONCE)
            return true;
    }
    return false;
}

/* ---- the host ---------------------------------------------------------------------------------- */

static bool contains(struct slice text, struct slice words)
{
    return words.n == 0 || (text.n >= words.n && memmem(text.p, text.n, words.p, words.n));
}

/* Whether a row of the part's events is a host error in the words of the attempt, just before it. */
static bool is_its_error(const struct part *part, size_t event, size_t row)
{
    int64_t before = rows_integer(&part->attempts, row, "at") - rows_integer(&part->events, event, "at");
    return before >= 0 && before <= JUST_BEFORE && slice_is(rows_text(&part->events, event, "kind"), "host_error") &&
           rows_has(&part->events, event, "ip") &&
           contains(rows_text(&part->events, event, "text"), rows_text(&part->attempts, row, "detail"));
}

/* Of the host errors just before an attempt; of several hosts, none is named. */
static struct far_host host_beside(const struct part *part, size_t row)
{
    struct far_host far = {.beside = false};
    for (size_t i = 0; i < part->events.count; i++) {
        if (!is_its_error(part, i, row))
            continue;
        struct far_host other = {rows_text(&part->events, i, "host"), rows_text(&part->events, i, "ip"), true};
        if (far.beside && !slice_equal(far.ip, other.ip))
            return (struct far_host){.beside = true};
        far = other;
    }
    return far;
}

/* Where the connection failed, the line of the attempt has no host. */
static bool may_be_of_network(const struct rows *attempts, size_t row)
{
    struct slice class = rows_text(attempts, row, "reason_class");
    return slice_is(class, "connection") || slice_is(class, "timeout") || slice_is(class, "tls");
}

struct far_host far_host_of(const struct part *part, size_t row)
{
    const struct rows *attempts = &part->attempts;
    if (rows_has(attempts, row, "ip"))
        return (struct far_host){rows_text(attempts, row, "host"), rows_text(attempts, row, "ip"), false};
    return may_be_of_network(attempts, row) ? host_beside(part, row) : (struct far_host){.beside = false};
}

/* ---- whose ------------------------------------------------------------------------------------- */

static enum direction direction_to(struct slice ip)
{
    return slice_is(ip, "127.0.0.1") || slice_is(ip, "::1") ? MEANING_HERE : MEANING_OUT;
}

/* Another attempt by the same router and transport, whose line has a host: its way leads there. */
static enum direction direction_of_way(const struct rows *attempts, size_t row)
{
    for (size_t i = 0; i < attempts->count; i++)
        if (rows_has(attempts, i, "ip") && rows_has(attempts, row, "transport") &&
            slice_equal(rows_text(attempts, i, "router"), rows_text(attempts, row, "router")) &&
            slice_equal(rows_text(attempts, i, "transport"), rows_text(attempts, row, "transport")))
            return direction_to(rows_text(attempts, i, "ip"));
    return MEANING_EITHER;
}

static bool speaks_of_far_server(struct slice words)
{
    return slice_find(words, "from remote mail server") >= 0 || slice_starts(words, "Remote host closed") ||
           slice_starts(words, "SMTP timeout");
}

/* What the system says of a connection: it does not tell to whom, unless to a socket of this machine. */
static bool is_bare_error(struct slice words)
{
    static const char *const errors[] = {"Connection refused", "Connection timed out", "Connection reset", "Operation timed out",
                                         "No route to host", "Network is unreachable", "Network is down", "Network Error",
                                         "Host is unreachable", "Host is down", "Broken pipe"};
    bool found = words.n == 0;
    for (size_t i = 0; i < sizeof errors / sizeof *errors && !found; i++)
        found = slice_starts(words, errors[i]);
    return found && slice_find(words, "socket") < 0;
}

static enum direction direction_of(const struct part *part, size_t row)
{
    const struct rows *attempts = &part->attempts;
    struct slice words = rows_text(attempts, row, "detail");
    struct far_host far = far_host_of(part, row);
    if (far.ip.p)
        return direction_to(far.ip);
    if (far.beside || speaks_of_far_server(words))
        return MEANING_OUT;
    bool told = !may_be_of_network(attempts, row) ||
                (!is_bare_error(words) && !slice_is(rows_text(attempts, row, "reason_class"), "tls"));
    return told ? MEANING_HERE : direction_of_way(attempts, row);
}

static struct slice domain_of(struct slice address)
{
    const char *at = address.p ? memrchr(address.p, '@', address.n) : NULL;
    return at ? slice_after(address, (size_t)(at + 1 - address.p)) : SLICE_ABSENT;
}

/* Whether the message was put into a mailbox of the same domain here. */
static bool is_local_domain(const struct rows *attempts, size_t row)
{
    struct slice domain = domain_of(rows_text(attempts, row, "original"));
    for (size_t i = 0; i < attempts->count && domain.p; i++)
        if ((attempt_is(attempts, i, "delivered") || attempt_is(attempts, i, "additional")) && !rows_has(attempts, i, "ip") &&
            same_address(domain_of(rows_text(attempts, i, "original")), domain))
            return true;
    return false;
}

/* ---- meanings ---------------------------------------------------------------------------------- */

/* As Debian names them, smarthost and remote_smtp_smarthost, and as others do after it. */
static bool is_to_smarthost(const struct rows *attempts, size_t row)
{
    static const char word[] = "smarthost";
    struct slice router = rows_text(attempts, row, "router"), transport = rows_text(attempts, row, "transport");
    return (router.n && memmem(router.p, router.n, word, sizeof word - 1)) ||
           (transport.n && memmem(transport.p, transport.n, word, sizeof word - 1));
}

static struct meaning meaning_of_row(const struct part *part, size_t row)
{
    const struct rows *attempts = &part->attempts;
    const struct refused refused = {rows_text(attempts, row, "reason_class"), rows_text(attempts, row, "detail"),
                                    direction_of(part, row), attempt_is(attempts, row, "deferred"), is_local_domain(attempts, row),
                                    is_to_smarthost(attempts, row)};
    return meaning_of(&refused);
}

struct meaning meaning_of_attempt(const struct part *part, size_t row)
{
    const struct rows *attempts = &part->attempts;
    bool given_up = slice_is(rows_text(attempts, row, "reason_class"), "retry") && attempt_is(attempts, row, "failed");
    ptrdiff_t before = given_up ? last_attempt(attempts, row) : -1;
    struct meaning meaning = meaning_of_row(part, before >= 0 ? (size_t)before : row);
    meaning.after_retries = before >= 0;
    if (given_up && strcmp(meaning.side, "nobody") == 0)
        meaning.side = "unclear"; /* what mends itself has not */
    return meaning;
}

struct meaning meaning_of_refusal(const struct rows *refusals, size_t row)
{
    const char *words = rows_has(refusals, row, "detail") ? "detail" : "reason";
    const struct refused refused = {rows_text(refusals, row, "reason_class"), rows_text(refusals, row, words), MEANING_IN,
                                    rows_integer(refusals, row, "temporary") != 0, false, false};
    return meaning_of(&refused);
}
