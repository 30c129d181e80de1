/* render_data.c — rows for programs: CSV and JSON, figures unrounded, texts escaped. */
#include <inttypes.h>

#include "../base/text.h"
#include "render.h"

static struct slice slice_text(const char *text)
{
    return slice_of(text, strlen(text));
}

/* A number as both formats write it; JSON has no word for an infinite one. */
static bool put_number(FILE *out, const struct cell *cell)
{
    if (cell->kind == CELL_INTEGER)
        fprintf(out, "%" PRId64, cell->integer);
    else if (cell->kind == CELL_REAL && cell->real - cell->real == 0)
        fprintf(out, "%.15g", cell->real);
    else
        return false;
    return true;
}

static void csv_cell(FILE *out, const struct cell *cell)
{
    if (cell->kind == CELL_TEXT)
        text_write(out, cell->text, TEXT_CSV);
    else
        put_number(out, cell);
}

static void csv_begin(struct rendering *rendering)
{
    (void)rendering;
}

/* Several reports in one file stand under their titles, an empty line between them. */
static void csv_titles(struct rendering *rendering, const struct table *table)
{
    FILE *out = rendering->out;
    if (rendering->n_tables > 1) {
        fputs(rendering->done ? "\r\n" : "", out);
        text_write(out, slice_text(table->title), TEXT_CSV);
        fputs("\r\n", out);
    }
    for (int i = 0; i < table->n_columns; i++) {
        fputs(i ? "," : "", out);
        text_write(out, table->report->columns[i].name, TEXT_CSV);
    }
    fputs(table->note ? ",pruned\r\n" : "\r\n", out);
}

static void csv_table(struct rendering *rendering, const struct table *table)
{
    FILE *out = rendering->out;
    csv_titles(rendering, table);
    for (int64_t row = 0; row < table->n_rows; row++) {
        for (int i = 0; i < table->n_columns; i++) {
            fputs(i ? "," : "", out);
            csv_cell(out, table_cell(table, row, i));
        }
        if (table->note) {
            fputc(',', out);
            text_write(out, slice_text(table->note), TEXT_CSV);
        }
        fputs("\r\n", out);
    }
}

static void csv_end(struct rendering *rendering)
{
    (void)rendering;
}

const struct renderer render_csv = {csv_begin, csv_table, csv_end};

static void json_member(FILE *out, const char *name, struct slice text)
{
    fprintf(out, "\"%s\": ", name);
    text_write_json(out, text);
}

static struct slice or_null(const char *text)
{
    return text ? slice_text(text) : SLICE_ABSENT;
}

static void json_missing(FILE *out, const struct missing *missing)
{
    fputs("\"pruned\": [", out);
    for (size_t i = 0; i < missing->count; i++) {
        fputs(i ? ", {" : "{", out);
        json_member(out, "server", slice_text(missing->servers[i].name));
        fputs(", ", out);
        json_member(out, "before", slice_text(missing->servers[i].day));
        fprintf(out, ", \"parts\": %s}", missing->servers[i].parts ? "true" : "false");
    }
    fputc(']', out);
}

static void json_begin(struct rendering *rendering)
{
    FILE *out = rendering->out;
    fputs("{", out);
    json_member(out, "begin", or_null(rendering->head->begin));
    fputs(", ", out);
    json_member(out, "end", or_null(rendering->head->end));
    fputs(", ", out);
    json_member(out, "servers", or_null(rendering->head->servers));
    fputs(", ", out);
    json_missing(out, rendering->missing);
    fputs(", \"reports\": [", out);
}

static void json_columns(FILE *out, const struct report_file *report)
{
    fputs("\n  \"columns\": [", out);
    for (int i = 0; i < report->n_columns; i++) {
        fputs(i ? ",\n    {" : "\n    {", out);
        json_member(out, "name", report->columns[i].name);
        fputs(", ", out);
        json_member(out, "type", slice_text(column_type_name(report->columns[i].type)));
        fputs(", ", out);
        json_member(out, "title", report->columns[i].title);
        fputc('}', out);
    }
    fputs("],", out);
}

static void json_row(FILE *out, const struct table *table, int64_t row)
{
    fputs(row ? ",\n    {" : "\n    {", out);
    for (int i = 0; i < table->n_columns; i++) {
        const struct cell *cell = table_cell(table, row, i);
        fputs(i ? ", " : "", out);
        text_write_json(out, table->report->columns[i].name);
        fputs(": ", out);
        if (cell->kind == CELL_TEXT)
            text_write_json(out, cell->text);
        else if (!put_number(out, cell))
            fputs("null", out);
    }
    fputc('}', out);
}

static void json_table(struct rendering *rendering, const struct table *table)
{
    FILE *out = rendering->out;
    fputs(rendering->done ? ",\n {" : "\n {", out);
    json_member(out, "name", table->report->name);
    fputs(", ", out);
    json_member(out, "section", table->report->section);
    fputs(", ", out);
    json_member(out, "variant", table->variant);
    fputs(",\n  ", out);
    json_member(out, "title", slice_text(table->title));
    fputs(",\n  ", out);
    json_member(out, "help", table->report->help);
    fputs(",\n  ", out);
    json_member(out, "pruned", or_null(table->note));
    fputc(',', out);
    json_columns(out, table->report);
    fputs("\n  \"rows\": [", out);
    for (int64_t row = 0; row < table->n_rows; row++)
        json_row(out, table, row);
    fputs("]}", out);
}

static void json_end(struct rendering *rendering)
{
    fputs("\n]}\n", rendering->out);
}

const struct renderer render_json = {json_begin, json_table, json_end};
