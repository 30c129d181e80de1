/* insert.c — a statement for the columns that are in use, since reading those that are NULL throughout costs
   time for nothing. */
#include "insert.h"

#include <stdlib.h>

#define STATEMENTS_KEPT 6

struct statement {
    uint64_t columns; /* bit by bit, in the layout's order */
    sqlite3_stmt *stmt;
};

struct insert {
    struct store *store;
    struct handed handed;
    struct statement kept[STATEMENTS_KEPT];
    size_t count, next;
};

int insert_new(struct store *store, const struct row_layout *layout, struct insert **insert, struct error *err)
{
    *insert = xcalloc(1, sizeof **insert);
    (*insert)->store = store;
    (*insert)->handed.layout = layout;
    return handed_register(store_db(store), layout->table, &(*insert)->handed) == SQLITE_OK
               ? 0 : store_error(store, err);
}

void insert_free(struct insert **insert)
{
    if (!*insert)
        return;
    for (size_t i = 0; i < (*insert)->count; i++)
        sqlite3_finalize((*insert)->kept[i].stmt);
    free(*insert);
    *insert = NULL;
}

static bool is_null(const char *row, const struct row_column *column)
{
    const void *member = row + column->offset;
    switch (column->type) {
    case COLUMN_INT:
        return *(const int64_t *)member == NUM_ABSENT;
    case COLUMN_REF:
        return *(const uint32_t *)member == 0;
    case COLUMN_TEXT:
        return !((const struct slice *)member)->p;
    }
    return false;
}

/* Columns that any of the rows has a value in. */
static uint64_t used_columns(const struct row_layout *layout, const char *rows, const uint32_t *order,
                             size_t count)
{
    uint64_t used = 0;
    for (uint32_t c = 0; c < layout->count; c++)
        for (size_t i = 0; i < count && !(used >> c & 1); i++)
            if (!is_null(rows + order[i] * layout->size, &layout->columns[c]))
                used |= (uint64_t)1 << c;
    return used;
}

static bool has_id(const struct row_layout *layout)
{
    return strcmp(layout->columns[0].name, "id") == 0;
}

/* Every column stands in the table's order, so that SQLite moves no value twice; an id is left out, since it then
   gives the same numbers itself, without a search for each. */
static sqlite3_stmt *prepare(struct insert *insert, uint64_t columns, struct error *err)
{
    const struct row_layout *layout = insert->handed.layout;
    sqlite3_str *names = sqlite3_str_new(NULL), *values = sqlite3_str_new(NULL);
    for (uint32_t c = has_id(layout); c < layout->count; c++) {
        const char *comma = sqlite3_str_length(names) ? ", " : "";
        sqlite3_str_appendf(names, "%s%s", comma, layout->columns[c].name);
        sqlite3_str_appendf(values, "%s%s", comma, columns >> c & 1 ? layout->columns[c].name : "NULL");
    }
    char *name_list = sqlite3_str_finish(names), *value_list = sqlite3_str_finish(values);
    char *sql = sqlite3_mprintf("INSERT OR FAIL INTO %s (%s) SELECT %s FROM handed_%s", layout->table, name_list,
                                value_list, layout->table);
    sqlite3_stmt *stmt = store_prepare(insert->store, sql, err);
    sqlite3_free(sql);
    sqlite3_free(name_list);
    sqlite3_free(value_list);
    return stmt;
}

/* Whether the last row got its number. */
static int check_id(const struct insert *insert, const char *row, struct error *err)
{
    const struct row_layout *layout = insert->handed.layout;
    const int64_t *id = (const void *)(row + layout->columns[0].offset);
    return !has_id(layout) || sqlite3_last_insert_rowid(store_db(insert->store)) == *id
               ? 0 : error_set(err, FAIL_DB, "%s: the rows of %s are not numbered as they should be; run again",
                               store_path(insert->store), layout->table);
}

/* The statement for some columns, from the few that are kept. */
static sqlite3_stmt *statement_for(struct insert *insert, uint64_t columns, struct error *err)
{
    for (size_t i = 0; i < insert->count; i++)
        if (insert->kept[i].columns == columns)
            return insert->kept[i].stmt;
    struct statement *slot = &insert->kept[insert->next];
    if (insert->count < STATEMENTS_KEPT)
        insert->count++;
    else
        sqlite3_finalize(slot->stmt);
    insert->next = (insert->next + 1) % STATEMENTS_KEPT;
    *slot = (struct statement){columns, prepare(insert, columns, err)};
    return slot->stmt;
}

int insert_rows(struct insert *insert, const char *rows, const uint32_t *order, size_t count, const int64_t *ids,
                struct error *err)
{
    struct handed *handed = &insert->handed;
    if (count == 0)
        return 0;
    sqlite3_stmt *stmt = statement_for(insert, used_columns(handed->layout, rows, order, count), err);
    if (!stmt)
        return -1;
    *handed = (struct handed){handed->layout, rows, order, count, ids};
    return store_step(insert->store, stmt, err) < 0
               ? -1 : check_id(insert, rows + order[count - 1] * handed->layout->size, err);
}
