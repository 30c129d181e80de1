/* store.c — opening and migrating the database. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/embedded.h"
#include "../base/hash.h"
#include "../base/memory.h"

#define DRAFT_ID 0x4d547264u  /* "MTrd": a database that its first ingest has not published yet */
#define READER_WAIT_MS 2000
#define APPLICATION_ID_AT 68  /* in the file's header: https://sqlite.org/fileformat2.html, 1.3 */

struct store {
    char *path;
    sqlite3 *db;
    int lock; /* descriptor of PATH-lock, held by the one writer; -1 */
    int file; /* of a draft: the database itself, to be synced; -1 */
    bool draft;
    bool reads;       /* opened to read */
    bool still;       /* read as a file that nobody writes: without its log, and without locks */
    struct stat seen; /* of the file, when it was opened so */
    uint64_t hash_seed;
};

/* Who may not write the folder cannot make the files that a log is read with; nor may anybody read who may not read them. */
static int log_error(const struct store *store, struct error *err)
{
    return error_set(err, FAIL_DB,
                     "%s: its log (%s-wal, with %s-shm) cannot be read by you, and may hold what the database does not; ask "
                     "for the group of these files, or for a copy by their owner: sqlite3 %s \".backup COPY\"",
                     store->path, store->path, store->path, store->path);
}

int store_error(struct store *store, struct error *err)
{
    int code = sqlite3_errcode(store->db);
    const char *what = sqlite3_errmsg(store->db);
    if (store->reads && ((code & 0xff) == SQLITE_READONLY || (code & 0xff) == SQLITE_CANTOPEN))
        return log_error(store, err);
    switch (code & 0xff) {
    case SQLITE_FULL:
        return error_set(err, FAIL_DB,
                         "%s: no room left on the disk; nothing was lost: make room and run the same "
                         "command again", store->path);
    case SQLITE_READONLY:
        return error_set(err, FAIL_DB, "%s: may not be written here; check its owner, mode and file system",
                         store->path);
    case SQLITE_BUSY:
        return error_set(err, FAIL_DB, "%s: is being written by another program; run again when it is done",
                         store->path);
    case SQLITE_CORRUPT:
        return error_set(err, FAIL_DB,
                         "%s: the database is damaged; move it away and ingest the logs anew, or take a "
                         "backup", store->path);
    case SQLITE_NOTADB:
        return error_set(err, FAIL_DB, "%s: is not a mailtrail database; give another --db", store->path);
    case SQLITE_IOERR:
        return error_set(err, FAIL_DB,
                         "%s: the disk failed (%s); nothing that was committed is lost: check the disk and its "
                         "free space, then run the same command again", store->path, what);
    default:
        return error_set(err, FAIL_DB, "%s: %s", store->path, what);
    }
}

sqlite3 *store_db(struct store *store)
{
    return store->db;
}

const char *store_path(const struct store *store)
{
    return store->path;
}

uint64_t store_hash_seed(const struct store *store)
{
    return store->hash_seed;
}

sqlite3_stmt *store_prepare(struct store *store, const char *sql, struct error *err)
{
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) == SQLITE_OK)
        return stmt;
    store_error(store, err);
    return NULL;
}

void store_bind_int(sqlite3_stmt *stmt, int i, int64_t value)
{
    if (value == INT64_MIN)
        sqlite3_bind_null(stmt, i);
    else
        sqlite3_bind_int64(stmt, i, value);
}

int store_next(struct store *store, sqlite3_stmt *stmt, struct error *err)
{
    int code = sqlite3_step(stmt);
    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : store_error(store, err);
}

int store_step(struct store *store, sqlite3_stmt *stmt, struct error *err)
{
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return code == SQLITE_DONE ? 0 : store_error(store, err);
}

int store_run(struct store *store, const char *sql, struct error *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : store_error(store, err);
}

