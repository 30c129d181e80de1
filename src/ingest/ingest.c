/* ingest.c — which paths, which server, and what to say of each. */
#include "ingest.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/memory.h"
#include "../base/text.h"
#include "../../parsers/dialect.h"
#include "notes.h"
#include "progress.h"
#include "reader.h"
#include "timebase.h"

struct path {
    char *name;
    bool found;   /* in a folder, not named: what is no log is passed over */
    size_t named; /* number of the requested path that it came from */
    int64_t size;
};

struct ingest {
    struct store *store;
    const struct ingest_request *request;
    struct ingest_outcome *outcome;
    struct writer *writer;
    struct handover *handover;
    struct archive *archive;
    struct progress progress;
    struct path *paths;
    size_t path_count, path_capacity;
    bool *answered; /* by requested path: a log, or an error told, came of it */
    struct server **servers; /* each once, by name */
    size_t server_count, server_capacity;
    const struct source *current;
    struct notes notes;
    const char *unlogged; /* what the version of a daemon does not log, of how many sources, and the first of them */
    char *unlogged_path;
    int64_t unlogged_count;
};

/* How many paths of a kind are named, and what is said of the rest; nothing was taken of those that failed. */
static const struct {
    int64_t named;
    bool failed;
    const char *rest;
} note_kinds[] = {
    [NOTE_NO_LOG] = {3, false, "no log; passed over"},
    [NOTE_EMPTY] = {3, false, "empty; nothing to read"},
    [NOTE_NO_FILE] = {3, false, "neither a file nor a folder; passed over"},
    [NOTE_SERVER] = {1, true, "not taken either, for the zone given"},
    [NOTE_ZONE] = {1, true, "not taken either, for what their message ids say of the zone"},
    [NOTE_TWIN] = {1, true, "not taken either, as logs of another server"},
};

static void say(const struct ingest *in, const char *path, const char *what)
{
    if (in->request->quiet)
        return;
    progress_clear(&in->progress);
    fputs("mailtrail: ", stderr);
    text_write(stderr, slice_of(path, strlen(path)), TEXT_TERMINAL);
    fputs(": ", stderr);
    text_write(stderr, slice_of(what, strlen(what)), TEXT_TERMINAL);
    fputc('\n', stderr);
}

static void fail(struct ingest *in, const struct error *err)
{
    progress_clear(&in->progress);
    error_print(err);
    in->outcome->failed++;
}

/* Says something of a path that may be to be said of many in its folder. */
static void note(struct ingest *in, const char *path, enum note_kind kind, size_t named, const char *what)
{
    if (notes_add(&in->notes, kind, in->request->paths[named]) <= note_kinds[kind].named)
        say(in, path, what);
}

/* The error of a path that many of a server may have. */
static void fail_of(struct ingest *in, enum note_kind kind, const char *server, const struct error *err)
{
    if (notes_add(&in->notes, kind, server) <= note_kinds[kind].named)
        fail(in, err);
    else
        in->outcome->failed++;
}

static void tell_rest(const struct ingest *in, const struct note *note)
{
    struct error said;
    int64_t rest = note->count - note_kinds[note->kind].named;
    bool failed = note_kinds[note->kind].failed;
    if (rest <= 0 || (in->request->quiet && !failed))
        return;
    error_set(&said, FAIL_DATA, "%s%s: %lld file%s more: %s", failed ? "server " : "", note->scope, (long long)rest,
              rest == 1 ? "" : "s", note_kinds[note->kind].rest);
    error_print(&said);
}

/* What is said once, with how many it is said of. */
static void tell_counts(const struct ingest *in)
{
    char others[40] = "";
    for (size_t i = 0; i < in->notes.count; i++)
        tell_rest(in, &in->notes.all[i]);
    if (!in->unlogged)
        return;
    if (in->unlogged_count > 1)
        snprintf(others, sizeof others, " and %lld more", (long long)in->unlogged_count - 1);
    char *who = xprintf("%s%s", in->unlogged_path, others);
    say(in, who, in->unlogged);
    free(who);
}

static void note_unlogged(struct ingest *in, const char *path, const char *unlogged)
{
    if (!in->unlogged) {
        in->unlogged = unlogged;
        in->unlogged_path = xstrdup(path);
    }
    in->unlogged_count++;
}

/* ---- paths ------------------------------------------------------------------------------------- */

