/* query.c — prepared under guard, bound, stepped, written; and what is wrong with it said with its place. */
#include "query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/options.h"
#include "../base/text.h"
#include "guard.h"

/* ---- what is wrong ----------------------------------------------------------------------------- */

static int64_t error_offset(sqlite3 *db)
{
#if SQLITE_VERSION_NUMBER >= 3038000
    return sqlite3_error_offset(db);
#else
    (void)db;
    return -1;
#endif
}

/* All first columns of a statement as a list for options_near; the caller frees words and list. */
static const char **read_words(sqlite3 *db, const char *sql)
{
    const char **words = NULL;
    size_t count = 0, room = 0;
    sqlite3_stmt *stmt = NULL;
    sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        words = grow(words, &room, count + 2, sizeof *words);
        words[count++] = xstrdup((const char *)sqlite3_column_text(stmt, 0));
        words[count] = NULL;
    }
    sqlite3_finalize(stmt);
    return words;
}

/* "; did you mean X" for an unknown table or column, into near; empty where nothing is close. */
static void suggest(sqlite3 *db, const char *message, char *near, size_t room)
{
    static const char no_table[] = "no such table: ", no_column[] = "no such column: ";
    bool column = strncmp(message, no_column, sizeof no_column - 1) == 0;
    *near = 0;
    if (!column && strncmp(message, no_table, sizeof no_table - 1) != 0)
        return;
    const char *word = message + (column ? sizeof no_column : sizeof no_table) - 1, *dot = strrchr(word, '.');
    const char **words = read_words(
        db, column ? "SELECT DISTINCT c.name FROM sqlite_schema v, pragma_table_info(v.name) c WHERE v.type = 'view'"
                   : "SELECT name FROM sqlite_schema WHERE type IN ('view', 'table') ORDER BY type DESC, name");
    const char *best = words ? options_near(dot ? dot + 1 : word, words) : NULL;
    if (best)
        snprintf(near, room, "; did you mean %s", best);
    for (size_t i = 0; words && words[i]; i++)
        free((char *)words[i]);
    free(words);
}

/* Why it could not be prepared.  The words are copied: to look for others is a statement too. */
static int refuse(const struct guard *guard, const struct query *query, int64_t *fault_at, struct error *err)
{
    char near[80], *message = xstrdup(sqlite3_errmsg(guard->db));
    *fault_at = error_offset(guard->db);
    if (guard->refused[0])
        error_set(err, FAIL_DB, "sql: refused: %s; sql only reads", guard->refused);
    else if (query->text[strspn(query->text, " \t\r\n")] == '.')
        error_set(err, FAIL_USAGE, "sql: commands with a dot are the sqlite3 shell's; mailtrail sql without a query "
                                   "opens it");
    else {
        suggest(guard->db, message, near, sizeof near);
        error_set(err, FAIL_USAGE, "sql: %s%s", message, near);
    }
    free(message);
    return -1;
}

static int tell_stop(const struct guard *guard, int64_t rows, struct error *err)
{
    double seconds = (double)guard->worked_ms / 1000;
    if (guard->stop == GUARD_INTERRUPTED)
        return error_set(err, FAIL_DB, "sql: stopped by Ctrl-C after %.1f s; %lld rows were written", seconds,
                         (long long)rows);
    if (guard->stop == GUARD_TIME_IS_UP)
        return error_set(err, FAIL_DB, "sql: stopped at the time limit of %.3g s; %lld rows were written; narrow the "
                         "query by at, or give it more with --time-limit", (double)guard->limit_ms / 1000,
                         (long long)rows);
    if (guard->refused[0] || sqlite3_errcode(guard->db) == SQLITE_AUTH)
        return error_set(err, FAIL_DB, "sql: refused; sql only reads");
    return error_set(err, FAIL_DB, "sql: %s", sqlite3_errmsg(guard->db));
}

/* ---- parameters -------------------------------------------------------------------------------- */

/* A value that says the same when it is a number is one. */
static void bind_value(sqlite3_stmt *stmt, int number, const char *value)
{
    char *end, again[32];
    errno = 0;
    long long integer = strtoll(value, &end, 10);
    snprintf(again, sizeof again, "%lld", integer);
    if (*value && errno == 0 && strcmp(again, value) == 0) {
        sqlite3_bind_int64(stmt, number, integer);
        return;
    }
    double real = strtod(value, &end);
    bool decimal = strspn(value, "-0123456789.") == strlen(value) && strchr(value, '.') && end > value && !*end;
    if (decimal)
        sqlite3_bind_double(stmt, number, real);
    else
        sqlite3_bind_text(stmt, number, value, -1, SQLITE_TRANSIENT);
}

