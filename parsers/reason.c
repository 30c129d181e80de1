/* reason.c — why a message was refused, put off or lost: its class, for counting, and its text without what varies.
   Both look at words only; whose words they are, the caller knows. */
#include "dialect.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_alnum(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || (unsigned char)c >= 0x80;
}

/* --- class --- */

/* In lower case, found at the beginning of a word; the first of the list that occurs anywhere decides. */
static const struct { const char *words, *class; } words[] = {
    {"retry time", "retry"},
    {"have been failing for a long time", "retry"},
    {"child process of", "system"},
    {"transport filter process", "system"},
    {"sender verify", "sender_verify"},
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
    {"insufficient disk space", "mailbox_full"},
    {"no space left", "mailbox_full"},
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
    {"timed out", "timeout"},
    {"timeout", "timeout"},
    {"host lookup", "dns"},
    {"lookup of host", "dns"},
    {"host not found", "dns"},
    {"domain not found", "dns"},
    {"mx record", "dns"},
    {"dns", "dns"},
    {"mx or srv record", "dns"},
    {"no ip address found", "dns"},
    {"all relevant mx", "dns"},
    {"reverse", "dns"},
    {"connection refused", "connection"},
    {"connection reset", "connection"},
    {"closed connection", "connection"},
    {"connection lost", "connection"},
    {"network", "connection"},
    {"no route to host", "connection"},
    {"remote host closed", "connection"},
    {"unreachable", "connection"},
    {"service not available", "connection"},
    {"dkim", "policy"},
    {"dmarc", "policy"},
    {"spf", "policy"},
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

/* Where no words tell: errno, and Exim's own codes of the queue. */
static const struct { int64_t code; const char *class; } codes[] = {
    {-22, "mailbox_full"}, {-23, "policy"}, {-32, "dns"},        {-36, "dns"},
    {-37, "tls"},          {-38, "tls"},    {-41, "sender_verify"}, {-42, "authentication"},
    {-18, "connection"},   {-51, "retry"},  {-52, "retry"},      {-53, "retry"},
    {-54, "retry"},        {110, "timeout"}, {111, "connection"}, {104, "connection"},
    {113, "connection"},   {101, "connection"}, {28, "mailbox_full"}, {122, "mailbox_full"}};

static bool begins(struct slice s, const char *text)
{
    size_t i = 0;
    for (; text[i]; i++)
        if (i >= s.n || lower(s.p[i]) != text[i])
            return false;
    return true;
}

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

const char *reason_class(struct slice reason, int64_t errno_code)
{
    enum { LOOKED_AT = 512 }; /* what comes later is explanation */
    if (reason.n > LOOKED_AT)
        reason.n = LOOKED_AT;
    size_t best = best_words(reason);
    bool remote = begins(reason, "smtp error from remote");
    if (best < WORDS) {
        bool blocked = strcmp(words[best].class, "blocklist") == 0;
        return remote && blocked ? "remote_block" : words[best].class;
    }
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == errno_code)
            return codes[i].class;
    return "other";
}

/* --- normal form --- */

struct out {
    char *p;
    size_t n, cap;
};

static void put(struct out *out, struct slice s)
{
    size_t room = out->cap - out->n, n = s.n < room ? s.n : room;
    if (n)
        memcpy(out->p + out->n, s.p, n);
    out->n += n;
}

static void put_text(struct out *out, const char *text)
{
    put(out, slice_of(text, strlen(text)));
}

static bool is_ip(struct slice s)
{
    size_t dots = 0, colons = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = lower(s.p[i]);
        dots += c == '.';
        colons += c == ':';
        if (!is_digit(c) && c != '.' && c != ':' && (c < 'a' || c > 'f'))
            return false;
        if (!is_digit(c) && c != '.' && dots && !colons)
            return false;
    }
    return (dots == 3 && s.n >= 7) || colons >= 2;
}

static bool is_number(struct slice s)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        digits += is_digit(s.p[i]);
        if (!is_digit(s.p[i]) && s.p[i] != '.' && s.p[i] != '%' && s.p[i] != '-' && s.p[i] != '+')
            return false;
    }
    return digits > 0;
}

/* Digits with a unit behind them: 30s, 5KB, 4h. */
static bool is_amount(struct slice s)
{
    size_t i = 0;
    while (i < s.n && (is_digit(s.p[i]) || (i > 0 && s.p[i] == '.')))
        i++;
    return i > 0 && s.n - i <= 2;
}

/* 5.1.1, the same wherever it stands; a reply code only where one can be. */
static bool is_status(struct slice s)
{
    return s.n >= 5 && (*s.p == '2' || *s.p == '4' || *s.p == '5') && s.p[1] == '.' &&
           is_digit(s.p[2]) && memchr(s.p + 3, '.', s.n - 3) && s.n <= 9;
}

static bool is_reply_code(struct slice s, const char *begin)
{
    if (s.n < 3 || *s.p < '2' || *s.p > '5' || !is_digit(s.p[1]) || !is_digit(s.p[2]))
        return false;
    if (s.n > 3 && s.p[3] != '-')
        return false;
    return s.p == begin || (s.p - begin >= 2 && (s.p[-2] == ':' || s.p[-1] == 'n'));
}

