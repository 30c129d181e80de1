/* reason_test.c — reasons: what varies makes no new one, what names the cause stays, and the class of each.  The texts
   are made up after what the big providers' servers and the usual ACLs say. */
#include "../../parsers/dialect.h"
#include "tap.h"

static struct slice text_of(const char *text)
{
    return slice_of(text, strlen(text));
}

/* Each reason, its normal form, its class.  Equal normal forms stand together. */
static const struct {
    const char *reason, *normal, *class;
} table[] = {
    /* ids at the end of Google's answers, one line or several */
    {"452 4.2.2 The email account that you tried to reach is over quota. pXsup9KDgM - gsmtp",
     "452 4.2.2 The email account that you tried to reach is over quota. <id> - gsmtp", "mailbox_full"},
    {"452 4.2.2 The email account that you tried to reach is over quota. Qrstuvwxyz - gsmtp",
     "452 4.2.2 The email account that you tried to reach is over quota. <id> - gsmtp", "mailbox_full"},
    {"452 4.2.2 The email account that you tried to reach is over quota. x12si345678edt.91 - gsmtp",
     "452 4.2.2 The email account that you tried to reach is over quota. <id> - gsmtp", "mailbox_full"},
    {"452 4.2.2 The email account that you tried to reach is over quota. a640c23a62f3a-ab1234567f8si - gsmtp",
     "452 4.2.2 The email account that you tried to reach is over quota. <id> - gsmtp", "mailbox_full"},
    {"SMTP error from remote mail server after RCPT TO:<a@b.example>: 550-5.1.1 No such account. Please try\\n550-5.1.1 "
     "again.\\n550 5.1.1  https://help.example/?p=NoSuchUser d9443c01a7336-1e2c1f5 - gsmtp",
     "SMTP error from remote mail server after RCPT TO:<address>: 550-5.1.1 No such account. Please try again."
     "  https://help.example/<path> <id> - gsmtp", "unknown_user"},
    {"SMTP error from remote mail server after RCPT TO:<c@d.example>: 550-5.1.1 No such account.\\n550-5.1.1 Please try "
     "again.\\n550 5.1.1  https://help.example/?p=Other QpZ7aKd9rW - gsmtp",
     "SMTP error from remote mail server after RCPT TO:<address>: 550-5.1.1 No such account. Please try again."
     "  https://help.example/<path> <id> - gsmtp", "unknown_user"},
    /* helo names, hosts, ports */
    {"JunkMail rejected - host (win-tzwjndtko5t) [203.0.113.7] is in an RBL",
     "JunkMail rejected - host (<host>) [<ip>] is in an RBL", "blocklist"},
    {"JunkMail rejected - host (ylmf-pc) [198.51.100.9]:51525 is in an RBL",
     "JunkMail rejected - host (<host>) [<ip>] is in an RBL", "blocklist"},
    {"JunkMail rejected - host (two words) [2001:db8::9] is in an RBL",
     "JunkMail rejected - host (<host>) [<ip>] is in an RBL", "blocklist"},
    {"JunkMail rejected - host (evil [6.6.6.6] S=9 T=\"x\" P=esmtp) [198.51.100.9] is in an RBL",
     "JunkMail rejected - host (<host>) [<ip>] is in an RBL", "blocklist"},
    {"JunkMail rejected - host (zen.dnsbl.example) [198.51.100.9] is in an RBL",
     "JunkMail rejected - host (<host>) [<ip>] is in an RBL", "blocklist"},
    {"JunkMail rejected - mx1.evil.example (x) [198.51.100.9] is in an RBL",
     "JunkMail rejected - <host> (<host>) [<ip>] is in an RBL", "blocklist"},
    {"JunkMail rejected - mail7.evil.example (mail7) [198.51.100.10]:25 is in an RBL",
     "JunkMail rejected - <host> (<host>) [<ip>] is in an RBL", "blocklist"},
    {"Bad HELO - Host impersonating [srv1.hostpanel.example]", "Bad HELO - Host impersonating [<host>]", "helo"},
    /* which list: its name stays */
    {"203.0.113.7 is listed at zen.spamhaus.org (127.0.0.4: https://www.spamhaus.org/query/ip/203.0.113.7)",
     "<ip> is listed at zen.spamhaus.org (<ip>: https://www.spamhaus.org/<path>)", "blocklist"},
    {"203.0.113.8 is listed at zen.spamhaus.org (127.0.0.2: https://www.spamhaus.org/query/ip/203.0.113.8)",
     "<ip> is listed at zen.spamhaus.org (<ip>: https://www.spamhaus.org/<path>)", "blocklist"},
    {"203.0.113.8 is listed at bl.spamcop.net (127.0.0.2: https://www.spamcop.net/bl.shtml?203.0.113.8)",
     "<ip> is listed at bl.spamcop.net (<ip>: https://www.spamcop.net/<path>)", "blocklist"},
    {"rejected because 203.0.113.8 is in a black list at dnsbl.sorbs.net",
     "rejected because <ip> is in a black list at dnsbl.sorbs.net", "blocklist"},
    {"host is listed in (b.barracudacentral.org)", "host is listed in (b.barracudacentral.org)", "blocklist"},
    {"SMTP error from remote mail server after MAIL FROM:<a@b.example>: 554 5.7.1 Service unavailable; Client host "
     "[192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1",
     "SMTP error from remote mail server after MAIL FROM:<address>: 554 5.7.1 Service unavailable; Client host "
     "[<ip>] blocked using zen.spamhaus.org; https://www.spamhaus.org/<path>", "remote_block"},
    {"blocked, see http://dnsbl.example?ip=192.0.2.1", "blocked, see http://dnsbl.example/<path>", "blocklist"},
    /* numbers, times, bars, commands */
    {"message too big: read=300167 max=153600", "message too big: read=<n> max=<n>", "size"},
    {"Sender rate 3.9 / 1h exceeds 3", "Sender rate <n> / <n> exceeds <n>", "rate"},
    {"spam score 6.4 (++++++)", "spam score <n> (<n>)", "spam"},
    {"spam score 15.0 (+++++++++++++++)", "spam score <n> (<n>)", "spam"},
    {"too many syntax or protocol errors (last command was \"RCPT TO:a@b\",  C=EHLO,MAIL,RCPT,RCPT)",
     "too many syntax or protocol errors (last command was <text>,  C=<commands>)", "rate"},
    {"too many syntax or protocol errors (last command was \"NOOP\",  C=EHLO,NOOP)",
     "too many syntax or protocol errors (last command was <text>,  C=<commands>)", "rate"},
    {"451 4.7.500 Server busy [AM6EUR05FT047.eop-eur05.prod.example 2026-06-17T08:31:11.000Z 08DC8E0F1A2B3C4D]",
     "451 4.7.500 Server busy [<host> <n> <id>]", "rate"},
    {"451 4.7.500 Server busy [DB5EUR03FT011.eop-eur03.prod.example 2026-07-01T23:00:59.123Z 08DC9A77665544AA]",
     "451 4.7.500 Server busy [<host> <n> <id>]", "rate"},
    {"try again after 10:00:01", "try again after <n>", "other"},
    {"no route to 2001:470:1:2::25", "no route to <ip>", "other"},
    {"queued as 4F3aQ91kLz by mx", "queued as <id> by mx", "other"},
    {"1xULPV-000001-AA is stuck", "<id> is stuck", "other"},
    /* what is no id stays */
    {"Office365 says TLSv1.2 is too old for STARTTLS with SHA256", "Office365 says TLSv1.2 is too old for STARTTLS with SHA256",
     "tls"},
    {"HELO is an IP only (See RFC2821 4.1.3)", "HELO is an IP only (See RFC2821 4.1.3)", "helo"},
    {"user's mailbox isn't there", "user's mailbox isn't there", "other"},
    /* what the words are about, not what else they mention */
    {"550-5.7.26 This mail is blocked: the sender is unauthenticated.\\n550-5.7.26 Authenticate with SPF or DKIM.",
     "550-5.7.26 This mail is blocked: the sender is unauthenticated. Authenticate with SPF or DKIM.", "policy"},
    {"SMTP error from remote mail server after end of data: 421-4.7.0 [192.0.2.1      15] very low reputation of the sender",
     "SMTP error from remote mail server after end of data: 421-4.7.0 [<ip>      <n>] very low reputation of the sender",
     "remote_block"},
    {"SMTP error from remote mail server after MAIL FROM:<a@b.example>: 550 5.7.1 Messages from [192.0.2.1] weren't sent: your"
     " network is on our block list (S3150).",
     "SMTP error from remote mail server after MAIL FROM:<address>: 550 5.7.1 Messages from [<ip>] weren't sent: your"
     " network is on our block list (S3150).", "remote_block"},
    {"450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]",
     "450 4.7.1 Client host rejected: cannot find your reverse hostname, [<ip>]", "reverse_dns"},
    {"554 mx.y.example Nemesis ESMTP Service not available 554-No SMTP service 554-Bad DNS PTR resource record.", NULL, "reverse_dns"},
    {"550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient a@b.example not found by SMTP address lookup", NULL, "unknown_user"},
    {"550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", NULL, "policy"},
    {"550 5.7.515 Access denied, sending domain X doesn't meet the required authentication level", NULL, "policy"},
    {"554 30 Sorry, your message to old@b.example cannot be delivered. This mailbox is disabled (554.30).", NULL, "unknown_user"},
    {"554 delivery error: dd This user doesn't have a yahu.example account (a@b.example) [0]", NULL, "unknown_user"},
    {"554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.example to clarify.) (BL)", NULL, "blocklist"},
    {"421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints", NULL, "rate"},
    {"550 5.4.1 Recipient address rejected: Access denied. [AM7EUR03FT036.eop-EUR03.prod.example 2026-07-01T12:00:00.000Z 08DC8E0F1A2B3C4D]",
     "550 5.4.1 Recipient address rejected: Access denied. [<host> <n> <id>]", "unknown_user"},
    {"554 5.7.1 <mx.x.example[192.0.2.1]>: Helo command rejected: Host not found", NULL, "helo"},
    {"503 AUTH command used when not advertised", "503 AUTH command used when not advertised", "authentication"},
    {"550 Mailbox inactive", "550 Mailbox inactive", "unknown_user"},
    {"452 4.5.3 Too many recipients", "452 4.5.3 Too many recipients", "rate"},
    /* what an answer says for now is no fact for good: RFC 5321 4.2.1, RFC 3463 3.2 and 3.3 */
    {"SMTP error from remote mail server after RCPT TO:<a@b.example>: 450 4.2.1 mailbox is busy",
     "SMTP error from remote mail server after RCPT TO:<address>: 450 4.2.1 mailbox is busy", "unavailable"},
    {"SMTP error from remote mail server after RCPT TO:<a@b.example>: 450 4.1.1 <a@b.example>: Recipient address rejected: User unknown",
     NULL, "unavailable"},
    {"450-4.1.1 who is that", "450-4.1.1 who is that", "unavailable"},
    {"450 Requested mail action not taken: mailbox unavailable", NULL, "unavailable"},
    {"550 Requested action not taken: mailbox unavailable", NULL, "unknown_user"},
    {"550 5.2.1 nobody reads this", "550 5.2.1 nobody reads this", "unknown_user"},
    {"550 5.1.1 no user 450 here", NULL, "unknown_user"},
    {"450 4.2.0 not today", "450 4.2.0 not today", "other"},
    {"550 5.1.0 no", "550 5.1.0 no", "other"},
    {"451 4.3.0 try that again", "451 4.3.0 try that again", "other"},
    {"452 4.3.1 Insufficient system storage", "452 4.3.1 Insufficient system storage", "storage"},
    {"452 4.3.1 sorry", "452 4.3.1 sorry", "storage"},
    {"No space left on device", "No space left on device", "storage"},
    {"421 4.3.2 going down", "421 4.3.2 going down", "rate"},
    {"451 4.4.1 backend", "451 4.4.1 backend", "connection"},
    {"530 5.7.10 no", "530 5.7.10 no", "tls"},
    {"556 5.1.10 no", "556 5.1.10 no", "dns"},
    /* loops */
    {"Too many \"Received\" headers - suspected mail loop", "Too many <text> headers - suspected mail loop", "loop"},
    {"554 5.4.6 Too many hops", "554 5.4.6 Too many hops", "loop"},
    {"554 5.4.6 no", "554 5.4.6 no", "loop"},
    {"lowest numbered MX record points to local host", NULL, "loop"},
    /* DNS, not we, did not answer in time */
    {"host lookup did not complete", "host lookup did not complete", "dns"},
    {"host lookup for mx.nowhere.example did not complete (DNS timeout?)", NULL, "dns"},
    /* one for each class */
    {"Unknown user", "Unknown user", "unknown_user"},
    {"550 5.1.1 <a@b.example>: no thanks", "550 5.1.1 <address>: no thanks", "unknown_user"},
    {"relay not permitted", "relay not permitted", "relaying"},
    {"greylisted, come back in 300 seconds", "greylisted, come back in <n> seconds", "greylisting"},
    {"450 4.7.1 Greylisted for 300 seconds", "450 4.7.1 Greylisted for <n> seconds", "greylisting"},
    {"administrative prohibition", "administrative prohibition", "policy"},
    {"550 5.7.1 we would rather not", "550 5.7.1 we would rather not", "policy"},
    {"too many connections from your host", "too many connections from your host", "rate"},
    {"syntactically invalid argument(s)", "syntactically invalid argument(s)", "syntax"},
    {"550 5.5.2 what did you say", "550 5.5.2 what did you say", "syntax"},
    {"a TLS session is required, but the server did not offer TLS support",
     "a TLS session is required, but the server did not offer TLS support", "tls"},
    {"535 Incorrect authentication data (set_id=bob@x.example)", "535 Incorrect authentication data (set_id=<user>)",
     "authentication"},
    {"535 5.7.8 nope", "535 5.7.8 nope", "authentication"},
    {"there is no valid sender in any header line", "there is no valid sender in any header line", "content"},
    {"550 5.6.0 not this", "550 5.6.0 not this", "content"},
    {"552 5.3.4 no", "552 5.3.4 no", "size"},
    {"552-5.2.3 no", "552-5.2.3 no", "size"},
    {"all relevant MX records point to non-existent hosts", "all relevant MX records point to non-existent hosts", "dns"},
    {"SMTP timeout after initial connection: Connection timed out",
     "SMTP timeout after initial connection: Connection timed out", "timeout"},
    {"mailbox is full (MTA-imposed quota exceeded while writing to /home/a/Maildir)",
     "mailbox is full (MTA-imposed quota exceeded while writing to <path>)", "mailbox_full"},
    {"452 4.2.2 sorry", "452 4.2.2 sorry", "mailbox_full"},
    {"This message contains a virus (Eicar-Test-Signature)", "This message contains a virus (Eicar-Test-Signature)", "virus"},
    {"Sender verify failed", "Sender verify failed", "sender_verify"},
    {"retry timeout exceeded", "retry timeout exceeded", "retry"},
    {"Connection refused", "Connection refused", "connection"},
    {"Child process of x transport returned 2 from command: /bin/false",
     "Child process of x transport returned <n> from command: <path>", "system"},
    {"SMTP error from remote mail server after RCPT TO:<\"F=<x> R=r\"@reject.example>: 550 hub says no",
     "SMTP error from remote mail server after RCPT TO:<address>: 550 hub says no", "other"},
    {"SMTP error from remote mail server after MAIL FROM:<a@b.example> SIZE=1561: 550 5.7.1 <= Sender <a@b.example> no",
     "SMTP error from remote mail server after MAIL FROM:<address> SIZE=<n>: 550 5.7.1 <= Sender <address> no", "policy"},
    {"domain missing or malformed: failing address in \"Cc:\" header is: <bad@@addr, \"unclosed",
     "domain missing or malformed: failing address in <text> header is: <address>", "syntax"},
    /* an address or a login says nothing of the cause */
    {"no thanks, <virus@spam.example>", "no thanks, <address>", "other"},
    {"no thanks, quota@greylist.example", "no thanks, <address>", "other"},
    {"", "", "other"}};

