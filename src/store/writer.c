/* writer.c — the order of a batch's writing: strings, mentions, messages, events, sums, position. */
#include "writer.h"

#include <stdlib.h>

#include "../base/memory.h"
#include "blocks.h"
#include "checkpoint.h"
#include "copies.h"
#include "insert.h"
#include "late.h"
#include "mentions.h"
#include "messages.h"
#include "rollup.h"
#include "strings.h"
#include "summing.h"

#define FEW_ROWS 32
#define COMMIT_OCTETS ((int64_t)96 << 20) /* of log text: few commits, and a bounded write-ahead log */
#define DRAFT_OCTETS ((int64_t)448 << 20) /* of log text, then a new database is published */
#define SYNC_OCTETS ((int64_t)32 << 20)   /* of log text, then the disk may begin with the draft */
#define COMMITS_A_LOG 4 /* then the write-ahead log begins anew, which must wait for its last checkpoint */

struct event_writer {
    struct insert *insert;
    sqlite3_stmt *find;
    int64_t newest; /* greatest at stored: what is later cannot be a copy */
};

struct ordered {
    int64_t at, mark;
    uint32_t index;
};

struct writer {
    struct store *store;
    struct strings *strings;
    struct mentions *mentions;
    struct messages *messages;
    struct rollup *rollup;      /* of new rows: the summing thread's while it has a job */
    struct rollup *corrections; /* of rows stored before */
    struct summing *summing;
    struct sum_job jobs[2]; /* one being summed, one being written */
    int turn;
    struct late *late;
    int64_t kinds[DELIVERY_KINDS_END]; /* string.id of each delivery kind */
    struct copies *copies_of; /* messages that a scanner re-injected */
    struct event_writer events[EVENT_TABLE_COUNT];
    sqlite3_stmt *tally, *position;
    struct block_writer *blocks;
    struct ordered *ordered; /* room for the sorting of one table's rows */
    size_t ordered_capacity;
    int64_t pending; /* octets of log text since the last commit */
    int64_t day;     /* the latest that a batch began in; days since 1970 */
    int64_t rows, copies;
    struct checkpointer *checkpointer;
    unsigned commits;
    bool held; /* nothing is committed until it is no more */
};

static int prepare_events(struct writer *w, enum event_table table, struct error *err)
{
    struct event_writer *e = &w->events[table];
    const char *name = event_layouts[table].table;
    char *find = xprintf("SELECT 1 FROM %s WHERE at = ?1 AND mark = ?2", name);
    char *newest = xprintf("SELECT max(at) FROM %s", name);
    int done = -1;
    sqlite3_stmt *stmt = NULL;
    if (insert_new(w->store, &event_layouts[table], &e->insert, err) == 0 &&
        (e->find = store_prepare(w->store, find, err)) &&
        (stmt = store_prepare(w->store, newest, err)))
        done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(w->store, err);
    e->newest = done == 0 && sqlite3_column_type(stmt, 0) != SQLITE_NULL ? sqlite3_column_int64(stmt, 0)
                                                                        : INT64_MIN;
    sqlite3_finalize(stmt);
    free(find);
    free(newest);
    return done;
}

/* Numbers of the delivery kinds' names, which the rollups tell apart. */
static int make_rollup(struct writer *w, struct error *err)
{
    struct batch *batch = batch_new(store_hash_seed(w->store));
    uint32_t numbers[DELIVERY_KINDS_END];
    for (int i = 1; i < DELIVERY_KINDS_END; i++) {
        const char *name = delivery_kind_name((enum delivery_kind)i);
        numbers[i] = batch_string(batch, slice_of(name, strlen(name)));
    }
    int done = strings_resolve(w->strings, batch, err);
    for (int i = 1; i < DELIVERY_KINDS_END; i++)
        w->kinds[i] = batch->ids[numbers[i]];
    batch_free(&batch);
    w->rollup = rollup_new(w->kinds);
    w->corrections = rollup_new(w->kinds);
    w->summing = summing_new(w->rollup);
    return done;
}

