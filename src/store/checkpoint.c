/* checkpoint.c — passive checkpoints only: they never wait for a reader and no reader waits for them.  What fails
   here fails without loss, since the log keeps it, or a draft is synced once more at its end; the next tries again. */
#include "checkpoint.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "../base/error.h"
#include "../base/memory.h"

struct checkpointer {
    const struct store *store;
    sqlite3 *db;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned asked, done; /* checkpoints */
    bool sync, stop;
};

/* The mutex is held, but while it works. */
static void work(struct checkpointer *c, bool sync)
{
    pthread_mutex_unlock(&c->mutex);
    if (sync) {
        store_sync(c->store);
    } else {
        sqlite3_exec(c->db, "PRAGMA user_version", NULL, NULL, NULL); /* a connection finds the log by reading */
        sqlite3_wal_checkpoint_v2(c->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    pthread_mutex_lock(&c->mutex);
}

static void *copy_all(void *arg)
{
    struct checkpointer *c = arg;
    pthread_mutex_lock(&c->mutex);
    for (;;) {
        while (c->done == c->asked && !c->sync && !c->stop)
            pthread_cond_wait(&c->changed, &c->mutex);
        if (c->stop)
            break;
        unsigned asked = c->asked;
        bool sync = c->sync;
        c->sync = false;
        work(c, sync);
        if (!sync)
            c->done = asked;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->mutex);
    return NULL;
}

struct checkpointer *checkpointer_new(const struct store *store)
{
    struct checkpointer *c = xcalloc(1, sizeof *c);
    c->store = store;
    sqlite3_open_v2(store_path(store), &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->changed, NULL);
    if (pthread_create(&c->thread, NULL, copy_all, c) != 0)
        exit(EXIT_MEMORY);
    return c;
}

void checkpointer_free(struct checkpointer **checkpointer)
{
    struct checkpointer *c = *checkpointer;
    if (!c)
        return;
    pthread_mutex_lock(&c->mutex);
    c->stop = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    pthread_join(c->thread, NULL);
    pthread_mutex_destroy(&c->mutex);
    pthread_cond_destroy(&c->changed);
    sqlite3_close(c->db);
    free(c);
    *checkpointer = NULL;
}

void checkpointer_wake(struct checkpointer *c)
{
    pthread_mutex_lock(&c->mutex);
    c->asked++;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

void checkpointer_wait(struct checkpointer *c)
{
    pthread_mutex_lock(&c->mutex);
    while (c->done != c->asked)
        pthread_cond_wait(&c->changed, &c->mutex);
    pthread_mutex_unlock(&c->mutex);
}

void checkpointer_sync(struct checkpointer *c)
{
    pthread_mutex_lock(&c->mutex);
    c->sync = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}
