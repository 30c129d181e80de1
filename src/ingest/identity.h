/* identity.h — which line is which: an event is (server, second, canonical line, n), n being its
   how-manieth in that second of its source.  What was counted lately is kept; it is carried from run to run,
   so that a file read in pieces counts like one read whole.

   A source may be several logs one behind the other (zcat -f mainlog* rejectlog*), and one log may hold
   several hosts whose clocks differ.  So each channel (framing, host, daemon) counts for itself, and begins
   anew when its time steps back by more than SECONDS_KEPT: what follows is another file, or a copy. */
#ifndef MAILTRAIL_IDENTITY_H
#define MAILTRAIL_IDENTITY_H

#include <stdint.h>

#include "carry.h"

#define SECONDS_KEPT 5
#define CHANNELS_KEPT 32

struct identity;

struct identity *identity_new(void);
void identity_free(struct identity **identity);

/* How many lines of this hash there have been in this second of this channel, this one included: >= 1. */
uint32_t identity_count(struct identity *identity, uint64_t channel, int64_t at, uint64_t hash);

/* To and from the bytes that are stored with the source. */
void identity_save(const struct identity *identity, struct carry *out);
void identity_load(struct identity *identity, struct carry *in);

#endif
