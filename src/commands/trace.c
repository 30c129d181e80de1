/* trace.c — mailtrail trace. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/terminal.h"
#include "../trace/trace.h"
#include "commands.h"
#include "when.h"

#define LIMIT_BY_DEFAULT "50"

struct options {
    const char *db, *since, *until, *server, *limit, *format, *lines, *scan, *now;
};

static int read_number(const char *text, int64_t low, int64_t high, int64_t *value, struct error *err)
{
    char *end;
    *value = strtoll(text, &end, 10);
    return end == text || *end || *value < low || *value > high
               ? error_set(err, FAIL_USAGE, "trace: '%s' is not a number from %lld to %lld", text, (long long)low,
                           (long long)high)
               : 0;
}

/* Whether a terminal is there that wants colours: see no-color.org. */
static bool wants_colour(int width)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    return width > 0 && !(none && *none) && term && strcmp(term, "dumb") != 0;
}

static int fill_request(struct store *store, const struct options *o, struct trace_request *request, struct error *err)
{
    int64_t now = time(NULL), limit;
    if (o->now && read_number(o->now, 0, INT64_MAX / 2, &now, err) < 0)
        return -1;
    if (read_number(o->limit, 1, 1000000, &limit, err) < 0)
        return -1;
    request->limit = (size_t)limit;
    request->find.server = o->server;
    request->lines = o->lines != NULL;
    request->find.everywhere = o->scan != NULL;
    request->width = terminal_width(STDOUT_FILENO);
    request->colour = wants_colour(request->width);
    if (strcmp(o->format, "json") == 0)
        request->format = TRACE_JSON;
    else if (strcmp(o->format, "text") != 0)
        return error_set(err, FAIL_USAGE, "trace: no format '%s'; text or json", o->format);
    const struct when_span span = {o->since, o->until, o->server, now};
    return when_span_parse(store, &span, &request->find.since, &request->find.until, err);
}

static int run(int argc, char **argv)
{
    struct options o = {.limit = LIMIT_BY_DEFAULT, .format = "text"};
    const struct option_spec options[] = {
        {"db", "FILE", "the database", &o.db},
        {"since", "T", "what arrived, was tried or refused from here on: 2026-11-23, yesterday, 7d", &o.since},
        {"until", "T", "to here, itself left out", &o.until},
        {"server", "NAME", "one server's messages", &o.server},
        {"limit", "N", "the latest N messages, and as many refusals; " LIMIT_BY_DEFAULT, &o.limit},
        {"format", "F", "text (default) or json", &o.format},
        {"lines", NULL, "the original lines too, from the archive", &o.lines},
        {"scan", NULL, "read everything, not only the hours in which a key is mentioned: slower, and the same", &o.scan},
        {"now", "SECONDS", "what today and 7d are counted from, Unix time; the clock", &o.now},
        {NULL, NULL, NULL, NULL}};
    struct error err;
    struct store *store = NULL;
    struct trace_request request = {.format = TRACE_TEXT};
    size_t found = 0;
    int count = options_take(&command_trace, options, argc, argv, &err);
    if (count == -2)
        return EXIT_DONE;
    if (count == 0)
        count = error_set(&err, FAIL_USAGE, "trace: no key; give an id, an address, a domain, a host, an IP, a Message-ID "
                                            "or subject:words");
    request.find.keys = (const char *const *)argv + 1;
    request.find.key_count = count;
    int done = count < 0 ? -1 : command_open_db(o.db, &store, &err);
    if (done == 0)
        done = fill_request(store, &o, &request, &err);
    if (done == 0)
        done = command_tell_pruned(store, request.find.since, o.server, "", &err);
    if (done == 0)
        done = trace_run(store, &request, stdout, &found, &err);
    if (done == 0)
        done = command_flush(&err);
    done = command_close_db(&store, done, &err);
    if (done < 0)
        return command_fail(&err);
    return found ? EXIT_DONE : EXIT_PART;
}

const struct command command_trace = {"trace", "KEY...", "tells what became of the messages that all keys touch", run};
