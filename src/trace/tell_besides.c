/* tell_besides.c — see tell_besides.h. */
#include "tell_besides.h"

#include <string.h>

#include "../../parsers/header.h"
#include "key.h"
#include "layout.h"
#include "pieces.h"
#include "tell_session.h"

/* ---- refusals and notes ------------------------------------------------------------------------ */

static struct slice next_header(struct slice *headers)
{
    const char *end = memchr(headers->p, '\n', headers->n);
    struct slice header = slice_of(headers->p, end ? (size_t)(end - headers->p) : headers->n);
    *headers = slice_after(*headers, end ? header.n + 1 : header.n);
    return header;
}

/* The recipients that the headers tell, each of which may have several, and the subject. */
static void put_headers(FILE *out, const struct rows *rows, size_t row)
{
    struct slice headers = rows_text(rows, row, "headers"), text, address;
    const char *before = "\nfor ";
    for (struct slice rest = headers; rest.n;)
        if (header_is(next_header(&rest), "envelope-to", &text))
            for (; (address = header_address(&text)).p; before = ", ")
                put_with(out, before, address, "");
    while (headers.n)
        if (header_is(next_header(&headers), "subject", &text))
            put_with(out, "\nsubject:", text, "");
}

static void tell_refused(const struct tell *tell, size_t row)
{
    const struct rows *rows = tell->refusals;
    bool login = slice_is(rows_text(rows, row, "what"), "login failed"), later = rows_integer(rows, row, "temporary") != 0;
    struct body body;
    FILE *out = body_open(&body);
    if (login) {
        put_with(out, "as ", rows_text(rows, row, "user"), "");
        put_with(out, " by ", rows_text(rows, row, "service"), ", ");
    }
    put_refusal(out, rows, row);
    put_ambiguous(out, rows, row);
    put_headers(out, rows, row);
    body_put(tell, &body, rows_text(rows, row, "time"), later ? COLOUR_OPEN : COLOUR_BAD,
             login ? "login failed" : later ? "refused for now" : "refused");
}

static void tell_note(const struct tell *tell, size_t row)
{
    const struct rows *rows = tell->refusals;
    struct body body;
    FILE *out = body_open(&body);
    put_with(out, "from ", rows_text(rows, row, "sender"), ", ");
    put_with(out, "to ", rows_text(rows, row, "recipient"), "");
    put_host(out, "\nby ", rows, row, true);
    put_with(out, "\n\"", rows_text(rows, row, "detail"), "\"");
    put_ambiguous(out, rows, row);
    body_put(tell, &body, rows_text(rows, row, "time"), COLOUR_PLAIN, "noted");
}

static bool is_note(const struct rows *rows, size_t row)
{
    return slice_is(rows_text(rows, row, "what"), "noted");
}

/* The rows that are notes, or are not, under a headline. */
static void tell_some(const struct tell *tell, bool notes, const char *headline)
{
    size_t told = 0;
    for (size_t i = 0; i < tell->refusals->count; i++) {
        if (is_note(tell->refusals, i) != notes)
            continue;
        if (told++ == 0) {
            put_coloured(tell, COLOUR_STRONG, headline);
            fputc('\n', tell->out);
        }
        if (notes)
            tell_note(tell, i);
        else
            tell_refused(tell, i);
    }
}

void tell_refusals(const struct tell *tell)
{
    put_more(tell->out, tell->refusals_found, tell->refusals->count, "refusal", "--limit or --until show");
    tell_some(tell, false, "never became a message");
    tell_some(tell, true, "logged of a recipient alone");
}

/* ---- logins, nothing --------------------------------------------------------------------------- */

void tell_logins(const struct tell *tell, bool first)
{
    if (tell->logins->count == 0)
        return;
    fputs(first ? "" : "\n", tell->out);
    put_coloured(tell, COLOUR_STRONG, "logged in to a mailbox");
    fputc('\n', tell->out);
    put_more(tell->out, tell->logins_found, tell->logins->count, "login", "--until shows");
    for (size_t i = 0; i < tell->logins->count; i++)
        tell_session(tell, tell->logins, i, false);
}

void tell_nothing(const struct tell *tell)
{
    fputs("nothing found", tell->out);
    for (int i = 0; i < tell->key_count; i++) {
        struct key key = key_of(tell->keys[i]);
        put_with(tell->out, i ? " and '" : " for '", key.words.p ? slice_of(tell->keys[i], strlen(tell->keys[i])) : key.text, "'");
    }
    fputc('\n', tell->out);
}
