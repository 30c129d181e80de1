/* resume.c — heads and tails. */
#include "resume.h"

#include <stdlib.h>

#include "../base/hash.h"
#include "../base/memory.h"

uint64_t resume_tail_hash(struct slice tail)
{
    return hash_bytes(tail, 0);
}

/* Fills buf as far as the source goes; -1 only if nothing at all could be read. */
static int read_full(struct source *source, char *buf, size_t cap, size_t *n, struct error *err)
{
    ptrdiff_t got = 1;
    *n = 0;
    while (*n < cap && (got = source_read(source, buf + *n, cap - *n, err)) > 0)
        *n += (size_t)got;
    return got < 0 && *n == 0 ? -1 : 0;
}

int resume_read_tail(struct source *source, int64_t position, char *buf, struct slice *tail,
                     struct error *err)
{
    int64_t size = position < TAIL_SIZE ? position : TAIL_SIZE;
    size_t n;
    *tail = slice_of(buf, 0);
    int there = source_seek(source, position - size, err);
    if (there <= 0)
        return there;
    if (read_full(source, buf, (size_t)size, &n, err) < 0)
        return -1;
    *tail = slice_of(buf, n);
    return n == (size_t)size;
}

struct search {
    struct resume *resume;
    struct source *source;
    char *tail;
};

static uint64_t head_hash(void *context, int64_t size)
{
    struct slice head = ((struct search *)context)->resume->head;
    return hash_bytes(slice_of(head.p, (size_t)size < head.n ? (size_t)size : head.n), 0);
}

/* Is this the source?  It is if what stands before the end of its tail is what stood there. */
static int visit(void *context, const struct source_row *row, struct error *err)
{
    struct search *search = context;
    struct slice *tail = &search->resume->tail;
    int there = resume_read_tail(search->source, row->tail_at, search->tail, tail, err);
    if (there < 0 && err->kind == FAIL_GZIP)
        return 0; /* cut before that place: another source, or the same to be read again */
    if (there <= 0 || resume_tail_hash(*tail) != row->tail_hash)
        return there < 0 ? -1 : 0;
    if (row->position != row->tail_at && resume_read_tail(search->source, row->position, search->tail, tail, err) < 0)
        return -1;
    search->resume->row = *row;
    search->resume->is_known = true;
    search->resume->known_by = row->head_size;
    return 1;
}

int resume_find(struct store *store, int64_t server, struct source *source, struct resume *resume,
                struct error *err)
{
    size_t n;
    *resume = (struct resume){.memory = xmalloc(SNIFF_SIZE + TAIL_SIZE)};
    struct search search = {resume, source, resume->memory + SNIFF_SIZE};
    if (read_full(source, resume->memory, SNIFF_SIZE, &n, err) < 0)
        return -1;
    resume->head = slice_of(resume->memory, n);
    int64_t head_size = (int64_t)(n < HEAD_SIZE ? n : HEAD_SIZE);
    struct source_search all = {server, head_size, head_hash, visit, &search};
    int found = n ? sources_search(store, &all, err) : 0;
    if (found < 0)
        return -1;
    if (!found) {
        resume->tail = SLICE_ABSENT;
        resume->row = (struct source_row){.server = server};
        if (source_seek(source, 0, err) < 0)
            return -1;
    }
    resume->row.head_size = head_size;
    resume->row.head_hash = head_hash(&search, head_size);
    return 0;
}

int resume_twin(struct store *store, struct resume *resume, struct source_twin *twin, struct error *err)
{
    struct search search = {.resume = resume};
    const struct source_search all = {resume->row.server, resume->row.head_size, head_hash, NULL, &search};
    return sources_twin(store, &all, twin, err);
}

void resume_free(struct resume *resume)
{
    free(resume->memory);
    *resume = (struct resume){0};
}
