/* forget.c — rows out, messages made of what is left, sums made anew. */
#include "forget.h"

#include <stdlib.h>

#include "../base/memory.h"
#include "rollup_build.h"

/* Rows of the sources in temp.gone; the columns of messages that they own. */
static const char delete_rows[] =
    "DELETE FROM delivery      WHERE source IN (SELECT id FROM temp.gone);"
    "DELETE FROM rejection     WHERE source IN (SELECT id FROM temp.gone);"
    "DELETE FROM auth_failure  WHERE source IN (SELECT id FROM temp.gone);"
    "DELETE FROM session_line  WHERE source IN (SELECT id FROM temp.gone);"
    "DELETE FROM scan_line     WHERE source IN (SELECT id FROM temp.gone);"
    "DELETE FROM event         WHERE source IN (SELECT id FROM temp.gone);"
    "DELETE FROM unparsed_line WHERE source IN (SELECT id FROM temp.gone);"
    "UPDATE message SET received = NULL, received_ms = NULL, arrival_mark = NULL, arrival_source = NULL,"
    "  sender = NULL, client = NULL, protocol = NULL, auth = NULL, auth_id = NULL,"
    "  local_user = NULL, tls = NULL, size = NULL, subject = NULL, message_id = NULL, recipients = NULL,"
    "  parent = NULL, copy_of = NULL, flags = 0 WHERE arrival_source IN (SELECT id FROM temp.gone);"
    "UPDATE message SET completed = NULL, completed_ms = NULL, completed_source = NULL, queue_ms = NULL"
    "  WHERE completed_source IN (SELECT id FROM temp.gone);";

/* What messages hold of other tables' rows. */
static const char derive_messages[] =
    "CREATE TEMP TABLE seen AS"
    "  SELECT d.message AS message, min(d.at) AS at,"
    "         max(k.text = 'deferred') AS delayed, max(k.text = 'failed') AS failed,"
    "         max(k.text IN ('delivered', 'cutthrough') AND (w.host IS NOT NULL OR w.ip IS NOT NULL)) AS remote"
    "    FROM delivery d JOIN string k ON k.id = d.kind LEFT JOIN route w ON w.id = d.route GROUP BY d.message;"
    "CREATE UNIQUE INDEX temp.seen_message ON seen (message);"
    "CREATE TEMP TABLE state AS"
    "  SELECT e.server AS server, e.message AS exim_id, min(e.at) AS at,"
    "         max(e.at) FILTER (WHERE k.text = 'frozen') AS frozen,"
    "         max(e.at) FILTER (WHERE k.text = 'thawed') AS thawed,"
    "         max(e.at) FILTER (WHERE k.text = 'removed') AS removed,"
    "         max(k.text = 'retracted') AS retracted"
    "    FROM event e JOIN string k ON k.id = e.kind"
    "   WHERE k.text IN ('frozen', 'thawed', 'removed', 'retracted') AND e.message IS NOT NULL"
    "   GROUP BY e.server, e.message;"
    "CREATE UNIQUE INDEX temp.state_message ON state (exim_id, server);"
    "UPDATE message SET delayed = 0, failed = 0, remote = 0, frozen = NULL, thawed = NULL, removed = NULL,"
    "  flags = flags & ~4, at = coalesce(received, completed, 9223372036854775807);"
    "UPDATE message SET delayed = s.delayed, failed = s.failed, remote = s.remote,"
    "  at = CASE WHEN received IS NULL THEN min(message.at, s.at) ELSE received END"
    "  FROM temp.seen s WHERE s.message = message.id;"
    "UPDATE message SET frozen = s.frozen, thawed = s.thawed, removed = s.removed,"
    "  flags = flags | CASE WHEN s.retracted THEN 4 ELSE 0 END,"
    "  at = CASE WHEN received IS NULL THEN min(message.at, s.at) ELSE received END"
    "  FROM temp.state s WHERE s.exim_id = message.exim_id AND s.server = message.server;"
    "DELETE FROM message WHERE at = 9223372036854775807;"
    "UPDATE delivery SET orphan = 1 WHERE orphan IS NULL"
    "  AND message IN (SELECT id FROM message WHERE received IS NULL);"
    "DROP TABLE temp.seen; DROP TABLE temp.state;";

static const char delete_sources[] =
    "DELETE FROM source_file WHERE source IN (SELECT id FROM temp.gone);"
    "DELETE FROM line_block  WHERE source IN (SELECT id FROM temp.gone);"
    "DELETE FROM line_tally  WHERE source IN (SELECT id FROM temp.gone);"
    "DELETE FROM source      WHERE id IN (SELECT id FROM temp.gone);"
    "DELETE FROM zone_offset WHERE server NOT IN (SELECT server FROM source);"
    "DELETE FROM server      WHERE id NOT IN (SELECT server FROM source);";

