/* prune.h — takes facts and lines that are older than a limit out of the database, in bounded memory and while others
   read: some thousand rows a transaction, in the order of time.  Killed, it leaves a whole database, and the next run
   goes on.  The sums of pruned days stay. */
#ifndef MAILTRAIL_PRUNE_H
#define MAILTRAIL_PRUNE_H

#include "../ingest/batch.h"
#include "store.h"

/* What goes of a server: facts and lines of before these seconds; INT64_MIN: none.  Facts have the beginning of a
   local day as their limit, and it never goes back; it counts only where something of the server is older. */
struct prune_limit {
    int64_t server;
    int64_t facts, lines;
};

struct pruned {
    int64_t messages, rows[EVENT_TABLE_COUNT];
    int64_t blocks, lines, octets; /* of the archive: octets of text */
    int64_t freed;                 /* octets by which the file became smaller */
    int64_t held;                  /* octets that it still has to lose, once those who read what was have gone */
};

/* Prunes, and gives the space back: 0, or -1 with *err; what *pruned tells was done nevertheless. */
int prune_run(struct store *store, const struct prune_limit *limits, size_t count, struct pruned *pruned,
              struct error *err);

#endif
