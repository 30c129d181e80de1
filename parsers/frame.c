/* frame.c — who printed a line and when: Exim's own stamp, RFC 3164, ISO and RFC 5424 heads, spamd's file.
   What the rest of the line means is the dialect's business.  Fixtures: tests/fixtures/lines/frame.t */
#include "dialect.h"

/* Value of n digits, or -1.  The caller has seen that n bytes are there. */
static int digits(const char *p, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        unsigned digit = (unsigned)(unsigned char)p[i] - '0';
        if (digit > 9)
            return -1;
        value = value * 10 + (int)digit;
    }
    return value;
}

/* 29 February is a day of every year here: the year is often not printed. */
static bool set_date(struct stamp *at, int year, int mon, int day)
{
    static const uint8_t days[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 0 || mon < 1 || mon > 12 || day < 1 || day > days[mon])
        return false;
    at->year = (int16_t)year;
    at->mon = (uint8_t)mon;
    at->day = (uint8_t)day;
    return true;
}

/* hh:mm:ss at p, eight bytes. */
static bool set_time(struct stamp *at, const char *p)
{
    int hour = digits(p, 2), min = digits(p + 3, 2), sec = digits(p + 6, 2);
    if (p[2] != ':' || p[5] != ':')
        return false;
    if (hour < 0 || hour > 23 || min < 0 || min > 59 || sec < 0 || sec > 60)
        return false;
    at->hour = (uint8_t)hour;
    at->min = (uint8_t)min;
    at->sec = (uint8_t)sec;
    at->usec = -1;
    at->utc_off_min = STAMP_LOCAL;
    return true;
}

/* YYYY-MM-DD?hh:mm:ss at the head of line, with sep for ?. */
static bool set_numeric(struct stamp *at, struct slice line, char sep)
{
    const char *p = line.p;
    if (line.n < 19 || p[4] != '-' || p[7] != '-' || p[10] != sep)
        return false;
    int year = digits(p, 4);
    return year > 0 && set_date(at, year, digits(p + 5, 2), digits(p + 8, 2)) &&
           set_time(at, p + 11);
}

static bool set_offset(struct stamp *at, char sign, const char *hours, const char *minutes)
{
    int hour = digits(hours, 2), min = digits(minutes, 2);
    if ((sign != '+' && sign != '-') || hour < 0 || min < 0 || min > 59 || hour * 60 + min > 900)
        return false;
    at->utc_off_min = (int16_t)(sign == '-' ? -(hour * 60 + min) : hour * 60 + min);
    return true;
}

/* .d to .ddddddddd, if a point stands here; false only for a point without digits. */
static bool try_fraction(struct scan *s, struct stamp *at)
{
    int32_t value = 0, unit = 100000;
    if (!scan_try(s, "."))
        return true;
    const char *start = s->p;
    for (; s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - start < 9; s->p++, unit /= 10)
        value += (*s->p - '0') * unit;
    at->usec = value;
    return s->p > start;
}

/* Whether what was read ends here: at a blank, which is eaten, or at the end of the line. */
static bool ends_word(struct scan *s)
{
    return s->p == s->end || scan_try(s, " ");
}

/* [digits] and a blank or the end; NUM_ABSENT, and nothing eaten, if anything else stands here. */
static int64_t try_pid(struct scan *s)
{
    struct scan t = *s;
    if (!scan_try(&t, "["))
        return NUM_ABSENT;
    int64_t pid = scan_u63(&t, INT32_MAX);
    if (!scan_lit(&t, "]") || !ends_word(&t))
        return NUM_ABSENT;
    *s = t;
    return pid;
}

/* Exim's own stamp up to the blank behind it.  What Exim prints has fixed widths: nothing is searched for. */
static bool read_exim_stamp(struct slice line, struct stamp *at, struct scan *rest)
{
    size_t used = 19;
    if (!set_numeric(at, line, ' '))
        return false;
    if (line.n >= 23 && line.p[19] == '.') {
        int ms = digits(line.p + 20, 3);
        if (ms < 0)
            return false;
        at->usec = ms * 1000;
        used = 23;
    }
    if (line.n >= used + 6 && line.p[used] == ' ' &&
        (line.n == used + 6 || line.p[used + 6] == ' ') &&
        set_offset(at, line.p[used + 1], line.p + used + 2, line.p + used + 4))
        used += 6;
    *rest = scan_over(slice_after(line, used));
    return ends_word(rest);
}

static bool read_exim(struct slice line, struct frame *f)
{
    struct scan rest;
    if (!read_exim_stamp(line, &f->at, &rest))
        return false;
    f->kind = FRAME_EXIM;
    f->own_stamp = true;
    f->tag = SLICE_LIT("exim");
    f->pid = try_pid(&rest);
    f->body = scan_rest(&rest);
    return true;
}

