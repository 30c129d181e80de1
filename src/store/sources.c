/* sources.c — the SQL behind positions and known files. */
#include "sources.h"

#include <stdlib.h>
#include <time.h>

#include "../base/memory.h"

#define HEAD_MAX 4096

static int finish(struct store *store, sqlite3_stmt *stmt, struct error *err)
{
    int code = sqlite3_step(stmt);
    int done = code == SQLITE_DONE || code == SQLITE_ROW ? 0 : store_error(store, err);
    sqlite3_finalize(stmt);
    return done;
}

static struct source_row read_row(sqlite3_stmt *stmt)
{
    return (struct source_row){
        .id = sqlite3_column_int64(stmt, 0),
        .server = sqlite3_column_int64(stmt, 1),
        .head_hash = (uint64_t)sqlite3_column_int64(stmt, 2),
        .head_size = sqlite3_column_int64(stmt, 3),
        .position = sqlite3_column_int64(stmt, 4),
        .tail_hash = (uint64_t)sqlite3_column_int64(stmt, 5),
        .lines = sqlite3_column_int64(stmt, 6),
        .archived = sqlite3_column_int(stmt, 7) != 0,
        .tail_at = sqlite3_column_int64(stmt, 8),
    };
}

#define ROW_SQL "SELECT id, server, head_hash, head_size, position, tail_hash, lines, archived, tail_at FROM source WHERE "

/* Sources whose head has the full size are found by its hash; shorter ones are few. */
int sources_search(struct store *store, const struct source_search *search, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        store, ROW_SQL "server = ?1 AND ((head_size = 4096 AND head_hash = ?2) OR head_size < 4096)"
                       " AND head_size <= ?3 ORDER BY tail_at DESC, id", err);
    if (!stmt)
        return -1;
    uint64_t full = search->head_size == HEAD_MAX ? search->hash(search->context, HEAD_MAX) : 0;
    sqlite3_bind_int64(stmt, 1, search->server);
    sqlite3_bind_int64(stmt, 2, (int64_t)full);
    sqlite3_bind_int64(stmt, 3, search->head_size);
    int code, answer = 0;
    while (answer == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct source_row row = read_row(stmt);
        if (search->hash(search->context, row.head_size) == row.head_hash)
            answer = search->visit(search->context, &row, err);
    }
    if (answer == 0 && code != SQLITE_DONE)
        answer = store_error(store, err);
    sqlite3_finalize(stmt);
    return answer;
}

int sources_twin(struct store *store, const struct source_search *search, struct source_twin *twin, struct error *err)
{
    *twin = (struct source_twin){0};
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT s.id, s.head_size, s.head_hash, v.name, s.path FROM source s JOIN server v ON v.id = s.server"
               " WHERE s.server <> ?1 AND s.head_size BETWEEN ?2 AND ?3 ORDER BY s.id", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, search->server);
    sqlite3_bind_int64(stmt, 2, TWIN_SIZE);
    sqlite3_bind_int64(stmt, 3, search->head_size);
    int found;
    while ((found = store_next(store, stmt, err)) > 0)
        if (search->hash(search->context, sqlite3_column_int64(stmt, 1)) == (uint64_t)sqlite3_column_int64(stmt, 2))
            break;
    if (found > 0)
        *twin = (struct source_twin){sqlite3_column_int64(stmt, 0), xstrdup((const char *)sqlite3_column_text(stmt, 3)),
                                     xstrdup((const char *)sqlite3_column_text(stmt, 4))};
    sqlite3_finalize(stmt);
    return found;
}

void source_twin_free(struct source_twin *twin)
{
    free(twin->server);
    free(twin->path);
    *twin = (struct source_twin){0};
}

int sources_carry(struct store *store, int64_t source, struct carry *carry, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, "SELECT carry FROM source WHERE id = ?1", err);
    if (!stmt)
        return -1;
    *carry = (struct carry){0};
    sqlite3_bind_int64(stmt, 1, source);
    int found = store_next(store, stmt, err);
    if (found > 0 && sqlite3_column_bytes(stmt, 0) > 0) {
        carry->size = carry->capacity = (size_t)sqlite3_column_bytes(stmt, 0);
        carry->bytes = memcpy(xmalloc(carry->size), sqlite3_column_blob(stmt, 0), carry->size);
    }
    sqlite3_finalize(stmt);
    return found < 0 ? -1 : 0;
}

