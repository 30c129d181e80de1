/* key_test.c — keys as people paste them, and texts that are them. */
#include "../../src/trace/key.h"

#include <string.h>

#include "tap.h"

static void reads(const char *argument, const char *text)
{
    struct key key = key_of(argument);
    check(slice_is(key.text, text), "%s", argument);
}

static struct slice of(const char *text)
{
    return slice_of(text, strlen(text));
}

static void test_arguments(void)
{
    reads("mia@mill.example", "mia@mill.example");
    reads(" mia@mill.example ", "mia@mill.example");
    reads("\"mia@mill.example\"", "mia@mill.example");
    reads("mia@mill.example,", "mia@mill.example");
    reads("(mia@mill.example).", "mia@mill.example");
    reads("<mia@mill.example>", "mia@mill.example");
    reads("\"Mia\" <mia@mill.example>", "mia@mill.example");
    reads("Mia <mia@mill.example>;", "mia@mill.example");
    reads("mailto:mia@mill.example", "mia@mill.example");
    reads("\"mia the miller\"@mill.example", "\"mia the miller\"@mill.example");
    reads("@mill.example", "mill.example");
    reads("mx.mill.example.", "mx.mill.example");
    reads("[127.1.0.66]", "127.1.0.66");
    reads("127.1.0.9:25", "127.1.0.9");
    reads("[127.1.0.9]:25", "127.1.0.9");
    reads("[2001:db8::25]", "2001:db8::25");
    reads("2001:db8::25", "2001:db8::25");
    reads("250 OK id=1vwyC8-0004Vf-2V", "1vwyC8-0004Vf-2V");
    reads("id=1vwyC8-0004Vf-2V", "1vwyC8-0004Vf-2V");
    reads("id=nothing", "id=nothing");
    reads("Message-ID: <34.week@sender6.example>", "34.week@sender6.example");
    reads("<34.week@sender6.example>", "34.week@sender6.example");
    reads("", "");
    reads(".", ".");
    reads("<>", "<>");
    check(key_of("1vwyC8-0004Vf-2V").is_id, "an Exim id is one");
    check(!key_of("1vwyC8-0004Vf").is_id, "and half of one is none");
    check(slice_is(key_of("Subject: Hello You").words, " Hello You"), "words of a subject");
}

static void test_texts(void)
{
    struct key address = key_of("Mia@Mill.example"), domain = key_of("mill.example"), words = key_of("subject:hurry UP");
    check(key_is(&address, of("mia@mill.example")), "whatever the case");
    check(!key_is(&address, of("mia@mill.example.org")), "but whole");
    check(key_is(&domain, of("ben@mill.example")) && key_is(&domain, of("mx.mill.example")), "a domain of addresses and hosts");
    check(!key_is(&domain, of("mx.windmill.example")), "not of its ending");
    check(key_has_words(&words, "Up and hurry") && !key_has_words(&words, "hurry"), "all words");
    check(!key_is(&words, of("hurry up")), "words are no text");
}

static void test_arrays(void)
{
    struct key mia = key_of("mia@mill.example"), odd = key_of("\"a\\b\"@mill.example"), domain = key_of("mill.example");
    struct slice list = of("[\"ben@bakery.example\",\"mia@mill.example\"]");
    check(key_in_array(&mia, list), "the second of an array");
    check(key_in_array(&domain, list), "a domain in an array");
    struct key carl = key_of("carl@mill.example");
    check(!key_in_array(&carl, list), "nobody else");
    check(key_in_array(&odd, of("[\"\\\"a\\\\b\\\"@mill.example\"]")), "quotes and backslashes");
    check(!key_in_array(&mia, of("[]")), "an empty one");
    check(key_in_array(&mia, of("[\"mia@mill.example")), "one whose end is missing");
}

static void test_headers(void)
{
    struct key mia = key_of("mia@mill.example"), id = key_of("<34.week@sender6.example>"), words = key_of("subject:EICAR inside");
    check(key_in_header(&mia, of("To: \"Mia\" <mia@mill.example>, ben@bakery.example")), "a name and an address");
    check(key_in_header(&mia, of("Envelope-to: <ben@bakery.example>, <mia@mill.example>")), "the second of the envelope");
    check(key_in_header(&mia, of("Message-ID: <mia@mill.example>")), "a Message-ID that looks like an address");
    check(key_in_header(&id, of("message-id: <34.week@sender6.example>")), "a Message-ID");
    check(!key_in_header(&id, of("Message-ID: <134.week@sender6.example>")), "no other");
    check(key_in_header(&words, of("Subject: EICAR is inside")), "words of a subject");
    check(!key_in_header(&words, of("From: EICAR inside <x@y.example>")), "of the subject alone");
}

int main(void)
{
    test_arguments();
    test_texts();
    test_arrays();
    test_headers();
    return tap_end();
}
