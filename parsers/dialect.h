/* dialect.h — the whole contract of a parser file: pure functions over borrowed bytes.  No allocation,
   no I/O, no clock, no globals but constants; nothing past the end of the slice is ever read.
   A parser sets its whole output or says it did not understand. */
#ifndef MAILTRAIL_DIALECT_H
#define MAILTRAIL_DIALECT_H

#include "event.h"
#include "scan.h"

enum verdict {
    VERDICT_OK,      /* understood, dull kinds included */
    VERDICT_UNKNOWN, /* no such line is known to this dialect */
    VERDICT_DAMAGED  /* a known line that stops making sense at fault_at */
};

/* Who printed a line, and when. */
enum frame_kind {
    FRAME_NONE,   /* no stamp at all: a continuation, or damage */
    FRAME_EXIM,   /* YYYY-MM-DD hh:mm:ss[.mmm][ +hhmm][ [pid]] text */
    FRAME_SYSLOG, /* RFC 3164 file form, with or without <PRI>: Mmm dd hh:mm:ss host tag[pid]: text */
    FRAME_ISO,    /* YYYY-MM-DDThh:mm:ss[.ffffff](Z|+hh:mm) host tag[pid]: text */
    FRAME_5424,   /* [<PRI>]1 stamp host app pid msgid sd text */
    FRAME_SPAMD   /* spamd's own file: Www Mmm dd hh:mm:ss YYYY [pid] level: text */
};

struct frame {
    enum frame_kind kind;
    struct stamp at;       /* the innermost stamp: Exim's own where syslog carries one */
    bool own_stamp;        /* at was printed by the daemon itself, not by syslog */
    struct slice host;     /* syslog's host; absent in files of the daemon's own */
    struct slice tag;      /* syslog program name without [pid]; "exim", "spamd" for own files */
    int64_t pid;           /* NUM_ABSENT when not printed */
    int part, parts;       /* Exim's [n/m] or [n\m] split of a long entry; 0, 0: whole */
    bool part_newline;     /* [n\m]: this part ended at a newline of the entry, else at the length limit */
    struct slice body;     /* what the dialect reads */
};

/* Reads the frame of one line (LF removed; a CR before it is the caller's to remove).  Sets all of *frame.
   FRAME_NONE: body is the whole line. */
void frame_parse(struct slice line, struct frame *frame);

struct dialect {
    const char *name;        /* "exim_mainlog" */
    const char *help;        /* one line for `mailtrail explain --help` */
    const char *const *tags; /* syslog program names answered to, NULL-terminated */
    /* Reads a frame's body.  ev comes reset; its slices point into the body or to literals. */
    enum verdict (*parse)(const struct frame *frame, struct event *ev);
};

/* Every dialect, then NULL.  Generated from the parsers' file names by the Makefile. */
extern const struct dialect *const dialects[];
/* syslog's "message repeated N times", which may stand in for a line of any dialect. */
extern const struct dialect dialect_repeat;

/* The dialect that answers to a frame's tag, or NULL: the line is foreign. */
const struct dialect *dialect_for(const struct frame *frame);

/* OK when all was eaten; else damaged at the cursor's place. */
enum verdict verdict_of(const struct scan *s, struct slice body, struct event *ev);

/* Whether id has the form of an Exim message id: 6-6-2 (to 4.96) or 6-11-4 (from 4.97), base 62. */
bool exim_id_valid(struct slice id);
/* The length of a valid message id that begins s and is followed by a blank or the end; else 0. */
size_t exim_id_length(struct slice s);
/* The second, Unix UTC, that a valid id holds in its first six characters. */
int64_t exim_id_second(struct slice id);

/* The three-digit code that begins a reply, NUM_ABSENT if none does, and the enhanced status code x.y.z (RFC 3463)
   behind it or in its place, a slice of the answer; absent if there is none. */
void reply_codes(struct slice answer, int64_t *smtp_code, struct slice *enhanced_code);

/* Class of a rejection's, deferral's or failure's reason, for counting: "unknown_user", "blocklist" ...;
   always a literal from the list in reason.c. */
const char *reason_class(struct slice reason, int64_t errno_code);
/* The reason with what varies taken out (addresses, ids, IPs, numbers, quoted text), so that equal causes
   are equal.  Writes at most cap bytes to buf, returns how many. */
size_t reason_normalise(struct slice reason, char *buf, size_t cap);

#endif
