/* report.c — mailtrail report. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/terminal.h"
#include "../report/report.h"
#include "commands.h"
#include "when.h"

struct options {
    const char *db, *since, *until, *format, *output, *top, *by, *server, *file, *list, *now;
};

static int read_number(const char *text, int64_t low, int64_t high, int64_t *value, struct error *err)
{
    char *end;
    *value = strtoll(text, &end, 10);
    return *end || *value < low || *value > high
               ? error_set(err, FAIL_USAGE, "report: '%s' is not a number from %lld to %lld", text,
                           (long long)low, (long long)high)
               : 0;
}

static int read_span(struct store *store, const struct options *o, struct report_request *request,
                     struct error *err)
{
    int64_t now = time(NULL);
    if (o->now && read_number(o->now, 0, INT64_MAX / 2, &now, err) < 0)
        return -1;
    const struct when_span words = {o->since, o->until, o->server, now};
    return when_span_parse(store, &words, &request->since, &request->until, err);
}

static bool is_stdout(const struct options *o)
{
    return !o->output || strcmp(o->output, "-") == 0;
}

/* All that can be told wrong without a database. */
static int fill_request(const struct options *o, struct report_request *request, struct error *err)
{
    int64_t top = 0;
    if (o->top && read_number(o->top, 1, 1000000, &top, err) < 0)
        return -1;
    request->top = (int)top;
    request->by = o->by;
    request->server = o->server;
    request->file = o->file;
    request->width = is_stdout(o) ? terminal_width(STDOUT_FILENO) : 0;
    if (o->format && !report_format_named(o->format, &request->format))
        return error_set(err, FAIL_USAGE, "report: no format '%s'; text, html, json or csv", o->format);
    return report_check(request, err);
}

static int write_report(struct store *store, const struct options *o, const struct report_request *request,
                        struct error *err)
{
    if (is_stdout(o))
        return report_run(store_db(store), request, stdout, err) < 0 ? -1 : command_flush(err);
    FILE *out = fopen(o->output, "we");
    if (!out)
        return error_set(err, FAIL_OS, "%s: cannot be written: %s", o->output, strerror(errno));
    int done = report_run(store_db(store), request, out, err);
    if (fclose(out) != 0 && done == 0)
        done = error_set(err, FAIL_OS, "%s: cannot be written: %s", o->output, strerror(errno));
    return done;
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    const struct option_spec options[] = {
        {"db", "FILE", "the database", &o.db},
        {"since", "T", "from here: 2026-11-23, \"2026-11-23 04:00\", today, yesterday, 7d", &o.since},
        {"until", "T", "to here, itself left out", &o.until},
        {"server", "NAME", "one server's figures", &o.server},
        {"format", "F", "text (default), html, json or csv", &o.format},
        {"output", "FILE", "write there instead of standard output", &o.output},
        {"top", "N", "length of the league tables; 50, of short 10", &o.top},
        {"by", "LIST", "which league tables: host,domain,email,edomain; all", &o.by},
        {"file", "FILE", "run a report of your own", &o.file},
        {"list", NULL, "name the reports there are", &o.list},
        {"now", "SECONDS", "what today and 7d are counted from, Unix time; the clock", &o.now},
        {NULL, NULL, NULL, NULL}};
    struct error err;
    struct store *store = NULL;
    struct report_request request = {0};
    int count = options_take(&command_report, options, argc, argv, &err);
    if (count == -2)
        return EXIT_DONE;
    if (count < 0)
        return command_fail(&err);
    if (o.list)
        return report_list(stdout, &err) < 0 || command_flush(&err) < 0 ? command_fail(&err) : EXIT_DONE;
    argv[count + 1] = NULL;
    request.names = count ? (const char *const *)argv + 1 : NULL;
    int done = fill_request(&o, &request, &err);
    if (done == 0)
        done = command_open_db(o.db, &store, &err);
    if (done == 0)
        done = read_span(store, &o, &request, &err);
    if (done == 0)
        done = command_tell_pruned(store, request.since, o.server, "; of those days sums by whole days are left", &err);
    if (done == 0)
        done = write_report(store, &o, &request, &err);
    done = command_close_db(&store, done, &err);
    return done < 0 ? command_fail(&err) : EXIT_DONE;
}

const struct command command_report = {"report", "[NAME...]", "prints the nightly report, or the reports and sets (nightly, short) named",
                                       run};
