/* handed.h — rows of a batch as a virtual table, so that INSERT ... SELECT takes them over column by column,
   without a bind and a step for each. */
#ifndef MAILTRAIL_HANDED_H
#define MAILTRAIL_HANDED_H

#include <sqlite3.h>

#include "../ingest/batch.h"

/* What one table "handed_NAME" shows: set before a statement reads it, left alone while it does. */
struct handed {
    const struct row_layout *layout;
    const char *rows;
    const uint32_t *order;              /* which rows, in which order */
    size_t count;                       /* of order */
    const int64_t *ids;                 /* what REF columns read as, by their number */
};

/* Makes table "handed_NAME" in a connection.  handed is borrowed for the connection's life. */
int handed_register(sqlite3 *db, const char *name, struct handed *handed);

#endif
