/* volume.h — octets and spans of time in eximstats' reports, beyond what every report of ours has (report/units.h):
   plain octets, averages, and the way back from what is printed. */
#ifndef MAILTRAIL_VOLUME_H
#define MAILTRAIL_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "../../parsers/slice.h"
#include "../report/units.h"

/* "  1234", "  12KB", "1024MB", "  11GB"; rounded false: the plain number. */
void volume_shown(char text[UNIT_ROOM], uint64_t bytes, bool rounded);

/* Back from such a text to octets, as exact as it is; 0 if there is no number in it. */
uint64_t volume_read(struct slice text);

/* The mean of a printed volume: eximstats divides what it shows, gigabytes and rest apart.  messages > 0. */
void volume_average(char text[UNIT_ROOM], uint64_t bytes, uint64_t messages, bool rounded);

/* Seconds of "1m30s"; reads as far as it is of this form. */
int64_t duration_read(struct slice text);

#endif
