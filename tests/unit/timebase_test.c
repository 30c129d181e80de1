/* timebase_test.c — stamps into instants: folds, gaps, years; figures by date(1). */
#include <stdlib.h>

#include "../../src/ingest/timebase.h"
#include "../../src/ingest/zone.h"
#include "tap.h"

#define NO_ID INT64_MIN

static struct zone berlin, utc;

/* "2025-10-26 02:30:00 +0200", year 0 for none, "" or an offset. */
static struct stamp stamp_of(const char *text)
{
    long part[6]; /* year to second, each followed by one separator */
    char *p = NULL;
    for (int i = 0; i < 6; i++)
        part[i] = strtol(p ? p + 1 : text, &p, 10);
    long offset = *p ? strtol(p + 1, NULL, 10) : 0;
    long minutes = offset / 100 * 60 + offset % 100; /* both parts bear the sign */
    return (struct stamp){(int16_t)part[0], (uint8_t)part[1], (uint8_t)part[2], (uint8_t)part[3],
                          (uint8_t)part[4], (uint8_t)part[5], -1, *p ? (int16_t)minutes : STAMP_LOCAL};
}

struct step {
    const char *stamp;
    int64_t id_second, at;
    bool guessed;
};

static void walk(const char *name, const struct zone *zone, int32_t year, const struct step *steps, size_t count)
{
    struct timebase tb;
    timebase_start(&tb, zone);
    if (year)
        timebase_give_year(&tb, year);
    for (size_t i = 0; i < count; i++) {
        struct stamp stamp = stamp_of(steps[i].stamp);
        struct instant got = timebase_resolve(&tb, &stamp, steps[i].id_second);
        if (!check(got.at == steps[i].at && got.guessed == steps[i].guessed, "%s: %s", name, steps[i].stamp))
            printf("# got %" PRId64 "%s\n", got.at, got.guessed ? ", guessed" : "");
    }
}

#define WALK(name, zone, year, ...)                                                                \
    do {                                                                                           \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        walk(name, zone, year, steps, sizeof steps / sizeof *steps);                               \
    } while (0)

/* The clock goes back at 2025-10-26 01:00 UTC = 1761440400. */
static void test_fold(void)
{
    WALK("through a fold", &berlin, 0, {"2025-10-26 01:59:59", NO_ID, 1761436799, false},
         {"2025-10-26 02:00:00", NO_ID, 1761436800, false}, {"2025-10-26 02:59:59", NO_ID, 1761440399, false},
         {"2025-10-26 02:00:00", NO_ID, 1761440400, false}, {"2025-10-26 02:00:30", NO_ID, 1761440430, false},
         {"2025-10-26 02:00:29", NO_ID, 1761440429, false}, {"2025-10-26 02:59:59", NO_ID, 1761443999, false},
         {"2025-10-26 03:00:00", NO_ID, 1761444000, false});
    WALK("small steps back in the first pass", &berlin, 0, {"2025-10-26 02:50:00", 1761439800, 1761439800, false},
         {"2025-10-26 02:49:58", NO_ID, 1761439798, false}, {"2025-10-26 02:31:00", NO_ID, 1761438660, false});
    WALK("an id of the second pass", &berlin, 0, {"2025-10-26 02:10:00", 1761441000, 1761441000, false},
         {"2025-10-26 02:10:05", NO_ID, 1761441005, false});
    WALK("an id of just then says the first", &berlin, 0, {"2025-10-26 02:10:00", 1761437399, 1761437400, false});
    WALK("an old id says nothing", &berlin, 0, {"2025-10-26 02:10:00", 1761400000, 1761437400, true},
         {"2025-10-26 02:10:01", NO_ID, 1761437401, false});
    WALK("begun inside: a guess", &berlin, 0, {"2025-10-26 02:10:00", NO_ID, 1761437400, true});
    WALK("another log behind: the first pass", &berlin, 0, {"2025-10-26 03:20:00", NO_ID, 1761445200, false},
         {"2025-10-26 02:30:00", NO_ID, 1761438600, true});
    WALK("another log behind one that ended in the second pass", &berlin, 0,
         {"2025-10-26 02:50:00", 1761443400, 1761443400, false}, {"2025-10-26 02:10:00", NO_ID, 1761437400, true});
    WALK("a gap", &berlin, 0, {"2026-03-29 01:59:59", NO_ID, 1774745999, false},
         {"2026-03-29 02:30:00", NO_ID, 1774747800, false}, {"2026-03-29 03:00:00", NO_ID, 1774746000, false});
}

static void test_offsets(void)
{
    WALK("printed offsets", &berlin, 0, {"2025-10-26 02:30:00 +0200", NO_ID, 1761438600, false},
         {"2025-10-26 02:30:00 +0100", NO_ID, 1761442200, false}, {"2025-10-26 02:31:00", NO_ID, 1761438660, false},
         {"2025-10-25 20:00:00 -0330", NO_ID, 1761435000, false}, {"2025-10-26 05:45:00 +0545", NO_ID, 1761436800, false});
    WALK("a leap second", &utc, 0, {"2016-12-31 23:59:60", NO_ID, 1483228800, false});
}

static void test_years(void)
{
    WALK("over New Year", &utc, 2023, {"0-12-31 23:59:59", NO_ID, 1704067199, false},
         {"0-01-01 00:00:00", NO_ID, 1704067200, false}, {"0-12-31 23:59:58", NO_ID, 1704067198, false},
         {"0-02-29 12:00:00", NO_ID, 1709208000, false}, {"0-11-01 00:00:00", NO_ID, 1730419200, false},
         {"0-01-02 00:00:00", NO_ID, 1735776000, false});
    WALK("disorder is no New Year", &utc, 2024, {"0-03-10 10:00:00", NO_ID, 1710064800, false},
         {"0-03-09 09:00:00", NO_ID, 1709974800, false});
}

