/* hashes.c — a bucket holds the pairs whose hashes begin with the same bits, sorted; when buckets grow full, each is
   parted in two. */
#include "hashes.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"

#define PAIR HASH_PAIR       /* both big-endian, the id of 32 bits */
#define BUCKET_PAIRS 256     /* mean number of pairs beyond which buckets are parted: 3 KiB */
#define BITS_FIRST 8
#define BITS_MAX 24

struct pair {
    uint64_t hash;
    uint32_t id;
};

struct hashes {
    struct store *store;
    sqlite3_stmt *read, *write;
    int bits;        /* a bucket's number is so many first bits of the hash */
    int64_t count;   /* pairs stored and added */
    struct pair *added, *sorted;
    size_t added_count, added_capacity, sorted_capacity;
    struct pair *pairs; /* of the bucket at hand */
    size_t pair_count, pair_capacity;
    unsigned char *blob;
    size_t blob_capacity;
};

/* Each row of the tables that are found by hash has its pair, and none is ever deleted. */
static int load_state(struct hashes *h, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        h->store, "SELECT coalesce((SELECT value FROM meta WHERE name = 'hash_bits'), ?1),"
                  " coalesce((SELECT max(id) FROM string), 0) + coalesce((SELECT max(id) FROM client), 0)"
                  " + coalesce((SELECT max(id) FROM route), 0) + coalesce((SELECT max(id) FROM cause), 0)", err);
    if (!stmt)
        return -1;
    sqlite3_bind_int(stmt, 1, BITS_FIRST);
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(h->store, err);
    h->bits = sqlite3_column_int(stmt, 0);
    h->count = sqlite3_column_int64(stmt, 1);
    sqlite3_finalize(stmt);
    return done;
}

int hashes_new(struct store *store, struct hashes **hashes, struct error *err)
{
    struct hashes *h = xcalloc(1, sizeof *h);
    h->store = store;
    *hashes = h;
    h->read = store_prepare(store, "SELECT pairs FROM string_hash WHERE bucket = ?1", err);
    h->write = h->read ? store_prepare(store, "INSERT OR REPLACE INTO string_hash (bucket, pairs) VALUES (?1, ?2)",
                                       err) : NULL;
    return h->write ? load_state(h, err) : -1;
}

void hashes_free(struct hashes **hashes)
{
    struct hashes *h = *hashes;
    if (!h)
        return;
    sqlite3_finalize(h->read);
    sqlite3_finalize(h->write);
    free(h->added);
    free(h->sorted);
    free(h->pairs);
    free(h->blob);
    free(h);
    *hashes = NULL;
}

/* ---- a bucket ---------------------------------------------------------------------------------- */

static int64_t bucket_of(const struct hashes *h, uint64_t hash)
{
    return (int64_t)(hash >> (64 - h->bits));
}

static void put_pair(unsigned char *to, const struct pair *pair)
{
    uint64_t hash = htobe64(pair->hash);
    uint32_t id = htobe32(pair->id);
    memcpy(to, &hash, 8);
    memcpy(to + 8, &id, 4);
}

static uint64_t get_hash(const unsigned char *from)
{
    uint64_t hash;
    memcpy(&hash, from, 8);
    return be64toh(hash);
}

static struct pair get_pair(const unsigned char *from)
{
    uint32_t id;
    memcpy(&id, from + 8, 4);
    return (struct pair){get_hash(from), be32toh(id)};
}

/* The bucket's stored pairs, until the next step of the statement; a bucket that is not there has none. */
static int read_bucket(struct hashes *h, int64_t bucket, const unsigned char **pairs, size_t *count,
                       struct error *err)
{
    sqlite3_reset(h->read);
    sqlite3_bind_int64(h->read, 1, bucket);
    int code = sqlite3_step(h->read);
    *pairs = code == SQLITE_ROW ? sqlite3_column_blob(h->read, 0) : NULL;
    *count = *pairs ? (size_t)sqlite3_column_bytes(h->read, 0) / PAIR : 0;
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : store_error(h->store, err);
}

static int write_bucket(struct hashes *h, int64_t bucket, const struct pair *pairs, size_t count,
                        struct error *err)
{
    h->blob = grow(h->blob, &h->blob_capacity, count * PAIR, 1);
    for (size_t i = 0; i < count; i++)
        put_pair(h->blob + i * PAIR, &pairs[i]);
    sqlite3_reset(h->read);
    sqlite3_bind_int64(h->write, 1, bucket);
    sqlite3_bind_blob(h->write, 2, count ? (const void *)h->blob : "", (int)(count * PAIR), SQLITE_STATIC);
    return store_step(h->store, h->write, err);
}

/* ---- finding ----------------------------------------------------------------------------------- */

static int compare_wants(const void *a, const void *b)
{
    uint64_t x = ((const struct hash_want *)a)->hash, y = ((const struct hash_want *)b)->hash;
    return x < y ? -1 : x > y;
}

static int64_t find_pair(const unsigned char *pairs, size_t count, uint64_t hash)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (get_hash(pairs + middle * PAIR) < hash)
            low = middle + 1;
        else
            high = middle;
    }
    struct pair found = low < count ? get_pair(pairs + low * PAIR) : (struct pair){0, 0};
    return found.hash == hash ? found.id : 0;
}

int hashes_find(struct hashes *h, struct hash_want *wants, size_t count, struct error *err)
{
    const unsigned char *pairs = NULL;
    size_t pair_count = 0;
    int64_t bucket = -1;
    int done = 0;
    qsort(wants, count, sizeof *wants, compare_wants);
    for (size_t i = 0; i < count && done == 0; i++) {
        if (bucket != bucket_of(h, wants[i].hash))
            done = read_bucket(h, bucket = bucket_of(h, wants[i].hash), &pairs, &pair_count, err);
        wants[i].id = done == 0 ? find_pair(pairs, pair_count, wants[i].hash) : 0;
    }
    sqlite3_reset(h->read);
    return done;
}

