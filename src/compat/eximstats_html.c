/* eximstats_html.c — the same sections and tables as a page.  A row is a line, as -merge of this and of the old
   program wants it; whatever a log says is escaped. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "../base/embedded.h"
#include "../base/text.h"
#include "eximstats_print.h"
#include "svg_chart.h"
#include "volume.h"

#define ALL UINT64_MAX
#define MARK "<!-- reports -->"
enum { CHART_ROWS = 5 };

struct html_printer {
    struct printer base;
    FILE *out;
    const struct eximstats_options *options;
    struct error chart_error; /* kind 0: every chart was written */
};

static struct html_printer *html_of(struct printer *printer)
{
    return (struct html_printer *)printer;
}

static FILE *out_of(struct printer *printer)
{
    return html_of(printer)->out;
}

static void put(FILE *out, struct slice text)
{
    text_write(out, text, TEXT_HTML);
}

static struct slice slice_text(const char *text)
{
    return slice_of(text, strlen(text));
}

/* Letters, digits and _ of a title: a name for a place or a file. */
static char *name_of(const char *title)
{
    char *name = xstrdup(title);
    for (char *p = name; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9')))
            *p = '_';
    return name;
}

static void put_heading(FILE *out, const char *place, const char *title)
{
    char *name = name_of(place);
    fprintf(out, "<a id=\"%s\"></a><h2>", name);
    put(out, slice_text(title));
    fputs("</h2>\n", out);
    free(name);
}

static void put_head_row(FILE *out, const char *const *titles, size_t count)
{
    fputs("<table>\n<tr>", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "<th%s>%s</th>", i + 1 < count ? " class=\"n\"" : "", titles[i]);
    fputs("</tr>\n", out);
}

static void put_number(FILE *out, uint64_t n)
{
    fprintf(out, "<td class=\"n\">%" PRIu64 "</td>", n);
}

static void put_cell(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put_cell(FILE *out, const char *format, ...)
{
    va_list args;
    fputs("<td class=\"n\">", out);
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputs("</td>", out);
}

/* A reason may end with the newline of its line (eximstats' rule for "listed at"). */
static void put_text_cell(FILE *out, struct slice text)
{
    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    fputs("<td>", out);
    put(out, text);
    fputs("</td>", out);
}

/* ---- charts ------------------------------------------------------------------------------------ */

static void write_chart_file(struct html_printer *html, const char *name, const struct chart_bar *bars, size_t count)
{
    char *path = xprintf("%s/%s.svg", html->options->chart_dir, name);
    FILE *file = fopen(path, "w");
    if (file)
        svg_chart(file, bars, count);
    bool bad = !file || ferror(file);
    bad |= file && fclose(file) != 0;
    if (bad && !html->chart_error.kind)
        error_set(&html->chart_error, FAIL_OS, "could not write %s: %s", path, strerror(errno));
    free(path);
}

/* In the page, or as a file beside it where -chartdir or -chartrel asks for one. */
static void put_chart(struct printer *printer, const char *title, const struct chart_bar *bars, size_t count)
{
    struct html_printer *html = html_of(printer);
    if (!html->options->charts || count == 0)
        return;
    if (!html->options->chart_files) {
        svg_chart(html->out, bars, count);
        return;
    }
    char *name = name_of(title);
    write_chart_file(html, name, bars, count);
    fputs("<img alt=\"\" src=\"", html->out);
    put(html->out, slice_text(html->options->chart_rel));
    fprintf(html->out, "/%s.svg\">\n", name);
    free(name);
}

/* The first rows and the rest as one. */
static void put_rows_chart(struct printer *printer, const char *title, const struct tally *rows, size_t count,
                           bool by_volume)
{
    struct chart_bar bars[CHART_ROWS + 1];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = by_volume ? rows[i].bytes : rows[i].messages;
        if (i < CHART_ROWS)
            bars[n++] = (struct chart_bar){rows[i].key, value};
        else if (i == CHART_ROWS)
            bars[n++] = (struct chart_bar){SLICE_LIT("Other"), value};
        else
            bars[n - 1].value = tally_sum(bars[n - 1].value, value);
    }
    put_chart(printer, title, bars, n);
}

/* ---- begin and totals -------------------------------------------------------------------------- */

static const char *frame_text(void)
{
    const struct embedded *file = embedded_find("reports/page.html");
    return file ? file->text : "<!doctype html><meta charset=\"utf-8\">\n" MARK "\n";
}

static void put_link(FILE *out, const char *title, const char *place)
{
    char *name = name_of(place);
    fprintf(out, "<a href=\"#%s\">%s</a>\n", name, title);
    free(name);
}

static void put_contents(FILE *out, const struct report_view *view)
{
    fputs("<nav>\n", out);
    put_link(out, "Grand total summary", "Grand total");
    if (view->options->pattern_count)
        put_link(out, "User Specified Patterns", "Patterns");
    if (view->options->transports)
        put_link(out, "Deliveries by transport", "Transport");
    if (view->options->per_hour) {
        put_link(out, "Messages received", "Messages received");
        put_link(out, "Deliveries", "Deliveries");
    }
    if (view->options->queue.count)
        put_link(out, "Time spent on the queue", "Time spent on the queue all messages");
    if (view->options->relay)
        put_link(out, "Relayed messages", "Relayed");
    if (view->options->top)
        put_link(out, "Most active", "Most active");
    if (view->options->errors && tallies_used(&view->counts->failures))
        put_link(out, "List of errors", "Errors");
    fputs("</nav>\n<main>\n", out);
}

static void html_begin(struct printer *printer, const struct report_view *view)
{
    FILE *out = out_of(printer);
    const char *text = frame_text(), *mark = strstr(text, MARK);
    fwrite(text, 1, mark ? (size_t)(mark - text) : strlen(text), out);
    fprintf(out, "<header>\n<h1>Exim statistics from %s to %s</h1>\n</header>\n", view->counts->begin,
            view->counts->end);
    put_contents(out, view);
}

static void put_distinct(FILE *out, const struct report_view *view, const uint64_t *distinct)
{
    for (int by = 0; by < BY_KINDS; by++) {
        if (!view->options->by[by])
            continue;
        if (distinct[by] == ALL)
            put_cell(out, "%s", "");
        else
            put_number(out, distinct[by]);
    }
}

static void put_other_total(FILE *out, const struct report_view *view, int kind)
{
    const struct other_total *total = &view->counts->others[kind];
    const uint64_t hosts[BY_KINDS] = {total->hosts, ALL, ALL, ALL};
    if (!total->messages)
        return;
    fprintf(out, "<tr><td>%s</td>", other_names[kind]);
    put_cell(out, "%s", "");
    put_number(out, total->messages);
    put_cell(out, "%s", "");
    put_distinct(out, view, hosts);
    fputs("</tr>\n", out);
}

static void html_totals(struct printer *printer, const struct report_view *view)
{
    FILE *out = out_of(printer);
    const struct arrivals_total *received = &view->counts->received;
    const struct deliveries_total *delivered = &view->counts->delivered;
    char volume[UNIT_ROOM];
    put_heading(out, "Grand total", "Grand total summary");
    fputs("<table>\n<tr><th>TOTAL</th><th class=\"n\">Volume</th><th class=\"n\">Messages</th>"
          "<th class=\"n\">Addresses</th>", out);
    for (int by = 0; by < BY_KINDS; by++)
        if (view->options->by[by])
            fprintf(out, "<th class=\"n\">%ss</th>", by_names[by]);
    fputs("<th class=\"n\" colspan=2>At least one addr<br>Delayed</th>"
          "<th class=\"n\" colspan=2>At least one addr<br>Failed</th></tr>\n<tr><td>Received</td>", out);
    volume_shown(volume, received->bytes, view->options->rounded);
    put_cell(out, "%s", volume);
    put_number(out, received->messages);
    put_cell(out, "%s", "");
    put_distinct(out, view, received->distinct);
    put_number(out, received->delayed);
    put_cell(out, "%4.1f%%", percent_of(received->delayed, received->messages));
    put_number(out, received->failed);
    put_cell(out, "%4.1f%%", percent_of(received->failed, received->messages));
    volume_shown(volume, delivered->bytes, view->options->rounded);
    fputs("</tr>\n<tr><td>Delivered</td>", out);
    put_cell(out, "%s", volume);
    put_number(out, delivered->messages);
    put_number(out, delivered->addresses);
    put_distinct(out, view, delivered->distinct);
    fputs("</tr>\n", out);
    for (int kind = 0; kind < OTHER_KINDS; kind++)
        put_other_total(out, view, kind);
    fputs("</table>\n\n", out);
}

/* ---- patterns, transports ---------------------------------------------------------------------- */

static void html_patterns(struct printer *printer, const struct report_view *view)
{
    FILE *out = out_of(printer);
    put_heading(out, "Patterns", "User Specified Patterns");
    fputs("<table>\n<tr><th>&nbsp;</th><th class=\"n\">Total</th></tr>\n", out);
    for (size_t i = 0; i < view->options->pattern_count; i++) {
        fputs("<tr>", out);
        put_text_cell(out, slice_text(view->options->patterns[i].description));
        put_number(out, view->counts->patterns[i].total);
        fputs("</tr>\n", out);
    }
    fputs("</table>\n\n", out);
}

static void html_transports(struct printer *printer, const struct report_view *view)
{
    FILE *out = out_of(printer);
    size_t count;
    struct tally *rows = tallies_sorted(&view->counts->transports, TALLY_BY_KEY, ALL, &count);
    char volume[UNIT_ROOM];
    put_heading(out, "Transport", "Deliveries by transport");
    fputs("<table>\n<tr><th>&nbsp;</th><th class=\"n\">Volume</th><th class=\"n\">Messages</th></tr>\n", out);
    for (size_t i = 0; i < count; i++) {
        volume_shown(volume, rows[i].bytes, view->options->rounded);
        fputs("<tr>", out);
        put_text_cell(out, rows[i].key);
        put_cell(out, "%s", volume);
        put_number(out, rows[i].messages);
        fputs("</tr>\n", out);
    }
    fputs("</table>\n\n", out);
    put_rows_chart(printer, "transports_count", rows, count, false);
    put_rows_chart(printer, "transports_vol", rows, count, true);
    free(rows);
}

/* ---- histograms, times ------------------------------------------------------------------------- */

static void put_histogram_chart(struct printer *printer, const struct report_view *view, const char *text,
                                const struct histogram *histogram)
{
    char (*labels)[16] = xcalloc(histogram->count, sizeof *labels);
    struct chart_bar *bars = xcalloc(histogram->count, sizeof *bars);
    for (size_t i = 0; i < histogram->count; i++) {
        histogram_label(view, i, labels[i]);
        bars[i] = (struct chart_bar){slice_text(labels[i]), histogram->slots[i]};
    }
    char *title = xprintf("histogram_%s", text);
    put_chart(printer, title, bars, histogram->count);
    free(title);
    free(bars);
    free(labels);
}

static void html_histogram(struct printer *printer, const struct report_view *view, const char *text,
                           const char *unit, const struct histogram *histogram)
{
    FILE *out = out_of(printer);
    uint64_t scale = histogram_scale(histogram);
    char title[512], label[16];
    histogram_title(view, text, title);
    char *whole = xprintf("%s (each dot is %" PRIu64 " %s)", title, scale, unit);
    put_heading(out, text, whole);
    free(whole);
    fputs("<pre>\n", out);
    for (size_t i = 0; i < histogram->count; i++) {
        histogram_label(view, i, label);
        fprintf(out, "%s %6" PRIu64 " ", label, histogram->slots[i]);
        for (uint64_t dot = 0; dot < histogram->slots[i] / scale; dot++)
            fputc('.', out);
        fputc('\n', out);
    }
    fputs("\n</pre>\n", out);
    put_histogram_chart(printer, view, text, histogram);
}

struct time_row {
    const char *side;
    int64_t bound;
    uint64_t messages;
};

/* The rows that are not empty; room for one more than there are bounds. */
static size_t time_rows(const struct time_table *table, struct time_row *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < table->bounds->count; i++)
        if (table->counts[i]) {
            rows[n] = (struct time_row){n ? "" : "Under", table->bounds->seconds[i], table->counts[i]};
            n++;
        }
    if (table->over)
        rows[n++] = (struct time_row){"Over", table->bounds->seconds[table->bounds->count - 1], table->over};
    return n;
}

