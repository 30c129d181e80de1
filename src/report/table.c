/* table.c — cells in one array, their texts in an arena. */
#include "table.h"

#include <stdlib.h>

static struct cell cell_of(struct table *table, sqlite3_stmt *statement, int column)
{
    struct cell cell = {.kind = CELL_NULL};
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        cell.kind = CELL_INTEGER;
        cell.integer = sqlite3_column_int64(statement, column);
        break;
    case SQLITE_FLOAT:
        cell.kind = CELL_REAL;
        cell.real = sqlite3_column_double(statement, column);
        break;
    case SQLITE_NULL:
        break;
    default:
        cell.kind = CELL_TEXT;
        cell.text = slice_of((const char *)sqlite3_column_text(statement, column),
                             (size_t)sqlite3_column_bytes(statement, column));
        cell.text = cell.text.p ? arena_copy(&table->texts, cell.text) : SLICE_LIT("");
    }
    return cell;
}

static void add_row(struct table *table, sqlite3_stmt *statement)
{
    size_t n = (size_t)table->n_columns;
    size_t used = (size_t)table->n_rows * n;
    table->cells = grow(table->cells, &table->room, used + n, sizeof *table->cells);
    for (int i = 0; i < table->n_columns; i++)
        table->cells[used + (size_t)i] = cell_of(table, statement, i);
    table->n_rows++;
}

int table_fill(struct table *table, sqlite3_stmt *statement, struct error *err)
{
    int rc;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW)
        add_row(table, statement);
    if (rc != SQLITE_DONE)
        return error_set(err, FAIL_DB, "report %.*s: %s", (int)table->report->name.n,
                         table->report->name.p, sqlite3_errmsg(sqlite3_db_handle(statement)));
    return 0;
}

const struct cell *table_cell(const struct table *table, int64_t row, int column)
{
    return &table->cells[row * table->n_columns + column];
}

bool table_is_hidden(const struct table *table)
{
    bool whole = !table->note || table->report->details.n;
    return table->n_rows == 0 && whole && slice_is(table->report->empty, "hide");
}

bool cell_is_least(const struct table *table, int64_t row, int column)
{
    if (column + 1 >= table->n_columns || table->report->columns[column + 1].type != COLUMN_TOLD)
        return false;
    return cell_integer(table_cell(table, row, column + 1)) < cell_integer(table_cell(table, row, 0));
}

int64_t cell_integer(const struct cell *cell)
{
    if (cell->kind == CELL_REAL && cell->real > -9e18 && cell->real < 9e18)
        return (int64_t)cell->real;
    return cell->kind == CELL_INTEGER ? cell->integer : 0;
}

double cell_real(const struct cell *cell)
{
    return cell->kind == CELL_INTEGER ? (double)cell->integer
           : cell->kind == CELL_REAL  ? cell->real
                                      : 0;
}

void table_clear(struct table *table)
{
    free(table->cells);
    arena_free(&table->texts);
    *table = (struct table){.report = NULL};
}
