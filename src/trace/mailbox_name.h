/* mailbox_name.h — which mailbox a delivery went into, as far as its line says. */
#ifndef MAILTRAIL_MAILBOX_NAME_H
#define MAILTRAIL_MAILBOX_NAME_H

#include "rows.h"

/* What a delivery names its mailbox by. */
enum mailbox_told {
    MAILBOX_BY_ADDRESS, /* an address, or a local part that is also its recipient's */
    MAILBOX_BY_PATH,    /* a file or folder: .../other.example/anna, /home/anna/Maildir */
    MAILBOX_BY_NAME     /* a local part, to which an address of another one led: an alias, a list */
};

struct mailbox_name {
    enum mailbox_told told;
    const char *local;  /* in small letters, as are the others; the reader's */
    const char *domain; /* NULL: not told */
    const char *led;    /* MAILBOX_BY_NAME: domain of the address that led to it, maybe its own; NULL: none */
};

/* Of a row of trace/attempts.sql.  False: it went to no mailbox here, or to one without a name. */
bool mailbox_name_of(struct arena *arena, const struct rows *attempts, size_t row, struct mailbox_name *name);

#endif
