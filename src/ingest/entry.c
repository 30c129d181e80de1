/* entry.c — parts, continuations and control bytes. */
#include "entry.h"

#include <stdlib.h>
#include <strings.h>

#include "../base/hash.h"
#include "../base/memory.h"
#include "../../parsers/ascii.h"

#define PENDING_MAX 64         /* entries of several parts under way at once; Exim writes each in one go */
#define JOINED_MAX LINE_KEPT   /* octets of a joined line that are kept */

/* An entry of which parts are still to come. */
struct pending {
    uint64_t key; /* host, program, pid */
    struct frame frame;
    int next_part;
    bool begun;       /* its first line was whole; what follows continues it */
    char *text;       /* the line so far */
    size_t size;
    struct dump dump; /* whose headers these lines are, if begun */
};

struct entries {
    char *clean;  /* the line with control bytes written out */
    char *joined; /* the last line joined of parts */
    struct dump dump; /* whose headers lines without a stamp are, AFTER_HEADERS */
    struct dump told; /* of the last line read, if it came in parts */
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    enum { AFTER_NOTHING, AFTER_LINE, AFTER_REPLY, AFTER_HEADERS } after; /* what may be continued */
};

struct entries *entries_new(void)
{
    struct entries *entries = xcalloc(1, sizeof *entries);
    entries->clean = xmalloc((size_t)LINE_KEPT * 4);
    entries->joined = xmalloc(JOINED_MAX);
    return entries;
}

static void drop_pending(struct entries *entries, size_t i)
{
    free(entries->pending[i].text);
    entries->pending[i] = entries->pending[--entries->pending_count];
}

void entries_free(struct entries **entries)
{
    if (!*entries)
        return;
    while ((*entries)->pending_count)
        drop_pending(*entries, 0);
    free((*entries)->clean);
    free((*entries)->joined);
    free(*entries);
    *entries = NULL;
}

/* ---- control bytes ----------------------------------------------------------------------------- */

static bool has_control(struct slice text)
{
    unsigned char found = 0;
    for (size_t i = 0; i < text.n; i++) /* written so that it becomes vector code */
        found |= (unsigned char)((unsigned char)text.p[i] < 0x20) | (unsigned char)(text.p[i] == 0x7f);
    return found;
}

/* #ooo, as rsyslog writes them, so that a line is the same whichever way it came. */
static struct slice write_out_control(char *out, struct slice text)
{
    char *to = out;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c != 0x7f) {
            *to++ = (char)c;
            continue;
        }
        *to++ = '#';
        *to++ = (char)('0' + (c >> 6));
        *to++ = (char)('0' + (c >> 3 & 7));
        *to++ = (char)('0' + (c & 7));
    }
    return slice_of(out, (size_t)(to - out));
}

static struct slice clean_line(struct entries *entries, struct slice text)
{
    if (text.n && text.p[text.n - 1] == '\r')
        text.n--;
    return has_control(text) ? write_out_control(entries->clean, text) : text;
}

/* ---- headers of rejected messages ---------------------------------------------------------------- */

/* The reject log dumps headers as "T Name: text", T being Exim's header type or a blank. */
static bool is_dumped_header(struct slice text)
{
    if (slice_starts(text, "Envelope-from: ") || slice_starts(text, "Envelope-to: "))
        return true;
    if (text.n <= 3 || !(is_letter(text.p[0]) || text.p[0] == ' ' || text.p[0] == '*') || text.p[1] != ' ')
        return false;
    const char *colon = memchr(text.p + 2, ':', text.n - 2);
    return colon && colon > text.p + 2 && !memchr(text.p + 2, ' ', (size_t)(colon - text.p) - 2);
}

/* Headers that tell who wanted what from whom. */
static const char *const kept_headers[] = {"Envelope-to", "From", "To", "Cc", "Reply-To", "Subject", "Message-ID"};
enum { KEPT_HEADERS = sizeof kept_headers / sizeof *kept_headers };

/* Which of them it is, from 1; 0: none. */
static int kept_header(struct slice header)
{
    for (int i = 0; i < KEPT_HEADERS; i++) {
        size_t n = strlen(kept_headers[i]);
        if (header.n > n && header.p[n] == ':' && strncasecmp(header.p, kept_headers[i], n) == 0)
            return i + 1;
    }
    return 0;
}

static struct slice without_indent(struct slice line)
{
    while (line.n && (line.p[0] == ' ' || slice_starts(line, "#011")))
        line = slice_after(line, line.p[0] == ' ' ? 1 : 4);
    return line;
}

/* Sets entry's header if the line of a dump is one that is kept, or is folded under one. */
static void keep_header(struct dump *dump, struct slice line, struct entry *entry)
{
    if (!dump->id_size)
        return;
    bool folded = !is_dumped_header(line);
    if (folded) {
        line = without_indent(line);
    } else {
        if (!slice_starts(line, "Envelope-"))
            line = slice_after(line, 2);
        dump->kept = kept_header(line);
    }
    if (!dump->kept)
        return;
    entry->header = line;
    entry->folded_under = folded ? kept_headers[dump->kept - 1] : NULL;
}

