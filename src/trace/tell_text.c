/* tell_text.c — a verdict, then the story in order of time; all log text passes the escaper on its way into an entry. */
#include <inttypes.h>
#include <stdlib.h>

#include "../../parsers/header.h"
#include "../base/memory.h"
#include "../base/text.h"
#include "../report/units.h"
#include "array.h"
#include "attempt.h"
#include "key.h"
#include "outcome.h"
#include "tell.h"
#include "timeline.h"

enum {
    INDENT = 23, /* two blanks, a time and two blanks */
    RECIPIENTS_SHOWN = 5
};

enum colour { PLAIN, GOOD, BAD, OPEN, FAINT, STRONG };

static const char *colour_code(const struct tell *tell, enum colour colour)
{
    static const char *const codes[] = {"", "\033[32m", "\033[31m", "\033[33m", "\033[2m", "\033[1m"};
    return tell->colour ? codes[colour] : "";
}

static void put_coloured(const struct tell *tell, enum colour colour, const char *text)
{
    fprintf(tell->out, "%s%s%s", colour_code(tell, colour), text, tell->colour && colour ? "\033[0m" : "");
}

/* ---- lines ------------------------------------------------------------------------------------- */

/* Where a line of at most room places ends: behind its last blank, or in the middle of a word that is longer. */
static size_t break_at(struct slice line, size_t room)
{
    size_t end = 0, places = 0, blank = 0;
    while (end < line.n) {
        places += ((unsigned char)line.p[end] & 0xc0) != 0x80;
        if (places > room)
            return blank ? blank : end;
        if (line.p[end] == ' ' && end)
            blank = end + 1;
        end++;
    }
    return line.n;
}

/* Writes what is to stand behind column INDENT, used places of its first line being taken. */
static void put_body(const struct tell *tell, struct slice body, size_t used)
{
    size_t width = tell->width > INDENT + 20 ? (size_t)tell->width - INDENT : 0;
    while (body.n) {
        const char *newline = memchr(body.p, '\n', body.n);
        struct slice line = slice_of(body.p, newline ? (size_t)(newline - body.p) : body.n);
        size_t cut = width ? break_at(line, width > used ? width - used : 1) : line.n;
        fwrite(line.p, 1, cut, tell->out);
        body = slice_after(body, cut < line.n ? cut : line.n + (newline != NULL));
        used = 0;
        fprintf(tell->out, body.n ? "\n%*s" : "\n", body.n ? INDENT : 0, "");
    }
}

/* An entry's body, written into memory first because lines are broken when it is whole. */
struct body {
    char *text;
    size_t n;
    FILE *out;
};

static FILE *body_open(struct body *body)
{
    *body = (struct body){0};
    body->out = open_memstream(&body->text, &body->n);
    if (!body->out)
        exit(EXIT_MEMORY);
    return body->out;
}

static void body_put(const struct tell *tell, struct body *body, struct slice time, enum colour colour, const char *verb)
{
    fclose(body->out);
    fputs("  ", tell->out);
    fputs(colour_code(tell, FAINT), tell->out);
    text_write(tell->out, time, TEXT_TERMINAL);
    fprintf(tell->out, "%s%*s", tell->colour ? "\033[0m" : "", time.n < 21 ? 21 - (int)time.n : 2, "");
    put_coloured(tell, colour, verb);
    fputc(' ', tell->out);
    put_body(tell, slice_of(body->text, body->n), strlen(verb) + 1);
    if (!body->n)
        fputc('\n', tell->out);
    free(body->text);
}

/* ---- pieces ------------------------------------------------------------------------------------ */

static void put(FILE *out, struct slice text)
{
    text_write(out, text, TEXT_TERMINAL);
}

/* before, the text and after; nothing where the text is absent. */
static void put_with(FILE *out, const char *before, struct slice text, const char *after)
{
    if (!text.p)
        return;
    fputs(before, out);
    put(out, text);
    fputs(after, out);
}

/* What stands in Exim's log for a byte between quotes; NULL: itself. */
static const char *escaped(char c)
{
    return c == '\n' ? "\\n" : c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;
}

