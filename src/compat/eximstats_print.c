/* eximstats_print.c — which parts a report has. */
#include "eximstats_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PRINTERS_MAX = OUT_KINDS };

struct printing {
    const struct report_view *view;
    struct printer *printers[PRINTERS_MAX];
    size_t count;
};

#define EACH(printing, part, ...)                                       \
    for (size_t each = 0; each < (printing)->count; each++)             \
    (printing)->printers[each]->part((printing)->printers[each], __VA_ARGS__)

/* ---- parts ------------------------------------------------------------------------------------- */

static void print_histogram(struct printing *p, const char *text, const char *unit, const char *units,
                            const struct histogram *histogram)
{
    const char *word = histogram_scale(histogram) == 1 ? unit : units;
    EACH(p, histogram, p->view, text, word, histogram);
}

static void print_patterns(struct printing *p)
{
    const struct eximstats_options *options = p->view->options;
    if (!options->pattern_count)
        return;
    EACH(p, patterns, p->view);
    for (size_t i = 0; options->per_hour && i < options->pattern_count; i++)
        print_histogram(p, options->patterns[i].description, "occurence", "occurences",
                        &p->view->counts->patterns[i].histogram);
}

static void print_histograms(struct printing *p)
{
    if (!p->view->options->per_hour)
        return;
    print_histogram(p, "Messages received", "message", "messages", &p->view->counts->received_at);
    print_histogram(p, "Deliveries", "delivery", "deliveries", &p->view->counts->delivered_at);
}

static void print_time_pair(struct printing *p, const char *title, const struct time_table tables[2])
{
    if (!tables[0].bounds->count)
        return;
    EACH(p, times, title, "all messages", &tables[0]);
    EACH(p, times, title, "messages with at least one remote delivery", &tables[1]);
}

static int by_protocol(const void *left, const void *right)
{
    const struct receipt_table *a = left, *b = right;
    size_t n = a->protocol.n < b->protocol.n ? a->protocol.n : b->protocol.n;
    int order = n ? memcmp(a->protocol.p, b->protocol.p, n) : 0;
    return order ? order : (a->protocol.n > b->protocol.n) - (a->protocol.n < b->protocol.n);
}

static void print_receipts(struct printing *p)
{
    const struct eximstats_counts *counts = p->view->counts;
    if (!p->view->options->receipt.count)
        return;
    struct receipt_table *sorted = xmalloc(counts->receipt_count * sizeof *sorted);
    memcpy(sorted, counts->receipts, counts->receipt_count * sizeof *sorted);
    qsort(sorted + 1, counts->receipt_count - 1, sizeof *sorted, by_protocol); /* the first is of all */
    for (size_t i = 0; i < counts->receipt_count; i++) {
        char *kind = xprintf("%.*s messages", (int)sorted[i].protocol.n, sorted[i].protocol.p);
        EACH(p, times, "Receipt times", kind, &sorted[i].times);
        free(kind);
    }
    free(sorted);
}

/* ---- league tables ----------------------------------------------------------------------------- */

enum league_shape { COUNTS_ONLY = 0, VOLUMES = 1, ADDRESSES = 2, VOLUMES_AND_ADDRESSES = 3 };

static void print_league(struct printing *p, const char *name, const struct tallies *table, enum league_shape shape,
                         int sheet)
{
    uint64_t top = p->view->options->top;
    struct league league = {.name = name, .table = table, .volumes = (shape & VOLUMES) != 0,
                            .addresses = (shape & ADDRESSES) != 0, .sheet = sheet};
    league.title_name = top == 1 ? xstrdup(name) : xprintf("%" PRIu64 " %ss", top, name);
    EACH(p, league, p->view, &league);
    free(league.title_name);
}

static void print_if_any(struct printing *p, const char *name, const struct tallies *table, enum league_shape shape,
                         int sheet)
{
    if (tallies_used(table))
        print_league(p, name, table, shape, sheet);
}

/* A table that no merged report had is empty, and has no volumes. */
static void print_senders(struct printing *p, int by)
{
    const struct tallies *table = &p->view->counts->senders[by];
    bool volumes = !p->view->options->merge || p->view->counts->met_senders[by];
    char *name = xprintf("sending %s", by_small_names[by]);
    print_league(p, name, table, volumes ? VOLUMES : COUNTS_ONLY, SHEET_DELIVERIES);
    free(name);
}

static void print_destinations(struct printing *p, int by)
{
    const struct tallies *table = &p->view->counts->destinations[by];
    bool volumes = !p->view->options->merge || p->view->counts->met_destinations[by];
    char *name = xprintf("%s destination", by_small_names[by]);
    print_league(p, name, table, volumes ? VOLUMES_AND_ADDRESSES : ADDRESSES, SHEET_DELIVERIES);
    free(name);
}

static void print_by(struct printing *p, void (*print)(struct printing *p, int by))
{
    for (int by = 0; by < BY_KINDS; by++)
        if (p->view->options->by[by])
            print(p, by);
}

static void print_leagues(struct printing *p)
{
    const struct eximstats_counts *c = p->view->counts;
    const struct eximstats_options *options = p->view->options;
    bool users = options->local_users || options->remote_users;
    if (!options->top)
        return;
    print_if_any(p, "mail rejection reason", &c->reasons, COUNTS_ONLY, SHEET_REJECTIONS);
    print_if_any(p, "mail temporary rejection reason", &c->temporary_reasons, COUNTS_ONLY, SHEET_TEMPORARY);
    print_by(p, print_senders);
    if (users)
        print_if_any(p, "local sender", &c->local_senders, VOLUMES, SHEET_DELIVERIES);
    print_by(p, print_destinations);
    if (users) {
        print_if_any(p, "local destination", &c->local_destinations, VOLUMES_AND_ADDRESSES, SHEET_DELIVERIES);
        print_if_any(p, "local domain destination", &c->local_domains, VOLUMES_AND_ADDRESSES, SHEET_DELIVERIES);
    }
    print_if_any(p, "rejected ip", &c->ips[OTHER_REJECTS], COUNTS_ONLY, SHEET_REJECTIONS);
    print_if_any(p, "temporarily rejected ip", &c->ips[OTHER_TEMPORARY], COUNTS_ONLY, SHEET_REJECTIONS);
    print_if_any(p, "non-rejected spamming ip", &c->ips[OTHER_SPAM], COUNTS_ONLY, SHEET_REJECTIONS);
}

