/* rollup.c — images into sums, sums into the table. */
#include "rollup.h"

#include <stdlib.h>

#include "../base/hash.h"
#include "../ingest/batch.h"
#include "handed.h"

#define FIRST_SLOTS ((size_t)1 << 14)
#define DAY 86400

/* One row of table rollup, as handed_rollup shows it. */
struct sum {
    int64_t measure, day, server, slot, key1, key2, key3, key4; /* the key */
    int64_t count, addresses, bytes;
};
#define KEY_SIZE offsetof(struct sum, count)

/* An image on its way into the sums. */
struct waiting {
    struct sum image; /* with its sign */
    uint64_t hash;
};
#define WAITING_MAX 48

struct rollup {
    int64_t kinds[DELIVERY_KINDS_END];
    struct waiting waiting[WAITING_MAX];
    size_t waiting_count;
    struct sum *sums;
    size_t count, capacity;
    uint32_t *slots; /* number of a sum + 1, by the hash of its key */
    size_t slot_count;
    struct handed handed;
    bool registered;
};

struct rollup *rollup_new(const int64_t *kinds)
{
    struct rollup *rollup = xcalloc(1, sizeof *rollup);
    memcpy(rollup->kinds, kinds, sizeof rollup->kinds);
    rollup->slots = xcalloc(rollup->slot_count = FIRST_SLOTS, sizeof *rollup->slots);
    return rollup;
}

void rollup_free(struct rollup **rollup)
{
    if (!*rollup)
        return;
    free((*rollup)->sums);
    free((*rollup)->slots);
    free(*rollup);
    *rollup = NULL;
}

/* ---- the sums in memory ------------------------------------------------------------------------ */

static size_t slot_of(const struct rollup *rollup, const struct sum *key, uint64_t hash)
{
    size_t mask = rollup->slot_count - 1;
    size_t i = hash & mask;
    while (rollup->slots[i] && memcmp(&rollup->sums[rollup->slots[i] - 1], key, KEY_SIZE) != 0)
        i = (i + 1) & mask;
    return i;
}

static uint64_t hash_key(const struct sum *key)
{
    return hash_bytes(slice_of((const char *)key, KEY_SIZE), 0);
}

static void widen(struct rollup *rollup)
{
    free(rollup->slots);
    rollup->slots = xcalloc(rollup->slot_count *= 2, sizeof *rollup->slots);
    for (size_t i = 0; i < rollup->count; i++)
        rollup->slots[slot_of(rollup, &rollup->sums[i], hash_key(&rollup->sums[i]))] = (uint32_t)i + 1;
}

static void take(struct rollup *rollup, const struct waiting *waiting)
{
    const struct sum *image = &waiting->image;
    size_t slot = slot_of(rollup, image, waiting->hash);
    if (rollup->slots[slot]) {
        struct sum *sum = &rollup->sums[rollup->slots[slot] - 1];
        sum->count += image->count;
        sum->addresses += image->addresses;
        sum->bytes += image->bytes;
        return;
    }
    rollup->sums = grow(rollup->sums, &rollup->capacity, rollup->count + 1, sizeof *rollup->sums);
    rollup->sums[rollup->count] = *image;
    rollup->slots[slot] = (uint32_t)++rollup->count;
    if (rollup->count * 2 > rollup->slot_count)
        widen(rollup);
}

/* Takes what waits: first the places are asked for, then they are read, so that their misses overlap. */
static void take_waiting(struct rollup *rollup)
{
    size_t mask = rollup->slot_count - 1;
    for (size_t i = 0; i < rollup->waiting_count; i++) {
        uint32_t number = rollup->slots[rollup->waiting[i].hash & mask];
        __builtin_prefetch(number ? &rollup->sums[number - 1] : NULL);
    }
    for (size_t i = 0; i < rollup->waiting_count; i++)
        take(rollup, &rollup->waiting[i]);
    rollup->waiting_count = 0;
}

