/* handed.c — the virtual table: a scan in the order given, nothing else. */
#include "handed.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/memory.h"

struct table {
    sqlite3_vtab base;
    struct handed *handed;
};

struct cursor {
    sqlite3_vtab_cursor base;
    const struct handed *handed;
    size_t at;
};

static int handed_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **vtab,
                          char **message)
{
    (void)argc, (void)argv, (void)message;
    struct handed *handed = aux;
    sqlite3_str *sql = sqlite3_str_new(db);
    for (size_t i = 0; i < handed->layout->count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i ? ", " : "CREATE TABLE x(", handed->layout->columns[i].name);
    sqlite3_str_appendall(sql, ")");
    char *text = sqlite3_str_finish(sql);
    int code = text ? sqlite3_declare_vtab(db, text) : SQLITE_NOMEM;
    sqlite3_free(text);
    if (code != SQLITE_OK)
        return code;
    struct table *table = xcalloc(1, sizeof *table);
    table->handed = handed;
    *vtab = &table->base;
    return SQLITE_OK;
}

static int handed_disconnect(sqlite3_vtab *vtab)
{
    free(vtab);
    return SQLITE_OK;
}

static int handed_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    (void)vtab;
    info->estimatedCost = 1000000;
    return SQLITE_OK;
}

static int handed_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **cursor)
{
    struct cursor *c = xcalloc(1, sizeof *c);
    c->handed = ((struct table *)vtab)->handed;
    *cursor = &c->base;
    return SQLITE_OK;
}

static int handed_close(sqlite3_vtab_cursor *cursor)
{
    free(cursor);
    return SQLITE_OK;
}

static int handed_filter(sqlite3_vtab_cursor *cursor, int number, const char *text, int argc,
                         sqlite3_value **argv)
{
    (void)number, (void)text, (void)argc, (void)argv;
    ((struct cursor *)cursor)->at = 0;
    return SQLITE_OK;
}

static int handed_next(sqlite3_vtab_cursor *cursor)
{
    ((struct cursor *)cursor)->at++;
    return SQLITE_OK;
}

static int handed_eof(sqlite3_vtab_cursor *cursor)
{
    const struct cursor *c = (const struct cursor *)cursor;
    return c->at >= c->handed->count;
}

static void answer_text(sqlite3_context *context, struct slice text)
{
    if (text.p)
        sqlite3_result_text(context, text.p, (int)text.n, SQLITE_STATIC);
}

static int handed_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int i)
{
    const struct cursor *c = (const struct cursor *)cursor;
    const struct handed *handed = c->handed;
    const struct row_column *column = &handed->layout->columns[i];
    const void *member = handed->rows + handed->order[c->at] * handed->layout->size + column->offset;
    if (column->type == COLUMN_INT) {
        int64_t value = *(const int64_t *)member;
        if (value != NUM_ABSENT)
            sqlite3_result_int64(context, value);
    } else if (column->type == COLUMN_REF) {
        uint32_t number = *(const uint32_t *)member;
        if (number)
            sqlite3_result_int64(context, handed->ids[number]);
    } else {
        answer_text(context, *(const struct slice *)member);
    }
    return SQLITE_OK;
}

static int handed_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
    *rowid = (sqlite3_int64)((const struct cursor *)cursor)->at;
    return SQLITE_OK;
}

int handed_register(sqlite3 *db, const char *name, struct handed *handed)
{
    static const sqlite3_module module = {
        .xConnect = handed_connect, .xDisconnect = handed_disconnect, .xBestIndex = handed_best_index,
        .xOpen = handed_open, .xClose = handed_close, .xFilter = handed_filter, .xNext = handed_next,
        .xEof = handed_eof, .xColumn = handed_column, .xRowid = handed_rowid,
    };
    char *full = xprintf("handed_%s", name);
    int code = sqlite3_create_module_v2(db, full, &module, handed, NULL);
    free(full);
    return code;
}
