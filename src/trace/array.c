/* array.c — see array.h. */
#include "array.h"

#include <string.h>

struct slice array_next(struct slice *array, char *room)
{
    const char *open = array->n ? memchr(array->p, '"', array->n) : NULL;
    size_t n = 0, i = open ? (size_t)(open - array->p) + 1 : array->n;
    for (; i < array->n && array->p[i] != '"'; i++) {
        if (array->p[i] == '\\' && i + 1 < array->n && (array->p[i + 1] == '"' || array->p[i + 1] == '\\'))
            i++;
        room[n++] = array->p[i];
    }
    *array = slice_after(*array, i < array->n ? i + 1 : array->n);
    return open ? slice_of(room, n) : SLICE_ABSENT;
}
