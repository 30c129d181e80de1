/* grid.c — five ways to write a row. */
#include "grid.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

static const char *const names_of_formats[] = {"table", "csv", "tsv", "json", "line"};

int grid_format_named(const char *name, enum grid_format *format)
{
    for (size_t i = 0; i < sizeof names_of_formats / sizeof *names_of_formats; i++)
        if (strcmp(name, names_of_formats[i]) == 0) {
            *format = (enum grid_format)i;
            return 1;
        }
    return 0;
}

/* ---- cells ------------------------------------------------------------------------------------- */

static bool is_number(sqlite3_stmt *stmt, int column)
{
    int type = sqlite3_column_type(stmt, column);
    return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

/* Octets as SQL writes them: x'00ff'. */
static struct slice blob_text(struct arena *texts, sqlite3_stmt *stmt, int column)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = sqlite3_column_blob(stmt, column);
    size_t n = (size_t)sqlite3_column_bytes(stmt, column), used = 0;
    char *text = arena_alloc(texts, 2 * n + 3, 1);
    text[used++] = 'x';
    text[used++] = '\'';
    for (size_t i = 0; i < n; i++) {
        text[used++] = digits[bytes[i] >> 4];
        text[used++] = digits[bytes[i] & 15];
    }
    text[used++] = '\'';
    return slice_of(text, used);
}

/* The text of a cell, absent for NULL; valid until the next step, or until the arena is emptied. */
static struct slice cell_text(struct grid *grid, int column)
{
    switch (sqlite3_column_type(grid->stmt, column)) {
    case SQLITE_NULL:
        return SLICE_ABSENT;
    case SQLITE_BLOB:
        return blob_text(&grid->texts, grid->stmt, column);
    default: {
        const char *text = (const char *)sqlite3_column_text(grid->stmt, column);
        return slice_of(text ? text : "", (size_t)sqlite3_column_bytes(grid->stmt, column));
    }
    }
}

/* ---- table ------------------------------------------------------------------------------------- */

static void put_repeated(FILE *out, char c, size_t n)
{
    while (n--)
        fputc(c, out);
}

/* Numbers stand right; behind the last column nothing is filled up. */
static void put_cell(struct grid *grid, int column, struct slice text, bool right)
{
    size_t used = text_width(text), width = grid->widths[column], gap = used < width ? width - used : 0;
    fputs(column ? "  " : "", grid->out);
    put_repeated(grid->out, ' ', right ? gap : 0);
    text_write(grid->out, text, TEXT_TERMINAL);
    if (column + 1 < grid->columns)
        put_repeated(grid->out, ' ', right ? 0 : gap);
}

static void put_table_head(struct grid *grid)
{
    for (int i = 0; i < grid->columns; i++)
        put_cell(grid, i, grid->names[i], false);
    fputc('\n', grid->out);
    for (int i = 0; i < grid->columns; i++) {
        fputs(i ? "  " : "", grid->out);
        put_repeated(grid->out, '-', grid->widths[i]);
    }
    fputc('\n', grid->out);
}

static void release_held(struct grid *grid)
{
    size_t count = (size_t)grid->held_rows * (size_t)grid->columns;
    put_table_head(grid);
    for (size_t i = 0; i < count; i++) {
        int column = (int)(i % (size_t)grid->columns);
        put_cell(grid, column, grid->held[i], grid->numeric[i]);
        if (column + 1 == grid->columns)
            fputc('\n', grid->out);
    }
    grid->held_rows = -1;
}

static void widen(struct grid *grid, int column, size_t width)
{
    if (width > GRID_WIDEST)
        width = GRID_WIDEST;
    if (grid->widths[column] < width)
        grid->widths[column] = width;
}

static void hold_row(struct grid *grid)
{
    size_t columns = (size_t)grid->columns, used = (size_t)grid->held_rows * columns;
    grid->held = grow(grid->held, &grid->held_room, used + columns, sizeof *grid->held);
    grid->numeric = grow(grid->numeric, &grid->numeric_room, used + columns, sizeof *grid->numeric);
    for (int i = 0; i < grid->columns; i++) {
        struct slice text = arena_copy(&grid->texts, cell_text(grid, i));
        grid->held[used + (size_t)i] = text;
        grid->numeric[used + (size_t)i] = is_number(grid->stmt, i);
        widen(grid, i, text_width(text));
    }
    grid->held_rows++;
}

static void put_table_row(struct grid *grid)
{
    if (grid->held_rows >= 0) {
        hold_row(grid);
        if (grid->held_rows == GRID_HELD || grid->texts.used > GRID_HELD_OCTETS)
            release_held(grid);
        return;
    }
    arena_empty(&grid->texts);
    for (int i = 0; i < grid->columns; i++)
        put_cell(grid, i, cell_text(grid, i), is_number(grid->stmt, i));
    fputc('\n', grid->out);
}

