/* eximstats_merge.c — each part of a report has a reader, found by the words of its title. */
#include "eximstats_merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../parsers/scan.h"
#include "eximstats_read.h"
#include "league_merge.h"
#include "report_lines.h"
#include "volume.h"
#include "../../parsers/ascii.h"

struct merging {
    struct eximstats_counts *counts;
    const struct eximstats_options *options;
    struct report_lines in;
    struct league_merge *leagues;
};

/* ---- words of a line --------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && is_blank(*s->p))
        s->p++;
}

/* The next word; empty at the end. */
static struct slice next_word(struct scan *s)
{
    skip_blanks(s);
    const char *start = s->p;
    while (s->p < s->end && !is_blank(*s->p))
        s->p++;
    return slice_of(start, (size_t)(s->p - start));
}

static struct slice trimmed(struct slice s)
{
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    while (s.n && is_blank(*s.p))
        s = slice_after(s, 1);
    return s;
}

/* What follows lit, or an absent slice. */
static struct slice behind(struct slice s, const char *lit)
{
    ptrdiff_t at = slice_find(s, lit);
    return at < 0 ? SLICE_ABSENT : slice_after(s, (size_t)at + strlen(lit));
}

static bool all_digits(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]))
            return false;
    return s.n > 0;
}

/* ---- "Exim statistics from A to B" ------------------------------------------------------------- */

/* Date, time and maybe a zone. */
static struct slice take_stamp(struct scan *s)
{
    const char *start = s->p;
    next_word(s);
    next_word(s);
    struct scan zone = *s;
    struct slice word = next_word(&zone);
    size_t n = 1;
    while (word.n > 1 && n < word.n && is_digit(word.p[n]))
        n++;
    if (n > 1 && (*word.p == '+' || *word.p == '-')) {
        *s = zone;
        s->p = word.p + n;
    }
    struct slice stamp = slice_of(start, (size_t)(s->p - start));
    const char *tag = stamp.n ? memchr(stamp.p, '<', stamp.n) : NULL;
    if (tag)
        stamp.n = (size_t)(tag - stamp.p);
    return trimmed(stamp);
}

static void keep_if(struct slice stamp, bool least, char kept[STAMP_ROOM])
{
    char text[STAMP_ROOM];
    if (stamp.n == 0 || stamp.n >= STAMP_ROOM || !is_digit(*stamp.p))
        return;
    memcpy(text, stamp.p, stamp.n);
    text[stamp.n] = 0;
    int order = strcmp(text, kept);
    if (least ? order < 0 : order > 0)
        memcpy(kept, text, STAMP_ROOM);
}

static void read_head(struct merging *m)
{
    struct scan s = scan_over(behind(m->in.plain, "Exim statistics from "));
    struct slice begin = take_stamp(&s);
    struct slice rest = behind(scan_rest(&s), "to ");
    struct scan t = scan_over(rest.p ? rest : slice_of(s.p, 0));
    struct slice end = take_stamp(&t);
    keep_if(begin, true, m->counts->begin);
    keep_if(end, false, m->counts->end);
}

/* ---- Grand total ------------------------------------------------------------------------------- */

enum { COLUMNS_MAX = 12 };

struct columns {
    struct slice names[COLUMNS_MAX];
    size_t count;
    char text[256]; /* that the names are in */
};

static void read_columns(struct slice titles, struct columns *columns)
{
    size_t n = titles.n < sizeof columns->text ? titles.n : sizeof columns->text;
    memcpy(columns->text, titles.p, n);
    struct scan s = scan_over(slice_of(columns->text, n));
    columns->count = 0;
    for (struct slice word = next_word(&s); word.n && columns->count < COLUMNS_MAX; word = next_word(&s))
        columns->names[columns->count++] = word;
}

static uint64_t *distinct_field(uint64_t *distinct, struct slice name)
{
    for (int by = 0; by < BY_KINDS; by++)
        if (name.n == strlen(by_names[by]) + 1 && memcmp(name.p, by_names[by], name.n - 1) == 0)
            return &distinct[by];
    return NULL;
}

static uint64_t *received_field(struct arrivals_total *total, struct slice name)
{
    return slice_is(name, "Volume")     ? &total->bytes
           : slice_is(name, "Messages") ? &total->messages
           : slice_is(name, "Delayed")  ? &total->delayed
           : slice_is(name, "Failed")   ? &total->failed
                                        : distinct_field(total->distinct, name);
}

