/* find.c — a bit for each key: over strings, then over what names strings, then over messages and refusals. */
#include "find.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/memory.h"

/* ---- numbers ----------------------------------------------------------------------------------- */

void numbers_add(struct numbers *numbers, int64_t number)
{
    if (numbers->count && numbers->list[numbers->count - 1] == number)
        return;
    numbers->list = grow(numbers->list, &numbers->room, numbers->count + 1, sizeof *numbers->list);
    numbers->list[numbers->count++] = number;
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

void numbers_sort(struct numbers *numbers)
{
    size_t kept = 0;
    if (numbers->count)
        qsort(numbers->list, numbers->count, sizeof *numbers->list, compare_numbers);
    for (size_t i = 0; i < numbers->count; i++)
        if (kept == 0 || numbers->list[kept - 1] != numbers->list[i])
            numbers->list[kept++] = numbers->list[i];
    numbers->count = kept;
}

bool numbers_have(const struct numbers *numbers, int64_t number)
{
    return numbers->count && bsearch(&number, numbers->list, numbers->count, sizeof number, compare_numbers);
}

/* ---- keys -------------------------------------------------------------------------------------- */

struct key {
    struct slice text;  /* without <> */
    struct slice words; /* of "subject:words"; absent: no such key */
    bool is_id;         /* it has the form of an Exim id */
};

/* Which keys a row of a table matches, by its id. */
struct masks {
    uint8_t *list;
    int64_t count;
};

struct search {
    struct store *store;
    const struct find_request *request;
    struct key keys[FIND_KEYS];
    uint8_t all;         /* the bits of all keys */
    int64_t server;      /* server.id; 0: all */
    struct masks strings, clients, routes;
    struct {
        int64_t message;
        uint8_t mask;
    } *hits;
    size_t hit_count, hit_room;
    struct numbers *times; /* where seconds with a refusal that matches go */
};

static bool is_exim_id(struct slice text)
{
    static const size_t dashes[][2] = {{6, 13}, {6, 18}};
    size_t kind = text.n == 16 ? 0 : 1;
    if (text.n != 16 && text.n != 23)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (i == dashes[kind][0] || i == dashes[kind][1] ? c != '-' : !alnum)
            return false;
    }
    return true;
}

static struct key key_of(const char *text)
{
    static const char subject[] = "subject:";
    struct key key = {slice_of(text, strlen(text)), SLICE_ABSENT, false};
    if (strncasecmp(text, subject, sizeof subject - 1) == 0)
        key.words = slice_after(key.text, sizeof subject - 1);
    else if (key.text.n >= 2 && text[0] == '<' && text[key.text.n - 1] == '>')
        key.text = slice_of(text + 1, key.text.n - 2);
    key.is_id = is_exim_id(key.text);
    return key;
}

