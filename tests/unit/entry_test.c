/* entry_test.c — lines joined to entries, and what each is taken for; saved and loaded between any two, the same. */
#include "../../src/ingest/entry.h"
#include "../../parsers/event.h"
#include "tap.h"

struct expected {
    const char *line;
    enum entry_kind kind;
    const char *body; /* of ENTRY_WHOLE, NULL: not looked at */
};

/* Understands an entry as its dialect does. */
static void understand(struct entries *entries, const struct entry *entry)
{
    struct event ev;
    event_reset(&ev);
    const struct dialect *dialect = dialect_for(&entry->frame);
    if (dialect && dialect->parse(&entry->frame, &ev) != VERDICT_OK)
        event_reset(&ev);
    entries_understood(entries, entry, &ev, 7);
}

static struct entries *reloaded(struct entries *entries)
{
    struct carry out = {0};
    entries_save(entries, &out);
    entries_free(&entries);
    entries = entries_new();
    struct carry in = {.bytes = out.bytes, .size = out.size};
    entries_load(entries, &in);
    check(!in.bad && in.at == in.size, "what was saved is loaded");
    carry_free(&out);
    return entries;
}

static void run(const char *name, const struct expected *lines, size_t count, bool reload)
{
    struct entries *entries = entries_new();
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(lines[i].line);
        char *copy = malloc(n + 1); /* at its end the sanitizer watches */
        memcpy(copy, lines[i].line, n);
        struct line line = {.text = slice_of(copy, n), .size = (int64_t)n};
        struct entry entry;
        entries_read(entries, &line, &entry);
        if (!check(entry.kind == lines[i].kind, "%s: line %zu", name, i + 1))
            printf("# is a %d: %s\n", (int)entry.kind, lines[i].line);
        if (entry.kind == ENTRY_WHOLE && lines[i].body)
            check_text(entry.frame.body, lines[i].body, "its body");
        if (entry.kind == ENTRY_WHOLE)
            understand(entries, &entry);
        free(copy);
        if (reload)
            entries = reloaded(entries);
    }
    entries_free(&entries);
}

#define RUN(name, ...)                                                                             \
    do {                                                                                           \
        static const struct expected lines[] = {__VA_ARGS__};                                      \
        run(name, lines, sizeof lines / sizeof *lines, false);                                     \
        run(name ", saved in between", lines, sizeof lines / sizeof *lines, true);                 \
    } while (0)

#define REJECTED "1vpN7t-0002zy-1r H=(a.example) [192.0.2.1] F=<b@c.example> rejected after DATA: no"
#define SYSLOG "Feb  9 09:00:13 mx exim[77]: "

