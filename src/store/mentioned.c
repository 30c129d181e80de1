/* mentioned.c — day by day, each want's bucket. */
#include "mentioned.h"

#include "../base/memory.h"

struct finding {
    struct store *store;
    const struct mention_want *wants;
    size_t count;
    const struct mention_listener *listener;
    sqlite3_stmt *next, *read;
    bool ids; /* of table id_mention */
    int day_bits;
};

/* Place of the first of count records, each of size octets, whose first octets are not less than the key. */
static size_t lower_bound(const unsigned char *records, size_t count, size_t size, const unsigned char *key, size_t n)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(records + middle * size, key, n) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t times_of_string(sqlite3_stmt *row, const struct mention_want *want)
{
    const unsigned char *codes = sqlite3_column_blob(row, 0), *times = sqlite3_column_blob(row, 1);
    size_t count = (size_t)sqlite3_column_bytes(row, 0) / MENTION_CODE;
    uint32_t code = mention_code(want->string, want->kind);
    const unsigned char key[MENTION_CODE] = {(unsigned char)(code >> 8), (unsigned char)code};
    if (!codes || !times || (size_t)sqlite3_column_bytes(row, 1) != count * MENTION_TIMES)
        return 0;
    size_t i = lower_bound(codes, count, MENTION_CODE, key, MENTION_CODE);
    if (i == count || memcmp(codes + i * MENTION_CODE, key, MENTION_CODE) != 0)
        return 0;
    times += i * MENTION_TIMES;
    return (uint32_t)times[0] << 24 | (uint32_t)times[1] << 16 | (uint32_t)times[2] << 8 | times[3];
}

static uint32_t times_of_id(sqlite3_stmt *row, const struct mention_want *want)
{
    const unsigned char *ids = sqlite3_column_blob(row, 0);
    size_t count = (size_t)sqlite3_column_bytes(row, 0) / ID_MENTION_SIZE;
    uint32_t rest = (uint32_t)(want->hash >> (32 - ID_MENTION_DAY_BITS)), times = 0;
    const unsigned char key[] = {(unsigned char)(rest >> 24), (unsigned char)(rest >> 16), (unsigned char)(rest >> 8),
                                 (unsigned char)rest};
    if (!ids)
        return 0;
    for (size_t i = lower_bound(ids, count, ID_MENTION_SIZE, key, sizeof key);
         i < count && memcmp(ids + i * ID_MENTION_SIZE, key, sizeof key) == 0; i++) {
        unsigned slot = ids[i * ID_MENTION_SIZE + sizeof key] % DAY_SLOTS;
        times |= slot_bits(slot);
    }
    return times;
}

static int64_t number_in_day(const struct mention_want *want)
{
    return want->is_id ? (int64_t)(want->hash >> (64 - ID_MENTION_DAY_BITS)) : want->string / MENTION_BUCKET;
}

static int find_in_day(struct finding *f, int64_t day, struct error *err)
{
    int64_t bucket = -1;
    int code = SQLITE_DONE;
    for (size_t i = 0; i < f->count; i++) {
        const struct mention_want *want = &f->wants[i];
        if (want->is_id != f->ids)
            continue;
        if (number_in_day(want) != bucket) {
            bucket = number_in_day(want);
            sqlite3_reset(f->read);
            sqlite3_bind_int64(f->read, 1, day * ((int64_t)1 << f->day_bits) + bucket);
            code = sqlite3_step(f->read);
        }
        if (code != SQLITE_ROW && code != SQLITE_DONE)
            return store_error(f->store, err);
        uint32_t times = code != SQLITE_ROW ? 0 : f->ids ? times_of_id(f->read, want) : times_of_string(f->read, want);
        if (times)
            f->listener->tell(f->listener->context, want, day, times);
    }
    sqlite3_reset(f->read);
    return 0;
}

/* The first day from the given one on that has mentions.  1; 0: none. */
static int next_day(struct finding *f, int64_t *day, struct error *err)
{
    sqlite3_bind_int64(f->next, 1, *day * ((int64_t)1 << f->day_bits));
    int found = store_next(f->store, f->next, err);
    if (found > 0)
        *day = sqlite3_column_int64(f->next, 0) >> f->day_bits;
    sqlite3_reset(f->next);
    return found;
}

static int find_in_table(struct finding *f, int64_t first, int64_t last, struct error *err)
{
    int64_t day = first;
    int more = 1;
    while (more > 0 && day <= last && (more = next_day(f, &day, err)) > 0 && day <= last) {
        if (find_in_day(f, day, err) < 0)
            more = -1;
        day++;
    }
    return more < 0 ? -1 : 0;
}

static bool any_want(const struct finding *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->wants[i].is_id == f->ids)
            return true;
    return false;
}

static int find_prepared(struct finding *f, const char *next, const char *read, int64_t first, int64_t last,
                         struct error *err)
{
    if (!any_want(f))
        return 0;
    f->next = store_prepare(f->store, next, err);
    f->read = f->next ? store_prepare(f->store, read, err) : NULL;
    int done = f->read ? find_in_table(f, first, last, err) : -1;
    sqlite3_finalize(f->next);
    sqlite3_finalize(f->read);
    return done;
}

int mentioned_find(struct store *store, const struct mention_want *wants, size_t count, int64_t first, int64_t last,
                   const struct mention_listener *listener, struct error *err)
{
    struct finding f = {.store = store, .wants = wants, .count = count, .listener = listener,
                        .day_bits = MENTION_DAY_BITS};
    if (find_prepared(&f, "SELECT place FROM mention WHERE place >= ?1 ORDER BY place LIMIT 1",
                      "SELECT strings, times FROM mention WHERE place = ?1", first, last, err) < 0)
        return -1;
    f.ids = true;
    f.day_bits = ID_MENTION_DAY_BITS;
    return find_prepared(&f, "SELECT place FROM id_mention WHERE place >= ?1 ORDER BY place LIMIT 1",
                         "SELECT ids FROM id_mention WHERE place = ?1", first, last, err);
}
