/* mailbox.c — whether the users that may have a mailbox logged in, read where they are mentioned; where a name is not enough, one
   pass over the deliveries and logins of the time, for whose it may be; then the first sessions of each mailbox that was opened. */
#include "mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"
#include "../base/text.h"
#include "../store/hashes.h"
#include "mailbox_name.h"
#include "slots.h"

#define OPENED_WITHIN (7 * 86400)
#define OPENED_SHOWN 3

struct box {
    struct mailbox_name name;
    int64_t at;        /* when it was delivered to first */
    int64_t namesakes; /* domains that have one of its name; 0: that was not asked */
};

struct boxes {
    struct stories *stories;
    struct part *part;
    struct box *list;
    size_t count, room;
    struct rows logins; /* of their names */
    struct rows known;  /* domains of their names; of no rows, if one was not asked for them */
};

/* ---- the mailboxes ----------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_listed(const struct boxes *boxes, const struct mailbox_name *name)
{
    for (size_t i = 0; i < boxes->count; i++) {
        const struct mailbox_name *other = &boxes->list[i].name;
        if (strcmp(other->local, name->local) == 0 && same_text(other->domain, name->domain) && same_text(other->led, name->led))
            return true;
    }
    return false;
}

static void list_boxes(struct boxes *boxes)
{
    const struct rows *attempts = &boxes->part->attempts;
    struct mailbox_name name;
    for (size_t i = 0; i < attempts->count; i++) {
        if (!mailbox_name_of(&boxes->stories->reader->texts, attempts, i, &name) || is_listed(boxes, &name))
            continue;
        boxes->list = grow(boxes->list, &boxes->room, boxes->count + 1, sizeof *boxes->list);
        boxes->list[boxes->count++] = (struct box){.name = name, .at = rows_integer(attempts, i, "at")};
    }
}

static bool any_by_name(const struct boxes *boxes)
{
    for (size_t i = 0; i < boxes->count; i++)
        if (boxes->list[i].name.told == MAILBOX_BY_NAME)
            return true;
    return false;
}

/* "anna@a.example", or "anna" where the domain is not known, to be freed. */
static char *address_of(const struct mailbox_name *name, const char *domain)
{
    return xprintf("%s%s%s", name->local, domain ? "@" : "", domain ? domain : "");
}

/* The names as JSON has a list, to be freed. */
static char *names_of(const struct boxes *boxes)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        exit(EXIT_MEMORY);
    for (size_t i = 0; i < boxes->count; i++) {
        const char *local = boxes->list[i].name.local;
        fputs(i ? ", " : "[", out);
        text_write_json(out, slice_of(local, strlen(local)));
    }
    fputc(']', out);
    fclose(out);
    return text;
}

/* ---- strings ----------------------------------------------------------------------------------- */

static struct hash_want want_of(const struct store *store, const struct mailbox_name *name, const char *domain)
{
    char *address = address_of(name, domain);
    struct hash_want want = {.hash = hash_bytes(slice_of(address, strlen(address)), store_hash_seed(store))};
    free(address);
    return want;
}

static int find_strings(struct store *store, struct hash_want *wants, size_t count, struct error *err)
{
    struct hashes *hashes = NULL;
    int done = hashes_new(store, &hashes, err);
    if (done == 0)
        done = hashes_find(hashes, wants, count, err);
    hashes_free(&hashes);
    return done;
}

static char *list_numbers(const struct numbers *numbers)
{
    sqlite3_str *list = sqlite3_str_new(NULL);
    sqlite3_str_appendall(list, "[");
    for (size_t i = 0; i < numbers->count; i++)
        sqlite3_str_appendf(list, i ? ", %lld" : "%lld", (long long)numbers->list[i]);
    sqlite3_str_appendall(list, "]");
    return sqlite3_str_finish(list);
}

/* The addresses and local parts of boxes whose addresses are known. */
static int find_users(const struct boxes *boxes, struct numbers *users, struct error *err)
{
    struct store *store = boxes->stories->reader->store;
    struct hash_want *wants = xcalloc(boxes->count * 2, sizeof *wants);
    for (size_t i = 0; i < boxes->count; i++) {
        wants[2 * i] = want_of(store, &boxes->list[i].name, boxes->list[i].name.domain);
        wants[2 * i + 1] = want_of(store, &boxes->list[i].name, NULL);
    }
    int done = find_strings(store, wants, boxes->count * 2, err);
    for (size_t i = 0; i < boxes->count * 2 && done == 0; i++)
        if (wants[i].id)
            numbers_add(users, wants[i].id);
    numbers_sort(users);
    free(wants);
    return done;
}

