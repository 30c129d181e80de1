/* check_ids.h — whether ids are found where they are mentioned: table id_mention, held against the rows that have ids. */
#ifndef MAILTRAIL_CHECK_IDS_H
#define MAILTRAIL_CHECK_IDS_H

#include "store.h"

/* Told of each fault, a sentence. */
struct check_ids_listener {
    void (*tell)(void *context, const char *fault);
    void *context;
};

/* Looks up, as trace does, each Message-ID where its message was received or a header of a refused one has it, each Exim id where a
   client was refused under it, and each Exim id where a delivery, an event or the arrival of a bounce of its message is far from
   the second in it (ID_NEAR).  Of what is found too often nothing is said.  Up to 65536 ids are in memory at a time.
   0; -1: *err. */
int check_ids(struct store *store, const struct check_ids_listener *listener, struct error *err);

#endif
