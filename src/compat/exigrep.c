/* exigrep.c — lines gathered message by message; a message is printed when it ends, if a line of it matched.

   Whatever the log does, memory holds a ring of lines (backlog.h), some hundred octets for each message that has begun
   and not ended, and with -M 16 octets for each message that a line names. */
#include "exigrep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/memory.h"
#include "../ingest/lines.h"
#include "exigrep_line.h"
#include "open_messages.h"
#include "pager.h"
#include "perl_regex.h"
#include "relations.h"

#define RING_SIZE ((size_t)4 << 20)

struct search {
    const struct exigrep_options *options;
    struct perl_regex *regex;
    struct perl_regex *exact; /* with case; NULL: it could match nothing that regex does not */
    struct open_messages *open;
    struct backlog *backlog;
    struct relations *relations; /* -M only */
    struct source **kept;        /* by file: what cannot be opened twice */
    char *long_line;             /* room for a line that is cut */
    uint64_t line_number;
};

/* What is done with each line.  -1: *err. */
typedef int taker(struct search *search, const struct exigrep_line *line, struct error *err);

/* ---- matching ---------------------------------------------------------------------------------- */

/* Whether a pattern may match with regard to case where it does not match without: where it says what must not be
   there, or takes all it can get and gives nothing back. */
static bool may_narrow(const char *pattern)
{
    static const char *const marks[] = {"[^", "(?", "(*", "++", "*+", "?+", "}+"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strstr(pattern, marks[i]))
            return true;
    return false;
}

static int compile(struct search *search, struct error *err)
{
    const struct exigrep_options *options = search->options;
    unsigned flags = options->literal ? PERL_REGEX_LITERAL : 0;
    if (perl_regex_new(options->pattern, flags | (options->sensitive ? 0 : PERL_REGEX_CASELESS), &search->regex, err) < 0)
        return -1;
    if (options->sensitive || options->literal || !may_narrow(options->pattern))
        return 0;
    return perl_regex_new(options->pattern, flags, &search->exact, err);
}

/* As perl_regex_matches. */
static int matches(struct search *search, const struct exigrep_line *line, struct error *err)
{
    int found = perl_regex_matches(search->regex, line->text, err);
    return found == 0 && search->exact ? perl_regex_matches(search->exact, line->text, err) : found;
}

/* ---- messages ---------------------------------------------------------------------------------- */

static struct slice id_of(const struct open_message *message)
{
    return slice_of(message->id, message->id_size);
}

static bool is_wanted(const struct search *search, const struct open_message *message)
{
    return message->matched != search->options->invert;
}

/* Whether a message that ends with this line was in the queue for longer than -t wants. */
static bool is_long(const struct search *search, const struct open_message *message, const struct exigrep_line *end)
{
    int64_t limit = search->options->queue_time;
    return limit == -1 || exigrep_time_between(message->opened, exigrep_time_of(end)) > limit * 1000000;
}

static struct open_message *message_of(struct search *search, const struct exigrep_line *line)
{
    struct open_message *message = open_messages_get(search->open, line->id);
    if (message->first_line == 0) {
        message->first_line = search->line_number;
        if (search->options->queue_time != -1)
            message->opened = exigrep_time_of(line);
    }
    return message;
}

static int print_message(struct search *search, const struct open_message *message, struct error *err)
{
    if (backlog_write(search->backlog, &message->lines, stdout, err) < 0)
        return -1;
    putchar('\n');
    return 0;
}

static void close_message(struct search *search, struct open_message *message)
{
    backlog_drop(search->backlog, &message->lines);
    open_messages_close(search->open, message);
}

/* A line of a message.  With -M it is known from the first reading which are wanted. */
static int take_message_line(struct search *search, const struct exigrep_line *line, struct error *err)
{
    struct open_message *message = message_of(search, line);
    int found = message->matched   ? 1
                : search->relations ? relations_wanted(search->relations, line->id)
                                    : matches(search, line, err);
    if (found < 0 || backlog_add(search->backlog, &message->lines, line->text, err) < 0)
        return -1;
    message->matched = found;
    if (!exigrep_line_ends(line))
        return 0;
    int done = is_wanted(search, message) && is_long(search, message, line) ? print_message(search, message, err) : 0;
    close_message(search, message);
    return done;
}

static int take_line(struct search *search, const struct exigrep_line *line, struct error *err)
{
    if (line->id.p)
        return take_message_line(search, line, err);
    int found = matches(search, line, err);
    if (found < 0 || (found == 1) == search->options->invert)
        return found < 0 ? -1 : 0;
    fwrite(line->text.p, 1, line->text.n, stdout);
    putchar('\n');
    return 0;
}

/* The first reading for -M. */
static int take_relations(struct search *search, const struct exigrep_line *line, struct error *err)
{
    if (!line->id.p)
        return 0;
    int found = matches(search, line, err);
    if (found > 0)
        relations_want(search->relations, line->id);
    relations_read(search->relations, line);
    return found < 0 ? -1 : 0;
}

