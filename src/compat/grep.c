/* grep.c — the second reading: of the blocks in which the messages found may have lines, those lines are gathered.

   The facts say when a message was completed, so that mostly few blocks are read again.  A message is printed when those
   before it are, it has ended, and no block still to come reaches back to its time.  Memory holds a hundred octets for each
   message found, and a ring of lines (backlog.h). */
#include "grep.h"

#include <stdlib.h>

#include "../../parsers/dialect.h"
#include "../base/hash.h"
#include "../base/memory.h"
#include "backlog.h"
#include "grep_scan.h"
#include "repeats.h"

#define RING_SIZE ((size_t)4 << 20)
#define SLACK 60            /* seconds that a message's lines may lie before its id's second and behind its end */
#define MESSAGES_LOOKED_UP 20000

struct span {
    int64_t from, to; /* both included */
};

struct gathering {
    struct store *store;
    struct grep_blocks *blocks;
    struct perl_regex *regex;
    struct open_messages *others;   /* inverted: those that do not match */
    struct backlog *backlog;
    struct repeats *repeats;        /* NULL: no two sources cover the same time */
    struct open_message **order;    /* messages in the order of their first lines */
    size_t first, count, capacity;  /* of order: printed so far, met so far */
    struct span *spans;             /* when messages found may have lines, in order */
    size_t span_count;
    int64_t *rest_from;             /* by block: when the lines of this one and all behind it begin */
};

/* ---- which blocks ------------------------------------------------------------------------------ */

