/* report_test.c — reports over a few facts (tests/fixtures/report), as TAP; run from the repository's top.

   report_test             the tests; exit 1 if one fails
   report_test --accept    writes the expected files of tests/fixtures/report anew */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <inttypes.h>
#include <locale.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/base/embedded.h"
#include "../../src/base/text.h"
#include "../../src/report/fit.h"
#include "../../src/report/report.h"
#include "../../src/report/report_file.h"
#include "../../src/report/span.h"
#include "../../src/store/rollup_build.h"
#include "../../src/report/units.h"

#define FIXTURES "tests/fixtures/report/"

static const struct report_request everything = {.since = INT64_MIN, .until = INT64_MAX};

static unsigned run, failed;

__attribute__((format(printf, 2, 3))) static bool check(bool good, const char *format, ...)
{
    va_list args;
    run++;
    failed += !good;
    printf("%sok %u - ", good ? "" : "not ", run);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    return good;
}

static void die(const char *why)
{
    printf("Bail out! %s\n", why);
    exit(2);
}

static char *read_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return NULL;
    char *text = calloc(1, 1 << 20);
    size_t n = text ? fread(text, 1, (1 << 20) - 1, in) : 0;
    fclose(in);
    if (text)
        text[n] = '\0';
    return text;
}

static void execute(sqlite3 *db, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why))
        die(why);
}

static void execute_embedded(sqlite3 *db, const char *name)
{
    const struct embedded *file = embedded_find(name);
    if (!file)
        die(name);
    execute(db, file->text);
}

static sqlite3 *new_database(void)
{
    sqlite3 *db;
    if (sqlite3_open(":memory:", &db))
        die("no memory");
    execute_embedded(db, "schema/001_facts.sql");
    execute_embedded(db, "schema/views.sql");
    return db;
}

/* The facts of the fixture, and rollup built from them. */
static sqlite3 *filled_database(void)
{
    struct error err;
    sqlite3 *db = new_database();
    char *facts = read_file(FIXTURES "facts.sql");
    if (!facts)
        die(FIXTURES "facts.sql");
    execute(db, facts);
    free(facts);
    if (rollup_build(db, INT64_MIN, INT64_MAX, 0, &err))
        die(err.text);
    if (rollup_load(db, &err))
        die(err.text);
    return db;
}

/* A report's output; NULL with *err. */
static char *output(sqlite3 *db, const struct report_request *request, struct error *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    int rc = report_run(db, request, out, err);
    fclose(out);
    if (rc == 0)
        return text;
    free(text);
    return NULL;
}

/* Every row of a query, cells with a blank between. */
static char *rows_of(sqlite3 *db, const char *sql)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL))
        die(sqlite3_errmsg(db));
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++)
            fprintf(out, "%s%s", i ? " " : "", (const char *)sqlite3_column_text(statement, i));
        fputc('\n', out);
    }
    sqlite3_finalize(statement);
    fclose(out);
    return text;
}

static void compare_with_file(const char *got, const char *path, bool accept)
{
    if (accept) {
        FILE *out = fopen(path, "wb");
        if (!out)
            die(path);
        fputs(got, out);
        fclose(out);
        return;
    }
    char *wanted = read_file(path);
    if (!check(wanted && strcmp(got, wanted) == 0, "%s", path))
        printf("# got:\n%s", got);
    free(wanted);
}

static bool is_report(const struct embedded *file)
{
    size_t n = strlen(file->name);
    return strncmp(file->name, "reports/", 8) == 0 && n > 4 && strcmp(file->name + n - 4, ".sql") == 0;
}

/* A header that says all; name as the file; help is a sentence. */
static void test_header(const struct embedded *file)
{
    struct error err;
    struct report_file report;
    char path[256];
    if (!check(report_file_parse(&report, file->text, file->name, &err) == 0, "%s: header", file->name)) {
        printf("# %s\n", err.text);
        return;
    }
    snprintf(path, sizeof path, "reports/%.*s.sql", (int)report.name.n, report.name.p);
    check(strcmp(path, file->name) == 0, "%s: named as the file", file->name);
    check(report.help.n && report.help.p[report.help.n - 1] == '.', "%s: help", file->name);
    check(report.section.n && report.order > 0, "%s: section", file->name);
}

