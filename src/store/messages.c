/* messages.c — join, update, correct. */
#include "messages.h"

#include <stdlib.h>

#include "../../parsers/dialect.h"
#include "../base/heads.h"
#include "../base/memory.h"
#include "../ingest/batch.h"
#include "insert.h"

/* A message as it is known: in the database before, and with the batch now. */
struct joined {
    struct message_image was, is;
    int64_t id;
    bool known;           /* the database had a row */
    bool takes_arrival;   /* the batch's arrival is the one that counts */
    bool takes_completed;
    int64_t at, arrival_mark, frozen, thawed, removed;
    int64_t was_at;
};

struct messages_joined {
    struct joined *all; /* by the batch's index */
    size_t capacity;
};

struct messages {
    struct store *store;
    sqlite3_stmt *find, *find_by_id, *set_arrival, *set_state, *orphans, *adopt, *all_deliveries;
    struct insert *insert;
    int64_t next_id;
    char newest_id[32];    /* greatest exim id stored: what is greater is new */
};

#define FIND_COLUMNS                                                                               \
    "SELECT m.id, at, received, arrival_mark, size, flags, c.host, c.ip, sender, local_user,"      \
    "       copy_of IS NOT NULL, delayed, failed, remote, completed, frozen, thawed, removed,"     \
    "       auth IS NOT NULL, server FROM message m LEFT JOIN client c ON c.id = m.client "

static const char set_arrival_sql[] =
    "UPDATE message SET received = ?2, received_ms = ?3, arrival_mark = ?4, arrival_source = ?5,"
    "  sender = ?6, client = ?7, protocol = ?8, auth = ?9, auth_id = ?10, local_user = ?11, tls = ?12,"
    "  size = ?13, subject = ?14, message_id = ?15, recipients = ?16, parent = ?17, copy_of = ?18 WHERE id = ?1";

static const char set_state_sql[] =
    "UPDATE message SET at = ?2, received = ?14, flags = ?3, delayed = ?4, failed = ?5, remote = ?6,"
    "  frozen = ?7, thawed = ?8, removed = ?9,"
    "  completed = coalesce(?10, completed),"
    "  completed_ms = CASE WHEN ?10 IS NULL THEN completed_ms ELSE ?11 END,"
    "  completed_source = CASE WHEN ?10 IS NULL THEN completed_source ELSE ?12 END,"
    "  queue_ms = CASE WHEN ?10 IS NULL THEN queue_ms ELSE ?13 END WHERE id = ?1";

#define DELIVERY_IMAGE_SQL DELIVERY_IMAGE_COLUMNS " WHERE d.message = ?1"

static int prepare_all(struct messages *m, struct error *err)
{
    const struct { sqlite3_stmt **stmt; const char *sql; } all[] = {
        {&m->find, FIND_COLUMNS "WHERE exim_id = ?1 AND server = ?2"},
        {&m->find_by_id, FIND_COLUMNS "WHERE m.id = ?1"},
        {&m->set_arrival, set_arrival_sql},
        {&m->set_state, set_state_sql},
        {&m->orphans, DELIVERY_IMAGE_SQL " AND d.orphan = 1"},
        {&m->adopt, "UPDATE delivery SET orphan = NULL WHERE at = ?1 AND mark = ?2"},
        {&m->all_deliveries, DELIVERY_IMAGE_SQL " AND d.at >= ?2"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!(*all[i].stmt = store_prepare(m->store, all[i].sql, err)))
            return -1;
    return 0;
}

static int find_limits(struct messages *m, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        m->store, "SELECT coalesce(max(id), 0), (SELECT max(exim_id) FROM message) FROM message", err);
    if (!stmt)
        return -1;
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(m->store, err);
    m->next_id = sqlite3_column_int64(stmt, 0) + 1;
    const char *newest = (const char *)sqlite3_column_text(stmt, 1);
    if (newest)
        strncpy(m->newest_id, newest, sizeof m->newest_id - 1);
    sqlite3_finalize(stmt);
    return done;
}

int messages_new(struct store *store, struct messages **messages, struct error *err)
{
    struct messages *m = xcalloc(1, sizeof *m);
    m->store = store;
    *messages = m;
    return insert_new(store, &message_layout, &m->insert, err) < 0 || prepare_all(m, err) < 0 ||
           find_limits(m, err) < 0 ? -1 : 0;
}

