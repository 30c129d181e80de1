/* messages.h — the batch's messages joined with the database's: whatever arrives first makes the row, each
   kind of line owns its columns, and the outcome does not depend on the order. */
#ifndef MAILTRAIL_MESSAGES_H
#define MAILTRAIL_MESSAGES_H

#include "../ingest/batch.h"
#include "rollup.h"

struct messages;

#define MESSAGE_PRUNED 0 /* in place of its id: all that the batch has of it is of a time that prune took */

int messages_new(struct store *store, struct messages **messages, struct error *err);
void messages_free(struct messages **messages);

/* What messages_put made of a batch's messages, by their index in it. */
struct messages_joined;
struct messages_joined *messages_joined_new(void);
void messages_joined_free(struct messages_joined **joined);

/* Joins and stores the batch's messages, whose strings are resolved; copies of arrivals and completions are
   counted in the batch's tallies, changes of rows known before go to corrections. */
int messages_put(struct messages *messages, const struct server *server, struct batch *batch,
                 struct messages_joined *joined, struct rollup *corrections, struct error *err);

/* As it is now; its message.id, or MESSAGE_PRUNED; whether it was not stored before, so that its image is still to be summed. */
const struct message_image *messages_image(const struct messages_joined *joined, size_t index);
int64_t messages_id(const struct messages_joined *joined, size_t index);
bool messages_is_new(const struct messages_joined *joined, size_t index);

/* The image of a stored message, all but its server, whose id is *server. */
int messages_load(struct messages *messages, int64_t id, struct message_image *image, int64_t *server,
                  struct error *err);

/* at, mark and the image of a delivery: to be followed by a WHERE over d. */
#define DELIVERY_IMAGE_COLUMNS                                                                     \
    "SELECT d.at, d.mark, d.kind, d.recipient, w.transport, w.host, w.ip, c.reason, c.reason_class," \
    "       d.original IS NOT NULL AND lower(o.text) <> lower(coalesce(r.text, '')), d.message"    \
    "  FROM delivery d LEFT JOIN string o ON o.id = d.original"                                    \
    "                  LEFT JOIN string r ON r.id = d.recipient"                                   \
    "                  LEFT JOIN route w ON w.id = d.route"                                        \
    "                  LEFT JOIN cause c ON c.id = d.cause"
struct delivery_image messages_delivery_image(sqlite3_stmt *row);

#endif