/* before, and the text as Exim's log has it between quotes; nothing where it is absent. */
static void put_quoted(FILE *out, const char *before, struct slice text)
{
    if (!text.p)
        return;
    fprintf(out, "%s\"", before);
    for (size_t from = 0, i = 0; i < text.n; from = ++i) {
        while (i < text.n && !escaped(text.p[i]))
            i++;
        put(out, slice_of(text.p + from, i - from));
        fputs(i < text.n ? escaped(text.p[i]) : "", out);
    }
    fputc('"', out);
}

/* Length of the "<user>" that begins s, which stands for what was taken out of a reason; 0: none does. */
static size_t gap_length(struct slice s)
{
    size_t n = 1;
    while (n < s.n && s.p[n] >= 'a' && s.p[n] <= 'z')
        n++;
    return s.p[0] == '<' && n > 1 && n < s.n && s.p[n] == '>' ? n + 1 : 0;
}

/* A reason without what varies, which is no text of the log: "..." for what was taken out. */
static void put_pattern(FILE *out, struct slice reason)
{
    size_t from = 0;
    for (size_t i = 0; i < reason.n; i++) {
        size_t gap = gap_length(slice_after(reason, i));
        if (!gap)
            continue;
        put(out, slice_of(reason.p + from, i - from));
        fputs("...", out);
        from = i + gap;
    }
    put(out, slice_after(reason, from));
}

static void put_address(FILE *out, struct slice address)
{
    if (address.p && address.n == 0)
        fputs("<>", out);
    else
        put(out, address);
}

static void put_host_name(FILE *out, const char *before, struct slice host, struct slice ip)
{
    fputs(before, out);
    if (host.p && !slice_equal(host, ip))
        put(out, host);
    else
        fputs("a host without a name", out);
}

/* "host [ip]", as far as known. */
static void put_host_of(FILE *out, const char *before, struct slice host, struct slice ip)
{
    if (host.p || ip.p)
        put_host_name(out, before, host, ip);
    put_with(out, " [", ip, "]");
}

/* "host (HELO) [ip]", as far as known. */
static void put_host(FILE *out, const char *before, const struct rows *rows, size_t row, bool helo)
{
    struct slice host = rows_text(rows, row, "host"), ip = rows_text(rows, row, "ip");
    if (!host.p && !ip.p)
        return;
    put_host_name(out, before, host, ip);
    if (helo)
        put_with(out, " (", rows_text(rows, row, "helo"), ")");
    put_with(out, " [", ip, "]");
}

static void put_duration(FILE *out, int64_t seconds)
{
    char text[UNIT_ROOM];
    duration_text(text, seconds);
    fputs(text, out);
}

static void put_meaning(FILE *out, struct meaning meaning)
{
    static const struct {
        const char *side, *words;
    } sides[] = {{"sender", "the sender's side has to mend it"}, {"recipient", "the recipient's side has to mend it"},
                 {"ours", "ours to mend"}, {"nobody", "nobody has to mend anything"}};
    fprintf(out, "\n= %s%s", meaning.after_retries ? "given up after retries: " : "", meaning.words);
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        if (strcmp(meaning.side, sides[i].side) == 0)
            fprintf(out, "; %s", sides[i].words);
}

static void put_whose(FILE *out, const struct part *part)
{
    if (part->relation == RELATION_COPY)
        fputs("(the copy) ", out);
    else if (part->relation == RELATION_BOUNCE)
        fputs("(the report) ", out);
}

static void put_ambiguous(FILE *out, const struct rows *rows, size_t row)
{
    if (rows_integer(rows, row, "ambiguous"))
        fputs("\n(ambiguous: where in the line an address, a host or the words begin and end can be read in more than one way)", out);
}

/* ---- arrival and end --------------------------------------------------------------------------- */

