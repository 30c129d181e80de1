/* batch.h — what some ten thousand lines of one source became, as columns: handed from the parsing thread
   to the writing thread whole. */
#ifndef MAILTRAIL_BATCH_H
#define MAILTRAIL_BATCH_H

#include "../../parsers/event.h"
#include "../base/memory.h"
#include "wording.h"

/* The event tables' columns, in the order of schema/001_facts.sql.  INT: NUM_ABSENT is NULL.  REF: a string
   of the batch, 0 is NULL.  TEXT: absent is NULL. */
#define HEAD_COLUMNS(INT) INT(at) INT(mark)

#define DELIVERY_COLUMNS(INT, REF, TEXT)                                                           \
    HEAD_COLUMNS(INT) INT(ms) INT(source) INT(message) REF(kind) REF(recipient) REF(original)      \
    REF(route) INT(size) REF(cause) TEXT(own) INT(deliver_ms) INT(queue_ms) INT(orphan) INT(flags)

#define REJECTION_COLUMNS(INT, REF, TEXT)                                                          \
    HEAD_COLUMNS(INT) INT(ms) INT(source) INT(server) REF(client) REF(sender) REF(recipient)       \
    TEXT(message) REF(cause) TEXT(own) INT(flags)

#define AUTH_FAILURE_COLUMNS(INT, REF, TEXT)                                                       \
    HEAD_COLUMNS(INT) INT(ms) INT(source) INT(server) REF(service) REF(user) REF(client)           \
    REF(method) REF(reason) INT(attempts) INT(flags)

#define SESSION_LINE_COLUMNS(INT, REF, TEXT)                                                       \
    HEAD_COLUMNS(INT) INT(ms) INT(source) INT(server) REF(service) INT(kind) INT(pid) REF(user)    \
    REF(host) REF(ip) REF(method) REF(outcome) INT(messages) INT(deleted) INT(bytes) INT(fetched)  \
    INT(flags)

#define SCAN_LINE_COLUMNS(INT, REF, TEXT)                                                          \
    HEAD_COLUMNS(INT) INT(ms) INT(source) INT(server) INT(kind) INT(pid) REF(user)                 \
    TEXT(message_id) TEXT(resent_id) INT(is_spam) INT(score) INT(threshold) REF(rules)             \
    INT(scan_ms) INT(size) REF(autolearn)

#define EVENT_COLUMNS(INT, REF, TEXT)                                                              \
    HEAD_COLUMNS(INT) INT(ms) INT(source) INT(server) REF(kind) TEXT(message) REF(client)          \
    REF(user) REF(sender) REF(recipient) REF(text) TEXT(own) INT(flags)

#define UNPARSED_LINE_COLUMNS(INT, REF, TEXT)                                                      \
    HEAD_COLUMNS(INT) INT(source) INT(server) INT(line) TEXT(dialect) INT(fault_at) INT(size)      \
    TEXT(text)

#define MESSAGE_COLUMNS(INT, REF, TEXT)                                                            \
    INT(id) INT(server) TEXT(exim_id) INT(at) INT(received) INT(received_ms) INT(arrival_mark)     \
    INT(arrival_source) REF(sender) REF(client) REF(protocol) REF(auth) REF(auth_id)               \
    REF(local_user) REF(tls) INT(size) TEXT(subject) TEXT(message_id)                 \
    TEXT(recipients) TEXT(parent) TEXT(copy_of) INT(flags) INT(completed) INT(completed_ms)         \
    INT(completed_source) INT(queue_ms) INT(frozen) INT(thawed) INT(removed) INT(delayed)          \
    INT(failed) INT(remote)

/* What rows have in common. */
#define CLIENT_COLUMNS(INT, REF, TEXT) INT(id) REF(host) REF(helo) REF(ip)
#define ROUTE_COLUMNS(INT, REF, TEXT) INT(id) REF(router) REF(transport) REF(host) REF(ip) REF(tls)
#define CAUSE_COLUMNS(INT, REF, TEXT)                                                              \
    INT(id) REF(stage) INT(temporary) INT(error) REF(reason) REF(reason_class) REF(response) REF(detail) \
    INT(smtp_code) REF(enhanced_code)

#define COMMON_TABLES(TABLE)                                                                       \
    TABLE(CLIENT, client, CLIENT_COLUMNS)                                                          \
    TABLE(ROUTE, route, ROUTE_COLUMNS)                                                             \
    TABLE(CAUSE, cause, CAUSE_COLUMNS)

enum common_table {
#define TABLE(symbol, name, COLUMNS) COMMON_##symbol,
    COMMON_TABLES(TABLE)
#undef TABLE
        COMMON_TABLE_COUNT
};

