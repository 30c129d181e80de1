/* cutting_test.c — sources of every packing read as one stream, and cut into lines: at the edges of chunks
   (512 KiB), of what is kept of a line (LINE_KEPT) and of the tail, against a plain cutter in memory. */
#include <bzlib.h>
#include <lzma.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "../../src/ingest/lines.h"
#include "tap.h"

#define CHUNK (512 << 10) /* of lines.c */

struct text {
    char *p;
    size_t n, room;
};

static void add(struct text *t, size_t line, bool lf)
{
    if (t->n + line + 1 > t->room)
        t->p = realloc(t->p, t->room = (t->n + line + 1) * 2);
    if (!t->p)
        abort();
    for (size_t i = 0; i < line; i++)
        t->p[t->n + i] = (char)('!' + (t->n + i * 7) % 90);
    t->n += line;
    if (lf)
        t->p[t->n++] = '\n';
}

static struct source *opened(const char *name)
{
    struct source *source;
    struct error err;
    if (source_open(name, &source, &err) < 0) {
        printf("# %s\n", err.text);
        abort();
    }
    return source;
}

/* ---- lines ---- */

/* NULL, or what differs from what a plain cutter says of the line that begins at from. */
static const char *line_fault(const struct text *t, const struct line *line, size_t from, struct slice tail)
{
    const char *lf = memchr(t->p + from, '\n', t->n - from);
    size_t size = lf ? (size_t)(lf - t->p) - from : t->n - from;
    size_t end = from + size + (lf != NULL);
    size_t kept = size < LINE_KEPT ? size : LINE_KEPT;
    size_t before = end < TAIL_SIZE ? end : TAIL_SIZE;
    if (line->offset != (int64_t)from || line->end != (int64_t)end || line->size != (int64_t)size)
        return "offsets";
    if (line->open != !lf)
        return "open";
    if (line->text.n != kept || memcmp(line->text.p, t->p + from, kept) != 0)
        return "text";
    if (tail.n != before || memcmp(tail.p, t->p + end - before, before) != 0)
        return "tail";
    return NULL;
}

static void test_text(const struct text *t, size_t from, const char *name)
{
    char *file = file_of(t->p, t->n);
    struct source *source = opened(file);
    struct error err;
    struct line line;
    const char *fault = source_seek(source, (int64_t)from, &err) == 1 ? NULL : "seek";
    struct lines *lines = lines_over(source, (int64_t)from, slice_of(t->p, from));
    size_t at = from, count = 0;
    while (!fault && lines_next(lines, &line, &err) > 0) {
        fault = line_fault(t, &line, at, lines_tail(lines));
        at = (size_t)line.end;
        count++;
    }
    if (!check(!fault && at == t->n, "%s", name))
        printf("# %s wrong in line %zu at %zu of %zu\n", fault ? fault : "end", count, at, t->n);
    lines_free(&lines);
    source_close(&source);
    unlink(file);
    free(file);
}

/* Lines of the sizes given, 0-terminated; a size of -1 is an empty line; open: no LF behind the last. */
static void test_sizes(const char *name, const int *sizes, bool open)
{
    struct text t = {0};
    for (size_t i = 0; sizes[i]; i++)
        add(&t, sizes[i] < 0 ? 0 : (size_t)sizes[i], !open || sizes[i + 1]);
    test_text(&t, 0, name);
    free(t.p);
}

#define SIZES(name, open, ...) test_sizes(name, (const int[]){__VA_ARGS__, 0}, open)

static void test_edges(void)
{
    SIZES("nothing but one LF", false, -1);
    SIZES("a line without LF", true, 10);
    SIZES("a line's LF is a chunk's last octet", false, CHUNK - 1, 10);
    SIZES("a line's LF is a chunk's first octet", false, CHUNK, 10);
    SIZES("a line begins with a chunk's last octet", false, CHUNK - 2, 10);
    SIZES("many lines, one ending with a chunk", false, 100000, 100000, 100000, 100000, CHUNK - 400005, 5, 5);
    SIZES("empty lines around a chunk's end", false, CHUNK - 3, -1, -1, -1, -1, 7);
    SIZES("the end at a chunk's end", true, 1000, CHUNK - 1001);
    SIZES("the end at a chunk's end, with LF", false, 1000, CHUNK - 1002);
    SIZES("the end one behind a chunk", true, 1000, CHUNK - 1000);
    for (int more = -1; more <= 1; more++) {
        SIZES("as much as is kept of a line", false, 5, LINE_KEPT + more, 5);
        SIZES("as much as is kept of a line, over a chunk's end", false, CHUNK - LINE_KEPT + more, LINE_KEPT + more, 5);
        SIZES("as much as is kept of a line, LF first in a chunk", false, CHUNK - LINE_KEPT - 1, LINE_KEPT + more, 5, 5);
        SIZES("as much as is kept of a line, at the end", true, CHUNK - LINE_KEPT + more, LINE_KEPT + more);
        SIZES("a line of a chunk", false, CHUNK + more, 5);
        SIZES("a line of two chunks", false, 5, 2 * CHUNK + more, 5);
        SIZES("a line of four chunks", false, 5, 4 * CHUNK + more, -1, 5, 4 * CHUNK + more, 6);
        SIZES("a long line at the end", true, 5, 3 * CHUNK + more);
        SIZES("a long line that ends a tail's length into a chunk", false, 2 * CHUNK + TAIL_SIZE + more, 5, 4000, 90);
    }
}

