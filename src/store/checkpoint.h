/* checkpoint.h — a thread that copies what is committed from the write-ahead log into the database, while the
   next transaction is being written. */
#ifndef MAILTRAIL_CHECKPOINT_H
#define MAILTRAIL_CHECKPOINT_H

struct checkpointer;

/* Has a connection of its own to the database at path, which must be in WAL mode. */
struct checkpointer *checkpointer_new(const char *path);
void checkpointer_free(struct checkpointer **checkpointer); /* waits for what it is at */

/* There is something new to copy. */
void checkpointer_wake(struct checkpointer *checkpointer);

/* Waits until all that was committed before the call is copied, as far as readers let it: a transaction that
   begins then begins the log anew. */
void checkpointer_wait(struct checkpointer *checkpointer);

#endif