/* One number of a query; absent when there is no row. */
static int query_int(struct store *store, const char *sql, int64_t absent, int64_t *value, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, sql, err);
    if (!stmt)
        return -1;
    int found = store_next(store, stmt, err);
    *value = found > 0 ? sqlite3_column_int64(stmt, 0) : absent;
    sqlite3_finalize(stmt);
    return found < 0 ? -1 : 0;
}

/* ---- the file ---------------------------------------------------------------------------------- */

static int make_folders(const char *path, struct error *err)
{
    char *copy = xstrdup(path);
    int done = 0;
    for (char *slash = strchr(copy + 1, '/'); slash && done == 0; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(copy, 0750) < 0 && errno != EEXIST)
            done = error_set(err, FAIL_DB, "%s: this folder cannot be made: %s; give another --db", copy,
                             strerror(errno));
        *slash = '/';
    }
    free(copy);
    return done;
}

/* Whether the file is a draft, told by the application id in its header.  SQLite would have to wait for a lock. */
static bool is_draft(const struct store *store)
{
    unsigned char id[4] = {0};
    int fd = open(store->path, O_RDONLY | O_CLOEXEC);
    bool draft = fd >= 0 && pread(fd, id, sizeof id, APPLICATION_ID_AT) == sizeof id &&
                 ((uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3]) == DRAFT_ID;
    if (fd >= 0)
        close(fd);
    return draft;
}

static int check_file(struct store *store, enum store_mode mode, struct error *err)
{
    struct stat st;
    if (stat(store->path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return error_set(err, FAIL_DB, "%s: is a folder, not a database; give a file as --db",
                             store->path);
        if (access(store->path, R_OK) < 0)
            return error_set(err, FAIL_DB, "%s: not readable for you; ask for its group or run as its owner",
                             store->path);
        return mode == STORE_WRITE || !is_draft(store)
                   ? 0 : error_set(err, FAIL_DB,
                                   "%s: is being filled for the first time; wait for that ingest, or run it again if "
                                   "it was stopped", store->path);
    }
    if (mode != STORE_WRITE)
        return error_set(err, FAIL_DB, "%s: no such database; make it with: mailtrail ingest --db %s LOGS",
                         store->path, store->path);
    if (make_folders(store->path, err) < 0)
        return -1;
    int fd = open(store->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
    if (fd < 0)
        return error_set(err, FAIL_DB, "%s: cannot be made: %s; give another --db", store->path,
                         strerror(errno));
    close(fd);
    return 0;
}

/* Beside the database, not on it: closing a descriptor of the file itself would drop SQLite's own locks. */
static int take_lock(struct store *store, struct error *err)
{
    char *name = xprintf("%s-lock", store->path);
    store->lock = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0640);
    int done = 0;
    if (store->lock < 0)
        done = error_set(err, FAIL_DB, "%s: cannot be made: %s", name, strerror(errno));
    else if (flock(store->lock, LOCK_EX | LOCK_NB) < 0)
        done = error_set(err, FAIL_DB, "%s: another ingest is at work on it; run again when it is done",
                         store->path);
    free(name);
    return done;
}

/* What was left of a first ingest that did not come to its end.  The lock is held. */
static int clear_draft(struct store *store, struct error *err)
{
    return !is_draft(store) || truncate(store->path, 0) == 0
               ? 0 : error_set(err, FAIL_DB, "%s: cannot be begun anew: %s", store->path, strerror(errno));
}

static bool may_write_folder(const char *path)
{
    char *folder = xstrdup(path), *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    bool may = access(slash ? folder : ".", W_OK) == 0;
    free(folder);
    return may;
}

/* Whether there is no log, or an empty one without its index, and none can be made: so the file holds all there is, and
   nobody here writes it. */
static bool is_still(const struct store *store)
{
    struct stat st;
    char *log = xprintf("%s-wal", store->path), *index = xprintf("%s-shm", store->path);
    bool none = stat(log, &st) == 0 ? st.st_size == 0 : errno == ENOENT;
    bool still = none && access(index, F_OK) < 0 && errno == ENOENT && !may_write_folder(store->path);
    free(log);
    free(index);
    return still;
}

/* https://sqlite.org/uri.html */
static char *still_name(const char *path)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char plain[] = "/._-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    char *quoted = xmalloc(3 * strlen(path) + 1), *to = quoted;
    for (const char *p = path; *p; p++)
        if (strchr(plain, *p)) {
            *to++ = *p;
        } else {
            *to++ = '%';
            *to++ = digits[(unsigned char)*p >> 4];
            *to++ = digits[(unsigned char)*p & 15];
        }
    *to = 0;
    char *name = xprintf("%s%s?immutable=1", path[0] == '/' ? "file://" : "file:", quoted);
    free(quoted);
    return name;
}

