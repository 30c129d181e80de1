/* hits.h — what rows give of the keys, put together: the messages, and the seconds of other lines, that have all of them. */
#ifndef MAILTRAIL_HITS_H
#define MAILTRAIL_HITS_H

#include "find.h"
#include "masks.h"

struct hits {
    struct store *store;
    struct masks *masks;
    int64_t server;          /* server.id; 0: all */
    struct found *found;     /* what is put together goes there */
    int64_t header_kind;     /* string.id of the kind of event that a refused message's headers are; 0: there are none */
    sqlite3_stmt *read_message;
    struct hit *list;        /* some keys of a message */
    size_t count, room;
    struct refused_part *parts; /* some keys of a refusal */
    size_t part_count, part_room;
};

/* masks and found must outlive the hits.  0, or -1 with *err; hits_free in either case. */
int hits_begin(struct hits *hits, struct masks *masks, int64_t server, struct found *found, struct error *err);
void hits_free(struct hits *hits);

/* A message has the keys of a mask. */
void hits_add(struct hits *hits, int64_t message, uint8_t mask);

/* What a row of a table has of the keys, if it is of the server; its columns are: */
void take_message(struct hits *hits, sqlite3_stmt *stmt);  /* id, server, sender, auth_id, local_user, client, exim_id,
                                                              message_id, subject, recipients */
void take_delivery(struct hits *hits, sqlite3_stmt *stmt); /* message, recipient, original, route */
void take_refusal(struct hits *hits, sqlite3_stmt *stmt);  /* at, server, client, sender, recipient, Exim id */
void take_header(struct hits *hits, sqlite3_stmt *stmt);   /* at, server, Exim id, the header of a refused message */
void take_failure(struct hits *hits, sqlite3_stmt *stmt);  /* at, server, client, user: of a login that failed */
void take_session(struct hits *hits, sqlite3_stmt *stmt);  /* second of the login, NULL: none; server, user, host, ip */
void take_event(struct hits *hits, sqlite3_stmt *stmt);    /* at, server, Exim id, recipient, sender, client */

/* Puts into found what has all keys, in order and each once.  0, or -1 with *err. */
int hits_keep(struct hits *hits, struct error *err);

#endif
