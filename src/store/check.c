/* check.c — the kinds of check, each mostly SQL that answers one sentence a fault. */
#include "check.h"

#include <stdlib.h>

#include "../base/hash.h"
#include "../base/memory.h"
#include "../ingest/batch.h"
#include "blocks.h"
#include "check_ids.h"
#include "hashes.h"
#include "pruned.h"
#include "rollup_build.h"

#define WANTS_AT_ONCE 65536

struct checking {
    struct store *store;
    const struct check_listener *listener;
    const char *kind;
    int64_t faults; /* of this kind */
};

static void tell(struct checking *c, const char *fault)
{
    if (c->faults++ < CHECK_FAULTS_TOLD)
        c->listener->tell(c->listener->context, c->kind, fault, 0);
}

/* Every row of the statement's first column is a fault, but "ok" and NULL. */
static int tell_rows(struct checking *c, const char *sql, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(c->store, sql, err);
    if (!stmt)
        return -1;
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *fault = (const char *)sqlite3_column_text(stmt, 0);
        if (fault && strcmp(fault, "ok") != 0)
            tell(c, fault);
    }
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? 0 : store_error(c->store, err);
}

static int tell_all(struct checking *c, const char *const *sql, struct error *err)
{
    int done = 0;
    for (; *sql && done == 0; sql++)
        done = tell_rows(c, *sql, err);
    return done;
}

static int check_sqlite(struct checking *c, struct error *err)
{
    return tell_rows(c, "PRAGMA integrity_check", err);
}

/* ---- references -------------------------------------------------------------------------------- */

static const struct reference {
    const char *table, *target;
    const char *columns[10];
    const char *only; /* which rows */
} references[] = {
    {"zone_offset", "server", {"server"}, "1"},
    {"source", "server", {"server"}, "1"},
    {"source_file", "source", {"source"}, "1"},
    {"line_block", "source", {"source"}, "1"},
    {"line_tally", "source", {"source"}, "1"},
    {"string", "string", {"domain"}, "1"},
    {"client", "string", {"host", "helo", "ip"}, "1"},
    {"route", "string", {"router", "transport", "host", "ip", "tls"}, "1"},
    {"cause", "string", {"stage", "reason", "reason_class", "response", "detail", "enhanced_code"}, "1"},
    {"message", "server", {"server"}, "1"},
    {"message", "source", {"arrival_source", "completed_source"}, "1"},
    {"message", "string", {"sender", "protocol", "auth", "auth_id", "local_user", "tls"}, "1"},
    {"message", "client", {"client"}, "1"},
    {"delivery", "source", {"source"}, "1"},
    {"delivery", "message", {"message"}, "1"},
    {"delivery", "string", {"kind", "recipient", "original"}, "1"},
    {"delivery", "route", {"route"}, "1"},
    {"delivery", "cause", {"cause"}, "1"},
    {"rejection", "source", {"source"}, "1"},
    {"rejection", "server", {"server"}, "1"},
    {"rejection", "client", {"client"}, "1"},
    {"rejection", "string", {"sender", "recipient"}, "1"},
    {"rejection", "cause", {"cause"}, "1"},
    {"auth_failure", "source", {"source"}, "1"},
    {"auth_failure", "server", {"server"}, "1"},
    {"auth_failure", "client", {"client"}, "1"},
    {"auth_failure", "string", {"service", "user", "method", "reason"}, "1"},
    {"session_line", "source", {"source"}, "1"},
    {"session_line", "server", {"server"}, "1"},
    {"session_line", "string", {"service", "user", "host", "ip", "method", "outcome"}, "1"},
    {"scan_line", "source", {"source"}, "1"},
    {"scan_line", "server", {"server"}, "1"},
    {"scan_line", "string", {"user", "rules", "autolearn"}, "1"},
    {"event", "source", {"source"}, "1"},
    {"event", "server", {"server"}, "1"},
    {"event", "client", {"client"}, "1"},
    {"event", "string", {"kind", "user", "sender", "recipient", "text"}, "1"},
    {"unparsed_line", "source", {"source"}, "1"},
    {"unparsed_line", "server", {"server"}, "1"},
    {"rollup_bucket", "measure", {"measure"}, "1"},
    {"rollup_bucket", "server", {"server"}, "1"},
    {"rollup_one", "rollup_bucket", {"bucket"}, "1"},
    {"rollup_one", "string", {"key"}, "key <> 0 AND bucket IN (SELECT b.id FROM rollup_bucket b"
                                      " JOIN measure m ON m.id = b.measure WHERE m.keyed = 'key')"},
    {"rollup_many", "rollup_bucket", {"bucket"}, "1"},
    {"rollup_many", "string", {"key1"}, "key1 <> 0"},
    {"rollup_many", "string", {"key2"}, "key2 <> 0"},
    {"rollup_many", "string", {"key3"}, "key3 <> 0"},
    {"rollup_many", "string", {"key4"}, "key4 <> 0"},
};

