/* zone.h — a server's time zone as a table of UTC offsets: read once from the system's tz database, kept
   in the database, so that figures depend neither on the machine nor on the day they are asked for. */
#ifndef MAILTRAIL_ZONE_H
#define MAILTRAIL_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"

struct zone_span {
    int64_t since;  /* first second, Unix UTC, at which offset holds */
    int32_t offset; /* seconds east of UTC */
};

struct zone {
    struct zone_span *spans; /* ascending; the first begins at INT64_MIN */
    size_t count;
};

/* Reads a zone of the tz database ("Europe/Berlin", "UTC") for 1970 to 2100; changes TZ for its own
   duration, so it belongs to start-up, before there are threads.  -1: no such zone. */
int zone_load(struct zone *zone, const char *name, struct error *err);
void zone_free(struct zone *zone);

/* Name of the system's own zone, from TZ or /etc/localtime; "UTC" if it cannot be told.  The caller's to
   free. */
char *zone_system_name(void);

/* Seconds east of UTC at an instant. */
int32_t zone_offset_at(const struct zone *zone, int64_t at);

/* Instants of a local time, given as seconds since 1970-01-01 00:00 local.  Writes the earlier to *first
   and the later to *second; they are equal outside a fold.  A local time that a gap leaves out is read
   with the offset that held before it. */
void zone_from_local(const struct zone *zone, int64_t local, int64_t *first, int64_t *second);

/* Days since 1970-01-01 of a proleptic Gregorian date; mon 1-12. */
int64_t days_from_civil(int64_t year, unsigned mon, unsigned day);
/* The year of a day so counted. */
int64_t civil_year(int64_t day);

/* Floored division and its remainder's partner. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

#endif
