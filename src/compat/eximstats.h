/* eximstats.h — the program of that name, in memory: no database. */
#ifndef MAILTRAIL_EXIMSTATS_H
#define MAILTRAIL_EXIMSTATS_H

#define EXIMSTATS_VERSION "4.96" /* whose figures these are */

/* Runs it; argv[0] is the name it was called by.  Answers the exit code, which is the old program's. */
int eximstats_main(int argc, char **argv);

#endif
