/* span.c — a span of time is full local days out of rollup and, at either edge, a part of a day that
   schema/rollup.sql counts from the facts; servers in different zones have different days. */
#include "span.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../store/rollup_build.h"

#define OFFSET_AT(server, at)                                                                      \
    "coalesce((SELECT z.utc_offset FROM zone_offset z WHERE z.server = " server                    \
    " AND z.since <= " at " ORDER BY z.since DESC LIMIT 1), 0)"

/* The first second of a local day; a change of offset may lie at midnight. */
#define DAY_BEGIN(day)                                                                             \
    "coalesce((SELECT min(max(z.since, " day " * 86400 - z.utc_offset)) FROM zone z"               \
    " WHERE z.server = s.server"                                                                   \
    " AND (z.until IS NULL OR max(z.since, " day " * 86400 - z.utc_offset) < z.until)), " day      \
    " * 86400)"

static const char span_tables[] =
    "CREATE TEMP TABLE report_span (server INTEGER PRIMARY KEY, name TEXT, first_day INTEGER,"
    " end_day INTEGER)";

/* The day after that of the second before is the first that is wholly inside. */
static const char span_fill[] =
    "INSERT INTO temp.report_span SELECT v.id, v.name,"
    " CASE WHEN :since IS NULL THEN -4000000"
    " ELSE (:since - 1 + " OFFSET_AT("v.id", ":since - 1") ") / 86400 + 1 END,"
    " CASE WHEN :until IS NULL THEN 4000000"
    " ELSE (:until + " OFFSET_AT("v.id", ":until") ") / 86400 END"
    " FROM server v WHERE :server IS NULL OR v.name = :server";

static const char span_edges[] =
    "WITH zone AS (SELECT server, since, utc_offset, lead(since) OVER (PARTITION BY server"
    " ORDER BY since) AS until FROM zone_offset)"
    " SELECT s.server, s.first_day, s.end_day, " DAY_BEGIN("s.first_day") ", "
    DAY_BEGIN("s.end_day") " FROM temp.report_span s ORDER BY s.server";

#define TALLY_COLUMNS(of, slot, key1, key2, key3, key4)                                            \
    "SELECT m.name AS measure, " of ".day * 86400 AS at, date(" of ".day * 86400, 'unixepoch') AS time," \
    " s.name AS server, " slot " AS slot, " key1 " AS key1, " key2 " AS key2, " key3 " AS key3, "   \
    key4 " AS key4, r.count AS count, r.addresses AS addresses, r.bytes AS bytes"

/* CROSS JOIN fixes the order: a measure, then its stretch of days. */
#define TALLY_DAYS(table, keyed)                                                                   \
    " FROM main.measure m CROSS JOIN main.rollup_bucket b CROSS JOIN temp.report_span s"           \
    " CROSS JOIN main." table " r"                                                                 \
    " WHERE m.keyed " keyed " 'keys' AND b.measure = m.id AND b.day >= %1$" PRId64 " AND b.day < %2$" PRId64                    \
    " AND s.server = b.server AND b.day >= s.first_day AND b.day < s.end_day AND r.bucket = b.id"

static const char tally_view[] =
    "CREATE TEMP VIEW tally AS "
    TALLY_COLUMNS("b", "iif(m.keyed = 'slot', r.key, 0)", "iif(m.keyed = 'slot', 0, r.key)", "0", "0", "0")
    TALLY_DAYS("rollup_one", "<>")
    " UNION ALL " TALLY_COLUMNS("b", "0", "r.key1", "r.key2", "r.key3", "r.key4") TALLY_DAYS("rollup_many", "=")
    " UNION ALL " TALLY_COLUMNS("r", "r.slot", "r.key1", "r.key2", "r.key3", "r.key4")
    " FROM main.measure m CROSS JOIN temp.rollup_built r CROSS JOIN temp.report_span s"
    " WHERE r.measure = m.id AND s.server = r.server";

/* What a report is shown of a measure's sums, by key: a league groups it without sorting. */
static const char sum_table[] =
    "CREATE TEMP TABLE report_%s_%d (key1 INTEGER PRIMARY KEY, count INTEGER, addresses INTEGER,"
    " bytes INTEGER)";