/* For whom it was: as many recipients as one may want to read. */
static void put_envelope(FILE *out, const struct rows *m)
{
    struct slice list = rows_text(m, 0, "recipient_list");
    int64_t count = rows_integer(m, 0, "recipients"), shown = 0;
    if (!list.p)
        return;
    char *room = xmalloc(list.n + 1);
    for (struct slice address; shown < RECIPIENTS_SHOWN && (address = array_next(&list, room)).p; shown++) {
        fputs(shown ? ", " : "\nfor ", out);
        put(out, address);
    }
    if (count > shown)
        fprintf(out, " and %" PRId64 " more", count - shown);
    free(room);
}

static void put_content(FILE *out, const struct rows *m)
{
    fputs("\n", out);
    if (rows_has(m, 0, "size"))
        fprintf(out, "%" PRId64 " octets", rows_integer(m, 0, "size"));
    put_quoted(out, ", subject ", rows_text(m, 0, "subject"));
    put_envelope(out, m);
    put_with(out, "\nMessage-ID ", rows_text(m, 0, "message_id"), "");
}

static void put_way_in(FILE *out, const struct rows *m)
{
    put_host(out, "\nby ", m, 0, true);
    put_with(out, rows_has(m, 0, "ip") ? ", user " : "\nby the local user ", rows_text(m, 0, "local_user"), "");
    put_with(out, ", ", rows_text(m, 0, "protocol"), "");
    put_with(out, ", ", rows_text(m, 0, "tls"), "");
    put_with(out, ", logged in as ", rows_text(m, 0, "auth_id"), "");
    put_with(out, " (", rows_text(m, 0, "auth"), ")");
}

static void tell_arrival(const struct tell *tell, const struct part *part)
{
    const struct rows *m = &part->message;
    struct body body;
    FILE *out = body_open(&body);
    const char *verb = "received";
    if (!rows_has(m, 0, "received")) {
        verb = "first seen";
        fputs("of it; its arrival is not in the logs", out);
    } else if (part->relation == RELATION_COPY) {
        verb = "given back";
        fprintf(out, "by the scanner as %s, joined by Message-ID, sender and time", part->exim_id);
    } else if (part->relation == RELATION_BOUNCE) {
        verb = "reported";
        fprintf(out, "to the sender as %s", part->exim_id);
        put_quoted(out, ", subject ", rows_text(m, 0, "subject"));
    } else {
        fputs("from ", out);
        put_address(out, rows_text(m, 0, "sender"));
        put_way_in(out, m);
        put_content(out, m);
    }
    if (rows_integer(m, 0, "ambiguous"))
        fputs("\n(ambiguous: there are several arrivals under this id, or the fields of the line can be read in more than one way)", out);
    body_put(tell, &body, rows_text(m, 0, "time"), PLAIN, verb);
}

static void tell_end(const struct tell *tell, const struct part *part)
{
    const struct rows *m = &part->message;
    struct body body;
    FILE *out = body_open(&body);
    put_whose(out, part);
    if (rows_has(m, 0, "queue_seconds")) {
        fputs("after ", out);
        put_duration(out, rows_integer(m, 0, "queue_seconds"));
        fputs(" on the queue", out);
    }
    body_put(tell, &body, rows_text(m, 0, "completed_time"), PLAIN, "completed");
}

/* ---- scans ------------------------------------------------------------------------------------- */

static void tell_scan(const struct tell *tell, const struct part *part, size_t row)
{
    const struct rows *scans = &part->scans;
    bool spam = rows_integer(scans, row, "is_spam") != 0;
    struct body body;
    FILE *out = body_open(&body);
    fprintf(out, "score %.1f, spam from %.1f on", rows_value(scans, row, "score")->real,
            rows_value(scans, row, "threshold")->real);
    put_with(out, ", user ", rows_text(scans, row, "user"), "");
    put_with(out, "\n", rows_text(scans, row, "rules"), "");
    if (part->namesakes)
        fprintf(out, "\n(joined by Message-ID and time; ambiguous: %" PRId64 " more message%s had it then)",
                part->namesakes, part->namesakes == 1 ? "" : "s");
    body_put(tell, &body, rows_text(scans, row, "time"), spam ? BAD : GOOD, spam ? "spam:" : "no spam:");
}

/* ---- attempts ---------------------------------------------------------------------------------- */

