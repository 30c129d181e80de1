/* carry.c — fixed eight-octet numbers: simple, and the stored carry is small anyway. */
#include "carry.h"

#include <stdlib.h>

#include "../base/memory.h"

static void put_bytes(struct carry *out, const void *p, size_t n)
{
    out->bytes = grow(out->bytes, &out->capacity, out->size + n, 1);
    memcpy(out->bytes + out->size, p, n);
    out->size += n;
}

void carry_put_int(struct carry *out, int64_t value)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)value >> (8 * i));
    put_bytes(out, bytes, sizeof bytes);
}

void carry_put_text(struct carry *out, struct slice text)
{
    carry_put_int(out, text.p ? (int64_t)text.n : -1);
    if (text.n)
        put_bytes(out, text.p, text.n);
}

int64_t carry_get_int(struct carry *in)
{
    uint64_t value = 0;
    if (in->bad || in->size - in->at < 8) {
        in->bad = true;
        return 0;
    }
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)(unsigned char)in->bytes[in->at + (size_t)i] << (8 * i);
    in->at += 8;
    return (int64_t)value;
}

struct slice carry_get_text(struct carry *in)
{
    int64_t n = carry_get_int(in);
    if (n < 0 || in->bad)
        return SLICE_ABSENT;
    if ((uint64_t)n > in->size - in->at) {
        in->bad = true;
        return SLICE_ABSENT;
    }
    struct slice text = slice_of(in->bytes + in->at, (size_t)n);
    in->at += (size_t)n;
    return text;
}

void carry_free(struct carry *carry)
{
    if (carry->capacity)
        free(carry->bytes);
    *carry = (struct carry){0};
}