/* ---- parts ------------------------------------------------------------------------------------- */

static uint64_t key_of(const struct frame *frame)
{
    return hash_mix(hash_bytes(frame->host, hash_bytes(frame->tag, 0)), (uint64_t)frame->pid);
}

static size_t find_pending(const struct entries *entries, uint64_t key)
{
    size_t i = 0;
    while (i < entries->pending_count && entries->pending[i].key != key)
        i++;
    return i;
}

/* Keeps what the first part says; its slices do not stay.  Where no process is named, of two entries under way nobody
   can tell whose part comes next: both are given up. */
static void keep_part(struct entries *entries, const struct frame *frame)
{
    uint64_t key = key_of(frame);
    size_t i = find_pending(entries, key);
    if (i < entries->pending_count) {
        drop_pending(entries, i);
        if (frame->pid == NUM_ABSENT)
            return;
    }
    if (entries->pending_count == PENDING_MAX)
        drop_pending(entries, 0);
    struct pending *p = &entries->pending[entries->pending_count++];
    *p = (struct pending){.key = key, .frame = *frame, .next_part = 2, .text = xmalloc(JOINED_MAX)};
    p->frame.body = p->frame.host = p->frame.tag = SLICE_ABSENT;
}

static void append_part(struct pending *p, struct slice body)
{
    size_t n = body.n < JOINED_MAX - p->size ? body.n : JOINED_MAX - p->size;
    if (n)
        memcpy(p->text + p->size, body.p, n);
    p->size += n;
}

/* The line that a part ended, in memory of the entries'. */
static struct slice take_line(struct entries *entries, struct pending *p)
{
    struct slice line = slice_of(entries->joined, p->size);
    memcpy(entries->joined, p->text, p->size);
    p->size = 0;
    return line;
}

/* What a line is that parts made whole: the entry's first, or one of a dump behind it. */
static enum entry_kind whole_line(struct entries *entries, struct pending *p, const struct frame *frame,
                                  struct entry *entry)
{
    struct slice line = take_line(entries, p);
    if (p->begun) {
        keep_header(&p->dump, line, entry);
        entries->told = p->dump;
        entry->dump = &entries->told;
        return ENTRY_CONTINUATION;
    }
    p->begun = true;
    entry->frame = p->frame;
    entry->frame.host = frame->host;
    entry->frame.tag = frame->tag;
    entry->frame.body = line;
    return ENTRY_WHOLE;
}

static enum entry_kind read_part(struct entries *entries, struct entry *entry)
{
    const struct frame frame = entry->frame;
    if (frame.part == 1 && frame.parts == 1)
        return ENTRY_WHOLE;
    if (frame.part == 1)
        keep_part(entries, &frame);
    size_t i = find_pending(entries, key_of(&frame));
    if (i == entries->pending_count)
        return ENTRY_CONTINUATION;
    struct pending *p = &entries->pending[i];
    bool follows = frame.part == 1 || (p->next_part++ == frame.part && p->frame.parts == frame.parts);
    enum entry_kind kind = ENTRY_CONTINUATION;
    if (follows)
        append_part(p, frame.body);
    if (follows && (frame.part_newline || frame.part == frame.parts))
        kind = whole_line(entries, p, &frame, entry);
    if (!follows || frame.part == frame.parts)
        drop_pending(entries, i);
    return kind;
}

/* ---- lines without a stamp --------------------------------------------------------------------- */

static bool is_reply_line(struct slice text)
{
    return text.n > 3 && is_digit(text.p[0]) && is_digit(text.p[1]) && is_digit(text.p[2]) &&
           (text.p[3] == '-' || text.p[3] == ' ');
}

static enum entry_kind read_unstamped(struct entries *entries, struct entry *entry)
{
    struct slice text = entry->text;
    if (entries->after == AFTER_NOTHING)
        return ENTRY_STRAY;
    bool continues = text.p[0] == ' ' || slice_starts(text, "#011") ||
                     (entries->after == AFTER_HEADERS && is_dumped_header(text)) ||
                     (entries->after == AFTER_REPLY && is_reply_line(text));
    if (continues && entries->after == AFTER_HEADERS) {
        keep_header(&entries->dump, text, entry);
        entry->dump = &entries->dump;
    }
    return continues ? ENTRY_CONTINUATION : ENTRY_STRAY;
}

void entries_read(struct entries *entries, const struct line *line, struct entry *entry)
{
    entry->text = clean_line(entries, line->text);
    entry->header = SLICE_ABSENT;
    entry->folded_under = NULL;
    entry->dump = NULL;
    if (entry->text.n == 0) {
        entry->kind = ENTRY_BLANK;
        return;
    }
    frame_parse(entry->text, &entry->frame);
    if (entry->frame.kind == FRAME_NONE)
        entry->kind = read_unstamped(entries, entry);
    else
        entry->kind = entry->frame.parts ? read_part(entries, entry) : ENTRY_WHOLE;
}

