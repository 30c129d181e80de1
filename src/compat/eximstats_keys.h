/* eximstats_keys.h — hosts, domains, addresses and users as eximstats cuts them out of a line.  rest is what stands behind
   the flag; a key that is no stretch of the line is in the scratch, until its next use. */
#ifndef MAILTRAIL_EXIMSTATS_KEYS_H
#define MAILTRAIL_EXIMSTATS_KEYS_H

#include "../../parsers/slice.h"

/* Memory for one text at a time; zeroed is empty, p is the owner's to free. */
struct scratch {
    char *p;
    size_t capacity;
};

char *scratch(struct scratch *s, size_t size);
/* Appends text, in small letters if so wanted, and answers the new end. */
char *append(char *to, struct slice text, bool small);
struct slice lowered(struct scratch *s, struct slice text);

extern const struct slice local_host; /* "local": a line without a host */

/* Up to the first blank. */
struct slice first_word(struct slice text);

/* The last "[...]" of a host item, or local_host. */
struct slice bracketed(struct slice peer);
/* The address of a line without a flag: text is all behind stamp and id. */
struct slice refused_ip(struct slice text, struct slice peer);
/* The address that sa-exim names. */
struct slice scanned_ip(struct slice text);

/* What -bydomain, -byemail and -byedomain count by; original: with -include_original_destination. */
struct slice domain_of(struct scratch *s, struct slice host);
struct slice email_of(struct slice rest, bool original);
struct slice edomain_of(struct scratch *s, struct slice rest, bool original);

/* The user of a delivery.  *parent: the address that led to it, where it is part of the key; else absent. */
struct slice user_of(struct scratch *s, struct slice rest, bool original, struct slice *parent);

/* Whether an address other than the first word follows it in brackets: such a delivery is not relayed. */
bool is_alias(struct slice rest);

#endif
