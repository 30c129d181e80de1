/* when.h — times as people write them on a command line. */
#ifndef MAILTRAIL_WHEN_H
#define MAILTRAIL_WHEN_H

#include <stdint.h>

#include "../base/error.h"
#include "../ingest/zone.h"

/* "2026-11-23", "2026-11-23 04:00[:05]" (a T between is taken too), "today", "yesterday", "now", "7d" (that many
   days back from now; also w, h, m), as local time of the zone.  now: Unix seconds. */
int when_parse(const char *text, const struct zone *zone, int64_t now, int64_t *at, struct error *err);

#endif
