/* source.h — a path, or standard input, as a stream of uncompressed bytes.  What is compressed is told by
   its content, not by its name. */
#ifndef MAILTRAIL_SOURCE_H
#define MAILTRAIL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/error.h"

struct source;

/* What the file system says of the file behind a source. */
struct source_facts {
    uint64_t device, inode;
    int64_t size;     /* octets as stored */
    int64_t mtime_ns; /* of the file */
    int64_t log_time; /* Unix seconds no line is later than: the .gz header's where it is not 0, else mtime's */
    bool regular;     /* a file of its own, which may be known again by the facts above */
};

/* Opens a file for reading; "-" is standard input, which is first copied to an unnamed temporary file
   unless it is a file already, since years and zones need a second look.  -1: *err says why. */
int source_open(const char *path, struct source **source, struct error *err);

/* Octets that come from elsewhere: all of them there, none packed.  read as source_read; rewind goes back to the
   beginning; close frees context. */
struct source_feed {
    ptrdiff_t (*read)(void *context, char *buf, size_t cap, struct error *err);
    int (*rewind)(void *context, struct error *err);
    void (*close)(void *context);
    void *context;
};
struct source *source_over(const char *name, const struct source_feed *feed, int64_t log_time);

void source_close(struct source **source); /* accepts NULL, leaves NULL */

const struct source_facts *source_facts(const struct source *source);

/* Up to cap uncompressed octets.  0: the end; -1: *err (FAIL_OS; FAIL_GZIP: broken or cut compressed data,
   after all that was good has been handed out). */
ptrdiff_t source_read(struct source *source, char *buf, size_t cap, struct error *err);

/* Goes to an uncompressed offset from the start.  1: there; 0: the source ends before it; -1: *err. */
int source_seek(struct source *source, int64_t offset, struct error *err);

/* Whether the end that source_read told is an end for good: of standard input, or behind compressed data that is whole.
   A plain file may still be growing, and a .Z does not say that it is whole. */
bool source_is_whole(const struct source *source);

/* Stored octets read so far, for the progress line. */
int64_t source_progress(const struct source *source);

#endif
