/* entry.h — from lines to entries: syslog's frame read, Exim's long entries joined again from their parts,
   control bytes written one way, what continues an entry told from what begins one. */
#ifndef MAILTRAIL_ENTRY_H
#define MAILTRAIL_ENTRY_H

#include "../../parsers/dialect.h"
#include "carry.h"
#include "lines.h"

enum entry_kind {
    ENTRY_BLANK,        /* nothing on the line */
    ENTRY_WHOLE,        /* frame says what begins here */
    ENTRY_CONTINUATION, /* belongs to the entry before, and says nothing of its own */
    ENTRY_STRAY         /* no stamp, and it continues nothing that is known */
};

/* A rejected message whose headers follow: the reject log, and syslog, dump them behind the rejection. */
struct dump {
    char exim_id[24];
    size_t id_size; /* 0: none */
    int64_t at;     /* instant of the rejection */
    bool late;      /* stamped by syslog, for a daemon that has a log of its own */
    int kept;       /* which of those that are kept the header before is: what is folded under it is too; 0: none */
};

struct entry {
    enum entry_kind kind;
    struct frame frame; /* ENTRY_WHOLE: its body is the whole first line of the entry; else the line's own */
    struct slice text;  /* the line as it is looked at: no CR, control bytes as #ooo */
    struct slice header; /* ENTRY_CONTINUATION: a header of dump, whole and without Exim's type letter, if it is
                            one that is kept: Envelope-to, From, To, Cc, Reply-To, Subject, Message-ID; or a line
                            folded under one, without its indent */
    const char *folded_under; /* that one's name; NULL: the line begins a header */
    const struct dump *dump;
};

/* State of one source. */
struct entries;

struct entries *entries_new(void);
void entries_free(struct entries **entries);

/* Reads one line.  Sets all of *entry; its slices are valid until the next call. */
void entries_read(struct entries *entries, const struct line *line, struct entry *entry);

/* Says what the entry just read was, and when, so that lines which continue it are known. */
void entries_understood(struct entries *entries, const struct entry *entry, const struct event *ev, int64_t at);

void entries_save(const struct entries *entries, struct carry *out);
void entries_load(struct entries *entries, struct carry *in);

#endif
