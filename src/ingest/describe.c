/* describe.c — prints what the parsers found.  The names come out of the lists in event.h, so nothing here
   has to be kept in step with them. */
#include "describe.h"

#include <inttypes.h>

static const struct {
    unsigned flag;
    const char *name;
} flag_names[] = {
    {EVF_TEMPORARY, "temporary"}, {EVF_FAKEREJECT, "fakereject"}, {EVF_AMBIGUOUS, "ambiguous"},
    {EVF_REJECTLOG, "rejectlog"}, {EVF_IS_SPAM, "is_spam"},       {EVF_REMOTE, "remote"},
    {EVF_ID_GENERATED, "id_generated"},
};

static const char *kind_doc(enum event_kind kind)
{
    static const char *const docs[] = {
        "",
#define KIND(symbol, name, doc) doc,
        EVENT_KINDS(KIND)
#undef KIND
    };
    return (unsigned)kind < EV_KINDS ? docs[kind] : "";
}

static void describe_frame(const struct frame *frame, struct described *out)
{
    out->frame = *frame;
    event_reset(&out->event);
    out->dialect = dialect_for(&out->frame);
    out->verdict = VERDICT_OK;
    if (out->dialect) {
        out->verdict = out->dialect->parse(&out->frame, &out->event);
    } else if (out->frame.kind == FRAME_NONE) {
        out->event.kind = EV_CONTINUATION;
        out->event.text = out->frame.body;
    } else {
        out->event.kind = EV_FOREIGN;
    }
}

void describe_read(struct slice line, struct described *out)
{
    struct frame frame;
    frame_parse(line, &frame);
    describe_frame(&frame, out);
}

void describe_entry(const struct entry *entry, struct described *out)
{
    if (entry->kind == ENTRY_WHOLE) {
        describe_frame(&entry->frame, out);
        return;
    }
    frame_parse(entry->text, &out->frame);
    out->dialect = dialect_for(&out->frame);
    out->verdict = entry->kind == ENTRY_STRAY ? VERDICT_UNKNOWN : VERDICT_OK;
    event_reset(&out->event);
    out->event.kind = EV_CONTINUATION;
    out->event.text = out->frame.body;
}

static bool is_bare(struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x21 || c > 0x7e || c == '"' || c == '\\')
            return false;
    }
    return text.n > 0;
}

static void put_quoted(FILE *out, struct slice text)
{
    fputc('"', out);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c > 0x7e)
            fprintf(out, "\\x%02x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void put_value(FILE *out, struct slice text)
{
    if (is_bare(text))
        fwrite(text.p, 1, text.n, out);
    else
        put_quoted(out, text);
}

static void put_text(FILE *out, const char *name, struct slice text)
{
    if (!text.p)
        return;
    fprintf(out, " %s=", name);
    put_value(out, text);
}

static void put_number(FILE *out, const char *name, int64_t number)
{
    if (number != NUM_ABSENT)
        fprintf(out, " %s=%" PRId64, name, number);
}

static void put_stamp(FILE *out, const struct stamp *at)
{
    int off = at->utc_off_min;
    if (at->year)
        fprintf(out, "%04d-%02d", at->year, at->mon);
    else
        fprintf(out, "--%02d", at->mon);
    fprintf(out, "-%02dT%02d:%02d:%02d", at->day, at->hour, at->min, at->sec);
    if (at->usec >= 0)
        fprintf(out, ".%06d", (int)at->usec);
    if (off != STAMP_LOCAL)
        fprintf(out, "%c%02d%02d", off < 0 ? '-' : '+', (off < 0 ? -off : off) / 60,
                (off < 0 ? -off : off) % 60);
}

static void put_flags(FILE *out, unsigned flags)
{
    const char *glue = "";
    for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++)
        if (flags & flag_names[i].flag) {
            fprintf(out, "%s%s", glue, flag_names[i].name);
            glue = ",";
        }
}

static void put_kind(FILE *out, const struct described *what)
{
    if (what->verdict == VERDICT_UNKNOWN) {
        fputs("UNKNOWN", out);
    } else if (what->verdict == VERDICT_DAMAGED) {
        fprintf(out, "DAMAGED fault_at=%zu", what->event.fault_at);
    } else {
        for (const char *p = event_kind_name(what->event.kind); *p; p++)
            fputc(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p, out);
    }
}

static void put_frame(FILE *out, const struct frame *frame)
{
    if (frame->kind != FRAME_NONE) {
        fputs(" at=", out);
        put_stamp(out, &frame->at);
    }
    put_text(out, "frame_tag", frame->tag);
    put_number(out, "frame_pid", frame->pid);
    put_text(out, "frame_host", frame->host);
    if (frame->parts)
        fprintf(out, " frame_part=%d%c%d", frame->part, frame->part_newline ? '\\' : '/',
                frame->parts);
}