/* The number of ":name", "@name", "$name" or "?N"; a plain ? is found by its number; 0: not there. */
static int find_parameter(sqlite3_stmt *stmt, const char *name, size_t n)
{
    char *end;
    long number = strtol(name, &end, 10);
    for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
        const char *there = sqlite3_bind_parameter_name(stmt, i);
        if (there ? strlen(there + 1) == n && memcmp(there + 1, name, n) == 0 : end == name + n && number == i)
            return i;
    }
    return 0;
}

static int bind_parameters(sqlite3_stmt *stmt, const struct query *query, struct error *err)
{
    if (query->since != INT64_MIN)
        sqlite3_bind_int64(stmt, find_parameter(stmt, "since", 5), query->since); /* 0 is out of range: it goes nowhere */
    if (query->until != INT64_MAX)
        sqlite3_bind_int64(stmt, find_parameter(stmt, "until", 5), query->until);
    for (const char *const *parameters = query->parameters; parameters && *parameters; parameters++) {
        const char *equals = strchr(*parameters, '=');
        size_t n = equals ? (size_t)(equals - *parameters) : 0;
        if (n == 0)
            return error_set(err, FAIL_USAGE, "sql: -p wants NAME=VALUE, not '%s'", *parameters);
        int number = find_parameter(stmt, *parameters, n);
        if (number == 0)
            return error_set(err, FAIL_USAGE, "sql: the query has no parameter :%.*s", (int)n, *parameters);
        bind_value(stmt, number, equals + 1);
    }
    return 0;
}

/* ---- running ----------------------------------------------------------------------------------- */

/* Whether nothing but blanks, comments and semicolons follows. */
static bool is_rest_empty(sqlite3 *db, const char **rest)
{
    sqlite3_stmt *next = NULL;
    while (**rest) {
        const char *tail;
        if (sqlite3_prepare_v2(db, *rest, -1, &next, &tail) != SQLITE_OK || next) {
            sqlite3_finalize(next);
            *rest += strspn(*rest, " \t\r\n;");
            return false;
        }
        *rest = tail;
    }
    return true;
}

static int prepare(struct guard *guard, const struct query *query, sqlite3_stmt **stmt, int64_t *fault_at,
                   struct error *err)
{
    const char *rest;
    if (sqlite3_prepare_v2(guard->db, query->text, -1, stmt, &rest) != SQLITE_OK)
        return refuse(guard, query, fault_at, err);
    if (!*stmt)
        return error_set(err, FAIL_USAGE, "sql: there is no query in it");
    if (!is_rest_empty(guard->db, &rest)) {
        *fault_at = rest - query->text;
        return error_set(err, FAIL_USAGE, "sql: one query at a time; here begins another");
    }
    return bind_parameters(*stmt, query, err);
}

static int write_rows(struct guard *guard, sqlite3_stmt *stmt, enum grid_format format, FILE *out, struct error *err)
{
    struct grid grid;
    int code = guard_step(guard, stmt);
    bool any = code == SQLITE_ROW || code == SQLITE_DONE;
    if (any)
        grid_begin(&grid, out, format, stmt);
    for (; code == SQLITE_ROW && !ferror(out); code = guard_step(guard, stmt))
        grid_row(&grid);
    if (code == SQLITE_DONE)
        grid_end(&grid);
    int done = code == SQLITE_DONE || code == SQLITE_ROW ? 0 : tell_stop(guard, any ? grid.rows : 0, err);
    if (any)
        grid_free(&grid);
    return done;
}

int query_run(sqlite3 *db, const struct query *query, FILE *out, int64_t *fault_at, struct error *err)
{
    struct guard guard;
    sqlite3_stmt *stmt = NULL;
    *fault_at = -1;
    int done = guard_open(&guard, db, query->limit_ms, err);
    if (done == 0)
        done = prepare(&guard, query, &stmt, fault_at, err);
    if (done == 0)
        done = write_rows(&guard, stmt, query->format, out, err);
    sqlite3_finalize(stmt);
    guard_close(&guard);
    return done;
}

void query_show_place(FILE *out, const char *text, int64_t at)
{
    enum { BEFORE = 60, AFTER = 40 };
    size_t place = (size_t)at, start = place, end = place;
    int line = 1;
    for (const char *p = text; p < text + place; p++)
        line += *p == '\n';
    while (start > 0 && text[start - 1] != '\n' && place - start < BEFORE)
        start--;
    end += strcspn(text + place, "\n");
    end = end - place > AFTER ? place + AFTER : end;
    int width = fprintf(out, "  line %d: ", line);
    text_write(out, slice_of(text + start, end - start), TEXT_TERMINAL);
    width += (int)text_width(slice_of(text + start, place - start));
    fprintf(out, "\n%*s^\n", width, "");
}
