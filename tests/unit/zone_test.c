/* zone_test.c — offsets against zdump(8)'s figures and against the C library, second by second near a change. */
#include <time.h>

#include "../../src/ingest/zone.h"
#include "tap.h"

/* From `zdump -v`: the last second before a change, and the offsets before and after. */
static const struct {
    const char *zone;
    int64_t change;
    int32_t before, after;
} changes[] = {
    {"Europe/Berlin", 1761440400, 7200, 3600},        /* 2025-10-26 01:00 UT */
    {"Europe/Berlin", 1774746000, 3600, 7200},        /* 2026-03-29 01:00 UT */
    {"America/New_York", 1772953200, -18000, -14400}, /* 2026-03-08 07:00 UT */
    {"America/New_York", 1793512800, -14400, -18000}, /* 2026-11-01 06:00 UT */
    {"Australia/Lord_Howe", 1775314800, 39600, 37800}, /* 2026-04-04 15:00 UT, half an hour */
    {"Australia/Lord_Howe", 1791041400, 37800, 39600}, /* 2026-10-03 15:30 UT */
    {"Pacific/Apia", 1325239200, -36000, 50400},      /* 2011-12-30 10:00 UT, a day left out */
};

static void test_changes(void)
{
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct zone zone;
        struct error err;
        int64_t first, second, at = changes[i].change;
        if (!check(zone_load(&zone, changes[i].zone, &err) == 0, "%s is there", changes[i].zone))
            continue;
        check_int(zone_offset_at(&zone, at - 1), changes[i].before, "offset before a change");
        check_int(zone_offset_at(&zone, at), changes[i].after, "offset at a change");
        int64_t step = changes[i].after - changes[i].before;
        if (step < 0) {
            zone_from_local(&zone, at + changes[i].after, &first, &second);
            check_int(first, at + step, "a fold's first second, first pass");
            check_int(second, at, "a fold's first second, second pass");
            zone_from_local(&zone, at + changes[i].before - 1, &first, &second);
            check_int(first, at - 1, "a fold's last second, first pass");
            check_int(second, at - 1 - step, "a fold's last second, second pass");
        } else {
            zone_from_local(&zone, at + changes[i].before + step / 2, &first, &second);
            check_int(first, at + step / 2, "inside a gap: with the offset before");
            check_int(second, first, "inside a gap: one reading");
        }
        zone_from_local(&zone, at + changes[i].before - 90001, &first, &second);
        check_int(first, at - 90001, "well before a change");
        check_int(second, first, "well before a change: one reading");
        zone_free(&zone);
    }
}

/* Every zone of a few, at many instants, as localtime_r tells it; local and back. */
static void test_against_libc(void)
{
    static const char *const names[] = {"UTC", "Europe/London", "Asia/Kolkata", "Asia/Kathmandu", "America/Sao_Paulo",
                                        "Africa/Casablanca", "Antarctica/Troll", "Pacific/Apia", "America/St_Johns"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct zone zone;
        struct error err;
        unsigned wrong = 0, lost = 0;
        if (!check(zone_load(&zone, names[i], &err) == 0, "%s is there", names[i]))
            continue;
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t at = 1000; at < 4102444800; at += 86400 * 3 + 12345) {
            time_t t = at;
            struct tm tm;
            int64_t first, second, offset = zone_offset_at(&zone, at);
            localtime_r(&t, &tm);
            wrong += offset != tm.tm_gmtoff;
            zone_from_local(&zone, at + offset, &first, &second);
            lost += first != at && second != at;
        }
        check_int(wrong, 0, "offsets are libc's");
        check_int(lost, 0, "local time and back");
        zone_free(&zone);
    }
    setenv("TZ", "UTC", 1);
    tzset();
}

static void test_names(void)
{
    struct zone zone;
    struct error err;
    static const char *const wrong[] = {"", "Mars/Olympus", "/etc/localtime", "../zoneinfo/UTC"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check(zone_load(&zone, wrong[i], &err) < 0 && err.kind == FAIL_USAGE, "no zone '%s'", wrong[i]);
    setenv("TZ", "Asia/Tokyo", 1);
    check(zone_load(&zone, "Europe/Berlin", &err) == 0 && strcmp(getenv("TZ"), "Asia/Tokyo") == 0, "TZ is put back");
    zone_free(&zone);
    char *name = zone_system_name();
    check(strcmp(name, "Asia/Tokyo") == 0, "the system's zone is TZ's");
    free(name);
    setenv("TZ", ":Europe/Paris", 1);
    name = zone_system_name();
    check(strcmp(name, "Europe/Paris") == 0, "the system's zone is TZ's, without its colon");
    free(name);
    setenv("TZ", "UTC", 1);
}

/* Figures of `date -ud DATE +%s`, in days. */
static void test_days(void)
{
    static const struct {
        int64_t year;
        unsigned mon, day;
        int64_t days;
    } table[] = {{1970, 1, 1, 0}, {1969, 12, 31, -1}, {2000, 2, 29, 11016}, {2000, 3, 1, 11017}, {1900, 3, 1, -25508},
                 {2024, 2, 29, 19782}, {2026, 11, 24, 20781}, {2100, 3, 1, 47541}, {1600, 1, 1, -135140}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        check_int(days_from_civil(table[i].year, table[i].mon, table[i].day), table[i].days, "days of a date");
        check_int(civil_year(table[i].days), table[i].year, "year of a day");
    }
    check_int(floor_div(-1, 86400), -1, "floored division");
    check_int(floor_div(-86400, 86400), -1, "floored division of a multiple");
}

int main(void)
{
    test_changes();
    test_against_libc();
    test_names();
    test_days();
    return tap_end();
}
