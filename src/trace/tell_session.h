/* tell_session.h — somebody opened a mailbox, for people. */
#ifndef MAILTRAIL_TELL_SESSION_H
#define MAILTRAIL_TELL_SESSION_H

#include "tell.h"

/* A row of trace/sessions.sql.  of_report: the mailbox is that of whom a bounce or warning went to. */
void tell_session(const struct tell *tell, const struct rows *sessions, size_t row, bool of_report);

#endif
