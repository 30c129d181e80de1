/* when_test.c — times as people write them; figures by date(1), with TZ=Europe/Berlin. */
#include "../../src/commands/when.h"
#include "tap.h"

#define NOW 1782123456 /* 2026-06-22 12:17:36 in Berlin */

int main(void)
{
    static const struct {
        const char *text;
        int64_t at;
    } good[] = {
        {"2026-06-22", 1782079200}, {"2026-06-22 04:00", 1782093600}, {"2026-06-22 04:00:05", 1782093605},
        {"2026-06-22T04:00", 1782093600}, {"today", 1782079200}, {"yesterday", 1781992800}, {"now", NOW},
        {"7d", NOW - 604800}, {"2w", NOW - 1209600}, {"36h", NOW - 129600}, {"90m", NOW - 5400}, {"0d", NOW},
        {"2026-01-01", 1767222000}, {"1970-01-02", 82800}, {"2024-02-29", 1709161200},
        {"2025-10-26 02:30", 1761438600}, {"2026-03-29 02:30", 1774747800}, {"2026-03-29", 1774738800},
    };
    static const char *const bad[] = {"", "soon", "2026", "2026-1-1", "2026-13-01", "2026-00-10", "2026-06-32", "2026-06-22 ",
                                      "2026-06-22 4:00", "2026-06-22 24:00", "2026-06-22 04:60", "2026-06-22x", "26-06-22",
                                      "7", "d", "7y", "7dd", "-7d", "2026-06-22 04", "todays", "2026-02-30", "2026-06-31"};
    struct zone zone;
    struct error err;
    int64_t at;
    if (zone_load(&zone, "Europe/Berlin", &err) < 0)
        return 2;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        at = INT64_MIN;
        if (!check(when_parse(good[i].text, &zone, NOW, &at, &err) == 0 && at == good[i].at, "%s", good[i].text))
            printf("# got %" PRId64 "\n", at);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check(when_parse(bad[i], &zone, NOW, &at, &err) < 0 && err.kind == FAIL_USAGE, "no time: '%s'", bad[i]);
    zone_free(&zone);
    return tap_end();
}
