/* target.c — see target.h.  Not instrumented for steps itself. */
#include "target.h"

#include "../unit/arena.h"

/* No parser may take more steps: so many for each byte, which may be read 64 times, and so many for any line.  At most
   512 bytes of a reason are looked at from each of its places on, several times; its normal form has at most 300 here. */
enum { STEPS_A_BYTE = 64 * 8, STEPS_A_LINE = 150000, STEPS_A_REASON = 3000000 };

static uint64_t steps;

/* One for all inputs of up to 64 KiB, which is as much of a line as ingest keeps. */
static struct arena room(size_t n)
{
    enum { ROOM = 65536 };
    static struct arena arena;
    if (n > ROOM)
        die("longer than a line may be");
    if (!arena.data)
        arena = arena_new(ROOM);
    return arena;
}

void step_block(void);
void *step_memchr(const void *s, int c, size_t n);
void *step_memrchr(const void *s, int c, size_t n);

void step_block(void)
{
    steps++;
}

void *step_memchr(const void *s, int c, size_t n)
{
    const char *at = memchr(s, c, n);
    steps += at ? (size_t)(at - (const char *)s) : n;
    return (void *)at;
}

void *step_memrchr(const void *s, int c, size_t n)
{
    const char *at = memrchr(s, c, n);
    steps += at ? n - (size_t)(at - (const char *)s) : n;
    return (void *)at;
}

const char *target_name(size_t i)
{
    if (i == 0)
        return "frame";
    return dialects[i - 1] ? dialects[i - 1]->name : NULL;
}

static void fail(const char *parser, const char *what)
{
    fprintf(stderr, "fuzz: %s: %s\n", parser, what);
    abort();
}

static void check_reason(const char *name, const struct event *ev)
{
    enum { ROOM = 300 };
    char text[ROOM];
    if (!ev->reason.p)
        return;
    const char *class = reason_class(ev->reason, ev->errno_code);
    if (!class || !*class)
        fail(name, "no class of reason");
    if (reason_normalise(ev->reason, text, ROOM) > ROOM)
        fail(name, "reason_normalise wrote too much");
}

/* The body as the dialect gets it where nothing else is known of the line. */
static void read_body(const struct dialect *dialect, struct slice body, struct described *out)
{
    memset(out, 0, sizeof *out);
    out->frame.kind = strcmp(dialect->name, "exim_mainlog") == 0 ? FRAME_EXIM : FRAME_SYSLOG;
    out->frame.tag = slice_of(dialect->tags[0], strlen(dialect->tags[0]));
    out->frame.pid = NUM_ABSENT;
    out->frame.body = body;
    out->dialect = dialect;
    event_reset(&out->event);
    out->verdict = dialect->parse(&out->frame, &out->event);
}

static const struct dialect *dialect_named(const char *name)
{
    for (size_t i = 0; dialects[i]; i++)
        if (strcmp(dialects[i]->name, name) == 0)
            return dialects[i];
    return NULL;
}

uint64_t target_run(const char *name, const uint8_t *bytes, size_t n)
{
    struct arena arena = room(n);
    struct slice line = arena_place(arena, slice_of((const char *)bytes, n), true);
    const struct dialect *dialect = dialect_named(name);
    struct described what;
    steps = 0;
    if (dialect)
        read_body(dialect, line, &what);
    else
        describe_read(line, &what);
    if (what.verdict == VERDICT_OK)
        check_reason(name, &what.event);
    uint64_t took = steps;
    const char *fault = unsound(arena, line, &what);
    if (fault)
        fail(name, fault);
    if (took > STEPS_A_LINE + (uint64_t)n * STEPS_A_BYTE + (what.event.reason.p ? STEPS_A_REASON : 0))
        fail(name, "too many steps");
    return took;
}
