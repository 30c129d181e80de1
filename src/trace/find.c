/* find.c — tables are read in the slots that the keys are mentioned in, or, where those are many or not known, all over. */
#include "find.h"

#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../store/mentions.h"
#include "hits.h"
#include "key.h"
#include "masks.h"
#include "slots.h"

#define KIN_SLOTS_MAX 1600 /* slots in which each string is looked at once it comes; beyond, all are before */
#define KIN_DENSE 2        /* tables are read as they lie where each row of one slot of so many is to be looked at */

struct search {
    struct store *store;
    const struct find_request *request;
    struct key keys[FIND_KEYS];
    int64_t server;   /* server.id; 0: all */
    struct masks masks;
    struct hits hits;
    struct slots slots;
    int64_t from, to; /* the span at hand */
};

/* ---- the request ------------------------------------------------------------------------------- */

int find_server(struct store *store, struct slice name, int64_t *number, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, "SELECT id FROM server WHERE name = ?1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, name.p, (int)name.n, SQLITE_STATIC);
    int found = store_next(store, stmt, err);
    *number = found > 0 ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    return found < 0 ? -1 : 0;
}

static int read_server(struct search *search, struct error *err)
{
    const char *name = search->request->server;
    if (name && find_server(search->store, slice_of(name, strlen(name)), &search->server, err) < 0)
        return -1;
    return search->server || !name ? 0 : error_set(err, FAIL_USAGE, "no server '%s' in this database", search->request->server);
}

static int read_keys(struct search *search, struct error *err)
{
    const struct find_request *request = search->request;
    if (request->key_count < 1 || request->key_count > FIND_KEYS)
        return error_set(err, FAIL_USAGE, "trace: give one to %d keys", FIND_KEYS);
    for (int i = 0; i < request->key_count; i++) {
        search->keys[i] = key_of(request->keys[i]);
        if (!*request->keys[i] || (search->keys[i].words.p && search->keys[i].words.n == 0))
            return error_set(err, FAIL_USAGE, "trace: a key is empty");
    }
    return 0;
}

/* ---- an id alone -------------------------------------------------------------------------------- */

/* The messages of one Exim id, by its index; where there are none it may still be the id of what was refused. */
static int find_id(struct search *search, struct numbers *messages, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(search->store, "SELECT id FROM message WHERE exim_id = ?1"
                                                      " AND (?2 = 0 OR server = ?2)", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, search->keys[0].text.p, (int)search->keys[0].text.n, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, search->server);
    int more;
    while ((more = store_next(search->store, stmt, err)) > 0)
        numbers_add(messages, sqlite3_column_int64(stmt, 0));
    numbers_sort(messages);
    sqlite3_finalize(stmt);
    return more;
}

/* ---- passes ------------------------------------------------------------------------------------ */

struct table_pass {
    const char *sql;
    void (*take)(struct hits *hits, sqlite3_stmt *stmt);
    enum slot_kind kind;
    const char *columns; /* of SLOT_COLUMN: those that strings are looked for in */
    const char *where;   /* which other rows may have something */
};

#define EVENT_SQL "SELECT at, server, message, recipient, sender, client FROM event"
#define SESSION_SQL "SELECT iif(kind = 2, at, (SELECT min(n.at) FROM session_line n WHERE n.at BETWEEN l.at AND l.at + 600" \
                    "   AND n.server = l.server AND n.service = l.service AND n.pid IS l.pid AND n.kind = 2))," \
                    " server, user, host, ip FROM session_line l"
#define HEADER_SQL "SELECT e.at, e.server, e.message, replace(t.text, char(1), coalesce(e.own, ''))" \
                   " FROM event e JOIN string t ON t.id = e.text AND e.kind = ?3"

