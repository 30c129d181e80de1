/* hours.h — the hours in which keys are mentioned, and the strings that they are. */
#ifndef MAILTRAIL_HOURS_H
#define MAILTRAIL_HOURS_H

#include "../../parsers/slice.h"
#include "../store/store.h"

#define HOURS_KEYS 8

/* Where in the rows of an hour a key is: as enum mention_kind has it, or among ids. */
enum hour_kind { HOUR_COLUMN, HOUR_CLIENT, HOUR_ROUTE, HOUR_KIN, HOUR_ID, HOUR_KINDS };

struct hours_day {
    int64_t day;                /* UTC, since 1970 */
    uint32_t hours[HOUR_KINDS]; /* bit h: the hour from h:00 on has a key so */
};

struct hours {
    struct hours_day *days; /* ascending, each once */
    size_t count, room;
    int64_t as_given[HOURS_KEYS], small[HOURS_KEYS]; /* string.id of each key, and in small letters; 0: none */
    size_t any, kin; /* hours in all, and those of HOUR_KIN */
    int64_t first, last; /* days looked at that may have something */
};

/* Whether a key's hours can be told: a text with blanks has them only in the case in which it is given. */
bool hours_can_tell(struct slice key);

/* Looks the keys up in the time given.  0, or -1 with *err; hours_free in either case. */
int hours_read(struct store *store, const struct slice *keys, int count, int64_t since, int64_t until, struct hours *hours,
               struct error *err);
void hours_free(struct hours *hours);

/* The next stretch [*from, *to) of hours of a kind, behind *to: begin with INT64_MIN. */
bool hours_next(const struct hours *hours, enum hour_kind kind, int64_t *from, int64_t *to);

#endif
