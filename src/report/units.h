/* units.h — octets and seconds as eximstats prints them. */
#ifndef MAILTRAIL_UNITS_H
#define MAILTRAIL_UNITS_H

#include <stdint.h>

enum { UNIT_ROOM = 32 };

/* "  5678", "  13KB", "  10MB": at least six wide. */
void volume_text(char text[UNIT_ROOM], int64_t octets);

/* "1m30s", "1d", "0s". */
void duration_text(char text[UNIT_ROOM], int64_t seconds);

/* The same in its two greatest units, the rest left out: "43w4d". */
void duration_brief_text(char text[UNIT_ROOM], int64_t seconds);

/* "2026-11-20 10:00:01", UTC. */
void time_text(char text[UNIT_ROOM], int64_t at);

#endif
