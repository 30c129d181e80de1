/* checkpoint.h — a thread that copies what is committed from the write-ahead log into the database, while the
   next transaction is being written. */
#ifndef MAILTRAIL_CHECKPOINT_H
#define MAILTRAIL_CHECKPOINT_H

#include "store.h"

struct checkpointer;

/* Has a connection of its own to the database. */
struct checkpointer *checkpointer_new(const struct store *store);
void checkpointer_free(struct checkpointer **checkpointer); /* waits for what it is at */

/* There is something new to copy. */
void checkpointer_wake(struct checkpointer *checkpointer);

/* Waits until all that was committed before the call is copied, as far as readers let it: a transaction that
   begins then begins the log anew. */
void checkpointer_wait(struct checkpointer *checkpointer);

/* A draft has grown: the disk may begin with it. */
void checkpointer_sync(struct checkpointer *checkpointer);

#endif
