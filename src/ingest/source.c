/* source.c — plain and compressed files and standard input, read as one stream. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/memory.h"
#include "../base/temporary.h"
#include "unpack.h"

#define RAW_SIZE ((size_t)256 << 10)

struct source {
    char *path; /* for messages */
    int fd;
    struct source_facts facts;
    struct unpacker *unpacker; /* NULL: plain */
    enum unpacked unpacked;    /* how far it got */
    struct source_feed feed;   /* read: NULL: the octets are the file's */
    bool is_input; /* standard input: its end is for good */
    bool ended;    /* no more raw octets */
    int64_t raw_read;
    int64_t offset; /* uncompressed octets handed out */
    struct octets raw; /* read and not yet unpacked, in buffer */
    unsigned char buffer[RAW_SIZE];
};

static int os_error(struct source *in, const char *what, struct error *err)
{
    return error_set(err, FAIL_OS, "%s: %s: %s", in->path, what, strerror(errno));
}

/* ---- standard input ---------------------------------------------------------------------------- */

static int write_all(int fd, const unsigned char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static ssize_t read_some(int fd, void *buf, size_t cap)
{
    ssize_t n;
    do
        n = read(fd, buf, cap);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Copies a pipe to a temporary file, whose descriptor takes the pipe's place. */
static int spool_input(struct source *in, struct error *err)
{
    int fd = temporary_file();
    if (fd < 0)
        return os_error(in, "no temporary file; set TMPDIR to a folder with room", err);
    for (ssize_t n; (n = read_some(in->fd, in->buffer, RAW_SIZE)) != 0;)
        if (n < 0 || write_all(fd, in->buffer, (size_t)n) < 0) {
            os_error(in, n < 0 ? "cannot be read" : "cannot be copied to TMPDIR", err);
            close(fd);
            return -1;
        }
    in->fd = fd;
    return lseek(fd, 0, SEEK_SET) < 0 ? os_error(in, "cannot be rewound", err) : 0;
}

static int open_input(struct source *in, struct error *err)
{
    struct stat st;
    in->is_input = true;
    in->fd = STDIN_FILENO;
    if (fstat(in->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        in->fd = dup(in->fd);
        return in->fd < 0 ? os_error(in, "cannot be read", err) : 0;
    }
    return spool_input(in, err);
}

/* ---- opening ----------------------------------------------------------------------------------- */

static int open_path(struct source *in, struct error *err)
{
    /* O_NONBLOCK: a FIFO left in a log folder must not hang us. */
    in->fd = open(in->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (in->fd >= 0)
        return 0;
    if (errno == EACCES)
        return error_set(err, FAIL_OS, "%s: not readable; run as a user who may read it (root, group adm)",
                         in->path);
    if (errno == ENOENT)
        return error_set(err, FAIL_OS, "%s: no such file or folder; check the path", in->path);
    return os_error(in, "cannot be opened", err);
}

static int take_facts(struct source *in, struct error *err)
{
    struct stat st;
    if (fstat(in->fd, &st) < 0)
        return os_error(in, "cannot be looked at", err);
    if (S_ISDIR(st.st_mode))
        return error_set(err, FAIL_OS, "%s: is a folder", in->path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, FAIL_OS, "%s: neither a file nor a folder; pipe it into standard input",
                         in->path);
    in->facts = (struct source_facts){
        .device = st.st_dev,
        .inode = st.st_ino,
        .size = st.st_size,
        .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
        .log_time = st.st_mtim.tv_sec,
        .regular = !in->is_input,
    };
    return 0;
}

/* The first octets tell the packing; a .gz header also says when its log was last written (RFC 1952). */
static int detect_packing(struct source *in, struct error *err)
{
    unsigned char head[8] = {0};
    ssize_t n = pread(in->fd, head, sizeof head, 0);
    if (n < 0)
        return os_error(in, "cannot be read", err);
    in->unpacker = unpacker_new((struct octets){head, (size_t)n});
    if (n >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
        int64_t mtime = (int64_t)head[4] | (int64_t)head[5] << 8 | (int64_t)head[6] << 16 |
                        (int64_t)head[7] << 24;
        if (mtime != 0)
            in->facts.log_time = mtime;
    }
    return 0;
}

int source_open(const char *path, struct source **source, struct error *err)
{
    struct source *in = xcalloc(1, sizeof *in);
    in->path = xstrdup(strcmp(path, "-") == 0 ? "standard input" : path);
    in->fd = -1;
    *source = in;
    if ((strcmp(path, "-") == 0 ? open_input(in, err) : open_path(in, err)) < 0 ||
        take_facts(in, err) < 0 || detect_packing(in, err) < 0) {
        source_close(source);
        return -1;
    }
    return 0;
}

struct source *source_over(const char *name, const struct source_feed *feed, int64_t log_time)
{
    struct source *in = xcalloc(1, sizeof *in);
    in->path = xstrdup(name);
    in->fd = -1;
    in->feed = *feed;
    in->facts.log_time = log_time;
    return in;
}

void source_close(struct source **source)
{
    struct source *in = *source;
    if (!in)
        return;
    unpacker_free(&in->unpacker);
    if (in->feed.read)
        in->feed.close(in->feed.context);
    if (in->fd > STDERR_FILENO)
        close(in->fd);
    free(in->path);
    free(in);
    *source = NULL;
}

const struct source_facts *source_facts(const struct source *source)
{
    return &source->facts;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* More raw octets where there are none; at the end it stays empty. */
static int fill_raw(struct source *in, struct error *err)
{
    ssize_t n = read_some(in->fd, in->buffer, RAW_SIZE);
    if (n < 0)
        return os_error(in, "cannot be read", err);
    in->ended = n == 0;
    in->raw_read += n;
    in->raw = (struct octets){in->buffer, (size_t)n};
    return 0;
}

/* Why compressed data gives no more. */
static int packed_error(struct source *in, struct error *err)
{
    if (in->unpacked == UNPACK_MORE)
        return error_set(err, FAIL_GZIP,
                         "%s: compressed data ends early; what could be read was kept, read it again when "
                         "the file is whole", in->path);
    if (in->unpacked == UNPACK_HUGE)
        return error_set(err, FAIL_GZIP,
                         "%s: unpacking it takes more than %d MiB of memory; unpack it by hand and read that",
                         in->path, UNPACK_MEMORY_MAX >> 20);
    return error_set(err, FAIL_GZIP,
                     "%s: compressed data is damaged, noticed after %lld octets of log; what came before was kept, "
                     "though its last lines may be wrong: with a whole copy at hand, forget this one and read that",
                     in->path, (long long)in->offset);
}

static ptrdiff_t read_packed(struct source *in, char *buf, size_t cap, struct error *err)
{
    struct octets out = {(unsigned char *)buf, cap};
    while (out.n == cap) {
        if (in->unpacked == UNPACK_BROKEN || in->unpacked == UNPACK_HUGE)
            return packed_error(in, err);
        if (in->raw.n == 0 && !in->ended && fill_raw(in, err) < 0)
            return -1;
        size_t before = in->raw.n;
        in->unpacked = unpacker_run(in->unpacker, &in->raw, &out);
        if (in->ended && before == 0 && out.n == cap)
            return in->unpacked == UNPACK_WHOLE ? 0 : packed_error(in, err);
    }
    return (ptrdiff_t)(cap - out.n);
}

static ptrdiff_t read_plain(struct source *in, char *buf, size_t cap, struct error *err)
{
    ssize_t n = read_some(in->fd, buf, cap);
    if (n < 0)
        return os_error(in, "cannot be read", err);
    in->raw_read += n;
    return n;
}

ptrdiff_t source_read(struct source *source, char *buf, size_t cap, struct error *err)
{
    ptrdiff_t n = source->feed.read     ? source->feed.read(source->feed.context, buf, cap, err)
                  : source->unpacker ? read_packed(source, buf, cap, err)
                                     : read_plain(source, buf, cap, err);
    if (n > 0)
        source->offset += n;
    return n;
}

/* ---- moving ------------------------------------------------------------------------------------ */

static int rewind_packed(struct source *in, struct error *err)
{
    in->offset = 0;
    if (in->feed.read)
        return in->feed.rewind(in->feed.context, err);
    if (lseek(in->fd, 0, SEEK_SET) < 0)
        return os_error(in, "cannot be rewound", err);
    unpacker_restart(in->unpacker);
    in->unpacked = UNPACK_MORE;
    in->ended = false;
    in->raw.n = 0;
    in->raw_read = 0;
    return 0;
}

static int discard(struct source *in, int64_t octets, struct error *err)
{
    char *buf = xmalloc(RAW_SIZE);
    ptrdiff_t n = 1;
    while (octets > 0 && n > 0) {
        n = source_read(in, buf, octets < (int64_t)RAW_SIZE ? (size_t)octets : RAW_SIZE, err);
        octets -= n > 0 ? n : 0;
    }
    free(buf);
    return n < 0 ? -1 : octets == 0;
}

int source_seek(struct source *source, int64_t offset, struct error *err)
{
    if (!source->unpacker) {
        if (offset > source->facts.size)
            return 0;
        if (lseek(source->fd, offset, SEEK_SET) < 0)
            return os_error(source, "cannot be positioned", err);
        source->offset = source->raw_read = offset;
        return 1;
    }
    if (offset < source->offset && rewind_packed(source, err) < 0)
        return -1;
    return discard(source, offset - source->offset, err);
}

bool source_is_whole(const struct source *source)
{
    return source->is_input || source->feed.read ||
           (source->unpacker && source->ended && source->unpacked == UNPACK_WHOLE &&
            unpacker_tells_end(source->unpacker));
}

int64_t source_progress(const struct source *source)
{
    return source->raw_read;
}
