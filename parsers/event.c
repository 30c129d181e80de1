/* event.c — reset and names of events. */
#include "event.h"

void event_reset(struct event *ev)
{
    static const struct event blank = {
#define TEXT(name, doc)
#define NUM(name, doc) .name = NUM_ABSENT,
        EVENT_FIELDS(TEXT, NUM)
#undef TEXT
#undef NUM
    };
    memcpy(ev, &blank, sizeof *ev);
}

const char *event_kind_name(enum event_kind kind)
{
    static const char *const names[] = {
        "none",
#define KIND(symbol, name, doc) name,
        EVENT_KINDS(KIND)
#undef KIND
    };
    return (unsigned)kind < EV_KINDS ? names[kind] : "none";
}

const char *delivery_kind_name(enum delivery_kind kind)
{
    static const char *const names[] = {
        "none",
#define KIND(symbol, name, doc) name,
        DELIVERY_KINDS(KIND)
#undef KIND
    };
    return (unsigned)kind < DELIVERY_KINDS_END ? names[kind] : "none";
}