/* As the plain shell runs it: the database's own views, no parameter bound. */
static void test_plain(sqlite3 *db, const struct embedded *file, const char *what)
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(db, file->text, -1, &statement, NULL);
    while (rc == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        ;
    rc = rc ? rc : sqlite3_finalize(statement);
    if (!check(rc == SQLITE_OK, "%s: plain SQL, %s", file->name, what))
        printf("# %s\n", sqlite3_errmsg(db));
}

static void test_formats(sqlite3 *db, const struct embedded *file, const char *what)
{
    struct error err = {.kind = 0};
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)(strlen(file->name) - 12), file->name + 8);
    for (int format = REPORT_TEXT; format <= REPORT_HTML; format++) {
        struct report_request request = everything;
        request.names = (const char *const[]){name, NULL};
        request.format = (enum report_format)format;
        request.since = 1774650000;
        char *text = output(db, &request, &err);
        if (!check(text, "%s: format %d, %s", file->name, format, what))
            printf("# %s\n", err.text);
        free(text);
    }
}

static void test_reports(void)
{
    sqlite3 *empty = new_database(), *filled = filled_database();
    for (const struct embedded *file = embedded_files; file->name; file++) {
        if (!is_report(file))
            continue;
        test_header(file);
        test_plain(empty, file, "empty");
        test_plain(filled, file, "filled");
        test_formats(empty, file, "empty");
        test_formats(filled, file, "filled");
    }
    sqlite3_close(empty);
    sqlite3_close(filled);
}

static void test_expected(bool accept)
{
    struct error err = {.kind = 0};
    sqlite3 *db = filled_database();
    char *rollup = rows_of(db, "SELECT m.name, r.day, r.server, r.slot, r.key1, r.key2, r.key3, r.key4, r.count,"
                               " r.addresses, r.bytes FROM rollup r JOIN measure m ON m.id = r.measure"
                               " ORDER BY r.measure, r.day, r.server, r.slot, r.key1, r.key2, r.key3, r.key4");
    compare_with_file(rollup, FIXTURES "rollup.expected", accept);
    free(rollup);
    for (int format = REPORT_TEXT; format <= REPORT_JSON; format++) {
        static const char *const paths[] = {FIXTURES "nightly.txt", FIXTURES "nightly.csv",
                                            FIXTURES "nightly.json"};
        struct report_request request = everything;
        request.format = (enum report_format)format;
        char *text = output(db, &request, &err);
        compare_with_file(text ? text : err.text, paths[format], accept);
        free(text);
    }
    sqlite3_close(db);
}

static char *sums_of(sqlite3 *db, const char *from)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT measure, key1, key2, key3, key4, slot, sum(count), sum(addresses), sum(bytes) FROM (%s)"
             " GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6", from);
    return rows_of(db, sql);
}

/* A span put together from days and edges holds what counting all its facts anew gives. */
static void test_span(sqlite3 *db, int64_t since, int64_t until)
{
    struct error err;
    struct span span;
    if (span_open(&span, db, since, until, NULL, &err))
        die(err.text);
    char *got = sums_of(db, "SELECT * FROM tally");
    span_close(&span);
    if (rollup_build(db, since, until, 0, &err))
        die(err.text);
    char *wanted = sums_of(db, "SELECT m.name AS measure, r.* FROM temp.rollup_built r"
                               " JOIN measure m ON m.id = r.measure");
    execute(db, "DROP TABLE temp.rollup_built");
    if (!check(strcmp(got, wanted) == 0, "span %" PRId64 " to %" PRId64, since, until))
        printf("# got:\n%s# wanted:\n%s", got, wanted);
    free(got);
    free(wanted);
}

