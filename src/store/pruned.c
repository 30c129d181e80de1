/* pruned.c — asks the database what prune took. */
#include "pruned.h"

int pruned_nothing(struct store *store, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT 'facts of ' || name FROM server WHERE pruned_before IS NOT NULL"
               " UNION ALL SELECT 'lines of ' || path FROM source WHERE pruned_lines > 0 LIMIT 1", err);
    if (!stmt)
        return -1;
    int code = sqlite3_step(stmt), done = code == SQLITE_DONE ? 0 : -1;
    if (code == SQLITE_ROW)
        error_set(err, FAIL_DB, "%s: %s were pruned, and what is left of them would be lost if the archive were read"
                  " again; nothing was changed", store_path(store), (const char *)sqlite3_column_text(stmt, 0));
    else if (done < 0)
        store_error(store, err);
    sqlite3_finalize(stmt);
    return done;
}

int pruned_since(struct store *store, int64_t since, const char *server, const struct pruned_listener *listener,
                 struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT v.name, date(" PRUNED_DAY("v") " * 86400, 'unixepoch') FROM server v"
               " WHERE v.pruned_before > ?1 AND (?2 IS NULL OR v.name = ?2) ORDER BY v.id", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, since);
    sqlite3_bind_text(stmt, 2, server, -1, SQLITE_STATIC);
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        listener->tell(listener->context, (const char *)sqlite3_column_text(stmt, 0),
                       (const char *)sqlite3_column_text(stmt, 1));
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : store_error(store, err);
}