static void add_path(struct ingest *in, const char *name, bool found, size_t named, int64_t size)
{
    in->paths = grow(in->paths, &in->path_capacity, in->path_count + 1, sizeof *in->paths);
    in->paths[in->path_count++] = (struct path){xstrdup(name), found, named, size};
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void add_folder(struct ingest *in, const char *folder, size_t named)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_visible, alphasort);
    if (count < 0) {
        struct error err;
        error_set(&err, FAIL_OS, "%s: cannot be listed: %s; run as a user who may read it", folder,
                  strerror(errno));
        fail(in, &err);
        in->answered[named] = true;
        return;
    }
    for (int i = 0; i < count; i++) {
        char *name = xprintf("%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
                             entries[i]->d_name);
        struct stat link, st;
        if (lstat(name, &link) == 0 && stat(name, &st) == 0) {
            if (S_ISDIR(link.st_mode))
                add_folder(in, name, named);
            else if (S_ISREG(st.st_mode))
                add_path(in, name, true, named, st.st_size);
            else if (!S_ISDIR(st.st_mode))
                note(in, name, NOTE_NO_FILE, named, "neither a file nor a folder; passed over");
        }
        free(name);
        free(entries[i]);
    }
    free(entries);
}

static void add_named(struct ingest *in, size_t named)
{
    struct stat st;
    const char *name = in->request->paths[named];
    bool is_there = strcmp(name, "-") != 0 && stat(name, &st) == 0;
    if (is_there && S_ISDIR(st.st_mode)) {
        add_folder(in, name, named);
        return;
    }
    add_path(in, name, false, named, is_there ? st.st_size : 0);
    in->answered[named] = true;
}

/* A folder none of whose files is a log is worth an error. */
static void check_folders(struct ingest *in)
{
    for (size_t i = 0; i < in->request->path_count; i++) {
        struct error err;
        if (in->answered[i])
            continue;
        error_set(&err, FAIL_OS, "%s: no mail log in this folder; name the folder that holds them",
                  in->request->paths[i]);
        fail(in, &err);
    }
}

/* ---- servers ----------------------------------------------------------------------------------- */

static void host_name(char *name, size_t cap)
{
    if (gethostname(name, cap) < 0 || !*name)
        snprintf(name, cap, "localhost");
    name[cap - 1] = 0;
}

/* The settings of a path: the command line's first, then the configuration's. */
static struct settings settings_for(const struct ingest *in, const char *path)
{
    struct settings settings = config_for(in->request->config, path);
    const struct settings *given = &in->request->given;
    if (given->server)
        settings.server = given->server;
    if (given->zone)
        settings.zone = given->zone;
    if (given->year)
        settings.year = given->year;
    return settings;
}

/* A server by name, from the store at its first use. */
static int server_for(struct ingest *in, const struct settings *settings, const struct server **server,
                      struct error *err)
{
    const char *name = settings->server;
    for (size_t i = 0; i < in->server_count; i++)
        if (strcmp(in->servers[i]->name, name) == 0) {
            *server = in->servers[i];
            return settings->zone && strcmp(settings->zone, (*server)->zone_name) != 0
                       ? error_set(err, FAIL_USAGE, "server %s is in zone %s, not %s; one server has one zone",
                                   name, (*server)->zone_name, settings->zone)
                       : 0;
        }
    struct server *found = xmalloc(sizeof *found);
    if (store_server(in->store, name, settings->zone, found, err) < 0) {
        server_free(found);
        free(found);
        return -1;
    }
    in->servers = grow(in->servers, &in->server_capacity, in->server_count + 1, sizeof *in->servers);
    in->servers[in->server_count] = found;
    *server = in->servers[in->server_count++];
    return 0;
}

/* ---- one source -------------------------------------------------------------------------------- */

/* Whether the first octets hold a line with a stamp that a log has. */
static bool looks_like_log(struct slice head)
{
    while (head.n) {
        struct frame frame;
        const char *lf = memchr(head.p, '\n', head.n);
        size_t n = lf ? (size_t)(lf - head.p) : head.n;
        size_t text = n && head.p[n - 1] == '\r' ? n - 1 : n;
        frame_parse(slice_of(head.p, text), &frame);
        if (frame.kind != FRAME_NONE)
            return true;
        head = slice_after(head, lf ? n + 1 : n);
    }
    return false;
}

static void show_progress(void *context, const struct reading *reading)
{
    struct ingest *in = context;
    progress_show(&in->progress, source_progress(in->current), reading->lines);
}

static void tell_silence(const struct ingest *in, const char *path, const struct reading *reading)
{
    char what[200];
    if (reading->silence <= SILENCE_REPORTED)
        return;
    snprintf(what, sizeof what,
             "its stamps have no year and fall silent for %lld days; if the years are wrong, forget it and "
             "give --year", (long long)(reading->silence / 86400));
    say(in, path, what);
}

/* A copy has its own time, not that of its log. */
static void tell_unproved(const struct ingest *in, const char *path, const struct reading *reading)
{
    if (reading->unproved <= UNPROVED_REPORTED)
        return;
    char *what = xprintf("its stamps have no year and no message id tells it; the file was changed %lld days after the last "
                         "of them, and %lld was taken for the first; if that is wrong: mailtrail forget %s, and "
                         "mailtrail ingest --year YYYY %s", (long long)(reading->unproved / 86400),
                         (long long)reading->year, path, path);
    say(in, path, what);
    free(what);
}

