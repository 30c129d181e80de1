/* reader.c — the loop over lines: entry, dialect, instant, identity, story. */
#include "reader.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/hash.h"
#include "../store/blocks.h"
#include "entry.h"
#include "identity.h"
#include "story.h"
#include "timebase.h"

#define BATCH_LINES 8192
#define BATCH_OCTETS ((int64_t)24 << 20)
#define BATCH_ARENA ((size_t)24 << 20)
#define PROGRESS_LINES 8192
#define REPEATS_MAX 100000    /* "repeated N times": more is not believed */
#define REPEATED_MAX 8192     /* octets of a line that may be repeated */
#define ZONE_SAMPLE 200       /* arrivals of a source whose ids are held against the zone */
#define ZONE_EVIDENCE 3
#define ZONE_TOLERANCE 180    /* seconds between a message's id and its arrival line, receiving it included */
#define QUARTER 900
#define QUARTERS_MAX 104      /* no two zones are further apart than 26 hours */

/* Arrivals whose stamp, read in the server's zone, lies whole quarters of an hour off its id. */
struct zone_check {
    int64_t arrivals;
    int64_t off;      /* of them: off by whole quarters; by how many changes with the season */
    int64_t quarters; /* how far most of these lie off */
    int64_t votes;    /* arrivals that lie so far off, less those that lie off elsewhere */
};

struct reader {
    const struct reader_job *job;
    struct reading *reading;
    struct lines *lines;
    struct archive *archive;  /* NULL: the lines are not kept */
    struct batch *batch;
    struct entries *entries;
    struct identity *identity;
    struct timebase time;
    struct zone_check zone;
    uint64_t server_hash;
    int64_t line_number;
    const char *last_dialect; /* of the line before, for what continues it */
    int64_t line_at;          /* instant of the line before, for what has no stamp */
    int64_t last_at, first_at, gap, gap_at;
    int64_t year;             /* of the first stamp without one; NUM_ABSENT: none was asked for */
    struct frame repeatable;  /* the last line of syslog, in text: what "last message repeated" means */
    char text[REPEATED_MAX];
    bool stored;              /* the source has its row */
};

/* ---- from run to run --------------------------------------------------------------------------- */

static void save(struct reader *r)
{
    struct carry out = {0};
    carry_put_int(&out, r->line_number);
    carry_put_int(&out, r->line_at);
    carry_put_int(&out, r->last_at);
    carry_put_int(&out, r->time.last_local);
    carry_put_int(&out, r->time.has_last);
    carry_put_int(&out, r->time.in_second_pass);
    carry_put_int(&out, r->time.years);
    carry_put_int(&out, r->time.silence);
    carry_put_text(&out, slice_of(r->last_dialect, strlen(r->last_dialect)));
    carry_put_text(&out, r->repeatable.host);
    carry_put_text(&out, r->repeatable.tag);
    carry_put_text(&out, r->repeatable.body);
    carry_put_int(&out, r->repeatable.pid);
    carry_put_int(&out, r->repeatable.kind);
    entries_save(r->entries, &out);
    identity_save(r->identity, &out);
    r->batch->checkpoint.carry = arena_copy(&r->batch->arena, slice_of(out.bytes, out.size));
    carry_free(&out);
}

static struct slice keep_text(struct reader *r, size_t *used, struct slice text)
{
    if (!text.p || text.n > REPEATED_MAX - *used)
        return SLICE_ABSENT;
    char *copy = memcpy(r->text + *used, text.p, text.n);
    *used += text.n;
    return slice_of(copy, text.n);
}

/* Keeps a line of syslog for "last message repeated"; a body that does not fit is not kept. */
static void keep_repeatable(struct reader *r, const struct frame *frame)
{
    size_t used = 0;
    r->repeatable = *frame;
    r->repeatable.host = keep_text(r, &used, frame->host);
    r->repeatable.tag = keep_text(r, &used, frame->tag);
    r->repeatable.body = keep_text(r, &used, frame->body);
}

/* The literal that equals a name. */
static const char *dialect_name(struct slice name)
{
    for (size_t i = 0; dialects[i]; i++)
        if (slice_is(name, dialects[i]->name))
            return dialects[i]->name;
    return "";
}

