/* eximstats_options.c — what each word of the command line sets. */
#include "eximstats_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/memory.h"
#include "../base/version.h"
#include "eximstats.h"
#include "time_bounds.h"

enum { EXIT_HELP = 1, EXIT_BAD_OUTPUT = 2, EXIT_BAD_PATTERN = 25 };

const char *const by_names[BY_KINDS] = {"Host", "Domain", "Email", "Edomain"};
const char *const by_small_names[BY_KINDS] = {"host", "domain", "email", "edomain"};

/* The words not yet read. */
struct words {
    char **at; /* the option that is being read; NULL-terminated */
    int exit;  /* EXIMSTATS_GO while all is well */
};

static void print_help(void)
{
    fputs("\neximstats " EXIMSTATS_VERSION ", of mailtrail\n\n"
          "Usage:\n"
          "  eximstats [OUTPUT] [OPTIONS] [LOG...]\n"
          "  eximstats -merge [OUTPUT] [OPTIONS] [REPORT...]\n\n"
          "Counts what Exim's main log, plain or compressed, its own or syslog's, says of the mail, and prints a\n"
          "report. Without a file it reads standard input.\n\n"
          "Output (plain text on standard output if none is named; without =FILE, standard output):\n"
          "  -txt[=FILE]     plain text\n"
          "  -html[=FILE]    a page\n"
          "  -xls[=FILE]     an Excel workbook (.xlsx)\n\n"
          "Options, each a word of its own:\n"
          "  -hN             N histogram slots an hour, a factor of 60; 0: no histograms (1)\n"
          "  -ne             no list of errors\n"
          "  -nr             no relayed messages;  -nr/REGEX/  not those that match\n"
          "  -nt             no transports;  -nt/REGEX/  without deliveries whose transport matches\n"
          "  -nvr            volumes as plain octets\n"
          "  -tN             N rows in the league tables; 0: no tables (50)\n"
          "  -tnl            no tables of local senders and destinations\n"
          "  -t_remote_users the same tables with remote users\n"
          "  -qLIST          bounds of the queue times in seconds: -q60,5*60; 0: no such tables\n"
          "  -show_rt[LIST]  receipt times (log_selector +queue_time_overall)\n"
          "  -show_dt[LIST]  delivery times (log_selector +deliver_time)\n"
          "  -include_original_destination\n"
          "                  the original address beside the final one\n"
          "  -byhost -bydomain -byemail -byedomain\n"
          "                  what senders and destinations are counted by (host)\n"
          "  -bylocaldomain  destinations by local domain too\n"
          "  -pattern TEXT /REGEX/\n"
          "                  counts lines that match, under TEXT; may be given often\n"
          "  -merge          the files are reports, text or HTML, to be added up\n"
          "  -charts         charts in the HTML\n"
          "  -chartdir DIR   the charts as SVG files in DIR instead;  -chartrel DIR  how the page finds them (.)\n"
          "  -emptyok        an empty report is no error\n"
          "  -utc            stamps without a zone are UTC, not local time\n"
          "  -d              says on standard error which rejections have no known reason\n"
          "  --version\n\n", stdout);
}

static void print_version(const char *program)
{
    const char *slash = strrchr(program, '/');
    printf("%s: %s\nbuild: %s\nmailtrail(runtime): %s\n", slash ? slash + 1 : program, program, EXIMSTATS_VERSION,
           MAILTRAIL_VERSION);
}

/* ---- words ------------------------------------------------------------------------------------- */

static const char *behind(const char *word, const char *start)
{
    size_t n = strlen(start);
    return strncmp(word, start, n) == 0 ? word + n : NULL;
}

static bool all_of(const char *text, const char *allowed)
{
    return strspn(text, allowed) == strlen(text);
}

/* The next word, or NULL: an empty one and "0" end the list for eximstats. */
static char *next_word(struct words *words)
{
    char *word = words->at[1];
    return word && *word && strcmp(word, "0") != 0 ? word : NULL;
}

/* An argument that may be quoted over several words, since many a cron job passes it unquoted. */
static char *quoted_argument(struct words *words)
{
    char *all = xstrdup("");
    for (char *word; (word = next_word(words)); words->at++) {
        char *longer = *all ? xprintf("%s %s", all, word) : xstrdup(word);
        free(all);
        all = longer;
        size_t n = strlen(all);
        bool quoted = *all == '"' || *all == '\'';
        if (quoted && (n < 2 || all[n - 1] != *all))
            continue;
        words->at++;
        if (quoted) {
            memmove(all, all + 1, n - 2);
            all[n - 2] = 0;
        }
        return all;
    }
    fprintf(stderr, "Mismatched argument quotes - <%s>.\n", all);
    free(all);
    words->exit = EXIT_BAD_OUTPUT;
    return NULL;
}