void messages_free(struct messages **messages)
{
    struct messages *m = *messages;
    if (!m)
        return;
    sqlite3_stmt *const all[] = {m->find, m->find_by_id, m->set_arrival, m->set_state,
                                 m->orphans, m->adopt, m->all_deliveries};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sqlite3_finalize(all[i]);
    insert_free(&m->insert);
    free(m);
    *messages = NULL;
}

struct messages_joined *messages_joined_new(void)
{
    return xcalloc(1, sizeof(struct messages_joined));
}

void messages_joined_free(struct messages_joined **joined)
{
    if (!*joined)
        return;
    free((*joined)->all);
    free(*joined);
    *joined = NULL;
}

const struct message_image *messages_image(const struct messages_joined *joined, size_t index)
{
    return &joined->all[index].is;
}

int64_t messages_id(const struct messages_joined *joined, size_t index)
{
    return joined->all[index].id;
}

bool messages_is_new(const struct messages_joined *joined, size_t index)
{
    return !joined->all[index].known;
}

/* ---- reading what was known -------------------------------------------------------------------- */

static int64_t column(sqlite3_stmt *stmt, int i)
{
    return sqlite3_column_type(stmt, i) == SQLITE_NULL ? NUM_ABSENT : sqlite3_column_int64(stmt, i);
}

static void read_known(struct joined *j, sqlite3_stmt *row)
{
    j->known = true;
    j->id = sqlite3_column_int64(row, 0);
    j->at = j->was_at = sqlite3_column_int64(row, 1);
    j->arrival_mark = column(row, 3);
    j->was.received = column(row, 2);
    j->was.size = column(row, 4);
    j->was.flags = sqlite3_column_int64(row, 5);
    j->was.host = sqlite3_column_int64(row, 6);
    j->was.ip = sqlite3_column_int64(row, 7);
    j->was.sender = sqlite3_column_int64(row, 8);
    j->was.local_user = sqlite3_column_int64(row, 9);
    j->was.is_copy = sqlite3_column_int(row, 10);
    j->was.delayed = sqlite3_column_int(row, 11);
    j->was.failed = sqlite3_column_int(row, 12);
    j->was.remote = sqlite3_column_int(row, 13);
    j->was.completed = column(row, 14);
    j->frozen = column(row, 15);
    j->thawed = column(row, 16);
    j->removed = column(row, 17);
    j->was.authenticated = sqlite3_column_int(row, 18);
}

static int find_known(struct messages *m, struct joined *j, const struct message_row *row, struct error *err)
{
    sqlite3_bind_text(m->find, 1, row->exim_id.p, (int)row->exim_id.n, SQLITE_STATIC);
    sqlite3_bind_int64(m->find, 2, row->server);
    int found = store_next(m->store, m->find, err);
    if (found > 0)
        read_known(j, m->find);
    sqlite3_reset(m->find);
    return found < 0 ? -1 : 0;
}

static bool is_newer(const struct messages *m, struct slice exim_id)
{
    size_t n = strlen(m->newest_id);
    int order = memcmp(exim_id.p, m->newest_id, exim_id.n < n ? exim_id.n : n);
    return order > 0 || (order == 0 && exim_id.n > n);
}

int messages_load(struct messages *m, int64_t id, struct message_image *image, int64_t *server,
                  struct error *err)
{
    struct joined j = {.arrival_mark = NUM_ABSENT};
    sqlite3_bind_int64(m->find_by_id, 1, id);
    int code = sqlite3_step(m->find_by_id);
    if (code == SQLITE_ROW) {
        read_known(&j, m->find_by_id);
        *server = sqlite3_column_int64(m->find_by_id, 19);
    }
    sqlite3_reset(m->find_by_id);
    *image = j.was;
    return code == SQLITE_ROW ? 0 : store_error(m->store, err);
}

struct delivery_image messages_delivery_image(sqlite3_stmt *row)
{
    return (struct delivery_image){
        .at = sqlite3_column_int64(row, 0),
        .kind = sqlite3_column_int64(row, 2),
        .recipient = sqlite3_column_int64(row, 3),
        .transport = sqlite3_column_int64(row, 4),
        .host = sqlite3_column_int64(row, 5),
        .ip = sqlite3_column_int64(row, 6),
        .reason = sqlite3_column_int64(row, 7),
        .reason_class = sqlite3_column_int64(row, 8),
        .rewritten = sqlite3_column_int(row, 9),
    };
}

