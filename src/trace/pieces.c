/* pieces.c — see pieces.h. */
#include "pieces.h"

#include <inttypes.h>
#include <string.h>

#include "../base/text.h"
#include "../report/units.h"
#include "attempt.h"

void put_text(FILE *out, struct slice text)
{
    text_write(out, text, TEXT_TERMINAL);
}

void put_with(FILE *out, const char *before, struct slice text, const char *after)
{
    if (!text.p)
        return;
    fputs(before, out);
    put_text(out, text);
    fputs(after, out);
}

/* What stands in Exim's log for a byte between quotes; NULL: itself. */
static const char *escaped(char c)
{
    return c == '\n' ? "\\n" : c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;
}

void put_quoted(FILE *out, const char *before, struct slice text)
{
    if (!text.p)
        return;
    fprintf(out, "%s\"", before);
    for (size_t from = 0, i = 0; i < text.n; from = ++i) {
        while (i < text.n && !escaped(text.p[i]))
            i++;
        put_text(out, slice_of(text.p + from, i - from));
        fputs(i < text.n ? escaped(text.p[i]) : "", out);
    }
    fputc('"', out);
}

void put_address(FILE *out, struct slice address)
{
    if (address.p && address.n == 0)
        fputs("<>", out);
    else
        put_text(out, address);
}

static void put_host_name(FILE *out, const char *before, struct slice host, struct slice ip)
{
    fputs(before, out);
    if (host.p && !slice_equal(host, ip))
        put_text(out, host);
    else
        fputs("a host without a name", out);
}

void put_host_of(FILE *out, const char *before, struct slice host, struct slice ip)
{
    if (host.p || ip.p)
        put_host_name(out, before, host, ip);
    put_with(out, " [", ip, "]");
}

void put_host(FILE *out, const char *before, const struct rows *rows, size_t row, bool helo)
{
    struct slice host = rows_text(rows, row, "host"), ip = rows_text(rows, row, "ip");
    if (!host.p && !ip.p)
        return;
    put_host_name(out, before, host, ip);
    if (helo)
        put_with(out, " (", rows_text(rows, row, "helo"), ")");
    put_with(out, " [", ip, "]");
}

void put_duration(FILE *out, int64_t seconds)
{
    char text[UNIT_ROOM];
    duration_text(text, seconds);
    fputs(text, out);
}

void put_meaning(FILE *out, struct meaning meaning)
{
    static const struct {
        const char *side, *words;
    } sides[] = {{"sender", "the sender's side has to mend it"}, {"recipient", "the recipient's side has to mend it"},
                 {"ours", "ours to mend"}, {"nobody", "nobody has to mend anything"}};
    fprintf(out, "\n= %s%s", meaning.after_retries ? "given up after retries: " : "", meaning.words);
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        if (strcmp(meaning.side, sides[i].side) == 0)
            fprintf(out, "; %s", sides[i].words);
}

/* Length of the "<user>" that begins s, which stands for what was taken out of a reason; 0: none does. */
static size_t gap_length(struct slice s)
{
    size_t n = 1;
    while (n < s.n && s.p[n] >= 'a' && s.p[n] <= 'z')
        n++;
    return s.p[0] == '<' && n > 1 && n < s.n && s.p[n] == '>' ? n + 1 : 0;
}

/* A reason without what varies, which is no text of the log: "..." for what was taken out. */
static void put_pattern(FILE *out, struct slice reason)
{
    size_t from = 0;
    for (size_t i = 0; i < reason.n; i++) {
        size_t gap = gap_length(slice_after(reason, i));
        if (!gap)
            continue;
        put_text(out, slice_of(reason.p + from, i - from));
        fputs("...", out);
        from = i + gap;
    }
    put_text(out, slice_after(reason, from));
}

void put_refusal(FILE *out, const struct rows *refusals, size_t row)
{
    struct slice sender = rows_text(refusals, row, "sender"), recipient = rows_text(refusals, row, "recipient");
    fputs("at ", out);
    put_text(out, rows_text(refusals, row, "stage"));
    if (sender.p) {
        fputs(", from ", out);
        put_address(out, sender);
    }
    put_with(out, ", to ", recipient, "");
    put_host(out, "\nby ", refusals, row, true);
    put_with(out, "\n\"", rows_text(refusals, row, "detail"), "\"");
    if (!rows_has(refusals, row, "detail") && rows_has(refusals, row, "reason")) {
        fputs("\nin words like: ", out);
        put_pattern(out, rows_text(refusals, row, "reason"));
    }
    put_meaning(out, meaning_of_refusal(refusals, row));
}

void put_whose(FILE *out, const struct part *part)
{
    if (part->relation == RELATION_COPY)
        fputs("(the copy) ", out);
    else if (part->relation == RELATION_BOUNCE)
        fputs(is_answer(part) ? "(the answer) " : "(the report) ", out);
}

void put_ambiguous(FILE *out, const struct rows *rows, size_t row)
{
    if (rows_integer(rows, row, "ambiguous"))
        fputs("\n(ambiguous: where in the line an address, a host or the words begin and end can be read in more than one way)", out);
}

void put_more(FILE *out, size_t found, size_t shown, const char *what, const char *options)
{
    size_t more = found > shown ? found - shown : 0;
    if (more)
        fprintf(out, "... and %zu earlier %s%s; %s %s\n", more, what, more == 1 ? "" : "s", options, more == 1 ? "it" : "them");
}