static const char sum_select[] =
    "%sSELECT '%.*s' AS measure, NULL AS at, NULL AS time, NULL AS server, 0 AS slot, key1, 0 AS key2,"
    " 0 AS key3, 0 AS key4, count, addresses, bytes FROM temp.report_%s_%d";

static const char *const key_tables[] = {[SPAN_ALL] = "sum", [SPAN_FOREMOST] = "top",
                                         [SPAN_DOMAINS] = "domain"};

static const char names_table[] =
    "CREATE TEMP TABLE tally_names (measure TEXT, names INTEGER, domains INTEGER, edomains INTEGER)";

static const char once_table[] =
    "CREATE TEMP TABLE %.*s AS SELECT * FROM main.%.*s WHERE at >= coalesce(:since, -9e18)"
    " AND at < coalesce(:until, 9e18) AND (:server IS NULL OR server = :server)";

static int db_error(sqlite3 *db, const char *doing, struct error *err)
{
    return error_set(err, FAIL_DB, "%s: %s", doing, sqlite3_errmsg(db));
}

static int execute(sqlite3 *db, const char *sql, struct error *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) ? db_error(db, "report span", err) : 0;
}

static void bind_int64(sqlite3_stmt *statement, const char *name, int64_t value)
{
    int i = sqlite3_bind_parameter_index(statement, name);
    if (i)
        sqlite3_bind_int64(statement, i, value);
}

static void bind_text(sqlite3_stmt *statement, const char *name, const char *value)
{
    int i = sqlite3_bind_parameter_index(statement, name);
    if (i && value)
        sqlite3_bind_text(statement, i, value, -1, SQLITE_STATIC);
}

/* Prepares sql with :since, :until and :server bound; open ends stay NULL. */
static sqlite3_stmt *prepare_span(sqlite3 *db, const char *sql, int64_t since, int64_t until,
                                  const char *server)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL))
        return NULL;
    if (since != INT64_MIN)
        bind_int64(statement, ":since", since);
    if (until != INT64_MAX)
        bind_int64(statement, ":until", until);
    bind_text(statement, ":server", server);
    return statement;
}

struct edges {
    int64_t server, first_day, end_day;
    int64_t first_begin; /* first second of first_day */
    int64_t end_begin;   /* first second of end_day */
};

static int build_edges(sqlite3 *db, const struct edges *edges, int64_t since, int64_t until,
                       struct error *err)
{
    if (edges->first_day > edges->end_day)
        return rollup_build(db, since, until, edges->server, err);
    if (since != INT64_MIN && since < edges->first_begin &&
        rollup_build(db, since, edges->first_begin, edges->server, err))
        return -1;
    if (until != INT64_MAX && edges->end_begin < until)
        return rollup_build(db, edges->end_begin, until, edges->server, err);
    return 0;
}

static int read_edges(sqlite3 *db, struct edges **all, size_t *count, struct error *err)
{
    size_t room = 0;
    sqlite3_stmt *statement = prepare_span(db, span_edges, INT64_MIN, INT64_MAX, NULL);
    if (!statement)
        return db_error(db, "report span", err);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        *all = grow(*all, &room, *count + 1, sizeof **all);
        (*all)[(*count)++] = (struct edges){
            sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
            sqlite3_column_int64(statement, 2), sqlite3_column_int64(statement, 3),
            sqlite3_column_int64(statement, 4)};
    }
    return sqlite3_finalize(statement) ? db_error(db, "report span", err) : 0;
}

static char *view_of(const struct edges *all, size_t count)
{
    int64_t first = INT64_MAX, end = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        first = all[i].first_day < first ? all[i].first_day : first;
        end = all[i].end_day > end ? all[i].end_day : end;
    }
    return xprintf(tally_view, first, end);
}

static int fill_spans(sqlite3 *db, int64_t since, int64_t until, const char *server,
                      struct error *err)
{
    if (execute(db, span_tables, err) || rollup_build_table(db, err))
        return -1;
    sqlite3_stmt *statement = prepare_span(db, span_fill, since, until, server);
    if (!statement)
        return db_error(db, "report span", err);
    sqlite3_step(statement);
    if (sqlite3_finalize(statement))
        return db_error(db, "report span", err);
    if (server && sqlite3_changes(db) == 0)
        return error_set(err, FAIL_USAGE, "no server named %s is in the database; see status",
                         server);
    return 0;
}

