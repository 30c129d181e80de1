/* render_text.c — the text that eximstats users know (see report_file.h for the layouts), and the same
   hand for what eximstats never showed. */
#include <inttypes.h>
#include <stdlib.h>

#include "../base/memory.h"
#include "../base/text.h"
#include "fit.h"
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

/* Somebody who reads it on a terminal has no use for the seconds of a month. */
static void span_text(char text[UNIT_ROOM], const struct cell *cell, bool brief)
{
    if (cell->kind == CELL_REAL)
        snprintf(text, UNIT_ROOM, "%.1fs", cell->real);
    else if (brief)
        duration_brief_text(text, cell_integer(cell));
    else
        duration_text(text, cell_integer(cell));
}

static void number_text(char text[UNIT_ROOM], enum column_type type, const struct cell *cell, bool brief)
{
    switch (type) {
    case COLUMN_BYTES:
        volume_text(text, cell_integer(cell));
        break;
    case COLUMN_DURATION:
        span_text(text, cell, brief);
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
    case COLUMN_PATH:
    case COLUMN_COUNT:
    case COLUMN_TOLD:
    case COLUMN_BAR:
        if (cell->kind == CELL_REAL)
            snprintf(text, UNIT_ROOM, "%.6g", cell->real);
        else
            snprintf(text, UNIT_ROOM, "%" PRId64, cell_integer(cell));
    }
}

/* "  12KB" -> ">=12KB". */
static void mark_least(char text[UNIT_ROOM])
{
    char figure[UNIT_ROOM];
    snprintf(figure, sizeof figure, "%s", text + strspn(text, " "));
    snprintf(text, UNIT_ROOM, ">=%.*s", UNIT_ROOM - 3, figure);
}

/* A cell as it is shown; text may be used for it. */
static struct slice shown(const struct table *table, int64_t row, int column, char text[UNIT_ROOM])
{
    const struct cell *cell = table_cell(table, row, column);
    if (cell->kind == CELL_NULL)
        return table->report->absent.p ? table->report->absent : SLICE_LIT("");
    if (cell->kind == CELL_TEXT)
        return cell->text;
    number_text(text, table->report->columns[column].type, cell, table->width > 0);
    if (cell_is_least(table, row, column))
        mark_least(text);
    return slice_text(text);
}

static void put_cell(FILE *out, const struct table *table, int64_t row, int column, size_t width)
{
    char text[UNIT_ROOM];
    put_right(out, shown(table, row, column, text), width);
}

static bool is_text(const struct table *table, int column)
{
    enum column_type type = table->report->columns[column].type;
    return type == COLUMN_TEXT || type == COLUMN_PATH;
}

/* The layout's columns: name, volume, messages, addresses, any number of distinct counts, then delayed
   and failed with their percentages. */
enum { TOTAL_FIRST = 4, TOTAL_LAST = 4 };

/* What of them is shown together. */
enum { TOTAL_SUMS = 1, TOTAL_NAMES = 2 };

static size_t names_width(const struct table *table)
{
    size_t width = 0;
    for (int i = TOTAL_FIRST; i < table->n_columns - TOTAL_LAST; i++)
        width += table->shown[i] ? 9 : 0;
    return width;
}

static void total_head(FILE *out, const struct table *table, unsigned parts)
{
    const struct column *columns = table->report->columns;
    int last = table->n_columns - TOTAL_LAST;
    if (parts & TOTAL_SUMS) {
        put_repeated(out, ' ', 46 + 11 + (parts & TOTAL_NAMES ? names_width(table) : 0));
        fputs("At least one address\n", out);
    }
    fputs("  ", out);
    put_left(out, columns[0].title, 16);
    if (parts & TOTAL_SUMS) {
        put_right(out, columns[1].title, 10);
        put_right(out, columns[2].title, 11);
        put_right(out, columns[3].title, 10);
        fputc(' ', out);
    }
    for (int i = TOTAL_FIRST; i < last && parts & TOTAL_NAMES; i++)
        if (table->shown[i])
            put_right(out, columns[i].title, 9);
    if (parts & TOTAL_SUMS) {
        put_right(out, columns[last].title, 13);
        put_right(out, columns[last + 2].title, 13);
    }
    fputc('\n', out);
}

static void total_row(FILE *out, const struct table *table, int64_t row, unsigned parts)
{
    char text[UNIT_ROOM];
    int last = table->n_columns - TOTAL_LAST;
    fputs("  ", out);
    put_left(out, shown(table, row, 0, text), 16);
    if (parts & TOTAL_SUMS) {
        fputc(' ', out);
        put_cell(out, table, row, 1, 9);
        put_cell(out, table, row, 2, 11);
        put_cell(out, table, row, 3, 10);
        fputc(' ', out);
    }
    for (int i = TOTAL_FIRST; i < last && parts & TOTAL_NAMES; i++)
        if (table->shown[i])
            put_cell(out, table, row, i, 9);
    if (parts & TOTAL_SUMS && table_cell(table, row, last)->kind != CELL_NULL)
        fprintf(out, "  %6" PRId64 " %4.1f%% %6" PRId64 " %4.1f%%",
                cell_integer(table_cell(table, row, last)), cell_real(table_cell(table, row, last + 1)),
                cell_integer(table_cell(table, row, last + 2)),
                cell_real(table_cell(table, row, last + 3)));
    fputc('\n', out);
}

