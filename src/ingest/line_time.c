/* line_time.c — stamps into instants, the first year by a time that is near. */
#include "line_time.h"

#include "../../parsers/dialect.h"

void line_time_begin(struct line_time *lt, const struct zone *zone, int64_t near)
{
    timebase_start(&lt->time, zone);
    lt->at = near;
}

/* The year in which the stamp is nearest to the time given. */
static void find_year(struct line_time *lt, const struct stamp *stamp)
{
    int64_t best = INT64_MAX, year = civil_year(floor_div(lt->at, 86400)), found = year;
    for (int64_t y = year - 1; y <= year + 1; y++) {
        struct timebase try = lt->time;
        timebase_give_year(&try, (int32_t)y);
        int64_t off = timebase_resolve(&try, stamp, INT64_MIN).at - lt->at;
        off = off < 0 ? -off : off;
        if (off < best) {
            best = off;
            found = y;
        }
    }
    timebase_give_year(&lt->time, (int32_t)found);
}

int64_t line_time_next(struct line_time *lt, struct slice line)
{
    struct frame frame;
    size_t n = line.n && line.p[line.n - 1] == '\n' ? line.n - 1 : line.n;
    frame_parse(slice_of(line.p, n), &frame);
    if (frame.kind == FRAME_NONE)
        return lt->at;
    if (timebase_needs_year(&lt->time, &frame.at))
        find_year(lt, &frame.at);
    return lt->at = timebase_resolve(&lt->time, &frame.at, INT64_MIN).at;
}
