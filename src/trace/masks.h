/* masks.h — which keys the columns of a row match: a mask has a bit for each key. */
#ifndef MAILTRAIL_MASKS_H
#define MAILTRAIL_MASKS_H

#include "../store/store.h"
#include "key.h"

/* How well the keys of a string, a client or a route are known. */
enum known {
    KNOWN_NOT,
    KNOWN_EXACT, /* the strings that keys are, as given or in small letters */
    KNOWN_ALL    /* those in any case, and those whose domain a key is */
};

/* The masks of a table's rows, by their id. */
struct mask_table {
    uint8_t *list, *known;
    int64_t count;
};

struct masks {
    struct store *store;
    const struct key *keys;
    int key_count;
    uint8_t all;          /* the mask of what matches all keys */
    const int64_t *small; /* string.id of each key in small letters; 0: none */
    enum known wanted;    /* of what is asked for next: the caller's to set */
    struct mask_table strings, clients, routes;
    sqlite3_stmt *read_string, *read_client, *read_route;
    int failed; /* -1: a row could not be read, *err says why; the caller's to set back */
    struct error *err;
};

/* Of 1 to 8 keys; they and *err must outlive the masks.  0, or -1 with *err; masks_free in either case. */
int masks_begin(struct masks *masks, struct store *store, const struct key *keys, int key_count, struct error *err);
void masks_free(struct masks *masks);

/* One of these two comes first.  Given are the strings that each key is (string.id; 0: none), as it stands and in small
   letters, in lists that must outlive the masks; others are looked at one by one where KNOWN_ALL is wanted. */
void masks_know_exact(struct masks *masks, const int64_t *as_given, const int64_t *small);
/* Or all strings that match are looked for at once, by a pass over table string; KNOWN_ALL is wanted from then on.  0, or
   -1 with *err. */
int masks_know_all(struct masks *masks, struct error *err);

/* The keys of the string, the client or the route whose id is in a column; 0 where the column is NULL. */
uint8_t mask_of_string(struct masks *masks, sqlite3_stmt *stmt, int column);
uint8_t mask_of_client(struct masks *masks, sqlite3_stmt *stmt, int column);
uint8_t mask_of_route(struct masks *masks, sqlite3_stmt *stmt, int column);

/* The keys that are the Exim id in a column. */
uint8_t mask_of_ids(const struct masks *masks, sqlite3_stmt *stmt, int column);
/* Those that are the Message-ID, or whose words the subject has. */
uint8_t mask_of_texts(const struct masks *masks, sqlite3_stmt *stmt, int message_id, int subject);
/* Those that are one of the envelope recipients, where they were logged. */
uint8_t mask_of_recipients(const struct masks *masks, sqlite3_stmt *stmt, int column);
/* Those that a header of a refused message names. */
uint8_t mask_of_header(const struct masks *masks, sqlite3_stmt *stmt, int column);

/* Whether a statement has a row for a number, its last parameter; the caller resets it.  A failure sets masks->failed. */
bool masks_look_up(struct masks *masks, sqlite3_stmt *stmt, int64_t number);

#endif