static bool same_text(struct slice a, struct slice b)
{
    return a.p && b.p && a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

/* As table string has it: a@b.c -> b.c, mx.b.c -> b.c. */
static struct slice domain_of(struct slice text)
{
    const char *at = text.n ? memrchr(text.p, '@', text.n) : NULL, *dot = text.n ? memchr(text.p, '.', text.n) : NULL;
    if (!at && !dot)
        return SLICE_ABSENT;
    struct slice rest = slice_after(text, (size_t)((at ? at : dot) - text.p) + 1);
    return at || memchr(rest.p, '.', rest.n) ? rest : SLICE_ABSENT;
}

bool find_key_in(const char *key_text, const struct slice *texts, size_t count)
{
    struct key key = key_of(key_text);
    bool may_be_domain = key.text.n && !memchr(key.text.p, '@', key.text.n);
    for (size_t i = 0; i < count && !key.words.p; i++)
        if (same_text(key.text, texts[i]) || (may_be_domain && texts[i].p && same_text(key.text, domain_of(texts[i]))))
            return true;
    return false;
}

/* Whether all words, parted by blanks, are in a text, in any order and case. */
static bool has_words(const char *text, struct slice words)
{
    char word[256];
    while (words.n) {
        size_t n = 0;
        while (words.n && *words.p == ' ')
            words = slice_after(words, 1);
        while (n < words.n && words.p[n] != ' ')
            n++;
        if (n >= sizeof word)
            return false;
        memcpy(word, words.p, n);
        word[n] = 0;
        if (!strcasestr(text, word))
            return false;
        words = slice_after(words, n);
    }
    return true;
}

/* ---- masks ------------------------------------------------------------------------------------- */

static uint8_t mask_at(const struct masks *masks, sqlite3_stmt *stmt, int column)
{
    int64_t id = sqlite3_column_int64(stmt, column); /* 0: NULL */
    return id > 0 && id < masks->count ? masks->list[id] : 0;
}

static int masks_new(struct search *search, const char *max_id, struct masks *masks, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(search->store, max_id, err);
    if (!stmt)
        return -1;
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(search->store, err);
    masks->count = sqlite3_column_int64(stmt, 0) + 1;
    masks->list = xcalloc((size_t)masks->count, 1);
    sqlite3_finalize(stmt);
    return done;
}

/* A pass: each row goes to take; ?1 and ?2 are the span where the statement has them. */
static int pass(struct search *search, const char *sql, void (*take)(struct search *, sqlite3_stmt *), struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(search->store, sql, err);
    if (!stmt)
        return -1;
    if (sqlite3_bind_parameter_count(stmt) == 2) {
        sqlite3_bind_int64(stmt, 1, search->request->since);
        sqlite3_bind_int64(stmt, 2, search->request->until);
    }
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        take(search, stmt);
    int done = code == SQLITE_DONE ? 0 : store_error(search->store, err);
    sqlite3_finalize(stmt);
    return done;
}

static int mark_strings(struct search *search, int key, struct error *err)
{
    struct slice text = search->keys[key].text;
    sqlite3_stmt *stmt = store_prepare(
        search->store, memchr(text.p, '@', text.n)
            ? "SELECT id FROM string WHERE text = ?1 COLLATE NOCASE"
            : "SELECT id FROM string WHERE text = ?1 COLLATE NOCASE"
              " OR domain IN (SELECT id FROM string WHERE text = ?1 COLLATE NOCASE)", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, text.p, (int)text.n, SQLITE_STATIC);
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(stmt, 0);
        if (id > 0 && id < search->strings.count)
            search->strings.list[id] |= (uint8_t)(1 << key);
    }
    int done = code == SQLITE_DONE ? 0 : store_error(search->store, err);
    sqlite3_finalize(stmt);
    return done;
}

static void take_client(struct search *s, sqlite3_stmt *stmt)
{
    int64_t id = sqlite3_column_int64(stmt, 0);
    uint8_t mask = mask_at(&s->strings, stmt, 1) | mask_at(&s->strings, stmt, 2) | mask_at(&s->strings, stmt, 3);
    if (id > 0 && id < s->clients.count)
        s->clients.list[id] = mask;
}

static void take_route(struct search *s, sqlite3_stmt *stmt)
{
    int64_t id = sqlite3_column_int64(stmt, 0);
    uint8_t mask = mask_at(&s->strings, stmt, 1) | mask_at(&s->strings, stmt, 2);
    if (id > 0 && id < s->routes.count)
        s->routes.list[id] = mask;
}

static int mark_all(struct search *search, struct error *err)
{
    if (masks_new(search, "SELECT max(id) FROM string", &search->strings, err) < 0 ||
        masks_new(search, "SELECT max(id) FROM client", &search->clients, err) < 0 ||
        masks_new(search, "SELECT max(id) FROM route", &search->routes, err) < 0)
        return -1;
    for (int i = 0; i < search->request->key_count; i++)
        if (!search->keys[i].words.p && mark_strings(search, i, err) < 0)
            return -1;
    if (pass(search, "SELECT id, host, helo, ip FROM client", take_client, err) < 0)
        return -1;
    return pass(search, "SELECT id, host, ip FROM route", take_route, err);
}

/* ---- messages ---------------------------------------------------------------------------------- */

static void hit(struct search *search, int64_t message, uint8_t mask)
{
    if (!mask)
        return;
    search->hits = grow(search->hits, &search->hit_room, search->hit_count + 1, sizeof *search->hits);
    search->hits[search->hit_count].message = message;
    search->hits[search->hit_count++].mask = mask;
}

