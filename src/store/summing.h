/* summing.h — a thread that adds the images of a batch's new rows to the sums, while the next batch is written. */
#ifndef MAILTRAIL_SUMMING_H
#define MAILTRAIL_SUMMING_H

#include "messages.h"

/* A batch whose rows are stored, and which of them are new. */
struct sum_job {
    const struct server *server;
    struct batch *batch; /* strings resolved; not changed any more */
    struct messages_joined *joined;
    uint32_t *order[EVENT_TABLE_COUNT]; /* of new rows */
    size_t count[EVENT_TABLE_COUNT], capacity[EVENT_TABLE_COUNT];
};

struct summing;

/* Until the next summing_take or summing_wait the thread alone uses rollup, which is borrowed. */
struct summing *summing_new(struct rollup *rollup);
void summing_free(struct summing **summing); /* what it is at is finished */

/* The job is borrowed until it was taken; the one before must have been. */
void summing_give(struct summing *summing, const struct sum_job *job);

/* Waits until the job is done; answers its batch, which is the caller's again; NULL: none was given. */
struct batch *summing_take(struct summing *summing);

/* Waits until the job is done, and leaves it to be taken. */
void summing_wait(struct summing *summing);

#endif
