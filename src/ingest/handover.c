/* handover.c — a queue of at most BATCHES batches, and the thread behind it. */
#include "handover.h"

#include <pthread.h>
#include <stdlib.h>

#include "../base/memory.h"

#define BATCHES 4 /* being filled, waiting, being written, being summed */

struct given {
    const struct server *server;
    struct batch *batch;
};

struct handover {
    struct writer *writer;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct batch *free_batches[BATCHES];
    size_t free_count;
    struct given queue[BATCHES];
    size_t first, count; /* of the queue; the batch being written is still in it */
    bool stop, failed;
    struct error err;
};

/* An empty batch again; the mutex is held. */
static void recycle(struct handover *h, struct batch *batch)
{
    if (!batch)
        return;
    batch_empty(batch);
    h->free_batches[h->free_count++] = batch;
    pthread_cond_broadcast(&h->changed);
}

/* Writes a batch.  *finished: the one before it, or itself where it could not be written. */
static int write_one(struct handover *h, const struct given *given, struct batch *finished[2])
{
    int done = writer_put(h->writer, given->server, given->batch, &finished[0], &h->err);
    finished[1] = done < 0 ? given->batch : NULL;
    if (done < 0)
        return -1;
    return writer_is_due(h->writer) ? writer_commit(h->writer, &h->err) : 0;
}

static void *write_all(void *arg)
{
    struct handover *h = arg;
    pthread_mutex_lock(&h->mutex);
    for (;;) {
        while (!h->count && !h->stop)
            pthread_cond_wait(&h->changed, &h->mutex);
        if (!h->count)
            break;
        struct given given = h->queue[h->first];
        bool skip = h->failed || h->stop;
        struct batch *finished[2] = {NULL, skip ? given.batch : NULL};
        pthread_mutex_unlock(&h->mutex);
        bool failed = !skip && write_one(h, &given, finished) < 0;
        pthread_mutex_lock(&h->mutex);
        h->failed |= failed;
        recycle(h, finished[0]);
        recycle(h, finished[1]);
        h->first = (h->first + 1) % BATCHES;
        h->count--;
        pthread_cond_broadcast(&h->changed);
    }
    recycle(h, writer_summed(h->writer));
    pthread_mutex_unlock(&h->mutex);
    return NULL;
}

struct handover *handover_new(struct writer *writer, uint64_t hash_seed)
{
    struct handover *h = xcalloc(1, sizeof *h);
    h->writer = writer;
    while (h->free_count < BATCHES)
        h->free_batches[h->free_count++] = batch_new(hash_seed);
    pthread_mutex_init(&h->mutex, NULL);
    pthread_cond_init(&h->changed, NULL);
    if (pthread_create(&h->thread, NULL, write_all, h) != 0)
        exit(EXIT_MEMORY);
    return h;
}

void handover_free(struct handover **handover)
{
    struct handover *h = *handover;
    if (!h)
        return;
    pthread_mutex_lock(&h->mutex);
    h->stop = true;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->mutex);
    pthread_join(h->thread, NULL);
    for (size_t i = 0; i < h->free_count; i++)
        batch_free(&h->free_batches[i]);
    pthread_mutex_destroy(&h->mutex);
    pthread_cond_destroy(&h->changed);
    free(h);
    *handover = NULL;
}

struct batch *handover_take(struct handover *h)
{
    pthread_mutex_lock(&h->mutex);
    while (!h->free_count)
        pthread_cond_wait(&h->changed, &h->mutex);
    struct batch *batch = h->free_batches[--h->free_count];
    pthread_mutex_unlock(&h->mutex);
    return batch;
}

void handover_give(struct handover *h, const struct server *server, struct batch *batch)
{
    pthread_mutex_lock(&h->mutex);
    h->queue[(h->first + h->count++) % BATCHES] = (struct given){server, batch};
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->mutex);
}

void handover_return(struct handover *h, struct batch *batch)
{
    batch_empty(batch);
    pthread_mutex_lock(&h->mutex);
    h->free_batches[h->free_count++] = batch;
    pthread_mutex_unlock(&h->mutex);
}

int handover_drain(struct handover *h, struct error *err)
{
    pthread_mutex_lock(&h->mutex);
    while (h->count)
        pthread_cond_wait(&h->changed, &h->mutex);
    bool failed = h->failed;
    pthread_mutex_unlock(&h->mutex);
    if (failed)
        *err = h->err;
    return failed ? -1 : 0;
}

bool handover_failed(struct handover *h)
{
    pthread_mutex_lock(&h->mutex);
    bool failed = h->failed;
    pthread_mutex_unlock(&h->mutex);
    return failed;
}