static void load(struct reader *r, struct carry *in)
{
    struct frame last = {0};
    r->line_number = carry_get_int(in);
    r->line_at = carry_get_int(in);
    r->last_at = carry_get_int(in);
    r->time.last_local = carry_get_int(in);
    r->time.has_last = carry_get_int(in) != 0;
    r->time.in_second_pass = carry_get_int(in) != 0;
    r->time.years = (enum years_from)carry_get_int(in);
    r->time.silence = carry_get_int(in);
    r->last_dialect = dialect_name(carry_get_text(in));
    last.host = carry_get_text(in);
    last.tag = carry_get_text(in);
    last.body = carry_get_text(in);
    last.pid = carry_get_int(in);
    last.kind = (enum frame_kind)carry_get_int(in);
    keep_repeatable(r, &last);
    entries_load(r->entries, in);
    identity_load(r->identity, in);
}

/* ---- one entry --------------------------------------------------------------------------------- */

static bool is_syslog(const struct frame *frame)
{
    return frame->kind == FRAME_SYSLOG || frame->kind == FRAME_ISO || frame->kind == FRAME_5424;
}

static bool is_exim(const struct dialect *dialect)
{
    return strcmp(dialect->name, "exim_mainlog") == 0;
}

/* Exim's pid is only sometimes printed, the other daemons' always: there it is part of the line. */
static uint64_t canonical_hash(const struct frame *frame, const struct dialect *dialect)
{
    uint64_t hash = hash_bytes(frame->body, 0);
    return is_exim(dialect) ? hash : hash_mix(hash, hash_bytes(frame->tag, (uint64_t)frame->pid));
}

static uint64_t channel_of(const struct frame *frame, const char *dialect)
{
    return hash_mix(hash_bytes(frame->host, (uint64_t)is_syslog(frame)),
                    hash_bytes(slice_of(dialect, strlen(dialect)), 0));
}

/* Number of the tally that the line is counted in. */
static uint32_t count_line(struct reader *r, const char *dialect, const char *kind, struct slice program)
{
    uint32_t tally = batch_tally(r->batch, dialect, kind, program);
    r->batch->tallies[tally].lines++;
    return tally;
}

static void note_time(struct reader *r, int64_t at)
{
    r->line_at = at;
    if (r->first_at == NUM_ABSENT || at < r->first_at)
        r->first_at = at;
    if (r->last_at != NUM_ABSENT && at - r->last_at > r->gap) {
        r->gap = at - r->last_at;
        r->gap_at = r->last_at;
    }
    if (r->last_at == NUM_ABSENT || at > r->last_at)
        r->last_at = at;
}

static void check_zone(struct zone_check *zone, const struct frame *frame, const struct event *ev, int64_t at)
{
    if (ev->kind != EV_ARRIVAL || frame->at.utc_off_min != STAMP_LOCAL || zone->arrivals == ZONE_SAMPLE)
        return;
    int64_t off = at - exim_id_second(ev->exim_id);
    int64_t quarters = floor_div(off + ZONE_TOLERANCE / 2, QUARTER);
    int64_t rest = off - quarters * QUARTER;
    zone->arrivals++;
    if (off > -ZONE_TOLERANCE && off < QUARTER - ZONE_TOLERANCE)
        return;
    if (rest >= ZONE_TOLERANCE || quarters < -QUARTERS_MAX || quarters > QUARTERS_MAX)
        return;
    zone->off++;
    if (zone->votes == 0)
        zone->quarters = quarters;
    zone->votes += quarters == zone->quarters ? 1 : -1;
}

/* Exim writes each rejection to syslog twice, for its main log and for its reject log, unless
   syslog_duplication is off: of two by one process in one second, the second is the same rejection. */
static bool is_duplicate(struct reader *r, const struct frame *frame, const struct event *ev, int64_t at,
                         uint64_t hash, uint64_t channel)
{
    if (!is_syslog(frame) || !(ev->flags & EVF_REJECTLOG) || r->job->settings.syslog_single)
        return false;
    uint64_t both = hash_mix(hash, (uint64_t)frame->pid);
    return identity_count(r->identity, ~channel, at, both) % 2 == 0;
}