static const struct table_pass everything[] = {
    {"SELECT id, server, sender, auth_id, local_user, client, exim_id, message_id, subject, recipients FROM message",
     take_message, 0, NULL, NULL},
    {"SELECT message, recipient, original, route FROM delivery", take_delivery, 0, NULL, NULL},
    {"SELECT at, server, client, sender, recipient, message FROM rejection", take_refusal, 0, NULL, NULL},
    {"SELECT at, server, client, user FROM auth_failure", take_failure, 0, NULL, NULL},
    {SESSION_SQL, take_session, 0, NULL, NULL},
    {EVENT_SQL, take_event, 0, NULL, NULL},
    {HEADER_SQL, take_header, 0, NULL, NULL}};

/* Each pass looks whether a row that it sees has all keys, however it was found: columns are compared in SQL, so that few
   rows are seen; the others' rows are looked at one by one. */
#define MESSAGE_SQL "SELECT id, server, sender, auth_id, local_user, client, NULL, NULL, NULL, recipients FROM message"
#define DELIVERY_SQL "SELECT message, recipient, original, route FROM delivery"
#define REJECTION_SQL "SELECT at, server, client, sender, recipient, message FROM rejection"
#define AUTH_FAILURE_SQL "SELECT at, server, client, user FROM auth_failure"
static const struct table_pass by_slot[] = {
    {MESSAGE_SQL, take_message, SLOT_COLUMN, "sender, auth_id, local_user", "recipients IS NOT NULL"},
    {DELIVERY_SQL, take_delivery, SLOT_COLUMN, "recipient, original", NULL},
    {REJECTION_SQL, take_refusal, SLOT_COLUMN, "sender, recipient", NULL},
    {AUTH_FAILURE_SQL, take_failure, SLOT_COLUMN, "user", NULL},
    {SESSION_SQL, take_session, SLOT_COLUMN, "user, host, ip", NULL},
    {EVENT_SQL, take_event, SLOT_COLUMN, "recipient, sender", NULL},
    {EVENT_SQL, take_event, SLOT_CLIENT, NULL, "recipient IS NOT NULL"},
    {HEADER_SQL, take_header, SLOT_COLUMN, NULL, "true"},
    {MESSAGE_SQL, take_message, SLOT_CLIENT, NULL, "client IS NOT NULL"},
    {REJECTION_SQL, take_refusal, SLOT_CLIENT, NULL, "client IS NOT NULL"},
    {AUTH_FAILURE_SQL, take_failure, SLOT_CLIENT, NULL, "client IS NOT NULL"},
    {DELIVERY_SQL, take_delivery, SLOT_ROUTE, NULL, "route IS NOT NULL"},
    {MESSAGE_SQL, take_message, SLOT_KIN, NULL, "true"},
    {DELIVERY_SQL, take_delivery, SLOT_KIN, NULL, "true"},
    {REJECTION_SQL, take_refusal, SLOT_KIN, NULL, "true"},
    {AUTH_FAILURE_SQL, take_failure, SLOT_KIN, NULL, "true"},
    {SESSION_SQL, take_session, SLOT_KIN, NULL, "kind < 3"},
    {EVENT_SQL, take_event, SLOT_KIN, NULL, "recipient IS NOT NULL"},
    {HEADER_SQL, take_header, SLOT_KIN, NULL, "true"},
    {"SELECT id, server, NULL, NULL, NULL, NULL, NULL, message_id, NULL, NULL FROM message", take_message, SLOT_ID, NULL,
     "message_id IS NOT NULL"},
    {REJECTION_SQL, take_refusal, SLOT_ID, NULL, "message IS NOT NULL"},
    {HEADER_SQL, take_header, SLOT_ID, NULL, "true"}};

/* A pass: each row goes to take; ?1 and ?2 are the span at hand, ?3 the kind of headers, where the
   statement has them. */
static int pass(struct search *search, sqlite3_stmt *stmt, void (*take)(struct hits *, sqlite3_stmt *), struct error *err)
{
    if (sqlite3_bind_parameter_count(stmt) >= 2) {
        sqlite3_bind_int64(stmt, 1, search->from);
        sqlite3_bind_int64(stmt, 2, search->to);
    }
    if (sqlite3_bind_parameter_count(stmt) == 3)
        sqlite3_bind_int64(stmt, 3, search->hits.header_kind);
    int code;
    search->masks.failed = 0;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW && search->masks.failed == 0)
        take(&search->hits, stmt);
    int done = search->masks.failed ? -1 : code == SQLITE_DONE ? 0 : store_error(search->store, err);
    sqlite3_reset(stmt);
    return done;
}

