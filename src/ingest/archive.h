/* archive.h — lines as they were read, cut into blocks that a thread of its own packs. */
#ifndef MAILTRAIL_ARCHIVE_H
#define MAILTRAIL_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../parsers/slice.h"
#include "../base/error.h"

#define BLOCK_TEXT ((int64_t)512 << 10) /* octets of text at which a block ends with the line */
#define BLOCK_MAX ((size_t)1 << 20)     /* octets of text that no block exceeds */

struct archive;

/* Some lines of a source, one after the other; of a line that is longer than a block, a piece. */
struct block {
    int64_t position;  /* octets of the source before it */
    int64_t line;      /* number of the line that its first octet is of, from 1 */
    int64_t lines;     /* lines that end in it */
    int64_t octets;    /* of text */
    int64_t first_at, last_at; /* of its lines; NUM_ABSENT: none has a time */
    uint64_t checksum; /* over the text */
    struct slice packed; /* valid behind archive_wait */
    struct block *next;  /* in a list of blocks */

    struct archive *archive; /* the rest is the archive's own */
    struct block *next_to_pack;
    char *text;
    int64_t spilled_at;
    bool is_packed;
};

struct archive *archive_new(void);
void archive_free(struct archive **archive); /* accepts NULL, leaves NULL; all blocks must have been dropped */

/* ---- the parsing thread ------------------------------------------------------------------------ */

/* Begins with a source behind position, where its line of that number begins.  last: the block before, which is
   then begun anew and replaced, with its text; or NULL. */
void archive_begin(struct archive *archive, int64_t position, int64_t line, const struct block *last,
                   struct slice text);

/* What follows in the source, whether whole lines or not; copied. */
void archive_text(void *archive, struct slice octets);

/* A line ends at that position; its text may still be to come.  at: its instant, or NUM_ABSENT. */
void archive_line(struct archive *archive, int64_t end, int64_t at);

/* Octets of the block up to the end of the last line.  From BLOCK_TEXT on, give its text and cut it there. */
int64_t archive_size(const struct archive *archive);
void archive_cut(struct archive *archive);

/* Forgets what was given beyond the last line. */
void archive_back(struct archive *archive);

/* Ends the block, and hands out all that were not handed out yet: a list in order of position, for archive_drop. */
struct block *archive_take(struct archive *archive);

/* ---- any thread -------------------------------------------------------------------------------- */

/* Waits until a block is packed.  -1: *err: it could not be kept. */
int archive_wait(struct block *block, struct error *err);

/* Frees a list of blocks; leaves NULL. */
void archive_drop(struct block **blocks);

/* ---- unpacking --------------------------------------------------------------------------------- */

struct block_unpacker;
struct block_unpacker *block_unpacker_new(void);
void block_unpacker_free(struct block_unpacker **unpacker); /* accepts NULL, leaves NULL */

/* The text of a block, in the unpacker's memory until the next call.  0; -1: it is not what was packed. */
int block_unpacker_text(struct block_unpacker *unpacker, struct slice packed, int64_t octets, uint64_t checksum,
                  struct slice *text);

#endif
