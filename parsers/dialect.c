/* dialect.c — finds the parser for a frame. */
#include "dialect.h"

static bool is_name(struct slice tag, const char *name)
{
    size_t i = 0;
    while (i < tag.n && name[i] && tag.p[i] == name[i])
        i++;
    return i == tag.n && !name[i];
}

static bool answers_to(const struct dialect *dialect, struct slice tag)
{
    for (const char *const *name = dialect->tags; *name; name++)
        if (is_name(tag, *name))
            return true;
    return false;
}

/* Only syslog counts equal lines, never a daemon that writes its own file or its own stamp. */
static bool is_repeat(const struct frame *frame)
{
    if (frame->kind == FRAME_NONE || frame->own_stamp)
        return false;
    return slice_starts(frame->body, "last message repeated ") ||
           slice_starts(frame->body, "message repeated ");
}

/* A repeat without a tag may be of anybody's line; one with a tag is foreign where the tag is. */
const struct dialect *dialect_for(const struct frame *frame)
{
    if (!frame->tag.p)
        return is_repeat(frame) ? &dialect_repeat : NULL;
    for (size_t i = 0; dialects[i]; i++)
        if (answers_to(dialects[i], frame->tag))
            return is_repeat(frame) ? &dialect_repeat : dialects[i];
    return NULL;
}

enum verdict verdict_of(const struct scan *s, struct slice body, struct event *ev)
{
    if (!s->bad && s->p == s->end)
        return VERDICT_OK;
    ev->fault_at = (size_t)(s->p - body.p);
    return VERDICT_DAMAGED;
}
