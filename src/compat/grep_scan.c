/* grep_scan.c — threads that take block after block. */
#include "grep_scan.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/memory.h"

#define WORKERS_MAX 8

struct search {
    struct store *store;
    struct grep_blocks *blocks;
    struct block_reader *reader;
    pthread_mutex_t mutex; /* of the rest, the reader and the messages */
    size_t next;
    bool failed;
    struct error err;
};

struct worker {
    struct search *search;
    pthread_t thread;
    struct perl_regex *regex;
    struct block_unpacker *block_unpacker;
    char *room;
    size_t capacity;
    struct slice *ids; /* matching, of this block */
    size_t id_count, id_capacity;
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

static int scan_block(struct worker *w, size_t i)
{
    const struct stored_block *stored = &w->search->blocks->list[i];
    struct slice text;
    w->id_count = 0;
    if (block_text(w->search->store, w->block_unpacker, stored, &text, &w->err) < 0 || scan_text(w, i, text) < 0)
        return -1;
    if (w->id_count)
        note_messages(w, &stored->block);
    return 0;
}

/* ---- all --------------------------------------------------------------------------------------- */

static void fail(struct search *search, const struct error *err)
{
    if (!search->failed)
        search->err = *err;
    search->failed = true;
}

/* Reads the next block that is to be searched.  false: there is none. */
static bool take_block(struct worker *w, size_t *i)
{
    struct search *search = w->search;
    struct grep_blocks *blocks = search->blocks;
    pthread_mutex_lock(&search->mutex);
    while (search->next < blocks->count && !grep_block_touches(blocks->options, &blocks->list[search->next].block))
        search->next++;
    bool got = search->next < blocks->count && !search->failed;
    if (got) {
        *i = search->next++;
        if (block_reader_read(search->reader, &blocks->list[*i], &w->room, &w->capacity, &w->err) < 0) {
            fail(search, &w->err);
            got = false;
        }
    }
    pthread_mutex_unlock(&search->mutex);
    return got;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    size_t i;
    while (take_block(w, &i)) {
        if (scan_block(w, i) == 0)
            continue;
        pthread_mutex_lock(&w->search->mutex);
        fail(w->search, &w->err);
        pthread_mutex_unlock(&w->search->mutex);
    }
    return NULL;
}

static void free_worker(struct worker *w)
{
    perl_regex_free(&w->regex);
    block_unpacker_free(&w->block_unpacker);
    free(w->room);
    free(w->ids);
}

static int work_all(struct search *search, struct error *err)
{
    struct worker workers[WORKERS_MAX] = {0};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = processors > WORKERS_MAX ? WORKERS_MAX : processors < 1 ? 1 : (size_t)processors;
    int done = 0;
    for (size_t i = 0; i < count && done == 0; i++) {
        workers[i].search = search;
        workers[i].block_unpacker = block_unpacker_new();
        done = grep_regex(search->blocks->options, &workers[i].regex, err);
    }
    for (size_t i = 1; i < count && done == 0; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            exit(EXIT_MEMORY);
    if (done == 0)
        work(&workers[0]);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && done == 0)
            pthread_join(workers[i].thread, NULL);
        free_worker(&workers[i]);
    }
    if (done == 0 && search->failed)
        *err = search->err;
    return search->failed ? -1 : done;
}

int grep_scan(struct store *store, struct grep_blocks *blocks, struct error *err)
{
    struct search search = {.store = store, .blocks = blocks};
    if (block_reader_new(store, &search.reader, err) < 0)
        return -1;
    pthread_mutex_init(&search.mutex, NULL);
    int done = work_all(&search, err);
    pthread_mutex_destroy(&search.mutex);
    block_reader_free(&search.reader);
    return done;
}