/* A source goes on as it was begun: a hole in its lines would be worse than all or nothing. */
static void tell_lines(const struct ingest *in, const char *path, bool archived)
{
    say(in, path, archived ? "its lines were kept from the beginning, and go on being kept; forget it to read it without"
                           : "was begun without its lines (--no-lines), and goes on without; forget it to read it with them");
}

/* Counts what was kept of a source, and says what is to be known of it. */
static void account(struct ingest *in, const char *path, bool is_known, bool whole, const struct reading *reading)
{
    struct ingest_outcome *out = in->outcome;
    out->lines += reading->lines;
    out->unparsed += reading->unparsed;
    out->sources += reading->lines > 0;
    out->unchanged += whole && is_known && reading->lines == 0;
    out->empty += whole && !is_known && reading->lines == 0;
    tell_silence(in, path, reading);
    tell_unproved(in, path, reading);
    if (reading->unlogged && !is_known)
        note_unlogged(in, path, reading->unlogged);
}

/* Notes that a source, or a file that is known as one, was read to its end. */
static int note_read(struct ingest *in, const char *path, struct source *source, const struct resume *resume,
                     int64_t lines, struct error *err)
{
    if (!resume->is_known && lines == 0)
        return 0;
    if (lines == 0 && source_facts(source)->regular && sources_touch(in->store, &resume->row, path, err) < 0)
        return -1;
    return sources_file_read(in->store, source_facts(source), resume->row.id, err);
}

static int read_source(struct ingest *in, const struct path *path, const struct settings *settings,
                       const struct server *server, struct source *source, struct resume *resume,
                       struct error *err)
{
    struct reading reading;
    struct reader_job job = {
        .store = in->store, .handover = in->handover, .archive = in->archive, .server = server, .path = path->name,
        .source = source, .resume = resume, .settings = *settings,
        .progress = in->progress.shown ? show_progress : NULL, .context = in,
    };
    in->current = source;
    if (!resume->is_known)
        resume->row.archived = !in->request->no_lines;
    else if (resume->row.archived == in->request->no_lines)
        tell_lines(in, path->name, resume->row.archived);
    int done = reader_run(&job, &reading, err);
    if (done < 0 && err->kind == FAIL_DB)
        return -1;
    progress_next(&in->progress, source_progress(source), reading.lines);
    if (done < 0 && err->kind == FAIL_DATA) {
        fail_of(in, NOTE_ZONE, server->name, err);
        return 0;
    }
    account(in, path->name, resume->is_known, done == 0, &reading);
    if (done == 0)
        return note_read(in, path->name, source, resume, reading.lines, err);
    fail(in, err);
    return 0;
}

/* Not a log: an error for a path that was named, a note for one found in a folder. */
static void pass_over(struct ingest *in, const struct path *path, const struct resume *resume)
{
    struct error err;
    if (resume->head.n == 0) {
        in->outcome->empty++;
        if (path->found)
            note(in, path->name, NOTE_EMPTY, path->named, "is empty; nothing to read");
        else
            say(in, path->name, "is empty; nothing to read");
    } else if (path->found) {
        note(in, path->name, NOTE_NO_LOG, path->named, "no log (no line with a time stamp in its first 64 KiB); passed over");
    } else {
        error_set(&err, FAIL_OS,
                  "%s: is no log: no line with a time stamp in its first 64 KiB; name Exim's mainlog or a "
                  "syslog file", path->name);
        fail(in, &err);
    }
}

/* Under a wrong name, a log that is known would count twice: two servers never write the same.  1: it may be taken;
   0: it may not, which is told. */
static int is_of_one_server(struct ingest *in, const struct path *path, const struct server *server, struct resume *resume,
                            struct error *err)
{
    struct source_twin twin;
    if (resume->known_by >= TWIN_SIZE || in->request->twice)
        return 1;
    int found = resume_twin(in->store, resume, &twin, err);
    if (found <= 0)
        return found < 0 ? -1 : 1;
    error_set(err, FAIL_DATA,
              "%s: begins as a log of server %s (source %lld, %s), and would count twice as one of %s: nothing was taken; "
              "give --server %s, or if that is wrong, first: mailtrail forget %lld; --twice takes it for both", path->name,
              twin.server, (long long)twin.id, twin.path, server->name, twin.server, (long long)twin.id);
    fail_of(in, NOTE_TWIN, server->name, err);
    source_twin_free(&twin);
    return 0;
}

