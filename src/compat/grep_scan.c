/* grep_scan.c — threads that take block after block; what they select is handed out in order, by a ring. */
#include "grep_scan.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/memory.h"

#define WORKERS_MAX 8
#define RING 16 /* blocks between the first that was not handed out yet and the last that is worked at */

struct worker;

/* Lines selected from a block. */
struct selected {
    char *text;
    size_t n, capacity;
    size_t block;
    bool ready;
};

struct search {
    struct store *store;
    struct grep_blocks *blocks;
    const bool *needed; /* by block */
    int (*work)(struct worker *w, size_t block, struct slice text);
    struct block_reader *reader;
    pthread_mutex_t mutex; /* of the rest, the reader and the messages */
    pthread_cond_t changed;
    size_t next;           /* block */
    size_t begun, done;    /* blocks so far: taken by a worker, handed out */
    struct selected ring[RING];
    bool in_order;         /* what is selected is handed out */
    bool failed;
    struct error err;
};

struct worker {
    struct search *search;
    pthread_t thread;
    struct perl_regex *regex;
    struct block_unpacker *unpacker;
    char *room;
    size_t capacity;
    struct slice *ids; /* matching, of this block */
    size_t id_count, id_capacity;
    struct selected *selected;
    struct error err;
};

int grep_regex(const struct grep_options *options, struct perl_regex **regex, struct error *err)
{
    unsigned flags = (options->literal ? PERL_REGEX_LITERAL : 0) | (options->ignore_case ? PERL_REGEX_CASELESS : 0);
    return perl_regex_new(options->pattern, flags, regex, err);
}

bool grep_block_touches(const struct grep_options *options, const struct block *block)
{
    return (options->since == INT64_MIN || (block->last_at != NUM_ABSENT && block->last_at >= options->since)) &&
           (options->until == INT64_MAX || (block->first_at != NUM_ABSENT && block->first_at < options->until));
}

bool grep_in_time(const struct grep_blocks *blocks, const struct block *block, struct slice line)
{
    const struct grep_options *o = blocks->options;
    bool after = o->since == INT64_MIN || (block->first_at != NUM_ABSENT && block->first_at >= o->since);
    if (after && (o->until == INT64_MAX || (block->last_at != NUM_ABSENT && block->last_at < o->until)))
        return true;
    struct line_time lt;
    line_time_begin(&lt, &blocks->server->zone, block->first_at);
    int64_t at = line_time_next(&lt, line);
    return at >= o->since && at < o->until;
}

/* ---- one block --------------------------------------------------------------------------------- */

/* The line of which p is an octet. */
static struct slice line_around(struct slice text, size_t at)
{
    const char *lf = memrchr(text.p, '\n', at);
    return grep_line(slice_after(text, lf ? (size_t)(lf - text.p) + 1 : 0));
}

static int take_line(struct worker *w, size_t i, struct slice line)
{
    struct grep_blocks *blocks = w->search->blocks;
    struct exigrep_line read = grep_read(line);
    int found = perl_regex_matches(w->regex, read.text, &w->err);
    if (found <= 0 || !grep_in_time(blocks, &blocks->list[i].block, line))
        return found;
    if (!read.id.p) {
        blocks->plain[i] = true;
    } else if (!w->id_count || !slice_equal(w->ids[w->id_count - 1], read.id)) {
        w->ids = grow(w->ids, &w->id_capacity, w->id_count + 1, sizeof *w->ids);
        w->ids[w->id_count++] = read.id;
    }
    return 0;
}

static int scan_text(struct worker *w, size_t i, struct slice text)
{
    int done = 0;
    for (size_t at = 0; done >= 0 && at < text.n;) {
        at = perl_regex_candidate(w->regex, text, at);
        if (at >= text.n)
            break;
        struct slice line = line_around(text, at);
        done = take_line(w, i, line);
        at = (size_t)(line.p - text.p) + line.n;
    }
    return done < 0 ? -1 : 0;
}

static void note_messages(struct worker *w, const struct block *block)
{
    pthread_mutex_lock(&w->search->mutex);
    for (size_t i = 0; i < w->id_count; i++) {
        struct open_message *message = open_messages_get(w->search->blocks->messages, w->ids[i]);
        if (!message->matched || message->seen_at < block->last_at)
            message->seen_at = block->last_at;
        message->matched = true;
    }
    pthread_mutex_unlock(&w->search->mutex);
}

static int search_block(struct worker *w, size_t i, struct slice text)
{
    w->id_count = 0;
    if (scan_text(w, i, text) < 0)
        return -1;
    if (w->id_count)
        note_messages(w, &w->search->blocks->list[i].block);
    return 0;
}

static bool is_selected(const struct grep_blocks *blocks, size_t i, struct slice line)
{
    struct exigrep_line read = grep_read(line);
    if (!read.id.p)
        return blocks->plain[i] || blocks->options->invert;
    return (open_messages_find(blocks->messages, read.id) != NULL) != blocks->options->invert;
}

static int select_lines(struct worker *w, size_t i, struct slice text)
{
    struct selected *out = w->selected;
    while (text.n) {
        struct slice line = grep_line(text);
        if (is_selected(w->search->blocks, i, line)) {
            out->text = grow(out->text, &out->capacity, out->n + line.n, 1);
            memcpy(out->text + out->n, line.p, line.n);
            out->n += line.n;
        }
        text = slice_after(text, line.n);
    }
    return 0;
}

/* ---- all --------------------------------------------------------------------------------------- */

static void fail(struct search *search, const struct error *err)
{
    if (!search->failed)
        search->err = *err;
    search->failed = true;
    pthread_cond_broadcast(&search->changed);
}

