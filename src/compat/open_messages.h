/* open_messages.h — the messages that have begun and not ended, found by their ids. */
#ifndef MAILTRAIL_OPEN_MESSAGES_H
#define MAILTRAIL_OPEN_MESSAGES_H

#include <stdint.h>

#include "backlog.h"
#include "exigrep_line.h"

#define MESSAGE_ID_MAX 23

struct open_message {
    char id[MESSAGE_ID_MAX];
    uint8_t id_size;
    bool matched;               /* a line of it has what is searched for */
    uint64_t first_line;        /* number of its first line: the order of those that never end */
    struct exigrep_time opened; /* time of its first line */
    int64_t seen_at;            /* grep: when it was seen at the latest */
    bool ended;                 /* grep: its last line was met */
    int64_t took;               /* grep: microseconds from the first line to that */
    struct held lines;
};

struct open_messages;

struct open_messages *open_messages_new(void);
void open_messages_free(struct open_messages **messages); /* accepts NULL, leaves NULL */

/* The message of an id, 16 or 23 octets; made, all zero but the id, if it is not open.  It stays where it is until it
   is closed. */
struct open_message *open_messages_get(struct open_messages *messages, struct slice id);

/* The message of an id, or NULL. */
struct open_message *open_messages_find(const struct open_messages *messages, struct slice id);

void open_messages_close(struct open_messages *messages, struct open_message *message);

/* The open messages, *count of them, in the order of their first lines; the array is the caller's to free. */
struct open_message **open_messages_list(const struct open_messages *messages, size_t *count);

#endif