struct understood {
    const struct frame *frame;
    const struct dialect *dialect;
    const struct event *ev;
    enum verdict verdict;
    struct instant when;
    uint32_t tally;    /* of its dialect and kind */
    struct slice text; /* the line */
    int64_t size;
};

static const char *kind_name(const struct understood *u)
{
    return u->verdict == VERDICT_OK        ? event_kind_name(u->ev->kind)
           : u->verdict == VERDICT_UNKNOWN ? "unparsed"
                                           : "damaged";
}

static void put_event(struct reader *r, const struct understood *u)
{
    uint64_t hash = canonical_hash(u->frame, u->dialect);
    uint64_t channel = channel_of(u->frame, u->dialect->name);
    struct origin origin = {.server = r->job->server->id, .source = r->job->resume->row.id, .when = u->when,
                            .tally = u->tally};
    if (is_duplicate(r, u->frame, u->ev, u->when.at, hash, channel)) {
        r->batch->tallies[origin.tally].copies++;
        return;
    }
    uint32_t n = identity_count(r->identity, channel, u->when.at, hash);
    origin.mark = hash_mix(hash_mix(hash, n), r->server_hash);
    origin.late = is_exim(u->dialect) && is_syslog(u->frame) && !u->frame->own_stamp;
    if (u->verdict == VERDICT_OK) {
        story_add(r->batch, &origin, u->frame, u->ev);
        return;
    }
    r->reading->unparsed++;
    story_unparsed(r->batch, &origin, r->line_number, u->dialect->name,
                   u->verdict == VERDICT_DAMAGED ? (int64_t)u->ev->fault_at : NUM_ABSENT, u->size, u->text);
}

static enum verdict parse(const struct dialect *dialect, const struct frame *frame, struct event *ev)
{
    event_reset(ev);
    enum verdict verdict = dialect->parse(frame, ev);
    if (verdict != VERDICT_OK) {
        size_t fault_at = ev->fault_at;
        event_reset(ev);
        ev->fault_at = fault_at;
    }
    return verdict;
}

static struct instant resolve(struct reader *r, const struct frame *frame, const struct event *ev)
{
    int64_t id_second = ev->exim_id.p ? exim_id_second(ev->exim_id) : INT64_MIN;
    struct instant when = timebase_resolve(&r->time, &frame->at, id_second);
    note_time(r, when.at);
    check_zone(&r->zone, frame, ev, when.at);
    return when;
}

/* What a daemon does not log is not zero. */
static void note_version(struct reading *reading, const char *dialect, const struct event *ev)
{
    if (!reading->unlogged && slice_is(ev->version, "1.1.6") && strcmp(dialect, "vm_pop3d") == 0)
        reading->unlogged = "written by vm-pop3d 1.1.6: failed logins, octets, numbers of messages and the "
                            "addresses of logins are not logged by this version";
}

static void take_dialect(struct reader *r, const struct entry *entry, const struct dialect *dialect,
                         const struct line *line)
{
    struct event ev;
    struct understood u = {.frame = &entry->frame, .dialect = dialect, .ev = &ev,
                           .text = entry->text, .size = line->size};
    u.verdict = parse(dialect, &entry->frame, &ev);
    u.when = resolve(r, &entry->frame, &ev);
    u.tally = count_line(r, dialect->name, kind_name(&u), SLICE_ABSENT);
    put_event(r, &u);
    note_version(r->reading, dialect->name, &ev);
    entries_understood(r->entries, entry, &ev, u.when.at);
}