static void put_route(FILE *out, struct slice router, struct slice transport)
{
    bool same = router.p && transport.p && slice_equal(router, transport);
    put_with(out, same ? "\nvia router and transport " : "\nvia router ", router, "");
    if (!same)
        put_with(out, router.p ? ", transport " : "\nvia transport ", transport, "");
}

static void put_way_out(FILE *out, const struct part *part, size_t row)
{
    const struct rows *attempts = &part->attempts;
    struct slice router = rows_text(attempts, row, "router"), transport = rows_text(attempts, row, "transport");
    struct far_host far = far_host_of(part, row);
    put_route(out, router, transport);
    put_host_of(out, router.p || transport.p ? ", to " : "\nto ", far.host, far.ip);
    if (far.ip.p && far.beside)
        fputs(", as the host error says", out);
    put_with(out, ", ", rows_text(attempts, row, "tls"), "");
    if (rows_has(attempts, row, "delivery_seconds"))
        fprintf(out, ", in %.1f s", rows_value(attempts, row, "delivery_seconds")->real);
}

static void put_recipient(FILE *out, const struct part *part, size_t row)
{
    struct slice original = rows_text(&part->attempts, row, "original"),
                 recipient = rows_text(&part->attempts, row, "recipient");
    put_whose(out, part);
    put_address(out, original);
    if (recipient.p && !slice_equal(original, recipient))
        put_with(out, " -> ", recipient, "");
}

static const char *verb_of(struct slice kind, enum colour *colour)
{
    static const struct {
        const char *kind, *verb;
        enum colour colour;
    } verbs[] = {{"delivered", "delivered", GOOD}, {"additional", "delivered", GOOD}, {"cutthrough", "delivered", GOOD},
                 {"failed", "failed", BAD}, {"suppressed", "suppressed", OPEN}, {"discarded", "discarded", OPEN},
                 {"handoff", "handed over", PLAIN}, {"deferred", "put off", OPEN}};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (slice_is(kind, verbs[i].kind)) {
            *colour = verbs[i].colour;
            return verbs[i].verb;
        }
    *colour = PLAIN;
    return "tried";
}

static void tell_attempt(const struct tell *tell, const struct part *part, size_t row)
{
    const struct rows *attempts = &part->attempts;
    struct slice kind = rows_text(attempts, row, "kind");
    enum colour colour;
    const char *verb = verb_of(kind, &colour);
    struct body body;
    FILE *out = body_open(&body);
    put_recipient(out, part, row);
    if (slice_is(kind, "cutthrough"))
        fputs(", while it was received", out);
    if (slice_is(kind, "handoff"))
        fputs(", to a scanner", out);
    put_way_out(out, part, row);
    put_with(out, "\n\"", rows_text(attempts, row, "response"), "\"");
    put_with(out, "\n\"", rows_text(attempts, row, "detail"), "\"");
    if (slice_is(kind, "failed"))
        put_meaning(out, meaning_of_attempt(part, row));
    put_ambiguous(out, attempts, row);
    body_put(tell, &body, rows_text(attempts, row, "time"), colour, verb);
}

/* How many deferrals of the delivery there are in all. */
static int64_t count_deferrals(const struct rows *attempts, size_t row)
{
    int64_t count = 0;
    for (size_t i = 0; i < attempts->count; i++)
        count += slice_is(rows_text(attempts, i, "kind"), "deferred") && same_delivery(attempts, i, row);
    return count;
}

static void put_deferral_count(FILE *out, const struct entry *entry)
{
    const struct rows *attempts = &entry->part->attempts;
    int64_t all = count_deferrals(attempts, entry->row);
    if (all == 1)
        return;
    fprintf(out, ", %" PRId64 " attempt%s over ", entry->count, entry->count == 1 ? "" : "s");
    put_duration(out, rows_integer(attempts, entry->last, "at") - entry->at);
    if (all > entry->count)
        fprintf(out, " and %" PRId64 " times not tried yet", all - entry->count);
    put_with(out, ", last ", rows_text(attempts, entry->last, "time"), ":");
}