static void test_parts(void)
{
    RUN("parts cut in a word", {SYSLOG "[1/3] 2026-02-09 09:00:13 1vpN7t-0002zy-1r <= a@b.exa", ENTRY_CONTINUATION, NULL},
        {SYSLOG "[2/3] mple U=root P=local S=", ENTRY_CONTINUATION, NULL},
        {SYSLOG "[3/3] 77", ENTRY_WHOLE, "1vpN7t-0002zy-1r <= a@b.example U=root P=local S=77"});
    RUN("parts ended by lines", {SYSLOG "[1\\3] 2026-02-09 09:00:13 " REJECTED, ENTRY_WHOLE, REJECTED},
        {SYSLOG "[2\\3] Envelope-from: <b@c.example>", ENTRY_CONTINUATION, NULL},
        {SYSLOG "[3/3] Envelope-to: <x@y.example>", ENTRY_CONTINUATION, NULL});
    RUN("both", {SYSLOG "[1/3] 2026-02-09 09:00:13 1vpN7t-0002zy-1r H=(a.example) [192.0.2.1] F=<b@c.exam", ENTRY_CONTINUATION, NULL},
        {SYSLOG "[2\\3] ple> rejected after DATA: no", ENTRY_WHOLE, REJECTED},
        {SYSLOG "[3/3] Envelope-to: <x@y.example>", ENTRY_CONTINUATION, NULL});
    RUN("parts of two processes", {SYSLOG "[1/2] 2026-02-09 09:00:13 1vpN7t-0002zy-1r Comp", ENTRY_CONTINUATION, NULL},
        {"Feb  9 09:00:13 mx exim[78]: [1/2] 2026-02-09 09:00:13 1vpN7u-0002zy-1r Com", ENTRY_CONTINUATION, NULL},
        {SYSLOG "[2/2] leted", ENTRY_WHOLE, "1vpN7t-0002zy-1r Completed"},
        {"Feb  9 09:00:13 mx exim[78]: [2/2] pleted", ENTRY_WHOLE, "1vpN7u-0002zy-1r Completed"});
    RUN("parts whose first is missing", {SYSLOG "[2/2] leted", ENTRY_CONTINUATION, NULL},
        {SYSLOG "2026-02-09 09:00:13 1vpN7t-0002zy-1r Completed", ENTRY_WHOLE, "1vpN7t-0002zy-1r Completed"});
    RUN("parts of two processes that are not named", {"Feb  9 09:00:13 mx exim: [1/2] 2026-02-09 09:00:13 1vpN7t-0002zy-1r Comp", ENTRY_CONTINUATION, NULL},
        {"Feb  9 09:00:13 mx exim: [1/2] 2026-02-09 09:00:13 1vpN7u-0002zy-1r Com", ENTRY_CONTINUATION, NULL},
        {"Feb  9 09:00:13 mx exim: [2/2] leted", ENTRY_CONTINUATION, NULL},
        {"Feb  9 09:00:13 mx exim: [2/2] pleted", ENTRY_CONTINUATION, NULL},
        {"Feb  9 09:00:14 mx exim: [1/2] 2026-02-09 09:00:14 1vpN7u-0002zy-1r Com", ENTRY_CONTINUATION, NULL},
        {"Feb  9 09:00:14 mx exim: [2/2] pleted", ENTRY_WHOLE, "1vpN7u-0002zy-1r Completed"});
    RUN("a part of another count", {SYSLOG "[1/2] 2026-02-09 09:00:13 1vpN7t-0002zy-1r Comp", ENTRY_CONTINUATION, NULL},
        {SYSLOG "[2/3] leted", ENTRY_CONTINUATION, NULL}, {SYSLOG "[2/2] leted", ENTRY_CONTINUATION, NULL});
    RUN("a part missing in the middle", {SYSLOG "[1/3] 2026-02-09 09:00:13 1vpN7t-0002zy-1r Comp", ENTRY_CONTINUATION, NULL},
        {SYSLOG "[3/3] leted", ENTRY_CONTINUATION, NULL}, {SYSLOG "[2/3] let", ENTRY_CONTINUATION, NULL});
}

static void test_unstamped(void)
{
    RUN("dumped headers", {"2026-02-09 09:00:13 " REJECTED, ENTRY_WHOLE, REJECTED},
        {"Envelope-from: <b@c.example>", ENTRY_CONTINUATION, NULL}, {"P Received: from x", ENTRY_CONTINUATION, NULL},
        {"\tby y", ENTRY_CONTINUATION, NULL}, {"  Subject: z", ENTRY_CONTINUATION, NULL},
        {"no header of any kind", ENTRY_STRAY, NULL});
    RUN("replies of several lines", {"2026-02-09 09:00:13 1vpN7t-0002zy-1r ** a@b.example R=r T=t H=h [192.0.2.1]: SMTP error: 550-a", ENTRY_WHOLE, NULL},
        {"550-b", ENTRY_CONTINUATION, NULL}, {"550 c", ENTRY_CONTINUATION, NULL}, {"55 c", ENTRY_STRAY, NULL});
    RUN("before any entry", {"  indented", ENTRY_STRAY, NULL}, {"", ENTRY_BLANK, NULL}, {"\r", ENTRY_BLANK, NULL},
        {"550 c", ENTRY_STRAY, NULL});
    RUN("behind a line of syslog nothing is continued", {"Feb  9 09:00:13 mx imapd[1]: Logout user=x host=[192.0.2.1]", ENTRY_WHOLE, NULL},
        {"  indented", ENTRY_STRAY, NULL});
}

