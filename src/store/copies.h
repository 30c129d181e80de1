/* copies.h — messages that a content scanner sent back to us: one mail, two ids.

   A copy is an arrival without a host, under a protocol name that Exim does not give by itself (exim -oMr
   spam-scanned), with the Message-ID and the envelope sender of a message received within a minute before it.
   That message was handed off: its local deliveries by a router or transport named for scanning are hand-offs,
   not deliveries, and the copy is not new mail.  Joined once a transaction, over whatever times it touched, so
   that it does not matter in which order or in how many runs the lines came. */
#ifndef MAILTRAIL_COPIES_H
#define MAILTRAIL_COPIES_H

#include "messages.h"

struct copies;

int copies_new(struct store *store, struct copies **copies, struct error *err);
void copies_free(struct copies **copies);

/* Notes which times a batch touches.  server is borrowed until copies_join. */
void copies_note(struct copies *copies, const struct server *server, const struct batch *batch);

/* Joins copies to what they are of, and makes hand-offs of the deliveries that were; kinds: string.id of each
   delivery kind.  Before the transaction ends. */
int copies_join(struct copies *copies, const int64_t *kinds, struct messages *messages, struct rollup *rollup,
                struct error *err);

#endif
