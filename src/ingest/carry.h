/* carry.h — numbers and texts written one behind the other, and read back in the same order. */
#ifndef MAILTRAIL_CARRY_H
#define MAILTRAIL_CARRY_H

#include <stdint.h>

#include "../../parsers/slice.h"

struct carry {
    char *bytes;
    size_t size, capacity; /* capacity 0: bytes are borrowed, for reading */
    size_t at;             /* where reading stands */
    bool bad;              /* reading went past the end: what follows reads as 0 and empty */
};

void carry_put_int(struct carry *out, int64_t value);
void carry_put_text(struct carry *out, struct slice text); /* absent comes back as absent */
int64_t carry_get_int(struct carry *in);
struct slice carry_get_text(struct carry *in); /* into in->bytes */
void carry_free(struct carry *carry);

#endif