static int print_incomplete(struct search *search, struct error *err)
{
    size_t count;
    struct open_message **list = open_messages_list(search->open, &count);
    int done = 0;
    for (size_t i = 0; i < count && done == 0; i++)
        if (is_wanted(search, list[i])) {
            struct slice id = id_of(list[i]);
            printf("+++ %.*s has not completed +++\n", (int)id.n, id.p);
            done = print_message(search, list[i], err);
        }
    free(list);
    return done;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* The line with its LF, which stands behind it unless the line was cut. */
static struct slice with_lf(struct search *search, const struct line *line)
{
    if (line->size == (int64_t)line->text.n)
        return slice_of(line->text.p, line->text.n + !line->open);
    memcpy(search->long_line, line->text.p, line->text.n);
    search->long_line[line->text.n] = '\n';
    return slice_of(search->long_line, line->text.n + !line->open);
}

static int read_lines(struct search *search, struct lines *lines, taker *take, struct error *err)
{
    struct line line;
    int more;
    while ((more = lines_next(lines, &line, err)) > 0) {
        struct exigrep_line read;
        search->line_number++;
        if (exigrep_line_read(with_lf(search, &line), &read) && take(search, &read, err) < 0)
            return -1;
    }
    return more;
}

/* A pipe by name (as bash's <(...) is) takes the place of standard input. */
static void pipe_as_input(const char **name)
{
    struct stat st;
    int fd = stat(*name, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) ? open(*name, O_RDONLY) : -1;
    if (fd < 0)
        return;
    dup2(fd, STDIN_FILENO);
    close(fd);
    *name = "-";
}

/* Opens a file, or what was kept of the first reading. */
static int open_source(const char *name, struct source **kept, struct source **source, struct error *err)
{
    if (*kept) {
        *source = *kept;
        *kept = NULL;
        return source_seek(*source, 0, err);
    }
    pipe_as_input(&name);
    return source_open(name, source, err);
}

/* As read_lines, from a file. */
static int read_file(struct search *search, const char *name, struct source **kept, taker *take, struct error *err)
{
    struct source *source = NULL;
    if (open_source(name, kept, &source, err) < 0)
        return -1;
    struct lines *lines = lines_over(source, 0, SLICE_ABSENT);
    int done = read_lines(search, lines, take, err);
    lines_free(&lines);
    if (source_facts(source)->regular)
        source_close(&source);
    *kept = source;
    return done;
}

/* Reads the files one after the other.  A broken compressed file gives what it has; one that cannot be read ends it all.
   told: errors are told. */
static enum exigrep_exit read_files(struct search *search, taker *take, bool told)
{
    char input[] = "-", *only_input[] = {input, NULL};
    char **files = search->options->files[0] ? search->options->files : only_input;
    enum exigrep_exit exit_code = EXIGREP_DONE;
    struct error err;
    for (size_t i = 0; files[i]; i++) {
        if (read_file(search, files[i], &search->kept[i], take, &err) == 0)
            continue;
        if (told)
            error_print(&err);
        if (err.kind != FAIL_GZIP)
            return EXIGREP_FAILED;
        exit_code = EXIGREP_PART;
    }
    return exit_code;
}

/* ---- all of it --------------------------------------------------------------------------------- */

static size_t count_files(char *const *files)
{
    size_t count = 0;
    while (files[count])
        count++;
    return count;
}

static enum exigrep_exit search_all(struct search *search)
{
    struct error err;
    if (search->options->related && !search->options->invert) {
        search->relations = relations_new();
        read_files(search, take_relations, false);
        relations_follow(search->relations);
        search->line_number = 0;
    }
    enum exigrep_exit exit_code = read_files(search, take_line, true);
    if (exit_code == EXIGREP_FAILED || print_incomplete(search, &err) == 0)
        return exit_code;
    error_print(&err);
    return EXIGREP_FAILED;
}

static void free_search(struct search *search, size_t files)
{
    perl_regex_free(&search->regex);
    perl_regex_free(&search->exact);
    open_messages_free(&search->open);
    backlog_free(&search->backlog);
    relations_free(&search->relations);
    for (size_t i = 0; i < files; i++)
        source_close(&search->kept[i]);
    free(search->kept);
    free(search->long_line);
}

enum exigrep_exit exigrep_run(const struct exigrep_options *options)
{
    struct search search = {.options = options};
    struct error err;
    if (compile(&search, &err) < 0) {
        error_print(&err);
        perl_regex_free(&search.regex);
        return EXIGREP_PATTERN;
    }
    size_t files = count_files(options->files) + 1;
    search.open = open_messages_new();
    search.backlog = backlog_new(RING_SIZE);
    search.kept = xcalloc(files, sizeof *search.kept);
    search.long_line = xmalloc(LINE_KEPT + 1);
    int pager = options->no_pager ? 0 : pager_start();
    enum exigrep_exit exit_code = search_all(&search);
    pager_wait(pager);
    free_search(&search, files);
    return exit_code;
}
