/* relations.c — a graph of messages by the hashes of their ids, walked once. */
#include "relations.h"

#include <stdlib.h>

#include "../../parsers/dialect.h"
#include "../base/hash.h"
#include "../base/memory.h"

/* If one message is wanted, so is the other. */
struct edge {
    uint64_t wanted, other;
};

struct relations {
    struct edge *edges;
    size_t count, capacity;
    uint64_t *set; /* hashes of wanted ids: linear probing, a power of two, at most half full; 0: free */
    size_t size, used;
    uint64_t *fresh; /* wanted, but not followed yet */
    size_t fresh_count, fresh_capacity;
};

struct relations *relations_new(void)
{
    struct relations *relations = xcalloc(1, sizeof *relations);
    relations->size = 1024;
    relations->set = xcalloc(relations->size, sizeof *relations->set);
    return relations;
}

void relations_free(struct relations **relations)
{
    struct relations *r = *relations;
    if (!r)
        return;
    free(r->edges);
    free(r->set);
    free(r->fresh);
    free(r);
    *relations = NULL;
}

static uint64_t key_of(struct slice id)
{
    return hash_bytes(id, 0) | 1; /* 0 is a free place */
}

/* ---- the wanted -------------------------------------------------------------------------------- */

static size_t find(const struct relations *relations, uint64_t key)
{
    size_t i = (key >> 1) & (relations->size - 1);
    while (relations->set[i] && relations->set[i] != key)
        i = (i + 1) & (relations->size - 1);
    return i;
}

static void enlarge(struct relations *relations)
{
    uint64_t *old = relations->set;
    size_t old_size = relations->size;
    relations->size *= 2;
    relations->set = xcalloc(relations->size, sizeof *relations->set);
    for (size_t i = 0; i < old_size; i++)
        if (old[i])
            relations->set[find(relations, old[i])] = old[i];
    free(old);
}

static void want(struct relations *relations, uint64_t key)
{
    if (relations->set[find(relations, key)])
        return;
    if (++relations->used * 2 > relations->size)
        enlarge(relations);
    relations->set[find(relations, key)] = key;
    relations->fresh = grow(relations->fresh, &relations->fresh_capacity, relations->fresh_count + 1,
                            sizeof *relations->fresh);
    relations->fresh[relations->fresh_count++] = key;
}

void relations_want(struct relations *relations, struct slice id)
{
    want(relations, key_of(id));
}

bool relations_wanted(const struct relations *relations, struct slice id)
{
    return relations->set[find(relations, key_of(id))] != 0;
}

/* ---- who names whom ---------------------------------------------------------------------------- */

static void add(struct relations *relations, struct slice wanted, struct slice other)
{
    relations->edges = grow(relations->edges, &relations->capacity, relations->count + 1, sizeof *relations->edges);
    relations->edges[relations->count++] = (struct edge){key_of(wanted), key_of(other)};
}

/* The id whose first hyphen is at p, anywhere in text and with anything around it; absent: none. */
static struct slice id_around(struct slice text, const char *p)
{
    size_t before = (size_t)(p - text.p), left = text.n - before;
    if (before < 6 || left < 10)
        return SLICE_ABSENT;
    struct slice id = slice_of(p - 6, 16);
    if (exim_id_valid(id))
        return id;
    id.n = 23;
    return left >= 17 && exim_id_valid(id) ? id : SLICE_ABSENT;
}

void relations_read(struct relations *relations, const struct exigrep_line *line)
{
    struct slice text = line->body, cause = exigrep_line_cause(line);
    for (const char *p = text.p; (p = memchr(p, '-', (size_t)(text.p + text.n - p))); p++) {
        struct slice id = id_around(text, p);
        if (id.p && !slice_equal(id, line->id))
            add(relations, id, line->id);
    }
    if (cause.p)
        add(relations, line->id, cause);
}

/* ---- following --------------------------------------------------------------------------------- */

static int by_wanted(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    return (x->wanted > y->wanted) - (x->wanted < y->wanted);
}

/* The first edge of a key, or where it would be. */
static size_t first_edge(const struct relations *relations, uint64_t key)
{
    size_t low = 0, high = relations->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (relations->edges[middle].wanted < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void relations_follow(struct relations *relations)
{
    if (relations->count)
        qsort(relations->edges, relations->count, sizeof *relations->edges, by_wanted);
    while (relations->fresh_count > 0) {
        uint64_t key = relations->fresh[--relations->fresh_count];
        for (size_t i = first_edge(relations, key); i < relations->count && relations->edges[i].wanted == key; i++)
            want(relations, relations->edges[i].other);
    }
    free(relations->edges);
    relations->edges = NULL;
    relations->count = relations->capacity = 0;
}