static int check_reference(struct checking *c, const struct reference *r, const char *column, struct error *err)
{
    char *sql = xprintf("SELECT CASE WHEN count(*) THEN printf('%s.%s: %%d rows name a %s that is not there, as %%d',"
                        " count(*), min(%s)) END FROM %s WHERE %s AND %s IS NOT NULL AND %s NOT IN (SELECT id FROM %s)",
                        r->table, column, r->target, column, r->table, r->only, column, column, r->target);
    int done = tell_rows(c, sql, err);
    free(sql);
    return done;
}

static int check_references(struct checking *c, struct error *err)
{
    int done = 0;
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        for (const char *const *column = references[i].columns; *column && done == 0; column++)
            done = check_reference(c, &references[i], *column, err);
    return done;
}

/* ---- lines and rows ---------------------------------------------------------------------------- */

static const char *const accounting_sql[] = {
    "SELECT printf('%s (source %d): %d lines read, but %d counted by kind', s.path, s.id, s.lines, t.lines)"
    "  FROM source s JOIN (SELECT s2.id, coalesce(sum(t.lines), 0) AS lines FROM source s2"
    "    LEFT JOIN line_tally t ON t.source = s2.id GROUP BY s2.id) t ON t.id = s.id WHERE s.lines <> t.lines",
    "SELECT printf('%s (source %d): %s %s: %d of %d lines are copies', s.path, s.id, t.dialect, t.kind, t.copies,"
    "              t.lines)"
    "  FROM line_tally t JOIN source s ON s.id = t.source WHERE t.copies < 0 OR t.lines < 0"
    "    OR (t.copies > t.lines AND NOT EXISTS (SELECT 1 FROM line_tally r"
    "                                            WHERE r.source = t.source AND r.dialect = 'repeat'))", NULL};

/* Kinds of lines by what they bring: notes of a mailbox may be transfers; a continuation may hold a header. */
#define KIND_CLASS(kind)                                                                           \
    "CASE " kind " WHEN 'mailbox_note' THEN 'transfer' WHEN 'damaged' THEN 'unparsed'"             \
    " WHEN 'rejected_header' THEN 'continuation' ELSE " kind " END"

