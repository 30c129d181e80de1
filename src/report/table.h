/* table.h — one report's rows in memory, as a renderer wants them: all at once. */
#ifndef MAILTRAIL_TABLE_H
#define MAILTRAIL_TABLE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/memory.h"
#include "report_file.h"

enum cell_kind { CELL_NULL, CELL_INTEGER, CELL_REAL, CELL_TEXT };

struct cell {
    enum cell_kind kind;
    int64_t integer;
    double real;
    struct slice text; /* owned by the table; of any bytes */
};

struct table {
    const struct report_file *report;
    struct slice variant; /* "volume"; absent: the report has none */
    char title[256];
    const char *note; /* what prune took of it, in a sentence; NULL: nothing */
    bool shown[REPORT_COLUMNS]; /* to people; false: --by leaves this column out, or the one before it shows it */
    size_t width; /* of the terminal; 0: there is none */
    int64_t n_rows;
    int n_columns;
    struct cell *cells; /* n_rows x n_columns */
    size_t room;
    struct arena texts;
};

/* Steps statement to its end and keeps its rows.  The caller has set report, title and the rest.
   0, or -1 with *err (FAIL_DB).  table_clear in either case. */
int table_fill(struct table *table, sqlite3_stmt *statement, struct error *err);

const struct cell *table_cell(const struct table *table, int64_t row, int column);

/* Whether it is left out: empty, so that its report wants it to be, and nothing that was in it is pruned. */
bool table_is_hidden(const struct table *table);

/* Whether a figure is a lower bound: the column behind it says that not all of what the first column counts tells it. */
bool cell_is_least(const struct table *table, int64_t row, int column);

/* A cell as a number; NULL and text are 0. */
int64_t cell_integer(const struct cell *cell);
double cell_real(const struct cell *cell);

void table_clear(struct table *table);

#endif
