/* status.c — mailtrail status: a fixed set of reports about the database itself. */
#include <string.h>
#include <unistd.h>

#include "../base/terminal.h"
#include "../report/report.h"
#include "commands.h"

static int run(int argc, char **argv)
{
    static const char *const names[] = {"sources", "line-kinds", "unparsed-lines",
                                        "message-states", "database", NULL};
    const char *db = NULL, *format = NULL, *server = NULL;
    const struct option_spec options[] = {{"db", "FILE", "the database", &db},
                                          {"server", "NAME", "one server's sources", &server},
                                          {"format", "F", "text (default), json, csv or html", &format},
                                          {NULL, NULL, NULL, NULL}};
    struct error err;
    struct store *store = NULL;
    struct report_request request = {.names = names, .since = INT64_MIN, .until = INT64_MAX, .top = 1000000};
    int count = options_take(&command_status, options, argc, argv, &err);
    if (count == -2)
        return EXIT_DONE;
    if (count > 0)
        count = error_set(&err, FAIL_USAGE, "status: takes no arguments, but was given '%s'", argv[1]);
    request.server = server;
    request.width = terminal_width(STDOUT_FILENO);
    if (count == 0 && format && !report_format_named(format, &request.format))
        count = error_set(&err, FAIL_USAGE, "status: no format '%s'; text, json, csv or html", format);
    int done = count < 0 ? -1 : command_open_db(db, &store, &err);
    if (done == 0)
        done = report_run(store_db(store), &request, stdout, &err);
    if (done == 0)
        done = command_flush(&err);
    done = command_close_db(&store, done, &err);
    return done < 0 ? command_fail(&err) : EXIT_DONE;
}

const struct command command_status = {
    "status", "", "what was read, how well it was understood, and how large the database is", run};
