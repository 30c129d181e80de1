/* flights.c — open addressing with the records in place; a gap left by a removal is closed. */
#include "flights.h"

#include <stdlib.h>

#include "../base/hash.h"
#include "../base/memory.h"

static size_t home_of(const struct flights *flights, struct slice id)
{
    return hash_bytes(id, 0) & (flights->size - 1);
}

static struct slice id_of(const struct flight *flight)
{
    return slice_of(flight->id, flight->id_n);
}

/* Where id is, or the free place where it belongs. */
static struct flight *probe(const struct flights *flights, struct slice id)
{
    size_t i = home_of(flights, id);
    while (flights->places[i].id_n && !slice_equal(id_of(&flights->places[i]), id))
        i = (i + 1) & (flights->size - 1);
    return &flights->places[i];
}

struct flight *flights_find(const struct flights *flights, struct slice id)
{
    struct flight *flight = flights->size ? probe(flights, id) : NULL;
    return flight && flight->id_n ? flight : NULL;
}

static void widen(struct flights *flights)
{
    struct flights wider = {.count = flights->count, .size = flights->size ? flights->size * 2 : 256};
    wider.places = xcalloc(wider.size, sizeof *wider.places);
    for (size_t i = 0; i < flights->size; i++)
        if (flights->places[i].id_n)
            *probe(&wider, id_of(&flights->places[i])) = flights->places[i];
    free(flights->places);
    *flights = wider;
}

struct flight *flights_at(struct flights *flights, struct slice id)
{
    if (flights->count * 3 >= flights->size * 2)
        widen(flights);
    struct flight *flight = probe(flights, id);
    if (!flight->id_n) {
        *flight = (struct flight){.id_n = (uint8_t)id.n};
        memcpy(flight->id, id.p, id.n);
        flights->count++;
    }
    return flight;
}

/* Moves into the gap what stands behind it and belongs at or before it. */
static void close_gap(struct flights *flights, size_t gap)
{
    size_t mask = flights->size - 1;
    for (size_t i = (gap + 1) & mask; flights->places[i].id_n; i = (i + 1) & mask) {
        size_t home = home_of(flights, id_of(&flights->places[i]));
        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        flights->places[gap] = flights->places[i];
        gap = i;
    }
    flights->places[gap] = (struct flight){0};
}

void flights_remove(struct flights *flights, struct flight *flight)
{
    free(flight->from);
    flights->count--;
    close_gap(flights, (size_t)(flight - flights->places));
}

void flights_free(struct flights *flights)
{
    for (size_t i = 0; i < flights->size; i++)
        free(flights->places[i].from);
    free(flights->places);
    *flights = (struct flights){0};
}
