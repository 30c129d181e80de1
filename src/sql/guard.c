/* guard.c — an authorizer that knows what reading is, and a look at the clock and at Ctrl-C every few thousand
   steps of SQLite's machine. */
#include "guard.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define STEPS_BETWEEN_LOOKS 5000
#define TEXT_OCTETS_MAX (64 << 20)

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- reading ----------------------------------------------------------------------------------- */

static bool is_among(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (sqlite3_stricmp(word, *list) == 0)
            return true;
    return false;
}

/* A PRAGMA that tells and changes nothing. */
static bool pragma_tells(const char *name, const char *value)
{
    static const char *const with_value[] = {"table_info", "table_xinfo", "table_list", "index_list", "index_info",
                                             "index_xinfo", "foreign_key_list", "integrity_check", "quick_check",
                                             NULL};
    static const char *const alone[] = {"database_list", "collation_list", "function_list", "module_list",
                                        "pragma_list", "compile_options", "user_version", "application_id",
                                        "schema_version", "data_version", "page_count", "page_size",
                                        "freelist_count", "encoding", "journal_mode", "auto_vacuum", NULL};
    return is_among(name, with_value) || (!value && is_among(name, alone));
}

static const char *word_of(int action)
{
    switch (action) {
    case SQLITE_INSERT:
        return "INSERT into";
    case SQLITE_UPDATE:
        return "UPDATE of";
    case SQLITE_DELETE:
        return "DELETE from";
    case SQLITE_ATTACH:
        return "ATTACH of";
    case SQLITE_DETACH:
        return "DETACH of";
    case SQLITE_PRAGMA:
        return "PRAGMA";
    case SQLITE_FUNCTION:
        return "function";
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
        return "transaction:";
    default:
        return "changing the schema";
    }
}

static bool reads(int action, const char *first, const char *second)
{
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        return true;
    case SQLITE_FUNCTION:
        return sqlite3_stricmp(second, "load_extension") != 0 && sqlite3_stricmp(second, "fts3_tokenizer") != 0;
    case SQLITE_PRAGMA:
        return pragma_tells(first, second);
    default:
        return false;
    }
}

static int authorize(void *context, int action, const char *first, const char *second, const char *database,
                     const char *trigger)
{
    struct guard *guard = context;
    (void)database;
    (void)trigger;
    if (reads(action, first, second))
        return SQLITE_OK;
    const char *what = action == SQLITE_FUNCTION ? second : first;
    bool schema = what && sqlite3_strnicmp(what, "sqlite_", 7) == 0;
    if (!guard->refused[0])
        snprintf(guard->refused, sizeof guard->refused, "%s%s%s", word_of(schema ? 0 : action),
                 what && !schema ? " " : "", what && !schema ? what : "");
    return SQLITE_DENY;
}

/* ---- ending ------------------------------------------------------------------------------------ */

static bool is_interrupted(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGINT) == 1;
}

static int look(void *context)
{
    struct guard *guard = context;
    if (is_interrupted())
        guard->stop = GUARD_INTERRUPTED;
    else if (guard->limit_ms && guard->worked_ms + clock_ms() - guard->began_ms > guard->limit_ms)
        guard->stop = GUARD_TIME_IS_UP;
    return guard->stop != GUARD_GOES_ON;
}

int guard_step(struct guard *guard, sqlite3_stmt *stmt)
{
    guard->began_ms = clock_ms();
    int code = look(guard) ? SQLITE_INTERRUPT : sqlite3_step(stmt);
    guard->worked_ms += clock_ms() - guard->began_ms;
    return code;
}

/* Tables that SQLite makes of functions are made before the authorizer is there: it is asked as if they changed the
   schema. */
static void connect_functions(sqlite3 *db)
{
    static const char *const tables[] = {"json_each", "json_tree", "dbstat", "pragma_table_info", "pragma_table_xinfo",
                                         "pragma_table_list", "pragma_index_list", "pragma_index_info",
                                         "pragma_index_xinfo", "pragma_database_list", "pragma_collation_list",
                                         "pragma_function_list", "pragma_compile_options", NULL};
    for (const char *const *table = tables; *table; table++) {
        char sql[80];
        sqlite3_stmt *stmt = NULL;
        snprintf(sql, sizeof sql, "SELECT 1 FROM %s", *table);
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL); /* one that this SQLite has not stays away */
        sqlite3_finalize(stmt);
    }
}

/* ---- both -------------------------------------------------------------------------------------- */

int guard_open(struct guard *guard, sqlite3 *db, int64_t limit_ms, struct error *err)
{
    sigset_t interrupt;
    *guard = (struct guard){.db = db, .limit_ms = limit_ms};
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, &guard->old_mask);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, TEXT_OCTETS_MAX);
    if (sqlite3_exec(db, "PRAGMA query_only = 1; PRAGMA temp_store = file;", NULL, NULL, NULL) != SQLITE_OK)
        return error_set(err, FAIL_DB, "sql: %s", sqlite3_errmsg(db));
    connect_functions(db);
    sqlite3_set_authorizer(db, authorize, guard);
    sqlite3_progress_handler(db, STEPS_BETWEEN_LOOKS, look, guard);
    return 0;
}

void guard_close(struct guard *guard)
{
    static const struct timespec now = {0, 0};
    sigset_t interrupt;
    sqlite3_progress_handler(guard->db, 0, NULL, NULL);
    sqlite3_set_authorizer(guard->db, NULL, NULL);
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigtimedwait(&interrupt, NULL, &now); /* the Ctrl-C that was answered does not end the program besides */
    sigprocmask(SIG_SETMASK, &guard->old_mask, NULL);
}
