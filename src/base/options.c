/* options.c — option tables read. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#define WORD_MAX 40

/* Levenshtein's distance, for words up to WORD_MAX. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], m = strlen(a), n = strlen(b);
    if (m > WORD_MAX || n > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < best ? change : best;
        }
    }
    return row[n];
}

const char *options_near(const char *word, const char *const *list)
{
    const char *best = NULL;
    size_t least = strlen(word) / 2 + 1;
    for (; *list; list++) {
        size_t d = strncmp(word, *list, strlen(word)) == 0 ? 0 : distance(word, *list);
        if (d < least) {
            least = d;
            best = *list;
        }
    }
    return best;
}

/* The long name; a letter may stand before it. */
static const char *long_name(const struct option_spec *option)
{
    return option->name[1] == ',' ? option->name + 2 : option->name;
}

static void print_help(const struct command *command, const struct option_spec *options)
{
    printf("Usage: mailtrail %s [OPTIONS] %s\n\n%s\n\nOptions:\n", command->name, command->arguments,
           command->help);
    for (const struct option_spec *o = options; o->name; o++) {
        int width = printf("  --%s", long_name(o));
        if (long_name(o) != o->name)
            width += printf(", -%c", o->name[0]);
        width += printf("%s%s", o->value ? " " : "", o->value ? o->value : "");
        printf("%*s%s\n", width < 26 ? 26 - width : 1, "", o->help);
    }
    printf("  --help%*sthis text\n", 18, "");
}

static const struct option_spec *find(const struct option_spec *options, const char *name, size_t n)
{
    for (; options->name; options++)
        if (strlen(long_name(options)) == n && memcmp(long_name(options), name, n) == 0)
            return options;
    return NULL;
}

/* "-i", a letter alone. */
static const struct option_spec *find_letter(const struct option_spec *options, const char *word)
{
    for (; options->name; options++)
        if (long_name(options) != options->name && word[1] == options->name[0] && word[2] == 0)
            return options;
    return NULL;
}

static int unknown(const struct command *command, const struct option_spec *options, const char *word,
                   struct error *err)
{
    const char *names[64];
    size_t count = 0;
    for (; options->name && count < 63; options++)
        names[count++] = long_name(options);
    names[count] = NULL;
    const char *near = options_near(word + strspn(word, "-"), names);
    return error_set(err, FAIL_USAGE, "%s: no option %s%s%s; see mailtrail %s --help", command->name, word,
                     near ? "; did you mean --" : "", near ? near : "", command->name);
}

/* Takes the option at argv[i]; answers how many words it took, or -1. */
static int take_option(const struct command *command, const struct option_spec *options, int argc, char **argv,
                       int i, struct error *err)
{
    const char *name = argv[i] + 1 + (argv[i][1] == '-'), *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_spec *option = strncmp(argv[i], "--", 2) == 0 ? find(options, name, n)
                                                                      : find_letter(options, argv[i]);
    if (!option)
        return unknown(command, options, argv[i], err);
    if (!option->value) {
        if (equals)
            return error_set(err, FAIL_USAGE, "%s: --%s takes no value", command->name, long_name(option));
        *option->into = "yes";
        return 1;
    }
    if (!equals && i + 1 == argc)
        return error_set(err, FAIL_USAGE, "%s: --%s wants a value: %s", command->name, long_name(option),
                         option->value);
    *option->into = equals ? equals + 1 : argv[i + 1];
    return equals ? 1 : 2;
}

int options_take(const struct command *command, const struct option_spec *options, int argc, char **argv,
                 struct error *err)
{
    int kept = 0;
    for (int i = 1; i < argc;) {
        if (strcmp(argv[i], "--") == 0) {
            while (++i < argc)
                argv[++kept] = argv[i];
            break;
        }
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(command, options);
            return -2;
        }
        if (argv[i][0] != '-' || argv[i][1] == 0) {
            argv[++kept] = argv[i++];
            continue;
        }
        int taken = take_option(command, options, argc, argv, i, err);
        if (taken < 0)
            return -1;
        i += taken;
    }
    return kept;
}