/* ---- whose they may be ------------------------------------------------------------------------- */

static int64_t end_of(const struct boxes *boxes)
{
    return boxes->list[boxes->count - 1].at + OPENED_WITHIN;
}

/* users: NULL: whoever has one of the names. */
static int read_of_names(struct boxes *boxes, const char *file, const char *names, const char *users, int64_t from, int64_t until,
                         struct rows *rows, struct error *err)
{
    const struct bind binds[] = {{":from", NULL, from},
                                 {":until", NULL, until},
                                 {":server", rows_text(&boxes->part->message, 0, "server").p, 0},
                                 {":names", names, 0},
                                 {users ? ":users" : NULL, users, 0},
                                 {NULL, NULL, 0}};
    return rows_read(boxes->stories->reader, file, binds, rows, err);
}

static bool row_is(const struct rows *rows, size_t row, const char *column, const char *text)
{
    struct slice value = rows_text(rows, row, column);
    return text ? value.p && slice_is(value, text) : !value.p;
}

/* Whether a login is not by an address, or is of a box that the delivery does not name by one. */
static bool any_unsure(const struct boxes *boxes)
{
    for (size_t i = 0; i < boxes->logins.count; i++) {
        if (row_is(&boxes->logins, i, "domain", NULL))
            return true;
        for (size_t k = 0; k < boxes->count; k++)
            if (boxes->list[k].name.told == MAILBOX_BY_NAME && row_is(&boxes->logins, i, "name", boxes->list[k].name.local))
                return true;
    }
    return false;
}

/* Whether anything in the database names the address that led to the box with the box's name. */
static int is_known_address(struct store *store, const struct mailbox_name *name, bool *known, struct error *err)
{
    struct hash_want want = want_of(store, name, name->led);
    int done = find_strings(store, &want, 1, err);
    *known = want.id != 0;
    return done;
}

/* Counts the domains that have a mailbox of the box's name.  found: one is that which the delivery tells, or that of the address
   which led to it; only: the last of them. */
static void count_namesakes(const struct boxes *boxes, struct box *box, bool *found, const char **only)
{
    const struct mailbox_name *name = &box->name;
    for (size_t i = 0; i < boxes->known.count; i++) {
        if (!row_is(&boxes->known, i, "name", name->local))
            continue;
        *only = rows_text(&boxes->known, i, "domain").p;
        *found = *found || same_text(*only, name->domain ? name->domain : name->led);
        box->namesakes++;
    }
}

/* A domain that the delivery does not tell is the one that has a mailbox of the name; of several, that of the address which
   led to it.  An address of that domain counts, though nobody was seen to use it: it may be the one. */
static int find_namesakes(struct boxes *boxes, struct box *box, struct error *err)
{
    struct mailbox_name *name = &box->name;
    const char *only = NULL;
    bool found = false, known = name->domain != NULL;
    if (name->told == MAILBOX_BY_PATH && !name->domain)
        return 0; /* an account of the system, whose name is all there is */
    count_namesakes(boxes, box, &found, &only);
    if (!found && !name->domain && name->led &&
        is_known_address(boxes->stories->reader->store, name, &known, err) < 0)
        return -1;
    box->namesakes += known && !found;
    if (!name->domain && (found || known || box->namesakes == 1))
        name->domain = found || known ? name->led : only;
    return 0;
}

/* Whether a box before this one has turned out to be the same. */
static bool was_before(const struct boxes *boxes, size_t box)
{
    const struct mailbox_name *name = &boxes->list[box].name;
    for (size_t i = 0; i < box; i++)
        if (strcmp(boxes->list[i].name.local, name->local) == 0 && same_text(boxes->list[i].name.domain, name->domain))
            return true;
    return false;
}

/* ---- their sessions ---------------------------------------------------------------------------- */

/* The users that may be the box's. */
static void take_users(const struct boxes *boxes, const struct box *box, struct numbers *users)
{
    const struct rows *logins = &boxes->logins;
    for (size_t i = 0; i < logins->count; i++)
        if (row_is(logins, i, "name", box->name.local) &&
            (row_is(logins, i, "domain", NULL) || row_is(logins, i, "domain", box->name.domain)))
            numbers_add(users, rows_integer(logins, i, "id"));
    numbers_sort(users);
}

