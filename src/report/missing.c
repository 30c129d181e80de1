/* missing.c — see missing.h. */
#include "missing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../store/pruned.h"

/* The day of a server's clock in which a second lies. */
#define LOCAL_DAY(at)                                                                              \
    "((" at " + coalesce((SELECT z.utc_offset FROM main.zone_offset z WHERE z.server = v.id"       \
    " AND z.since <= " at " ORDER BY z.since DESC LIMIT 1), 0)) / 86400)"

static const char missing_sql[] =
    "SELECT v.name, date(" PRUNED_DAY("v") " * 86400, 'unixepoch'),"
    " (?1 IS NOT NULL AND " LOCAL_DAY("?1") " = " LOCAL_DAY("(?1 - 1)") ")"
    " OR (?2 IS NOT NULL AND ?2 < v.pruned_before AND " LOCAL_DAY("?2") " = " LOCAL_DAY("(?2 - 1)") ")"
    " FROM main.server v WHERE v.pruned_before > coalesce(?1, -9e18) AND (?3 IS NULL OR v.name = ?3) ORDER BY v.name";

static void add_server(struct missing *missing, sqlite3_stmt *statement)
{
    missing->servers = grow(missing->servers, &missing->capacity, missing->count + 1, sizeof *missing->servers);
    struct missing_server *server = &missing->servers[missing->count++];
    *server = (struct missing_server){.name = xstrdup((const char *)sqlite3_column_text(statement, 0)),
                                      .day = xstrdup((const char *)sqlite3_column_text(statement, 1)),
                                      .parts = sqlite3_column_int(statement, 2)};
    missing->parts |= server->parts;
}

int missing_read(sqlite3 *db, int64_t since, int64_t until, const char *server, struct missing *missing,
                 struct error *err)
{
    sqlite3_stmt *statement;
    *missing = (struct missing){.servers = NULL};
    if (sqlite3_prepare_v2(db, missing_sql, -1, &statement, NULL))
        return error_set(err, FAIL_DB, "report: %s", sqlite3_errmsg(db));
    if (since != INT64_MIN)
        sqlite3_bind_int64(statement, 1, since);
    if (until != INT64_MAX)
        sqlite3_bind_int64(statement, 2, until);
    sqlite3_bind_text(statement, 3, server, -1, SQLITE_STATIC);
    while (sqlite3_step(statement) == SQLITE_ROW)
        add_server(missing, statement);
    return sqlite3_finalize(statement) ? error_set(err, FAIL_DB, "report: %s", sqlite3_errmsg(db)) : 0;
}

void missing_free(struct missing *missing)
{
    for (size_t i = 0; i < missing->count; i++) {
        free(missing->servers[i].name);
        free(missing->servers[i].day);
    }
    free(missing->servers);
    *missing = (struct missing){.servers = NULL};
}

/* ---- what a statement reads -------------------------------------------------------------------- */

static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static bool is_sum(const char *name)
{
    return strncmp(name, "tally", 5) == 0 || strncmp(name, "rollup", 6) == 0 || strncmp(name, "report_", 7) == 0;
}

/* Views read into temporary tables (span_once) are facts; other temporary tables are sums. */
static unsigned reading(const char *name, const char *database)
{
    static const char *const facts[] = {"message", "delivery", "rejection", "auth_failure", "session_line",
                                        "scan_line", "event", "unparsed_line", NULL};
    if (is_sum(name))
        return READS_SUMS;
    return is_among(name, facts) || (database && strcmp(database, "temp") == 0) ? READS_FACTS : 0;
}

static int note_reading(void *context, int action, const char *name, const char *column, const char *database,
                        const char *within)
{
    unsigned *reads = context;
    (void)column;
    (void)within;
    if (action == SQLITE_READ && name)
        *reads |= reading(name, database);
    return SQLITE_OK;
}

void missing_watch(sqlite3 *db, unsigned *reads)
{
    sqlite3_set_authorizer(db, reads ? note_reading : NULL, reads);
}

/* ---- in words ---------------------------------------------------------------------------------- */

/* ": mx1 before 2026-11-23, mx2 before 2026-11-24" */
static void put_servers(FILE *out, const struct missing *missing, bool parts)
{
    const char *between = ": ";
    for (size_t i = 0; i < missing->count; i++) {
        if (parts && !missing->servers[i].parts)
            continue;
        fprintf(out, "%s%s before %s", between, missing->servers[i].name, missing->servers[i].day);
        between = ", ";
    }
}

static FILE *words_open(char **text, size_t *n)
{
    FILE *out = open_memstream(text, n);
    if (!out)
        exit(EXIT_MEMORY);
    return out;
}

char *missing_in_all(const struct missing *missing)
{
    char *text = NULL;
    size_t n;
    if (missing->count == 0)
        return NULL;
    FILE *out = words_open(&text, &n);
    fputs("Details pruned", out);
    put_servers(out, missing, false);
    fputs(". Sums by whole days are left; tables that lack details say so.", out);
    fclose(out);
    return text;
}

char *missing_in_table(const struct missing *missing, unsigned reads, struct slice details)
{
    char *text = NULL;
    size_t n;
    bool facts = missing->count && reads & READS_FACTS, parts = missing->parts && reads & READS_SUMS;
    if (!facts && !parts)
        return NULL;
    FILE *out = words_open(&text, &n);
    if (facts) {
        fprintf(out, "Pruned and missing %s%.*s", details.n ? "in " : "here", (int)details.n, details.p ? details.p : "");
        put_servers(out, missing, false);
        fputc('.', out);
    }
    if (parts) {
        fprintf(out, "%sPruned and missing of days that the span cuts", facts ? " " : "");
        put_servers(out, missing, true);
        fputc('.', out);
    }
    fclose(out);
    return text;
}
