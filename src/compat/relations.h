/* relations.h — which messages belong to those that match: what names the id of one, and what caused a bounce. */
#ifndef MAILTRAIL_RELATIONS_H
#define MAILTRAIL_RELATIONS_H

#include "exigrep_line.h"

struct relations;

struct relations *relations_new(void);
void relations_free(struct relations **relations); /* accepts NULL, leaves NULL */

/* The message of an id is wanted. */
void relations_want(struct relations *relations, struct slice id);

/* Takes in which other messages a line names, wherever in it and whether they are wanted or not.  16 octets of memory
   a name. */
void relations_read(struct relations *relations, const struct exigrep_line *line);

/* Behind the last line: wants what names a wanted message, and the causes of wanted bounces, and so forth. */
void relations_follow(struct relations *relations);

bool relations_wanted(const struct relations *relations, struct slice id);

#endif
