/* reason.c — why a message was refused, put off or lost: its class, for counting, and its codes.  Only words are
   looked at; whose words they are, the caller knows.  The text without what varies: reason_normal.c */
#include "dialect.h"
#include "ascii.h"

/* --- class --- */

/* In lower case, found at the beginning of a word; the first of the list that occurs anywhere decides. */
static const struct { const char *words, *class; } words[] = {
    {"retry time", "retry"},
    {"have been failing for a long time", "retry"},
    {"resolver.rst.authrequired", "policy"}, /* Exchange: the mailbox takes mail of its own people only */
    {"required authentication level", "policy"},
    {"recipientnotfound", "unknown_user"}, /* Exchange, with a 5.1.10 that RFC 7505 has for another case */
    {"a problem occurred. (ask your postmaster", "blocklist"},
    {"unexpected volume", "rate"},
    {"reverse", "reverse_dns"},
    {"ptr record", "reverse_dns"},
    {"dns ptr", "reverse_dns"},
    {"rdns", "reverse_dns"},
    {"child process of", "system"},
    {"transport filter process", "system"},
    {"sender verify", "sender_verify"},
    {"mail loop", "loop"},
    {"loops back to", "loop"},
    {"loop detected", "loop"},
    {"routing loop", "loop"},
    {"too many hops", "loop"},
    {"points to local host", "loop"},
    {"remote host address is the local host", "loop"},
    {"unqualified", "syntax"},
    {"greylist", "greylisting"},
    {"graylist", "greylisting"},
    {"grey list", "greylisting"},
    {"virus", "virus"},
    {"malware", "virus"},
    {"infected", "virus"},
    {"trojan", "virus"},
    {"eicar", "virus"},
    {"quota", "mailbox_full"},
    {"over quota", "mailbox_full"},
    {"mailbox is full", "mailbox_full"},
    {"mailbox full", "mailbox_full"},
    {"mailbox size limit", "mailbox_full"},
    {"insufficient disk space", "storage"},
    {"insufficient system storage", "storage"},
    {"insufficient storage", "storage"},
    {"no space left", "storage"},
    {"disk full", "storage"},
    {"disk is full", "storage"},
    {"rbl", "blocklist"},
    {"dnsbl", "blocklist"},
    {"blocklist", "blocklist"},
    {"block list", "blocklist"},
    {"blacklist", "blocklist"},
    {"blackhole list", "blocklist"},
    {"listed at", "blocklist"},
    {"listed in", "blocklist"},
    {"listed by", "blocklist"},
    {"spamhaus", "blocklist"},
    {"spamcop", "blocklist"},
    {"barracuda", "blocklist"},
    {"reputation", "blocklist"},
    {"sender rejected", "sender_verify"},
    {"sender address rejected", "sender_verify"},
    {"verify failed", "sender_verify"},
    {"callout", "sender_verify"},
    {"relay", "relaying"},
    {"we do not relay", "relaying"},
    {"not permitted to send", "relaying"},
    {"spam", "spam"},
    {"junk", "spam"},
    {"unsolicited", "spam"},
    {"bulk mail", "spam"},
    {"tls", "tls"},
    {"ssl", "tls"},
    {"certificate", "tls"},
    {"starttls", "tls"},
    {"dane", "tls"},
    {"encryption", "tls"},
    {"dkim", "policy"},
    {"dmarc", "policy"},
    {"spf", "policy"},
    {"authentication", "authentication"},
    {"authenticate", "authentication"},
    {"auth", "authentication"},
    {"invalid base64", "authentication"},
    {"password", "authentication"},
    {"login", "authentication"},
    {"log in", "authentication"},
    {"unknown user", "unknown_user"},
    {"user unknown", "unknown_user"},
    {"unknown recipient", "unknown_user"},
    {"no such user", "unknown_user"},
    {"no such recipient", "unknown_user"},
    {"no such mailbox", "unknown_user"},
    {"no such person", "unknown_user"},
    {"no mailbox", "unknown_user"},
    {"no such account", "unknown_user"},
    {"no account", "unknown_user"},
    {"not our customer", "unknown_user"},
    {"user not found", "unknown_user"},
    {"user is unknown", "unknown_user"},
    {"address unknown", "unknown_user"},
    {"unknown address", "unknown_user"},
    {"inactive", "unknown_user"},
    {"no user", "unknown_user"},
    {"invalid recipient", "unknown_user"},
    {"invalid mailbox", "unknown_user"},
    {"recipient not found", "unknown_user"},
    {"unknown local", "unknown_user"},
    {"unrouteable address", "unknown_user"},
    {"unroutable address", "unknown_user"},
    {"unrouteable mail domain", "dns"},
    {"mailbox unavailable", "unknown_user"},
    {"mailbox not found", "unknown_user"},
    {"account that you tried to reach does not exist", "unknown_user"},
    {"account is disabled", "unknown_user"},
    {"mailbox is disabled", "unknown_user"},
    {"user doesn't have a", "unknown_user"},
    {"account disabled", "unknown_user"},
    {"does not exist", "unknown_user"},
    {"doesn't exist", "unknown_user"},
    {"address rejected", "unknown_user"},
    {"recipient rejected", "unknown_user"},
    {"recipient unknown", "unknown_user"},
    {"undeliverable", "unknown_user"},
    {"message too big", "size"},
    {"message too large", "size"},
    {"message size exceeds", "size"},
    {"too big", "size"},
    {"too large", "size"},
    {"size limit", "size"},
    {"lines too long", "size"},
    {"too many", "rate"},
    {"rate", "rate"},
    {"ratelimit", "rate"},
    {"too fast", "rate"},
    {"throttl", "rate"},
    {"too busy", "rate"},
    {"server busy", "rate"},
    {"server is busy", "rate"},
    {"limit reached", "rate"},
    {"not in reserve list", "rate"},
    {"load average", "rate"},
    {"overloaded", "rate"},
    {"exceeded the max", "rate"},
    {"outgoing limit", "rate"},
    {"helo", "helo"},
    {"ehlo", "helo"},
    {"syntactically invalid", "syntax"},
    {"syntax", "syntax"},
    {"synchronization", "syntax"},
    {"unrecognized command", "syntax"},
    {"domain missing or malformed", "syntax"},
    {"malformed", "syntax"},
    {"restricted characters", "syntax"},
    {"non-crlf-terminated", "syntax"},
    {"bad sequence", "syntax"},
    {"next input sent too soon", "syntax"},
    {"host lookup", "dns"}, /* with a timeout too: DNS did not answer */
    {"lookup of host", "dns"},
    {"dns timeout", "dns"},
    {"timed out", "timeout"},
    {"timeout", "timeout"},
    {"host not found", "dns"},
    {"domain not found", "dns"},
    {"mx record", "dns"},
    {"dns", "dns"},
    {"mx or srv record", "dns"},
    {"no ip address found", "dns"},
    {"all relevant mx", "dns"},
    {"connection refused", "connection"},
    {"connection reset", "connection"},
    {"closed connection", "connection"},
    {"connection lost", "connection"},
    {"network", "connection"},
    {"no route to host", "connection"},
    {"remote host closed", "connection"},
    {"unreachable", "connection"},
    {"service not available", "connection"},
    {"no valid sender in any header", "content"},
    {"header", "content"},
    {"mime", "content"},
    {"attachment", "content"},
    {"content", "content"},
    {"blocked", "policy"},
    {"banned", "policy"},
    {"suspended", "policy"},
    {"policy", "policy"},
    {"administrative prohibition", "policy"},
    {"access denied", "policy"},
    {"denied", "policy"},
    {"not allowed", "policy"},
    {"not permitted", "policy"},
    {"prohibited", "policy"},
    {"refused", "policy"},
    {"rejected", "policy"},
    {"permission denied", "system"},
    {"transport", "system"},
    {"failed to", "system"}};

