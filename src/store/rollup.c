/* rollup.c — images into sums, sums into their tables. */
#include "rollup.h"

#include <stdlib.h>

#include "../base/hash.h"
#include "../base/heads.h"
#include "../ingest/batch.h"
#include "handed.h"

#define FIRST_SLOTS ((size_t)1 << 14)
#define DAY 86400
#define KEYS_MAX 5
#define VALUES 3 /* count, addresses, bytes: what stands behind the keys of a sum */
#define FRESH ((int64_t)1 << 62) /* in a bucket's id, until the rows are sorted */
#define MEASURES (MEASURE_AUTH_FAILURE_USER + 1)

/* An image on its way into the sums, with its sign. */
struct waiting {
    int64_t row[KEYS_MAX + VALUES];
    uint64_t hash;
};
#define WAITING_MAX 48

/* The sums of one table: rows of a bucket's number, further keys, and the values. */
struct sums {
    const struct row_layout *layout;
    size_t keys, width; /* of a row: bucket and keys, all */
    int64_t *rows;
    size_t count, capacity;
    uint32_t *slots; /* number of a row + 1, by the hash of its keys */
    size_t slot_count;
    struct waiting waiting[WAITING_MAX];
    size_t waiting_count;
    struct handed handed;
    bool registered;
};

/* A day of a server, and the rollup_bucket.id of each measure; in memory a bucket is numbered by its day's place
   and its measure. */
struct day {
    int64_t server, day;
    int64_t ids[MEASURES]; /* 0: not asked for yet */
    bool fresh[MEASURES];  /* made by this transaction: its sums meet none */
};

struct rollup {
    int64_t kinds[DELIVERY_KINDS_END];
    struct sums one, many;
    struct day *days;
    size_t day_count, day_capacity, last_day;
};

#define COLUMN(name, i) {name, COLUMN_INT, (i) * sizeof(int64_t)}
static const struct row_column one_columns[] = {COLUMN("bucket", 0), COLUMN("key", 1), COLUMN("count", 2),
                                                COLUMN("addresses", 3), COLUMN("bytes", 4)};
static const struct row_column many_columns[] = {
    COLUMN("bucket", 0), COLUMN("key1", 1),  COLUMN("key2", 2),      COLUMN("key3", 3),
    COLUMN("key4", 4),   COLUMN("count", 5), COLUMN("addresses", 6), COLUMN("bytes", 7)};
static const struct row_layout one_layout = {"rollup_one", 5 * sizeof(int64_t), one_columns, 5};
static const struct row_layout many_layout = {"rollup_many", 8 * sizeof(int64_t), many_columns, 8};

static void sums_init(struct sums *sums, const struct row_layout *layout)
{
    sums->layout = layout;
    sums->width = layout->count;
    sums->keys = layout->count - VALUES;
    sums->slots = xcalloc(sums->slot_count = FIRST_SLOTS, sizeof *sums->slots);
}

struct rollup *rollup_new(const int64_t *kinds)
{
    struct rollup *rollup = xcalloc(1, sizeof *rollup);
    memcpy(rollup->kinds, kinds, sizeof rollup->kinds);
    sums_init(&rollup->one, &one_layout);
    sums_init(&rollup->many, &many_layout);
    return rollup;
}

void rollup_free(struct rollup **rollup)
{
    struct rollup *r = *rollup;
    if (!r)
        return;
    free(r->one.rows);
    free(r->one.slots);
    free(r->many.rows);
    free(r->many.slots);
    free(r->days);
    free(r);
    *rollup = NULL;
}

/* ---- the sums in memory ------------------------------------------------------------------------ */

static int64_t *row_at(const struct sums *sums, size_t number)
{
    return sums->rows + number * sums->width;
}

/* Place of a sum in the slots, or of the free slot where it belongs. */
static size_t slot_of(const struct sums *sums, const int64_t *keys, uint64_t hash)
{
    size_t mask = sums->slot_count - 1;
    size_t i = hash & mask;
    while (sums->slots[i] &&
           memcmp(row_at(sums, sums->slots[i] - 1), keys, sums->keys * sizeof *keys) != 0)
        i = (i + 1) & mask;
    return i;
}

static uint64_t hash_keys(const struct sums *sums, const int64_t *keys)
{
    return hash_bytes(slice_of((const char *)keys, sums->keys * sizeof *keys), 0);
}

