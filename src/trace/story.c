/* story.c — roots are found upwards, children downwards in rounds: each round is one pass over what may have been
   logged of its messages while they were in the house. */
#include "story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../parsers/dialect.h"
#include "../base/memory.h"
#include "../store/mentions.h"
#include "slots.h"

enum {
    BEFORE = 60,  /* seconds a line of a message may stand before its arrival: a cut-through delivery, PRDR */
    BEHIND = 10,  /* and behind its end */
    ROUNDS = 6,   /* generations: a copy's bounce's bounce */
    UPWARDS = 8,
    LISTED = 2000 /* parts of a round that are named in its SQL */
};

/* ---- parts ------------------------------------------------------------------------------------- */

static const char head_sql[] =
    "SELECT id, server, at, completed, exim_id, parent, copy_of, message_id FROM message WHERE ";

static int compare_parts(const void *a, const void *b)
{
    const struct part *x = *(struct part *const *)a, *y = *(struct part *const *)b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static struct part *find_part(const struct stories *stories, int64_t number)
{
    struct part wanted = {.number = number}, *key = &wanted;
    if (!stories->part_count)
        return NULL;
    struct part **found = bsearch(&key, stories->parts, stories->part_count, sizeof key, compare_parts);
    return found ? *found : NULL;
}

/* A part of the row that stmt, which begins with head_sql, stands on. */
static struct part *new_part(struct stories *stories, sqlite3_stmt *stmt, enum relation relation)
{
    struct part *part = xcalloc(1, sizeof *part);
    const char *id = (const char *)sqlite3_column_text(stmt, 4);
    part->number = sqlite3_column_int64(stmt, 0);
    part->server = sqlite3_column_int64(stmt, 1);
    part->at = sqlite3_column_int64(stmt, 2);
    part->end = sqlite3_column_type(stmt, 3) == SQLITE_NULL ? INT64_MAX : sqlite3_column_int64(stmt, 3);
    part->exim_id = arena_copy(&stories->reader->texts, slice_of(id, strlen(id) + 1)).p;
    if (sqlite3_column_type(stmt, 7) != SQLITE_NULL)
        part->message_id = arena_copy(&stories->reader->texts, slice_of((const char *)sqlite3_column_text(stmt, 7),
                                                                        (size_t)sqlite3_column_bytes(stmt, 7)));
    part->relation = relation;
    return part;
}

static void keep_part(struct stories *stories, struct part *part)
{
    stories->parts = grow(stories->parts, &stories->part_room, stories->part_count + 1, sizeof *stories->parts);
    stories->parts[stories->part_count++] = part;
}

static void adopt(struct part *parent, struct part *child)
{
    child->parent = parent;
    *(parent->last ? &parent->last->next : &parent->first) = child;
    parent->last = child;
}

static void part_free(struct part *part)
{
    rows_free(&part->message);
    rows_free(&part->attempts);
    rows_free(&part->events);
    rows_free(&part->refusals);
    rows_free(&part->scans);
    rows_free(&part->sessions);
    originals_free(&part->lines);
    free(part->attempt_times.list);
    free(part->event_times.list);
    free(part->refusal_times.list);
    free(part);
}

void stories_free(struct stories *stories)
{
    for (size_t i = 0; i < stories->part_count; i++)
        part_free(stories->parts[i]);
    free(stories->parts);
    free(stories->roots);
    *stories = (struct stories){0};
}

/* ---- roots ------------------------------------------------------------------------------------- */

struct upwards {
    struct store *store;
    sqlite3_stmt *by_number, *by_id;
};

/* *above: the number of the message that the one of by_number's row is a copy of or reports on; 0: none, or not there. */
static int read_above(struct upwards *up, int64_t *above, struct error *err)
{
    int column = sqlite3_column_type(up->by_number, 6) != SQLITE_NULL ? 6 : 5;
    *above = 0;
    if (sqlite3_column_type(up->by_number, column) == SQLITE_NULL)
        return 0;
    sqlite3_bind_text(up->by_id, 1, (const char *)sqlite3_column_text(up->by_number, column), -1, SQLITE_STATIC);
    sqlite3_bind_int64(up->by_id, 2, sqlite3_column_int64(up->by_number, 1));
    int found = store_next(up->store, up->by_id, err);
    *above = found > 0 ? sqlite3_column_int64(up->by_id, 0) : 0;
    sqlite3_reset(up->by_id);
    return found;
}

/* *root: the root above a message; ids that lead in a circle end it where it began to turn. */
static int find_root(struct upwards *up, int64_t number, int64_t *root, struct error *err)
{
    int64_t above = number;
    int found = 1;
    *root = number;
    for (int i = 0; i < UPWARDS && found > 0 && above; i++) {
        *root = above;
        sqlite3_bind_int64(up->by_number, 1, above);
        found = store_next(up->store, up->by_number, err);
        if (found > 0)
            found = read_above(up, &above, err);
        sqlite3_reset(up->by_number);
        if (above == *root)
            break;
    }
    return found < 0 ? -1 : 0;
}

static int compare_roots(const void *a, const void *b)
{
    const struct part *x = *(struct part *const *)a, *y = *(struct part *const *)b;
    return x->at != y->at ? (x->at < y->at ? -1 : 1) : strcmp(x->exim_id, y->exim_id);
}

/* Keeps the latest of the roots, which are in order of time. */
static void keep_latest(struct stories *stories, size_t limit)
{
    size_t gone = stories->root_count > limit ? stories->root_count - limit : 0;
    stories->found = stories->root_count;
    for (size_t i = 0; i < gone; i++)
        part_free(stories->roots[i]);
    if (gone)
        memmove(stories->roots, stories->roots + gone, limit * sizeof *stories->roots);
    stories->root_count -= gone;
    for (size_t i = 0; i < stories->root_count; i++)
        keep_part(stories, stories->roots[i]);
    if (stories->part_count)
        qsort(stories->parts, stories->part_count, sizeof *stories->parts, compare_parts);
}

static int load_roots(struct stories *stories, struct upwards *up, const struct numbers *messages, struct error *err)
{
    struct numbers roots = {0};
    int done = 0;
    for (size_t i = 0; i < messages->count && done == 0; i++) {
        int64_t root;
        done = find_root(up, messages->list[i], &root, err);
        numbers_add(&roots, root);
    }
    numbers_sort(&roots);
    for (size_t i = 0; i < roots.count && done == 0; i++) {
        sqlite3_bind_int64(up->by_number, 1, roots.list[i]);
        if (sqlite3_step(up->by_number) == SQLITE_ROW) {
            stories->roots = grow(stories->roots, &stories->root_room, stories->root_count + 1,
                                  sizeof *stories->roots);
            stories->roots[stories->root_count++] = new_part(stories, up->by_number, RELATION_ROOT);
        } else
            done = store_error(stories->reader->store, err);
        sqlite3_reset(up->by_number);
    }
    free(roots.list);
    if (stories->root_count)
        qsort(stories->roots, stories->root_count, sizeof *stories->roots, compare_roots);
    return done;
}

static int find_roots(struct stories *stories, const struct numbers *messages, size_t limit, struct error *err)
{
    struct store *store = stories->reader->store;
    char by_number[sizeof head_sql + 20];
    snprintf(by_number, sizeof by_number, "%sid = ?1", head_sql);
    struct upwards up = {store, store_prepare(store, by_number, err), NULL};
    up.by_id = up.by_number ? store_prepare(store, "SELECT id FROM message WHERE exim_id = ?1 AND server = ?2", err)
                            : NULL;
    int done = up.by_id ? load_roots(stories, &up, messages, err) : -1;
    sqlite3_finalize(up.by_number);
    sqlite3_finalize(up.by_id);
    keep_latest(stories, limit);
    return done;
}

/* ---- what was logged while they were in the house ------------------------------------------------- */

struct stretch {
    int64_t from, to;
};

/* The parts of one round, by (server, Exim id), and when something of them may have been logged. */
struct round {
    struct stories *stories;
    struct part **parts;
    size_t count, room;
    struct stretch *stretches;
    size_t stretch_count, stretch_room;
    struct part **children;
    size_t child_count, child_room;
};

static int compare_ids(const void *a, const void *b)
{
    const struct part *x = *(struct part *const *)a, *y = *(struct part *const *)b;
    return x->server != y->server ? (x->server < y->server ? -1 : 1) : strcmp(x->exim_id, y->exim_id);
}

static int compare_stretches(const void *a, const void *b)
{
    int64_t x = ((const struct stretch *)a)->from, y = ((const struct stretch *)b)->from;
    return x < y ? -1 : x > y;
}

/* The seconds from the first to the last that are in both stretches, if any. */
static void add_stretch(struct round *round, struct stretch a, struct stretch b)
{
    struct stretch both = {a.from > b.from ? a.from : b.from, a.to < b.to ? a.to : b.to};
    if (both.from > both.to)
        return;
    round->stretches = grow(round->stretches, &round->stretch_room, round->stretch_count + 1, sizeof *round->stretches);
    round->stretches[round->stretch_count++] = both;
}

/* Of a message that was in the house for long: about the second in its id, and where it is mentioned, or a copy of it. */
static int add_mentioned(struct round *round, const struct part *part, struct stretch house, struct error *err)
{
    const struct slice ids[] = {slice_of(part->exim_id, strlen(part->exim_id)), part->message_id};
    struct slots slots;
    int64_t second = exim_id_second(ids[0]), from = INT64_MIN, to = INT64_MIN;
    add_stretch(round, house, (struct stretch){second - ID_NEAR, second + ID_NEAR - 1});
    int done = slots_read_ids(round->stories->reader->store, ids, part->message_id.n ? 2 : 1, house.from, house.to, &slots, err);
    while (done == 0 && slots_next(&slots, SLOT_ID, &from, &to))
        add_stretch(round, house, (struct stretch){from, to - 1});
    slots_free(&slots);
    return done;
}

static int add_stretches(struct round *round, struct error *err)
{
    int done = 0;
    for (size_t i = 0; i < round->count && done == 0; i++) {
        const struct part *part = round->parts[i];
        struct stretch house = {part->at - BEFORE, part->end == INT64_MAX ? INT64_MAX : part->end + BEHIND};
        if (round->stories->everywhere || house.to - house.from <= ID_NEAR)
            add_stretch(round, house, house);
        else
            done = add_mentioned(round, part, house, err);
    }
    return done;
}

/* Sorts the round and makes of its parts' times stretches that do not overlap. */
static int begin_round(struct round *round, struct error *err)
{
    size_t kept = 0;
    qsort(round->parts, round->count, sizeof *round->parts, compare_ids);
    int done = add_stretches(round, err);
    struct stretch *s = round->stretches;
    if (round->stretch_count)
        qsort(s, round->stretch_count, sizeof *s, compare_stretches);
    for (size_t i = 0; i < round->stretch_count; i++) {
        if (kept && s[i].from <= s[kept - 1].to)
            s[kept - 1].to = s[i].to > s[kept - 1].to ? s[i].to : s[kept - 1].to;
        else
            s[kept++] = s[i];
    }
    round->stretch_count = kept;
    return done;
}

static struct part *part_by_id(const struct round *round, sqlite3_stmt *stmt, int server, int id)
{
    struct part wanted = {.server = sqlite3_column_int64(stmt, server)}, *key = &wanted;
    wanted.exim_id = (const char *)sqlite3_column_text(stmt, id);
    struct part **found = wanted.exim_id ? bsearch(&key, round->parts, round->count, sizeof key, compare_ids) : NULL;
    return found ? *found : NULL;
}

static void take_attempt(struct round *round, sqlite3_stmt *stmt)
{
    struct part *part = find_part(round->stories, sqlite3_column_int64(stmt, 1));
    if (part)
        numbers_add(&part->attempt_times, sqlite3_column_int64(stmt, 0));
}

static void take_event(struct round *round, sqlite3_stmt *stmt)
{
    struct part *part = part_by_id(round, stmt, 1, 2);
    if (part)
        numbers_add(&part->event_times, sqlite3_column_int64(stmt, 0));
}

static void take_refusal(struct round *round, sqlite3_stmt *stmt)
{
    struct part *part = part_by_id(round, stmt, 1, 2);
    if (part)
        numbers_add(&part->refusal_times, sqlite3_column_int64(stmt, 0));
}

static void take_child(struct round *round, sqlite3_stmt *stmt)
{
    struct part *copied = part_by_id(round, stmt, 1, 6), *reported = part_by_id(round, stmt, 1, 5);
    struct part *parent = copied ? copied : reported;
    if (!parent || find_part(round->stories, sqlite3_column_int64(stmt, 0)))
        return;
    struct part *child = new_part(round->stories, stmt, copied ? RELATION_COPY : RELATION_BOUNCE);
    child->parent = parent;
    round->children = grow(round->children, &round->child_room, round->child_count + 1, sizeof *round->children);
    round->children[round->child_count++] = child;
}

static int pass(struct round *round, const char *sql, void (*take)(struct round *, sqlite3_stmt *), struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(round->stories->reader->store, sql, err);
    if (!stmt)
        return -1;
    int code = SQLITE_DONE;
    for (size_t i = 0; i < round->stretch_count && code == SQLITE_DONE; i++) {
        sqlite3_bind_int64(stmt, 1, round->stretches[i].from);
        sqlite3_bind_int64(stmt, 2, round->stretches[i].to);
        while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
            take(round, stmt);
        sqlite3_reset(stmt);
    }
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : store_error(round->stories->reader->store, err);
}

/* The ids of the round's parts as SQL has a list, to be freed with sqlite3_free; NULL: they are too many. */
static char *list_parts(const struct round *round, bool numbers)
{
    sqlite3_str *list = sqlite3_str_new(NULL);
    for (size_t i = 0; i < round->count && round->count <= LISTED; i++) {
        sqlite3_str_appendall(list, i ? ", " : "");
        if (numbers)
            sqlite3_str_appendf(list, "%lld", (long long)round->parts[i]->number);
        else
            sqlite3_str_appendf(list, "%Q", round->parts[i]->exim_id);
    }
    return sqlite3_str_finish(list);
}

/* One table's pass; in SQL the rows of others are left out sooner. */
static int pass_table(struct round *round, const char *sql, const char *only, const char *list,
                      void (*take)(struct round *, sqlite3_stmt *), struct error *err)
{
    char *where = list ? sqlite3_mprintf(only, list, list) : NULL;
    char *whole = sqlite3_mprintf("%s WHERE at BETWEEN ?1 AND ?2%s ORDER BY at%s", sql, where ? where : "", take == take_child ? ", id" : "");
    int done = pass(round, whole, take, err);
    sqlite3_free(where);
    sqlite3_free(whole);
    return done;
}

static int pass_all(struct round *round, struct error *err)
{
    char *numbers = list_parts(round, true), *ids = list_parts(round, false);
    int done = pass_table(round, "SELECT at, message FROM delivery", " AND message IN (%s)", numbers, take_attempt, err);
    if (done == 0)
        done = pass_table(round, "SELECT at, server, message FROM event", " AND message IN (%s)", ids, take_event, err);
    if (done == 0)
        done = pass_table(round, "SELECT at, server, message FROM rejection", " AND message IN (%s)", ids, take_refusal, err);
    if (done == 0)
        done = pass_table(round, "SELECT id, server, at, completed, exim_id, parent, copy_of, message_id FROM message",
                          " AND (copy_of IN (%s) OR parent IN (%s))", ids, take_child, err);
    sqlite3_free(numbers);
    sqlite3_free(ids);
    return done;
}

/* Goes through a generation; its children are the next round's parts. */
static int run_round(struct round *round, struct error *err)
{
    struct stories *stories = round->stories;
    int done = begin_round(round, err);
    if (done == 0)
        done = pass_all(round, err);
    for (size_t i = 0; i < round->child_count; i++) {
        adopt(round->children[i]->parent, round->children[i]);
        keep_part(stories, round->children[i]);
    }
    qsort(stories->parts, stories->part_count, sizeof *stories->parts, compare_parts);
    free(round->parts);
    free(round->stretches);
    *round = (struct round){.stories = stories, .parts = round->children, .count = round->child_count,
                            .room = round->child_room};
    return done;
}

static int gather(struct stories *stories, struct error *err)
{
    struct round round = {.stories = stories, .count = stories->root_count};
    int done = 0;
    round.parts = xcalloc(stories->root_count + 1, sizeof *round.parts);
    if (stories->root_count)
        memcpy(round.parts, stories->roots, stories->root_count * sizeof *round.parts);
    for (int i = 0; i < ROUNDS && round.count && done == 0; i++)
        done = run_round(&round, err);
    free(round.parts);
    return done;
}

/* ---- reading ----------------------------------------------------------------------------------- */

static int read_times(struct stories *stories, const char *file, struct part *part, struct numbers *times,
                      struct rows *rows, struct error *err)
{
    struct bind binds[] = {{":at", NULL, 0},
                           {":server", rows_text(&part->message, 0, "server").p, 0},
                           {":exim_id", part->exim_id, 0},
                           {NULL, NULL, 0}};
    numbers_sort(times);
    for (size_t i = 0; i < times->count; i++) {
        binds[0].integer = times->list[i];
        if (rows_read(stories->reader, file, binds, rows, err) < 0)
            return -1;
    }
    return 0;
}

/* As spamd writes a Message-ID: control bytes, blanks and commas are _. */
static const char *as_spamd_has_it(struct reader *reader, struct slice message_id)
{
    char *text = arena_alloc(&reader->texts, message_id.n + 1, 1);
    for (size_t i = 0; i < message_id.n; i++) {
        unsigned char c = (unsigned char)message_id.p[i];
        text[i] = c <= ' ' || c == 0x7f || c == ',' ? '_' : (char)c;
    }
    text[message_id.n] = 0;
    return text;
}

static int read_scans(struct stories *stories, struct part *part, struct error *err)
{
    struct slice message_id = rows_text(&part->message, 0, "message_id");
    struct rows others = {0};
    if (!message_id.n || part->relation != RELATION_ROOT)
        return 0;
    struct bind binds[] = {{":at", NULL, part->at},
                           {":server", rows_text(&part->message, 0, "server").p, 0},
                           {":exim_id", part->exim_id, 0},
                           {":message_id", as_spamd_has_it(stories->reader, message_id), 0},
                           {NULL, NULL, 0}};
    int done = rows_read(stories->reader, "trace/scans.sql", binds, &part->scans, err);
    if (done < 0 || part->scans.count == 0)
        return done;
    part->scanned_id = binds[3].text;
    binds[3].text = message_id.p;
    done = rows_read(stories->reader, "trace/namesakes.sql", binds, &others, err);
    part->namesakes = done == 0 ? rows_integer(&others, 0, "others") : 0;
    rows_free(&others);
    return done;
}

static int read_part(struct stories *stories, struct part *part, struct error *err)
{
    const struct bind binds[] = {{":message", NULL, part->number}, {NULL, NULL, 0}};
    if (rows_read(stories->reader, "trace/message.sql", binds, &part->message, err) < 0)
        return -1;
    if (part->message.count == 0)
        return error_set(err, FAIL_DB, "%s: message %s names a server that is not there; see mailtrail check",
                         store_path(stories->reader->store), part->exim_id);
    return read_times(stories, "trace/attempts.sql", part, &part->attempt_times, &part->attempts, err) < 0 ||
                   read_times(stories, "trace/events.sql", part, &part->event_times, &part->events, err) < 0 ||
                   read_times(stories, "trace/refusals.sql", part, &part->refusal_times, &part->refusals, err) < 0 ||
                   read_scans(stories, part, err) < 0
               ? -1
               : 0;
}

int stories_read(struct reader *reader, const struct numbers *messages, size_t limit, bool everywhere,
                 struct stories *stories, struct error *err)
{
    *stories = (struct stories){.reader = reader, .everywhere = everywhere};
    int done = find_roots(stories, messages, limit, err);
    if (done == 0)
        done = gather(stories, err);
    for (size_t i = 0; i < stories->part_count && done == 0; i++)
        done = read_part(stories, stories->parts[i], err);
    return done;
}
