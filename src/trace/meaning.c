/* meaning.c — tables by class: what is said for good, and what for now; where the class says nothing, the reply code. */
#include "meaning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../parsers/scan.h"

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
#define UNCLEAR "unclear"

/* What is said for good, or whatever the code. */
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
    {"unrouteable", "unrouteable address",
     {"the far server knows no way to deliver to that address", SENDER},
     {"this server knows no way to deliver to that address: its domain does not exist, or it is no mailbox here", SENDER},
     {"this server knows no way to deliver to that address: its domain does not exist, or it is no mailbox here", SENDER}},
    {"unavailable", "mailbox not available for now",
     {"the far server does not take mail for that mailbox for now: busy, locked, disabled, or not known to it yet", UNCLEAR},
     {"this server does not take mail for that mailbox for now", UNCLEAR},
     {"this server does not take mail for that mailbox for now", UNCLEAR}},
    {"relaying", "not their domain",
     {"the far server does not take mail for this domain: its MX records lead to the wrong host", RECIPIENT},
     {"this domain is none of ours", SENDER},
     {"the client may not send through us to other domains: it has to log in", SENDER}},
    {"loop", "mail loop",
     {"the far server finds that the message goes round in a loop", UNCLEAR},
     {"the message goes round in a loop, or would: a forward, an alias or an MX record leads back to this server", OURS},
     {"the message goes round in a loop", UNCLEAR}},
    {"greylisting", "greylisted",
     {"the far server takes mail of new senders only at a later try", NOBODY},
     {"this server takes mail of new senders only at a later try", NOBODY},
     {"we take mail of new senders only at the second try: a proper server comes back", NOBODY}},
    {"policy", "refused by policy",
     {"a rule of the far server refuses our host, the sender or the message", OURS},
     {"a rule or an account setting of this server forbids it", OURS},
     {"a rule of this server refuses it", SENDER}},
    {"rate", "too many at once",
     {"too many connections, messages, recipients or errors of ours for the far server", OURS},
     {"a limit of this server was reached", OURS},
     {"too many connections, messages, recipients or errors of this client", SENDER}},
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
     {"the far server did not find a name in DNS: our host's, or the sender's or the recipient's domain", UNCLEAR},
     {"the recipient's domain or its mail host was not found, or takes no mail: mistyped, or its DNS is broken", RECIPIENT},
     {"a host or a domain was not found", SENDER}},
    {"reverse_dns", "our host's name in DNS",
     {"the far server finds no name for our host's address in DNS, or none that leads back", OURS},
     {"a host's address has no name in DNS, or none that leads back", UNCLEAR},
     {"the client's address has no name in DNS, or none that leads back", SENDER}},
    {"smarthost", "smarthost not reached",
     {"the smarthost that takes our mail was not reached, or broke off", OURS},
     {"the smarthost that takes our mail was not reached, or broke off", OURS},
     {"the smarthost that takes our mail was not reached, or broke off", OURS}},
    {"timeout", "no answer in time",
     {"the far server did not answer in time", RECIPIENT},
     {"a program or a file of this server took too long", OURS},
     {"the client took too long", SENDER}},
    {"connection", "not reached",
     {"the far server was not reached, or broke off", RECIPIENT},
     {"a service of this server was not reached", OURS},
     {"the client broke off", SENDER}},
    {"unreachable", "not reached",
     {"the far server was not reached: the network there, here or between failed", UNCLEAR},
     {"a service of this server was not reached", OURS},
     {"the client was not reached", UNCLEAR}},
    {"mailbox_full", "mailbox full",
     {"the recipient's mailbox is full", RECIPIENT},
     {"the recipient's mailbox here is full", RECIPIENT},
     {"the recipient's mailbox here is full", RECIPIENT}},
    {"storage", "no space on disk",
     {"the far server has no space left", RECIPIENT},
     {"this server has no space left", OURS},
     {"this server has no space left", OURS}},
    {"retry", "given up after retries",
     {"Exim gave it up: the address or all its hosts failed for too long", NOBODY},
     {"Exim gave it up: the address or all its hosts failed for too long", NOBODY},
     {"Exim gave it up: the address or all its hosts failed for too long", NOBODY}},
    {"system", "a fault of this server",
     {"a transport, a program or a file of this server failed", OURS},
     {"a transport, a program or a file of this server failed", OURS},
     {"a program, a file or a scanner of this server failed", OURS}},
    {"far_fault", "a fault of the far server",
     {"something failed at the far server, or behind it", RECIPIENT},
     {"something failed at the far server, or behind it", RECIPIENT},
     {"something failed at the far server, or behind it", RECIPIENT}},
};