enum { WORDS = sizeof words / sizeof *words };

/* Where neither words nor status tell: errno, and Exim's own codes of the queue. */
static const struct { int64_t code; const char *class; } codes[] = {
    {-22, "mailbox_full"}, {-23, "policy"}, {-32, "dns"},        {-36, "dns"},
    {-37, "tls"},          {-38, "tls"},    {-41, "sender_verify"}, {-42, "authentication"},
    {-18, "connection"},   {-51, "retry"},  {-52, "retry"},      {-53, "retry"},
    {-54, "retry"},        {110, "timeout"}, {111, "connection"}, {104, "connection"},
    {113, "connection"},   {101, "connection"}, {28, "storage"}, {122, "mailbox_full"}};

/* Length of an address that begins s, bare or in brackets, or of a login name; its words say nothing. */
static size_t name_length(struct slice s)
{
    size_t n = 0, at = 0;
    bool bracket = *s.p == '<';
    if (begins(s, "set_id="))
        return s.n;
    for (; n < s.n && s.p[n] != '>' && (bracket || (s.p[n] != ' ' && s.p[n] != ')')); n++)
        at += s.p[n] == '@';
    return at ? n : 0;
}

/* The rank of the best class, WORDS if none. */
static size_t best_words(struct slice s)
{
    size_t best = WORDS;
    for (size_t i = 0; i < s.n; i++) {
        bool word = is_alnum(s.p[i]) && (i == 0 || !is_alnum(s.p[i - 1]));
        size_t name = word || s.p[i] == '<' ? name_length(slice_after(s, i)) : 0;
        i += name ? name - 1 : 0;
        if (!word || name)
            continue;
        char first = lower(s.p[i]);
        for (size_t k = 0; k < best; k++)
            if (words[k].words[0] == first && begins(slice_after(s, i), words[k].words))
                best = k;
    }
    return best;
}

