/* mentions.c — mentions gather in memory as numbers, are sorted, and merged into the buckets that are stored. */
#include "mentions.h"

#include <stdlib.h>

#include "../base/heads.h"
#include "../base/memory.h"

#define GATHERED_MAX ((size_t)1 << 19) /* of 16 octets */
#define DAY_BIAS 32768                 /* so that days before 1970 are numbers too: of 17 bits in all */
#define DAY_BITS 17
#define STRING_BITS 34                 /* of a string's id, and the kind of its mention */
#define CODE_BITS 12                   /* of these, what a bucket does not say */
#define HASH_BITS 38                   /* of an id's hash: its bucket, and what is stored of it */

/* Numbers that sort as the table does; index holds what is not of its key. */
struct gathered {
    struct headed *rows;
    size_t count, capacity;
    sqlite3_stmt *read, *write;
    int64_t newest; /* day; later ones have no buckets yet */
};

#define RECENT ((size_t)1 << 14)

/* A mention gathered lately: all that is asked of one stands here, so that most take one look. */
struct recent {
    uint64_t head;
    uint32_t times, place; /* place: in strings.rows, from 1; 0: none */
};

struct mentions {
    struct store *store;
    struct recent recent[RECENT]; /* by the end of the head */
    struct gathered strings; /* head: day, string, kind; index: times */
    struct gathered ids;     /* head: day, first bits of the hash; index: slot */
    unsigned char *codes, *times; /* of the bucket at hand */
    size_t code_capacity, time_capacity;
};

static int prepare(struct mentions *m, struct gathered *g, const char *newest, const char *read, const char *write,
                   struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(m->store, newest, err);
    int done = !stmt ? -1 : sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(m->store, err);
    g->newest = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    if (done < 0 || !(g->read = store_prepare(m->store, read, err)))
        return -1;
    return (g->write = store_prepare(m->store, write, err)) ? 0 : -1;
}

int mentions_new(struct store *store, struct mentions **mentions, struct error *err)
{
    struct mentions *m = xcalloc(1, sizeof *m);
    m->store = store;
    *mentions = m;
    if (prepare(m, &m->strings, "SELECT coalesce(max(place) >> 22, -32768) FROM mention",
                "SELECT strings, times FROM mention WHERE place = ?1",
                "INSERT OR REPLACE INTO mention (place, strings, times) VALUES (?1, ?2, ?3)", err) < 0)
        return -1;
    return prepare(m, &m->ids, "SELECT coalesce(max(place) >> 6, -32768) FROM id_mention",
                   "SELECT ids FROM id_mention WHERE place = ?1",
                   "INSERT OR REPLACE INTO id_mention (place, ids) VALUES (?1, ?2)", err);
}

static void free_gathered(struct gathered *g)
{
    free(g->rows);
    sqlite3_finalize(g->read);
    sqlite3_finalize(g->write);
}

void mentions_free(struct mentions **mentions)
{
    struct mentions *m = *mentions;
    if (!m)
        return;
    free_gathered(&m->strings);
    free_gathered(&m->ids);
    free(m->codes);
    free(m->times);
    free(m);
    *mentions = NULL;
}

/* ---- taking up --------------------------------------------------------------------------------- */

/* The day as sorted; what no day of a log can be becomes the first or the last. */
static uint64_t biased_day(int64_t day)
{
    int64_t biased = day + DAY_BIAS;
    return biased < 0 ? 0 : biased >> DAY_BITS ? ((uint64_t)1 << DAY_BITS) - 1 : (uint64_t)biased;
}

static void gather(struct gathered *g, uint64_t head, uint32_t index)
{
    g->rows = grow(g->rows, &g->capacity, g->count + 1, sizeof *g->rows);
    g->rows[g->count++] = (struct headed){head, index};
}

