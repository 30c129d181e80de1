/* timeline.c — see timeline.h. */
#include "timeline.h"

#include <stdlib.h>

#include "outcome.h"

static struct entry *add(struct timeline *timeline, const struct part *part, int depth, enum entry_kind kind, int64_t at)
{
    timeline->list = grow(timeline->list, &timeline->room, timeline->count + 1, sizeof *timeline->list);
    struct entry *entry = &timeline->list[timeline->count];
    *entry = (struct entry){.at = at, .kind = kind, .depth = depth, .part = part, .count = 1, .order = timeline->count};
    timeline->count++;
    return entry;
}

static void add_rows(struct timeline *timeline, const struct part *part, int depth, enum entry_kind kind,
                     const struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct entry *entry = add(timeline, part, depth, kind, rows_integer(rows, i, "at"));
        entry->row = entry->last = i;
    }
}

static bool is_deferral(const struct rows *attempts, size_t row)
{
    return slice_is(rows_text(attempts, row, "kind"), "deferred");
}

static bool is_first_deferral(const struct rows *attempts, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (is_deferral(attempts, i) && same_delivery(attempts, i, row))
            return false;
    return true;
}

/* The deferrals of one delivery, by its first: the last that was an attempt, and how many were. */
static void add_deferrals(struct timeline *timeline, const struct part *part, int depth, size_t first)
{
    const struct rows *attempts = &part->attempts;
    struct entry *entry = add(timeline, part, depth, ENTRY_DEFERRALS, rows_integer(attempts, first, "at"));
    entry->row = entry->last = first;
    entry->count = 0;
    for (size_t i = first; i < attempts->count; i++)
        if (is_deferral(attempts, i) && same_delivery(attempts, i, first) && !is_passed_over(attempts, i)) {
            entry->last = i;
            entry->count++;
        }
}

static void add_attempts(struct timeline *timeline, const struct part *part, int depth)
{
    for (size_t i = 0; i < part->attempts.count; i++) {
        if (!is_deferral(&part->attempts, i)) {
            struct entry *entry = add(timeline, part, depth, ENTRY_ATTEMPT, rows_integer(&part->attempts, i, "at"));
            entry->row = entry->last = i;
        } else if (is_first_deferral(&part->attempts, i))
            add_deferrals(timeline, part, depth, i);
    }
}

static bool same_event(const struct rows *events, size_t a, size_t b)
{
    return slice_equal(rows_text(events, a, "kind"), rows_text(events, b, "kind")) &&
           slice_equal(rows_text(events, a, "text"), rows_text(events, b, "text")) &&
           slice_equal(rows_text(events, a, "ip"), rows_text(events, b, "ip"));
}

/* An event adds to the entry of the one before it with the same words, if there is one. */
static void add_events(struct timeline *timeline, const struct part *part, int depth)
{
    size_t begin = timeline->count;
    for (size_t i = 0; i < part->events.count; i++) {
        struct entry *same = NULL;
        for (size_t k = begin; k < timeline->count && !same; k++)
            if (same_event(&part->events, timeline->list[k].row, i))
                same = &timeline->list[k];
        if (same)
            same->count++;
        else {
            same = add(timeline, part, depth, ENTRY_EVENT, rows_integer(&part->events, i, "at"));
            same->row = i;
        }
        same->last = i;
    }
}

static void add_part(struct timeline *timeline, const struct part *part, int depth)
{
    add(timeline, part, depth, ENTRY_ARRIVAL, part->at);
    add_rows(timeline, part, depth, ENTRY_REFUSAL, &part->refusals);
    add_rows(timeline, part, depth, ENTRY_SCAN, &part->scans);
    add_attempts(timeline, part, depth);
    add_events(timeline, part, depth);
    add_rows(timeline, part, depth, ENTRY_SESSION, &part->sessions);
    if (part->end != INT64_MAX)
        add(timeline, part, depth, ENTRY_END, part->end);
    for (const struct part *child = part->first; child; child = child->next)
        add_part(timeline, child, depth + 1);
}

/* Within a second: what a message begins with, then its copies and bounces, then ends, the innermost first. */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    bool x_ends = x->kind >= ENTRY_END, y_ends = y->kind >= ENTRY_END;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x_ends != y_ends)
        return x_ends ? 1 : -1;
    if (x->depth != y->depth)
        return (x->depth < y->depth) != x_ends ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

void timeline_read(const struct part *root, struct timeline *timeline)
{
    *timeline = (struct timeline){0};
    add_part(timeline, root, 0);
    qsort(timeline->list, timeline->count, sizeof *timeline->list, compare_entries);
}

void timeline_free(struct timeline *timeline)
{
    free(timeline->list);
    *timeline = (struct timeline){0};
}
