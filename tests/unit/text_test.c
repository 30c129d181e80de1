/* text_test.c — every byte and every pair of bytes in every mode: what comes out can do no harm where it goes. */
#include "../../src/base/text.h"
#include "tap.h"

static struct slice written(struct slice in, enum text_mode mode)
{
    static char *got;
    size_t size;
    free(got);
    FILE *out = open_memstream(&got, &size);
    text_write(out, in, mode);
    fclose(out);
    return slice_of(got, size);
}

/* By RFC 3629, written out once more. */
static bool is_utf8(struct slice s)
{
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = c < 0x80 ? 1 : c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
        if (n == 0 || i + n > s.n)
            return false;
        uint32_t value = n == 1 ? c : c & (0x7fu >> n);
        for (size_t k = 1; k < n; k++) {
            if (((unsigned char)s.p[i + k] & 0xc0) != 0x80)
                return false;
            value = value << 6 | ((unsigned char)s.p[i + k] & 0x3f);
        }
        if ((n == 3 && value < 0x800) || (n == 4 && value < 0x10000) || value > 0x10ffff ||
            (value >= 0xd800 && value < 0xe000))
            return false;
        i += n;
    }
    return true;
}

static bool drives_terminal(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i], before = i ? (unsigned char)s.p[i - 1] : 0;
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0 && before < 0x80) ||
            (c < 0xa0 && c >= 0x80 && before == 0xc2))
            return true;
    }
    return false;
}

static bool breaks_html(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '<' || s.p[i] == '>' || s.p[i] == '"' || s.p[i] == '\'')
            return true;
    return !is_utf8(s);
}

static bool breaks_json(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == '"')
            return true;
        if (s.p[i] == '\\' && (++i == s.n || !memchr("\\\"ntru", s.p[i], 6)))
            return true;
    }
    return !is_utf8(s);
}

static bool breaks_tsv(struct slice s)
{
    return memchr(s.p, '\t', s.n) || memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n);
}

/* One CSV cell between commas is read back as the text, but for the ' that keeps a spreadsheet from running it. */
static bool breaks_csv(struct slice in, struct slice cell)
{
    char back[16];
    size_t n = 0;
    bool quoted = cell.n && cell.p[0] == '"';
    if (!quoted && (memchr(cell.p, ',', cell.n) || memchr(cell.p, '\n', cell.n) || memchr(cell.p, '\r', cell.n)))
        return true;
    for (size_t i = quoted; i < cell.n - quoted && n < sizeof back; i++) {
        if (quoted && cell.p[i] == '"' && cell.p[++i] != '"')
            return true;
        back[n++] = cell.p[i];
    }
    size_t skip = n && back[0] == '\'' && in.p[0] != '\'';
    if (skip ? !memchr("=+-@\t\r", in.p[0], 6) : in.n && memchr("=+-@\t\r", in.p[0], 6))
        return true;
    return n - skip != in.n || memcmp(back + skip, in.p, in.n) != 0;
}

static void count_faults(struct slice in, unsigned faults[5])
{
    faults[0] += drives_terminal(written(in, TEXT_TERMINAL));
    faults[1] += breaks_html(written(in, TEXT_HTML));
    faults[2] += breaks_json(written(in, TEXT_JSON));
    faults[3] += breaks_tsv(written(in, TEXT_TSV));
    faults[4] += breaks_csv(in, written(in, TEXT_CSV));
}

static void test_all_pairs(void)
{
    static const char *const names[] = {"terminal", "html", "json", "tsv", "csv"};
    unsigned faults[5] = {0};
    for (unsigned a = 0; a < 256; a++) {
        const char one[] = {(char)a};
        count_faults(slice_of(one, 1), faults);
        for (unsigned b = 0; b < 256; b++) {
            const char two[] = {(char)a, (char)b};
            count_faults(slice_of(two, 2), faults);
        }
    }
    for (size_t i = 0; i < 5; i++)
        check_int(faults[i], 0, names[i]);
}

/* Bytes drawn from those that UTF-8 is made of. */
static void test_random(void)
{
    static const unsigned char bytes[] = {0x00, 0x1b, '<', '"', '\\', 'a', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
                                          0xc2, 0xdf, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff};
    unsigned faults[5] = {0};
    srand(5);
    for (int round = 0; round < 60000; round++) {
        char text[6];
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)bytes[rand() % (int)sizeof bytes];
        count_faults(slice_of(text, 1 + (size_t)rand() % sizeof text), faults);
    }
    check_int(faults[1] + faults[2] + faults[3] + faults[4], 0, "random bytes in html, json, tsv and csv");
}

static void test_kept(void)
{
    check_text(written(SLICE_LIT("Gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac \xf0\x9f\x93\xac"), TEXT_TERMINAL),
               "Gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac \xf0\x9f\x93\xac", "well-formed UTF-8 goes to a terminal as it is");
    check_text(written(SLICE_LIT("a\xe2\x80\xae" "b\xe2\x81\xa9" "c\xd8\x9c\xe2\x80\x90"), TEXT_TERMINAL),
               "a#342#200#256b#342#201#251c#330#234\xe2\x80\x90", "bidirectional controls are written out, a hyphen is not");
    check_text(written(SLICE_LIT("a\0b\xff"), TEXT_TERMINAL), "a#000b\xff", "NUL is written out");
    check_text(written(SLICE_LIT("a&b"), TEXT_HTML), "a&amp;b", "an ampersand");
    check_text(written(SLICE_LIT("\xed\xa0\x80"), TEXT_JSON), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "half a surrogate");
    check_int((int64_t)written(SLICE_ABSENT, TEXT_JSON).n, 0, "an absent text");
    char all[256];
    for (unsigned i = 0; i < 256; i++)
        all[i] = (char)i;
    struct slice plain = written(slice_of(all, 256), TEXT_PLAIN);
    check(plain.n == 256 && memcmp(plain.p, all, 256) == 0, "plain is plain");
}

int main(void)
{
    test_all_pairs();
    test_random();
    test_kept();
    return tap_end();
}
