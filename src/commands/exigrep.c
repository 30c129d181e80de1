/* exigrep.c — mailtrail exigrep: the old program's command line. */
#include <stdio.h>

#include "../compat/exigrep.h"
#include "commands.h"

static const char usage[] = "Usage:\n    exigrep [options] pattern [log] ...\n\n";

static const char help[] =
    "Prints all lines of the messages of which a line matches, and matching lines that belong to no message.\n"
    "Logs are plain or compressed, by their content; without any, standard input is read.\n\n"
    "Options:\n"
    "  --literal, -l            the pattern is plain text, no regular expression of Perl's\n"
    "  --sensitive, -I          upper and lower case differ\n"
    "  --invert, -v             messages and lines that do not match\n"
    "  --related, -M            also messages that name the id of such a message, and the causes of bounces\n"
    "  --queue-time, -t N       of those completed, only messages that took more than N seconds\n"
    "  --no-pager               no $PAGER, less or more, where the output is a terminal\n"
    "  --version                the version\n"
    "  --help, -h               this text\n"
    "  --man, -m                this text; more is in mailtrail(1)\n";

static int run(int argc, char **argv)
{
    const char *name = argv[0];
    struct exigrep_options options;
    struct error err;
    int code = EXIGREP_DONE;
    switch (exigrep_options_read(&options, argc, argv)) {
    case EXIGREP_WRONG:
        fputs(usage, stderr);
        return EXIGREP_FAILED;
    case EXIGREP_HELP:
    case EXIGREP_MANUAL:
        fputs(usage, stdout);
        fputs(help, stdout);
        break;
    case EXIGREP_VERSION:
        printf("exigrep: %s\nbuild: mailtrail %s\n", name, MAILTRAIL_VERSION);
        break;
    case EXIGREP_SEARCH:
        code = (int)exigrep_run(&options);
    }
    if (command_flush(&err) < 0) {
        error_print(&err);
        return EXIGREP_FAILED;
    }
    return code;
}

const struct command command_exigrep = {
    "exigrep", "PATTERN [LOG...]", "the old exigrep: the lines of messages that match, from log files", run};
