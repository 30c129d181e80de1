/* rows.c — see rows.h. */
#include "rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../base/embedded.h"

static sqlite3_stmt *statement_of(struct reader *reader, const char *file, struct error *err)
{
    for (int i = 0; i < reader->file_count; i++)
        if (strcmp(reader->files[i].file, file) == 0)
            return reader->files[i].stmt;
    assert(reader->file_count < READER_FILES);
    sqlite3_stmt *stmt = store_prepare(reader->store, embedded_find(file)->text, err);
    if (!stmt)
        return NULL;
    reader->files[reader->file_count].file = file;
    reader->files[reader->file_count++].stmt = stmt;
    return stmt;
}

static void bind_all(sqlite3_stmt *stmt, const struct bind *binds)
{
    for (; binds->name; binds++) {
        int number = sqlite3_bind_parameter_index(stmt, binds->name);
        if (number && binds->text)
            sqlite3_bind_text(stmt, number, binds->text, -1, SQLITE_STATIC);
        else if (number)
            sqlite3_bind_int64(stmt, number, binds->integer);
    }
}

static void name_columns(struct reader *reader, sqlite3_stmt *stmt, struct rows *rows)
{
    rows->columns = (size_t)sqlite3_column_count(stmt);
    rows->names = arena_alloc(&reader->texts, rows->columns * sizeof *rows->names, sizeof(void *));
    for (size_t i = 0; i < rows->columns; i++) {
        const char *name = sqlite3_column_name(stmt, (int)i);
        rows->names[i] = arena_copy(&reader->texts, slice_of(name, strlen(name) + 1)).p;
    }
}

static struct value value_of(struct reader *reader, sqlite3_stmt *stmt, int column)
{
    struct value value = {.kind = VALUE_NULL};
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_NULL:
        break;
    case SQLITE_INTEGER:
        value.kind = VALUE_INTEGER;
        value.integer = sqlite3_column_int64(stmt, column);
        value.real = (double)value.integer;
        break;
    case SQLITE_FLOAT:
        value.kind = VALUE_REAL;
        value.real = sqlite3_column_double(stmt, column);
        value.integer = (int64_t)value.real;
        break;
    default: {
        const char *text = (const char *)sqlite3_column_text(stmt, column);
        size_t n = (size_t)sqlite3_column_bytes(stmt, column);
        value.kind = VALUE_TEXT;
        value.text = slice_of(arena_copy(&reader->texts, slice_of(text, n + 1)).p, n); /* its NUL stays behind it */
    }
    }
    return value;
}

int rows_read(struct reader *reader, const char *file, const struct bind *binds, struct rows *rows, struct error *err)
{
    sqlite3_stmt *stmt = statement_of(reader, file, err);
    if (!stmt)
        return -1;
    bind_all(stmt, binds);
    if (!rows->names)
        name_columns(reader, stmt, rows);
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        size_t used = rows->count++ * rows->columns;
        rows->values = grow(rows->values, &rows->room, used + rows->columns, sizeof *rows->values);
        for (size_t i = 0; i < rows->columns; i++)
            rows->values[used + i] = value_of(reader, stmt, (int)i);
    }
    int done = code == SQLITE_DONE ? 0 : store_error(reader->store, err);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return done;
}

static struct value *value_at(const struct rows *rows, size_t row, const char *name)
{
    size_t column = 0;
    while (column < rows->columns && strcmp(rows->names[column], name) != 0)
        column++;
    assert(column < rows->columns);
    return &rows->values[row * rows->columns + column];
}

const struct value *rows_value(const struct rows *rows, size_t row, const char *name)
{
    return value_at(rows, row, name);
}

void rows_set(struct rows *rows, size_t row, const char *name, int64_t number)
{
    *value_at(rows, row, name) = (struct value){.kind = VALUE_INTEGER, .integer = number, .real = (double)number};
}

struct slice rows_text(const struct rows *rows, size_t row, const char *name)
{
    return rows_value(rows, row, name)->text;
}

int64_t rows_integer(const struct rows *rows, size_t row, const char *name)
{
    return rows_value(rows, row, name)->integer;
}

bool rows_has(const struct rows *rows, size_t row, const char *name)
{
    return rows_value(rows, row, name)->kind != VALUE_NULL;
}

void rows_free(struct rows *rows)
{
    free(rows->values);
    *rows = (struct rows){0};
}

void reader_free(struct reader *reader)
{
    for (int i = 0; i < reader->file_count; i++)
        sqlite3_finalize(reader->files[i].stmt);
    arena_free(&reader->texts);
    *reader = (struct reader){0};
}
