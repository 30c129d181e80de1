/* render_html.c — one page without scripts or outside files: reports/page.html is its frame and style. */
#include <inttypes.h>
#include <stdlib.h>

#include "../base/embedded.h"
#include "../base/text.h"
#include "render.h"
#include "units.h"

#define MARK "<!-- reports -->"

enum { CHART_WIDTH = 720, CHART_HEIGHT = 190, CHART_LEFT = 44, CHART_TOP = 12, CHART_BOTTOM = 22 };

static struct slice slice_text(const char *text)
{
    return slice_of(text, strlen(text));
}

static void put(FILE *out, struct slice text)
{
    text_write(out, text, TEXT_HTML);
}

static const char *page(void)
{
    const struct embedded *file = embedded_find("reports/page.html");
    return file ? file->text : "<!doctype html><meta charset=\"utf-8\"><title>Mail</title>" MARK;
}

static void put_note(FILE *out, const char *note)
{
    if (!note)
        return;
    fputs("<p class=\"missing\">", out);
    put(out, slice_text(note));
    fputs("</p>\n", out);
}

static void put_head(FILE *out, const struct rendering *rendering)
{
    const struct span_head *head = rendering->head;
    fputs("<header><h1>Mail statistics", out);
    if (head->begin)
        fprintf(out, " from %s to %s", head->begin, head->end);
    fputs("</h1>\n<p>", out);
    if (!head->begin)
        fputs("Nothing was read of that time. ", out);
    put(out, head->servers ? slice_text(head->servers) : SLICE_LIT("No server yet"));
    fputs("</p>\n", out);
    put_note(out, rendering->note);
    fputs("</header>\n<main>\n", out);
}

static void html_begin(struct rendering *rendering)
{
    const char *text = page();
    const char *mark = strstr(text, MARK);
    fwrite(text, 1, mark ? (size_t)(mark - text) : strlen(text), rendering->out);
    put_head(rendering->out, rendering);
    rendering->nav = open_memstream(&rendering->nav_text, &rendering->nav_size);
}

/* 1234567 -> "1 234 567", the blanks thin and unbreakable. */
static void put_grouped(FILE *out, int64_t n)
{
    char digits[UNIT_ROOM];
    snprintf(digits, sizeof digits, "%" PRId64, n);
    size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        fputc(digits[i], out);
        size_t left = length - 1 - i;
        if (left && left % 3 == 0 && digits[i] != '-' && length > 4)
            fputs("\xe2\x80\xaf", out);
    }
}

static void put_volume(FILE *out, int64_t octets)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)octets;
    int unit = 0;
    for (; value >= 1024 && unit < 6; unit++)
        value /= 1024;
    fprintf(out, "%.*f %s", unit && value < 100, value, units[unit]);
}

static void put_number(FILE *out, enum column_type type, const struct cell *cell)
{
    char text[UNIT_ROOM];
    switch (type) {
    case COLUMN_BYTES:
        put_volume(out, cell_integer(cell));
        return;
    case COLUMN_TIME:
        time_text(text, cell_integer(cell));
        break;
    case COLUMN_DURATION:
        if (cell->kind == CELL_INTEGER)
            duration_brief_text(text, cell->integer);
        else
            snprintf(text, sizeof text, "%.1f s", cell_real(cell));
        break;
    case COLUMN_PERCENT:
        snprintf(text, sizeof text, "%.1f %%", cell_real(cell));
        break;
    case COLUMN_SCORE:
        snprintf(text, sizeof text, "%.1f", cell_real(cell));
        break;
    case COLUMN_TEXT:
    case COLUMN_PATH:
    case COLUMN_COUNT:
    case COLUMN_TOLD:
    case COLUMN_BAR:
        put_grouped(out, cell_integer(cell));
        return;
    }
    fputs(text, out);
}

static void put_value(FILE *out, enum column_type type, const struct cell *cell)
{
    if (cell->kind == CELL_TEXT)
        put(out, cell->text);
    else if (cell->kind != CELL_NULL)
        put_number(out, type, cell);
}

