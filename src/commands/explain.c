/* explain.c — mailtrail explain: lines from standard input, field by field. */
#include <stdlib.h>

#include "../base/memory.h"
#include "../ingest/describe.h"
#include "../ingest/entry.h"
#include "commands.h"

/* One line of standard input, of which LINE_KEPT octets are kept; false at the end. */
static bool read_line(char *buf, struct line *line)
{
    int c;
    *line = (struct line){.text = slice_of(buf, 0)};
    while ((c = getc_unlocked(stdin)) != EOF && c != '\n') {
        if (line->text.n < LINE_KEPT)
            buf[line->text.n++] = (char)c;
        line->size++;
    }
    return c != EOF || line->size > 0;
}

static void explain_all(bool brief)
{
    char *buf = xmalloc(LINE_KEPT);
    struct entries *entries = entries_new();
    struct line line;
    while (read_line(buf, &line)) {
        struct entry entry;
        struct described what;
        entries_read(entries, &line, &entry);
        if (entry.kind == ENTRY_BLANK) {
            puts(brief ? "BLANK" : "\n  verdict          blank");
            continue;
        }
        describe_entry(&entry, &what);
        if (entry.kind == ENTRY_WHOLE)
            entries_understood(entries, &entry, &what.event, 0);
        if (brief)
            describe_line(stdout, &what);
        else
            describe_explain(stdout, entry.text, &what);
    }
    entries_free(&entries);
    free(buf);
}

static int run(int argc, char **argv)
{
    const char *brief = NULL;
    const struct option_spec options[] = {
        {"brief", NULL, "one line each, as the fixtures of tests/fixtures/lines have it", &brief},
        {NULL, NULL, NULL, NULL}};
    struct error err;
    int count = options_take(&command_explain, options, argc, argv, &err);
    if (count == -2)
        return EXIT_DONE;
    if (count > 0)
        count = error_set(&err, FAIL_USAGE, "explain: reads standard input; to explain a log: mailtrail explain < %s",
                          argv[1]);
    if (count < 0)
        return command_fail(&err);
    explain_all(brief != NULL);
    return command_flush(&err) < 0 ? command_fail(&err) : EXIT_DONE;
}

const struct command command_explain = {
    "explain", "< LINES", "shows how each line on standard input is understood, field by field", run};