/* ---- joining ----------------------------------------------------------------------------------- */

static void join_arrival(struct joined *j, const struct message_row *row, struct batch *batch)
{
    const int64_t of_arrival = MESSAGE_FAKEREJECT | ROW_AMBIGUOUS | MESSAGE_UNJOINED;
    if (row->received == NUM_ABSENT)
        return;
    if (same_second(j->is.received, row->received) && j->arrival_mark == row->arrival_mark) {
        batch->tallies[row->arrival_tally].copies += row->arrivals;
        if (row->received < j->is.received)
            j->is.received = row->received;
        return;
    }
    bool first = j->is.received == NUM_ABSENT;
    if (!first)
        j->is.flags |= MESSAGE_AMBIGUOUS_ARRIVAL;
    j->takes_arrival = first || j->is.received < row->received ||
                       (j->is.received == row->received && j->arrival_mark < row->arrival_mark);
    if (!j->takes_arrival)
        return;
    j->is.received = row->received;
    j->arrival_mark = row->arrival_mark;
    j->is.size = row->size;
    j->is.flags = (j->is.flags & ~of_arrival) | (row->flags & of_arrival);
    const struct client_row *client = batch_common_row(batch, COMMON_CLIENT, row->client);
    j->is.host = client ? batch_id(batch, client->host) : 0;
    j->is.ip = client ? batch_id(batch, client->ip) : 0;
    j->is.sender = batch_id(batch, row->sender);
    j->is.local_user = batch_id(batch, row->local_user);
    j->is.authenticated = row->auth != 0;
    j->is.is_copy = row->copy_of.p != NULL;
}

static void join_completed(struct joined *j, const struct message_row *row, struct batch *batch)
{
    if (row->completed == NUM_ABSENT)
        return;
    bool same = same_second(j->is.completed, row->completed);
    if (same)
        batch->tallies[row->completed_tally].copies += row->completions;
    j->takes_completed = j->is.completed == NUM_ABSENT ||
                         (same ? row->completed < j->is.completed : row->completed > j->is.completed);
    if (j->takes_completed)
        j->is.completed = row->completed;
}

static int64_t latest(int64_t a, int64_t b) /* NUM_ABSENT is the least of all numbers */
{
    return a > b ? a : b;
}

static void join(struct joined *j, const struct message_row *row, struct batch *batch)
{
    j->is = j->was;
    join_arrival(j, row, batch);
    join_completed(j, row, batch);
    j->is.flags |= row->flags & (MESSAGE_AMBIGUOUS_ARRIVAL | MESSAGE_RETRACTED);
    j->is.delayed |= row->delayed != 0;
    j->is.failed |= row->failed != 0;
    j->is.remote |= row->remote != 0;
    j->frozen = latest(j->frozen, row->frozen);
    j->thawed = latest(j->thawed, row->thawed);
    j->removed = latest(j->removed, row->removed);
    if (j->is.received != NUM_ABSENT)
        j->at = j->is.received;
    else if (!j->known || row->at < j->at)
        j->at = row->at;
}

/* ---- storing ----------------------------------------------------------------------------------- */

static void bind_slice(sqlite3_stmt *stmt, int i, struct slice text)
{
    if (text.p)
        sqlite3_bind_text(stmt, i, text.p, (int)text.n, SQLITE_STATIC);
    else
        sqlite3_bind_null(stmt, i);
}

static int store_arrival(struct messages *m, const struct joined *j, const struct message_row *row,
                         const struct batch *batch, struct error *err)
{
    const uint32_t refs[] = {row->sender, row->client, row->protocol, row->auth, row->auth_id, row->local_user,
                             row->tls};
    sqlite3_stmt *stmt = m->set_arrival;
    store_bind_int(stmt, 1, j->id);
    store_bind_int(stmt, 2, row->received);
    store_bind_int(stmt, 3, row->received_ms);
    store_bind_int(stmt, 4, row->arrival_mark);
    store_bind_int(stmt, 5, row->arrival_source);
    for (int i = 0; i < 7; i++)
        store_bind_int(stmt, 6 + i, refs[i] ? batch_id(batch, refs[i]) : NUM_ABSENT);
    store_bind_int(stmt, 13, row->size);
    bind_slice(stmt, 14, row->subject);
    bind_slice(stmt, 15, row->message_id);
    bind_slice(stmt, 16, row->recipients);
    bind_slice(stmt, 17, row->parent);
    bind_slice(stmt, 18, row->copy_of);
    return store_step(m->store, stmt, err);
}