static bool is_text(const struct table *table, int column)
{
    enum column_type type = table->report->columns[column].type;
    return type == COLUMN_TEXT || type == COLUMN_PATH || type == COLUMN_TIME;
}

static double greatest(const struct table *table, int column)
{
    double most = 0;
    for (int64_t row = 0; row < table->n_rows; row++) {
        double value = cell_real(table_cell(table, row, column));
        most = value > most ? value : most;
    }
    return most;
}

/* The column whose cells are drawn as bars behind their figures: a bar, else a league's first figure or a
   duration's share; -1: none. */
static int bar_column(const struct table *table)
{
    for (int i = 0; i < table->n_columns; i++)
        if (table->report->columns[i].type == COLUMN_BAR)
            return i;
    if (table->report->layout == LAYOUT_DURATION)
        return 3;
    if (table->report->layout == LAYOUT_LEAGUE)
        return slice_is(table->variant, "volume") ? table->n_columns - 3 : 0;
    return -1;
}

static void put_titles(FILE *out, const struct table *table)
{
    fputs("<thead><tr>", out);
    for (int i = 0; i < table->n_columns; i++) {
        if (!table->shown[i])
            continue;
        fprintf(out, "<th scope=\"col\"%s>", is_text(table, i) ? "" : " class=\"n\"");
        put(out, table->report->columns[i].title);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
}

static void put_cell(FILE *out, const struct table *table, int64_t row, int column, double most)
{
    const struct cell *cell = table_cell(table, row, column);
    double part = most > 0 ? 100 * cell_real(cell) / most : 0;
    if (part > 0)
        fprintf(out, "<td class=\"n bar\" style=\"--p:%.1f%%\">", part);
    else
        fputs(is_text(table, column) ? "<td>" : "<td class=\"n\">", out);
    if (cell->kind == CELL_NULL)
        put(out, table->report->absent);
    else if (cell_is_least(table, row, column))
        fputs("\xe2\x89\xa5\xe2\x80\xaf", out);
    if (cell->kind != CELL_NULL)
        put_value(out, table->report->columns[column].type, cell);
    fputs("</td>", out);
}

static void put_rows(FILE *out, const struct table *table)
{
    int bar = bar_column(table);
    double most = bar >= 0 && bar < table->n_columns ? greatest(table, bar) : 0;
    fputs("<div class=\"scroll\"><table>", out);
    put_titles(out, table);
    for (int64_t row = 0; row < table->n_rows; row++) {
        fputs("<tr>", out);
        for (int i = 0; i < table->n_columns; i++)
            if (table->shown[i])
                put_cell(out, table, row, i, i == bar ? most : 0);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

/* One tile a line of the grand total: how many, what, how much. */
static void put_tiles(FILE *out, const struct table *table)
{
    fputs("<div class=\"tiles\">", out);
    for (int64_t row = 0; row < table->n_rows; row++) {
        fputs("<div><b>", out);
        put_value(out, COLUMN_COUNT, table_cell(table, row, 2));
        fputs("</b><span>", out);
        put(out, table_cell(table, row, 0)->text);
        if (table_cell(table, row, 1)->kind != CELL_NULL) {
            fputs(" \xc2\xb7 ", out);
            put_value(out, COLUMN_BYTES, table_cell(table, row, 1));
        }
        fputs("</span></div>", out);
    }
    fputs("</div>\n", out);
}

static void put_grid(FILE *out, double most)
{
    double y = CHART_HEIGHT - CHART_BOTTOM;
    for (int i = 0; i <= 2; i++) {
        double at = y - (y - CHART_TOP) * i / 2;
        fprintf(out, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", CHART_LEFT, CHART_WIDTH,
                at, at);
        if (i == 1 && most < 2)
            continue;
        fprintf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", CHART_LEFT - 6, at + 4);
        put_grouped(out, (int64_t)(most * i / 2));
        fputs("</text>", out);
    }
}

static void put_column(FILE *out, const struct table *table, int64_t row, double most)
{
    double step = (double)(CHART_WIDTH - CHART_LEFT) / (double)table->n_rows;
    double x = CHART_LEFT + step * (double)row;
    double value = cell_real(table_cell(table, row, 1));
    double height = most > 0 ? value / most * (CHART_HEIGHT - CHART_BOTTOM - CHART_TOP) : 0;
    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\"><title>",
            x + step * 0.12, CHART_HEIGHT - CHART_BOTTOM - height, step * 0.76, height);
    put_value(out, COLUMN_TEXT, table_cell(table, row, 0));
    fputs(": ", out);
    put_value(out, COLUMN_COUNT, table_cell(table, row, 1));
    fputs("</title></rect>", out);
    if (table->n_rows <= 12 || row % ((table->n_rows + 11) / 12) == 0) {
        fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x + step / 2,
                CHART_HEIGHT - 6);
        put_value(out, COLUMN_TEXT, table_cell(table, row, 0));
        fputs("</text>", out);
    }
}

static void put_chart(FILE *out, const struct table *table)
{
    double most = greatest(table, 1);
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", CHART_WIDTH, CHART_HEIGHT);
    put(out, slice_text(table->title));
    fputs("\">", out);
    put_grid(out, most);
    for (int64_t row = 0; row < table->n_rows; row++)
        put_column(out, table, row, most);
    fputs("</svg>\n", out);
}

static void put_section(struct rendering *rendering, const struct report_file *report)
{
    FILE *out = rendering->out;
    if (slice_equal(rendering->section, report->section))
        return;
    if (rendering->section.p)
        fputs("</section>\n", out);
    rendering->section = report->section;
    fputs("<section><h2>", out);
    put(out, report->section);
    fputs("</h2>\n", out);
    fputs("<b>", rendering->nav);
    put(rendering->nav, report->section);
    fputs("</b>\n", rendering->nav);
}

/* The anchor: the report's name, with a number for each variant but the first. */
static void put_anchor(FILE *out, const struct table *table)
{
    put(out, table->report->name);
    for (int i = 1; i < table->report->n_variants; i++)
        if (slice_equal(table->report->variants[i], table->variant))
            fprintf(out, "-%d", i + 1);
}

static void put_article_head(struct rendering *rendering, const struct table *table)
{
    FILE *out = rendering->out, *nav = rendering->nav;
    fprintf(out, "<article class=\"%s\" id=\"", layout_name(table->report->layout));
    put_anchor(out, table);
    fputs("\"><h3>", out);
    put(out, slice_text(table->title));
    fputs("</h3>\n<p class=\"help\">", out);
    put(out, table->report->help);
    fputs("</p>\n", out);
    put_note(out, table->note);
    fputs("<a href=\"#", nav);
    put_anchor(nav, table);
    fputs("\">", nav);
    put(nav, slice_text(table->title));
    fputs("</a>\n", nav);
}

static void html_table(struct rendering *rendering, const struct table *table)
{
    FILE *out = rendering->out;
    if (table_is_hidden(table))
        return;
    put_section(rendering, table->report);
    put_article_head(rendering, table);
    if (table->report->layout == LAYOUT_TOTAL)
        put_tiles(out, table);
    if (table->n_rows == 0 && !table->note)
        fputs("<p class=\"none\">None.</p>\n", out);
    else if (table->n_rows && table->report->layout == LAYOUT_HISTOGRAM)
        put_chart(out, table);
    else if (table->n_rows)
        put_rows(out, table);
    fputs("</article>\n", out);
}

static void html_end(struct rendering *rendering)
{
    FILE *out = rendering->out;
    const char *mark = strstr(page(), MARK);
    fputs(rendering->section.p ? "</section>\n</main>\n<nav>\n" : "</main>\n<nav>\n", out);
    fclose(rendering->nav);
    fputs(rendering->nav_text, out);
    free(rendering->nav_text);
    fputs("</nav>", out);
    fputs(mark ? mark + strlen(MARK) : "\n", out);
}

const struct renderer render_html = {html_begin, html_table, html_end};
