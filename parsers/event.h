/* event.h — what one line says, and nothing it does not say.  The lists below are the one place where
   a kind or a field is named: the enum, the struct, `mailtrail explain` and the fixtures come out of them. */
#ifndef MAILTRAIL_EVENT_H
#define MAILTRAIL_EVENT_H

#include <stdint.h>
#include "slice.h"

/* A time stamp as printed; ingest's timebase makes an instant of it. */
struct stamp {
    int16_t year;        /* 0: the line names no year (RFC 3164) */
    uint8_t mon, day;    /* 1-12, 1-31 */
    uint8_t hour, min;   /* 0-23, 0-59 */
    uint8_t sec;         /* 0-60: a leap second is taken */
    int32_t usec;        /* 0-999999; -1: no fraction printed */
    int16_t utc_off_min; /* -900..900 east positive, or STAMP_LOCAL: no zone printed */
};
#define STAMP_LOCAL INT16_MIN

/* KIND(symbol, name, doc).  The name is what the views and `status` show. */
#define EVENT_KINDS(KIND)                                                                          \
    KIND(ARRIVAL, "arrival", "<= or (=: a message was received")                                   \
    KIND(DELIVERY, "delivery", "=> -> >> *> == **: an attempt for one recipient; see delivery")    \
    KIND(COMPLETED, "completed", "the message left the queue")                                     \
    KIND(RETRACTED, "retracted", "rescind the above message-accept: the arrival is taken back")    \
    KIND(FROZEN, "frozen", "the message was frozen")                                               \
    KIND(THAWED, "thawed", "the message was unfrozen")                                             \
    KIND(REMOVED, "removed", "removed or cancelled by an operator, a filter or a timeout")         \
    KIND(REJECTION, "rejection", "we refused a connection, a command, a recipient or a message")   \
    KIND(AUTH_FAILURE, "auth_failure", "somebody failed to authenticate to us")                    \
    KIND(HOST_ERROR, "host_error", "an outgoing connection or command failed at a remote host")    \
    KIND(CONNECTION, "connection", "an SMTP connection opened, closed, lost or timed out")         \
    KIND(PROTOCOL_ERROR, "protocol_error", "an SMTP syntax or protocol error, not yet a refusal")  \
    KIND(TLS, "tls", "a TLS message")                                                              \
    KIND(DNS, "dns", "a DNS or DNS-list message, host name not found included")                    \
    KIND(SIGNATURE, "signature", "a DKIM, DMARC, SPF or ARC message")                              \
    KIND(CONTENT_SCAN, "content_scan", "spam, malware, MIME and local_scan messages of Exim")      \
    KIND(QUEUE_RUN, "queue_run", "a queue runner started or ended")                                \
    KIND(DAEMON, "daemon", "a daemon started, stopped, restarted or reported itself")              \
    KIND(COMMAND_LINE, "command_line", "cwd=...: how Exim was called")                             \
    KIND(DELIVERY_NOTE, "delivery_note", "retry, lock, routing and other notes on a delivery")     \
    KIND(INTERNAL_ERROR, "internal_error", "a configuration, spool or system error of the daemon") \
    KIND(ACL_WARNING, "acl_warning", "a warn statement of an ACL, with host: the words are the site's own") \
    KIND(ACL_TEXT, "acl_text", "free text of the site's own configuration (logwrite)")             \
    KIND(REJECTED_HEADER, "rejected_header", "a header of a rejected message, from the reject log")  \
    KIND(CONTINUATION, "continuation", "a line without a stamp, or a part, that continues what came before")  \
    KIND(REPEAT, "repeat", "last message repeated N times; see count")                             \
    KIND(SESSION_OPEN, "session_open", "an IMAP or POP connection opened, nobody logged in yet")   \
    KIND(LOGIN, "login", "an IMAP or POP login")                                                   \
    KIND(TRANSFER, "transfer", "a message fetched through POP, or mail moved")                     \
    KIND(SESSION_END, "session_end", "an IMAP or POP session ended; see outcome")                  \
    KIND(SCAN_START, "scan_start", "spamd began with a message")                                   \
    KIND(SCAN_VERDICT, "scan_verdict", "spamd's verdict with the exact score")                     \
    KIND(SCAN_RESULT, "scan_result", "spamd's result line with rules and Message-ID")              \
    KIND(SCANNER_NOTE, "scanner_note", "anything else spamd says")                                 \
    KIND(MAILBOX_NOTE, "mailbox_note", "anything else a mailbox daemon says")                      \
    KIND(FOREIGN, "foreign", "a line of a program that mailtrail does not read")

