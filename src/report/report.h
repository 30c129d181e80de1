/* report.h — reports/NAME.sql run over the database and written out in one of several formats. */
#ifndef MAILTRAIL_REPORT_H
#define MAILTRAIL_REPORT_H

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>

#include "../base/error.h"

enum report_format {
    REPORT_TEXT, /* eximstats' layout */
    REPORT_CSV,
    REPORT_JSON,
    REPORT_HTML, /* one page that needs nothing else */
    REPORT_XLSX, /* not yet: FAIL_USAGE */
    REPORT_MIME  /* not yet: FAIL_USAGE */
};

/* All zeros but since and until is a nightly report of everything. */
struct report_request {
    const char *const *names; /* names of built-in reports and sets, NULL-terminated; NULL: the nightly set */
    int64_t since;            /* Unix, first second; INT64_MIN: from the first event */
    int64_t until;            /* Unix, first second no more; INT64_MAX: to the last event */
    int top;                  /* length of the league tables; 0: what a set named says, else 50 */
    const char *by;           /* which of host,domain,email,edomain get tables; NULL: all four */
    const char *server;       /* one server's name; NULL: all */
    enum report_format format;
    const char *file; /* a report file of the user's own, run instead of names; NULL: none */
    int width;        /* of the terminal that text is to fit; 0: it goes elsewhere and is as wide as it wants to be */
};

/* Whether the request's names, file, format and --by are such as there are; needs no database.
   0, or -1 with *err as report_run has it. */
int report_check(const struct report_request *request, struct error *err);

/* Runs the reports over db and writes them to out; flushing and closing out are the caller's.
   Changes nothing in the database but needs temporary tables: db may be read-only, not query_only.
   0: done; -1: see *err (FAIL_USAGE: no such report, server or format; FAIL_REPORT: a report's file
   is wrong; FAIL_DB; FAIL_OS). */
int report_run(sqlite3 *db, const struct report_request *request, FILE *out, struct error *err);

/* One line a built-in report: name, N where the nightly set has it, S where the short one has, help.  0 or -1 as above. */
int report_list(FILE *out, struct error *err);

/* "html" -> REPORT_HTML.  1: known; 0: not. */
int report_format_named(const char *name, enum report_format *format);

#endif
