/* prune.c — walks through tables in the order of time, then through sources; then the file's end moves forward. */
#include "prune.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "../base/memory.h"
#include "../ingest/archive.h"
#include "mentions.h"

#define ROWS_AT_ONCE 10000
#define BLOCKS_AT_ONCE "64"
#define PAGES_AT_ONCE "1024"

/* A message m of server v that is done, and whose last sign is so old that a line that syslog stamped a second late is
   old too. */
#define DONE                                                                                       \
    "m.at < v.pruned_before - 1"                                                                   \
    " AND (m.completed IS NOT NULL OR m.removed IS NOT NULL OR m.received IS NULL OR m.flags & 4)" \
    " AND max(coalesce(m.completed, m.at), coalesce(m.removed, m.at), coalesce(m.frozen, m.at),"   \
    "         coalesce(m.thawed, m.at)) < v.pruned_before - 1"

#define OLD "at < (SELECT v.pruned_before FROM server v WHERE v.id = server)"

/* A table's rows in the order of at and key, and which of them go. */
struct walk {
    const char *table, *key, *where;
    enum event_table rows; /* where they are counted; EVENT_TABLE_COUNT: as messages */
};

/* Deliveries go before their messages, and what a message says on its way before it, so that none is without it. */
static const struct walk walks[] = {
    {"delivery", "mark", "message NOT IN (SELECT id FROM temp.kept) AND EXISTS (SELECT 1 FROM message m"
                         " JOIN server v ON v.id = m.server WHERE m.id = delivery.message AND " DONE ")", TABLE_DELIVERY},
    {"message", "id", "id NOT IN (SELECT id FROM temp.kept) AND id IN (SELECT m.id FROM message m"
                      " JOIN server v ON v.id = m.server WHERE m.id = message.id AND " DONE ")", EVENT_TABLE_COUNT},
    {"event", "mark", OLD " AND NOT EXISTS (SELECT 1 FROM message m WHERE m.exim_id = event.message"
                      " AND m.server = event.server)", TABLE_EVENT},
    {"rejection", "mark", OLD, TABLE_REJECTION},
    {"auth_failure", "mark", OLD, TABLE_AUTH_FAILURE},
    {"session_line", "mark", OLD, TABLE_SESSION_LINE},
    {"scan_line", "mark", OLD, TABLE_SCAN_LINE},
    {"unparsed_line", "mark", OLD, TABLE_UNPARSED_LINE},
};

struct place {
    int64_t at, key;
};

/* One number of a query; 0 where there is none. */
static int read_number(struct store *store, const char *sql, int64_t *value, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, sql, err);
    if (!stmt)
        return -1;
    int found = store_next(store, stmt, err);
    *value = found > 0 ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    return found < 0 ? -1 : 0;
}

