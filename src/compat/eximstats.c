/* eximstats.c — the drop-in: options, counting or merging, printing. */
#include "eximstats.h"

#include <stdio.h>
#include <string.h>

#include "eximstats_merge.h"
#include "eximstats_print.h"
#include "eximstats_read.h"

enum { EXIT_NOTHING = 1, EXIT_UNWRITTEN = 2 };

static int report(const struct eximstats_options *options, struct eximstats_counts *counts)
{
    struct report_view view = {counts, options};
    struct error err;
    if (strcmp(counts->begin, NO_BEGIN) == 0 && !options->empty_ok) {
        fputs("**** No valid log lines read\n", stderr);
        return EXIT_NOTHING;
    }
    if (eximstats_print(&view, &err) < 0) {
        error_print(&err);
        return EXIT_UNWRITTEN;
    }
    return 0;
}

int eximstats_main(int argc, char **argv)
{
    struct eximstats_options options;
    struct eximstats_counts counts;
    int code = eximstats_options_read(&options, argc, argv);
    if (code == EXIMSTATS_GO) {
        counts_init(&counts, &options);
        if (options.merge)
            eximstats_merge(&counts, &options);
        else
            eximstats_read(&counts, &options);
        code = report(&options, &counts);
        counts_free(&counts);
    }
    eximstats_options_free(&options);
    return code;
}
