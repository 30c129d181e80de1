/* identity_test.c — how-manieth in its second, channel by channel; and saved and loaded anywhere, the same. */
#include "../../src/ingest/identity.h"
#include "tap.h"

static void test_counts(void)
{
    static const struct {
        uint64_t channel;
        int64_t at;
        uint64_t hash;
        uint32_t count;
        const char *what;
    } table[] = {
        {1, 100, 7, 1, "the first"},
        {1, 100, 7, 2, "the second of a second"},
        {1, 100, 8, 1, "another line"},
        {2, 100, 7, 1, "another channel"},
        {1, 101, 7, 1, "the next second"},
        {1, 100, 7, 3, "a second back: goes on"},
        {1, 106, 7, 1, "later"},
        {1, 101, 7, 2, "five seconds back: goes on"},
        {1, 100, 7, 1, "six seconds back: begun anew"},
        {1, 100, 7, 2, "and counted"},
        {1, 106, 7, 1, "as all that was counted before"},
        {2, 100, 7, 2, "the other channel knows nothing of it"},
        {1, -5, 7, 1, "before 1970"},
        {1, -5, 7, 2, "before 1970, again"},
    };
    struct identity *identity = identity_new();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check_int(identity_count(identity, table[i].channel, table[i].at, table[i].hash), table[i].count, table[i].what);
    identity_free(&identity);
    check(!identity, "freed");
}

/* Saved into bytes and read from them. */
static struct identity *reloaded(struct identity *identity)
{
    struct carry out = {0};
    identity_save(identity, &out);
    identity_free(&identity);
    identity = identity_new();
    struct carry in = {.bytes = out.bytes, .size = out.size};
    identity_load(identity, &in);
    if (in.bad || in.at != in.size)
        check(false, "what was saved is loaded");
    carry_free(&out);
    return identity;
}

/* A walk through more channels than are kept, cut again and again, against the same walk uncut. */
static void test_carried(unsigned channels, unsigned lines, unsigned cut_every, const char *what)
{
    struct identity *whole = identity_new(), *cut = identity_new();
    unsigned differ = 0;
    int64_t at = 1000;
    srand(11);
    for (int i = 0; i < 20000; i++) {
        at += rand() % 3 == 0 ? rand() % 4 - 1 : 0;
        if (rand() % 997 == 0)
            at -= 50;
        uint64_t channel = (uint64_t)(rand() % (int)channels), hash = (uint64_t)(rand() % (int)lines);
        uint32_t a = identity_count(whole, channel, at, hash);
        uint32_t b = identity_count(cut, channel, at, hash);
        differ += a != b;
        if (rand() % (int)cut_every == 0)
            cut = reloaded(cut);
    }
    check_int(differ, 0, what);
    identity_free(&whole);
    identity_free(&cut);
}

static void test_many_in_a_second(void)
{
    struct identity *identity = identity_new();
    unsigned wrong = 0;
    for (uint64_t round = 1; round <= 2; round++)
        for (uint64_t hash = 0; hash < 200000; hash++)
            wrong += identity_count(identity, 3, 500, hash * 0x9e3779b97f4a7c15u) != round;
    check_int(wrong, 0, "200 000 lines of one second, twice");
    identity_free(&identity);
}

int main(void)
{
    test_counts();
    test_carried(3, 5, 40, "three channels, cut anywhere");
    test_carried(CHANNELS_KEPT + 13, 3, 40, "more channels than are kept, cut anywhere");
    test_carried(2, 3000, 400, "many lines, cut anywhere");
    test_many_in_a_second();
    return tap_end();
}
