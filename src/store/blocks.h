/* blocks.h — the archive's blocks as rows: written with their batch, read in the order of their lines. */
#ifndef MAILTRAIL_BLOCKS_H
#define MAILTRAIL_BLOCKS_H

#include "../ingest/archive.h"
#include "../ingest/source.h"
#include "store.h"

/* ---- writing ----------------------------------------------------------------------------------- */

struct block_writer;
int block_writer_new(struct store *store, struct block_writer **writer, struct error *err);
void block_writer_free(struct block_writer **writer); /* accepts NULL, leaves NULL */

/* Stores a list of blocks of a source in place of those that stand there or behind them. */
int block_writer_put(struct block_writer *writer, int64_t source, struct block *blocks, struct error *err);

/* ---- reading ----------------------------------------------------------------------------------- */

/* A block as stored, packed. */
struct stored_block {
    int64_t id, source;
    struct block block; /* packed is the cursor's, valid until the next step */
};

struct block_cursor;

/* Walks the blocks that a condition over table line_block (b) and source (s) names, in the order of server, source
   and line.  The text of sql stands behind WHERE, its ?1 ?2 ... are values. */
int block_cursor_new(struct store *store, const char *sql, const int64_t *values, size_t count,
                     struct block_cursor **cursor, struct error *err);
void block_cursor_free(struct block_cursor **cursor); /* accepts NULL, leaves NULL */

/* 1: the next; 0: the end; -1: *err. */
int block_cursor_next(struct block_cursor *cursor, struct stored_block *stored, struct error *err);

/* A stored block's text, the unpacker's.  -1: *err: it is damaged. */
int block_text(struct store *store, struct block_unpacker *unpacker, const struct stored_block *stored,
               struct slice *text, struct error *err);

/* The blocks of a server without their texts, source by source in the order of the sources' first lines; the array is
   the caller's to free. */
int block_list(struct store *store, int64_t server, struct stored_block **list, size_t *count, struct error *err);

/* Reads a listed block's packed text into memory of the caller's, which grows as need be. */
struct block_reader;
int block_reader_new(struct store *store, struct block_reader **reader, struct error *err);
void block_reader_free(struct block_reader **reader); /* accepts NULL, leaves NULL */
int block_reader_read(struct block_reader *reader, struct stored_block *stored, char **room, size_t *capacity,
                      struct error *err);

/* The archived text of a source as a source to read, by a connection of its own; log_time as in source_facts. */
int block_source(const char *db_path, int64_t id, const char *name, int64_t log_time, struct source **source,
                 struct error *err);

/* Counts the lines of a source's blocks anew: a line whose end came later than its beginning was taken for two. */
int block_renumber(struct store *store, int64_t source, struct error *err);

/* The source's last block, if it ends at position and is so small that more should go into it.  1: it is; text is the
   unpacker's; 0: there is none such; -1: *err. */
int block_last(struct store *store, int64_t source, int64_t position, struct block_unpacker *unpacker,
               struct block *last, struct slice *text, struct error *err);

#endif