/* The year of a text's first stamp, its file last changed at log_time. */
static int32_t year_found(const char *text, time_t log_time, int64_t offset)
{
    struct source *source;
    struct error err;
    struct timebase tb;
    char *name = file_of(text, strlen(text)), *command;
    if (asprintf(&command, "touch -d @%lld %s", (long long)log_time, name) < 0 || system(command) != 0)
        abort();
    timebase_start(&tb, &utc);
    if (source_open(name, &source, &err) < 0 || timebase_find_year(&tb, source, offset, &err) < 0)
        abort();
    source_close(&source);
    unlink(name);
    free(name);
    free(command);
    return tb.year;
}

#define AT(stamp) stamp " mx imapd[1]: Login user=x host=[192.0.2.1]\n"
#define EXIM(stamp, text) stamp " mx exim[1]: " text "\n"
#define ID_2022 "1n51DE-000001-AA" /* 2022-01-05 08:00:00 UTC */
#define ID_2023 "1rK3qi-000001-AA" /* 2023-12-31 22:00:00 UTC */
#define ID_2024 "1rfe8u-000001-AA" /* 2024-02-29 11:00:00 UTC */
#define ID_2025 "1thPe4-000001-AA" /* 2025-02-10 09:00:00 UTC */
#define FROZEN EXIM("Jan 20 10:00:00", ID_2022 " Message is frozen")

static void test_find_year(void)
{
    static const struct {
        const char *text;
        time_t log_time;
        int32_t year;
        const char *name;
    } table[] = {
        {AT("Nov 24 10:00:00"), 1795514400, 2026, "the file's own day"},          /* 2026-11-24 10:00 */
        {AT("Nov 25 09:00:00"), 1795514400, 2026, "a day later is a zone's doing"},
        {AT("Nov 26 10:00:00"), 1795514400, 2025, "later than the file: the year before"},
        {AT("Dec 31 23:00:00") AT("Jan  1 01:00:00"), 1704070800, 2023, "over New Year"}, /* 2024-01-01 01:00 */
        {AT("Oct  1 00:00:00") AT("Dec  1 00:00:00") AT("Feb  1 00:00:00") AT("Dec  1 00:00:00"), 1795514400, 2024, "two years"},
        {AT("Feb 29 00:00:00"), 1795514400, 2024, "29 February"},
        {AT("Feb 28 00:00:00") AT("Feb 29 00:00:00") AT("Mar  1 00:00:00"), 1740960000, 2024, "29 February, file of 2025"},
        {AT("Dec 31 23:59:59") "2021-01-01T00:00:05.0+00:00 mx imapd[1]: x\n", 1795514400, 2020, "a full stamp behind"},
        {EXIM("Feb 10 09:00:01", ID_2025 " <= a@x.example U=a P=local S=9"), 1795514400, 2025, "a message id"},
        {EXIM("Feb 15 10:00:00", ID_2025 " => b@y.example R=r T=t"), 1795514400, 2025, "of a message that waited for days"},
        {EXIM("Feb 10 08:59:59", ID_2025 " => b@y.example R=r T=t"), 1795514400, 2025, "a second before it"},
        {AT("Dec 31 23:00:00") EXIM("Jan  3 01:00:00", ID_2023 " Completed"), 1795514400, 2023, "of the year before, of a message of New Year's Eve"},
        {AT("Feb 29 10:00:00") EXIM("Feb 29 11:00:00", ID_2024 " Completed"), 1795514400, 2024, "of 29 February"},
        {AT("Nov 24 10:00:00") EXIM("Feb 10 09:00:01", ID_2025 " Completed"), 1795514400, 2024, "behind a New Year"},
        {FROZEN FROZEN FROZEN AT("Nov 20 10:00:00"), 1795514400, 2026, "a frozen message tells nothing"},
        {EXIM("Nov 20 10:00:00", ID_2025 " => b@y.example R=r T=t"), 1795514400, 2026, "nor does one that waited for months"},
        {FROZEN EXIM("Jan 20 10:00:01", ID_2022 " Completed") EXIM("Feb 10 09:00:01", ID_2025 " Completed")
             EXIM("Feb 10 09:00:02", ID_2025 " Completed"), 1795514400, 2025, "most of them"},
        {"Feb 10 09:00:01 mx imapd[1]: " ID_2025 " Completed\n" AT("Nov 20 10:00:00"), 1795514400, 2026, "only Exim's"},
        {"no stamp\n" AT("Nov 24 10:00:00") "no stamp\n", 1795514400, 2026, "lines without stamps between"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check_int(year_found(table[i].text, table[i].log_time, 0), table[i].year, table[i].name);
    const char *late = AT("Oct  1 00:00:00") AT("Nov 24 10:00:00");
    check_int(year_found(late, 1795514400, (int64_t)strlen(AT("Oct  1 00:00:00"))), 2026, "from an offset on");
}

int main(void)
{
    struct error err;
    if (zone_load(&berlin, "Europe/Berlin", &err) < 0 || zone_load(&utc, "UTC", &err) < 0)
        return 2;
    test_fold();
    test_offsets();
    test_years();
    test_find_year();
    zone_free(&berlin);
    zone_free(&utc);
    return tap_end();
}
