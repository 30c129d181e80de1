/* again.c — archived lines into facts, once more. */
#include <stdlib.h>

#include "../base/memory.h"
#include "../store/blocks.h"
#include "../store/forget.h"
#include "../store/pruned.h"
#include "ingest.h"
#include "progress.h"
#include "reader.h"

/* A source to be read. */
struct again_source {
    struct source_row row;
    char *path;
    int64_t octets, lines, log_time; /* of its blocks; as in source_facts */
    int year;
    bool year_was_given;
    struct server server;
};

struct again {
    struct store *store;
    struct ingest_outcome *outcome;
    struct writer *writer;
    struct handover *handover;
    struct progress progress;
    struct again_source *sources;
    size_t count, capacity;
};

static const char sources_sql[] =
    "SELECT s.id, s.server, s.head_hash, s.head_size, s.syslog_single, s.path, coalesce(s.year, 0),"
    "       coalesce(s.years, '') = 'given', s.read_at,"
    "       (SELECT sum(b.octets) FROM line_block b WHERE b.source = s.id),"
    "       (SELECT sum(b.lines) FROM line_block b WHERE b.source = s.id)"
    "  FROM source s WHERE s.archived ORDER BY s.id";

static struct again_source read_row(sqlite3_stmt *stmt)
{
    return (struct again_source){
        .row = {.id = sqlite3_column_int64(stmt, 0), .server = sqlite3_column_int64(stmt, 1),
                .head_hash = (uint64_t)sqlite3_column_int64(stmt, 2), .head_size = sqlite3_column_int64(stmt, 3),
                .archived = true, .syslog_single = sqlite3_column_int(stmt, 4) != 0},
        .path = xstrdup((const char *)sqlite3_column_text(stmt, 5)),
        .year = sqlite3_column_int(stmt, 6),
        .year_was_given = sqlite3_column_int(stmt, 7) != 0,
        .log_time = sqlite3_column_int64(stmt, 8),
        .octets = sqlite3_column_int64(stmt, 9),
        .lines = sqlite3_column_int64(stmt, 10),
    };
}

static int list_sources(struct again *a, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(a->store, sources_sql, err);
    int code = SQLITE_DONE, done = stmt ? 0 : -1;
    while (done == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        a->sources = grow(a->sources, &a->capacity, a->count + 1, sizeof *a->sources);
        a->sources[a->count] = read_row(stmt);
        done = store_server_of(a->store, a->sources[a->count].row.id, &a->sources[a->count].server, err);
        a->count++;
    }
    if (done == 0 && code != SQLITE_DONE)
        done = store_error(a->store, err);
    sqlite3_finalize(stmt);
    return done;
}

static int read_source(struct again *a, const struct again_source *s, struct error *err)
{
    struct reading reading;
    struct resume resume = {.row = s->row, .is_known = true, .tail = SLICE_ABSENT};
    struct source *source;
    if (block_source(store_path(a->store), s->row.id, s->path, s->log_time, &source, err) < 0)
        return -1;
    const struct reader_job job = {
        .store = a->store, .handover = a->handover, .server = &s->server, .path = s->path, .source = source,
        .resume = &resume, .settings = {.year = s->year, .syslog_single = s->row.syslog_single},
        .again = true, .year_was_given = s->year_was_given,
    };
    int done = reader_run(&job, &reading, err);
    source_close(&source);
    a->outcome->sources++;
    a->outcome->lines += reading.lines;
    a->outcome->unparsed += reading.unparsed;
    progress_next(&a->progress, s->octets, reading.lines);
    return done == 0 && reading.lines != s->lines ? block_renumber(a->store, s->row.id, err) : done;
}

static int read_all(struct again *a, struct error *err)
{
    int done = writer_new(a->store, &a->writer, err);
    if (done < 0)
        return -1;
    writer_hold(a->writer, true);
    a->handover = handover_new(a->writer, store_hash_seed(a->store));
    for (size_t i = 0; i < a->count && done == 0; i++)
        done = read_source(a, &a->sources[i], err);
    writer_hold(a->writer, false);
    return done < 0 ? -1 : writer_commit(a->writer, err);
}

int ingest_again(struct store *store, bool quiet, struct ingest_outcome *outcome, struct error *err)
{
    struct again a = {.store = store, .outcome = outcome};
    struct error ignored;
    int64_t total = 0;
    *outcome = (struct ingest_outcome){0};
    int done = pruned_nothing(store, err) < 0 ? -1 : list_sources(&a, err);
    for (size_t i = 0; i < a.count; i++)
        total += a.sources[i].octets;
    progress_start(&a.progress, quiet, total);
    if (done == 0)
        done = store_run(store, "BEGIN IMMEDIATE", err);
    if (done == 0)
        done = forget_facts(store, err) < 0 ? -1 : read_all(&a, err);
    progress_clear(&a.progress);
    handover_free(&a.handover);
    outcome->rows = a.writer ? writer_rows(a.writer) : 0;
    outcome->copies = a.writer ? writer_copies(a.writer) : 0;
    writer_free(&a.writer);
    if (!sqlite3_get_autocommit(store_db(store)))
        store_run(store, "ROLLBACK", &ignored);
    for (size_t i = 0; i < a.count; i++) {
        server_free(&a.sources[i].server);
        free(a.sources[i].path);
    }
    free(a.sources);
    if (done == 0)
        store_settle(store);
    return done;
}
