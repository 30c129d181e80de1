/* story.h — all that is known of a message, and of the copies and bounces that came of it. */
#ifndef MAILTRAIL_STORY_H
#define MAILTRAIL_STORY_H

#include "find.h"
#include "originals.h"
#include "rows.h"

enum relation {
    RELATION_ROOT,
    RELATION_COPY,  /* a scanner gave the message back as this one: same Message-ID and sender, within a minute */
    RELATION_BOUNCE /* it reports on the message: R= */
};

struct part {
    int64_t number; /* message.id */
    enum relation relation;
    int64_t server, at, end; /* server.id; first line seen; Completed, or INT64_MAX */
    const char *exim_id;     /* the reader's */
    struct slice message_id; /* the same; absent where there is none */
    struct part *parent;     /* NULL of the root */
    struct part *first, *last, *next; /* its own children, and the next one of its parent, in order of time */
    struct rows message;     /* one row of trace/message.sql */
    struct rows attempts, events, refusals, scans, sessions;
    const char *scanned_id;  /* the Message-ID as spamd writes it, where it scanned the message; the reader's */
    int64_t namesakes;       /* other messages of the same Message-ID around the same time */
    struct numbers attempt_times, event_times, refusal_times; /* seconds to read */
    struct originals lines;  /* see proof.h */
};

struct stories {
    struct reader *reader;
    struct part **parts; /* all, by number */
    size_t part_count, part_room;
    struct part **roots; /* in order of time */
    size_t root_count, root_room;
    size_t found;        /* roots before the limit */
    bool everywhere;     /* all the time that a message was in the house is read, whatever the mentions name */
};

/* The stories that messages belong to, each once: a copy and a bounce are told with the message they came of.  Of more
   than limit the latest are kept.  everywhere: see struct stories; the answer must be the same.  0, or -1 with *err.  stories_free in either case, before the reader's end. */
int stories_read(struct reader *reader, const struct numbers *messages, size_t limit, bool everywhere,
                 struct stories *stories, struct error *err);
void stories_free(struct stories *stories);

#endif
