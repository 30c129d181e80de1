/* mentioned.h — when a text occurs: tables mention and id_mention, read. */
#ifndef MAILTRAIL_MENTIONED_H
#define MAILTRAIL_MENTIONED_H

#include "mentions.h"

/* A string asked for by its number, or an id by its hash (batch_id_hash). */
struct mention_want {
    bool is_id;
    enum mention_kind kind; /* of a string */
    int64_t string;
    uint64_t hash;
};

/* Told of each day (UTC, since 1970) in which a want is mentioned, and when: bit h is the hour from h:00 on, bit
   SLOT_EIGHTH + e an eighth of any of these hours. */
struct mention_listener {
    void (*tell)(void *context, const struct mention_want *want, int64_t day, uint32_t times);
    void *context;
};

/* Looks all wants up in the days from first to last: a seek for each want and day.  An id may be named a slot that is
   another's.  0, or -1 with *err. */
int mentioned_find(struct store *store, const struct mention_want *wants, size_t count, int64_t first, int64_t last,
                   const struct mention_listener *listener, struct error *err);

#endif
