/* eximstats_counts.h — all that a report shows, counted from logs or added up from earlier reports. */
#ifndef MAILTRAIL_EXIMSTATS_COUNTS_H
#define MAILTRAIL_EXIMSTATS_COUNTS_H

#include "eximstats_options.h"
#include "tally.h"

#define STAMP_ROOM 40

/* Slots of one day. */
struct histogram {
    uint64_t *slots;
    size_t count; /* 0: none wanted */
};

/* A table of times. */
struct time_table {
    const struct time_bounds *bounds;
    uint64_t *counts; /* one for each bound: below it and not below the one before */
    uint64_t over;
};

struct receipt_table {
    struct slice protocol;
    struct time_table times;
};

/* Lines of the grand total. */
struct arrivals_total {
    uint64_t bytes, messages, delayed, failed, distinct[BY_KINDS];
};

struct deliveries_total {
    uint64_t bytes, messages, addresses, distinct[BY_KINDS];
};

enum { OTHER_REJECTS, OTHER_TEMPORARY, OTHER_HAM, OTHER_SPAM, OTHER_KINDS };

extern const char *const other_names[OTHER_KINDS]; /* "Rejects" ... */

struct other_total {
    uint64_t messages, hosts;
};

struct pattern_counts {
    uint64_t total;
    struct histogram histogram;
};

struct eximstats_counts {
    char begin[STAMP_ROOM], end[STAMP_ROOM];
    struct arrivals_total received;
    struct deliveries_total delivered;
    struct other_total others[OTHER_KINDS];
    struct pattern_counts *patterns; /* one for each pattern of the options */
    size_t pattern_count;
    struct histogram received_at, delivered_at;
    struct time_table queued[2], delivery[2]; /* of all messages, of those with a remote delivery */
    struct receipt_table *receipts;           /* the first is of all; protocols in order of their first sight */
    size_t receipt_count, receipt_capacity;
    struct tallies senders[BY_KINDS], destinations[BY_KINDS];
    bool met_senders[BY_KINDS], met_destinations[BY_KINDS]; /* their tables were in a report that was merged */
    struct tallies local_senders, local_destinations, local_domains;
    struct tallies transports, relayed, failures;
    struct tallies reasons, temporary_reasons;
    struct tallies ips[OTHER_KINDS];
    uint64_t relayed_unshown;
    struct arena keys; /* of all the tables */
};

#define NO_BEGIN "9999-99-99 99:99:99"
#define NO_END "0000-00-00 00:00:00"

void counts_init(struct eximstats_counts *counts, const struct eximstats_options *options);
void counts_free(struct eximstats_counts *counts);

/* The counters of a key, as tallies_at has them. */
struct tally *counts_at(struct eximstats_counts *counts, struct tallies *table, struct slice key);

/* One more message of so many octets. */
void counts_add(struct eximstats_counts *counts, struct tallies *table, struct slice key, uint64_t bytes);

/* Puts n into the bin of a time in milliseconds. */
void time_table_add(struct time_table *table, int64_t ms, uint64_t n);

/* The table of a protocol, made if there is none; valid until the next one is made.  "all" is of all. */
struct time_table *counts_receipts(struct eximstats_counts *counts, const struct eximstats_options *options,
                                   struct slice protocol);

/* Numbers of distinct keys and sums, out of the tables. */
void counts_sum_up(struct eximstats_counts *counts);

#endif
