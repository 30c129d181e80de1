/* grid.h — the rows of any statement, written as they come. */
#ifndef MAILTRAIL_GRID_H
#define MAILTRAIL_GRID_H

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>

#include "../base/memory.h"

enum grid_format {
    GRID_TABLE, /* columns as wide as the first rows want them, at most GRID_WIDEST; nothing is cut off */
    GRID_CSV,   /* RFC 4180; NULL is nothing, the empty text is "" */
    GRID_TSV,
    GRID_JSON,  /* an array of objects; a name that comes again gets :2 */
    GRID_LINE   /* one value a line */
};

enum { GRID_HELD = 1000, GRID_HELD_OCTETS = 4 << 20, GRID_WIDEST = 100 }; /* how many rows those are */

struct grid {
    FILE *out;
    sqlite3_stmt *stmt;
    enum grid_format format;
    int columns;
    int64_t rows;         /* so far */
    struct slice *names;
    size_t *widths;       /* of a table's columns; [0] of line: of the longest name */
    int64_t held_rows;    /* a table's first rows, until it is known how wide they are; -1: they are written */
    struct slice *held;
    bool *numeric;        /* which of those are numbers */
    size_t held_room, numeric_room;
    struct arena texts;
};

/* "json" -> GRID_JSON.  1: known; 0: not. */
int grid_format_named(const char *name, enum grid_format *format);

/* The head; then grid_row for each row of stmt, and grid_end when they all came.  grid_free in any case. */
void grid_begin(struct grid *grid, FILE *out, enum grid_format format, sqlite3_stmt *stmt);
void grid_row(struct grid *grid);
void grid_end(struct grid *grid);
void grid_free(struct grid *grid);

#endif