/* Said for now: it may change by itself, and is not told as a fact for good. */
static const struct sense senses_for_now[] = {
    {"remote_block", "our host is held off there",
     {"the far server takes no mail of our host for now: a blocklist, or our reputation", OURS},
     {"a host of ours is held off for now", OURS},
     {"a far server that we asked holds our host off for now", OURS}},
    {"relaying", "domain not taken for now",
     {"the far server does not take mail for this domain for now; if it stays so, its MX records lead to the wrong host", RECIPIENT},
     {"this server does not take mail for this domain for now", UNCLEAR},
     {"the client may not send through us to other domains for now", UNCLEAR}},
    {"policy", "held off by policy",
     {"a rule of the far server holds off our host, the sender or the message for now", UNCLEAR},
     {"a rule or an account setting of this server holds it off for now", OURS},
     {"a rule of this server holds it off for now", UNCLEAR}},
    {"rate", "too many at once",
     {"the far server is busy, or takes no more of us for now", NOBODY},
     {"a limit of this server was reached for now", OURS},
     {"this server is busy, or takes no more of this client for now", NOBODY}},
    {"authentication", "login not taken for now",
     {"the far server could not check our login, or wants one", OURS},
     {"a login of ours could not be checked for now", OURS},
     {"a login could not be checked for now, or is needed", UNCLEAR}},
    {"sender_verify", "sender's address not verified",
     {"the far server could not verify the sender's address for now", UNCLEAR},
     {"the sender's address could not be verified for now", UNCLEAR},
     {"the sender's address could not be verified for now", UNCLEAR}},
    {"content", "content held off",
     {"the far server does not take what is in the message for now", UNCLEAR},
     {"what is in the message is not taken for now", UNCLEAR},
     {"what is in the message is not taken here for now", UNCLEAR}},
    {"virus", "held off by a virus scan",
     {"the far server's scan for malware put it off", UNCLEAR},
     {"a scan for malware put it off", UNCLEAR},
     {"our scan for malware put it off", UNCLEAR}},
    {"spam", "suspected of spam",
     {"the far server suspects the message or our host of spam, and puts it off", UNCLEAR},
     {"the message was suspected of spam, and put off", UNCLEAR},
     {"the message, or the client, was suspected of spam, and put off", UNCLEAR}},
    {"size", "no room for it now",
     {"the far server has no room for a message of that size for now", RECIPIENT},
     {"this server has no room for a message of that size for now", OURS},
     {"this server has no room for a message of that size for now", OURS}},
    {"dns", "DNS did not answer",
     {"the far server had no answer of DNS: of our host, or the sender's or the recipient's domain", UNCLEAR},
     {"DNS did not answer for the recipient's domain or its mail host", RECIPIENT},
     {"DNS did not answer for a host or a domain", UNCLEAR}},
    {"retry", "its retry time is not reached",
     {"Exim did not try: the retry time of the address or its hosts is not reached", NOBODY},
     {"Exim did not try: the retry time of the address or its hosts is not reached", NOBODY},
     {"Exim did not try: the retry time of the address or its hosts is not reached", NOBODY}},
};

