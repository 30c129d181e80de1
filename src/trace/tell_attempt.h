/* tell_attempt.h — attempts to deliver, for people: one, the deferrals of one delivery, many that came to the same. */
#ifndef MAILTRAIL_TELL_ATTEMPT_H
#define MAILTRAIL_TELL_ATTEMPT_H

#include "tell.h"
#include "timeline.h"

/* Entries of those kinds: ENTRY_ATTEMPT, ENTRY_DEFERRALS, ENTRY_OTHERS. */
void tell_attempt(const struct tell *tell, const struct entry *entry);
void tell_deferrals(const struct tell *tell, const struct entry *entry);
void tell_others(const struct tell *tell, const struct entry *entry);

#endif
