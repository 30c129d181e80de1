/* grep_scan.h — blocks unpacked and read on all processors, for the two readings of grep. */
#ifndef MAILTRAIL_GREP_SCAN_H
#define MAILTRAIL_GREP_SCAN_H

#include "../ingest/line_time.h"
#include "../store/blocks.h"
#include "exigrep_line.h"
#include "grep.h"
#include "open_messages.h"
#include "perl_regex.h"

/* A server's blocks, and what was found in them. */
struct grep_blocks {
    const struct grep_options *options;
    const struct server *server;
    struct stored_block *list;
    size_t count;
    bool *plain;                    /* by block: a line of no message matches in it */
    struct open_messages *messages; /* those of which a line matches; seen_at: a time by which one did */
};

/* The first reading: searches the blocks and fills in plain and messages. */
int grep_search(struct store *store, struct grep_blocks *blocks, struct error *err);

/* The second: hands out, in their order, the lines of needed blocks that belong to the messages found (or, inverted, to
   others), and of plain blocks those of no message.  take: 0; -1 with *err ends it. */
struct grep_taker {
    int (*take)(void *context, size_t block, struct slice lines, struct error *err);
    void *context;
};
int grep_select(struct store *store, struct grep_blocks *blocks, const bool *needed, const struct grep_taker *taker,
                struct error *err);

/* As grep's options want it. */
int grep_regex(const struct grep_options *options, struct perl_regex **regex, struct error *err);

/* Whether some lines of a block may be, and whether all are, within the times asked for. */
bool grep_block_touches(const struct grep_options *options, const struct block *block);

/* Whether a line of the block is within the times asked for. */
bool grep_in_time(const struct grep_blocks *blocks, const struct block *block, struct slice line);

/* The line at the beginning of a text, its LF included if it has one. */
static inline struct slice grep_line(struct slice text)
{
    const char *lf = memchr(text.p, '\n', text.n);
    return lf ? slice_of(text.p, (size_t)(lf - text.p) + 1) : text;
}

/* What exigrep sees of a line; one that is none of Exim's is taken as it is, as a line of no message. */
static inline struct exigrep_line grep_read(struct slice line)
{
    struct exigrep_line read;
    if (!exigrep_line_read(line, &read))
        read = (struct exigrep_line){.text = line};
    return read;
}

#endif
