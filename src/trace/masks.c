/* masks.c — strings are marked before, or looked at once they come; clients and routes are what their strings are. */
#include "masks.h"

#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"

static int table_new(struct store *store, const char *max_id, struct mask_table *table, struct error *err)
{
    sqlite3_stmt *stmt = store_prepare(store, max_id, err);
    if (!stmt)
        return -1;
    int done = sqlite3_step(stmt) == SQLITE_ROW ? 0 : store_error(store, err);
    table->count = sqlite3_column_int64(stmt, 0) + 1;
    table->list = xcalloc((size_t)table->count, 1);
    table->known = xcalloc((size_t)table->count, 1);
    sqlite3_finalize(stmt);
    return done;
}

static void table_free(struct mask_table *table)
{
    free(table->list);
    free(table->known);
}

int masks_begin(struct masks *masks, struct store *store, const struct key *keys, int key_count, struct error *err)
{
    *masks = (struct masks){.store = store, .keys = keys, .key_count = key_count, .err = err};
    for (int i = 0; i < key_count; i++)
        masks->all |= (uint8_t)(1 << i);
    if (table_new(store, "SELECT max(id) FROM string", &masks->strings, err) < 0 ||
        table_new(store, "SELECT max(id) FROM client", &masks->clients, err) < 0 ||
        table_new(store, "SELECT max(id) FROM route", &masks->routes, err) < 0)
        return -1;
    masks->read_string = store_prepare(store, "SELECT domain, text FROM string WHERE id = ?1", err);
    masks->read_client = masks->read_string
        ? store_prepare(store, "SELECT host, helo, ip FROM client WHERE id = ?1", err) : NULL;
    masks->read_route = masks->read_client
        ? store_prepare(store, "SELECT host, ip FROM route WHERE id = ?1", err) : NULL;
    return masks->read_route ? 0 : -1;
}

void masks_free(struct masks *masks)
{
    sqlite3_finalize(masks->read_string);
    sqlite3_finalize(masks->read_client);
    sqlite3_finalize(masks->read_route);
    table_free(&masks->strings);
    table_free(&masks->clients);
    table_free(&masks->routes);
}

/* ---- strings of keys --------------------------------------------------------------------------- */

static void mark(struct masks *masks, int64_t id, int key)
{
    if (id > 0 && id < masks->strings.count)
        masks->strings.list[id] |= (uint8_t)(1 << key);
}

void masks_know_exact(struct masks *masks, const int64_t *as_given, const int64_t *small)
{
    masks->small = small;
    for (int i = 0; i < masks->key_count; i++) {
        mark(masks, as_given[i], i);
        mark(masks, small[i], i);
    }
}

static int mark_strings(struct masks *masks, int key, struct error *err)
{
    struct slice text = masks->keys[key].text;
    sqlite3_stmt *stmt = store_prepare(
        masks->store, memchr(text.p, '@', text.n)
            ? "SELECT id FROM string WHERE text = ?1 COLLATE NOCASE"
            : "SELECT id FROM string WHERE text = ?1 COLLATE NOCASE"
              " OR domain IN (SELECT id FROM string WHERE text = ?1 COLLATE NOCASE)", err);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, text.p, (int)text.n, SQLITE_STATIC);
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        mark(masks, sqlite3_column_int64(stmt, 0), key);
    int done = code == SQLITE_DONE ? 0 : store_error(masks->store, err);
    sqlite3_finalize(stmt);
    return done;
}

int masks_know_all(struct masks *masks, struct error *err)
{
    for (int i = 0; i < masks->key_count; i++)
        if (!masks->keys[i].words.p && mark_strings(masks, i, err) < 0)
            return -1;
    memset(masks->strings.known, KNOWN_ALL, (size_t)masks->strings.count);
    masks->wanted = KNOWN_ALL;
    return 0;
}

/* ---- what has an id ---------------------------------------------------------------------------- */

/* Whether the row of that id is still to be looked at; it is known from then on. */
static bool is_unknown(const struct masks *masks, struct mask_table *table, int64_t id)
{
    if (table->known[id] >= masks->wanted)
        return false;
    table->known[id] = (uint8_t)masks->wanted;
    return true;
}

bool masks_look_up(struct masks *masks, sqlite3_stmt *stmt, int64_t number)
{
    sqlite3_bind_int64(stmt, sqlite3_bind_parameter_count(stmt), number);
    int code = sqlite3_step(stmt);
    if (code != SQLITE_ROW && code != SQLITE_DONE && masks->failed == 0)
        masks->failed = store_error(masks->store, masks->err);
    return code == SQLITE_ROW;
}