static void test_spans(void)
{
    static const int64_t edges[] = {INT64_MIN,  1774652399, 1774652400, 1774652401, 1774656000, 1774700001,
                                    1774738800, 1774742400, 1774745999, 1774746000, 1774746001, 1774821600,
                                    1774821601, INT64_MAX};
    enum { EDGES = sizeof edges / sizeof *edges };
    sqlite3 *db = filled_database();
    for (int i = 0; i < EDGES; i++)
        for (int j = i + 1; j < EDGES; j++)
            test_span(db, edges[i], edges[j]);
    sqlite3_close(db);
}

static void test_server(void)
{
    struct error err = {.kind = 0};
    sqlite3 *db = filled_database();
    struct report_request request = everything;
    request.names = (const char *const[]){"grand-total", NULL};
    request.format = REPORT_CSV;
    request.server = "mx2.example";
    char *text = output(db, &request, &err);
    check(text && strstr(text, "Received,300,1,,1,1,1,1,0,0,0,0\r\n"), "one server only");
    free(text);
    request.server = "mx3.example";
    check(!output(db, &request, &err) && err.kind == FAIL_USAGE, "unknown server");
    request = everything;
    request.names = (const char *const[]){"no-such", NULL};
    check(!output(db, &request, &err) && err.kind == FAIL_USAGE, "unknown report");
    request = everything;
    request.format = REPORT_XLSX;
    check(!output(db, &request, &err) && err.kind == FAIL_USAGE, "format to come");
    request = everything;
    request.by = "host,planet";
    check(!output(db, &request, &err) && err.kind == FAIL_USAGE, "unknown key");
    request.by = "domain";
    text = output(db, &request, &err);
    check(text && strstr(text, "Top 50 sending domains by volume") && !strstr(text, "sending hosts") &&
              strstr(text, "Addresses   Domains      Delayed"), "by domain alone");
    free(text);
    check(sqlite3_get_autocommit(db), "no transaction is left open");
    sqlite3_close(db);
}

static bool has_control(const char *text, const char *but)
{
    for (const char *p = text; *p; p++)
        if (((unsigned char)*p < 0x20 && !strchr(but, *p)) || *p == 0x7f)
            return true;
    return false;
}

static bool is_json(sqlite3 *db, const char *text)
{
    sqlite3_stmt *statement;
    sqlite3_prepare_v2(db, "SELECT json_valid(?1)", -1, &statement, NULL);
    sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    bool valid = sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return valid;
}

/* No cell of a spreadsheet may begin as a formula does. */
static bool has_formula(const char *csv)
{
    for (const char *p = csv; *p; p++)
        if ((p == csv || strchr(",\n", p[-1])) && (strchr("=+@", *p) || (*p == '"' && strchr("=+@", p[1]))))
            return true;
    return false;
}

static void test_hostile(void)
{
    struct error err = {.kind = 0};
    sqlite3 *db = filled_database();
    execute(db, "UPDATE string SET text = '=cmd|'' /C calc''!A0' WHERE id IN (14, 21);"
                "UPDATE string SET text = '<script>alert(\"1\")</script>&''' WHERE id IN (11, 12, 30);"
                "UPDATE string SET text = CAST(x'1b5b324a9b31c29b0aff22' AS TEXT) WHERE id IN (23, 24, 27);"
                "UPDATE unparsed_line SET text = CAST(x'1b5b324a223c623e' AS TEXT)");
    struct report_request request = everything;
    char *text = output(db, &request, &err);
    check(text && !has_control(text, "\n\t") && !strchr(text, '\x9b'), "hostile text");
    check(text && strstr(text, "#033[2J#2331#302#233#012"), "hostile text made visible");
    free(text);
    request.format = REPORT_HTML;
    text = output(db, &request, &err);
    check(text && !strstr(text, "<script") && !has_control(text, "\n"), "hostile html");
    free(text);
    request.format = REPORT_JSON;
    text = output(db, &request, &err);
    check(text && is_json(db, text) && !has_control(text, "\n"), "hostile json");
    free(text);
    request.format = REPORT_CSV;
    text = output(db, &request, &err);
    check(text && !has_formula(text), "hostile csv");
    check(text && strstr(text, "\"<script>alert(\"\"1\"\")</script>&'\""), "csv quotes");
    free(text);
    sqlite3_close(db);
}