/* TABLE(symbol, name, COLUMNS): the tables that hold one row an event. */
#define EVENT_TABLES(TABLE)                                                                        \
    TABLE(DELIVERY, delivery, DELIVERY_COLUMNS)                                                    \
    TABLE(REJECTION, rejection, REJECTION_COLUMNS)                                                 \
    TABLE(AUTH_FAILURE, auth_failure, AUTH_FAILURE_COLUMNS)                                        \
    TABLE(SESSION_LINE, session_line, SESSION_LINE_COLUMNS)                                        \
    TABLE(SCAN_LINE, scan_line, SCAN_LINE_COLUMNS)                                                 \
    TABLE(EVENT, event, EVENT_COLUMNS)                                                             \
    TABLE(UNPARSED_LINE, unparsed_line, UNPARSED_LINE_COLUMNS)

enum event_table {
#define TABLE(symbol, name, COLUMNS) TABLE_##symbol,
    EVENT_TABLES(TABLE)
#undef TABLE
        EVENT_TABLE_COUNT
};

#define MESSAGE_AMBIGUOUS_ARRIVAL 1 /* message.flags */
#define MESSAGE_FAKEREJECT 2
#define MESSAGE_RETRACTED 4
#define ROW_AMBIGUOUS 8        /* flags of every table */
#define ROW_LATE 16            /* of event tables: stamped by syslog, which may be a second behind the daemon */
#define SESSION_DIRECTADMIN 128 /* flags of session_line: vm-pop3d 1.1.7f-DA-2 wrote it, who tells all that is fetched */
#define SESSION_UPSTREAM 256    /* vm-pop3d 1.1.6, who tells neither that nor failed logins */
#define MESSAGE_REINJECTED 32  /* a scanner sent it back to us as another message */
#define MESSAGE_UNJOINED 64    /* re-injected, and the message it was is not known yet */

/* struct delivery_row ...: the columns as members, then what is not stored. */
#define MEMBER_INT(name) int64_t name;
#define MEMBER_REF(name) uint32_t name;
#define MEMBER_TEXT(name) struct slice name;
#define TABLE(symbol, name, COLUMNS)                                                               \
    struct name##_row {                                                                            \
        COLUMNS(MEMBER_INT, MEMBER_REF, MEMBER_TEXT)                                               \
        uint32_t tally; /* of batch.tallies: the kind of line it came from */                      \
        uint32_t owner; /* of batch.messages: a delivery's message */                              \
    };
EVENT_TABLES(TABLE)
#undef TABLE

#define TABLE(symbol, name, COLUMNS)                                                               \
    struct name##_row {                                                                            \
        COLUMNS(MEMBER_INT, MEMBER_REF, MEMBER_TEXT)                                               \
    };
COMMON_TABLES(TABLE)
#undef TABLE

struct message_row {
    MESSAGE_COLUMNS(MEMBER_INT, MEMBER_REF, MEMBER_TEXT)
    uint32_t arrival_tally, completed_tally; /* of batch.tallies */
    uint32_t arrivals, completions;          /* lines of each in this batch */
};
#undef MEMBER_INT
#undef MEMBER_REF
#undef MEMBER_TEXT

/* How a column lies in its row, for whoever moves rows without knowing them. */
enum column_type { COLUMN_INT, COLUMN_REF, COLUMN_TEXT };
struct row_column {
    const char *name;
    enum column_type type;
    size_t offset;
};
struct row_layout {
    const char *table;
    size_t size;
    const struct row_column *columns;
    size_t count;
};
extern const struct row_layout event_layouts[EVENT_TABLE_COUNT];
extern const struct row_layout common_layouts[COMMON_TABLE_COUNT];
extern const struct row_layout message_layout;

struct row_list {
    char *rows;  /* of one layout's size each */
    char *blank; /* a row that says nothing yet */
    size_t count, capacity;
};

/* A string, or a row of a common table: both are numbered alike, and found by a hash of what they say. */
struct batch_string {
    struct slice text;
    int64_t id;      /* string.id of a new one, given by the writer */
    uint32_t domain; /* string of the batch: the domain part, once batch_find_kin was asked; 0: none */
    uint32_t folded; /* the same: the text with ASCII letters made small, where that is another; 0: none */
    uint32_t common; /* 0: a string; else enum common_table + 1 */
    uint32_t place;  /* of batch.commons[common - 1] */
};

/* A kind of line, counted. */
struct batch_tally {
    const char *dialect, *kind; /* literals */
    struct slice program;       /* of foreign lines; else empty */
    int64_t lines, copies;      /* copies: found by the writer */
};