char *store_name(const struct store *store)
{
    return store->still ? still_name(store->path) : xprintf("%s%s", store->path[0] == '/' ? "" : "./", store->path);
}

static int open_file(struct store *store, enum store_mode mode, struct error *err)
{
    int flags = mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    store->reads = mode == STORE_READ;
    store->still = store->reads && is_still(store) && stat(store->path, &store->seen) == 0;
    char *name = store_name(store);
    int code = sqlite3_open_v2(name, &store->db, flags | SQLITE_OPEN_NOMUTEX | (store->still ? SQLITE_OPEN_URI : 0), NULL);
    free(name);
    return code == SQLITE_OK ? 0 : store_error(store, err);
}

int store_check_still(const struct store *store, struct error *err)
{
    struct stat now;
    if (!store->still)
        return 0;
    bool same = stat(store->path, &now) == 0 && now.st_ino == store->seen.st_ino && now.st_size == store->seen.st_size &&
                now.st_mtim.tv_sec == store->seen.st_mtim.tv_sec && now.st_mtim.tv_nsec == store->seen.st_mtim.tv_nsec;
    return same ? 0 : error_set(err, FAIL_DB, "%s: was written while it was read, and what was answered may be wrong; ask "
                                "again", store->path);
}

static int open_connection(struct store *store, enum store_mode mode, struct error *err)
{
    int persist = 1;
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* counting memory takes a lock each time; before the first use */
    if (open_file(store, mode, err) < 0)
        return -1;
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, 10000);
    sqlite3_file_control(store->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    /* The last to close would lock readers out for a checkpoint; what wrote has made its own by then. */
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    /* What ingest replaces is nobody's mail: it need not be overwritten, as some builds of SQLite do. */
    return store_run(store, "PRAGMA cache_size = -32768; PRAGMA temp_store = memory;", err) < 0
               ? -1 : mode == STORE_WRITE ? store_run(store, "PRAGMA secure_delete = off", err) : 0;
}

/* ---- the schema -------------------------------------------------------------------------------- */

static int draw_seed(struct store *store, struct error *err)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return error_set(err, FAIL_OS, "no random numbers from the system");
    char *sql = sqlite3_mprintf("INSERT INTO meta (name, value) VALUES ('hash_seed', %lld)",
                                (long long)(int64_t)seed);
    int done = store_run(store, sql, err);
    sqlite3_free(sql);
    return done;
}

static int make_schema(struct store *store, struct error *err)
{
    return store_run(store,
                     "PRAGMA page_size = 16384; PRAGMA auto_vacuum = incremental;"
                     "PRAGMA journal_mode = memory; PRAGMA synchronous = off; BEGIN IMMEDIATE", err) < 0 ||
           store_run(store, embedded_find("schema/001_facts.sql")->text, err) < 0 ||
           draw_seed(store, err) < 0 ? -1 : 0;
}