/* Copies what was committed from the write-ahead log, as far as readers let it, so that the log begins anew. */
static void checkpoint(struct store *store)
{
    sqlite3_wal_checkpoint_v2(store_db(store), "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* ---- facts ------------------------------------------------------------------------------------- */

static int set_limit(struct store *store, const struct prune_limit *limit, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        store, "UPDATE server SET pruned_before = max(coalesce(pruned_before, ?2), ?2)"
               " WHERE id = ?1 AND ?2 > (SELECT min(s.first_at) FROM source s WHERE s.server = ?1)", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, limit->server);
    sqlite3_bind_int64(stmt, 2, limit->facts);
    int done = store_step(store, stmt, err);
    sqlite3_finalize(stmt);
    return done;
}

/* Messages that are done, but have a delivery of a time that is kept: they stay.  They are few; should they not be, a
   file keeps them. */
static int find_kept(struct store *store, struct error *err)
{
    int64_t newest = 0;
    if (store_run(store, "PRAGMA temp_store = file; CREATE TEMP TABLE kept (id INTEGER PRIMARY KEY)", err) < 0 ||
        read_number(store, "SELECT max(m.id) FROM message m JOIN server v ON v.id = m.server"
                           " WHERE m.at < (SELECT max(pruned_before) FROM server) AND " DONE, &newest, err) < 0)
        return -1;
    if (!newest)
        return 0;
    char *sql = xprintf("INSERT OR IGNORE INTO temp.kept SELECT d.message FROM delivery d CROSS JOIN message m"
                        " CROSS JOIN server v WHERE d.at >= (SELECT min(pruned_before) - 1 FROM server)"
                        " AND d.message <= %lld AND m.id = d.message AND v.id = m.server AND d.at >= v.pruned_before - 1"
                        " AND " DONE, (long long)newest);
    int done = store_run(store, sql, err);
    free(sql);
    return done;
}

static sqlite3_stmt *prepare_bound(struct store *store, const struct walk *walk, struct error *err)
{
    char *sql = xprintf("SELECT at, %s FROM %s WHERE (at, %s) > (?1, ?2) AND at < ?3 ORDER BY at, %s LIMIT 1 OFFSET %d",
                        walk->key, walk->table, walk->key, walk->key, ROWS_AT_ONCE - 1);
    sqlite3_stmt *stmt = store_prepare(store, sql, err);
    free(sql);
    return stmt;
}

static sqlite3_stmt *prepare_delete(struct store *store, const struct walk *walk, struct error *err)
{
    char *sql = xprintf("DELETE FROM %s WHERE (at, %s) > (?1, ?2) AND (at, %s) <= (?3, ?4) AND %s", walk->table,
                        walk->key, walk->key, walk->where);
    sqlite3_stmt *stmt = store_prepare(store, sql, err);
    free(sql);
    return stmt;
}

/* The last row of the next chunk.  1: there is one; 0: fewer rows are left, and *to is behind them all. */
static int find_bound(struct store *store, sqlite3_stmt *stmt, const struct place *from, int64_t limit,
                      struct place *to, struct error *err)
{
    sqlite3_bind_int64(stmt, 1, from->at);
    sqlite3_bind_int64(stmt, 2, from->key);
    sqlite3_bind_int64(stmt, 3, limit);
    int found = store_next(store, stmt, err);
    *to = found > 0 ? (struct place){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1)}
                    : (struct place){limit - 1, INT64_MAX};
    sqlite3_reset(stmt);
    return found;
}

static int delete_chunk(struct store *store, sqlite3_stmt *stmt, const struct place *from, const struct place *to,
                        int64_t *deleted, struct error *err)
{
    sqlite3_bind_int64(stmt, 1, from->at);
    sqlite3_bind_int64(stmt, 2, from->key);
    sqlite3_bind_int64(stmt, 3, to->at);
    sqlite3_bind_int64(stmt, 4, to->key);
    if (store_step(store, stmt, err) < 0)
        return -1;
    *deleted += sqlite3_changes(store_db(store));
    checkpoint(store);
    return 0;
}

static int walk_table(struct store *store, const struct walk *walk, int64_t limit, int64_t *deleted, struct error *err)
{
    struct place from = {INT64_MIN, INT64_MIN}, to;
    sqlite3_stmt *bound = prepare_bound(store, walk, err);
    sqlite3_stmt *delete = bound ? prepare_delete(store, walk, err) : NULL;
    int more = delete ? 1 : -1;
    while (more > 0) {
        more = find_bound(store, bound, &from, limit, &to, err);
        if (more >= 0 && delete_chunk(store, delete, &from, &to, deleted, err) < 0)
            more = -1;
        from = to;
    }
    sqlite3_finalize(bound);
    sqlite3_finalize(delete);
    return more;
}

