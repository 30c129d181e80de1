/* exigrep_line.c — the heads of lines, and the few texts behind them that exigrep acts upon. */
#include "exigrep_line.h"

#include <time.h>

#include "../../parsers/dialect.h"
#include "../ingest/zone.h"
#include "../../parsers/ascii.h"

extern const struct dialect dialect_exim_mainlog;

/* Whether s begins as the form does, in which 0 stands for any digit.  All n octets are looked at, so that the
   compiler makes one comparison of it. */
static inline bool has_form(struct slice s, const char *form, size_t n)
{
    unsigned bad = 0;
    if (s.n < n)
        return false;
    for (size_t i = 0; i < n; i++)
        bad |= form[i] == '0' ? (unsigned)(unsigned char)s.p[i] - '0' > 9 : s.p[i] != form[i];
    return !bad;
}
#define HAS_FORM(s, form) has_form(s, form, sizeof(form) - 1)

static size_t digits_at(struct slice s, size_t from)
{
    size_t i = from;
    while (i < s.n && is_digit(s.p[i]))
        i++;
    return i - from;
}

/* Octets of the stamp that s begins with, up to the blank behind it, which must be there; 0: none.  The numbers are
   not looked at: what is printed was printed. */
static size_t stamp_length(struct slice s)
{
    size_t n = 19;
    if (!HAS_FORM(s, "0000-00-00 00:00:00"))
        return 0;
    if (n < s.n && s.p[n] == '.') {
        size_t fraction = digits_at(s, n + 1);
        n += fraction ? fraction + 1 : 0;
    }
    if (n >= s.n || s.p[n] != ' ')
        return 0;
    struct slice zone = slice_after(s, n);
    return HAS_FORM(zone, " +0000 ") || HAS_FORM(zone, " -0000 ") ? n + 6 : n;
}

/* Octets of "[pid] ", if it stands at from. */
static size_t pid_length(struct slice s, size_t from)
{
    if (from >= s.n || s.p[from] != '[')
        return 0;
    size_t n = digits_at(s, from + 1);
    return n && HAS_FORM(slice_after(s, from + 1 + n), "] ") ? n + 3 : 0;
}

static bool read_native(struct slice whole, struct exigrep_line *line)
{
    size_t stamp = stamp_length(whole);
    if (stamp == 0)
        return false;
    bool lf = whole.p[whole.n - 1] == '\n';
    size_t head = stamp + 1 + pid_length(whole, stamp + 1);
    struct slice body = slice_of(whole.p + head, whole.n - lf - head);
    size_t id = exim_id_length(body);
    line->text = whole;
    line->stamp = slice_of(whole.p, stamp);
    line->id = id ? slice_of(body.p, id) : SLICE_ABSENT;
    line->body = slice_after(body, id < body.n && id ? id + 1 : id);
    return true;
}

/* Where Exim's own stamp stands behind syslog's frame; absent: nowhere. */
static struct slice inside_syslog(struct slice whole)
{
    struct frame frame;
    struct slice line = slice_of(whole.p, whole.n - (whole.n && whole.p[whole.n - 1] == '\n'));
    frame_parse(line, &frame);
    if (frame.kind == FRAME_NONE || frame.kind == FRAME_EXIM || !frame.own_stamp ||
        dialect_for(&frame) != &dialect_exim_mainlog)
        return SLICE_ABSENT;
    for (const char *p = frame.tag.p + frame.tag.n; p < frame.body.p; p++)
        if (stamp_length(slice_of(p, (size_t)(line.p + line.n - p))))
            return slice_of(p, (size_t)(whole.p + whole.n - p));
    return SLICE_ABSENT;
}

bool exigrep_line_read(struct slice whole, struct exigrep_line *line)
{
    if (read_native(whole, line))
        return true;
    struct slice inside = inside_syslog(whole);
    return inside.p && read_native(inside, line);
}

/* ---- what it says ------------------------------------------------------------------------------ */

static struct event event_of(const struct exigrep_line *line)
{
    const char *start = line->id.p ? line->id.p : line->body.p;
    struct frame frame = {.kind = FRAME_EXIM, .own_stamp = true, .tag = SLICE_LIT("exim"), .pid = NUM_ABSENT};
    struct event event;
    frame.body = slice_of(start, (size_t)(line->body.p + line->body.n - start));
    event_reset(&event);
    dialect_exim_mainlog.parse(&frame, &event);
    return event;
}

static bool has_delivery_flag(struct slice body)
{
    return body.n >= 3 && body.p[2] == ' ' && strchr("<=->*(", body.p[0]) && strchr("=>*", body.p[1]);
}

bool exigrep_line_ends(const struct exigrep_line *line)
{
    struct slice body = line->body;
    if (has_delivery_flag(body))
        return false;
    if (slice_starts(body, "Completed"))
        return body.n == 9 || slice_starts(slice_after(body, 9), " QT=");
    if (slice_starts(body, "SMTP data timeout"))
        return true;
    return slice_find(body, "rejected") >= 0 && event_of(line).kind == EV_REJECTION;
}

struct slice exigrep_line_cause(const struct exigrep_line *line)
{
    if (!slice_starts(line->body, "<= ") || slice_find(line->body, " R=") < 0)
        return SLICE_ABSENT;
    struct slice parent = event_of(line).parent_id;
    return exim_id_valid(parent) ? parent : SLICE_ABSENT;
}

/* ---- times ------------------------------------------------------------------------------------- */

/* Two digits, which the stamp's form has promised. */
static int two(const char *p)
{
    return (p[0] - '0') * 10 + (p[1] - '0');
}

/* Microseconds of the digits behind the point. */
static int64_t fraction_us(struct slice stamp)
{
    int64_t us = 0, unit = 100000;
    for (size_t i = 20; i < stamp.n && is_digit(stamp.p[i]); i++, unit /= 10)
        us += (stamp.p[i] - '0') * unit;
    return stamp.n > 19 && stamp.p[19] == '.' ? us : 0;
}

struct exigrep_time exigrep_time_of(const struct exigrep_line *line)
{
    const char *p = line->stamp.p, *zone = p + line->stamp.n - 5;
    int month = two(p + 5) - 1;
    int64_t year = two(p) * 100 + two(p + 2) + month / 12;
    int64_t day = days_from_civil(year + (month < 0 ? -1 : 0), (unsigned)((month + 12) % 12) + 1, 1) + two(p + 8) - 1;
    int64_t second = day * 86400 + two(p + 11) * 3600 + two(p + 14) * 60 + two(p + 17);
    bool has_zone = line->stamp.n >= 25 && (*zone == '+' || *zone == '-');
    int offset = has_zone ? two(zone + 1) * 60 + two(zone + 3) : EXIGREP_NO_ZONE;
    return (struct exigrep_time){second * 1000000 + fraction_us(line->stamp),
                                 has_zone && *zone == '-' ? -offset : offset};
}

/* Whole seconds of Unix time. */
static int64_t unix_second(struct exigrep_time time)
{
    int64_t second = floor_div(time.local_us, 1000000);
    struct tm tm;
    if (time.zone_minutes != EXIGREP_NO_ZONE)
        return second - time.zone_minutes * 60;
    gmtime_r(&(time_t){second}, &tm);
    tm.tm_isdst = -1;
    return mktime(&tm);
}

int64_t exigrep_time_between(struct exigrep_time from, struct exigrep_time to)
{
    int64_t fractions = to.local_us % 1000000 - from.local_us % 1000000;
    return (unix_second(to) - unix_second(from)) * 1000000 + fractions;
}
