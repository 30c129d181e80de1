/* proof.c — what is looked for in the archive: seconds, and texts that a line of them has. */
#include "proof.h"

#include <stdlib.h>
#include <string.h>

struct looks {
    struct look *list;
    size_t count, room;
};

/* The look's seconds are the numbers', which it takes over. */
static void add_look(struct looks *looks, int64_t server, struct numbers *seconds, const struct slice *texts,
                     struct originals *into)
{
    numbers_sort(seconds);
    looks->list = grow(looks->list, &looks->room, looks->count + 1, sizeof *looks->list);
    struct look *look = &looks->list[looks->count++];
    *look = (struct look){.server = server, .seconds = seconds->list, .count = seconds->count, .into = into};
    memcpy(look->texts, texts, sizeof look->texts);
}

static void add_second(struct numbers *seconds, const struct rows *rows, size_t row, const char *column)
{
    if (rows_has(rows, row, column))
        numbers_add(seconds, rows_integer(rows, row, column));
}

static void add_all(struct numbers *seconds, const struct numbers *times)
{
    for (size_t i = 0; i < times->count; i++)
        numbers_add(seconds, times->list[i]);
}

static void look_for_message(struct looks *looks, struct part *part)
{
    const struct slice texts[LOOK_TEXTS] = {slice_of(part->exim_id, strlen(part->exim_id))};
    struct numbers seconds = {0};
    numbers_add(&seconds, part->at);
    add_second(&seconds, &part->message, 0, "received");
    add_second(&seconds, &part->message, 0, "completed");
    add_all(&seconds, &part->attempt_times);
    add_all(&seconds, &part->event_times);
    add_all(&seconds, &part->refusal_times);
    add_look(looks, part->server, &seconds, texts, &part->lines);
}

static void look_for_scans(struct looks *looks, struct part *part)
{
    const struct slice texts[LOOK_TEXTS] = {
        part->scanned_id ? slice_of(part->scanned_id, strlen(part->scanned_id)) : SLICE_ABSENT, SLICE_LIT("spamd")};
    struct numbers seconds = {0};
    for (size_t i = 0; i < part->scans.count; i++)
        add_second(&seconds, &part->scans, i, "at");
    if (seconds.count)
        add_look(looks, part->server, &seconds, texts, &part->lines);
}

static void look_for_session(struct looks *looks, struct part *part, size_t row)
{
    /* Its daemon's name has the service's in it; Exim's lines name the same people. */
    const struct slice texts[LOOK_TEXTS] = {rows_text(&part->sessions, row, "user"), rows_text(&part->sessions, row, "service")};
    struct numbers seconds = {0};
    add_second(&seconds, &part->sessions, row, "at");
    add_second(&seconds, &part->sessions, row, "end_at");
    if (texts[0].n)
        add_look(looks, part->server, &seconds, texts, &part->lines);
}

static struct slice first_text(const struct rows *rows, size_t row, const char *const *columns)
{
    struct slice text = SLICE_ABSENT;
    for (; *columns && !text.n; columns++)
        text = rows_text(rows, row, *columns);
    return text.n ? text : SLICE_ABSENT;
}

/* Who was refused, and for whom. */
static int look_for_refusal(struct looks *looks, struct store *store, const struct rows *refusals, size_t row,
                            struct originals *into, struct error *err)
{
    static const char *const who[] = {"ip", "helo", "host", "user", "sender", NULL},
                      *const whom[] = {"recipient", "sender", "user", NULL};
    const struct slice texts[LOOK_TEXTS] = {first_text(refusals, row, who), first_text(refusals, row, whom)};
    struct numbers seconds = {0};
    int64_t server;
    if (!texts[0].p)
        return 0;
    if (find_server(store, rows_text(refusals, row, "server"), &server, err) < 0)
        return -1;
    add_second(&seconds, refusals, row, "at");
    add_look(looks, server, &seconds, texts, into);
    return 0;
}

int proof_read(struct stories *stories, const struct rows *refusals, struct originals *of_refusals, struct error *err)
{
    struct looks looks = {0};
    int done = 0;
    for (size_t i = 0; i < stories->part_count; i++) {
        struct part *part = stories->parts[i];
        look_for_message(&looks, part);
        look_for_scans(&looks, part);
        for (size_t k = 0; k < part->sessions.count; k++)
            look_for_session(&looks, part, k);
    }
    for (size_t i = 0; i < refusals->count && done == 0; i++)
        done = look_for_refusal(&looks, stories->reader->store, refusals, i, of_refusals, err);
    if (done == 0)
        done = originals_read(stories->reader, looks.list, looks.count, err);
    for (size_t i = 0; i < looks.count; i++)
        free(looks.list[i].seconds);
    free(looks.list);
    return done;
}