static int narrow(struct span *span, int64_t since, int64_t until, const char *server,
                  struct error *err)
{
    struct edges *all = NULL;
    size_t count = 0;
    if (fill_spans(span->db, since, until, server, err))
        return -1;
    int rc = read_edges(span->db, &all, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = build_edges(span->db, &all[i], since, until, err);
    span->view = view_of(all, count);
    free(all);
    return rc ? rc : execute(span->db, span->view, err);
}

int span_open(struct span *span, sqlite3 *db, int64_t since, int64_t until, const char *server,
              struct error *err)
{
    *span = (struct span){.db = db, .since = since, .until = until, .server = server};
    if (since >= until)
        return error_set(err, FAIL_USAGE, "the span ends before it begins: --since must be earlier "
                                          "than --until");
    /* One snapshot for all reports, whatever an ingest adds meanwhile. */
    span->started = sqlite3_get_autocommit(db);
    if (span->started && execute(db, "BEGIN", err))
        return -1;
    if (since == INT64_MIN && until == INT64_MAX && !server)
        return 0;
    return narrow(span, since, until, server, err);
}

static int use_days(struct span *span, struct error *err)
{
    if (!span->summed)
        return 0;
    span->summed = false;
    if (execute(span->db, "DROP VIEW IF EXISTS temp.tally", err))
        return -1;
    return span->view ? execute(span->db, span->view, err) : 0;
}

/* Its number, 1 and up; 0: not summed yet. */
static int sum_number(const struct span *span, struct slice measure)
{
    for (int i = 0; i < span->n_sums; i++)
        if (slice_equal(span->names[i], measure))
            return i + 1;
    return 0;
}

static int execute_own(sqlite3 *db, char *sql, struct error *err)
{
    int rc = execute(db, sql, err);
    free(sql);
    return rc;
}

static bool is_word(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((name.p[i] < 'a' || name.p[i] > 'z') && name.p[i] != '_')
            return false;
    return true;
}

/* Returns the number of the measure's sums, or -1. */
static int make_sum(struct span *span, struct slice measure, struct error *err)
{
    int number = sum_number(span, measure);
    if (number)
        return number;
    if (span->n_sums == SPAN_SUMS)
        return error_set(err, FAIL_REPORT, "more than %d measures are summed", SPAN_SUMS);
    if (!is_word(measure))
        return error_set(err, FAIL_REPORT, "sums: takes names of measures");
    span->names[span->n_sums] = measure;
    number = ++span->n_sums;
    return sums_read(span->db, measure, span->view != NULL, &span->sums[number - 1].all, err) ? -1 : number;
}

/* Works out domains and names, once. */
static int make_domains(struct span *span, int number, int top, struct error *err)
{
    struct span_sums *sums = &span->sums[number - 1];
    if (sums->counted)
        return 0;
    sums->counted = true;
    return sums_domains(span->db, &sums->all, (size_t)top, &sums->domains, &sums->counts, err);
}

/* The next name of a list with commas; absent at its end. */
static struct slice next_name(struct slice *list)
{
    while (list->n && (list->p[0] == ',' || list->p[0] == ' '))
        *list = slice_after(*list, 1);
    size_t n = 0;
    while (n < list->n && list->p[n] != ',' && list->p[n] != ' ')
        n++;
    if (n == 0)
        return SLICE_ABSENT;
    struct slice name = slice_of(list->p, n);
    *list = slice_after(*list, n);
    return name;
}

static char *add_select(char *sql, struct slice measure, const char *table, int number)
{
    char *part = xprintf(sum_select, *sql ? " UNION ALL " : "CREATE TEMP VIEW tally AS ",
                         (int)measure.n, measure.p, table, number);
    char *longer = xprintf("%s%s", sql, part);
    free(part);
    free(sql);
    return longer;
}

static int fill_table(sqlite3 *db, const char *table, int number, const struct sums *sums, struct error *err)
{
    sqlite3_stmt *statement;
    if (execute_own(db, xprintf(sum_table, table, number), err))
        return -1;
    char *sql = xprintf("INSERT INTO temp.report_%s_%d VALUES (?1, ?2, ?3, ?4)", table, number);
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    free(sql);
    if (code)
        return db_error(db, "report sums", err);
    for (size_t i = 0; i < sums->count; i++) {
        sqlite3_bind_int64(statement, 1, sums->rows[i].key);
        sqlite3_bind_int64(statement, 2, sums->rows[i].count);
        sqlite3_bind_int64(statement, 3, sums->rows[i].addresses);
        sqlite3_bind_int64(statement, 4, sums->rows[i].bytes);
        if (sqlite3_step(statement) != SQLITE_DONE)
            break;
        sqlite3_reset(statement);
    }
    return sqlite3_finalize(statement) ? db_error(db, "report sums", err) : 0;
}

/* Makes the table that a view over the measure reads; returns its number, or -1. */
static int make_table(struct span *span, struct slice measure, enum span_keys keys, int top,
                      struct error *err)
{
    int number = make_sum(span, measure, err);
    if (number < 0 || span->sums[number - 1].made[keys])
        return number;
    struct span_sums *sums = &span->sums[number - 1];
    struct sums foremost = {.rows = NULL};
    sums->made[keys] = true;
    if (keys == SPAN_FOREMOST)
        sums_foremost(&sums->all, (size_t)top, &foremost);
    int rc = keys == SPAN_DOMAINS ? make_domains(span, number, top, err) : 0;
    if (rc == 0)
        rc = fill_table(span->db, key_tables[keys], number,
                        keys == SPAN_ALL ? &sums->all : keys == SPAN_DOMAINS ? &sums->domains : &foremost, err);
    sums_free(&foremost);
    return rc ? -1 : number;
}

/* CREATE VIEW over the sums of all measures of the list; NULL: see *err. */
static char *sums_view(struct span *span, struct slice list, enum span_keys keys, int top,
                       struct error *err)
{
    char *sql = xstrdup("");
    for (struct slice name; (name = next_name(&list)).p;) {
        int number = make_table(span, name, keys, top, err);
        if (number < 0) {
            free(sql);
            return NULL;
        }
        sql = add_select(sql, name, key_tables[keys], number);
    }
    return sql;
}

int span_sum(struct span *span, struct slice measures, enum span_keys keys, int top,
             struct error *err)
{
    if (measures.n == 0)
        return use_days(span, err);
    char *sql = sums_view(span, measures, keys, top, err);
    if (!sql)
        return -1;
    span->summed = true;
    if (execute(span->db, "DROP VIEW IF EXISTS temp.tally", err)) {
        free(sql);
        return -1;
    }
    return execute_own(span->db, sql, err);
}

static int add_counts(struct span *span, struct slice measures, struct error *err)
{
    for (struct slice name; (name = next_name(&measures)).p;) {
        int64_t names = 0;
        int number = make_sum(span, name, err);
        if (number < 0)
            return -1;
        const struct sums *all = &span->sums[number - 1].all;
        for (size_t i = 0; i < all->count; i++)
            names += all->rows[i].count > 0;
        if (execute_own(span->db, xprintf("INSERT INTO temp.tally_names VALUES ('%.*s', %" PRId64 ", NULL, NULL)",
                                          (int)name.n, name.p, names), err))
            return -1;
    }
    return 0;
}

int span_names(struct span *span, struct slice measures, struct slice counts, int top, struct error *err)
{
    if (execute(span->db, "DROP TABLE IF EXISTS temp.tally_names", err) ||
        ((measures.n || counts.n) && execute(span->db, names_table, err)) || add_counts(span, counts, err))
        return -1;
    for (struct slice name; (name = next_name(&measures)).p;) {
        int number = make_sum(span, name, err);
        if (number < 0 || make_domains(span, number, top, err))
            return -1;
        const struct sum_names *told = &span->sums[number - 1].counts;
        char *sql = xprintf("INSERT INTO temp.tally_names VALUES ('%.*s', %" PRId64 ", %" PRId64 ", %" PRId64 ")",
                            (int)name.n, name.p, told->names, told->domains, told->edomains);
        if (execute_own(span->db, sql, err))
            return -1;
    }
    return 0;
}

static int read_once(struct span *span, struct slice view, struct error *err)
{
    for (int i = 0; i < span->n_once; i++)
        if (slice_equal(span->once[i], view))
            return 0;
    if (span->n_once == SPAN_ONCE || !is_word(view))
        return error_set(err, FAIL_REPORT, "once: takes names of views, %d at most", SPAN_ONCE);
    char *sql = xprintf(once_table, (int)view.n, view.p, (int)view.n, view.p);
    sqlite3_stmt *statement =
        prepare_span(span->db, sql, span->since, span->until, span->server);
    free(sql);
    if (!statement)
        return db_error(span->db, "report view", err);
    span->once[span->n_once++] = view;
    sqlite3_step(statement);
    return sqlite3_finalize(statement) ? db_error(span->db, "report view", err) : 0;
}

int span_once(struct span *span, struct slice views, struct error *err)
{
    for (struct slice name; (name = next_name(&views)).p;)
        if (read_once(span, name, err))
            return -1;
    return 0;
}

static void drop_once(struct span *span)
{
    for (int i = 0; i < span->n_once; i++) {
        char *sql = xprintf("DROP TABLE IF EXISTS temp.%.*s", (int)span->once[i].n, span->once[i].p);
        sqlite3_exec(span->db, sql, NULL, NULL, NULL);
        free(sql);
    }
}

static void drop_sums(struct span *span)
{
    for (int i = 1; i <= span->n_sums; i++) {
        char *sql = xprintf("DROP TABLE IF EXISTS temp.report_sum_%1$d;"
                            "DROP TABLE IF EXISTS temp.report_top_%1$d;"
                            "DROP TABLE IF EXISTS temp.report_domain_%1$d", i);
        sqlite3_exec(span->db, sql, NULL, NULL, NULL);
        free(sql);
        sums_free(&span->sums[i - 1].all);
        sums_free(&span->sums[i - 1].domains);
    }
}

void span_close(struct span *span)
{
    sqlite3_exec(span->db,
                 "DROP VIEW IF EXISTS temp.tally; DROP TABLE IF EXISTS temp.tally_names;"
                 "DROP TABLE IF EXISTS temp.report_span;"
                 "DROP TABLE IF EXISTS temp.rollup_built",
                 NULL, NULL, NULL);
    drop_sums(span);
    drop_once(span);
    if (span->started && !sqlite3_get_autocommit(span->db))
        sqlite3_exec(span->db, "COMMIT", NULL, NULL, NULL);
    free(span->view);
    *span = (struct span){.db = NULL};
}

/* What was read of a server, cut to the span; nothing where the two do not meet. */
static const char head_sql[] =
    "WITH seen AS (SELECT v.id AS id, v.name AS name, v.zone AS zone,"
    " max(coalesce(:since, 0), (SELECT min(first_at) FROM source s WHERE s.server = v.id)) AS b,"
    " min(coalesce(:until - 1, 1 << 60), (SELECT max(last_at) FROM source s WHERE s.server = v.id))"
    " AS e FROM server v WHERE :server IS NULL OR v.name = :server ORDER BY v.name)"
    " SELECT min(datetime(b + " OFFSET_AT("seen.id", "b") ", 'unixepoch')) FILTER (WHERE b <= e),"
    " max(datetime(e + " OFFSET_AT("seen.id", "e") ", 'unixepoch')) FILTER (WHERE b <= e),"
    " group_concat(name || ' (' || zone || ')', ', '), count(*) FROM seen";

static char *column_copy(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? xstrdup(text) : NULL;
}

int span_head_read(sqlite3 *db, int64_t since, int64_t until, const char *server,
                   struct span_head *head, struct error *err)
{
    *head = (struct span_head){.begin = NULL};
    sqlite3_stmt *statement = prepare_span(db, head_sql, since, until, server);
    if (!statement)
        return db_error(db, "report head", err);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        head->begin = column_copy(statement, 0);
        head->end = column_copy(statement, 1);
        head->servers = column_copy(statement, 2);
        head->n_servers = sqlite3_column_int(statement, 3);
    }
    return sqlite3_finalize(statement) ? db_error(db, "report head", err) : 0;
}

void span_head_free(struct span_head *head)
{
    free(head->begin);
    free(head->end);
    free(head->servers);
    *head = (struct span_head){.begin = NULL};
}
