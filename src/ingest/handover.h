/* handover.h — batches from the thread that parses to a thread that writes, so that the two overlap. */
#ifndef MAILTRAIL_HANDOVER_H
#define MAILTRAIL_HANDOVER_H

#include "../store/writer.h"

struct handover;

/* Takes the writer over: until handover_drain has answered, only the writing thread uses it. */
struct handover *handover_new(struct writer *writer, uint64_t hash_seed);
void handover_free(struct handover **handover); /* what was not written yet is dropped */

/* An empty batch, as soon as there is one. */
struct batch *handover_take(struct handover *handover);

/* Gives a full batch to be written; server is borrowed until handover_drain. */
void handover_give(struct handover *handover, const struct server *server, struct batch *batch);

/* Gives a batch back unwritten. */
void handover_return(struct handover *handover, struct batch *batch);

/* Waits until all that was given is written; the store may then be used until the next give.  -1: writing
   failed, the transaction is lost, and so will be every later call. */
int handover_drain(struct handover *handover, struct error *err);

/* Whether writing has failed: no use to go on. */
bool handover_failed(struct handover *handover);

#endif
