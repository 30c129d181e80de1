/* entry.c — parts, continuations and control bytes. */
#include "entry.h"

#include <stdlib.h>

#include "../base/hash.h"
#include "../base/memory.h"

#define PENDING_MAX 64         /* entries of several parts under way at once; Exim writes each in one go */
#define JOINED_MAX LINE_KEPT   /* octets of a joined line that are kept */

/* An entry whose first line goes on in the next part. */
struct pending {
    uint64_t key; /* host, program, pid */
    struct frame frame;
    int next_part;
    char *text; /* tag, host and body so far, one behind the other */
    size_t size;
};

struct entries {
    char *clean;  /* the line with control bytes written out */
    char *joined; /* the last entry joined of parts */
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

/* Keeps the first part; the frame's slices move into memory of its own. */
static void keep_part(struct entries *entries, const struct frame *frame)
{
    uint64_t key = key_of(frame);
    size_t i = find_pending(entries, key);
    if (i < entries->pending_count)
        drop_pending(entries, i);
    if (entries->pending_count == PENDING_MAX)
        drop_pending(entries, 0);
    struct pending *p = &entries->pending[entries->pending_count++];
    *p = (struct pending){.key = key, .frame = *frame, .next_part = 2, .text = xmalloc(JOINED_MAX)};
    size_t n = frame->body.n < JOINED_MAX ? frame->body.n : JOINED_MAX;
    memcpy(p->text, frame->body.p, n);
    p->size = n;
    p->frame.body = p->frame.host = p->frame.tag = SLICE_ABSENT;
}

/* Adds a part to its entry.  true: the entry's first line is whole and stands in entry. */
static bool add_part(struct entries *entries, const struct frame *frame, struct entry *entry)
{
    size_t i = find_pending(entries, key_of(frame));
    if (i == entries->pending_count)
        return false;
    struct pending *p = &entries->pending[i];
    if (p->next_part != frame->part) {
        drop_pending(entries, i);
        return false;
    }
    size_t n = frame->body.n < JOINED_MAX - p->size ? frame->body.n : JOINED_MAX - p->size;
    memcpy(p->text + p->size, frame->body.p, n);
    p->size += n;
    p->next_part++;
    if (!frame->part_newline && frame->part < frame->parts)
        return false;
    memcpy(entries->joined, p->text, p->size);
    entry->frame = p->frame;
    entry->frame.host = frame->host;
    entry->frame.tag = frame->tag;
    entry->frame.body = slice_of(entries->joined, p->size);
    drop_pending(entries, i);
    return true;
}

static enum entry_kind read_part(struct entries *entries, struct entry *entry)
{
    struct frame *frame = &entry->frame;
    if (frame->part == 1) {
        if (frame->part_newline || frame->parts == 1)
            return ENTRY_WHOLE;
        keep_part(entries, frame);
        return ENTRY_CONTINUATION;
    }
    struct frame part = *frame;
    return add_part(entries, &part, entry) ? ENTRY_WHOLE : ENTRY_CONTINUATION;
}

/* ---- lines without a stamp --------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The reject log dumps headers as "T Name: text", T being Exim's header type or a blank. */
static bool is_dumped_header(struct slice text)
{
    if (slice_starts(text, "Envelope-from: ") || slice_starts(text, "Envelope-to: "))
        return true;
    return text.n > 3 && (is_letter(text.p[0]) || text.p[0] == ' ' || text.p[0] == '*') &&
           text.p[1] == ' ' && memchr(text.p + 2, ':', text.n - 2);
}

static bool is_reply_line(struct slice text)
{
    return text.n > 3 && is_digit(text.p[0]) && is_digit(text.p[1]) && is_digit(text.p[2]) &&
           (text.p[3] == '-' || text.p[3] == ' ');
}

static enum entry_kind read_unstamped(const struct entries *entries, struct slice text)
{
    if (entries->after == AFTER_NOTHING)
        return ENTRY_STRAY;
    bool continues = text.p[0] == ' ' || slice_starts(text, "#011") ||
                     (entries->after == AFTER_HEADERS && is_dumped_header(text)) ||
                     (entries->after == AFTER_REPLY && is_reply_line(text));
    return continues ? ENTRY_CONTINUATION : ENTRY_STRAY;
}

void entries_read(struct entries *entries, const struct line *line, struct entry *entry)
{
    entry->text = clean_line(entries, line->text);
    if (entry->text.n == 0) {
        entry->kind = ENTRY_BLANK;
        return;
    }
    frame_parse(entry->text, &entry->frame);
    if (entry->frame.kind == FRAME_NONE)
        entry->kind = read_unstamped(entries, entry->text);
    else
        entry->kind = entry->frame.parts ? read_part(entries, entry) : ENTRY_WHOLE;
}

void entries_understood(struct entries *entries, const struct entry *entry, const struct event *ev)
{
    if (entry->frame.kind != FRAME_EXIM && entry->frame.kind != FRAME_SPAMD)
        entries->after = AFTER_NOTHING;
    else if (ev->kind == EV_DELIVERY || ev->kind == EV_HOST_ERROR)
        entries->after = AFTER_REPLY;
    else
        entries->after = ev->kind == EV_REJECTION && ev->exim_id.p ? AFTER_HEADERS : AFTER_LINE;
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

void entries_save(const struct entries *entries, struct carry *out)
{
    carry_put_int(out, (int64_t)entries->after);
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
    struct slice text = carry_get_text(in);
    if (in->bad || text.n > JOINED_MAX || entries->pending_count == PENDING_MAX)
        return;
    p.text = xmalloc(JOINED_MAX);
    memcpy(p.text, text.p, p.size = text.n);
    entries->pending[entries->pending_count++] = p;
}

void entries_load(struct entries *entries, struct carry *in)
{
    int64_t after = carry_get_int(in);
    int64_t count = carry_get_int(in);
    entries->after = after >= AFTER_NOTHING && after <= AFTER_HEADERS ? (unsigned)after : AFTER_NOTHING;
    for (int64_t i = 0; i < count && !in->bad; i++)
        load_pending(entries, in);
}
