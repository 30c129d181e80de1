/* originals.c — each block that a second asked for is in is unpacked once, and searched for all that is looked for. */
#include "originals.h"

#include <stdlib.h>
#include <string.h>

#include "../ingest/line_time.h"
#include "../store/blocks.h"

enum { BESIDE = 1 }; /* seconds: what syslog stamped */

struct reading {
    struct reader *reader;
    const struct look *looks; /* of the server at hand */
    size_t count;
    struct block_reader *blocks;
    struct block_unpacker *unpacker;
    char *room; /* for a packed text */
    size_t capacity;
    struct server server; /* of the block's source */
    int64_t source;
    struct slice path;
};

/* ---- what is looked for ------------------------------------------------------------------------ */

/* The first second of a look that is not before at, or INT64_MAX. */
static int64_t second_from(const struct look *look, int64_t at)
{
    size_t low = 0, high = look->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (look->seconds[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low < look->count ? look->seconds[low] : INT64_MAX;
}

static bool wants(const struct look *look, int64_t first_at, int64_t last_at)
{
    return second_from(look, first_at - BESIDE) <= last_at + BESIDE;
}

static bool any_wants(const struct reading *r, const struct block *block)
{
    for (size_t i = 0; i < r->count && block->first_at != NUM_ABSENT; i++)
        if (wants(&r->looks[i], block->first_at, block->last_at))
            return true;
    return false;
}

static bool has(struct slice line, struct slice text)
{
    return !text.p || memmem(line.p, line.n, text.p, text.n) != NULL;
}

/* ---- a block ----------------------------------------------------------------------------------- */

static int begin_source(struct reading *r, int64_t source, struct error *err)
{
    if (r->source == source)
        return 0;
    r->source = source;
    sqlite3_stmt *stmt = store_prepare(r->reader->store, "SELECT path FROM source WHERE id = ?1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, source);
    r->path = SLICE_ABSENT;
    int found = store_next(r->reader->store, stmt, err);
    if (found > 0) {
        const char *path = (const char *)sqlite3_column_text(stmt, 0);
        r->path = arena_copy(&r->reader->texts, slice_of(path, (size_t)sqlite3_column_bytes(stmt, 0)));
    }
    sqlite3_finalize(stmt);
    server_free(&r->server);
    if (found < 0)
        return -1;
    return store_server_of(r->reader->store, source, &r->server, err);
}

static int64_t count_lines(const char *from, const char *to)
{
    int64_t count = 0;
    while (from < to && (from = memchr(from, '\n', (size_t)(to - from)))) {
        from++;
        count++;
    }
    return count;
}

static struct slice line_around(struct slice text, const char *p)
{
    const char *before = p > text.p ? memrchr(text.p, '\n', (size_t)(p - text.p)) : NULL;
    const char *from = before ? before + 1 : text.p, *end = memchr(p, '\n', (size_t)(text.p + text.n - p));
    return slice_of(from, (size_t)((end ? end : text.p + text.n) - from));
}

static void keep(struct reading *r, struct originals *into, const struct original *line)
{
    into->list = grow(into->list, &into->room, into->count + 1, sizeof *into->list);
    struct original *kept = &into->list[into->count++];
    *kept = *line;
    kept->text = arena_copy(&r->reader->texts, line->text);
}

/* A line that has the look's first text: whether it is one of those asked for. */
static bool is_wanted(const struct reading *r, const struct look *look, const struct block *block, struct slice line,
                      int64_t *at)
{
    struct line_time lt;
    for (size_t i = 1; i < LOOK_TEXTS; i++)
        if (!has(line, look->texts[i]))
            return false;
    line_time_begin(&lt, &r->server.zone, block->first_at);
    *at = line_time_next(&lt, line);
    return wants(look, *at, *at);
}

static void search(struct reading *r, const struct look *look, const struct block *block, struct slice text)
{
    const char *from = text.p, *end = text.p + text.n, *counted = text.p;
    struct original line = {.source = r->source, .line = block->line, .path = r->path};
    while (from < end && (from = memmem(from, (size_t)(end - from), look->texts[0].p, look->texts[0].n))) {
        line.text = line_around(text, from);
        line.line += count_lines(counted, line.text.p);
        counted = line.text.p;
        if (is_wanted(r, look, block, line.text, &line.at))
            keep(r, look->into, &line);
        from = line.text.p + line.text.n;
    }
}

static int read_block(struct reading *r, struct stored_block *stored, struct error *err)
{
    struct slice text;
    if (begin_source(r, stored->source, err) < 0 ||
        block_reader_read(r->blocks, stored, &r->room, &r->capacity, err) < 0 ||
        block_text(r->reader->store, r->unpacker, stored, &text, err) < 0)
        return -1;
    for (size_t i = 0; i < r->count; i++)
        if (wants(&r->looks[i], stored->block.first_at, stored->block.last_at))
            search(r, &r->looks[i], &stored->block, text);
    return 0;
}

static int read_server(struct reading *r, struct error *err)
{
    struct stored_block *list = NULL;
    size_t count = 0;
    int done = block_list(r->reader->store, r->looks[0].server, &list, &count, err);
    for (size_t i = 0; i < count && done == 0; i++)
        if (any_wants(r, &list[i].block))
            done = read_block(r, &list[i], err);
    free(list);
    return done;
}

/* ---- all --------------------------------------------------------------------------------------- */

static int compare_servers(const void *a, const void *b)
{
    int64_t x = ((const struct look *)a)->server, y = ((const struct look *)b)->server;
    return x < y ? -1 : x > y;
}

static int compare_originals(const void *a, const void *b)
{
    const struct original *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static void put_in_order(struct originals *lines)
{
    size_t kept = 0;
    if (lines->count)
        qsort(lines->list, lines->count, sizeof *lines->list, compare_originals);
    for (size_t i = 0; i < lines->count; i++)
        if (kept == 0 || compare_originals(&lines->list[kept - 1], &lines->list[i]) != 0)
            lines->list[kept++] = lines->list[i];
    lines->count = kept;
}

int originals_read(struct reader *reader, struct look *looks, size_t count, struct error *err)
{
    struct reading r = {.reader = reader, .source = INT64_MIN, .unpacker = block_unpacker_new()};
    int done = block_reader_new(reader->store, &r.blocks, err);
    if (count)
        qsort(looks, count, sizeof *looks, compare_servers);
    for (size_t i = 0; i < count && done == 0; i += r.count) {
        r.looks = &looks[i];
        for (r.count = 1; i + r.count < count && looks[i + r.count].server == looks[i].server;)
            r.count++;
        done = read_server(&r, err);
    }
    for (size_t i = 0; i < count; i++)
        put_in_order(looks[i].into);
    block_reader_free(&r.blocks);
    block_unpacker_free(&r.unpacker);
    server_free(&r.server);
    free(r.room);
    return done;
}

void originals_add(struct originals *originals, const struct originals *others)
{
    for (size_t i = 0; i < others->count; i++) {
        originals->list = grow(originals->list, &originals->room, originals->count + 1, sizeof *originals->list);
        originals->list[originals->count++] = others->list[i];
    }
    put_in_order(originals);
}

void originals_free(struct originals *originals)
{
    free(originals->list);
    *originals = (struct originals){0};
}
