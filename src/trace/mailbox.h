/* mailbox.h — whether what was delivered here was fetched: the IMAP and POP sessions of its mailbox. */
#ifndef MAILTRAIL_MAILBOX_H
#define MAILTRAIL_MAILBOX_H

#include "story.h"

/* Reads into part->sessions what opened the mailboxes that it was delivered to, the first few of each within a week.
   Joined by the mailbox's address, or by its local part alone, which other domains may have too: joined_by says which.
   0, or -1 with *err. */
int mailbox_read(struct stories *stories, struct part *part, struct error *err);

/* Whether an attempt put the message into a mailbox here. */
bool mailbox_is_attempt(const struct rows *attempts, size_t row);

#endif
