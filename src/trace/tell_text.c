/* tell_text.c — a verdict, then the story in order of time; then what there is besides. */
#include <inttypes.h>
#include <stdlib.h>

#include "layout.h"
#include "outcome.h"
#include "pieces.h"
#include "tell.h"
#include "tell_besides.h"
#include "tell_entry.h"
#include "timeline.h"

/* ---- original lines ---------------------------------------------------------------------------- */

static void put_lines(const struct tell *tell, const struct originals *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        const struct original *line = &lines->list[i];
        fputs("  ", tell->out);
        fputs(colour_on(tell, COLOUR_FAINT), tell->out);
        put_text(tell->out, line->path);
        fprintf(tell->out, ":%" PRId64 ":%s ", line->line, colour_off(tell, COLOUR_FAINT));
        put_text(tell->out, line->text);
        fputc('\n', tell->out);
    }
}

static void add_lines(struct originals *lines, const struct part *part)
{
    originals_add(lines, &part->lines);
    for (const struct part *child = part->first; child; child = child->next)
        add_lines(lines, child);
}

/* Of the message and all that came of it. */
static void put_lines_of(const struct tell *tell, const struct part *root)
{
    struct originals lines = {0};
    add_lines(&lines, root);
    put_lines(tell, &lines);
    if (lines.count == 0)
        fputs("  (its lines are not kept)\n", tell->out);
    originals_free(&lines);
}

/* ---- stories ----------------------------------------------------------------------------------- */

static void tell_story(const struct tell *tell, const struct part *root)
{
    struct recipients recipients;
    struct timeline timeline;
    struct body body;
    recipients_read(root, &recipients);
    timeline_read(root, &timeline);
    if (!tell->refusal_lines)
        timeline_fold(&timeline, tell->keys, tell->key_count);
    verdict_write(body_open(&body), root, &recipients);
    fclose(body.out);
    int mood = verdict_mood(root, &recipients);
    put_coloured(tell, COLOUR_STRONG, root->exim_id);
    fputs(" on ", tell->out);
    put_text(tell->out, rows_text(&root->message, 0, "server"));
    fputs(": ", tell->out);
    put_coloured(tell, mood > 0 ? COLOUR_GOOD : mood < 0 ? COLOUR_BAD : COLOUR_OPEN, body.text);
    fputc('\n', tell->out);
    for (size_t i = 0; i < timeline.count; i++)
        tell_entry(tell, &timeline.list[i]);
    if (tell->refusal_lines)
        put_lines_of(tell, root);
    free(body.text);
    timeline_free(&timeline);
    recipients_free(&recipients);
}

void tell_text(const struct tell *tell)
{
    const struct stories *stories = tell->stories;
    put_more(tell->out, stories->found, stories->root_count, "message", "--limit or --until show");
    for (size_t i = 0; i < stories->root_count; i++) {
        fputs(i ? "\n" : "", tell->out);
        tell_story(tell, stories->roots[i]);
    }
    if (tell->refusals->count) {
        fputs(stories->root_count ? "\n" : "", tell->out);
        tell_refusals(tell);
        if (tell->refusal_lines)
            put_lines(tell, tell->refusal_lines);
    }
    tell_logins(tell, !stories->root_count && !tell->refusals->count);
    if (!stories->root_count && !tell->refusals->count && !tell->logins->count)
        tell_nothing(tell);
}
