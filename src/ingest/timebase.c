/* timebase.c — the walk over stamps.

   Without a year, a stamp is taken to follow the one before it: a step back of more than SILENCE_REPORTED
   within the year is a New Year passed, a step forward of as much is a New Year stepped back over when the
   lines are less than a day apart (lines out of order), and else a long silence, which is reported. */
#include "timebase.h"

#include <stdlib.h>

#include "lines.h"

#define FOLD_STEP 1200 /* a step back of 20 minutes is not disorder but the clock put back */
#define ID_JUST_NOW 60 /* a line this soon after its message's id was not written an hour later */
#define ID_SAMPLE 200  /* lines of a source whose ids tell its year */
#define QUEUE_DAYS 30  /* an id this much older than its line tells no year: a message may be frozen for years */
#define DAY 86400

void timebase_start(struct timebase *tb, const struct zone *zone)
{
    *tb = (struct timebase){.zone = zone, .year = YEAR_UNKNOWN};
}

void timebase_give_year(struct timebase *tb, int32_t year)
{
    tb->year = year;
    tb->years = YEARS_GIVEN;
}

static int64_t local_of(const struct stamp *stamp, int64_t year)
{
    return days_from_civil(year, stamp->mon, stamp->day) * DAY + stamp->hour * 3600 + stamp->min * 60 +
           stamp->sec;
}

bool timebase_needs_year(const struct timebase *tb, const struct stamp *stamp)
{
    return stamp->year == 0 && tb->year == YEAR_UNKNOWN && !tb->has_last;
}

/* The year that puts a stamp next to the one before it. */
static int64_t year_after(struct timebase *tb, const struct stamp *stamp)
{
    if (!tb->has_last)
        return tb->year;
    int64_t year = civil_year(floor_div(tb->last_local, DAY));
    int64_t step = local_of(stamp, year) - tb->last_local;
    if (step < -SILENCE_REPORTED)
        return year + 1;
    if (step > SILENCE_REPORTED && tb->last_local - local_of(stamp, year - 1) < DAY)
        return year - 1;
    if (step > tb->silence) {
        tb->silence = step;
        tb->silence_at = tb->last_local;
    }
    return year;
}

static bool is_in_fold(const struct zone *zone, int64_t local)
{
    int64_t first, second;
    zone_from_local(zone, local, &first, &second);
    return first != second;
}

/* Which pass of a fold: an id later than the first reading knows; a great step back inside the fold tells, and
   what was told holds until the fold is left.  A step back in the second pass, or from behind the fold, is
   another log in the same source (zcat -f mainlog rejectlog).  A log that begins inside a fold leaves it to a
   guess, unless an id of just then says the first. */
static bool second_pass(struct timebase *tb, int64_t local, int64_t first, int64_t id_second, bool *guessed)
{
    bool back = tb->has_last && local < tb->last_local - FOLD_STEP;
    bool was_first = back && !tb->in_second_pass && is_in_fold(tb->zone, tb->last_local);
    *guessed = false;
    if (id_second != INT64_MIN && id_second > first + 1)
        return tb->in_second_pass = true;
    if (back)
        tb->in_second_pass = was_first;
    *guessed = (back || !tb->has_last) && !tb->in_second_pass && id_second < first - ID_JUST_NOW;
    return tb->in_second_pass;
}

static int64_t from_local(struct timebase *tb, int64_t local, int64_t id_second, bool *guessed)
{
    int64_t first, second;
    zone_from_local(tb->zone, local, &first, &second);
    tb->plain = first == second;
    if (tb->plain) {
        tb->in_second_pass = false;
        return first;
    }
    return second_pass(tb, local, first, id_second, guessed) ? second : first;
}

static bool same_second(const struct stamp *a, const struct stamp *b)
{
    return a->sec == b->sec && a->min == b->min && a->hour == b->hour && a->day == b->day && a->mon == b->mon &&
           a->year == b->year && a->utc_off_min == b->utc_off_min;
}

static int16_t milliseconds(const struct stamp *stamp)
{
    return stamp->usec < 0 ? -1 : (int16_t)(stamp->usec / 1000);
}

struct instant timebase_resolve(struct timebase *tb, const struct stamp *stamp, int64_t id_second)
{
    if (tb->plain && same_second(stamp, &tb->stamp)) {
        tb->instant.ms = milliseconds(stamp);
        return tb->instant;
    }
    struct instant now = {.ms = milliseconds(stamp)};
    int64_t year = stamp->year ? stamp->year : year_after(tb, stamp);
    int64_t local = local_of(stamp, year);
    if (stamp->utc_off_min != STAMP_LOCAL) {
        tb->plain = true;
        now.at = local - stamp->utc_off_min * 60;
        now.offset = zone_offset_at(tb->zone, now.at);
        local = now.at + now.offset;
    } else {
        now.at = from_local(tb, local, id_second, &now.guessed);
        now.offset = zone_offset_at(tb->zone, now.at);
    }
    tb->last_local = local;
    tb->has_last = true;
    if (!stamp->year && tb->years == YEARS_PRINTED)
        tb->years = YEARS_INFERRED;
    tb->stamp = *stamp;
    return tb->instant = now;
}

/* ---- the first pass ---------------------------------------------------------------------------- */