/* Headers of a rejected message: which are kept, and whose they are. */
static void test_dump(void)
{
    static const struct { const char *line, *header; } lines[] = {
        {"2026-02-09 09:00:13 " REJECTED, NULL}, {"Envelope-from: <b@c.example>", NULL},
        {"Envelope-to: <x@y.example>", "Envelope-to: <x@y.example>"}, {"P Received: from x", NULL},
        {"\tSubject: forged", NULL}, {"F from: <b@c.example>", "from: <b@c.example>"},
        {"  Subject: z", "Subject: z"}, {"\tfolded", "folded"}, {"  two words: folded", "two words: folded"},
        {"* Subject: deleted", "Subject: deleted"}, {"  Subjects: no", NULL}, {"I Message-ID: <1@x>", "Message-ID: <1@x>"},
        {"2026-02-09 09:00:14 H=(a) [192.0.2.1] F=<b@c> rejected RCPT <d@e>: no", NULL}, {"  Subject: nobody's", NULL}};
    struct entries *entries = entries_new();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct line line = {.text = slice_of(lines[i].line, strlen(lines[i].line))};
        struct entry entry;
        entries_read(entries, &line, &entry);
        check_text(entry.header, lines[i].header, lines[i].line);
        if (entry.header.p) {
            check_text(slice_of(entry.dump->exim_id, entry.dump->id_size), "1vpN7t-0002zy-1r", "its message");
            check_int(entry.dump->at, 7, "its instant");
        }
        if (entry.kind == ENTRY_WHOLE)
            understand(entries, &entry);
        entries = reloaded(entries);
    }
    entries_free(&entries);
}

static void test_bytes(void)
{
    RUN("control bytes and CR", {"2026-02-09 09:00:13 1vpN7t-0002zy-1r a\tb\001\177c\r", ENTRY_WHOLE, "1vpN7t-0002zy-1r a#011b#001#177c"},
        {"2026-02-09 09:00:13 1vpN7t-0002zy-1r a\rb", ENTRY_WHOLE, "1vpN7t-0002zy-1r a#015b"},
        {"2026-02-09 09:00:13 1vpN7t-0002zy-1r \xc3\xa4\xff", ENTRY_WHOLE, "1vpN7t-0002zy-1r \xc3\xa4\xff"});
    size_t n = LINE_KEPT;
    char *all = malloc(n);
    memset(all, 1, n);
    struct line line = {.text = slice_of(all, n), .size = (int64_t)n};
    struct entry entry;
    struct entries *entries = entries_new();
    entries_read(entries, &line, &entry);
    check_int((int64_t)entry.text.n, (int64_t)n * 4, "a longest line of nothing but control bytes");
    entries_free(&entries);
    free(all);
}

/* Firsts of more entries than can be under way at once, each as long as a line can be. */
static void test_many_parts(void)
{
    struct entries *entries = entries_new();
    struct entry entry;
    char *text = malloc(LINE_KEPT);
    unsigned whole = 0;
    for (int part = 1; part <= 2; part++)
        for (int pid = 1; pid <= 200; pid++) {
            int n = snprintf(text, LINE_KEPT, "Feb  9 09:00:13 mx exim[%d]: [%d/2] 2026-02-09 09:00:13 ", pid, part);
            memset(text + n, 'x', (size_t)(LINE_KEPT - n));
            struct line line = {.text = slice_of(text, LINE_KEPT), .size = LINE_KEPT};
            entries_read(entries, &line, &entry);
            whole += entry.kind == ENTRY_WHOLE;
        }
    check(whole > 0 && whole < 200, "more split entries at once than are kept: the oldest are given up");
    entries_free(&entries);
    free(text);
}

int main(void)
{
    test_parts();
    test_unstamped();
    test_dump();
    test_bytes();
    test_many_parts();
    return tap_end();
}
