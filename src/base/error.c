/* error.c — struct error filled and told. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

#include "text.h"

int error_set(struct error *err, enum failure kind, const char *format, ...)
{
    va_list args;
    err->kind = kind;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -1;
}

void error_print(const struct error *err)
{
    fputs("mailtrail: ", stderr);
    text_write(stderr, slice_of(err->text, strlen(err->text)), TEXT_TERMINAL);
    fputc('\n', stderr);
}