static void test_random(void)
{
    srand(7);
    for (int round = 0; round < 5; round++) {
        struct text t = {0};
        while (t.n < (size_t)3 * CHUNK) {
            int kind = rand() % 40;
            add(&t, (size_t)(kind == 0 ? rand() % (2 * CHUNK) : kind < 4 ? rand() % (LINE_KEPT * 2) : rand() % 300), true);
        }
        add(&t, (size_t)(rand() % 3), false);
        test_text(&t, 0, "random lines");
        const char *lf = memchr(t.p + t.n / 3, '\n', t.n / 3);
        if (lf)
            test_text(&t, (size_t)(lf - t.p) + 1, "random lines from the middle on");
        free(t.p);
    }
}

/* ---- packing ---- */

static size_t gzip_into(char *out, size_t cap, const char *p, size_t n)
{
    z_stream z = {0};
    if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_in = (unsigned char *)(uintptr_t)p;
    z.avail_in = (unsigned)n;
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)cap;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    deflateEnd(&z);
    return z.total_out;
}

static size_t zstd_into(char *out, size_t cap, const char *p, size_t n)
{
    return ZSTD_compress(out, cap, p, n, 3);
}

static size_t bzip2_into(char *out, size_t cap, const char *p, size_t n)
{
    unsigned size = (unsigned)cap;
    if (BZ2_bzBuffToBuffCompress(out, &size, (char *)(uintptr_t)p, (unsigned)n, 1, 0, 0) != BZ_OK)
        abort();
    return size;
}

static size_t xz_into(char *out, size_t cap, const char *p, size_t n)
{
    size_t size = 0;
    if (lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, (const uint8_t *)p, n, (uint8_t *)out, &size, cap) != LZMA_OK)
        abort();
    return size;
}

static size_t lzma_into(char *out, size_t cap, const char *p, size_t n)
{
    lzma_options_lzma options;
    lzma_stream z = LZMA_STREAM_INIT;
    if (lzma_lzma_preset(&options, 0) || lzma_alone_encoder(&z, &options) != LZMA_OK)
        abort();
    z.next_in = (const uint8_t *)p;
    z.avail_in = n;
    z.next_out = (uint8_t *)out;
    z.avail_out = cap;
    if (lzma_code(&z, LZMA_FINISH) != LZMA_STREAM_END)
        abort();
    lzma_end(&z);
    return z.total_out;
}

/* By the program compress, with codes of up to so many bits. */
static size_t compress_into(char *out, size_t cap, const char *p, size_t n, int bits)
{
    char command[600], *plain = file_of(p, n);
    snprintf(command, sizeof command, "compress -b %d <'%s'", bits, plain);
    FILE *packed = popen(command, "r");
    size_t size = packed ? fread(out, 1, cap, packed) : 0;
    if (!packed || pclose(packed) != 0 || size < 3)
        abort();
    unlink(plain);
    free(plain);
    return size;
}

struct outcome {
    size_t good;   /* octets that are those of the text */
    bool wrong;    /* other octets came */
    int end;       /* 0, or -1 */
    enum failure kind;
    bool whole;
};

static struct outcome read_all(struct source *source, const struct text *t, size_t from, size_t step)
{
    struct outcome o = {.good = from};
    struct error err;
    char *buf = malloc(step);
    ptrdiff_t n;
    while ((n = source_read(source, buf, step, &err)) > 0) {
        o.wrong |= o.good + (size_t)n > t->n || memcmp(buf, t->p + o.good, (size_t)n) != 0;
        if (o.wrong)
            break;
        o.good += (size_t)n;
    }
    o.end = (int)n;
    o.kind = n < 0 ? err.kind : FAIL_OS;
    o.whole = source_is_whole(source);
    free(buf);
    return o;
}

