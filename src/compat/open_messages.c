/* open_messages.c — a hash table of messages, whose memory is used again and again. */
#include "open_messages.h"

#include <stdlib.h>

#include "../base/hash.h"
#include "../base/memory.h"

struct slot {
    struct open_message *message; /* NULL: free */
    uint64_t hash;
};

struct open_messages {
    struct slot *slots; /* linear probing; a power of two, at most half full */
    size_t size, used;
    struct arena arena;
    struct open_message **spare; /* closed ones, to be used again */
    size_t spare_count, spare_capacity;
};

struct open_messages *open_messages_new(void)
{
    struct open_messages *messages = xcalloc(1, sizeof *messages);
    messages->size = 1024;
    messages->slots = xcalloc(messages->size, sizeof *messages->slots);
    return messages;
}

void open_messages_free(struct open_messages **messages)
{
    struct open_messages *m = *messages;
    if (!m)
        return;
    arena_free(&m->arena);
    free(m->slots);
    free(m->spare);
    free(m);
    *messages = NULL;
}

static bool has_id(const struct open_message *message, struct slice id)
{
    return message->id_size == id.n && memcmp(message->id, id.p, id.n) == 0;
}

/* The slot of an id, or the free one where it belongs. */
static size_t find(const struct open_messages *messages, struct slice id, uint64_t hash)
{
    size_t i = hash & (messages->size - 1);
    for (const struct slot *s; (s = &messages->slots[i])->message; i = (i + 1) & (messages->size - 1))
        if (s->hash == hash && has_id(s->message, id))
            break;
    return i;
}

static void enlarge(struct open_messages *messages)
{
    struct slot *old = messages->slots;
    size_t old_size = messages->size;
    messages->size *= 2;
    messages->slots = xcalloc(messages->size, sizeof *messages->slots);
    for (size_t i = 0; i < old_size; i++)
        if (old[i].message) {
            struct slice id = slice_of(old[i].message->id, old[i].message->id_size);
            messages->slots[find(messages, id, old[i].hash)] = old[i];
        }
    free(old);
}

static struct open_message *new_message(struct open_messages *messages, struct slice id)
{
    struct open_message *message = messages->spare_count
                                       ? messages->spare[--messages->spare_count]
                                       : arena_alloc(&messages->arena, sizeof *message, _Alignof(struct open_message));
    *message = (struct open_message){.id_size = (uint8_t)id.n};
    memcpy(message->id, id.p, id.n);
    return message;
}

struct open_message *open_messages_get(struct open_messages *messages, struct slice id)
{
    uint64_t hash = hash_bytes(id, 0);
    size_t i = find(messages, id, hash);
    if (messages->slots[i].message)
        return messages->slots[i].message;
    if (++messages->used * 2 > messages->size) {
        enlarge(messages);
        i = find(messages, id, hash);
    }
    messages->slots[i] = (struct slot){new_message(messages, id), hash};
    return messages->slots[i].message;
}

struct open_message *open_messages_find(const struct open_messages *messages, struct slice id)
{
    return messages->slots[find(messages, id, hash_bytes(id, 0))].message;
}

/* Empties a slot and moves up what would not be found behind the gap. */
static void vacate(struct open_messages *messages, size_t gap)
{
    size_t mask = messages->size - 1;
    for (size_t i = (gap + 1) & mask; messages->slots[i].message; i = (i + 1) & mask) {
        size_t home = messages->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        messages->slots[gap] = messages->slots[i];
        gap = i;
    }
    messages->slots[gap].message = NULL;
}

void open_messages_close(struct open_messages *messages, struct open_message *message)
{
    struct slice id = slice_of(message->id, message->id_size);
    vacate(messages, find(messages, id, hash_bytes(id, 0)));
    messages->used--;
    messages->spare = grow(messages->spare, &messages->spare_capacity, messages->spare_count + 1,
                           sizeof *messages->spare);
    messages->spare[messages->spare_count++] = message;
}

static int by_first_line(const void *a, const void *b)
{
    const struct open_message *x = *(struct open_message *const *)a, *y = *(struct open_message *const *)b;
    return (x->first_line > y->first_line) - (x->first_line < y->first_line);
}

struct open_message **open_messages_list(const struct open_messages *messages, size_t *count)
{
    struct open_message **list = xmalloc((messages->used + 1) * sizeof *list);
    *count = 0;
    for (size_t i = 0; i < messages->size; i++)
        if (messages->slots[i].message)
            list[(*count)++] = messages->slots[i].message;
    qsort(list, *count, sizeof *list, by_first_line);
    return list;
}