static void put_times_chart(struct printer *printer, const char *title, const struct time_row *rows, size_t count)
{
    char (*labels)[UNIT_ROOM + 8] = xcalloc(count, sizeof *labels);
    struct chart_bar *bars = xcalloc(count, sizeof *bars);
    for (size_t i = 0; i < count; i++) {
        char bound[UNIT_ROOM];
        duration_text(bound, rows[i].bound);
        snprintf(labels[i], sizeof labels[i], "%s %s", rows[i].side, bound);
        bars[i] = (struct chart_bar){slice_text(labels[i]), rows[i].messages};
    }
    put_chart(printer, title, bars, count);
    free(bars);
    free(labels);
}

static void html_times(struct printer *printer, const char *title, const char *kind, const struct time_table *table)
{
    static const char *const titles[] = {"Time", "Messages", "Percentage", "Cumulative Percentage"};
    FILE *out = out_of(printer);
    struct time_row *rows = xcalloc(table->bounds->count + 1, sizeof *rows);
    size_t count = time_rows(table, rows);
    uint64_t total = time_table_total(table);
    double so_far = 0;
    char *whole = xprintf("%s: %s", title, kind), *place = xprintf("%s %s", title, kind);
    put_heading(out, place, whole);
    put_head_row(out, titles, 4);
    for (size_t i = 0; i < count; i++) {
        char bound[UNIT_ROOM];
        duration_text(bound, rows[i].bound);
        double percent = percent_of(rows[i].messages, total);
        so_far += percent;
        fputs("<tr>", out);
        put_cell(out, "%s %s", rows[i].side, bound);
        put_number(out, rows[i].messages);
        put_cell(out, "%5.1f%%", percent);
        put_cell(out, "%5.1f%%", so_far);
        fputs("</tr>\n", out);
    }
    fputs("</table>\n\n", out);
    put_times_chart(printer, place, rows, count);
    free(place);
    free(whole);
    free(rows);
}

