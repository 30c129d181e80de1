/* hashes.c — runs, each of buckets of pairs and parts of a filter; a bucket's row is numbered by its run and the first
   bits of its hashes, a part's by its run and the first bits of those of its buckets. */
#include "hashes.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "filter.h"

#define PAIR HASH_PAIR     /* both big-endian, the id of 32 bits */
#define BUCKET_PAIRS 256   /* mean number of pairs of a bucket: 3 KiB */
#define PART_BITS 5        /* buckets of a part of the filter, as a power of two: some 10 KiB */
#define LEVEL_PAIRS 8192   /* a run of level 0 holds as many at most, one of the next GROWTH times as many */
#define GROWTH 8
#define RUNS_MAX 16        /* more levels than there are hashes */
#define RUN_SHIFT 32       /* run's number in a bucket's or part's */

struct pair {
    uint64_t hash;
    uint32_t id;
};

struct run {
    int64_t id;
    int64_t pairs;
    int level, bits; /* bits: a bucket has so many first bits of the hashes in common */
};

struct hashes {
    struct store *store;
    sqlite3_stmt *read_bucket, *read_part, *write_bucket, *write_part;
    struct run runs[RUNS_MAX]; /* by level, the smallest first */
    size_t run_count;
    struct pair *added, *sorted;
    size_t added_count, added_capacity, sorted_capacity;
};

static int load_runs(struct hashes *h, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(h->store, "SELECT id, pairs, level, bits FROM string_run ORDER BY level", err);
    if (!stmt)
        return -1;
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW && h->run_count < RUNS_MAX)
        h->runs[h->run_count++] = (struct run){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                                               sqlite3_column_int(stmt, 2), sqlite3_column_int(stmt, 3)};
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : store_error(h->store, err);
}

int hashes_new(struct store *store, struct hashes **hashes, struct error *err)
{
    struct hashes *h = xcalloc(1, sizeof *h);
    h->store = store;
    *hashes = h;
    const struct {
        sqlite3_stmt **stmt;
        const char *sql;
    } statements[] = {{&h->read_bucket, "SELECT pairs FROM string_hash WHERE bucket = ?1"},
                      {&h->read_part, "SELECT bits FROM string_filter WHERE part = ?1"},
                      {&h->write_bucket, "INSERT INTO string_hash (bucket, pairs) VALUES (?1, ?2)"},
                      {&h->write_part, "INSERT INTO string_filter (part, bits) VALUES (?1, ?2)"}};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (!(*statements[i].stmt = store_prepare(store, statements[i].sql, err)))
            return -1;
    return load_runs(h, err);
}

void hashes_free(struct hashes **hashes)
{
    struct hashes *h = *hashes;
    if (!h)
        return;
    sqlite3_finalize(h->read_bucket);
    sqlite3_finalize(h->read_part);
    sqlite3_finalize(h->write_bucket);
    sqlite3_finalize(h->write_part);
    free(h->added);
    free(h->sorted);
    free(h);
    *hashes = NULL;
}

/* ---- numbers and pairs ------------------------------------------------------------------------- */

static uint64_t first_bits(uint64_t hash, int bits)
{
    return bits ? hash >> (64 - bits) : 0;
}

static int part_bits(const struct run *run)
{
    return run->bits > PART_BITS ? run->bits - PART_BITS : 0;
}