/* How far the source was read with this batch; stored with its rows. */
struct checkpoint {
    int64_t source, server;
    int64_t position, lines;
    uint64_t tail_hash;
    int64_t first_at, last_at;        /* NUM_ABSENT: no event yet */
    int64_t longest_gap, gap_at;      /* NUM_ABSENT: none yet */
    const char *years;                /* literal */
    int64_t year;                     /* of the first stamp without one; NUM_ABSENT: none was asked for */
    struct slice carry;               /* in the batch's arena */
};

/* From a string's hash to its number: the whole hash stands here, so that a look-up touches one place. */
struct batch_slot {
    uint64_t hash;
    uint32_t number; /* 0: free */
};

/* A string asked for, whose number is still to be put where it is wanted. */
struct batch_want {
    uint64_t hash;
    struct slice text;
    uint32_t *into;
};
#define WANTS_MAX 24

/* What a string leads to in the database, by string.id; 0: nothing. */
struct batch_kin {
    uint32_t domain, folded;
};

#define SLOT_SECONDS 450 /* an eighth of an hour: what is mentioned is mentioned in one */
#define HOUR_SLOTS 8
#define DAY_SLOTS 192
#define ID_NEAR 1800 /* seconds about the second in an Exim id: what is of the message there is not mentioned */

/* A mention of a day that no bits are kept for. */
struct batch_stray {
    uint32_t number;
    int64_t slot; /* since 1970 */
};

/* A Message-ID, or an Exim id, by its hash (batch_id_hash). */
struct batch_id_mention {
    uint64_t hash;
    int64_t slot;
};
#define BATCH_DAYS 2

/* A day's slots in 32 bits: the hours from the lowest on, then the eighths of an hour, in any of these hours. */
#define SLOT_EIGHTH 24
static inline uint32_t slot_bits(int64_t slot_in_day)
{
    return (uint32_t)1 << slot_in_day / HOUR_SLOTS | (uint32_t)1 << (SLOT_EIGHTH + slot_in_day % HOUR_SLOTS);
}
static inline bool has_slot(uint32_t bits, int64_t slot_in_day)
{
    return (bits & slot_bits(slot_in_day)) == slot_bits(slot_in_day);
}

#define REASONS_KEPT 4096
#define CLASSES_KEPT 256
#define PATTERNS_KEPT 8192

/* A reason as written that was met lately, and its number when what varies is taken out. */
struct batch_reason {
    uint64_t hash;
    uint32_t number; /* 0: free */
};

/* The class lately found for a reason with an error's number. */
struct batch_class {
    int64_t errno_code;
    uint32_t reason, class; /* strings of the batch; reason 0: free */
};

struct batch {
    uint64_t hash_seed;
    struct batch_class classes[CLASSES_KEPT];
    struct batch_reason reasons[REASONS_KEPT];
    uint64_t patterns[PATTERNS_KEPT]; /* hashes of wordings met lately, in this batch or before */
    struct arena arena;
    struct row_list events[EVENT_TABLE_COUNT];
    struct row_list messages;
    struct row_list commons[COMMON_TABLE_COUNT];
    struct batch_string *strings; /* [0] is NULL */
    size_t string_count, string_capacity;
    uint64_t *hashes; /* of each, side by side; seeded as the database says */
    int64_t *ids;     /* string.id of each: filled by the writer */
    struct batch_kin *kin; /* of each: filled by the writer */
    size_t hash_capacity, id_capacity, kin_capacity;
    int64_t first_day;  /* since 1970, that the bits begin with; NUM_ABSENT: no line yet */
    int64_t slot;       /* of the line at hand, since 1970 */
    uint64_t slot_bits; /* the same as bits of its day; 0: out of their reach */
    uint64_t *slots;    /* of each string, side by side: 32 bits a day in which a row has it, or has the common row */
    size_t slots_capacity;
    struct batch_stray *strays;
    size_t stray_count, stray_capacity;
    struct batch_id_mention *id_mentions;
    size_t id_mention_count, id_mention_capacity;
    uint32_t *common_numbers[COMMON_TABLE_COUNT]; /* of each row of commons, its number */
    size_t common_capacity[COMMON_TABLE_COUNT];
    struct batch_want wants[WANTS_MAX];
    size_t want_count;
    uint32_t unkept; /* the number of a text that no column has */
    struct batch_slot *string_slots;
    size_t string_slot_count;
    uint32_t *message_slots;
    size_t message_slot_count;
    struct batch_tally *tallies;
    size_t tally_count, tally_capacity;
    int64_t lines;
    int64_t octets; /* of log text */
    struct block *blocks; /* the lines themselves (archive.h); NULL: they are not kept */
    struct checkpoint checkpoint;
};

