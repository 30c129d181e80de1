/* eximstats_options.h — the command line of eximstats 4.96, option by option. */
#ifndef MAILTRAIL_EXIMSTATS_OPTIONS_H
#define MAILTRAIL_EXIMSTATS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perl_source.h"

enum { BY_HOST, BY_DOMAIN, BY_EMAIL, BY_EDOMAIN, BY_KINDS };

/* Names as the report has them: "Host"; small: "host". */
extern const char *const by_names[BY_KINDS], *const by_small_names[BY_KINDS];

/* Bounds of a table of times, seconds, ascending. */
struct time_bounds {
    int64_t *seconds;
    size_t count; /* 0: no table */
};

struct user_pattern {
    char *description;
    struct perl_regex *regex;
};

enum { OUT_TEXT, OUT_HTML, OUT_XLS, OUT_KINDS };

struct eximstats_options {
    bool errors, relay, transports, rounded, local_users, remote_users, original, local_domains;
    bool merge, empty_ok, utc, debug, charts;
    bool by[BY_KINDS];
    unsigned per_hour;         /* slots of the histograms; 0: none */
    uint64_t top;              /* rows of a league table; 0: no tables */
    struct time_bounds queue, receipt, delivery;
    struct perl_regex *relay_hidden, *transport_hidden; /* NULL: nothing is */
    struct user_pattern *patterns;
    size_t pattern_count, pattern_capacity;
    const char *outputs[OUT_KINDS]; /* path, "-" or NULL: not wanted */
    const char *chart_dir, *chart_rel;
    bool chart_files;          /* -chartdir was given */
    char *const *files;        /* NULL-terminated; empty: standard input */
};

#define EXIMSTATS_GO (-1)

/* Reads the options.  EXIMSTATS_GO: they are good; else the exit code, after all was said that is to be said. */
int eximstats_options_read(struct eximstats_options *options, int argc, char **argv);
void eximstats_options_free(struct eximstats_options *options);

#endif
