/* meaning.c — a table by class; where the class says nothing, by enhanced status code (RFC 3463), then by reply code. */
#include "meaning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sense {
    const char *class, *name;
    struct {
        const char *words, *side;
    } out, here, in;
};

#define OURS "ours"
#define SENDER "sender"
#define RECIPIENT "recipient"
#define NOBODY "nobody"

static const struct sense senses[] = {
    {"blocklist", "on a blocklist",
     {"the far server has our host or the sender on a blocklist", OURS},
     {"a blocklist of ours names the sender", SENDER},
     {"a blocklist that we ask names the client", SENDER}},
    {"remote_block", "our host is blocked there",
     {"the far server does not take mail of our host: a blocklist, or our reputation", OURS},
     {"a host of ours is blocked", OURS},
     {"a far server that we asked blocks our host", OURS}},
    {"unknown_user", "no such mailbox",
     {"the far server knows no such mailbox: the address is wrong or was given up", SENDER},
     {"there is no such mailbox here: the address is wrong or was given up", SENDER},
     {"there is no such mailbox here", SENDER}},
    {"relaying", "not their domain",
     {"the far server does not take mail for this domain: its MX records lead to the wrong host", RECIPIENT},
     {"this domain is none of ours", SENDER},
     {"the client may not send through us to other domains: it has to log in", SENDER}},
    {"greylisting", "greylisted",
     {"the far server takes mail of new senders only at the second try: it is tried again", NOBODY},
     {"it is tried again later", NOBODY},
     {"we take mail of new senders only at the second try: a proper server comes back", NOBODY}},
    {"policy", "refused by policy",
     {"a rule of the far server refuses our host, the sender or the message", OURS},
     {"a rule or an account setting of this server forbids it", OURS},
     {"a rule of this server refuses it", SENDER}},
    {"rate", "too many at once",
     {"the far server is busy, or takes no more of us for now", NOBODY},
     {"a limit of this server was reached, or the message goes round in a loop", OURS},
     {"too many connections, messages or errors of this client for now", SENDER}},
    {"syntax", "not valid SMTP",
     {"the far server could not read what we said, or the address", SENDER},
     {"the address or the message is malformed", SENDER},
     {"what the client said, or the message, is malformed", SENDER}},
    {"tls", "encryption failed",
     {"no encryption could be agreed on with the far server", RECIPIENT},
     {"encryption failed", OURS},
     {"no encryption could be agreed on, or it is needed here", SENDER}},
    {"authentication", "login needed",
     {"the far server wants us to log in", OURS},
     {"a login of ours failed", OURS},
     {"the password, the account or the method was wrong, or a login is needed", SENDER}},
    {"sender_verify", "sender's address takes no mail",
     {"the far server found that the sender's address takes no mail", SENDER},
     {"the sender's address takes no mail", SENDER},
     {"the sender's address takes no mail, so no answer could reach it", SENDER}},
    {"helo", "bad HELO",
     {"the far server does not like the name that our host gives itself", OURS},
     {"the host's own name is wrong", OURS},
     {"the name that the client gives itself is missing or false", SENDER}},
    {"content", "content refused",
     {"the far server does not take what is in the message", SENDER},
     {"what is in the message is not taken", SENDER},
     {"what is in the message, or its headers, is not taken here", SENDER}},
    {"virus", "a virus",
     {"the far server found malware in it", SENDER}, {"there is malware in it", SENDER}, {"there is malware in it", SENDER}},
    {"spam", "taken for spam",
     {"the far server takes the message for spam", SENDER},
     {"the message was taken for spam", SENDER},
     {"the message, or the client, was taken for a spammer's", SENDER}},
    {"size", "too large",
     {"the message or a line of it is larger than the far server takes", SENDER},
     {"the message or a line of it is larger than this server takes", SENDER},
     {"the message or a line of it is larger than we take", SENDER}},
    {"dns", "domain not found",
     {"the recipient's domain or its mail host was not found", RECIPIENT},
     {"the recipient's domain or its mail host was not found: mistyped, or its DNS is broken", RECIPIENT},
     {"a host or a domain was not found", SENDER}},
    {"timeout", "no answer in time",
     {"the far server did not answer in time", RECIPIENT},
     {"a program or a file of this server took too long", OURS},
     {"the client took too long", SENDER}},
    {"connection", "not reached",
     {"the far server was not reached, or broke off", RECIPIENT},
     {"a service of this server was not reached", OURS},
     {"the client broke off", SENDER}},
    {"mailbox_full", "mailbox full",
     {"the recipient's mailbox is full", RECIPIENT},
     {"the recipient's mailbox here is full", RECIPIENT},
     {"the recipient's mailbox here is full", RECIPIENT}},
    {"retry", "given up after retries",
     {"Exim did not try: it waits for the next time, or has given up; the attempts before say why", NOBODY},
     {"Exim did not try: it waits for the next time, or has given up; the attempts before say why", NOBODY},
     {"Exim did not try: it waits for the next time", NOBODY}},
    {"system", "a fault of this server",
     {"a transport, a program or a file of this server failed", OURS},
     {"a transport, a program or a file of this server failed", OURS},
     {"a program, a file or a scanner of this server failed", OURS}},
};

