/* lines.c — a ring of chunks filled by a reading thread, emptied line by line.

   Each chunk has head room in front: when a line reaches over a chunk's end, what is there of it, and the
   tail before it, are copied into the next chunk's head room, so that a line is always one piece. */
#include "lines.h"

#include <pthread.h>
#include <stdlib.h>

#include "../base/memory.h"

#define CHUNK ((size_t)512 << 10)
#define HEAD (LINE_KEPT + TAIL_SIZE)
#define RING 3

struct chunk {
    char *memory; /* HEAD + CHUNK octets */
    size_t n;     /* octets behind the head room */
    int state;    /* 1: more may follow; 0: the source's end; -1: error */
    struct error err;
};

struct lines {
    struct source *source;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct chunk ring[RING];
    size_t filled, emptied; /* chunks so far, by the reader and by lines_next */
    bool stop;

    const char *p, *end; /* unread octets of the current chunk */
    const char *copied;  /* first octet that the sink has not got */
    line_sink *sink;     /* or NULL */
    void *sink_context;
    const char *low;     /* first octet in front of p that is still of this source */
    int64_t offset;      /* of p */
    bool has_chunk;      /* p, end and low are in a chunk; else in before */
    size_t before_size;
    char before[TAIL_SIZE];
};

static void fill_chunk(struct source *source, struct chunk *chunk)
{
    ptrdiff_t n = 1;
    chunk->n = 0;
    while (chunk->n < CHUNK && n > 0) {
        n = source_read(source, chunk->memory + HEAD + chunk->n, CHUNK - chunk->n, &chunk->err);
        chunk->n += n > 0 ? (size_t)n : 0;
    }
    chunk->state = n > 0 ? 1 : (int)n;
}

static void *read_ahead(void *arg)
{
    struct lines *in = arg;
    for (bool more = true; more;) {
        pthread_mutex_lock(&in->mutex);
        while (!in->stop && in->filled - in->emptied == RING)
            pthread_cond_wait(&in->changed, &in->mutex);
        bool stop = in->stop;
        pthread_mutex_unlock(&in->mutex);
        if (stop)
            break;
        struct chunk *chunk = &in->ring[in->filled % RING];
        fill_chunk(in->source, chunk);
        more = chunk->state > 0;
        pthread_mutex_lock(&in->mutex);
        in->filled++;
        pthread_cond_broadcast(&in->changed);
        pthread_mutex_unlock(&in->mutex);
    }
    return NULL;
}

struct lines *lines_over(struct source *source, int64_t from, struct slice before)
{
    struct lines *in = xcalloc(1, sizeof *in);
    in->source = source;
    in->offset = from;
    for (size_t i = 0; i < RING; i++)
        in->ring[i].memory = xmalloc(HEAD + CHUNK);
    in->before_size = before.n > TAIL_SIZE ? TAIL_SIZE : before.n;
    if (in->before_size)
        memcpy(in->before, before.p + before.n - in->before_size, in->before_size);
    in->p = in->end = in->before + in->before_size;
    in->low = in->before;
    pthread_mutex_init(&in->mutex, NULL);
    pthread_cond_init(&in->changed, NULL);
    if (pthread_create(&in->thread, NULL, read_ahead, in) != 0)
        exit(EXIT_MEMORY);
    return in;
}

void lines_copy(struct lines *in, line_sink *sink, void *context)
{
    in->sink = sink;
    in->sink_context = context;
    in->copied = in->p;
}

void lines_flush(struct lines *in)
{
    if (in->sink && in->p > in->copied)
        in->sink(in->sink_context, slice_of(in->copied, (size_t)(in->p - in->copied)));
    in->copied = in->p;
}

static struct chunk *current(struct lines *in)
{
    return &in->ring[in->emptied % RING];
}

static void await_chunk(struct lines *in)
{
    pthread_mutex_lock(&in->mutex);
    while (in->filled == in->emptied)
        pthread_cond_wait(&in->changed, &in->mutex);
    pthread_mutex_unlock(&in->mutex);
}

static void release_chunk(struct lines *in)
{
    pthread_mutex_lock(&in->mutex);
    in->emptied++;
    pthread_cond_broadcast(&in->changed);
    pthread_mutex_unlock(&in->mutex);
}