static void test_user_file(void)
{
    struct error err = {.kind = 0};
    sqlite3 *db = filled_database();
    static const char *const bad[] = {
        "-- report: x\n-- title: x\n-- help: x.\n-- column: a text A\nDELETE FROM message RETURNING 1 AS a",
        "-- report: x\n-- title: x\n-- help: x.\n-- column: a text A\nSELECT 1 AS a; SELECT 2 AS a",
        "-- report: x\n-- title: x\n-- help: x.\n-- column: a text A\nSELECT 1 AS b",
        "-- report: x\n-- title: x\n-- help: x.\n-- column: a text A\nSELECT :other AS a",
        "-- report: x\n-- title: x\n-- help: x.\n-- column: a sound A\nSELECT 1 AS a",
        "-- nothing: x\nSELECT 1 AS a",
        "SELECT 1 AS a"};
    char path[] = "/tmp/report_test.XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        die(path);
    fclose(file);
    struct report_request request = everything;
    request.file = path;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        file = fopen(path, "w");
        fputs(bad[i], file);
        fclose(file);
        check(!output(db, &request, &err) && err.kind == FAIL_REPORT, "bad user file %u: %s", i, err.text);
    }
    file = fopen(path, "w");
    fputs("-- report: mine\n-- title: Mine\n-- help: Mine.\n-- column: n count N\n"
          "SELECT count(*) AS n FROM messages WHERE :top > 0;\n-- the end\n", file);
    fclose(file);
    char *text = output(db, &request, &err);
    check(text && strstr(text, "\nMine\n----\n  N\n  7\n"), "user file");
    free(text);
    unlink(path);
    sqlite3_close(db);
}

static void test_units(void)
{
    static const struct {
        int64_t octets;
        const char *text;
    } volumes[] = {{0, "     0"}, {9999, "  9999"}, {10000, "  10KB"}, {9999999, "9766KB"},
                   {10000000, "  10MB"}, {1073741824, "1024MB"}, {INT64_C(10737418240), "10240MB"},
                   {INT64_C(10737418241), "  10GB"}, {INT64_C(5497558138880), "5120GB"}};
    static const struct {
        int64_t seconds;
        const char *text;
        const char *brief;
    } durations[] = {{0, "0s", "0s"}, {60, "1m", "1m"}, {90, "1m30s", "1m30s"}, {86400, "1d", "1d"},
                     {694861, "1w1d1h1m1s", "1w1d"}, {26611148, "43w6d23h59m8s", "43w6d"}, {604801, "1w1s", "1w1s"}};
    char text[UNIT_ROOM];
    for (unsigned i = 0; i < sizeof volumes / sizeof *volumes; i++) {
        volume_text(text, volumes[i].octets);
        check(strcmp(text, volumes[i].text) == 0, "volume %s", volumes[i].text);
    }
    for (unsigned i = 0; i < sizeof durations / sizeof *durations; i++) {
        duration_text(text, durations[i].seconds);
        check(strcmp(text, durations[i].text) == 0, "duration %s", durations[i].text);
        duration_brief_text(text, durations[i].seconds);
        check(strcmp(text, durations[i].brief) == 0, "duration in brief %s", durations[i].brief);
    }
}

/* The longest line's octets; *blanks: whether any line ends with one. */
static size_t longest_line(const char *text, bool *blanks)
{
    size_t longest = 0;
    *blanks = false;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");
        longest = n > longest ? n : longest;
        *blanks |= n && p[n - 1] == ' ';
        p += n + (p[n] == '\n');
    }
    return longest;
}