static int run_everywhere(struct search *search, struct error *err)
{
    bool bounded = search->request->since != INT64_MIN || search->request->until != INT64_MAX;
    int done = 0;
    search->from = search->request->since;
    search->to = search->request->until;
    for (size_t i = 0; i < sizeof everything / sizeof *everything && done == 0; i++) {
        char *sql = xprintf("%s%s", everything[i].sql, bounded ? " WHERE at >= ?1 AND at < ?2" : "");
        sqlite3_stmt *stmt = store_prepare(search->store, sql, err); /* unbounded it is read as it lies */
        done = stmt ? pass(search, stmt, everything[i].take, err) : -1;
        sqlite3_finalize(stmt);
        free(sql);
    }
    return done;
}

/* "7 IN (sender, recipient) OR 8 IN ..." for the strings of all keys: compared one by one, which is quicker than a
   search for each row in a list of strings. */
static char *any_column(const struct search *search, const char *columns)
{
    sqlite3_str *any = sqlite3_str_new(NULL);
    sqlite3_str_appendall(any, "false");
    for (int i = 0; i < search->request->key_count; i++) {
        int64_t given = search->slots.as_given[i], small = search->slots.small[i];
        if (given)
            sqlite3_str_appendf(any, " OR %lld IN (%s)", (long long)given, columns);
        if (small && small != given)
            sqlite3_str_appendf(any, " OR %lld IN (%s)", (long long)small, columns);
    }
    return sqlite3_str_finish(any);
}

/* In the slots named, within the bounds that were asked for. */
static int run_stretches(struct search *search, const struct table_pass *table, sqlite3_stmt *stmt, struct error *err)
{
    const struct find_request *request = search->request;
    int64_t from = INT64_MIN, to = INT64_MIN;
    int done = 0;
    search->masks.wanted = table->kind == SLOT_KIN || search->slots.kin > KIN_SLOTS_MAX ? KNOWN_ALL : KNOWN_EXACT;
    while (done == 0 && slots_next(&search->slots, table->kind, &from, &to)) {
        search->from = from > request->since ? from : request->since;
        search->to = to < request->until ? to : request->until;
        if (search->from < search->to)
            done = pass(search, stmt, table->take, err);
    }
    return done;
}

static int run_by_slot(struct search *search, const struct table_pass *table, struct error *err)
{
    int64_t from = INT64_MIN, to = INT64_MIN;
    if (!slots_next(&search->slots, table->kind, &from, &to))
        return 0;
    char *any = table->columns ? any_column(search, table->columns) : NULL;
    char *sql = sqlite3_mprintf("%s WHERE at >= ?1 AND at < ?2 AND (%s OR %s)", table->sql, any ? any : "false",
                                table->where ? table->where : "false");
    sqlite3_stmt *stmt = store_prepare(search->store, sql, err);
    int done = stmt ? run_stretches(search, table, stmt, err) : -1;
    sqlite3_finalize(stmt);
    sqlite3_free(sql);
    sqlite3_free(any);
    return done;
}

static int run_slots(struct search *search, struct error *err)
{
    int done = 0;
    for (size_t i = 0; i < sizeof by_slot / sizeof *by_slot && done == 0; i++)
        done = run_by_slot(search, &by_slot[i], err);
    return done;
}

/* ---- where to look ------------------------------------------------------------------------------ */

static bool can_tell_slots(const struct search *search)
{
    for (int i = 0; i < search->request->key_count; i++)
        if (search->keys[i].words.p || !slots_can_tell(search->keys[i].text))
            return false;
    return !search->request->everywhere;
}