/* ---- relayed, league tables, errors ------------------------------------------------------------ */

static void html_relayed(struct printer *printer, const struct report_view *view)
{
    static const char *const titles[] = {"Count", "From", "To"};
    FILE *out = out_of(printer);
    size_t count;
    put_heading(out, "Relayed", "Relayed messages");
    if (!view->counts->relayed.count && !view->counts->relayed_unshown) {
        fputs("No relayed messages\n\n", out);
        return;
    }
    put_head_row(out, titles, 3);
    struct tally *rows = tallies_sorted(&view->counts->relayed, TALLY_BY_KEY, ALL, &count);
    for (size_t i = 0; i < count; i++) {
        char *one, *two;
        relayed_halves(rows[i].key, &one, &two);
        fputs("<tr>", out);
        put_number(out, rows[i].messages);
        put_text_cell(out, slice_text(one));
        put_text_cell(out, slice_text(two));
        fputs("</tr>\n", out);
        free(one);
        free(two);
    }
    free(rows);
    fprintf(out, "</table>\n<p>Total: %" PRIu64 " (plus %" PRIu64 " unshown)</p>\n\n",
            tallies_messages(&view->counts->relayed), view->counts->relayed_unshown);
}

static void put_league_row(FILE *out, const struct report_view *view, const struct league *league,
                           const struct tally *row)
{
    char volume[UNIT_ROOM], average[UNIT_ROOM];
    fputs("<tr>", out);
    put_number(out, row->messages);
    if (league->addresses)
        put_number(out, row->addresses);
    if (league->volumes) {
        volume_shown(volume, row->bytes, view->options->rounded);
        volume_average(average, row->bytes, row->messages, view->options->rounded);
        put_cell(out, "%s", volume);
        put_cell(out, "%s", average);
    }
    put_text_cell(out, row->key);
    fputs("</tr>\n", out);
}

