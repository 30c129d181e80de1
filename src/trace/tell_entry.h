/* tell_entry.h — an entry of a story, for people. */
#ifndef MAILTRAIL_TELL_ENTRY_H
#define MAILTRAIL_TELL_ENTRY_H

#include "tell.h"
#include "timeline.h"

void tell_entry(const struct tell *tell, const struct entry *entry);

#endif
