/* report_lines.h — an earlier report, text or HTML, line by line. */
#ifndef MAILTRAIL_REPORT_LINES_H
#define MAILTRAIL_REPORT_LINES_H

#include "../base/error.h"
#include "../ingest/lines.h"

struct report_lines {
    struct source *source;
    struct lines *lines;
    struct slice raw;   /* the line as it stands, without LF */
    struct slice plain; /* the same without HTML */
    char *buffer;       /* of plain */
    bool again;         /* the line comes once more */
    struct error err;   /* kind 0: all is well */
};

/* -1: in->err. */
int report_lines_open(struct report_lines *in, const char *path);
void report_lines_close(struct report_lines *in);

/* The next line in raw and plain, valid until the next call; false: no more. */
bool report_lines_next(struct report_lines *in);

/* The line just read is returned by the next call too: it begins another part. */
void report_lines_back(struct report_lines *in);

#endif
