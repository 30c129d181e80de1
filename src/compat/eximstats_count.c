/* eximstats_count.c — what each kind of line adds.  The fields come from the dialect's parser, never from a search
   through the line: what a stranger wrote is no field. */
#include "eximstats_count.h"

#include <stdio.h>
#include <stdlib.h>

#include "eximstats_keys.h"
#include "flights.h"
#include "refusal.h"

enum { LEAST_LINE = 38 }; /* octets that eximstats wants of a line, LF counted, beside what is optional */

struct counter {
    struct eximstats_counts *counts;
    const struct eximstats_options *options;
    struct timebase time;
    struct flights flights;
    struct refusals *refusals;
    struct tallies protocols; /* numbers of P= */
    uint64_t first, last;     /* ranks of stamps */
    struct scratch scratch;
};

/* A line under way through the rules. */
struct item {
    const struct frame *frame;
    const struct event *ev;
    struct slice text; /* behind the stamp and the id */
    struct slice rest; /* behind the flag and its blank */
    struct slice host; /* the word behind H=, or "local" */
    struct slice ip;   /* in its brackets, or "local" */
    int64_t at;        /* Unix seconds; of arrivals and ends only */
    int slot;          /* minute of the day */
};

struct counter *counter_new(struct eximstats_counts *counts, const struct eximstats_options *options,
                            const struct zone *zone)
{
    struct counter *c = xcalloc(1, sizeof *c);
    c->counts = counts;
    c->options = options;
    c->refusals = refusals_new();
    c->first = UINT64_MAX;
    timebase_start(&c->time, zone);
    return c;
}

void counter_free(struct counter **counter)
{
    if (!*counter)
        return;
    flights_free(&(*counter)->flights);
    refusals_free(&(*counter)->refusals);
    tallies_free(&(*counter)->protocols);
    free((*counter)->scratch.p);
    free(*counter);
    *counter = NULL;
}

void counter_begin(struct counter *counter, const struct timebase *time)
{
    counter->time = *time;
}

/* ---- who ---------------------------------------------------------------------------------------- */

static bool is_local(struct slice host)
{
    return slice_is(host, "local");
}

static struct slice key_of(struct counter *c, const struct item *item, int by)
{
    switch (by) {
    case BY_HOST:
        return item->host;
    case BY_DOMAIN:
        return domain_of(&c->scratch, item->host);
    case BY_EMAIL:
        return email_of(item->rest, c->options->original);
    default:
        return edomain_of(&c->scratch, item->rest, c->options->original);
    }
}

/* Perl takes the domain "0" for none. */
static bool is_counted(int by, struct slice key)
{
    return by != BY_DOMAIN || !slice_is(key, "0");
}

/* Whether the tables of users want this line. */
static bool wants_user(const struct counter *c, const struct item *item)
{
    return is_local(item->host) ? c->options->local_users : c->options->remote_users;
}

/* ---- <= ---------------------------------------------------------------------------------------- */

static void add_to_histogram(struct histogram *histogram, int slot)
{
    if (histogram->count)
        histogram->slots[(size_t)slot * histogram->count / 1440]++;
}

/* What a relayed delivery will be told by: "H=host[ip] A=sender", in small letters. */
static void keep_from(struct flight *flight, const struct item *item)
{
    struct slice sender = first_word(item->rest);
    free(flight->from);
    char *to = flight->from = xmalloc(item->host.n + item->ip.n + sender.n + 6);
    to = append(to, SLICE_LIT("H="), false);
    to = append(append(to, item->host, true), item->ip, true);
    to = append(append(to, SLICE_LIT(" A="), false), sender, true);
    *to = 0;
}