static const char *const rows_sql[] = {
    "WITH row (source, class, n) AS ("
    " SELECT source, 'delivery', count(*) FROM delivery GROUP BY 1"
    " UNION ALL SELECT source, 'rejection', count(*) FROM rejection GROUP BY 1"
    " UNION ALL SELECT source, 'auth_failure', count(*) FROM auth_failure GROUP BY 1"
    " UNION ALL SELECT source, CASE kind WHEN 1 THEN 'session_open' WHEN 2 THEN 'login'"
    "   WHEN 4 THEN 'session_end' ELSE 'transfer' END, count(*) FROM session_line GROUP BY 1, 2"
    " UNION ALL SELECT source, CASE kind WHEN 1 THEN 'scan_start' WHEN 2 THEN 'scan_verdict'"
    "   ELSE 'scan_result' END, count(*) FROM scan_line GROUP BY 1, 2"
    " UNION ALL SELECT e.source, " KIND_CLASS("k.text") ", count(*) FROM event e"
    "   JOIN string k ON k.id = e.kind GROUP BY 1, 2"
    " UNION ALL SELECT source, 'unparsed', count(*) FROM unparsed_line GROUP BY 1"
    " UNION ALL SELECT arrival_source, 'arrival', count(*) FROM message WHERE arrival_source IS NOT NULL GROUP BY 1"
    " UNION ALL SELECT completed_source, 'completed', count(*) FROM message"
    "   WHERE completed_source IS NOT NULL GROUP BY 1),"
    "counted (source, class, n, lines, copies, exim) AS ("
    " SELECT source, class, sum(n), sum(lines), sum(copies), max(exim) FROM ("
    "   SELECT source, class, n, 0 AS lines, 0 AS copies, 0 AS exim FROM row"
    "   UNION ALL SELECT source, " KIND_CLASS("kind") ", 0, lines, copies, dialect = 'exim_mainlog' FROM line_tally"
    "     WHERE kind NOT IN ('blank', 'foreign', 'repeat')) GROUP BY 1, 2),"
    "held AS (SELECT c.*, s.path AS path,"
    "   (SELECT total(lines) FROM line_tally t WHERE t.source = s.id AND t.dialect = 'repeat') AS repeats,"
    "   EXISTS (SELECT 1 FROM source_file f WHERE f.source = s.id) AS whole,"
    "   c.class IN ('completed', 'continuation')"
    "     OR EXISTS (SELECT 1 FROM server v WHERE v.id = s.server AND s.first_at < v.pruned_before)"
    "     OR (c.exim AND EXISTS (SELECT 1 FROM meta WHERE name = 'late_rows'))"
    "     OR (c.class = 'arrival' AND EXISTS (SELECT 1 FROM message m WHERE m.server = s.server AND m.flags & 1))"
    "     AS fewer FROM counted c JOIN source s ON s.id = c.source) "
    "SELECT printf('%s (source %d): %d rows of kind %s, but %d lines and of them %d copies', path, source, n, class,"
    "              lines, copies)"
    "  FROM held WHERE (n < lines - copies AND NOT fewer)"
    "    OR (n > max(lines - copies, 0) + max(copies, 0) + repeats * 100000 AND whole)", NULL};

#define TWICE(table, key)                                                                          \
    "SELECT printf('" table ": %d rows are of one event, at %d', count(*), min(at)) FROM " table     \
    " GROUP BY " key " HAVING count(*) > 1"

static const char *const identity_sql[] = {
    TWICE("delivery", "at, mark"), TWICE("rejection", "at, mark"), TWICE("auth_failure", "at, mark"),
    TWICE("session_line", "at, mark"), TWICE("scan_line", "at, mark"), TWICE("event", "at, mark"),
    TWICE("unparsed_line", "at, mark"),
    "SELECT printf('message: %d rows are %s of server %d', count(*), exim_id, server) FROM message NOT INDEXED"
    " GROUP BY exim_id, server HAVING count(*) > 1",
    "SELECT printf('message: %d rows of the arrival at %d', count(*), received) FROM message"
    " WHERE received IS NOT NULL GROUP BY received, arrival_mark HAVING count(*) > 1",
    "SELECT printf('server: %d rows are named %s', count(*), name) FROM server NOT INDEXED"
    " GROUP BY name HAVING count(*) > 1", NULL};

static int check_accounting(struct checking *c, struct error *err) { return tell_all(c, accounting_sql, err); }
static int check_rows(struct checking *c, struct error *err) { return tell_all(c, rows_sql, err); }
static int check_identity(struct checking *c, struct error *err) { return tell_all(c, identity_sql, err); }

/* ---- sums -------------------------------------------------------------------------------------- */

static const char sums_sql[] =
    "WITH kept AS (SELECT r.* FROM rollup r LEFT JOIN server v ON v.id = r.server"
    "   WHERE r.day >= coalesce(" PRUNED_DAY("v") ", r.day)),"
    "fault AS ("
    " SELECT 'stored' AS which, * FROM (SELECT * FROM kept EXCEPT SELECT * FROM temp.rollup_built)"
    " UNION ALL SELECT 'of the facts', * FROM (SELECT * FROM temp.rollup_built EXCEPT SELECT * FROM kept)) "
    "SELECT printf('%s of %s, server %d, slot %d, keys %d %d %d %d: %s: count %d, addresses %d, bytes %d',"
    "  coalesce(m.name, f.measure), date(f.day * 86400, 'unixepoch'), f.server, f.slot, f.key1, f.key2, f.key3,"
    "  f.key4, f.which, f.count, f.addresses, f.bytes)"
    "  FROM fault f LEFT JOIN measure m ON m.id = f.measure ORDER BY f.measure, f.day, f.server, f.slot, f.key1";

