/* identity.c — per channel, an open-addressing table from (second, hash) to a count. */
#include "identity.h"

#include <stdlib.h>

#include "../base/hash.h"
#include "../base/memory.h"

#define FIRST_SLOTS 1024u /* all of it stays in a cache */
#define SLOTS_MAX (1u << 20) /* 24 MiB: beyond it the oldest of one second are forgotten */

struct counter {
    int64_t at;
    uint64_t hash;
    uint32_t count; /* 0: free */
};

struct channel {
    uint64_t key;
    int64_t latest;
    uint64_t used_at; /* tick of its last use */
    struct counter *slots;
    size_t slot_count, used;
};

struct identity {
    struct channel channels[CHANNELS_KEPT];
    size_t count;
    uint64_t tick;
};

struct identity *identity_new(void)
{
    return xcalloc(1, sizeof(struct identity));
}

void identity_free(struct identity **identity)
{
    if (!*identity)
        return;
    for (size_t i = 0; i < (*identity)->count; i++)
        free((*identity)->channels[i].slots);
    free(*identity);
    *identity = NULL;
}

static void channel_start(struct channel *channel, uint64_t key, int64_t at)
{
    if (!channel->slots) {
        channel->slot_count = FIRST_SLOTS;
        channel->slots = xcalloc(channel->slot_count, sizeof *channel->slots);
    } else {
        memset(channel->slots, 0, channel->slot_count * sizeof *channel->slots);
    }
    channel->key = key;
    channel->latest = at;
    channel->used = 0;
}

/* The channel of a key; the one longest unused makes room for a new one. */
static struct channel *channel_of(struct identity *identity, uint64_t key, int64_t at)
{
    struct channel *oldest = &identity->channels[0];
    for (size_t i = 0; i < identity->count; i++) {
        struct channel *channel = &identity->channels[i];
        if (channel->key == key)
            return channel;
        if (channel->used_at < oldest->used_at)
            oldest = channel;
    }
    if (identity->count < CHANNELS_KEPT)
        oldest = &identity->channels[identity->count++];
    channel_start(oldest, key, at);
    return oldest;
}

static struct counter *slot_of(struct channel *channel, int64_t at, uint64_t hash)
{
    size_t mask = channel->slot_count - 1;
    size_t i = hash_mix(hash, (uint64_t)at) & mask;
    while (channel->slots[i].count && (channel->slots[i].at != at || channel->slots[i].hash != hash))
        i = (i + 1) & mask;
    return &channel->slots[i];
}

/* Forgets what is older than SECONDS_KEPT; widens the table if that leaves it more than a quarter full. */
static void tidy(struct channel *channel)
{
    struct counter *old = channel->slots;
    size_t old_count = channel->slot_count, kept = 0;
    for (size_t i = 0; i < old_count; i++)
        kept += old[i].count && old[i].at >= channel->latest - SECONDS_KEPT;
    if (kept * 4 > old_count && old_count < SLOTS_MAX)
        channel->slot_count *= 2;
    bool forget_all = kept * 2 >= channel->slot_count;
    channel->slots = xcalloc(channel->slot_count, sizeof *channel->slots);
    channel->used = 0;
    for (size_t i = 0; i < old_count && !forget_all; i++)
        if (old[i].count && old[i].at >= channel->latest - SECONDS_KEPT) {
            *slot_of(channel, old[i].at, old[i].hash) = old[i];
            channel->used++;
        }
    free(old);
}

uint32_t identity_count(struct identity *identity, uint64_t key, int64_t at, uint64_t hash)
{
    struct channel *channel = channel_of(identity, key, at);
    channel->used_at = ++identity->tick;
    if (at < channel->latest - SECONDS_KEPT)
        channel_start(channel, key, at);
    if (at > channel->latest)
        channel->latest = at;
    if (channel->used * 2 >= channel->slot_count)
        tidy(channel);
    struct counter *slot = slot_of(channel, at, hash);
    if (!slot->count) {
        *slot = (struct counter){at, hash, 0};
        channel->used++;
    }
    return ++slot->count;
}

static int compare_used(const void *a, const void *b)
{
    const struct channel *const *x = a, *const *y = b;
    return (*x)->used_at < (*y)->used_at ? -1 : (*x)->used_at > (*y)->used_at;
}

static bool is_kept(const struct channel *channel, const struct counter *counter)
{
    return counter->count && counter->at >= channel->latest - SECONDS_KEPT;
}

static void save_channel(const struct channel *channel, struct carry *out)
{
    int64_t kept = 0;
    for (size_t i = 0; i < channel->slot_count; i++)
        kept += is_kept(channel, &channel->slots[i]);
    carry_put_int(out, (int64_t)channel->key);
    carry_put_int(out, channel->latest);
    carry_put_int(out, kept);
    for (size_t i = 0; i < channel->slot_count; i++) {
        if (!is_kept(channel, &channel->slots[i]))
            continue;
        carry_put_int(out, channel->slots[i].at);
        carry_put_int(out, (int64_t)channel->slots[i].hash);
        carry_put_int(out, channel->slots[i].count);
    }
}

/* The longest unused first, so that the next run makes room as this one would have. */
void identity_save(const struct identity *identity, struct carry *out)
{
    const struct channel *ordered[CHANNELS_KEPT];
    for (size_t i = 0; i < identity->count; i++)
        ordered[i] = &identity->channels[i];
    qsort(ordered, identity->count, sizeof *ordered, compare_used);
    carry_put_int(out, (int64_t)identity->count);
    for (size_t i = 0; i < identity->count; i++)
        save_channel(ordered[i], out);
}

static void load_channel(struct identity *identity, struct carry *in)
{
    uint64_t key = (uint64_t)carry_get_int(in);
    int64_t latest = carry_get_int(in);
    int64_t kept = carry_get_int(in);
    struct channel *channel = channel_of(identity, key, latest);
    channel->used_at = ++identity->tick;
    for (int64_t i = 0; i < kept && !in->bad; i++) {
        struct counter counter = {.at = carry_get_int(in), .hash = (uint64_t)carry_get_int(in)};
        counter.count = (uint32_t)carry_get_int(in);
        if (channel->used * 2 >= channel->slot_count)
            tidy(channel);
        *slot_of(channel, counter.at, counter.hash) = counter;
        channel->used++;
    }
}

void identity_load(struct identity *identity, struct carry *in)
{
    int64_t channels = carry_get_int(in);
    for (int64_t i = 0; i < channels && !in->bad; i++)
        load_channel(identity, in);
}