static void put_league(struct printer *printer, const struct report_view *view, const struct league *league,
                       enum tally_order order)
{
    FILE *out = out_of(printer);
    const char *what = order == TALLY_BY_COUNT ? "message count" : "volume";
    size_t count, columns = 0;
    char *thing = xprintf("%c%s", league->name[0] - 32, league->name + 1);
    char *title = xprintf("Top %s by %s", league->title_name, what);
    char *place = xprintf("%s %s", thing, order == TALLY_BY_COUNT ? "count" : "volume");
    const char *titles[5] = {"Messages"};
    columns = 1;
    if (league->addresses && league->table->count)
        titles[columns++] = "Addresses";
    if (league->volumes) {
        titles[columns++] = "Bytes";
        titles[columns++] = "Average";
    }
    titles[columns++] = thing;
    struct tally *rows = tallies_sorted(league->table, order, view->options->top, &count);
    put_heading(out, place, title);
    put_head_row(out, titles, columns);
    for (size_t i = 0; i < count; i++)
        put_league_row(out, view, league, &rows[i]);
    fputs("</table>\n\n", out);
    put_rows_chart(printer, place, rows, count, order == TALLY_BY_VOLUME);
    free(rows);
    free(place);
    free(title);
    free(thing);
}

static void html_league(struct printer *printer, const struct report_view *view, const struct league *league)
{
    put_league(printer, view, league, TALLY_BY_COUNT);
    if (league->volumes)
        put_league(printer, view, league, TALLY_BY_VOLUME);
}

