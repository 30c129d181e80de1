/* wording.c — one walk over the words of a text. */
#include "wording.h"

#include <limits.h>

#define CODE_SIZE 3   /* 250, 550 */
#define SHORT_WORD 4  /* TLS1, IPv6: a digit in it says nothing */
#define MIXED_WORD 8  /* AdwTgnELV: letters so mixed are an id */
#define FIELD_MIN 3   /* a shorter field stands for nothing */

enum byte_class { WORD = 1, DIGIT = 2, UPPER = 4, AT = 8, OPENING = 16 /* no word, but a field may begin with it */ };
static const unsigned char classes[256] = {
    ['.'] = WORD,  ['-'] = WORD,   ['_'] = WORD, ['@'] = WORD | AT, ['+'] = WORD,
    ['='] = WORD,  [':'] = OPENING, ['"'] = OPENING, ['0' ... '9'] = WORD | DIGIT,
    ['A' ... 'Z'] = WORD | UPPER, ['a' ... 'z'] = WORD, [0x80 ... 0xff] = WORD};

static unsigned char class_of(char c)
{
    return classes[(unsigned char)c];
}

static bool is_digit(char c)
{
    return class_of(c) & DIGIT;
}

static bool is_upper(char c)
{
    return class_of(c) & UPPER;
}

static bool is_word_byte(char c)
{
    return class_of(c) & WORD;
}

/* The word that begins the text; a full stop behind it is not of it.  *seen: the classes of its bytes. */
static size_t word_size(struct slice text, unsigned *seen)
{
    size_t n = 0;
    *seen = 0;
    for (unsigned class; n < text.n && (class = class_of(text.p[n])) & WORD; n++)
        *seen |= class;
    while (n > 1 && text.p[n - 1] == '.')
        n--;
    return n;
}

/* 550, 5.1.1, 127.0.0.4: there are few of them. */
static bool is_code(struct slice word)
{
    for (size_t i = 0; i < word.n; i++)
        if (!is_digit(word.p[i]) && word.p[i] != '.')
            return false;
    if (slice_starts(word, "127."))
        return true;
    return word.p[0] >= '2' && word.p[0] <= '5' &&
           (word.n == CODE_SIZE || (word.n >= 5 && word.n <= 8 && word.p[1] == '.'));
}

/* Whether a word is likely to be another one the next time: ids, numbers, addresses, numbered hosts. */
static bool varies(struct slice word)
{
    size_t digits = 0, turns = 0;
    bool address = false;
    for (size_t i = 0; i < word.n; i++) {
        digits += is_digit(word.p[i]);
        address |= word.p[i] == '@';
        turns += i > 0 && is_upper(word.p[i]) && !is_upper(word.p[i - 1]);
    }
    if (digits == 0)
        return address || (word.n >= MIXED_WORD && turns > 1);
    if (digits == word.n)
        return !is_code(word);
    return word.n > SHORT_WORD && !is_code(word);
}

/* The place whose field begins the text and ends with a word, or 0. */
static int field_at(struct slice text, const struct slice fields[WORDING_PLACES])
{
    for (int place = WORDING_OWN + 1; place < WORDING_PLACES; place++) {
        size_t n = fields[place].n;
        if (n < FIELD_MIN || n > text.n || fields[place].p[0] != text.p[0] ||
            memcmp(fields[place].p, text.p, n) != 0)
            continue;
        struct slice rest = slice_after(text, n);
        unsigned seen;
        if (rest.n == 0 || !is_word_byte(rest.p[0]) || (rest.p[0] == '.' && word_size(rest, &seen) == 1))
            return place;
    }
    return 0;
}

static void note_beginnings(const struct slice fields[WORDING_PLACES], bool *begins)
{
    memset(begins, 0, UCHAR_MAX + 1);
    for (int place = WORDING_OWN + 1; place < WORDING_PLACES; place++)
        if (fields[place].n >= FIELD_MIN)
            begins[(unsigned char)fields[place].p[0]] = true;
}

static bool has_places(struct slice text)
{
    unsigned char lowest = UCHAR_MAX;
    for (size_t i = 0; i < text.n; i++) /* to the end, many bytes at a time */
        lowest = (unsigned char)text.p[i] < lowest ? (unsigned char)text.p[i] : lowest;
    return lowest < WORDING_PLACES;
}

/* What varies, from its first word to its last: the pattern holds one place for all of it. */
static void take_own(struct wording *wording, char *buf, size_t *size, size_t *own_at, struct slice word)
{
    if (wording->own.p) {
        *size = *own_at + 1;
        wording->own.n = (size_t)(word.p + word.n - wording->own.p);
        return;
    }
    wording->own = word;
    wording->places |= 1u << WORDING_OWN;
    *own_at = *size;
    buf[(*size)++] = WORDING_OWN;
}

bool wording_split(struct slice text, const struct slice fields[WORDING_PLACES], char *buf,
                   struct wording *wording)
{
    size_t size = 0, own_at = 0;
    unsigned seen = 0;
    bool begins[UCHAR_MAX + 1]; /* a field, by its first byte */
    *wording = (struct wording){SLICE_ABSENT, 0, SLICE_ABSENT};
    if (text.n == 0 || text.n > WORDING_MAX || has_places(text))
        return false;
    note_beginnings(fields, begins);
    while (text.n) {
        unsigned class = class_of(text.p[0]);
        bool maybe = begins[(unsigned char)text.p[0]] && class & (WORD | OPENING);
        int place = maybe ? field_at(text, fields) : 0;
        size_t n = place ? fields[place].n : class & WORD ? word_size(text, &seen) : 1;
        struct slice word = slice_of(text.p, n);
        if (place) {
            buf[size++] = (char)place;
            wording->places |= 1u << place;
        } else if (class & WORD && seen & (DIGIT | UPPER | AT) && varies(word)) {
            take_own(wording, buf, &size, &own_at, word);
        } else if (n == 1) {
            buf[size++] = *word.p;
        } else {
            memcpy(buf + size, word.p, n);
            size += n;
        }
        text = slice_after(text, n);
    }
    wording->pattern = slice_of(buf, size);
    return true;
}