/* A line of its own for each repeat that syslog swallowed. */
static void take_repeat(struct reader *r, const struct entry *entry, const struct line *line)
{
    struct event repeat, ev;
    struct frame frame = r->repeatable;
    enum verdict verdict = parse(&dialect_repeat, &entry->frame, &repeat);
    if (repeat.text.p) { /* rsyslog: the text is inside the brackets, the tag in front */
        frame = entry->frame;
        frame.body = repeat.text;
    }
    frame.at = entry->frame.at;
    const struct dialect *dialect = frame.body.p ? dialect_for(&frame) : NULL;
    bool known = verdict == VERDICT_OK && repeat.count != NUM_ABSENT && repeat.count <= REPEATS_MAX &&
                 frame.body.p && slice_equal(frame.host, entry->frame.host);
    struct understood u = {.frame = known ? &frame : &entry->frame, .dialect = dialect ? dialect : &dialect_repeat,
                           .ev = &ev, .verdict = VERDICT_UNKNOWN, .text = entry->text, .size = line->size};
    event_reset(&ev);
    if (known && dialect && dialect != &dialect_repeat)
        u.verdict = parse(dialect, &frame, &ev);
    u.when = resolve(r, &entry->frame, &ev);
    count_line(r, dialect_repeat.name, known ? "repeat" : "unparsed", SLICE_ABSENT);
    u.tally = batch_tally(r->batch, u.dialect->name, kind_name(&u), SLICE_ABSENT);
    if (!known)
        put_event(r, &u);
    for (int64_t i = 0; known && dialect && dialect != &dialect_repeat && i < repeat.count; i++)
        put_event(r, &u);
}

static void take_entry(struct reader *r, const struct entry *entry, const struct line *line)
{
    const struct dialect *dialect = dialect_for(&entry->frame);
    r->last_dialect = dialect ? dialect->name : "";
    if (dialect == &dialect_repeat) {
        take_repeat(r, entry, line);
        return;
    }
    if (is_syslog(&entry->frame))
        keep_repeatable(r, &entry->frame);
    if (dialect) {
        take_dialect(r, entry, dialect, line);
        return;
    }
    struct event none;
    event_reset(&none);
    resolve(r, &entry->frame, &none);
    count_line(r, "", "foreign", entry->frame.tag.p ? entry->frame.tag : SLICE_LIT("(none)"));
    entries_understood(r->entries, entry, &none, r->line_at);
}

/* A folded line tells its header's name too. */
static struct slice header_text(struct reader *r, const struct entry *entry)
{
    if (!entry->folded_under)
        return entry->header;
    return arena_join(&r->batch->arena, slice_of(entry->folded_under, strlen(entry->folded_under)), ": ", entry->header);
}

/* A header of a rejected message is an event of its own, at the rejection's instant. */
static void take_header(struct reader *r, const struct entry *entry, const char *dialect, uint32_t tally)
{
    const struct dump *dump = entry->dump;
    struct event ev;
    event_reset(&ev);
    ev.kind = EV_REJECTED_HEADER;
    ev.exim_id = slice_of(dump->exim_id, dump->id_size);
    ev.text = header_text(r, entry);
    uint64_t hash = hash_mix(hash_bytes(ev.exim_id, hash_bytes(SLICE_LIT("rejected_header"), 0)), hash_bytes(ev.text, 0));
    uint32_t n = identity_count(r->identity, channel_of(&entry->frame, dialect), dump->at, hash);
    struct origin origin = {.server = r->job->server->id, .source = r->job->resume->row.id,
                            .when = {.at = dump->at, .ms = -1}, .late = dump->late, .tally = tally};
    origin.mark = hash_mix(hash_mix(hash, n), r->server_hash);
    story_add(r->batch, &origin, &entry->frame, &ev);
}

static void take_continuation(struct reader *r, const struct entry *entry)
{
    const struct dialect *own = entry->frame.kind != FRAME_NONE ? dialect_for(&entry->frame) : NULL;
    const char *dialect = own ? own->name : r->last_dialect;
    uint32_t tally = batch_tally(r->batch, dialect, event_kind_name(EV_CONTINUATION), SLICE_ABSENT);
    r->batch->tallies[tally].lines++;
    if (entry->header.p)
        take_header(r, entry, dialect, tally);
}

