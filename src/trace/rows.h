/* rows.h — what the SQL files in trace/ answer, in memory, with the names of their columns. */
#ifndef MAILTRAIL_ROWS_H
#define MAILTRAIL_ROWS_H

#include "../../parsers/slice.h"
#include "../base/memory.h"
#include "../store/store.h"

enum value_kind { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT };

struct value {
    enum value_kind kind;
    int64_t integer; /* of a number; of a real one without its fraction */
    double real;     /* of a number */
    struct slice text; /* the reader's, as long as it lives */
};

struct rows {
    const char **names; /* of the columns, the reader's */
    size_t columns, count;
    struct value *values; /* count x columns */
    size_t room;
};

enum { READER_FILES = 16 };

/* Reads with statements that are prepared once; its texts live as long as it does. */
struct reader {
    struct store *store;
    struct {
        const char *file;
        sqlite3_stmt *stmt;
    } files[READER_FILES];
    int file_count;
    struct arena texts;
};

/* A named parameter: a text, or with a NULL text a number.  A list ends with a NULL name. */
struct bind {
    const char *name; /* ":at" */
    const char *text;
    int64_t integer;
};

/* Appends what a file such as "trace/message.sql" answers to rows, which are all zeros or of the same file.
   Parameters that the file has not are passed over.  0, or -1 with *err. */
int rows_read(struct reader *reader, const char *file, const struct bind *binds, struct rows *rows, struct error *err);

/* A value by its column's name, which must be there. */
const struct value *rows_value(const struct rows *rows, size_t row, const char *name);
struct slice rows_text(const struct rows *rows, size_t row, const char *name);      /* absent: NULL */
int64_t rows_integer(const struct rows *rows, size_t row, const char *name);        /* 0: NULL */
bool rows_has(const struct rows *rows, size_t row, const char *name);               /* false: NULL */

/* Sets a number. */
void rows_set(struct rows *rows, size_t row, const char *name, int64_t number);

void rows_free(struct rows *rows);
void reader_free(struct reader *reader);

#endif