static void keep_arrival(struct counter *c, const struct item *item, uint64_t size)
{
    struct flight *flight = flights_at(&c->flights, item->ev->exim_id);
    struct slice protocol = item->ev->protocol;
    flight->flags |= FLIGHT_ARRIVED;
    flight->size = size;
    flight->arrived_at = item->at;
    flight->protocol = 0;
    if (c->options->receipt.count && protocol.p)
        flight->protocol = (uint32_t)(tallies_at(&c->protocols, &c->counts->keys, protocol) -
                                      c->protocols.items) + 1;
    if (c->options->relay && !is_local(item->host))
        keep_from(flight, item);
}

static void take_arrival(struct counter *c, const struct item *item)
{
    struct eximstats_counts *counts = c->counts;
    uint64_t size = item->ev->size == NUM_ABSENT ? 0 : (uint64_t)item->ev->size;
    struct slice user = first_word(item->ev->ident);
    counts->received.messages++;
    counts->received.bytes = tally_sum(counts->received.bytes, size);
    for (int by = 0; by < BY_KINDS; by++) {
        struct slice key = c->options->by[by] ? key_of(c, item, by) : SLICE_ABSENT;
        if (key.p && is_counted(by, key))
            counts_add(counts, &counts->senders[by], key, size);
    }
    if (user.n && wants_user(c, item))
        counts_add(counts, &counts->local_senders, user, size);
    add_to_histogram(&counts->received_at, item->slot);
    keep_arrival(c, item, size);
}

/* ---- => and -> --------------------------------------------------------------------------------- */

static void count_local_domain(struct counter *c, struct slice parent, uint64_t size)
{
    const char *at = parent.n > 2 ? memchr(parent.p, '@', parent.n - 2) : NULL;
    if (!at)
        return;
    struct slice domain = slice_of(at + 1, (size_t)(parent.p + parent.n - at) - 2);
    struct tallies *table = &c->counts->local_domains;
    struct tally *tally = counts_at(c->counts, table, lowered(&c->scratch, domain));
    tally->messages++;
    tally->addresses++;
    tally->bytes = tally_sum(tally->bytes, size);
}

/* Deliveries to users; message: this line stands for the message, not for a further address. */
static void count_user(struct counter *c, const struct item *item, bool message, uint64_t size)
{
    struct slice parent;
    if (!wants_user(c, item) || item->rest.n == 0)
        return;
    struct tally *tally = counts_at(c->counts, &c->counts->local_destinations, user_of(&c->scratch, item->rest, c->options->original, &parent));
    tally->addresses++;
    if (!message)
        return;
    tally->messages++;
    tally->bytes = tally_sum(tally->bytes, size);
    if (c->options->local_domains && parent.p)
        count_local_domain(c, parent, size);
}

static void count_destinations(struct counter *c, const struct item *item, bool message, uint64_t size)
{
    for (int by = 0; by < BY_KINDS; by++) {
        struct slice key = c->options->by[by] ? key_of(c, item, by) : SLICE_ABSENT;
        if (!key.p || !is_counted(by, key))
            continue;
        struct tally *tally = counts_at(c->counts, &c->counts->destinations[by], key);
        tally->addresses++;
        tally->messages += message;
        tally->bytes = tally_sum(tally->bytes, size);
    }
}

static void count_relayed(struct counter *c, const struct item *item, const struct flight *flight)
{
    if (!flight->from || is_alias(item->rest))
        return;
    struct slice from = slice_of(flight->from, strlen(flight->from)), to = first_word(item->rest);
    char *key = scratch(&c->scratch, from.n + item->host.n + item->ip.n + to.n + 10);
    char *end = append(append(key, from, false), SLICE_LIT(" => H="), false);
    end = append(append(end, item->host, true), item->ip, false);
    end = append(append(end, SLICE_LIT(" A="), false), to, true);
    struct slice all = slice_of(key, (size_t)(end - key));
    if (c->options->relay_hidden && perl_source_matches(c->options->relay_hidden, all))
        c->counts->relayed_unshown++;
    else
        counts_at(c->counts, &c->counts->relayed, all)->messages++;
}

