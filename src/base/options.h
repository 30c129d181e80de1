/* options.h — the command line from one table, which --help and the tests of the manual read too. */
#ifndef MAILTRAIL_OPTIONS_H
#define MAILTRAIL_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include "error.h"

struct option_spec {
    const char *name;   /* "since", without the dashes; "i,ignore-case": -i is the same */
    const char *value;  /* "T": it takes a value; NULL: it does not */
    const char *help;   /* one line */
    const char **into;  /* takes the value, or "yes" */
};

struct command {
    const char *name;      /* "ingest" */
    const char *arguments; /* "PATH..." */
    const char *help;      /* one line */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; answers the exit code */
};

#define EXIT_DONE 0
#define EXIT_PART 1
#define EXIT_FAILED 2
#define EXIT_USAGE 64

/* Takes "--name value", "--name=value" and "--name" out of argv, wherever they stand; "--" ends them.  What is
   left are the arguments, moved to argv[1] and on: their number is the answer.  -1: *err (FAIL_USAGE), naming
   what comes close.  options ends with a NULL name.  --help is among them by itself: it prints the help on
   standard output, and -2 is answered. */
int options_take(const struct command *command, const struct option_spec *options, int argc, char **argv,
                 struct error *err);

/* The words of a list that are near to one, for "did you mean"; NULL if none. */
const char *options_near(const char *word, const char *const *list);

#endif
