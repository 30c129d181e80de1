/* render.h — what every output format offers: a head, tables one after the other, an end. */
#ifndef MAILTRAIL_RENDER_H
#define MAILTRAIL_RENDER_H

#include <stdio.h>

#include "missing.h"
#include "span.h"
#include "table.h"

struct rendering {
    FILE *out;
    const struct span_head *head;
    const struct missing *missing;
    const char *note;     /* what is pruned, in a sentence; NULL: nothing */
    size_t width;         /* of the terminal; 0: there is none */
    int n_tables;         /* how many there will be */
    int done;             /* how many there were */
    struct slice section; /* of the table before */
    FILE *nav;            /* of a page: its contents, gathered on the way */
    char *nav_text;
    size_t nav_size;
};

struct renderer {
    void (*begin)(struct rendering *rendering);
    void (*table)(struct rendering *rendering, const struct table *table);
    void (*end)(struct rendering *rendering); /* also behind a failure */
};

extern const struct renderer render_text, render_csv, render_json, render_html;

#endif
