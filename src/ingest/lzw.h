/* lzw.h — what compress writes (.Z): Lempel, Ziv and Welch's codes of 9 to 16 bits. */
#ifndef MAILTRAIL_LZW_H
#define MAILTRAIL_LZW_H

#include "unpack.h"

struct lzw;

struct lzw *lzw_new(void);
void lzw_free(struct lzw **lzw); /* accepts NULL, leaves NULL */

/* Back to the beginning. */
void lzw_restart(struct lzw *lzw);

/* As unpacker_run.  The data has no mark of its end and no sum: a cut between two codes goes unseen. */
enum unpacked lzw_run(struct lzw *lzw, struct octets *in, struct octets *out);

#endif
