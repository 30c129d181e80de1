/* trace.c — found, read, told. */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include "key.h"
#include "mailbox.h"
#include "proof.h"
#include "tell.h"

#define LOGINS_SHOWN 10

/* Whether a refusal is part of a story that is told. */
static bool is_told(const struct stories *stories, const struct rows *rows, size_t row)
{
    struct slice id = rows_text(rows, row, "exim_id"), server = rows_text(rows, row, "server");
    for (size_t i = 0; id.p && i < stories->part_count; i++) {
        const struct part *part = stories->parts[i];
        if (slice_is(id, part->exim_id) && slice_equal(server, rows_text(&part->message, 0, "server")))
            return true;
    }
    return false;
}

static bool is_one_of(const struct key *key, const struct slice *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (key_is(key, texts[i]))
            return true;
    return false;
}

/* Headers are lines. */
static bool in_headers(const struct key *key, struct slice headers)
{
    while (headers.n) {
        const char *end = memchr(headers.p, '\n', headers.n);
        size_t n = end ? (size_t)(end - headers.p) : headers.n;
        if (key_in_header(key, slice_of(headers.p, n)))
            return true;
        headers = slice_after(headers, end ? n + 1 : n);
    }
    return false;
}

/* A second has lines of others too: whether this one, whose texts are given, matches all keys. */
static bool matches(const struct find_request *find, const struct rows *rows, size_t row, const struct slice *texts, size_t count,
                    struct slice headers)
{
    if (find->server && !slice_is(rows_text(rows, row, "server"), find->server))
        return false;
    for (int i = 0; i < find->key_count; i++) {
        const struct key key = key_of(find->keys[i]);
        if (!is_one_of(&key, texts, count) && !in_headers(&key, headers))
            return false;
    }
    return true;
}

static bool refusal_matches(const struct find_request *find, const struct rows *rows, size_t row)
{
    const struct slice texts[] = {rows_text(rows, row, "host"),   rows_text(rows, row, "helo"),
                                  rows_text(rows, row, "ip"),     rows_text(rows, row, "sender"),
                                  rows_text(rows, row, "recipient"), rows_text(rows, row, "user"),
                                  rows_text(rows, row, "exim_id")};
    return matches(find, rows, row, texts, sizeof texts / sizeof *texts, rows_text(rows, row, "headers"));
}

static bool session_matches(const struct find_request *find, const struct rows *rows, size_t row)
{
    const struct slice texts[] = {rows_text(rows, row, "user"), rows_text(rows, row, "host"), rows_text(rows, row, "ip")};
    return matches(find, rows, row, texts, sizeof texts / sizeof *texts, SLICE_ABSENT);
}

/* Whether a session is part of a story that is told. */
static bool is_told_session(const struct stories *stories, const struct rows *rows, size_t row)
{
    for (size_t i = 0; i < stories->part_count; i++) {
        const struct rows *told = &stories->parts[i]->sessions;
        for (size_t k = 0; k < told->count; k++)
            if (rows_integer(told, k, "at") == rows_integer(rows, row, "at") &&
                slice_equal(rows_text(told, k, "server"), rows_text(rows, row, "server")) &&
                slice_equal(rows_text(told, k, "user"), rows_text(rows, row, "user")))
                return true;
    }
    return false;
}

/* Drops the rows that are not to be told. */
static void sift(const struct stories *stories, const struct find_request *find, struct rows *rows,
                 bool (*match)(const struct find_request *, const struct rows *, size_t),
                 bool (*told)(const struct stories *, const struct rows *, size_t))
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (match(find, rows, i) && !told(stories, rows, i)) {
            memmove(rows->values + kept * rows->columns, rows->values + i * rows->columns,
                    rows->columns * sizeof *rows->values);
            kept++;
        }
    rows->count = kept;
}

/* Keeps the last of the seconds: each has one refusal or more. */
static void keep_latest_times(struct numbers *times, size_t limit)
{
    if (times->count > limit) {
        memmove(times->list, times->list + (times->count - limit), limit * sizeof *times->list);
        times->count = limit;
    }
}

static int read_refusals(struct reader *reader, const char *file, struct numbers *times, size_t limit, struct rows *rows,
                         struct error *err)
{
    keep_latest_times(times, limit);
    for (size_t i = 0; i < times->count; i++) {
        const struct bind binds[] = {{":at", NULL, times->list[i]}, {NULL, NULL, 0}};
        if (rows_read(reader, file, binds, rows, err) < 0)
            return -1;
    }
    return 0;
}