static void html_errors(struct printer *printer, const struct report_view *view)
{
    FILE *out = out_of(printer);
    size_t count;
    struct tally *rows = tallies_sorted(&view->counts->failures, TALLY_BY_KEY, ALL, &count);
    put_heading(out, "Errors", "List of errors");
    fputs("<ul>\n", out);
    for (size_t i = 0; i < count; i++) {
        struct slice text = squeezed(rows[i].key);
        fprintf(out, "<li>%" PRIu64 " - ", rows[i].messages);
        put(out, text);
        fputc('\n', out);
        free((char *)(uintptr_t)text.p);
    }
    fprintf(out, "</ul>\n<p>\nErrors encountered: %" PRIu64 "\n</p>\n", tallies_messages(&view->counts->failures));
    free(rows);
}

static int html_end(struct printer *printer, struct error *err)
{
    struct html_printer *html = html_of(printer);
    const char *mark = strstr(frame_text(), MARK);
    fputs("</main>", html->out);
    fputs(mark ? mark + strlen(MARK) : "", html->out);
    int done = printer_flush(html->out, "report", err);
    if (done == 0 && html->chart_error.kind) {
        *err = html->chart_error;
        done = -1;
    }
    free(html);
    return done;
}

struct printer *html_printer_new(FILE *out, const struct eximstats_options *options)
{
    struct html_printer *made = xcalloc(1, sizeof *made);
    *made = (struct html_printer){
        .base = {html_begin, html_totals, html_patterns, html_transports, html_histogram, html_times,
                 html_relayed, html_league, html_errors, html_end},
        .out = out, .options = options};
    return &made->base;
}