static struct dump dump_of(const struct entry *entry, const struct event *ev, int64_t at)
{
    struct dump dump = {.at = at};
    if (ev->kind != EV_REJECTION || !ev->exim_id.p)
        return dump;
    dump.id_size = ev->exim_id.n < sizeof dump.exim_id ? ev->exim_id.n : sizeof dump.exim_id;
    memcpy(dump.exim_id, ev->exim_id.p, dump.id_size);
    dump.late = entry->frame.kind != FRAME_EXIM && !entry->frame.own_stamp;
    return dump;
}

void entries_understood(struct entries *entries, const struct entry *entry, const struct event *ev, int64_t at)
{
    struct dump dump = dump_of(entry, ev, at);
    if (entry->frame.parts > 1) {
        size_t i = find_pending(entries, key_of(&entry->frame));
        if (i < entries->pending_count)
            entries->pending[i].dump = dump;
    }
    entries->dump = dump;
    if (entry->frame.kind != FRAME_EXIM && entry->frame.kind != FRAME_SPAMD)
        entries->after = AFTER_NOTHING;
    else if (ev->kind == EV_DELIVERY || ev->kind == EV_HOST_ERROR)
        entries->after = AFTER_REPLY;
    else
        entries->after = dump.id_size ? AFTER_HEADERS : AFTER_LINE;
}

/* ---- from run to run --------------------------------------------------------------------------- */

static void save_stamp(const struct stamp *at, struct carry *out)
{
    const int64_t numbers[] = {at->year, at->mon, at->day, at->hour, at->min, at->sec, at->usec, at->utc_off_min};
    for (size_t i = 0; i < 8; i++)
        carry_put_int(out, numbers[i]);
}

static struct stamp load_stamp(struct carry *in)
{
    int64_t n[8];
    for (size_t i = 0; i < 8; i++)
        n[i] = carry_get_int(in);
    return (struct stamp){(int16_t)n[0], (uint8_t)n[1], (uint8_t)n[2], (uint8_t)n[3],
                          (uint8_t)n[4], (uint8_t)n[5], (int32_t)n[6], (int16_t)n[7]};
}

static void save_dump(const struct dump *dump, struct carry *out)
{
    carry_put_text(out, slice_of(dump->exim_id, dump->id_size));
    carry_put_int(out, dump->at);
    carry_put_int(out, dump->late);
    carry_put_int(out, dump->kept);
}

static struct dump load_dump(struct carry *in)
{
    struct slice id = carry_get_text(in);
    struct dump dump = {.id_size = id.n < sizeof dump.exim_id ? id.n : 0};
    if (dump.id_size)
        memcpy(dump.exim_id, id.p, dump.id_size);
    dump.at = carry_get_int(in);
    dump.late = carry_get_int(in) != 0;
    int64_t kept = carry_get_int(in);
    dump.kept = kept > 0 && kept <= KEPT_HEADERS ? (int)kept : 0;
    return dump;
}

void entries_save(const struct entries *entries, struct carry *out)
{
    carry_put_int(out, (int64_t)entries->after);
    save_dump(&entries->dump, out);
    carry_put_int(out, (int64_t)entries->pending_count);
    for (size_t i = 0; i < entries->pending_count; i++) {
        const struct pending *p = &entries->pending[i];
        carry_put_int(out, (int64_t)p->key);
        carry_put_int(out, p->frame.kind);
        save_stamp(&p->frame.at, out);
        carry_put_int(out, p->frame.own_stamp);
        carry_put_int(out, p->frame.pid);
        carry_put_int(out, p->frame.parts);
        carry_put_int(out, p->next_part);
        carry_put_int(out, p->begun);
        save_dump(&p->dump, out);
        carry_put_text(out, slice_of(p->text, p->size));
    }
}

static void load_pending(struct entries *entries, struct carry *in)
{
    struct pending p = {.key = (uint64_t)carry_get_int(in)};
    p.frame.kind = (enum frame_kind)carry_get_int(in);
    p.frame.at = load_stamp(in);
    p.frame.own_stamp = carry_get_int(in) != 0;
    p.frame.pid = carry_get_int(in);
    p.frame.parts = (int)carry_get_int(in);
    p.next_part = (int)carry_get_int(in);
    p.begun = carry_get_int(in) != 0;
    p.dump = load_dump(in);
    struct slice text = carry_get_text(in);
    if (in->bad || text.n > JOINED_MAX || entries->pending_count == PENDING_MAX)
        return;
    p.text = xmalloc(JOINED_MAX);
    if (text.n)
        memcpy(p.text, text.p, p.size = text.n);
    entries->pending[entries->pending_count++] = p;
}

void entries_load(struct entries *entries, struct carry *in)
{
    int64_t after = carry_get_int(in);
    entries->dump = load_dump(in);
    int64_t count = carry_get_int(in);
    entries->after = after >= AFTER_NOTHING && after <= AFTER_HEADERS ? (unsigned)after : AFTER_NOTHING;
    for (int64_t i = 0; i < count && !in->bad; i++)
        load_pending(entries, in);
}
