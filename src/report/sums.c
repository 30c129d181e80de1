/* sums.c — a bucket's rows come in the order of their keys: runs, merged as they pile up, equal keys added, so that no
   more than the different keys is ever held, and nothing is sorted. */
#include "sums.h"

#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"
#include "../base/memory.h"

#define RUNS 64       /* each at least twice as long as the next */
#define NEAR 16       /* strings that are passed over sooner than the next one is looked up */
#define DOMAIN_SLOTS 4096

static int db_error(sqlite3 *db, struct error *err)
{
    return error_set(err, FAIL_DB, "report sums: %s", sqlite3_errmsg(db));
}

void sums_free(struct sums *sums)
{
    free(sums->rows);
    *sums = (struct sums){.rows = NULL};
}

static void append(struct sums *sums, const struct sum *sum)
{
    sums->rows = grow(sums->rows, &sums->capacity, sums->count + 1, sizeof *sums->rows);
    sums->rows[sums->count++] = *sum;
}

static void add(struct sum *to, const struct sum *sum)
{
    to->count += sum->count;
    to->addresses += sum->addresses;
    to->bytes += sum->bytes;
}

/* ---- runs -------------------------------------------------------------------------------------- */

struct runs {
    struct sums *sums, spare;
    size_t starts[RUNS + 1];
    size_t count;
};

/* The last two runs become one. */
static void merge_last(struct runs *runs)
{
    struct sums *sums = runs->sums, *out = &runs->spare;
    size_t first = runs->starts[runs->count - 2], middle = runs->starts[runs->count - 1];
    size_t a = first, b = middle;
    out->count = 0;
    while (a < middle || b < sums->count) {
        bool from_b = a == middle || (b < sums->count && sums->rows[b].key < sums->rows[a].key);
        const struct sum *sum = &sums->rows[from_b ? b++ : a++];
        if (out->count && out->rows[out->count - 1].key == sum->key)
            add(&out->rows[out->count - 1], sum);
        else
            append(out, sum);
    }
    memcpy(sums->rows + first, out->rows, out->count * sizeof *out->rows);
    sums->count = first + out->count;
    runs->count--;
}

static void begin_run(struct runs *runs)
{
    while (runs->count > 1 && (runs->sums->count - runs->starts[runs->count - 1]) * 2 >
                                  runs->starts[runs->count - 1] - runs->starts[runs->count - 2])
        merge_last(runs);
    runs->starts[runs->count++] = runs->sums->count;
}

static void take(struct runs *runs, const struct sum *sum)
{
    struct sum *last = runs->count ? &runs->sums->rows[runs->sums->count - 1] : NULL;
    if (last && last->key == sum->key) {
        add(last, sum);
        return;
    }
    if (!last || last->key > sum->key)
        begin_run(runs);
    append(runs->sums, sum);
}

static int take_rows(sqlite3 *db, char *sql, struct runs *runs, struct error *err)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    free(sql);
    if (code)
        return db_error(db, err);
    while (sqlite3_step(statement) == SQLITE_ROW)
        take(runs, &(struct sum){sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
                                 sqlite3_column_int64(statement, 2), sqlite3_column_int64(statement, 3)});
    return sqlite3_finalize(statement) ? db_error(db, err) : 0;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* CROSS JOIN fixes the order: the measure's buckets, then their rows. */
static const char bucket_rows[] =
    "SELECT %s, r.count, r.addresses, r.bytes FROM main.rollup_bucket b %s CROSS JOIN main.%s r"
    " WHERE b.measure = %d %s AND r.bucket = b.id";

static const char edge_rows[] =
    "SELECT key1, count, addresses, bytes FROM temp.rollup_built WHERE measure = %d"
    " AND server IN (SELECT server FROM temp.report_span) ORDER BY key1";

/* Number of the measure, left alone where it is not there; and what its rows are keyed by. */
static int find_measure(sqlite3 *db, struct slice name, int *id, const char **key, const char **table,
                        struct error *err)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, "SELECT id, keyed FROM main.measure WHERE name = ?1", -1, &statement, NULL))
        return db_error(db, err);
    sqlite3_bind_text(statement, 1, name.p, (int)name.n, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const char *keyed = (const char *)sqlite3_column_text(statement, 1);
        *id = sqlite3_column_int(statement, 0);
        *key = strcmp(keyed, "slot") == 0 ? "0" : strcmp(keyed, "keys") == 0 ? "r.key1" : "r.key";
        *table = strcmp(keyed, "keys") == 0 ? "rollup_many" : "rollup_one";
    }
    return sqlite3_finalize(statement) ? db_error(db, err) : 0;
}