static void widen(struct sums *sums)
{
    free(sums->slots);
    sums->slots = xcalloc(sums->slot_count *= 2, sizeof *sums->slots);
    for (size_t i = 0; i < sums->count; i++) {
        const int64_t *row = row_at(sums, i);
        sums->slots[slot_of(sums, row, hash_keys(sums, row))] = (uint32_t)i + 1;
    }
}

static void take(struct sums *sums, const struct waiting *waiting)
{
    size_t slot = slot_of(sums, waiting->row, waiting->hash);
    if (sums->slots[slot]) {
        int64_t *row = row_at(sums, sums->slots[slot] - 1);
        for (size_t i = sums->keys; i < sums->width; i++)
            row[i] += waiting->row[i];
        return;
    }
    sums->rows = grow(sums->rows, &sums->capacity, sums->count + 1, sums->layout->size);
    memcpy(row_at(sums, sums->count), waiting->row, sums->layout->size);
    sums->slots[slot] = (uint32_t)++sums->count;
    if (sums->count * 2 > sums->slot_count)
        widen(sums);
}

/* Takes what waits: first the places are asked for, then they are read, so that their misses overlap. */
static void take_waiting(struct sums *sums)
{
    size_t mask = sums->slot_count - 1;
    for (size_t i = 0; i < sums->waiting_count; i++) {
        uint32_t number = sums->slots[sums->waiting[i].hash & mask];
        __builtin_prefetch(number ? row_at(sums, number - 1) : NULL);
    }
    for (size_t i = 0; i < sums->waiting_count; i++)
        take(sums, &sums->waiting[i]);
    sums->waiting_count = 0;
}

/* What an image counts, with its sign, and the day that it counts on. */
struct amount {
    size_t day; /* of rollup.days */
    int64_t hour;
    int64_t count, addresses, bytes;
};

static void add(struct sums *sums, enum measure measure, const int64_t *keys, const struct amount *amount)
{
    if (sums->waiting_count == WAITING_MAX)
        take_waiting(sums);
    struct waiting *waiting = &sums->waiting[sums->waiting_count++];
    waiting->row[0] = (int64_t)(amount->day * MEASURES) + (int64_t)measure;
    for (size_t i = 1; i < sums->keys; i++)
        waiting->row[i] = keys[i - 1];
    waiting->row[sums->keys] = amount->count;
    waiting->row[sums->keys + 1] = amount->addresses;
    waiting->row[sums->keys + 2] = amount->bytes;
    waiting->hash = hash_keys(sums, waiting->row);
    __builtin_prefetch(&sums->slots[waiting->hash & (sums->slot_count - 1)]);
}

static void add_one(struct rollup *rollup, enum measure measure, int64_t key, const struct amount *amount)
{
    add(&rollup->one, measure, &key, amount);
}

static void add_many(struct rollup *rollup, enum measure measure, int64_t key1, int64_t key2, int64_t key3,
                     int64_t key4, const struct amount *amount)
{
    add(&rollup->many, measure, (const int64_t[]){key1, key2, key3, key4}, amount);
}

/* ---- images ------------------------------------------------------------------------------------ */

/* Place of a server's day among those of the transaction: mostly that of the image before. */
static size_t day_of(struct rollup *rollup, int64_t server, int64_t day)
{
    for (size_t i = 0; i < rollup->day_count; i++) {
        size_t place = (rollup->last_day + i) % rollup->day_count;
        if (rollup->days[place].day == day && rollup->days[place].server == server)
            return rollup->last_day = place;
    }
    rollup->days = grow(rollup->days, &rollup->day_capacity, rollup->day_count + 1, sizeof *rollup->days);
    rollup->days[rollup->day_count] = (struct day){.server = server, .day = day};
    return rollup->last_day = rollup->day_count++;
}

static struct amount amount_at(struct rollup *rollup, const struct server *server, int64_t at, int sign)
{
    int64_t local = at + zone_offset_at(&server->zone, at);
    int64_t day = floor_div(local, DAY);
    return (struct amount){day_of(rollup, server->id, day), (local - day * DAY) / 3600, sign, 0, 0};
}

/* Facts of that time are pruned, so that their sums are what is left of them. */
static bool is_frozen(const struct server *server, int64_t at)
{
    return at < server->pruned_before;
}

static int64_t host_key(int64_t host, int64_t ip)
{
    return host ? host : ip;
}

static int64_t octets(const struct message_image *m)
{
    return m->size == NUM_ABSENT ? 0 : m->size;
}

