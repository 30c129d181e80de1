/* config.h — mailtrail.conf: what the command line need not say again every night.

     server = mx1                      # above the first [..]: for every path
     zone = Europe/Berlin

     [/var/log/oldbox/maillog*]        # a shell pattern that the path must match whole
     server = oldbox
     year = 2019                       # of the first stamp without a year
     syslog_duplication = no           # Exim's option of that name: each rejection is in syslog once */
#ifndef MAILTRAIL_CONFIG_H
#define MAILTRAIL_CONFIG_H

#include <stdbool.h>

#include "../base/error.h"

struct settings {
    const char *server; /* NULL: not said */
    const char *zone;   /* NULL: not said */
    int year;           /* 0: not said */
    bool syslog_single; /* syslog_duplication = no */
};

struct config;

/* Reads a file; NULL as path reads the default places, none of which need be there: $MAILTRAIL_CONF,
   /etc/mailtrail.conf.  -1: *err (FAIL_USAGE) names the line. */
int config_read(const char *path, struct config **config, struct error *err);
void config_free(struct config **config); /* accepts NULL, leaves NULL */

/* What the file says of a path: the first pattern that matches, and for what it leaves out, the top. */
struct settings config_for(const struct config *config, const char *path);

#endif