/* Sources that shared lines with what goes: either of the two may have brought them first. */
static const char find_shared[] =
    "CREATE TEMP TABLE shared AS SELECT s.id AS id FROM source s JOIN source g ON g.server = s.server"
    "   AND g.first_at <= s.last_at AND g.last_at >= s.first_at"
    " WHERE g.id IN (SELECT id FROM temp.gone) AND s.id NOT IN (SELECT id FROM temp.gone)"
    "   AND EXISTS (SELECT 1 FROM line_tally t WHERE t.source IN (s.id, g.id) AND t.copies > 0);";

static int run_rollup(struct store *store, struct error *err)
{
    return rollup_build_unpruned(store_db(store), err) < 0 ? -1 : rollup_load(store_db(store), err);
}

/* Back to the beginning; they are still known by the tail where they were left. */
static const char reread_shared[] =
    "UPDATE source SET position = 0, lines = 0, carry = NULL WHERE id IN (SELECT id FROM temp.shared);"
    "DELETE FROM line_tally  WHERE source IN (SELECT id FROM temp.shared);"
    "DELETE FROM source_file WHERE source IN (SELECT id FROM temp.shared);"
    "DROP TABLE temp.shared;";

static int forget_gone(struct store *store, struct error *err)
{
    return store_run(store, find_shared, err) < 0 || store_run(store, delete_rows, err) < 0 ||
           store_run(store, derive_messages, err) < 0 || store_run(store, reread_shared, err) < 0 ||
           store_run(store, delete_sources, err) < 0 || run_rollup(store, err) < 0 ||
           store_run(store, "DROP TABLE temp.gone; COMMIT;", err) < 0 ? -1 : 0;
}

static int forget_found(struct store *store, const char *find_sql, const char *what, int64_t *forgotten,
                        struct error *err)
{
    struct error ignored;
    if (store_run(store, "BEGIN IMMEDIATE; CREATE TEMP TABLE gone (id INTEGER PRIMARY KEY);", err) < 0)
        return -1;
    sqlite3_stmt *stmt = store_prepare(store, find_sql, err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, what, -1, SQLITE_STATIC);
    int done = sqlite3_step(stmt) == SQLITE_DONE ? 0 : store_error(store, err);
    sqlite3_finalize(stmt);
    *forgotten = sqlite3_changes(store_db(store));
    if (done == 0 && *forgotten > 0)
        return forget_gone(store, err);
    store_run(store, "ROLLBACK", &ignored);
    return done;
}

int forget_source(struct store *store, const char *id_or_path, int64_t *forgotten, struct error *err)
{
    return forget_found(store,
                        "INSERT INTO temp.gone SELECT id FROM source WHERE path = ?1 OR CAST(id AS TEXT) = ?1",
                        id_or_path, forgotten, err);
}

int forget_server(struct store *store, const char *name, int64_t *forgotten, struct error *err)
{
    return forget_found(store,
                        "INSERT INTO temp.gone SELECT s.id FROM source s JOIN server v ON v.id = s.server"
                        " WHERE v.name = ?1", name, forgotten, err);
}

/* ---- facts without their sources --------------------------------------------------------------- */

static const char delete_all[] =
    "DELETE FROM delivery; DELETE FROM rejection; DELETE FROM auth_failure; DELETE FROM session_line;"
    "DELETE FROM scan_line; DELETE FROM event; DELETE FROM unparsed_line; DELETE FROM message;"
    "DELETE FROM client; DELETE FROM route; DELETE FROM cause; DELETE FROM string; DELETE FROM string_hash;"
    "DELETE FROM string_filter; DELETE FROM string_run;"
    "DELETE FROM mention; DELETE FROM id_mention;"
    "DELETE FROM rollup_one; DELETE FROM rollup_many; DELETE FROM rollup_bucket;"
    "DELETE FROM meta WHERE name = 'late_rows';";

static int delete_some(struct store *store, struct error *err)
{
    return store_run(store, "CREATE TEMP TABLE gone (id INTEGER PRIMARY KEY);"
                     "INSERT INTO temp.gone SELECT id FROM source WHERE archived;", err) < 0 ||
           store_run(store, delete_rows, err) < 0 || store_run(store, derive_messages, err) < 0 ||
           run_rollup(store, err) < 0 || store_run(store, "DROP TABLE temp.gone", err) < 0 ? -1 : 0;
}

int forget_facts(struct store *store, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, "SELECT 1 FROM source WHERE NOT archived", err);
    if (!stmt)
        return -1;
    int found = store_next(store, stmt, err), done = found;
    sqlite3_finalize(stmt);
    if (found >= 0)
        done = found ? delete_some(store, err) : store_run(store, delete_all, err);
    return done < 0 ? -1
                    : store_run(store,
                                "DELETE FROM line_tally WHERE source IN (SELECT id FROM source WHERE archived);"
                                "UPDATE source SET position = 0, lines = 0, carry = NULL, first_at = NULL, last_at = NULL,"
                                "  longest_gap = NULL, gap_at = NULL WHERE archived;", err);
}
