/* find.h — which messages and which refusals a set of keys touches: in the slots in which they are mentioned. */
#ifndef MAILTRAIL_FIND_H
#define MAILTRAIL_FIND_H

#include "../../parsers/slice.h"
#include "../store/store.h"
#include "numbers.h"

enum { FIND_KEYS = 8 };

struct find_request {
    const char *const *keys; /* as key_of takes them, 1 to FIND_KEYS; all must match, of a message somewhere in it, of a refusal
                                in its row or its message's headers, of other lines in them */
    int key_count;
    int64_t since, until; /* INT64_MIN, INT64_MAX: no bound.  What arrived, was tried or refused in this time */
    const char *server;   /* NULL: all */
    bool everywhere;      /* read everything in that time, whatever the mentions name: the answer must be the same */
};

struct found {
    struct numbers messages;       /* message.id */
    struct numbers rejection_times; /* seconds in which a client that matches was refused */
    struct numbers login_times;    /* seconds in which a login that matches failed */
    struct numbers event_times;    /* seconds in which something else was logged of whom a key is, and of no message */
    struct numbers session_times;  /* seconds in which somebody logged in to a mailbox whom, or from where, the keys are */
};

/* 0, or -1 with *err (FAIL_USAGE: too many keys, an empty one, a server that is not there).  found_free in either case. */
int find_run(struct store *store, const struct find_request *request, struct found *found, struct error *err);
void found_free(struct found *found);

/* The server.id of a server's name; 0: there is none.  0, or -1 with *err. */
int find_server(struct store *store, struct slice name, int64_t *number, struct error *err);

#endif