static int64_t row_number(const struct run *run, uint64_t first)
{
    return (int64_t)((uint64_t)run->id << RUN_SHIFT | first);
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

/* ---- finding ----------------------------------------------------------------------------------- */

/* The octets of a row, until the statement's next step or reset; a row that is not there has none. */
static int read_octets(struct hashes *h, sqlite3_stmt *stmt, int64_t number, struct slice *octets, struct error *err)
{
    sqlite3_reset(stmt);
    sqlite3_bind_int64(stmt, 1, number);
    int found = store_next(h->store, stmt, err);
    const char *p = found > 0 ? sqlite3_column_blob(stmt, 0) : NULL;
    *octets = slice_of(p ? p : "", p ? (size_t)sqlite3_column_bytes(stmt, 0) : 0);
    return found < 0 ? -1 : 0;
}

static int compare_wants(const void *a, const void *b)
{
    uint64_t x = ((const struct hash_want *)a)->hash, y = ((const struct hash_want *)b)->hash;
    return x < y ? -1 : x > y;
}

static int64_t find_pair(struct slice octets, uint64_t hash)
{
    const unsigned char *pairs = (const unsigned char *)octets.p;
    size_t count = octets.n / PAIR, low = 0, high = count;
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

/* Of the wants, which are in order, those that a run has. */
static int find_in_run(struct hashes *h, const struct run *run, struct hash_want *wants, size_t count,
                       struct error *err)
{
    struct slice filter = SLICE_ABSENT, pairs = SLICE_ABSENT;
    int64_t part = -1, bucket = -1;
    int done = 0;
    for (size_t i = 0; i < count && done == 0; i++) {
        uint64_t hash = wants[i].hash;
        int64_t number = row_number(run, first_bits(hash, part_bits(run)));
        if (wants[i].id)
            continue;
        if (number != part)
            done = read_octets(h, h->read_part, part = number, &filter, err);
        if (done < 0 || !filter_may_have((const unsigned char *)filter.p, filter.n, hash))
            continue;
        number = row_number(run, first_bits(hash, run->bits));
        if (number != bucket)
            done = read_octets(h, h->read_bucket, bucket = number, &pairs, err);
        wants[i].id = done == 0 ? find_pair(pairs, hash) : 0;
    }
    sqlite3_reset(h->read_part);
    sqlite3_reset(h->read_bucket);
    return done;
}

int hashes_find(struct hashes *h, struct hash_want *wants, size_t count, struct error *err)
{
    int done = 0;
    if (count)
        qsort(wants, count, sizeof *wants, compare_wants);
    for (size_t i = 0; i < count; i++)
        wants[i].id = 0;
    for (size_t i = 0; i < h->run_count && done == 0; i++)
        done = find_in_run(h, &h->runs[i], wants, count, err);
    return done;
}

/* ---- adding ------------------------------------------------------------------------------------ */

void hashes_add(struct hashes *h, uint64_t hash, int64_t id)
{
    h->added = grow(h->added, &h->added_capacity, h->added_count + 1, sizeof *h->added);
    h->added[h->added_count++] = (struct pair){hash, (uint32_t)id};
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

/* ---- runs into one ----------------------------------------------------------------------------- */

/* Pairs in order: those of a run, bucket by bucket, or those in memory. */
struct stream {
    sqlite3_stmt *stmt; /* NULL: in memory */
    struct slice octets;
    const struct pair *next_sorted, *end_sorted;
    struct pair head;
    bool ended;
};

/* The run that is being made. */
struct making {
    struct hashes *hashes;
    struct run run;
    uint64_t bucket, part; /* at hand */
    unsigned char *octets; /* of the bucket */
    size_t size, capacity;
    uint64_t *part_hashes;
    size_t part_count, part_capacity;
};

static int stream_next(struct hashes *h, struct stream *s, struct error *err)
{
    if (!s->stmt) {
        s->ended = s->next_sorted == s->end_sorted;
        if (!s->ended)
            s->head = *s->next_sorted++;
        return 0;
    }
    while (s->octets.n < PAIR && !s->ended) {
        int code = sqlite3_step(s->stmt);
        s->ended = code == SQLITE_DONE;
        if (code != SQLITE_ROW && code != SQLITE_DONE)
            return store_error(h->store, err);
        if (!s->ended)
            s->octets = slice_of(sqlite3_column_blob(s->stmt, 0), (size_t)sqlite3_column_bytes(s->stmt, 0));
    }
    if (!s->ended) {
        s->head = get_pair((const unsigned char *)s->octets.p);
        s->octets = slice_after(s->octets, PAIR);
    }
    return 0;
}

static int stream_run(struct hashes *h, const struct run *run, struct stream *s, struct error *err)
{
    *s = (struct stream){.stmt = store_prepare(
        h->store, "SELECT pairs FROM string_hash WHERE bucket BETWEEN ?1 AND ?2 ORDER BY bucket", err)};
    if (!s->stmt)
        return -1;
    sqlite3_bind_int64(s->stmt, 1, row_number(run, 0));
    sqlite3_bind_int64(s->stmt, 2, row_number(run, UINT32_MAX));
    return stream_next(h, s, err);
}

static int write_octets(struct hashes *h, sqlite3_stmt *stmt, int64_t number, const void *octets, size_t size,
                        struct error *err)
{
    sqlite3_bind_int64(stmt, 1, number);
    sqlite3_bind_blob(stmt, 2, octets, (int)size, SQLITE_STATIC);
    return store_step(h->store, stmt, err);
}

static int end_bucket(struct making *m, struct error *err)
{
    int done = m->size == 0 ? 0 : write_octets(m->hashes, m->hashes->write_bucket, row_number(&m->run, m->bucket), m->octets,
                                               m->size, err);
    m->size = 0;
    return done;
}

static int end_part(struct making *m, struct error *err)
{
    size_t size = filter_size(m->part_count);
    if (!size)
        return 0;
    unsigned char *filter = xcalloc(size, 1);
    for (size_t i = 0; i < m->part_count; i++)
        filter_add(filter, size, m->part_hashes[i]);
    int done = write_octets(m->hashes, m->hashes->write_part, row_number(&m->run, m->part), filter, size, err);
    free(filter);
    m->part_count = 0;
    return done;
}

static int take_pair(struct making *m, const struct pair *pair, struct error *err)
{
    uint64_t bucket = first_bits(pair->hash, m->run.bits), part = first_bits(pair->hash, part_bits(&m->run));
    if ((bucket != m->bucket && end_bucket(m, err) < 0) || (part != m->part && end_part(m, err) < 0))
        return -1;
    m->bucket = bucket;
    m->part = part;
    m->octets = grow(m->octets, &m->capacity, m->size + PAIR, 1);
    put_pair(m->octets + m->size, pair);
    m->size += PAIR;
    m->part_hashes = grow(m->part_hashes, &m->part_capacity, m->part_count + 1, sizeof *m->part_hashes);
    m->part_hashes[m->part_count++] = pair->hash;
    return 0;
}

static int merge_streams(struct making *m, struct stream *streams, size_t count, struct error *err)
{
    for (;;) {
        struct stream *least = NULL;
        for (size_t i = 0; i < count; i++)
            if (!streams[i].ended && (!least || streams[i].head.hash < least->head.hash))
                least = &streams[i];
        if (!least)
            return end_bucket(m, err) < 0 ? -1 : end_part(m, err);
        if (take_pair(m, &least->head, err) < 0 || stream_next(m->hashes, least, err) < 0)
            return -1;
    }
}

/* The first runs, and what was added, become the one that m is to make. */
static int make_run(struct making *m, size_t merged, struct error *err)
{
    struct hashes *h = m->hashes;
    struct stream streams[RUNS_MAX + 1] = {{.next_sorted = h->sorted, .end_sorted = h->sorted + h->added_count}};
    size_t count = 0;
    int done = stream_next(h, &streams[count++], err);
    for (size_t i = 0; i < merged && done == 0; i++)
        done = stream_run(h, &h->runs[i], &streams[count++], err);
    if (done == 0)
        done = merge_streams(m, streams, count, err);
    for (size_t i = 1; i < count; i++)
        sqlite3_finalize(streams[i].stmt);
    free(m->octets);
    free(m->part_hashes);
    return done;
}

static int replace_rows(struct hashes *h, size_t merged, const struct run *run, struct error *err)
{
    char *sql;
    int done = 0;
    for (size_t i = 0; i < merged && done == 0; i++) {
        long long low = row_number(&h->runs[i], 0), high = row_number(&h->runs[i], UINT32_MAX);
        sql = sqlite3_mprintf("DELETE FROM string_hash WHERE bucket BETWEEN %lld AND %lld;"
                              "DELETE FROM string_filter WHERE part BETWEEN %lld AND %lld;"
                              "DELETE FROM string_run WHERE id = %lld", low, high, low, high, (long long)h->runs[i].id);
        done = store_run(h->store, sql, err);
        sqlite3_free(sql);
    }
    if (done < 0)
        return -1;
    sql = sqlite3_mprintf("INSERT INTO string_run (id, level, bits, pairs) VALUES (%lld, %d, %d, %lld)",
                          (long long)run->id, run->level, run->bits, (long long)run->pairs);
    done = store_run(h->store, sql, err);
    sqlite3_free(sql);
    return done;
}

/* Whether a run of that level has room for so many pairs. */
static bool has_room(int level, int64_t pairs)
{
    int64_t room = LEVEL_PAIRS;
    while (level-- > 0)
        room *= GROWTH;
    return pairs <= room;
}

/* The smallest run that holds what was added and all runs below it; *merged: how many runs it takes in. */
static struct run next_run(const struct hashes *h, size_t *merged)
{
    struct run run = {.pairs = (int64_t)h->added_count};
    *merged = 0;
    for (;; run.level++) {
        if (*merged < h->run_count && h->runs[*merged].level == run.level)
            run.pairs += h->runs[(*merged)++].pairs;
        if (has_room(run.level, run.pairs))
            break;
    }
    for (size_t i = 0; i < h->run_count; i++)
        run.id = h->runs[i].id > run.id ? h->runs[i].id : run.id;
    run.id++;
    while (run.pairs >> run.bits > BUCKET_PAIRS)
        run.bits++;
    return run;
}

int hashes_flush(struct hashes *h, struct error *err)
{
    size_t merged;
    if (h->added_count == 0)
        return 0;
    struct making making = {.hashes = h, .run = next_run(h, &merged)};
    sort_added(h);
    if (make_run(&making, merged, err) < 0 || replace_rows(h, merged, &making.run, err) < 0)
        return -1;
    h->run_count -= merged;
    memmove(h->runs + 1, h->runs + merged, h->run_count * sizeof *h->runs);
    h->runs[0] = making.run;
    h->run_count++;
    h->added_count = 0;
    return 0;
}

/* ---- walking ----------------------------------------------------------------------------------- */

uint64_t hashes_pair_hash(const char *pair)
{
    return get_hash((const unsigned char *)pair);
}

static int bits_of_run(const struct hashes *h, int64_t id)
{
    for (size_t i = 0; i < h->run_count; i++)
        if (h->runs[i].id == id)
            return h->runs[i].bits;
    return 0;
}

int hashes_walk(struct hashes *h, const struct hash_walk *walk, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(h->store, "SELECT bucket, pairs FROM string_hash ORDER BY bucket", err);
    if (!stmt)
        return -1;
    int code, done = 0;
    while (done == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *pairs = sqlite3_column_blob(stmt, 1);
        int64_t number = sqlite3_column_int64(stmt, 0);
        const struct hash_bucket bucket = {number, (uint64_t)number & UINT32_MAX, bits_of_run(h, number >> RUN_SHIFT),
                                           slice_of(pairs ? pairs : "", (size_t)sqlite3_column_bytes(stmt, 1))};
        done = walk->visit(walk->context, &bucket, err);
    }
    if (done == 0 && code != SQLITE_DONE)
        done = store_error(h->store, err);
    sqlite3_finalize(stmt);
    return done;
}
