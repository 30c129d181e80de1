/* render_text.c — the text that eximstats users know (see report_file.h for the layouts), and the same
   hand for what eximstats never showed. */
#include <inttypes.h>
#include <stdlib.h>

#include "../base/text.h"
#include "render.h"
#include "units.h"

static struct slice slice_text(const char *text)
{
    return slice_of(text, strlen(text));
}

static void put_repeated(FILE *out, char c, size_t n)
{
    while (n--)
        fputc(c, out);
}

static void put(FILE *out, struct slice text)
{
    text_write(out, text, TEXT_TERMINAL);
}

static void put_left(FILE *out, struct slice text, size_t width)
{
    size_t used = text_width(text);
    put(out, text);
    put_repeated(out, ' ', used < width ? width - used : 0);
}

static void put_right(FILE *out, struct slice text, size_t width)
{
    size_t used = text_width(text);
    put_repeated(out, ' ', used < width ? width - used : 0);
    put(out, text);
}

static void put_title(FILE *out, struct slice title)
{
    put(out, title);
    fputc('\n', out);
    put_repeated(out, '-', text_width(title));
    fputc('\n', out);
}

enum { BAR_WIDTH = 40 };

static void number_text(char text[UNIT_ROOM], enum column_type type, const struct cell *cell)
{
    switch (type) {
    case COLUMN_BYTES:
        volume_text(text, cell_integer(cell));
        break;
    case COLUMN_DURATION:
        if (cell->kind == CELL_REAL)
            snprintf(text, UNIT_ROOM, "%.1fs", cell->real);
        else
            duration_text(text, cell_integer(cell));
        break;
    case COLUMN_TIME:
        time_text(text, cell_integer(cell));
        break;
    case COLUMN_PERCENT:
        snprintf(text, UNIT_ROOM, "%.1f%%", cell_real(cell));
        break;
    case COLUMN_SCORE:
        snprintf(text, UNIT_ROOM, "%.1f", cell_real(cell));
        break;
    case COLUMN_TEXT:
    case COLUMN_COUNT:
    case COLUMN_BAR:
        if (cell->kind == CELL_REAL)
            snprintf(text, UNIT_ROOM, "%.6g", cell->real);
        else
            snprintf(text, UNIT_ROOM, "%" PRId64, cell_integer(cell));
    }
}

/* A cell as it is shown; text may be used for it. */
static struct slice shown(const struct table *table, int64_t row, int column, char text[UNIT_ROOM])
{
    const struct cell *cell = table_cell(table, row, column);
    if (cell->kind == CELL_NULL)
        return table->report->absent.p ? table->report->absent : SLICE_LIT("");
    if (cell->kind == CELL_TEXT)
        return cell->text;
    number_text(text, table->report->columns[column].type, cell);
    return slice_text(text);
}

static void put_cell(FILE *out, const struct table *table, int64_t row, int column, size_t width)
{
    char text[UNIT_ROOM];
    put_right(out, shown(table, row, column, text), width);
}

static bool is_text(const struct table *table, int column)
{
    return table->report->columns[column].type == COLUMN_TEXT;
}

/* The layout's columns: name, volume, messages, addresses, any number of distinct counts, then delayed
   and failed with their percentages. */
enum { TOTAL_FIRST = 4, TOTAL_LAST = 4 };

static void total_head(FILE *out, const struct table *table)
{
    const struct column *columns = table->report->columns;
    int last = table->n_columns - TOTAL_LAST;
    size_t width = 46 + 11;
    for (int i = TOTAL_FIRST; i < last; i++)
        width += table->shown[i] ? 9 : 0;
    put_repeated(out, ' ', width);
    fputs("At least one address\n  ", out);
    put_left(out, columns[0].title, 16);
    put_right(out, columns[1].title, 10);
    put_right(out, columns[2].title, 11);
    put_right(out, columns[3].title, 10);
    fputc(' ', out);
    for (int i = TOTAL_FIRST; i < last; i++)
        if (table->shown[i])
            put_right(out, columns[i].title, 9);
    put_right(out, columns[last].title, 13);
    put_right(out, columns[last + 2].title, 13);
    fputc('\n', out);
}

static void total_row(FILE *out, const struct table *table, int64_t row)
{
    char text[UNIT_ROOM];
    int last = table->n_columns - TOTAL_LAST;
    fputs("  ", out);
    put_left(out, shown(table, row, 0, text), 16);
    fputc(' ', out);
    put_cell(out, table, row, 1, 9);
    put_cell(out, table, row, 2, 11);
    put_cell(out, table, row, 3, 10);
    fputc(' ', out);
    for (int i = TOTAL_FIRST; i < last; i++)
        if (table->shown[i])
            put_cell(out, table, row, i, 9);
    if (table_cell(table, row, last)->kind != CELL_NULL)
        fprintf(out, "  %6" PRId64 " %4.1f%% %6" PRId64 " %4.1f%%",
                cell_integer(table_cell(table, row, last)), cell_real(table_cell(table, row, last + 1)),
                cell_integer(table_cell(table, row, last + 2)),
                cell_real(table_cell(table, row, last + 3)));
    fputc('\n', out);
}