static uint64_t *delivered_field(struct deliveries_total *total, struct slice name)
{
    return slice_is(name, "Volume")      ? &total->bytes
           : slice_is(name, "Messages")  ? &total->messages
           : slice_is(name, "Addresses") ? &total->addresses
                                         : distinct_field(total->distinct, name);
}

/* A percentage stands behind its number and has no column of its own. */
static struct slice next_number(struct scan *s)
{
    struct slice word = next_word(s);
    while (word.n && memchr(word.p, '%', word.n))
        word = next_word(s);
    return word;
}

static void add_received(struct merging *m, const struct columns *columns, struct slice values)
{
    struct scan s = scan_over(values);
    for (size_t i = 0; i < columns->count; i++) {
        if (slice_is(columns->names[i], "Addresses"))
            continue;
        uint64_t *field = received_field(&m->counts->received, columns->names[i]);
        uint64_t value = volume_read(next_number(&s));
        if (field)
            *field = tally_sum(*field, value);
    }
}

static void add_delivered(struct merging *m, const struct columns *columns, struct slice values)
{
    struct scan s = scan_over(values);
    for (size_t i = 0; i < columns->count; i++) {
        uint64_t *field = delivered_field(&m->counts->delivered, columns->names[i]);
        uint64_t value = volume_read(next_word(&s));
        if (field)
            *field = tally_sum(*field, value);
    }
}

static bool add_other(struct merging *m, struct slice line)
{
    static const int order[OTHER_KINDS] = {OTHER_TEMPORARY, OTHER_REJECTS, OTHER_HAM, OTHER_SPAM};
    for (size_t i = 0; i < OTHER_KINDS; i++) {
        struct slice values = behind(line, other_names[order[i]]);
        if (!values.p)
            continue;
        struct scan s = scan_over(values);
        m->counts->others[order[i]].messages += volume_read(next_word(&s));
        m->counts->others[order[i]].hosts += volume_read(next_word(&s));
        return true;
    }
    return false;
}

/* The heads of the two columns with percentages, as the page words them. */
static struct slice without_phrase(struct slice line, char *to, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < line.n && n < room;) {
        if (slice_starts(slice_after(line, i), "At least one addr"))
            i += strlen("At least one addr");
        else
            to[n++] = line.p[i++];
    }
    return slice_of(to, n);
}

static void read_totals(struct merging *m)
{
    struct columns columns = {.count = 0};
    bool in_table = false;
    char buffer[1024];
    while (report_lines_next(&m->in)) {
        struct slice line = without_phrase(m->in.plain, buffer, sizeof buffer), rest;
        if ((rest = behind(line, "TOTAL ")).p) {
            in_table = true;
            read_columns(rest, &columns);
        } else if ((rest = behind(line, "Received ")).p)
            add_received(m, &columns, rest);
        else if ((rest = behind(line, "Delivered ")).p)
            add_delivered(m, &columns, rest);
        else if (!add_other(m, line) && in_table)
            break;
    }
}

/* ---- patterns, transports ---------------------------------------------------------------------- */

static bool skip_to(struct merging *m, const char *word)
{
    while (report_lines_next(&m->in))
        if (slice_find(m->in.plain, word) >= 0)
            return true;
    return false;
}

static void add_pattern(struct merging *m, struct slice line)
{
    struct slice row = trimmed(line);
    size_t n = row.n;
    while (n > 0 && is_digit(row.p[n - 1]))
        n--;
    if (n == row.n || n == 0 || !is_blank(row.p[n - 1]))
        return;
    struct slice description = trimmed(slice_of(row.p, n));
    for (size_t i = 0; i < m->options->pattern_count; i++)
        if (slice_is(description, m->options->patterns[i].description))
            m->counts->patterns[i].total += volume_read(slice_after(row, n));
}

static void read_patterns(struct merging *m)
{
    if (!skip_to(m, "Total"))
        return;
    while (report_lines_next(&m->in) && trimmed(m->in.plain).n)
        add_pattern(m, m->in.plain);
}

static void add_transport(struct merging *m, struct slice line)
{
    struct scan s = scan_over(line);
    struct slice name = next_word(&s), volume = next_word(&s), messages = next_word(&s);
    while (messages.n && !(is_digit(*volume.p) && is_digit(*messages.p))) {
        name = volume;
        volume = messages;
        messages = next_word(&s);
    }
    if (!messages.n)
        return;
    struct tally *tally = counts_at(m->counts, &m->counts->transports, name);
    tally->bytes = tally_sum(tally->bytes, volume_read(volume));
    tally->messages += volume_read(messages);
}

