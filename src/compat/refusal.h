/* refusal.h — eximstats' rules for what is a rejection and what its reason is, over the words that Exim wrote: what
   strangers chose (names, addresses, arguments of commands) is no word for a rule to find. */
#ifndef MAILTRAIL_REFUSAL_H
#define MAILTRAIL_REFUSAL_H

#include "../../parsers/event.h"

enum refusal_kind { REFUSAL_NONE, REFUSAL_PERMANENT, REFUSAL_TEMPORARY };

struct refusal_reason {
    struct slice text; /* valid until the next call; "Unknown" if no rule fits */
    uint32_t *note;    /* room for a number of the caller's, 0 at first, which is there again whenever a line of this kind
                          is read; NULL: the reason is not the same on each such line */
};

struct refusals;

struct refusals *refusals_new(void);
void refusals_free(struct refusals **refusals); /* accepts NULL, leaves NULL */

/* Whether a word that eximstats knows refusals by is in it, whoever wrote it. */
bool speaks_of_refusal(struct slice text);

/* Whether a line without a flag speaks of a refusal, and why.  text is all behind the stamp and the id. */
enum refusal_kind refusals_read(struct refusals *refusals, struct slice text, const struct event *ev,
                                struct refusal_reason *reason);

/* The reason of a line that is one whatever it says: a delivery without a transport. */
enum refusal_kind refusals_discard(struct refusals *refusals, struct slice text, const struct event *ev,
                                   struct refusal_reason *reason);

#endif
