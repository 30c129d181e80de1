/* outcome.c — see outcome.h. */
#include "outcome.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool same_address(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

static bool row_is(const struct rows *attempts, size_t row, const char *kind)
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
    return row_is(attempts, row, "deferred") && slice_is(rows_text(attempts, row, "reason_class"), "retry");
}

/* The last attempt that was made before a row, for the same original; -1: none. */
static ptrdiff_t last_attempt(const struct rows *attempts, size_t row)
{
    for (size_t i = row; i-- > 0;)
        if (same_address(rows_text(attempts, i, "original"), rows_text(attempts, row, "original")) &&
            row_is(attempts, i, "deferred") && !is_passed_over(attempts, i))
            return (ptrdiff_t)i;
    return -1;
}

static struct meaning meaning_of_row(const struct rows *attempts, size_t row)
{
    return meaning_of(rows_text(attempts, row, "reason_class"), rows_text(attempts, row, "detail"),
                      rows_has(attempts, row, "ip") ? MEANING_OUT : MEANING_HERE);
}

struct meaning meaning_of_attempt(const struct rows *attempts, size_t row)
{
    bool given_up = slice_is(rows_text(attempts, row, "reason_class"), "retry") && row_is(attempts, row, "failed");
    ptrdiff_t before = given_up ? last_attempt(attempts, row) : -1;
    struct meaning meaning = meaning_of_row(attempts, before >= 0 ? (size_t)before : row);
    meaning.after_retries = before >= 0;
    return meaning;
}

/* ---- one recipient ----------------------------------------------------------------------------- */

/* What the attempts for one original address came to. */
struct tally {
    int count[OUTCOMES];
    const char *why[OUTCOMES];
    bool after_retries;
};

static struct tally tally_of(const struct part *part, struct slice original);

static void add(struct tally *tally, enum outcome outcome, const char *why)
{
    tally->count[outcome]++;
    if (why)
        tally->why[outcome] = why;
}

static void add_failure(struct tally *tally, enum outcome outcome, const struct rows *attempts, size_t row)
{
    struct meaning meaning = meaning_of_attempt(attempts, row);
    ptrdiff_t before = is_passed_over(attempts, row) ? last_attempt(attempts, row) : -1;
    if (before >= 0)
        meaning = meaning_of_row(attempts, (size_t)before);
    tally->after_retries = tally->after_retries || meaning.after_retries;
    add(tally, outcome, meaning.name);
}

/* A handed-over recipient is what the scanner's copies say of it. */
static void add_copies(struct tally *tally, const struct part *part, struct slice original)
{
    bool found = false;
    for (const struct part *copy = part->first; copy; copy = copy->next) {
        if (copy->relation != RELATION_COPY)
            continue;
        struct tally inner = tally_of(copy, original);
        for (int i = 0; i < OUTCOMES; i++)
            if (inner.count[i]) {
                found = true;
                add(tally, (enum outcome)i, inner.why[i]);
            }
        tally->after_retries = tally->after_retries || inner.after_retries;
    }
    if (!found)
        add(tally, OUTCOME_HANDED, NULL);
}

/* Whether a deferral was followed by what ended it: the same delivery, or, where routing itself was put off, any of the
   original's. */
static bool is_overtaken(const struct rows *attempts, size_t row)
{
    struct slice original = rows_text(attempts, row, "original");
    bool whole = same_address(original, rows_text(attempts, row, "recipient"));
    for (size_t i = 0; i < attempts->count; i++)
        if (!row_is(attempts, i, "deferred") &&
            (same_delivery(attempts, i, row) || (whole && same_address(rows_text(attempts, i, "original"), original))))
            return true;
    return false;
}

static void add_row(struct tally *tally, const struct part *part, size_t row)
{
    const struct rows *attempts = &part->attempts;
    bool gone = part->end != INT64_MAX;
    if (row_is(attempts, row, "delivered") || row_is(attempts, row, "additional") || row_is(attempts, row, "cutthrough"))
        add(tally, OUTCOME_DELIVERED, NULL);
    else if (row_is(attempts, row, "failed"))
        add_failure(tally, OUTCOME_FAILED, attempts, row);
    else if (row_is(attempts, row, "discarded"))
        add(tally, OUTCOME_DISCARDED, NULL);
    else if (row_is(attempts, row, "suppressed"))
        add(tally, OUTCOME_SUPPRESSED, NULL);
    else if (row_is(attempts, row, "handoff"))
        add_copies(tally, part, rows_text(attempts, row, "original"));
    else if (!is_overtaken(attempts, row))
        add_failure(tally, gone ? OUTCOME_UNSEEN : OUTCOME_WAITING, attempts, row);
}

static struct tally tally_of(const struct part *part, struct slice original)
{
    struct tally tally = {.after_retries = false};
    for (size_t i = 0; i < part->attempts.count; i++)
        if (same_address(rows_text(&part->attempts, i, "original"), original))
            add_row(&tally, part, i);
    return tally;
}

static struct recipient recipient_of(const struct part *part, struct slice original)
{
    static const enum outcome order[] = {OUTCOME_DELIVERED, OUTCOME_FAILED,     OUTCOME_WAITING, OUTCOME_UNSEEN,
                                         OUTCOME_DISCARDED, OUTCOME_SUPPRESSED, OUTCOME_HANDED,  OUTCOME_PARTLY};
    struct tally tally = tally_of(part, original);
    struct recipient recipient = {.address = original, .after_retries = tally.after_retries};
    for (size_t i = 0; i < OUTCOMES; i++)
        if (tally.count[order[i]]) {
            recipient.outcome = order[i];
            break;
        }
    recipient.why = tally.why[recipient.outcome];
    enum outcome other = tally.count[OUTCOME_FAILED] ? OUTCOME_FAILED : OUTCOME_WAITING;
    if (tally.count[OUTCOME_PARTLY] || (recipient.outcome == OUTCOME_DELIVERED && tally.count[other])) {
        recipient.outcome = OUTCOME_PARTLY;
        recipient.why = tally.why[other];
    }
    return recipient;
}

