/* blocks.c — the SQL behind table line_block. */
#include "blocks.h"

#include <stdlib.h>

#include "../base/memory.h"
#include "../../parsers/event.h"

struct block_writer {
    struct store *store;
    sqlite3_stmt *clear, *insert, *whole;
};

int block_writer_new(struct store *store, struct block_writer **writer, struct error *err)
{
    struct block_writer *w = xcalloc(1, sizeof *w);
    *writer = w;
    w->store = store;
    w->clear = store_prepare(store, "DELETE FROM line_block WHERE source = ?1 AND line >= ?2 AND position >= ?3", err);
    if (!w->clear)
        return -1;
    w->insert = store_prepare(
        store, "INSERT INTO line_block (source, line, position, lines, octets, first_at, last_at, checksum, text)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", err);
    w->whole = w->insert ? store_prepare(
        store, "UPDATE source SET pruned_lines = 0, pruned_octets = 0 WHERE id = ?1 AND pruned_octets > ?2", err) : NULL;
    return w->whole ? 0 : -1;
}

void block_writer_free(struct block_writer **writer)
{
    if (!*writer)
        return;
    sqlite3_finalize((*writer)->clear);
    sqlite3_finalize((*writer)->insert);
    sqlite3_finalize((*writer)->whole);
    free(*writer);
    *writer = NULL;
}

static int put_block(struct block_writer *w, int64_t source, struct block *block, struct error *err)
{
    if (archive_wait(block, err) < 0)
        return -1;
    sqlite3_bind_int64(w->insert, 1, source);
    sqlite3_bind_int64(w->insert, 2, block->line);
    sqlite3_bind_int64(w->insert, 3, block->position);
    sqlite3_bind_int64(w->insert, 4, block->lines);
    sqlite3_bind_int64(w->insert, 5, block->octets);
    store_bind_int(w->insert, 6, block->first_at);
    store_bind_int(w->insert, 7, block->last_at);
    sqlite3_bind_int64(w->insert, 8, (int64_t)block->checksum);
    sqlite3_bind_blob(w->insert, 9, block->packed.p, (int)block->packed.n, SQLITE_STATIC);
    return store_step(w->store, w->insert, err);
}

int block_writer_put(struct block_writer *w, int64_t source, struct block *blocks, struct error *err)
{
    if (!blocks)
        return 0;
    sqlite3_bind_int64(w->clear, 1, source);
    sqlite3_bind_int64(w->clear, 2, blocks->line);
    sqlite3_bind_int64(w->clear, 3, blocks->position);
    int done = store_step(w->store, w->clear, err);
    sqlite3_bind_int64(w->whole, 1, source);
    sqlite3_bind_int64(w->whole, 2, blocks->position); /* read once more from its beginning */
    if (done == 0)
        done = store_step(w->store, w->whole, err);
    for (struct block *block = blocks; block && done == 0; block = block->next)
        done = put_block(w, source, block, err);
    return done;
}

/* ---- reading ----------------------------------------------------------------------------------- */

struct block_cursor {
    struct store *store;
    sqlite3_stmt *stmt;
};

int block_cursor_new(struct store *store, const char *sql, const int64_t *values, size_t count,
                     struct block_cursor **cursor, struct error *err)
{
    struct block_cursor *c = xcalloc(1, sizeof *c);
    char *query = xprintf("SELECT b.id, b.source, b.line, b.position, b.lines, b.octets, b.first_at, b.last_at,"
                          " b.checksum, b.text FROM line_block b JOIN source s ON s.id = b.source WHERE %s"
                          " ORDER BY s.server, b.source, b.line, b.position", sql);
    *cursor = c;
    c->store = store;
    c->stmt = store_prepare(store, query, err);
    free(query);
    for (size_t i = 0; c->stmt && i < count; i++)
        store_bind_int(c->stmt, (int)i + 1, values[i]);
    return c->stmt ? 0 : -1;
}

void block_cursor_free(struct block_cursor **cursor)
{
    if (!*cursor)
        return;
    sqlite3_finalize((*cursor)->stmt);
    free(*cursor);
    *cursor = NULL;
}

static int64_t int_or_absent(sqlite3_stmt *stmt, int i)
{
    return sqlite3_column_type(stmt, i) == SQLITE_NULL ? NUM_ABSENT : sqlite3_column_int64(stmt, i);
}

