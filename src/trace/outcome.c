/* outcome.c — see outcome.h. */
#include "outcome.h"

#include <stdlib.h>
#include <string.h>

#include "attempt.h"

/* Why a message was taken off the queue: the text of its event; absent: it was not. */
static struct slice removal_of(const struct part *part)
{
    for (size_t i = 0; i < part->events.count; i++)
        if (slice_is(rows_text(&part->events, i, "kind"), "removed"))
            return rows_text(&part->events, i, "text");
    return SLICE_ABSENT;
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

static void add_failure(struct tally *tally, enum outcome outcome, const struct part *part, size_t row)
{
    ptrdiff_t before = is_passed_over(&part->attempts, row) ? last_attempt(&part->attempts, row) : -1;
    struct meaning meaning = meaning_of_attempt(part, before >= 0 ? (size_t)before : row);
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
        if (!attempt_is(attempts, i, "deferred") &&
            (same_delivery(attempts, i, row) || (whole && same_address(rows_text(attempts, i, "original"), original))))
            return true;
    return false;
}

/* What a deferral comes to that nothing followed. */
static enum outcome outcome_of_deferral(const struct part *part)
{
    if (removal_of(part).p)
        return OUTCOME_REMOVED;
    return part->end != INT64_MAX ? OUTCOME_UNSEEN : OUTCOME_WAITING;
}

static void add_row(struct tally *tally, const struct part *part, size_t row)
{
    const struct rows *attempts = &part->attempts;
    if (attempt_is(attempts, row, "delivered") || attempt_is(attempts, row, "additional") || attempt_is(attempts, row, "cutthrough"))
        add(tally, OUTCOME_DELIVERED, NULL);
    else if (attempt_is(attempts, row, "failed"))
        add_failure(tally, OUTCOME_FAILED, part, row);
    else if (attempt_is(attempts, row, "discarded"))
        add(tally, OUTCOME_DISCARDED, NULL);
    else if (attempt_is(attempts, row, "suppressed"))
        add(tally, OUTCOME_SUPPRESSED, NULL);
    else if (attempt_is(attempts, row, "handoff"))
        add_copies(tally, part, rows_text(attempts, row, "original"));
    else if (!is_overtaken(attempts, row))
        add_failure(tally, outcome_of_deferral(part), part, row);
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
    static const enum outcome order[OUTCOMES] = {OUTCOME_DELIVERED, OUTCOME_FAILED,    OUTCOME_WAITING,    OUTCOME_REMOVED,
                                                 OUTCOME_UNSEEN,    OUTCOME_DISCARDED, OUTCOME_SUPPRESSED, OUTCOME_HANDED,
                                                 OUTCOME_PARTLY,    OUTCOME_REFUSED};
    struct tally tally = tally_of(part, original);
    struct recipient recipient = {.address = original, .after_retries = tally.after_retries};
    for (size_t i = 0; i < OUTCOMES; i++)
        if (tally.count[order[i]]) {
            recipient.outcome = order[i];
            break;
        }
    recipient.why = tally.why[recipient.outcome];
    enum outcome other = tally.count[OUTCOME_FAILED] ? OUTCOME_FAILED : tally.count[OUTCOME_REMOVED] ? OUTCOME_REMOVED : OUTCOME_WAITING;
    if (tally.count[OUTCOME_PARTLY] || (recipient.outcome == OUTCOME_DELIVERED && tally.count[other])) {
        recipient.outcome = OUTCOME_PARTLY;
        recipient.why = tally.why[other];
    }
    return recipient;
}

/* ---- all of them ------------------------------------------------------------------------------- */

static bool is_listed(const struct recipients *recipients, struct slice address)
{
    for (size_t i = 0; i < recipients->count; i++)
        if (same_address(recipients->list[i].address, address))
            return true;
    return false;
}

static void list(struct recipients *recipients, struct recipient recipient)
{
    recipients->list = grow(recipients->list, &recipients->room, recipients->count + 1, sizeof *recipients->list);
    recipients->list[recipients->count++] = recipient;
}

/* Refused when all of the message was there, and nothing was tried for them.  A line that has the words alone may be of
   one that was taken: until the message is gone, that it is not tried says nothing. */
static void list_refused(const struct part *part, struct recipients *recipients)
{
    for (size_t i = 0; i < part->refusals.count; i++) {
        struct slice address = rows_text(&part->refusals, i, "recipient");
        bool sure = part->end != INT64_MAX || !rows_integer(&part->refusals, i, "ambiguous");
        if (sure && address.n && slice_is(rows_text(&part->refusals, i, "stage"), "data") && !is_listed(recipients, address))
            list(recipients, (struct recipient){.address = address, .outcome = OUTCOME_REFUSED,
                                                .why = meaning_of_refusal(&part->refusals, i).name});
    }
}

void recipients_read(const struct part *part, struct recipients *recipients)
{
    *recipients = (struct recipients){0};
    for (size_t i = 0; i < part->attempts.count; i++) {
        struct slice original = rows_text(&part->attempts, i, "original");
        if (!is_listed(recipients, original))
            list(recipients, recipient_of(part, original));
    }
    list_refused(part, recipients);
}

void recipients_free(struct recipients *recipients)
{
    free(recipients->list);
    *recipients = (struct recipients){0};
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[OUTCOMES] = {"delivered", "partly",     "failed", "waiting",
                                                "discarded", "suppressed", "handed", "unseen",
                                                "removed",   "refused"};
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

/* Who took a message off the queue; NULL: nobody did. */
static const char *removed_by(const struct part *part)
{
    struct slice text = removal_of(part);
    if (!text.p)
        return NULL;
    if (slice_starts(text, "removed by "))
        return "removed by an operator";
    if (slice_starts(text, "cancelled by timeout_frozen_after"))
        return "removed as frozen for too long";
    return slice_starts(text, "cancelled by system filter") ? "cancelled by the system filter" : "cancelled by an operator";
}

/* The same of a message, or where it was handed to a scanner, of a copy. */
static const char *removed_in_all(const struct part *part)
{
    const char *by = removed_by(part);
    for (const struct part *copy = part->first; copy && !by; copy = copy->next)
        if (copy->relation == RELATION_COPY)
            by = removed_in_all(copy);
    return by;
}

/* Nothing was tried. */
static void write_state(FILE *out, const struct part *part)
{
    struct slice state = rows_text(&part->message, 0, "state");
    const char *removed = removed_by(part);
    if (removed)
        fprintf(out, "%s before any delivery", removed);
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

/* What was taken off the queue: those that waited, else the message. */
static void write_removal(FILE *out, const struct part *part, const struct recipients *recipients)
{
    const char *removed = removed_in_all(part);
    size_t count = count_of(recipients, OUTCOME_REMOVED);
    if (count && removed)
        fprintf(out, "; %zu %s before %s delivered", count, removed, count == 1 ? "it was" : "they were");
    else if (removed)
        fprintf(out, "; %s", removed);
    else if (slice_is(rows_text(&part->message, 0, "state"), "frozen"))
        fputs("; frozen", out);
}

/* Whether a report of the message, or of a copy of it, was seen: a bounce, maybe a warning. */
static bool is_reported(const struct part *part)
{
    for (const struct part *child = part->first; child; child = child->next)
        if ((child->relation == RELATION_BOUNCE && !is_answer(child)) || is_reported(child))
            return true;
    return false;
}

/* Of the null sender nobody is told. */
static const char *failed_as(const struct part *part)
{
    if (rows_text(&part->message, 0, "sender").n == 0)
        return "failed";
    return is_reported(part) ? "bounced" : "failed, no bounce seen";
}

static void write_outcomes(FILE *out, const struct part *part, const struct recipients *recipients)
{
    size_t delivered = count_of(recipients, OUTCOME_DELIVERED) + count_of(recipients, OUTCOME_PARTLY);
    size_t all = recipients_of(part, recipients);
    fprintf(out, "delivered to %zu of %zu recipient%s", delivered, all, all == 1 ? "" : "s");
    write_count(out, recipients, OUTCOME_PARTLY, "not to all it stands for");
    write_count(out, recipients, OUTCOME_FAILED, failed_as(part));
    write_count(out, recipients, OUTCOME_REFUSED, "refused");
    write_count(out, recipients, OUTCOME_WAITING, "waiting");
    write_count(out, recipients, OUTCOME_DISCARDED, "discarded");
    write_count(out, recipients, OUTCOME_SUPPRESSED, "suppressed");
    write_count(out, recipients, OUTCOME_HANDED, "handed to a scanner, no copy found");
    write_count(out, recipients, OUTCOME_UNSEEN, "put off, its end not seen");
    write_removal(out, part, recipients);
}

void verdict_write(FILE *out, const struct part *part, const struct recipients *recipients)
{
    if (recipients->count == 0)
        write_state(out, part);
    else
        write_outcomes(out, part, recipients);
    if (rows_integer(&part->message, 0, "fakereject"))
        fputs("; the client was told it was refused", out);
}

int verdict_mood(const struct part *part, const struct recipients *recipients)
{
    static const enum outcome bad[] = {OUTCOME_FAILED, OUTCOME_PARTLY, OUTCOME_REFUSED};
    bool failed = removed_in_all(part) != NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        failed = failed || count_of(recipients, bad[i]);
    if (failed)
        return -1;
    return recipients->count && count_of(recipients, OUTCOME_DELIVERED) == recipients_of(part, recipients);
}
