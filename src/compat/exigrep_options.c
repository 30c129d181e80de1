/* exigrep_options.c — the command line, read as Perl's Getopt::Long reads it. */
#include <stdlib.h>
#include <string.h>

#include "exigrep.h"

enum option { LITERAL, SENSITIVE, RELATED, QUEUE_TIME, PAGER, NO_PAGER, INVERT, HELP, MANUAL, VERSION };

static const struct name {
    const char *text;
    enum option option;
} names[] = {{"l", LITERAL},        {"literal", LITERAL},   {"I", SENSITIVE},       {"sensitive", SENSITIVE},
             {"M", RELATED},        {"related", RELATED},   {"t", QUEUE_TIME},      {"queue-time", QUEUE_TIME},
             {"pager", PAGER},      {"no-pager", NO_PAGER}, {"nopager", NO_PAGER},  {"v", INVERT},
             {"invert", INVERT},    {"h", HELP},            {"help", HELP},         {"m", MANUAL},
             {"man", MANUAL},       {"version", VERSION}};
#define NAMES (sizeof names / sizeof *names)

/* The name that one is short for, or NULL: no beginning is shared by two options, but a whole name may begin another. */
static const struct name *name_of(const char *text, size_t n)
{
    const struct name *found = NULL;
    for (size_t i = 0; i < NAMES && n > 0; i++) {
        if (strncmp(names[i].text, text, n) != 0)
            continue;
        found = &names[i];
        if (names[i].text[n] == 0)
            break;
    }
    return found;
}

/* Sign and digits, with _ among them for the eye; what is beyond 64 bits is the greatest there is. */
static bool read_number(const char *text, int64_t *number)
{
    bool negative = *text == '-';
    const char *p = text + (*text == '-' || *text == '+');
    int64_t value = 0;
    if (!p[strspn(p, "_")] || p[strspn(p, "0123456789_")])
        return false;
    for (; *p; p++)
        if (*p != '_')
            value = value < INT64_MAX / 10 - 10 ? value * 10 + (*p - '0') : INT64_MAX / 10;
    *number = negative ? -value : value;
    return true;
}

/* Takes -t's value: behind = or as the next word.  Answers how many words that was, or -1. */
static int take_queue_time(struct exigrep_options *options, const char *name, const char *value, const char *next)
{
    const char *text = value ? value : next;
    if (!text || !*text) {
        fprintf(stderr, "Option %s requires an argument\n", name);
        return -1;
    }
    if (!read_number(text, &options->queue_time)) {
        fprintf(stderr, "Value \"%s\" invalid for option %s (number expected)\n", text, name);
        return -1;
    }
    return value ? 0 : 1;
}

static void set(struct exigrep_options *options, enum option option, enum exigrep_wish *wish)
{
    options->literal |= option == LITERAL;
    options->sensitive |= option == SENSITIVE;
    options->related |= option == RELATED;
    options->invert |= option == INVERT;
    if (option == PAGER || option == NO_PAGER)
        options->no_pager = option == NO_PAGER;
    if (option >= HELP)
        *wish = option == HELP ? EXIGREP_HELP : option == MANUAL ? EXIGREP_MANUAL : EXIGREP_VERSION;
}

/* Takes the option that begins at word[0].  Answers how many words more it took, or -1: it is wrong. */
static int take_option(struct exigrep_options *options, const char *const *word, enum exigrep_wish *wish)
{
    const char *name = *word + (strncmp(*word, "--", 2) == 0 ? 2 : 1);
    const char *equals = *name ? strchr(name + 1, '=') : NULL;
    int n = (int)(equals ? (size_t)(equals - name) : strlen(name));
    const struct name *full = name_of(name, (size_t)n);
    if (!full && n == 0)
        fprintf(stderr, "Missing option after %s\n", *word);
    else if (!full)
        fprintf(stderr, "Unknown option: %.*s\n", n, name);
    else if (full->option == QUEUE_TIME)
        return take_queue_time(options, full->text, equals ? equals + 1 : NULL, word[1]);
    else if (equals)
        fprintf(stderr, "Option %s does not take an argument\n", full->text);
    if (!full || equals)
        return -1;
    set(options, full->option, wish);
    return 0;
}

static bool is_option(const char *word, bool strict)
{
    return (word[0] == '-' && word[1]) || (word[0] == '+' && !strict);
}

enum exigrep_wish exigrep_options_read(struct exigrep_options *options, int argc, char **argv)
{
    bool strict = getenv("POSIXLY_CORRECT") != NULL; /* the first argument then ends the options */
    bool wrong = false;
    enum exigrep_wish wish = EXIGREP_SEARCH;
    int kept = 0, i = 1;
    *options = (struct exigrep_options){.queue_time = -1};
    for (; i < argc && wish == EXIGREP_SEARCH && strcmp(argv[i], "--") != 0; i++) {
        if (is_option(argv[i], strict)) {
            int taken = take_option(options, (const char *const *)argv + i, &wish);
            wrong |= taken < 0;
            i += taken > 0;
        } else if (strict) {
            break;
        } else {
            argv[kept++] = argv[i];
        }
    }
    if (wish != EXIGREP_SEARCH)
        return wish;
    for (i += i < argc && strcmp(argv[i], "--") == 0; i < argc; i++)
        argv[kept++] = argv[i];
    if (wrong || kept == 0)
        return EXIGREP_WRONG;
    argv[kept] = NULL;
    options->pattern = argv[0];
    options->files = argv + 1;
    return EXIGREP_SEARCH;
}
