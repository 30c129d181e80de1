/* league_merge.c — rows, and what orders them. */
#include "league_merge.h"

#include <stdio.h>
#include <stdlib.h>

#include "../../parsers/scan.h"
#include "volume.h"

enum { BONUS_MAX = 511 }; /* half a KiB, beyond which a volume would be rounded up */

/* A row of one of the two tables, in their order. */
struct order {
    struct slice volume, key;
    bool by_volume;
};

struct league_merge {
    struct eximstats_counts *counts;
    struct tallies *table;   /* NULL: no table of ours */
    bool by_volume, addresses, volumes, averages;
    struct tallies entered;  /* keys of this pair of tables; bytes: 1 if new in this report */
    struct order *orders;
    size_t order_count, order_capacity;
    struct arena keys;       /* of this pair */
};

struct league_merge *league_merge_new(struct eximstats_counts *counts)
{
    struct league_merge *merge = xcalloc(1, sizeof *merge);
    merge->counts = counts;
    return merge;
}

static void forget_pair(struct league_merge *merge)
{
    tallies_free(&merge->entered);
    merge->order_count = 0;
    arena_empty(&merge->keys);
}

void league_merge_free(struct league_merge **merge)
{
    if (!*merge)
        return;
    tallies_free(&(*merge)->entered);
    arena_free(&(*merge)->keys);
    free((*merge)->orders);
    free(*merge);
    *merge = NULL;
}

/* ---- which table ------------------------------------------------------------------------------- */

static bool says(struct slice title, const char *words)
{
    return slice_find(title, words) >= 0;
}

static struct tallies *table_by(struct slice title, struct tallies tables[BY_KINDS], bool met[BY_KINDS],
                                const char *before, const char *after)
{
    for (int by = 0; by < BY_KINDS; by++) {
        char words[64];
        snprintf(words, sizeof words, "%s%s%s", before, by_small_names[by], after);
        if (says(title, words)) {
            met[by] = true;
            return &tables[by];
        }
    }
    return NULL;
}

/* Of one row only, the tables of rejections have titles that eximstats does not know again. */
static struct tallies *table_of(struct eximstats_counts *c, struct slice title)
{
    const struct { const char *words; struct tallies *table; } named[] = {
        {"local sender", &c->local_senders}, {"local destination", &c->local_destinations},
        {"local domain destination", &c->local_domains}, {"temporarily rejected ips", &c->ips[OTHER_TEMPORARY]},
        {"rejected ips", &c->ips[OTHER_REJECTS]}, {"non-rejected spamming ips", &c->ips[OTHER_SPAM]},
        {"mail temporary rejection reasons", &c->temporary_reasons}, {"mail rejection reasons", &c->reasons}};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (says(title, named[i].words))
            return named[i].table;
    struct tallies *table = table_by(title, c->senders, c->met_senders, "sending ", "");
    return table ? table : table_by(title, c->destinations, c->met_destinations, " ", " destination");
}

void league_merge_begin(struct league_merge *merge, struct slice title)
{
    merge->by_volume = !says(title, " by message count");
    merge->table = table_of(merge->counts, title);
    if (!merge->by_volume)
        forget_pair(merge);
}

void league_merge_columns(struct league_merge *merge, struct slice heads)
{
    merge->addresses = says(heads, "Addresses");
    merge->volumes = says(heads, "Bytes");
    merge->averages = says(heads, "Average");
}

/* ---- rows -------------------------------------------------------------------------------------- */

struct row {
    uint64_t messages, addresses;
    struct slice volume, key;
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && is_blank(*s->p))
        s->p++;
}

/* The next word if it is of these octets; else bad. */
static struct slice word_of(struct scan *s, const char *octets)
{
    skip_blanks(s);
    const char *start = s->p;
    while (s->p < s->end && strchr(octets, *s->p) && *s->p)
        s->p++;
    if (s->p == start || (s->p < s->end && !is_blank(*s->p)))
        s->bad = true;
    return slice_of(start, (size_t)(s->p - start));
}

