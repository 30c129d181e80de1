/* wording.h — what is kept as it was written (answers, reasons, notes) is mostly the same few sentences about ever
   other hosts, addresses and queue ids.  A wording is the sentence with places: for fields that its row has
   already, and for one stretch of its own.  schema/views.sql puts the two together again, byte by byte. */
#ifndef MAILTRAIL_WORDING_H
#define MAILTRAIL_WORDING_H

#include "../../parsers/slice.h"

/* Places, as they stand in a pattern: bytes that no log line holds by itself. */
enum wording_place {
    WORDING_OWN = 1,
    WORDING_IP,
    WORDING_HOST,
    WORDING_HELO,
    WORDING_SENDER,
    WORDING_RECIPIENT,
    WORDING_PLACES
};

#define WORDING_MAX 512 /* octets of a pattern */

struct wording {
    struct slice pattern; /* in buf */
    unsigned places;      /* bit by bit, those that the pattern has */
    struct slice own;     /* part of the text; absent: there is no such stretch */
};

/* fields: by place, as the row stores them; absent ones and [WORDING_OWN] are not looked for.  buf has WORDING_MAX
   octets.  false: the text is no sentence to be shared (too long, or with bytes that are places). */
bool wording_split(struct slice text, const struct slice fields[WORDING_PLACES], char *buf,
                   struct wording *wording);

#endif
