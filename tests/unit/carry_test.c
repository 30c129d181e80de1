/* carry_test.c — what goes in comes out, and what is cut or forged reads as nothing. */
#include "../../src/ingest/carry.h"
#include "tap.h"

static void test_round_trip(void)
{
    static const int64_t numbers[] = {0, 1, -1, 255, 256, INT64_MAX, INT64_MIN, 1761440400};
    struct carry c = {0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        carry_put_int(&c, numbers[i]);
    carry_put_text(&c, SLICE_LIT("a\0b"));
    carry_put_text(&c, SLICE_LIT(""));
    carry_put_text(&c, SLICE_ABSENT);
    carry_put_int(&c, 42);
    struct carry in = {.bytes = c.bytes, .size = c.size};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        check_int(carry_get_int(&in), numbers[i], "a number");
    struct slice text = carry_get_text(&in);
    check(text.n == 3 && memcmp(text.p, "a\0b", 3) == 0, "a text with a NUL");
    text = carry_get_text(&in);
    check(text.p && text.n == 0, "an empty text");
    check(!carry_get_text(&in).p, "an absent text");
    check_int(carry_get_int(&in), 42, "a number behind texts");
    check(!in.bad && in.at == in.size, "all is read");
    check_int(carry_get_int(&in), 0, "behind the end: 0");
    check(in.bad && !carry_get_text(&in).p, "behind the end: bad, and absent");
    carry_free(&c);
}

/* Cut at every octet: never beyond the end. */
static void test_cut(void)
{
    struct carry c = {0};
    carry_put_text(&c, SLICE_LIT("some text"));
    carry_put_int(&c, 7);
    unsigned good = 0;
    for (size_t cut = 0; cut < c.size; cut++) {
        char *copy = malloc(cut ? cut : 1);
        memcpy(copy, c.bytes, cut);
        struct carry in = {.bytes = copy, .size = cut};
        struct slice text = carry_get_text(&in);
        good += (!text.p || text.n <= cut) && carry_get_int(&in) == 0 && in.bad;
        free(copy);
    }
    check_int(good, (int64_t)c.size, "cut anywhere: bad");
    carry_free(&c);
    struct carry forged = {0};
    carry_put_int(&forged, INT64_MAX);
    struct carry in = {.bytes = forged.bytes, .size = forged.size};
    check(!carry_get_text(&in).p && in.bad, "a length beyond the end");
    carry_free(&forged);
}

int main(void)
{
    test_round_trip();
    test_cut();
    return tap_end();
}