static int check_sums(struct checking *c, struct error *err)
{
    if (rollup_build_unpruned(store_db(c->store), err) < 0)
        return -1;
    return tell_rows(c, sums_sql, err) < 0 ? -1 : store_run(c->store, "DROP TABLE temp.rollup_built", err);
}

/* ---- derived ----------------------------------------------------------------------------------- */

/* What a message of before this second says of other rows, of those that are left need not be true. */
#define PRUNED "coalesce((SELECT v.pruned_before FROM server v WHERE v.id = m.server), -9223372036854775808)"

static const char *const derived_sql[] = {
    "SELECT printf('message %s: at %d, but received %d', exim_id, at, received) FROM message WHERE at <> received",
    "SELECT printf('message %s: its arrival is known only in part', exim_id) FROM message"
    " WHERE (received IS NULL) <> (arrival_source IS NULL) OR (received IS NULL) <> (arrival_mark IS NULL)"
    "    OR (completed IS NULL) <> (completed_source IS NULL)",
    "SELECT printf('message %s: flags %d, %s', exim_id, flags,"
    "   iif(received IS NULL, 'but its arrival is not known', iif(copy_of IS NULL, 'which are not known', 'but it is a copy of ' || copy_of)))"
    "  FROM message WHERE flags & ~111 OR (received IS NULL AND flags & ~4) OR (copy_of IS NOT NULL AND flags & 64)",
    "SELECT printf('message %s: is a copy of %s, which is not there', m.exim_id, m.copy_of) FROM message m"
    " WHERE m.copy_of IS NOT NULL AND m.at > " PRUNED " + 60 AND NOT EXISTS (SELECT 1 FROM message p"
    "   WHERE p.exim_id = m.copy_of AND p.server = m.server)",
    "SELECT printf('delivery at %d of message %s: orphan %d, but its arrival is %sknown', d.at, m.exim_id,"
    "   coalesce(d.orphan, 0), iif(m.received IS NULL, 'not ', ''))"
    "  FROM delivery d JOIN message m ON m.id = d.message WHERE coalesce(d.orphan, 0) <> (m.received IS NULL)",
    "SELECT printf('message %s: delayed %d, failed %d, remote %d, but its deliveries say %d, %d, %d', m.exim_id,"
    "   m.delayed, m.failed, m.remote, coalesce(s.delayed, 0), coalesce(s.failed, 0), coalesce(s.remote, 0))"
    "  FROM message m LEFT JOIN (SELECT d.message AS message, max(k.text = 'deferred') AS delayed,"
    "     max(k.text = 'failed') AS failed, max(k.text IN ('delivered', 'cutthrough')"
    "       AND (w.host IS NOT NULL OR w.ip IS NOT NULL)) AS remote"
    "    FROM delivery d JOIN string k ON k.id = d.kind LEFT JOIN route w ON w.id = d.route GROUP BY d.message) s"
    "   ON s.message = m.id WHERE (m.delayed <> coalesce(s.delayed, 0) OR m.failed <> coalesce(s.failed, 0)"
    "    OR m.remote <> coalesce(s.remote, 0)) AND m.at >= " PRUNED,
    /* An event that syslog stamped late may have been taken back for one a second earlier. */
    "WITH e AS (SELECT e.server AS server, e.message AS exim_id,"
    "     max(e.at) FILTER (WHERE k.text = 'frozen') AS frozen, max(e.at) FILTER (WHERE k.text = 'thawed') AS thawed,"
    "     max(e.at) FILTER (WHERE k.text = 'removed') AS removed, max(k.text = 'retracted') AS retracted"
    "    FROM event e JOIN string k ON k.id = e.kind WHERE e.message IS NOT NULL"
    "     AND k.text IN ('frozen', 'thawed', 'removed', 'retracted') GROUP BY 1, 2) "
    "SELECT printf('message %s: frozen %s, thawed %s, removed %s, retracted %d are not its latest events', m.exim_id,"
    "   coalesce(m.frozen, 'never'), coalesce(m.thawed, 'never'), coalesce(m.removed, 'never'), m.flags & 4 <> 0)"
    "  FROM message m LEFT JOIN e ON e.exim_id = m.exim_id AND e.server = m.server"
    " WHERE (coalesce(m.frozen, 0) - coalesce(e.frozen, 0) NOT IN (0, 1)"
    "    OR coalesce(m.thawed, 0) - coalesce(e.thawed, 0) NOT IN (0, 1)"
    "    OR coalesce(m.removed, 0) - coalesce(e.removed, 0) NOT IN (0, 1)"
    "    OR (m.flags & 4 <> 0) <> coalesce(e.retracted, 0)) AND m.at >= " PRUNED, NULL};