/* ---- all --------------------------------------------------------------------------------------- */

static void print_parts(struct printing *p)
{
    const struct report_view *view = p->view;
    EACH(p, begin, view);
    EACH(p, totals, view);
    print_patterns(p);
    if (view->options->transports)
        EACH(p, transports, view);
    print_histograms(p);
    print_time_pair(p, "Time spent on the queue", view->counts->queued);
    print_time_pair(p, "Delivery times", view->counts->delivery);
    print_receipts(p);
    if (view->options->relay)
        EACH(p, relayed, view);
    print_leagues(p);
    if (view->options->errors && tallies_used(&view->counts->failures))
        EACH(p, errors, view);
}

/* NULL: *err. */
static struct printer *open_printer(const struct report_view *view, int kind, struct error *err)
{
    const char *path = view->options->outputs[kind];
    if (kind == OUT_XLS)
        return xls_printer_new(path);
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (!out) {
        error_set(err, FAIL_OS, "cannot write %s: %s", path, strerror(errno));
        return NULL;
    }
    return kind == OUT_TEXT ? text_printer_new(out) : html_printer_new(out, view->options);
}

int eximstats_print(const struct report_view *view, struct error *err)
{
    struct printing p = {.view = view};
    struct error later;
    int done = 0;
    for (int kind = 0; kind < OUT_KINDS && done == 0; kind++) {
        struct printer *made = view->options->outputs[kind] ? open_printer(view, kind, err) : NULL;
        if (made)
            p.printers[p.count++] = made;
        else if (view->options->outputs[kind])
            done = -1;
    }
    if (done == 0)
        print_parts(&p);
    for (size_t i = 0; i < p.count; i++)
        if (p.printers[i]->end(p.printers[i], &later) < 0 && done == 0) {
            *err = later;
            done = -1;
        }
    return done;
}

/* ---- for printers ------------------------------------------------------------------------------ */

double percent_of(uint64_t a, uint64_t b)
{
    return b ? (double)a * 100 / (double)b : 0;
}

uint64_t time_table_total(const struct time_table *table)
{
    uint64_t total = table->over;
    for (size_t i = 0; i < table->bounds->count; i++)
        total += table->counts[i];
    return total;
}

uint64_t histogram_scale(const struct histogram *histogram)
{
    uint64_t most = 0;
    for (size_t i = 0; i < histogram->count; i++)
        if (histogram->slots[i] > most)
            most = histogram->slots[i];
    uint64_t scale = (most + 25) / 50;
    return scale ? scale : 1;
}

void histogram_title(const struct report_view *view, const char *text, char title[512])
{
    unsigned minutes = 60 / view->options->per_hour;
    if (minutes == 60 || minutes == 1)
        snprintf(title, 512, "%s per %s", text, minutes == 60 ? "hour" : "minute");
    else
        snprintf(title, 512, "%s per %u minutes", text, minutes);
}

void histogram_label(const struct report_view *view, size_t slot, char label[16])
{
    unsigned per_hour = view->options->per_hour, hour = (unsigned)(slot / per_hour) % 24;
    unsigned minute = (unsigned)(slot % per_hour) * (60 / per_hour);
    if (per_hour == 1)
        snprintf(label, 16, "%02u-%02u", hour, hour + 1);
    else if (minute == 0)
        snprintf(label, 16, "%02u:%02u", hour, minute);
    else
        snprintf(label, 16, "  :%02u", minute);
}

/* Without "H=" and "A=", wherever they stand. */
static char *without_tags(struct slice text)
{
    char *out = xmalloc(text.n + 1), *to = out;
    const char *from = text.p, *end = text.p + text.n;
    for (const char *equals; (equals = memchr(from, '=', (size_t)(end - from))); from = equals + 1) {
        bool tag = equals > from && (equals[-1] == 'H' || equals[-1] == 'A');
        size_t n = (size_t)(equals - from) + 1 - (tag ? 2 : 0);
        memcpy(to, from, n);
        to += n;
    }
    memcpy(to, from, (size_t)(end - from));
    to[end - from] = 0;
    return out;
}

void relayed_halves(struct slice key, char **one, char **two)
{
    char *all = without_tags(key);
    char *arrow = strstr(all, "=> "), *next = arrow ? strstr(arrow + 3, "=> ") : NULL;
    *one = all;
    if (arrow)
        *arrow = 0;
    if (next)
        *next = 0;
    *two = xstrdup(arrow ? arrow + 3 : "");
}

struct slice squeezed(struct slice text)
{
    char *out = xmalloc(text.n + 1), *to = out;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != ' ' || i == 0 || text.p[i - 1] != ' ')
            *to++ = text.p[i];
    return slice_of(out, (size_t)(to - out));
}

int printer_flush(FILE *out, const char *path, struct error *err)
{
    bool bad = fflush(out) != 0 || ferror(out);
    bad |= out != stdout && fclose(out) != 0;
    return bad ? error_set(err, FAIL_OS, "%s: cannot be written: %s", path, strerror(errno)) : 0;
}
