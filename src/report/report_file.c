/* report_file.c — reads "-- key: value" lines down to the first line that is no comment. */
#include "report_file.h"

#include <stdlib.h>

static const char *const layout_names[] = {"table",    "total",  "list",  "histogram",
                                           "duration", "league", "relay", "errors"};
static const char *const type_names[] = {"text", "count",   "bytes", "duration",
                                         "time", "percent", "bar",   "score",
                                         "path", "told"};

const char *column_type_name(enum column_type type)
{
    return type_names[type];
}

const char *layout_name(enum report_layout layout)
{
    return layout_names[layout];
}

static struct slice trimmed(struct slice s)
{
    while (s.n && s.p[0] == ' ')
        s = slice_after(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

/* The text before the next sep, trimmed; *rest becomes what follows it. */
static struct slice cut(struct slice *rest, char sep)
{
    struct slice whole = trimmed(*rest);
    const char *at = whole.n ? memchr(whole.p, sep, whole.n) : NULL;
    if (!at) {
        *rest = slice_of(whole.p + whole.n, 0);
        return whole;
    }
    size_t n = (size_t)(at - whole.p);
    *rest = trimmed(slice_after(whole, n + 1));
    return trimmed(slice_of(whole.p, n));
}

static int index_of(struct slice word, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_is(word, names[i]))
            return (int)i;
    return -1;
}

static const char *take_layout(struct report_file *file, struct slice value)
{
    struct slice word = cut(&value, ' ');
    int layout = index_of(word, layout_names, sizeof layout_names / sizeof *layout_names);
    if (layout < 0)
        return "unknown layout";
    file->layout = (enum report_layout)layout;
    file->unit = value;
    return NULL;
}

static const char *take_column(struct report_file *file, struct slice value)
{
    if (file->n_columns == REPORT_COLUMNS)
        return "too many columns";
    struct column *column = &file->columns[file->n_columns++];
    column->name = cut(&value, ' ');
    int type = index_of(cut(&value, ' '), type_names, sizeof type_names / sizeof *type_names);
    column->title = value;
    if (type < 0)
        return "unknown column type";
    column->type = (enum column_type)type;
    return value.n ? NULL : "a column needs a name, a type and a title";
}

static const char *take_variants(struct report_file *file, struct slice value)
{
    while (value.n) {
        if (file->n_variants == REPORT_VARIANTS)
            return "too many variants";
        file->variants[file->n_variants++] = cut(&value, ',');
    }
    return NULL;
}

static const char *take_section(struct report_file *file, struct slice value)
{
    file->section = cut(&value, ' ');
    file->order = 0;
    for (size_t i = 0; i < value.n && value.p[i] >= '0' && value.p[i] <= '9' && i < 6; i++)
        file->order = file->order * 10 + (value.p[i] - '0');
    return value.n ? NULL : "a section needs a name and a number";
}

/* NULL, or what is wrong. */
static const char *take(struct report_file *file, struct slice key, struct slice value)
{
    if (slice_is(key, "layout"))
        return take_layout(file, value);
    if (slice_is(key, "column"))
        return take_column(file, value);
    if (slice_is(key, "each"))
        return take_variants(file, value);
    if (slice_is(key, "section"))
        return take_section(file, value);
    struct slice *plain = slice_is(key, "report")  ? &file->name
                          : slice_is(key, "title") ? &file->title
                          : slice_is(key, "help")  ? &file->help
                          : slice_is(key, "empty") ? &file->empty
                          : slice_is(key, "absent") ? &file->absent
                          : slice_is(key, "details") ? &file->details
                          : slice_is(key, "by")    ? &file->by
                          : slice_is(key, "sums")  ? &file->sums
                          : slice_is(key, "top")   ? &file->top
                          : slice_is(key, "domains") ? &file->domains
                          : slice_is(key, "names") ? &file->names
                          : slice_is(key, "counts") ? &file->counts
                          : slice_is(key, "once")  ? &file->once
                                                   : NULL;
    if (!plain)
        return "unknown key";
    *plain = value;
    return NULL;
}

static const char *incomplete(const struct report_file *file)
{
    if (!file->name.n || !file->title.n || !file->help.n)
        return "the header needs report:, title: and help:";
    if (file->n_columns == 0)
        return "the header names no column";
    return NULL;
}

int report_file_parse(struct report_file *file, const char *text, const char *path,
                      struct error *err)
{
    *file = (struct report_file){.sql = text};
    int number = 0;
    while (strncmp(file->sql, "--", 2) == 0) {
        size_t n = strcspn(file->sql, "\n");
        struct slice value = slice_of(file->sql + 2, n - 2);
        struct slice key = cut(&value, ':');
        const char *wrong = take(file, key, value);
        number++;
        if (wrong)
            return error_set(err, FAIL_REPORT, "%s:%d: %s", path, number, wrong);
        file->sql += n + (file->sql[n] == '\n');
    }
    const char *wrong = incomplete(file);
    if (wrong)
        return error_set(err, FAIL_REPORT, "%s: %s", path, wrong);
    return 0;
}