/* ---- all of them ------------------------------------------------------------------------------- */

void recipients_read(const struct part *part, struct recipients *recipients)
{
    *recipients = (struct recipients){0};
    for (size_t i = 0; i < part->attempts.count; i++) {
        struct slice original = rows_text(&part->attempts, i, "original");
        bool known = false;
        for (size_t k = 0; k < recipients->count && !known; k++)
            known = same_address(recipients->list[k].address, original);
        if (known)
            continue;
        recipients->list = grow(recipients->list, &recipients->room, recipients->count + 1, sizeof *recipients->list);
        recipients->list[recipients->count++] = recipient_of(part, original);
    }
}

void recipients_free(struct recipients *recipients)
{
    free(recipients->list);
    *recipients = (struct recipients){0};
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[OUTCOMES] = {"delivered", "partly",     "failed", "waiting",
                                                "discarded", "suppressed", "handed", "unseen"};
    return names[outcome];
}

/* ---- the verdict ------------------------------------------------------------------------------- */

static size_t count_of(const struct recipients *recipients, enum outcome outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < recipients->count; i++)
        count += recipients->list[i].outcome == outcome;
    return count;
}

/* ": mailbox full, no such mailbox", each once. */
static void write_whys(FILE *out, const struct recipients *recipients, enum outcome outcome)
{
    bool any = false;
    for (size_t i = 0; i < recipients->count; i++) {
        const struct recipient *r = &recipients->list[i];
        bool said = false;
        for (size_t k = 0; k < i && !said; k++)
            said = recipients->list[k].outcome == outcome && recipients->list[k].why == r->why &&
                   recipients->list[k].after_retries == r->after_retries;
        if (r->outcome != outcome || !r->why || said)
            continue;
        fprintf(out, "%s%s%s", any ? ", " : ": ", r->why,
                r->after_retries && outcome != OUTCOME_WAITING ? " (given up after retries)" : "");
        any = true;
    }
}

static void write_count(FILE *out, const struct recipients *recipients, enum outcome outcome, const char *words)
{
    size_t count = count_of(recipients, outcome);
    if (!count)
        return;
    fprintf(out, "; %zu %s", count, words);
    write_whys(out, recipients, outcome);
}

/* How many recipients there are: those seen, or while it is not over those that the arrival counted. */
static size_t recipients_of(const struct part *part, const struct recipients *recipients)
{
    size_t counted = (size_t)rows_integer(&part->message, 0, "recipients");
    return part->end == INT64_MAX && counted > recipients->count ? counted : recipients->count;
}

static bool was_removed(const struct part *part)
{
    for (size_t i = 0; i < part->events.count; i++)
        if (slice_is(rows_text(&part->events, i, "kind"), "removed"))
            return true;
    return false;
}

/* Nothing was tried. */
static void write_state(FILE *out, const struct part *part)
{
    struct slice state = rows_text(&part->message, 0, "state");
    if (was_removed(part))
        fputs("removed before any delivery", out);
    else if (slice_is(state, "retracted"))
        fputs("taken back on arrival", out);
    else if (slice_is(state, "frozen"))
        fputs("frozen, nothing tried", out);
    else if (slice_is(state, "queued"))
        fputs("on the queue, nothing tried", out);
    else if (slice_is(state, "completed"))
        fputs("completed without a delivery", out);
    else
        fputs("its arrival was never seen, nor a delivery", out);
}

void verdict_write(FILE *out, const struct part *part, const struct recipients *recipients)
{
    bool told = rows_text(&part->message, 0, "sender").n > 0;
    size_t delivered = count_of(recipients, OUTCOME_DELIVERED) + count_of(recipients, OUTCOME_PARTLY);
    size_t all = recipients_of(part, recipients);
    if (recipients->count == 0)
        write_state(out, part);
    else {
        fprintf(out, "delivered to %zu of %zu recipient%s", delivered, all, all == 1 ? "" : "s");
        write_count(out, recipients, OUTCOME_PARTLY, "not to all it stands for");
        write_count(out, recipients, OUTCOME_FAILED, told ? "bounced" : "failed");
        write_count(out, recipients, OUTCOME_WAITING, "waiting");
        write_count(out, recipients, OUTCOME_DISCARDED, "discarded");
        write_count(out, recipients, OUTCOME_SUPPRESSED, "suppressed");
        write_count(out, recipients, OUTCOME_HANDED, "handed to a scanner, no copy found");
        write_count(out, recipients, OUTCOME_UNSEEN, "put off, its end not seen");
        if (was_removed(part))
            fputs("; removed", out);
        else if (slice_is(rows_text(&part->message, 0, "state"), "frozen"))
            fputs("; frozen", out);
    }
    if (rows_integer(&part->message, 0, "fakereject"))
        fputs("; the client was told it was refused", out);
}

int verdict_mood(const struct part *part, const struct recipients *recipients)
{
    if (count_of(recipients, OUTCOME_FAILED) || count_of(recipients, OUTCOME_PARTLY) || was_removed(part))
        return -1;
    size_t done = count_of(recipients, OUTCOME_DELIVERED) + count_of(recipients, OUTCOME_DISCARDED);
    return recipients->count && done == recipients_of(part, recipients);
}
