/* insert.h — rows of memory into a table: INSERT ... SELECT from a virtual table that shows them (handed.h). */
#ifndef MAILTRAIL_INSERT_H
#define MAILTRAIL_INSERT_H

#include "handed.h"
#include "store.h"

struct insert;

/* For rows of this layout, whose columns are all columns of its table, in the table's order.  A first column "id" is
   the table's INTEGER PRIMARY KEY: rows must come with the numbers that follow the greatest one stored. */
int insert_new(struct store *store, const struct row_layout *layout, struct insert **insert, struct error *err);
void insert_free(struct insert **insert);

/* Puts count rows, in the order given; REF columns are read as ids[number].  All is borrowed for the call.
   A key that is stored already fails. */
int insert_rows(struct insert *insert, const char *rows, const uint32_t *order, size_t count, const int64_t *ids,
                struct error *err);

#endif
