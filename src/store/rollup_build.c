/* rollup_build.c — runs schema/rollup.sql statement by statement. */
#include "rollup_build.h"

#include "../base/embedded.h"
#include "pruned.h"

static const char built_table[] =
    "CREATE TEMP TABLE IF NOT EXISTS rollup_built (measure INTEGER NOT NULL, day INTEGER NOT NULL,"
    " server INTEGER NOT NULL, slot INTEGER NOT NULL, key1 INTEGER NOT NULL, key2 INTEGER NOT NULL,"
    " key3 INTEGER NOT NULL, key4 INTEGER NOT NULL, count INTEGER NOT NULL,"
    " addresses INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " PRIMARY KEY (measure, day, server, slot, key1, key2, key3, key4)) WITHOUT ROWID";

static int failed(sqlite3 *db, struct error *err)
{
    return error_set(err, FAIL_DB, "schema/rollup.sql: %s", sqlite3_errmsg(db));
}

static void bind(sqlite3_stmt *stmt, const char *name, int64_t value)
{
    int i = sqlite3_bind_parameter_index(stmt, name);
    if (i)
        sqlite3_bind_int64(stmt, i, value);
}

/* One statement; *sql moves behind it. */
static int build_step(sqlite3 *db, const char **sql, int64_t since, int64_t until, int64_t server,
                      struct error *err)
{
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(db, *sql, -1, &stmt, sql) != SQLITE_OK)
        return failed(db, err);
    if (!stmt)
        return 0;
    bind(stmt, ":since", since);
    bind(stmt, ":until", until);
    if (server)
        bind(stmt, ":server", server);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        ;
    return sqlite3_finalize(stmt) == SQLITE_OK ? 0 : failed(db, err);
}

int rollup_build_table(sqlite3 *db, struct error *err)
{
    return sqlite3_exec(db, built_table, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db, err);
}

int rollup_build(sqlite3 *db, int64_t since, int64_t until, int64_t server, struct error *err)
{
    if (rollup_build_table(db, err) < 0)
        return -1;
    for (const char *sql = embedded_find("schema/rollup.sql")->text; *sql;)
        if (build_step(db, &sql, since, until, server, err) < 0)
            return -1;
    return 0;
}

/* Of servers that are no more, nothing is left. */
#define FROZEN                                                                                     \
    "(SELECT b.id FROM rollup_bucket b JOIN server v ON v.id = b.server WHERE b.day < " PRUNED_DAY("v") ")"

int rollup_build_unpruned(sqlite3 *db, struct error *err)
{
    static const char drop[] = "DELETE FROM temp.rollup_built WHERE day < (SELECT " PRUNED_DAY("v")
                               " FROM server v WHERE v.id = rollup_built.server)";
    if (rollup_build(db, INT64_MIN, INT64_MAX, 0, err) < 0)
        return -1;
    return sqlite3_exec(db, drop, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db, err);
}

int rollup_load(sqlite3 *db, struct error *err)
{
    static const char load[] =
        "DELETE FROM rollup_one WHERE bucket NOT IN " FROZEN ";"
        "DELETE FROM rollup_many WHERE bucket NOT IN " FROZEN ";"
        "DELETE FROM rollup_bucket WHERE id NOT IN " FROZEN ";"
        "INSERT INTO rollup_bucket (measure, day, server)"
        "  SELECT DISTINCT measure, day, server FROM temp.rollup_built;"
        "INSERT INTO rollup_one SELECT b.id, r.slot + r.key1, r.count, r.addresses, r.bytes" /* one of the two is 0 */
        "  FROM temp.rollup_built r JOIN rollup_bucket b USING (measure, day, server)"
        "  JOIN measure m ON m.id = r.measure WHERE m.keyed <> 'keys' ORDER BY 1, 2;"
        "INSERT INTO rollup_many SELECT b.id, r.key1, r.key2, r.key3, r.key4, r.count, r.addresses, r.bytes"
        "  FROM temp.rollup_built r JOIN rollup_bucket b USING (measure, day, server)"
        "  JOIN measure m ON m.id = r.measure WHERE m.keyed = 'keys' ORDER BY 1, 2, 3, 4, 5;"
        "DROP TABLE temp.rollup_built;";
    return sqlite3_exec(db, load, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db, err);
}
