/* reader.h — one source, from the place where it was left to its end, into batches. */
#ifndef MAILTRAIL_READER_H
#define MAILTRAIL_READER_H

#include "archive.h"
#include "config.h"
#include "handover.h"
#include "resume.h"

/* What a run over a source has read; for the progress line and the summary. */
struct reading {
    int64_t lines, unparsed;
    int64_t position;  /* uncompressed octets of the source, in all runs */
    int64_t silence;   /* seconds of the longest step forward between stamps whose year was inferred */
    int64_t unproved;  /* as in struct timebase */
    int64_t year;      /* taken for the first stamp without one, if it had to be found */
    bool waiting;      /* a last line without LF was left for the next run */
    const char *unlogged; /* what the version of a daemon that wrote here does not log; NULL: nothing known of */
};

struct reader_job {
    struct store *store;
    struct handover *handover;
    struct archive *archive;  /* keeps the lines of sources whose row says so; NULL: none */
    const struct server *server;
    const char *path;
    struct source *source;    /* where resume put it */
    struct resume *resume;    /* row.id is set when the source is stored */
    struct settings settings;
    bool again;               /* read from the archive: the source's row stays as it is */
    bool year_was_given;      /* again only: settings.year was, too, not inferred */
    void (*progress)(void *context, const struct reading *reading);
    void *context;
};

/* Reads it.  Nothing is stored of a source of which nothing could be read.  0; -1: *err: FAIL_GZIP: cut or
   damaged, what came before is kept; FAIL_DATA: nothing was kept of this source; FAIL_OS: what was read is
   kept; FAIL_DB: the transaction is lost. */
int reader_run(const struct reader_job *job, struct reading *reading, struct error *err);

#endif