static int store_state(struct messages *m, const struct joined *j, const struct message_row *row,
                       struct error *err)
{
    sqlite3_stmt *stmt = m->set_state;
    store_bind_int(stmt, 1, j->id);
    store_bind_int(stmt, 2, j->at);
    store_bind_int(stmt, 3, j->is.flags);
    store_bind_int(stmt, 4, j->is.delayed);
    store_bind_int(stmt, 5, j->is.failed);
    store_bind_int(stmt, 6, j->is.remote);
    store_bind_int(stmt, 7, j->frozen);
    store_bind_int(stmt, 8, j->thawed);
    store_bind_int(stmt, 9, j->removed);
    store_bind_int(stmt, 10, j->takes_completed ? row->completed : NUM_ABSENT);
    store_bind_int(stmt, 11, row->completed_ms);
    store_bind_int(stmt, 12, row->completed_source);
    store_bind_int(stmt, 13, row->queue_ms);
    store_bind_int(stmt, 14, j->is.received);
    return store_step(m->store, stmt, err);
}

static int adopt(struct messages *m, sqlite3_stmt *row, struct error *err)
{
    sqlite3_bind_int64(m->adopt, 1, sqlite3_column_int64(row, 0));
    sqlite3_bind_int64(m->adopt, 2, sqlite3_column_int64(row, 1));
    return store_step(m->store, m->adopt, err);
}

/* The arrival changed under deliveries that are stored already: takes their old images back and adds the new.
   Deliveries without an arrival so far are found by their index; those of an arrival that a later one
   replaces, which hardly ever happens, by a walk from the earlier of the two. */
static int correct_deliveries(struct messages *m, struct joined *j, struct rollup *rollup, struct error *err)
{
    bool orphans = j->was.received == NUM_ABSENT;
    sqlite3_stmt *stmt = orphans ? m->orphans : m->all_deliveries;
    sqlite3_bind_int64(stmt, 1, j->id);
    if (!orphans)
        sqlite3_bind_int64(stmt, 2, (j->was.received < j->is.received ? j->was.received : j->is.received) -
                                        86400);
    int code, done = 0;
    while (done == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct delivery_image image = messages_delivery_image(stmt);
        rollup_delivery(rollup, &image, &j->was, -1);
        rollup_delivery(rollup, &image, &j->is, 1);
        if (orphans)
            done = adopt(m, stmt, err);
    }
    if (done == 0 && code != SQLITE_DONE)
        done = store_error(m->store, err);
    sqlite3_reset(stmt);
    return done;
}

static bool same_image(const struct message_image *a, const struct message_image *b)
{
    return a->received == b->received && a->completed == b->completed && a->size == b->size &&
           a->flags == b->flags && a->host == b->host && a->ip == b->ip && a->sender == b->sender &&
           a->local_user == b->local_user && a->is_copy == b->is_copy && a->delayed == b->delayed &&
           a->failed == b->failed && a->remote == b->remote;
}

static int store_known(struct messages *m, struct joined *j, const struct message_row *row,
                       const struct batch *batch, struct rollup *rollup, struct error *err)
{
    if (j->takes_arrival && (store_arrival(m, j, row, batch, err) < 0 ||
                             correct_deliveries(m, j, rollup, err) < 0))
        return -1;
    if (!same_image(&j->was, &j->is)) {
        rollup_message(rollup, &j->was, -1);
        rollup_message(rollup, &j->is, 1);
    }
    return store_state(m, j, row, err);
}

static void make_new(struct messages *m, struct joined *j, struct message_row *row)
{
    j->id = row->id = m->next_id++;
    row->at = j->at;
    if (is_newer(m, row->exim_id)) {
        memcpy(m->newest_id, row->exim_id.p, row->exim_id.n);
        m->newest_id[row->exim_id.n] = 0;
    }
}