static int prepare_rest(struct writer *w, struct error *err)
{
    w->tally = store_prepare(
        w->store,
        "INSERT INTO line_tally (source, dialect, kind, program, lines, copies)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE"
        " SET lines = lines + excluded.lines, copies = copies + excluded.copies", err);
    w->position = store_prepare(
        w->store,
        "UPDATE source SET position = ?2, tail_at = ?2, lines = lines + ?3, tail_hash = ?4,"
        " first_at = min(coalesce(first_at, ?5), coalesce(?5, first_at)),"
        " last_at = max(coalesce(last_at, ?6), coalesce(?6, last_at)),"
        " gap_at = CASE WHEN ?7 > coalesce(longest_gap, -1) THEN ?8 ELSE gap_at END,"
        " longest_gap = max(coalesce(longest_gap, ?7), coalesce(?7, longest_gap)),"
        " years = ?9, carry = ?10, year = coalesce(year, ?11) WHERE id = ?1", err);
    return w->tally && w->position ? 0 : -1;
}

int writer_new(struct store *store, struct writer **writer, struct error *err)
{
    struct writer *w = xcalloc(1, sizeof *w);
    w->store = store;
    *writer = w;
    w->checkpointer = checkpointer_new(store);
    for (int j = 0; j < 2; j++)
        w->jobs[j].joined = messages_joined_new();
    bool begun = !sqlite3_get_autocommit(store_db(store));
    if ((!begun && store_run(store, "BEGIN IMMEDIATE", err) < 0) || strings_new(store, &w->strings, err) < 0 ||
        mentions_new(store, &w->mentions, err) < 0 || messages_new(store, &w->messages, err) < 0 ||
        late_new(store, &w->late, err) < 0 || copies_new(store, &w->copies_of, err) < 0 ||
        block_writer_new(store, &w->blocks, err) < 0)
        return -1;
    for (int i = 0; i < EVENT_TABLE_COUNT; i++)
        if (prepare_events(w, (enum event_table)i, err) < 0)
            return -1;
    return make_rollup(w, err) < 0 || prepare_rest(w, err) < 0 ? -1 : 0;
}

void writer_free(struct writer **writer)
{
    struct writer *w = *writer;
    struct error ignored;
    if (!w)
        return;
    for (int i = 0; i < EVENT_TABLE_COUNT; i++) {
        sqlite3_finalize(w->events[i].find);
        insert_free(&w->events[i].insert);
    }
    summing_free(&w->summing);
    for (int j = 0; j < 2; j++) {
        messages_joined_free(&w->jobs[j].joined);
        for (int i = 0; i < EVENT_TABLE_COUNT; i++)
            free(w->jobs[j].order[i]);
    }
    free(w->ordered);
    sqlite3_finalize(w->tally);
    sqlite3_finalize(w->position);
    block_writer_free(&w->blocks);
    copies_free(&w->copies_of);
    late_free(&w->late);
    rollup_free(&w->rollup);
    rollup_free(&w->corrections);
    messages_free(&w->messages);
    mentions_free(&w->mentions);
    strings_free(&w->strings);
    if (!sqlite3_get_autocommit(store_db(w->store)))
        store_run(w->store, "ROLLBACK", &ignored);
    checkpointer_free(&w->checkpointer);
    free(w);
    *writer = NULL;
}

/* ---- events ------------------------------------------------------------------------------------ */

static int compare_ordered(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->mark < y->mark ? -1 : x->mark > y->mark;
}

/* The rows of a second: so few that moving each to its place is quickest. */
static void sort_second(struct ordered *rows, size_t count)
{
    if (count > FEW_ROWS) {
        qsort(rows, count, sizeof *rows, compare_ordered);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct ordered row = rows[i];
        size_t k = i;
        for (; k > 0 && rows[k - 1].mark > row.mark; k--)
            rows[k] = rows[k - 1];
        rows[k] = row;
    }
}

/* Sorts by second and mark.  Lines come in the order of time but for a few, so that mostly only the marks within
   a second are left to be sorted. */
static void sort_ordered(struct ordered *rows, size_t count)
{
    size_t run = 0;
    for (size_t i = 1; i < count; i++)
        if (rows[i].at < rows[i - 1].at) {
            qsort(rows, count, sizeof *rows, compare_ordered);
            return;
        }
    for (size_t i = 1; i <= count; i++)
        if (i == count || rows[i].at != rows[run].at) {
            sort_second(rows + run, i - run);
            run = i;
        }
}

/* Every event row begins with at and mark. */
static struct ordered *ordered_rows(struct writer *w, const struct row_list *list, size_t row_size)
{
    w->ordered = grow(w->ordered, &w->ordered_capacity, list->count, sizeof *w->ordered);
    for (uint32_t i = 0; i < list->count; i++) {
        const int64_t *head = (const void *)(list->rows + i * row_size);
        w->ordered[i] = (struct ordered){head[0], head[1], i};
    }
    sort_ordered(w->ordered, list->count);
    return w->ordered;
}

