/* report.c — finds the files asked for, runs them one after the other, hands their rows to a renderer. */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/embedded.h"
#include "../base/memory.h"
#include "../base/options.h"
#include "../base/text.h"
#include "render.h"
#include "report_file.h"
#include "span.h"
#include "table.h"

enum { DEFAULT_TOP = 50, FILE_BYTES = 1 << 20 };

struct reports {
    struct report_file *files;
    size_t count, room;
    int top; /* as a set has it; 0: none says */
    char *user_text; /* the user's own file, which files[0] points into */
};

static void reports_free(struct reports *reports)
{
    free(reports->files);
    free(reports->user_text);
}

static int add_report(struct reports *reports, const char *text, const char *path,
                      struct error *err)
{
    struct report_file file;
    if (report_file_parse(&file, text, path, err))
        return -1;
    reports->files = grow(reports->files, &reports->room, reports->count + 1, sizeof file);
    reports->files[reports->count++] = file;
    return 0;
}

/* The name of a built-in file that is a report; absent if it is none. */
static struct slice report_name(const struct embedded *file)
{
    size_t n = strlen(file->name);
    bool is_report = strncmp(file->name, "reports/", 8) == 0 && n > 12 && strcmp(file->name + n - 4, ".sql") == 0;
    return is_report ? slice_of(file->name + 8, n - 12) : SLICE_ABSENT;
}

static int unknown_report(struct slice name, struct error *err)
{
    char *names[256], *word = xprintf("%.*s", (int)name.n, name.p);
    size_t count = 0;
    for (const struct embedded *e = embedded_files; e->name && count < 255; e++) {
        struct slice other = report_name(e);
        if (other.p)
            names[count++] = xprintf("%.*s", (int)other.n, other.p);
    }
    names[count] = NULL;
    const char *near = options_near(word, (const char *const *)names);
    error_set(err, FAIL_USAGE, "no report is named %s%s%s; report --list names them", word, near ? "; did you mean " : "",
              near ? near : "");
    while (count)
        free(names[--count]);
    free(word);
    return -1;
}

static int add_named(struct reports *reports, struct slice name, struct error *err)
{
    char *path = xprintf("reports/%.*s.sql", (int)name.n, name.p);
    const struct embedded *file = embedded_find(path);
    int rc = file ? add_report(reports, file->text, path, err) : unknown_report(name, err);
    free(path);
    return rc;
}

/* The next line of the list, absent at its end; empty lines and # comments are passed over. */
static struct slice next_line(const char **list)
{
    while (**list) {
        struct slice line = slice_of(*list, strcspn(*list, "\n"));
        *list += line.n + (line.p[line.n] == '\n');
        while (line.n && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\r'))
            line.n--;
        if (line.n && line.p[0] != '#')
            return line;
    }
    return SLICE_ABSENT;
}

/* The word that a line begins with; *rest is what stands behind it. */
static struct slice first_word(struct slice line, struct slice *rest)
{
    size_t n = 0;
    while (n < line.n && line.p[n] != ' ')
        n++;
    *rest = slice_after(line, n);
    while (rest->n && rest->p[0] == ' ')
        *rest = slice_after(*rest, 1);
    return slice_of(line.p, n);
}

/* "top 10", "sending-hosts", or "sending-hosts message count": only that variant. */
static int add_line(struct reports *reports, struct slice line, struct error *err)
{
    struct slice rest, word = first_word(line, &rest);
    if (slice_is(word, "top")) {
        reports->top = (int)strtol(rest.p, NULL, 10);
        return 0;
    }
    if (add_named(reports, word, err))
        return -1;
    struct report_file *file = &reports->files[reports->count - 1];
    if (rest.n) {
        file->variants[0] = rest;
        file->n_variants = 1;
    }
    return 0;
}

/* A set is a list of reports: reports/nightly, reports/short. */
static const struct embedded *set_named(struct slice name)
{
    char *path = xprintf("reports/%.*s", (int)name.n, name.p);
    const struct embedded *set = memchr(name.p, '.', name.n) ? NULL : embedded_find(path);
    free(path);
    return set;
}

static int add_set(struct reports *reports, const struct embedded *set, struct error *err)
{
    const char *list = set->text;
    for (struct slice line; (line = next_line(&list)).p;)
        if (add_line(reports, line, err))
            return -1;
    return 0;
}

static int add_asked(struct reports *reports, const char *name, struct error *err)
{
    struct slice word = slice_of(name, strlen(name));
    const struct embedded *set = set_named(word);
    return set ? add_set(reports, set, err) : add_named(reports, word, err);
}

static int add_user_file(struct reports *reports, const char *path, struct error *err)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return error_set(err, FAIL_OS, "%s: %s", path, strerror(errno));
    char *text = xcalloc(FILE_BYTES + 1, 1);
    size_t n = fread(text, 1, FILE_BYTES, in);
    int failed = ferror(in);
    fclose(in);
    reports->user_text = text;
    if (failed)
        return error_set(err, FAIL_OS, "%s: cannot be read", path);
    if (n == FILE_BYTES || strlen(text) != n)
        return error_set(err, FAIL_REPORT, "%s: not a report: %s", path,
                         n == FILE_BYTES ? "over 1 MiB" : "holds NUL bytes");
    return add_report(reports, text, path, err);
}