static void tell_deferrals(const struct tell *tell, const struct entry *entry)
{
    const struct rows *attempts = &entry->part->attempts;
    struct body body;
    FILE *out = body_open(&body);
    put_recipient(out, entry->part, entry->row);
    put_deferral_count(out, entry);
    put_way_out(out, entry->part, entry->last);
    put_with(out, "\n\"", rows_text(attempts, entry->last, "detail"), "\"");
    put_meaning(out, meaning_of_attempt(entry->part, entry->last));
    put_ambiguous(out, attempts, entry->last);
    body_put(tell, &body, rows_text(attempts, entry->row, "time"), OPEN, "put off");
}

/* Of the others that ended alike: how, and until when. */
static void put_end_of_others(FILE *out, const struct entry *entry, const char *verb)
{
    const struct rows *attempts = &entry->part->attempts;
    struct slice kind = rows_text(attempts, entry->last, "kind");
    struct slice from = rows_text(attempts, entry->row, "time"), to = rows_text(attempts, entry->last, "time");
    bool same_day = from.n > 11 && to.n > 11 && memcmp(from.p, to.p, 11) == 0;
    fputs(verb, out);
    if (slice_is(kind, "failed") || slice_is(kind, "deferred"))
        fprintf(out, ": %s", meaning_of_attempt(entry->part, entry->last).name);
    put_with(out, ", ", same_day ? slice_after(from, 11) : from, "");
    if (!slice_equal(from, to))
        put_with(out, " to ", same_day ? slice_after(to, 11) : to, "");
}

static void tell_others(const struct tell *tell, const struct entry *entry)
{
    const struct rows *attempts = &entry->part->attempts;
    enum colour colour;
    const char *verb = verb_of(rows_text(attempts, entry->last, "kind"), &colour);
    char count[40];
    struct body body;
    FILE *out = body_open(&body);
    snprintf(count, sizeof count, "%" PRId64 " %s:", entry->count, entry->beside ? "others" : "addresses");
    put_whose(out, entry->part);
    put_end_of_others(out, entry, verb);
    body_put(tell, &body, rows_text(attempts, entry->row, "time"), colour, count);
}

/* ---- the rest ---------------------------------------------------------------------------------- */

static void tell_event(const struct tell *tell, const struct entry *entry)
{
    const struct rows *events = &entry->part->events;
    char verb[40];
    struct slice kind = rows_text(events, entry->row, "kind");
    struct body body;
    FILE *out = body_open(&body);
    size_t n = kind.n < sizeof verb - 2 ? kind.n : sizeof verb - 2;
    for (size_t i = 0; i < n; i++)
        verb[i] = kind.p[i] == '_' ? ' ' : kind.p[i];
    memcpy(verb + n, ":", 2);
    put_whose(out, entry->part);
    put(out, rows_text(events, entry->row, "text"));
    put_host(out, ", ", events, entry->row, false);
    if (entry->count > 1)
        fprintf(out, ", %" PRId64 " times", entry->count);
    put_with(out, entry->count > 1 ? ", last " : NULL, entry->count > 1 ? rows_text(events, entry->last, "time")
                                                                       : SLICE_ABSENT, "");
    body_put(tell, &body, rows_text(events, entry->row, "time"), FAINT, verb);
}

static void put_refusal(FILE *out, const struct rows *refusals, size_t row)
{
    struct slice sender = rows_text(refusals, row, "sender"), recipient = rows_text(refusals, row, "recipient");
    fputs("at ", out);
    put(out, rows_text(refusals, row, "stage"));
    if (sender.p) {
        fputs(", from ", out);
        put_address(out, sender);
    }
    put_with(out, ", to ", recipient, "");
    put_host(out, "\nby ", refusals, row, true);
    put_with(out, "\n\"", rows_text(refusals, row, "detail"), "\"");
    if (!rows_has(refusals, row, "detail") && rows_has(refusals, row, "reason")) {
        fputs("\nin words like: ", out);
        put_pattern(out, rows_text(refusals, row, "reason"));
    }
    put_meaning(out, meaning_of_refusal(refusals, row));
}