static void test_table(void)
{
    char buf[512];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t n = reason_normalise(text_of(table[i].reason), buf, sizeof buf);
        if (table[i].normal) /* NULL: only the class matters */
            check_text(slice_of(buf, n), table[i].normal, table[i].reason);
        check_text(text_of(reason_class(slice_of(buf, n), NUM_ABSENT)), table[i].class, table[i].class);
    }
}

/* Every buffer size: never more is written than fits, and what is written is the beginning. */
static void test_cap(void)
{
    unsigned wrong = 0;
    char whole[512], buf[512];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct slice reason = text_of(table[i].reason);
        size_t n = reason_normalise(reason, whole, sizeof whole);
        for (size_t cap = 0; cap <= n; cap++) {
            char *room = cap ? malloc(cap) : buf; /* so that ASan sees an octet too many */
            size_t got = reason_normalise(reason, room, cap);
            wrong += got != cap || memcmp(room, whole, cap) != 0;
            if (cap)
                free(room);
        }
    }
    check_int(wrong, 0, "a small buffer gets the beginning");
}

/* An errno tells where words do not. */
static void test_errno(void)
{
    check_text(text_of(reason_class(SLICE_LIT("oops"), 111)), "connection", "errno 111");
    check_text(text_of(reason_class(SLICE_LIT("oops"), -22)), "mailbox_full", "Exim's -22");
    check_text(text_of(reason_class(SLICE_LIT("user unknown"), 111)), "unknown_user", "words before errno");
    check_text(text_of(reason_class(SLICE_LIT("oops"), 4711)), "other", "an errno that says nothing");
}

int main(void)
{
    test_table();
    test_cap();
    test_errno();
    return tap_end();
}