static int check_derived(struct checking *c, struct error *err) { return tell_all(c, derived_sql, err); }

/* ---- hashes ------------------------------------------------------------------------------------ */

struct hash_checking {
    struct checking *checking;
    int64_t pairs, rows;
    struct hash_want *wants;
    size_t count;
};

static void tell_bucket(struct checking *c, int64_t bucket, const char *what)
{
    char *fault = xprintf("string_hash: bucket %lld %s", (long long)bucket, what);
    tell(c, fault);
    free(fault);
}

static int visit_bucket(void *context, const struct hash_bucket *bucket, struct error *err)
{
    struct hash_checking *h = context;
    struct slice pairs = bucket->pairs;
    bool sorted = true, placed = true;
    (void)err;
    h->pairs += (int64_t)(pairs.n / HASH_PAIR);
    for (size_t i = 0; i + HASH_PAIR <= pairs.n; i += HASH_PAIR) {
        uint64_t hash = hashes_pair_hash(pairs.p + i);
        sorted = sorted && (i == 0 || hashes_pair_hash(pairs.p + i - HASH_PAIR) < hash);
        placed = placed && (bucket->bits ? hash >> (64 - bucket->bits) : 0) == bucket->first;
    }
    if (pairs.n % HASH_PAIR)
        tell_bucket(h->checking, bucket->number, "ends inside a pair");
    if (!sorted)
        tell_bucket(h->checking, bucket->number, "is not sorted");
    if (!placed)
        tell_bucket(h->checking, bucket->number, "holds pairs of another");
    return 0;
}

/* SELECT id, then each column behind it: a number, or the text of its string. */
static char *common_sql(const struct row_layout *layout)
{
    char *columns = xstrdup("t.id"), *joins = xprintf("%s t", layout->table);
    for (size_t i = 1; i < layout->count; i++) {
        bool is_ref = layout->columns[i].type == COLUMN_REF;
        char *more = is_ref ? xprintf("%s, s%zu.text", columns, i) : xprintf("%s, t.%s", columns, layout->columns[i].name);
        free(columns);
        columns = more;
        if (!is_ref)
            continue;
        more = xprintf("%s LEFT JOIN string s%zu ON s%zu.id = t.%s", joins, i, i, layout->columns[i].name);
        free(joins);
        joins = more;
    }
    char *sql = xprintf("SELECT %s FROM %s", columns, joins);
    free(columns);
    free(joins);
    return sql;
}

static uint64_t column_hash(sqlite3_stmt *row, int i, uint64_t seed)
{
    if (sqlite3_column_type(row, i) == SQLITE_NULL)
        return 0;
    if (sqlite3_column_type(row, i) == SQLITE_INTEGER)
        return batch_part_int(sqlite3_column_int64(row, i)).hash;
    const char *text = (const char *)sqlite3_column_text(row, i);
    return hash_bytes(slice_of(text, (size_t)sqlite3_column_bytes(row, i)), seed);
}

/* What the row is found by: a string by its text, a common row by the hashes of its columns. */
static uint64_t row_hash(sqlite3_stmt *row, int table, uint64_t seed)
{
    uint64_t hashes[16];
    int count = sqlite3_column_count(row) - 1;
    for (int i = 0; i < count; i++)
        hashes[i] = column_hash(row, i + 1, seed);
    return table < 0 ? hashes[0]
                     : hash_bytes(slice_of((const char *)hashes, (size_t)count * sizeof *hashes), seed + (uint64_t)table + 1);
}

