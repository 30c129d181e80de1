/* refusal_rules.h — the reasons that eximstats finds in a text, rule by rule. */
#ifndef MAILTRAIL_REFUSAL_RULES_H
#define MAILTRAIL_REFUSAL_RULES_H

#include "refusal.h"

/* A reason: a literal, or one or two stretches of the text behind a prefix; its first letter is made a capital. */
struct refusal {
    enum refusal_kind kind;
    const char *prefix; /* never NULL */
    struct slice part[2];
};

/* Applies the rules.  text ends with a newline.  A REFUSAL_MARK stands for what a stranger wrote, REFUSAL_COLONS for
   an address with colons in it. */
struct refusal refusal_of(struct slice text);

#define REFUSAL_MARK '\001'
#define REFUSAL_COLONS '\002'

#endif