/* On a terminal nothing is wider than it, and no figure is lost; elsewhere only blanks at the ends of lines are. */
static void test_terminal(void)
{
    struct error err = {.kind = 0};
    sqlite3 *db = filled_database();
    execute(db, "UPDATE source SET path = '/var/log/mail/' || printf('%.*c', 90, 'x') || '/mainlog', longest_gap = 26611148;"
                "UPDATE string SET text = printf('%.*c', 100, 'a') || ' ' || text WHERE id = 21");
    bool blanks;
    struct report_request request = everything;
    char *text = output(db, &request, &err);
    check(text && longest_line(text, &blanks) > 200 && !blanks, "a file: as wide as it wants to be, no blanks at the ends");
    check(text && strstr(text, "43w6d23h59m8s"), "a file: all units of a duration");
    free(text);
    for (request.width = 40; request.width <= 132; request.width += 4) {
        text = output(db, &request, &err);
        size_t most = text ? longest_line(text, &blanks) : 999;
        check(most <= (size_t)request.width && !blanks, "a terminal of %d places: %zu", request.width, most);
        free(text);
    }
    request.width = 80;
    request.names = (const char *const[]){"grand-total", "sources", NULL};
    text = output(db, &request, &err);
    check(text && strstr(text, "\n  TOTAL               Volume   Messages Addresses       Delayed       Failed\n"), "80 places: the total's sums");
    check(text && strstr(text, "\n  TOTAL               Hosts  Domains   Emails Edomains\n  Received                3        3        3        3\n"),
          "80 places: how many names, below");
    check(text && strstr(text, "43w6d") && !strstr(text, "43w6d2"), "80 places: two units of a duration");
    check(text && strstr(text, "  /var/log/") && strstr(text, "...") && strstr(text, "xxx/mainlog"), "80 places: the middle of a path is left out");
    free(text);
    sqlite3_close(db);
}

static void test_fit(void)
{
    static const struct {
        const char *text;
        size_t width, indent;
        const char *wanted;
    } cases[] = {{"one two  \n\n three\n", 0, 4, "one two\n\n three\n"},
                 {"  12  aaaa bbbb cccc dddd eeee\n", 26, 6, "  12  aaaa bbbb cccc dddd\n      eeee\n"},
                 {"  12  aaaa bbbb cccc dddd eeee\n", 25, 6, "  12  aaaa bbbb cccc dddd\neeee\n"},
                 {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 26, 2, "aaaaaaaaaaaaaaaaaaaaaaaaaa\n  aaaaa\n"},
                 {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 x\n", 20, 0,
                  "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\nx\n"},
                 {"  open", 26, 2, "  open\n"},
                 {"", 26, 2, ""}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&got, &size);
        FILE *fitted = fit_open(out, cases[i].width, cases[i].indent);
        for (const char *p = cases[i].text; *p; p++) {
            fputc(*p, fitted);
            fflush(fitted);
        }
        fclose(fitted);
        fclose(out);
        if (!check(strcmp(got, cases[i].wanted) == 0, "lines fitted %u", i))
            printf("# got '%s'\n", got);
        free(got);
    }
}

static void test_middle(const char *text, size_t width, const char *wanted)
{
    char *got = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&got, &size);
    fit_middle(out, slice_of(text, strlen(text)), width);
    fclose(out);
    if (!check(strcmp(got, wanted) == 0, "the middle left out: %s", wanted))
        printf("# got '%s'\n", got);
    free(got);
}

static void test_middles(void)
{
    test_middle("/var/log/mainlog", 16, "/var/log/mainlog");
    test_middle("/var/log/exim4/mainlog.1", 15, "/var...ainlog.1");
    test_middle("/\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4/\xc3\xa4\xc3\xa4", 9, "/\xc3\xa4...\xc3\xa4/\xc3\xa4\xc3\xa4");
    test_middle("", 9, "");
}

