/* tap.h — checks that print TAP; a main that runs them ends with return tap_end(). */
#ifndef MAILTRAIL_TAP_H
#define MAILTRAIL_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../parsers/slice.h"

static unsigned tap_run, tap_failed;

__attribute__((format(printf, 2, 3))) static inline bool check(bool good, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%sok %u - ", good ? "" : "not ", ++tap_run);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    tap_failed += !good;
    return good;
}

static inline bool check_int(int64_t got, int64_t wanted, const char *what)
{
    if (!check(got == wanted, "%s", what))
        printf("# got %" PRId64 ", wanted %" PRId64 "\n", got, wanted);
    return got == wanted;
}

static inline bool check_text(struct slice got, const char *wanted, const char *what)
{
    bool good = wanted ? slice_is(got, wanted) : !got.p;
    if (!check(good, "%s", what))
        printf("# got '%.*s', wanted '%s'\n", (int)got.n, got.p ? got.p : "", wanted ? wanted : "(absent)");
    return good;
}

/* A file that holds these octets; the name must be free()d after unlink(). */
static inline char *file_of(const void *bytes, size_t n)
{
    const char *dir = getenv("TMPDIR");
    size_t room = strlen(dir ? dir : "/tmp") + 32;
    char *name = malloc(room);
    if (!name)
        abort();
    snprintf(name, room, "%s/mailtrail-unit-XXXXXX", dir ? dir : "/tmp");
    int fd = mkstemp(name);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file || fwrite(bytes, 1, n, file) != n || fclose(file) != 0)
        abort();
    return name;
}

static inline int tap_end(void)
{
    printf("1..%u\n", tap_run);
    return tap_failed > 0;
}

#endif
