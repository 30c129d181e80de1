/* check.c — mailtrail check. */
#include <string.h>

#include "../base/text.h"
#include "../store/check.h"
#include "commands.h"

static void print_line(const char *kind, const char *what)
{
    printf("%-12s", kind);
    text_write(stdout, slice_of(what, strlen(what)), TEXT_TERMINAL);
    putchar('\n');
}

/* context: whether only faults are printed. */
static void tell(void *context, const char *kind, const char *fault, int64_t faults)
{
    const bool *quiet = context;
    if (fault)
        print_line(kind, fault);
    else if (faults == 0 && !*quiet)
        print_line(kind, "ok");
    else if (faults > CHECK_FAULTS_TOLD)
        printf("%-12s... and %lld more\n", kind, (long long)(faults - CHECK_FAULTS_TOLD));
}

static int run(int argc, char **argv)
{
    const char *db = NULL, *quiet = NULL;
    const struct option_spec options[] = {{"db", "FILE", "the database", &db},
                                          {"quiet", NULL, "print faults only", &quiet},
                                          {NULL, NULL, NULL, NULL}};
    struct error err;
    struct store *store = NULL;
    int64_t faults = 0;
    int count = options_take(&command_check, options, argc, argv, &err);
    if (count == -2)
        return EXIT_DONE;
    if (count > 0)
        count = error_set(&err, FAIL_USAGE, "check: takes no arguments, but was given '%s'", argv[1]);
    bool faults_only = quiet != NULL;
    const struct check_listener listener = {tell, &faults_only};
    int done = count < 0 ? -1 : command_open_db(db, &store, &err);
    if (done == 0)
        done = check_run(store, &listener, &faults, &err);
    struct error unwritten;
    int flushed = command_flush(&unwritten);
    done = command_close_db(&store, done, &err);
    if (done < 0)
        return command_fail(&err);
    return flushed < 0 ? command_fail(&unwritten) : faults ? EXIT_PART : EXIT_DONE;
}

const struct command command_check = {
    "check", "", "proves the database whole: every count against every other", run};
