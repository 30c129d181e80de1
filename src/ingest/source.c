/* source.c — plain, gzip and zstd files and standard input, read as one stream. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "../base/memory.h"
#include "../base/temporary.h"

#define RAW_SIZE ((size_t)256 << 10)

enum packing { PACKED_NOT, PACKED_GZIP, PACKED_ZSTD, FED };

struct source {
    char *path; /* for messages */
    int fd;
    struct source_facts facts;
    enum packing packing;
    struct source_feed feed; /* of FED */
    bool is_input;   /* standard input: its end is for good */
    bool in_member;  /* inside a compressed member: an end here is a cut */
    bool ended;      /* no more raw octets */
    int64_t raw_read;
    int64_t offset;  /* uncompressed octets handed out */
    z_stream gzip;
    ZSTD_DStream *zstd;
    size_t raw_start, raw_end;
    unsigned char raw[RAW_SIZE];
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
    for (ssize_t n; (n = read_some(in->fd, in->raw, RAW_SIZE)) != 0;)
        if (n < 0 || write_all(fd, in->raw, (size_t)n) < 0) {
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

/* The magic number picks the packing; a .gz header also says when its log was last written (RFC 1952). */
static int detect_packing(struct source *in, struct error *err)
{
    unsigned char head[8] = {0};
    ssize_t n = pread(in->fd, head, sizeof head, 0);
    if (n < 0)
        return os_error(in, "cannot be read", err);
    if (n >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
        int64_t mtime = (int64_t)head[4] | (int64_t)head[5] << 8 | (int64_t)head[6] << 16 |
                        (int64_t)head[7] << 24;
        in->packing = PACKED_GZIP;
        if (mtime != 0)
            in->facts.log_time = mtime;
    } else if (n >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0) {
        in->packing = PACKED_ZSTD;
    }
    return 0;
}

static void start_unpacking(struct source *in)
{
    if (in->packing == PACKED_GZIP && inflateInit2(&in->gzip, 15 + 16) != Z_OK)
        exit(EXIT_MEMORY);
    if (in->packing == PACKED_ZSTD && !(in->zstd = ZSTD_createDStream()))
        exit(EXIT_MEMORY);
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
    start_unpacking(in);
    return 0;
}

struct source *source_over(const char *name, const struct source_feed *feed, int64_t log_time)
{
    struct source *in = xcalloc(1, sizeof *in);
    in->path = xstrdup(name);
    in->fd = -1;
    in->packing = FED;
    in->feed = *feed;
    in->facts.log_time = log_time;
    return in;
}

void source_close(struct source **source)
{
    struct source *in = *source;
    if (!in)
        return;
    if (in->packing == PACKED_GZIP)
        inflateEnd(&in->gzip);
    if (in->packing == FED)
        in->feed.close(in->feed.context);
    ZSTD_freeDStream(in->zstd);
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

/* More raw octets into an empty raw buffer; 0 at the end. */
static int fill_raw(struct source *in, struct error *err)
{
    ssize_t n = read_some(in->fd, in->raw, RAW_SIZE);
    if (n < 0)
        return os_error(in, "cannot be read", err);
    in->ended = n == 0;
    in->raw_read += n;
    in->raw_start = 0;
    in->raw_end = (size_t)n;
    return n > 0;
}

static int cut_short(struct source *in, struct error *err)
{
    return error_set(err, FAIL_GZIP,
                     "%s: compressed data ends early; what could be read was kept, read it again when "
                     "the file is whole", in->path);
}

static int broken(struct source *in, struct error *err)
{
    return error_set(err, FAIL_GZIP,
                     "%s: compressed data is damaged, noticed after %lld octets of log; what came before was kept, "
                     "though its last lines may be wrong: with a whole copy at hand, forget this one and read that",
                     in->path, (long long)in->offset);
}

/* Between two members: goes on with a further one, or takes the rest (zero padding, junk) as the end. */
static int next_member(struct source *in)
{
    if (in->raw[in->raw_start] != 0x1f) {
        in->raw_start = in->raw_end;
        return 0;
    }
    in->in_member = true;
    return inflateReset(&in->gzip) == Z_OK;
}

static ptrdiff_t read_gzip(struct source *in, char *buf, size_t cap, struct error *err)
{
    in->gzip.next_out = (unsigned char *)buf;
    in->gzip.avail_out = (unsigned)cap;
    while (in->gzip.avail_out == (unsigned)cap) {
        if (in->raw_start == in->raw_end) {
            int more = in->ended ? 0 : fill_raw(in, err);
            if (more < 0)
                return -1;
            if (more == 0)
                return in->in_member ? cut_short(in, err) : 0;
        }
        if (!in->in_member && !next_member(in))
            continue;
        in->gzip.next_in = in->raw + in->raw_start;
        in->gzip.avail_in = (unsigned)(in->raw_end - in->raw_start);
        int code = inflate(&in->gzip, Z_NO_FLUSH);
        in->raw_start = in->raw_end - in->gzip.avail_in;
        if (code == Z_STREAM_END)
            in->in_member = false;
        else if (code != Z_OK && code != Z_BUF_ERROR)
            return in->gzip.avail_out < cap ? (ptrdiff_t)(cap - in->gzip.avail_out) : broken(in, err);
    }
    return (ptrdiff_t)(cap - in->gzip.avail_out);
}

static ptrdiff_t read_zstd(struct source *in, char *buf, size_t cap, struct error *err)
{
    ZSTD_outBuffer out = {buf, cap, 0};
    while (out.pos == 0) {
        if (in->raw_start == in->raw_end) {
            int more = in->ended ? 0 : fill_raw(in, err);
            if (more < 0)
                return -1;
            if (more == 0)
                return in->in_member ? cut_short(in, err) : 0;
        }
        ZSTD_inBuffer raw = {in->raw, in->raw_end, in->raw_start};
        size_t code = ZSTD_decompressStream(in->zstd, &out, &raw);
        in->raw_start = raw.pos;
        if (ZSTD_isError(code))
            return broken(in, err);
        in->in_member = code != 0;
    }
    return (ptrdiff_t)out.pos;
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
    ptrdiff_t n = source->packing == PACKED_GZIP   ? read_gzip(source, buf, cap, err)
                  : source->packing == PACKED_ZSTD ? read_zstd(source, buf, cap, err)
                  : source->packing == FED         ? source->feed.read(source->feed.context, buf, cap, err)
                                                   : read_plain(source, buf, cap, err);
    if (n > 0)
        source->offset += n;
    return n;
}

/* ---- moving ------------------------------------------------------------------------------------ */

static int rewind_packed(struct source *in, struct error *err)
{
    in->offset = 0;
    if (in->packing == FED)
        return in->feed.rewind(in->feed.context, err);
    if (lseek(in->fd, 0, SEEK_SET) < 0)
        return os_error(in, "cannot be rewound", err);
    if (in->packing == PACKED_GZIP)
        inflateReset(&in->gzip);
    else
        ZSTD_initDStream(in->zstd);
    in->in_member = in->ended = false;
    in->raw_start = in->raw_end = 0;
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
    if (source->packing == PACKED_NOT) {
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
    return source->is_input || source->packing == FED || (source->packing != PACKED_NOT && source->ended && !source->in_member);
}

int64_t source_progress(const struct source *source)
{
    return source->raw_read;
}