/* What a report that counts facts says of those that are pruned: server 1 from 28 March 23:00 UTC on has them. */
static void test_pruned(void)
{
    struct error err = {.kind = 0};
    sqlite3 *db = filled_database();
    execute(db, "UPDATE server SET pruned_before = 1774738800 WHERE id = 1");
    struct report_request request = everything;
    request.names = (const char *const[]){"grand-total", "spam-scores", "transports", NULL};
    char *text = output(db, &request, &err);
    check(text && strstr(text, "mx2.example (UTC)\nDetails pruned: mx1.example before 2026-03-29. Sums by whole days are left; tables that lack details say so.\n"),
          "pruned: the head says so");
    check(text && strstr(text, "summary\n-------------------\nPruned and missing in Ham and Spam: mx1.example before 2026-03-29.\n"),
          "pruned: of sums, which rows are counted from details");
    check(text && strstr(text, "message)\n-----------------------------------\nPruned and missing here: mx1.example before 2026-03-29.\n"), "pruned: all of a table");
    check(text && strstr(text, "transport\n-----------------------\n                      Volume"), "pruned: not where sums are whole");
    free(text);
    request.since = 1774656000; /* 28 March, 01:00 in Berlin, midnight in UTC */
    text = output(db, &request, &err);
    check(text && strstr(text, "transport\n-----------------------\nPruned and missing of days that the span cuts: mx1.example before 2026-03-29.\n"),
          "pruned: nor has a part of a day sums");
    free(text);
    request.since = 1774738800;
    text = output(db, &request, &err);
    check(text && !strstr(text, "runed"), "pruned: no word where the span begins later");
    free(text);
    request = everything;
    request.server = "mx2.example";
    text = output(db, &request, &err);
    check(text && !strstr(text, "runed"), "pruned: nor of another server");
    free(text);
    sqlite3_close(db);
}

/* A table that is empty, and would be left out, says what it lacks. */
static void test_pruned_empty(void)
{
    struct error err = {.kind = 0};
    sqlite3 *db = filled_database();
    execute(db, "UPDATE server SET pruned_before = 1774738800 WHERE id = 1; DELETE FROM scan_line");
    struct report_request request = everything;
    request.names = (const char *const[]){"spam-verdicts", "local-senders", NULL};
    char *text = output(db, &request, &err);
    check(text && strstr(text, "verdicts\n-----------------------\nPruned and missing here: mx1.example before 2026-03-29.\n\n"), "pruned and empty: text");
    free(text);
    request.format = REPORT_HTML;
    text = output(db, &request, &err);
    check(text && strstr(text, "</p>\n<p class=\"missing\">Details pruned: mx1.example before 2026-03-29."), "pruned: the page's head");
    check(text && strstr(text, "<p class=\"missing\">Pruned and missing here: mx1.example before 2026-03-29.</p>\n</article>"), "pruned and empty: the page");
    free(text);
    request.format = REPORT_JSON;
    text = output(db, &request, &err);
    check(text && is_json(db, text) && strstr(text, "\"pruned\": [{\"server\": \"mx1.example\", \"before\": \"2026-03-29\", \"parts\": false}]"), "pruned: a member of JSON");
    check(text && strstr(text, "\"pruned\": \"Pruned and missing here: mx1.example before 2026-03-29.\","), "pruned: and of each report");
    free(text);
    request.format = REPORT_CSV;
    text = output(db, &request, &err);
    check(text && strstr(text, "verdict,bytes,scans,percent,score,pruned\r\n"), "pruned: a column of CSV");
    check(text && strstr(text, "messages,bytes,average,user\r\n"), "pruned: not where nothing is missing");
    free(text);
    sqlite3_close(db);
}

/* A sum to which not all sessions have something to say is a lower bound: here bob's second session tells no octets. */
static void test_told(void)
{
    struct error err = {.kind = 0};
    sqlite3 *db = filled_database();
    execute(db, "INSERT INTO session_line (at, mark, source, server, service, kind, pid, user, host, ip) VALUES (1774701010, 90, 1, 1, 8, 2, 78, 30, 12, 15)");
    struct report_request request = everything;
    request.names = (const char *const[]){"sessions-by-user", NULL};
    char *text = output(db, &request, &err);
    check(text && strstr(text, "\n         2 not logged        >=2     >=12KB   imap     bob\n"), "a lower bound in text");
    free(text);
    request.format = REPORT_CSV;
    text = output(db, &request, &err);
    check(text && strstr(text, "\r\n2,,0,2,1,12345,1,imap,bob\r\n"), "a lower bound for programs: how many tell");
    free(text);
    request.format = REPORT_HTML;
    text = output(db, &request, &err);
    check(text && strstr(text, "<td class=\"n\">\xe2\x89\xa5\xe2\x80\xaf" "2</td>") && !strstr(text, "Sessions that tell"), "a lower bound on the page");
    free(text);
    sqlite3_close(db);
}

