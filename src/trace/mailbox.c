/* mailbox.c — see mailbox.h. */
#include "mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"
#include "../store/hashes.h"

bool mailbox_is_attempt(const struct rows *attempts, size_t row)
{
    struct slice kind = rows_text(attempts, row, "kind"), recipient = rows_text(attempts, row, "recipient");
    return (slice_is(kind, "delivered") || slice_is(kind, "additional")) && !rows_has(attempts, row, "ip") &&
           rows_has(attempts, row, "transport") && recipient.n && recipient.p[0] != '|' && recipient.p[0] != '/';
}

/* The whole address of the mailbox: Exim logs a virtual one by its local part. */
static char *address_of(const struct rows *attempts, size_t row)
{
    struct slice recipient = rows_text(attempts, row, "recipient"), original = rows_text(attempts, row, "original");
    const char *at = original.p ? memrchr(original.p, '@', original.n) : NULL;
    if (memchr(recipient.p, '@', recipient.n) || !at)
        return xstrdup(recipient.p);
    return xprintf("%s%s", recipient.p, at);
}

/* The numbers that strings have in the database; 0: it has them not. */
static int number_strings(struct store *store, const struct slice *texts, int64_t *numbers, size_t count,
                          struct error *err)
{
    struct hashes *hashes = NULL;
    struct hash_want wants[4];
    for (size_t i = 0; i < count; i++)
        wants[i] = (struct hash_want){hash_bytes(texts[i], store_hash_seed(store)), 0, (uint32_t)i};
    int done = hashes_new(store, &hashes, err);
    if (done == 0)
        done = hashes_find(hashes, wants, count, err);
    for (size_t i = 0; i < count; i++)
        numbers[wants[i].number] = wants[i].id;
    hashes_free(&hashes);
    return done;
}

static int read_mailbox(struct stories *stories, struct part *part, size_t row, const char *address,
                        struct error *err)
{
    const char *at = strrchr(address, '@');
    const struct slice names[] = {slice_of(address, strlen(address)),
                                  slice_of(address, at ? (size_t)(at - address) : strlen(address))};
    int64_t numbers[2];
    if (number_strings(stories->reader->store, names, numbers, 2, err) < 0)
        return -1;
    if (!numbers[0] && !numbers[1])
        return 0;
    const struct bind binds[] = {{":at", NULL, rows_integer(&part->attempts, row, "at")},
                                 {":server", rows_text(&part->message, 0, "server").p, 0},
                                 {":mailbox", address, 0},
                                 {":address", NULL, numbers[0]},
                                 {":local", NULL, numbers[1]},
                                 {NULL, NULL, 0}};
    return rows_read(stories->reader, "trace/sessions.sql", binds, &part->sessions, err);
}

/* Whether an attempt before this one went to the same mailbox. */
static bool was_before(const struct rows *attempts, size_t row, const char *address)
{
    bool same = false;
    for (size_t i = 0; i < row && !same; i++)
        if (mailbox_is_attempt(attempts, i)) {
            char *other = address_of(attempts, i);
            same = strcmp(other, address) == 0;
            free(other);
        }
    return same;
}

int mailbox_read(struct stories *stories, struct part *part, struct error *err)
{
    int done = 0;
    for (size_t i = 0; i < part->attempts.count && done == 0; i++) {
        if (!mailbox_is_attempt(&part->attempts, i))
            continue;
        char *address = address_of(&part->attempts, i);
        if (!was_before(&part->attempts, i, address))
            done = read_mailbox(stories, part, i, address, err);
        free(address);
    }
    return done;
}