static struct stored_block read_block(sqlite3_stmt *stmt)
{
    return (struct stored_block){
        .id = sqlite3_column_int64(stmt, 0),
        .source = sqlite3_column_int64(stmt, 1),
        .block = {.line = sqlite3_column_int64(stmt, 2), .position = sqlite3_column_int64(stmt, 3),
                  .lines = sqlite3_column_int64(stmt, 4), .octets = sqlite3_column_int64(stmt, 5),
                  .first_at = int_or_absent(stmt, 6), .last_at = int_or_absent(stmt, 7),
                  .checksum = (uint64_t)sqlite3_column_int64(stmt, 8)},
    };
}

int block_cursor_next(struct block_cursor *cursor, struct stored_block *stored, struct error *err)
{
    sqlite3_stmt *stmt = cursor->stmt;
    int code = sqlite3_step(stmt);
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE ? 0 : store_error(cursor->store, err);
    *stored = read_block(stmt);
    const char *packed = sqlite3_column_blob(stmt, 9);
    stored->block.packed = slice_of(packed, (size_t)sqlite3_column_bytes(stmt, 9));
    return packed || sqlite3_column_bytes(stmt, 9) == 0 ? 1 : store_error(cursor->store, err);
}

int block_text(struct store *store, struct block_unpacker *unpacker, const struct stored_block *stored,
               struct slice *text, struct error *err)
{
    const struct block *block = &stored->block;
    if (block_unpacker_text(unpacker, block->packed, block->octets, block->checksum, text) == 0)
        return 0;
    return error_set(err, FAIL_DB, "%s: archived lines of source %lld from line %lld on are damaged; take a backup, or"
                     " forget the source and read its log again", store_path(store), (long long)stored->source,
                     (long long)block->line);
}

int block_last(struct store *store, int64_t source, int64_t position, struct block_unpacker *unpacker,
               struct block *last, struct slice *text, struct error *err)
{
    struct block_cursor *cursor;
    struct stored_block stored;
    const int64_t values[] = {source, position, BLOCK_TEXT / 2};
    int found = block_cursor_new(store, "b.id = (SELECT id FROM line_block WHERE source = ?1 ORDER BY line DESC,"
                                 " position DESC LIMIT 1) AND b.position + b.octets = ?2 AND b.octets < ?3",
                                 values, 3, &cursor, err);
    if (found == 0)
        found = block_cursor_next(cursor, &stored, err);
    if (found > 0 && block_text(store, unpacker, &stored, text, err) < 0)
        found = -1;
    if (found > 0)
        *last = stored.block;
    block_cursor_free(&cursor);
    return found;
}

/* ---- blocks in any order ------------------------------------------------------------------------ */

int block_list(struct store *store, int64_t server, struct stored_block **list, size_t *count, struct error *err)
{
    size_t capacity = 0;
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT b.id, b.source, b.line, b.position, b.lines, b.octets, b.first_at, b.last_at, b.checksum"
               "  FROM line_block b JOIN source s ON s.id = b.source WHERE s.server = ?1"
               " ORDER BY s.first_at, b.source, b.line, b.position", err);
    *list = NULL;
    *count = 0;
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, server);
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        *list = grow(*list, &capacity, *count + 1, sizeof **list);
        (*list)[(*count)++] = read_block(stmt);
    }
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : store_error(store, err);
}

struct block_reader {
    struct store *store;
    sqlite3_blob *blob;
};

/* Blocks are read once: a page cache would only be filled and emptied, and read() copy what can be mapped. */
int block_reader_new(struct store *store, struct block_reader **reader, struct error *err)
{
    struct block_reader *r = xcalloc(1, sizeof *r);
    *reader = r;
    r->store = store;
    return store_run(store, "PRAGMA cache_size = -2048", err) < 0 ? -1 : store_map(store, err);
}

void block_reader_free(struct block_reader **reader)
{
    if (!*reader)
        return;
    sqlite3_blob_close((*reader)->blob);
    free(*reader);
    *reader = NULL;
}

int block_reader_read(struct block_reader *r, struct stored_block *stored, char **room, size_t *capacity,
                      struct error *err)
{
    int code = r->blob ? sqlite3_blob_reopen(r->blob, stored->id)
                       : sqlite3_blob_open(store_db(r->store), "main", "line_block", "text", stored->id, 0, &r->blob);
    if (code != SQLITE_OK)
        return store_error(r->store, err);
    int n = sqlite3_blob_bytes(r->blob);
    *room = grow(*room, capacity, (size_t)n + 1, 1);
    if (sqlite3_blob_read(r->blob, *room, n, 0) != SQLITE_OK)
        return store_error(r->store, err);
    stored->block.packed = slice_of(*room, (size_t)n);
    return 0;
}