static void test_packed(const char *name, const char *packed, size_t size, const struct text *t)
{
    struct error err;
    char *file = file_of(packed, size);
    bool for_good = packed != t->p && memcmp(packed, "\x1f\x9d", 2) != 0;
    for (size_t step = 29; step < 300000; step = step * 17 + 3) {
        struct source *source = opened(file);
        struct outcome o = read_all(source, t, 0, step);
        check(!o.wrong && o.end == 0 && o.good == t->n && o.whole == for_good, "%s, read by %zu", name, step);
        source_close(&source);
    }
    struct source *source = opened(file);
    for (size_t i = 0; i < 6; i++) {
        size_t at = (i * 7919 * 13) % t->n;
        char byte;
        check(source_seek(source, (int64_t)at, &err) == 1 && source_read(source, &byte, 1, &err) == 1 && byte == t->p[at],
              "%s: to octet %zu", name, at);
    }
    check(source_seek(source, (int64_t)t->n, &err) == 1, "%s: to its end", name);
    check(source_seek(source, (int64_t)t->n + 1, &err) == 0, "%s: not beyond", name);
    source_close(&source);
    unlink(file);
    free(file);
}

/* Cut at every octet of a small file: what comes is right, and a cut is told but between members. */
static void test_cuts(const char *name, const char *packed, size_t size, size_t boundary, const struct text *t)
{
    unsigned wrong = 0, silent = 0;
    for (size_t cut = 4; cut < size; cut++) {
        char *file = file_of(packed, cut);
        struct source *source = opened(file);
        struct outcome o = read_all(source, t, 0, 1000);
        wrong += o.wrong;
        silent += cut == boundary ? o.end != 0 || !o.whole : o.end == 0 || o.kind != FAIL_GZIP || o.whole;
        source_close(&source);
        unlink(file);
        free(file);
    }
    check(wrong == 0, "%s cut short: only what was there", name);
    check(silent == 0, "%s cut short: told, but not between two members", name);
}

/* Octets changed by chance: it ends, and what is broken before its end never passes for all of it. */
static void test_damage(const char *name, const char *packed, size_t size, const struct text *t, bool summed)
{
    unsigned silent = 0;
    char *copy = malloc(size);
    for (int round = 0; round < 300; round++) {
        memcpy(copy, packed, size);
        for (int i = 0; i <= round % 3; i++)
            copy[4 + (size_t)rand() % (size - 4)] ^= (char)(1 << rand() % 8);
        char *file = file_of(copy, size);
        struct source *source = opened(file);
        struct outcome o = read_all(source, t, 0, 1000);
        silent += o.wrong ? 0 : o.end == 0 && o.good != t->n && summed;
        source_close(&source);
        unlink(file);
        free(file);
    }
    free(copy);
    check(silent == 0, "%s damaged: not less than all without an error", name);
}

typedef size_t packer(char *out, size_t cap, const char *p, size_t n);

static void test_packing(const char *name, packer *pack, bool summed, const struct text *t, const struct text *small)
{
    char label[100];
    size_t cap = t->n * 2 + 10000;
    char *packed = malloc(cap);
    size_t n = pack(packed, cap, t->p, t->n);
    test_packed(name, packed, n, t);
    n = pack(packed, cap, t->p, 1000);
    n += pack(packed + n, cap - n, t->p + 1000, 0);
    n += pack(packed + n, cap - n, t->p + 1000, 300001);
    n += pack(packed + n, cap - n, t->p + 301001, t->n - 301001);
    snprintf(label, sizeof label, "%s of four members", name);
    test_packed(label, packed, n, t);

    size_t first = pack(packed, cap, small->p, 400);
    n = first + pack(packed + first, cap - first, small->p + 400, small->n - 400);
    test_cuts(name, packed, n, first, small);
    test_damage(name, packed, n, small, summed);
    free(packed);
}

static void test_padding(const struct text *t)
{
    static const struct {
        const char *name;
        packer *pack;
    } padded[] = {{"gzip", gzip_into}, {"bzip2", bzip2_into}, {"xz", xz_into}};
    size_t cap = t->n * 2 + 10000;
    char label[100], *packed = malloc(cap);
    for (size_t i = 0; i < 3; i++) {
        size_t n = padded[i].pack(packed, cap, t->p, 1000);
        memset(packed + n, 0, 600);
        n += 600 + padded[i].pack(packed + n + 600, cap - n - 600, t->p + 1000, t->n - 1000);
        snprintf(label, sizeof label, "%s, zeros between members", padded[i].name);
        test_packed(label, packed, n, t);
        memcpy(packed + n, "\0\0junk\x1f\x8b" "BZh\xfd", 12);
        snprintf(label, sizeof label, "%s, something else behind it", padded[i].name);
        test_packed(label, packed, n + 12, t);
    }
    free(packed);
}

