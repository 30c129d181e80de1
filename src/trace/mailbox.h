/* mailbox.h — whether what was delivered here was fetched: the IMAP and POP sessions of its mailbox. */
#ifndef MAILTRAIL_MAILBOX_H
#define MAILTRAIL_MAILBOX_H

#include "story.h"

/* Reads into part->sessions what opened the mailboxes that it was delivered to, the first few of each within a week.
   joined_by says how a session's user was found to be the mailbox's:
   address     they have the same address
   path        the delivery names a path, which the address was read from
   name        the delivery names a local part, to which another address led: the only mailbox of that name, or, where
               namesakes is over 1, the one in the domain of the address that led to it
   local part  the session names a local part only, which other domains may have too: namesakes says how many
   A session of another domain's mailbox of the name is not read.  0, or -1 with *err. */
int mailbox_read(struct stories *stories, struct part *part, struct error *err);

#endif
