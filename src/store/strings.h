/* strings.h — texts to their numbers in table string. */
#ifndef MAILTRAIL_STRINGS_H
#define MAILTRAIL_STRINGS_H

#include "../ingest/batch.h"
#include "store.h"

struct strings;

/* -1: *err.  Lives inside the writer's connection. */
int strings_new(struct store *store, struct strings **strings, struct error *err);
void strings_free(struct strings **strings); /* before the store is closed */

/* Gives every string of the batch its id and what it leads to (batch->ids, batch->kin), new ones being stored. */
int strings_resolve(struct strings *strings, struct batch *batch, struct error *err);

/* Stores how the new strings are found again: before the transaction ends. */
int strings_flush(struct strings *strings, struct error *err);

#endif
