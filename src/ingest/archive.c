/* archive.c — the block being filled, the queue of those to be packed, and the thread behind it.

   Memory is bounded by the texts, of which there are few, and by what packed blocks may take: beyond that they go to
   an unnamed file until they are written, as happens with lines of many megabytes. */
#include "archive.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "../../parsers/event.h"
#include "../base/hash.h"
#include "../base/memory.h"
#include "../base/temporary.h"

#define LEVEL 1
#define TEXTS 6                          /* being filled, being packed, waiting */
#define HELD_MAX ((int64_t)32 << 20)     /* octets of packed blocks in memory */

struct archive {
    struct block *current;               /* the parsing thread's: being filled; NULL before archive_begin */
    int64_t line_end;                    /* where the last line ends in the source; its text may still be to come */
    struct block *list, **list_end;      /* ended, and not taken yet */

    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct block *queue, **queue_end;
    char *texts[TEXTS];
    size_t text_count;
    bool stop;
    int64_t held;                        /* octets of packed blocks in memory */
    int spill;                           /* descriptor of the file; -1: none yet */
    int64_t spill_end;                   /* where it goes on */
    int64_t spilled;                     /* blocks in it */
    bool failed;                         /* it could not be written or read */
    struct error err;
};

/* ---- packing ----------------------------------------------------------------------------------- */

static void fail(struct archive *a, int code)
{
    if (!a->failed)
        error_set(&a->err, FAIL_DB, "a temporary file for a very long line: %s; set TMPDIR to a folder with room",
                  code ? strerror(code) : "it is cut");
    a->failed = true;
}

