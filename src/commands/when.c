/* when.c — dates, clock times and steps back. */
#include "when.h"

#include <string.h>

#define DAY 86400

/* Two or four digits in a range; -1: not. */
static int digits(const char **p, int count, int low, int high)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        value = value * 10 + (**p - '0');
    }
    return value >= low && value <= high ? value : -1;
}

static int eat(const char **p, char c)
{
    return *(*p)++ == c ? 0 : -1;
}

/* Seconds of "hh:mm" or "hh:mm:ss" into the day; -1: not. */
static int64_t clock_time(const char *p)
{
    int hour = digits(&p, 2, 0, 23), min, sec = 0;
    if (hour < 0 || eat(&p, ':') < 0 || (min = digits(&p, 2, 0, 59)) < 0)
        return -1;
    if (*p && (eat(&p, ':') < 0 || (sec = digits(&p, 2, 0, 60)) < 0))
        return -1;
    return *p ? -1 : hour * 3600 + min * 60 + sec;
}

/* Local seconds of a date with or without a clock time; -1: not. */
static int64_t date(const char *p)
{
    int year, mon, day;
    if ((year = digits(&p, 4, 1970, 2199)) < 0 || eat(&p, '-') < 0 || (mon = digits(&p, 2, 1, 12)) < 0 ||
        eat(&p, '-') < 0 || (day = digits(&p, 2, 1, 31)) < 0)
        return -1;
    int64_t midnight = days_from_civil(year, (unsigned)mon, (unsigned)day) * DAY;
    if (midnight >= days_from_civil(year + mon / 12, (unsigned)(mon % 12) + 1, 1) * DAY)
        return -1; /* 31 June */
    if (!*p)
        return midnight;
    int64_t into = *p == ' ' || *p == 'T' ? clock_time(p + 1) : -1;
    return into < 0 ? -1 : midnight + into;
}

/* Seconds of "7d"; -1: not. */
static int64_t step_back(const char *p)
{
    static const char units[] = "wdhm";
    static const int64_t seconds[] = {604800, DAY, 3600, 60};
    int64_t count = 0;
    const char *start = p;
    for (; *p >= '0' && *p <= '9' && count < 1000000; p++)
        count = count * 10 + (*p - '0');
    const char *unit = *p ? strchr(units, *p) : NULL;
    return p > start && unit && !p[1] ? count * seconds[unit - units] : -1;
}

static int64_t from_local(const struct zone *zone, int64_t local)
{
    int64_t first, second;
    zone_from_local(zone, local, &first, &second);
    return first;
}

int when_parse(const char *text, const struct zone *zone, int64_t now, int64_t *at, struct error *err)
{
    int64_t local_now = now + zone_offset_at(zone, now);
    int64_t today = floor_div(local_now, DAY) * DAY;
    int64_t local = strcmp(text, "today") == 0       ? today
                    : strcmp(text, "yesterday") == 0 ? today - DAY
                    : strcmp(text, "now") == 0       ? local_now
                                                     : date(text);
    int64_t back = step_back(text);
    if (back >= 0)
        *at = now - back;
    else if (local >= 0)
        *at = from_local(zone, local);
    else
        return error_set(err, FAIL_USAGE,
                         "'%s' is no time; write 2026-11-23, \"2026-11-23 04:00\", today, yesterday or 7d",
                         text);
    return 0;
}

/* The zone of the server named, else of the first. */
static int load_zone(struct store *store, const char *server, struct zone *zone, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT zone FROM server WHERE ?1 IS NULL OR name = ?1 ORDER BY id LIMIT 1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, server, -1, SQLITE_STATIC);
    int found = store_next(store, stmt, err), done = found;
    if (found > 0)
        done = zone_load(zone, (const char *)sqlite3_column_text(stmt, 0), err);
    else if (found == 0)
        done = error_set(err, FAIL_USAGE, server ? "no server '%s' in this database" : "no logs yet%s",
                         server ? server : "; read some with mailtrail ingest");
    sqlite3_finalize(stmt);
    return done;
}

int when_span_parse(struct store *store, const struct when_span *words, int64_t *since, int64_t *until,
                    struct error *err)
{
    struct zone zone = {0};
    *since = INT64_MIN;
    *until = INT64_MAX;
    if (!words->since && !words->until)
        return 0;
    int done = load_zone(store, words->server, &zone, err);
    if (done == 0 && words->since)
        done = when_parse(words->since, &zone, words->now, since, err);
    if (done == 0 && words->until)
        done = when_parse(words->until, &zone, words->now, until, err);
    zone_free(&zone);
    if (done == 0 && *since >= *until)
        done = error_set(err, FAIL_USAGE, "the span ends before it begins: --since must be earlier than --until");
    return done;
}