int sources_next_id(struct store *store, int64_t *id, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, "SELECT coalesce(max(id), 0) + 1 FROM source", err);
    if (!stmt)
        return -1;
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(store, err);
    *id = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return done;
}

int sources_insert(struct store *store, const struct source_row *row, const char *path, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        store, "INSERT INTO source (id, server, path, head_hash, head_size, position, tail_hash, tail_at, lines, read_at,"
               " archived, syslog_single) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, 0, ?6, ?7, ?8)", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, row->id);
    sqlite3_bind_int64(stmt, 2, row->server);
    sqlite3_bind_text(stmt, 3, path, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 4, (int64_t)row->head_hash);
    sqlite3_bind_int64(stmt, 5, row->head_size);
    sqlite3_bind_int64(stmt, 6, time(NULL));
    sqlite3_bind_int(stmt, 7, row->archived);
    sqlite3_bind_int(stmt, 8, row->syslog_single);
    return finish(store, stmt, err);
}

int sources_touch(struct store *store, const struct source_row *row, const char *path, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        store, "UPDATE source SET path = ?2, head_hash = ?3, head_size = ?4, read_at = ?5, damage = NULL"
               " WHERE id = ?1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, row->id);
    sqlite3_bind_text(stmt, 2, path, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 3, (int64_t)row->head_hash);
    sqlite3_bind_int64(stmt, 4, row->head_size);
    sqlite3_bind_int64(stmt, 5, time(NULL));
    return finish(store, stmt, err);
}

int sources_damage(struct store *store, int64_t source, const char *damage, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, "UPDATE source SET damage = ?2 WHERE id = ?1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, source);
    sqlite3_bind_text(stmt, 2, damage, -1, SQLITE_STATIC);
    return finish(store, stmt, err);
}

static void bind_facts(sqlite3_stmt *stmt, const struct source_facts *facts)
{
    sqlite3_bind_int64(stmt, 1, (int64_t)facts->device);
    sqlite3_bind_int64(stmt, 2, (int64_t)facts->inode);
    sqlite3_bind_int64(stmt, 3, facts->size);
    sqlite3_bind_int64(stmt, 4, facts->mtime_ns);
}

static int rename_source(struct store *store, int64_t source, const char *path, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, "UPDATE source SET path = ?2 WHERE id = ?1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, source);
    sqlite3_bind_text(stmt, 2, path, -1, SQLITE_STATIC);
    return finish(store, stmt, err);
}

int sources_file_known(struct store *store, const struct source_facts *facts, int64_t server, const char *path,
                       struct error *err)
{
    if (!facts->regular)
        return 0;
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT s.id, s.path <> ?6 FROM source_file f JOIN source s ON s.id = f.source"
               " WHERE f.device = ?1 AND f.inode = ?2 AND f.size = ?3 AND f.mtime_ns = ?4 AND s.server = ?5",
        err);
    if (!stmt)
        return -1;
    bind_facts(stmt, facts);
    sqlite3_bind_int64(stmt, 5, server);
    sqlite3_bind_text(stmt, 6, path, -1, SQLITE_STATIC);
    int found = store_next(store, stmt, err);
    int64_t source = found > 0 ? sqlite3_column_int64(stmt, 0) : 0;
    bool renamed = found > 0 && sqlite3_column_int(stmt, 1);
    sqlite3_finalize(stmt);
    if (renamed && rename_source(store, source, path, err) < 0)
        return -1;
    return found;
}

int sources_file_read(struct store *store, const struct source_facts *facts, int64_t source,
                      struct error *err)
{
    if (!facts->regular)
        return 0;
    sqlite3_stmt *stmt = store_prepare(
        store, "INSERT OR REPLACE INTO source_file (device, inode, size, mtime_ns, source)"
               " VALUES (?1, ?2, ?3, ?4, ?5)", err);
    if (!stmt)
        return -1;
    bind_facts(stmt, facts);
    sqlite3_bind_int64(stmt, 5, source);
    return finish(store, stmt, err);
}
