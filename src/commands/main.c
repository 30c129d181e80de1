/* main.c — a table of commands. */
#include <stdio.h>
#include <string.h>

#include "commands.h"

static const struct command *const commands[] = {&command_ingest, &command_report, &command_status,
                                                 &command_explain, &command_forget, &command_prune, &command_check,
                                                 &command_trace, &command_grep, &command_sql, &command_lines,
                                                 &command_eximstats, &command_exigrep, NULL};

static void print_help(FILE *out)
{
    fputs("Usage: mailtrail COMMAND [OPTIONS] ...\n\n"
          "Reads what mail servers log, keeps it in one SQLite file, and answers from there.\n\nCommands:\n",
          out);
    for (const struct command *const *c = commands; *c; c++)
        fprintf(out, "  %-10s%s\n", (*c)->name, (*c)->help);
    fputs("\nmailtrail COMMAND --help tells a command's options; mailtrail --version the version.\n", out);
}

static int no_command(const char *word)
{
    const char *names[sizeof commands / sizeof *commands] = {NULL};
    struct error err;
    for (size_t i = 0; commands[i]; i++)
        names[i] = commands[i]->name;
    const char *near = options_near(word, names);
    if (*word == '-')
        error_set(&err, FAIL_USAGE, "no command '%s': the command comes first, its options behind it, as in mailtrail report "
                  "--db FILE; see mailtrail --help", word);
    else
        error_set(&err, FAIL_USAGE, "no command '%s'%s%s; see mailtrail --help", word,
              near ? "; did you mean " : "", near ? near : "");
    return command_fail(&err);
}

static const struct command *find_command(const char *name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

/* The command that the program is called by: a link by its name is that command. */
static const struct command *command_by_link(const char *path)
{
    const char *slash = strrchr(path, '/');
    return find_command(slash ? slash + 1 : path);
}

/* "help" alone, or with a command, whose help is its own. */
static int help(const char *name)
{
    char option[] = "--help", word[] = "help";
    const struct command *command = name ? find_command(name) : NULL;
    if (name && !command)
        return no_command(name);
    if (command)
        return command->run(2, (char *[]){word, option, NULL});
    print_help(stdout);
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    const struct command *command = argc > 0 ? command_by_link(argv[0]) : NULL;
    if (command)
        return command->run(argc, argv);
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return help(argv[2]);
    if (strcmp(argv[1], "--version") == 0) {
        puts("mailtrail " MAILTRAIL_VERSION);
        return EXIT_DONE;
    }
    command = find_command(argv[1]);
    return command ? command->run(argc - 1, argv + 1) : no_command(argv[1]);
}
