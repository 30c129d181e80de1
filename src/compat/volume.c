/* volume.c — rounding and its reverse. */
#include "volume.h"
#include "../../parsers/ascii.h"

#include <inttypes.h>
#include <stdio.h>

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (MIB * KIB)

void volume_shown(char text[UNIT_ROOM], uint64_t bytes, bool rounded)
{
    if (rounded)
        volume_text(text, bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes);
    else /* a double, as in the old program: exact up to 8 PiB */
        snprintf(text, UNIT_ROOM, "%.0f", (double)bytes);
}

static uint64_t times(uint64_t n, uint64_t unit)
{
    return n > UINT64_MAX / unit ? UINT64_MAX : n * unit;
}

uint64_t volume_read(struct slice text)
{
    size_t i = 0;
    uint64_t n = 0;
    while (i < text.n && !is_digit(text.p[i]))
        i++;
    for (; i < text.n && is_digit(text.p[i]); i++) {
        uint64_t digit = (uint64_t)(text.p[i] - '0');
        n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
    }
    if (i + 1 >= text.n || text.p[i + 1] != 'B')
        return n;
    char unit = text.p[i];
    return times(n, unit == 'K' ? KIB : unit == 'M' ? MIB : unit == 'G' ? GIB : 1);
}

void volume_average(char text[UNIT_ROOM], uint64_t bytes, uint64_t messages, bool rounded)
{
    volume_shown(text, bytes, rounded);
    uint64_t shown = volume_read(slice_of(text, strlen(text)));
    uint64_t gigs = shown / GIB / messages, rest = shown % GIB / messages;
    if (rounded && rest == 0 && gigs >= 10) /* which as a sum is "10240MB" */
        snprintf(text, UNIT_ROOM, "%4" PRIu64 "GB", gigs);
    else
        volume_shown(text, gigs * GIB + rest, rounded);
}

int64_t duration_read(struct slice text)
{
    int64_t seconds = 0;
    for (size_t i = 0; i < text.n && is_digit(text.p[i]);) {
        int64_t n = 0;
        for (; i < text.n && is_digit(text.p[i]); i++)
            n = n < 1000000000000 ? n * 10 + (text.p[i] - '0') : n;
        char unit = i < text.n ? text.p[i] : 0;
        int64_t size = unit == 'w' ? 604800 : unit == 'd' ? 86400 : unit == 'h' ? 3600 : unit == 'm' ? 60 : 1;
        i += unit == 's' || size != 1;
        seconds += n * size;
    }
    return seconds;
}
