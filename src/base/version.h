/* version.h — of mailtrail itself. */
#ifndef MAILTRAIL_VERSION_H
#define MAILTRAIL_VERSION_H

#define MAILTRAIL_VERSION "0.1.0"

#endif
