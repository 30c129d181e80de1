/* mailbox_name.c — see mailbox_name.h.  Exim logs a local delivery by its local part alone, and behind it, in <>, the address
   that the sender gave; the address between, an alias's or a list's, is not logged.  Only where both have one local part are
   they taken for one mailbox. */
#include "mailbox_name.h"

#include "../../parsers/ascii.h"
#include "../../parsers/scan.h"

/* ---- texts ------------------------------------------------------------------------------------- */

static const char *small(struct arena *arena, struct slice text)
{
    char *to = arena_alloc(arena, text.n + 1, 1);
    lower_into(to, text);
    to[text.n] = 0;
    return to;
}

static struct slice local_of(struct slice address)
{
    const char *at = address.n ? memrchr(address.p, '@', address.n) : NULL;
    return at ? slice_of(address.p, (size_t)(at - address.p)) : address;
}

/* Absent: there is none. */
static struct slice domain_of(struct slice address)
{
    struct slice local = local_of(address);
    return local.n + 1 < address.n ? slice_after(address, local.n + 1) : SLICE_ABSENT;
}

static bool name_by(struct arena *arena, enum mailbox_told told, struct slice local, struct slice domain,
                    struct mailbox_name *name)
{
    *name = (struct mailbox_name){.told = told, .local = small(arena, local), .domain = domain.n ? small(arena, domain) : NULL};
    return local.n > 0;
}

/* ---- paths ------------------------------------------------------------------------------------- */

static bool is_one_of(struct slice text, const char *const *list)
{
    for (; *list; list++)
        if (slice_is(text, *list))
            return true;
    return false;
}

/* A folder's name that looks like a domain. */
static bool is_domain(struct slice text)
{
    bool dot = false, letter = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!is_alnum(c) && c != '-' && c != '.')
            return false;
        dot = dot || c == '.';
        letter = letter || is_letter(c);
    }
    return dot && letter && text.p[0] != '.' && text.p[text.n - 1] != '.';
}

/* Takes the last part off a path, which has no / at its end. */
static struct slice last_part(struct slice *path)
{
    const char *slash = path->n ? memrchr(path->p, '/', path->n) : NULL;
    size_t from = slash ? (size_t)(slash - path->p) + 1 : 0;
    struct slice part = slice_after(*path, from);
    path->n = slash ? from - 1 : 0;
    return part;
}

/* The path of the mailbox itself: without what stands inside one. */
static struct slice box_path(struct slice path)
{
    static const char *const inside[] = {"", "Maildir", "mdbox", "sdbox", "mail", "Mail", "mbox", "inbox", "INBOX", "new", "cur", NULL};
    ptrdiff_t maildir = slice_find(path, "/Maildir/");
    if (maildir >= 0)
        path.n = (size_t)maildir;
    struct slice rest = path;
    while (path.n) {
        struct slice part = last_part(&rest);
        if (!is_one_of(part, inside) && part.p[0] != '.')
            break;
        path = rest;
    }
    return path;
}

/* DOMAIN/LOCAL or LOCAL@DOMAIN at the end; or an account of the system, below /home or in the spool. */
static bool name_by_path(struct arena *arena, struct slice path, struct mailbox_name *name)
{
    static const char *const homes[] = {"home", "mail", NULL};
    struct slice rest = box_path(path), local = last_part(&rest), above = last_part(&rest);
    if (domain_of(local).n)
        return name_by(arena, MAILBOX_BY_PATH, local_of(local), domain_of(local), name);
    if (is_domain(above))
        return name_by(arena, MAILBOX_BY_PATH, local, above, name);
    return is_one_of(above, homes) && name_by(arena, MAILBOX_BY_PATH, local, SLICE_ABSENT, name);
}

/* ---- addresses --------------------------------------------------------------------------------- */

/* Whether an address is that of a local part: anna@..., anna+news@... */
static bool is_address_of(struct slice address, struct slice local)
{
    struct slice its = local_of(address);
    return starts_alike(local, its) && (its.n == local.n || its.p[local.n] == '+');
}

static bool name_by_address(struct arena *arena, struct slice recipient, struct slice original, struct mailbox_name *name)
{
    if (domain_of(recipient).n)
        return name_by(arena, MAILBOX_BY_ADDRESS, local_of(recipient), domain_of(recipient), name);
    if (is_address_of(original, recipient))
        return name_by(arena, MAILBOX_BY_ADDRESS, recipient, domain_of(original), name);
    struct slice led = domain_of(original);
    bool named = name_by(arena, MAILBOX_BY_NAME, recipient, SLICE_ABSENT, name);
    name->led = led.n ? small(arena, led) : NULL;
    return named;
}

bool mailbox_name_of(struct arena *arena, const struct rows *attempts, size_t row, struct mailbox_name *name)
{
    struct slice kind = rows_text(attempts, row, "kind"), recipient = rows_text(attempts, row, "recipient");
    bool here = (slice_is(kind, "delivered") || slice_is(kind, "additional")) && !rows_has(attempts, row, "ip") &&
                rows_has(attempts, row, "transport");
    if (!here || !recipient.n || recipient.p[0] == '|')
        return false;
    if (recipient.p[0] == '/')
        return name_by_path(arena, recipient, name);
    return name_by_address(arena, recipient, rows_text(attempts, row, "original"), name);
}