/* The counters of a reason; a reason that comes again knows its place. */
static struct tally *reason_tally(struct counter *c, struct tallies *table, const struct refusal_reason *reason)
{
    if (reason->note && *reason->note)
        return &table->items[*reason->note - 1];
    struct tally *tally = counts_at(c->counts, table, reason->text);
    if (reason->note)
        *reason->note = (uint32_t)(tally - table->items) + 1;
    return tally;
}

static void count_refusal(struct counter *c, const struct item *item, enum refusal_kind kind,
                          const struct refusal_reason *reason)
{
    bool temporary = kind == REFUSAL_TEMPORARY;
    struct eximstats_counts *counts = c->counts;
    reason_tally(c, temporary ? &counts->temporary_reasons : &counts->reasons, reason)->messages++;
    counts_at(counts, &counts->ips[temporary ? OTHER_TEMPORARY : OTHER_REJECTS], item->ip)->messages++;
    if (c->options->debug && slice_is(reason->text, "Unknown"))
        fprintf(stderr, "Unknown rejection: %.*s\n", (int)item->text.n, item->text.p);
}

static void count_delivery_time(struct counter *c, const struct item *item, bool remote)
{
    if (item->ev->deliver_ms == NUM_ABSENT)
        return;
    time_table_add(&c->counts->delivery[0], item->ev->deliver_ms, 1);
    if (remote)
        time_table_add(&c->counts->delivery[1], item->ev->deliver_ms, 1);
}

static void take_delivery(struct counter *c, const struct item *item)
{
    struct eximstats_counts *counts = c->counts;
    bool to_host = !is_local(item->host);
    struct flight *flight = to_host ? flights_at(&c->flights, item->ev->exim_id)
                                    : flights_find(&c->flights, item->ev->exim_id);
    uint64_t size = flight ? flight->size : 0;
    struct slice transport = first_word(item->ev->transport);
    struct refusal_reason reason;
    if (to_host) {
        flight->flags |= FLIGHT_REMOTE;
        if (c->options->relay)
            count_relayed(c, item, flight);
    }
    counts->delivered.messages++;
    counts->delivered.addresses++;
    counts->delivered.bytes = tally_sum(counts->delivered.bytes, size);
    count_user(c, item, true, size);
    count_destinations(c, item, true, size);
    if (c->options->transports)
        counts_add(counts, &counts->transports, transport.p ? transport : SLICE_LIT(":blackhole:"), size);
    add_to_histogram(&counts->delivered_at, item->slot);
    if (c->options->delivery.count)
        count_delivery_time(c, item, flight && (flight->flags & FLIGHT_REMOTE));
    if (!transport.p) {
        enum refusal_kind kind = refusals_discard(c->refusals, item->rest, item->ev, &reason);
        count_refusal(c, item, kind, &reason);
    }
}

static void take_further_address(struct counter *c, const struct item *item)
{
    c->counts->delivered.addresses++;
    count_user(c, item, false, 0);
    count_destinations(c, item, false, 0);
}

/* ---- ==, **, Completed ------------------------------------------------------------------------- */

/* One more message with such a line, if its arrival was seen and this is its first. */
static void count_once(struct counter *c, const struct item *item, uint8_t flag, uint64_t *count)
{
    struct flight *flight = flights_find(&c->flights, item->ev->exim_id);
    if (!flight || !(flight->flags & FLIGHT_ARRIVED) || (flight->flags & flag))
        return;
    flight->flags |= flag;
    ++*count;
}

static void take_failure(struct counter *c, const struct item *item)
{
    count_once(c, item, FLIGHT_FAILED, &c->counts->received.failed);
    if (c->options->errors)
        counts_at(c->counts, &c->counts->failures, item->rest)->messages++;
}

static void count_receipt_time(struct counter *c, const struct item *item, const struct flight *flight, int64_t queued)
{
    if (item->ev->queue_ms == NUM_ABSENT)
        return;
    int64_t ms = item->ev->queue_ms - queued;
    time_table_add(&c->counts->receipts[0].times, ms, 1);
    if (!flight || !flight->protocol)
        return;
    struct slice protocol = c->protocols.items[flight->protocol - 1].key;
    time_table_add(counts_receipts(c->counts, c->options, protocol), ms, 1);
}

