/* exim_wordings.h — the wordings of Exim's lines without a flag, and where a stranger's text may end in them; between
   exim_wordings.c, which reads them, and exim_unflagged.c, which weighs one reading against another. */
#ifndef MAILTRAIL_EXIM_WORDINGS_H
#define MAILTRAIL_EXIM_WORDINGS_H

#include "exim_fields.h"

/* Where a stranger's text may end at the earliest; NULL: at its first possible end. */
struct least {
    const char *command, *helo, *ident, *auth, *dn;
};

struct wording;

/* The wording that begins the text, or NULL. */
const struct wording *exim_wording_of(struct slice text);

/* The same of the words behind an authenticator's name, which begins the text. */
const struct wording *exim_authenticator_wording_of(struct slice text);

/* What kind of line begins so. */
enum event_kind exim_wording_kind(const struct wording *w);

/* Whether all of the text reads as the wording says, with strangers' texts that end where least lets them; sets the
   fields of ev, which comes reset, as far as it got. */
bool exim_reads(struct slice text, const struct wording *w, const struct least *least, struct event *ev);

/* Behind a host that we send to, and a blank: what went wrong there.  false if that is not what stands here. */
bool exim_host_error(struct scan *s, struct event *ev);

#endif
