/* flights.h — the messages under way: what their deliveries and their end need to know of their arrival.  A record
   goes when its message is completed. */
#ifndef MAILTRAIL_FLIGHTS_H
#define MAILTRAIL_FLIGHTS_H

#include <stdint.h>

#include "../../parsers/slice.h"

enum flight_flag {
    FLIGHT_ARRIVED = 1, /* size, arrived_at and protocol are known */
    FLIGHT_REMOTE = 2,  /* something of it went to a host */
    FLIGHT_DELAYED = 4,
    FLIGHT_FAILED = 8
};

struct flight {
    char id[23];
    uint8_t id_n;      /* 0: a free place */
    uint8_t flags;     /* enum flight_flag, or-ed */
    uint32_t protocol; /* the caller's number for P= */
    uint64_t size;
    int64_t arrived_at; /* Unix seconds */
    char *from;         /* NUL-terminated, from malloc; goes with the record */
};

struct flights {
    struct flight *places;
    size_t count, size; /* size: a power of two, or 0 */
};

/* The record of a valid message id, or NULL. */
struct flight *flights_find(const struct flights *flights, struct slice id);
/* The same, made if there is none.  Valid until the next one is made or removed. */
struct flight *flights_at(struct flights *flights, struct slice id);
void flights_remove(struct flights *flights, struct flight *flight);
void flights_free(struct flights *flights);

#endif