static void layout_total(FILE *out, const struct table *table)
{
    total_head(out, table);
    for (int64_t row = 0; row < table->n_rows; row++)
        total_row(out, table, row);
}

static size_t list_width(const struct table *table, int column)
{
    return table->report->columns[column].type == COLUMN_BYTES ? 8 : 12;
}

static void layout_list(FILE *out, const struct table *table)
{
    char text[UNIT_ROOM];
    put_repeated(out, ' ', 20);
    for (int i = 1; i < table->n_columns; i++)
        put_right(out, table->report->columns[i].title, list_width(table, i));
    fputc('\n', out);
    for (int64_t row = 0; row < table->n_rows; row++) {
        fputs("  ", out);
        put_left(out, shown(table, row, 0, text), 18);
        for (int i = 1; i < table->n_columns; i++)
            put_cell(out, table, row, i, list_width(table, i));
        fputc('\n', out);
    }
}

static int64_t histogram_scale(const struct table *table)
{
    int64_t most = 0;
    for (int64_t row = 0; row < table->n_rows; row++) {
        int64_t value = cell_integer(table_cell(table, row, 1));
        most = value > most ? value : most;
    }
    int64_t scale = (most + 25) / 50;
    return scale > 1 ? scale : 1;
}

/* "Deliveries per hour (each dot is 3 deliveries)". */
static void histogram_title(FILE *out, const struct table *table)
{
    int64_t scale = histogram_scale(table);
    struct slice unit = table->report->unit;
    const char *ending = scale == 1 ? "" : "s";
    if (scale != 1 && unit.n && unit.p[unit.n - 1] == 'y') {
        unit.n--;
        ending = "ies";
    }
    char *title = xprintf("%s (each dot is %" PRId64 " %.*s%s)", table->title, scale, (int)unit.n,
                          unit.p ? unit.p : "", ending);
    put_title(out, slice_text(title));
    free(title);
}

static void layout_histogram(FILE *out, const struct table *table)
{
    char text[UNIT_ROOM];
    int64_t scale = histogram_scale(table);
    fputc('\n', out);
    for (int64_t row = 0; row < table->n_rows; row++) {
        int64_t value = cell_integer(table_cell(table, row, 1));
        put(out, shown(table, row, 0, text));
        fprintf(out, " %6" PRId64 " ", value);
        put_repeated(out, '.', value > 0 ? (size_t)(value / scale) : 0);
        fputc('\n', out);
    }
}

static void layout_duration(FILE *out, const struct table *table)
{
    struct slice before = SLICE_ABSENT;
    char text[UNIT_ROOM];
    fputc('\n', out);
    for (int64_t row = 0; row < table->n_rows; row++) {
        struct slice side = table_cell(table, row, 0)->text;
        put_left(out, slice_equal(side, before) ? SLICE_LIT("") : side, 5);
        before = side;
        fputc(' ', out);
        put_right(out, shown(table, row, 1, text), 4);
        fprintf(out, "   %6" PRId64 " %5.1f%%  %5.1f%%\n", cell_integer(table_cell(table, row, 2)),
                cell_real(table_cell(table, row, 3)), cell_real(table_cell(table, row, 4)));
    }
}

/* eximstats' habit: an empty table of destinations has no title for its addresses. */
static bool league_has(const struct table *table, int column)
{
    return table->n_rows > 0 || !slice_is(table->report->columns[column].name, "addresses");
}

static size_t widest(const struct table *table, int column)
{
    char text[UNIT_ROOM];
    size_t width = text_width(table->report->columns[column].title);
    for (int64_t row = 0; row < table->n_rows; row++) {
        size_t w = text_width(shown(table, row, column, text));
        width = w > width ? w : width;
    }
    return width;
}

/* Row -1 is the titles. */
static void league_row(FILE *out, const struct table *table, int64_t row, const size_t *widths)
{
    char text[UNIT_ROOM];
    for (int i = 0; i < table->n_columns; i++) {
        if (!league_has(table, i))
            continue;
        struct slice value =
            row < 0 ? table->report->columns[i].title : shown(table, row, i, text);
        if (is_text(table, i)) {
            fputs("  ", out);
            put_left(out, value, i == table->n_columns - 1 ? 0 : widths[i]);
        } else {
            put_right(out, value, 10);
            fputc(' ', out);
        }
    }
    fputc('\n', out);
}

static void layout_league(FILE *out, const struct table *table)
{
    size_t widths[REPORT_COLUMNS] = {0};
    for (int i = 0; i < table->n_columns - 1; i++)
        widths[i] = is_text(table, i) ? widest(table, i) : 0;
    for (int64_t row = -1; row < table->n_rows; row++)
        league_row(out, table, row, widths);
}

