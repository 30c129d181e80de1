/* late.c — finds late rows and takes them back. */
#include "late.h"

#include <stdlib.h>

#include "../base/memory.h"

struct late {
    struct store *store;
    bool any; /* the database holds late rows */
    sqlite3_stmt *find[EVENT_TABLE_COUNT], *delete[EVENT_TABLE_COUNT], *settle[EVENT_TABLE_COUNT];
};

#define AT_MARK_LATE " WHERE at = ?1 AND mark = ?2 AND flags & 16"

/* What the images need, by table; NULL: a table whose rows are never late. */
static const char *const find_sql[EVENT_TABLE_COUNT] = {
    [TABLE_DELIVERY] = DELIVERY_IMAGE_COLUMNS " WHERE d.at = ?1 AND d.mark = ?2 AND d.flags & 16",
    [TABLE_REJECTION] =
        "SELECT w.temporary, w.stage, c.host, c.ip, w.reason, w.reason_class FROM rejection"
        " JOIN cause w ON w.id = rejection.cause LEFT JOIN client c ON c.id = rejection.client" AT_MARK_LATE,
    [TABLE_AUTH_FAILURE] =
        "SELECT service, c.host, c.ip, user, attempts FROM auth_failure"
        " LEFT JOIN client c ON c.id = auth_failure.client" AT_MARK_LATE,
    [TABLE_EVENT] = "SELECT 1 FROM event" AT_MARK_LATE,
};

static int prepare(struct late *late, int table, struct error *err)
{
    if (!find_sql[table])
        return 0;
    char *sql = xprintf("DELETE FROM %s WHERE at = ?1 AND mark = ?2", event_layouts[table].table);
    char *settle = xprintf("UPDATE %s SET flags = nullif(flags & ~16, 0)" AT_MARK_LATE,
                           event_layouts[table].table);
    if ((late->find[table] = store_prepare(late->store, find_sql[table], err)) &&
        (late->delete[table] = store_prepare(late->store, sql, err)))
        late->settle[table] = store_prepare(late->store, settle, err);
    free(sql);
    free(settle);
    return late->settle[table] ? 0 : -1;
}

int late_new(struct store *store, struct late **late, struct error *err)
{
    *late = xcalloc(1, sizeof **late);
    (*late)->store = store;
    sqlite3_stmt *stmt = store_prepare(store, "SELECT 1 FROM meta WHERE name = 'late_rows'", err);
    if (!stmt)
        return -1;
    int found = store_next(store, stmt, err);
    (*late)->any = found > 0;
    sqlite3_finalize(stmt);
    if (found < 0)
        return -1;
    for (int table = 0; table < EVENT_TABLE_COUNT; table++)
        if (prepare(*late, table, err) < 0)
            return -1;
    return 0;
}

void late_free(struct late **late)
{
    if (!*late)
        return;
    for (int table = 0; table < EVENT_TABLE_COUNT; table++) {
        sqlite3_finalize((*late)->find[table]);
        sqlite3_finalize((*late)->delete[table]);
        sqlite3_finalize((*late)->settle[table]);
    }
    free(*late);
    *late = NULL;
}

int late_note(struct late *late, struct error *err)
{
    if (late->any)
        return 0;
    late->any = true;
    return store_run(late->store, "INSERT OR IGNORE INTO meta (name, value) VALUES ('late_rows', 1)", err);
}

static int step_at(struct late *late, sqlite3_stmt *stmt, int64_t at, int64_t mark, struct error *err)
{
    sqlite3_bind_int64(stmt, 1, at);
    sqlite3_bind_int64(stmt, 2, mark);
    int found = store_next(late->store, stmt, err);
    sqlite3_reset(stmt);
    return found;
}

int late_is(struct late *late, enum event_table table, int64_t at, int64_t mark, struct error *err)
{
    return late->any && late->find[table] ? step_at(late, late->find[table], at, mark, err) : 0;
}

int late_settle(struct late *late, enum event_table table, int64_t at, int64_t mark, struct error *err)
{
    if (!late->any || !late->settle[table])
        return 0;
    int done = step_at(late, late->settle[table], at, mark, err);
    return done < 0 ? -1 : sqlite3_changes(store_db(late->store)) > 0;
}

static int take_back_delivery(sqlite3_stmt *row, struct messages *messages, const struct server *server,
                              struct rollup *rollup, struct error *err)
{
    struct message_image m;
    int64_t id;
    struct delivery_image d = messages_delivery_image(row);
    if (messages_load(messages, sqlite3_column_int64(row, 10), &m, &id, err) < 0)
        return -1;
    m.server = server;
    rollup_delivery(rollup, &d, &m, -1);
    return 0;
}

static void take_back_rejection(sqlite3_stmt *row, int64_t at, const struct server *server,
                                struct rollup *rollup)
{
    struct rejection_image r = {.server = server, .at = at, .temporary = sqlite3_column_int(row, 0) != 0,
                                .stage = sqlite3_column_int64(row, 1), .host = sqlite3_column_int64(row, 2),
                                .ip = sqlite3_column_int64(row, 3), .reason = sqlite3_column_int64(row, 4),
                                .reason_class = sqlite3_column_int64(row, 5)};
    rollup_rejection(rollup, &r, -1);
}

static void take_back_auth_failure(sqlite3_stmt *row, int64_t at, const struct server *server,
                                   struct rollup *rollup)
{
    struct auth_failure_image a = {.server = server, .at = at, .service = sqlite3_column_int64(row, 0),
                                   .host = sqlite3_column_int64(row, 1), .ip = sqlite3_column_int64(row, 2),
                                   .user = sqlite3_column_int64(row, 3),
                                   .attempts = sqlite3_column_int64(row, 4)};
    rollup_auth_failure(rollup, &a, -1);
}

int late_withdraw(struct late *late, enum event_table table, int64_t at, int64_t mark,
                  struct messages *messages, const struct server *server, struct rollup *rollup,
                  struct error *err)
{
    sqlite3_stmt *find = late->find[table], *delete = late->delete[table];
    if (!late->any || !find)
        return 0;
    sqlite3_bind_int64(find, 1, at);
    sqlite3_bind_int64(find, 2, mark);
    int code = sqlite3_step(find), done = 0;
    if (code == SQLITE_ROW && table == TABLE_DELIVERY)
        done = take_back_delivery(find, messages, server, rollup, err);
    else if (code == SQLITE_ROW && table == TABLE_REJECTION)
        take_back_rejection(find, at, server, rollup);
    else if (code == SQLITE_ROW && table == TABLE_AUTH_FAILURE)
        take_back_auth_failure(find, at, server, rollup);
    sqlite3_reset(find);
    if (done < 0 || code == SQLITE_DONE)
        return done;
    sqlite3_bind_int64(delete, 1, at);
    sqlite3_bind_int64(delete, 2, mark);
    code = sqlite3_step(delete);
    sqlite3_reset(delete);
    return code == SQLITE_DONE ? 1 : store_error(late->store, err);
}