/* What RFC 3463 says where the words do not: by the last two numbers of x.y.z.  "Other" (x.y.0) says nothing. */
static const char *class_of_status(struct slice s)
{
    static const struct { const char *status, *class; } statuses[] = {
        {"1.1", "unknown_user"}, {"1.2", "dns"},          {"1.3", "syntax"},       {"1.6", "unknown_user"},
        {"1.7", "syntax"},       {"1.8", "sender_verify"}, {"1.10", "dns"},        {"2.1", "unknown_user"},
        {"2.2", "mailbox_full"}, {"2.3", "size"},         {"3.1", "storage"},      {"3.2", "rate"},
        {"3.4", "size"},         {"4.1", "connection"},   {"4.2", "connection"},   {"4.3", "dns"},
        {"4.4", "dns"},          {"4.5", "rate"},         {"4.6", "loop"},         {"4.7", "timeout"},
        {"5.3", "rate"},         {"5.", "syntax"},        {"6.", "content"},       {"7.8", "authentication"},
        {"7.9", "authentication"}, {"7.10", "tls"},       {"7.11", "tls"},         {"7.", "policy"}};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        size_t n = strlen(statuses[i].status);
        bool whole = statuses[i].status[n - 1] == '.' || s.n == n || (s.n > n && !is_digit(s.p[n]));
        if (slice_starts(s, statuses[i].status) && whole)
            return statuses[i].class;
    }
    return NULL;
}

/* A 4xx or 5xx, with what it continues with on several lines. */
static bool is_reply(struct slice s)
{
    return s.n > 3 && (*s.p == '4' || *s.p == '5') && is_digit(s.p[1]) && is_digit(s.p[2]) && (s.p[3] == ' ' || s.p[3] == '-');
}

/* The first 4.x.y or 5.x.y behind a reply code. */
static const char *status_class(struct slice s)
{
    for (size_t i = 0; i + 8 < s.n; i++) {
        struct slice code = slice_after(s, i);
        if ((i == 0 || s.p[i - 1] == ' ') && is_reply(code) && code.p[4] == *code.p && code.p[5] == '.')
            return class_of_status(slice_after(code, 6));
    }
    return NULL;
}

/* Whether the first reply code, at the beginning or behind a colon, is a 4xx: it says nothing for good (RFC 5321, 4.2.1). */
static bool is_for_now(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((i == 0 || (i > 1 && s.p[i - 1] == ' ' && s.p[i - 2] == ':')) && is_reply(slice_after(s, i)))
            return s.p[i] == '4';
    return false;
}

static const char *class_by_words(struct slice reason, size_t best)
{
    bool blocked = strcmp(words[best].class, "blocklist") == 0;
    return blocked && begins(reason, "smtp error from remote") ? "remote_block" : words[best].class;
}

const char *reason_class(struct slice reason, int64_t errno_code)
{
    enum { LOOKED_AT = 512 }; /* what comes later is explanation */
    if (reason.n > LOOKED_AT)
        reason.n = LOOKED_AT;
    size_t best = best_words(reason);
    const char *class = best < WORDS ? class_by_words(reason, best) : status_class(reason);
    for (size_t i = 0; !class && i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == errno_code)
            class = codes[i].class;
    if (class && strcmp(class, "unknown_user") == 0 && is_for_now(reason))
        return "unavailable";
    return class ? class : "other";
}