static struct slice column_text(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return slice_of(text, (size_t)sqlite3_column_bytes(stmt, column));
}

/* The keys of a string: its text, or its domain, which is stored in small letters. */
static uint8_t string_mask(struct masks *masks, int64_t id)
{
    struct mask_table *strings = &masks->strings;
    if (id <= 0 || id >= strings->count)
        return 0;
    if (masks->wanted != KNOWN_ALL || !is_unknown(masks, strings, id))
        return strings->list[id];
    if (masks_look_up(masks, masks->read_string, id)) {
        int64_t domain = sqlite3_column_int64(masks->read_string, 0);
        struct slice text = column_text(masks->read_string, 1);
        for (int i = 0; i < masks->key_count; i++) {
            struct slice key = masks->keys[i].text;
            bool of_domain = domain && domain == masks->small[i] && !memchr(key.p, '@', key.n);
            if (of_domain || key_is(&masks->keys[i], text))
                strings->list[id] |= (uint8_t)(1 << i);
        }
    }
    sqlite3_reset(masks->read_string);
    return strings->list[id];
}

/* The keys of a row whose columns are strings. */
static uint8_t row_mask(struct masks *masks, struct mask_table *table, sqlite3_stmt *read, int64_t id)
{
    uint8_t mask = 0;
    if (id <= 0 || id >= table->count)
        return 0;
    if (!is_unknown(masks, table, id))
        return table->list[id];
    if (masks_look_up(masks, read, id))
        for (int i = 0; i < sqlite3_column_count(read); i++)
            mask |= string_mask(masks, sqlite3_column_int64(read, i)); /* 0: NULL */
    sqlite3_reset(read);
    return table->list[id] = mask;
}

uint8_t mask_of_string(struct masks *masks, sqlite3_stmt *stmt, int column)
{
    return string_mask(masks, sqlite3_column_int64(stmt, column));
}

uint8_t mask_of_client(struct masks *masks, sqlite3_stmt *stmt, int column)
{
    return row_mask(masks, &masks->clients, masks->read_client, sqlite3_column_int64(stmt, column));
}

uint8_t mask_of_route(struct masks *masks, sqlite3_stmt *stmt, int column)
{
    return row_mask(masks, &masks->routes, masks->read_route, sqlite3_column_int64(stmt, column));
}

/* ---- what is a text ---------------------------------------------------------------------------- */

uint8_t mask_of_ids(const struct masks *masks, sqlite3_stmt *stmt, int column)
{
    uint8_t mask = 0;
    for (int i = 0; i < masks->key_count; i++)
        if (masks->keys[i].is_id && slice_equal(masks->keys[i].text, column_text(stmt, column)))
            mask |= (uint8_t)(1 << i);
    return mask;
}

/* Texts are looked at only where a key may be in them: to have them costs as much as all numbers of a row together. */
static bool is_message_id(const struct key *key, sqlite3_stmt *stmt, int column)
{
    if (key->words.p || (size_t)sqlite3_column_bytes(stmt, column) != key->text.n)
        return false;
    return key_is(key, column_text(stmt, column));
}

uint8_t mask_of_texts(const struct masks *masks, sqlite3_stmt *stmt, int message_id, int subject)
{
    uint8_t mask = 0;
    for (int i = 0; i < masks->key_count; i++) {
        const struct key *key = &masks->keys[i];
        const char *text = key->words.p ? (const char *)sqlite3_column_text(stmt, subject) : NULL;
        if (text ? key_has_words(key, text) : is_message_id(key, stmt, message_id))
            mask |= (uint8_t)(1 << i);
    }
    return mask;
}

uint8_t mask_of_recipients(const struct masks *masks, sqlite3_stmt *stmt, int column)
{
    uint8_t mask = 0;
    if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
        return 0;
    for (int i = 0; i < masks->key_count; i++)
        if (key_in_array(&masks->keys[i], column_text(stmt, column)))
            mask |= (uint8_t)(1 << i);
    return mask;
}

uint8_t mask_of_header(const struct masks *masks, sqlite3_stmt *stmt, int column)
{
    uint8_t mask = 0;
    for (int i = 0; i < masks->key_count; i++)
        if (key_in_header(&masks->keys[i], column_text(stmt, column)))
            mask |= (uint8_t)(1 << i);
    return mask;
}