/* Mentions of days of which no row is left, of no server; day by day. */
static int prune_mentions(struct store *store, struct error *err)
{
    int64_t day, end;
    if (read_number(store, "SELECT min(coalesce(pruned_before, 0)) / 86400 FROM server", &end, err) < 0)
        return -1;
    char *next = xprintf(
        "WITH day (day) AS (SELECT min(place) >> %d FROM mention UNION ALL SELECT (SELECT min(place) >> %d FROM mention"
        "   WHERE place >= (day + 1) << %d) FROM day WHERE day IS NOT NULL)"
        " SELECT day FROM day WHERE day < %lld AND NOT EXISTS (SELECT 1 FROM message"
        "   WHERE at BETWEEN day * 86400 AND day * 86400 + 86399)"
        "  AND NOT EXISTS (SELECT 1 FROM delivery WHERE at BETWEEN day * 86400 AND day * 86400 + 86399)"
        "  AND NOT EXISTS (SELECT 1 FROM event WHERE at BETWEEN day * 86400 AND day * 86400 + 86399) LIMIT 1",
        MENTION_DAY_BITS, MENTION_DAY_BITS, MENTION_DAY_BITS, (long long)end);
    int done;
    while ((done = read_number(store, next, &day, err)) == 0 && day) {
        char *sql = xprintf("DELETE FROM mention WHERE place BETWEEN %lld << %d AND (%lld << %d) - 1;"
                            "DELETE FROM id_mention WHERE place BETWEEN %lld << %d AND (%lld << %d) - 1",
                            (long long)day, MENTION_DAY_BITS, (long long)day + 1, MENTION_DAY_BITS, (long long)day,
                            ID_MENTION_DAY_BITS, (long long)day + 1, ID_MENTION_DAY_BITS);
        done = store_run(store, sql, err);
        free(sql);
        if (done < 0)
            break;
    }
    free(next);
    return done;
}

static int prune_facts(struct store *store, const struct prune_limit *limits, size_t count, struct pruned *pruned,
                       struct error *err)
{
    int64_t limit = 0;
    int done = 0;
    bool any = false;
    for (size_t i = 0; i < count && done == 0; i++) {
        any = any || limits[i].facts != INT64_MIN;
        done = limits[i].facts == INT64_MIN ? 0 : set_limit(store, &limits[i], err);
    }
    if (done < 0 || !any || read_number(store, "SELECT max(pruned_before) FROM server", &limit, err) < 0)
        return done < 0 || any ? -1 : 0;
    if (!limit)
        return 0;
    done = find_kept(store, err);
    for (size_t i = 0; i < sizeof walks / sizeof *walks && done == 0; i++)
        done = walk_table(store, &walks[i], limit,
                          walks[i].rows == EVENT_TABLE_COUNT ? &pruned->messages : &pruned->rows[walks[i].rows], err);
    return done < 0 ? -1 : prune_mentions(store, err);
}

/* ---- lines ------------------------------------------------------------------------------------- */

/* The blocks that go are those before the first that has a line of a time that is kept; nor is a line parted that lies
   in several blocks.  Answers ends of blocks: octets of the source. */
static const char chunk_sql[] =
    "WITH old AS (SELECT max(position + octets) AS end FROM line_block WHERE source = ?1 AND octets < ?3"
    "  AND position + octets <= coalesce((SELECT min(position) FROM line_block WHERE source = ?1 AND last_at >= ?2),"
    "                                    9223372036854775807)) "
    "SELECT max(end), sum(lines), sum(octets), count(*) FROM (SELECT position + octets AS end, lines, octets"
    "  FROM line_block WHERE source = ?1 AND position + octets <= (SELECT end FROM old)"
    "  ORDER BY line, position LIMIT " BLOCKS_AT_ONCE ")";

static int delete_blocks(struct store *store, int64_t source, int64_t end, int64_t lines, int64_t octets,
                         struct error *err)
{
    struct error ignored;
    char *sql = xprintf("BEGIN IMMEDIATE; UPDATE source SET pruned_lines = pruned_lines + %lld,"
                        "  pruned_octets = pruned_octets + %lld WHERE id = %lld;"
                        "DELETE FROM line_block WHERE source = %lld AND position < %lld; COMMIT", (long long)lines,
                        (long long)octets, (long long)source, (long long)source, (long long)end);
    int done = store_run(store, sql, err);
    free(sql);
    if (!sqlite3_get_autocommit(store_db(store)))
        store_run(store, "ROLLBACK", &ignored);
    checkpoint(store);
    return done;
}

