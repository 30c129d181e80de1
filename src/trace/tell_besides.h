/* tell_besides.h — what is told besides stories, for people: refusals, notes, logins, and that nothing was found. */
#ifndef MAILTRAIL_TELL_BESIDES_H
#define MAILTRAIL_TELL_BESIDES_H

#include "tell.h"

/* What never became a message, logins that failed among it, and what was logged of a recipient alone. */
void tell_refusals(const struct tell *tell);
/* Of no story; first: nothing was told before. */
void tell_logins(const struct tell *tell, bool first);
/* With the keys as they were understood. */
void tell_nothing(const struct tell *tell);

#endif