static void test_sets(void)
{
    struct error err = {.kind = 0};
    sqlite3 *db = filled_database();
    struct report_request request = everything;
    request.names = (const char *const[]){"short", NULL};
    char *text = output(db, &request, &err);
    check(text && strstr(text, "Grand total") && strstr(text, "Top 10 sending hosts by message count") && !strstr(text, "by volume"),
          "the short set: ten of a league, and one variant");
    free(text);
    request.top = 3;
    text = output(db, &request, &err);
    check(text && strstr(text, "Top 3 sending hosts"), "the short set: --top is heard");
    free(text);
    request.names = (const char *const[]){"page.html", NULL};
    check(!output(db, &request, &err) && err.kind == FAIL_USAGE, "a file beside the reports is no set");
    request = everything;
    char *all = output(db, &request, &err);
    request.names = (const char *const[]){"nightly", NULL};
    text = output(db, &request, &err);
    check(text && all && strcmp(text, all) == 0, "nightly is a set");
    free(text);
    free(all);
    sqlite3_close(db);
}

static void test_escape(struct slice in, enum text_mode mode, const char *wanted)
{
    char *got = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&got, &size);
    text_write(out, in, mode);
    fclose(out);
    check(size == strlen(wanted) && memcmp(got, wanted, size) == 0, "escape to %s", wanted);
    free(got);
}

static void test_escapes(void)
{
    static const char nasty[] = "a\0b\x1b\x7f\xc3\xa4\xe4\xc2\x85\t\"<&'>\\\n";
    struct slice in = slice_of(nasty, sizeof nasty - 1);
    test_escape(in, TEXT_TERMINAL, "a#000b#033#177\xc3\xa4\xe4#302#205#011\"<&'>\\#012");
    test_escape(in, TEXT_JSON, "a\\u0000b\\u001b\\u007f\xc3\xa4\xef\xbf\xbd\xc2\x85\\t\\\"<&'>\\\\\\n");
    test_escape(in, TEXT_HTML,
                "a\xef\xbf\xbd" "b\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xc2\x85\t&quot;&lt;&amp;&#39;&gt;\\\n");
    test_escape(SLICE_LIT("a\tb\\c\nd"), TEXT_TSV, "a\\tb\\\\c\\nd");
    test_escape(SLICE_LIT("plain"), TEXT_CSV, "plain");
    test_escape(SLICE_LIT(""), TEXT_CSV, "\"\"");
    test_escape(SLICE_LIT("=1+1"), TEXT_CSV, "'=1+1");
    test_escape(SLICE_LIT("-1,\"x\""), TEXT_CSV, "\"'-1,\"\"x\"\"\"");
    test_escape(SLICE_LIT("\xed\xa0\x80"), TEXT_HTML, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    test_escape(SLICE_ABSENT, TEXT_CSV, "");
}

int main(int argc, char **argv)
{
    bool accept = argc > 1 && strcmp(argv[1], "--accept") == 0;
    setlocale(LC_ALL, "C");
    test_expected(accept);
    if (accept)
        return 0;
    test_reports();
    test_spans();
    test_server();
    test_hostile();
    test_user_file();
    test_units();
    test_fit();
    test_middles();
    test_terminal();
    test_pruned();
    test_pruned_empty();
    test_told();
    test_sets();
    test_escapes();
    printf("1..%u\n%u passed, %u failed\n", run, run - failed, failed);
    return failed > 0;
}
