/* exigrep.h — the old exigrep: its options and its output.  docs/compat.md says where it differs, and why. */
#ifndef MAILTRAIL_EXIGREP_H
#define MAILTRAIL_EXIGREP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct exigrep_options {
    bool literal, sensitive, related, invert, no_pager;
    int64_t queue_time;  /* -t: seconds; -1: not given */
    const char *pattern;
    char **files; /* NULL-terminated; none: standard input */
};

enum exigrep_exit {
    EXIGREP_DONE = 0,
    EXIGREP_PART = 1,    /* a compressed file was broken; what it held was searched */
    EXIGREP_FAILED = 2,  /* wrong options, or a file that cannot be read: nothing behind it was searched */
    EXIGREP_PATTERN = 25 /* the pattern is wrong */
};

/* What the command line asks for. */
enum exigrep_wish { EXIGREP_SEARCH, EXIGREP_WRONG, EXIGREP_HELP, EXIGREP_MANUAL, EXIGREP_VERSION };

/* Reads the command line as Perl's Getopt::Long does: names may be abbreviated, stand behind -, -- or +, and mix with
   the arguments.  argv is put in another order and lent to *options.  EXIGREP_WRONG: it was said on standard error. */
enum exigrep_wish exigrep_options_read(struct exigrep_options *options, int argc, char **argv);

/* Searches, and writes to standard output.  Errors are told on standard error. */
enum exigrep_exit exigrep_run(const struct exigrep_options *options);

#endif