int sums_read(sqlite3 *db, struct slice measure, bool spanned, struct sums *sums, struct error *err)
{
    struct runs runs = {.sums = sums};
    const char *key = NULL, *table = NULL;
    int id = 0;
    *sums = (struct sums){.rows = NULL};
    if (find_measure(db, measure, &id, &key, &table, err))
        return -1;
    if (id == 0)
        return 0;
    int done = take_rows(db, xprintf(bucket_rows, key, spanned ? "CROSS JOIN temp.report_span s" : "", table, id,
                                     spanned ? "AND s.server = b.server AND b.day >= s.first_day"
                                               " AND b.day < s.end_day" : ""),
                         &runs, err);
    if (done == 0 && spanned)
        done = take_rows(db, xprintf(edge_rows, id), &runs, err);
    while (runs.count > 1)
        merge_last(&runs);
    sums_free(&runs.spare);
    return done;
}

/* ---- the foremost ------------------------------------------------------------------------------ */

/* Less than 0: a comes behind b. */
static int compare(const struct sum *a, const struct sum *b, bool by_bytes)
{
    int count = (a->count > b->count) - (a->count < b->count);
    int bytes = (a->bytes > b->bytes) - (a->bytes < b->bytes);
    return by_bytes ? (bytes ? bytes : count) : (count ? count : bytes);
}

static void sift_down(struct sum *heap, size_t count, size_t i, bool by_bytes)
{
    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        child += child + 1 < count && compare(&heap[child + 1], &heap[child], by_bytes) < 0;
        if (compare(&heap[i], &heap[child], by_bytes) <= 0)
            return;
        struct sum sum = heap[i];
        heap[i] = heap[child];
        heap[child] = sum;
    }
}

/* The top-th in order; there are at least top. */
static struct sum last_of_top(const struct sums *sums, size_t top, bool by_bytes)
{
    struct sum *heap = xmalloc(top * sizeof *heap);
    memcpy(heap, sums->rows, top * sizeof *heap);
    for (size_t i = top / 2; i-- > 0;)
        sift_down(heap, top, i, by_bytes);
    for (size_t i = top; i < sums->count; i++)
        if (compare(&sums->rows[i], &heap[0], by_bytes) > 0) {
            heap[0] = sums->rows[i];
            sift_down(heap, top, 0, by_bytes);
        }
    struct sum last = heap[0];
    free(heap);
    return last;
}

/* Adds to *foremost all that reach either. */
static void keep_foremost(const struct sums *sums, size_t top, struct sums *foremost)
{
    bool all = sums->count <= top;
    struct sum by_count = {0}, by_bytes = {0};
    if (!all) {
        by_count = last_of_top(sums, top, false);
        by_bytes = last_of_top(sums, top, true);
    }
    for (size_t i = 0; i < sums->count; i++)
        if (all || compare(&sums->rows[i], &by_count, false) >= 0 || compare(&sums->rows[i], &by_bytes, true) >= 0)
            append(foremost, &sums->rows[i]);
}

void sums_foremost(const struct sums *sums, size_t top, struct sums *foremost)
{
    *foremost = (struct sums){.rows = NULL};
    keep_foremost(sums, top, foremost);
}

/* ---- domains ----------------------------------------------------------------------------------- */

/* The domains so far, found by the id of the domain, or of the key where it has none. */
struct domains {
    struct sums sums;
    int64_t *ids;
    bool *bare, *counted, *ecounted; /* a key has no domain; counts in domains, in edomains */
    size_t ids_room, bare_room, counted_room, ecounted_room;
    uint32_t *slots; /* number + 1 */
    size_t slot_count;
};

static size_t slot_of(const struct domains *domains, int64_t id)
{
    size_t mask = domains->slot_count - 1;
    size_t i = hash_mix((uint64_t)id, 0) & mask;
    while (domains->slots[i] && domains->ids[domains->slots[i] - 1] != id)
        i = (i + 1) & mask;
    return i;
}