static int by_from(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static void join_spans(struct gathering *g)
{
    size_t kept = 0;
    qsort(g->spans, g->span_count, sizeof *g->spans, by_from);
    for (size_t i = 1; i < g->span_count; i++) {
        if (g->spans[i].from > g->spans[kept].to)
            g->spans[++kept] = g->spans[i];
        else if (g->spans[i].to > g->spans[kept].to)
            g->spans[kept].to = g->spans[i].to;
    }
    g->span_count = g->span_count ? kept + 1 : 0;
}

/* When the message was completed; INT64_MAX: it is not; NUM_ABSENT: the database has no such message. */
static int completed_at(sqlite3_stmt *find, int64_t server, const struct open_message *message, int64_t *at)
{
    sqlite3_bind_text(find, 1, message->id, message->id_size, SQLITE_STATIC);
    sqlite3_bind_int64(find, 2, server);
    int code = sqlite3_step(find);
    *at = code != SQLITE_ROW                                   ? NUM_ABSENT
          : sqlite3_column_type(find, 0) == SQLITE_NULL ? INT64_MAX
                                                               : sqlite3_column_int64(find, 0) + SLACK;
    sqlite3_reset(find);
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

/* Its lines may lie between the second that its id holds and its end; of one that never was a message, near the line
   that was found. */
static int find_span(struct gathering *g, sqlite3_stmt *find, const struct open_message *message, struct span *span)
{
    int64_t completed, pruned = g->blocks->server->pruned_before;
    if (completed_at(find, g->blocks->server->id, message, &completed) < 0)
        return -1;
    int64_t begun = exim_id_second(slice_of(message->id, message->id_size));
    int64_t seen = message->seen_at == NUM_ABSENT ? INT64_MAX - SLACK : message->seen_at;
    span->from = (begun < seen ? begun : seen) - SLACK;
    span->to = completed == NUM_ABSENT || completed < seen ? seen + SLACK : completed;
    if (completed == NUM_ABSENT && begun < pruned && span->to < pruned)
        span->to = pruned; /* it ended before that */
    return 0;
}

static int find_spans(struct gathering *g, struct error *err)
{
    size_t count;
    struct open_message **list = open_messages_list(g->blocks->messages, &count);
    int done = 0;
    sqlite3_stmt *find = store_prepare(g->store, "SELECT completed FROM message WHERE exim_id = ?1 AND server = ?2", err);
    g->spans = xcalloc(count + 1, sizeof *g->spans);
    if (!find)
        done = -1;
    else if (count > MESSAGES_LOOKED_UP || g->blocks->options->invert)
        g->spans[g->span_count++] = (struct span){INT64_MIN, INT64_MAX};
    else
        for (; g->span_count < count && done == 0; g->span_count++)
            if (find_span(g, find, list[g->span_count], &g->spans[g->span_count]) < 0)
                done = store_error(g->store, err);
    sqlite3_finalize(find);
    free(list);
    join_spans(g);
    return done;
}

static bool is_needed(const struct gathering *g, size_t i)
{
    const struct block *block = &g->blocks->list[i].block;
    if (g->blocks->options->invert)
        return grep_block_touches(g->blocks->options, block);
    if (g->blocks->plain[i] || block->first_at == NUM_ABSENT)
        return true;
    size_t low = 0, high = g->span_count; /* the first span that does not end before the block */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (g->spans[middle].to < block->first_at)
            low = middle + 1;
        else
            high = middle;
    }
    return low < g->span_count && g->spans[low].from <= block->last_at;
}

static void find_rests(struct gathering *g)
{
    int64_t from = INT64_MAX;
    g->rest_from = xcalloc(g->blocks->count + 1, sizeof *g->rest_from);
    g->rest_from[g->blocks->count] = from;
    for (size_t i = g->blocks->count; i-- > 0;) {
        const struct block *block = &g->blocks->list[i].block;
        if (block->first_at != NUM_ABSENT && block->first_at < from)
            from = block->first_at;
        g->rest_from[i] = from;
    }
}

/* Whether a source begins before another has ended: then both may have the same lines. */
static bool sources_overlap(const struct grep_blocks *blocks)
{
    int64_t last = INT64_MIN, before = INT64_MIN;
    for (size_t i = 0; i < blocks->count; i++) {
        const struct block *block = &blocks->list[i].block;
        if (i > 0 && blocks->list[i].source != blocks->list[i - 1].source)
            before = last;
        if (block->first_at != NUM_ABSENT && block->first_at < before)
            return true;
        if (block->last_at != NUM_ABSENT && block->last_at > last)
            last = block->last_at;
    }
    return false;
}

/* ---- printing ---------------------------------------------------------------------------------- */

/* Ended messages pass only if they took longer than -t wants; opened is then how long it took. */
static bool is_wanted(const struct gathering *g, const struct open_message *message)
{
    int64_t limit = g->blocks->options->queue_time;
    return limit == -1 || !message->ended || message->took > limit * 1000000;
}

struct timed_line {
    int64_t at; /* microseconds of the clock that printed it */
    size_t number;
    struct slice text;
};

static int by_time(const void *a, const void *b)
{
    const struct timed_line *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* Lines that came from several logs, in the order of their stamps. */
static void write_sorted(struct slice text, FILE *out)
{
    struct timed_line *lines = NULL;
    size_t count = 0, capacity = 0;
    while (text.n) {
        struct slice line = grep_line(text);
        struct exigrep_line read = grep_read(line);
        lines = grow(lines, &capacity, count + 1, sizeof *lines);
        lines[count] = (struct timed_line){read.stamp.p ? exigrep_time_of(&read).local_us : INT64_MIN, count, line};
        count++;
        text = slice_after(text, line.n);
    }
    qsort(lines, count, sizeof *lines, by_time);
    for (size_t i = 0; i < count; i++)
        fwrite(lines[i].text.p, 1, lines[i].text.n, out);
    free(lines);
}

static int write_lines(struct gathering *g, const struct held *lines, struct error *err)
{
    char *text = NULL;
    size_t n = 0;
    if (!g->repeats)
        return backlog_write(g->backlog, lines, stdout, err);
    FILE *memory = open_memstream(&text, &n);
    if (!memory)
        exit(EXIT_MEMORY);
    int done = backlog_write(g->backlog, lines, memory, err);
    fclose(memory);
    if (done == 0)
        write_sorted(slice_of(text, n), stdout);
    free(text);
    return done;
}

static int print_message(struct gathering *g, struct open_message *message, struct error *err)
{
    if (is_wanted(g, message)) {
        if (!message->ended)
            printf("+++ %.*s has not completed +++\n", (int)message->id_size, message->id);
        if (write_lines(g, &message->lines, err) < 0)
            return -1;
        putchar('\n');
    }
    backlog_drop(g->backlog, &message->lines);
    message->first_line = 0;
    message->ended = false;
    return 0;
}

/* Prints what is first and complete, if no lines before rest_from are to come; or, at the end, all. */
static int print_ready(struct gathering *g, int64_t rest_from, bool all, struct error *err)
{
    int done = 0;
    while (done == 0 && g->first < g->count) {
        struct open_message *message = g->order[g->first];
        if (!all && (!message->ended || message->seen_at == NUM_ABSENT || message->seen_at + SLACK >= rest_from))
            break;
        g->first++;
        done = print_message(g, message, err);
    }
    return done;
}

/* ---- gathering --------------------------------------------------------------------------------- */

static struct open_message *message_of(struct gathering *g, const struct exigrep_line *line)
{
    return g->blocks->options->invert ? open_messages_get(g->others, line->id)
                                      : open_messages_find(g->blocks->messages, line->id);
}

static int take_message_line(struct gathering *g, const struct exigrep_line *line, struct open_message *message,
                             const struct block *block, struct error *err)
{
    if (message->first_line == 0) {
        g->order = grow(g->order, &g->capacity, g->count + 1, sizeof *g->order);
        g->order[g->count++] = message;
        message->first_line = g->count;
        message->opened = exigrep_time_of(line);
    }
    if (backlog_add(g->backlog, &message->lines, line->text, err) < 0)
        return -1;
    if (message->ended || !exigrep_line_ends(line))
        return 0;
    message->ended = true;
    message->took = exigrep_time_between(message->opened, exigrep_time_of(line));
    message->seen_at = block->last_at;
    return 0;
}

static int take_plain_line(struct gathering *g, const struct exigrep_line *line, struct error *err)
{
    int found = perl_regex_matches(g->regex, line->text, err);
    if (found >= 0 && (found == 1) != g->blocks->options->invert) {
        fwrite(line->text.p, 1, line->text.n, stdout);
        fputs(line->text.p[line->text.n - 1] == '\n' ? "\n" : "\n\n", stdout);
    }
    return found;
}

static bool is_known(const struct gathering *g, int64_t source, const struct exigrep_line *line)
{
    return g->repeats && repeats_known(g->repeats, source, hash_bytes(line->text, 0));
}

static int take_line(struct gathering *g, const struct stored_block *stored, struct slice text, struct error *err)
{
    struct exigrep_line line = grep_read(text);
    bool limited = !line.id.p || g->blocks->options->invert;
    if ((limited && !grep_in_time(g->blocks, &stored->block, text)) || is_known(g, stored->source, &line))
        return 0;
    return line.id.p ? take_message_line(g, &line, message_of(g, &line), &stored->block, err)
                     : take_plain_line(g, &line, err);
}

/* As grep_taker wants it. */
static int take_lines(void *context, size_t block, struct slice lines, struct error *err)
{
    struct gathering *g = context;
    int done = 0;
    while (lines.n && done >= 0) {
        struct slice line = grep_line(lines);
        done = take_line(g, &g->blocks->list[block], line, err);
        lines = slice_after(lines, line.n);
    }
    if (done < 0)
        return -1;
    return ferror(stdout) ? error_set(err, FAIL_OS, "standard output: cannot be written")
                          : print_ready(g, g->rest_from[block + 1], false, err);
}

static int gather(struct gathering *g, struct error *err)
{
    const struct grep_taker taker = {take_lines, g};
    int done = find_spans(g, err);
    find_rests(g);
    bool *needed = xcalloc(g->blocks->count + 1, sizeof *needed);
    for (size_t i = 0; i < g->blocks->count; i++)
        needed[i] = is_needed(g, i);
    if (done == 0)
        done = grep_select(g->store, g->blocks, needed, &taker, err);
    free(needed);
    return done < 0 ? -1 : print_ready(g, INT64_MAX, true, err);
}

static int gather_all(struct store *store, struct grep_blocks *blocks, struct error *err)
{
    struct gathering g = {.store = store, .blocks = blocks, .others = open_messages_new(),
                          .backlog = backlog_new(RING_SIZE)};
    if (sources_overlap(blocks))
        g.repeats = repeats_new();
    int done = grep_regex(blocks->options, &g.regex, err);
    if (done == 0)
        done = gather(&g, err);
    perl_regex_free(&g.regex);
    backlog_free(&g.backlog);
    repeats_free(&g.repeats);
    open_messages_free(&g.others);
    free(g.order);
    free(g.spans);
    free(g.rest_from);
    return done;
}

int grep_server(struct store *store, int64_t server_id, const struct grep_options *options, struct error *err)
{
    struct server server = {0};
    struct grep_blocks blocks = {.options = options, .server = &server, .messages = open_messages_new()};
    int done = block_list(store, server_id, &blocks.list, &blocks.count, err);
    blocks.plain = xcalloc(blocks.count + 1, sizeof *blocks.plain);
    if (done == 0 && blocks.count)
        done = store_server_of(store, blocks.list[0].source, &server, err);
    if (done == 0)
        done = grep_search(store, &blocks, err);
    if (done == 0)
        done = gather_all(store, &blocks, err);
    open_messages_free(&blocks.messages);
    server_free(&server);
    free(blocks.plain);
    free(blocks.list);
    return done;
}