/* Views are made anew when the ones in the file are not those of this program. */
static int make_views(struct store *store, struct error *err)
{
    static const char drop[] =
        "SELECT group_concat('DROP VIEW \"' || name || '\";', '') FROM sqlite_schema WHERE type = 'view'";
    sqlite3_stmt *stmt = store_prepare(store, drop, err);
    if (!stmt)
        return -1;
    char *script = NULL;
    int done = store_next(store, stmt, err);
    if (done > 0 && sqlite3_column_type(stmt, 0) == SQLITE_TEXT)
        script = xstrdup((const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    if (script)
        done = store_run(store, script, err);
    free(script);
    return done < 0 ? -1 : store_run(store, embedded_find("schema/views.sql")->text, err);
}

/* What the tables' script says, its comments and blanks left out. */
static int64_t facts_hash(void)
{
    const char *script = embedded_find("schema/001_facts.sql")->text;
    uint64_t hash = 0;
    for (const char *p = script; *p; p++) {
        if (p[0] == '-' && p[1] == '-')
            p = strchr(p, '\n');
        else if (*p != ' ' && *p != '\n')
            hash = hash_mix(hash, (unsigned char)*p);
    }
    return (int64_t)hash;
}

static int finish_schema(struct store *store, uint32_t application_id, struct error *err)
{
    char *sql = sqlite3_mprintf(
        "INSERT INTO meta (name, value) VALUES ('views', %Q), ('facts', %lld)"
        "  ON CONFLICT (name) DO UPDATE SET value = excluded.value;"
        "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
        embedded_find("schema/views.sql")->text, (long long)facts_hash(), (int)application_id, STORE_VERSION);
    int done = store_run(store, sql, err);
    sqlite3_free(sql);
    return done;
}

static int has_current_views(struct store *store, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, "SELECT value FROM meta WHERE name = 'views'", err);
    if (!stmt)
        return -1;
    int found = store_next(store, stmt, err);
    bool same = found > 0 && sqlite3_column_text(stmt, 0) &&
                strcmp((const char *)sqlite3_column_text(stmt, 0), embedded_find("schema/views.sql")->text) == 0;
    sqlite3_finalize(stmt);
    return found < 0 ? -1 : same;
}

static int migrate(struct store *store, bool is_new, struct error *err)
{
    if (is_new) {
        if (make_schema(store, err) < 0)
            return -1;
    } else {
        int current = has_current_views(store, err);
        if (current != 0)
            return current < 0 ? -1 : 0;
        if (store_run(store, "BEGIN IMMEDIATE", err) < 0)
            return -1;
    }
    return make_views(store, err) < 0 ||
           finish_schema(store, is_new ? DRAFT_ID : STORE_APPLICATION_ID, err) < 0 ? -1 : 0;
}

/* Before the first release tables change without a migration. */
static int check_facts(struct store *store, struct error *err)
{
    int64_t facts;
    if (query_int(store, "SELECT coalesce((SELECT value FROM meta WHERE name = 'facts'), 0)", 0, &facts, err) < 0)
        return -1;
    return facts == facts_hash()
               ? 0 : error_set(err, FAIL_DB,
                               "%s: was made by another version of mailtrail before the first release, whose tables do "
                               "not fit; ingest the logs into a new --db", store->path);
}

/* Whose database is it, and how old?  *is_new: an empty file, to be filled. */
static int check_schema(struct store *store, bool *is_new, struct error *err)
{
    int64_t id, version, tables;
    if (query_int(store, "PRAGMA application_id", 0, &id, err) < 0 ||
        query_int(store, "PRAGMA user_version", 0, &version, err) < 0 ||
        query_int(store, "SELECT count(*) FROM sqlite_schema", 0, &tables, err) < 0)
        return -1;
    *is_new = id == 0 && version == 0 && tables == 0;
    if (*is_new)
        return 0;
    if (id != STORE_APPLICATION_ID)
        return error_set(err, FAIL_DB, "%s: is the database of another program; give another --db",
                         store->path);
    if (version > STORE_VERSION)
        return error_set(err, FAIL_DB,
                         "%s: was made by a newer mailtrail (schema %d, this one knows %d); update mailtrail",
                         store->path, (int)version, STORE_VERSION);
    return check_facts(store, err);
}

/* A new database has no reader yet and nothing to lose, so that each page is written once, in its place.  It grows at
   few edges, so that few pages are needed again: so small a page cache stays in the processor's. */
static int begin_draft(struct store *store, struct error *err)
{
    store->draft = true;
    if (store_run(store, "PRAGMA cache_size = -12288", err) < 0)
        return -1;
    store->file = open(store->path, O_RDONLY | O_CLOEXEC);
    return store->file >= 0 ? 0 : error_set(err, FAIL_DB, "%s: cannot be opened: %s", store->path, strerror(errno));
}

static int begin_log(struct store *store, struct error *err)
{
    return store_run(store, "PRAGMA journal_mode = wal; PRAGMA synchronous = normal;"
                            "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -24576", err);
}

bool store_is_draft(const struct store *store)
{
    return store->draft;
}

int store_sync(const struct store *store)
{
    return fdatasync(store->file);
}

int store_publish(struct store *store, struct error *err)
{
    if (!store->draft)
        return 0;
    if (store_sync(store) < 0)
        return error_set(err, FAIL_DB, "%s: the disk failed (%s); check it, then run the same command again",
                         store->path, strerror(errno));
    char *sql = sqlite3_mprintf("PRAGMA synchronous = full; PRAGMA application_id = %d", STORE_APPLICATION_ID);
    int done = store_run(store, sql, err);
    sqlite3_free(sql);
    if (done < 0)
        return -1;
    store->draft = false;
    return begin_log(store, err);
}

int store_map(struct store *store, struct error *err)
{
    return store_run(store, "PRAGMA mmap_size = 1099511627776", err); /* SQLite has a limit of its own */
}

void store_settle(struct store *store)
{
    sqlite3_busy_timeout(store->db, READER_WAIT_MS);
    sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

static int prepare_file(struct store *store, enum store_mode mode, struct error *err)
{
    bool is_new;
    if (check_schema(store, &is_new, err) < 0)
        return -1;
    if (mode != STORE_WRITE && is_new)
        return error_set(err, FAIL_DB, "%s: is empty; fill it with: mailtrail ingest --db %s LOGS",
                         store->path, store->path);
    if (mode != STORE_READ &&
        (migrate(store, is_new, err) < 0 ||
         (is_new ? begin_draft(store, err) : begin_log(store, err)) < 0))
        return -1;
    int64_t seed;
    if (query_int(store, "SELECT value FROM meta WHERE name = 'hash_seed'", 0, &seed, err) < 0)
        return -1;
    store->hash_seed = (uint64_t)seed;
    return 0;
}

int store_open(const char *path, enum store_mode mode, struct store **store, struct error *err)
{
    struct store *s = xcalloc(1, sizeof *s);
    s->path = xstrdup(path);
    s->lock = s->file = -1;
    *store = s;
    if (check_file(s, mode, err) < 0 || (mode != STORE_READ && take_lock(s, err) < 0) ||
        (mode == STORE_WRITE && clear_draft(s, err) < 0) ||
        open_connection(s, mode, err) < 0 || prepare_file(s, mode, err) < 0) {
        store_close(store);
        return -1;
    }
    return 0;
}

void store_close(struct store **store)
{
    struct store *s = *store;
    struct error ignored; /* the next ingest tries again */
    if (!s)
        return;
    sqlite3_close(s->db);
    if (s->draft)
        clear_draft(s, &ignored);
    if (s->file >= 0)
        close(s->file);
    if (s->lock >= 0)
        close(s->lock);
    free(s->path);
    free(s);
    *store = NULL;
}

/* ---- servers ----------------------------------------------------------------------------------- */

static int insert_zone(struct store *store, const struct server *server, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        store, "INSERT INTO zone_offset (server, since, utc_offset) VALUES (?1, ?2, ?3)", err);
    if (!stmt)
        return -1;
    int done = 0;
    for (size_t i = 0; i < server->zone.count && done == 0; i++) {
        sqlite3_bind_int64(stmt, 1, server->id);
        sqlite3_bind_int64(stmt, 2, server->zone.spans[i].since);
        sqlite3_bind_int64(stmt, 3, server->zone.spans[i].offset);
        if (sqlite3_step(stmt) != SQLITE_DONE)
            done = store_error(store, err);
        sqlite3_reset(stmt);
    }
    sqlite3_finalize(stmt);
    return done;
}

static int insert_server(struct store *store, struct server *server, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, "INSERT INTO server (name, zone) VALUES (?1, ?2)", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, server->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, server->zone_name, -1, SQLITE_STATIC);
    int done = sqlite3_step(stmt) == SQLITE_DONE ? 0 : store_error(store, err);
    sqlite3_finalize(stmt);
    server->id = sqlite3_last_insert_rowid(store->db);
    return done < 0 ? -1 : insert_zone(store, server, err);
}