static void widen(struct domains *domains)
{
    free(domains->slots);
    domains->slot_count = domains->slot_count ? domains->slot_count * 2 : DOMAIN_SLOTS;
    domains->slots = xcalloc(domains->slot_count, sizeof *domains->slots);
    for (size_t i = 0; i < domains->sums.count; i++)
        domains->slots[slot_of(domains, domains->ids[i])] = (uint32_t)i + 1;
}

/* Number of the domain, made with sum where it is new. */
static size_t domain_add(struct domains *domains, int64_t id, const struct sum *sum)
{
    size_t n = domains->sums.count;
    if (n * 2 >= domains->slot_count)
        widen(domains);
    size_t slot = slot_of(domains, id);
    if (domains->slots[slot]) {
        add(&domains->sums.rows[domains->slots[slot] - 1], sum);
        return domains->slots[slot] - 1;
    }
    domains->slots[slot] = (uint32_t)n + 1;
    domains->ids = grow(domains->ids, &domains->ids_room, n + 1, sizeof *domains->ids);
    domains->bare = grow(domains->bare, &domains->bare_room, n + 1, sizeof *domains->bare);
    domains->counted = grow(domains->counted, &domains->counted_room, n + 1, sizeof *domains->counted);
    domains->ecounted = grow(domains->ecounted, &domains->ecounted_room, n + 1, sizeof *domains->ecounted);
    domains->ids[n] = id;
    domains->bare[n] = domains->counted[n] = domains->ecounted[n] = false;
    append(&domains->sums, sum);
    return n;
}

/* Reads string in the order of its ids, passing over what is not asked for or leaping there. */
struct walk {
    sqlite3_stmt *statement;
    int64_t id; /* where it stands; INT64_MAX: behind the last */
};

/* The domain of string id: an id, 0: none, -1: none, and the text is empty.  Ids must rise. */
static int64_t domain_of(struct walk *walk, int64_t id)
{
    if (id - walk->id > NEAR) {
        sqlite3_reset(walk->statement);
        sqlite3_bind_int64(walk->statement, 1, id);
        walk->id = -1;
    }
    while (walk->id < id)
        walk->id = sqlite3_step(walk->statement) == SQLITE_ROW ? sqlite3_column_int64(walk->statement, 0)
                                                               : INT64_MAX;
    return walk->id == id ? sqlite3_column_int64(walk->statement, 1) : 0;
}

static void take_key(struct domains *domains, struct sum_names *names, bool *local, int64_t domain,
                     const struct sum *sum)
{
    size_t n = domain_add(domains, domain > 0 ? domain : sum->key, sum);
    domains->bare[n] |= domain <= 0;
    if (sum->count <= 0)
        return;
    names->names++;
    names->domains += !domains->counted[n];
    domains->counted[n] = true;
    if (domain == 0) {
        names->edomains += !*local;
        *local = true;
    } else {
        names->edomains += !domains->ecounted[n];
        domains->ecounted[n] = true;
    }
}

/* Keys without a domain may yet be summed as one, so they stay, and keep no domain out. */
static void keep_domains(const struct domains *all, size_t top, struct sums *domains)
{
    struct sums ranked = {.rows = NULL};
    for (size_t i = 0; i < all->sums.count; i++)
        append(all->bare[i] ? domains : &ranked, &all->sums.rows[i]);
    keep_foremost(&ranked, top, domains);
    sums_free(&ranked);
}

static void domains_free(struct domains *domains)
{
    sums_free(&domains->sums);
    free(domains->ids);
    free(domains->bare);
    free(domains->counted);
    free(domains->ecounted);
    free(domains->slots);
}

int sums_domains(sqlite3 *db, const struct sums *sums, size_t top, struct sums *domains, struct sum_names *names,
                 struct error *err)
{
    static const char sql[] = "SELECT id, coalesce(domain, -(text = '')) FROM main.string WHERE id >= ?1 ORDER BY id";
    struct domains all = {.ids = NULL};
    struct walk walk = {NULL, -1 - NEAR};
    bool local = false;
    *domains = (struct sums){.rows = NULL};
    *names = (struct sum_names){0};
    if (sqlite3_prepare_v2(db, sql, -1, &walk.statement, NULL))
        return db_error(db, err);
    for (size_t i = 0; i < sums->count; i++)
        take_key(&all, names, &local, domain_of(&walk, sums->rows[i].key), &sums->rows[i]);
    keep_domains(&all, top, domains);
    domains_free(&all);
    return sqlite3_finalize(walk.statement) ? db_error(db, err) : 0;
}