/* Where the log does not tell whether a far server or a service of ours. */
static const struct {
    const char *class, *words;
} eithers[] = {
    {"connection", "a server was not reached, or broke off; the log does not tell whether a far one or one of ours"},
    {"timeout", "no answer came in time; the log does not tell whether of a far server or of this one"},
    {"tls", "no encryption could be agreed on; the log does not tell whether with a far server or one of ours"},
};

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

static const struct sense *sense_in(const struct sense *list, size_t count, struct slice class)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(class, list[i].class))
            return &list[i];
    return NULL;
}

static const struct sense *sense_of(struct slice class, bool for_now)
{
    const struct sense *sense = NULL;
    if (for_now)
        sense = sense_in(senses_for_now, sizeof senses_for_now / sizeof *senses_for_now, class);
    return sense ? sense : sense_in(senses, sizeof senses / sizeof *senses, class);
}

/* "Unrouteable address" is Exim's word for a foreign domain that does not exist as well as for an unknown local part. */
static bool is_unrouteable(struct slice words)
{
    return slice_find(words, "nrouteable") >= 0 || slice_find(words, "nroutable") >= 0;
}

static bool is_of_network(struct slice words)
{
    return slice_find(words, "nreachable") >= 0 || slice_find(words, "o route to host") >= 0;
}

/* What the class comes to beside the code and the direction: a far server that answers is reached, and its faults are
   not ours. */
static struct slice class_told(const struct refused *refused, bool for_now, bool answered)
{
    struct slice class = refused->reason_class;
    bool far = refused->direction == MEANING_OUT && answered;
    if (refused->smarthost && !answered && (slice_is(class, "timeout") || slice_is(class, "connection") || slice_is(class, "dns")))
        return SLICE_LIT("smarthost");
    if (slice_is(class, "unknown_user") && for_now)
        return SLICE_LIT("unavailable");
    if (slice_is(class, "unknown_user") && is_unrouteable(refused->words) && !refused->local_domain)
        return SLICE_LIT("unrouteable");
    if (far && (slice_is(class, "system") || slice_is(class, "timeout") || slice_is(class, "connection")))
        return SLICE_LIT("far_fault");
    if (slice_is(class, "connection") && refused->direction == MEANING_OUT && is_of_network(refused->words))
        return SLICE_LIT("unreachable");
    return class;
}

/* Of no sense: said for good or for now. */
static void tell_code(struct meaning *meaning, enum direction direction, bool for_now)
{
    bool here = direction == MEANING_HERE;
    meaning->name = for_now ? "put off" : "refused";
    meaning->side = UNCLEAR;
    if (for_now)
        meaning->words = here ? "it did not work for now" : "it was put off, and may be tried again; why, the words say";
    else
        meaning->words = here ? "it did not work; why, the words say" : "it was refused for good; why, the words say";
}

static void tell_sense(struct meaning *meaning, const struct sense *sense, enum direction direction)
{
    meaning->name = sense->name;
    meaning->words = direction == MEANING_OUT ? sense->out.words : direction == MEANING_IN ? sense->in.words : sense->here.words;
    meaning->side = direction == MEANING_OUT ? sense->out.side : direction == MEANING_IN ? sense->in.side : sense->here.side;
    for (size_t i = 0; direction == MEANING_EITHER && i < sizeof eithers / sizeof *eithers; i++)
        if (strcmp(sense->class, eithers[i].class) == 0) {
            meaning->words = eithers[i].words;
            meaning->side = UNCLEAR;
        }
}

struct meaning meaning_of(const struct refused *refused)
{
    struct meaning meaning = {.code = 0};
    read_codes(refused->words, &meaning);
    bool for_now = refused->temporary || meaning.code / 100 == 4;
    const struct sense *sense = sense_of(class_told(refused, for_now, meaning.code), for_now);
    if (sense)
        tell_sense(&meaning, sense, refused->direction);
    else
        tell_code(&meaning, refused->direction, for_now);
    return meaning;
}
