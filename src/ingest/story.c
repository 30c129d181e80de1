/* story.c — one function a table. */
#include "story.h"

#include "../../parsers/ascii.h"
#include "../../parsers/dialect.h"
#include "../../parsers/header.h"

#define TEXT_KEPT 4096 /* octets of a free text that are stored */

static int64_t ms_of(const struct origin *origin)
{
    return origin->when.ms < 0 ? NUM_ABSENT : origin->when.ms;
}

static int64_t flags_of(const struct origin *origin, const struct event *ev)
{
    int64_t flags = ((ev->flags & EVF_AMBIGUOUS) || origin->when.guessed ? ROW_AMBIGUOUS : 0) |
                    (origin->late ? ROW_LATE : 0);
    return flags ? flags : NUM_ABSENT;
}

static struct slice kept(struct batch *batch, struct slice text)
{
    if (text.n > TEXT_KEPT)
        text.n = TEXT_KEPT;
    return arena_copy(&batch->arena, text);
}

static struct slice first_of(struct slice a, struct slice b)
{
    return a.p ? a : b;
}

/* Undoes Exim's string_printing: \n, \t, \", \\ and \ooo. */
static struct slice decoded(struct batch *batch, struct slice text)
{
    static const char letters[] = "n\nt\tr\rb\bf\f";
    if (!text.p || !memchr(text.p, '\\', text.n))
        return kept(batch, text);
    char *out = arena_alloc(&batch->arena, text.n, 1), *to = out;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\\' && i + 1 < text.n) {
            c = text.p[++i];
            const char *letter = memchr(letters, c, sizeof letters - 1);
            if (letter && (letter - letters) % 2 == 0) {
                c = letter[1];
            } else if (c >= '0' && c <= '3' && i + 2 < text.n) {
                c = (char)((c - '0') * 64 + (text.p[i + 1] - '0') * 8 + (text.p[i + 2] - '0'));
                i += 2;
            }
        }
        *to++ = c ? c : '?'; /* no NUL goes into a text column */
    }
    return slice_of(out, (size_t)(to - out));
}

/* The next address of "A "b c"@d E", and *list behind it: blanks inside quotes do not part. */
static struct slice next_address(struct slice *list)
{
    size_t from = 0;
    bool quoted = false;
    while (from < list->n && list->p[from] == ' ')
        from++;
    size_t to = from;
    for (; to < list->n && (quoted || list->p[to] != ' '); to++) {
        if (list->p[to] == '"')
            quoted = !quoted;
        else if (list->p[to] == '\\' && to + 1 < list->n)
            to++;
    }
    struct slice address = slice_of(list->p + from, to - from);
    *list = slice_after(*list, to);
    return address;
}

/* A line has no control bytes any more (entry.h). */
static char *put_json_string(char *to, struct slice text)
{
    *to++ = '"';
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            *to++ = '\\';
        *to++ = text.p[i];
    }
    *to++ = '"';
    return to;
}

/* The envelope recipients of an arrival, as a JSON array; each is mentioned. */
static struct slice recipients_of(struct batch *batch, struct slice list)
{
    if (!list.p)
        return SLICE_ABSENT;
    char *out = arena_alloc(&batch->arena, list.n * 3 + 5, 1), *to = out; /* two for an octet, three for an address and the blank behind it */
    *to++ = '[';
    for (struct slice address; (address = next_address(&list)).n;) {
        if (to > out + 1)
            *to++ = ',';
        to = put_json_string(to, address);
        batch_mention(batch, address);
    }
    *to++ = ']';
    return slice_of(out, (size_t)(to - out));
}

/* Whom a kept header of a refused message names, and its Message-ID. */
static void mention_header(struct batch *batch, struct slice header)
{
    struct slice id = header_message_id(header);
    if (id.p) {
        batch_mention_id(batch, id);
        return;
    }
    for (struct slice address; (address = header_address(&header)).p;)
        batch_mention(batch, address);
}

/* A host as rows store it, if that is as the line has it. */
static struct slice stored_host(struct slice host)
{
    return has_capitals(host) ? SLICE_ABSENT : host;
}

