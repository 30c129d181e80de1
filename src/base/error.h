/* error.h — how failures of the world (files, disk, database) travel upwards: filled once, at the lowest
   place that knows the facts; told once, where something can be done about it. */
#ifndef MAILTRAIL_ERROR_H
#define MAILTRAIL_ERROR_H

enum failure {
    FAIL_OS = 1, /* a file, a folder, a pipe */
    FAIL_GZIP,   /* compressed data broken or cut; what came before it was good */
    FAIL_DB,     /* the database */
    FAIL_USAGE,  /* the command line or the configuration */
    FAIL_REPORT, /* a report's file */
    FAIL_DATA    /* the log says something that must not be guessed at: zone, year */
};

struct error {
    enum failure kind;
    char text[1024]; /* "PATH: what is wrong; what to do", without the program's name */
};

/* Fills *err; returns -1, so that `return error_set(...)` reads well. */
int error_set(struct error *err, enum failure kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "mailtrail: TEXT" on standard error, control bytes made visible. */
void error_print(const struct error *err);

#endif
