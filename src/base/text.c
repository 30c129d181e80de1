/* text.c — the one escaper.  Each mode says what stands for the bytes at a place and how many it took;
   everything between such places is written as one run. */
#include "text.h"

#define SCRATCH 13 /* three octets as #ooo */
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Bytes of the well-formed UTF-8 sequence at the head of s (RFC 3629), 0 if there is none. */
static size_t utf8_length(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (n == 0 || n > s.n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* The replace_ functions say what stands in the output for the head of s: *with (maybe in scratch), and
   return how many bytes of s that is.  *with left NULL: those bytes as they are. */

/* U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069: they change the order in which words are shown
   (Unicode Standard Annex 9, 2). */
static bool is_bidi_control(struct slice s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (n == 2)
        return p[0] == 0xd8 && p[1] == 0x9c;
    return n == 3 && p[0] == 0xe2 &&
           ((p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xaa && p[2] <= 0xae))) ||
            (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
}

static size_t replace_terminal(struct slice s, const char **with, char scratch[SCRATCH])
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = utf8_length(s), took = n ? n : 1;
    bool c1 = (n == 0 && c >= 0x80 && c < 0xa0) ||
              (n == 2 && c == 0xc2 && (unsigned char)s.p[1] < 0xa0);
    if (c >= 0x20 && c != 0x7f && !c1 && !is_bidi_control(s, n))
        return took;
    for (size_t i = 0; i < took; i++)
        snprintf(scratch + 4 * i, SCRATCH - 4 * i, "#%03o", (unsigned char)s.p[i]);
    *with = scratch;
    return took;
}

static size_t replace_html(struct slice s, const char **with, char scratch[SCRATCH])
{
    (void)scratch;
    unsigned char c = (unsigned char)s.p[0];
    size_t n = utf8_length(s);
    switch (c) {
    case '&':
        *with = "&amp;";
        break;
    case '<':
        *with = "&lt;";
        break;
    case '>':
        *with = "&gt;";
        break;
    case '"':
        *with = "&quot;";
        break;
    case '\'':
        *with = "&#39;";
        break;
    default:
        if (n == 0 || (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f)
            *with = REPLACEMENT;
    }
    return n ? n : 1;
}

static size_t replace_json(struct slice s, const char **with, char scratch[SCRATCH])
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = utf8_length(s);
    if (n == 0)
        *with = REPLACEMENT;
    else if (c == '"' || c == '\\')
        *with = c == '"' ? "\\\"" : "\\\\";
    else if (c == '\n' || c == '\t' || c == '\r')
        *with = c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
    else if (c < 0x20 || c == 0x7f) {
        snprintf(scratch, SCRATCH, "\\u%04x", c);
        *with = scratch;
    }
    return n ? n : 1;
}

static size_t replace_csv(struct slice s, const char **with, char scratch[SCRATCH])
{
    (void)scratch;
    if (s.p[0] == '"')
        *with = "\"\"";
    return 1;
}

static size_t replace_tsv(struct slice s, const char **with, char scratch[SCRATCH])
{
    (void)scratch;
    switch (s.p[0]) {
    case '\t':
        *with = "\\t";
        break;
    case '\n':
        *with = "\\n";
        break;
    case '\r':
        *with = "\\r";
        break;
    case '\\':
        *with = "\\\\";
        break;
    default:
        break;
    }
    return 1;
}

static void write_replaced(FILE *out, struct slice text, size_t (*rule)(struct slice, const char **, char *))
{
    char scratch[SCRATCH];
    size_t run = 0;
    for (size_t i = 0; i < text.n;) {
        const char *with = NULL;
        size_t took = rule(slice_after(text, i), &with, scratch);
        if (with) {
            fwrite(text.p + run, 1, i - run, out);
            fputs(with, out);
            run = i + took;
        }
        i += took;
    }
    fwrite(text.p + run, 1, text.n - run, out);
}

/* A spreadsheet runs what begins so; RFC 4180 knows no way to say "text", the quote is what they take. */
static bool csv_would_run(struct slice text)
{
    return text.n > 0 && memchr("=+-@\t\r", text.p[0], 6);
}

static bool csv_wants_quotes(struct slice text)
{
    if (text.n == 0)
        return true;
    for (size_t i = 0; i < text.n; i++)
        if (memchr(",\"\r\n;\t", text.p[i], 6))
            return true;
    return text.p[0] == ' ' || text.p[text.n - 1] == ' ';
}

static void write_csv(FILE *out, struct slice text)
{
    bool quoted = csv_wants_quotes(text);
    if (quoted)
        fputc('"', out);
    if (csv_would_run(text))
        fputc('\'', out);
    write_replaced(out, text, replace_csv);
    if (quoted)
        fputc('"', out);
}

void text_write(FILE *out, struct slice text, enum text_mode mode)
{
    if (!text.p)
        return;
    switch (mode) {
    case TEXT_PLAIN:
        fwrite(text.p, 1, text.n, out);
        break;
    case TEXT_TERMINAL:
        write_replaced(out, text, replace_terminal);
        break;
    case TEXT_HTML:
        write_replaced(out, text, replace_html);
        break;
    case TEXT_JSON:
        write_replaced(out, text, replace_json);
        break;
    case TEXT_CSV:
        write_csv(out, text);
        break;
    case TEXT_TSV:
        write_replaced(out, text, replace_tsv);
        break;
    }
}

void text_write_json(FILE *out, struct slice text)
{
    if (!text.p) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    text_write(out, text, TEXT_JSON);
    fputc('"', out);
}

size_t text_width(struct slice text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        width += (c & 0xc0) == 0x80 ? 0 : c < 0x20 || c == 0x7f ? 4 : 1;
    }
    return width;
}