static uint32_t client_of(struct batch *batch, const struct event *ev)
{
    const struct batch_part parts[] = {batch_part_lower(batch, ev->host), batch_part_text(batch, ev->helo),
                                       batch_part_text(batch, ev->ip)};
    return batch_common(batch, COMMON_CLIENT, parts);
}

/* Mentions a message's id where what is said of it stands far from the second in the id: there it is looked for. */
static void mention_far(struct batch *batch, const struct origin *origin, struct slice exim_id)
{
    if (!exim_id.p || !exim_id_valid(exim_id))
        return;
    int64_t second = exim_id_second(exim_id);
    if (origin->when.at < second - ID_NEAR || origin->when.at >= second + ID_NEAR)
        batch_mention_id(batch, exim_id);
}

/* ---- messages ---------------------------------------------------------------------------------- */

static struct message_row *touch_message(struct batch *batch, const struct origin *origin,
                                         const struct event *ev, uint32_t *index)
{
    *index = batch_message_index(batch, ev->exim_id);
    struct message_row *row = batch_message(batch, *index);
    row->server = origin->server;
    if (row->at == NUM_ABSENT || origin->when.at < row->at)
        row->at = origin->when.at;
    return row;
}

/* A name that Exim does not give by itself was given with -oMr by who sent the message back to us. */
static bool is_reinjected(const struct event *ev)
{
    static const char *const own[] = {"local", "smtp", "esmtp", "lsmtp", "lmtp", "utf8"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (slice_starts(ev->protocol, own[i]))
            return false;
    return ev->protocol.n && !ev->ip.p && !ev->host.p && ev->message_id.p && !ev->parent_id.p;
}

static int64_t arrival_flags(const struct event *ev)
{
    return (is_reinjected(ev) ? MESSAGE_UNJOINED : 0) |
           (ev->flags & EVF_FAKEREJECT ? MESSAGE_FAKEREJECT : 0) |
           (ev->flags & EVF_AMBIGUOUS ? ROW_AMBIGUOUS : 0);
}

static void fill_arrival(struct batch *batch, struct message_row *row, const struct origin *origin,
                         const struct event *ev)
{
    row->received = origin->when.at;
    row->received_ms = ms_of(origin);
    row->arrival_mark = (int64_t)origin->mark;
    row->arrival_source = origin->source;
    batch_want(batch, ev->sender, &row->sender);
    row->client = client_of(batch, ev);
    batch_want(batch, ev->protocol, &row->protocol);
    batch_want(batch, ev->auth, &row->auth);
    batch_want(batch, decoded(batch, ev->auth_id), &row->auth_id);
    batch_want(batch, ev->ident, &row->local_user);
    batch_want(batch, ev->tls, &row->tls);
    row->size = ev->size;
    row->subject = decoded(batch, ev->subject);
    row->message_id = decoded(batch, ev->message_id);
    batch_mention_id(batch, row->message_id);
    row->recipients = recipients_of(batch, ev->recipients);
    row->parent = kept(batch, ev->parent_id);
    mention_far(batch, origin, row->parent);
    row->flags = (row->flags & ~(int64_t)(MESSAGE_FAKEREJECT | ROW_AMBIGUOUS | MESSAGE_UNJOINED)) |
                 arrival_flags(ev);
}

/* What an arrival that does not count has is mentioned all the same: were it read in another batch, it would be. */
static void mention_arrival(struct batch *batch, const struct origin *origin, const struct event *ev)
{
    struct message_row none = {.flags = 0};
    fill_arrival(batch, &none, origin, ev);
    batch_settle(batch);
}

/* Of several arrivals of one id the last counts, and the message is ambiguous; that does not depend on the
   order in which they are read. */
static void add_arrival(struct batch *batch, const struct origin *origin, const struct event *ev)
{
    uint32_t index;
    struct message_row *row = touch_message(batch, origin, ev, &index);
    bool later = row->received == NUM_ABSENT || row->received < origin->when.at ||
                 (row->received == origin->when.at && row->arrival_mark < (int64_t)origin->mark);
    if (same_second(row->received, origin->when.at) && row->arrival_mark == (int64_t)origin->mark) {
        batch->tallies[origin->tally].copies++; /* one source may hold the same log twice */
        if (origin->when.at < row->received)
            row->received = origin->when.at;
        mention_arrival(batch, origin, ev);
        return;
    }
    row->arrivals++;
    row->arrival_tally = origin->tally;
    if (row->received != NUM_ABSENT)
        row->flags |= MESSAGE_AMBIGUOUS_ARRIVAL;
    if (later)
        fill_arrival(batch, row, origin, ev);
    else
        mention_arrival(batch, origin, ev);
}

static void add_completion(struct batch *batch, const struct origin *origin, const struct event *ev)
{
    uint32_t index;
    struct message_row *row = touch_message(batch, origin, ev, &index);
    if (same_second(row->completed, origin->when.at)) {
        batch->tallies[origin->tally].copies++;
        if (origin->when.at < row->completed)
            row->completed = origin->when.at;
        return;
    }
    row->completions++;
    row->completed_tally = origin->tally;
    if (row->completed != NUM_ABSENT && row->completed > origin->when.at)
        return;
    row->completed = origin->when.at;
    row->completed_ms = ms_of(origin);
    row->completed_source = origin->source;
    row->queue_ms = ev->queue_ms;
}

static void keep_latest(int64_t *column, int64_t at)
{
    if (*column == NUM_ABSENT || *column < at)
        *column = at;
}

/* What happened to a message on the queue: its state, and an event of its own. */
static void add_state(struct batch *batch, const struct origin *origin, const struct event *ev)
{
    uint32_t index;
    if (!ev->exim_id.p)
        return;
    struct message_row *row = touch_message(batch, origin, ev, &index);
    if (ev->kind == EV_FROZEN)
        keep_latest(&row->frozen, origin->when.at);
    else if (ev->kind == EV_THAWED)
        keep_latest(&row->thawed, origin->when.at);
    else if (ev->kind == EV_REMOVED)
        keep_latest(&row->removed, origin->when.at);
    else
        row->flags |= MESSAGE_RETRACTED;
}

static uint32_t route_of(struct batch *batch, const struct event *ev)
{
    const struct batch_part parts[] = {
        batch_part_text(batch, ev->router), batch_part_text(batch, ev->transport), batch_part_lower(batch, ev->host),
        batch_part_text(batch, ev->ip), batch_part_text(batch, ev->tls)};
    return batch_common(batch, COMMON_ROUTE, parts);
}

/* A line's free text, and behind it why, where it says both. */
static struct slice text_of(struct batch *batch, const struct event *ev)
{
    if (!ev->text.n || !ev->reason.n)
        return kept(batch, first_of(ev->text, ev->reason));
    struct slice whole = arena_join(&batch->arena, ev->text, ": ", ev->reason);
    return slice_of(whole.p, whole.n < TEXT_KEPT ? whole.n : TEXT_KEPT);
}

/* The answer of a delivery or the reason of a failure; should a line have both, the answer is not parted. */
static void put_said(struct batch *batch, const struct event *ev, struct delivery_row *row)
{
    const struct slice fields[WORDING_PLACES] = {[WORDING_IP] = ev->ip, [WORDING_HOST] = stored_host(ev->host),
                                                 [WORDING_RECIPIENT] = ev->recipient};
    bool discarded = ev->delivery == DELIVERY_DISCARDED; /* whose text tells by whom */
    struct batch_said said = batch_reason(batch, discarded ? text_of(batch, ev) : kept(batch, ev->reason), ev->errno_code, fields);
    struct slice answer = decoded(batch, ev->response), own = SLICE_ABSENT;
    uint32_t response = said.detail ? batch_string(batch, answer) : batch_wording(batch, answer, fields, &own);
    int64_t smtp_code = ev->smtp_code;
    struct slice enhanced_code = ev->enhanced_code;
    if (!ev->reason.p)
        reply_codes(answer, &smtp_code, &enhanced_code);
    const struct batch_part parts[] = {
        batch_part_int(NUM_ABSENT), batch_part_int(NUM_ABSENT), batch_part_int(ev->errno_code),
        batch_part_string(batch, said.reason), batch_part_string(batch, said.class),
        batch_part_string(batch, response), batch_part_string(batch, said.detail),
        batch_part_int(smtp_code), batch_part_text(batch, enhanced_code)};
    row->cause = batch_common(batch, COMMON_CAUSE, parts);
    row->own = said.detail ? said.own : own;
}

static void add_delivery(struct batch *batch, const struct origin *origin, const struct event *ev)
{
    uint32_t owner;
    struct message_row *message = touch_message(batch, origin, ev, &owner);
    const char *kind = delivery_kind_name(ev->delivery);
    message->delayed |= ev->delivery == DELIVERY_DEFERRED;
    message->failed |= ev->delivery == DELIVERY_FAILED;
    bool sent = ev->delivery == DELIVERY_DELIVERED || ev->delivery == DELIVERY_CUTTHROUGH;
    message->remote |= sent && (ev->flags & EVF_REMOTE);

    struct delivery_row *row = batch_row(batch, TABLE_DELIVERY);
    mention_far(batch, origin, ev->exim_id);
    row->owner = owner;
    row->at = origin->when.at;
    row->mark = (int64_t)origin->mark;
    row->ms = ms_of(origin);
    row->source = origin->source;
    row->tally = origin->tally;
    batch_want(batch, slice_of(kind, strlen(kind)), &row->kind);
    batch_want(batch, ev->recipient, &row->recipient);
    batch_want(batch, slice_equal(ev->original, ev->recipient) ? SLICE_ABSENT : ev->original, &row->original);
    row->route = route_of(batch, ev);
    row->size = ev->size;
    put_said(batch, ev, row);
    row->deliver_ms = ev->deliver_ms;
    row->queue_ms = ev->queue_ms;
    row->flags = flags_of(origin, ev);
}

/* ---- tables of their own ----------------------------------------------------------------------- */

/* The columns that every event table but delivery begins with. */
#define PUT_HEAD(row, origin)                                                                      \
    do {                                                                                           \
        (row)->at = (origin)->when.at;                                                             \
        (row)->mark = (int64_t)(origin)->mark;                                                     \
        (row)->source = (origin)->source;                                                          \
        (row)->server = (origin)->server;                                                          \
        (row)->tally = (origin)->tally;                                                            \
    } while (0)

static void put_refusal(struct batch *batch, const struct event *ev, struct rejection_row *row)
{
    const struct slice fields[WORDING_PLACES] = {
        [WORDING_IP] = ev->ip,         [WORDING_HOST] = stored_host(ev->host), [WORDING_HELO] = ev->helo,
        [WORDING_SENDER] = ev->sender, [WORDING_RECIPIENT] = ev->recipient};
    struct batch_said said = batch_reason(batch, kept(batch, ev->reason), ev->errno_code, fields);
    const struct batch_part parts[] = {
        batch_part_text(batch, first_of(ev->stage, SLICE_LIT("other"))),
        batch_part_int((ev->flags & EVF_TEMPORARY) != 0), batch_part_int(NUM_ABSENT),
        batch_part_string(batch, said.reason), batch_part_string(batch, said.class), batch_part_string(batch, 0),
        batch_part_string(batch, said.detail), batch_part_int(ev->smtp_code),
        batch_part_text(batch, ev->enhanced_code)};
    row->cause = batch_common(batch, COMMON_CAUSE, parts);
    row->own = said.own;
}

static void add_rejection(struct batch *batch, const struct origin *origin, const struct event *ev)
{
    struct rejection_row *row = batch_row(batch, TABLE_REJECTION);
    PUT_HEAD(row, origin);
    row->ms = ms_of(origin);
    batch_want(batch, ev->sender, &row->sender);
    batch_want(batch, ev->recipient, &row->recipient);
    row->client = client_of(batch, ev);
    row->message = kept(batch, ev->exim_id);
    batch_mention_id(batch, row->message);
    put_refusal(batch, ev, row);
    row->flags = flags_of(origin, ev);
}

static void add_auth_failure(struct batch *batch, const struct origin *origin, const struct event *ev)
{
    struct auth_failure_row *row = batch_row(batch, TABLE_AUTH_FAILURE);
    PUT_HEAD(row, origin);
    row->ms = ms_of(origin);
    batch_want(batch, first_of(ev->service, SLICE_LIT("smtp")), &row->service);
    bool is_exim = !ev->service.p; /* whose text is escaped; the mailbox daemons' is as it stands */
    struct slice user = first_of(ev->user, ev->auth_id);
    batch_want(batch, is_exim ? decoded(batch, user) : user, &row->user);
    row->client = client_of(batch, ev);
    batch_want(batch, first_of(ev->method, ev->auth), &row->method);
    row->reason = batch_reason(batch, first_of(ev->reason, ev->text), NUM_ABSENT, NULL).reason;
    row->attempts = ev->count != NUM_ABSENT && ev->count > 0 ? ev->count : 1;
    row->flags = flags_of(origin, ev);
}

static int64_t session_part(enum event_kind kind)
{
    return kind == EV_SESSION_OPEN ? 1 : kind == EV_LOGIN ? 2 : kind == EV_SESSION_END ? 4 : 3;
}

/* vm-pop3d 1.1.6 names the domain apart; mailboxes are known as user@domain. */
static struct slice mailbox_user(struct batch *batch, const struct event *ev)
{
    if (!ev->user.p || !ev->domain.n || memchr(ev->user.p, '@', ev->user.n) ||
        slice_is(ev->domain, "(null)"))
        return ev->user;
    size_t n = ev->user.n + 1 + ev->domain.n;
    char *whole = arena_alloc(&batch->arena, n, 1);
    memcpy(whole, ev->user.p, ev->user.n);
    whole[ev->user.n] = '@';
    memcpy(whole + ev->user.n + 1, ev->domain.p, ev->domain.n);
    return slice_of(whole, n);
}

/* The two versions of vm-pop3d by what only one of them writes. */
static int64_t session_flags(const struct origin *origin, const struct event *ev)
{
    int64_t version = slice_is(ev->version, "1.1.6")         ? SESSION_UPSTREAM
                      : slice_is(ev->version, "1.1.7f-DA-2") ? SESSION_DIRECTADMIN
                                                             : 0;
    int64_t flags = flags_of(origin, ev);
    return !version ? flags : flags == NUM_ABSENT ? version : flags | version;
}

static void add_session(struct batch *batch, const struct origin *origin, const struct frame *frame,
                        const struct event *ev)
{
    struct session_line_row *row = batch_row(batch, TABLE_SESSION_LINE);
    PUT_HEAD(row, origin);
    row->ms = ms_of(origin);
    batch_want(batch, first_of(ev->service, SLICE_LIT("imap")), &row->service);
    row->kind = session_part(ev->kind);
    row->pid = frame->pid != NUM_ABSENT ? frame->pid : ev->count; /* Dovecot names it in the text */
    batch_want(batch, mailbox_user(batch, ev), &row->user);
    batch_want_lower(batch, ev->host, &row->host);
    batch_want(batch, ev->ip, &row->ip);
    batch_want(batch, ev->method, &row->method);
    batch_want(batch, ev->outcome, &row->outcome);
    row->messages = ev->messages;
    row->deleted = ev->deleted;
    row->bytes = ev->bytes;
    row->fetched = ev->fetched;
    row->flags = session_flags(origin, ev);
}

static void add_scan(struct batch *batch, const struct origin *origin, const struct frame *frame,
                     const struct event *ev)
{
    struct scan_line_row *row = batch_row(batch, TABLE_SCAN_LINE);
    PUT_HEAD(row, origin);
    row->ms = ms_of(origin);
    row->kind = ev->kind == EV_SCAN_START ? 1 : ev->kind == EV_SCAN_VERDICT ? 2 : 3;
    row->pid = frame->pid;
    batch_want(batch, ev->user, &row->user);
    row->message_id = kept(batch, ev->message_id);
    row->resent_id = kept(batch, ev->resent_id);
    row->is_spam = ev->kind == EV_SCAN_START ? NUM_ABSENT : (ev->flags & EVF_IS_SPAM) != 0;
    row->score = ev->score_milli;
    row->threshold = ev->threshold_milli;
    row->rules = batch_string(batch, ev->rules); /* a list, which nobody looks up whole: not mentioned */
    row->scan_ms = ev->scan_ms;
    row->size = ev->size;
    batch_want(batch, ev->autolearn, &row->autolearn);
}

static void add_event(struct batch *batch, const struct origin *origin, const struct event *ev)
{
    const char *kind = event_kind_name(ev->kind);
    struct event_row *row = batch_row(batch, TABLE_EVENT);
    PUT_HEAD(row, origin);
    row->ms = ms_of(origin);
    batch_want(batch, slice_of(kind, strlen(kind)), &row->kind);
    row->message = kept(batch, ev->exim_id);
    mention_far(batch, origin, row->message);
    row->client = client_of(batch, ev);
    batch_want(batch, first_of(ev->user, first_of(ev->auth_id, ev->ident)), &row->user);
    batch_want(batch, ev->sender, &row->sender);
    batch_want(batch, ev->recipient, &row->recipient);
    if (ev->kind == EV_REJECTED_HEADER)
        mention_header(batch, ev->text);
    const struct slice fields[WORDING_PLACES] = {[WORDING_IP] = ev->ip,
                                                 [WORDING_HOST] = stored_host(ev->host)};
    row->text = batch_wording(batch, text_of(batch, ev), fields, &row->own);
    row->flags = flags_of(origin, ev);
}

void story_unparsed(struct batch *batch, const struct origin *origin, int64_t line, const char *dialect,
                    int64_t fault_at, int64_t size, struct slice text)
{
    struct unparsed_line_row *row = batch_row(batch, TABLE_UNPARSED_LINE);
    PUT_HEAD(row, origin);
    row->line = line;
    row->dialect = slice_of(dialect, strlen(dialect));
    row->fault_at = fault_at;
    row->size = size;
    row->text = kept(batch, text);
}

static bool is_mailbox_service(struct slice service)
{
    return slice_is(service, "imap") || slice_is(service, "pop3") || slice_is(service, "pop2");
}

/* Half of a session: what mailbox daemons say, notes that count messages included (UW's Update); deliveries
   into a mailbox (Dovecot's lda and lmtp) are events. */
static bool is_session(const struct event *ev)
{
    bool half = ev->kind == EV_SESSION_OPEN || ev->kind == EV_LOGIN || ev->kind == EV_TRANSFER ||
                ev->kind == EV_SESSION_END || (ev->kind == EV_MAILBOX_NOTE && ev->deleted != NUM_ABSENT);
    return half && is_mailbox_service(ev->service);
}

static void add_by_kind(struct batch *batch, const struct origin *origin, const struct frame *frame,
                        const struct event *ev)
{
    switch (ev->kind) {
    case EV_ARRIVAL:
        add_arrival(batch, origin, ev);
        break;
    case EV_DELIVERY:
        add_delivery(batch, origin, ev);
        break;
    case EV_COMPLETED:
        add_completion(batch, origin, ev);
        break;
    case EV_RETRACTED:
    case EV_FROZEN:
    case EV_THAWED:
    case EV_REMOVED:
        add_state(batch, origin, ev);
        add_event(batch, origin, ev);
        break;
    case EV_REJECTION:
        add_rejection(batch, origin, ev);
        break;
    case EV_AUTH_FAILURE:
        add_auth_failure(batch, origin, ev);
        break;
    case EV_SCAN_START:
    case EV_SCAN_VERDICT:
    case EV_SCAN_RESULT:
        add_scan(batch, origin, frame, ev);
        break;
    case EV_NONE:
    case EV_CONTINUATION:
    case EV_REPEAT:
    case EV_FOREIGN:
    case EV_KINDS:
        break;
    default:
        add_event(batch, origin, ev);
    }
}

void story_add(struct batch *batch, const struct origin *origin, const struct frame *frame,
               const struct event *ev)
{
    batch_set_time(batch, origin->when.at);
    if (is_session(ev))
        add_session(batch, origin, frame, ev);
    else
        add_by_kind(batch, origin, frame, ev);
    batch_settle(batch);
}
