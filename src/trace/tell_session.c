/* tell_session.c — see tell_session.h. */
#include "tell_session.h"

#include <inttypes.h>
#include <string.h>

#include "layout.h"
#include "pieces.h"

/* ", 2 in it, 1 fetched (1234 octets), 1 deleted", as far as logged. */
static void put_counts(FILE *out, const struct rows *s, size_t row)
{
    if (rows_has(s, row, "messages"))
        fprintf(out, ", %" PRId64 " in it", rows_integer(s, row, "messages"));
    if (rows_has(s, row, "taken"))
        fprintf(out, ", %" PRId64 " fetched", rows_integer(s, row, "taken"));
    if (rows_integer(s, row, "taken") && rows_has(s, row, "bytes") && slice_is(rows_text(s, row, "service"), "pop3"))
        fprintf(out, " (%" PRId64 " octets)", rows_integer(s, row, "bytes"));
    if (rows_has(s, row, "deleted"))
        fprintf(out, ", %" PRId64 " deleted", rows_integer(s, row, "deleted"));
}

/* How sure it is that the session is of the mailbox, where it is not by the address. */
static void put_join(FILE *out, const struct rows *s, size_t row)
{
    struct slice by = rows_text(s, row, "joined_by"), user = rows_text(s, row, "user"), mailbox = rows_text(s, row, "mailbox");
    int64_t namesakes = rows_integer(s, row, "namesakes");
    bool by_name = slice_is(by, "name");
    if (slice_is(by, "address"))
        return;
    if (slice_is(by, "path")) {
        fputs("\n(inferred: the mailbox is read from a path)", out);
        return;
    }
    const char *at = by_name && mailbox.n ? memchr(mailbox.p, '@', mailbox.n) : NULL;
    struct slice said = !by_name ? user : at ? slice_of(mailbox.p, (size_t)(at - mailbox.p)) : mailbox;
    fprintf(out, "\n(%s: the %s says ", namesakes > 1 ? "ambiguous" : "inferred", by_name ? "delivery" : "session");
    put_text(out, said);
    if (namesakes > 1)
        fprintf(out, ", and %" PRId64 " domains have a mailbox of that name)", namesakes);
    else
        fputs(by_name && at ? ", and only this domain was seen to have a mailbox of that name)" : ", which may be of another domain)", out);
}

void tell_session(const struct tell *tell, const struct rows *s, size_t row, bool of_report)
{
    struct slice mailbox = rows_text(s, row, "mailbox");
    struct body body;
    FILE *out = body_open(&body);
    fputs(of_report ? "(the report) " : "", out);
    put_text(out, mailbox.p ? mailbox : rows_text(s, row, "user"));
    put_with(out, " by ", rows_text(s, row, "service"), "");
    put_host(out, " from ", s, row, false);
    put_counts(out, s, row);
    put_with(out, ", ended: ", rows_text(s, row, "outcome"), "");
    if (rows_integer(s, row, "more"))
        fputs("; and again within the week", out);
    if (mailbox.p)
        put_join(out, s, row);
    body_put(tell, &body, rows_text(s, row, "time"), COLOUR_PLAIN, "opened");
}