/* A recipient refused behind the data (PRDR), on a line that has the words of the ACL and no more. */
static void put_doubt_of_refusal(FILE *out, const struct part *part, size_t row)
{
    bool words_alone = rows_has(&part->refusals, row, "recipient") && !rows_has(&part->refusals, row, "ip");
    if (!words_alone)
        put_ambiguous(out, &part->refusals, row);
    else if (rows_integer(&part->refusals, row, "ambiguous"))
        fputs("\n(ambiguous: the line has the words, but not whether they refuse the recipient, and whether for good)", out);
}

static void tell_refusal(const struct tell *tell, const struct part *part, size_t row)
{
    bool later = rows_integer(&part->refusals, row, "temporary") != 0;
    struct body body;
    FILE *out = body_open(&body);
    put_whose(out, part);
    put_refusal(out, &part->refusals, row);
    put_doubt_of_refusal(out, part, row);
    body_put(tell, &body, rows_text(&part->refusals, row, "time"), later ? OPEN : BAD, later ? "refused for now" : "refused");
}

/* ", 2 in it, 1 fetched (1234 octets), 1 deleted", as far as logged. */
static void put_counts(FILE *out, const struct rows *s, size_t row)
{
    if (rows_has(s, row, "messages"))
        fprintf(out, ", %" PRId64 " in it", rows_integer(s, row, "messages"));
    if (rows_has(s, row, "taken"))
        fprintf(out, ", %" PRId64 " fetched", rows_integer(s, row, "taken"));
    if (rows_integer(s, row, "taken") && rows_has(s, row, "bytes"))
        fprintf(out, " (%" PRId64 " octets)", rows_integer(s, row, "bytes"));
    if (rows_has(s, row, "deleted"))
        fprintf(out, ", %" PRId64 " deleted", rows_integer(s, row, "deleted"));
}

/* How sure it is that the session is of the mailbox, where it is not by the address. */
static void put_join(FILE *out, const struct rows *s, size_t row)
{
    struct slice by = rows_text(s, row, "joined_by"), user = rows_text(s, row, "user"), mailbox = rows_text(s, row, "mailbox");
    int64_t namesakes = rows_integer(s, row, "namesakes");
    bool by_name = slice_is(by, "name");
    if (slice_is(by, "address"))
        return;
    if (slice_is(by, "path")) {
        fputs("\n(inferred: the mailbox is read from a path)", out);
        return;
    }
    const char *at = by_name && mailbox.n ? memchr(mailbox.p, '@', mailbox.n) : NULL;
    struct slice said = !by_name ? user : at ? slice_of(mailbox.p, (size_t)(at - mailbox.p)) : mailbox;
    fprintf(out, "\n(%s: the %s says ", namesakes > 1 ? "ambiguous" : "inferred", by_name ? "delivery" : "session");
    put(out, said);
    if (namesakes > 1)
        fprintf(out, ", and %" PRId64 " domains have a mailbox of that name)", namesakes);
    else
        fputs(by_name && at ? ", and only this domain was seen to have a mailbox of that name)" : ", which may be of another domain)", out);
}

/* of_report: the mailbox is that of whom a bounce or warning went to. */
static void tell_session(const struct tell *tell, const struct rows *s, size_t row, bool of_report)
{
    struct slice mailbox = rows_text(s, row, "mailbox");
    struct body body;
    FILE *out = body_open(&body);
    fputs(of_report ? "(the report) " : "", out);
    put(out, mailbox.p ? mailbox : rows_text(s, row, "user"));
    put_with(out, " by ", rows_text(s, row, "service"), "");
    put_host(out, " from ", s, row, false);
    put_counts(out, s, row);
    put_with(out, ", ended: ", rows_text(s, row, "outcome"), "");
    if (rows_integer(s, row, "more"))
        fputs("; and again within the week", out);
    if (mailbox.p)
        put_join(out, s, row);
    body_put(tell, &body, rows_text(s, row, "time"), PLAIN, "opened");
}