/* 1: some blocks of the source went; 0: no more are to go. */
static int prune_some(struct store *store, sqlite3_stmt *chunk, int64_t source, struct pruned *pruned, struct error *err)
{
    sqlite3_bind_int64(chunk, 1, source);
    int code = sqlite3_step(chunk);
    int64_t end = sqlite3_column_int64(chunk, 0), lines = sqlite3_column_int64(chunk, 1);
    int64_t octets = sqlite3_column_int64(chunk, 2), blocks = sqlite3_column_int64(chunk, 3);
    sqlite3_reset(chunk);
    if (code != SQLITE_ROW)
        return store_error(store, err);
    if (!blocks)
        return 0;
    pruned->blocks += blocks;
    pruned->lines += lines;
    pruned->octets += octets;
    return delete_blocks(store, source, end, lines, octets, err) < 0 ? -1 : 1;
}

/* The sources that have lines of before a second, the caller's to free. */
static int find_old(struct store *store, const struct prune_limit *limit, int64_t **ids, size_t *count, struct error *err)
{
    size_t capacity = 0;
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT DISTINCT b.source FROM line_block b JOIN source s ON s.id = b.source"
               " WHERE b.last_at < ?2 AND s.server = ?1", err);
    int code = SQLITE_DONE;
    *ids = NULL;
    *count = 0;
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, limit->server);
    sqlite3_bind_int64(stmt, 2, limit->lines);
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        *ids = grow(*ids, &capacity, *count + 1, sizeof **ids);
        (*ids)[(*count)++] = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : store_error(store, err);
}

static int prune_lines(struct store *store, const struct prune_limit *limit, struct pruned *pruned, struct error *err)
{
    int64_t *ids = NULL;
    size_t count = 0;
    if (limit->lines == INT64_MIN)
        return 0;
    int more = find_old(store, limit, &ids, &count, err);
    sqlite3_stmt *chunk = more == 0 ? store_prepare(store, chunk_sql, err) : NULL;
    if (chunk) {
        sqlite3_bind_int64(chunk, 2, limit->lines);
        sqlite3_bind_int64(chunk, 3, (int64_t)BLOCK_MAX);
    } else {
        more = -1;
    }
    for (size_t i = 0; i < count && more >= 0; i++)
        while ((more = prune_some(store, chunk, ids[i], pruned, err)) > 0)
            ;
    sqlite3_finalize(chunk);
    free(ids);
    return more;
}

/* ---- space ------------------------------------------------------------------------------------- */

/* Moves pages from the file's end into those that are free. */
static int give_back(struct store *store, struct error *err)
{
    int64_t free_pages, before = INT64_MAX;
    int done;
    while ((done = read_number(store, "PRAGMA freelist_count", &free_pages, err)) == 0 && free_pages > 0 &&
           free_pages < before) {
        before = free_pages;
        if (store_run(store, "PRAGMA incremental_vacuum(" PAGES_AT_ONCE ")", err) < 0)
            return -1;
        checkpoint(store);
    }
    return done;
}

static int64_t file_size(const struct store *store)
{
    struct stat st;
    return stat(store_path(store), &st) == 0 ? st.st_size : 0;
}

/* What is cut off the file goes when the log is copied to its end, for which the readers of before must have gone. */
static int settle(struct store *store, int64_t size, struct pruned *pruned, struct error *err)
{
    int64_t pages, page_size;
    if (give_back(store, err) < 0)
        return -1;
    store_settle(store);
    if (read_number(store, "PRAGMA page_count", &pages, err) < 0 ||
        read_number(store, "PRAGMA page_size", &page_size, err) < 0)
        return -1;
    pruned->freed = size - file_size(store);
    pruned->held = file_size(store) - pages * page_size;
    return 0;
}

int prune_run(struct store *store, const struct prune_limit *limits, size_t count, struct pruned *pruned,
              struct error *err)
{
    int64_t size = file_size(store);
    *pruned = (struct pruned){0};
    int done = prune_facts(store, limits, count, pruned, err);
    for (size_t i = 0; i < count && done == 0; i++)
        done = prune_lines(store, &limits[i], pruned, err);
    return done < 0 ? -1 : settle(store, size, pruned, err);
}
