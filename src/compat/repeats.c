/* repeats.c — a hash table of lines, with how many of them one source had at the most. */
#include "repeats.h"

#include <stdlib.h>

#include "../base/memory.h"

struct repeat {
    uint64_t hash;
    int64_t source;   /* that count is of; 0: free */
    uint32_t count;   /* lines of it so far */
    uint32_t most;    /* lines that any source had */
};

struct repeats {
    struct repeat *slots; /* linear probing; a power of two, at most half full */
    size_t size, used;
};

struct repeats *repeats_new(void)
{
    struct repeats *r = xcalloc(1, sizeof *r);
    r->size = 1024;
    r->slots = xcalloc(r->size, sizeof *r->slots);
    return r;
}

void repeats_free(struct repeats **repeats)
{
    if (!*repeats)
        return;
    free((*repeats)->slots);
    free(*repeats);
    *repeats = NULL;
}

static struct repeat *find(const struct repeats *r, uint64_t hash)
{
    size_t i = hash & (r->size - 1);
    while (r->slots[i].source && r->slots[i].hash != hash)
        i = (i + 1) & (r->size - 1);
    return &r->slots[i];
}

static void enlarge(struct repeats *r)
{
    struct repeat *old = r->slots;
    size_t old_size = r->size;
    r->size *= 2;
    r->slots = xcalloc(r->size, sizeof *r->slots);
    for (size_t i = 0; i < old_size; i++)
        if (old[i].source)
            *find(r, old[i].hash) = old[i];
    free(old);
}

bool repeats_known(struct repeats *r, int64_t source, uint64_t hash)
{
    if ((r->used + 1) * 2 > r->size)
        enlarge(r);
    struct repeat *found = find(r, hash);
    if (!found->source)
        r->used++;
    if (found->source != source) {
        found->hash = hash;
        found->source = source;
        found->count = 0;
    }
    if (++found->count <= found->most)
        return true;
    found->most = found->count;
    return false;
}