static int read_stretch(struct boxes *boxes, const struct box *box, const char *users, int64_t from, int64_t until, size_t most,
                        struct error *err)
{
    static const char *const told[] = {"address", "path", "name"};
    const struct mailbox_name *name = &box->name;
    char *mailbox = address_of(name, name->domain);
    const struct bind binds[] = {{":from", NULL, from},
                                 {":until", NULL, until},
                                 {":most", NULL, (int64_t)most},
                                 {":server", rows_text(&boxes->part->message, 0, "server").p, 0},
                                 {":mailbox", mailbox, 0},
                                 {":told", told[name->told], 0},
                                 {":namesakes", NULL, box->namesakes},
                                 {":users", users, 0},
                                 {NULL, NULL, 0}};
    int done = rows_read(boxes->stories->reader, "trace/sessions.sql", binds, &boxes->part->sessions, err);
    free(mailbox);
    return done;
}

/* Reads where the users are mentioned, until there is one session more than is told. */
static int read_mentioned(struct boxes *boxes, const struct box *box, const struct numbers *users, const struct slots *slots,
                          struct error *err)
{
    struct rows *sessions = &boxes->part->sessions;
    size_t before = sessions->count;
    int64_t from = INT64_MIN, to = INT64_MIN;
    char *list = list_numbers(users);
    int done = 0;
    while (done == 0 && sessions->count - before <= OPENED_SHOWN && slots_next(slots, SLOT_COLUMN, &from, &to))
        done = read_stretch(boxes, box, list, from > box->at ? from : box->at, to, OPENED_SHOWN + 1 - (sessions->count - before), err);
    if (sessions->count - before > OPENED_SHOWN) {
        sessions->count = before + OPENED_SHOWN;
        rows_set(sessions, sessions->count - 1, "more", 1);
    }
    sqlite3_free(list);
    return done;
}

static int read_sessions(struct boxes *boxes, const struct box *box, struct error *err)
{
    struct numbers users = {0};
    struct slots slots = {0};
    int done = 0;
    take_users(boxes, box, &users);
    if (users.count)
        done = slots_read_strings(boxes->stories->reader->store, users.list, users.count, box->at, box->at + OPENED_WITHIN, &slots, err);
    if (done == 0 && users.count)
        done = read_mentioned(boxes, box, &users, &slots, err);
    slots_free(&slots);
    free(users.list);
    return done;
}

/* Whether one of the users that boxes may have logged in at all: reads where he is mentioned until he did. */
static int read_login(struct boxes *boxes, const char *names, int64_t user, struct error *err)
{
    const struct numbers one = {&user, 1, 1};
    struct slots slots;
    size_t before = boxes->logins.count;
    int64_t from = INT64_MIN, to = INT64_MIN, first = boxes->list[0].at;
    char *list = list_numbers(&one);
    int done = slots_read_strings(boxes->stories->reader->store, &user, 1, first, end_of(boxes), &slots, err);
    while (done == 0 && boxes->logins.count == before && slots_next(&slots, SLOT_COLUMN, &from, &to))
        done = read_of_names(boxes, "trace/logins.sql", names, list, from > first ? from : first, to, &boxes->logins, err);
    slots_free(&slots);
    sqlite3_free(list);
    return done;
}

static int read_logins(struct boxes *boxes, const char *names, struct error *err)
{
    struct numbers users = {0};
    if (any_by_name(boxes))
        return read_of_names(boxes, "trace/logins.sql", names, NULL, boxes->list[0].at, end_of(boxes), &boxes->logins, err);
    int done = find_users(boxes, &users, err);
    for (size_t i = 0; i < users.count && done == 0; i++)
        done = read_login(boxes, names, users.list[i], err);
    free(users.list);
    return done;
}

static int read_boxes(struct boxes *boxes, const char *names, struct error *err)
{
    int done = read_logins(boxes, names, err);
    if (done == 0 && any_unsure(boxes)) {
        done = read_of_names(boxes, "trace/mailboxes.sql", names, NULL, boxes->list[0].at, end_of(boxes), &boxes->known, err);
        for (size_t i = 0; i < boxes->count && done == 0; i++)
            done = find_namesakes(boxes, &boxes->list[i], err);
    }
    for (size_t i = 0; i < boxes->count && done == 0; i++)
        if (!was_before(boxes, i))
            done = read_sessions(boxes, &boxes->list[i], err);
    return done;
}

int mailbox_read(struct stories *stories, struct part *part, struct error *err)
{
    struct boxes boxes = {.stories = stories, .part = part};
    list_boxes(&boxes);
    char *names = boxes.count ? names_of(&boxes) : NULL;
    int done = names ? read_boxes(&boxes, names, err) : 0;
    free(names);
    free(boxes.list);
    rows_free(&boxes.logins);
    rows_free(&boxes.known);
    return done;
}