static void take_stray(struct reader *r, const struct entry *entry, const struct line *line)
{
    int64_t at = r->line_at == NUM_ABSENT ? 0 : r->line_at;
    uint64_t hash = hash_bytes(entry->text, 0);
    struct origin origin = {.server = r->job->server->id, .source = r->job->resume->row.id,
                            .when = {.at = at, .ms = -1}};
    origin.tally = batch_tally(r->batch, "", "unparsed", SLICE_ABSENT);
    origin.mark = hash_mix(hash_mix(hash, identity_count(r->identity, 0, at, hash)), r->server_hash);
    r->batch->tallies[origin.tally].lines++;
    r->reading->unparsed++;
    story_unparsed(r->batch, &origin, r->line_number, "", NUM_ABSENT, line->size, entry->text);
}

/* Whether the year of this line must be found first.  Asked before the line is read: an entry of several parts
   is read only once. */
static bool needs_year(const struct reader *r, const struct line *line)
{
    struct frame frame;
    if (r->time.has_last)
        return false;
    frame_parse(line->text, &frame);
    return frame.kind != FRAME_NONE && timebase_needs_year(&r->time, &frame.at);
}

static void take_line(struct reader *r, const struct line *line)
{
    struct entry entry;
    entries_read(r->entries, line, &entry);
    r->line_number++;
    r->batch->lines++;
    r->batch->octets += line->size + 1;
    switch (entry.kind) {
    case ENTRY_BLANK:
        count_line(r, "", "blank", SLICE_ABSENT);
        break;
    case ENTRY_CONTINUATION:
        take_continuation(r, &entry);
        break;
    case ENTRY_STRAY:
        take_stray(r, &entry, line);
        break;
    case ENTRY_WHOLE:
        take_entry(r, &entry, line);
    }
}

/* ---- batches ----------------------------------------------------------------------------------- */

static const char *years_name(enum years_from years)
{
    return years == YEARS_GIVEN ? "given" : years == YEARS_INFERRED ? "inferred" : "printed";
}

/* A zone of the tz database that is so many minutes east of UTC all year; one that may be, where no zone is named so. */
static struct slice fixed_zone(int64_t minutes, char *buf, size_t size)
{
    if (minutes == 0)
        return SLICE_LIT("UTC");
    if (minutes % 60 != 0 || minutes < -12 * 60 || minutes > 14 * 60)
        return SLICE_LIT("Asia/Kolkata");
    snprintf(buf, size, "Etc/GMT%+d", (int)(-minutes / 60)); /* POSIX counts to the west */
    return slice_of(buf, strlen(buf));
}

static int zone_mismatch(const struct reader *r, struct error *err)
{
    const struct zone_check *zone = &r->zone;
    if (r->stored || r->job->resume->is_known || zone->off < ZONE_EVIDENCE || zone->off * 5 < zone->arrivals * 4)
        return 0;
    int64_t minutes = -zone->quarters * 15; /* what the stamps must be taken as further east by */
    int64_t served = zone_offset_at(&r->job->server->zone, r->first_at) / 60;
    int64_t written = served - minutes;
    char buf[32];
    struct slice zone_name = fixed_zone(written, buf, sizeof buf);
    return error_set(err, FAIL_DATA,
                     "%s: its message ids say that it was written at UTC%+03d:%02d, but server %s is in zone %s "
                     "(UTC%+03d:%02d then); nothing was taken: name its zone with --zone, such as --zone %.*s or, where "
                     "there is summer time, its place, or its server with --server; what was read wrongly before goes "
                     "with: mailtrail forget --server %s", r->job->path, (int)(written / 60),
                     (int)(written < 0 ? -written % 60 : written % 60), r->job->server->name,
                     r->job->server->zone_name, (int)(served / 60),
                     (int)(served < 0 ? -served % 60 : served % 60), (int)zone_name.n, zone_name.p,
                     r->job->server->name);
}

/* The source's row, before the first batch that refers to it; the writer is idle then. */
static int store_source(struct reader *r, struct error *err)
{
    struct source_row *row = &r->job->resume->row;
    if (r->stored || r->job->again)
        return 0;
    r->stored = true;
    row->syslog_single = r->job->settings.syslog_single;
    return r->job->resume->is_known ? sources_touch(r->job->store, row, r->job->path, err)
                                    : sources_insert(r->job->store, row, r->job->path, err);
}

