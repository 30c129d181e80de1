/* lzw.c — each code stands for a string: that of an earlier one, and an octet more. */
#include "lzw.h"

#include <stdint.h>
#include <stdlib.h>

#include "../base/memory.h"

#define WIDTH_MIN 9
#define WIDTH_MAX 16
#define CODES (1 << WIDTH_MAX)
#define CLEAR 256 /* forget all strings, where the header allows it */
#define NO_CODE (-1)

struct lzw {
    unsigned head_read;       /* octets of the header, 3 in all */
    unsigned width_max;       /* bits of the widest code of this file */
    bool clears;              /* code 256 is CLEAR */
    unsigned width, in_group; /* bits of a code; codes of this width come in groups of 8, of which so many were read */
    unsigned skip;            /* octets up to the end of a group that was left early */
    uint32_t bits;            /* octets read and not yet used, the lowest bits first */
    unsigned bit_count;
    uint32_t next;            /* the code of the next string */
    int previous;             /* the code before, or NO_CODE */
    unsigned char first;      /* first octet of its string */
    uint16_t prefix[CODES];   /* of a string: the code of all but its last octet, which is less than its own */
    unsigned char last[CODES];
    unsigned char stack[CODES]; /* a string, its last octet first */
    size_t stacked;
};

struct lzw *lzw_new(void)
{
    struct lzw *z = xmalloc(sizeof *z);
    lzw_restart(z);
    return z;
}

void lzw_free(struct lzw **lzw)
{
    free(*lzw);
    *lzw = NULL;
}

static void forget_strings(struct lzw *z)
{
    z->width = WIDTH_MIN;
    z->next = z->clears ? CLEAR + 1 : CLEAR;
    z->previous = NO_CODE;
}

void lzw_restart(struct lzw *z)
{
    z->head_read = z->in_group = z->skip = z->bit_count = 0;
    z->bits = 0;
    z->stacked = 0;
}

/* Takes the header: two octets of magic, and the flags.  false: there is no such packing. */
static bool take_head(struct lzw *z, unsigned char octet)
{
    if (++z->head_read < 3)
        return true;
    z->width_max = octet & 0x1f;
    z->clears = octet & 0x80;
    forget_strings(z);
    return z->width_max >= WIDTH_MIN && z->width_max <= WIDTH_MAX;
}

/* A change of width leaves the rest of a group unused. */
static void leave_group(struct lzw *z)
{
    if (z->in_group > 0)
        z->skip = z->width - (z->in_group * z->width + z->bit_count) / 8;
    z->in_group = z->bit_count = 0;
    z->bits = 0;
}

/* The next code, or NO_CODE: more octets are needed. */
static int next_code(struct lzw *z, struct octets *in)
{
    for (; z->skip > 0 && in->n > 0; z->skip--, in->n--)
        in->p++;
    for (; z->bit_count < z->width && in->n > 0; z->bit_count += 8, in->n--)
        z->bits |= (uint32_t)*in->p++ << z->bit_count;
    if (z->bit_count < z->width)
        return NO_CODE;
    int code = (int)(z->bits & ((1U << z->width) - 1));
    z->bits >>= z->width;
    z->bit_count -= z->width;
    z->in_group = (z->in_group + 1) % 8;
    return code;
}

/* The string of the code before, and an octet more, becomes one. */
static void add_string(struct lzw *z, unsigned char last)
{
    if (z->previous == NO_CODE || z->next >= 1U << z->width_max)
        return;
    z->prefix[z->next] = (uint16_t)z->previous;
    z->last[z->next] = last;
    z->next++;
}

/* Puts a code's string on the stack; false: there is none yet. */
static bool take_code(struct lzw *z, int code)
{
    int rest = code;
    if (code >= CLEAR && (z->previous == NO_CODE || (uint32_t)code > z->next))
        return false;
    if (code >= CLEAR && (uint32_t)code == z->next) { /* the one that it makes itself */
        z->stack[z->stacked++] = z->first;
        rest = z->previous;
    }
    for (; rest >= CLEAR; rest = z->prefix[rest])
        z->stack[z->stacked++] = z->last[rest];
    z->first = z->stack[z->stacked++] = (unsigned char)rest;
    add_string(z, z->first);
    z->previous = code;
    if (z->next == 1U << z->width && z->width < z->width_max) {
        leave_group(z);
        z->width++;
    }
    return true;
}

static void pop(struct lzw *z, struct octets *out)
{
    for (; z->stacked > 0 && out->n > 0; out->n--)
        *out->p++ = z->stack[--z->stacked];
}

enum unpacked lzw_run(struct lzw *z, struct octets *in, struct octets *out)
{
    for (; z->head_read < 3; in->n--)
        if (in->n == 0)
            return UNPACK_MORE;
        else if (!take_head(z, *in->p++))
            return UNPACK_BROKEN;
    for (pop(z, out); out->n > 0; pop(z, out)) {
        int code = next_code(z, in);
        if (code == NO_CODE) /* the last octet is filled up with zeros */
            return z->bit_count < 8 && z->bits == 0 ? UNPACK_WHOLE : UNPACK_MORE;
        if (code == CLEAR && z->clears) {
            leave_group(z);
            forget_strings(z);
        } else if (!take_code(z, code)) {
            return UNPACK_BROKEN;
        }
    }
    return UNPACK_MORE;
}