/* Answers whether the mention was gathered before, as most were, in this batch or the last. */
static bool gather_string(struct mentions *m, uint64_t head, uint32_t times)
{
    struct gathered *g = &m->strings;
    struct recent *recent = &m->recent[(head ^ head >> 15) % RECENT];
    if (recent->place && recent->head == head) {
        if ((recent->times & times) == times)
            return true;
        g->rows[recent->place - 1].index = recent->times |= times;
        return false;
    }
    gather(g, head, times);
    *recent = (struct recent){head, times, (uint32_t)g->count};
    return false;
}

/* What a string is kin to was gathered with it. */
static void take_day(struct mentions *m, uint64_t day, int64_t id, enum mention_kind kind, const struct batch_kin *kin,
                     uint32_t times)
{
    uint64_t first = day << STRING_BITS;
    if (gather_string(m, first | (uint64_t)id << 2 | (uint64_t)kind, times))
        return;
    if (kin->domain)
        gather_string(m, first | (uint64_t)kin->domain << 2 | MENTION_KIN, times);
    if (kin->folded)
        gather_string(m, first | (uint64_t)kin->folded << 2 | MENTION_KIN, times);
}

/* A string's slots, 32 bits a day. */
static void take_string(struct mentions *m, const struct batch *batch, uint64_t day, uint32_t number, enum mention_kind kind,
                        uint64_t slots)
{
    for (; slots; day++, slots >>= 32)
        if ((uint32_t)slots)
            take_day(m, day, batch->ids[number], kind, &batch->kin[number], (uint32_t)slots);
}

/* The same of each string that a common row has. */
static void take_common(struct mentions *m, const struct batch *batch, uint64_t day, uint32_t number, uint64_t slots)
{
    enum common_table table = (enum common_table)(batch->strings[number].common - 1);
    enum mention_kind kind = table == COMMON_ROUTE ? MENTION_ROUTE : MENTION_CLIENT;
    const struct row_layout *layout = &common_layouts[table];
    const char *row = batch_common_row(batch, table, number);
    for (size_t c = 1; c < layout->count; c++) {
        uint32_t ref = layout->columns[c].type == COLUMN_REF ? *(const uint32_t *)(const void *)(row + layout->columns[c].offset) : 0;
        if (ref)
            take_string(m, batch, day, ref, kind, slots);
    }
}

static void take_commons(struct mentions *m, struct batch *batch, enum common_table table, uint64_t day)
{
    for (size_t i = 0; i < batch->commons[table].count; i++) {
        uint32_t number = batch->common_numbers[table][i];
        take_common(m, batch, day, number, batch->slots[number]);
        batch->slots[number] = 0;
    }
}

/* Days so far from the batch's first that they have no bits. */
static void take_stray(struct mentions *m, const struct batch *batch, const struct batch_stray *stray)
{
    int64_t day = floor_div(stray->slot, DAY_SLOTS), in_day = stray->slot - day * DAY_SLOTS;
    if (batch->strings[stray->number].common)
        take_common(m, batch, biased_day(day), stray->number, slot_bits(in_day));
    else if (stray->number)
        take_string(m, batch, biased_day(day), stray->number, MENTION_COLUMN, slot_bits(in_day));
}

static void take_ids(struct mentions *m, const struct batch *batch)
{
    for (size_t i = 0; i < batch->id_mention_count; i++) {
        const struct batch_id_mention *id = &batch->id_mentions[i];
        int64_t day = floor_div(id->slot, DAY_SLOTS);
        gather(&m->ids, biased_day(day) << HASH_BITS | id->hash >> (64 - HASH_BITS), (uint32_t)(id->slot - day * DAY_SLOTS));
    }
}

int mentions_note(struct mentions *m, struct batch *batch, struct error *err)
{
    if (batch->first_day == NUM_ABSENT)
        return 0;
    uint64_t day = biased_day(batch->first_day);
    take_commons(m, batch, COMMON_CLIENT, day);
    take_commons(m, batch, COMMON_ROUTE, day);
    for (uint32_t i = 1; i < batch->string_count; i++)
        take_string(m, batch, day, i, MENTION_COLUMN, batch->slots[i]);
    for (size_t i = 0; i < batch->stray_count; i++)
        take_stray(m, batch, &batch->strays[i]);
    take_ids(m, batch);
    return m->strings.count + m->ids.count < GATHERED_MAX ? 0 : mentions_flush(m, err);
}

