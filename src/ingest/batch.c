/* batch.c — rows, strings and tallies of a batch. */
#include "batch.h"

#include <stdlib.h>

#include "../../parsers/ascii.h"
#include "../../parsers/dialect.h"
#include "../base/hash.h"
#include "archive.h"
#include "zone.h"

#define FIRST_SLOTS ((size_t)1 << 12)
#define HOST_NAME_MAX_SIZE 255 /* RFC 1035 */
#define LABELS_MAX 12
#define COMMON_PARTS_MAX 10
#define ID_HASHED_MAX 512 /* octets of a Message-ID that it is found by */

#define LAYOUT_INT(name) {#name, COLUMN_INT, offsetof(struct ROW, name)},
#define LAYOUT_REF(name) {#name, COLUMN_REF, offsetof(struct ROW, name)},
#define LAYOUT_TEXT(name) {#name, COLUMN_TEXT, offsetof(struct ROW, name)},

#define ROW delivery_row
static const struct row_column delivery_columns[] = {DELIVERY_COLUMNS(LAYOUT_INT, LAYOUT_REF, LAYOUT_TEXT)};
#undef ROW
#define ROW rejection_row
static const struct row_column rejection_columns[] = {REJECTION_COLUMNS(LAYOUT_INT, LAYOUT_REF, LAYOUT_TEXT)};
#undef ROW
#define ROW auth_failure_row
static const struct row_column auth_failure_columns[] = {
    AUTH_FAILURE_COLUMNS(LAYOUT_INT, LAYOUT_REF, LAYOUT_TEXT)};
#undef ROW
#define ROW session_line_row
static const struct row_column session_line_columns[] = {
    SESSION_LINE_COLUMNS(LAYOUT_INT, LAYOUT_REF, LAYOUT_TEXT)};
#undef ROW
#define ROW scan_line_row
static const struct row_column scan_line_columns[] = {SCAN_LINE_COLUMNS(LAYOUT_INT, LAYOUT_REF, LAYOUT_TEXT)};
#undef ROW
#define ROW event_row
static const struct row_column event_columns[] = {EVENT_COLUMNS(LAYOUT_INT, LAYOUT_REF, LAYOUT_TEXT)};
#undef ROW
#define ROW unparsed_line_row
static const struct row_column unparsed_line_columns[] = {
    UNPARSED_LINE_COLUMNS(LAYOUT_INT, LAYOUT_REF, LAYOUT_TEXT)};
#undef ROW
#define ROW message_row
static const struct row_column message_columns[] = {MESSAGE_COLUMNS(LAYOUT_INT, LAYOUT_REF, LAYOUT_TEXT)};
#undef ROW

#define ROW client_row
static const struct row_column client_columns[] = {CLIENT_COLUMNS(LAYOUT_INT, LAYOUT_REF, LAYOUT_TEXT)};
#undef ROW
#define ROW route_row
static const struct row_column route_columns[] = {ROUTE_COLUMNS(LAYOUT_INT, LAYOUT_REF, LAYOUT_TEXT)};
#undef ROW
#define ROW cause_row
static const struct row_column cause_columns[] = {CAUSE_COLUMNS(LAYOUT_INT, LAYOUT_REF, LAYOUT_TEXT)};
#undef ROW

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