static int give_batch(struct reader *r, int64_t position, struct slice tail, bool last, struct error *err)
{
    if (zone_mismatch(r, err) < 0 || store_source(r, err) < 0)
        return -1;
    struct checkpoint *c = &r->batch->checkpoint;
    *c = (struct checkpoint){
        .source = r->job->resume->row.id, .server = r->job->server->id,
        .position = position, .lines = r->batch->lines, .tail_hash = resume_tail_hash(tail),
        .first_at = r->first_at, .last_at = r->last_at,
        .longest_gap = r->gap >= 0 ? r->gap : NUM_ABSENT, .gap_at = r->gap_at,
        .years = years_name(r->time.years),
        .year = r->year,
    };
    save(r);
    if (r->archive)
        r->batch->blocks = archive_take(r->archive);
    r->reading->position = position;
    handover_give(r->job->handover, r->job->server, r->batch);
    r->batch = last ? NULL : handover_take(r->job->handover);
    return 0;
}

/* A batch that may take more waits for its last block, lest it be a small one. */
static bool is_full(const struct reader *r)
{
    const struct batch *batch = r->batch;
    if (batch->lines >= BATCH_LINES)
        return !r->archive || archive_size(r->archive) == 0 || batch->lines >= 2 * BATCH_LINES;
    return batch->octets >= BATCH_OCTETS || batch->arena.used >= BATCH_ARENA;
}

/* ---- the archive ------------------------------------------------------------------------------- */

/* What was read of the lines taken goes into the archive, and nothing beyond. */
static void keep_read(struct reader *r)
{
    if (!r->archive)
        return;
    lines_flush(r->lines);
    archive_back(r->archive);
}

static void keep_line(struct reader *r, const struct line *line)
{
    archive_line(r->archive, line->end, r->line_at);
    if (archive_size(r->archive) < BLOCK_TEXT)
        return;
    lines_flush(r->lines);
    archive_cut(r->archive);
}

/* Begins where the source was left; a last block that is small is begun anew. */
static int begin_archive(struct reader *r, struct error *err)
{
    const struct source_row *row = &r->job->resume->row;
    struct block_unpacker *unpacker = block_unpacker_new();
    struct slice text = SLICE_ABSENT;
    struct block last;
    int found = row->position ? block_last(r->job->store, row->id, row->position, unpacker, &last, &text, err) : 0;
    if (found >= 0)
        archive_begin(r->archive, row->position, r->line_number + 1, found ? &last : NULL, text);
    block_unpacker_free(&unpacker);
    return found < 0 ? -1 : 0;
}

/* ---- the loop ---------------------------------------------------------------------------------- */

static void open_lines(struct reader *r, int64_t offset, struct slice tail)
{
    r->lines = lines_over(r->job->source, offset, tail);
    if (r->archive)
        lines_copy(r->lines, archive_text, r->archive);
}

static int restart_lines(struct reader *r, int64_t offset, struct error *err)
{
    char buf[TAIL_SIZE];
    struct slice tail;
    if (resume_read_tail(r->job->source, offset, buf, &tail, err) < 0 ||
        source_seek(r->job->source, offset, err) < 0)
        return -1;
    open_lines(r, offset, tail);
    return 0;
}

static int find_year(struct reader *r, int64_t offset, struct error *err)
{
    keep_read(r);
    lines_free(&r->lines);
    if (timebase_find_year(&r->time, r->job->source, offset, err) < 0)
        return -1;
    r->year = r->time.year;
    return restart_lines(r, offset, err);
}

#define AGAIN 2 /* the year is known now: the line comes once more */

/* 1: a line was taken; AGAIN; 0: the end; -1: *err. */
static int step(struct reader *r, struct line *line, struct error *err)
{
    int got = lines_next(r->lines, line, err);
    if (got <= 0)
        return got;
    if (line->open && !source_is_whole(r->job->source)) {
        r->reading->waiting = true;
        return 0;
    }
    if (needs_year(r, line))
        return find_year(r, line->offset, err) < 0 ? -1 : AGAIN;
    take_line(r, line);
    if (r->archive)
        keep_line(r, line);
    r->reading->lines++;
    if (r->job->progress && r->reading->lines % PROGRESS_LINES == 0)
        r->job->progress(r->job->context, r->reading);
    return 1;
}

