/* sources.h — which logs were read, and how far: what saves reading them again. */
#ifndef MAILTRAIL_SOURCES_H
#define MAILTRAIL_SOURCES_H

#include "../ingest/carry.h"
#include "../ingest/source.h"
#include "store.h"

/* A source as the database knows it. */
struct source_row {
    int64_t id, server;
    uint64_t head_hash;
    int64_t head_size;
    int64_t position;
    uint64_t tail_hash; /* before tail_at */
    int64_t tail_at;    /* at or behind position */
    int64_t lines;
    bool archived;      /* its lines are kept */
    bool syslog_single; /* syslog_duplication = no */
};

/* Calls visit for each source of a server that may begin as the head given, furthest read first, until it
   answers other than 0; answers that, or -1.  hash answers the head hash of a length, at most head_size. */
struct source_search {
    int64_t server;
    int64_t head_size;
    uint64_t (*hash)(void *context, int64_t size);
    int (*visit)(void *context, const struct source_row *row, struct error *err);
    void *context;
};
int sources_search(struct store *store, const struct source_search *search, struct error *err);

/* A source that another server has. */
struct source_twin {
    int64_t id;
    char *server, *path; /* the struct's own */
};
/* Finds one that begins as the head given, of TWIN_SIZE octets or more; shorter ones may be alike by chance.  visit is
   not called.  1; 0: there is none, *twin is empty; -1. */
#define TWIN_SIZE 1024
int sources_twin(struct store *store, const struct source_search *search, struct source_twin *twin, struct error *err);
void source_twin_free(struct source_twin *twin);

/* The bytes carried over, for the caller to carry_free. */
int sources_carry(struct store *store, int64_t source, struct carry *carry, struct error *err);

/* A number for a source yet to be stored. */
int sources_next_id(struct store *store, int64_t *id, struct error *err);
int sources_insert(struct store *store, const struct source_row *row, const char *path, struct error *err);

/* Notes where a known source was found, its longer head, and that it was looked at. */
int sources_touch(struct store *store, const struct source_row *row, const char *path, struct error *err);

/* Notes why a source ended early; NULL: it is whole. */
int sources_damage(struct store *store, int64_t source, const char *damage, struct error *err);

/* Whether this very file was read to its end before; notes a path that it has got since.  1, 0, -1. */
int sources_file_known(struct store *store, const struct source_facts *facts, int64_t server, const char *path,
                       struct error *err);
int sources_file_read(struct store *store, const struct source_facts *facts, int64_t source,
                      struct error *err);

#endif
