/* slots.h — the slots, eighths of an hour, in which keys are mentioned, and the strings that they are. */
#ifndef MAILTRAIL_SLOTS_H
#define MAILTRAIL_SLOTS_H

#include "../../parsers/slice.h"
#include "../store/store.h"

#define SLOTS_KEYS 8

/* Where in the rows of a slot a key is: as enum mention_kind has it, or among ids. */
enum slot_kind { SLOT_COLUMN, SLOT_CLIENT, SLOT_ROUTE, SLOT_KIN, SLOT_ID, SLOT_KINDS };

struct slots_day {
    int64_t day;                 /* UTC, since 1970 */
    uint32_t times[SLOT_KINDS];  /* hours and eighths that have a key so, as mentioned_find tells them */
};

struct slots {
    struct slots_day *days; /* ascending, each once */
    size_t count, room;
    int64_t as_given[SLOTS_KEYS], small[SLOTS_KEYS]; /* string.id of each key, and in small letters; 0: none */
    size_t kin; /* slots of SLOT_KIN */
    int64_t first, last; /* days looked at that may have something */
};

/* Whether a key's slots can be told: a text with blanks has them only in the case in which it is given. */
bool slots_can_tell(struct slice key);

/* Looks the keys up in the time given.  0, or -1 with *err; slots_free in either case. */
int slots_read(struct store *store, const struct slice *keys, int count, int64_t since, int64_t until, struct slots *slots,
               struct error *err);
/* The same of up to SLOTS_KEYS Message-IDs or Exim ids, as ids only. */
int slots_read_ids(struct store *store, const struct slice *ids, int count, int64_t since, int64_t until, struct slots *slots,
                   struct error *err);
/* The same of strings in columns, by string.id. */
int slots_read_strings(struct store *store, const int64_t *strings, size_t count, int64_t since, int64_t until,
                       struct slots *slots, struct error *err);
void slots_free(struct slots *slots);

/* The next stretch [*from, *to) of slots of a kind, behind *to: begin with INT64_MIN. */
bool slots_next(const struct slots *slots, enum slot_kind kind, int64_t *from, int64_t *to);

#endif