static int collect(struct reports *reports, const struct report_request *request,
                   struct error *err)
{
    static const char *const nightly[] = {"nightly", NULL};
    if (request->file)
        return add_user_file(reports, request->file, err);
    for (const char *const *name = request->names ? request->names : nightly; *name; name++)
        if (add_asked(reports, *name, err))
            return -1;
    return 0;
}

/* "host,domain" has "domain". */
static bool list_has(const char *list, struct slice word)
{
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ",");
        if (slice_equal(slice_of(p, n), word))
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

/* --by leaves out the other keys' tables, and their columns in the grand total: hosts goes with host. */
static bool wanted(const struct report_request *request, struct slice key)
{
    static const char all[] = "host,domain,email,edomain";
    return !request->by || !list_has(all, key) || list_has(request->by, key);
}

static bool column_shown(const struct report_request *request, const struct report_file *file,
                         int column)
{
    struct slice name = file->columns[column].name;
    if (file->columns[column].type == COLUMN_TOLD)
        return false;
    if (file->layout != LAYOUT_TOTAL || name.n < 2)
        return true;
    return wanted(request, slice_of(name.p, name.n - 1));
}

static int check_by(const struct report_request *request, struct error *err)
{
    for (const char *p = request->by ? request->by : ""; *p;) {
        struct slice word = slice_of(p, strcspn(p, ","));
        if (!list_has("host,domain,email,edomain", word))
            return error_set(err, FAIL_USAGE, "--by takes host, domain, email and edomain, not %.*s",
                             (int)word.n, word.p);
        p += word.n + (p[word.n] == ',');
    }
    return 0;
}

/* {top} is the number, {each} the variant, {thing} "50 things", or "thing" when only one is asked for. */
static void put_placeholder(FILE *out, struct slice word, int top, struct slice variant)
{
    if (slice_is(word, "top"))
        fprintf(out, "%d", top);
    else if (slice_is(word, "each"))
        fprintf(out, "%.*s", (int)variant.n, variant.p ? variant.p : "");
    else if (top == 1)
        fprintf(out, "%.*s", (int)word.n, word.p);
    else
        fprintf(out, "%d %.*ss", top, (int)word.n, word.p);
}

static void expand_title(struct table *table, int top)
{
    struct slice rest = table->report->title;
    FILE *out = fmemopen(table->title, sizeof table->title, "w");
    if (!out)
        return;
    while (rest.n) {
        const char *end = rest.p[0] == '{' ? memchr(rest.p, '}', rest.n) : NULL;
        if (end) {
            size_t n = (size_t)(end - rest.p);
            put_placeholder(out, slice_of(rest.p + 1, n - 1), top, table->variant);
            rest = slice_after(rest, n + 1);
        } else {
            fputc(rest.p[0], out);
            rest = slice_after(rest, 1);
        }
    }
    fclose(out);
    table->title[sizeof table->title - 1] = '\0';
}

static int report_error(const struct report_file *file, const char *text, const char *detail,
                        struct error *err)
{
    return error_set(err, FAIL_REPORT, "report %.*s: %s%s", (int)file->name.n, file->name.p, text,
                     detail);
}

/* Blank, semicolons and comments may follow the SELECT. */
static bool is_blank(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *more = NULL;
    bool blank = sqlite3_prepare_v2(db, sql, -1, &more, NULL) == SQLITE_OK && !more;
    sqlite3_finalize(more);
    return blank;
}

static int check_columns(sqlite3_stmt *statement, const struct report_file *file, struct error *err)
{
    if (sqlite3_column_count(statement) != file->n_columns)
        return report_error(file, "the header and the SELECT have different numbers of columns", "",
                            err);
    for (int i = 0; i < file->n_columns; i++)
        if (!slice_is(file->columns[i].name, sqlite3_column_name(statement, i)))
            return report_error(file, "the header does not know the SELECT's column ",
                                sqlite3_column_name(statement, i), err);
    return 0;
}

