/* tell_entry.c — see tell_entry.h. */
#include "tell_entry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "array.h"
#include "attempt.h"
#include "layout.h"
#include "pieces.h"
#include "tell_attempt.h"
#include "tell_session.h"

enum { RECIPIENTS_SHOWN = 5 };

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
        put_text(out, address);
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
    } else if (is_answer(part)) {
        verb = "answered";
        fprintf(out, "automatically as %s", part->exim_id);
        put_quoted(out, ", subject ", rows_text(m, 0, "subject"));
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
    body_put(tell, &body, rows_text(m, 0, "time"), COLOUR_PLAIN, verb);
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
    body_put(tell, &body, rows_text(m, 0, "completed_time"), COLOUR_PLAIN, "completed");
}

/* ---- the rest ---------------------------------------------------------------------------------- */

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
    body_put(tell, &body, rows_text(scans, row, "time"), spam ? COLOUR_BAD : COLOUR_GOOD, spam ? "spam:" : "no spam:");
}

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
    put_text(out, rows_text(events, entry->row, "text"));
    put_host(out, ", ", events, entry->row, false);
    if (entry->count > 1)
        fprintf(out, ", %" PRId64 " times", entry->count);
    put_with(out, entry->count > 1 ? ", last " : NULL, entry->count > 1 ? rows_text(events, entry->last, "time")
                                                                       : SLICE_ABSENT, "");
    body_put(tell, &body, rows_text(events, entry->row, "time"), COLOUR_FAINT, verb);
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
    body_put(tell, &body, rows_text(&part->refusals, row, "time"), later ? COLOUR_OPEN : COLOUR_BAD,
             later ? "refused for now" : "refused");
}

void tell_entry(const struct tell *tell, const struct entry *entry)
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
        tell_attempt(tell, entry);
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
