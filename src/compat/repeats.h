/* repeats.h — the same line told by several logs: which are the ones that another log had already. */
#ifndef MAILTRAIL_REPEATS_H
#define MAILTRAIL_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

struct repeats;

struct repeats *repeats_new(void);
void repeats_free(struct repeats **repeats); /* accepts NULL, leaves NULL */

/* Whether another source had as many lines of this hash as this one has by now.  A source's lines come in one go. */
bool repeats_known(struct repeats *repeats, int64_t source, uint64_t hash);

#endif