static void take_completed(struct counter *c, const struct item *item)
{
    struct flight *flight = flights_find(&c->flights, item->ev->exim_id);
    bool arrived = flight && (flight->flags & FLIGHT_ARRIVED);
    int64_t since = arrived ? flight->arrived_at : exim_id_second(item->ev->exim_id);
    int64_t queued = (item->at - since) * 1000;
    if (c->options->queue.count) {
        time_table_add(&c->counts->queued[0], queued, 1);
        if (flight && (flight->flags & FLIGHT_REMOTE))
            time_table_add(&c->counts->queued[1], queued, 1);
    }
    if (c->options->receipt.count)
        count_receipt_time(c, item, flight, queued);
    if (flight)
        flights_remove(&c->flights, flight);
}

/* ---- lines of sa-exim -------------------------------------------------------------------------- */

/* lit, then digits, a point and a digit; with a minus before them if it may be. */
static bool has_score(struct slice text, const char *lit, bool may_be_negative)
{
    ptrdiff_t at = slice_find(text, lit);
    if (at < 0)
        return false;
    struct scan s = scan_over(slice_after(text, (size_t)at + strlen(lit)));
    if (may_be_negative)
        scan_try(&s, "-");
    const char *digits = s.p;
    while (s.p < s.end && *s.p >= '0' && *s.p <= '9')
        s.p++;
    return s.p > digits && scan_left(&s) > 1 && s.p[0] == '.' && s.p[1] >= '0' && s.p[1] <= '9';
}

static void take_scan(struct counter *c, const struct item *item)
{
    struct slice ip = scanned_ip(item->text);
    bool spam = has_score(item->text, "Action: permanently rejected message: score=", false) ||
                has_score(item->text, "Action: temporarily rejected message: score=", false) ||
                has_score(item->text, "Action: flagged as Spam but accepted: score=", false);
    bool ham = has_score(item->text, "Action: scanned but message isn't spam: score=", true) ||
               slice_find(item->text, "Not running SA because SAEximRunCond expanded to false") >= 0 ||
               slice_find(item->text, "check skipped due to message size") >= 0;
    if (spam || ham)
        counts_at(c->counts, &c->counts->ips[spam ? OTHER_SPAM : OTHER_HAM], ip)->messages++;
}

/* ---- which line is what ------------------------------------------------------------------------ */

/* Order of stamps as texts: date, time, then none before +hhmm before -hhmm. */
static uint64_t rank_of(const struct stamp *at)
{
    uint64_t rank = (uint64_t)at->year * 16 + at->mon;
    rank = ((rank * 32 + at->day) * 32 + at->hour) * 64 + at->min;
    rank = (rank * 64 + at->sec) * 4096;
    if (at->utc_off_min == STAMP_LOCAL)
        return rank;
    return rank + (at->utc_off_min < 0 ? (uint64_t)(2048 - at->utc_off_min) : (uint64_t)(1 + at->utc_off_min));
}

static void note_stamp(struct counter *c, const struct item *item)
{
    uint64_t rank = rank_of(&item->frame->at);
    if (rank < c->first)
        c->first = rank;
    if (rank > c->last)
        c->last = rank;
}

static void note_peer(struct item *item)
{
    struct slice peer = item->ev->peer;
    item->host = peer.p ? first_word(peer) : local_host;
    item->ip = peer.p ? bracketed(peer) : local_host;
}

typedef void line_taker(struct counter *c, const struct item *item);

static void take_deferral(struct counter *c, const struct item *item)
{
    count_once(c, item, FLIGHT_DELAYED, &c->counts->received.delayed);
}