/* compress has no members, no sums, and does not tell its end. */
static void test_compress(const struct text *t, const struct text *small)
{
    size_t cap = t->n * 2 + 10000, n;
    char label[100], *packed = malloc(cap);
    for (int bits = 10; bits <= 16; bits++) { /* those of 9 it cannot read itself */
        n = compress_into(packed, cap, t->p, t->n, bits);
        snprintf(label, sizeof label, "compress with %d bits", bits);
        test_packed(label, packed, n, t);
    }
    struct text again = {0}; /* its codes outlive their use: they are forgotten on the way */
    while (again.n < 900000)
        add(&again, (size_t)rand() % 300, again.n % 3 > 0);
    test_packed("compress, of what changes", packed, compress_into(packed, cap, again.p, again.n, 12), &again);
    free(again.p);
    n = compress_into(packed, cap, small->p, small->n, 16);
    test_damage("compress", packed, n, small, false);
    unsigned wrong = 0, told = 0;
    for (size_t cut = 2; cut < n; cut++) {
        char *file = file_of(packed, cut);
        struct source *source = opened(file);
        struct outcome o = read_all(source, small, 0, 1000);
        wrong += o.wrong || o.whole || (o.end == 0 && o.good >= small->n);
        told += o.end < 0 && o.kind == FAIL_GZIP;
        source_close(&source);
        unlink(file);
        free(file);
    }
    check(wrong == 0, "compress cut short: only what was there, and never whole");
    check(told > n / 2, "compress cut short: told inside a code");
    free(packed);
}

/* An .xz whose dictionary would take more memory than there may be. */
static void test_huge(void)
{
    static const unsigned char head[] = {0x5d, 0, 0, 0, 0x40, 255, 255, 255, 255, 255, 255, 255, 255, 0, 1, 2, 3, 4, 5};
    char *file = file_of(head, sizeof head);
    struct source *source = opened(file);
    struct error err;
    char byte;
    check(source_read(source, &byte, 1, &err) < 0 && err.kind == FAIL_GZIP && strstr(err.text, "more than 128 MiB of memory"),
          "a dictionary of 1 GiB is refused");
    source_close(&source);
    unlink(file);
    free(file);
}

static void test_packings(void)
{
    struct text t = {0}, small = {0};
    while (t.n < 700000)
        add(&t, (t.n * 31) % 200, true);
    while (small.n < 700)
        add(&small, (small.n * 31) % 200, true);
    test_packed("plain, which may grow", t.p, t.n, &t);
    test_packing("gzip", gzip_into, true, &t, &small);
    test_packing("zstd", zstd_into, false, &t, &small);
    test_packing("bzip2", bzip2_into, true, &t, &small);
    test_packing("xz", xz_into, true, &t, &small);
    test_packing("lzma", lzma_into, false, &t, &small);
    test_padding(&t);
    test_compress(&t, &small);
    test_huge();
    free(small.p);
    free(t.p);
}

/* A line that a cut .gz leaves open is not a line: the error comes, also behind a line too long to keep. */
static void test_cut_lines(void)
{
    for (int size = 100; size < 300000; size = size * 20 + 1) {
        struct text t = {0};
        add(&t, 50, true);
        add(&t, (size_t)size, true);
        char *packed = malloc(t.n * 2 + 1000);
        size_t n = gzip_into(packed, t.n * 2 + 1000, t.p, t.n);
        char *file = file_of(packed, n - 9); /* without its trailer */
        struct source *source = opened(file);
        struct lines *lines = lines_over(source, 0, SLICE_ABSENT);
        struct line line;
        struct error err;
        int got, count = 0;
        while ((got = lines_next(lines, &line, &err)) > 0)
            count += !line.open;
        check(got < 0 && err.kind == FAIL_GZIP && count >= 1, "a .gz cut in a line of %d: an error", size);
        lines_free(&lines);
        source_close(&source);
        unlink(file);
        free(file);
        free(packed);
        free(t.p);
    }
}

static void test_refusals(void)
{
    struct source *source;
    struct error err;
    check(source_open("/nonexistent/log", &source, &err) < 0 && strstr(err.text, "no such file"), "no such file");
    check(source_open("/", &source, &err) < 0 && strstr(err.text, "is a folder"), "a folder");
    check(source_open("/dev/null", &source, &err) < 0 && strstr(err.text, "neither a file nor a folder"), "a device");
    char *file = file_of("", 0);
    source = opened(file);
    char byte;
    check(source_read(source, &byte, 1, &err) == 0 && !source_is_whole(source), "an empty file ends, and may grow");
    source_close(&source);
    unlink(file);
    free(file);
}

int main(void)
{
    test_edges();
    test_random();
    test_packings();
    test_cut_lines();
    test_refusals();
    return tap_end();
}
