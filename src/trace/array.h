/* array.h — strings of a JSON array, as table message keeps envelope recipients. */
#ifndef MAILTRAIL_ARRAY_H
#define MAILTRAIL_ARRAY_H

#include "../../parsers/slice.h"

/* The next string, which *array then stands behind; absent: there are no more.  room has as many octets as the array and
   holds the string: its octets as written, but for \" and \\. */
struct slice array_next(struct slice *array, char *room);

#endif
