/* key.h — what is looked for, as people paste it, and whether a text is it. */
#ifndef MAILTRAIL_KEY_H
#define MAILTRAIL_KEY_H

#include "../../parsers/slice.h"

/* A key is an Exim id, a Message-ID, an address, a domain, an IP, a host name, or "subject:words".  Upper and lower case are
   the same, but in Exim ids.  A key without @ is also the domain of addresses and of hosts. */
struct key {
    struct slice text;  /* within the argument: without what is around it in mails and logs */
    struct slice words; /* of "subject:words"; absent: no such key */
    bool is_id;         /* it has the form of an Exim id */
};

/* Reads an argument, which must outlive the key.  Taken off are blanks, quotes and punctuation around it, <> and a name
   before them, "mailto:", "Message-ID:", "id=" and what stands before it, [] and a port behind an IP, an @ before a domain
   and a dot behind it. */
struct key key_of(const char *argument);

/* Whether a text is the key, or, with domains, one whose domain it is.  Not of words. */
bool key_is(const struct key *key, struct slice text);

/* Whether a text has all words of a key that has words, in any order and case. */
bool key_has_words(const struct key *key, const char *text);

/* Whether one of a JSON array's strings is the key. */
bool key_in_array(const struct key *key, struct slice array);

/* Whether a header of a refused message (header.h) names the key; of words, whether its subject has them. */
bool key_in_header(const struct key *key, struct slice header);

#endif
