/* unpack.c — the libraries behind one door; what is between members. */
#include "unpack.h"

#include <bzlib.h>
#include <limits.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "../base/memory.h"
#include "lzw.h"

struct codec {
    const char *magic; /* the first octets of each member */
    size_t magic_size;
    bool goes_on;   /* one run takes members one behind the other */
    bool tells_end;
    void (*begin)(struct unpacker *u); /* a member; also the first, all of *u's state then being zero */
    enum unpacked (*run)(struct unpacker *u, struct octets *in, struct octets *out);
    void (*end)(struct unpacker *u);
};

struct unpacker {
    const struct codec *codec;
    bool inside; /* a member */
    bool done;   /* behind the last member */
    union {
        z_stream gzip;
        ZSTD_DStream *zstd;
        bz_stream bzip2;
        lzma_stream xz;
        struct lzw *lzw;
    };
};

static unsigned up_to_int(size_t n)
{
    return n < INT_MAX ? (unsigned)n : INT_MAX;
}

static void advance(struct octets *octets, size_t n)
{
    octets->p += n;
    octets->n -= n;
}

/* ---- gzip -------------------------------------------------------------------------------------- */

static void begin_gzip(struct unpacker *u)
{
    int code = u->gzip.state ? inflateReset(&u->gzip) : inflateInit2(&u->gzip, 15 + 16);
    if (code != Z_OK)
        exit(EXIT_MEMORY);
}

static enum unpacked run_gzip(struct unpacker *u, struct octets *in, struct octets *out)
{
    z_stream *z = &u->gzip;
    unsigned lent_in = z->avail_in = up_to_int(in->n), lent_out = z->avail_out = up_to_int(out->n);
    z->next_in = in->p;
    z->next_out = out->p;
    int code = inflate(z, Z_NO_FLUSH);
    advance(in, lent_in - z->avail_in);
    advance(out, lent_out - z->avail_out);
    if (code == Z_MEM_ERROR)
        exit(EXIT_MEMORY);
    return code == Z_STREAM_END ? UNPACK_WHOLE : code == Z_OK || code == Z_BUF_ERROR ? UNPACK_MORE : UNPACK_BROKEN;
}

static void end_gzip(struct unpacker *u)
{
    inflateEnd(&u->gzip);
}

/* ---- zstd -------------------------------------------------------------------------------------- */

static void begin_zstd(struct unpacker *u)
{
    if (!u->zstd && !(u->zstd = ZSTD_createDStream()))
        exit(EXIT_MEMORY);
    ZSTD_initDStream(u->zstd);
}

static enum unpacked run_zstd(struct unpacker *u, struct octets *in, struct octets *out)
{
    ZSTD_inBuffer from = {in->p, in->n, 0};
    ZSTD_outBuffer to = {out->p, out->n, 0};
    size_t code = ZSTD_decompressStream(u->zstd, &to, &from);
    advance(in, from.pos);
    advance(out, to.pos);
    if (!ZSTD_isError(code))
        return code == 0 ? UNPACK_WHOLE : UNPACK_MORE;
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_memory_allocation: exit(EXIT_MEMORY);
    case ZSTD_error_frameParameter_windowTooLarge: return UNPACK_HUGE;
    default: return UNPACK_BROKEN;
    }
}

static void end_zstd(struct unpacker *u)
{
    ZSTD_freeDStream(u->zstd);
}

/* ---- bzip2 ------------------------------------------------------------------------------------- */

static void begin_bzip2(struct unpacker *u)
{
    BZ2_bzDecompressEnd(&u->bzip2);
    if (BZ2_bzDecompressInit(&u->bzip2, 0, 0) != BZ_OK)
        exit(EXIT_MEMORY);
}

static enum unpacked run_bzip2(struct unpacker *u, struct octets *in, struct octets *out)
{
    bz_stream *z = &u->bzip2;
    unsigned lent_in = z->avail_in = up_to_int(in->n), lent_out = z->avail_out = up_to_int(out->n);
    z->next_in = (char *)in->p;
    z->next_out = (char *)out->p;
    int code = BZ2_bzDecompress(z);
    advance(in, lent_in - z->avail_in);
    advance(out, lent_out - z->avail_out);
    if (code == BZ_MEM_ERROR)
        exit(EXIT_MEMORY);
    return code == BZ_STREAM_END ? UNPACK_WHOLE : code == BZ_OK ? UNPACK_MORE : UNPACK_BROKEN;
}

