/* tell_attempt.c — see tell_attempt.h. */
#include "tell_attempt.h"

#include <inttypes.h>
#include <string.h>

#include "attempt.h"
#include "layout.h"
#include "pieces.h"

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
    } verbs[] = {{"delivered", "delivered", COLOUR_GOOD}, {"additional", "delivered", COLOUR_GOOD},
                 {"cutthrough", "delivered", COLOUR_GOOD}, {"failed", "failed", COLOUR_BAD},
                 {"suppressed", "suppressed", COLOUR_OPEN}, {"discarded", "discarded", COLOUR_OPEN},
                 {"handoff", "handed over", COLOUR_PLAIN}, {"deferred", "put off", COLOUR_OPEN}};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (slice_is(kind, verbs[i].kind)) {
            *colour = verbs[i].colour;
            return verbs[i].verb;
        }
    *colour = COLOUR_PLAIN;
    return "tried";
}

void tell_attempt(const struct tell *tell, const struct entry *entry)
{
    const struct part *part = entry->part;
    size_t row = entry->row;
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

/* ---- deferrals --------------------------------------------------------------------------------- */

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
        fprintf(out, " and %" PRId64 " time%s not tried yet", all - entry->count, all - entry->count == 1 ? "" : "s");
    put_with(out, ", last ", rows_text(attempts, entry->last, "time"), ":");
}

void tell_deferrals(const struct tell *tell, const struct entry *entry)
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
    body_put(tell, &body, rows_text(attempts, entry->row, "time"), COLOUR_OPEN, "put off");
}

/* ---- others ------------------------------------------------------------------------------------ */

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

void tell_others(const struct tell *tell, const struct entry *entry)
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
