/* prune.c — mailtrail prune. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/memory.h"
#include "../store/prune.h"
#include "commands.h"
#include "when.h"

#define DAY 86400

struct options {
    const char *db, *older, *lines, *now;
};

/* The beginning of the local day in which a limit lies; INT64_MIN without one. */
static int day_of(const char *word, const char *option, const struct zone *zone, int64_t now, int64_t *at,
                  struct error *err)
{
    int64_t second, again;
    *at = INT64_MIN;
    if (!word)
        return 0;
    if (when_parse(word, zone, now, &second, err) < 0)
        return -1;
    if (second > now)
        return error_set(err, FAIL_USAGE, "prune: --%s %s is still to come", option, word);
    zone_from_local(zone, floor_div(second + zone_offset_at(zone, second), DAY) * DAY, at, &again);
    return 0;
}

static int read_limit(struct store *store, const struct options *o, const char *name, int64_t now,
                      struct prune_limit *limit, struct error *err)
{
    struct server server;
    int done = store_server(store, name, NULL, &server, err);
    limit->server = server.id;
    if (done == 0)
        done = day_of(o->older, "older-than", &server.zone, now, &limit->facts, err);
    if (done == 0)
        done = day_of(o->lines, "lines-older-than", &server.zone, now, &limit->lines, err);
    server_free(&server);
    return done;
}

/* Fills *limits, the caller's to free, for each server. */
static int read_limits(struct store *store, const struct options *o, struct prune_limit **limits, size_t *count,
                       struct error *err)
{
    size_t capacity = 0;
    int64_t now = o->now ? strtoll(o->now, NULL, 10) : time(NULL);
    sqlite3_stmt *stmt = store_prepare(store, "SELECT name FROM server ORDER BY id", err);
    int code = SQLITE_DONE, done = stmt ? 0 : -1;
    while (done == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        *limits = grow(*limits, &capacity, *count + 1, sizeof **limits);
        done = read_limit(store, o, (const char *)sqlite3_column_text(stmt, 0), now, &(*limits)[(*count)++], err);
    }
    if (done == 0 && code != SQLITE_DONE)
        done = store_error(store, err);
    sqlite3_finalize(stmt);
    return done;
}

static void print_pruned(const struct pruned *p)
{
    printf("%lld messages, %lld deliveries, %lld rejections, %lld failed authentications, %lld session lines, %lld scan "
           "lines, %lld events, %lld unparsed lines; %lld lines in %lld blocks; %lld octets given back\n",
           (long long)p->messages, (long long)p->rows[TABLE_DELIVERY], (long long)p->rows[TABLE_REJECTION],
           (long long)p->rows[TABLE_AUTH_FAILURE], (long long)p->rows[TABLE_SESSION_LINE],
           (long long)p->rows[TABLE_SCAN_LINE], (long long)p->rows[TABLE_EVENT],
           (long long)p->rows[TABLE_UNPARSED_LINE], (long long)p->lines, (long long)p->blocks,
           (long long)p->freed);
    if (p->held > 0)
        fprintf(stderr, "mailtrail: %lld octets more are given back by the next prune, once those who read the database "
                "now have gone\n", (long long)p->held);
}

static int prune_db(const struct options *o, struct pruned *pruned, struct error *err)
{
    struct store *store = NULL;
    struct prune_limit *limits = NULL;
    size_t count = 0;
    char *path = command_db_path(o->db);
    int done = store_open(path, STORE_CHANGE, &store, err);
    if (done == 0)
        done = read_limits(store, o, &limits, &count, err);
    if (done == 0)
        done = prune_run(store, limits, count, pruned, err);
    free(limits);
    store_close(&store);
    free(path);
    return done;
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    const struct option_spec options[] = {
        {"db", "FILE", "the database", &o.db},
        {"older-than", "AGE", "prune facts from before that day: 400d, 60w, or a date", &o.older},
        {"lines-older-than", "AGE", "prune archived lines from before that day: 90d, 12w, or a date", &o.lines},
        {"now", "SECONDS", "what 400d is counted from, Unix time; the clock", &o.now},
        {NULL, NULL, NULL, NULL}};
    struct error err;
    struct pruned pruned;
    int count = options_take(&command_prune, options, argc, argv, &err);
    if (count == -2)
        return EXIT_DONE;
    if (count > 0)
        count = error_set(&err, FAIL_USAGE, "prune: takes no arguments, but was given '%s'", argv[1]);
    else if (count == 0 && !o.older && !o.lines)
        count = error_set(&err, FAIL_USAGE, "prune: say what is to go: --older-than 400d, --lines-older-than 90d, or both");
    if (count < 0 || prune_db(&o, &pruned, &err) < 0)
        return command_fail(&err);
    print_pruned(&pruned);
    return command_flush(&err) < 0 ? command_fail(&err) : EXIT_DONE;
}

const struct command command_prune = {"prune", "", "prunes facts and lines by age, and gives the space back", run};