/* Queue ids, hashes and such: long, of letters and digits alike, not a name with dots. */
static bool is_id(struct slice s)
{
    size_t digits = 0, letters = 0;
    if (exim_id_valid(s))
        return true;
    for (size_t i = 0; i < s.n; i++) {
        digits += is_digit(s.p[i]);
        letters += is_alnum(s.p[i]) && !is_digit(s.p[i]);
        if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
            return false;
    }
    return s.n >= 8 && letters > 0 && digits >= 3;
}

static bool is_address(struct slice s)
{
    const char *at = s.n > 2 ? memchr(s.p + 1, '@', s.n - 2) : NULL;
    return at && is_alnum(at[1]);
}

static bool ends_word(char c)
{
    return c == ' ' || c == '"' || c == '<' || c == '>' || c == '(' || c == ')' || c == '[' ||
           c == ']' || c == ',' || c == ';' || c == '\'' || c == '\t' || c == '\\';
}

static size_t word_length(struct slice s)
{
    size_t n = 0;
    while (n < s.n && !ends_word(s.p[n]))
        n++;
    while (n > 1 && (s.p[n - 1] == '.' || s.p[n - 1] == ':' || s.p[n - 1] == '!'))
        n--;
    const char *equal = memchr(s.p, '=', n);
    if (equal && !is_address(slice_of(s.p, n))) /* size=5: name and value apart */
        n = (size_t)(equal - s.p) + 1;
    return n;
}

/* A host name in front of its (HELO) or its [IP], as Exim names hosts; a list's name stands alone. */
static bool is_named_host(struct slice word, struct slice after)
{
    if (after.n < 3 || after.p[0] != ' ' || (after.p[1] != '(' && after.p[1] != '['))
        return false;
    const char *dot = memchr(word.p, '.', word.n);
    return dot && dot > word.p && dot + 1 < word.p + word.n && is_alnum(dot[1]);
}

static void put_word(struct out *out, struct slice word, struct slice after, const char *begin)
{
    if (is_named_host(word, after) && !is_ip(word))
        put_text(out, "<host>");
    else if (is_address(word))
        put_text(out, "<address>");
    else if (is_ip(word))
        put_text(out, "<ip>");
    else if (is_status(word) || is_reply_code(word, begin))
        put(out, word);
    else if (is_number(word) || is_amount(word))
        put_text(out, "<n>");
    else if (*word.p == '/' && word.n > 1)
        put_text(out, "<path>");
    else if (is_id(word))
        put_text(out, "<id>");
    else
        put(out, word);
}

/* Length of a URL at s, 0 if there is none; *host: of its part that stays. */
static size_t url_length(struct slice s, size_t *host)
{
    size_t head = begins(s, "http://") ? 7 : begins(s, "https://") ? 8 : 0, n = head;
    if (!head)
        return 0;
    while (n < s.n && s.p[n] != ' ' && s.p[n] != '"' && s.p[n] != '>' && s.p[n] != ')')
        n++;
    const char *path = memchr(s.p + head, '/', n - head);
    *host = path ? (size_t)(path - s.p) : n;
    return n;
}

/* <address>, quoted text, (host.name): length and what is written for it; 0 if none is here. */
static size_t enclosed_length(struct slice s, const char **stands_for)
{
    char open = *s.p, close = open == '<' ? '>' : open == '(' ? ')' : open;
    if (open != '<' && open != '"' && open != '\'' && open != '(')
        return 0;
    const char *end = s.n > 1 ? memchr(s.p + 1, close, s.n - 1) : NULL;
    if (!end)
        return 0;
    struct slice inner = slice_of(s.p + 1, (size_t)(end - s.p) - 1);
    if (open == '<')
        *stands_for = memchr(inner.p, '@', inner.n) || inner.n == 0 ? "<address>" : NULL;
    else if (open == '"' || open == '\'')
        *stands_for = "<text>";
    else
        *stands_for = !memchr(inner.p, ' ', inner.n) && memchr(inner.p, '.', inner.n) &&
                              !is_ip(inner) && !is_number(inner)
                          ? "(<host>)" : NULL;
    return *stands_for ? inner.n + 2 : 0;
}

size_t reason_normalise(struct slice reason, char *buf, size_t cap)
{
    struct out out = {buf, 0, cap};
    for (size_t i = 0; i < reason.n && out.n < cap;) {
        struct slice rest = slice_after(reason, i);
        const char *stands_for = NULL;
        bool inner = *rest.p == '\'' && i > 0 && reason.p[i - 1] != ' '; /* an apostrophe */
        size_t host = 0, n = inner ? 0 : enclosed_length(rest, &stands_for);
        if (begins(rest, "set_id=")) {
            put_text(&out, "set_id=<user>)");
            n = rest.n;
        } else if (n) {
            put_text(&out, stands_for);
        } else if ((n = url_length(rest, &host))) {
            put(&out, slice_of(rest.p, host));
            if (n > host + 1)
                put_text(&out, "/<path>");
        } else if (*rest.p != ':' && (n = word_length(rest))) {
            put_word(&out, slice_of(rest.p, n), slice_after(rest, n), reason.p);
        } else {
            put(&out, slice_of(rest.p, n = 1));
        }
        i += n;
    }
    return out.n;
}