enum event_kind {
    EV_NONE,
#define KIND(symbol, name, doc) EV_##symbol,
    EVENT_KINDS(KIND)
#undef KIND
        EV_KINDS
};

/* How a delivery line ended, for EV_DELIVERY. */
#define DELIVERY_KINDS(KIND)                                                                       \
    KIND(DELIVERED, "delivered", "=>")                                                             \
    KIND(ADDITIONAL, "additional", "->: same delivery, further address")                           \
    KIND(CUTTHROUGH, "cutthrough", ">>: delivered while it was received")                          \
    KIND(DEFERRED, "deferred", "==")                                                               \
    KIND(FAILED, "failed", "**: a bounce follows")                                                 \
    KIND(SUPPRESSED, "suppressed", "*>: -N or deliver_none, nothing was sent")                     \
    KIND(DISCARDED, "discarded", "=> without a transport: :blackhole:, discarded")                 \
    KIND(HANDOFF, "handoff", "=> to a scanner that sends the message back to us")

enum delivery_kind {
    DELIVERY_NONE,
#define KIND(symbol, name, doc) DELIVERY_##symbol,
    DELIVERY_KINDS(KIND)
#undef KIND
        DELIVERY_KINDS_END
};

/* Fields of an event.  TEXT: a slice into the line or to a literal.  NUM: NUM_ABSENT when not said. */
#define EVENT_FIELDS(TEXT, NUM)                                                                    \
    TEXT(exim_id, "Exim message id, 16 or 23 characters")                                          \
    TEXT(sender, "envelope sender as printed, <> as empty")                                        \
    TEXT(recipient, "recipient after routing: mailbox, address, pipe or file")                     \
    TEXT(original, "original recipient, from <...> behind the recipient")                          \
    TEXT(parents, "(P1, P2): the addresses between, brackets removed")                             \
    TEXT(router, "R= of a delivery")                                                               \
    TEXT(transport, "T= of a delivery")                                                            \
    TEXT(shadow, "ST=: shadow transport")                                                          \
    TEXT(host, "verified host name; IMAP: the name before [ip]")                                   \
    TEXT(helo, "HELO name: what the client calls itself, brackets of (...) removed")               \
    TEXT(ip, "address of the other side, brackets removed")                                        \
    TEXT(interface_ip, "I=[ip]: our own address")                                                  \
    TEXT(ident, "U=: local user, or RFC 1413 ident")                                               \
    TEXT(protocol, "P= of an arrival")                                                             \
    TEXT(tls, "X=: TLS version and cipher")                                                        \
    TEXT(cert, "CV=: yes, no or dane")                                                             \
    TEXT(dn, "DN=: peer's distinguished name, quotes removed")                                     \
    TEXT(sni, "SNI=")                                                                              \
    TEXT(auth, "A=: authenticator")                                                                \
    TEXT(auth_id, "authenticated id, or the one that failed (set_id)")                             \
    TEXT(auth_sender, "third part of A=: the AUTH= sender")                                        \
    TEXT(return_path, "P=<...> of a delivery")                                                     \
    TEXT(queue_name, "Q=: named queue")                                                            \
    TEXT(message_id, "id= or mid=: Message-ID without <>")                                         \
    TEXT(resent_id, "rmid=, aka: Resent-Message-ID without <>")                                    \
    TEXT(subject, "T=\"...\" of an arrival, still escaped")                                        \
    TEXT(parent_id, "R= of an arrival: id of the message this one reports on")                     \
    TEXT(raw_sender, "from <...> of an arrival")                                                   \
    TEXT(recipients, "for ...: envelope recipients as printed")                                    \
    TEXT(dkim, "DKIM= of an arrival or delivery")                                                  \
    TEXT(dmarc, "DMARC=")                                                                          \
    TEXT(spf, "SPF=")                                                                              \
    TEXT(response, "C=: the remote's answer, still escaped, quotes removed")                       \
    TEXT(proxy, "PRX=")                                                                            \
    TEXT(stage, "rejection: connect helo mail rcpt predata data mime auth starttls etrn vrfy expn" \
                " quit local other")                                                               \
    TEXT(command, "rejected command's argument as sent")                                           \
    TEXT(enhanced_code, "enhanced status code in the reason, x.y.z of RFC 3463")                   \
    TEXT(reason, "why: message of a rejection, deferral, failure or host error")                   \
    TEXT(service, "imap, pop3 or pop2")                                                            \
    TEXT(user, "mailbox or system user")                                                           \
    TEXT(domain, "the user's domain, where the daemon names it apart from the user")               \
    TEXT(mailbox, "mailbox file or folder")                                                        \
    TEXT(method, "login method: LOGIN, AUTHENTICATE mechanism, APOP ...")                          \
    TEXT(outcome, "how a session ended: logout autologout dropped killed limit error")             \
    TEXT(rules, "spamd tests, comma separated")                                                    \
    TEXT(autolearn, "autolearn=")                                                                  \
    TEXT(connection_id, "Ci=")                                                                     \
    TEXT(duration, "D= of a connection line, as printed")                                          \
    TEXT(version, "the daemon's version, where the line names it or has a form of its own")        \
    TEXT(text, "free text of the line: all that no other field holds")                             \
    NUM(port, "port of the other side")                                                            \
    NUM(interface_port, "I=[ip]:port")                                                             \
    NUM(size, "S= or size: octets")                                                                \
    NUM(queue_ms, "QT=: time on the queue, milliseconds")                                          \
    NUM(deliver_ms, "DT=: time to deliver, milliseconds")                                          \
    NUM(receive_ms, "RT=: time to receive, milliseconds")                                          \
    NUM(errno_code, "defer (N): > 0 errno, < 0 Exim's own")                                        \
    NUM(smtp_code, "three-digit reply code in the reason: the remote host's, or ours")             \
    NUM(messages, "nmsgs=: messages in the mailbox")                                               \
    NUM(deleted, "ndel=, ndele=: messages deleted")                                                \
    NUM(fetched, "retr=, body_count=: messages fetched")                                                        \
    NUM(bytes, "octets transferred")                                                               \
    NUM(score_milli, "spam score, thousandths; may be negative")                                   \
    NUM(threshold_milli, "required score, thousandths")                                            \
    NUM(scan_ms, "scan time, milliseconds")                                                        \
    NUM(count, "N of repeated lines; attempts; pid of a child")