static void read_transports(struct merging *m)
{
    if (!skip_to(m, "Volume"))
        return;
    while (report_lines_next(&m->in) && trimmed(m->in.plain).n)
        add_transport(m, m->in.plain);
}

/* ---- histograms -------------------------------------------------------------------------------- */

/* "00-01    12 ..." or "00:00    12 ..."; the quarters of an hour have no hour, and end the table for eximstats. */
static bool add_slot(struct slice line, struct histogram *histogram)
{
    struct scan s = scan_over(line);
    int64_t hour = scan_u63(&s, 99), minute = 0;
    if (!s.bad && s.p < s.end && *s.p == ':') {
        s.p++;
        minute = scan_u63(&s, 99);
    } else if (scan_lit(&s, "-")) {
        scan_u63(&s, 99);
    }
    struct slice count = s.bad ? SLICE_ABSENT : next_word(&s);
    if (!all_digits(count))
        return false;
    size_t slot = (size_t)(hour * 60 + minute) * histogram->count / 1440;
    if (slot < histogram->count)
        histogram->slots[slot] += volume_read(count);
    return true;
}

static void read_histogram(struct merging *m, struct histogram *histogram)
{
    bool in_table = false;
    while (report_lines_next(&m->in)) {
        in_table = in_table || slice_starts(m->in.raw, "00");
        if (in_table && !add_slot(m->in.raw, histogram))
            break;
    }
}

static void read_received(struct merging *m)
{
    read_histogram(m, &m->counts->received_at);
}

static void read_delivered(struct merging *m)
{
    read_histogram(m, &m->counts->delivered_at);
}

/* The histogram of a pattern begins with its description. */
static bool read_pattern_histogram(struct merging *m)
{
    struct slice title = slice_find(m->in.raw, "<h2>") >= 0 ? trimmed(m->in.plain) : m->in.plain;
    if (slice_starts(title, "</a> "))
        title = trimmed(slice_after(title, 5));
    for (size_t i = 0; i < m->options->pattern_count; i++) {
        const char *description = m->options->patterns[i].description;
        if (!slice_starts(title, description) ||
            !slice_starts(slice_after(title, strlen(description)), " per "))
            continue;
        read_histogram(m, &m->counts->patterns[i].histogram);
        return true;
    }
    return false;
}

/* ---- times ------------------------------------------------------------------------------------- */

static struct time_table *time_table_of(struct merging *m, struct slice title)
{
    struct slice kind = trimmed(behind(title, ": "));
    bool all = slice_starts(kind, "all messages");
    if (slice_find(title, "Time spent on the queue") >= 0)
        return &m->counts->queued[!all];
    if (slice_find(title, "Delivery times") >= 0)
        return &m->counts->delivery[!all];
    struct scan s = scan_over(kind);
    return counts_receipts(m->counts, m->options, next_word(&s));
}

/* "Under   1m   217  91.9%": a bin is refilled by the middle of its interval, taken from 0 on. */
static void add_times(struct time_table *table, struct slice line)
{
    struct scan s = scan_over(line);
    struct slice word = next_word(&s);
    bool over = slice_is(word, "Over");
    if (over || slice_is(word, "Under"))
        word = next_word(&s);
    struct slice count = next_word(&s);
    size_t digits = 0;
    while (digits < word.n && is_digit(word.p[digits]))
        digits++;
    if (digits == 0 || digits + 1 != word.n || !memchr("smhdw", word.p[digits], 5) || !count.n || !is_digit(*count.p))
        return;
    int64_t seconds = duration_read(word);
    time_table_add(table, (over ? seconds * 2 : seconds / 2) * 1000, volume_read(count));
}

/* The table has one blank line before and one behind it. */
static void read_times(struct merging *m)
{
    struct time_table *table = time_table_of(m, m->in.plain);
    bool in_table = false;
    for (int blanks = 0; report_lines_next(&m->in);) {
        struct slice line = m->in.plain;
        blanks += trimmed(line).n == 0;
        if (blanks == 2)
            break;
        for (size_t i = 0; i < line.n && !in_table; i++)
            in_table = is_digit(line.p[i]);
        if (in_table)
            add_times(table, line);
    }
}

/* ---- relayed messages -------------------------------------------------------------------------- */

/* An address in a half of a relay's row: "user@domain" or "<>". */
static bool is_relay_address(struct slice word)
{
    const char *at = word.n > 2 ? memchr(word.p + 1, '@', word.n - 2) : NULL;
    return slice_starts(word, "<>") || (at && !memchr(word.p, '=', (size_t)(at - word.p)));
}

