/* store.h — the database file: opened, checked, brought up to date; and what ingest keeps in it besides
   rows: servers, sources, positions. */
#ifndef MAILTRAIL_STORE_H
#define MAILTRAIL_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "../ingest/zone.h"

#define STORE_APPLICATION_ID 0x4d54726c /* "MTrl", for file(1) */
#define STORE_VERSION 1                 /* number of the last schema/NNN_*.sql */

enum store_mode {
    STORE_READ,   /* read-only; the file must be there.  Where it has no log, and the folder may not be written, so that
                     none can be made, it is read without one: see store_check_still */
    STORE_CHANGE, /* as STORE_WRITE, but the file must be there */
    STORE_WRITE   /* made and migrated when need be; one writer at a time */
};

struct store;

/* Opens a database.  -1: *err says what is wrong with it and what to do; nothing was changed. */
int store_open(const char *path, enum store_mode mode, struct store **store, struct error *err);
void store_close(struct store **store); /* accepts NULL, leaves NULL; an open transaction is rolled back */

/* A database that is being filled for the first time is a draft: written without a log, not to be read, and begun
   anew should it not come to its end.  Publishing it, between transactions, puts it on the disk and makes it a
   database like any other; what is published already stays as it is. */
bool store_is_draft(const struct store *store);
int store_publish(struct store *store, struct error *err);
/* Puts what was written of a draft on the disk so far: 0, or -1 with errno.  Any thread may call it. */
int store_sync(const struct store *store);

/* Puts what was committed into the file itself and empties its log, as far as no reader still needs it: for the end of
   what wrote.  What fails is done by the next. */
void store_settle(struct store *store);

/* The connection, the store's own: for queries and reports. */
sqlite3 *store_db(struct store *store);

/* Fills *err from the connection's last error, naming the database and what to do; returns -1. */
int store_error(struct store *store, struct error *err);

/* A statement, or NULL with *err filled.  The caller finalizes it. */
sqlite3_stmt *store_prepare(struct store *store, const char *sql, struct error *err);
/* Binds a number; INT64_MIN, which is how rows say absent, as NULL. */
void store_bind_int(sqlite3_stmt *stmt, int i, int64_t value);
/* Reads on in a statement.  1: it has a row; 0: there is none, or no more; -1: *err. */
int store_next(struct store *store, sqlite3_stmt *stmt, struct error *err);
/* Runs a statement that answers no rows, and makes it ready for the next time. */
int store_step(struct store *store, sqlite3_stmt *stmt, struct error *err);
/* Runs a script. */
int store_run(struct store *store, const char *sql, struct error *err);

/* What was read without a log must not have been written meanwhile: -1 with *err if it was, at the end of reading. */
int store_check_still(const struct store *store, struct error *err);
/* The name under which SQLite's shell opens the file as store_open did; the caller's to free. */
char *store_name(const struct store *store);

/* From now on reads pages where they lie in the file, not copies of them: for what reads much once. */
int store_map(struct store *store, struct error *err);

/* As given to store_open; the store's own. */
const char *store_path(const struct store *store);
/* Seed of string_hash, drawn when the database was made. */
uint64_t store_hash_seed(const struct store *store);

/* ---- servers ----------------------------------------------------------------------------------- */

struct server {
    int64_t id;
    char *name, *zone_name; /* the struct's own */
    struct zone zone;
    int64_t pruned_before; /* what is earlier is not stored any more; INT64_MIN: nothing was pruned */
};

/* The server of a name, made with zone_name when it is new; a NULL zone_name takes the system's.  An existing
   server keeps its zone: another zone_name is an error with the command that mends it.  Writes, so it belongs
   inside a transaction or before one. */
int store_server(struct store *store, const char *name, const char *zone_name, struct server *server,
                 struct error *err);
/* The server of a source.  -1: *err. */
int store_server_of(struct store *store, int64_t source, struct server *server, struct error *err);
void server_free(struct server *server);

#endif