#define NUM_ABSENT INT64_MIN

enum event_flag {
    EVF_TEMPORARY = 1,    /* a 4xx: rejection or authentication failure that may be tried again */
    EVF_FAKEREJECT = 2,   /* (=: received, but the client was told it was rejected */
    EVF_AMBIGUOUS = 4,    /* more than one reading of the line fits */
    EVF_REJECTLOG = 8,    /* Exim writes this kind of line to the reject log as well */
    EVF_IS_SPAM = 16,     /* spamd: identified spam, result: Y */
    EVF_REMOTE = 32,      /* delivery: it went to a host, H= */
    EVF_ID_GENERATED = 64 /* id*=: Exim made the Message-ID */
};

struct event {
    enum event_kind kind;
    enum delivery_kind delivery;
    unsigned flags;  /* enum event_flag, or-ed */
    size_t fault_at; /* VERDICT_DAMAGED: offset into the body of the byte that stopped us */
    struct slice peer; /* the host item as it is printed, behind H= or "from": name (helo) [ip]:port */
#define TEXT(name, doc) struct slice name;
#define NUM(name, doc) int64_t name;
    EVENT_FIELDS(TEXT, NUM)
#undef TEXT
#undef NUM
};

/* Every field absent, kind EV_NONE.  Parsers get their event reset. */
void event_reset(struct event *ev);

/* Name of a kind as the views show it; never NULL. */
const char *event_kind_name(enum event_kind kind);
const char *delivery_kind_name(enum delivery_kind kind);

#endif