static bool has_names(const struct table *table, int64_t row)
{
    for (int i = TOTAL_FIRST; i < table->n_columns - TOTAL_LAST; i++)
        if (table->shown[i] && table_cell(table, row, i)->kind != CELL_NULL)
            return true;
    return false;
}

static void total_part(FILE *out, const struct table *table, unsigned parts)
{
    total_head(out, table, parts);
    for (int64_t row = 0; row < table->n_rows; row++)
        if (parts & TOTAL_SUMS || has_names(table, row))
            total_row(out, table, row, parts);
}

/* Where there is no room for all, the distinct counts have a table of their own. */
static void layout_total(FILE *out, const struct table *table)
{
    size_t names = names_width(table);
    if (table->width == 0 || names == 0 || 50 + names + 26 <= table->width) {
        total_part(out, table, TOTAL_SUMS | TOTAL_NAMES);
        return;
    }
    total_part(out, table, TOTAL_SUMS);
    fputc('\n', out);
    total_part(out, table, TOTAL_NAMES);
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
        if (table->shown[i])
            put_right(out, table->report->columns[i].title, list_width(table, i));
    fputc('\n', out);
    for (int64_t row = 0; row < table->n_rows; row++) {
        fputs("  ", out);
        put_left(out, shown(table, row, 0, text), 18);
        for (int i = 1; i < table->n_columns; i++)
            if (table->shown[i])
                put_cell(out, table, row, i, list_width(table, i));
        fputc('\n', out);
    }
}

static size_t labels_width(const struct table *table)
{
    char text[UNIT_ROOM];
    size_t width = 0;
    for (int64_t row = 0; row < table->n_rows; row++) {
        size_t w = text_width(shown(table, row, 0, text));
        width = w > width ? w : width;
    }
    return width;
}

