/* time_bounds.h — lists of seconds as -q, -show_rt and -show_dt take them. */
#ifndef MAILTRAIL_TIME_BOUNDS_H
#define MAILTRAIL_TIME_BOUNDS_H

#include "eximstats_options.h"

/* "60,5*60,1800": items are arithmetic on whole numbers with + - * /, an item that is none counts as 0.  An empty text
   stands for eximstats' own list, "0" for no table at all. */
void time_bounds_read(struct time_bounds *bounds, const char *text);

#endif
