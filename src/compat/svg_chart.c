/* svg_chart.c — no script, no font, no outside file. */
#include "svg_chart.h"

#include <inttypes.h>

#include "../base/text.h"

enum { WIDTH = 640, ROW = 18, LABEL = 230, BAR = 12, LABEL_MAX = 34 };

static uint64_t greatest(const struct chart_bar *bars, size_t count)
{
    uint64_t most = 1;
    for (size_t i = 0; i < count; i++)
        if (bars[i].value > most)
            most = bars[i].value;
    return most;
}

static void put_label(FILE *out, struct slice label)
{
    bool cut = label.n > LABEL_MAX;
    text_write(out, slice_of(label.p, cut ? LABEL_MAX : label.n), TEXT_HTML);
    if (cut)
        fputs("\xe2\x80\xa6", out);
}

static void put_bar(FILE *out, const struct chart_bar *bar, size_t row, uint64_t most)
{
    unsigned y = (unsigned)row * ROW;
    double width = (double)bar->value / (double)most * (WIDTH - LABEL);
    fprintf(out, "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">", LABEL - 6, y + BAR);
    put_label(out, bar->label);
    fprintf(out, "</text><rect x=\"%d\" y=\"%u\" width=\"%.1f\" height=\"%d\"><title>", LABEL, y + 2, width, BAR);
    text_write(out, bar->label, TEXT_HTML);
    fprintf(out, ": %" PRIu64 "</title></rect>\n", bar->value);
}

void svg_chart(FILE *out, const struct chart_bar *bars, size_t count)
{
    uint64_t most = greatest(bars, count);
    fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" font-family=\"sans-serif\" "
                 "font-size=\"11\" fill=\"#2f6fde\" role=\"img\">\n",
            WIDTH, (unsigned)count * ROW + 4);
    for (size_t i = 0; i < count; i++)
        put_bar(out, &bars[i], i, most);
    fputs("</svg>\n", out);
}