static int find_wants(struct hash_checking *h, struct hashes *hashes, const char *table, const uint32_t *ids,
                      struct error *err)
{
    int done = hashes_find(hashes, h->wants, h->count, err);
    for (size_t i = 0; i < h->count && done == 0; i++) {
        const struct hash_want *want = &h->wants[i];
        if (want->id == ids[want->number])
            continue;
        char *fault = want->id ? xprintf("string_hash: %s %u is found as %lld", table, ids[want->number], (long long)want->id)
                               : xprintf("string_hash: %s %u is not found", table, ids[want->number]);
        tell(h->checking, fault);
        free(fault);
    }
    h->rows += (int64_t)h->count;
    h->count = 0;
    return done;
}

static int find_table(struct hash_checking *h, struct hashes *hashes, int table, uint32_t *ids, struct error *err)
{
    struct store *store = h->checking->store;
    char *sql = table < 0 ? xstrdup("SELECT id, text FROM string") : common_sql(&common_layouts[table]);
    const char *name = table < 0 ? "string" : common_layouts[table].table;
    sqlite3_stmt *stmt = store_prepare(store, sql, err);
    int code = SQLITE_DONE, done = stmt ? 0 : -1;
    while (done == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        ids[h->count] = (uint32_t)sqlite3_column_int64(stmt, 0);
        h->wants[h->count] = (struct hash_want){row_hash(stmt, table, store_hash_seed(store)), 0, (uint32_t)h->count};
        if (++h->count == WANTS_AT_ONCE)
            done = find_wants(h, hashes, name, ids, err);
    }
    if (done == 0)
        done = code == SQLITE_DONE ? find_wants(h, hashes, name, ids, err) : store_error(store, err);
    sqlite3_finalize(stmt);
    free(sql);
    return done;
}

static int find_all(struct hash_checking *h, struct hashes *hashes, struct error *err)
{
    const struct hash_walk walk = {visit_bucket, h};
    uint32_t *ids = xmalloc(WANTS_AT_ONCE * sizeof *ids);
    h->wants = xmalloc(WANTS_AT_ONCE * sizeof *h->wants);
    int done = hashes_walk(hashes, &walk, err);
    for (int table = -1; table < COMMON_TABLE_COUNT && done == 0; table++)
        done = find_table(h, hashes, table, ids, err);
    free(h->wants);
    free(ids);
    return done;
}

/* Where each row is found and there are as many pairs as rows, no pair leads elsewhere. */
static int check_hashes(struct checking *c, struct error *err)
{
    struct hash_checking h = {.checking = c};
    struct hashes *hashes = NULL;
    int done = hashes_new(c->store, &hashes, err);
    if (done == 0)
        done = find_all(&h, hashes, err);
    hashes_free(&hashes);
    if (done == 0 && h.pairs != h.rows) {
        char *fault = xprintf("string_hash: %lld pairs, but %lld strings, clients, routes and causes",
                              (long long)h.pairs, (long long)h.rows);
        tell(c, fault);
        free(fault);
    }
    return done;
}

/* ---- mentions ---------------------------------------------------------------------------------- */

#define MENTIONS_CHECKED 200000 /* lines, about; of a larger database seconds are picked evenly */