static int prepare(sqlite3 *db, const struct report_file *file, sqlite3_stmt **statement, unsigned *reads,
                   struct error *err)
{
    const char *tail = "";
    missing_watch(db, reads);
    int code = sqlite3_prepare_v2(db, file->sql, -1, statement, &tail);
    missing_watch(db, NULL);
    if (code)
        return report_error(file, "", sqlite3_errmsg(db), err);
    if (!*statement || !sqlite3_stmt_readonly(*statement) || !is_blank(db, tail))
        return report_error(file, "one SELECT is wanted, and nothing else", "", err);
    return check_columns(*statement, file, err);
}

static int bind(sqlite3_stmt *statement, const struct table *table,
                const struct report_request *request, struct error *err)
{
    for (int i = 1; i <= sqlite3_bind_parameter_count(statement); i++) {
        const char *name = sqlite3_bind_parameter_name(statement, i);
        if (!name)
            return report_error(table->report, "parameters need names", "", err);
        if (strcmp(name, ":since") == 0 && request->since != INT64_MIN)
            sqlite3_bind_int64(statement, i, request->since);
        else if (strcmp(name, ":until") == 0 && request->until != INT64_MAX)
            sqlite3_bind_int64(statement, i, request->until);
        else if (strcmp(name, ":top") == 0)
            sqlite3_bind_int(statement, i, request->top);
        else if (strcmp(name, ":server") == 0)
            sqlite3_bind_text(statement, i, request->server, -1, SQLITE_STATIC);
        else if (strcmp(name, ":each") == 0)
            sqlite3_bind_text(statement, i, table->variant.p, (int)table->variant.n, SQLITE_STATIC);
        else if (strcmp(name, ":since") != 0 && strcmp(name, ":until") != 0)
            return report_error(table->report, "there is no parameter ", name, err);
    }
    return 0;
}

/* The views tally and tally_names as the report's header wants it. */
static int set_tally(struct span *span, const struct report_file *report, int top,
                     struct error *err)
{
    if (span_names(span, report->names, report->counts, top, err))
        return -1;
    if (report->top.n)
        return span_sum(span, report->top, SPAN_FOREMOST, top, err);
    if (report->domains.n)
        return span_sum(span, report->domains, SPAN_DOMAINS, top, err);
    return span_sum(span, report->sums, SPAN_ALL, top, err);
}

static int run_one(struct span *span, const struct report_request *request, struct table *table,
                   unsigned *reads, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    const struct report_file *report = table->report;
    int rc = set_tally(span, report, request->top, err);
    if (rc == 0)
        rc = span_once(span, report->once, err);
    if (rc == 0)
        rc = prepare(span->db, report, &statement, reads, err);
    if (rc == 0)
        rc = bind(statement, table, request, err);
    if (rc == 0)
        rc = table_fill(table, statement, err);
    sqlite3_finalize(statement);
    return rc;
}

static int run_variant(struct span *span, const struct report_request *request,
                       const struct report_file *file, struct slice variant,
                       const struct renderer *renderer, struct rendering *rendering,
                       struct error *err)
{
    struct table table = {.report = file, .variant = variant, .n_columns = file->n_columns, .width = rendering->width};
    unsigned reads = 0;
    for (int i = 0; i < file->n_columns; i++)
        table.shown[i] = column_shown(request, file, i);
    expand_title(&table, request->top);
    int rc = run_one(span, request, &table, &reads, err);
    char *note = missing_in_table(rendering->missing, reads, file->details);
    table.note = note;
    if (rc == 0)
        renderer->table(rendering, &table);
    rendering->done++;
    free(note);
    table_clear(&table);
    return rc;
}

static int run_all(struct span *span, const struct report_request *request,
                   const struct reports *reports, const struct renderer *renderer,
                   struct rendering *rendering, struct error *err)
{
    int rc = 0;
    renderer->begin(rendering);
    for (size_t i = 0; rc == 0 && i < reports->count; i++) {
        const struct report_file *file = &reports->files[i];
        for (int v = 0; rc == 0 && v < (file->n_variants ? file->n_variants : 1); v++)
            if (wanted(request, file->by))
                rc = run_variant(span, request, file, file->variants[v], renderer, rendering, err);
    }
    renderer->end(rendering);
    return rc;
}

static int compare_sections(const void *a, const void *b)
{
    const struct report_file *x = a, *y = b;
    return x->section_rank != y->section_rank ? x->section_rank - y->section_rank
                                              : x->order - y->order;
}

/* A page shows a section's reports together: sections as they first come, reports by their number. */
static void order_by_section(struct reports *reports)
{
    for (size_t i = 0; i < reports->count; i++) {
        size_t first = 0;
        while (!slice_equal(reports->files[first].section, reports->files[i].section))
            first++;
        reports->files[i].section_rank = (int)first;
    }
    if (reports->count)
        qsort(reports->files, reports->count, sizeof *reports->files, compare_sections);
}