/* "H=" and "A=" are put back, for the pattern of -nr to see. */
static void add_relayed(struct merging *m, uint64_t count, struct slice from, struct slice to)
{
    char *all = xprintf("H=%.*s => H=%.*s", (int)from.n, from.p, (int)to.n, to.p);
    char *key = xmalloc(strlen(all) * 3 + 1), *end = key;
    for (const char *p = all; *p; p++) {
        *end++ = *p;
        if (*p == ' ' && is_relay_address(slice_of(p + 1, strcspn(p + 1, " ")))) {
            *end++ = 'A';
            *end++ = '=';
        }
    }
    struct slice tagged = slice_of(key, (size_t)(end - key));
    if (m->options->relay_hidden && perl_source_matches(m->options->relay_hidden, tagged))
        m->counts->relayed_unshown += count;
    else
        counts_at(m->counts, &m->counts->relayed, tagged)->messages += count;
    free(key);
    free(all);
}

static bool begins_with_number(struct slice line)
{
    struct slice rest = trimmed(line);
    return rest.n && is_digit(*rest.p);
}

/* A row of the page: number, from, to in cells. */
static bool add_relayed_cells(struct merging *m)
{
    struct slice from = behind(m->in.raw, "</td><td>"), to = from.p ? behind(from, "</td><td>") : SLICE_ABSENT;
    if (!to.p || !begins_with_number(m->in.plain))
        return false;
    /* the same in plain: cells are parted by two blanks, and the first ends with one of its own */
    struct scan s = scan_over(m->in.plain);
    uint64_t count = volume_read(next_word(&s));
    skip_blanks(&s);
    struct slice rest = trimmed(scan_rest(&s));
    ptrdiff_t gap = slice_find(rest, "  ");
    if (gap < 0)
        return false;
    add_relayed(m, count, slice_of(rest.p, (size_t)gap), trimmed(slice_after(rest, (size_t)gap)));
    return true;
}

struct relay_row {
    uint64_t count;
    char *from;
};

static bool add_relayed_line(struct merging *m, struct relay_row *row)
{
    struct slice line = trimmed(m->in.plain), to = behind(line, "=>");
    if (line.n && is_digit(*line.p)) {
        struct scan s = scan_over(line);
        row->count = volume_read(next_word(&s));
        struct slice from = trimmed(scan_rest(&s));
        free(row->from);
        row->from = xprintf("%.*s", (int)from.n, from.p);
        return true;
    }
    if (!to.p || !row->from)
        return false;
    add_relayed(m, row->count, slice_of(row->from, strlen(row->from)), trimmed(to));
    return true;
}

static void read_relayed(struct merging *m)
{
    struct relay_row row = {0, NULL};
    bool in_table = false;
    while (report_lines_next(&m->in)) {
        if (!in_table && slice_find(m->in.raw, "No relayed messages") >= 0)
            break;
        in_table = in_table || begins_with_number(m->in.plain);
        if (in_table && !add_relayed_cells(m) && !add_relayed_line(m, &row))
            break;
    }
    free(row.from);
}

/* ---- league tables ----------------------------------------------------------------------------- */

static bool begins_other_part(const struct report_lines *in)
{
    struct slice line = trimmed(in->raw);
    bool letter = line.n && ((*line.p >= 'a' && *line.p <= 'z') || (*line.p >= 'A' && *line.p <= 'Z'));
    return slice_find(in->raw, "<h2>") >= 0 || (letter && !slice_starts(line, "Messages"));
}

static void read_league(struct merging *m)
{
    bool in_table = false;
    league_merge_begin(m->leagues, m->in.plain);
    while (report_lines_next(&m->in)) {
        if (begins_other_part(&m->in)) {
            report_lines_back(&m->in);
            return;
        }
        if (slice_starts(trimmed(m->in.plain), "Messages")) {
            league_merge_columns(m->leagues, m->in.plain);
            in_table = true;
        } else if (in_table && !league_merge_row(m->leagues, m->in.plain)) {
            league_merge_end(m->leagues);
            return;
        }
    }
}

/* ---- errors ------------------------------------------------------------------------------------ */

struct error_row {
    uint64_t count;
    char *text; /* NULL: none yet */
};

static void save_error(struct merging *m, struct error_row *row)
{
    if (row->text && *row->text)
        counts_at(m->counts, &m->counts->failures, slice_of(row->text, strlen(row->text)))->messages += row->count;
    free(row->text);
    row->text = NULL;
}

