/* required_literals_test.c — what a pattern requires, read by eye. */
#include "../../src/compat/required_literals.h"
#include "tap.h"

int main(void)
{
    static const struct {
        const char *pattern, *literals; /* with blanks between them */
    } cases[] = {
        {"alice", "alice"}, {"", ""}, {"a.bc", "a bc"}, {"ab.c", "ab c"}, {"abc*", "ab"}, {"abc?de", "ab de"}, {"abc+de", "abc de"}, {"ab{2}cde", "a cde"},
        {"ab{,cde", "ab{,cde"}, {"ab{2,}?c", "a c"}, {"ab*+cd", "a cd"}, {"a\\.b", "a.b"}, {"a\\\\b", "a\\b"}, {"ab\\dcde", "ab cde"}, {"ab\\x41cde", "ab"},
        {"ab\\1cde", "ab"}, {"ab\\", "ab"}, {"[abc]de", "de"}, {"[]a]de", "de"}, {"[^]a]de", "de"}, {"[\\]a]de", "de"}, {"[[:alpha:]a]de", "de"}, {"ab[c", "ab"},
        {"(abc)de", "de"}, {"(a(b)c)*de", "de"}, {"(a\\)bc)de", "de"}, {"([)]abc)de", "de"}, {"ab(cde", "ab"}, {"abc|d", ""}, {"(a|b)cde", ""}, {"(?i)abc", ""},
        {"(*UTF)abc", ""}, {"^abc$", "abc"}, {"<=.*@\\S+weber", "<= @ weber"}, {"\\(x\\)y", "(x)y"}, {"ab\\c(def", "ab"}, {"\\Kab", "ab"}, {"\xe4\xf6", "\xe4\xf6"}, {".*", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *out = malloc(strlen(cases[i].pattern) + 2), *p = out; /* just as long: what is too long is seen */
        required_literals(cases[i].pattern, out);
        while (*p && p[strlen(p) + 1]) {
            p += strlen(p);
            *p++ = ' ';
        }
        check_text(slice_of(out, strlen(out)), cases[i].literals, cases[i].pattern);
        free(out);
    }
    return tap_end();
}