static void layout_relay(FILE *out, const struct table *table)
{
    int64_t total = 0;
    if (table->n_rows == 0)
        return;
    fputc('\n', out);
    for (int64_t row = 0; row < table->n_rows; row++) {
        total += cell_integer(table_cell(table, row, 0));
        put_cell(out, table, row, 0, 7);
        for (int i = 1; i < 5; i++) {
            fputs(i == 3 ? " \n      => " : " ", out);
            put(out, table_cell(table, row, i)->text);
        }
        fputc('\n', out);
    }
    fprintf(out, "\nTotal: %" PRId64 " (plus %" PRId64 " unshown)\n", total,
            cell_integer(table_cell(table, 0, 5)) - total);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Where a text of more than 65 bytes is folded: the first white space from its 50th byte on; 0: nowhere. */
static size_t fold_at(struct slice text)
{
    if (text.n > 65)
        for (size_t i = 50; i < text.n; i++)
            if (is_space(text.p[i]))
                return i;
    return 0;
}

static void put_folded(FILE *out, struct slice text)
{
    for (size_t n; (n = fold_at(text));) {
        put(out, slice_of(text.p, n));
        fputs("\n\t    ", out);
        text = slice_after(text, n);
        while (text.n && is_space(text.p[0]))
            text = slice_after(text, 1);
    }
    put(out, text);
}

static void layout_errors(FILE *out, const struct table *table)
{
    int64_t total = 0;
    fputc('\n', out);
    for (int64_t row = 0; row < table->n_rows; row++) {
        total += cell_integer(table_cell(table, row, 0));
        put_cell(out, table, row, 0, 5);
        fputc(' ', out);
        put_folded(out, table_cell(table, row, 1)->text);
        fputc('\n', out);
    }
    char *sum = xprintf("Errors encountered: %" PRId64, total);
    fputc('\n', out);
    put_title(out, slice_text(sum));
    free(sum);
}

static void put_bar(FILE *out, const struct table *table, int64_t row, int column)
{
    double most = 0;
    for (int64_t r = 0; r < table->n_rows; r++) {
        double value = cell_real(table_cell(table, r, column));
        most = value > most ? value : most;
    }
    double part = most > 0 ? cell_real(table_cell(table, row, column)) / most : 0;
    put_repeated(out, '#', part > 0 ? (size_t)(part * BAR_WIDTH + 0.5) : 0);
}

static void table_row(FILE *out, const struct table *table, int64_t row, const size_t *widths)
{
    char text[UNIT_ROOM];
    for (int i = 0; i < table->n_columns; i++) {
        bool bar = table->report->columns[i].type == COLUMN_BAR;
        struct slice value =
            row < 0 ? table->report->columns[i].title : shown(table, row, i, text);
        fputs("  ", out);
        if (bar && row >= 0)
            put_bar(out, table, row, i);
        else if (bar || is_text(table, i))
            put_left(out, value, i == table->n_columns - 1 ? 0 : widths[i]);
        else
            put_right(out, value, widths[i]);
    }
    fputc('\n', out);
}

static void layout_table(FILE *out, const struct table *table)
{
    size_t widths[REPORT_COLUMNS] = {0};
    for (int i = 0; i < table->n_columns; i++)
        widths[i] = widest(table, i);
    for (int64_t row = -1; row < table->n_rows; row++)
        table_row(out, table, row, widths);
}

static void (*const layouts[])(FILE *, const struct table *) = {
    [LAYOUT_TABLE] = layout_table,       [LAYOUT_TOTAL] = layout_total,
    [LAYOUT_LIST] = layout_list,         [LAYOUT_HISTOGRAM] = layout_histogram,
    [LAYOUT_DURATION] = layout_duration, [LAYOUT_LEAGUE] = layout_league,
    [LAYOUT_RELAY] = layout_relay,       [LAYOUT_ERRORS] = layout_errors};

static void text_begin(struct rendering *rendering)
{
    const struct span_head *head = rendering->head;
    FILE *out = rendering->out;
    if (head->begin)
        fprintf(out, "\nMail statistics from %s to %s\n", head->begin, head->end);
    else
        fputs("\nMail statistics: nothing was read of that time\n", out);
    if (head->servers) {
        fputs(head->n_servers == 1 ? "Server " : "Servers ", out);
        put(out, slice_text(head->servers));
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void text_table(struct rendering *rendering, const struct table *table)
{
    FILE *out = rendering->out;
    const struct report_file *report = table->report;
    if (table->n_rows == 0 && slice_is(report->empty, "hide"))
        return;
    if (table->n_rows == 0 && report->empty.p)
        put_title(out, report->empty);
    else if (report->layout == LAYOUT_HISTOGRAM)
        histogram_title(out, table);
    else
        put_title(out, slice_text(table->title));
    layouts[report->layout](out, table);
    if (report->layout != LAYOUT_ERRORS || rendering->done + 1 < rendering->n_tables)
        fputc('\n', out);
}

static void text_end(struct rendering *rendering)
{
    (void)rendering;
}

const struct renderer render_text = {text_begin, text_table, text_end};
