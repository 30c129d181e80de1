/* progress.c — the progress line. */
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL 0.25 /* seconds */

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void progress_start(struct progress *progress, bool quiet, int64_t total)
{
    *progress = (struct progress){.shown = !quiet && isatty(STDERR_FILENO), .total = total};
    progress->started = progress->printed = now();
}

static void print(const struct progress *p, int64_t octets, int64_t lines, double seconds)
{
    double mib = (double)octets / 1048576;
    fprintf(stderr, "\r\033[K%.1f MiB", mib);
    if (p->total > 0)
        fprintf(stderr, ", %.0f %%", 100.0 * (double)octets / (double)p->total);
    fprintf(stderr, ", %.0f lines/s", seconds > 0 ? (double)lines / seconds : 0);
    if (p->total > octets && octets > 0)
        fprintf(stderr, ", %.0f s left", seconds * (double)(p->total - octets) / (double)octets);
    fflush(stderr);
}

void progress_show(struct progress *progress, int64_t octets, int64_t lines)
{
    if (!progress->shown)
        return;
    double at = now();
    if (at - progress->printed < INTERVAL)
        return;
    progress->printed = at;
    print(progress, progress->done + octets, progress->lines + lines, at - progress->started);
}

void progress_next(struct progress *progress, int64_t octets, int64_t lines)
{
    progress->done += octets;
    progress->lines += lines;
}

void progress_clear(const struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
}