static void add(struct rollup *rollup, const struct sum *image, int sign)
{
    if (rollup->waiting_count == WAITING_MAX)
        take_waiting(rollup);
    struct waiting *waiting = &rollup->waiting[rollup->waiting_count++];
    *waiting = (struct waiting){*image, hash_key(image)};
    waiting->image.count *= sign;
    waiting->image.addresses *= sign;
    waiting->image.bytes *= sign;
    __builtin_prefetch(&rollup->slots[waiting->hash & (rollup->slot_count - 1)]);
}

/* The same image under another measure and keys. */
static void add_keyed(struct rollup *rollup, struct sum image, int sign, enum measure measure, int64_t slot,
                      int64_t key1)
{
    image.measure = measure;
    image.slot = slot;
    image.key1 = key1;
    add(rollup, &image, sign);
}

/* ---- images ------------------------------------------------------------------------------------ */

static struct sum image_at(const struct server *server, int64_t at, int64_t *hour)
{
    int64_t local = at + zone_offset_at(&server->zone, at);
    *hour = (local - floor_div(local, DAY) * DAY) / 3600;
    return (struct sum){.server = server->id, .day = floor_div(local, DAY), .count = 1};
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
    int64_t hour;
    struct sum image = image_at(m->server, m->received, &hour);
    image.bytes = octets(m);
    if (m->is_copy) {
        add_keyed(rollup, image, sign, MEASURE_COPIED, hour, 0);
        return;
    }
    add_keyed(rollup, image, sign, MEASURE_RECEIVED, hour, 0);
    add_keyed(rollup, image, sign, MEASURE_RECEIVED_HOST, 0, host_key(m->host, m->ip));
    add_keyed(rollup, image, sign, MEASURE_RECEIVED_EMAIL, 0, m->sender);
    if (!m->host && !m->ip)
        add_keyed(rollup, image, sign, MEASURE_RECEIVED_USER, 0, m->local_user);
    image.bytes = 0;
    if (m->delayed)
        add_keyed(rollup, image, sign, MEASURE_DELAYED, 0, 0);
    if (m->failed)
        add_keyed(rollup, image, sign, MEASURE_FAILED, 0, 0);
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
    int64_t hour;
    struct sum image = image_at(m->server, m->completed, &hour);
    int64_t bin = queue_bin(m->completed - (m->received != NUM_ABSENT ? m->received : m->id_second));
    add_keyed(rollup, image, sign, MEASURE_QUEUE_ALL, bin, 0);
    if (m->remote)
        add_keyed(rollup, image, sign, MEASURE_QUEUE_REMOTE, bin, 0);
}

void rollup_message(struct rollup *rollup, const struct message_image *m, int sign)
{
    if (m->flags & MESSAGE_RETRACTED)
        return;
    if (m->received != NUM_ABSENT)
        received_images(rollup, m, sign);
    if (m->completed != NUM_ABSENT)
        queue_images(rollup, m, sign);
}

static void delivered_images(struct rollup *rollup, struct sum image, int64_t hour,
                             const struct delivery_image *d, int sign)
{
    add_keyed(rollup, image, sign, MEASURE_DELIVERED, hour, 0);
    add_keyed(rollup, image, sign, MEASURE_DELIVERED_TRANSPORT, 0, d->transport);
    add_keyed(rollup, image, sign, MEASURE_DELIVERED_HOST, 0, host_key(d->host, d->ip));
    add_keyed(rollup, image, sign, MEASURE_DELIVERED_EMAIL, 0, d->recipient);
    if (!d->host && !d->ip)
        add_keyed(rollup, image, sign, MEASURE_DELIVERED_USER, 0, d->recipient);
}

static void relayed_image(struct rollup *rollup, struct sum image, const struct delivery_image *d,
                          const struct message_image *m, int sign)
{
    if ((!d->host && !d->ip) || (!m->host && !m->ip) || m->authenticated || d->rewritten)
        return;
    image.key2 = m->sender;
    image.key3 = host_key(d->host, d->ip);
    image.key4 = d->recipient;
    add_keyed(rollup, image, sign, MEASURE_RELAYED, 0, host_key(m->host, m->ip));
}