static struct slice column_text(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return slice_of(text, (size_t)sqlite3_column_bytes(stmt, column));
}

/* Keys that are an id of the column, and with a message the Message-ID and the words of the subject.  Texts are looked
   at only where a key may be in them: to have them costs as much as all numbers of a row together. */
static uint8_t mask_of_ids(const struct search *search, sqlite3_stmt *stmt, int column)
{
    uint8_t mask = 0;
    for (int i = 0; i < search->request->key_count; i++)
        if (search->keys[i].is_id && slice_equal(search->keys[i].text, column_text(stmt, column)))
            mask |= (uint8_t)(1 << i);
    return mask;
}

static uint8_t mask_of_texts(const struct search *search, sqlite3_stmt *stmt, int message_id, int subject)
{
    uint8_t mask = 0;
    for (int i = 0; i < search->request->key_count; i++) {
        const struct key *key = &search->keys[i];
        const char *text = key->words.p ? (const char *)sqlite3_column_text(stmt, subject) : NULL;
        if (key->words.p ? text && has_words(text, key->words)
                         : (size_t)sqlite3_column_bytes(stmt, message_id) == key->text.n &&
                               same_text(key->text, column_text(stmt, message_id)))
            mask |= (uint8_t)(1 << i);
    }
    return mask;
}

static void take_message(struct search *s, sqlite3_stmt *stmt)
{
    if (s->server && sqlite3_column_int64(stmt, 1) != s->server)
        return;
    uint8_t mask = mask_at(&s->strings, stmt, 2) | mask_at(&s->strings, stmt, 3) | mask_at(&s->strings, stmt, 4) |
                   mask_at(&s->clients, stmt, 5);
    mask |= mask_of_ids(s, stmt, 6) | mask_of_texts(s, stmt, 7, 8);
    hit(s, sqlite3_column_int64(stmt, 0), mask);
}

static void take_delivery(struct search *s, sqlite3_stmt *stmt)
{
    uint8_t mask = mask_at(&s->strings, stmt, 1) | mask_at(&s->strings, stmt, 2) | mask_at(&s->routes, stmt, 3);
    if (mask)
        hit(s, sqlite3_column_int64(stmt, 0), mask);
}

static int compare_hits(const void *a, const void *b)
{
    return compare_numbers(a, b); /* the message comes first in a hit */
}

/* Messages whose hits make up all keys; a server, of which deliveries know nothing, is looked at once more. */
static void keep_full(struct search *search, struct numbers *messages)
{
    if (search->hit_count)
        qsort(search->hits, search->hit_count, sizeof *search->hits, compare_hits);
    for (size_t i = 0, next; i < search->hit_count; i = next) {
        uint8_t mask = 0;
        for (next = i; next < search->hit_count && search->hits[next].message == search->hits[i].message; next++)
            mask |= search->hits[next].mask;
        if (mask == search->all)
            numbers_add(messages, search->hits[i].message);
    }
}

static int keep_server(struct search *search, struct numbers *messages, struct error *err)
{
    size_t kept = 0;
    if (!search->server)
        return 0;
    sqlite3_stmt *stmt = store_prepare(search->store, "SELECT server FROM message WHERE id = ?1", err);
    for (size_t i = 0; stmt && i < messages->count; i++) {
        sqlite3_bind_int64(stmt, 1, messages->list[i]);
        if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int64(stmt, 0) == search->server)
            messages->list[kept++] = messages->list[i];
        sqlite3_reset(stmt);
    }
    messages->count = kept;
    sqlite3_finalize(stmt);
    return stmt ? 0 : -1;
}

/* ---- refusals ---------------------------------------------------------------------------------- */

static void take_refusal(struct search *search, sqlite3_stmt *stmt)
{
    if (search->server && sqlite3_column_int64(stmt, 1) != search->server)
        return;
    uint8_t mask = mask_at(&search->clients, stmt, 2) | mask_at(&search->strings, stmt, 3) |
                   mask_at(&search->strings, stmt, 4) | mask_of_ids(search, stmt, 5);
    if (mask == search->all)
        numbers_add(search->times, sqlite3_column_int64(stmt, 0));
}