/* ---- adding ------------------------------------------------------------------------------------ */

void hashes_add(struct hashes *h, uint64_t hash, int64_t id)
{
    h->added = grow(h->added, &h->added_capacity, h->added_count + 1, sizeof *h->added);
    h->added[h->added_count++] = (struct pair){hash, (uint32_t)id};
    h->count++;
}

/* So few that moving each to its place is quickest. */
static void sort_few(struct pair *pairs, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct pair pair = pairs[i];
        size_t k = i;
        for (; k > 0 && pairs[k - 1].hash > pair.hash; k--)
            pairs[k] = pairs[k - 1];
        pairs[k] = pair;
    }
}

/* The pairs in the order of their hashes: dealt out by their first bits, to about four pairs each, which hashes see
   to, then sorted. */
static void sort_added(struct hashes *h)
{
    int bits = 2;
    while ((size_t)4 << bits < h->added_count)
        bits++;
    size_t bins = (size_t)1 << bits;
    size_t *ends = xcalloc(bins + 1, sizeof *ends);
    h->sorted = grow(h->sorted, &h->sorted_capacity, h->added_count, sizeof *h->sorted);
    for (size_t i = 0; i < h->added_count; i++)
        ends[(h->added[i].hash >> (64 - bits)) + 1]++;
    for (size_t b = 1; b <= bins; b++)
        ends[b] += ends[b - 1];
    for (size_t i = 0; i < h->added_count; i++)
        h->sorted[ends[h->added[i].hash >> (64 - bits)]++] = h->added[i];
    for (size_t b = 0; b < bins; b++) {
        size_t first = b ? ends[b - 1] : 0;
        sort_few(h->sorted + first, ends[b] - first);
    }
    free(ends);
}

/* The stored pairs of a bucket and the new ones, merged into h->pairs. */
static int merge_bucket(struct hashes *h, int64_t bucket, const struct pair *added, size_t count,
                        struct error *err)
{
    const unsigned char *stored;
    size_t stored_count, s = 0, a = 0;
    if (read_bucket(h, bucket, &stored, &stored_count, err) < 0)
        return -1;
    h->pair_count = stored_count + count;
    h->pairs = grow(h->pairs, &h->pair_capacity, h->pair_count, sizeof *h->pairs);
    for (size_t i = 0; i < h->pair_count; i++) {
        struct pair next = s < stored_count ? get_pair(stored + s * PAIR) : (struct pair){UINT64_MAX, 0};
        bool take_added = a < count && (s == stored_count || added[a].hash < next.hash);
        h->pairs[i] = take_added ? added[a] : next;
        a += take_added;
        s += !take_added;
    }
    return 0;
}

/* Parts every bucket in two, the last first, so that none is overwritten before it is read. */
static int part_buckets(struct hashes *h, struct error *err)
{
    int done = 0;
    h->bits++;
    for (int64_t bucket = ((int64_t)1 << (h->bits - 1)) - 1; bucket >= 0 && done == 0; bucket--) {
        size_t low = 0;
        done = merge_bucket(h, bucket, NULL, 0, err);
        while (low < h->pair_count && bucket_of(h, h->pairs[low].hash) == bucket * 2)
            low++;
        if (done == 0)
            done = write_bucket(h, bucket * 2 + 1, h->pairs + low, h->pair_count - low, err);
        if (done == 0)
            done = write_bucket(h, bucket * 2, h->pairs, low, err);
    }
    char *sql = sqlite3_mprintf("INSERT OR REPLACE INTO meta (name, value) VALUES ('hash_bits', %d)", h->bits);
    if (done == 0)
        done = store_run(h->store, sql, err);
    sqlite3_free(sql);
    return done;
}

int hashes_flush(struct hashes *h, struct error *err)
{
    int done = 0;
    if (h->added_count == 0)
        return 0;
    while (done == 0 && h->bits < BITS_MAX && h->count >> h->bits > BUCKET_PAIRS)
        done = part_buckets(h, err);
    sort_added(h);
    for (size_t i = 0, n; i < h->added_count && done == 0; i += n) {
        int64_t bucket = bucket_of(h, h->sorted[i].hash);
        for (n = 1; i + n < h->added_count && bucket_of(h, h->sorted[i + n].hash) == bucket;)
            n++;
        done = merge_bucket(h, bucket, h->sorted + i, n, err);
        if (done == 0)
            done = write_bucket(h, bucket, h->pairs, h->pair_count, err);
    }
    h->added_count = 0;
    return done;
}

/* ---- walking ----------------------------------------------------------------------------------- */

uint64_t hashes_pair_hash(const char *pair)
{
    return get_hash((const unsigned char *)pair);
}

int hashes_walk(struct hashes *h, const struct hash_walk *walk, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(h->store, "SELECT bucket, pairs FROM string_hash ORDER BY bucket", err);
    if (!stmt)
        return -1;
    int code, done = 0;
    while (done == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *pairs = sqlite3_column_blob(stmt, 1);
        struct slice all = slice_of(pairs ? pairs : "", (size_t)sqlite3_column_bytes(stmt, 1));
        done = walk->visit(walk->context, sqlite3_column_int64(stmt, 0), h->bits, all, err);
    }
    if (done == 0 && code != SQLITE_DONE)
        done = store_error(h->store, err);
    sqlite3_finalize(stmt);
    return done;
}