static void fail_pattern(struct words *words, const struct error *err)
{
    fprintf(stderr, "eximstats: %s\n", err->text);
    words->exit = EXIT_BAD_PATTERN;
}

/* ---- options ----------------------------------------------------------------------------------- */

static void take_pattern(struct eximstats_options *o, struct words *words)
{
    struct error err;
    char *description = quoted_argument(words);
    char *source = description ? quoted_argument(words) : NULL;
    o->patterns = grow(o->patterns, &o->pattern_capacity, o->pattern_count + 1, sizeof *o->patterns);
    struct user_pattern *pattern = &o->patterns[o->pattern_count++];
    *pattern = (struct user_pattern){.description = description};
    if (source && perl_source_new(source, &pattern->regex, &err) < 0)
        fail_pattern(words, &err);
    free(source);
}

/* -nr, -nt: nothing, or a pattern between two equal characters; whatever else follows counts as nothing. */
static void take_hidden(struct words *words, const char *rest, bool *shown, struct perl_regex **hidden)
{
    struct error err;
    size_t n = strlen(rest);
    if (n < 2 || rest[0] != rest[n - 1]) {
        *shown = false;
        return;
    }
    perl_regex_free(hidden);
    char *pattern = xprintf("%.*s", (int)n - 2, rest + 1);
    if (perl_regex_new(pattern, 0, hidden, &err) < 0)
        fail_pattern(words, &err);
    free(pattern);
}

static bool is_taken(const struct eximstats_options *o, const char *path)
{
    for (size_t i = 0; i < OUT_KINDS; i++)
        if (o->outputs[i] && strcmp(o->outputs[i], path) == 0)
            return true;
    return false;
}

/* Files are made anew at once, as eximstats does: a bad path is known before hours of reading. */
static void take_output(struct eximstats_options *o, struct words *words, int kind, const char *rest)
{
    const char *path = *rest == '=' ? rest + 1 : rest;
    if (!*path)
        path = "-";
    if (is_taken(o, path)) {
        fprintf(stderr, "You can only output to '%s' once! Use -h for help.\n", path);
        words->exit = EXIT_BAD_OUTPUT;
        return;
    }
    o->outputs[kind] = path;
    if (strcmp(path, "-") == 0)
        return;
    if (unlink(path) < 0 && errno != ENOENT) {
        fprintf(stderr, "Failed to rm %s: %s\n", path, strerror(errno));
        words->exit = EXIT_BAD_OUTPUT;
        return;
    }
    FILE *made = fopen(path, "wx");
    if (!made || fclose(made) != 0) {
        fprintf(stderr, "eximstats: cannot write %s: %s\n", path, strerror(errno));
        words->exit = EXIT_BAD_OUTPUT;
    }
}

static bool take_flag(struct eximstats_options *o, const char *word)
{
    const struct { const char *name; bool *flag; bool value; } flags[] = {
        {"-ne", &o->errors, false}, {"-nvr", &o->rounded, false}, {"-tnl", &o->local_users, false},
        {"-t_remote_users", &o->remote_users, true}, {"-include_original_destination", &o->original, true},
        {"-byhost", &o->by[BY_HOST], true}, {"-bydomain", &o->by[BY_DOMAIN], true},
        {"-byemail", &o->by[BY_EMAIL], true}, {"-byedomain", &o->by[BY_EDOMAIN], true},
        {"-byemaildomain", &o->by[BY_EDOMAIN], true}, {"-bylocaldomain", &o->local_domains, true},
        {"-merge", &o->merge, true}, {"-charts", &o->charts, true}, {"-emptyok", &o->empty_ok, true},
        {"-utc", &o->utc, true}, {"-d", &o->debug, true}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(word, flags[i].name) == 0) {
            *flags[i].flag = flags[i].value;
            return true;
        }
    return strcmp(word, "-cache") == 0;
}

/* -hN, -tN. */
static bool take_number(struct eximstats_options *o, const char *word)
{
    char letter = word[1];
    if ((letter != 'h' && letter != 't') || !word[2] || !all_of(word + 2, "0123456789"))
        return false;
    uint64_t n = strtoull(word + 2, NULL, 10);
    if (letter == 't')
        o->top = n;
    else
        o->per_hour = n > 61 ? 61 : (unsigned)n;
    return true;
}

static void set_bounds(struct time_bounds *bounds, const char *text)
{
    free(bounds->seconds);
    time_bounds_read(bounds, text);
}