static int load_zone(struct store *store, struct server *server, struct error *err)
{
    size_t capacity = 0;
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT since, utc_offset FROM zone_offset WHERE server = ?1 ORDER BY since", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, server->id);
    int more;
    while ((more = store_next(store, stmt, err)) > 0) {
        server->zone.spans = grow(server->zone.spans, &capacity, server->zone.count + 1,
                                  sizeof *server->zone.spans);
        server->zone.spans[server->zone.count++] =
            (struct zone_span){sqlite3_column_int64(stmt, 0), sqlite3_column_int(stmt, 1)};
    }
    sqlite3_finalize(stmt);
    if (more == 0 && server->zone.count == 0)
        return error_set(err, FAIL_DB, "%s: server %s has no time zone; run mailtrail check", store->path, server->name);
    return more;
}

static int64_t int_or_least(sqlite3_stmt *stmt, int i)
{
    return sqlite3_column_type(stmt, i) == SQLITE_NULL ? INT64_MIN : sqlite3_column_int64(stmt, i);
}

/* 1: the server is known and now loaded; 0: it is new. */
static int find_server(struct store *store, struct server *server, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, "SELECT id, zone, pruned_before FROM server WHERE name = ?1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, server->name, -1, SQLITE_STATIC);
    int found = store_next(store, stmt, err);
    if (found > 0) {
        server->id = sqlite3_column_int64(stmt, 0);
        server->zone_name = xstrdup((const char *)sqlite3_column_text(stmt, 1));
        server->pruned_before = int_or_least(stmt, 2);
    }
    sqlite3_finalize(stmt);
    return found > 0 && load_zone(store, server, err) < 0 ? -1 : found;
}

