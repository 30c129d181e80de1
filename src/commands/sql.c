/* sql.c — mailtrail sql. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/memory.h"
#include "../sql/query.h"
#include "commands.h"
#include "when.h"

#define SECONDS_BY_DEFAULT "600"

struct options {
    const char *db, *format, *limit, *parameter, *since, *until;
};

/* Takes "-p V", "--param V" and "--param=V", of which there may be many, out of argv into parameters, which has
   room for argc; answers how many words are left, or -1. */
static int take_parameters(int argc, char **argv, const char **parameters, struct error *err)
{
    int kept = 1, count = 0, i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--param=", 8) == 0)
            parameters[count++] = argv[i] + 8;
        else if (strcmp(argv[i], "-p") != 0 && strcmp(argv[i], "--param") != 0)
            argv[kept++] = argv[i];
        else if (i + 1 == argc)
            return error_set(err, FAIL_USAGE, "sql: %s wants a value: NAME=VALUE", argv[i]);
        else
            parameters[count++] = argv[++i];
    }
    for (; i < argc; i++)
        argv[kept++] = argv[i];
    parameters[count] = NULL;
    return kept;
}

static int read_limit(const char *text, int64_t *limit_ms, struct error *err)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds >= 0 && seconds <= 1e9))
        return error_set(err, FAIL_USAGE, "sql: --time-limit wants seconds, 0 for none, not '%s'", text);
    *limit_ms = (int64_t)(seconds * 1000);
    if (seconds > 0 && *limit_ms == 0)
        *limit_ms = 1;
    return 0;
}

/* All of standard input, with a NUL behind; the caller's to free. */
static char *read_query(struct error *err)
{
    char *text = NULL;
    size_t used = 0, room = 0, got;
    do {
        text = grow(text, &room, used + 4096, 1);
        used += got = fread(text + used, 1, room - used - 1, stdin);
    } while (got > 0);
    text[used] = 0;
    if (!ferror(stdin) && strlen(text) == used)
        return text;
    error_set(err, FAIL_USAGE, ferror(stdin) ? "sql: standard input cannot be read" : "sql: a NUL byte is in the query");
    free(text);
    return NULL;
}

/* The shell takes the place of this program; comes back only with an error. */
static int open_shell(const char *db, struct error *err)
{
    struct store *store = NULL;
    char *path = command_db_path(db);
    int done = store_open(path, STORE_READ, &store, err);
    char *name = done == 0 ? store_name(store) : NULL;
    store_close(&store);
    if (done == 0) {
        execlp("sqlite3", "sqlite3", "-readonly", "-column", "-header", name, (char *)NULL);
        error_set(err, FAIL_OS, errno == ENOENT ? "sql: the sqlite3 shell is not there; install sqlite3, or give a "
                                                  "query: mailtrail sql \"SELECT ...\""
                                                : "sql: the sqlite3 shell cannot be run: %s", strerror(errno));
    }
    free(name);
    free(path);
    return -1;
}

static int ask(const struct options *o, struct query *query, struct error *err)
{
    struct store *store = NULL;
    int64_t fault_at = -1;
    const struct when_span span = {o->since, o->until, NULL, time(NULL)};
    int done = command_open_db(o->db, &store, err);
    if (done == 0)
        done = when_span_parse(store, &span, &query->since, &query->until, err);
    if (done == 0)
        done = query_run(store_db(store), query, stdout, &fault_at, err);
    struct error unwritten;
    int flushed = command_flush(&unwritten);
    done = command_close_db(&store, done, err);
    int code = done < 0 ? command_fail(err) : flushed < 0 ? command_fail(&unwritten) : EXIT_DONE;
    if (fault_at >= 0)
        query_show_place(stderr, query->text, fault_at);
    return code;
}

static int read_options(int argc, char **argv, struct options *o, struct query *query, struct error *err)
{
    const struct option_spec options[] = {
        {"db", "FILE", "the database", &o->db},
        {"format", "F", "table (default), csv, tsv, json or line", &o->format},
        {"param", "NAME=VALUE", "the value of :NAME in the query; as often as wanted; -p for short", &o->parameter},
        {"since", "T", "the value of :since in the query: 2026-11-23, \"2026-11-23 04:00\", yesterday, 7d", &o->since},
        {"until", "T", "the value of :until", &o->until},
        {"time-limit", "SECONDS", "stop a query that works longer; 0: never; " SECONDS_BY_DEFAULT, &o->limit},
        {NULL, NULL, NULL, NULL}};
    int count = options_take(&command_sql, options, argc, argv, err);
    if (count > 1)
        return error_set(err, FAIL_USAGE, "sql: one query; put it in quotes");
    if (count >= 0 && o->format && !grid_format_named(o->format, &query->format))
        return error_set(err, FAIL_USAGE, "sql: no format '%s'; table, csv, tsv, json or line", o->format);
    if (count >= 0 && read_limit(o->limit, &query->limit_ms, err) < 0)
        return -1;
    return count;
}

static int run(int argc, char **argv)
{
    struct options o = {.limit = SECONDS_BY_DEFAULT};
    struct query query = {0};
    struct error err;
    char *from_input = NULL;
    const char **parameters = xcalloc((size_t)argc + 1, sizeof *parameters);
    int left = take_parameters(argc, argv, parameters, &err);
    int count = left < 0 ? -1 : read_options(left, argv, &o, &query, &err), code = EXIT_DONE;
    query.parameters = parameters;
    if (count == 0 && isatty(STDIN_FILENO))
        count = open_shell(o.db, &err);
    query.text = count == 1 && strcmp(argv[1], "-") != 0 ? argv[1] : NULL;
    if (count >= 0 && !query.text)
        query.text = from_input = read_query(&err);
    if (count == -1 || (count >= 0 && !query.text))
        code = command_fail(&err);
    else if (count >= 0)
        code = ask(&o, &query, &err);
    free(from_input);
    free(parameters);
    return code;
}

const struct command command_sql = {
    "sql", "[QUERY]", "answers a query of your own, read-only; without one, opens the sqlite3 shell", run};
