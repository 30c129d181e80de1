/* writer.h — batches into the database: strings numbered, copies told from news, messages joined with what
   was known of them, sums kept, position moved; all of it in the transaction that is open. */
#ifndef MAILTRAIL_WRITER_H
#define MAILTRAIL_WRITER_H

#include "../ingest/batch.h"
#include "store.h"

struct writer;

/* Opens a transaction, if none is open.  The store is borrowed until writer_free, and only the thread that calls the writer may
   use it. */
int writer_new(struct store *store, struct writer **writer, struct error *err);
void writer_free(struct writer **writer); /* what was not committed is rolled back */

/* Writes a batch of the server's: all of it, or -1 and the transaction is lost.  Fills in the batch's copies.  The
   batch's sums are made while the next one is written: till then it is the writer's, if it could be written.
   *summed: the batch before, which is the caller's again; NULL: there is none. */
int writer_put(struct writer *writer, const struct server *server, struct batch *batch, struct batch **summed,
               struct error *err);

/* The last batch put, once it is summed; NULL: there is none. */
struct batch *writer_summed(struct writer *writer);

/* Commits what was put, and opens the next transaction. */
int writer_commit(struct writer *writer, struct error *err);

/* While held, writer_commit writes what is kept in memory, but neither commits nor begins anew. */
void writer_hold(struct writer *writer, bool hold);

/* So much was put that it should be committed. */
bool writer_is_due(const struct writer *writer);

/* Rows that were new and lines that were copies since the writer was made. */
int64_t writer_rows(const struct writer *writer);
int64_t writer_copies(const struct writer *writer);

#endif