static void add_error_line(struct merging *m, struct error_row *row, struct slice line)
{
    struct slice rest = behind(line, "\t");
    if (rest.p && row->text) {
        rest = trimmed(rest);
        char *longer = xprintf("%s %.*s", row->text, (int)rest.n, rest.p);
        free(row->text);
        row->text = longer;
        return;
    }
    struct scan s = scan_over(line);
    struct slice count = next_word(&s);
    if (rest.p || !all_digits(count))
        return;
    save_error(m, row);
    skip_blanks(&s);
    if (slice_find(m->in.raw, "<li>") == 0)
        scan_try(&s, "- ");
    row->count = volume_read(count);
    row->text = xprintf("%.*s", (int)scan_left(&s), s.p);
}

static void read_errors(struct merging *m)
{
    struct error_row row = {0, NULL};
    while (report_lines_next(&m->in)) {
        if (slice_find(m->in.plain, "Errors encountered") >= 0)
            break;
        add_error_line(m, &row, m->in.plain);
    }
    save_error(m, &row);
}

/* ---- parts by their titles --------------------------------------------------------------------- */

struct part {
    const char *title;
    void (*read)(struct merging *m);
};

static bool is_times_title(struct slice line)
{
    struct slice end = trimmed(line);
    static const char remote[] = "messages with at least one remote delivery";
    bool known = slice_find(line, "Time spent on the queue: ") >= 0 || slice_find(line, "Delivery times: ") >= 0 ||
                 slice_find(line, "Receipt times: ") >= 0;
    return known && ((end.n > 9 && memcmp(end.p + end.n - 9, " messages", 9) == 0) || slice_find(end, remote) >= 0);
}

static bool is_league_title(struct slice line)
{
    struct slice rest = behind(line, "Top ");
    return rest.p && (slice_find(rest, " by message count") >= 0 || slice_find(rest, " by volume") >= 0);
}

static void read_part(struct merging *m)
{
    static const struct part parts[] = {
        {"Exim statistics from ", read_head}, {"Grand total summary", read_totals},
        {"User Specified Patterns", read_patterns}, {"Deliveries by transport", read_transports},
        {"Deliveries by Transport", read_transports}, {"Messages received per", read_received},
        {"Deliveries per", read_delivered}, {"Relayed messages", read_relayed}, {"List of errors", read_errors}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (slice_find(m->in.plain, parts[i].title) >= 0) {
            parts[i].read(m);
            return;
        }
    if (read_pattern_histogram(m))
        return;
    if (is_times_title(m->in.plain))
        read_times(m);
    else if (is_league_title(m->in.plain))
        read_league(m);
}

/* ---- ten gigabytes ----------------------------------------------------------------------------- */

/* Of ten whole gigabytes a report counted from logs says 10240MB, a merged one 10GB: there they are no rest and ten. */
static void mark_ten(uint64_t *bytes)
{
    if (*bytes == UINT64_C(10) << 30)
        ++*bytes;
}

static void mark_tens(struct tallies *table)
{
    for (size_t i = 0; i < table->count; i++)
        mark_ten(&table->items[i].bytes);
}

static void mark_all_tens(struct eximstats_counts *counts)
{
    mark_ten(&counts->received.bytes);
    mark_ten(&counts->delivered.bytes);
    mark_tens(&counts->transports);
    mark_tens(&counts->local_senders);
    mark_tens(&counts->local_destinations);
    mark_tens(&counts->local_domains);
    for (int by = 0; by < BY_KINDS; by++) {
        mark_tens(&counts->senders[by]);
        mark_tens(&counts->destinations[by]);
    }
}

/* ---- all --------------------------------------------------------------------------------------- */

static void merge_file(struct merging *m, const char *path)
{
    if (!eximstats_can_read(path))
        return;
    if (report_lines_open(&m->in, path) == 0)
        while (report_lines_next(&m->in))
            read_part(m);
    if (m->in.err.kind)
        error_print(&m->in.err);
    report_lines_close(&m->in);
}

void eximstats_merge(struct eximstats_counts *counts, const struct eximstats_options *options)
{
    struct merging m = {.counts = counts, .options = options, .leagues = league_merge_new(counts)};
    if (!*options->files)
        merge_file(&m, "-");
    for (size_t i = 0; options->files[i]; i++)
        merge_file(&m, options->files[i]);
    league_merge_free(&m.leagues);
    if (options->rounded)
        mark_all_tens(counts);
}