/* ---- the others -------------------------------------------------------------------------------- */

static void put_line_row(struct grid *grid)
{
    arena_empty(&grid->texts);
    fputs(grid->rows ? "\n" : "", grid->out);
    for (int i = 0; i < grid->columns; i++) {
        put_repeated(grid->out, ' ', grid->widths[0] - text_width(grid->names[i]));
        text_write(grid->out, grid->names[i], TEXT_TERMINAL);
        fputs(" = ", grid->out);
        text_write(grid->out, cell_text(grid, i), TEXT_TERMINAL);
        fputc('\n', grid->out);
    }
}

/* CSV and TSV: numbers as they are, the rest through the escaper. */
static void put_separated_row(struct grid *grid, const char *separator, const char *end, enum text_mode mode)
{
    arena_empty(&grid->texts);
    for (int i = 0; i < grid->columns; i++) {
        fputs(i ? separator : "", grid->out);
        text_write(grid->out, cell_text(grid, i), is_number(grid->stmt, i) ? TEXT_PLAIN : mode);
    }
    fputs(end, grid->out);
}

static void put_separated_head(struct grid *grid, const char *separator, const char *end, enum text_mode mode)
{
    for (int i = 0; i < grid->columns; i++) {
        fputs(i ? separator : "", grid->out);
        text_write(grid->out, grid->names[i], mode);
    }
    fputs(end, grid->out);
}

/* How many columns before this one have its name. */
static int same_before(const struct grid *grid, int column)
{
    int same = 0;
    for (int i = 0; i < column; i++)
        same += slice_equal(grid->names[i], grid->names[column]);
    return same;
}

static void put_json_value(struct grid *grid, int column)
{
    struct slice text = cell_text(grid, column);
    double real = sqlite3_column_double(grid->stmt, column);
    if (!is_number(grid->stmt, column))
        text_write_json(grid->out, text);
    else if (real - real == 0)
        text_write(grid->out, text, TEXT_PLAIN);
    else
        text_write_json(grid->out, SLICE_ABSENT); /* JSON has no word for an infinite one */
}

static void put_json_row(struct grid *grid)
{
    arena_empty(&grid->texts);
    fputs(grid->rows ? ",\n {" : "\n {", grid->out);
    for (int i = 0; i < grid->columns; i++) {
        int same = same_before(grid, i);
        fputs(i ? ", \"" : "\"", grid->out);
        text_write(grid->out, grid->names[i], TEXT_JSON);
        if (same)
            fprintf(grid->out, ":%d", same + 1);
        fputs("\": ", grid->out);
        put_json_value(grid, i);
    }
    fputc('}', grid->out);
}

/* ---- all --------------------------------------------------------------------------------------- */

static void measure_names(struct grid *grid)
{
    size_t columns = (size_t)grid->columns;
    grid->names = xcalloc(columns, sizeof *grid->names);
    grid->widths = xcalloc(columns, sizeof *grid->widths);
    for (size_t i = 0; i < columns; i++) {
        const char *name = sqlite3_column_name(grid->stmt, (int)i);
        grid->names[i] = slice_of(name ? name : "", name ? strlen(name) : 0);
        size_t width = text_width(grid->names[i]), *most = &grid->widths[grid->format == GRID_LINE ? 0 : i];
        *most = width > *most ? width : *most;
    }
}

void grid_begin(struct grid *grid, FILE *out, enum grid_format format, sqlite3_stmt *stmt)
{
    *grid = (struct grid){.out = out, .stmt = stmt, .format = format, .columns = sqlite3_column_count(stmt)};
    measure_names(grid);
    if (format == GRID_CSV)
        put_separated_head(grid, ",", "\r\n", TEXT_CSV);
    else if (format == GRID_TSV)
        put_separated_head(grid, "\t", "\n", TEXT_TSV);
    else if (format == GRID_JSON)
        fputc('[', out);
}

void grid_row(struct grid *grid)
{
    switch (grid->format) {
    case GRID_TABLE:
        put_table_row(grid);
        break;
    case GRID_CSV:
        put_separated_row(grid, ",", "\r\n", TEXT_CSV);
        break;
    case GRID_TSV:
        put_separated_row(grid, "\t", "\n", TEXT_TSV);
        break;
    case GRID_JSON:
        put_json_row(grid);
        break;
    case GRID_LINE:
        put_line_row(grid);
    }
    grid->rows++;
}

void grid_end(struct grid *grid)
{
    if (grid->format == GRID_TABLE && grid->held_rows >= 0)
        release_held(grid);
    else if (grid->format == GRID_JSON)
        fputs(grid->rows ? "\n]\n" : "]\n", grid->out);
}

void grid_free(struct grid *grid)
{
    free(grid->names);
    free(grid->widths);
    free(grid->held);
    free(grid->numeric);
    arena_free(&grid->texts);
    *grid = (struct grid){0};
}