static int find_refusals(struct search *search, const char *sql, struct numbers *times, struct error *err)
{
    search->times = times;
    int done = pass(search, sql, take_refusal, err);
    numbers_sort(times);
    return done;
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
    while (sqlite3_step(stmt) == SQLITE_ROW)
        numbers_add(messages, sqlite3_column_int64(stmt, 0));
    numbers_sort(messages);
    sqlite3_finalize(stmt);
    return 0;
}

/* ---- all --------------------------------------------------------------------------------------- */

static int find_server(struct search *search, struct error *err)
{
    if (!search->request->server)
        return 0;
    sqlite3_stmt *stmt = store_prepare(search->store, "SELECT id FROM server WHERE name = ?1", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, search->request->server, -1, SQLITE_STATIC);
    search->server = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    return search->server ? 0 : error_set(err, FAIL_USAGE, "no server '%s' in this database", search->request->server);
}

static int read_keys(struct search *search, struct error *err)
{
    const struct find_request *request = search->request;
    if (request->key_count < 1 || request->key_count > FIND_KEYS)
        return error_set(err, FAIL_USAGE, "trace: give one to %d keys", FIND_KEYS);
    for (int i = 0; i < request->key_count; i++) {
        search->keys[i] = key_of(request->keys[i]);
        search->all |= (uint8_t)(1 << i);
        if (!*request->keys[i] || (search->keys[i].words.p && search->keys[i].words.n == 0))
            return error_set(err, FAIL_USAGE, "trace: a key is empty");
    }
    return 0;
}

/* Without bounds a table is read as it lies, which is quicker than by an index on time. */
static int run_passes(struct search *search, struct found *found, struct error *err)
{
    static const char *const sql[][2] = {
        {"SELECT id, server, sender, auth_id, local_user, client, exim_id, message_id, subject FROM message",
         "SELECT id, server, sender, auth_id, local_user, client, exim_id, message_id, subject FROM message"
         " WHERE at >= ?1 AND at < ?2"},
        {"SELECT message, recipient, original, route FROM delivery",
         "SELECT message, recipient, original, route FROM delivery WHERE at >= ?1 AND at < ?2"},
        {"SELECT at, server, client, sender, recipient, message FROM rejection",
         "SELECT at, server, client, sender, recipient, message FROM rejection WHERE at >= ?1 AND at < ?2"},
        {"SELECT at, server, client, user, NULL, NULL FROM auth_failure",
         "SELECT at, server, client, user, NULL, NULL FROM auth_failure WHERE at >= ?1 AND at < ?2"}};
    int bounded = search->request->since != INT64_MIN || search->request->until != INT64_MAX;
    if (mark_all(search, err) < 0 || pass(search, sql[0][bounded], take_message, err) < 0 ||
        pass(search, sql[1][bounded], take_delivery, err) < 0)
        return -1;
    keep_full(search, &found->messages);
    if (keep_server(search, &found->messages, err) < 0)
        return -1;
    return find_refusals(search, sql[2][bounded], &found->rejection_times, err) < 0 ||
                   find_refusals(search, sql[3][bounded], &found->login_times, err) < 0
               ? -1
               : 0;
}

int find_run(struct store *store, const struct find_request *request, struct found *found, struct error *err)
{
    struct search search = {.store = store, .request = request};
    *found = (struct found){0};
    int done = read_keys(&search, err);
    if (done == 0)
        done = find_server(&search, err);
    bool alone = done == 0 && request->key_count == 1 && search.keys[0].is_id;
    if (alone)
        done = find_id(&search, &found->messages, err);
    if (done == 0 && found->messages.count == 0)
        done = run_passes(&search, found, err);
    free(search.strings.list);
    free(search.clients.list);
    free(search.routes.list);
    free(search.hits);
    return done;
}

void found_free(struct found *found)
{
    free(found->messages.list);
    free(found->rejection_times.list);
    free(found->login_times.list);
    *found = (struct found){0};
}