/* 1: the database has a row of this key; 0: it has not. */
static int is_stored(struct writer *w, struct event_writer *e, int64_t at, int64_t mark, struct error *err)
{
    if (at > e->newest)
        return 0;
    sqlite3_bind_int64(e->find, 1, at);
    sqlite3_bind_int64(e->find, 2, mark);
    int found = store_next(w->store, e->find, err);
    sqlite3_reset(e->find);
    return found;
}

static uint32_t tally_of(const char *row, enum event_table table)
{
    switch (table) {
#define TABLE(symbol, name, COLUMNS)                                                               \
    case TABLE_##symbol:                                                                           \
        return ((const struct name##_row *)(const void *)row)->tally;
        EVENT_TABLES(TABLE)
#undef TABLE
    case EVENT_TABLE_COUNT:
        break;
    }
    return 0;
}

/* Tables whose lines a daemon's own log may hold as well. */
static bool is_late(const char *row, enum event_table table)
{
    const void *r = row;
    int64_t flags = table == TABLE_DELIVERY       ? ((const struct delivery_row *)r)->flags
                    : table == TABLE_REJECTION    ? ((const struct rejection_row *)r)->flags
                    : table == TABLE_AUTH_FAILURE ? ((const struct auth_failure_row *)r)->flags
                    : table == TABLE_EVENT        ? ((const struct event_row *)r)->flags
                                                  : NUM_ABSENT;
    return flags != NUM_ABSENT && (flags & ROW_LATE);
}

static bool same_place(const struct ordered *a, const struct ordered *b)
{
    return a->at == b->at && a->mark == b->mark;
}

/* The rows of a batch's table in order. */
struct ordered_list {
    const struct ordered *rows;
    size_t count;
    const char *first; /* row of index 0 */
    enum event_table table;
};

static bool late_at(const struct ordered_list *list, size_t i)
{
    return is_late(list->first + list->rows[i].index * event_layouts[list->table].size, list->table);
}

/* Of the rows at the place of rows[i] the one that counts: the first that the daemon stamped, else the first. */
static size_t chosen_twin(const struct ordered_list *list, size_t i)
{
    while (i > 0 && same_place(&list->rows[i - 1], &list->rows[i]))
        i--;
    size_t own = i;
    while (late_at(list, own))
        if (++own == list->count || !same_place(&list->rows[own], &list->rows[i]))
            return i;
    return own;
}

static bool has_own(const struct ordered_list *list, int64_t at, int64_t mark)
{
    struct ordered key = {at, mark, 0};
    const struct ordered *found = bsearch(&key, list->rows, list->count, sizeof key, compare_ordered);
    return found && !late_at(list, chosen_twin(list, (size_t)(found - list->rows)));
}

/* A row that syslog stamped: known if it is stored, or if the daemon itself stamped it a second earlier. */
static int is_late_copy(struct writer *w, const struct ordered_list *list, const struct ordered *row,
                        struct error *err)
{
    struct event_writer *e = &w->events[list->table];
    int stored = is_stored(w, e, row->at, row->mark, err);
    if (stored != 0)
        return stored;
    if (has_own(list, row->at - 1, row->mark))
        return 1;
    if (late_note(w->late, err) < 0 || (stored = is_stored(w, e, row->at - 1, row->mark, err)) <= 0)
        return stored;
    int late = late_is(w->late, list->table, row->at - 1, row->mark, err);
    return late < 0 ? -1 : !late;
}

/* What syslog stamped a second after the daemon's own row goes, unless the daemon tells that second too. */
static int withdraw_late(struct writer *w, const struct server *server, const struct ordered_list *list,
                         const struct ordered *row, struct error *err)
{
    if (row->at >= w->events[list->table].newest || has_own(list, row->at + 1, row->mark))
        return 0;
    return late_withdraw(w->late, list->table, row->at + 1, row->mark, w->messages, server, w->corrections, err);
}

/* Whether an event is of a time that prune took, or maybe was, since syslog stamped it; a delivery goes with its
   message. */
static bool is_pruned(const struct server *server, const struct ordered_list *list, size_t i)
{
    const void *row = list->first + list->rows[i].index * event_layouts[list->table].size;
    if (server->pruned_before == INT64_MIN)
        return false;
    if (list->table == TABLE_DELIVERY)
        return ((const struct delivery_row *)row)->message == MESSAGE_PRUNED;
    return list->rows[i].at - late_at(list, i) < server->pruned_before;
}

/* Whether the event of rows[i] is known: stored, pruned, or told by another row of the batch.  What the daemon itself
   stamped takes the place of what syslog stamped in that second, and makes what it stamped a second later go. */
static int is_copy(struct writer *w, const struct server *server, const struct ordered_list *list, size_t i,
                   struct error *err)
{
    const struct ordered *row = &list->rows[i];
    struct event_writer *e = &w->events[list->table];
    if (chosen_twin(list, i) != i || is_pruned(server, list, i))
        return 1;
    if (late_at(list, i))
        return is_late_copy(w, list, row, err);
    int stored = is_stored(w, e, row->at, row->mark, err);
    int settled = stored > 0 ? late_settle(w->late, list->table, row->at, row->mark, err) : 0;
    if (stored < 0 || settled < 0)
        return -1;
    if (stored && !settled)
        return 1;
    return withdraw_late(w, server, list, row, err) < 0 ? -1 : stored;
}

/* The new rows of a table in the order of its key; copies are counted. */
static int news_of(struct writer *w, const struct server *server, struct batch *batch, enum event_table table,
                   uint32_t *order, size_t *count, struct error *err)
{
    const struct row_list *list = &batch->events[table];
    size_t row_size = event_layouts[table].size;
    const struct ordered *ordered = ordered_rows(w, list, row_size);
    const struct ordered_list all = {ordered, list->count, list->rows, table};
    int copy = 0;
    *count = 0;
    for (size_t i = 0; i < list->count && copy >= 0; i++) {
        copy = is_copy(w, server, &all, i, err);
        if (copy > 0)
            batch->tallies[tally_of(list->rows + ordered[i].index * row_size, table)].copies++;
        else if (copy == 0)
            order[(*count)++] = ordered[i].index;
    }
    if (*count && copy >= 0 && ordered[list->count - 1].at > w->events[table].newest)
        w->events[table].newest = ordered[list->count - 1].at;
    return copy < 0 ? -1 : 0;
}

/* ---- rows ------------------------------------------------------------------------------------- */

/* Deliveries hold the row of their message, and whether its arrival is still to come. */
static void link_deliveries(const struct messages_joined *joined, struct batch *batch)
{
    struct delivery_row *rows = (struct delivery_row *)(void *)batch->events[TABLE_DELIVERY].rows;
    for (size_t i = 0; i < batch->events[TABLE_DELIVERY].count; i++) {
        rows[i].message = messages_id(joined, rows[i].owner);
        rows[i].orphan = messages_image(joined, rows[i].owner)->received == NUM_ABSENT ? 1 : NUM_ABSENT;
    }
}

static int put_events(struct writer *w, struct sum_job *job, enum event_table table, struct error *err)
{
    struct batch *batch = job->batch;
    size_t *count = &job->count[table];
    job->order[table] =
        grow(job->order[table], &job->capacity[table], batch->events[table].count, sizeof **job->order);
    int done = news_of(w, job->server, batch, table, job->order[table], count, err);
    if (done == 0)
        done = insert_rows(w->events[table].insert, batch->events[table].rows, job->order[table], *count,
                           batch->ids, err);
    w->rows += (int64_t)*count;
    return done;
}

/* ---- tallies and position ---------------------------------------------------------------------- */

static int put_tallies(struct writer *w, const struct batch *batch, struct error *err)
{
    int done = 0;
    for (size_t i = 0; i < batch->tally_count && done == 0; i++) {
        const struct batch_tally *t = &batch->tallies[i];
        sqlite3_bind_int64(w->tally, 1, batch->checkpoint.source);
        sqlite3_bind_text(w->tally, 2, t->dialect, -1, SQLITE_STATIC);
        sqlite3_bind_text(w->tally, 3, t->kind, -1, SQLITE_STATIC);
        sqlite3_bind_text(w->tally, 4, t->program.p ? t->program.p : "", (int)t->program.n, SQLITE_STATIC);
        sqlite3_bind_int64(w->tally, 5, t->lines);
        sqlite3_bind_int64(w->tally, 6, t->copies);
        w->copies += t->copies;
        done = store_step(w->store, w->tally, err);
    }
    return done;
}

static int put_position(struct writer *w, const struct checkpoint *c, struct error *err)
{
    store_bind_int(w->position, 1, c->source);
    store_bind_int(w->position, 2, c->position);
    store_bind_int(w->position, 3, c->lines);
    sqlite3_bind_int64(w->position, 4, (int64_t)c->tail_hash);
    store_bind_int(w->position, 5, c->first_at);
    store_bind_int(w->position, 6, c->last_at);
    store_bind_int(w->position, 7, c->longest_gap);
    store_bind_int(w->position, 8, c->gap_at);
    sqlite3_bind_text(w->position, 9, c->years, -1, SQLITE_STATIC);
    sqlite3_bind_blob(w->position, 10, c->carry.p, (int)c->carry.n, SQLITE_STATIC);
    store_bind_int(w->position, 11, c->year);
    return store_step(w->store, w->position, err);
}

static int put_rows(struct writer *w, struct sum_job *job, struct error *err)
{
    struct batch *batch = job->batch;
    if (strings_resolve(w->strings, batch, err) < 0 || mentions_note(w->mentions, batch, err) < 0 ||
        messages_put(w->messages, job->server, batch, job->joined, w->corrections, err) < 0)
        return -1;
    link_deliveries(job->joined, batch);
    copies_note(w->copies_of, job->server, batch);
    for (int i = 0; i < EVENT_TABLE_COUNT; i++)
        if (put_events(w, job, (enum event_table)i, err) < 0)
            return -1;
    return put_tallies(w, batch, err) < 0 || block_writer_put(w->blocks, batch->checkpoint.source, batch->blocks, err) < 0
               ? -1 : put_position(w, &batch->checkpoint, err);
}

static void count_octets(struct writer *w, int64_t octets)
{
    int64_t before = w->pending;
    w->pending += octets;
    if (store_is_draft(w->store) && before / SYNC_OCTETS < w->pending / SYNC_OCTETS)
        checkpointer_sync(w->checkpointer);
}

/* Once a day is over few of its sums change: they go into their tables while the next day is parsed, not at the end,
   when nothing else is left to do. */
static int put_day(struct writer *w, const struct batch *batch, struct error *err)
{
    if (batch->first_day <= w->day) /* NUM_ABSENT is less than all */
        return 0;
    w->day = batch->first_day;
    summing_wait(w->summing);
    return rollup_flush(w->rollup, w->store, err);
}

int writer_put(struct writer *w, const struct server *server, struct batch *batch, struct batch **summed,
               struct error *err)
{
    struct sum_job *job = &w->jobs[w->turn];
    w->turn = !w->turn;
    job->server = server;
    job->batch = batch;
    memset(job->count, 0, sizeof job->count);
    int done = put_rows(w, job, err) < 0 ? -1 : put_day(w, batch, err);
    count_octets(w, batch->octets);
    *summed = summing_take(w->summing);
    if (done == 0)
        summing_give(w->summing, job);
    return done;
}

struct batch *writer_summed(struct writer *w)
{
    return summing_take(w->summing);
}

int writer_commit(struct writer *w, struct error *err)
{
    summing_wait(w->summing);
    if (copies_join(w->copies_of, w->kinds, w->messages, w->corrections, err) < 0)
        return -1;
    rollup_merge(w->rollup, w->corrections);
    w->pending = 0;
    if (rollup_flush(w->rollup, w->store, err) < 0 || strings_flush(w->strings, err) < 0 ||
        mentions_flush(w->mentions, err) < 0)
        return -1;
    if (w->held)
        return 0;
    if (store_run(w->store, "COMMIT", err) < 0 || store_publish(w->store, err) < 0)
        return -1;
    checkpointer_wake(w->checkpointer);
    if (++w->commits % COMMITS_A_LOG == 0)
        checkpointer_wait(w->checkpointer);
    return store_run(w->store, "BEGIN IMMEDIATE", err);
}

void writer_hold(struct writer *writer, bool hold)
{
    writer->held = hold;
}

bool writer_is_due(const struct writer *writer)
{
    return writer->pending >= (store_is_draft(writer->store) ? DRAFT_OCTETS : COMMIT_OCTETS);
}

int64_t writer_rows(const struct writer *writer)
{
    return writer->rows;
}

int64_t writer_copies(const struct writer *writer)
{
    return writer->copies;
}