static void received_images(struct rollup *rollup, const struct message_image *m, int sign)
{
    struct amount amount = amount_at(rollup, m->server, m->received, sign);
    amount.bytes = sign * octets(m);
    if (m->is_copy) {
        add_one(rollup, MEASURE_COPIED, amount.hour, &amount);
        return;
    }
    add_one(rollup, MEASURE_RECEIVED, amount.hour, &amount);
    add_one(rollup, MEASURE_RECEIVED_HOST, host_key(m->host, m->ip), &amount);
    add_one(rollup, MEASURE_RECEIVED_EMAIL, m->sender, &amount);
    if (!m->host && !m->ip)
        add_one(rollup, MEASURE_RECEIVED_USER, m->local_user, &amount);
    amount.bytes = 0;
    if (m->delayed)
        add_one(rollup, MEASURE_DELAYED, 0, &amount);
    if (m->failed)
        add_one(rollup, MEASURE_FAILED, 0, &amount);
}

/* The bin of a time on the queue: the first whose bound is greater. */
static int64_t queue_bin(int64_t seconds)
{
    static const int64_t bounds[] = {60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400};
    int64_t bin = 0;
    while (bin < 9 && seconds >= bounds[bin])
        bin++;
    return bin;
}

static void queue_images(struct rollup *rollup, const struct message_image *m, int sign)
{
    struct amount amount = amount_at(rollup, m->server, m->completed, sign);
    int64_t bin = queue_bin(m->completed - (m->received != NUM_ABSENT ? m->received : m->id_second));
    add_one(rollup, MEASURE_QUEUE_ALL, bin, &amount);
    if (m->remote)
        add_one(rollup, MEASURE_QUEUE_REMOTE, bin, &amount);
}

void rollup_message(struct rollup *rollup, const struct message_image *m, int sign)
{
    if (m->flags & MESSAGE_RETRACTED)
        return;
    if (m->received != NUM_ABSENT && !is_frozen(m->server, m->received))
        received_images(rollup, m, sign);
    if (m->completed != NUM_ABSENT && !is_frozen(m->server, m->completed))
        queue_images(rollup, m, sign);
}

static void delivered_images(struct rollup *rollup, const struct amount *amount, const struct delivery_image *d)
{
    add_one(rollup, MEASURE_DELIVERED, amount->hour, amount);
    add_one(rollup, MEASURE_DELIVERED_TRANSPORT, d->transport, amount);
    add_one(rollup, MEASURE_DELIVERED_HOST, host_key(d->host, d->ip), amount);
    add_one(rollup, MEASURE_DELIVERED_EMAIL, d->recipient, amount);
    if (!d->host && !d->ip)
        add_one(rollup, MEASURE_DELIVERED_USER, d->recipient, amount);
}

static void relayed_image(struct rollup *rollup, const struct amount *amount, const struct delivery_image *d,
                          const struct message_image *m)
{
    if ((!d->host && !d->ip) || (!m->host && !m->ip) || m->authenticated || d->rewritten)
        return;
    add_many(rollup, MEASURE_RELAYED, host_key(m->host, m->ip), m->sender, host_key(d->host, d->ip),
             d->recipient, amount);
}

void rollup_delivery(struct rollup *rollup, const struct delivery_image *d, const struct message_image *m,
                     int sign)
{
    if (is_frozen(m->server, d->at))
        return;
    struct amount amount = amount_at(rollup, m->server, d->at, sign);
    add_one(rollup, MEASURE_DELIVERY_KIND, d->kind, &amount);
    if (d->kind == rollup->kinds[DELIVERY_FAILED]) {
        add_many(rollup, MEASURE_ERROR, d->recipient, host_key(d->host, d->ip), d->reason, d->reason_class,
                 &amount);
    } else if (d->kind == rollup->kinds[DELIVERY_ADDITIONAL]) {
        amount.count = 0;
        amount.addresses = sign;
        delivered_images(rollup, &amount, d);
    } else if (d->kind == rollup->kinds[DELIVERY_DELIVERED] ||
               d->kind == rollup->kinds[DELIVERY_CUTTHROUGH]) {
        amount.addresses = sign;
        amount.bytes = sign * octets(m);
        delivered_images(rollup, &amount, d);
        relayed_image(rollup, &amount, d, m);
    }
}

void rollup_rejection(struct rollup *rollup, const struct rejection_image *r, int sign)
{
    if (is_frozen(r->server, r->at))
        return;
    struct amount amount = amount_at(rollup, r->server, r->at, sign);
    add_one(rollup, r->temporary ? MEASURE_DEFERRED_CLIENT_HOST : MEASURE_REJECTED_HOST,
            host_key(r->host, r->ip), &amount);
    add_many(rollup, r->temporary ? MEASURE_DEFERRED_CLIENT : MEASURE_REJECTED, r->stage, r->reason,
             r->reason_class, 0, &amount);
}

