/* parse.c — parsing alone, on one core: frame and dialect over every line of a log in memory, beside splitting the same
   octets into words with memchr.  Prints lines a second and the ratio of the two, medians of RUNS in turn. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../parsers/dialect.h"

#define RUNS 5

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The line that begins rest, without its LF; rest moves behind it. */
static struct slice next_line(struct slice *rest)
{
    const char *lf = memchr(rest->p, '\n', rest->n);
    struct slice line = slice_of(rest->p, lf ? (size_t)(lf - rest->p) : rest->n);
    *rest = slice_after(*rest, line.n + (lf != NULL));
    return line;
}

/* Lines; *understood counts those that a dialect has read. */
static int64_t parse_all(struct slice rest, int64_t *understood)
{
    int64_t lines = 0;
    struct frame frame;
    struct event ev;
    while (rest.n) {
        frame_parse(next_line(&rest), &frame);
        const struct dialect *dialect = dialect_for(&frame);
        event_reset(&ev);
        *understood += dialect && dialect->parse(&frame, &ev) == VERDICT_OK;
        lines++;
    }
    return lines;
}

static int64_t split_all(struct slice rest)
{
    int64_t words = 0;
    while (rest.n) {
        struct slice line = next_line(&rest);
        for (const char *blank; (blank = memchr(line.p, ' ', line.n)); words++)
            line = slice_after(line, (size_t)(blank - line.p) + 1);
        words++;
    }
    return words;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, RUNS, sizeof *values, compare);
    return values[RUNS / 2];
}

static struct slice map(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0) {
        perror(path);
        exit(2);
    }
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (p == MAP_FAILED) {
        perror(path);
        exit(2);
    }
    close(fd);
    return slice_of(p, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
    double parsing[RUNS], splitting[RUNS];
    int64_t lines = 0, understood = 0, words = 0;
    if (argc != 3) {
        fputs("usage: parse TITLE LOG\n", stderr);
        return 64;
    }
    struct slice log = map(argv[2]);
    for (int run = 0; run < RUNS; run++) {
        double begin = cpu_seconds();
        understood = 0;
        lines = parse_all(log, &understood);
        double middle = cpu_seconds();
        words = split_all(log);
        parsing[run] = middle - begin;
        splitting[run] = cpu_seconds() - middle;
    }
    double p = median(parsing), s = median(splitting);
    printf("%-10s %10lld %10lld %12.2f %12.2f %8.2f\n", argv[1], (long long)lines, (long long)understood,
           (double)lines / p / 1e6, (double)lines / s / 1e6, p / s);
    return words > 0 && understood > 0 ? 0 : 1;
}