/* Octets to the spill file.  The packing thread's alone. */
static int write_spill(struct archive *a, const char *p, size_t n, int64_t at)
{
    if (a->spill < 0 && (a->spill = temporary_file()) < 0)
        return errno;
    while (n > 0) {
        ssize_t done = pwrite(a->spill, p, n, at);
        if (done < 0 && errno != EINTR)
            return errno;
        p += done > 0 ? done : 0;
        at += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

static int read_spill(int fd, char *p, size_t n, int64_t at)
{
    while (n > 0) {
        ssize_t done = pread(fd, p, n, at);
        if (done == 0 || (done < 0 && errno != EINTR))
            return done < 0 ? errno : EIO;
        p += done > 0 ? done : 0;
        at += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

/* Keeps n packed octets, in memory or in the file. */
static void keep(struct archive *a, struct block *block, const char *packed, size_t n)
{
    pthread_mutex_lock(&a->mutex);
    bool spill = a->held + (int64_t)n > HELD_MAX;
    if (spill && a->spilled == 0)
        a->spill_end = 0;
    int64_t at = a->spill_end;
    a->spill_end += spill ? (int64_t)n : 0;
    a->spilled += spill;
    a->held += spill ? 0 : (int64_t)n;
    pthread_mutex_unlock(&a->mutex);
    int failed = spill ? write_spill(a, packed, n, at) : 0;
    block->packed = slice_of(spill ? NULL : memcpy(xmalloc(n), packed, n), n);
    block->spilled_at = at;
    pthread_mutex_lock(&a->mutex);
    if (failed)
        fail(a, failed);
    block->is_packed = true;
    a->texts[a->text_count++] = block->text;
    block->text = NULL;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->mutex);
}

static struct block *next_to_pack(struct archive *a)
{
    pthread_mutex_lock(&a->mutex);
    while (!a->queue && !a->stop)
        pthread_cond_wait(&a->changed, &a->mutex);
    struct block *block = a->queue;
    if (block && !(a->queue = block->next_to_pack))
        a->queue_end = &a->queue;
    pthread_mutex_unlock(&a->mutex);
    return block;
}

static void *pack_all(void *arg)
{
    struct archive *a = arg;
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t room = ZSTD_compressBound(BLOCK_MAX);
    char *packed = xmalloc(room);
    if (!context)
        exit(EXIT_MEMORY);
    for (struct block *block; (block = next_to_pack(a));) {
        struct slice text = slice_of(block->text, (size_t)block->octets);
        block->checksum = hash_bytes(text, 0);
        size_t n = ZSTD_compressCCtx(context, packed, room, text.p, text.n, LEVEL);
        if (ZSTD_isError(n))
            exit(EXIT_MEMORY); /* there is room: nothing else can fail */
        keep(a, block, packed, n);
    }
    ZSTD_freeCCtx(context);
    free(packed);
    return NULL;
}

struct archive *archive_new(void)
{
    struct archive *a = xcalloc(1, sizeof *a);
    a->list_end = &a->list;
    a->queue_end = &a->queue;
    a->spill = -1;
    while (a->text_count < TEXTS)
        a->texts[a->text_count++] = xmalloc(BLOCK_MAX);
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->changed, NULL);
    if (pthread_create(&a->thread, NULL, pack_all, a) != 0)
        exit(EXIT_MEMORY);
    return a;
}

static void free_block(struct block *block)
{
    free((char *)(uintptr_t)block->packed.p);
    free(block->text);
    free(block);
}

void archive_free(struct archive **archive)
{
    struct archive *a = *archive;
    if (!a)
        return;
    archive_drop(&a->list);
    pthread_mutex_lock(&a->mutex);
    a->stop = true;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->mutex);
    pthread_join(a->thread, NULL);
    if (a->current)
        free_block(a->current);
    while (a->text_count)
        free(a->texts[--a->text_count]);
    if (a->spill >= 0)
        close(a->spill);
    pthread_mutex_destroy(&a->mutex);
    pthread_cond_destroy(&a->changed);
    free(a);
    *archive = NULL;
}

int archive_wait(struct block *block, struct error *err)
{
    struct archive *a = block->archive;
    pthread_mutex_lock(&a->mutex);
    while (!block->is_packed)
        pthread_cond_wait(&a->changed, &a->mutex);
    if (!block->packed.p && !a->failed) {
        char *packed = xmalloc(block->packed.n);
        int failed = read_spill(a->spill, packed, block->packed.n, block->spilled_at);
        if (failed)
            fail(a, failed);
        block->packed.p = packed;
        a->spilled--;
        a->held += (int64_t)block->packed.n;
    }
    bool failed = a->failed;
    if (failed)
        *err = a->err;
    pthread_mutex_unlock(&a->mutex);
    return failed ? -1 : 0;
}

void archive_drop(struct block **blocks)
{
    for (struct block *block = *blocks, *next; block; block = next) {
        struct archive *a = block->archive;
        next = block->next;
        pthread_mutex_lock(&a->mutex);
        while (!block->is_packed)
            pthread_cond_wait(&a->changed, &a->mutex);
        a->held -= block->packed.p ? (int64_t)block->packed.n : 0;
        a->spilled -= !block->packed.p;
        pthread_mutex_unlock(&a->mutex);
        free_block(block);
    }
    *blocks = NULL;
}

/* ---- filling ----------------------------------------------------------------------------------- */

static struct block *new_block(struct archive *a, int64_t position, int64_t line)
{
    struct block *block = xcalloc(1, sizeof *block);
    block->archive = a;
    block->position = position;
    block->line = line;
    block->first_at = block->last_at = NUM_ABSENT;
    pthread_mutex_lock(&a->mutex);
    while (!a->text_count)
        pthread_cond_wait(&a->changed, &a->mutex);
    block->text = a->texts[--a->text_count];
    pthread_mutex_unlock(&a->mutex);
    return block;
}

static void note_time(struct block *block, int64_t at)
{
    if (at == NUM_ABSENT)
        return;
    if (block->first_at == NUM_ABSENT || at < block->first_at)
        block->first_at = at;
    if (block->last_at == NUM_ABSENT || at > block->last_at)
        block->last_at = at;
}

int64_t archive_size(const struct archive *a)
{
    return a->line_end > a->current->position ? a->line_end - a->current->position : 0;
}

/* The block takes what it has up to size, and a new one begins with the rest. */
static void end_block(struct archive *a, int64_t size)
{
    struct block *block = a->current;
    struct block *next = new_block(a, block->position + size, block->line + block->lines);
    next->octets = block->octets - size;
    memcpy(next->text, block->text + size, (size_t)next->octets);
    block->octets = size;
    a->current = next;
    *a->list_end = block;
    a->list_end = &block->next;
    pthread_mutex_lock(&a->mutex);
    *a->queue_end = block;
    a->queue_end = &block->next_to_pack;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->mutex);
}