/* What rows say where: k as table mention has it. */
static const char mentioned_facts[] =
    "client_string (id, string) AS (SELECT id, host FROM client UNION ALL SELECT id, helo FROM client"
    "  UNION ALL SELECT id, ip FROM client),"
    "fact (name, at, string, k) AS ("
    " SELECT 'message', m.received, j.value, 0 FROM message m, json_each(json_array(m.sender, m.protocol, m.auth, m.auth_id,"
    "   m.local_user, m.tls)) j WHERE m.received % ?1 = 0"
    " UNION ALL SELECT 'delivery', d.at, j.value, 0 FROM delivery d, json_each(json_array(d.recipient, d.original)) j"
    "   WHERE d.at % ?1 = 0"
    " UNION ALL SELECT 'rejection', r.at, j.value, 0 FROM rejection r, json_each(json_array(r.sender, r.recipient)) j"
    "   WHERE r.at % ?1 = 0"
    " UNION ALL SELECT 'auth_failure', a.at, j.value, 0 FROM auth_failure a, json_each(json_array(a.service, a.user, a.method)) j"
    "   WHERE a.at % ?1 = 0"
    " UNION ALL SELECT 'session_line', l.at, j.value, 0 FROM session_line l, json_each(json_array(l.service, l.user, l.host, l.ip,"
    "   l.method, l.outcome)) j WHERE l.at % ?1 = 0"
    " UNION ALL SELECT 'scan_line', l.at, j.value, 0 FROM scan_line l, json_each(json_array(l.user, l.autolearn)) j"
    "   WHERE l.at % ?1 = 0"
    " UNION ALL SELECT 'event', e.at, j.value, 0 FROM event e, json_each(json_array(e.user, e.sender, e.recipient)) j WHERE e.at % ?1 = 0"
    " UNION ALL SELECT 'client of message', m.received, j.value, 1 FROM message m JOIN client c ON c.id = m.client,"
    "   json_each(json_array(c.host, c.helo, c.ip)) j WHERE m.received % ?1 = 0"
    " UNION ALL SELECT 'client of rejection', r.at, j.value, 1 FROM rejection r JOIN client c ON c.id = r.client,"
    "   json_each(json_array(c.host, c.helo, c.ip)) j WHERE r.at % ?1 = 0"
    " UNION ALL SELECT 'client of auth_failure', a.at, j.value, 1 FROM auth_failure a JOIN client c ON c.id = a.client,"
    "   json_each(json_array(c.host, c.helo, c.ip)) j WHERE a.at % ?1 = 0"
    " UNION ALL SELECT 'client of event', e.at, j.value, 1 FROM event e JOIN client c ON c.id = e.client,"
    "   json_each(json_array(c.host, c.helo, c.ip)) j WHERE e.at % ?1 = 0"
    " UNION ALL SELECT 'route of delivery', d.at, j.value, 2 FROM delivery d JOIN route w ON w.id = d.route,"
    "   json_each(json_array(w.router, w.transport, w.host, w.ip, w.tls)) j WHERE d.at % ?1 = 0),"
    "wanted (name, at, string, k) AS (SELECT * FROM fact WHERE string IS NOT NULL AND at >= 0"
    " UNION ALL SELECT f.name, f.at, s.domain, 3 FROM fact f JOIN string s ON s.id = f.string"
    "   WHERE s.domain IS NOT NULL AND f.at >= 0) ";

/* A wanted string's code in its bucket; where that stands, its 32 bits in hexadecimal; of these, those of the hour and the
   eighth. */
static const char unmentioned[] =
    "SELECT printf('%s at %d has ''%s'', which is not mentioned then%s', w.name, w.at,"
    "   (SELECT text FROM string WHERE id = w.string), iif(w.k = 3, ' as a domain', ''))"
    "  FROM (SELECT DISTINCT min(name) AS name, min(at) AS at, string, k FROM wanted GROUP BY at / 450, string, k) w"
    " WHERE NOT coalesce((SELECT ((instr('0123456789ABCDEF', substr(m.bits, 8 - w.at % 86400 / 3600 / 4, 1)) - 1)"
    "                             >> (w.at / 3600 % 4))"
    "                          & ((instr('0123456789ABCDEF', substr(m.bits, 2 - w.at % 3600 / 1800, 1)) - 1) >> (w.at / 450 % 4))"
    "                          & (m.i > 0)"
    "   FROM (SELECT i, hex(substr(times, (i - 1) / 2 * 4 + 1, 4)) AS bits"
    "           FROM (SELECT times, instr(strings, CAST(char(64 + (w.string % 1024 * 4 + w.k) / 64,"
    "                                                        (w.string % 1024 * 4 + w.k) % 64) AS BLOB)) AS i FROM mention"
    "                  WHERE place = w.at / 86400 * 4194304 + w.string / 1024)) m), 0)";

/* One second in so many is looked at. */
static int sample(struct checking *c, int64_t *every, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(c->store, "SELECT total(lines) FROM source", err);
    if (!stmt)
        return -1;
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(c->store, err);
    *every = 1 + sqlite3_column_int64(stmt, 0) / MENTIONS_CHECKED;
    sqlite3_finalize(stmt);
    return done;
}

