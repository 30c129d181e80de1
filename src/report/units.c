/* units.c — see units.h. */
#include "units.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* From 1 GiB on eximstats counts gigs and a rest of 1 to 2^30 octets, and rounds the rest alone. */
static void big_volume_text(char text[UNIT_ROOM], int64_t octets)
{
    const int64_t gig = INT64_C(1) << 30;
    int64_t gigs = (octets - 1) / gig;
    int64_t rest = octets - gigs * gig;
    if (gigs < 10)
        snprintf(text, UNIT_ROOM, "%4" PRId64 "MB", gigs * 1024 + (rest + 524288) / 1048576);
    else
        snprintf(text, UNIT_ROOM, "%4" PRId64 "GB", gigs + (rest + gig / 2) / gig);
}

void volume_text(char text[UNIT_ROOM], int64_t octets)
{
    if (octets < 10000)
        snprintf(text, UNIT_ROOM, "%6" PRId64, octets);
    else if (octets < 10000000)
        snprintf(text, UNIT_ROOM, "%4" PRId64 "KB", (octets + 512) / 1024);
    else
        big_volume_text(text, octets);
}

/* The units of which there are any, from the greatest on: no more of them than most. */
static void units_text(char text[UNIT_ROOM], int64_t seconds, int most)
{
    static const struct {
        int64_t seconds;
        char letter;
    } parts[] = {{604800, 'w'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    int used = snprintf(text, UNIT_ROOM, "%s", seconds < 0 ? "-" : seconds == 0 ? "0s" : "");
    uint64_t left = seconds < 0 ? -(uint64_t)seconds : (uint64_t)seconds;
    for (unsigned i = 0; i < sizeof parts / sizeof *parts && most > 0; i++) {
        uint64_t n = left / (uint64_t)parts[i].seconds;
        left %= (uint64_t)parts[i].seconds;
        if (n == 0 || used >= UNIT_ROOM)
            continue;
        used += snprintf(text + used, (size_t)(UNIT_ROOM - used), "%" PRIu64 "%c", n, parts[i].letter);
        most--;
    }
}

void duration_text(char text[UNIT_ROOM], int64_t seconds)
{
    units_text(text, seconds, 5);
}

void duration_brief_text(char text[UNIT_ROOM], int64_t seconds)
{
    units_text(text, seconds, 2);
}

void time_text(char text[UNIT_ROOM], int64_t at)
{
    time_t t = (time_t)at;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || !strftime(text, UNIT_ROOM, "%Y-%m-%d %H:%M:%S", &tm))
        snprintf(text, UNIT_ROOM, "%" PRId64, at);
}