/* ---- numbers ----------------------------------------------------------------------------------- */

struct numbered {
    int64_t id, line, lines;
    bool open; /* its text does not end with an LF */
};

static int64_t count_ends(struct slice text)
{
    int64_t count = 0;
    for (const char *p = text.p, *end = p + text.n; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        count++;
    return count;
}

/* Fills *all, the caller's to free. */
static int number_blocks(struct store *store, int64_t source, struct numbered **all, size_t *count, struct error *err)
{
    struct block_cursor *cursor;
    struct stored_block stored;
    struct slice text;
    struct block_unpacker *unpacker = block_unpacker_new();
    size_t capacity = 0;
    int64_t line = 1;
    int more = block_cursor_new(store, "b.source = ?1", &source, 1, &cursor, err);
    while (more >= 0 && (more = block_cursor_next(cursor, &stored, err)) > 0) {
        if ((more = block_text(store, unpacker, &stored, &text, err)) < 0)
            break;
        *all = grow(*all, &capacity, *count + 1, sizeof **all);
        (*all)[*count] = (struct numbered){stored.id, line, count_ends(text), text.n && text.p[text.n - 1] != '\n'};
        line += (*all)[(*count)++].lines;
    }
    block_cursor_free(&cursor);
    block_unpacker_free(&unpacker);
    if (*count)
        (*all)[*count - 1].lines += (*all)[*count - 1].open;
    return more;
}

int block_renumber(struct store *store, int64_t source, struct error *err)
{
    struct numbered *all = NULL;
    size_t count = 0;
    int done = number_blocks(store, source, &all, &count, err);
    sqlite3_stmt *update = store_prepare(store, "UPDATE line_block SET line = ?2, lines = ?3 WHERE id = ?1", err);
    if (!update)
        done = -1;
    for (size_t i = 0; i < count && done == 0; i++) {
        sqlite3_bind_int64(update, 1, all[i].id);
        sqlite3_bind_int64(update, 2, all[i].line);
        sqlite3_bind_int64(update, 3, all[i].lines);
        done = store_step(store, update, err);
    }
    sqlite3_finalize(update);
    free(all);
    return done;
}

/* ---- a source out of blocks -------------------------------------------------------------------- */

struct block_stream {
    struct store *store;
    struct block_cursor *cursor;
    struct block_unpacker *unpacker;
    int64_t source;
    struct slice rest; /* of the block, in the unpacker's memory */
};

static int stream_rewind(void *context, struct error *err)
{
    struct block_stream *in = context;
    block_cursor_free(&in->cursor);
    in->rest = SLICE_ABSENT;
    return block_cursor_new(in->store, "b.source = ?1", &in->source, 1, &in->cursor, err);
}

static ptrdiff_t stream_read(void *context, char *buf, size_t cap, struct error *err)
{
    struct block_stream *in = context;
    struct stored_block stored;
    while (!in->rest.n) {
        int more = block_cursor_next(in->cursor, &stored, err);
        if (more <= 0)
            return more;
        if (block_text(in->store, in->unpacker, &stored, &in->rest, err) < 0)
            return -1;
    }
    size_t n = in->rest.n < cap ? in->rest.n : cap;
    memcpy(buf, in->rest.p, n);
    in->rest = slice_after(in->rest, n);
    return (ptrdiff_t)n;
}

static void stream_close(void *context)
{
    struct block_stream *in = context;
    block_cursor_free(&in->cursor);
    block_unpacker_free(&in->unpacker);
    store_close(&in->store);
    free(in);
}

int block_source(const char *db_path, int64_t id, const char *name, int64_t log_time, struct source **source,
                 struct error *err)
{
    struct block_stream *in = xcalloc(1, sizeof *in);
    const struct source_feed feed = {stream_read, stream_rewind, stream_close, in};
    in->source = id;
    in->unpacker = block_unpacker_new();
    *source = source_over(name, &feed, log_time);
    if (store_open(db_path, STORE_READ, &in->store, err) == 0 &&
        store_run(in->store, "PRAGMA cache_size = -2048", err) == 0 && stream_rewind(in, err) == 0)
        return 0;
    source_close(source);
    return -1;
}
