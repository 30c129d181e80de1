/* unpack.h — gzip, zstd, bzip2, xz, lzma and compress (.Z), told by their first octets, unpacked as a stream.  Members one
   behind the other are one stream; what follows the last and is none is passed over. */
#ifndef MAILTRAIL_UNPACK_H
#define MAILTRAIL_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

#define UNPACK_MEMORY_MAX (128 << 20) /* octets that a packing may want: xz -9 takes half of it */

struct octets {
    unsigned char *p;
    size_t n;
};

enum unpacked {
    UNPACK_MORE,   /* it goes on: with more octets, or with more room */
    UNPACK_WHOLE,  /* it may end here */
    UNPACK_BROKEN, /* it is damaged */
    UNPACK_HUGE    /* it wants more memory than UNPACK_MEMORY_MAX */
};

struct unpacker;

/* For data that begins so (4 octets are enough to tell); NULL: it is not compressed. */
struct unpacker *unpacker_new(struct octets head);
void unpacker_free(struct unpacker **unpacker); /* accepts NULL, leaves NULL */

/* Back to the beginning of the data. */
void unpacker_restart(struct unpacker *unpacker);

/* Takes from in and writes to out; both then stand behind that.  Nothing of what came before UNPACK_BROKEN and UNPACK_HUGE
   is held back; behind them it must not run again.  With an empty in it gives what it still holds. */
enum unpacked unpacker_run(struct unpacker *unpacker, struct octets *in, struct octets *out);

/* Whether the data says itself where it ends, so that an end is for good.  That of compress does not. */
bool unpacker_tells_end(const struct unpacker *unpacker);

#endif
