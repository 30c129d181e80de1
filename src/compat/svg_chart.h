/* svg_chart.h — a bar chart as one SVG element. */
#ifndef MAILTRAIL_SVG_CHART_H
#define MAILTRAIL_SVG_CHART_H

#include <stdint.h>
#include <stdio.h>

#include "../../parsers/slice.h"

struct chart_bar {
    struct slice label;
    uint64_t value;
};

/* Bars from the left, a label before each and its value as a hint; one line a bar. */
void svg_chart(FILE *out, const struct chart_bar *bars, size_t count);

#endif