/* [n/m] or [n\m] and a blank, if it stands here: Exim splits what is too long for syslog. */
static void try_part(struct scan *s, struct frame *f)
{
    struct scan t = *s;
    if (!scan_try(&t, "["))
        return;
    int64_t part = scan_u63(&t, 9999);
    bool newline = scan_try(&t, "\\");
    if (!newline)
        scan_lit(&t, "/");
    int64_t parts = scan_u63(&t, 9999);
    if (!scan_lit(&t, "]") || !ends_word(&t) || part < 1 || part > parts)
        return;
    f->part = (int)part;
    f->parts = (int)parts;
    f->part_newline = newline;
    *s = t;
}

/* What Exim writes in front of its text when it logs through syslog.  Part number, stamp and pid are in
   this order, and only the first part has the last two (Exim splits the finished entry).  Of two pids
   syslog's stays, which all parts have: Exim in a container knows itself by another. */
static void read_exim_in_syslog(struct frame *f)
{
    struct scan s = scan_over(f->body), rest;
    struct stamp at;
    try_part(&s, f);
    if (f->part <= 1) {
        if (read_exim_stamp(scan_rest(&s), &at, &rest)) {
            f->at = at;
            f->own_stamp = true;
            s = rest;
        }
        int64_t pid = try_pid(&s);
        if (f->pid == NUM_ABSENT)
            f->pid = pid;
    }
    f->body = scan_rest(&s);
}

static bool is_tag_end(char c)
{
    return c == ' ' || c == ':' || c == '[';
}

/* tag: or tag[pid]: and one blank.  Nothing is eaten if no colon comes: then the line has no tag, as in
   "last message repeated 3 times". */
static bool try_tag(struct scan *s, struct frame *f)
{
    struct scan t = *s;
    while (t.p < t.end && !is_tag_end(*t.p))
        t.p++;
    struct slice tag = slice_of(s->p, (size_t)(t.p - s->p));
    int64_t pid = NUM_ABSENT;
    if (scan_try(&t, "[")) {
        struct slice text = scan_until(&t, ']');
        if (t.bad)
            return false;
        struct scan number = scan_over(text);
        pid = scan_u63(&number, INT32_MAX);
        if (number.p != number.end)
            pid = NUM_ABSENT;
    }
    if (tag.n == 0 || !scan_lit(&t, ":"))
        return false;
    scan_try(&t, " ");
    f->tag = tag;
    f->pid = pid;
    *s = t;
    return true;
}

/* Whether the word at s is a tag and not a host: it ends in ":", and is no IPv6 address that does. */
static bool is_tag_word(struct scan s)
{
    struct slice word = scan_word(&s);
    if (word.n < 2 || word.p[word.n - 1] != ':')
        return false;
    return word.p[word.n - 2] == ']' || !memchr(word.p, ':', word.n - 1);
}

/* [host ]tag[pid]: text */
static void read_host_and_tag(struct scan *s, struct frame *f)
{
    struct scan t = *s;
    if (!is_tag_word(t) && !slice_starts(scan_rest(&t), "last message repeated ")) {
        struct slice host = scan_word(&t);
        if (scan_try(&t, " ")) {
            f->host = host;
            *s = t;
        }
    }
    try_tag(s, f);
    f->body = scan_rest(s);
    if (slice_starts(f->tag, "exim"))
        read_exim_in_syslog(f);
}

/* Z, +hh:mm, or the +hhmm of older journalctl; what is none of them is left for ends_word to refuse. */
static void try_zone(struct scan *s, struct stamp *at)
{
    if (scan_try(s, "Z"))
        at->utc_off_min = 0;
    else if (scan_left(s) >= 6 && s->p[3] == ':' && set_offset(at, s->p[0], s->p + 1, s->p + 4))
        s->p += 6;
    else if (scan_left(s) >= 5 && set_offset(at, s->p[0], s->p + 1, s->p + 3))
        s->p += 5;
}

static bool read_iso_stamp(struct scan *s, struct stamp *at)
{
    if (!set_numeric(at, scan_rest(s), 'T'))
        return false;
    s->p += 19;
    if (!try_fraction(s, at))
        return false;
    try_zone(s, at);
    return ends_word(s);
}

static bool read_iso(struct scan s, struct frame *f)
{
    if (!read_iso_stamp(&s, &f->at))
        return false;
    f->kind = FRAME_ISO;
    read_host_and_tag(&s, f);
    return true;
}

static int month_of(const char *p)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (memcmp(p, names + 3 * i, 3) == 0)
            return i + 1;
    return 0;
}

/* Mmm dd hh:mm:ss, the day padded with a blank or a zero. */
static bool read_month_stamp(struct scan *s, struct stamp *at)
{
    const char *p = s->p;
    if (scan_left(s) < 15 || p[3] != ' ' || p[6] != ' ')
        return false;
    int day = p[4] == ' ' ? digits(p + 5, 1) : digits(p + 4, 2);
    if (!set_date(at, 0, month_of(p), day) || !set_time(at, p + 7))
        return false;
    s->p += 15;
    return true;
}