struct batch *batch_new(uint64_t hash_seed);
void batch_empty(struct batch *batch); /* ready for the next lines; keeps its memory */
void batch_free(struct batch **batch);

/* A new row of an event table: INTs absent, the rest NULL.  Valid until the next row of that table. */
void *batch_row(struct batch *batch, enum event_table table);

/* The batch's row of a message, made when it is not there: everything absent but exim_id, flags, delayed,
   failed, remote.  Answers its index; the row is batch_message(batch, index). */
uint32_t batch_message_index(struct batch *batch, struct slice exim_id);
static inline struct message_row *batch_message(const struct batch *batch, uint32_t index)
{
    return (struct message_row *)(batch->messages.rows + index * sizeof(struct message_row));
}

/* The instant of the rows to come: strings wanted, and clients and routes, are mentioned in its slot (UTC). */
void batch_set_time(struct batch *batch, int64_t at);
/* Mentions an id in that slot. */
void batch_mention_id(struct batch *batch, struct slice id);
/* Hash of an id whatever its case. */
uint64_t batch_id_hash(struct slice id, uint64_t hash_seed);

/* Number of a text in the batch, which keeps a copy; an absent slice is 0.  What is not UTF-8 is kept byte
   for byte.  This does not mention it. */
uint32_t batch_string(struct batch *batch, struct slice text);
/* Sets domain and folded of a string, which may make new strings: asked for those only that the writer does not
   remember. */
void batch_find_kin(struct batch *batch, uint32_t number);
/* Whether texts of this kind are found in any case: all but those with blanks and no @, which are mostly sentences. */
bool batch_is_folded(struct slice text);
/* Asks for the number of a text to be put into *into, at the latest by batch_settle, and mentions it; the text must live that
   long.  Asking for all strings of a row before any is looked up lets their look-ups overlap: the table is
   larger than a cache, and waiting for it was the greater part of parsing. */
void batch_want(struct batch *batch, struct slice text, uint32_t *into);
/* Mentions a text that no column has. */
void batch_mention(struct batch *batch, struct slice text);
/* As batch_want, of the text with ASCII letters made small. */
void batch_want_lower(struct batch *batch, struct slice text, uint32_t *into);
void batch_settle(struct batch *batch);

/* A column of a common row: a text, a string of the batch, or a number. */
struct batch_part {
    uint64_t hash; /* of the text, or the number itself; 0: NULL */
    struct slice text;
    uint32_t number;
};
struct batch_part batch_part_text(const struct batch *batch, struct slice text);
struct batch_part batch_part_lower(struct batch *batch, struct slice text);
struct batch_part batch_part_string(const struct batch *batch, uint32_t number);
struct batch_part batch_part_int(int64_t value); /* NUM_ABSENT is NULL */

/* Number of a row of a common table, made when it is not there; parts are its columns behind id.  A row of NULLs
   only is 0. */
uint32_t batch_common(struct batch *batch, enum common_table table, const struct batch_part *parts);

/* The row of that number: struct client_row ...; NULL for 0. */
static inline const void *batch_common_row(const struct batch *batch, enum common_table table, uint32_t number)
{
    return number ? batch->commons[table].rows + batch->strings[number].place * common_layouts[table].size : NULL;
}

/* What is stored of a reason: with what varies taken out, its class, and where it says more, the pattern of the text
   as written and what of that is its own. */
struct batch_said {
    uint32_t reason, class, detail;
    struct slice own;
};
/* All 0 for an absent reason, which must live as long as the batch; fields as of batch_wording, NULL: the detail is
   not wanted. */
struct batch_said batch_reason(struct batch *batch, struct slice reason, int64_t errno_code,
                               const struct slice *fields);

/* Number of the pattern of a text, whose row has these fields, and what of the text is its own; 0 for an absent
   text.  A sentence met for the first time is all its own.  The text must live as long as the batch. */
uint32_t batch_wording(struct batch *batch, struct slice text, const struct slice fields[WORDING_PLACES],
                       struct slice *own);

/* string.id of a string of the batch, once the writer has resolved it; 0 for none. */
static inline int64_t batch_id(const struct batch *batch, uint32_t number)
{
    return batch->ids[number];
}

/* Whether two stamps may be of one line: by two ways it may bear syslog's and the daemon's, a second apart. */
static inline bool same_second(int64_t a, int64_t b)
{
    return a != NUM_ABSENT && a - b <= 1 && b - a <= 1;
}

/* Number of a kind of line among the batch's tallies.  dialect and kind must be literals. */
uint32_t batch_tally(struct batch *batch, const char *dialect, const char *kind, struct slice program);

#endif