static void error_image(struct rollup *rollup, struct sum image, const struct delivery_image *d, int sign)
{
    image.key2 = host_key(d->host, d->ip);
    image.key3 = d->reason;
    image.key4 = d->reason_class;
    add_keyed(rollup, image, sign, MEASURE_ERROR, 0, d->recipient);
}

void rollup_delivery(struct rollup *rollup, const struct delivery_image *d, const struct message_image *m,
                     int sign)
{
    int64_t hour;
    struct sum image = image_at(m->server, d->at, &hour);
    add_keyed(rollup, image, sign, MEASURE_DELIVERY_KIND, 0, d->kind);
    if (d->kind == rollup->kinds[DELIVERY_FAILED]) {
        error_image(rollup, image, d, sign);
    } else if (d->kind == rollup->kinds[DELIVERY_ADDITIONAL]) {
        image.count = 0;
        image.addresses = 1;
        delivered_images(rollup, image, hour, d, sign);
    } else if (d->kind == rollup->kinds[DELIVERY_DELIVERED] ||
               d->kind == rollup->kinds[DELIVERY_CUTTHROUGH]) {
        image.addresses = 1;
        image.bytes = octets(m);
        delivered_images(rollup, image, hour, d, sign);
        relayed_image(rollup, image, d, m, sign);
    }
}

void rollup_rejection(struct rollup *rollup, const struct rejection_image *r, int sign)
{
    int64_t hour;
    struct sum image = image_at(r->server, r->at, &hour);
    add_keyed(rollup, image, sign, r->temporary ? MEASURE_DEFERRED_CLIENT_HOST : MEASURE_REJECTED_HOST, 0,
              host_key(r->host, r->ip));
    image.key2 = r->reason;
    image.key3 = r->reason_class;
    add_keyed(rollup, image, sign, r->temporary ? MEASURE_DEFERRED_CLIENT : MEASURE_REJECTED, 0, r->stage);
}

void rollup_auth_failure(struct rollup *rollup, const struct auth_failure_image *a, int sign)
{
    int64_t hour;
    struct sum image = image_at(a->server, a->at, &hour);
    image.count = a->attempts;
    image.key2 = host_key(a->host, a->ip);
    add_keyed(rollup, image, sign, MEASURE_AUTH_FAILURE_HOST, 0, a->service);
    image.key2 = a->user;
    add_keyed(rollup, image, sign, MEASURE_AUTH_FAILURE_USER, 0, a->service);
}

/* ---- into the table ---------------------------------------------------------------------------- */

#define SUM_COLUMN(name) {#name, COLUMN_INT, offsetof(struct sum, name)}
static const struct row_column sum_columns[] = {
    SUM_COLUMN(measure), SUM_COLUMN(day),  SUM_COLUMN(server), SUM_COLUMN(slot),
    SUM_COLUMN(key1),    SUM_COLUMN(key2), SUM_COLUMN(key3),   SUM_COLUMN(key4),
    SUM_COLUMN(count),   SUM_COLUMN(addresses), SUM_COLUMN(bytes)};
static const struct row_layout sum_layout = {"rollup", sizeof(struct sum), sum_columns,
                                             sizeof sum_columns / sizeof *sum_columns};