/* ---- storing ----------------------------------------------------------------------------------- */

/* A bucket of what was gathered: rows of one day and one bucket. */
struct bucket {
    int64_t day, place;
    const struct headed *rows;
    size_t count;
};

/* What is stored of the bucket, till the next step of the statement: its row in g->read, or none. */
static int read_stored(struct mentions *m, const struct gathered *g, const struct bucket *bucket, bool *stored,
                       struct error *err)
{
    *stored = false;
    if (bucket->day > g->newest)
        return 0;
    sqlite3_bind_int64(g->read, 1, bucket->place);
    int found = store_next(m->store, g->read, err);
    *stored = found > 0;
    return found < 0 ? -1 : 0;
}

static int write_bucket(struct mentions *m, const struct gathered *g, const struct bucket *bucket, size_t code_octets,
                        size_t time_octets, struct error *err)
{
    sqlite3_reset(g->read);
    sqlite3_bind_int64(g->write, 1, bucket->place);
    sqlite3_bind_blob(g->write, 2, m->codes, (int)code_octets, SQLITE_STATIC);
    if (time_octets)
        sqlite3_bind_blob(g->write, 3, m->times, (int)time_octets, SQLITE_STATIC);
    return store_step(m->store, g->write, err);
}

static uint32_t get_code(const unsigned char *from)
{
    return (uint32_t)from[0] << 8 | from[1];
}