/* By enhanced status, without its first digit. */
static const struct {
    const char *code, *class;
} enhanced_classes[] = {{"1.0", "unknown_user"}, {"1.1", "unknown_user"}, {"1.2", "dns"},      {"1.3", "syntax"},
                        {"1.6", "unknown_user"}, {"1.8", "sender_verify"}, {"2.0", "policy"},  {"2.1", "unknown_user"},
                        {"2.2", "mailbox_full"}, {"2.3", "size"},          {"3.1", "mailbox_full"}, {"3.2", "rate"},
                        {"3.4", "size"},         {"4.1", "connection"},    {"4.2", "connection"}, {"4.3", "dns"},
                        {"4.4", "dns"},          {"4.5", "rate"},          {"4.6", "rate"},    {"4.7", "timeout"},
                        {"5.2", "syntax"},       {"5.3", "rate"},          {"5.4", "syntax"},  {"6.0", "content"},
                        {"7.0", "policy"},       {"7.1", "policy"},        {"7.8", "authentication"},
                        {"7.23", "policy"},      {"7.25", "policy"},       {"7.26", "policy"}};

/* ---- codes ------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "550", "550-" or "550 " at the head of s, 4xx or 5xx; 0: none. */
static int code_at(struct slice s)
{
    if (s.n < 3 || (s.p[0] != '4' && s.p[0] != '5') || !is_digit(s.p[1]) || !is_digit(s.p[2]))
        return 0;
    if (s.n > 3 && s.p[3] != ' ' && s.p[3] != '-')
        return 0;
    return (s.p[0] - '0') * 100 + (s.p[1] - '0') * 10 + (s.p[2] - '0');
}

/* "5.1.1" at the head of s, into code; "" if it is none. */
static void enhanced_at(struct slice s, char code[12])
{
    size_t n = 0, dots = 0;
    while (n < s.n && n < 9 && (is_digit(s.p[n]) || (s.p[n] == '.' && n && is_digit(s.p[n - 1])))) {
        dots += s.p[n] == '.';
        n++;
    }
    bool whole = dots == 2 && (s.p[0] == '4' || s.p[0] == '5') && s.p[1] == '.' && is_digit(s.p[n - 1]);
    snprintf(code, 12, "%.*s", whole ? (int)n : 0, s.p ? s.p : "");
}

static void read_codes(struct slice words, struct meaning *meaning)
{
    for (size_t i = 0; i < words.n && !meaning->code; i++)
        if (i == 0 || (i >= 2 && words.p[i - 1] == ' ' && words.p[i - 2] == ':')) {
            struct slice rest = slice_after(words, i);
            meaning->code = code_at(rest);
            if (meaning->code && rest.n > 4)
                enhanced_at(slice_after(rest, 4), meaning->enhanced);
        }
}

/* ---- senses ------------------------------------------------------------------------------------ */

static const struct sense *sense_of(struct slice class)
{
    for (size_t i = 0; i < sizeof senses / sizeof *senses; i++)
        if (slice_is(class, senses[i].class))
            return &senses[i];
    return NULL;
}

static const struct sense *sense_of_enhanced(const char *code)
{
    for (size_t i = 0; *code && i < sizeof enhanced_classes / sizeof *enhanced_classes; i++)
        if (strcmp(code + 2, enhanced_classes[i].code) == 0)
            return sense_of(slice_of(enhanced_classes[i].class, strlen(enhanced_classes[i].class)));
    return NULL;
}

/* Of no sense: the first digit of the code says for good or for now. */
static void tell_code(struct meaning *meaning, enum direction direction)
{
    bool here = direction == MEANING_HERE;
    meaning->name = meaning->code / 100 == 4 ? "put off" : "refused";
    meaning->side = "unclear";
    if (meaning->code / 100 == 4)
        meaning->words = here ? "it did not work for now" : "it was put off, and may be tried again; why, the words say";
    else
        meaning->words = here ? "it did not work; why, the words say" : "it was refused for good; why, the words say";
}

struct meaning meaning_of(struct slice reason_class, struct slice words, enum direction direction)
{
    struct meaning meaning = {.code = 0};
    read_codes(words, &meaning);
    const struct sense *sense = sense_of(reason_class);
    if (!sense)
        sense = sense_of_enhanced(meaning.enhanced);
    if (!sense) {
        tell_code(&meaning, direction);
        return meaning;
    }
    meaning.name = sense->name;
    meaning.words = direction == MEANING_OUT ? sense->out.words : direction == MEANING_HERE ? sense->here.words : sense->in.words;
    meaning.side = direction == MEANING_OUT ? sense->out.side : direction == MEANING_HERE ? sense->here.side : sense->in.side;
    return meaning;
}
