/* eximstats_print.h — the report's parts, in their order, to any number of printers: text, page, workbook. */
#ifndef MAILTRAIL_EXIMSTATS_PRINT_H
#define MAILTRAIL_EXIMSTATS_PRINT_H

#include <stdio.h>

#include "eximstats_counts.h"

/* A table of the most active. */
struct league {
    const char *name;             /* "sending host" */
    char *title_name;             /* "50 sending hosts" */
    const struct tallies *table;
    bool addresses, volumes;      /* columns; addresses are left out of an empty table's head only */
    int sheet;                    /* where a workbook has it */
};

enum { SHEET_DELIVERIES, SHEET_REJECTIONS, SHEET_TEMPORARY };

struct report_view {
    const struct eximstats_counts *counts;
    const struct eximstats_options *options;
};

/* Each function prints one part; titles come without an underline. */
struct printer {
    void (*begin)(struct printer *printer, const struct report_view *view);
    void (*totals)(struct printer *printer, const struct report_view *view);
    void (*patterns)(struct printer *printer, const struct report_view *view);
    void (*transports)(struct printer *printer, const struct report_view *view);
    /* text: "Deliveries"; unit: "delivery", "deliveries" where a dot stands for more than one */
    void (*histogram)(struct printer *printer, const struct report_view *view, const char *text,
                      const char *unit, const struct histogram *histogram);
    /* title: "Time spent on the queue", kind: "all messages" */
    void (*times)(struct printer *printer, const char *title, const char *kind, const struct time_table *table);
    void (*relayed)(struct printer *printer, const struct report_view *view);
    void (*league)(struct printer *printer, const struct report_view *view, const struct league *league);
    void (*errors)(struct printer *printer, const struct report_view *view);
    int (*end)(struct printer *printer, struct error *err); /* frees the printer; -1: *err */
};

struct printer *text_printer_new(FILE *out);
struct printer *html_printer_new(FILE *out, const struct eximstats_options *options);
/* path: a file, or "-" for standard output. */
struct printer *xls_printer_new(const char *path);

/* Prints all parts.  -1: *err, the first failure. */
int eximstats_print(const struct report_view *view, struct error *err);

/* ---- for printers ---- */

/* a * 100 / b, 0 of nothing. */
double percent_of(uint64_t a, uint64_t b);

/* Messages in the table of times. */
uint64_t time_table_total(const struct time_table *table);

/* What a dot of a histogram stands for, at least 1; what its title says. */
uint64_t histogram_scale(const struct histogram *histogram);
void histogram_title(const struct report_view *view, const char *text, char title[512]);
/* "00-01", "00:00", "  :30". */
void histogram_label(const struct report_view *view, size_t slot, char label[16]);

/* "H=one A=one => H=two A=two" in its halves, without H= and A=; one keeps its blank at the end.  The caller's to free. */
void relayed_halves(struct slice key, char **one, char **two);

/* The text of an error with its runs of blanks made one.  The caller's to free. */
struct slice squeezed(struct slice text);

/* printf into a printer's stream is checked at its end. */
int printer_flush(FILE *out, const char *path, struct error *err);

#endif