void rollup_auth_failure(struct rollup *rollup, const struct auth_failure_image *a, int sign)
{
    if (is_frozen(a->server, a->at))
        return;
    struct amount amount = amount_at(rollup, a->server, a->at, sign);
    amount.count = sign * a->attempts;
    add_many(rollup, MEASURE_AUTH_FAILURE_HOST, a->service, host_key(a->host, a->ip), 0, 0, &amount);
    add_many(rollup, MEASURE_AUTH_FAILURE_USER, a->service, a->user, 0, 0, &amount);
}

/* ---- one rollup into another ------------------------------------------------------------------- */

static void forget_sums(struct sums *sums)
{
    sums->count = 0;
    memset(sums->slots, 0, sums->slot_count * sizeof *sums->slots);
}

static void merge(struct rollup *into, struct sums *into_sums, const struct rollup *from, struct sums *sums)
{
    take_waiting(sums);
    for (size_t i = 0; i < sums->count; i++) {
        const int64_t *row = row_at(sums, i), *values = row + sums->keys;
        const struct day *day = &from->days[row[0] / MEASURES];
        const struct amount amount = {day_of(into, day->server, day->day), 0, values[0], values[1], values[2]};
        add(into_sums, (enum measure)(row[0] % MEASURES), row + 1, &amount);
    }
    forget_sums(sums);
}

void rollup_merge(struct rollup *into, struct rollup *from)
{
    merge(into, &into->one, from, &from->one);
    merge(into, &into->many, from, &from->many);
    from->day_count = from->last_day = 0;
}

/* ---- into the tables --------------------------------------------------------------------------- */

static int bucket_known(struct store *store, sqlite3_stmt *find, const struct day *day, int measure, int64_t *id,
                        struct error *err)
{
    sqlite3_bind_int64(find, 1, measure);
    sqlite3_bind_int64(find, 2, day->day);
    sqlite3_bind_int64(find, 3, day->server);
    int found = store_next(store, find, err);
    *id = found > 0 ? sqlite3_column_int64(find, 0) : 0;
    sqlite3_reset(find);
    return found < 0 ? -1 : 0;
}

static int bucket_make(struct store *store, sqlite3_stmt *make, struct day *day, int measure, struct error *err)
{
    sqlite3_bind_int64(make, 1, measure);
    sqlite3_bind_int64(make, 2, day->day);
    sqlite3_bind_int64(make, 3, day->server);
    int done = store_step(store, make, err);
    day->ids[measure] = sqlite3_last_insert_rowid(store_db(store));
    day->fresh[measure] = true;
    return done;
}

struct bucket_sql {
    sqlite3_stmt *find, *make;
};

static int bucket_prepare(struct store *store, struct bucket_sql *sql, struct error *err)
{
    sql->find = store_prepare(
        store, "SELECT id FROM rollup_bucket WHERE measure = ?1 AND day = ?2 AND server = ?3", err);
    sql->make = sql->find ? store_prepare(
        store, "INSERT INTO rollup_bucket (measure, day, server) VALUES (?1, ?2, ?3)", err) : NULL;
    return sql->make ? 0 : -1;
}

/* Sees to it that day->ids has the measure's. */
static int bucket_settle(struct store *store, const struct bucket_sql *sql, struct day *day, int measure,
                         struct error *err)
{
    if (day->ids[measure])
        return 0;
    if (bucket_known(store, sql->find, day, measure, &day->ids[measure], err) < 0)
        return -1;
    return day->ids[measure] ? 0 : bucket_make(store, sql->make, day, measure, err);
}

/* Puts the sums that say something to the front, with the ids of their buckets; *lowered counts those that took
   something away. */
static int settle_buckets(struct rollup *rollup, struct sums *sums, struct store *store, size_t *lowered,
                          struct error *err)
{
    struct bucket_sql sql = {NULL, NULL};
    size_t kept = 0;
    int done = bucket_prepare(store, &sql, err);
    for (size_t i = 0; i < sums->count && done == 0; i++) {
        const int64_t *row = row_at(sums, i), *values = row + sums->keys;
        struct day *day = &rollup->days[row[0] / MEASURES];
        int measure = (int)(row[0] % MEASURES);
        if (!values[0] && !values[1] && !values[2])
            continue;
        *lowered += values[0] < 0 || values[1] < 0;
        done = bucket_settle(store, &sql, day, measure, err);
        memmove(row_at(sums, kept), row, sums->layout->size);
        row_at(sums, kept++)[0] = day->ids[measure] | (day->fresh[measure] ? FRESH : 0);
    }
    sqlite3_finalize(sql.find);
    sqlite3_finalize(sql.make);
    sums->count = kept;
    return done;
}