static void tell_entry(const struct tell *tell, const struct entry *entry)
{
    switch (entry->kind) {
    case ENTRY_REFUSAL:
        tell_refusal(tell, entry->part, entry->row);
        break;
    case ENTRY_ARRIVAL:
        tell_arrival(tell, entry->part);
        break;
    case ENTRY_SCAN:
        tell_scan(tell, entry->part, entry->row);
        break;
    case ENTRY_ATTEMPT:
        tell_attempt(tell, entry->part, entry->row);
        break;
    case ENTRY_DEFERRALS:
        tell_deferrals(tell, entry);
        break;
    case ENTRY_OTHERS:
        tell_others(tell, entry);
        break;
    case ENTRY_EVENT:
        tell_event(tell, entry);
        break;
    case ENTRY_END:
        tell_end(tell, entry->part);
        break;
    case ENTRY_SESSION:
        tell_session(tell, &entry->part->sessions, entry->row, entry->part->relation == RELATION_BOUNCE);
    }
}

/* ---- original lines ---------------------------------------------------------------------------- */

static void put_lines(const struct tell *tell, const struct originals *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        const struct original *line = &lines->list[i];
        fputs("  ", tell->out);
        fputs(colour_code(tell, FAINT), tell->out);
        put(tell->out, line->path);
        fprintf(tell->out, ":%" PRId64 ":%s ", line->line, tell->colour ? "\033[0m" : "");
        put(tell->out, line->text);
        fputc('\n', tell->out);
    }
}

static void add_lines(struct originals *lines, const struct part *part)
{
    originals_add(lines, &part->lines);
    for (const struct part *child = part->first; child; child = child->next)
        add_lines(lines, child);
}

/* Of the message and all that came of it. */
static void put_lines_of(const struct tell *tell, const struct part *root)
{
    struct originals lines = {0};
    add_lines(&lines, root);
    put_lines(tell, &lines);
    if (lines.count == 0)
        fputs("  (its lines are not kept)\n", tell->out);
    originals_free(&lines);
}

/* ---- stories ----------------------------------------------------------------------------------- */

static void tell_story(const struct tell *tell, const struct part *root)
{
    struct recipients recipients;
    struct timeline timeline;
    struct body body;
    recipients_read(root, &recipients);
    timeline_read(root, &timeline);
    if (!tell->refusal_lines)
        timeline_fold(&timeline, tell->keys, tell->key_count);
    verdict_write(body_open(&body), root, &recipients);
    fclose(body.out);
    int mood = verdict_mood(root, &recipients);
    put_coloured(tell, STRONG, root->exim_id);
    fputs(" on ", tell->out);
    put(tell->out, rows_text(&root->message, 0, "server"));
    fputs(": ", tell->out);
    put_coloured(tell, mood > 0 ? GOOD : mood < 0 ? BAD : OPEN, body.text);
    fputc('\n', tell->out);
    for (size_t i = 0; i < timeline.count; i++)
        tell_entry(tell, &timeline.list[i]);
    if (tell->refusal_lines)
        put_lines_of(tell, root);
    free(body.text);
    timeline_free(&timeline);
    recipients_free(&recipients);
}

static struct slice next_header(struct slice *headers)
{
    const char *end = memchr(headers->p, '\n', headers->n);
    struct slice header = slice_of(headers->p, end ? (size_t)(end - headers->p) : headers->n);
    *headers = slice_after(*headers, end ? header.n + 1 : header.n);
    return header;
}

/* The recipients that the headers tell, each of which may have several, and the subject. */
static void put_headers(FILE *out, const struct rows *rows, size_t row)
{
    struct slice headers = rows_text(rows, row, "headers"), text, address;
    const char *before = "\nfor ";
    for (struct slice rest = headers; rest.n;)
        if (header_is(next_header(&rest), "envelope-to", &text))
            for (; (address = header_address(&text)).p; before = ", ")
                put_with(out, before, address, "");
    while (headers.n)
        if (header_is(next_header(&headers), "subject", &text))
            put_with(out, "\nsubject:", text, "");
}