static uint32_t get_times(const unsigned char *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void put_string(struct mentions *m, size_t place, uint32_t code, uint32_t times)
{
    unsigned char *to = m->codes + place * MENTION_CODE, *bits = m->times + place * MENTION_TIMES;
    to[0] = (unsigned char)(code >> 8);
    to[1] = (unsigned char)code;
    bits[0] = (unsigned char)(times >> 24);
    bits[1] = (unsigned char)(times >> 16);
    bits[2] = (unsigned char)(times >> 8);
    bits[3] = (unsigned char)times;
}

/* Merges the bucket's rows, equal ones into one, with what is stored; answers how many there are then. */
static size_t merge_strings(struct mentions *m, const struct bucket *bucket, const unsigned char *codes,
                            const unsigned char *bits, size_t stored)
{
    size_t put = 0, s = 0;
    for (size_t i = 0; i < bucket->count || s < stored; put++) {
        uint64_t head = i < bucket->count ? bucket->rows[i].head : 0;
        uint32_t ours = i < bucket->count
                            ? mention_code((int64_t)(head >> 2 & 0xffffffff), (enum mention_kind)(head & 3)) : UINT32_MAX;
        uint32_t theirs = s < stored ? get_code(codes + s * MENTION_CODE) : UINT32_MAX;
        uint32_t times = 0;
        if (theirs <= ours)
            times = get_times(bits + s++ * MENTION_TIMES);
        if (ours <= theirs)
            for (; i < bucket->count && bucket->rows[i].head == head; i++)
                times |= bucket->rows[i].index;
        put_string(m, put, ours < theirs ? ours : theirs, times);
    }
    return put;
}

static int put_strings(struct mentions *m, const struct bucket *bucket, struct error *err)
{
    const unsigned char *codes = NULL, *bits = NULL;
    bool is_stored;
    if (read_stored(m, &m->strings, bucket, &is_stored, err) < 0)
        return -1;
    size_t stored = is_stored ? (size_t)sqlite3_column_bytes(m->strings.read, 0) / MENTION_CODE : 0;
    if (is_stored) {
        codes = sqlite3_column_blob(m->strings.read, 0);
        bits = sqlite3_column_blob(m->strings.read, 1);
        if ((size_t)sqlite3_column_bytes(m->strings.read, 1) != stored * MENTION_TIMES)
            return error_set(err, FAIL_DB, "%s: table mention is damaged; run mailtrail check", store_path(m->store));
    }
    size_t most = stored + bucket->count;
    m->codes = grow(m->codes, &m->code_capacity, most * MENTION_CODE, 1);
    m->times = grow(m->times, &m->time_capacity, most * MENTION_TIMES, 1);
    size_t put = merge_strings(m, bucket, codes, bits, stored);
    return write_bucket(m, &m->strings, bucket, put * MENTION_CODE, put * MENTION_TIMES, err);
}

static void put_id(unsigned char *to, uint32_t hash, uint32_t slot)
{
    const unsigned char octets[ID_MENTION_SIZE] = {(unsigned char)(hash >> 24), (unsigned char)(hash >> 16),
                                                   (unsigned char)(hash >> 8), (unsigned char)hash, (unsigned char)slot};
    memcpy(to, octets, sizeof octets);
}

static size_t merge_ids(struct mentions *m, const struct bucket *bucket, const unsigned char *ids, size_t stored)
{
    size_t put = 0, s = 0;
    for (size_t i = 0; i < bucket->count || s < stored;) {
        unsigned char ours[ID_MENTION_SIZE], *to = m->codes + put * ID_MENTION_SIZE;
        if (i < bucket->count)
            put_id(ours, (uint32_t)bucket->rows[i].head, bucket->rows[i].index);
        int order = i == bucket->count ? 1 : s == stored ? -1 : memcmp(ours, ids + s * ID_MENTION_SIZE, ID_MENTION_SIZE);
        memcpy(to, order < 0 ? ours : ids + s * ID_MENTION_SIZE, ID_MENTION_SIZE);
        i += order <= 0;
        s += order >= 0;
        put += put == 0 || memcmp(to - ID_MENTION_SIZE, to, ID_MENTION_SIZE) != 0;
    }
    return put;
}

static int put_ids(struct mentions *m, const struct bucket *bucket, struct error *err)
{
    bool is_stored;
    if (read_stored(m, &m->ids, bucket, &is_stored, err) < 0)
        return -1;
    const unsigned char *ids = is_stored ? sqlite3_column_blob(m->ids.read, 0) : NULL;
    size_t stored = ids ? (size_t)sqlite3_column_bytes(m->ids.read, 0) / ID_MENTION_SIZE : 0;
    m->codes = grow(m->codes, &m->code_capacity, (stored + bucket->count) * ID_MENTION_SIZE, 1);
    size_t put = merge_ids(m, bucket, ids, stored);
    return write_bucket(m, &m->ids, bucket, put * ID_MENTION_SIZE, 0, err);
}

/* Sorts what was gathered and puts it bucket by bucket: low bits of a head are a place in the bucket, those above them
   the bucket's place in the table, of which the low bits are its number in the day. */
static int flush(struct mentions *m, struct gathered *g, int low_bits, int number_bits,
                 int (*put)(struct mentions *, const struct bucket *, struct error *), struct error *err)
{
    int done = 0;
    int64_t newest = g->newest;
    heads_sort(g->rows, g->count, NULL, NULL);
    for (size_t i = 0, end; i < g->count && done == 0; i = end) {
        uint64_t place = g->rows[i].head >> low_bits;
        for (end = i + 1; end < g->count && g->rows[end].head >> low_bits == place;)
            end++;
        newest = (int64_t)(place >> number_bits) - DAY_BIAS;
        struct bucket bucket = {newest, (int64_t)place - (int64_t)DAY_BIAS * ((int64_t)1 << number_bits), g->rows + i,
                                end - i};
        done = put(m, &bucket, err);
    }
    if (newest > g->newest)
        g->newest = newest;
    g->count = 0;
    return done;
}

int mentions_flush(struct mentions *m, struct error *err)
{
    memset(m->recent, 0, sizeof m->recent);
    return flush(m, &m->strings, CODE_BITS, MENTION_DAY_BITS, put_strings, err) < 0 ||
           flush(m, &m->ids, HASH_BITS - ID_MENTION_DAY_BITS, ID_MENTION_DAY_BITS, put_ids, err) < 0 ? -1 : 0;
}