static int read_all(struct reader *r, int64_t *position, struct error *err)
{
    struct line line;
    int got;
    while ((got = step(r, &line, err)) > 0) {
        if (got == AGAIN)
            continue;
        *position = line.end;
        if (!is_full(r))
            continue;
        keep_read(r);
        if (handover_failed(r->job->handover))
            return 0;
        if (give_batch(r, line.end, lines_tail(r->lines), false, err) < 0)
            return -1;
    }
    return got;
}

/* What is left of the batch; the tail is read anew, since a waiting line may stand behind it in memory. */
static int finish(struct reader *r, int64_t position, struct error *err)
{
    char buf[TAIL_SIZE];
    struct slice tail = r->lines ? lines_tail(r->lines) : SLICE_ABSENT;
    if (!r->batch->lines)
        return 0;
    if (r->lines)
        keep_read(r);
    if (r->reading->waiting) {
        lines_free(&r->lines);
        if (resume_read_tail(r->job->source, position, buf, &tail, err) < 0)
            return -1;
    }
    return give_batch(r, position, tail, true, err);
}

static int start(struct reader *r, struct error *err)
{
    const struct resume *resume = r->job->resume;
    struct carry carry;
    timebase_start(&r->time, &r->job->server->zone);
    if (r->job->settings.year) {
        r->year = r->job->settings.year;
        timebase_give_year(&r->time, r->job->settings.year);
        if (r->job->again && !r->job->year_was_given)
            r->time.years = YEARS_PRINTED; /* till a stamp without one comes */
    }
    if (resume->is_known) {
        if (sources_carry(r->job->store, resume->row.id, &carry, err) < 0)
            return -1;
        if (carry.size) /* else it is to be read from its beginning again */
            load(r, &carry);
        carry_free(&carry);
    } else if (sources_next_id(r->job->store, &r->job->resume->row.id, err) < 0) {
        return -1;
    }
    if (resume->row.archived && !r->job->again)
        r->archive = r->job->archive;
    if (r->archive && begin_archive(r, err) < 0)
        return -1;
    open_lines(r, resume->row.position, resume->tail);
    r->batch = handover_take(r->job->handover);
    return 0;
}

static void stop(struct reader *r)
{
    lines_free(&r->lines);
    if (r->batch)
        handover_return(r->job->handover, r->batch);
    entries_free(&r->entries);
    identity_free(&r->identity);
    free(r);
}

/* The batch's own end comes first: a database that failed explains whatever failed after it. */
static int settle(struct reader *r, int read, int64_t position, struct error *err)
{
    struct error later;
    bool keep = read == 0 || err->kind == FAIL_GZIP || err->kind == FAIL_OS;
    int finished = keep ? finish(r, position, &later) : 0;
    if (handover_drain(r->job->handover, &later) < 0 || finished < 0) {
        *err = later;
        return -1;
    }
    if (read < 0 && r->stored && keep)
        sources_damage(r->job->store, r->job->resume->row.id, err->text, &later);
    return read;
}

int reader_run(const struct reader_job *job, struct reading *reading, struct error *err)
{
    struct reader *r = xcalloc(1, sizeof *r);
    *reading = (struct reading){.position = job->resume->row.position};
    r->job = job;
    r->reading = reading;
    r->entries = entries_new();
    r->identity = identity_new();
    r->server_hash = hash_bytes(slice_of(job->server->name, strlen(job->server->name)), 0);
    r->last_dialect = "";
    r->line_at = r->last_at = r->first_at = r->gap_at = r->year = NUM_ABSENT;
    r->gap = -1;
    int64_t position = job->resume->row.position;
    int done = start(r, err);
    if (done == 0) {
        int read = read_all(r, &position, err);
        done = settle(r, read, position, err);
    }
    reading->silence = r->time.silence;
    reading->unproved = r->time.unproved;
    reading->year = r->year;
    stop(r);
    return done;
}