void describe_line(FILE *out, const struct described *what)
{
    const struct event *ev = &what->event;
    put_kind(out, what);
    put_frame(out, &what->frame);
    if (what->verdict != VERDICT_UNKNOWN) {
        if (ev->delivery)
            fprintf(out, " kind=%s", delivery_kind_name(ev->delivery));
        if (ev->flags) {
            fputs(" flags=", out);
            put_flags(out, ev->flags);
        }
#define TEXT(name, doc) put_text(out, #name, ev->name);
#define NUM(name, doc) put_number(out, #name, ev->name);
        EVENT_FIELDS(TEXT, NUM)
#undef TEXT
#undef NUM
    }
    fputc('\n', out);
}

/* All but printable ASCII as \xHH: a log line must not command the terminal of who reads it. */
static void put_visible(FILE *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c > 0x7e)
            fprintf(out, "\\x%02x", c);
        else
            fputc(c, out);
    }
}

static void explain_text(FILE *out, const char *name, struct slice text, const char *doc)
{
    if (!text.p)
        return;
    fprintf(out, "  %-16s ", name);
    put_value(out, text);
    fprintf(out, "    (%s)\n", doc);
}

static void explain_number(FILE *out, const char *name, int64_t number, const char *doc)
{
    if (number != NUM_ABSENT)
        fprintf(out, "  %-16s %" PRId64 "    (%s)\n", name, number, doc);
}

static void explain_frame(FILE *out, const struct frame *frame)
{
    static const char *const kinds[] = {
        [FRAME_NONE] = "no time stamp: continues the line before it, or is damaged",
        [FRAME_EXIM] = "Exim's own file", [FRAME_SYSLOG] = "syslog, RFC 3164",
        [FRAME_ISO] = "syslog, ISO stamp", [FRAME_5424] = "syslog, RFC 5424",
        [FRAME_SPAMD] = "spamd's own file"};
    fprintf(out, "  %-16s %s\n", "frame", kinds[frame->kind]);
    if (frame->kind == FRAME_NONE)
        return;
    fprintf(out, "  %-16s ", "at");
    put_stamp(out, &frame->at);
    fprintf(out, "    (%s)\n", frame->own_stamp ? "stamped by the daemon" : "stamped by syslog");
    explain_text(out, "program", frame->tag, "who wrote the line");
    explain_number(out, "pid", frame->pid, "its process");
    explain_text(out, "machine", frame->host, "where, as syslog says");
    if (frame->parts)
        fprintf(out, "  %-16s %d of %d    (of an entry that was too long for syslog)\n", "part",
                frame->part, frame->parts);
}

static void explain_verdict(FILE *out, const struct described *what)
{
    fprintf(out, "  %-16s ", "verdict");
    if (!what->dialect && what->frame.kind != FRAME_NONE) {
        fputs("foreign: no dialect answers to this program\n", out);
    } else if (what->verdict == VERDICT_UNKNOWN) {
        fputs(what->dialect ? "unknown: this dialect knows no such line\n"
                            : "unknown: no time stamp, and nothing before that it continues\n", out);
    } else if (what->verdict == VERDICT_DAMAGED) {
        fprintf(out, "damaged at byte %zu of the text, before: ", what->event.fault_at);
        put_value(out, slice_after(what->frame.body, what->event.fault_at));
        fputc('\n', out);
    } else {
        fputs("understood\n", out);
    }
}

/* What reports count by, made of the reason. */
static void explain_reason(FILE *out, const struct event *ev)
{
    char buf[1024];
    if (!ev->reason.p)
        return;
    struct slice normal = slice_of(buf, reason_normalise(ev->reason, buf, sizeof buf));
    const char *class = reason_class(normal, ev->errno_code);
    explain_text(out, "reason, normal", normal, "what reports count: without what varies");
    explain_text(out, "reason class", slice_of(class, strlen(class)), "its class");
}

static void explain_fields(FILE *out, const struct event *ev)
{
    fprintf(out, "  %-16s %s    (%s)\n", "event", event_kind_name(ev->kind), kind_doc(ev->kind));
    if (ev->delivery)
        fprintf(out, "  %-16s %s\n", "delivery", delivery_kind_name(ev->delivery));
    if (ev->flags) {
        fprintf(out, "  %-16s ", "flags");
        put_flags(out, ev->flags);
        fputc('\n', out);
    }
#define TEXT(name, doc) explain_text(out, #name, ev->name, doc);
#define NUM(name, doc) explain_number(out, #name, ev->name, doc);
    EVENT_FIELDS(TEXT, NUM)
#undef TEXT
#undef NUM
    explain_reason(out, ev);
}

void describe_explain(FILE *out, struct slice line, const struct described *what)
{
    put_visible(out, line);
    fputc('\n', out);
    explain_frame(out, &what->frame);
    if (what->dialect)
        fprintf(out, "  %-16s %s    (%s)\n", "dialect", what->dialect->name, what->dialect->help);
    explain_verdict(out, what);
    if (what->verdict != VERDICT_UNKNOWN)
        explain_fields(out, &what->event);
}
