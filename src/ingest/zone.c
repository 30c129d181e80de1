/* zone.c — offset tables from the C library's view of the tz database. */
#include "zone.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/memory.h"

#define ZONE_END 4102444800 /* 2100-01-01 */
#define ZONE_STEP 604800    /* no zone has changed twice within a week since 1970 */
#define ZONEINFO "/usr/share/zoneinfo/"

static int32_t offset_now(int64_t at)
{
    time_t t = at;
    struct tm tm;
    return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/* First second in (from, to] at which the offset is no longer that of from. */
static int64_t change_between(int64_t from, int64_t to)
{
    int32_t before = offset_now(from);
    while (to - from > 1) {
        int64_t middle = from + (to - from) / 2;
        if (offset_now(middle) == before)
            from = middle;
        else
            to = middle;
    }
    return to;
}

static void add_span(struct zone *zone, size_t *capacity, int64_t since, int32_t offset)
{
    zone->spans = grow(zone->spans, capacity, zone->count + 1, sizeof *zone->spans);
    zone->spans[zone->count++] = (struct zone_span){since, offset};
}

static void probe(struct zone *zone)
{
    size_t capacity = 0;
    *zone = (struct zone){0};
    add_span(zone, &capacity, INT64_MIN, offset_now(0));
    for (int64_t at = 0; at < ZONE_END; at += ZONE_STEP) {
        if (offset_now(at) == offset_now(at + ZONE_STEP))
            continue;
        int64_t change = change_between(at, at + ZONE_STEP);
        add_span(zone, &capacity, change, offset_now(change));
    }
}

static bool zone_exists(const char *name)
{
    char path[512];
    if (strcmp(name, "UTC") == 0)
        return true;
    if (!*name || *name == '/' || strstr(name, ".."))
        return false;
    snprintf(path, sizeof path, ZONEINFO "%s", name);
    return access(path, R_OK) == 0;
}

int zone_load(struct zone *zone, const char *name, struct error *err)
{
    if (!zone_exists(name))
        return error_set(err, FAIL_USAGE,
                         "no time zone '%s' on this system; give one of /usr/share/zoneinfo, such as "
                         "Europe/Berlin (package tzdata), or UTC", name);
    const char *old = getenv("TZ");
    char *kept = old ? xstrdup(old) : NULL;
    setenv("TZ", name, 1);
    tzset();
    probe(zone);
    if (kept)
        setenv("TZ", kept, 1);
    else
        unsetenv("TZ");
    tzset();
    free(kept);
    return 0;
}

void zone_free(struct zone *zone)
{
    free(zone->spans);
    *zone = (struct zone){0};
}

char *zone_system_name(void)
{
    char link[PATH_MAX];
    const char *tz = getenv("TZ");
    if (tz && *tz)
        return xstrdup(*tz == ':' ? tz + 1 : tz);
    ssize_t n = readlink("/etc/localtime", link, sizeof link - 1);
    if (n <= 0)
        return xstrdup("UTC");
    link[n] = 0;
    const char *at = strstr(link, "zoneinfo/");
    return xstrdup(at ? at + strlen("zoneinfo/") : "UTC");
}

/* Index of the span that holds at. */
static size_t span_at(const struct zone *zone, int64_t at)
{
    size_t low = 0, high = zone->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->spans[middle].since <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int32_t zone_offset_at(const struct zone *zone, int64_t at)
{
    return zone->spans[span_at(zone, at)].offset;
}

void zone_from_local(const struct zone *zone, int64_t local, int64_t *first, int64_t *second)
{
    /* No offset exceeds a day: the spans a day before and after hold every candidate. */
    size_t low = span_at(zone, local - 86400), high = span_at(zone, local + 86400);
    bool found = false;
    *first = *second = local - zone->spans[low].offset;
    for (size_t i = low; i <= high; i++) {
        int64_t at = local - zone->spans[i].offset;
        if (span_at(zone, at) != i)
            continue;
        if (!found)
            *first = at;
        *second = at;
        found = true;
    }
    if (!found) /* in a gap: as if the clock had not been put forward yet */
        *second = *first;
}

int64_t days_from_civil(int64_t year, unsigned mon, unsigned day)
{
    year -= mon <= 2;
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (int64_t)(mon + (mon > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

int64_t civil_year(int64_t day)
{
    int64_t z = day + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    return yoe + era * 400 + (doy >= 306); /* March-based: January and February belong to the next */
}