/* How many one dot stands for: as eximstats has it, or on a terminal as many more as there is no room for dots. */
static int64_t histogram_scale(const struct table *table)
{
    int64_t most = 0, room = (int64_t)table->width - (int64_t)labels_width(table) - 8;
    for (int64_t row = 0; row < table->n_rows; row++) {
        int64_t value = cell_integer(table_cell(table, row, 1));
        most = value > most ? value : most;
    }
    int64_t scale = (most + 25) / 50;
    if (table->width && most > scale * room)
        scale = room > 1 ? (most + room - 1) / room : most;
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
    size_t width = labels_width(table);
    fputc('\n', out);
    for (int64_t row = 0; row < table->n_rows; row++) {
        int64_t value = cell_integer(table_cell(table, row, 1));
        put_right(out, shown(table, row, 0, text), width);
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
    return table->shown[column] &&
           (table->n_rows > 0 || !slice_is(table->report->columns[column].name, "addresses"));
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

enum { FOLD_INDENT = 4, PATH_LEAST = 24 };

/* The columns of a table: how wide, and in which of a row's lines, where one has no room for all. */
struct grid {
    size_t widths[REPORT_COLUMNS];
    int lines[REPORT_COLUMNS]; /* -1: not shown */
    int last;                  /* the last that is shown */
};

static void grid_cell(FILE *out, const struct table *table, int64_t row, int column, const struct grid *grid)
{
    char text[UNIT_ROOM];
    const struct column *c = &table->report->columns[column];
    struct slice value = row < 0 ? c->title : shown(table, row, column, text);
    size_t width = grid->widths[column];
    if (c->type == COLUMN_BAR && row >= 0)
        put_bar(out, table, row, column);
    else if (c->type == COLUMN_PATH && text_width(value) > width)
        fit_middle(out, value, width);
    else if (c->type == COLUMN_BAR || is_text(table, column))
        put_left(out, value, column == grid->last ? 0 : width);
    else
        put_right(out, value, width);
}

static void table_row(FILE *out, const struct table *table, int64_t row, const struct grid *grid)
{
    int line = 0;
    for (int i = 0; i < table->n_columns; i++) {
        if (grid->lines[i] < 0)
            continue;
        if (grid->lines[i] != line) {
            fputc('\n', out);
            put_repeated(out, ' ', FOLD_INDENT);
        }
        line = grid->lines[i];
        fputs("  ", out);
        grid_cell(out, table, row, i, grid);
    }
    fputc('\n', out);
}

/* A text that no row has. */
static bool is_blank(const struct table *table, int column)
{
    char text[UNIT_ROOM];
    for (int64_t row = 0; row < table->n_rows; row++)
        if (shown(table, row, column, text).n)
            return false;
    return table->n_rows && is_text(table, column);
}

/* Breaks the row into lines that fit; a path takes what is left of its line, if that is not too little. */
static void grid_fold(const struct table *table, struct grid *grid)
{
    size_t used = 0;
    int line = 0;
    for (int i = 0; i < table->n_columns; i++) {
        size_t left = table->width > used + 2 ? table->width - used - 2 : 0, width = grid->widths[i];
        bool path = table->report->columns[i].type == COLUMN_PATH;
        if (grid->lines[i] < 0)
            continue;
        if (width > left && used && !(path && left >= PATH_LEAST)) {
            line++;
            used = FOLD_INDENT;
            left = table->width > used + 2 ? table->width - used - 2 : 0;
        }
        grid->widths[i] = width > left && path ? left : width;
        grid->lines[i] = line;
        used += 2 + grid->widths[i];
    }
}

static struct grid grid_of(const struct table *table)
{
    struct grid grid = {.last = -1};
    for (int i = 0; i < table->n_columns; i++) {
        bool bar = table->report->columns[i].type == COLUMN_BAR;
        grid.widths[i] = bar && table->width ? BAR_WIDTH : widest(table, i);
        grid.lines[i] = table->shown[i] && !(table->width && is_blank(table, i)) ? 0 : -1;
        grid.last = grid.lines[i] < 0 ? grid.last : i;
    }
    if (table->width)
        grid_fold(table, &grid);
    return grid;
}

static void layout_table(FILE *out, const struct table *table)
{
    struct grid grid = grid_of(table);
    for (int64_t row = -1; row < table->n_rows; row++)
        table_row(out, table, row, &grid);
}

/* Where a line that is broken goes on: below the text that a league ends with, else a little further in. */
static size_t indent_of(const struct table *table)
{
    size_t indent = 2;
    if (table->width == 0 || table->report->layout != LAYOUT_LEAGUE)
        return 2 * FOLD_INDENT;
    for (int i = 0; i < table->n_columns - 1; i++)
        if (league_has(table, i))
            indent += is_text(table, i) ? 2 + widest(table, i) : 11;
    return indent;
}

static void (*const layouts[])(FILE *, const struct table *) = {
    [LAYOUT_TABLE] = layout_table,       [LAYOUT_TOTAL] = layout_total,
    [LAYOUT_LIST] = layout_list,         [LAYOUT_HISTOGRAM] = layout_histogram,
    [LAYOUT_DURATION] = layout_duration, [LAYOUT_LEAGUE] = layout_league,
    [LAYOUT_RELAY] = layout_relay,       [LAYOUT_ERRORS] = layout_errors};

static void put_note(FILE *out, const char *note)
{
    put(out, slice_text(note));
    fputc('\n', out);
}

static void put_head(FILE *out, const struct rendering *rendering)
{
    const struct span_head *head = rendering->head;
    if (head->begin)
        fprintf(out, "\nMail statistics from %s to %s\n", head->begin, head->end);
    else
        fputs("\nMail statistics: nothing was read of that time\n", out);
    if (head->servers) {
        fputs(head->n_servers == 1 ? "Server " : "Servers ", out);
        put(out, slice_text(head->servers));
        fputc('\n', out);
    }
    if (rendering->note)
        put_note(out, rendering->note);
    fputc('\n', out);
}

static void text_begin(struct rendering *rendering)
{
    FILE *out = fit_open(rendering->out, rendering->width, FOLD_INDENT);
    put_head(out, rendering);
    fclose(out);
}

static void put_table_title(FILE *out, const struct table *table)
{
    const struct report_file *report = table->report;
    if (table->n_rows == 0 && report->empty.p && !slice_is(report->empty, "hide"))
        put_title(out, report->empty);
    else if (report->layout == LAYOUT_HISTOGRAM)
        histogram_title(out, table);
    else
        put_title(out, slice_text(table->title));
    if (table->note)
        put_note(out, table->note);
}

static void text_table(struct rendering *rendering, const struct table *table)
{
    if (table_is_hidden(table))
        return;
    FILE *out = fit_open(rendering->out, rendering->width, indent_of(table));
    put_table_title(out, table);
    if (table->n_rows || !slice_is(table->report->empty, "hide"))
        layouts[table->report->layout](out, table);
    if (table->report->layout != LAYOUT_ERRORS || rendering->done + 1 < rendering->n_tables)
        fputc('\n', out);
    fclose(out);
}

static void text_end(struct rendering *rendering)
{
    (void)rendering;
}

const struct renderer render_text = {text_begin, text_table, text_end};