/* Steps to the next chunk, whose head room takes the unread rest (at most LINE_KEPT octets of it) and the
   tail before that.  false: there is none. */
static bool next_chunk(struct lines *in)
{
    char kept[HEAD];
    size_t rest = (size_t)(in->end - in->p);
    size_t tail = (size_t)(in->p - in->low);
    if (in->has_chunk && current(in)->state <= 0)
        return false;
    lines_flush(in);
    if (tail > TAIL_SIZE)
        tail = TAIL_SIZE;
    if (rest + tail > 0)
        memcpy(kept, in->p - tail, rest + tail);
    if (in->has_chunk)
        release_chunk(in);
    await_chunk(in);
    char *start = current(in)->memory + HEAD;
    if (rest + tail > 0)
        memcpy(start - rest - tail, kept, rest + tail);
    in->p = in->copied = start - rest;
    in->low = start - rest - tail;
    in->end = start + current(in)->n;
    in->has_chunk = true;
    return true;
}

static void hand_out(struct lines *in, struct line *line, size_t n, bool open)
{
    *line = (struct line){
        .text = slice_of(in->p, n < LINE_KEPT ? n : LINE_KEPT),
        .offset = in->offset,
        .end = in->offset + (int64_t)n + !open,
        .size = (int64_t)n,
        .open = open,
    };
    in->p += n + !open;
    in->offset = line->end;
}

/* The line is longer than the head room: keeps its beginning in the current chunk's memory and counts the
   rest, chunk by chunk, up to its LF.  As lines_next. */
static int long_line(struct lines *in, struct line *line, struct error *err)
{
    char *kept = xmalloc(LINE_KEPT);
    int64_t size = 0;
    const char *lf = NULL;
    memcpy(kept, in->p, LINE_KEPT);
    while (!(lf = memchr(in->p, '\n', (size_t)(in->end - in->p)))) {
        size += in->end - in->p;
        in->p = in->end;
        if (!next_chunk(in))
            break;
    }
    const char *stop = lf ? lf : in->end;
    size += stop - in->p;
    in->p = lf ? lf + 1 : in->end;
    /* Every chunk has room for it in front, where lines before it may lie that were not copied yet; the tail is then cut to
       what follows. */
    lines_flush(in);
    char *front = current(in)->memory;
    memcpy(front, kept, LINE_KEPT);
    free(kept);
    if (in->low < front + LINE_KEPT)
        in->low = front + LINE_KEPT < in->p ? front + LINE_KEPT : in->p;
    *line = (struct line){slice_of(front, LINE_KEPT), in->offset, in->offset + size + (lf != NULL), size, !lf};
    in->offset = line->end;
    if (lf || current(in)->state == 0)
        return 1;
    *err = current(in)->err;
    return -1;
}

int lines_next(struct lines *in, struct line *line, struct error *err)
{
    for (;;) {
        size_t n = (size_t)(in->end - in->p);
        const char *lf = memchr(in->p, '\n', n);
        if (lf) {
            hand_out(in, line, (size_t)(lf - in->p), false);
            return 1;
        }
        if (n > LINE_KEPT)
            return long_line(in, line, err);
        if (next_chunk(in))
            continue;
        if (current(in)->state < 0) {
            *err = current(in)->err;
            return -1;
        }
        if (n == 0)
            return 0;
        hand_out(in, line, n, true);
        return 1;
    }
}

struct slice lines_tail(const struct lines *in)
{
    size_t n = (size_t)(in->p - in->low);
    return n > TAIL_SIZE ? slice_of(in->p - TAIL_SIZE, TAIL_SIZE) : slice_of(in->low, n);
}

void lines_free(struct lines **in)
{
    struct lines *l = *in;
    if (!l)
        return;
    pthread_mutex_lock(&l->mutex);
    l->stop = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->mutex);
    pthread_join(l->thread, NULL);
    for (size_t i = 0; i < RING; i++)
        free(l->ring[i].memory);
    pthread_mutex_destroy(&l->mutex);
    pthread_cond_destroy(&l->changed);
    free(l);
    *in = NULL;
}