/* A source that is a log. */
static int take_log(struct ingest *in, const struct path *path, const struct settings *settings,
                    const struct server *server, struct source *source, struct resume *resume, struct error *err)
{
    int may = is_of_one_server(in, path, server, resume, err);
    return may <= 0 ? may : read_source(in, path, settings, server, source, resume, err);
}

static int take_source(struct ingest *in, const struct path *path, const struct settings *settings,
                       const struct server *server, struct source *source, struct error *err)
{
    struct resume resume;
    int known = sources_file_known(in->store, source_facts(source), server->id, path->name, err);
    if (known != 0) {
        in->outcome->unchanged += known > 0;
        progress_next(&in->progress, source_facts(source)->size, 0);
        return known < 0 ? -1 : 0;
    }
    int done = resume_find(in->store, server->id, source, &resume, err);
    if (done < 0 && err->kind != FAIL_DB) {
        fail(in, err);
        done = 0;
    } else if (done == 0 && !resume.is_known && !looks_like_log(resume.head)) {
        pass_over(in, path, &resume);
    } else if (done == 0) {
        done = take_log(in, path, settings, server, source, &resume, err);
    }
    resume_free(&resume);
    return done;
}

/* -1 only when the database failed. */
static int take_path(struct ingest *in, const struct path *path, struct error *err)
{
    struct settings settings = settings_for(in, path->name);
    char own_name[256];
    const struct server *server;
    struct source *source;
    if (!settings.server) {
        host_name(own_name, sizeof own_name);
        settings.server = own_name;
    }
    if (server_for(in, &settings, &server, err) < 0) {
        if (err->kind == FAIL_DB)
            return -1;
        fail_of(in, NOTE_SERVER, settings.server, err);
        return 0;
    }
    if (source_open(path->name, &source, err) < 0) {
        fail(in, err);
        return 0;
    }
    int done = take_source(in, path, &settings, server, source, err);
    source_close(&source);
    return done;
}

/* ---- the run ----------------------------------------------------------------------------------- */

/* A server none of whose logs was taken leaves no zone behind that a second try would meet. */
static int drop_unused_servers(struct ingest *in, struct error *err)
{
    return store_run(in->store,
                     "DELETE FROM zone_offset WHERE server NOT IN (SELECT server FROM source);"
                     "DELETE FROM server WHERE id NOT IN (SELECT server FROM source);", err);
}

static int take_one(struct ingest *in, const struct path *path, struct error *err)
{
    const struct ingest_outcome *out = in->outcome;
    int64_t before = out->sources + out->unchanged + out->empty + out->failed;
    int done = take_path(in, path, err);
    in->answered[path->named] |= out->sources + out->unchanged + out->empty + out->failed > before;
    return done;
}

static int take_all(struct ingest *in, struct error *err)
{
    int64_t total = 0;
    for (size_t i = 0; i < in->path_count; i++)
        total += in->paths[i].size;
    progress_start(&in->progress, in->request->quiet, total);
    for (size_t i = 0; i < in->path_count; i++)
        if (take_one(in, &in->paths[i], err) < 0)
            return -1;
    progress_clear(&in->progress);
    tell_counts(in);
    check_folders(in);
    return drop_unused_servers(in, err) < 0 ? -1 : writer_commit(in->writer, err);
}

static void release(struct ingest *in)
{
    handover_free(&in->handover);
    archive_free(&in->archive);
    if (in->writer) {
        in->outcome->rows = writer_rows(in->writer);
        in->outcome->copies = writer_copies(in->writer);
    }
    writer_free(&in->writer);
    for (size_t i = 0; i < in->path_count; i++)
        free(in->paths[i].name);
    free(in->paths);
    free(in->answered);
    free(in->unlogged_path);
    notes_free(&in->notes);
    for (size_t i = 0; i < in->server_count; i++)
        server_free(in->servers[i]), free(in->servers[i]);
    free(in->servers);
}

/* One heap that grows in large steps and is not given back in between: the writing thread's own would grow by
   a page at a time, thousands of times. */
static void settle_allocator(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TOP_PAD, 16 << 20);
    mallopt(M_TRIM_THRESHOLD, 512 << 20);
}

int ingest_run(struct store *store, const struct ingest_request *request, struct ingest_outcome *outcome,
               struct error *err)
{
    struct ingest in = {.store = store, .request = request, .outcome = outcome};
    settle_allocator();
    *outcome = (struct ingest_outcome){0};
    in.answered = xcalloc(request->path_count, sizeof *in.answered);
    for (size_t i = 0; i < request->path_count; i++)
        add_named(&in, i);
    int done = writer_new(store, &in.writer, err);
    if (done == 0) {
        in.archive = archive_new();
        in.handover = handover_new(in.writer, store_hash_seed(store));
        done = take_all(&in, err);
    }
    release(&in);
    if (done == 0)
        store_settle(store);
    return done;
}