static int compare_rows(const void *a, const void *b)
{
    int64_t x = ((const struct value *)a)->integer, y = ((const struct value *)b)->integer; /* at, the first column */
    return x < y ? -1 : x > y;
}

static int find_refusals(struct reader *reader, const struct trace_request *request, struct found *found,
                         const struct stories *stories, struct rows *rows, struct error *err)
{
    if (read_refusals(reader, "trace/rejections.sql", &found->rejection_times, request->limit, rows, err) < 0 ||
        read_refusals(reader, "trace/auth_failures.sql", &found->login_times, request->limit, rows, err) < 0 ||
        read_refusals(reader, "trace/notes.sql", &found->event_times, request->limit, rows, err) < 0)
        return -1;
    sift(stories, &request->find, rows, refusal_matches, is_told);
    if (rows->count)
        qsort(rows->values, rows->count, rows->columns * sizeof *rows->values, compare_rows);
    return 0;
}

/* Who logged in, in the last seconds of those found. */
static int find_logins(struct reader *reader, const struct trace_request *request, struct found *found,
                       const struct stories *stories, struct rows *rows, struct error *err)
{
    keep_latest_times(&found->session_times, request->limit < LOGINS_SHOWN ? request->limit : LOGINS_SHOWN);
    for (size_t i = 0; i < found->session_times.count; i++) {
        const struct bind binds[] = {{":from", NULL, found->session_times.list[i]},
                                     {":until", NULL, found->session_times.list[i] + 1},
                                     {":most", NULL, -1},
                                     {NULL, NULL, 0}};
        if (rows_read(reader, "trace/sessions.sql", binds, rows, err) < 0)
            return -1;
    }
    sift(stories, &request->find, rows, session_matches, is_told_session);
    return 0;
}

static int read_mailboxes(struct stories *stories, struct error *err)
{
    int done = 0;
    for (size_t i = 0; i < stories->part_count && done == 0; i++)
        done = mailbox_read(stories, stories->parts[i], err);
    return done;
}

static size_t count_seconds(const struct found *found)
{
    return found->rejection_times.count + found->login_times.count + found->event_times.count;
}

/* Reads all that is told. */
static int read_all(struct reader *reader, const struct trace_request *request, struct stories *stories, struct tell *tell,
                    struct rows *refusals, struct rows *logins, struct error *err)
{
    struct store *store = reader->store;
    struct found found = {0};
    int done = find_run(store, &request->find, &found, err);
    if (done == 0)
        done = stories_read(reader, &found.messages, request->limit, request->find.everywhere, stories, err);
    if (done == 0)
        done = read_mailboxes(stories, err);
    size_t seconds = count_seconds(&found), logged_in = found.session_times.count;
    if (done == 0)
        done = find_refusals(reader, request, &found, stories, refusals, err);
    if (done == 0)
        done = find_logins(reader, request, &found, stories, logins, err);
    tell->refusals_found = refusals->count + (seconds - count_seconds(&found));
    tell->logins_found = logins->count + (logged_in - found.session_times.count);
    found_free(&found);
    return done;
}

int trace_run(struct store *store, const struct trace_request *request, FILE *out, size_t *found_count,
              struct error *err)
{
    struct reader reader = {.store = store};
    struct stories stories = {0};
    struct rows refusals = {0}, logins = {0};
    struct originals lines = {0};
    struct error ignored;
    struct tell tell = {out, &stories, &refusals, &logins, 0, 0, request->lines ? &lines : NULL,
                        request->find.keys, request->find.key_count, request->colour, request->width};
    /* One view of the database, and its locks taken once; pages are read where they lie. */
    int done = store_map(store, err);
    if (done == 0)
        done = store_run(store, "BEGIN", err);
    if (done == 0)
        done = read_all(&reader, request, &stories, &tell, &refusals, &logins, err);
    *found_count = stories.root_count + refusals.count + logins.count;
    if (done == 0 && request->lines)
        done = proof_read(&stories, &refusals, &lines, err);
    if (done == 0)
        (request->format == TRACE_JSON ? tell_json : tell_text)(&tell);
    originals_free(&lines);
    rows_free(&refusals);
    rows_free(&logins);
    stories_free(&stories);
    reader_free(&reader);
    store_run(store, "ROLLBACK", &ignored);
    return done;
}
