/* eximstats_read.c — sources, entries, and which file comes first. */
#include "eximstats_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eximstats_count.h"

struct log_file {
    const char *path;
    int64_t begin; /* Unix seconds of its first stamp; INT64_MAX: none */
    size_t place;  /* on the command line */
};

/* ---- one file ---------------------------------------------------------------------------------- */

/* eximstats ends its complaint without a newline. */
bool eximstats_can_read(const char *path)
{
    if (strcmp(path, "-") == 0)
        return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        fprintf(stderr, "Failed to read %s: %s", path, strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

/* Reads a source's first stamp, for which its year must be known, and goes back to its beginning. */
static int find_begin(struct source *source, struct timebase *time, int64_t *begin, struct error *err)
{
    struct lines *lines = lines_over(source, 0, SLICE_ABSENT);
    struct line line;
    struct frame frame = {.kind = FRAME_NONE};
    int got = 1;
    while (frame.kind == FRAME_NONE && (got = lines_next(lines, &line, err)) > 0)
        frame_parse(line.text, &frame);
    lines_free(&lines);
    *begin = INT64_MAX;
    if (got > 0 && timebase_needs_year(time, &frame.at) && timebase_find_year(time, source, 0, err) < 0)
        return -1;
    struct timebase look = *time;
    if (got > 0)
        *begin = timebase_resolve(&look, &frame.at, INT64_MIN).at;
    return source_seek(source, 0, err) < 0 ? -1 : 0;
}

static int count_lines(struct counter *counter, struct source *source, struct error *err)
{
    struct lines *lines = lines_over(source, 0, SLICE_ABSENT);
    struct entries *entries = entries_new();
    struct line line;
    struct entry entry;
    int got;
    while ((got = lines_next(lines, &line, err)) > 0) {
        entries_read(entries, &line, &entry);
        if (entry.kind == ENTRY_WHOLE)
            counter_take(counter, &entry);
    }
    entries_free(&entries);
    lines_free(&lines);
    return got;
}

static int count_file(struct counter *counter, const char *path, const struct zone *zone, struct error *err)
{
    struct source *source;
    struct timebase time;
    int64_t begin;
    timebase_start(&time, zone);
    if (source_open(path, &source, err) < 0)
        return -1;
    int done = find_begin(source, &time, &begin, err);
    if (done == 0) {
        counter_begin(counter, &time);
        done = count_lines(counter, source, err);
    }
    source_close(&source);
    return done;
}

/* ---- all files --------------------------------------------------------------------------------- */

static int64_t begin_of(const char *path, const struct zone *zone)
{
    struct source *source;
    struct timebase time;
    struct error err;
    int64_t begin = INT64_MAX;
    timebase_start(&time, zone);
    if (strcmp(path, "-") == 0 || source_open(path, &source, &err) < 0)
        return begin;
    find_begin(source, &time, &begin, &err);
    source_close(&source);
    return begin;
}

static int by_begin(const void *left, const void *right)
{
    const struct log_file *a = left, *b = right;
    int order = (a->begin > b->begin) - (a->begin < b->begin);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

/* The files that can be opened, oldest first: a message's arrival is then read before its deliveries. */
static struct log_file *sorted_files(char *const *paths, const struct zone *zone, size_t *count)
{
    size_t capacity = 0;
    struct log_file *files = NULL;
    *count = 0;
    for (size_t i = 0; paths[i]; i++) {
        if (!eximstats_can_read(paths[i]))
            continue;
        files = grow(files, &capacity, *count + 1, sizeof *files);
        files[*count] = (struct log_file){paths[i], paths[1] ? begin_of(paths[i], zone) : 0, i};
        ++*count;
    }
    if (*count)
        qsort(files, *count, sizeof *files, by_begin);
    return files;
}

static void load_zone(struct zone *zone, bool utc)
{
    struct error err;
    char *name = zone_system_name();
    if (utc || zone_load(zone, name, &err) < 0)
        zone_load(zone, "UTC", &err);
    free(name);
}

void eximstats_read(struct eximstats_counts *counts, const struct eximstats_options *options)
{
    static char *const standard_input[] = {"-", NULL};
    struct zone zone;
    struct error err;
    size_t count;
    load_zone(&zone, options->utc);
    struct counter *counter = counter_new(counts, options, &zone);
    struct log_file *files = sorted_files(*options->files ? options->files : standard_input, &zone, &count);
    for (size_t i = 0; i < count; i++)
        if (count_file(counter, files[i].path, &zone, &err) < 0)
            error_print(&err);
    counter_finish(counter);
    counter_free(&counter);
    free(files);
    zone_free(&zone);
}