void archive_begin(struct archive *a, int64_t position, int64_t line, const struct block *last, struct slice text)
{
    archive_drop(&a->list);
    a->list_end = &a->list;
    if (!a->current)
        a->current = new_block(a, position, line);
    struct block *block = a->current;
    block->position = last ? last->position : position;
    block->line = last ? last->line : line;
    block->lines = last ? last->lines : 0;
    block->first_at = last ? last->first_at : NUM_ABSENT;
    block->last_at = last ? last->last_at : NUM_ABSENT;
    block->octets = last ? last->octets : 0;
    a->line_end = position;
    if (last)
        memcpy(block->text, text.p, text.n);
}

void archive_text(void *archive, struct slice octets)
{
    struct archive *a = archive;
    while (octets.n > 0) {
        struct block *block = a->current;
        size_t room = BLOCK_MAX - (size_t)block->octets;
        size_t n = octets.n < room ? octets.n : room;
        memcpy(block->text + block->octets, octets.p, n);
        block->octets += (int64_t)n;
        octets = slice_after(octets, n);
        if (n == room) /* whole lines, and else a piece of one */
            end_block(a, archive_size(a) > 0 && archive_size(a) < block->octets ? archive_size(a) : block->octets);
    }
}

void archive_line(struct archive *a, int64_t end, int64_t at)
{
    int64_t start = a->line_end;
    a->line_end = end;
    a->current->lines++;
    note_time(a->current, at);
    if (start >= a->current->position)
        return;
    for (struct block *piece = a->list; piece; piece = piece->next)
        if (piece->position >= start)
            note_time(piece, at);
}

void archive_cut(struct archive *a)
{
    assert(a->current->octets >= archive_size(a));
    if (archive_size(a) > 0)
        end_block(a, archive_size(a));
}

void archive_back(struct archive *a)
{
    struct block *block = a->current, **rest = &a->list;
    while (*rest && (*rest)->position < a->line_end)
        rest = &(*rest)->next;
    if (*rest)
        block->position = a->line_end;
    block->octets = archive_size(a);
    archive_drop(rest);
    a->list_end = rest;
}

struct block *archive_take(struct archive *a)
{
    archive_cut(a);
    struct block *list = a->list;
    a->list = NULL;
    a->list_end = &a->list;
    return list;
}

/* ---- unpacking --------------------------------------------------------------------------------- */

struct block_unpacker {
    ZSTD_DCtx *context;
    char *text; /* BLOCK_MAX octets */
};

struct block_unpacker *block_unpacker_new(void)
{
    struct block_unpacker *u = xmalloc(sizeof *u);
    u->context = ZSTD_createDCtx();
    if (!u->context)
        exit(EXIT_MEMORY);
    u->text = xmalloc(BLOCK_MAX);
    return u;
}

void block_unpacker_free(struct block_unpacker **unpacker)
{
    if (!*unpacker)
        return;
    ZSTD_freeDCtx((*unpacker)->context);
    free((*unpacker)->text);
    free(*unpacker);
    *unpacker = NULL;
}

int block_unpacker_text(struct block_unpacker *u, struct slice packed, int64_t octets, uint64_t checksum, struct slice *text)
{
    size_t n = ZSTD_decompressDCtx(u->context, u->text, BLOCK_MAX, packed.p, packed.n);
    if (ZSTD_isError(n) || (int64_t)n != octets)
        return -1;
    *text = slice_of(u->text, n);
    return hash_bytes(*text, 0) == checksum ? 0 : -1;
}
