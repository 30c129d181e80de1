/* report_file.h — the comment header of a report file: what it says of the SELECT below it. */
#ifndef MAILTRAIL_REPORT_FILE_H
#define MAILTRAIL_REPORT_FILE_H

#include "../../parsers/slice.h"
#include "../base/error.h"

enum report_layout {
    LAYOUT_TABLE,     /* columns under their titles */
    LAYOUT_TOTAL,     /* eximstats' grand total */
    LAYOUT_LIST,      /* a name and what belongs to it */
    LAYOUT_HISTOGRAM, /* a label and a number drawn as dots; the argument is what one is called */
    LAYOUT_DURATION,  /* bins of time: Under or Over, bound, count, percentages */
    LAYOUT_LEAGUE,    /* numbers first, then who */
    LAYOUT_RELAY,     /* count, from host, sender, to host, recipient, count of all, shown or not */
    LAYOUT_ERRORS     /* count, text; texts folded */
};

enum column_type {
    COLUMN_TEXT,
    COLUMN_COUNT,
    COLUMN_BYTES,    /* octets */
    COLUMN_DURATION, /* seconds */
    COLUMN_TIME,     /* Unix, shown in UTC; or local text as the views' time, shown as it is */
    COLUMN_PERCENT,  /* 0-100 */
    COLUMN_BAR,      /* a number, drawn */
    COLUMN_SCORE,    /* a number with one decimal */
    COLUMN_PATH,     /* a text that is cut in the middle where there is no room for it */
    COLUMN_TOLD      /* how many of those that the first column counts tell the figure before it; shown with that */
};

enum { REPORT_COLUMNS = 24, REPORT_VARIANTS = 4 };

struct column {
    struct slice name; /* as the SELECT calls it */
    struct slice title;
    enum column_type type;
};

/* Slices point into the file's text. */
struct report_file {
    struct slice name;
    struct slice section; /* traffic, senders ...: the part of the page */
    int order;            /* within it */
    int section_rank;     /* for the caller's use */
    struct slice title;   /* {top} {each} {thing}: "50", the variant, "50 things" or "thing" */
    struct slice help;
    struct slice empty; /* "hide", or the title when there are no rows; absent: the title */
    struct slice details; /* what of a report that reads sums is counted from facts all the same; absent: all of it, if any */
    struct slice absent; /* what a cell without a value shows in text and on the page */
    struct slice by;    /* host, domain, email, edomain: only when --by asks; absent: always */
    enum report_layout layout;
    struct slice unit; /* of a histogram */
    struct slice once; /* views, with commas, that are read once for all reports */
    struct slice sums;    /* measures, with commas, read by key1 alone: summed once for all */
    struct slice names;   /* the same, of which tally_names is read */
    struct slice counts;  /* the same, but only how many names they have */
    struct slice top;     /* the same, of a league: only keys that can be in it are shown to it */
    struct slice domains; /* the same, of a league of domains: one key for each domain */
    struct slice variants[REPORT_VARIANTS]; /* run once for each, bound as :each */
    int n_variants;                         /* 0: run once, :each NULL */
    struct column columns[REPORT_COLUMNS];
    int n_columns;
    const char *sql; /* the SELECT; NUL-terminated */
};

/* Reads the header of text, which must be NUL-terminated and outlive *file.  path is for messages.
   0, or -1 with *err (FAIL_REPORT). */
int report_file_parse(struct report_file *file, const char *text, const char *path,
                      struct error *err);

/* The names of the types and layouts, as in the files. */
const char *column_type_name(enum column_type type);
const char *layout_name(enum report_layout layout);

#endif
