/* batch_test.c — strings numbered once, domains, rows, tallies; emptied, as new. */
#include "../../src/ingest/batch.h"
#include "tap.h"

static struct slice text_of(const char *text)
{
    return slice_of(text, strlen(text));
}

static void test_strings(struct batch *batch)
{
    check_int(batch_string(batch, SLICE_ABSENT), 0, "an absent text is 0");
    uint32_t empty = batch_string(batch, SLICE_LIT("")), nul = batch_string(batch, SLICE_LIT("a\0b"));
    check(empty != 0 && nul != 0 && empty != nul, "the empty text is one, one with a NUL another");
    unsigned wrong = 0;
    uint32_t numbers[5000];
    char text[32];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            snprintf(text, sizeof text, "user%d@example", i);
            uint32_t number = batch_string(batch, text_of(text));
            if (round == 0)
                numbers[i] = number;
            wrong += number != numbers[i] || !slice_is(batch->strings[number].text, text);
        }
    check_int(wrong, 0, "5000 texts, each the same number again");
    check_int(batch_string(batch, SLICE_LIT("")), empty, "the empty text again");

    uint32_t small = 0, wanted = 0, same = 0;
    batch_want_lower(batch, SLICE_LIT("Mail.Example.ORG"), &small);
    batch_want(batch, SLICE_LIT("user7@example"), &wanted);
    batch_want(batch, SLICE_LIT("new text"), &same);
    batch_settle(batch);
    check_text(batch->strings[small].text, "mail.example.org", "small letters");
    check_int(wanted, numbers[7], "a text asked for");
    check_int(batch_string(batch, SLICE_LIT("new text")), same, "a new text asked for");
}

static void test_domains(struct batch *batch)
{
    static const struct {
        const char *text, *domain;
    } table[] = {{"a@b.example", "b.example"}, {"a@B.Example", "b.example"}, {"a@b@c.example", "c.example"},
                 {"mx.b.example", "b.example"}, {"b.example", NULL}, {"example", NULL}, {"192.0.2.1", NULL},
                 {"2001:db8::1", NULL}, {"some words", NULL}, {"a@", NULL}, {"a@b c", NULL}, {"", NULL},
                 {"a@[192.0.2.1]", NULL}, {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.example", NULL}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint32_t number = batch_string(batch, text_of(table[i].text));
        batch_find_kin(batch, number);
        check_text(batch->strings[batch->strings[number].domain].text, table[i].domain, table[i].text);
    }
}

static void test_rows(struct batch *batch)
{
    struct rejection_row *row = batch_row(batch, TABLE_REJECTION);
    check(row->at == NUM_ABSENT && row->ms == NUM_ABSENT && row->client == 0 && !row->own.p, "a new row says nothing");
    row->at = 7;
    for (int i = 0; i < 1000; i++)
        batch_row(batch, TABLE_REJECTION);
    check_int(((struct rejection_row *)(void *)batch->events[TABLE_REJECTION].rows)->at, 7, "rows stay when more come");
    check_int((int64_t)batch->events[TABLE_DELIVERY].count, 0, "other tables have none");
}

static void test_messages(struct batch *batch)
{
    unsigned wrong = 0;
    char id[24];
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 9000; i++) {
            snprintf(id, sizeof id, "1vpN7t-%06u-1r", i);
            uint32_t index = batch_message_index(batch, text_of(id));
            wrong += index != i || !slice_is(batch_message(batch, index)->exim_id, id);
        }
    check_int(wrong, 0, "9000 messages, each the same again");
    struct message_row *row = batch_message(batch, 5);
    check(row->received == NUM_ABSENT && row->flags == 0 && row->delayed == 0 && row->failed == 0, "a message begins empty");
}

static void test_tallies(struct batch *batch)
{
    uint32_t a = batch_tally(batch, "", "foreign", SLICE_LIT("sshd"));
    uint32_t b = batch_tally(batch, "", "foreign", SLICE_LIT("CRON"));
    check(a != b, "foreign programs are counted apart");
    check_int(batch_tally(batch, "", "foreign", SLICE_LIT("sshd")), a, "each once");
}

int main(void)
{
    struct batch *batch = batch_new(42);
    for (int round = 0; round < 2; round++) {
        test_strings(batch);
        test_domains(batch);
        test_rows(batch);
        test_messages(batch);
        test_tallies(batch);
        batch_empty(batch);
        check(batch->string_count == 1 && batch->messages.count == 0 && batch->tally_count == 0 && batch->lines == 0 &&
                  batch->events[TABLE_REJECTION].count == 0, "emptied");
    }
    batch_free(&batch);
    check(!batch, "freed");
    return tap_end();
}
