/* lines.c — mailtrail lines: what was read, byte for byte. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/memory.h"
#include "../ingest/line_time.h"
#include "../store/blocks.h"
#include "commands.h"
#include "when.h"

struct options {
    const char *db, *source, *server, *since, *until, *now;
};

struct printing {
    struct store *store;
    struct block_unpacker *unpacker;
    int64_t since, until;
    struct server server; /* of the source that is printed, as far as times are asked for */
    int64_t source;
    int64_t at;           /* of the last line before the block */
    bool pruned;          /* lines that were asked for are there no more */
};

/* ---- which sources ----------------------------------------------------------------------------- */

/* Fills *ids, the caller's to free, with the sources named, or all. */
static int find_sources(struct store *store, const struct options *o, int64_t **ids, size_t *count, struct error *err)
{
    size_t capacity = 0, without = 0;
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT s.id, s.archived FROM source s JOIN server v ON v.id = s.server"
               " WHERE (?1 IS NULL OR s.path = ?1 OR CAST(s.id AS TEXT) = ?1) AND (?2 IS NULL OR v.name = ?2)"
               " ORDER BY s.server, s.id", err);
    *count = 0;
    *ids = NULL;
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, o->source, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, o->server, -1, SQLITE_STATIC);
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        without += !sqlite3_column_int(stmt, 1);
        *ids = grow(*ids, &capacity, *count + 1, sizeof **ids);
        (*ids)[(*count)++] = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    if (code != SQLITE_DONE)
        return store_error(store, err);
    if (*count == 0 && (o->source || o->server))
        return error_set(err, FAIL_USAGE, "lines: no source '%s'; see mailtrail status for their numbers and paths",
                         o->source ? o->source : o->server);
    if (without == *count && *count)
        return error_set(err, FAIL_USAGE, "lines: %s read with --no-lines: nothing was kept",
                         *count == 1 ? "this source was" : "these sources were");
    return 0;
}

/* ---- lines ------------------------------------------------------------------------------------- */

static int begin_source(struct printing *p, int64_t source, struct error *err)
{
    p->source = source;
    p->at = INT64_MIN;
    server_free(&p->server);
    return p->since == INT64_MIN && p->until == INT64_MAX ? 0 : store_server_of(p->store, source, &p->server, err);
}

/* Of a block that is only partly within the times asked for, the lines that are. */
static void print_some(struct printing *p, const struct block *block, struct slice text)
{
    struct line_time lt;
    line_time_begin(&lt, &p->server.zone, block->first_at);
    lt.at = p->at != INT64_MIN ? p->at : lt.at;
    while (text.n) {
        const char *lf = memchr(text.p, '\n', text.n);
        size_t n = lf ? (size_t)(lf - text.p) + 1 : text.n;
        int64_t at = line_time_next(&lt, slice_of(text.p, n));
        if (at >= p->since && at < p->until)
            fwrite(text.p, 1, n, stdout);
        text = slice_after(text, n);
    }
    p->at = lt.at;
}

static int print_block(struct printing *p, const struct stored_block *stored, struct error *err)
{
    const struct block *block = &stored->block;
    struct slice text;
    if (stored->source != p->source && begin_source(p, stored->source, err) < 0)
        return -1;
    if (block_text(p->store, p->unpacker, stored, &text, err) < 0)
        return -1;
    bool all = p->since == INT64_MIN && p->until == INT64_MAX;
    if (all || (block->first_at >= p->since && block->last_at < p->until)) {
        fwrite(text.p, 1, text.n, stdout);
        p->at = block->last_at;
    } else {
        print_some(p, block, text);
    }
    return ferror(stdout) ? command_flush(err) : 0;
}

static int print_source(struct printing *p, int64_t source, struct error *err)
{
    struct block_cursor *cursor;
    struct stored_block stored;
    const int64_t values[] = {source, p->since, p->until};
    int more = block_cursor_new(p->store, "b.source = ?1 AND (?2 IS NULL OR b.last_at >= ?2)"
                                " AND (?3 = 9223372036854775807 OR b.first_at < ?3)", values, 3, &cursor, err);
    while (more >= 0 && (more = block_cursor_next(cursor, &stored, err)) > 0)
        more = print_block(p, &stored, err);
    block_cursor_free(&cursor);
    return more;
}

/* Says what of a source's lines is pruned, if lines of the times asked for may be among them. */
static int tell_pruned(struct printing *p, int64_t source, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        p->store, "SELECT s.path, s.pruned_lines FROM source s WHERE s.id = ?1 AND s.pruned_lines > 0"
                  " AND coalesce(s.first_at, ?3 - 1) < ?3 AND coalesce((SELECT min(b.first_at) FROM line_block b"
                  "   WHERE b.source = s.id), s.last_at + 1) > ?2", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, source);
    sqlite3_bind_int64(stmt, 2, p->since);
    sqlite3_bind_int64(stmt, 3, p->until);
    int found = store_next(p->store, stmt, err);
    if (found > 0) {
        struct error said;
        error_set(&said, FAIL_DB, "%s: its first %lld lines are pruned", (const char *)sqlite3_column_text(stmt, 0),
                  (long long)sqlite3_column_int64(stmt, 1));
        error_print(&said);
        p->pruned = true;
    }
    sqlite3_finalize(stmt);
    return found < 0 ? -1 : 0;
}

/* *pruned: not all that was asked for is there. */
static int print_all(struct store *store, const struct options *o, bool *pruned, struct error *err)
{
    struct printing p = {.store = store, .source = INT64_MIN};
    int64_t *ids = NULL, now = o->now ? strtoll(o->now, NULL, 10) : time(NULL);
    size_t count = 0;
    const struct when_span words = {o->since, o->until, o->server, now};
    int done = when_span_parse(store, &words, &p.since, &p.until, err);
    if (done == 0)
        done = find_sources(store, o, &ids, &count, err);
    p.unpacker = block_unpacker_new();
    for (size_t i = 0; i < count && done == 0; i++)
        done = tell_pruned(&p, ids[i], err) < 0 ? -1 : print_source(&p, ids[i], err);
    *pruned = p.pruned;
    block_unpacker_free(&p.unpacker);
    server_free(&p.server);
    free(ids);
    return done < 0 ? -1 : command_flush(err);
}

static int run(int argc, char **argv)
{
    struct options o = {0};
    const struct option_spec options[] = {
        {"db", "FILE", "the database", &o.db},
        {"source", "SOURCE", "of one source, by number or path as mailtrail status has them", &o.source},
        {"server", "NAME", "of one server's sources", &o.server},
        {"since", "T", "from here: 2026-11-23, \"2026-11-23 04:00\", today, yesterday, 7d", &o.since},
        {"until", "T", "to here, itself left out", &o.until},
        {"now", "SECONDS", "what today and 7d are counted from, Unix time; the clock", &o.now},
        {NULL, NULL, NULL, NULL}};
    struct error err;
    struct store *store = NULL;
    bool pruned = false;
    int count = options_take(&command_lines, options, argc, argv, &err);
    if (count == -2)
        return EXIT_DONE;
    if (count > 0)
        count = error_set(&err, FAIL_USAGE, "lines: takes no arguments, but was given '%s'; did you mean --source %s",
                          argv[1], argv[1]);
    int done = count < 0 ? -1 : command_open_db(o.db, &store, &err);
    if (done == 0)
        done = print_all(store, &o, &pruned, &err);
    done = command_close_db(&store, done, &err);
    return done < 0 ? command_fail(&err) : pruned ? EXIT_PART : EXIT_DONE;
}

const struct command command_lines = {"lines", "", "gives back the lines that were read, byte for byte", run};