int store_server(struct store *store, const char *name, const char *zone_name, struct server *server,
                 struct error *err)
{
    *server = (struct server){.name = xstrdup(name), .pruned_before = INT64_MIN};
    int known = find_server(store, server, err);
    if (known < 0)
        return -1;
    if (known && zone_name && strcmp(zone_name, server->zone_name) != 0)
        return error_set(err, FAIL_USAGE,
                         "server %s was ingested in zone %s, not %s; take back what was read wrongly with "
                         "'mailtrail forget --server %s', or leave --zone out", name, server->zone_name,
                         zone_name, name);
    if (known)
        return 0;
    server->zone_name = zone_name ? xstrdup(zone_name) : zone_system_name();
    if (zone_load(&server->zone, server->zone_name, err) < 0)
        return -1;
    return insert_server(store, server, err);
}

int store_server_of(struct store *store, int64_t source, struct server *server, struct error *err)
{
    *server = (struct server){0};
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT v.id, v.name, v.zone, v.pruned_before FROM server v JOIN source s ON s.server = v.id WHERE s.id = ?1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int64(stmt, 1, source);
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(store, err);
    if (done == 0) {
        server->id = sqlite3_column_int64(stmt, 0);
        server->name = xstrdup((const char *)sqlite3_column_text(stmt, 1));
        server->zone_name = xstrdup((const char *)sqlite3_column_text(stmt, 2));
        server->pruned_before = int_or_least(stmt, 3);
    }
    sqlite3_finalize(stmt);
    return done < 0 ? -1 : load_zone(store, server, err);
}

void server_free(struct server *server)
{
    free(server->name);
    free(server->zone_name);
    zone_free(&server->zone);
    *server = (struct server){0};
}
