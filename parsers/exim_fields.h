/* exim_fields.h — the fields of Exim's log lines, in the order in which Exim prints them; shared by
   lines with and without a flag.  Not here: which line is what (exim_mainlog.c). */
#ifndef MAILTRAIL_EXIM_FIELDS_H
#define MAILTRAIL_EXIM_FIELDS_H

#include "dialect.h"

static inline struct slice between(const char *from, const char *to)
{
    return slice_of(from, (size_t)(to - from));
}

/* Whether all was read, and read well. */
static inline bool at_end(const struct scan *s)
{
    return !s->bad && s->p == s->end;
}

/* How a field's value ends. */
enum field_form {
    FORM_MARK,      /* no value: " K", " L.-", " TFO*" */
    FORM_PASS,      /* no value, which says that a check was passed: " DMARC" */
    FORM_WORD,      /* up to a blank, no double quote in it */
    FORM_SNI,       /* the same, or in double quotes */
    FORM_MSGID,     /* up to a blank outside of quotes */
    FORM_GENERATED, /* the same, a Message-ID that Exim made */
    FORM_NUMBER,    /* decimal digits */
    FORM_TIME,      /* readconf_printtime */
    FORM_ANGLE,     /* <address> */
    FORM_QUOTED,    /* "text", C-escaped */
    FORM_OPEN,      /* the same, or up to the end: Exim breaks a cut-through answer's lines */
    FORM_DN,        /* "text", not escaped by Exim */
    FORM_FULLHOST,  /* [name ][(helo) ][ip][:port] */
    FORM_OUTHOST,   /* name[ DS][ [ip][:port][*]] */
    FORM_INTERFACE, /* [ip][:port] */
    FORM_AUTH,      /* authenticator[:id[:sender]], no blank or quote in it */
    FORM_SHADOW,    /* name[ (error)] */
    FORM_LIST       /* addresses to the end of the line */
};

struct field {
    char key[8];
    uint8_t key_n;
    uint8_t form;
    uint16_t text; /* offset of the slice in struct event */
    uint16_t num;  /* offset of the number */
};

/* Lists end with an empty key.  A line's fields stand in the list's order, each at most once. */
extern const struct field exim_arrival_fields[];        /* all behind the sender of <= */
extern const struct field exim_arrival_origin_fields[]; /* the same in parts: before H= */
extern const struct field exim_arrival_host_fields[];   /* behind H= */
extern const struct field exim_arrival_mid_fields[];    /* Ci= to CV= */
extern const struct field exim_arrival_sni_fields[];    /* SNI= */
extern const struct field exim_arrival_last_fields[];   /* behind A= */
extern const struct field exim_arrival_tail_fields[];   /* from S= on */
extern const struct field exim_delivery_fields[];       /* behind the addresses of => -> *> */
extern const struct field exim_cutthrough_fields[];     /* the same of >> */
extern const struct field exim_failure_fields[];        /* the same of ** and ==, to the message */
extern const struct field exim_deferral_fields[];       /* behind defer (N) */
extern const struct field exim_cipher_fields[];         /* of an unflagged line, behind the host */
extern const struct field exim_sender_fields[];         /* of a rejection, behind DN= */
extern const struct field exim_reject_fields[];         /* of a rejection, behind A= */

/* Reads the fields of list that stand at s, each with its blank before it.  A field that is there
   but breaks off turns s bad.  colon: a value may be followed by a colon, which is left; the line
   goes on behind the fields. */
void exim_fields(struct scan *s, const struct field *list, bool colon, struct event *ev);

/* [ip][:port]; bad if that is not what stands here.  port may be NULL. */
struct slice exim_ip(struct scan *s, int64_t *port);

/* A bracketed, quote-aware address, without its brackets. */
struct slice exim_angle(struct scan *s);

/* An address or Message-ID up to a blank outside of its quotes. */
struct slice exim_address(struct scan *s);

/* [name ][(helo) ][ip][:port], helo up to the first bracket at or behind least that can end it. */
void exim_fullhost(struct scan *s, const char *least, struct event *ev);

/* The text of DN= up to the first quote at or behind least that can end it. */
struct slice exim_dn(struct scan *s, const char *least);

/* Splits authenticator[:id[:sender]]. */
void exim_auth(struct slice value, struct event *ev);

/* Offset behind the closing quote of a C-escaped string that begins s, or 0. */
size_t exim_quoted_length(struct slice s);

/* Sets smtp_code and enhanced_code from the reason: of a remote host's answer that it tells ("... after RCPT TO:<x>:
   550 5.1.1 no"), else of its own beginning. */
void exim_codes(struct event *ev);

/* Reads what stands behind the id, if any, of a line without a flag (exim_unflagged.c). */
void exim_unflagged(struct slice text, struct event *ev);

#endif
