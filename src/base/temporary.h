/* temporary.h — a file without a name, in $TMPDIR or /tmp. */
#ifndef MAILTRAIL_TEMPORARY_H
#define MAILTRAIL_TEMPORARY_H

/* Its descriptor, open for reading and writing; -1: errno says why not. */
int temporary_file(void);

#endif