/* Cut-through and suppressed deliveries are none to eximstats, nor are arrivals whose client was told "rejected". */
static line_taker *flagged_taker(const struct event *ev)
{
    if (ev->kind == EV_ARRIVAL)
        return ev->flags & EVF_FAKEREJECT ? NULL : take_arrival;
    if (ev->kind == EV_COMPLETED)
        return take_completed;
    switch (ev->delivery) {
    case DELIVERY_DELIVERED:
    case DELIVERY_DISCARDED:
        return take_delivery;
    case DELIVERY_ADDITIONAL:
        return take_further_address;
    case DELIVERY_DEFERRED:
        return take_deferral;
    case DELIVERY_FAILED:
        return take_failure;
    default:
        return NULL;
    }
}

static bool is_hidden(const struct counter *c, const struct event *ev)
{
    struct perl_regex *hidden = c->options->transport_hidden;
    return hidden && ev->transport.p && perl_source_matches(hidden, first_word(ev->transport));
}

static void take_flagged(struct counter *c, struct item *item)
{
    enum { FLAG = 3 }; /* the flag and its blank */
    line_taker *take = flagged_taker(item->ev);
    if (!take || is_hidden(c, item->ev))
        return;
    item->rest = slice_after(item->text, item->text.n < FLAG ? item->text.n : FLAG);
    note_peer(item);
    note_stamp(c, item);
    take(c, item);
}

/* The site's own words, and signatures of strangers, tell of no refusal of ours. */
static bool may_be_refusal(const struct event *ev)
{
    return ev->kind != EV_ACL_TEXT && ev->kind != EV_ACL_WARNING && ev->kind != EV_SIGNATURE &&
           ev->kind != EV_COMMAND_LINE && ev->kind != EV_CONTINUATION && ev->kind != EV_NONE;
}

static void take_unflagged(struct counter *c, struct item *item)
{
    struct refusal_reason reason;
    if (item->ev->exim_id.p && slice_starts(item->text, "SA")) {
        note_stamp(c, item);
        take_scan(c, item);
        return;
    }
    if (!may_be_refusal(item->ev))
        return;
    enum refusal_kind kind = refusals_read(c->refusals, item->text, item->ev, &reason);
    if (kind == REFUSAL_NONE)
        return;
    item->ip = refused_ip(item->text, item->ev->peer);
    note_stamp(c, item);
    count_refusal(c, item, kind, &reason);
}

static bool is_flagged(const struct event *ev)
{
    return ev->kind == EV_ARRIVAL || ev->kind == EV_DELIVERY || ev->kind == EV_COMPLETED;
}

/* ---- -pattern ---------------------------------------------------------------------------------- */

/* The line as the main log has it, LF included. */
static struct slice as_in_mainlog(struct counter *c, const struct entry *entry)
{
    const struct stamp *at = &entry->frame.at;
    struct slice text = entry->text;
    char stamp[64] = "";
    if (entry->frame.kind != FRAME_EXIM) {
        int n = snprintf(stamp, sizeof stamp, "%04d-%02d-%02d %02d:%02d:%02d", at->year, at->mon, at->day, at->hour,
                         at->min, at->sec);
        if (at->usec >= 0)
            n += snprintf(stamp + n, sizeof stamp - (size_t)n, ".%03d", (int)(at->usec / 1000));
        if (at->utc_off_min != STAMP_LOCAL)
            n += snprintf(stamp + n, sizeof stamp - (size_t)n, " %c%02d%02d", at->utc_off_min < 0 ? '-' : '+',
                          abs(at->utc_off_min) / 60, abs(at->utc_off_min) % 60);
        snprintf(stamp + n, sizeof stamp - (size_t)n, " ");
        text = entry->frame.body;
    }
    struct slice head = slice_of(stamp, strlen(stamp));
    char *to = scratch(&c->scratch, head.n + text.n + 1);
    *append(append(to, head, false), text, false) = '\n';
    return slice_of(to, head.n + text.n + 1);
}

