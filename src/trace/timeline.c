/* timeline.c — see timeline.h. */
#include "timeline.h"

#include <stdlib.h>

#include "attempt.h"
#include "key.h"

enum {
    MANY = 20, /* attempts that came to the same are one entry from here on */
    SOME = 3   /* the same, where a key names another recipient */
};

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

static bool same_session(const struct entry *entry, const struct rows *sessions, size_t row)
{
    const struct rows *others = &entry->part->sessions;
    return entry->kind == ENTRY_SESSION && entry->at == rows_integer(sessions, row, "at") &&
           slice_equal(rows_text(others, entry->row, "service"), rows_text(sessions, row, "service")) &&
           slice_equal(rows_text(others, entry->row, "user"), rows_text(sessions, row, "user"));
}

/* A session in which a mailbox was opened for the message is not told once more for its copies and reports there. */
static void add_sessions(struct timeline *timeline, const struct part *part, int depth)
{
    for (size_t i = 0; i < part->sessions.count; i++) {
        bool told = false;
        for (size_t k = 0; k < timeline->count && !told; k++)
            told = same_session(&timeline->list[k], &part->sessions, i);
        if (!told)
            add(timeline, part, depth, ENTRY_SESSION, rows_integer(&part->sessions, i, "at"))->row = i;
    }
}

static void add_part(struct timeline *timeline, const struct part *part, int depth)
{
    add(timeline, part, depth, ENTRY_ARRIVAL, part->at);
    add_rows(timeline, part, depth, ENTRY_REFUSAL, &part->refusals);
    add_rows(timeline, part, depth, ENTRY_SCAN, &part->scans);
    add_attempts(timeline, part, depth);
    add_events(timeline, part, depth);
    add_sessions(timeline, part, depth);
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

/* ---- folding ----------------------------------------------------------------------------------- */

/* An attempt, what it came to, and whether a key names its recipient. */
struct ended {
    struct entry *entry;
    struct slice kind;
    const char *why; /* a name of meaning.h; NULL: it went well */
    bool asked;
    size_t group; /* the first that came to the same */
};

static bool is_local_part(struct slice address, struct slice key)
{
    return address.n > key.n && address.p[key.n] == '@' && same_address(slice_of(address.p, key.n), key);
}

static bool names(struct slice key, struct slice address)
{
    return address.n && (same_address(address, key) || is_local_part(address, key));
}

static bool is_asked(const struct entry *entry, const char *const *keys, int key_count)
{
    bool asked = false;
    for (int i = 0; i < key_count && !asked; i++) {
        struct slice key = key_of(keys[i]).text;
        asked = names(key, rows_text(&entry->part->attempts, entry->row, "original")) ||
                names(key, rows_text(&entry->part->attempts, entry->row, "recipient"));
    }
    return asked;
}

static struct ended ended_of(struct entry *entry, const char *const *keys, int key_count)
{
    const struct rows *attempts = &entry->part->attempts;
    bool went_well = !attempt_is(attempts, entry->last, "failed") && !attempt_is(attempts, entry->last, "deferred");
    struct ended ended = {entry, rows_text(attempts, entry->last, "kind"), NULL, is_asked(entry, keys, key_count), 0};
    if (attempt_is(attempts, entry->last, "additional"))
        ended.kind = SLICE_LIT("delivered");
    if (!went_well)
        ended.why = meaning_of_attempt(entry->part, entry->last).name;
    return ended;
}

static bool came_to_the_same(const struct ended *a, const struct ended *b)
{
    return a->entry->part == b->entry->part && a->asked == b->asked && slice_equal(a->kind, b->kind) && a->why == b->why;
}

static size_t list_ended(struct timeline *timeline, const char *const *keys, int key_count, struct ended *list)
{
    size_t count = 0;
    for (size_t i = 0; i < timeline->count; i++) {
        struct entry *entry = &timeline->list[i];
        if (entry->kind != ENTRY_ATTEMPT && entry->kind != ENTRY_DEFERRALS)
            continue;
        list[count] = ended_of(entry, keys, key_count);
        for (list[count].group = 0; !came_to_the_same(&list[list[count].group], &list[count]);)
            list[count].group++;
        count++;
    }
    return count;
}

/* A part's first attempt for a recipient that a key names; NULL: there is none. */
static const struct entry *asked_of(const struct ended *list, size_t count, const struct part *part)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].asked && list[i].entry->part == part)
            return list[i].entry;
    return NULL;
}

static size_t group_size(const struct ended *list, size_t count, size_t group)
{
    size_t size = 0;
    for (size_t i = group; i < count; i++)
        size += list[i].group == group;
    return size;
}

/* The first of a group comes to stand for all of it, behind the one that was asked for. */
static void fold_group(struct ended *list, size_t count, size_t group)
{
    struct entry *first = list[group].entry;
    const struct entry *asked = asked_of(list, count, first->part);
    size_t size = group_size(list, count, group);
    if (list[group].asked || size < (asked ? SOME : MANY))
        return;
    for (size_t i = group; i < count; i++)
        if (list[i].group == group) {
            first->last = list[i].entry->last;
            list[i].entry->folded = i > group;
        }
    first->kind = ENTRY_OTHERS;
    first->count = (int64_t)size;
    first->beside = asked != NULL;
    if (asked && asked->at > first->at)
        first->at = asked->at;
}

static void drop_folded(struct timeline *timeline)
{
    size_t kept = 0;
    for (size_t i = 0; i < timeline->count; i++)
        if (!timeline->list[i].folded)
            timeline->list[kept++] = timeline->list[i];
    timeline->count = kept;
}

void timeline_fold(struct timeline *timeline, const char *const *keys, int key_count)
{
    struct ended *list = xcalloc(timeline->count + 1, sizeof *list);
    size_t count = list_ended(timeline, keys, key_count, list);
    for (size_t i = 0; i < count; i++)
        if (list[i].group == i)
            fold_group(list, count, i);
    drop_folded(timeline); /* the entries move: list is of no more use */
    qsort(timeline->list, timeline->count, sizeof *timeline->list, compare_entries);
    free(list);
}

void timeline_free(struct timeline *timeline)
{
    free(timeline->list);
    *timeline = (struct timeline){0};
}
