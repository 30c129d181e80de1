/* eximstats_xls.c — the same tables as a workbook (.xlsx), one sheet for each of the old program's. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "eximstats_print.h"
#include "volume.h"

#define ALL UINT64_MAX
enum { CELL_MAX = 32767, ROWS_MAX = LXW_ROW_MAX - 1 };

struct sheet {
    lxw_worksheet *page;
    uint32_t row;
};

struct xls_printer {
    struct printer base;
    lxw_workbook *book;
    char *path;      /* of the file that is written; a temporary one for standard output */
    bool is_output;  /* path is what was asked for */
    lxw_format *large, *title, *head, *percent;
    struct sheet global, relayed, errors, leagues[3];
    uint16_t histogram_column;
    uint32_t histogram_row;
};

static struct xls_printer *xls_of(struct printer *printer)
{
    return (struct xls_printer *)printer;
}

/* A workbook's text is UTF-8 of some length: other bytes become '?'. */
static char *cell_text(struct slice text)
{
    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    size_t n = text.n < CELL_MAX ? text.n : CELL_MAX;
    char *cell = xmalloc(n + 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        cell[i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    cell[n] = 0;
    return cell;
}

static void put_slice(struct sheet *sheet, uint16_t column, struct slice text, lxw_format *format)
{
    char *cell = cell_text(text);
    if (sheet->page && sheet->row < ROWS_MAX)
        worksheet_write_string(sheet->page, sheet->row, column, cell, format);
    free(cell);
}

static void put_text(struct sheet *sheet, uint16_t column, const char *text, lxw_format *format)
{
    put_slice(sheet, column, slice_of(text, strlen(text)), format);
}

static void put_number(struct sheet *sheet, uint16_t column, double n, lxw_format *format)
{
    if (sheet->page && sheet->row < ROWS_MAX)
        worksheet_write_number(sheet->page, sheet->row, column, n, format);
}

/* A volume as it is printed; a plain number of octets stays one. */
static void put_volume(struct sheet *sheet, uint16_t column, const char *shown)
{
    const char *start = shown + strspn(shown, " ");
    if (strspn(start, "0123456789") == strlen(start))
        put_number(sheet, column, strtod(start, NULL), NULL);
    else
        put_text(sheet, column, start, NULL);
}

static void put_heads(struct sheet *sheet, uint16_t column, const char *const *titles, size_t count, lxw_format *format)
{
    for (size_t i = 0; i < count; i++)
        put_text(sheet, (uint16_t)(column + i), titles[i], format);
    sheet->row++;
}

/* ---- the parts --------------------------------------------------------------------------------- */

static lxw_format *bold(lxw_workbook *book, double size)
{
    lxw_format *format = workbook_add_format(book);
    format_set_bold(format);
    if (size > 0)
        format_set_font_size(format, size);
    return format;
}

static void make_sheets(struct xls_printer *xls, const struct report_view *view)
{
    const struct eximstats_counts *c = view->counts;
    xls->global.page = workbook_add_worksheet(xls->book, "Exim Statistik");
    worksheet_set_column(xls->global.page, 0, 2, 20, NULL);
    worksheet_set_column(xls->global.page, 3, 3, 15, NULL);
    worksheet_set_column(xls->global.page, 4, 4, 25, NULL);
    if (view->options->relay) {
        xls->relayed.page = workbook_add_worksheet(xls->book, "Relayed Messages");
        worksheet_set_column(xls->relayed.page, 1, 2, 80, NULL);
    }
    if (view->options->errors)
        xls->errors.page = workbook_add_worksheet(xls->book, "Errors");
    if (!view->options->top)
        return;
    xls->leagues[SHEET_DELIVERIES].page = workbook_add_worksheet(xls->book, "Deliveries");
    if (c->reasons.count || c->ips[OTHER_REJECTS].count || c->ips[OTHER_SPAM].count ||
        c->ips[OTHER_TEMPORARY].count)
        xls->leagues[SHEET_REJECTIONS].page = workbook_add_worksheet(xls->book, "Rejections");
    if (c->temporary_reasons.count)
        xls->leagues[SHEET_TEMPORARY].page = workbook_add_worksheet(xls->book, "Temporary Rejections");
}

static void xls_begin(struct printer *printer, const struct report_view *view)
{
    struct xls_printer *xls = xls_of(printer);
    struct sheet *sheet = &xls->global;
    const char *const span[] = {"from:", view->counts->begin, "to:", view->counts->end};
    xls->large = bold(xls->book, 15);
    xls->title = bold(xls->book, 12);
    xls->head = bold(xls->book, 0);
    xls->percent = workbook_add_format(xls->book);
    format_set_num_format(xls->percent, "0.0%");
    make_sheets(xls, view);
    sheet->row = xls->relayed.row = xls->errors.row = 1;
    put_text(sheet, 0, "Exim Statistics", xls->large);
    sheet->row++;
    put_heads(sheet, 0, span, 4, NULL);
    sheet->row++;
}

static void put_total(struct sheet *sheet, const struct report_view *view, const char *name, const char *volume,
                      uint64_t messages, const uint64_t *distinct, uint16_t *column)
{
    put_text(sheet, 0, name, NULL);
    if (*volume)
        put_volume(sheet, 1, volume);
    put_number(sheet, 2, (double)messages, NULL);
    *column = 4;
    for (int by = 0; by < BY_KINDS; by++) {
        if (!view->options->by[by])
            continue;
        if (distinct[by] != ALL)
            put_number(sheet, *column, (double)distinct[by], NULL);
        ++*column;
    }
}

static void put_received(struct xls_printer *xls, const struct report_view *view)
{
    const struct arrivals_total *received = &view->counts->received;
    struct sheet *sheet = &xls->global;
    char volume[UNIT_ROOM];
    uint16_t column;
    volume_shown(volume, received->bytes, view->options->rounded);
    put_total(sheet, view, "Received", volume, received->messages, received->distinct, &column);
    put_number(sheet, column, (double)received->delayed, NULL);
    put_number(sheet, (uint16_t)(column + 1), percent_of(received->delayed, received->messages) / 100, xls->percent);
    put_number(sheet, (uint16_t)(column + 2), (double)received->failed, NULL);
    put_number(sheet, (uint16_t)(column + 3), percent_of(received->failed, received->messages) / 100, xls->percent);
    sheet->row++;
}

static void xls_totals(struct printer *printer, const struct report_view *view)
{
    struct xls_printer *xls = xls_of(printer);
    const struct deliveries_total *delivered = &view->counts->delivered;
    struct sheet *sheet = &xls->global;
    const char *heads[8 + BY_KINDS] = {"TOTAL", "Volume", "Messages", "Addresses"};
    static const char *const columns[BY_KINDS] = {"Hosts", "Domains", "Emails", "Edomains"};
    char volume[UNIT_ROOM];
    size_t n = 4;
    uint16_t column;
    for (int by = 0; by < BY_KINDS; by++)
        if (view->options->by[by])
            heads[n++] = columns[by];
    heads[n++] = "At least one addr Delayed";
    heads[n++] = "";
    heads[n++] = "At least one addr Failed";
    put_text(sheet, 0, "Grand total summary", xls->title);
    sheet->row++;
    put_heads(sheet, 0, heads, n, xls->title);
    put_received(xls, view);
    volume_shown(volume, delivered->bytes, view->options->rounded);
    put_total(sheet, view, "Delivered", volume, delivered->messages, delivered->distinct, &column);
    put_number(sheet, 3, (double)delivered->addresses, NULL);
    sheet->row++;
    for (int kind = 0; kind < OTHER_KINDS; kind++) {
        const struct other_total *other = &view->counts->others[kind];
        const uint64_t hosts[BY_KINDS] = {other->hosts, ALL, ALL, ALL};
        if (!other->messages)
            continue;
        put_total(sheet, view, other_names[kind], "", other->messages, hosts, &column);
        sheet->row++;
    }
    sheet->row++;
}

static void xls_patterns(struct printer *printer, const struct report_view *view)
{
    struct xls_printer *xls = xls_of(printer);
    struct sheet *sheet = &xls->global;
    put_text(sheet, 0, "User Specified Patterns", xls->title);
    sheet->row++;
    put_text(sheet, 1, "Total", xls->head);
    sheet->row++;
    for (size_t i = 0; i < view->options->pattern_count; i++, sheet->row++) {
        put_text(sheet, 0, view->options->patterns[i].description, NULL);
        put_number(sheet, 1, (double)view->counts->patterns[i].total, NULL);
    }
    sheet->row++;
}

static void xls_transports(struct printer *printer, const struct report_view *view)
{
    static const char *const heads[] = {"Volume", "Messages"};
    struct xls_printer *xls = xls_of(printer);
    struct sheet *sheet = &xls->global;
    char volume[UNIT_ROOM];
    size_t count;
    struct tally *rows = tallies_sorted(&view->counts->transports, TALLY_BY_KEY, ALL, &count);
    put_text(sheet, 0, "Deliveries by transport", xls->title);
    sheet->row++;
    put_heads(sheet, 1, heads, 2, xls->head);
    for (size_t i = 0; i < count; i++, sheet->row++) {
        volume_shown(volume, rows[i].bytes, view->options->rounded);
        put_slice(sheet, 0, rows[i].key, NULL);
        put_volume(sheet, 1, volume);
        put_number(sheet, 2, (double)rows[i].messages, NULL);
    }
    sheet->row++;
    free(rows);
}

/* Histograms stand side by side, with the hours before the first. */
static void xls_histogram(struct printer *printer, const struct report_view *view, const char *text,
                          const char *unit, const struct histogram *histogram)
{
    (void)unit;
    struct xls_printer *xls = xls_of(printer);
    struct sheet *sheet = &xls->global;
    char title[512], label[16];
    bool first = xls->histogram_column == 0;
    if (first)
        xls->histogram_row = sheet->row + 1;
    sheet->row = xls->histogram_row;
    xls->histogram_column++;
    histogram_title(view, text, title);
    put_text(sheet, xls->histogram_column, title, xls->head);
    sheet->row++;
    for (size_t i = 0; i < histogram->count; i++, sheet->row++) {
        histogram_label(view, i, label);
        if (first)
            put_text(sheet, 0, label, NULL);
        put_number(sheet, xls->histogram_column, (double)histogram->slots[i], NULL);
    }
    sheet->row += 2;
}

static void put_time_row(struct xls_printer *xls, const char *side, int64_t bound, uint64_t n, double percent,
                         double so_far)
{
    struct sheet *sheet = &xls->global;
    char text[UNIT_ROOM];
    duration_text(text, bound);
    put_text(sheet, 0, side, NULL);
    put_text(sheet, 1, text, NULL);
    put_number(sheet, 2, (double)n, NULL);
    put_number(sheet, 3, percent / 100, xls->percent);
    put_number(sheet, 4, so_far / 100, xls->percent);
    sheet->row++;
}

static void xls_times(struct printer *printer, const char *title, const char *kind, const struct time_table *table)
{
    static const char *const heads[] = {"Time", "Messages", "Percentage", "Cumulative Percentage"};
    struct xls_printer *xls = xls_of(printer);
    struct sheet *sheet = &xls->global;
    uint64_t total = time_table_total(table);
    const char *side = "Under";
    double so_far = 0;
    char *whole = xprintf("%s: %s", title, kind);
    put_text(sheet, 0, whole, xls->title);
    sheet->row++;
    put_heads(sheet, 1, heads, 4, xls->head);
    for (size_t i = 0; i < table->bounds->count; i++) {
        if (!table->counts[i])
            continue;
        double percent = percent_of(table->counts[i], total);
        put_time_row(xls, side, table->bounds->seconds[i], table->counts[i], percent, so_far += percent);
        side = "";
    }
    if (table->over) {
        double percent = percent_of(table->over, total);
        put_time_row(xls, "Over", table->bounds->seconds[table->bounds->count - 1], table->over, percent,
                     so_far += percent);
    }
    sheet->row++;
    free(whole);
}

static void xls_relayed(struct printer *printer, const struct report_view *view)
{
    static const char *const heads[] = {"Count", "From", "To"};
    struct xls_printer *xls = xls_of(printer);
    struct sheet *sheet = &xls->relayed;
    size_t count;
    if (!view->counts->relayed.count && !view->counts->relayed_unshown)
        return;
    put_text(sheet, 0, "Relayed messages", xls->title);
    sheet->row++;
    put_heads(sheet, 0, heads, 3, xls->head);
    struct tally *rows = tallies_sorted(&view->counts->relayed, TALLY_BY_KEY, ALL, &count);
    for (size_t i = 0; i < count; i++, sheet->row++) {
        char *one, *two;
        relayed_halves(rows[i].key, &one, &two);
        put_number(sheet, 0, (double)rows[i].messages, NULL);
        put_text(sheet, 1, one, NULL);
        put_text(sheet, 2, two, NULL);
        free(one);
        free(two);
    }
    free(rows);
    put_number(sheet, 0, (double)tallies_messages(&view->counts->relayed), NULL);
    put_text(sheet, 1, "Sum of shown", NULL);
    sheet->row++;
    put_number(sheet, 0, (double)view->counts->relayed_unshown, NULL);
    put_text(sheet, 1, "unshown", NULL);
}

static void put_league_row(struct sheet *sheet, const struct report_view *view, const struct league *league,
                           const struct tally *row)
{
    char text[UNIT_ROOM];
    uint16_t column = 0;
    put_number(sheet, column++, (double)row->messages, NULL);
    if (league->addresses)
        put_number(sheet, column++, (double)row->addresses, NULL);
    if (league->volumes) {
        volume_shown(text, row->bytes, view->options->rounded);
        put_volume(sheet, column++, text);
        volume_average(text, row->bytes, row->messages, view->options->rounded);
        put_volume(sheet, column++, text);
    }
    put_slice(sheet, column, row->key, NULL);
    sheet->row++;
}

static void put_league(struct xls_printer *xls, const struct report_view *view, const struct league *league,
                       enum tally_order order)
{
    struct sheet *sheet = &xls->leagues[league->sheet];
    size_t count, n = 1;
    char *thing = xprintf("%c%s", league->name[0] - 32, league->name + 1);
    char *title = xprintf("Top %s by %s", league->title_name, order == TALLY_BY_COUNT ? "message count" : "volume");
    const char *heads[5] = {"Messages"};
    if (league->addresses && league->table->count)
        heads[n++] = "Addresses";
    if (league->volumes) {
        heads[n++] = "Bytes";
        heads[n++] = "Average";
    }
    heads[n++] = thing;
    put_text(sheet, 0, title, xls->title);
    sheet->row++;
    put_heads(sheet, 0, heads, n, xls->head);
    struct tally *rows = tallies_sorted(league->table, order, view->options->top, &count);
    for (size_t i = 0; i < count; i++)
        put_league_row(sheet, view, league, &rows[i]);
    sheet->row++;
    free(rows);
    free(title);
    free(thing);
}

static void xls_league(struct printer *printer, const struct report_view *view, const struct league *league)
{
    put_league(xls_of(printer), view, league, TALLY_BY_COUNT);
    if (league->volumes)
        put_league(xls_of(printer), view, league, TALLY_BY_VOLUME);
}

static void xls_errors(struct printer *printer, const struct report_view *view)
{
    static const char *const heads[] = {"Count", "Error"};
    struct xls_printer *xls = xls_of(printer);
    struct sheet *sheet = &xls->errors;
    size_t count;
    struct tally *rows = tallies_sorted(&view->counts->failures, TALLY_BY_KEY, ALL, &count);
    put_text(sheet, 0, "List of errors", xls->title);
    sheet->row++;
    put_heads(sheet, 0, heads, 2, xls->head);
    for (size_t i = 0; i < count; i++, sheet->row++) {
        struct slice text = squeezed(rows[i].key);
        put_number(sheet, 0, (double)rows[i].messages, NULL);
        put_slice(sheet, 1, text, NULL);
        free((char *)(uintptr_t)text.p);
    }
    put_number(sheet, 0, (double)tallies_messages(&view->counts->failures), NULL);
    put_text(sheet, 1, "Sum of Errors encountered", NULL);
    free(rows);
}

/* ---- the file ---------------------------------------------------------------------------------- */

static int copy_to_stdout(const char *path, struct error *err)
{
    char buf[65536];
    size_t n;
    FILE *file = fopen(path, "r");
    if (!file)
        return error_set(err, FAIL_OS, "workbook: %s", strerror(errno));
    while ((n = fread(buf, 1, sizeof buf, file)) > 0)
        fwrite(buf, 1, n, stdout);
    fclose(file);
    return printer_flush(stdout, "standard output", err);
}

static int xls_end(struct printer *printer, struct error *err)
{
    struct xls_printer *xls = xls_of(printer);
    lxw_error code = workbook_close(xls->book);
    int done = code ? error_set(err, FAIL_OS, "workbook %s: %s", xls->path, lxw_strerror(code)) : 0;
    if (done == 0 && !xls->is_output)
        done = copy_to_stdout(xls->path, err);
    if (!xls->is_output)
        unlink(xls->path);
    free(xls->path);
    free(xls);
    return done;
}

/* The library writes to a file with a name only. */
static char *temporary_path(void)
{
    const char *dir = getenv("TMPDIR");
    char *path = xprintf("%s/eximstats-XXXXXX", dir && *dir ? dir : "/tmp");
    int fd = mkstemp(path);
    if (fd >= 0)
        close(fd);
    return path;
}

struct printer *xls_printer_new(const char *path)
{
    struct xls_printer *made = xcalloc(1, sizeof *made);
    *made = (struct xls_printer){.base = {xls_begin, xls_totals, xls_patterns, xls_transports, xls_histogram,
                                          xls_times, xls_relayed, xls_league, xls_errors, xls_end}};
    made->is_output = strcmp(path, "-") != 0;
    made->path = made->is_output ? xstrdup(path) : temporary_path();
    made->book = workbook_new(made->path);
    return &made->base;
}
