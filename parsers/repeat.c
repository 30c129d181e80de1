/* repeat.c — syslog's own count of equal lines.  Which line is meant, ingest knows.
   Fixtures: tests/fixtures/lines/frame.t */
#include "dialect.h"

/* "message repeated N times: [ text]" of rsyslog, which keeps the blank before the text and puts none
   behind it; "last message repeated N times" of the older daemons. */
static enum verdict parse(const struct frame *frame, struct event *ev)
{
    struct scan s = scan_over(frame->body);
    ev->kind = EV_REPEAT;
    scan_try(&s, "last ");
    if (!scan_lit(&s, "message repeated "))
        return VERDICT_UNKNOWN;
    ev->count = scan_u63(&s, INT32_MAX);
    if (!scan_try(&s, " times"))
        scan_lit(&s, " time");
    if (scan_try(&s, ": [")) {
        scan_try(&s, " ");
        ev->text = scan_until_last(&s, "]");
    }
    return verdict_of(&s, frame->body, ev);
}

static const char *const tags[] = {NULL};

const struct dialect dialect_repeat = {"repeat", "syslog's \"message repeated N times\"", tags, parse};
