/* when.h — times as people write them on a command line. */
#ifndef MAILTRAIL_WHEN_H
#define MAILTRAIL_WHEN_H

#include <stdint.h>

#include "../base/error.h"
#include "../ingest/zone.h"
#include "../store/store.h"

/* "2026-11-23", "2026-11-23 04:00[:05]" (a T between is taken too), "today", "yesterday", "now", "7d" (that many
   days back from now; also w, h, m), as local time of the zone.  now: Unix seconds. */
int when_parse(const char *text, const struct zone *zone, int64_t now, int64_t *at, struct error *err);

/* --since and --until as given; NULL: not given. */
struct when_span {
    const char *since, *until;
    const char *server; /* in whose zone; NULL: in that of the first server */
    int64_t now;
};

/* The first second of a span and the first one behind it; INT64_MIN and INT64_MAX where no word was given.  0, or -1
   with *err: a word that is no time, a server that is not there, a span without a second in it. */
int when_span_parse(struct store *store, const struct when_span *words, int64_t *since, int64_t *until,
                    struct error *err);

#endif
