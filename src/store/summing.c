/* summing.c — one job at a time. */
#include "summing.h"

#include <pthread.h>
#include <stdlib.h>

#include "../../parsers/ascii.h"
#include "../base/memory.h"

struct summing {
    struct rollup *rollup;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    const struct sum_job *job; /* NULL: none */
    bool done, stop;
};

/* ---- images of rows ---------------------------------------------------------------------------- */

static bool same_ignoring_case(struct slice a, struct slice b)
{
    return a.n == b.n && starts_alike(a, b);
}

static void sum_delivery(struct rollup *rollup, const struct sum_job *job, const struct delivery_row *row)
{
    const struct batch *batch = job->batch;
    const struct message_image *m = messages_image(job->joined, row->owner);
    const struct route_row *route = batch_common_row(batch, COMMON_ROUTE, row->route);
    const struct cause_row *cause = batch_common_row(batch, COMMON_CAUSE, row->cause);
    struct delivery_image image = {
        .at = row->at,
        .kind = batch_id(batch, row->kind),
        .recipient = batch_id(batch, row->recipient),
        .transport = route ? batch_id(batch, route->transport) : 0,
        .host = route ? batch_id(batch, route->host) : 0,
        .ip = route ? batch_id(batch, route->ip) : 0,
        .reason = cause ? batch_id(batch, cause->reason) : 0,
        .reason_class = cause ? batch_id(batch, cause->reason_class) : 0,
        .rewritten = row->original && !same_ignoring_case(batch->strings[row->original].text,
                                                          batch->strings[row->recipient].text),
    };
    rollup_delivery(rollup, &image, m, 1);
}

static void sum_rejection(struct rollup *rollup, const struct sum_job *job, const struct rejection_row *row)
{
    const struct batch *batch = job->batch;
    const struct client_row *client = batch_common_row(batch, COMMON_CLIENT, row->client);
    const struct cause_row *cause = batch_common_row(batch, COMMON_CAUSE, row->cause);
    struct rejection_image image = {
        .server = job->server,
        .at = row->at,
        .temporary = cause->temporary != 0,
        .stage = batch_id(batch, cause->stage),
        .host = client ? batch_id(batch, client->host) : 0,
        .ip = client ? batch_id(batch, client->ip) : 0,
        .reason = batch_id(batch, cause->reason),
        .reason_class = batch_id(batch, cause->reason_class),
    };
    rollup_rejection(rollup, &image, 1);
}

static void sum_auth_failure(struct rollup *rollup, const struct sum_job *job,
                             const struct auth_failure_row *row)
{
    const struct batch *batch = job->batch;
    const struct client_row *client = batch_common_row(batch, COMMON_CLIENT, row->client);
    struct auth_failure_image image = {
        .server = job->server,
        .at = row->at,
        .service = batch_id(batch, row->service),
        .host = client ? batch_id(batch, client->host) : 0,
        .ip = client ? batch_id(batch, client->ip) : 0,
        .user = batch_id(batch, row->user),
        .attempts = row->attempts,
    };
    rollup_auth_failure(rollup, &image, 1);
}

static void sum_rows(struct rollup *rollup, const struct sum_job *job, enum event_table table)
{
    const char *rows = job->batch->events[table].rows;
    for (size_t i = 0; i < job->count[table]; i++) {
        const void *row = rows + job->order[table][i] * event_layouts[table].size;
        if (table == TABLE_DELIVERY)
            sum_delivery(rollup, job, row);
        else if (table == TABLE_REJECTION)
            sum_rejection(rollup, job, row);
        else
            sum_auth_failure(rollup, job, row);
    }
}

static void sum_job(struct rollup *rollup, const struct sum_job *job)
{
    for (size_t i = 0; i < job->batch->messages.count; i++)
        if (messages_is_new(job->joined, i))
            rollup_message(rollup, messages_image(job->joined, i), 1);
    sum_rows(rollup, job, TABLE_DELIVERY);
    sum_rows(rollup, job, TABLE_REJECTION);
    sum_rows(rollup, job, TABLE_AUTH_FAILURE);
}

/* ---- the thread -------------------------------------------------------------------------------- */

static void *sum_all(void *arg)
{
    struct summing *s = arg;
    pthread_mutex_lock(&s->mutex);
    for (;;) {
        while ((!s->job || s->done) && !s->stop)
            pthread_cond_wait(&s->changed, &s->mutex);
        if (!s->job || s->done)
            break;
        pthread_mutex_unlock(&s->mutex);
        sum_job(s->rollup, s->job);
        pthread_mutex_lock(&s->mutex);
        s->done = true;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

struct summing *summing_new(struct rollup *rollup)
{
    struct summing *s = xcalloc(1, sizeof *s);
    s->rollup = rollup;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (pthread_create(&s->thread, NULL, sum_all, s) != 0)
        exit(EXIT_MEMORY);
    return s;
}

void summing_free(struct summing **summing)
{
    struct summing *s = *summing;
    if (!s)
        return;
    pthread_mutex_lock(&s->mutex);
    s->stop = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->mutex);
    pthread_join(s->thread, NULL);
    pthread_mutex_destroy(&s->mutex);
    pthread_cond_destroy(&s->changed);
    free(s);
    *summing = NULL;
}

void summing_give(struct summing *s, const struct sum_job *job)
{
    pthread_mutex_lock(&s->mutex);
    s->job = job;
    s->done = false;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->mutex);
}

void summing_wait(struct summing *s)
{
    pthread_mutex_lock(&s->mutex);
    while (s->job && !s->done)
        pthread_cond_wait(&s->changed, &s->mutex);
    pthread_mutex_unlock(&s->mutex);
}

struct batch *summing_take(struct summing *s)
{
    summing_wait(s);
    struct batch *batch = s->job ? s->job->batch : NULL;
    s->job = NULL;
    return batch;
}
