/* grep.c — mailtrail grep. */
#include <stdlib.h>
#include <time.h>

#include "../base/memory.h"
#include "../compat/grep.h"
#include "../compat/pager.h"
#include "commands.h"
#include "when.h"

struct options {
    const char *db, *ignore_case, *invert, *literal, *queue_time, *since, *until, *server, *no_pager, *now;
};

static int read_options(struct store *store, const struct options *o, const char *pattern, struct grep_options *options,
                        struct error *err)
{
    char *end = NULL;
    *options = (struct grep_options){.pattern = pattern, .ignore_case = o->ignore_case, .literal = o->literal,
                                     .invert = o->invert, .queue_time = -1};
    if (o->queue_time)
        options->queue_time = strtoll(o->queue_time, &end, 10);
    if (end && (*end || end == o->queue_time || options->queue_time < 0 || options->queue_time > INT32_MAX))
        return error_set(err, FAIL_USAGE, "grep: --queue-time wants seconds, not '%s'", o->queue_time);
    int64_t now = o->now ? strtoll(o->now, NULL, 10) : time(NULL);
    const struct when_span words = {o->since, o->until, o->server, now};
    return when_span_parse(store, &words, &options->since, &options->until, err);
}

/* The servers to search: the one named, or all; *ids is the caller's to free. */
static int find_servers(struct store *store, const char *name, int64_t **ids, size_t *count, struct error *err)
{
    size_t capacity = 0;
    sqlite3_stmt *stmt = store_prepare(store, "SELECT id FROM server WHERE ?1 IS NULL OR name = ?1 ORDER BY id", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        *ids = grow(*ids, &capacity, *count + 1, sizeof **ids);
        (*ids)[(*count)++] = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    if (code != SQLITE_DONE)
        return store_error(store, err);
    return *count || !name ? 0 : error_set(err, FAIL_USAGE, "grep: no server '%s' in this database", name);
}

/* What was read without its lines cannot be searched, nor what was pruned of them. */
static int tell_missing(struct store *store, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT count(*) FILTER (WHERE NOT archived), count(*) FILTER (WHERE pruned_lines > 0) FROM source", err);
    if (!stmt)
        return -1;
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(store, err);
    long long missing = sqlite3_column_int64(stmt, 0), pruned = sqlite3_column_int64(stmt, 1);
    sqlite3_finalize(stmt);
    if (done == 0 && pruned)
        fprintf(stderr, "mailtrail: the first lines of %lld source%s are pruned and cannot be searched; see mailtrail "
                "status\n", pruned, pruned == 1 ? "" : "s");
    if (done == 0 && missing)
        fprintf(stderr, "mailtrail: %lld source%s read with --no-lines and cannot be searched; see mailtrail status\n",
                missing, missing == 1 ? " was" : "s were");
    return done;
}

static int search(struct store *store, const struct options *o, const char *pattern, struct error *err)
{
    struct grep_options options;
    int64_t *servers = NULL;
    size_t count = 0;
    int done = store_run(store, "BEGIN", err);
    if (done == 0)
        done = read_options(store, o, pattern, &options, err);
    if (done == 0)
        done = find_servers(store, o->server, &servers, &count, err);
    if (done == 0)
        done = tell_missing(store, err);
    int pager = done < 0 || o->no_pager ? 0 : pager_start();
    for (size_t i = 0; i < count && done == 0; i++)
        done = grep_server(store, servers[i], &options, err);
    free(servers);
    if (done == 0)
        done = command_flush(err);
    pager_wait(pager);
    return done;
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    const struct option_spec options[] = {
        {"db", "FILE", "the database", &o.db},
        {"i,ignore-case", NULL, "upper and lower case are the same", &o.ignore_case},
        {"v,invert", NULL, "messages and lines that do not match", &o.invert},
        {"l,literal", NULL, "the pattern is plain text, no regular expression", &o.literal},
        {"t,queue-time", "N", "of completed messages only those that took more than N seconds", &o.queue_time},
        {"since", "T", "search from here: 2026-11-23, \"2026-11-23 04:00\", today, yesterday, 7d", &o.since},
        {"until", "T", "to here, itself left out", &o.until},
        {"server", "NAME", "the lines of one server", &o.server},
        {"no-pager", NULL, "no $PAGER, less or more, where the output is a terminal", &o.no_pager},
        {"now", "SECONDS", "what today and 7d are counted from, Unix time; the clock", &o.now},
        {NULL, NULL, NULL, NULL}};
    struct error err;
    struct store *store = NULL;
    int count = options_take(&command_grep, options, argc, argv, &err);
    if (count == -2)
        return EXIT_DONE;
    if (count == 0)
        count = error_set(&err, FAIL_USAGE, "grep: no pattern");
    if (count > 1)
        count = error_set(&err, FAIL_USAGE, "grep: one pattern, but '%s' came behind it; logs are ingested first, or searched by"
                          " mailtrail exigrep", argv[2]);
    int done = count < 0 ? -1 : command_open_db(o.db, &store, &err);
    if (done == 0)
        done = search(store, &o, argv[1], &err);
    done = command_close_db(&store, done, &err);
    return done < 0 ? command_fail(&err) : EXIT_DONE;
}

const struct command command_grep = {
    "grep", "PATTERN", "searches archived lines, and prints the messages of those that match", run};
