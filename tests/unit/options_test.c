/* options_test.c — command lines, as tables. */
#include "../../src/base/options.h"
#include "tap.h"

static const char *db, *quiet, *server;
static const struct option_spec specs[] = {{"db", "FILE", "a file", &db}, {"quiet", NULL, "say less", &quiet},
                                           {"server", "NAME", "a name", &server}, {NULL, NULL, NULL, NULL}};
static const struct command command = {"thing", "PATH...", "does things", NULL};

static void test_line(const char *words, int wanted, const char *rest, const char *values)
{
    char copy[200], got_rest[200] = "", got_values[200];
    char *argv[20];
    struct error err = {.text = ""};
    int argc = 0;
    db = quiet = server = NULL;
    snprintf(copy, sizeof copy, "thing %s", words);
    for (char *word = copy, *next; word; word = next) {
        next = strchr(word, ' ');
        if (next)
            *next++ = 0;
        if (*word)
            argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    }
    argv[argc] = NULL;
    int got = options_take(&command, specs, argc, argv, &err);
    for (int i = 1; i <= got; i++)
        snprintf(got_rest + strlen(got_rest), sizeof got_rest - strlen(got_rest), "%s%s", i > 1 ? " " : "", argv[i]);
    snprintf(got_values, sizeof got_values, "%s/%s/%s", db ? db : "", quiet ? quiet : "", server ? server : "");
    check_int(got, wanted, words);
    if (got >= 0) {
        check_text(slice_of(got_rest, strlen(got_rest)), rest, "arguments");
        check_text(slice_of(got_values, strlen(got_values)), values, "values");
    } else {
        check(err.kind == FAIL_USAGE && strstr(err.text, rest), "says: %s", rest);
    }
}

int main(void)
{
    test_line("", 0, "", "//");
    test_line("a b", 2, "a b", "//");
    test_line("--db x a", 1, "a", "x//");
    test_line("a --db=x --quiet b", 2, "a b", "x/yes/");
    test_line("--db= a", 1, "a", "//");
    test_line("a -", 2, "a -", "//");
    test_line("--db -- a", 1, "a", "--//");
    test_line("--quiet -- --db x", 2, "--db x", "/yes/");
    test_line("-- --", 1, "--", "//");
    test_line("--server s --server t", 0, "", "//t");
    test_line("''", 1, "", "//");
    test_line("--db", -1, "--db wants a value: FILE", NULL);
    test_line("--quiet=1", -1, "--quiet takes no value", NULL);
    test_line("--sever x", -1, "did you mean --server", NULL);
    test_line("--unheard", -1, "no option --unheard; see mailtrail thing --help", NULL);
    test_line("--d x", -1, "no option --d", NULL);
    test_line("-x", -1, "no option -x", NULL);

    static const char *const list[] = {"ingest", "report", "status", "explain", "forget", NULL};
    static const struct {
        const char *word, *near;
    } table[] = {{"ingset", "ingest"}, {"rep", "report"}, {"reports", "report"}, {"stats", "status"}, {"xyz", NULL},
                 {"forgive", "forget"}, {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *near = options_near(table[i].word, list);
        check(near == table[i].near || (near && table[i].near && strcmp(near, table[i].near) == 0), "near to %s", table[i].word);
    }
    return tap_end();
}
