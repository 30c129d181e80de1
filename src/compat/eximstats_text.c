/* eximstats_text.c — the plain text, to the byte as eximstats 4.96 prints it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "eximstats_print.h"
#include "volume.h"

#define ALL UINT64_MAX

struct text_printer {
    struct printer base;
    FILE *out;
};

static FILE *out_of(struct printer *printer)
{
    return ((struct text_printer *)printer)->out;
}

static void put(FILE *out, struct slice text)
{
    fwrite(text.p, 1, text.n, out);
}

static void underline(FILE *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fputc('-', out);
    fputc('\n', out);
}

/* A title and its line of dashes. */
static void put_title(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put_title(FILE *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vfprintf(out, format, args);
    va_end(args);
    fputc('\n', out);
    underline(out, n > 0 ? (size_t)n : 0);
}

/* ---- head and totals --------------------------------------------------------------------------- */

static void text_begin(struct printer *printer, const struct report_view *view)
{
    fprintf(out_of(printer), "\nExim statistics from %s to %s\n", view->counts->begin, view->counts->end);
}

static void put_totals_head(FILE *out, const struct report_view *view)
{
    char columns[64] = "";
    size_t n = 0;
    for (int by = 0; by < BY_KINDS; by++)
        if (view->options->by[by])
            n += (size_t)snprintf(columns + n, sizeof columns - n, "%8ss", by_names[by]);
    fputc('\n', out);
    put_title(out, "Grand total summary");
    fprintf(out, "%46s%*s           At least one address\n", "", (int)n, "");
    fprintf(out, "  TOTAL               Volume   Messages Addresses %s      Delayed       Failed\n", columns);
}

/* Name, volume, messages, addresses, distinct keys; an absent number is left blank. */
static void put_total(FILE *out, const struct report_view *view, const char *name, const char *volume,
                      uint64_t messages, const char *addresses, const uint64_t *distinct)
{
    fprintf(out, "  %-16s %9s     %6" PRIu64 "    %6s ", name, volume, messages, addresses);
    for (int by = 0; by < BY_KINDS; by++) {
        if (!view->options->by[by])
            continue;
        if (distinct && distinct[by] != UINT64_MAX)
            fprintf(out, "   %6" PRIu64, distinct[by]);
        else
            fprintf(out, "   %6s", "");
    }
}

static void put_other_total(FILE *out, const struct report_view *view, int kind)
{
    const struct other_total *total = &view->counts->others[kind];
    uint64_t hosts[BY_KINDS] = {total->hosts, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    if (!total->messages)
        return;
    put_total(out, view, other_names[kind], "", total->messages, "", hosts);
    fputc('\n', out);
}

static void text_totals(struct printer *printer, const struct report_view *view)
{
    FILE *out = out_of(printer);
    const struct arrivals_total *received = &view->counts->received;
    const struct deliveries_total *delivered = &view->counts->delivered;
    char volume[UNIT_ROOM], addresses[24];
    put_totals_head(out, view);
    volume_shown(volume, received->bytes, view->options->rounded);
    put_total(out, view, "Received", volume, received->messages, "", received->distinct);
    fprintf(out, "  %6" PRIu64 " %4.1f%% %6" PRIu64 " %4.1f%%\n", received->delayed,
            percent_of(received->delayed, received->messages), received->failed,
            percent_of(received->failed, received->messages));
    volume_shown(volume, delivered->bytes, view->options->rounded);
    snprintf(addresses, sizeof addresses, "%" PRIu64, delivered->addresses);
    put_total(out, view, "Delivered", volume, delivered->messages, addresses, delivered->distinct);
    fputc('\n', out);
    for (int kind = 0; kind < OTHER_KINDS; kind++)
        put_other_total(out, view, kind);
    fputc('\n', out);
}

/* ---- patterns, transports ---------------------------------------------------------------------- */

static void text_patterns(struct printer *printer, const struct report_view *view)
{
    FILE *out = out_of(printer);
    put_title(out, "User Specified Patterns");
    fprintf(out, "%23sTotal\n", "");
    for (size_t i = 0; i < view->options->pattern_count; i++)
        fprintf(out, "  %-18s  %6" PRIu64 "\n", view->options->patterns[i].description,
                view->counts->patterns[i].total);
    fputc('\n', out);
}

static void text_transports(struct printer *printer, const struct report_view *view)
{
    FILE *out = out_of(printer);
    size_t count;
    struct tally *rows = tallies_sorted(&view->counts->transports, TALLY_BY_KEY, ALL, &count);
    char volume[UNIT_ROOM];
    put_title(out, "Deliveries by transport");
    fprintf(out, "%22sVolume    Messages\n", "");
    for (size_t i = 0; i < count; i++) {
        volume_shown(volume, rows[i].bytes, view->options->rounded);
        fputs("  ", out);
        put(out, rows[i].key);
        fprintf(out, "%*s  %6s      %6" PRIu64 "\n", rows[i].key.n < 18 ? (int)(18 - rows[i].key.n) : 0, "", volume,
                rows[i].messages);
    }
    fputc('\n', out);
    free(rows);
}

/* ---- histograms, times ------------------------------------------------------------------------- */

static void text_histogram(struct printer *printer, const struct report_view *view, const char *text,
                           const char *unit, const struct histogram *histogram)
{
    FILE *out = out_of(printer);
    uint64_t scale = histogram_scale(histogram);
    char title[512], label[16];
    histogram_title(view, text, title);
    put_title(out, "%s (each dot is %" PRIu64 " %s)", title, scale, unit);
    fputc('\n', out);
    for (size_t i = 0; i < histogram->count; i++) {
        histogram_label(view, i, label);
        fprintf(out, "%s %6" PRIu64 " ", label, histogram->slots[i]);
        for (uint64_t dot = 0; dot < histogram->slots[i] / scale; dot++)
            fputc('.', out);
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void put_time_row(FILE *out, const char *side, int64_t bound, uint64_t n, double percent, double so_far)
{
    char text[UNIT_ROOM];
    duration_text(text, bound);
    fprintf(out, "%5s %4s   %6" PRIu64 " %5.1f%%  %5.1f%%\n", side, text, n, percent, so_far);
}

static void text_times(struct printer *printer, const char *title, const char *kind, const struct time_table *table)
{
    FILE *out = out_of(printer);
    uint64_t total = time_table_total(table);
    const char *side = "Under";
    double so_far = 0;
    put_title(out, "%s: %s", title, kind);
    fputc('\n', out);
    for (size_t i = 0; i < table->bounds->count; i++) {
        if (!table->counts[i])
            continue;
        double percent = percent_of(table->counts[i], total);
        so_far += percent;
        put_time_row(out, side, table->bounds->seconds[i], table->counts[i], percent, so_far);
        side = "";
    }
    if (table->over) {
        double percent = percent_of(table->over, total);
        so_far += percent;
        put_time_row(out, "Over ", table->bounds->seconds[table->bounds->count - 1], table->over, percent, so_far);
    }
    fputc('\n', out);
}

/* ---- relayed ----------------------------------------------------------------------------------- */

static void text_relayed(struct printer *printer, const struct report_view *view)
{
    FILE *out = out_of(printer);
    size_t count;
    if (!view->counts->relayed.count && !view->counts->relayed_unshown) {
        put_title(out, "No relayed messages");
        fputc('\n', out);
        return;
    }
    put_title(out, "Relayed messages");
    fputc('\n', out);
    struct tally *rows = tallies_sorted(&view->counts->relayed, TALLY_BY_KEY, ALL, &count);
    for (size_t i = 0; i < count; i++) {
        char *one, *two;
        relayed_halves(rows[i].key, &one, &two);
        fprintf(out, "%7" PRIu64 " %s\n      => %s\n", rows[i].messages, one, two);
        free(one);
        free(two);
    }
    free(rows);
    fprintf(out, "%sTotal: %" PRIu64 " (plus %" PRIu64 " unshown)\n\n", count ? "\n" : "",
            tallies_messages(&view->counts->relayed), view->counts->relayed_unshown);
}

/* ---- league tables ----------------------------------------------------------------------------- */

static void put_league_head(FILE *out, const struct league *league)
{
    fprintf(out, "%10s ", "Messages");
    if (league->addresses && league->table->count)
        fprintf(out, "%10s ", "Addresses");
    if (league->volumes)
        fprintf(out, "%10s %10s ", "Bytes", "Average");
    fprintf(out, "  %c%s\n", league->name[0] - 32, league->name + 1);
}

static void put_league_row(FILE *out, const struct report_view *view, const struct league *league,
                           const struct tally *row)
{
    char volume[UNIT_ROOM], average[UNIT_ROOM];
    fprintf(out, "%10" PRIu64 " ", row->messages);
    if (league->addresses)
        fprintf(out, "%10" PRIu64 " ", row->addresses);
    if (league->volumes) {
        volume_shown(volume, row->bytes, view->options->rounded);
        volume_average(average, row->bytes, row->messages, view->options->rounded);
        fprintf(out, "%10s %10s ", volume, average);
    }
    fputs("  ", out);
    put(out, row->key);
    fputc('\n', out);
}

static void put_league(FILE *out, const struct report_view *view, const struct league *league,
                       enum tally_order order)
{
    size_t count;
    struct tally *rows = tallies_sorted(league->table, order, view->options->top, &count);
    put_title(out, "Top %s by %s", league->title_name, order == TALLY_BY_COUNT ? "message count" : "volume");
    put_league_head(out, league);
    for (size_t i = 0; i < count; i++)
        put_league_row(out, view, league, &rows[i]);
    fputc('\n', out);
    free(rows);
}

static void text_league(struct printer *printer, const struct report_view *view, const struct league *league)
{
    put_league(out_of(printer), view, league, TALLY_BY_COUNT);
    if (league->volumes)
        put_league(out_of(printer), view, league, TALLY_BY_VOLUME);
}

/* ---- errors ------------------------------------------------------------------------------------ */

/* The octets up to the end of the word that stands at or behind the 50th, if something follows it; else 0. */
static size_t first_piece(struct slice text)
{
    enum { SHORT = 65, LEAST = 50 };
    size_t i = LEAST;
    if (text.n <= SHORT)
        return 0;
    while (i < text.n && text.p[i] != ' ')
        i++;
    return i + 1 < text.n ? i : 0;
}

static void put_wrapped(FILE *out, struct slice text)
{
    for (size_t n; (n = first_piece(text)); text = slice_after(text, n + 1)) {
        put(out, slice_of(text.p, n));
        fputs("\n\t    ", out);
    }
    put(out, text);
    fputs("\n\n", out);
}

static void text_errors(struct printer *printer, const struct report_view *view)
{
    FILE *out = out_of(printer);
    size_t count;
    struct tally *rows = tallies_sorted(&view->counts->failures, TALLY_BY_KEY, ALL, &count);
    put_title(out, "List of errors");
    fputc('\n', out);
    for (size_t i = 0; i < count; i++) {
        struct slice text = squeezed(rows[i].key);
        fprintf(out, "%5" PRIu64 " ", rows[i].messages);
        put_wrapped(out, text);
        free((char *)(uintptr_t)text.p);
    }
    put_title(out, "Errors encountered: %" PRIu64, tallies_messages(&view->counts->failures));
    free(rows);
}

static int text_end(struct printer *printer, struct error *err)
{
    int done = printer_flush(out_of(printer), "report", err);
    free(printer);
    return done;
}

struct printer *text_printer_new(FILE *out)
{
    struct text_printer *made = xmalloc(sizeof *made);
    *made = (struct text_printer){
        .base = {text_begin, text_totals, text_patterns, text_transports, text_histogram, text_times,
                 text_relayed, text_league, text_errors, text_end},
        .out = out};
    return &made->base;
}