static bool read_row(const struct league_merge *merge, struct slice line, struct row *row)
{
    static const char digits[] = "0123456789", volume[] = "0123456789KMGB";
    struct scan s = scan_over(line);
    *row = (struct row){.messages = volume_read(word_of(&s, digits))};
    if (merge->addresses && !s.bad)
        row->addresses = volume_read(word_of(&s, digits));
    if (merge->volumes && !s.bad)
        row->volume = word_of(&s, volume);
    if (merge->averages && !s.bad)
        word_of(&s, volume);
    if (s.bad || s.p == s.end)
        return false;
    skip_blanks(&s);
    row->key = scan_rest(&s);
    while (row->key.n && is_blank(row->key.p[row->key.n - 1]))
        row->key.n--;
    return true;
}

static bool is_rounded(struct slice volume)
{
    return volume.n && volume.p[volume.n - 1] == 'B';
}

static void keep_order(struct league_merge *merge, const struct row *row)
{
    merge->orders = grow(merge->orders, &merge->order_capacity, merge->order_count + 1, sizeof *merge->orders);
    merge->orders[merge->order_count++] = (struct order){arena_copy(&merge->keys, row->volume),
                                                         arena_copy(&merge->keys, row->key), merge->by_volume};
}

static void add_row(struct league_merge *merge, const struct row *row)
{
    struct tally *entered = tallies_at(&merge->entered, &merge->keys, row->key);
    if (entered->messages)
        return;
    struct tally *tally = counts_at(merge->counts, merge->table, row->key);
    entered->messages = 1;
    entered->bytes = tally->messages == 0;
    tally->messages += row->messages;
    tally->addresses += row->addresses ? row->addresses : row->messages;
    tally->bytes = tally_sum(tally->bytes, volume_read(row->volume));
}

bool league_merge_row(struct league_merge *merge, struct slice line)
{
    struct row row;
    if (!read_row(merge, line, &row))
        return false;
    if (!merge->table)
        return true;
    if (is_rounded(row.volume))
        keep_order(merge, &row);
    add_row(merge, &row);
    return true;
}

/* ---- order of equal volumes -------------------------------------------------------------------- */

/* Rows of the table by volume come first, then those that only the table by count has. */
static size_t collect(const struct league_merge *merge, struct slice volume, struct slice *keys)
{
    struct tallies seen = {0};
    struct arena arena = {0};
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < merge->order_count; i++) {
            const struct order *order = &merge->orders[i];
            if (order->by_volume == (pass == 1) || !slice_equal(order->volume, volume))
                continue;
            struct tally *tally = tallies_at(&seen, &arena, order->key);
            if (tally->messages++ == 0)
                keys[n++] = order->key;
        }
    tallies_free(&seen);
    arena_free(&arena);
    return n;
}

static void add_bonus(struct league_merge *merge, const struct slice *keys, size_t count)
{
    size_t bonus = count - 1 > BONUS_MAX ? BONUS_MAX : count - 1;
    for (size_t i = 0; i < count && bonus > 0; i++, bonus--)
        if (tallies_at(&merge->entered, &merge->keys, keys[i])->bytes)
            counts_at(merge->counts, merge->table, keys[i])->bytes += bonus;
}

void league_merge_end(struct league_merge *merge)
{
    if (!merge->by_volume || !merge->table)
        return;
    struct slice *keys = xmalloc(merge->order_count * sizeof *keys);
    struct tallies volumes = {0};
    struct arena arena = {0};
    for (size_t i = 0; i < merge->order_count; i++) {
        struct tally *volume = tallies_at(&volumes, &arena, merge->orders[i].volume);
        if (volume->messages++ == 0)
            add_bonus(merge, keys, collect(merge, merge->orders[i].volume, keys));
    }
    tallies_free(&volumes);
    arena_free(&arena);
    free(keys);
}