/* [pid] level: text, as spamd's own logger writes behind its stamp. */
static bool read_spamd_rest(struct scan *s, struct frame *f)
{
    static const char *const levels[] = {"info: ", "dbg: ", "warn: ", "error: ", NULL};
    struct scan t = *s;
    int64_t pid = try_pid(&t);
    if (pid == NUM_ABSENT)
        return false;
    for (size_t i = 0; levels[i]; i++)
        if (scan_try(&t, levels[i])) {
            f->kind = FRAME_SPAMD;
            f->own_stamp = true;
            f->tag = SLICE_LIT("spamd");
            f->pid = pid;
            f->body = scan_rest(&t);
            return true;
        }
    return false;
}

/* <mail.info>, which FreeBSD's syslogd -v puts behind the time. */
static void skip_level(struct scan *s)
{
    struct scan t = *s;
    if (scan_try(&t, "<") && scan_until(&t, '>').n <= 20 && scan_try(&t, " "))
        *s = t;
}

/* RFC 3164, and what spamd writes to stderr: the same stamp, then [pid] level: */
static bool read_syslog(struct scan s, struct frame *f)
{
    if (!read_month_stamp(&s, &f->at) || !try_fraction(&s, &f->at) || !ends_word(&s))
        return false;
    if (read_spamd_rest(&s, f))
        return true;
    f->kind = FRAME_SYSLOG;
    skip_level(&s);
    read_host_and_tag(&s, f);
    return true;
}

/* Www Mmm dd hh:mm:ss YYYY [pid] level: text */
static bool read_spamd(struct scan s, struct frame *f)
{
    if (scan_left(&s) < 25 || s.p[3] != ' ')
        return false;
    s.p += 4;
    if (!read_month_stamp(&s, &f->at) || !scan_lit(&s, " ") || scan_left(&s) < 4)
        return false;
    int year = digits(s.p, 4);
    s.p += 4;
    f->at.year = (int16_t)year;
    return year > 0 && scan_lit(&s, " ") && read_spamd_rest(&s, f);
}

/* A word of an RFC 5424 head and its blank; "-" says there is none. */
static struct slice read_5424_word(struct scan *s)
{
    struct slice word = scan_word(s);
    if (!ends_word(s))
        s->bad = true;
    return slice_is(word, "-") ? SLICE_ABSENT : word;
}

/* [id name="value" ...]...: quotes, backslashes and brackets of a value are escaped with a backslash. */
static void skip_structured_data(struct scan *s)
{
    bool quoted = false;
    if (scan_try(s, "-"))
        return;
    if (!scan_lit(s, "["))
        return;
    for (; s->p < s->end; s->p++) {
        if (*s->p == '\\' && quoted && scan_left(s) > 1)
            s->p++;
        else if (*s->p == '"')
            quoted = !quoted;
        else if (*s->p == ']' && !quoted && (scan_left(s) == 1 || s->p[1] != '['))
            break;
    }
    scan_lit(s, "]");
}

/* 1 stamp host app pid msgid sd text */
static bool read_5424(struct scan s, struct frame *f)
{
    if (!scan_try(&s, "1 ") || !read_iso_stamp(&s, &f->at))
        return false;
    struct slice host = read_5424_word(&s), tag = read_5424_word(&s), pid = read_5424_word(&s);
    read_5424_word(&s);
    skip_structured_data(&s);
    if (s.bad || !ends_word(&s))
        return false;
    scan_try(&s, "\xEF\xBB\xBF"); /* RFC 5424 section 6.4: UTF-8 text may say so with a BOM */
    struct scan number = scan_over(pid.p ? pid : SLICE_LIT(""));
    f->kind = FRAME_5424;
    f->host = host;
    f->tag = tag;
    f->pid = scan_u63(&number, INT32_MAX);
    if (number.p != number.end)
        f->pid = NUM_ABSENT;
    f->body = scan_rest(&s);
    if (slice_starts(f->tag, "exim"))
        read_exim_in_syslog(f);
    return true;
}

/* <PRI>, if it stands here: files of raw datagrams. */
static struct scan behind_priority(struct slice line)
{
    struct scan s = scan_over(line), t = s;
    if (!scan_try(&t, "<"))
        return s;
    scan_u63(&t, 191);
    return scan_lit(&t, ">") ? t : s;
}

static const struct frame no_frame = {.at = {.usec = -1, .utc_off_min = STAMP_LOCAL},
                                      .pid = NUM_ABSENT};

void frame_parse(struct slice line, struct frame *frame)
{
    *frame = no_frame;
    if (read_exim(line, frame))
        return;
    struct scan s = behind_priority(line);
    if (read_syslog(s, frame) || read_iso(s, frame) || read_5424(s, frame) || read_spamd(s, frame))
        return;
    *frame = no_frame;
    frame->body = line;
}