static void end_bzip2(struct unpacker *u)
{
    BZ2_bzDecompressEnd(&u->bzip2);
}

/* ---- xz and lzma ------------------------------------------------------------------------------- */

static void begin_xz(struct unpacker *u)
{
    if (lzma_auto_decoder(&u->xz, UNPACK_MEMORY_MAX, 0) != LZMA_OK)
        exit(EXIT_MEMORY);
}

static enum unpacked run_xz(struct unpacker *u, struct octets *in, struct octets *out)
{
    lzma_stream *z = &u->xz;
    z->next_in = in->p;
    z->avail_in = in->n;
    z->next_out = out->p;
    z->avail_out = out->n;
    lzma_ret code = lzma_code(z, LZMA_RUN);
    advance(in, in->n - z->avail_in);
    advance(out, out->n - z->avail_out);
    switch (code) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: return UNPACK_MORE; /* nothing to do */
    case LZMA_STREAM_END: return UNPACK_WHOLE;
    case LZMA_MEMLIMIT_ERROR: return UNPACK_HUGE;
    case LZMA_MEM_ERROR: exit(EXIT_MEMORY);
    default: return UNPACK_BROKEN;
    }
}

static void end_xz(struct unpacker *u)
{
    lzma_end(&u->xz);
}

/* ---- compress ---------------------------------------------------------------------------------- */

static void begin_lzw(struct unpacker *u)
{
    if (u->lzw)
        lzw_restart(u->lzw);
    else
        u->lzw = lzw_new();
}

static enum unpacked run_lzw(struct unpacker *u, struct octets *in, struct octets *out)
{
    return lzw_run(u->lzw, in, out);
}

static void end_lzw(struct unpacker *u)
{
    lzw_free(&u->lzw);
}

/* ---- all of them ------------------------------------------------------------------------------- */

static const struct codec codecs[] = {
    {"\x1f\x8b", 2, false, true, begin_gzip, run_gzip, end_gzip},
    {"\x28\xb5\x2f\xfd", 4, true, true, begin_zstd, run_zstd, end_zstd},
    {"BZh", 3, false, true, begin_bzip2, run_bzip2, end_bzip2},
    {"\xfd\x37zX", 4, false, true, begin_xz, run_xz, end_xz},
    {"\x5d\0\0", 3, false, true, begin_xz, run_xz, end_xz},
    {"\x1f\x9d", 2, true, false, begin_lzw, run_lzw, end_lzw},
};

struct unpacker *unpacker_new(struct octets head)
{
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (head.n >= codecs[i].magic_size && memcmp(head.p, codecs[i].magic, codecs[i].magic_size) == 0) {
            struct unpacker *u = xcalloc(1, sizeof *u);
            u->codec = &codecs[i];
            u->codec->begin(u);
            return u;
        }
    return NULL;
}

void unpacker_free(struct unpacker **unpacker)
{
    if (*unpacker)
        (*unpacker)->codec->end(*unpacker);
    free(*unpacker);
    *unpacker = NULL;
}

void unpacker_restart(struct unpacker *u)
{
    u->inside = u->done = false;
    u->codec->begin(u);
}

/* Goes into a further member, if one follows; padding (zeros) before it is passed over. */
static bool enter_member(struct unpacker *u, struct octets *in)
{
    if (u->codec->goes_on)
        return in->n > 0;
    while (in->n > 0 && *in->p == 0)
        advance(in, 1);
    u->done |= in->n > 0 && *in->p != (unsigned char)*u->codec->magic;
    if (u->done)
        advance(in, in->n);
    if (in->n > 0)
        u->codec->begin(u);
    return in->n > 0;
}

enum unpacked unpacker_run(struct unpacker *u, struct octets *in, struct octets *out)
{
    if (!u->inside && !enter_member(u, in))
        return UNPACK_WHOLE;
    enum unpacked got = u->codec->run(u, in, out);
    u->inside = got != UNPACK_WHOLE;
    return got;
}

bool unpacker_tells_end(const struct unpacker *u)
{
    return u->codec->tells_end;
}