/* Reads the next block that is needed; the mutex is held.  false: there is none. */
static bool take_next(struct worker *w, size_t *i)
{
    struct search *search = w->search;
    struct grep_blocks *blocks = search->blocks;
    while (search->next < blocks->count && !search->needed[search->next])
        search->next++;
    if (search->next >= blocks->count || search->failed)
        return false;
    *i = search->next++;
    if (block_reader_read(search->reader, &blocks->list[*i], &w->room, &w->capacity, &w->err) < 0) {
        fail(search, &w->err);
        return false;
    }
    w->selected = &search->ring[search->begun++ % RING];
    w->selected->block = *i;
    w->selected->n = 0;
    return true;
}

static bool take_block(struct worker *w, size_t *i)
{
    struct search *search = w->search;
    pthread_mutex_lock(&search->mutex);
    while (search->in_order && search->begun - search->done >= RING && !search->failed)
        pthread_cond_wait(&search->changed, &search->mutex);
    bool got = take_next(w, i);
    if (!got)
        pthread_cond_broadcast(&search->changed);
    pthread_mutex_unlock(&search->mutex);
    return got;
}

static void *work_all(void *arg)
{
    struct worker *w = arg;
    struct search *search = w->search;
    struct slice text;
    size_t i;
    while (take_block(w, &i)) {
        bool failed = block_text(search->store, w->unpacker, &search->blocks->list[i], &text, &w->err) < 0 ||
                      search->work(w, i, text) < 0;
        pthread_mutex_lock(&search->mutex);
        w->selected->ready = true;
        if (failed)
            fail(search, &w->err);
        pthread_cond_broadcast(&search->changed);
        pthread_mutex_unlock(&search->mutex);
    }
    return NULL;
}

/* The next block's lines, when they are there; NULL: there are no more. */
static struct selected *await_selected(struct search *search)
{
    struct selected *selected = &search->ring[search->done % RING];
    pthread_mutex_lock(&search->mutex);
    for (;;) {
        while (search->next < search->blocks->count && !search->needed[search->next])
            search->next++;
        bool more = search->done < search->begun || search->next < search->blocks->count;
        if (search->failed || !more || (search->done < search->begun && selected->ready))
            break;
        pthread_cond_wait(&search->changed, &search->mutex);
    }
    bool got = !search->failed && search->done < search->begun;
    pthread_mutex_unlock(&search->mutex);
    return got ? selected : NULL;
}

static int hand_out(struct search *search, const struct grep_taker *taker, struct error *err)
{
    int done = 0;
    for (struct selected *selected; done == 0 && (selected = await_selected(search));) {
        done = taker->take(taker->context, selected->block, slice_of(selected->text, selected->n), err);
        pthread_mutex_lock(&search->mutex);
        selected->ready = false;
        search->done++;
        if (done < 0)
            fail(search, err);
        pthread_cond_broadcast(&search->changed);
        pthread_mutex_unlock(&search->mutex);
    }
    return done;
}

static void free_worker(struct worker *w)
{
    perl_regex_free(&w->regex);
    block_unpacker_free(&w->unpacker);
    free(w->room);
    free(w->ids);
}

static size_t count_workers(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors > WORKERS_MAX ? WORKERS_MAX : processors < 1 ? 1 : (size_t)processors;
}

static int run_workers(struct search *search, struct worker *workers, size_t count, const struct grep_taker *taker,
                       struct error *err)
{
    int done = 0;
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&workers[i].thread, NULL, work_all, &workers[i]) != 0)
            exit(EXIT_MEMORY);
    if (taker)
        done = hand_out(search, taker, err);
    for (size_t i = 0; i < count; i++)
        pthread_join(workers[i].thread, NULL);
    if (done == 0 && search->failed)
        *err = search->err;
    return search->failed ? -1 : done;
}

static int run(struct search *search, const struct grep_taker *taker, struct error *err)
{
    struct worker workers[WORKERS_MAX] = {0};
    size_t count = count_workers();
    int done = block_reader_new(search->store, &search->reader, err);
    search->in_order = taker != NULL;
    pthread_mutex_init(&search->mutex, NULL);
    pthread_cond_init(&search->changed, NULL);
    for (size_t i = 0; i < count && done == 0; i++) {
        workers[i].search = search;
        workers[i].unpacker = block_unpacker_new();
        done = grep_regex(search->blocks->options, &workers[i].regex, err);
    }
    if (done == 0)
        done = run_workers(search, workers, count, taker, err);
    for (size_t i = 0; i < count; i++)
        free_worker(&workers[i]);
    for (size_t i = 0; i < RING; i++)
        free(search->ring[i].text);
    pthread_cond_destroy(&search->changed);
    pthread_mutex_destroy(&search->mutex);
    block_reader_free(&search->reader);
    return done;
}

int grep_search(struct store *store, struct grep_blocks *blocks, struct error *err)
{
    bool *needed = xcalloc(blocks->count + 1, sizeof *needed);
    struct search search = {.store = store, .blocks = blocks, .needed = needed, .work = search_block};
    for (size_t i = 0; i < blocks->count; i++)
        needed[i] = grep_block_touches(blocks->options, &blocks->list[i].block);
    int done = run(&search, NULL, err);
    free(needed);
    return done;
}

int grep_select(struct store *store, struct grep_blocks *blocks, const bool *needed, const struct grep_taker *taker,
                struct error *err)
{
    struct search search = {.store = store, .blocks = blocks, .needed = needed, .work = select_lines};
    return run(&search, taker, err);
}
