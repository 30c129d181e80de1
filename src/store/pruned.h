/* pruned.h — what is left where facts or lines were pruned, for SQL and for those who have to tell. */
#ifndef MAILTRAIL_PRUNED_H
#define MAILTRAIL_PRUNED_H

#include "store.h"

/* The local day, as rollup_bucket.day has it, before which a row of table server has no facts; NULL: nothing was
   pruned. */
#define PRUNED_DAY(server)                                                                         \
    "((" server ".pruned_before + coalesce((SELECT z.utc_offset FROM zone_offset z"                \
    " WHERE z.server = " server ".id AND z.since <= " server ".pruned_before"                      \
    " ORDER BY z.since DESC LIMIT 1), 0)) / 86400)"

/* 0: every fact and every line that was read is there; -1: *err says what is not, and that reading the archive again
   would lose what is left of it. */
int pruned_nothing(struct store *store, struct error *err);

/* Calls tell for each server, or the one named, of which facts were pruned that are not earlier than since: with its
   name and the first day, as 2026-11-23, that has its facts.  0; -1: *err. */
struct pruned_listener {
    void (*tell)(void *context, const char *server, const char *day);
    void *context;
};
int pruned_since(struct store *store, int64_t since, const char *server, const struct pruned_listener *listener,
                 struct error *err);

#endif