static void tell_refused(const struct tell *tell, size_t row)
{
    const struct rows *rows = tell->refusals;
    bool login = slice_is(rows_text(rows, row, "what"), "login failed"), later = rows_integer(rows, row, "temporary") != 0;
    struct body body;
    FILE *out = body_open(&body);
    if (login) {
        put_with(out, "as ", rows_text(rows, row, "user"), "");
        put_with(out, " by ", rows_text(rows, row, "service"), ", ");
    }
    put_refusal(out, rows, row);
    put_ambiguous(out, rows, row);
    put_headers(out, rows, row);
    body_put(tell, &body, rows_text(rows, row, "time"), later ? OPEN : BAD,
             login ? "login failed" : later ? "refused for now" : "refused");
}

static void tell_note(const struct tell *tell, size_t row)
{
    const struct rows *rows = tell->refusals;
    struct body body;
    FILE *out = body_open(&body);
    put_with(out, "to ", rows_text(rows, row, "recipient"), "");
    put_host(out, "\nby ", rows, row, true);
    put_with(out, "\n\"", rows_text(rows, row, "detail"), "\"");
    put_ambiguous(out, rows, row);
    body_put(tell, &body, rows_text(rows, row, "time"), PLAIN, "noted");
}

static bool is_note(const struct rows *rows, size_t row)
{
    return slice_is(rows_text(rows, row, "what"), "noted");
}

/* The rows that are notes, or are not, under a headline. */
static void tell_some(const struct tell *tell, bool notes, const char *headline)
{
    size_t told = 0;
    for (size_t i = 0; i < tell->refusals->count; i++) {
        if (is_note(tell->refusals, i) != notes)
            continue;
        if (told++ == 0) {
            put_coloured(tell, STRONG, headline);
            fputc('\n', tell->out);
        }
        if (notes)
            tell_note(tell, i);
        else
            tell_refused(tell, i);
    }
}

static void tell_refusals(const struct tell *tell)
{
    tell_some(tell, false, "never became a message");
    tell_some(tell, true, "logged of a recipient alone");
}

/* options: "--until shows" */
static void put_more(const struct tell *tell, size_t found, size_t shown, const char *what, const char *options)
{
    size_t more = found > shown ? found - shown : 0;
    if (more)
        fprintf(tell->out, "... and %zu earlier %s%s; %s %s\n", more, what, more == 1 ? "" : "s", options, more == 1 ? "it" : "them");
}

static void tell_logins(const struct tell *tell, bool first)
{
    if (tell->logins->count == 0)
        return;
    fputs(first ? "" : "\n", tell->out);
    put_coloured(tell, STRONG, "logged in to a mailbox");
    fputc('\n', tell->out);
    put_more(tell, tell->logins_found, tell->logins->count, "login", "--until shows");
    for (size_t i = 0; i < tell->logins->count; i++)
        tell_session(tell, tell->logins, i, false);
}

/* With the keys as they were understood. */
static void tell_nothing(const struct tell *tell)
{
    fputs("nothing found", tell->out);
    for (int i = 0; i < tell->key_count; i++) {
        struct key key = key_of(tell->keys[i]);
        put_with(tell->out, i ? " and '" : " for '", key.words.p ? slice_of(tell->keys[i], strlen(tell->keys[i])) : key.text, "'");
    }
    fputc('\n', tell->out);
}

void tell_text(const struct tell *tell)
{
    const struct stories *stories = tell->stories;
    put_more(tell, stories->found, stories->root_count, "message", "--limit or --until show");
    for (size_t i = 0; i < stories->root_count; i++) {
        fputs(i ? "\n" : "", tell->out);
        tell_story(tell, stories->roots[i]);
    }
    if (tell->refusals->count) {
        fputs(stories->root_count ? "\n" : "", tell->out);
        put_more(tell, tell->refusals_found, tell->refusals->count, "refusal", "--limit or --until show");
        tell_refusals(tell);
        if (tell->refusal_lines)
            put_lines(tell, tell->refusal_lines);
    }
    tell_logins(tell, !stories->root_count && !tell->refusals->count);
    if (!stories->root_count && !tell->refusals->count && !tell->logins->count)
        tell_nothing(tell);
}