/* A walk with an assumed first year; what it finds holds for any first year but for 29 February. */
struct survey {
    struct timebase walk;
    int32_t assumed;      /* first year of the walk */
    bool any, anchored;
    struct stamp last;    /* where the walk ended */
    int64_t last_year;    /* its year, by the assumed one */
    int64_t anchor_local; /* first full stamp behind the stamps without years */
    int32_t leap_year;    /* year, by the walk, of a 29 February; 0: none met */
    int64_t ids;          /* lines whose message id tells their year */
    int64_t id_shift;     /* by how many years the assumed year is off, as most of them tell */
    int64_t votes;        /* lines that tell so, less those that tell otherwise */
};

static bool survey_stamp(struct survey *s, const struct stamp *stamp)
{
    if (stamp->year) {
        if (!s->any)
            return true;
        s->anchor_local = local_of(stamp, stamp->year);
        s->anchored = true;
        return false;
    }
    int64_t year = year_after(&s->walk, stamp);
    s->walk.last_local = local_of(stamp, year);
    s->last = *stamp;
    s->last_year = year;
    s->walk.has_last = s->any = true;
    if (stamp->mon == 2 && stamp->day == 29)
        s->leap_year = (int32_t)year;
    return true;
}

/* The second in the id of the message that a line of Exim's is about; INT64_MIN: none, or one that is frozen, of which
   each queue run tells for as long as it lies there. */
static int64_t id_second_of(const struct frame *frame)
{
    const struct dialect *dialect = dialect_for(frame);
    if (!dialect || strcmp(dialect->name, "exim_mainlog") != 0)
        return INT64_MIN;
    struct slice id = slice_of(frame->body.p, exim_id_length(frame->body));
    bool frozen = slice_starts(slice_after(frame->body, id.n), " Message is frozen");
    return id.n == 0 || frozen ? INT64_MIN : exim_id_second(id);
}

/* A line is written behind its message's id, by what the message waited: that is the year nearest to the id.  A day
   before is a zone's doing. */
static void survey_id(struct survey *s, const struct stamp *stamp, int64_t id_local)
{
    int64_t year = civil_year(floor_div(id_local, DAY) - 1);
    year += local_of(stamp, year) < id_local - DAY;
    if (local_of(stamp, year) < id_local - DAY || local_of(stamp, year) > id_local + QUEUE_DAYS * DAY)
        return;
    s->ids++;
    if (s->votes == 0)
        s->id_shift = year - s->last_year;
    s->votes += year - s->last_year == s->id_shift ? 1 : -1;
}

/* Whether the survey goes on behind this line. */
static bool survey_line(struct survey *s, const struct frame *frame)
{
    if (!survey_stamp(s, &frame->at))
        return false;
    int64_t id = frame->at.year ? INT64_MIN : id_second_of(frame);
    if (id != INT64_MIN)
        survey_id(s, &frame->at, id + zone_offset_at(s->walk.zone, id));
    return s->ids < ID_SAMPLE;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* How many years the assumed year is off, where no id tells: the walk's end lies nearest to the anchor, or at most a
   day behind the file's own time. */
static int32_t shift_by_end(const struct survey *s, int64_t log_local)
{
    int64_t limit = s->anchored ? s->anchor_local : log_local + DAY;
    int64_t year = civil_year(floor_div(limit, DAY)) + 1;
    if (s->anchored) {
        while (distance(local_of(&s->last, year - 1), limit) < distance(local_of(&s->last, year), limit))
            year--;
    } else {
        while (local_of(&s->last, year) > limit)
            year--;
    }
    int64_t shift = year - s->last_year;
    for (int tries = 0; s->leap_year && tries < 8 && !is_leap(s->leap_year + shift); tries++)
        shift--;
    return (int32_t)shift;
}

static int survey_lines(struct survey *s, struct source *in, int64_t offset, struct error *err)
{
    struct lines *lines = lines_over(in, offset, SLICE_ABSENT);
    struct line line;
    int got;
    while ((got = lines_next(lines, &line, err)) > 0) {
        struct frame frame;
        frame_parse(line.text, &frame);
        if (frame.kind != FRAME_NONE && !survey_line(s, &frame))
            break;
    }
    lines_free(&lines);
    return got < 0 && err->kind != FAIL_GZIP ? -1 : 0;
}

/* How many years the assumed year is off, and how far off the file's time is if that alone told it. */
static int32_t shift_of(const struct survey *s, int64_t log_local, int64_t *unproved)
{
    *unproved = 0;
    if (!s->any)
        return 0;
    if (s->votes > 0)
        return (int32_t)s->id_shift;
    int32_t shift = shift_by_end(s, log_local);
    if (!s->anchored)
        *unproved = log_local - local_of(&s->last, s->last_year + shift);
    return shift;
}

int timebase_find_year(struct timebase *tb, struct source *source, int64_t offset, struct error *err)
{
    struct survey s = {.assumed = 2000};
    int64_t log_time = source_facts(source)->log_time;
    timebase_start(&s.walk, tb->zone);
    s.walk.year = s.assumed;
    if (source_seek(source, offset, err) < 0 || survey_lines(&s, source, offset, err) < 0)
        return -1;
    tb->year = s.assumed + shift_of(&s, log_time + zone_offset_at(tb->zone, log_time), &tb->unproved);
    return 0;
}