/* Slots that there are, from the first day to the last in which something is mentioned, within the bounds. */
static int count_slots(struct search *search, int64_t *count, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(search->store, "SELECT (SELECT min(place) FROM mention) >> 22,"
                                                      " (SELECT max(place) FROM mention) >> 22", err);
    if (!stmt)
        return -1;
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(search->store, err);
    int64_t first = sqlite3_column_int64(stmt, 0), last = sqlite3_column_int64(stmt, 1);
    first = first > search->slots.first ? first : search->slots.first;
    last = last < search->slots.last ? last : search->slots.last;
    *count = last < first ? 0 : (last - first + 1) * DAY_SLOTS;
    sqlite3_finalize(stmt);
    return done;
}

/* A message under its Exim id is found by its arrival. */
static int hit_ids(struct search *search, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(search->store, "SELECT id, at, server FROM message WHERE exim_id = ?1", err);
    int more = stmt ? 0 : -1;
    for (int i = 0; more == 0 && i < search->request->key_count; i++) {
        if (!search->keys[i].is_id)
            continue;
        sqlite3_bind_text(stmt, 1, search->keys[i].text.p, (int)search->keys[i].text.n, SQLITE_STATIC);
        while ((more = store_next(search->store, stmt, err)) > 0) {
            int64_t at = sqlite3_column_int64(stmt, 1);
            if (at >= search->request->since && at < search->request->until &&
                (!search->server || sqlite3_column_int64(stmt, 2) == search->server))
                hits_add(&search->hits, sqlite3_column_int64(stmt, 0), (uint8_t)(1 << i));
        }
        sqlite3_reset(stmt);
    }
    sqlite3_finalize(stmt);
    return more;
}

/* Reads the slots of the keys.  *everywhere: they cannot be told, or are so many that a pass over everything is
   quicker. */
static int read_slots(struct search *search, bool *everywhere, struct error *err)
{
    struct slice keys[FIND_KEYS];
    int64_t all;
    *everywhere = !can_tell_slots(search);
    for (int i = 0; i < search->request->key_count; i++)
        keys[i] = search->keys[i].text;
    if (*everywhere)
        return 0;
    if (slots_read(search->store, keys, search->request->key_count, search->request->since, search->request->until,
                   &search->slots, err) < 0 ||
        count_slots(search, &all, err) < 0)
        return -1;
    *everywhere = (int64_t)search->slots.kin * KIN_DENSE > all;
    return 0;
}

static int begin(struct search *search, struct found *found, bool everywhere, struct error *err)
{
    if (masks_begin(&search->masks, search->store, search->keys, search->request->key_count, err) < 0 ||
        hits_begin(&search->hits, &search->masks, search->server, found, err) < 0)
        return -1;
    if (everywhere || search->slots.kin > KIN_SLOTS_MAX)
        return masks_know_all(&search->masks, err);
    masks_know_exact(&search->masks, search->slots.as_given, search->slots.small);
    return 0;
}

/* ---- all --------------------------------------------------------------------------------------- */

static int search_all(struct search *search, struct found *found, struct error *err)
{
    bool everywhere = true;
    if (read_slots(search, &everywhere, err) < 0 || begin(search, found, everywhere, err) < 0 || hit_ids(search, err) < 0 ||
        (everywhere ? run_everywhere(search, err) : run_slots(search, err)) < 0)
        return -1;
    return hits_keep(&search->hits, err);
}

int find_run(struct store *store, const struct find_request *request, struct found *found, struct error *err)
{
    struct search search = {.store = store, .request = request};
    *found = (struct found){0};
    int done = read_keys(&search, err);
    if (done == 0)
        done = read_server(&search, err);
    bool alone = done == 0 && request->key_count == 1 && search.keys[0].is_id;
    if (alone)
        done = find_id(&search, &found->messages, err);
    if (done == 0 && found->messages.count == 0)
        done = search_all(&search, found, err);
    hits_free(&search.hits);
    masks_free(&search.masks);
    slots_free(&search.slots);
    return done;
}

void found_free(struct found *found)
{
    free(found->messages.list);
    free(found->rejection_times.list);
    free(found->login_times.list);
    free(found->event_times.list);
    free(found->session_times.list);
    *found = (struct found){0};
}