static void count_patterns(struct counter *c, const struct entry *entry, int slot)
{
    struct slice line = as_in_mainlog(c, entry);
    for (size_t i = 0; i < c->options->pattern_count; i++) {
        if (!perl_source_matches(c->options->patterns[i].regex, line))
            continue;
        c->counts->patterns[i].total++;
        add_to_histogram(&c->counts->patterns[i].histogram, slot);
    }
}

/* ---- an entry ---------------------------------------------------------------------------------- */

static bool is_exim(const struct frame *frame)
{
    extern const struct dialect dialect_exim_mainlog;
    return frame->kind == FRAME_EXIM || dialect_for(frame) == &dialect_exim_mainlog;
}

/* eximstats looks at no line that is shorter than one with an id. */
static bool is_long_enough(const struct frame *frame)
{
    enum { PREFIX = 20 };
    return frame->body.n + 1 + PREFIX >= LEAST_LINE;
}

/* The instant of a line from which a time is measured, or whose year is not printed. */
static int64_t resolve(struct counter *c, struct frame *frame, const struct event *ev)
{
    if (frame->at.year && ev->kind != EV_ARRIVAL && ev->kind != EV_COMPLETED)
        return 0;
    int64_t id_second = ev->exim_id.p ? exim_id_second(ev->exim_id) : INT64_MIN;
    struct instant now = timebase_resolve(&c->time, &frame->at, id_second);
    if (!frame->at.year)
        frame->at.year = (int16_t)civil_year(floor_div(now.at + now.offset, 86400));
    return now.at;
}

/* Whether a line can add to a counter: by a flag behind an id, or by a word of refusal anywhere.  Most lines of a server
   under attack do not, and need not be read. */
static bool may_count(struct slice body)
{
    size_t id = exim_id_length(body);
    bool flagged = id && id + 1 < body.n && strchr("<=->*(CS", body.p[id + 1]);
    return flagged || speaks_of_refusal(body);
}

void counter_take(struct counter *counter, const struct entry *entry)
{
    extern const struct dialect dialect_exim_mainlog;
    struct event ev;
    if (!is_exim(&entry->frame) || !is_long_enough(&entry->frame))
        return;
    if (entry->frame.at.year && !counter->options->pattern_count && !may_count(entry->frame.body))
        return;
    struct entry own = *entry;
    event_reset(&ev);
    dialect_exim_mainlog.parse(&own.frame, &ev);
    struct item item = {.frame = &own.frame, .ev = &ev, .at = resolve(counter, &own.frame, &ev),
                        .slot = own.frame.at.hour * 60 + own.frame.at.min};
    size_t id = ev.exim_id.n ? ev.exim_id.n + 1 : 0;
    item.text = slice_after(own.frame.body, id < own.frame.body.n ? id : own.frame.body.n);
    if (counter->options->pattern_count)
        count_patterns(counter, &own, item.slot);
    if (is_flagged(&ev))
        take_flagged(counter, &item);
    else
        take_unflagged(counter, &item);
}

static void put_stamp(uint64_t rank, char text[STAMP_ROOM])
{
    unsigned zone = (unsigned)(rank % 4096), minutes = zone < 2048 ? zone - 1 : zone - 2048;
    rank /= 4096;
    unsigned sec = (unsigned)(rank % 64), min = (unsigned)(rank / 64 % 64), hour = (unsigned)(rank / 4096 % 32);
    rank /= 4096 * 32;
    int n = snprintf(text, STAMP_ROOM, "%04u-%02u-%02u %02u:%02u:%02u", (unsigned)(rank / 512) % 10000,
                     (unsigned)(rank / 32 % 16), (unsigned)(rank % 32), hour, min, sec);
    if (zone)
        snprintf(text + n, STAMP_ROOM - (size_t)n, " %c%02u%02u", zone < 2048 ? '+' : '-', minutes / 60, minutes % 60);
}

void counter_finish(struct counter *counter)
{
    if (counter->last) {
        put_stamp(counter->first, counter->counts->begin);
        put_stamp(counter->last, counter->counts->end);
    }
    counts_sum_up(counter->counts);
}