const struct row_layout event_layouts[EVENT_TABLE_COUNT] = {
#define TABLE(symbol, name, COLUMNS)                                                               \
    [TABLE_##symbol] = {#name, sizeof(struct name##_row), name##_columns, COUNT_OF(name##_columns)},
    EVENT_TABLES(TABLE)
#undef TABLE
};
const struct row_layout common_layouts[COMMON_TABLE_COUNT] = {
#define TABLE(symbol, name, COLUMNS)                                                               \
    [COMMON_##symbol] = {#name, sizeof(struct name##_row), name##_columns, COUNT_OF(name##_columns)},
    COMMON_TABLES(TABLE)
#undef TABLE
};
const struct row_layout message_layout = {"message", sizeof(struct message_row), message_columns,
                                          COUNT_OF(message_columns)};

/* ---- rows -------------------------------------------------------------------------------------- */

static char *blank_row(const struct row_layout *layout)
{
    char *row = xcalloc(1, layout->size);
    for (size_t i = 0; i < layout->count; i++)
        if (layout->columns[i].type == COLUMN_INT)
            *(int64_t *)(void *)(row + layout->columns[i].offset) = NUM_ABSENT;
    return row;
}

static void *new_row(struct row_list *list, const struct row_layout *layout)
{
    if (!list->blank)
        list->blank = blank_row(layout);
    list->rows = grow(list->rows, &list->capacity, list->count + 1, layout->size);
    return memcpy(list->rows + list->count++ * layout->size, list->blank, layout->size);
}

static void free_rows(struct row_list *list)
{
    free(list->rows);
    free(list->blank);
}

void *batch_row(struct batch *batch, enum event_table table)
{
    return new_row(&batch->events[table], &event_layouts[table]);
}

/* ---- slots: open addressing from a hash to a number, 0 is free ---------------------------------- */

static uint32_t *new_slots(size_t count)
{
    return xcalloc(count, sizeof(uint32_t));
}

struct batch *batch_new(uint64_t hash_seed)
{
    struct batch *batch = xcalloc(1, sizeof *batch);
    batch->hash_seed = hash_seed;
    batch->string_slots = xcalloc(batch->string_slot_count = FIRST_SLOTS, sizeof *batch->string_slots);
    batch->message_slots = new_slots(batch->message_slot_count = FIRST_SLOTS);
    batch_empty(batch);
    return batch;
}

void batch_empty(struct batch *batch)
{
    arena_empty(&batch->arena);
    for (size_t i = 0; i < EVENT_TABLE_COUNT; i++)
        batch->events[i].count = 0;
    for (size_t i = 0; i < COMMON_TABLE_COUNT; i++)
        batch->commons[i].count = 0;
    batch->messages.count = 0;
    memset(batch->string_slots, 0, batch->string_slot_count * sizeof *batch->string_slots);
    memset(batch->message_slots, 0, batch->message_slot_count * sizeof(uint32_t));
    batch->strings = grow(batch->strings, &batch->string_capacity, 1, sizeof *batch->strings);
    batch->strings[0] = (struct batch_string){0};
    batch->string_count = 1;
    batch->want_count = batch->stray_count = batch->id_mention_count = 0;
    batch->first_day = NUM_ABSENT;
    memset(batch->reasons, 0, sizeof batch->reasons);
    memset(batch->classes, 0, sizeof batch->classes);
    batch->tally_count = 0;
    batch->lines = batch->octets = 0;
    archive_drop(&batch->blocks);
    batch->checkpoint = (struct checkpoint){0};
}

void batch_free(struct batch **batch)
{
    struct batch *b = *batch;
    if (!b)
        return;
    arena_free(&b->arena);
    for (size_t i = 0; i < EVENT_TABLE_COUNT; i++)
        free_rows(&b->events[i]);
    for (size_t i = 0; i < COMMON_TABLE_COUNT; i++) {
        free_rows(&b->commons[i]);
        free(b->common_numbers[i]);
    }
    free_rows(&b->messages);
    free(b->strings);
    free(b->hashes);
    free(b->slots);
    free(b->ids);
    free(b->kin);
    free(b->strays);
    free(b->id_mentions);
    free(b->string_slots);
    free(b->message_slots);
    free(b->tallies);
    archive_drop(&b->blocks);
    free(b);
    *batch = NULL;
}

/* ---- mentions ---------------------------------------------------------------------------------- */

void batch_set_time(struct batch *batch, int64_t at)
{
    int64_t slot = floor_div(at, SLOT_SECONDS), day = floor_div(slot, DAY_SLOTS);
    if (batch->first_day == NUM_ABSENT)
        batch->first_day = day;
    uint64_t place = (uint64_t)day - (uint64_t)batch->first_day;
    batch->slot = slot;
    batch->slot_bits = place < BATCH_DAYS ? (uint64_t)slot_bits(slot - day * DAY_SLOTS) << 32 * place : 0;
}

static void mention_stray(struct batch *batch, uint32_t number)
{
    batch->strays = grow(batch->strays, &batch->stray_capacity, batch->stray_count + 1, sizeof *batch->strays);
    batch->strays[batch->stray_count++] = (struct batch_stray){number, batch->slot};
}

static inline void mention(struct batch *batch, uint32_t number)
{
    batch->slots[number] |= batch->slot_bits;
    if (!batch->slot_bits)
        mention_stray(batch, number);
}

uint64_t batch_id_hash(struct slice id, uint64_t hash_seed)
{
    char small[ID_HASHED_MAX];
    struct slice hashed = slice_of(id.p, id.n < sizeof small ? id.n : sizeof small);
    return hash_bytes(lower_into(small, hashed), hash_seed);
}

void batch_mention_id(struct batch *batch, struct slice id)
{
    if (!id.n)
        return;
    batch->id_mentions = grow(batch->id_mentions, &batch->id_mention_capacity, batch->id_mention_count + 1,
                              sizeof *batch->id_mentions);
    batch->id_mentions[batch->id_mention_count++] =
        (struct batch_id_mention){batch_id_hash(id, batch->hash_seed), batch->slot};
}

/* ---- strings ----------------------------------------------------------------------------------- */

static void place_string(struct batch *batch, uint32_t number)
{
    size_t mask = batch->string_slot_count - 1;
    uint64_t hash = batch->hashes[number];
    size_t i = hash & mask;
    while (batch->string_slots[i].number)
        i = (i + 1) & mask;
    batch->string_slots[i] = (struct batch_slot){hash, number};
}

static void widen_strings(struct batch *batch)
{
    free(batch->string_slots);
    batch->string_slots = xcalloc(batch->string_slot_count *= 2, sizeof *batch->string_slots);
    for (uint32_t number = 1; number < batch->string_count; number++)
        place_string(batch, number);
}

static uint32_t find_string(const struct batch *batch, uint64_t hash)
{
    size_t mask = batch->string_slot_count - 1;
    const struct batch_slot *slots = batch->string_slots;
    size_t i = hash & mask;
    while (slots[i].number && slots[i].hash != hash)
        i = (i + 1) & mask;
    return slots[i].number;
}

/* Bytes of host names, and of them those that no number has. */
static const unsigned char name_bytes[256] = {
    ['-'] = 1, ['.'] = 1, ['0' ... '9'] = 1, ['A' ... 'Z'] = 3, ['_'] = 3, ['a' ... 'z'] = 3};

static bool is_name(struct slice s, bool *letters)
{
    unsigned char all = 3, any = 0;
    *letters = false;
    if (s.n == 0 || s.n > HOST_NAME_MAX_SIZE)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char byte = name_bytes[(unsigned char)s.p[i]];
        all &= byte;
        any |= byte;
    }
    *letters = any & 2;
    return all & 1;
}

/* The domain part of an address or a host name: a pure function of the text, so that it does not matter
   who stored the text first.  a@b.c -> b.c; mx.b.c -> b.c; b.c, an IP, anything else -> none. */
static struct slice domain_of(struct slice text)
{
    bool letters;
    const char *at = text.n ? memrchr(text.p, '@', text.n) : NULL;
    if (at) {
        struct slice domain = slice_after(text, (size_t)(at - text.p) + 1);
        return is_name(domain, &letters) ? domain : SLICE_ABSENT;
    }
    if (!is_name(text, &letters) || !letters)
        return SLICE_ABSENT;
    size_t dots = 0;
    for (size_t i = 0; i < text.n; i++)
        dots += text.p[i] == '.';
    if (dots > LABELS_MAX)
        return SLICE_ABSENT; /* each label would be a string of its own */
    const char *dot = memchr(text.p, '.', text.n);
    struct slice rest = dot ? slice_after(text, (size_t)(dot - text.p) + 1) : SLICE_ABSENT;
    return rest.n && memchr(rest.p, '.', rest.n) ? rest : SLICE_ABSENT;
}

/* The text with ASCII letters made small: itself, if there is nothing to be made. */
static struct slice lowered(struct batch *batch, struct slice text)
{
    if (!has_capitals(text))
        return text;
    return lower_into(arena_alloc(&batch->arena, text.n, 1), text);
}

/* A number that nothing has yet. */
static uint32_t new_number(struct batch *batch, uint64_t hash)
{
    uint32_t number = (uint32_t)batch->string_count++;
    batch->strings = grow(batch->strings, &batch->string_capacity, batch->string_count,
                          sizeof *batch->strings);
    batch->hashes = grow(batch->hashes, &batch->hash_capacity, batch->string_count, sizeof *batch->hashes);
    batch->slots = grow(batch->slots, &batch->slots_capacity, batch->string_count, sizeof *batch->slots);
    batch->hashes[number] = hash;
    batch->slots[number] = 0;
    if (batch->string_count * 3 > batch->string_slot_count * 2)
        widen_strings(batch);
    else
        place_string(batch, number);
    return number;
}

static uint32_t string_of_hash(struct batch *batch, struct slice text, uint64_t hash)
{
    uint32_t number = find_string(batch, hash);
    if (number)
        return number;
    number = new_number(batch, hash);
    batch->strings[number] = (struct batch_string){.text = arena_copy(&batch->arena, text)};
    return number;
}

uint32_t batch_string(struct batch *batch, struct slice text)
{
    return text.p ? string_of_hash(batch, text, hash_bytes(text, batch->hash_seed)) : 0;
}

bool batch_is_folded(struct slice text)
{
    return text.n && (!memchr(text.p, ' ', text.n) || memchr(text.p, '@', text.n));
}

void batch_find_kin(struct batch *batch, uint32_t number)
{
    struct slice text = batch->strings[number].text, domain = domain_of(text), small = lowered(batch, text);
    uint32_t found = domain.p ? batch_string(batch, lowered(batch, domain)) : 0; /* which may move the strings */
    uint32_t folded = small.p != text.p && batch_is_folded(text) ? batch_string(batch, small) : 0;
    batch->strings[number].domain = found;
    batch->strings[number].folded = folded;
}

void batch_want(struct batch *batch, struct slice text, uint32_t *into)
{
    if (!text.p) {
        *into = 0;
        return;
    }
    if (batch->want_count == WANTS_MAX)
        batch_settle(batch);
    uint64_t hash = hash_bytes(text, batch->hash_seed);
    __builtin_prefetch(&batch->string_slots[hash & (batch->string_slot_count - 1)]);
    batch->wants[batch->want_count++] = (struct batch_want){hash, text, into};
}

void batch_mention(struct batch *batch, struct slice text)
{
    batch_want(batch, text, &batch->unkept);
}

void batch_want_lower(struct batch *batch, struct slice text, uint32_t *into)
{
    batch_want(batch, text.p ? lowered(batch, text) : text, into);
}

void batch_settle(struct batch *batch)
{
    for (size_t i = 0; i < batch->want_count; i++) {
        const struct batch_want *want = &batch->wants[i];
        *want->into = string_of_hash(batch, want->text, want->hash);
        mention(batch, *want->into);
    }
    batch->want_count = 0;
}

/* ---- what rows have in common ------------------------------------------------------------------ */

struct batch_part batch_part_text(const struct batch *batch, struct slice text)
{
    return (struct batch_part){text.p ? hash_bytes(text, batch->hash_seed) : 0, text, 0};
}

struct batch_part batch_part_lower(struct batch *batch, struct slice text)
{
    return batch_part_text(batch, text.p ? lowered(batch, text) : text);
}

struct batch_part batch_part_string(const struct batch *batch, uint32_t number)
{
    return (struct batch_part){number ? batch->hashes[number] : 0, SLICE_ABSENT, number};
}

struct batch_part batch_part_int(int64_t value)
{
    return (struct batch_part){(uint64_t)value ^ (uint64_t)NUM_ABSENT, SLICE_ABSENT, 0};
}

static void fill_common(struct batch *batch, char *row, const struct row_layout *layout,
                        const struct batch_part *parts)
{
    for (size_t i = 1; i < layout->count; i++) {
        const struct batch_part *part = &parts[i - 1];
        char *member = row + layout->columns[i].offset;
        if (layout->columns[i].type == COLUMN_INT)
            *(int64_t *)(void *)member = (int64_t)(part->hash ^ (uint64_t)NUM_ABSENT);
        else
            *(uint32_t *)(void *)member = part->text.p ? string_of_hash(batch, part->text, part->hash) : part->number;
    }
}

static uint32_t new_common(struct batch *batch, enum common_table table, const struct batch_part *parts, uint64_t hash)
{
    struct row_list *list = &batch->commons[table];
    fill_common(batch, new_row(list, &common_layouts[table]), &common_layouts[table], parts);
    uint32_t number = new_number(batch, hash), place = (uint32_t)list->count - 1;
    batch->strings[number] = (struct batch_string){.common = (uint32_t)table + 1, .place = place};
    batch->common_numbers[table] =
        grow(batch->common_numbers[table], &batch->common_capacity[table], list->count, sizeof(uint32_t));
    batch->common_numbers[table][place] = number;
    return number;
}

uint32_t batch_common(struct batch *batch, enum common_table table, const struct batch_part *parts)
{
    const struct row_layout *layout = &common_layouts[table];
    uint64_t hashes[COMMON_PARTS_MAX], any = 0;
    for (size_t i = 1; i < layout->count; i++)
        any |= hashes[i - 1] = parts[i - 1].hash;
    if (!any)
        return 0;
    uint64_t hash = hash_bytes(slice_of((const char *)hashes, (layout->count - 1) * sizeof *hashes),
                               batch->hash_seed + (uint64_t)table + 1);
    uint32_t number = find_string(batch, hash);
    if (!number)
        number = new_common(batch, table, parts, hash);
    if (table != COMMON_CAUSE)
        mention(batch, number);
    return number;
}

/* A text parted once, for whoever asks for its pattern. */
struct split {
    bool known;    /* it has a pattern */
    uint64_t hash; /* of the pattern */
    char buf[WORDING_MAX];
    struct wording wording;
};

/* ---- reasons ----------------------------------------------------------------------------------- */

static struct batch_reason *reason_slot(struct batch *batch, uint64_t hash)
{
    return &batch->reasons[hash % REASONS_KEPT];
}

/* Number of the normal form of a reason of that hash.  Reasons that differ in the client's IP only have the same, so
   that a pattern met lately saves its making. */
static uint32_t normal_reason(struct batch *batch, struct slice reason, uint64_t hash, const struct split *split)
{
    char buf[1024];
    if (split->known && split->wording.places == 1u << WORDING_IP)
        hash = split->hash;
    struct batch_reason *known = reason_slot(batch, hash);
    if (!known->number || known->hash != hash) {
        size_t n = reason_normalise(reason, buf, sizeof buf);
        *known = (struct batch_reason){hash, batch_string(batch, slice_of(buf, n))};
    }
    return known->number;
}

static uint32_t class_with_code(struct batch *batch, uint32_t reason, int64_t errno_code)
{
    struct batch_class *kept = &batch->classes[(reason * 31u + (uint64_t)errno_code) % CLASSES_KEPT];
    if (kept->reason != reason || kept->errno_code != errno_code) {
        const char *name = reason_class(batch->strings[reason].text, errno_code);
        *kept = (struct batch_class){errno_code, reason, batch_string(batch, slice_of(name, strlen(name)))};
    }
    return kept->class;
}

/* ---- wordings ---------------------------------------------------------------------------------- */

/* Whether a pattern of that hash was met before; notes it. */
static bool met_before(struct batch *batch, uint64_t hash)
{
    uint64_t *kept = &batch->patterns[hash % PATTERNS_KEPT];
    bool met = *kept == hash;
    *kept = hash;
    return met;
}

static void split(const struct batch *batch, struct split *to, struct slice text,
                  const struct slice fields[WORDING_PLACES])
{
    to->known = wording_split(text, fields, to->buf, &to->wording);
    to->hash = to->known ? hash_bytes(to->wording.pattern, batch->hash_seed) : 0;
}

/* Number of the text's pattern. */
static uint32_t pattern_of(struct batch *batch, struct slice text, const struct split *split, struct slice *own)
{
    static const char all_own[] = {WORDING_OWN};
    bool shared = split->known && met_before(batch, split->hash);
    *own = shared ? split->wording.own : text;
    return shared ? string_of_hash(batch, split->wording.pattern, split->hash)
                  : batch_string(batch, slice_of(all_own, 1));
}

uint32_t batch_wording(struct batch *batch, struct slice text, const struct slice fields[WORDING_PLACES],
                       struct slice *own)
{
    struct split parts;
    *own = SLICE_ABSENT;
    if (!text.p)
        return 0;
    split(batch, &parts, text, fields);
    return pattern_of(batch, text, &parts, own);
}

/* Whether the reason itself, of that hash, was met lately. */
static bool is_known_reason(struct batch *batch, struct slice reason, uint64_t hash)
{
    const struct batch_reason *known = reason_slot(batch, hash);
    return known->number && known->hash == hash && slice_equal(batch->strings[known->number].text, reason);
}

/* The class is one of the normal form, so that equal reasons are of one class; where words do not tell, the
   error's number may, and the class is then not the reason's alone. */
struct batch_said batch_reason(struct batch *batch, struct slice reason, int64_t errno_code,
                               const struct slice *fields)
{
    struct batch_said said = {0, 0, 0, SLICE_ABSENT};
    struct split parts = {.known = false};
    if (!reason.p)
        return said;
    uint64_t hash = hash_bytes(reason, batch->hash_seed);
    if (fields && !is_known_reason(batch, reason, hash))
        split(batch, &parts, reason, fields);
    said.reason = normal_reason(batch, reason, hash, &parts);
    said.class = class_with_code(batch, said.reason, errno_code);
    if (fields && !slice_equal(batch->strings[said.reason].text, reason))
        said.detail = pattern_of(batch, reason, &parts, &said.own);
    return said;
}

/* ---- messages ---------------------------------------------------------------------------------- */

static void place_message(struct batch *batch, uint32_t index)
{
    size_t mask = batch->message_slot_count - 1;
    size_t i = hash_bytes(batch_message(batch, index)->exim_id, 0) & mask;
    while (batch->message_slots[i])
        i = (i + 1) & mask;
    batch->message_slots[i] = index + 1;
}

static void widen_messages(struct batch *batch)
{
    free(batch->message_slots);
    batch->message_slots = new_slots(batch->message_slot_count *= 2);
    for (uint32_t index = 0; index < batch->messages.count; index++)
        place_message(batch, index);
}

uint32_t batch_message_index(struct batch *batch, struct slice exim_id)
{
    size_t mask = batch->message_slot_count - 1;
    for (size_t i = hash_bytes(exim_id, 0) & mask; batch->message_slots[i]; i = (i + 1) & mask)
        if (slice_equal(batch_message(batch, batch->message_slots[i] - 1)->exim_id, exim_id))
            return batch->message_slots[i] - 1;
    struct message_row *row = new_row(&batch->messages, &message_layout);
    uint32_t index = (uint32_t)batch->messages.count - 1;
    row->exim_id = arena_copy(&batch->arena, exim_id);
    row->flags = row->delayed = row->failed = row->remote = 0;
    if (batch->messages.count * 2 > batch->message_slot_count)
        widen_messages(batch);
    else
        place_message(batch, index);
    return index;
}

/* ---- tallies ----------------------------------------------------------------------------------- */

uint32_t batch_tally(struct batch *batch, const char *dialect, const char *kind, struct slice program)
{
    for (uint32_t i = 0; i < batch->tally_count; i++) {
        const struct batch_tally *t = &batch->tallies[i];
        if (t->dialect == dialect && t->kind == kind && slice_equal(t->program, program))
            return i;
    }
    batch->tallies = grow(batch->tallies, &batch->tally_capacity, batch->tally_count + 1,
                          sizeof *batch->tallies);
    batch->tallies[batch->tally_count] =
        (struct batch_tally){dialect, kind, arena_copy(&batch->arena, program), 0, 0};
    return (uint32_t)batch->tally_count++;
}