static int compare_keys(const void *context, uint32_t a, uint32_t b)
{
    const struct sums *sums = context;
    const int64_t *x = row_at(sums, a), *y = row_at(sums, b);
    for (size_t i = 1; i < sums->keys; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

/* The rows in their table's order, those of fresh buckets behind the others; *met: where the fresh begin.  Buckets
   and strings are numbered within 32 bits.  The caller frees the order. */
static uint32_t *sorted_rows(const struct sums *sums, size_t *met)
{
    struct headed *heads = xmalloc(sums->count * sizeof *heads);
    uint32_t *order = xmalloc(sums->count * sizeof *order);
    for (uint32_t i = 0; i < sums->count; i++) {
        int64_t *row = row_at(sums, i);
        uint64_t fresh = row[0] & FRESH ? (uint64_t)1 << 63 : 0;
        row[0] &= ~FRESH;
        heads[i] = (struct headed){fresh | (uint64_t)row[0] << 32 | (uint64_t)row[1], i};
    }
    heads_sort(heads, sums->count, compare_keys, sums);
    *met = 0;
    for (size_t i = 0; i < sums->count; i++) {
        order[i] = heads[i].index;
        *met += !(heads[i].head >> 63);
    }
    free(heads);
    return order;
}

static int run_handed(struct sums *sums, struct store *store, const char *sql, const uint32_t *order,
                      size_t count, struct error *err)
{
    if (count == 0)
        return 0;
    sums->handed = (struct handed){sums->layout, (const char *)sums->rows, order, count, NULL};
    if (!sums->registered &&
        handed_register(store_db(store), sums->layout->table, &sums->handed) != SQLITE_OK)
        return store_error(store, err);
    sums->registered = true;
    char *whole = sqlite3_mprintf(sql, sums->layout->table, sums->layout->table);
    int done = store_run(store, whole, err);
    sqlite3_free(whole);
    return done;
}

/* What is of a day just begun is only inserted: half the work for what is mostly new. */
static int put_rows(struct sums *sums, struct store *store, size_t met, bool lowered, const uint32_t *order,
                    struct error *err)
{
    static const char insert_sql[] = "INSERT OR FAIL INTO %s SELECT * FROM handed_%s";
    static const char add_sql[] =
        "INSERT OR FAIL INTO %s SELECT * FROM handed_%s WHERE true"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count,"
        "  addresses = addresses + excluded.addresses, bytes = bytes + excluded.bytes";
    const char *tidy_sql =
        sums->keys == 2 ? "DELETE FROM %s WHERE count = 0 AND addresses = 0 AND bytes = 0"
                          " AND (bucket, key) IN (SELECT bucket, key FROM handed_%s)"
                        : "DELETE FROM %s WHERE count = 0 AND addresses = 0 AND bytes = 0"
                          " AND (bucket, key1, key2, key3, key4) IN"
                          " (SELECT bucket, key1, key2, key3, key4 FROM handed_%s)";
    if (run_handed(sums, store, add_sql, order, met, err) < 0 ||
        run_handed(sums, store, insert_sql, order + met, sums->count - met, err) < 0)
        return -1;
    return lowered ? run_handed(sums, store, tidy_sql, order, met, err) : 0;
}

static int flush(struct rollup *rollup, struct sums *sums, struct store *store, struct error *err)
{
    size_t lowered = 0;
    take_waiting(sums);
    if (sums->count == 0)
        return 0;
    int done = settle_buckets(rollup, sums, store, &lowered, err);
    size_t met;
    uint32_t *order = sorted_rows(sums, &met);
    if (done == 0)
        done = put_rows(sums, store, met, lowered > 0, order, err);
    free(order);
    forget_sums(sums);
    return done;
}

int rollup_flush(struct rollup *rollup, struct store *store, struct error *err)
{
    int done = flush(rollup, &rollup->one, store, err) < 0 || flush(rollup, &rollup->many, store, err) < 0
                   ? -1 : 0;
    rollup->day_count = rollup->last_day = 0;
    return done;
}
