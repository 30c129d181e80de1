/* rollup.h — the sums that reports read: a rollup is a sum over images of rows.  Whoever changes a row adds
   the image of what it was with sign -1 and of what it is with sign +1; the sums reach the table before the
   transaction ends.  Images of before their server's pruned_before change nothing: those sums stay as they are.  The measures are named in schema/001_facts.sql and defined once more, in SQL over the
   facts, in schema/rollup.sql; a test holds the two together. */
#ifndef MAILTRAIL_ROLLUP_H
#define MAILTRAIL_ROLLUP_H

#include "../ingest/zone.h"
#include "store.h"

enum measure {
    MEASURE_RECEIVED = 1,
    MEASURE_RECEIVED_HOST,
    MEASURE_RECEIVED_EMAIL,
    MEASURE_RECEIVED_USER,
    MEASURE_DELAYED,
    MEASURE_FAILED,
    MEASURE_COPIED,
    MEASURE_DELIVERED,
    MEASURE_DELIVERED_TRANSPORT,
    MEASURE_DELIVERED_HOST,
    MEASURE_DELIVERED_EMAIL,
    MEASURE_DELIVERED_USER,
    MEASURE_DELIVERY_KIND,
    MEASURE_RELAYED,
    MEASURE_REJECTED,
    MEASURE_DEFERRED_CLIENT,
    MEASURE_REJECTED_HOST,
    MEASURE_DEFERRED_CLIENT_HOST,
    MEASURE_QUEUE_ALL,
    MEASURE_QUEUE_REMOTE,
    MEASURE_ERROR,
    MEASURE_AUTH_FAILURE_HOST,
    MEASURE_AUTH_FAILURE_USER
};

struct rollup;

/* seconds of exim_id are taken from its text; string numbers are string.id, 0 is NULL; NUM_ABSENT is NULL. */
struct message_image {
    const struct server *server;
    int64_t id_second; /* second in the exim id, for queue times without an arrival */
    int64_t received, completed;
    int64_t size, flags;
    int64_t host, ip, sender, local_user;
    bool is_copy, delayed, failed, remote;
    bool authenticated; /* submission: what it sends out is not relayed */
};

struct delivery_image {
    int64_t at;
    int64_t kind; /* string.id */
    int64_t recipient, transport, host, ip, reason, reason_class;
    bool rewritten; /* original says another address than recipient */
};

struct rejection_image {
    const struct server *server;
    int64_t at;
    bool temporary;
    int64_t stage, host, ip, reason, reason_class;
};

struct auth_failure_image {
    const struct server *server;
    int64_t at;
    int64_t service, host, ip, user, attempts;
};

/* kinds: string.id of each delivery kind, by enum delivery_kind; copied. */
struct rollup *rollup_new(const int64_t *kinds);
void rollup_free(struct rollup **rollup);

void rollup_message(struct rollup *rollup, const struct message_image *m, int sign);
void rollup_delivery(struct rollup *rollup, const struct delivery_image *d, const struct message_image *m,
                     int sign);
void rollup_rejection(struct rollup *rollup, const struct rejection_image *r, int sign);
void rollup_auth_failure(struct rollup *rollup, const struct auth_failure_image *a, int sign);

/* Adds what has gathered in from, and takes it from there. */
void rollup_merge(struct rollup *into, struct rollup *from);

/* Adds what has gathered to the sums' tables, inside the transaction that is open, and forgets it.  Of one
   connection only one rollup may be flushed. */
int rollup_flush(struct rollup *rollup, struct store *store, struct error *err);

#endif
