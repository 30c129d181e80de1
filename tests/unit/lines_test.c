/* lines_test.c — runs the fixtures of lines (tests/fixtures/lines/NAME.t) as TAP, and each of them cut at
   every byte between two pages that must not be touched.

   lines_test FILE.t...          the tests; exit 1 if one fails
   lines_test --accept FILE.t    the file with what was got in place of what was wanted, on stdout

   A block of a .t file, ended by a blank line: comments with #, the line, the description of it.
   A line that begins "%x " has \xHH and \\ decoded in what follows. */
#include "arena.h"

struct tally {
    unsigned run, failed;
};

/* Both placements of every prefix, the whole line included; false and a diagnosis on the first fault. */
static bool survives_cuts(struct arena arena, struct slice line)
{
    for (size_t n = 0; n <= line.n; n++)
        for (int at_end = 0; at_end < 2; at_end++) {
            struct described d;
            memset(arena.data, '7', arena.size);
            struct slice cut = arena_place(arena, slice_of(line.p, n), at_end);
            describe_read(cut, &d);
            const char *fault = unsound(arena, cut, &d);
            if (fault) {
                printf("# cut at %zu: %s is not in the line\n", n, fault);
                return false;
            }
        }
    return true;
}

/* The description without its LF; to be freed. */
static char *description(struct slice line)
{
    char *text = NULL;
    size_t n = 0;
    struct described d;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        die("open_memstream");
    describe_read(line, &d);
    describe_line(out, &d);
    if (fclose(out) != 0 || n == 0)
        die("open_memstream");
    text[n - 1] = '\0';
    return text;
}

/* The byte that \xHH at p stands for, or -1.  p is a C string. */
static int hex_escape(const char *p)
{
    static const char digits[] = "0123456789abcdef";
    const char *high, *low;
    if (p[0] != '\\' || p[1] != 'x' || !p[2] || !p[3])
        return -1;
    high = strchr(digits, p[2]);
    low = strchr(digits, p[3]);
    return high && low ? (int)((high - digits) * 16 + (low - digits)) : -1;
}

/* Decodes \xHH (lower case) and \\ in place; other backslashes stay. */
static struct slice decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        int byte = hex_escape(from);
        if (byte >= 0)
            from += 3;
        else if (from[0] == '\\' && from[1] == '\\')
            from++;
        *to++ = (char)(byte >= 0 ? byte : *from);
    }
    return slice_of(text, (size_t)(to - text));
}

static struct slice raw_line(char *text)
{
    return strncmp(text, "%x ", 3) == 0 ? decode(text + 3) : slice_of(text, strlen(text));
}

static void test_case(struct tally *tally, const char *file, char *line_text, const char *want)
{
    char *shown = strdup(line_text);
    struct slice line = raw_line(line_text);
    struct arena arena = arena_new(line.n);
    char *got = description(arena_place(arena, line, true));
    bool whole = survives_cuts(arena, line), same = strcmp(got, want) == 0;
    tally->run++;
    tally->failed += !whole || !same;
    printf("%s %u - %s: %.60s\n", whole && same ? "ok" : "not ok", tally->run, file, shown);
    if (!same)
        printf("# line %s\n# got  %s\n# want %s\n", shown, got, want);
    free(got);
    free(shown);
    arena_free(arena);
}

/* Reads blocks and either tests them or prints them with what was got. */
static void run_file(struct tally *tally, const char *file, bool accept)
{
    char *text = NULL, *line = NULL;
    size_t cap = 0;
    ssize_t n;
    FILE *in = fopen(file, "r");
    if (!in)
        die(file);
    while ((n = getline(&text, &cap, in)) >= 0) {
        if (n > 0 && text[n - 1] == '\n')
            text[n - 1] = '\0';
        bool content = text[0] != '\0' && text[0] != '#';
        if (accept && !(line && content))
            puts(text);
        if (content && !line) {
            line = strdup(text);
        } else if (content && accept) {
            char *got = description(raw_line(line));
            puts(got);
            free(got);
            free(line);
            line = NULL;
        } else if (content) {
            test_case(tally, file, line, text);
            free(line);
            line = NULL;
        } else if (line && text[0] == '\0') {
            tally->run++;
            tally->failed++;
            printf("not ok %u - %s: no description of: %.60s\n", tally->run, file, line);
            free(line);
            line = NULL;
        }
    }
    free(line);
    free(text);
    fclose(in);
}

int main(int argc, char **argv)
{
    struct tally tally = {0, 0};
    bool accept = argc > 1 && strcmp(argv[1], "--accept") == 0;
    for (int i = accept ? 2 : 1; i < argc; i++)
        run_file(&tally, argv[i], accept);
    if (accept)
        return 0;
    printf("1..%u\n%u passed, %u failed\n", tally.run, tally.run - tally.failed, tally.failed);
    return tally.failed || !tally.run;
}