static int count_tables(const struct report_request *request, const struct reports *reports)
{
    int n = 0;
    for (size_t i = 0; i < reports->count; i++)
        if (wanted(request, reports->files[i].by))
            n += reports->files[i].n_variants ? reports->files[i].n_variants : 1;
    return n;
}

static const struct renderer *renderer_of(enum report_format format, struct error *err)
{
    switch (format) {
    case REPORT_TEXT:
        return &render_text;
    case REPORT_CSV:
        return &render_csv;
    case REPORT_JSON:
        return &render_json;
    case REPORT_HTML:
        return &render_html;
    case REPORT_XLSX:
    case REPORT_MIME:
        break;
    }
    error_set(err, FAIL_USAGE, "--format %s is not there yet; text, html, json and csv are",
              format == REPORT_XLSX ? "xlsx" : "mime");
    return NULL;
}

/* The span is open, so that nothing is pruned between this and the figures. */
static int run_noted(struct span *span, const struct report_request *request, const struct reports *reports,
                     const struct renderer *renderer, struct rendering *rendering, struct error *err)
{
    struct missing missing;
    int rc = missing_read(span->db, request->since, request->until, request->server, &missing, err);
    char *note = rc ? NULL : missing_in_all(&missing);
    rendering->missing = &missing;
    rendering->note = note;
    if (rc == 0)
        rc = run_all(span, request, reports, renderer, rendering, err);
    free(note);
    missing_free(&missing);
    return rc;
}

static int run_span(sqlite3 *db, const struct report_request *request,
                    const struct reports *reports, const struct renderer *renderer, FILE *out,
                    struct error *err)
{
    struct span_head head;
    struct span span;
    if (span_head_read(db, request->since, request->until, request->server, &head, err))
        return -1;
    struct rendering rendering = {.out = out, .head = &head, .n_tables = count_tables(request, reports),
                                  .width = request->width > 0 ? (size_t)request->width : 0};
    int rc = span_open(&span, db, request->since, request->until, request->server, err);
    if (rc == 0)
        rc = run_noted(&span, request, reports, renderer, &rendering, err);
    span_close(&span);
    span_head_free(&head);
    if (rc == 0 && ferror(out))
        return error_set(err, FAIL_OS, "the report cannot be written: %s", strerror(errno));
    return rc;
}

int report_check(const struct report_request *request, struct error *err)
{
    struct reports reports = {.files = NULL};
    if (!renderer_of(request->format, err) || check_by(request, err))
        return -1;
    int rc = collect(&reports, request, err);
    reports_free(&reports);
    return rc;
}

static int run_collected(sqlite3 *db, const struct report_request *request, struct reports *reports,
                         const struct renderer *renderer, FILE *out, struct error *err)
{
    struct report_request filled = *request;
    if (filled.top <= 0)
        filled.top = reports->top > 0 ? reports->top : DEFAULT_TOP;
    if (request->format == REPORT_HTML)
        order_by_section(reports);
    return run_span(db, &filled, reports, renderer, out, err);
}

int report_run(sqlite3 *db, const struct report_request *request, FILE *out, struct error *err)
{
    struct reports reports = {.files = NULL};
    const struct renderer *renderer = renderer_of(request->format, err);
    if (!renderer || check_by(request, err))
        return -1;
    int rc = collect(&reports, request, err);
    if (rc == 0)
        rc = run_collected(db, request, &reports, renderer, out, err);
    reports_free(&reports);
    return rc;
}

static bool in_set(const char *set, struct slice name)
{
    const struct embedded *file = set_named(slice_of(set, strlen(set)));
    const char *list = file ? file->text : "";
    for (struct slice line, rest; (line = next_line(&list)).p;)
        if (slice_equal(first_word(line, &rest), name))
            return true;
    return false;
}

int report_list(FILE *out, struct error *err)
{
    for (const struct embedded *e = embedded_files; e->name; e++) {
        struct report_file file;
        if (!report_name(e).p)
            continue;
        if (report_file_parse(&file, e->text, e->name, err))
            return -1;
        fprintf(out, "%-28.*s %c%c ", (int)file.name.n, file.name.p,
                in_set("nightly", file.name) ? 'N' : ' ', in_set("short", file.name) ? 'S' : ' ');
        text_write(out, file.help, TEXT_TERMINAL);
        fputc('\n', out);
    }
    return 0;
}

int report_format_named(const char *name, enum report_format *format)
{
    static const char *const names[] = {[REPORT_TEXT] = "text", [REPORT_CSV] = "csv",
                                        [REPORT_JSON] = "json", [REPORT_HTML] = "html",
                                        [REPORT_XLSX] = "xlsx", [REPORT_MIME] = "mime"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) {
            *format = (enum report_format)i;
            return 1;
        }
    return 0;
}
