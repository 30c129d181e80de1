/* tell_json.c — rows become objects with the names that the SQL files give them; what is worked out goes with them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/text.h"
#include "array.h"
#include "attempt.h"
#include "outcome.h"
#include "tell.h"

static void put_string(FILE *out, const char *text)
{
    text_write_json(out, text ? slice_of(text, strlen(text)) : SLICE_ABSENT);
}

static void put_value(FILE *out, const struct value *value)
{
    if (value->kind == VALUE_INTEGER)
        fprintf(out, "%" PRId64, value->integer);
    else if (value->kind == VALUE_REAL && value->real - value->real == 0)
        fprintf(out, "%.15g", value->real);
    else
        text_write_json(out, value->text);
}

/* A value that is a JSON array of texts, written anew: nothing of the database is trusted to be JSON. */
static void put_list(FILE *out, struct slice list)
{
    char *room = xmalloc(list.n + 1);
    const char *before = "[";
    for (struct slice text; list.n && (text = array_next(&list, room)).p; before = ", ") {
        fputs(before, out);
        text_write_json(out, text);
    }
    fputs(*before == '[' ? "[]" : "]", out);
    free(room);
}

/* The members of a row, without the braces. */
static void put_members(FILE *out, const struct rows *rows, size_t row)
{
    for (size_t i = 0; i < rows->columns; i++) {
        fprintf(out, "%s\"%s\": ", i ? ", " : "", rows->names[i]);
        const struct value *value = &rows->values[row * rows->columns + i];
        if (value->text.p && strcmp(rows->names[i], "recipient_list") == 0)
            put_list(out, value->text);
        else
            put_value(out, value);
    }
}

static void put_meaning(FILE *out, const struct meaning *meaning)
{
    fputs(", \"reply_code\": ", out);
    if (meaning->code)
        fprintf(out, "%d", meaning->code);
    else
        fputs("null", out);
    fputs(", \"enhanced_code\": ", out);
    put_string(out, meaning->enhanced[0] ? meaning->enhanced : NULL);
    fputs(", \"means\": ", out);
    put_string(out, meaning->words);
    fputs(", \"side\": ", out);
    put_string(out, meaning->side);
}

/* part: of which message the rows are; NULL: of none. */
static void put_rows(FILE *out, const char *name, const struct part *part, const struct rows *rows,
                     void (*more)(FILE *, const struct part *, const struct rows *, size_t))
{
    fprintf(out, ",\n  \"%s\": [", name);
    for (size_t i = 0; i < rows->count; i++) {
        fputs(i ? ",\n   {" : "\n   {", out);
        put_members(out, rows, i);
        if (more)
            more(out, part, rows, i);
        fputc('}', out);
    }
    fputc(']', out);
}

static void more_of_attempt(FILE *out, const struct part *part, const struct rows *attempts, size_t row)
{
    bool well = !attempt_is(attempts, row, "deferred") && !attempt_is(attempts, row, "failed");
    struct meaning meaning = well ? (struct meaning){.words = NULL} : meaning_of_attempt(part, row);
    struct far_host far = far_host_of(part, row);
    put_meaning(out, &meaning);
    fprintf(out, ", \"after_retries\": %s, \"tried_host\": ", meaning.after_retries ? "true" : "false");
    text_write_json(out, far.host);
    fputs(", \"tried_ip\": ", out);
    text_write_json(out, far.ip);
}

static void more_of_refusal(FILE *out, const struct part *part, const struct rows *refusals, size_t row)
{
    bool note = !part && slice_is(rows_text(refusals, row, "what"), "noted");
    struct meaning meaning = note ? (struct meaning){.words = NULL} : meaning_of_refusal(refusals, row);
    put_meaning(out, &meaning);
}

static void put_recipients(FILE *out, const struct recipients *recipients)
{
    fputs(",\n  \"recipients_seen\": [", out);
    for (size_t i = 0; i < recipients->count; i++) {
        const struct recipient *r = &recipients->list[i];
        fputs(i ? ",\n   {\"address\": " : "\n   {\"address\": ", out);
        text_write_json(out, r->address);
        fputs(", \"outcome\": ", out);
        put_string(out, outcome_name(r->outcome));
        fputs(", \"why\": ", out);
        put_string(out, r->why);
        fprintf(out, ", \"after_retries\": %s}", r->after_retries ? "true" : "false");
    }
    fputc(']', out);
}

static void put_verdict(FILE *out, const struct part *part, const struct recipients *recipients)
{
    char *text = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&text, &n);
    if (!memory)
        exit(EXIT_MEMORY);
    verdict_write(memory, part, recipients);
    fclose(memory);
    fputs("\"verdict\": ", out);
    text_write_json(out, slice_of(text, n));
    free(text);
}

static void put_lines(FILE *out, const char *name, const struct originals *lines)
{
    fprintf(out, ",\n  \"%s\": [", name);
    for (size_t i = 0; i < lines->count; i++) {
        const struct original *line = &lines->list[i];
        fputs(i ? ",\n   {\"source\": " : "\n   {\"source\": ", out);
        text_write_json(out, line->path);
        fprintf(out, ", \"line\": %" PRId64 ", \"at\": %" PRId64 ", \"text\": ", line->line, line->at);
        text_write_json(out, line->text);
        fputc('}', out);
    }
    fputc(']', out);
}

static void put_part(FILE *out, const struct part *part, bool lines)
{
    static const char *const relations[] = {"root", "copy", "bounce"};
    struct recipients recipients;
    recipients_read(part, &recipients);
    fputs("\n {", out);
    put_verdict(out, part, &recipients);
    fprintf(out, ",\n  \"relation\": \"%s\", ", relations[part->relation]);
    put_members(out, &part->message, 0);
    put_recipients(out, &recipients);
    put_rows(out, "attempts", part, &part->attempts, more_of_attempt);
    put_rows(out, "refusals", part, &part->refusals, more_of_refusal);
    put_rows(out, "scans", part, &part->scans, NULL);
    fprintf(out, ",\n  \"scans_ambiguous\": %s", part->namesakes && part->scans.count ? "true" : "false");
    put_rows(out, "events", part, &part->events, NULL);
    put_rows(out, "sessions", part, &part->sessions, NULL);
    if (lines)
        put_lines(out, "lines", &part->lines);
    fputs(",\n  \"parts\": [", out);
    for (const struct part *child = part->first; child; child = child->next) {
        fputs(child == part->first ? "" : ",", out);
        put_part(out, child, lines);
    }
    fputs("]}", out);
    recipients_free(&recipients);
}

void tell_json(const struct tell *tell)
{
    FILE *out = tell->out;
    fputs("{\"keys\": [", out);
    for (int i = 0; i < tell->key_count; i++) {
        fputs(i ? ", " : "", out);
        put_string(out, tell->keys[i]);
    }
    fprintf(out, "],\n \"stories_found\": %zu, \"refusals_found\": %zu, \"logins_found\": %zu,\n \"stories\": [", tell->stories->found,
            tell->refusals_found, tell->logins_found);
    for (size_t i = 0; i < tell->stories->root_count; i++) {
        fputs(i ? "," : "", out);
        put_part(out, tell->stories->roots[i], tell->refusal_lines);
    }
    fputc(']', out);
    put_rows(out, "refusals", NULL, tell->refusals, more_of_refusal);
    put_rows(out, "logins", NULL, tell->logins, NULL);
    if (tell->refusal_lines)
        put_lines(out, "refusal_lines", tell->refusal_lines);
    fputs("}\n", out);
}
