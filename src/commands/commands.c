/* commands.c — what the commands share. */
#include "commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/memory.h"
#include "when.h"

int command_fail(const struct error *err)
{
    error_print(err);
    return err->kind == FAIL_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

char *command_db_path(const char *given)
{
    const char *env = getenv("MAILTRAIL_DB"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (given)
        return xstrdup(given);
    if (env && *env)
        return xstrdup(env);
    if (geteuid() == 0)
        return xstrdup("/var/lib/mailtrail/mailtrail.db");
    if (data && *data)
        return xprintf("%s/mailtrail/mailtrail.db", data);
    return xprintf("%s/.local/share/mailtrail/mailtrail.db", home ? home : ".");
}

int command_open_db(const char *given, struct store **store, struct error *err)
{
    char *path = command_db_path(given);
    int done = store_open(path, STORE_READ, store, err);
    free(path);
    return done;
}

/* The zone that --since and --until are in: the server's named, else the first server's. */
static int load_zone(struct store *store, const char *server, struct zone *zone, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT zone FROM server WHERE ?1 IS NULL OR name = ?1 ORDER BY id LIMIT 1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, server, -1, SQLITE_STATIC);
    int done = sqlite3_step(stmt) == SQLITE_ROW
                   ? zone_load(zone, (const char *)sqlite3_column_text(stmt, 0), err)
                   : error_set(err, FAIL_USAGE, server ? "no server '%s' in this database" : "no logs yet%s",
                               server ? server : "; read some with mailtrail ingest");
    sqlite3_finalize(stmt);
    return done;
}

int command_span(struct store *store, const char *since, const char *until, int64_t now, const char *server,
                 int64_t *from, int64_t *to, struct error *err)
{
    struct zone zone = {0};
    *from = INT64_MIN;
    *to = INT64_MAX;
    if (!since && !until)
        return 0;
    int done = load_zone(store, server, &zone, err);
    if (done == 0 && since)
        done = when_parse(since, &zone, now, from, err);
    if (done == 0 && until)
        done = when_parse(until, &zone, now, to, err);
    zone_free(&zone);
    return done;
}

int command_flush(struct error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return error_set(err, FAIL_OS, "standard output: %s", strerror(errno));
}