static int check_strings(struct checking *c, struct error *err)
{
    int64_t every;
    if (sample(c, &every, err) < 0)
        return -1;
    char *sql = xprintf("WITH %s%s", mentioned_facts, unmentioned);
    sqlite3_stmt *stmt = store_prepare(c->store, sql, err);
    int code = SQLITE_DONE;
    if (stmt)
        sqlite3_bind_int64(stmt, 1, every);
    while (stmt && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        tell(c, (const char *)sqlite3_column_text(stmt, 0));
    int done = !stmt ? -1 : code == SQLITE_DONE ? 0 : store_error(c->store, err);
    sqlite3_finalize(stmt);
    free(sql);
    return done;
}

static void tell_id(void *context, const char *fault)
{
    tell(context, fault);
}

static int check_mentions(struct checking *c, struct error *err)
{
    const struct check_ids_listener listener = {tell_id, c};
    return check_strings(c, err) < 0 ? -1 : check_ids(c->store, &listener, err);
}

/* ---- lines ------------------------------------------------------------------------------------- */

/* Of sources with an archive; one that forget put back to its beginning keeps what it has until it is read again. */
static const char *const lines_sql[] = {
    "SELECT printf('%s (source %d): %d lines and %d octets read, but %d and %d archived', s.path, s.id,"
    "              s.lines - s.pruned_lines, s.position - s.pruned_octets, coalesce(b.lines, 0), coalesce(b.octets, 0))"
    "  FROM source s LEFT JOIN (SELECT source, sum(lines) AS lines, sum(octets) AS octets FROM line_block GROUP BY 1) b"
    "    ON b.source = s.id WHERE s.archived AND s.position > 0"
    "     AND (s.lines - s.pruned_lines <> coalesce(b.lines, 0) OR s.position - s.pruned_octets <> coalesce(b.octets, 0))",
    "SELECT printf('%s (source %d): %d blocks of a source that is read without lines', s.path, s.id, count(*))"
    "  FROM source s JOIN line_block b ON b.source = s.id WHERE NOT s.archived GROUP BY s.id",
    "SELECT printf('%s (source %d): the block of line %d at %d does not follow the one before', s.path, s.id, b.line,"
    "              b.position)"
    "  FROM (SELECT source, line, position, lag(line + lines) OVER follow AS wanted_line,"
    "          lag(position + octets) OVER follow AS wanted_position"
    "          FROM line_block WINDOW follow AS (PARTITION BY source ORDER BY line, position)) b"
    "  JOIN source s ON s.id = b.source WHERE b.line <> coalesce(b.wanted_line, s.pruned_lines + 1)"
    "    OR b.position <> coalesce(b.wanted_position, s.pruned_octets)", NULL};

static int check_texts(struct checking *c, struct block_unpacker *unpacker, struct error *err)
{
    struct block_cursor *cursor;
    struct stored_block stored;
    struct slice text;
    struct error damage;
    int more = block_cursor_new(c->store, "1", NULL, 0, &cursor, err);
    while (more >= 0 && (more = block_cursor_next(cursor, &stored, err)) > 0)
        if (block_text(c->store, unpacker, &stored, &text, &damage) < 0)
            tell(c, damage.text);
    block_cursor_free(&cursor);
    return more;
}

static int check_lines(struct checking *c, struct error *err)
{
    struct block_unpacker *unpacker = block_unpacker_new();
    int done = tell_all(c, lines_sql, err);
    if (done == 0)
        done = check_texts(c, unpacker, err);
    block_unpacker_free(&unpacker);
    return done;
}

/* ---- all --------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(struct checking *c, struct error *err);
} kinds[] = {{"sqlite", check_sqlite},     {"references", check_references}, {"accounting", check_accounting},
             {"rows", check_rows},         {"identity", check_identity},     {"sums", check_sums},
             {"derived", check_derived},   {"hashes", check_hashes},         {"mentions", check_mentions}, {"lines", check_lines}};

int check_run(struct store *store, const struct check_listener *listener, int64_t *faults, struct error *err)
{
    struct error ignored;
    int done = store_run(store, "BEGIN", err);
    *faults = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && done == 0; i++) {
        struct checking c = {store, listener, kinds[i].name, 0};
        done = kinds[i].run(&c, err);
        if (done == 0)
            listener->tell(listener->context, c.kind, NULL, c.faults);
        *faults += c.faults;
        if (i == 0 && c.faults)
            break; /* what is broken tells nothing of the rest */
    }
    store_run(store, "ROLLBACK", &ignored);
    return done;
}