/* The first octets of an id as a number of the same order. */
static uint64_t head_of(struct slice exim_id)
{
    uint64_t head = 0;
    for (size_t i = 0; i < sizeof head; i++)
        head = head << 8 | (i < exim_id.n ? (unsigned char)exim_id.p[i] : 0);
    return head;
}

static int compare_ids(const void *context, uint32_t a, uint32_t b)
{
    const struct batch *batch = context;
    struct slice x = batch_message(batch, a)->exim_id, y = batch_message(batch, b)->exim_id;
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

static struct headed *sorted_by_id(const struct batch *batch)
{
    size_t count = batch->messages.count;
    struct headed *sorted = xmalloc(count * sizeof *sorted);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = (struct headed){head_of(batch_message(batch, i)->exim_id), i};
    heads_sort(sorted, count, compare_ids, batch);
    return sorted;
}

/* For each message of the batch whether anything of it is of a time that is kept; NULL: it is, of all. */
static bool *kept_messages(const struct server *server, const struct batch *batch)
{
    const struct row_list *list = &batch->events[TABLE_DELIVERY];
    const struct delivery_row *rows = (const void *)list->rows;
    if (server->pruned_before == INT64_MIN)
        return NULL;
    bool *kept = xcalloc(batch->messages.count + 1, sizeof *kept);
    for (uint32_t i = 0; i < batch->messages.count; i++) {
        const struct message_row *m = batch_message(batch, i);
        int64_t last = latest(latest(m->at, m->received), m->completed);
        kept[i] = latest(last, latest(m->removed, latest(m->frozen, m->thawed))) >= server->pruned_before;
    }
    for (size_t i = 0; i < list->count; i++)
        kept[rows[i].owner] |= rows[i].at >= server->pruned_before;
    return kept;
}

/* Taken for one that was pruned: not stored, nor summed, and its lines are copies. */
static void leave_out(struct joined *j, const struct message_row *row, struct batch *batch)
{
    j->is = j->was;
    j->id = MESSAGE_PRUNED;
    j->known = true;
    if (row->arrivals)
        batch->tallies[row->arrival_tally].copies += row->arrivals;
    if (row->completions)
        batch->tallies[row->completed_tally].copies += row->completions;
}

static int put_one(struct messages *m, const struct server *server, struct batch *batch, uint32_t index,
                   bool kept, struct joined *j, struct rollup *corrections, struct error *err)
{
    struct message_row *row = batch_message(batch, index);
    *j = (struct joined){.arrival_mark = NUM_ABSENT, .frozen = NUM_ABSENT, .thawed = NUM_ABSENT,
                         .removed = NUM_ABSENT};
    j->was = (struct message_image){.server = server, .id_second = exim_id_second(row->exim_id),
                                    .received = NUM_ABSENT, .completed = NUM_ABSENT, .size = NUM_ABSENT};
    if (!is_newer(m, row->exim_id) && find_known(m, j, row, err) < 0)
        return -1;
    if (!j->known && !kept) {
        leave_out(j, row, batch);
        return 0;
    }
    join(j, row, batch);
    if (j->known)
        return store_known(m, j, row, batch, corrections, err);
    make_new(m, j, row);
    return 0;
}

int messages_put(struct messages *m, const struct server *server, struct batch *batch,
                 struct messages_joined *joined, struct rollup *corrections, struct error *err)
{
    size_t count = batch->messages.count, new_count = 0;
    joined->all = grow(joined->all, &joined->capacity, count, sizeof *joined->all);
    struct headed *sorted = sorted_by_id(batch);
    uint32_t *order = xmalloc(count * sizeof *order);
    bool *kept = kept_messages(server, batch);
    int done = 0;
    for (size_t i = 0; i < count && done == 0; i++) {
        struct joined *j = &joined->all[sorted[i].index];
        done = put_one(m, server, batch, sorted[i].index, !kept || kept[sorted[i].index], j, corrections, err);
        if (!j->known)
            order[new_count++] = sorted[i].index;
    }
    if (done == 0)
        done = insert_rows(m->insert, batch->messages.rows, order, new_count, batch->ids, err);
    free(kept);
    free(order);
    free(sorted);
    return done;
}