static int compare_keys(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    for (size_t i = 0; i < KEY_SIZE / sizeof *x; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

/* Sorts the sums that say something to the front, in the table's order; *lowered counts those that took
   something away. */
static size_t sort_sums(struct rollup *rollup, size_t *lowered)
{
    size_t kept = 0;
    *lowered = 0;
    for (size_t i = 0; i < rollup->count; i++) {
        const struct sum *sum = &rollup->sums[i];
        if (sum->count || sum->addresses || sum->bytes)
            rollup->sums[kept++] = *sum;
        *lowered += sum->count < 0 || sum->addresses < 0;
    }
    if (kept)
        qsort(rollup->sums, kept, sizeof *rollup->sums, compare_keys);
    return kept;
}

static int run_handed(struct rollup *rollup, struct store *store, const char *sql, const uint32_t *order,
                      size_t count, struct error *err)
{
    if (count == 0)
        return 0;
    rollup->handed = (struct handed){&sum_layout, (const char *)rollup->sums, order, count, NULL};
    if (!rollup->registered && handed_register(store_db(store), "rollup", &rollup->handed) != SQLITE_OK)
        return store_error(store, err);
    rollup->registered = true;
    return store_run(store, sql, err);
}

/* Whether table rollup has anything of this measure, day and server. */
static int is_begun(struct store *store, sqlite3_stmt *stmt, const struct sum *sum, struct error *err)
{
    sqlite3_bind_int64(stmt, 1, sum->measure);
    sqlite3_bind_int64(stmt, 2, sum->day);
    sqlite3_bind_int64(stmt, 3, sum->server);
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : store_error(store, err);
}

/* Parts the sums, in order, into those of days not begun yet, which are only inserted, and the others, which
   may meet a row: half the work for what is mostly new. */
static int part_sums(struct rollup *rollup, struct store *store, size_t count, uint32_t *fresh,
                     size_t *fresh_count, uint32_t *met, size_t *met_count, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(
        store, "SELECT 1 FROM rollup WHERE measure = ?1 AND day = ?2 AND server = ?3 LIMIT 1", err);
    int begun = stmt ? 0 : -1;
    for (size_t i = 0; i < count && begun >= 0; i++) {
        const struct sum *sum = &rollup->sums[i];
        bool same = i > 0 && sum->measure == sum[-1].measure && sum->day == sum[-1].day &&
                    sum->server == sum[-1].server;
        if (!same)
            begun = is_begun(store, stmt, sum, err);
        if (begun)
            met[(*met_count)++] = (uint32_t)i;
        else
            fresh[(*fresh_count)++] = (uint32_t)i;
    }
    sqlite3_finalize(stmt);
    return begun < 0 ? -1 : 0;
}

static int flush_sorted(struct rollup *rollup, struct store *store, size_t count, bool lowered,
                        uint32_t *fresh, uint32_t *met, struct error *err)
{
    static const char insert_sql[] = "INSERT OR FAIL INTO rollup SELECT * FROM handed_rollup";
    static const char add_sql[] =
        "INSERT OR FAIL INTO rollup SELECT * FROM handed_rollup WHERE true"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count,"
        "  addresses = addresses + excluded.addresses, bytes = bytes + excluded.bytes";
    static const char tidy_sql[] =
        "DELETE FROM rollup WHERE count = 0 AND addresses = 0 AND bytes = 0 AND"
        " (measure, day, server, slot, key1, key2, key3, key4) IN"
        " (SELECT measure, day, server, slot, key1, key2, key3, key4 FROM handed_rollup)";
    size_t fresh_count = 0, met_count = 0;
    if (part_sums(rollup, store, count, fresh, &fresh_count, met, &met_count, err) < 0 ||
        run_handed(rollup, store, insert_sql, fresh, fresh_count, err) < 0 ||
        run_handed(rollup, store, add_sql, met, met_count, err) < 0)
        return -1;
    return lowered ? run_handed(rollup, store, tidy_sql, met, met_count, err) : 0;
}

int rollup_flush(struct rollup *rollup, struct store *store, struct error *err)
{
    take_waiting(rollup);
    size_t lowered, count = sort_sums(rollup, &lowered);
    uint32_t *order = xmalloc(2 * count * sizeof *order);
    int done = flush_sorted(rollup, store, count, lowered > 0, order, order + count, err);
    free(order);
    rollup->count = 0;
    memset(rollup->slots, 0, rollup->slot_count * sizeof *rollup->slots);
    return done;
}
