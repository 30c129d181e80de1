/* backlog.c — a ring of lines, and the file that takes what falls out of it. */
#include "backlog.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/memory.h"
#include "../base/temporary.h"

/* A line in the ring.  The line itself follows. */
struct piece {
    struct held *owner; /* NULL: nobody wants it any more */
    uint64_t next;      /* place of the owner's next line; 0: none */
    uint32_t size;      /* octets of the line */
    uint32_t room;      /* octets that piece and line take up, with what was left over at the ring's end */
};

/* A line in the file.  The line itself follows. */
struct record {
    int64_t previous; /* as held.spilled */
    uint64_t size;
};

struct backlog {
    char *ring;
    size_t ring_size;
    uint64_t tail, head; /* places grow for ever; a place modulo ring_size is an offset */
    FILE *file;          /* NULL: not needed so far */
    int64_t file_size;
    bool reading; /* the file does not stand at its end */
};

struct backlog *backlog_new(size_t ring_size)
{
    struct backlog *backlog = xcalloc(1, sizeof *backlog);
    backlog->ring_size = ring_size - ring_size % sizeof(struct piece); /* every piece is a multiple */
    backlog->ring = xmalloc(backlog->ring_size);
    backlog->tail = backlog->head = backlog->ring_size; /* 0 is no place */
    return backlog;
}

void backlog_free(struct backlog **backlog)
{
    struct backlog *b = *backlog;
    if (!b)
        return;
    if (b->file)
        fclose(b->file);
    free(b->ring);
    free(b);
    *backlog = NULL;
}

static struct piece *piece_at(const struct backlog *backlog, uint64_t place)
{
    return (struct piece *)(void *)(backlog->ring + place % backlog->ring_size);
}

/* ---- the file ---------------------------------------------------------------------------------- */

static int file_error(const char *what, struct error *err)
{
    return error_set(err, FAIL_OS, "temporary file: %s: %s; set TMPDIR to a folder with room", what, strerror(errno));
}

static int open_file(struct backlog *backlog, struct error *err)
{
    int fd = temporary_file();
    backlog->file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    return backlog->file ? 0 : file_error("cannot be made", err);
}

/* Writes the oldest line of its owner to the file. */
static int spill(struct backlog *backlog, struct piece *piece, struct error *err)
{
    struct held *owner = piece->owner;
    struct record record = {owner->spilled, piece->size};
    if (!backlog->file && open_file(backlog, err) < 0)
        return -1;
    if (backlog->reading && fseeko(backlog->file, 0, SEEK_END) < 0)
        return file_error("cannot be positioned", err);
    backlog->reading = false;
    if (fwrite(&record, sizeof record, 1, backlog->file) != 1 ||
        fwrite(piece + 1, 1, piece->size, backlog->file) != piece->size)
        return file_error("cannot be written", err);
    owner->spilled = backlog->file_size + 1;
    owner->first = piece->next;
    if (!owner->first)
        owner->last = 0;
    backlog->file_size += (int64_t)(sizeof record + piece->size);
    return 0;
}

static int read_record(struct backlog *backlog, int64_t place, struct record *record, struct error *err)
{
    backlog->reading = true;
    if (fseeko(backlog->file, place - 1, SEEK_SET) < 0 || fread(record, sizeof *record, 1, backlog->file) != 1)
        return file_error("cannot be read", err);
    return 0;
}

static int copy_line(struct backlog *backlog, size_t size, FILE *out, struct error *err)
{
    char buf[4096];
    while (size > 0) {
        size_t n = size < sizeof buf ? size : sizeof buf;
        if (fread(buf, 1, n, backlog->file) != n)
            return file_error("cannot be read", err);
        fwrite(buf, 1, n, out);
        size -= n;
    }
    return 0;
}

/* The file knows of each line the one before it: the way leads back first, then forth. */
static int write_spilled(struct backlog *backlog, int64_t newest, FILE *out, struct error *err)
{
    int64_t *places = NULL;
    size_t count = 0, capacity = 0;
    struct record record;
    int done = 0;
    for (int64_t place = newest; place && done == 0; place = record.previous) {
        places = grow(places, &capacity, count + 1, sizeof *places);
        places[count++] = place;
        done = read_record(backlog, place, &record, err);
    }
    while (done == 0 && count > 0) {
        done = read_record(backlog, places[--count], &record, err);
        if (done == 0)
            done = copy_line(backlog, record.size, out, err);
    }
    free(places);
    return done;
}

/* ---- the ring ---------------------------------------------------------------------------------- */

/* Makes room for need octets behind head by letting go of the oldest lines. */
static int make_room(struct backlog *backlog, size_t need, struct error *err)
{
    while (backlog->head + need - backlog->tail > backlog->ring_size) {
        struct piece *oldest = piece_at(backlog, backlog->tail);
        if (oldest->owner && spill(backlog, oldest, err) < 0)
            return -1;
        backlog->tail += oldest->room;
    }
    return 0;
}

/* A place for a line of one piece: what is left at the ring's end goes to an empty piece if it is too short. */
static int allot(struct backlog *backlog, size_t room, uint64_t *place, struct error *err)
{
    size_t left = backlog->ring_size - backlog->head % backlog->ring_size;
    if (left < room) {
        if (make_room(backlog, left, err) < 0)
            return -1;
        *piece_at(backlog, backlog->head) = (struct piece){.room = (uint32_t)left};
        backlog->head += left;
    }
    if (make_room(backlog, room, err) < 0)
        return -1;
    *place = backlog->head;
    backlog->head += room;
    return 0;
}

int backlog_add(struct backlog *backlog, struct held *held, struct slice line, struct error *err)
{
    size_t unit = sizeof(struct piece);
    size_t room = unit + (line.n + unit - 1) / unit * unit;
    uint64_t place;
    assert(room < backlog->ring_size / 2);
    if (allot(backlog, room, &place, err) < 0)
        return -1;
    struct piece *piece = piece_at(backlog, place);
    *piece = (struct piece){held, 0, (uint32_t)line.n, (uint32_t)room};
    memcpy(piece + 1, line.p, line.n);
    if (held->last)
        piece_at(backlog, held->last)->next = place;
    else
        held->first = place;
    held->last = place;
    return 0;
}

int backlog_write(struct backlog *backlog, const struct held *held, FILE *out, struct error *err)
{
    if (held->spilled && write_spilled(backlog, held->spilled, out, err) < 0)
        return -1;
    for (uint64_t place = held->first; place; place = piece_at(backlog, place)->next) {
        const struct piece *piece = piece_at(backlog, place);
        fwrite(piece + 1, 1, piece->size, out);
    }
    return 0;
}

void backlog_drop(struct backlog *backlog, struct held *held)
{
    for (uint64_t place = held->first; place; place = piece_at(backlog, place)->next)
        piece_at(backlog, place)->owner = NULL;
    *held = (struct held){0};
}
