/* ingest.c — mailtrail ingest. */
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/text.h"
#include "../ingest/ingest.h"
#include "commands.h"

struct options {
    const char *db, *config, *server, *zone, *year, *twice, *no_lines, *again, *quiet, *strict;
};

static int read_year(const struct options *o, struct settings *given, struct error *err)
{
    char *end;
    long year = o->year ? strtol(o->year, &end, 10) : 0;
    if (o->year && (*end || year < 1970 || year > 2100))
        return error_set(err, FAIL_USAGE, "ingest: --year wants four digits, 1970 to 2100, not '%s'", o->year);
    given->year = (int)year;
    return 0;
}

/* A zone that is none is told before a database is made for it. */
static int check_zone(const struct options *o, struct error *err)
{
    struct zone zone = {0};
    int done = o->zone ? zone_load(&zone, o->zone, err) : 0;
    zone_free(&zone);
    return done;
}

static const char *plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_summary(const struct ingest_outcome *out)
{
    fprintf(stderr, "mailtrail: %lld source%s read, %lld unchanged, %lld failed", (long long)out->sources, plural(out->sources),
            (long long)out->unchanged, (long long)out->failed);
    if (out->empty)
        fprintf(stderr, ", %lld empty", (long long)out->empty);
    fprintf(stderr, "; %lld line%s: %lld row%s new, %lld %s, %lld not understood\n", (long long)out->lines, plural(out->lines),
            (long long)out->rows, plural(out->rows), (long long)out->copies, out->copies == 1 ? "copy" : "copies",
            (long long)out->unparsed);
}

static int exit_code(const struct options *o, const struct ingest_outcome *out)
{
    if (out->failed)
        return out->sources + out->unchanged ? EXIT_PART : EXIT_FAILED;
    return o->strict && out->unparsed ? EXIT_PART : EXIT_DONE;
}

/* A name that is mistyped makes a database, too. */
static void tell_made(const struct options *o, const struct store *store)
{
    if (o->quiet || !store_is_draft(store))
        return;
    fputs("mailtrail: made database ", stderr);
    text_write(stderr, slice_of(store_path(store), strlen(store_path(store))), TEXT_TERMINAL);
    fputc('\n', stderr);
}

static int run_with(const struct options *o, struct ingest_request *request, struct error *err)
{
    struct store *store = NULL;
    struct config *config = NULL;
    struct ingest_outcome outcome;
    char *path = command_db_path(o->db);
    int done = -1;
    if (config_read(o->config, &config, err) == 0 && store_open(path, o->again ? STORE_CHANGE : STORE_WRITE, &store, err) == 0) {
        request->config = config;
        tell_made(o, store);
        done = o->again ? ingest_again(store, o->quiet != NULL, &outcome, err)
                        : ingest_run(store, request, &outcome, err);
    }
    store_close(&store);
    config_free(&config);
    free(path);
    if (done < 0)
        return command_fail(err);
    if (!o->quiet)
        print_summary(&outcome);
    return exit_code(o, &outcome);
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    const struct option_spec options[] = {
        {"db", "FILE", "the database; made when it is not there", &o.db},
        {"config", "FILE", "instead of $MAILTRAIL_CONF or /etc/mailtrail.conf", &o.config},
        {"server", "NAME", "whose logs these are; else the configuration's, else this machine's name", &o.server},
        {"zone", "TZ", "zone of the server's local stamps, such as Europe/Berlin; kept for good", &o.zone},
        {"year", "YYYY", "year of the first stamp without one; else message ids tell it, or the file's time", &o.year},
        {"twice", NULL, "take a log that is known as another server's for this one too", &o.twice},
        {"no-lines", NULL, "do not keep the lines themselves of sources that are new; for good", &o.no_lines},
        {"again", NULL, "read the archived lines once more, with the parsers of today, instead of paths", &o.again},
        {"quiet", NULL, "say nothing but errors", &o.quiet},
        {"strict", NULL, "exit code 1 when a line was not understood", &o.strict},
        {NULL, NULL, NULL, NULL}};
    struct error err;
    struct ingest_request request = {0};
    int count = options_take(&command_ingest, options, argc, argv, &err);
    if (count == -2)
        return EXIT_DONE;
    if (count < 0 || read_year(&o, &request.given, &err) < 0 || check_zone(&o, &err) < 0)
        return command_fail(&err);
    if (o.again && (count > 0 || o.server || o.zone || o.year || o.twice || o.no_lines)) {
        error_set(&err, FAIL_USAGE, "ingest: --again reads what is archived, as it was read before: it takes no path, server,"
                  " zone or year");
        return command_fail(&err);
    }
    if (count == 0 && !o.again) {
        error_set(&err, FAIL_USAGE, "ingest: no path; name logs, folders of logs, or - for standard input");
        return command_fail(&err);
    }
    request.paths = (const char *const *)argv + 1;
    request.path_count = (size_t)count;
    request.given.server = o.server;
    request.given.zone = o.zone;
    request.twice = o.twice != NULL;
    request.no_lines = o.no_lines != NULL;
    request.quiet = o.quiet != NULL;
    return run_with(&o, &request, &err);
}

const struct command command_ingest = {
    "ingest", "PATH...", "reads logs, folders of logs and standard input (-) into the database", run};