static bool take_bounds(struct eximstats_options *o, const char *word)
{
    static const char allowed[] = ",0123456789+-*/";
    const struct { const char *name; struct time_bounds *bounds; bool may_be_bare; } lists[] = {
        {"-q", &o->queue, false}, {"-show_rt", &o->receipt, true}, {"-show_dt", &o->delivery, true}};
    for (size_t i = 0; i < 3; i++) {
        const char *rest = behind(word, lists[i].name);
        if (!rest || !all_of(rest, allowed) || (!*rest && !lists[i].may_be_bare))
            continue;
        set_bounds(lists[i].bounds, rest);
        return true;
    }
    return false;
}

static bool take_chart_place(struct eximstats_options *o, struct words *words)
{
    bool dir = strcmp(*words->at, "-chartdir") == 0;
    if (!dir && strcmp(*words->at, "-chartrel") != 0)
        return false;
    const char *place = words->at[1] ? words->at[1] : "";
    if (dir)
        o->chart_dir = place;
    else
        o->chart_rel = place;
    o->chart_files = true;
    if (words->at[1])
        words->at++;
    return true;
}

static bool take_named_output(struct eximstats_options *o, struct words *words)
{
    static const char *const names[OUT_KINDS] = {"-txt", "-html", "-xls"};
    for (int kind = 0; kind < OUT_KINDS; kind++) {
        const char *rest = behind(*words->at, names[kind]);
        if (!rest || strpbrk(rest, " \t\n\r\f\v"))
            continue;
        take_output(o, words, kind, rest);
        return true;
    }
    return false;
}

static bool is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || strcmp(word, "--h") == 0 || strcmp(word, "-help") == 0 ||
           strcmp(word, "--help") == 0;
}

static void take_option(struct eximstats_options *o, struct words *words)
{
    const char *word = *words->at, *rest;
    if (take_flag(o, word) || take_number(o, word) || take_bounds(o, word) || take_chart_place(o, words) ||
        take_named_output(o, words))
        return;
    if ((rest = behind(word, "-nr")))
        take_hidden(words, rest, &o->relay, &o->relay_hidden);
    else if ((rest = behind(word, "-nt")))
        take_hidden(words, rest, &o->transports, &o->transport_hidden);
    else if (strcmp(word, "-pattern") == 0)
        take_pattern(o, words);
    else {
        if (!is_help(word))
            fprintf(stderr, "Eximstats: Unknown or malformed option %s\n", word);
        print_help();
        words->exit = EXIT_HELP;
    }
}

/* ---- all of it --------------------------------------------------------------------------------- */

static void set_defaults(struct eximstats_options *o)
{
    *o = (struct eximstats_options){
        .errors = true, .relay = true, .transports = true, .rounded = true, .local_users = true,
        .per_hour = 1, .top = 50, .chart_dir = ".", .chart_rel = "."};
    set_bounds(&o->queue, "");
}

static int settle(struct eximstats_options *o)
{
    if (!o->outputs[OUT_TEXT] && !o->outputs[OUT_HTML] && !o->outputs[OUT_XLS])
        o->outputs[OUT_TEXT] = "-";
    if (o->chart_files && !o->charts)
        fputs("-charts option not specified. Use -help for help.\n", stderr);
    if (!o->by[BY_DOMAIN] && !o->by[BY_EMAIL] && !o->by[BY_EDOMAIN])
        o->by[BY_HOST] = true;
    if (o->per_hour > 60 || (o->per_hour && 60 % o->per_hour != 0)) {
        fputs("Eximstats: -h must specify a factor of 60\n", stderr);
        return EXIT_HELP;
    }
    return EXIMSTATS_GO;
}

int eximstats_options_read(struct eximstats_options *options, int argc, char **argv)
{
    struct words words = {.at = argv + 1, .exit = EXIMSTATS_GO};
    set_defaults(options);
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        print_version(argv[0]);
        return 0;
    }
    while (words.exit == EXIMSTATS_GO && *words.at && **words.at == '-') {
        take_option(options, &words);
        words.at += *words.at != NULL;
    }
    options->files = words.at;
    return words.exit == EXIMSTATS_GO ? settle(options) : words.exit;
}

void eximstats_options_free(struct eximstats_options *options)
{
    for (size_t i = 0; i < options->pattern_count; i++) {
        free(options->patterns[i].description);
        perl_regex_free(&options->patterns[i].regex);
    }
    free(options->patterns);
    perl_regex_free(&options->relay_hidden);
    perl_regex_free(&options->transport_hidden);
    free(options->queue.seconds);
    free(options->receipt.seconds);
    free(options->delivery.seconds);
}
