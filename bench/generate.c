/*
 * A deterministic generator of Exim main logs, for benchmarks and tests.
 *
 * Time runs through a heap of events. Sessions begin at moments given by a curve of day and night;
 * what a session leads to (delivery, retry, bounce, the next line of an attack) is put on the heap, so
 * that the lines of concurrent messages interleave as they do in life. People, domains and hosts are
 * numbers; their names are computed from the number whenever they are printed.
 * Every line is a format of a table below; see field[] for what its %letters mean.
 * Only integers are used, so the same options give the same bytes on every machine.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* ---- what was written, counted ---- */

#define TALLIES(X) \
	X(lines) X(bytes) \
	X(received) X(received_bytes) X(received_bounces) \
	X(delivered) X(delivered_bytes) X(delivered_addresses) X(delivered_more) \
	X(deferred_lines) X(delayed_messages) X(failed_lines) X(failed_messages) \
	X(completed) X(frozen_lines) X(host_errors) \
	X(rejected_permanent) X(rejected_temporary) X(refused_connections) X(dropped_connections) \
	X(protocol_errors) X(auth_failures) X(no_host_name) X(other_lines) \
	X(eximstats_rejected_permanent) X(eximstats_rejected_temporary) \
	X(distinct_senders) X(distinct_recipients) X(distinct_final_addresses) \
	X(distinct_rejected_ips) X(distinct_auth_failure_ips) \
	X(distinct_sending_hosts) X(distinct_receiving_hosts) \
	X(imap_logins) X(imap_failures) X(imap_ends) X(imap_other) \
	X(pop_logins) X(pop_failures) X(pop_transfers) X(pop_ends) X(pop_other) \
	X(spamd_ham) X(spamd_spam) X(spamd_results) X(spamd_other)

#define AS_ENUM(name) T_##name,
#define AS_TEXT(name) #name,
enum tally { TALLIES(AS_ENUM) TALLY_COUNT };
static const char *const tally_name[] = {TALLIES(AS_TEXT)};
static uint64_t tally[TALLY_COUNT];

/* How eximstats sees a line that is no delivery. */
enum es { ES_NONE, ES_PERMANENT, ES_TEMPORARY };

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "generate: %s%s\n", what, detail);
	exit(2);
}

static void *grown(void *old, size_t count, size_t size)
{
	void *new = count > SIZE_MAX / size ? NULL : realloc(old, count * size);
	if (!new)
		die("out of memory", "");
	return new;
}

/* ---- options ---- */

enum mix { REJECTION, DELIVERY, MIXED, MIXES };

static struct {
	uint64_t lines;
	uint64_t seed;
	int64_t start; /* ms since 1970 */
	int64_t days;
	enum mix mix;
	bool long_ids;
	bool provider; /* log_selector as hosting panels set it */
	bool maillog;
	const char *truth;
} opt = {.lines = 100000, .seed = 1, .mix = MIXED};

/* ---- chance ---- */

static uint64_t state[4];

static uint64_t mix64(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

/* xoshiro256** */
static uint64_t rnd(void)
{
	uint64_t result = rotl(state[1] * 5, 7) * 9, t = state[1] << 17;
	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = rotl(state[3], 45);
	return result;
}

static void seed_all(uint64_t seed)
{
	for (unsigned i = 0; i < 4; i++)
		state[i] = mix64(seed + i);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(((rnd() >> 32) * n) >> 32);
}

static bool chance(uint32_t permille)
{
	return below(1000) < permille;
}

/* Rank in 0..n-1 with probability about 1/(rank+1): an octave first, then a place in it. */
static uint32_t zipf(uint32_t n)
{
	uint32_t octaves = 1;
	while ((UINT32_C(1) << octaves) < n + 1)
		octaves++;
	uint32_t base = UINT32_C(1) << below(octaves);
	return (base - 1 + below(base)) % n;
}

/* A population: `size` regulars of unequal popularity and a share that is seen once only. */
struct population {
	uint32_t size;
	uint32_t once_permille;
	uint32_t once;
};

static uint32_t pick(struct population *p)
{
	if (chance(p->once_permille))
		return p->size + p->once++;
	return zipf(p->size);
}

static struct population hosted = {600, 0, 0}, remote = {6000, 60, 0};
static struct population servers = {9000, 70, 0}, bots = {30000, 200, 0}, clients = {5000, 60, 0};

/* ---- output ---- */

static struct {
	char text[1 << 20];
	size_t length, line;
} out;

static void flush_out(void)
{
	if (fwrite(out.text, 1, out.length, stdout) != out.length)
		die("cannot write: ", strerror(errno));
	out.length = 0;
}

static void put_char(char c)
{
	out.text[out.length++] = c;
}

static void put_bytes(const char *text, size_t length)
{
	memcpy(out.text + out.length, text, length);
	out.length += length;
}

static void put(const char *text)
{
	put_bytes(text, strlen(text));
}

static void put_digits(uint64_t value, unsigned digits)
{
	for (unsigned i = digits; i-- > 0; value /= 10)
		out.text[out.length + i] = (char)('0' + value % 10);
	out.length += digits;
}

static void put_number(uint64_t value)
{
	unsigned digits = 1;
	for (uint64_t v = value; v >= 10; v /= 10)
		digits++;
	put_digits(value, digits);
}

static void put_base(uint64_t value, unsigned base, unsigned digits)
{
	static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	for (unsigned i = digits; i-- > 0; value /= base)
		out.text[out.length + i] = alphabet[value % base];
	out.length += digits;
}

/* ---- distinct things ---- */

struct set {
	uint64_t *slot;
	size_t size, used;
};

static struct set senders, recipients, finals, rejected_ips, auth_ips, sending, receiving;

static bool set_put(struct set *s, uint64_t key)
{
	size_t i = key & (s->size - 1);
	while (s->slot[i] && s->slot[i] != key)
		i = (i + 1) & (s->size - 1);
	if (s->slot[i])
		return false;
	s->slot[i] = key;
	return true;
}

static void set_grow(struct set *s)
{
	struct set bigger = {.size = s->size ? s->size * 2 : 1024, .used = s->used};
	bigger.slot = grown(NULL, bigger.size, sizeof *bigger.slot);
	memset(bigger.slot, 0, bigger.size * sizeof *bigger.slot);
	for (size_t i = 0; i < s->size; i++)
		if (s->slot[i])
			set_put(&bigger, s->slot[i]);
	free(s->slot);
	*s = bigger;
}

static void set_add(struct set *s, const char *text, size_t length)
{
	uint64_t key = length;
	for (size_t i = 0; i < length; i++)
		key = (key ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	key = mix64(key) | 1;
	if (s->used * 2 >= s->size)
		set_grow(s);
	s->used += set_put(s, key);
}

/* ---- names ---- */

static const char *const first_names[] = {
	"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "karl", "laura",
	"mallory", "nina", "oscar", "peggy", "quentin", "rosa", "sybil", "trent", "ursula", "victor", "wendy",
	"xavier", "yvonne", "zoe", "anna", "bernd", "chiara", "dmitri", "elena", "farid", "giulia", "hans",
	"ines", "jorge", "katrin", "lukas", "marta", "nils", "olga", "pavel", "renate", "stefan", "tomasz",
	"vera", "walter", "yusuf",
};
static const char *const last_names[] = {
	"anders", "baker", "castro", "dietrich", "ekberg", "fischer", "garcia", "hansen", "ivanov", "jansen",
	"keller", "lindqvist", "meyer", "novak", "okafor", "petrov", "quist", "romano", "schmidt", "tanaka",
	"ueda", "vogel", "weber", "xu", "yilmaz", "zimmermann", "brandt", "dubois", "fontana", "gruber",
	"horvat", "kowalski", "lefevre", "moreau", "nagy", "olsen", "pereira", "richter", "santos", "wagner",
};
static const char *const roles[] = {
	"info", "sales", "office", "admin", "support", "contact", "billing", "news", "postmaster", "webmaster",
	"service", "jobs", "orders", "noreply", "newsletter", "test",
};
static const char *const words[] = {
	"alpine", "amber", "anchor", "apex", "arrow", "atlas", "aurora", "badger", "baltic", "beacon", "birch",
	"blue", "bridge", "bright", "cedar", "cloud", "cobalt", "comet", "copper", "coral", "crane", "crystal",
	"delta", "digital", "dragon", "eagle", "east", "echo", "elm", "ember", "falcon", "field", "fire", "fjord",
	"forest", "fox", "garden", "gold", "granite", "green", "harbor", "hawk", "hill", "hotel", "iron", "island",
	"jade", "juniper", "kite", "lake", "lantern", "lark", "lemon", "light", "lion", "lunar", "maple", "marble",
	"market", "meadow", "media", "mill", "mint", "moon", "north", "oak", "ocean", "olive", "orbit", "otter",
	"pearl", "pine", "pixel", "polar", "print", "quartz", "rapid", "raven", "red", "river", "rose", "sage",
	"shop", "silver", "sky", "smart", "snow", "solar", "south", "spring", "star", "stone", "studio", "summit",
	"swift", "tiger", "travel", "valley", "web", "west", "willow", "wind", "wolf", "works",
};
static const char *const zones[] = {".example", ".example", ".example.com", ".example.net", ".example.org"};
static const char *const subjects[] = {
	"Your invoice", "Re: Offer", "Newsletter", "Order confirmation", "Re: Meeting on Thursday", "Delivery status",
	"Ihre Rechnung", "AW: Termin", "Password reset", "Weekly report", "Fwd: Photos", "Special offer for you",
};

static const char *one_of(const char *const *list, size_t count, uint64_t hash)
{
	return list[hash % count];
}

enum side { HOSTED, REMOTE };

struct address {
	uint32_t domain, user;
	enum side side;
};

static uint64_t hash_of(unsigned kind, uint32_t a, uint32_t b)
{
	return mix64(mix64(opt.seed ^ ((uint64_t)kind << 56)) ^ ((uint64_t)a << 32) ^ b);
}

static void put_domain(enum side side, uint32_t index)
{
	uint64_t h = hash_of(side == HOSTED ? 1 : 2, index, 0);
	put(one_of(words, COUNT(words), h));
	h >>= 8;
	if (h & 4)
		put_char('-');
	if (h & 3)
		put(one_of(words, COUNT(words), h >> 8));
	if ((h & 3) != 1)
		put_number((h >> 24) % ((h & 3) ? 100 : 10000));
	put(one_of(zones, COUNT(zones), h >> 40));
}

static void put_user(const struct address *a)
{
	uint64_t h = hash_of(a->side == HOSTED ? 3 : 4, a->domain, a->user);
	unsigned style = (unsigned)(h >> 60);
	const char *first = one_of(first_names, COUNT(first_names), h), *last =
		one_of(last_names, COUNT(last_names), h >> 16);
	if (a->user < COUNT(roles) && style < 8) {
		put(roles[a->user]);
	} else if (style < 5) {
		put(first), put_char('.'), put(last);
	} else if (style < 8) {
		put_char(*first), put_char('.'), put(last), put_number((h >> 32) % 100);
	} else if (style < 12) {
		put(first), put_number((h >> 32) % 10000);
	} else {
		put(last), put_char('_'), put(one_of(words, COUNT(words), h >> 24)), put_number((h >> 32) % 1000);
	}
}

static void put_address(const struct address *a)
{
	put_user(a), put_char('@'), put_domain(a->side, a->domain);
}

static struct address hosted_address(void)
{
	struct address a = {.domain = pick(&hosted), .side = HOSTED};
	a.user = zipf(8 + (uint32_t)(hash_of(5, a.domain, 0) % 90));
	return a;
}

static struct address remote_address(void)
{
	struct address a = {.domain = pick(&remote), .side = REMOTE};
	a.user = a.domain < 40 ? zipf(20000) : zipf(60);
	if (chance(40))
		a.user += 1000000 + below(1000000000);
	return a;
}

/* ---- who speaks to us ---- */

enum who { LOCAL, SERVER, BOT, CLIENT };

struct peer {
	uint32_t index;
	enum who who;
	uint64_t hash;
};

static struct peer peer_of(enum who who)
{
	struct peer p = {.who = who};
	if (who == SERVER)
		p.index = pick(&servers);
	else if (who == BOT)
		p.index = pick(&bots);
	else if (who == CLIENT)
		p.index = pick(&clients);
	p.hash = hash_of(8 + (unsigned)who, p.index, 0);
	return p;
}

static struct peer exchanger_of(const struct address *a)
{
	struct peer p = {.who = SERVER, .index = (a->domain < 8 ? below(24) : a->domain % 3) * 100000 + a->domain};
	p.hash = hash_of(8 + (unsigned)SERVER, p.index, 1);
	return p;
}

static bool has_name(const struct peer *p)
{
	static const unsigned percent[] = {[SERVER] = 97, [BOT] = 35, [CLIENT] = 82};
	return p->hash % 100 < percent[p->who];
}

static bool has_tls(const struct peer *p)
{
	static const unsigned percent[] = {[SERVER] = 88, [BOT] = 15, [CLIENT] = 98};
	return (p->hash >> 10) % 100 < percent[p->who];
}

/* IPv4 out of 240.0.0.0/4, which nobody has; some IPv6 out of the prefix for documentation. */
static void put_ip(const struct peer *p)
{
	uint64_t h = p->hash >> 8;
	if (p->who != BOT && p->hash % 16 == 7) {
		put("2001:db8:"), put_base(h & 0xfff, 16, 3), put_char(':'), put_base((h >> 16) & 0xffff, 16, 4);
		put("::"), put_base(1 + (h >> 32) % 0xfff, 16, 3);
		return;
	}
	put_number(240 + (h & 15));
	for (unsigned i = 0; i < 3; i++)
		put_char('.'), put_number((h >> (8 + 8 * i)) & 255);
}

static void put_name(const struct peer *p)
{
	static const char *const prefix[] = {"mail", "mx", "smtp", "out", "relay", "mta", "mail-out", "srv", "mxout-a", "m"};
	uint64_t h = p->hash >> 20;
	if (p->who == SERVER) {
		put(one_of(prefix, COUNT(prefix), h));
		if (h & 0x300)
			put_number((h >> 12) % 40);
	} else {
		put(h & 1 ? "host-" : "dsl-"), put_number((h >> 8) & 255), put_char('-'), put_number((h >> 16) & 255);
		put(h & 2 ? ".dyn" : ".pool");
	}
	put_char('.');
	put_domain(REMOTE, p->index % 100000 % 7000);
}

/* What a bot or a client says in HELO; servers say their name. */
static void put_helo(const struct peer *p)
{
	static const char *const odd[] = {"ylmf-pc", "User", "localhost", "win-k3u9t", "desktop-ab12", "laptop", "smtp", "mail"};
	uint64_t h = p->hash >> 40;
	if (p->who == SERVER || h % 8 == 0)
		put_name(p);
	else if (h % 8 < 3)
		put_char('['), put_ip(p), put_char(']');
	else if (h % 8 < 5)
		put("win-"), put_base(mix64(h), 36, 11);
	else
		put(one_of(odd, COUNT(odd), h >> 4));
}

/* ---- messages and other things that go on over several lines ---- */

enum { MOST_RECIPIENTS = 8 };
enum outcome { PENDING, WAITING, DONE };

struct recipient {
	struct address to, final;
	bool forwarded;
	enum outcome outcome;
};

struct script;

struct story {
	const struct script *script;
	uint32_t step, left;
	char id[24], parent[24];
	struct peer peer;
	struct address sender;
	uint64_t salt;
	uint32_t pid, tries, recipients;
	uint64_t size;
	bool null_sender, delayed, failed, hopeless;
	struct recipient to[MOST_RECIPIENTS];
	uint32_t next_free;
};

static struct {
	struct story *all;
	uint32_t used, size, free;
} stories = {.free = UINT32_MAX};

static uint32_t new_story(void)
{
	uint32_t i = stories.free;
	if (i != UINT32_MAX) {
		stories.free = stories.all[i].next_free;
	} else {
		if (stories.used == stories.size) {
			stories.size = stories.size ? stories.size * 2 : 256;
			stories.all = grown(stories.all, stories.size, sizeof *stories.all);
		}
		i = stories.used++;
	}
	stories.all[i] = (struct story){.salt = rnd()};
	return i;
}

static void end_story(uint32_t i)
{
	stories.all[i].next_free = stories.free;
	stories.free = i;
}

/* ---- time ---- */

static int64_t now_ms;

enum event_kind { NEXT_STEP, ATTEMPT, RETRY, FROZEN, QUEUE_RUN };

struct event {
	int64_t at;
	uint64_t order;
	uint32_t story;
	enum event_kind kind;
	bool soon;
};

static struct {
	struct event *all;
	size_t used, size;
	uint64_t order, soon;
} heap;

static bool before(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void schedule(int64_t delay, enum event_kind kind, uint32_t story)
{
	if (heap.used == heap.size) {
		heap.size = heap.size ? heap.size * 2 : 1024;
		heap.all = grown(heap.all, heap.size, sizeof *heap.all);
	}
	struct event e = {now_ms + delay, heap.order++, story, kind, delay < 10 * MINUTE};
	size_t i = heap.used++;
	for (; i > 0 && before(&e, &heap.all[(i - 1) / 2]); i = (i - 1) / 2)
		heap.all[i] = heap.all[(i - 1) / 2];
	heap.all[i] = e;
	heap.soon += e.soon;
}

static struct event next_event(void)
{
	struct event top = heap.all[0], last = heap.all[--heap.used];
	size_t i = 0;
	for (size_t child; (child = 2 * i + 1) < heap.used; i = child) {
		if (child + 1 < heap.used && before(&heap.all[child + 1], &heap.all[child]))
			child++;
		if (!before(&heap.all[child], &last))
			break;
		heap.all[i] = heap.all[child];
	}
	heap.all[i] = last;
	heap.soon -= top.soon;
	return top;
}

/* Traffic of each hour, in thousandths of the busiest. */
static const uint16_t rhythm[24] = {
	260, 220, 200, 190, 200, 250, 380, 600, 860, 980, 1000, 970, 880, 900, 960, 950, 900, 800, 650, 560, 500, 450, 390, 320,
};

static uint64_t *curve; /* work done up to the beginning of each hour */
static size_t hours;

static void draw_curve(void)
{
	hours = (size_t)opt.days * 24;
	curve = grown(NULL, hours + 1, sizeof *curve);
	curve[0] = 0;
	for (size_t i = 0; i < hours; i++) {
		int64_t weekday = (opt.start / DAY + (int64_t)(i / 24) + 3) % 7; /* 0 is Monday */
		uint64_t weight = (uint64_t)rhythm[i % 24] * (weekday < 5 ? 1000 : 600);
		curve[i + 1] = curve[i] + weight;
	}
}

/* The moment when `done` of all lines should have been written. */
static int64_t moment(uint64_t done)
{
	static size_t hour;
	uint64_t total = curve[hours];
	if (done >= opt.lines)
		return opt.days * DAY - 1;
	uint64_t work = done * (total / opt.lines) + done * (total % opt.lines) / opt.lines;
	while (hour + 1 < hours && curve[hour + 1] <= work)
		hour++;
	while (hour > 0 && curve[hour] > work)
		hour--;
	return (int64_t)hour * HOUR + (int64_t)((work - curve[hour]) * (uint64_t)HOUR / (curve[hour + 1] - curve[hour]));
}

/* Waiting times are uneven: x^2 has mean 1/3. */
static int64_t uneven(int64_t mean)
{
	int64_t x = below(1024);
	return mean * 3 * x / 1024 * x / 1024;
}

struct date {
	int64_t year;
	unsigned month, day;
};

static struct date date_of(int64_t days)
{
	int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	unsigned month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	return (struct date){yoe + era * 400 + (month <= 2), month, (unsigned)(doy - (153 * mp + 2) / 5 + 1)};
}

static int64_t days_of(struct date d)
{
	int64_t y = d.year - (d.month <= 2), era = y / 400, yoe = y - era * 400;
	int64_t mp = d.month > 2 ? d.month - 3 : d.month + 9, doy = (153 * mp + 2) / 5 + d.day - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t second_now(void)
{
	return (opt.start + now_ms) / SECOND;
}

static void put_clock(int64_t second)
{
	put_digits((uint64_t)second / 3600 % 24, 2), put_char(':');
	put_digits((uint64_t)second / 60 % 60, 2), put_char(':');
	put_digits((uint64_t)second % 60, 2);
}

static void put_stamp(void)
{
	static int64_t stamped = -1;
	static char text[32];
	static size_t length;
	int64_t second = second_now();
	if (second != stamped) {
		static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
		struct date d = date_of(second / 86400);
		size_t begin = out.length;
		if (opt.maillog) {
			put_bytes(months + 3 * (d.month - 1), 3), put(d.day < 10 ? "  " : " "), put_number(d.day);
		} else {
			put_digits((uint64_t)d.year, 4), put_char('-'), put_digits(d.month, 2);
			put_char('-'), put_digits(d.day, 2);
		}
		put_char(' '), put_clock(second), put(opt.maillog ? " srv1 " : " ");
		length = out.length - begin;
		memcpy(text, out.text + begin, length);
		out.length = begin;
		stamped = second;
	}
	put_bytes(text, length);
}

/* ---- the fields of a line ---- */

struct scene {
	const struct story *story;
	struct peer peer;             /* the other end of this line */
	struct address sender, to, final;
	uint64_t salt;                /* of this line */
};

/* Where in the output the last line's host, IP and addresses begin and end. */
struct mark {
	size_t begin, end;
};
static struct {
	struct mark host, ip, final, to, sender;
	unsigned numbers;
} seen;

#define MARKED(where, printing) ((where).begin = out.length, (printing), (where).end = out.length)

static const char *const ciphers[] = {
	"TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256", "TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256",
	"TLS1.3:ECDHE_SECP256R1__RSA_PSS_RSAE_SHA256__AES_256_GCM:256", "TLS1.2:ECDHE_SECP256R1__RSA_SHA256__AES_256_GCM:256",
	"TLS1.3:ECDHE_X25519__ECDSA_SECP256R1_SHA256__AES_128_GCM:128", "TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__CHACHA20_POLY1305:256",
};

static void f_id(const struct scene *s) { put(s->story->id); }
static void f_parent(const struct scene *s) { put(s->story->parent); }
static void f_pid(const struct scene *s) { put_number(s->story->pid); }
static void f_size(const struct scene *s) { put_number(s->story->size); }
static void f_ip(const struct scene *s) { put_ip(&s->peer); }
static void f_name(const struct scene *s) { put_name(&s->peer); }
static void f_helo(const struct scene *s) { put_helo(&s->peer); }
static void f_to(const struct scene *s) { MARKED(seen.to, put_address(&s->to)); }
static void f_final(const struct scene *s) { MARKED(seen.final, put_address(&s->final)); }
static void f_user(const struct scene *s) { MARKED(seen.final, put_user(&s->to)); }
static void f_to_domain(const struct scene *s) { put_domain(s->final.side, s->final.domain); }
static void f_digit(const struct scene *s) { put_number(s->salt % 10); }
static void f_port(const struct scene *s) { put_number(32768 + (s->salt >> 12) % 28000); }
static void f_token(const struct scene *s) { put_base(s->salt, 62, 10); }
static void f_hex(const struct scene *s) { put_base(s->salt, 16, 12); }
static void f_second(const struct scene *s) { (void)s, put_number((uint64_t)second_now()); }

/* Each number of a line is another one, but the lines of one transaction have the same. */
static void f_number(const struct scene *s)
{
	put_number(mix64(s->salt + seen.numbers++) % 1000);
}

static void f_bracket_ip(const struct scene *s)
{
	MARKED(seen.ip, (put_char('['), put_ip(&s->peer), put_char(']')));
}

static void f_host(const struct scene *s)
{
	const struct peer *p = &s->peer;
	if (has_name(p)) {
		MARKED(seen.host, put_name(p)), put_char(' ');
		if (p->who != SERVER || p->hash % 9 == 0)
			put_char('('), put_helo(p), put(") ");
	} else {
		MARKED(seen.host, (put_char('('), put_helo(p), put_char(')'))), put_char(' ');
	}
	f_bracket_ip(s);
}

static void f_exchanger(const struct scene *s)
{
	MARKED(seen.host, put_name(&s->peer)), put_char(' ');
	f_bracket_ip(s);
}

static void f_sender(const struct scene *s)
{
	if (!s->story->null_sender)
		MARKED(seen.sender, put_address(&s->sender));
}

static void f_sender_word(const struct scene *s)
{
	if (s->story->null_sender)
		MARKED(seen.sender, put("<>"));
	else
		f_sender(s);
}

static void f_tls(const struct scene *s)
{
	if (has_tls(&s->peer))
		put(" X="), put(one_of(ciphers, COUNT(ciphers), s->peer.hash >> 3)), put(" CV=no");
}

static void f_tls_out(const struct scene *s)
{
	if (has_tls(&s->peer))
		put(" X="), put(one_of(ciphers, COUNT(ciphers), s->peer.hash >> 3)), put(s->peer.hash & 1 ? " CV=yes" : " CV=no");
}

static void f_protocol(const struct scene *s)
{
	put(has_tls(&s->peer) ? "esmtps" : "esmtp");
}

static void f_dkim(const struct scene *s)
{
	if (s->story->salt % 100 < 70)
		put(" DKIM="), put_domain(s->sender.side, s->sender.domain);
}

static void f_chunking(const struct scene *s)
{
	if (s->story->salt % 100 < 45)
		put(" K");
}

static void f_mechanism(const struct scene *s)
{
	put(s->salt & 3 ? "login" : "plain");
}

static void f_login(const struct scene *s)
{
	if (s->salt % 5 < 2)
		put(one_of(roles, COUNT(roles), s->salt >> 8));
	else
		put_address(&s->to);
}

static void f_subject(const struct scene *s)
{
	if (s->story->parent[0]) {
		put("Mail delivery failed: returning message to sender");
		return;
	}
	put(one_of(subjects, COUNT(subjects), s->story->salt >> 7));
	if (s->story->salt & 1)
		put_char(' '), put_number((s->story->salt >> 12) % 1000000);
}

/* +subject +received_sender +received_recipients */
static void f_received(const struct scene *s)
{
	if (!opt.provider)
		return;
	struct mark kept = seen.sender;
	put(" T=\""), f_subject(s), put("\" from <"), f_sender(s), put("> for");
	for (uint32_t i = 0; i < s->story->recipients; i++)
		put_char(' '), put_address(&s->story->to[i].to);
	seen.sender = kept;
}

/* +sender_on_delivery */
static void f_on_delivery(const struct scene *s)
{
	if (opt.provider)
		put(" F=<"), f_sender(s), put_char('>');
}

/* +delivery_size */
static void f_delivery_size(const struct scene *s)
{
	if (opt.provider)
		put(" S="), put_number(s->story->size + 300 + s->salt % 200);
}

static void f_message_id(const struct scene *s)
{
	uint64_t h = s->story->salt;
	switch (h % 4) {
	case 0:
		put("CA"), put_base(h, 62, 11), put_char('='), put_base(mix64(h), 62, 11), put_char('_');
		put_base(mix64(h + 1), 62, 11), put_base(h >> 7, 62, 10), put("@mail.");
		break;
	case 1:
		put_base(h >> 2, 16, 8), put_char('-'), put_base(h >> 34, 16, 4), put("-4"), put_base(h >> 20, 16, 3);
		put_char('-'), put_base(mix64(h), 16, 4), put_char('-'), put_base(mix64(h + 1), 16, 12), put_char('@');
		break;
	case 2:
		put("2026030"), put_number(1 + h % 9), put_digits(h >> 20, 6), put_char('.'), put_base(h, 16, 12), put("@srv.");
		break;
	default:
		put_base(h, 62, 6), put_char('.'), put_number(h >> 32), put("@");
	}
	put_domain(s->sender.side, s->sender.domain);
}

static void f_score(const struct scene *s)
{
	uint64_t score = 50 + s->salt % 250;
	put_number(score / 10), put_char('.'), put_number(score % 10);
}

static void f_pluses(const struct scene *s)
{
	for (uint64_t i = 0; i < (50 + s->salt % 250) / 10; i++)
		put_char('+');
}

static void put_remote_answer(const struct scene *s);
static void f_answer(const struct scene *s) { put_remote_answer(s); }

typedef void field_fn(const struct scene *);

static field_fn *const field[128] = {
	['A'] = f_message_id,   ['B'] = f_received,    ['C'] = f_answer,       ['D'] = f_to_domain, ['E'] = f_exchanger,
	['F'] = f_on_delivery,  ['G'] = f_dkim,        ['H'] = f_host,         ['I'] = f_id,        ['J'] = f_parent,
	['K'] = f_chunking,     ['L'] = f_login,       ['M'] = f_mechanism,    ['N'] = f_helo,      ['P'] = f_protocol,
	['Q'] = f_name,         ['S'] = f_sender_word, ['T'] = f_tls_out,      ['X'] = f_tls,       ['Z'] = f_delivery_size,
	['b'] = f_bracket_ip,   ['d'] = f_digit,       ['f'] = f_final,        ['h'] = f_hex,       ['i'] = f_ip,
	['k'] = f_token,        ['n'] = f_number,      ['o'] = f_port,         ['p'] = f_pid,       ['r'] = f_to,
	['s'] = f_sender,       ['t'] = f_second,      ['u'] = f_user,         ['x'] = f_pluses,    ['y'] = f_score,
	['z'] = f_size,
};

static void expand(const char *format, const struct scene *s)
{
	for (const char *p = format; *p; p++) {
		const char *text = p;
		while (*p && *p != '%')
			p++;
		put_bytes(text, (size_t)(p - text));
		if (!*p)
			return;
		field[(unsigned char)*++p](s);
	}
}

static const char *const answers[] = {
	"250 2.0.0 OK  %t %h-%k.%n - gsmtp",
	"250 2.0.0 Ok: queued as %k",
	"250 OK id=1%d%k",
	"250 2.6.0 <%A> [InternalId=%n%n%n, Hostname=%Q] %z bytes in 0.%n, %n.%d KB/sec Queued mail for delivery",
	"250 Requested mail action okay, completed: id=%k",
	"250 ok %t qp %n%n server-%d",
	"250 2.0.0 %k mail accepted for delivery",
};

static void put_remote_answer(const struct scene *s)
{
	expand(one_of(answers, COUNT(answers), s->peer.hash >> 6), s);
}

/* ---- one line ---- */

static void remember(struct set *set, struct mark m)
{
	if (m.end > m.begin)
		set_add(set, out.text + m.begin, m.end - m.begin);
}

static void remember_delivery(void)
{
	remember(&finals, seen.final);
	remember(&recipients, seen.to.end ? seen.to : seen.final);
	if (seen.host.end)
		remember(&receiving, seen.host);
	else
		set_add(&receiving, "local", 5);
}

static void remember_arrival(void)
{
	remember(&senders, seen.sender);
	if (seen.host.end)
		remember(&sending, seen.host);
	else
		set_add(&sending, "local", 5);
}

static void remember_line(enum tally kind)
{
	if (kind == T_received)
		remember_arrival();
	else if (kind == T_delivered || kind == T_delivered_more)
		remember_delivery();
	else if (kind == T_rejected_permanent || kind == T_rejected_temporary)
		remember(&rejected_ips, seen.ip);
	else if (kind == T_auth_failures)
		remember(&auth_ips, seen.ip);
}

static void say(enum tally kind, enum es es, const char *format, const struct scene *s)
{
	if (tally[T_lines] == opt.lines)
		return;
	if (out.length > sizeof out.text - 16384)
		flush_out();
	size_t begin = out.length;
	memset(&seen, 0, sizeof seen);
	put_stamp();
	expand(format, s);
	put_char('\n');
	remember_line(kind);
	tally[T_lines]++;
	tally[kind]++;
	tally[T_bytes] += out.length - begin;
	tally[T_eximstats_rejected_permanent] += es == ES_PERMANENT;
	tally[T_eximstats_rejected_temporary] += es == ES_TEMPORARY;
}

static struct scene scene_of(const struct story *s)
{
	return (struct scene){.story = s, .peer = s->peer, .sender = s->sender, .to = s->to[0].to,
		.final = s->to[0].final, .salt = rnd()};
}

/* True while there is room for a line; what is counted beside the line must not run ahead of it. */
static bool room(void)
{
	return tally[T_lines] < opt.lines;
}

static uint32_t next_pid(void)
{
	static uint32_t pid = 1000;
	pid += 1 + below(30);
	if (pid >= 4194304)
		pid = 300;
	return pid;
}

/* 4.97 made ids longer: seconds-pid-fraction in base 62, digits first, then capitals. */
static void make_id(char *id, uint32_t pid)
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t ms = (uint64_t)(now_ms % SECOND), fraction = opt.long_ids ? ms * 1000 + below(1000) : ms / 5;
	uint64_t part[] = {(uint64_t)second_now(), pid, fraction};
	unsigned digits[] = {6, opt.long_ids ? 11 : 6, opt.long_ids ? 4 : 2}, at = 0;
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned d = digits[i]; d-- > 0; part[i] /= 62)
			id[at + d] = alphabet[part[i] % 62];
		at += digits[i];
		id[at++] = i < 2 ? '-' : '\0';
	}
}

/* ---- scripts: what happens without a message ---- */

struct step {
	const char *format;
	enum tally kind;
	enum es es;
	uint32_t most;    /* this line comes 1 to `most` times */
	uint32_t gap_ms;  /* mean time after the line before */
};

struct script {
	uint16_t weight[MIXES];
	enum who who;
	struct step step[6];
};

#define NO_NAME {"no host name found for IP address %i", T_no_host_name, ES_NONE, 1, 0}
#define PERMANENT T_rejected_permanent, ES_PERMANENT
#define TEMPORARY T_rejected_temporary, ES_TEMPORARY

static const struct script mainlog_scripts[] = {
	{{110, 10, 50}, BOT, {NO_NAME, {"H=%H%X F=<%s> rejected RCPT <%f>: relay not permitted", PERMANENT, 5, 400},
		{"unexpected disconnection while reading SMTP command from %H D=%ds", T_other_lines, ES_NONE, 1, 1500}}},
	{{150, 20, 60}, BOT, {NO_NAME, {"H=%H%X F=<%s> rejected RCPT <%r>: Unknown user", PERMANENT, 9, 600}}},
	{{60, 20, 40}, SERVER, {{"H=%H%X F=<%s> rejected RCPT <%r>: Unknown user", PERMANENT, 2, 300}}},
	{{100, 40, 60}, SERVER, {NO_NAME, {"H=%H%X F=<%s> temporarily rejected RCPT <%r>: greylisted temporarily", TEMPORARY, 3, 300}}},
	{{80, 10, 50}, BOT, {NO_NAME, {"H=%H%X F=<%s> rejected RCPT <%r>: JunkMail rejected - %H is in an RBL, see Blocked"
		" - see https://www.dnsbl.example/query/ip/%i", PERMANENT, 4, 500}}},
	{{80, 10, 40}, BOT, {NO_NAME, {"H=%H%X F=<%s> rejected RCPT <%r>: %i is listed at zen.dnsbl.example (127.0.0.4: "
		"\"https://check.dnsbl.example/query/ip/%i\")", PERMANENT, 3, 500}}},
	{{25, 3, 10}, BOT, {NO_NAME, {"H=%H rejected EHLO or HELO %N: Access denied - %N is a spambot", PERMANENT, 2, 200}}},
	{{12, 2, 6}, BOT, {{"rejected EHLO from %b: syntactically invalid argument(s): bad helo %k", PERMANENT, 1, 0}}},
	{{12, 2, 6}, BOT, {{"rejected HELO from %b: syntactically invalid argument(s): (no argument given)", PERMANENT, 2, 900}}},
	{{25, 5, 15}, SERVER, {{"H=%H%X sender verify fail for <%s>: Unrouteable address", T_other_lines, ES_NONE, 1, 0},
		{"H=%H%X F=<%s> rejected RCPT <%r>: Sender verify failed", PERMANENT, 2, 20}}},
	{{12, 3, 6}, SERVER, {{"H=%H%X F=<%s> temporarily rejected RCPT <%r>: Could not complete sender verify callout", TEMPORARY, 1, 0}}},
	{{20, 3, 8}, SERVER, {NO_NAME, {"H=%H%X rejected MAIL <%s>: Sender %s is blacklisted", PERMANENT, 2, 800}}},
	{{15, 4, 8}, CLIENT, {NO_NAME, {"H=%H%X F=<%s> rejected RCPT <%f>: Sender rate %n.%d / 1h exceeds 60", PERMANENT, 6, 300}}},
	{{25, 12, 20}, SERVER, {{"%I H=%H%X F=<%s> rejected after DATA: spam score %y (%x)", PERMANENT, 1, 0}}},
	{{4, 2, 3}, SERVER, {{"%I H=%H%X F=<%s> rejected after DATA: This message contains a virus (Win.Test.Sample-%n)", PERMANENT, 1, 0}}},
	{{3, 1, 2}, SERVER, {{"%I H=%H%X F=<%s> temporarily rejected after DATA: content scanner busy, try again later",
		T_rejected_temporary, ES_PERMANENT, 1, 0}}},
	{{10, 1, 4}, BOT, {{"H=%b rejected connection in \"connect\" ACL: host blocked by admin list", PERMANENT, 4, 9000}}},
	{{10, 1, 4}, BOT, {{"Connection from %b refused: too many connections from that IP address",
		T_refused_connections, ES_PERMANENT, 9, 300}}},
	{{8, 1, 3}, BOT, {{"SMTP protocol synchronization error (input sent without waiting for greeting): rejected connection from "
		"H=%b input=\"GET / HTTP/1.1\\r\\n\"", T_protocol_errors, ES_PERMANENT, 2, 900}}},
	{{8, 1, 3}, BOT, {NO_NAME, {"SMTP protocol error in \"AUTH LOGIN\" H=%H AUTH command used when not advertised",
		T_protocol_errors, ES_NONE, 5, 400}, {"SMTP call from %H dropped: too many syntax or protocol errors (last command was "
		"\"AUTH LOGIN\",  C=EHLO,AUTH,AUTH,AUTH,AUTH)", T_dropped_connections, ES_PERMANENT, 1, 100}}},
	{{150, 12, 50}, BOT, {NO_NAME, {"%M authenticator failed for %H: 535 Incorrect authentication data (set_id=%L)",
		T_auth_failures, ES_NONE, 8, 7000}}},
	{{90, 5, 30}, BOT, {NO_NAME, {"login authenticator failed for %H: 535 Incorrect authentication data (set_id=%L)",
		T_auth_failures, ES_NONE, 3, 2000}, {"unexpected disconnection while reading SMTP command from %H D=%ds",
		T_other_lines, ES_NONE, 1, 900}}},
	{{20, 3, 10}, BOT, {NO_NAME, {"no MAIL in SMTP connection from %H D=%ds C=EHLO,QUIT", T_other_lines, ES_NONE, 1, 500}}},
	{{14, 3, 8}, BOT, {{"TLS error on connection from %H (gnutls_handshake): A packet with illegal or unsupported version was received.",
		T_other_lines, ES_NONE, 2, 700}}},
	{{8, 4, 6}, CLIENT, {{"TLS error on connection from %H (recv): The TLS connection was non-properly terminated.", T_other_lines, ES_NONE, 1, 0}}},
	{{8, 3, 5}, BOT, {NO_NAME, {"SMTP connection from %H lost D=%n.%ds", T_other_lines, ES_NONE, 1, 4000}}},
	{{6, 2, 4}, BOT, {NO_NAME, {"SMTP command timeout on connection from %H D=5m%ds", T_other_lines, ES_NONE, 1, 300000}}},
};

#define IMAP_INIT {"imapd[%p]: imap service init from %i", T_imap_other, ES_NONE, 1, 0}
#define SCAN_BEGIN {"spamd[%p]: spamd: connection from localhost [127.0.0.1]:%o to port 783, fd 5", T_spamd_other, ES_NONE, 1, 0}, \
	{"spamd[%p]: spamd: setuid to nobody succeeded", T_spamd_other, ES_NONE, 1, 2}, \
	{"spamd[%p]: spamd: processing message <%A> for nobody:65534", T_spamd_other, ES_NONE, 1, 5}
#define SCAN_END "scantime=%d.%d,size=%z,user=nobody,uid=65534,required_score=5.0,rhost=localhost,raddr=127.0.0.1," \
	"rport=%o,mid=<%A>,autolearn=no autolearn_force=no"

static const struct script maillog_scripts[] = {
	{{200, 200, 200}, CLIENT, {IMAP_INIT, {"imapd[%p]: Login user=%r host=%Q %b", T_imap_logins, ES_NONE, 1, 200},
		{"imapd[%p]: Logout user=%r host=%Q %b", T_imap_ends, ES_NONE, 1, 40000}}},
	{{40, 40, 40}, CLIENT, {{"imapd[%p]: imaps SSL service init from %i", T_imap_other, ES_NONE, 1, 0},
		{"imapd[%p]: Authenticated user=%r host=%b mech=PLAIN", T_imap_logins, ES_NONE, 1, 200},
		{"imapd[%p]: Autologout user=%r host=%b", T_imap_ends, ES_NONE, 1, 1800000}}},
	{{20, 20, 20}, CLIENT, {IMAP_INIT, {"imapd[%p]: Login user=%r host=%Q %b", T_imap_logins, ES_NONE, 1, 200},
		{"imapd[%p]: Killed (lost mailbox lock) user=%r host=%Q %b", T_imap_ends, ES_NONE, 1, 9000}}},
	{{60, 20, 40}, BOT, {IMAP_INIT, {"imapd[%p]: Login failed user=%r auth=%r host=%b", T_imap_failures, ES_NONE, 3, 3000},
		{"imapd[%p]: Unexpected client disconnect, while reading line user=??? host=%b", T_imap_ends, ES_NONE, 1, 500}}},
	{{150, 150, 150}, CLIENT, {{"vm-pop3d[%p]: User '%r' logged in from %i, nmsgs=%d", T_pop_logins, ES_NONE, 1, 0},
		{"vm-pop3d[%p]: bytes: user %r %n bytes", T_pop_transfers, ES_NONE, 1, 900},
		{"vm-pop3d[%p]: Session ended for user: '%r' from %i, nmsgs=%d, ndel=%d", T_pop_ends, ES_NONE, 1, 600}}},
	{{80, 30, 50}, BOT, {{"vm-pop3d[%p]: User '%r' - failed auth, from=%i", T_pop_failures, ES_NONE, 6, 4000},
		{"vm-pop3d[%p]: Session ended for no user from %i", T_pop_ends, ES_NONE, 1, 900}}},
	{{10, 10, 10}, CLIENT, {{"vm-pop3d[%p]: User '%r' logged in from %i, nmsgs=%d", T_pop_logins, ES_NONE, 1, 0},
		{"vm-pop3d[%p]: Socket closed from %i", T_pop_other, ES_NONE, 1, 3000}}},
	{{60, 120, 90}, SERVER, {SCAN_BEGIN, {"spamd[%p]: spamd: clean message (%d.%d/5.0) for nobody:65534 in %d.%d seconds, %z bytes.",
		T_spamd_ham, ES_NONE, 1, 900}, {"spamd[%p]: spamd: result: .  %d - HTML_MESSAGE,SPF_PASS,DKIM_VALID " SCAN_END,
		T_spamd_results, ES_NONE, 1, 1}}},
	{{60, 30, 40}, SERVER, {SCAN_BEGIN, {"spamd[%p]: spamd: identified spam (%y/5.0) for nobody:65534 in %d.%d seconds, %z bytes.",
		T_spamd_spam, ES_NONE, 1, 900}, {"spamd[%p]: spamd: result: Y  %n - BAYES_99,HTML_MESSAGE,RDNS_NONE,URIBL_BLACK " SCAN_END,
		T_spamd_results, ES_NONE, 1, 1}}},
	{{10, 10, 10}, LOCAL, {{"spamd[%p]: prefork: child states: BI", T_spamd_other, ES_NONE, 1, 0}}},
};

/* A name was looked for only where there is none, and said so only with the default selectors. */
static bool is_skipped(const struct step *step, const struct peer *p)
{
	return step->kind == T_no_host_name && (opt.provider || has_name(p));
}

static void enter_step(struct story *s)
{
	while (s->step < COUNT(s->script->step) && s->script->step[s->step].format &&
			is_skipped(&s->script->step[s->step], &s->peer))
		s->step++;
	const struct step *step = &s->script->step[s->step];
	s->left = step->format ? 1 + below(1 + below(step->most)) : 0;
}

/* Whom a mail daemon's session is about stays the same; a rejected client tries one address after another. */
static void say_step(struct story *s)
{
	const struct step *step = &s->script->step[s->step];
	if (opt.maillog) {
		struct scene scene = scene_of(s);
		scene.salt = s->salt;
		say(step->kind, step->es, step->format, &scene);
		return;
	}
	if (strncmp(step->format, "%I", 2) == 0)
		make_id(s->id, next_pid());
	s->to[0].to = hosted_address();
	s->to[0].final = remote_address();
	struct scene scene = scene_of(s);
	say(step->kind, step->es, step->format, &scene);
}

static void next_step(uint32_t index)
{
	struct story *s = &stories.all[index];
	say_step(s);
	if (--s->left == 0) {
		s->step++;
		enter_step(s);
	}
	if (s->left == 0) {
		end_story(index);
		return;
	}
	schedule(1 + uneven(s->script->step[s->step].gap_ms), NEXT_STEP, index);
}

static uint64_t random_size(void)
{
	uint32_t octave = 10 + below(3) + below(4);
	while (octave < 24 && chance(220))
		octave++;
	return (UINT64_C(1) << octave) + below(UINT32_C(1) << octave);
}

static void play(const struct script *script)
{
	uint32_t index = new_story();
	struct story *s = &stories.all[index];
	s->script = script;
	s->peer = script->who == LOCAL ? (struct peer){0} : peer_of(script->who);
	s->sender = script->who == CLIENT ? hosted_address() : remote_address();
	s->null_sender = script->who == SERVER && chance(40);
	s->to[0].to = hosted_address();
	s->pid = next_pid();
	s->size = random_size();
	enter_step(s);
	next_step(index);
}

static const struct script *choose(const struct script *list, size_t count)
{
	uint32_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += list[i].weight[opt.mix];
	uint32_t at = below(total);
	size_t i = 0;
	for (; at >= list[i].weight[opt.mix]; i++)
		at -= list[i].weight[opt.mix];
	return &list[i];
}

/* ---- messages ---- */

struct trouble {
	unsigned weight;
	const char *format;
};

static const struct trouble remote_deferrals[] = {
	{30, "%I == %f%F R=lookuphost T=remote_smtp defer (-44) H=%E: SMTP error from remote mail server after RCPT TO:<%f>: "
		"451 4.7.1 <%f>: Recipient address rejected: Greylisted, see http://postgrey.example/help/%D.html"},
	{15, "%I == %f%F R=lookuphost T=remote_smtp defer (-44) H=%E: SMTP error from remote mail server after RCPT TO:<%f>: "
		"450 4.2.0 <%f>: Recipient address rejected: Greylisted for %n seconds"},
	{15, "%I == %f%F R=lookuphost T=remote_smtp defer (-44) H=%E: SMTP error from remote mail server after RCPT TO:<%f>: "
		"452 4.2.2 The email account that you tried to reach is over quota. %k - gsmtp"},
	{10, "%I == %f%F R=lookuphost T=remote_smtp defer (-46) H=%E: SMTP error from remote mail server after end of data: "
		"421 4.7.0 Our system has detected an unusual rate of unsolicited mail. %k - gsmtp"},
	{15, "%I == %f%F R=lookuphost T=remote_smtp defer (110): Connection timed out"},
	{10, "%I == %f%F R=lookuphost T=remote_smtp defer (111): Connection refused"},
	{5, "%I == %f%F R=lookuphost defer (-1): host lookup did not complete"},
};
static const struct trouble remote_failures[] = {
	{30, "%I ** %f%F R=lookuphost T=remote_smtp H=%E: SMTP error from remote mail server after RCPT TO:<%f>: "
		"550 5.1.1 <%f>: Recipient address rejected: User unknown in virtual mailbox table"},
	{25, "%I ** %f%F R=lookuphost T=remote_smtp H=%E%T: SMTP error from remote mail server after RCPT TO:<%f>: "
		"550-5.1.1 The email account that you tried to reach does not exist. Please try\\n550-5.1.1 double-checking the "
		"recipient's email address for typos or\\n550 5.1.1 unnecessary spaces. %k - gsmtp"},
	{20, "%I ** %f%F R=lookuphost T=remote_smtp H=%E%T: SMTP error from remote mail server after pipelined end of data: "
		"554 5.7.1 Message rejected as spam by Content Filtering. score=%y"},
	{15, "%I ** %f%F: Unrouteable address"},
	{10, "%I ** %f%F: all relevant MX records point to non-existent hosts"},
};
static const char *const host_errors[] = {
	"%I H=%E Connection timed out",
	"%I H=%E: Remote host closed connection in response to EHLO %Q",
	"%I H=%E: SMTP timeout after initial connection: Connection timed out",
};

static const char *trouble_of(const struct trouble *list, size_t count)
{
	unsigned total = 0;
	for (size_t i = 0; i < count; i++)
		total += list[i].weight;
	unsigned at = below(total);
	size_t i = 0;
	for (; at >= list[i].weight; i++)
		at -= list[i].weight;
	return list[i].format;
}

static struct scene scene_to(const struct story *s, const struct recipient *r)
{
	struct scene scene = scene_of(s);
	scene.to = r->to;
	scene.final = r->final;
	if (r->final.side == REMOTE)
		scene.peer = exchanger_of(&r->final);
	return scene;
}

static void defer(struct story *s, struct recipient *r, const char *format, const struct scene *scene)
{
	r->outcome = WAITING;
	if (room() && !s->delayed) {
		s->delayed = true;
		tally[T_delayed_messages]++;
	}
	say(T_deferred_lines, ES_NONE, format, scene);
}

static void fail(struct story *s, struct recipient *r, const char *format, const struct scene *scene)
{
	r->outcome = DONE;
	if (room() && !s->failed) {
		s->failed = true;
		tally[T_failed_messages]++;
	}
	say(T_failed_lines, ES_NONE, format, scene);
}

static void deliver(const struct story *s, struct recipient *r, const char *format, const struct scene *scene)
{
	r->outcome = DONE;
	if (room()) {
		tally[T_delivered_addresses]++;
		tally[T_delivered_bytes] += s->size;
	}
	say(T_delivered, ES_NONE, format, scene);
}

static void deliver_more(struct recipient *r, const char *format, const struct scene *scene)
{
	r->outcome = DONE;
	tally[T_delivered_addresses] += room();
	say(T_delivered_more, ES_NONE, format, scene);
}

static void attempt_local(struct story *s, struct recipient *r)
{
	struct scene scene = scene_to(s, r);
	bool lmtp = hash_of(6, r->to.domain, 0) % 4 == 0;
	if (chance(s->tries ? 300 : 12))
		defer(s, r, "%I == %u <%r>%F R=virtual_user T=virtual_localdelivery defer (-22): mailbox is full (MTA-imposed quota exceeded while writing to tmp/)", &scene);
	else if (s->tries > 4 || chance(6))
		fail(s, r, "%I ** %u <%r>%F R=virtual_user T=virtual_localdelivery: mailbox is full: retry timeout exceeded", &scene);
	else if (lmtp)
		deliver(s, r, "%I => %u <%r>%F R=virtual_user T=dovecot_lmtp%Z C=\"250 2.0.0 <%r> %k Saved\"", &scene);
	else
		deliver(s, r, "%I => %u <%r>%F R=virtual_user T=virtual_localdelivery%Z", &scene);
}

static bool same_exchange(const struct recipient *a, const struct recipient *b)
{
	return b->outcome == PENDING && b->final.side == REMOTE && a->final.domain == b->final.domain && !b->forwarded;
}

/* One transaction takes all recipients of the domain. */
static void deliver_remote(struct story *s, struct recipient *r, struct scene *scene)
{
	if (r->forwarded) {
		deliver(s, r, "%I => %f <%r>%F R=lookuphost T=remote_smtp%Z H=%E%T%K C=\"%C\"", scene);
		return;
	}
	deliver(s, r, "%I => %f%F R=lookuphost T=remote_smtp%Z H=%E%T%K C=\"%C\"", scene);
	for (uint32_t i = 0; i < s->recipients; i++) {
		if (!same_exchange(r, &s->to[i]))
			continue;
		scene->to = s->to[i].to;
		scene->final = s->to[i].final;
		deliver_more(&s->to[i], "%I -> %f%F R=lookuphost T=remote_smtp%Z H=%E%T%K C=\"%C\"", scene);
	}
}

static void attempt_remote(struct story *s, struct recipient *r)
{
	struct scene scene = scene_to(s, r);
	uint32_t luck = below(1000), bad = s->hopeless ? 900 : s->tries ? 350 : 70;
	if (s->tries > 5 && luck < bad) {
		fail(s, r, "%I ** %f%F: retry timeout exceeded", &scene);
	} else if (luck < bad) {
		if (luck % 4 == 0)
			say(T_host_errors, ES_NONE, one_of(host_errors, COUNT(host_errors), scene.salt), &scene);
		if (s->tries && !opt.provider && luck % 3 == 0)
			defer(s, r, "%I == %f%F R=lookuphost T=remote_smtp defer (-54): retry time not reached for any host for '%D'", &scene);
		else
			defer(s, r, trouble_of(remote_deferrals, COUNT(remote_deferrals)), &scene);
	} else if (luck >= (s->null_sender ? 700u : 965u)) {
		fail(s, r, trouble_of(remote_failures, COUNT(remote_failures)), &scene);
	} else {
		deliver_remote(s, r, &scene);
	}
}

static struct recipient *with(struct story *s, enum outcome outcome)
{
	for (uint32_t i = 0; i < s->recipients; i++)
		if (s->to[i].outcome == outcome)
			return &s->to[i];
	return NULL;
}

static void arrive(uint32_t index, const char *format)
{
	struct story *s = &stories.all[index];
	make_id(s->id, next_pid());
	struct scene scene = scene_of(s);
	if (room()) {
		tally[T_received_bytes] += s->size;
		tally[T_received_bounces] += s->null_sender;
	}
	say(T_received, ES_NONE, format, &scene);
	schedule(20 + uneven(600), ATTEMPT, index);
}

/* Exim delivers to an address once, however often it was named. */
static struct recipient *add_recipient(struct story *s, struct address a)
{
	for (uint32_t i = 0; i < s->recipients; i++)
		if (s->to[i].to.domain == a.domain && s->to[i].to.user == a.user)
			return &s->to[i];
	struct recipient *r = &s->to[s->recipients++];
	*r = (struct recipient){.to = a, .final = a};
	return r;
}

static void bounce(uint32_t parent)
{
	uint32_t index = new_story();
	struct story *b = &stories.all[index], *p = &stories.all[parent];
	memcpy(b->parent, p->id, sizeof b->parent);
	b->null_sender = true;
	b->size = 1200 + below(3000) + (p->size < 60000 ? p->size : 1000);
	add_recipient(b, p->sender);
	arrive(index, "%I <= <> R=%J U=Debian-exim P=local S=%z%B");
}

/* Queue runs begin at every half hour. */
static int64_t to_queue_run(void)
{
	return 30 * MINUTE - now_ms % (30 * MINUTE) + SECOND + uneven(9 * SECOND);
}

static void conclude(uint32_t index)
{
	struct story *s = &stories.all[index];
	struct scene scene = scene_of(s);
	if (s->failed && s->null_sender) {
		s->step = 0;
		say(T_frozen_lines, ES_NONE, "%I Frozen (delivery error message)", &scene);
		schedule(to_queue_run(), FROZEN, index);
		return;
	}
	if (s->failed)
		bounce(index);
	scene.story = &stories.all[index];
	say(T_completed, ES_NONE, "%I Completed", &scene);
	end_story(index);
}

static void attempt(uint32_t index)
{
	struct story *s = &stories.all[index];
	struct recipient *r = with(s, PENDING);
	if (r->final.side == HOSTED)
		attempt_local(s, r);
	else
		attempt_remote(s, r);
	bool remote_next = (r = with(s, PENDING)) && r->final.side == REMOTE;
	if (r)
		schedule(5 + uneven(remote_next ? 900 : 30), ATTEMPT, index);
	else if (with(s, WAITING))
		schedule(to_queue_run() + (30 * MINUTE << (s->tries < 4 ? s->tries : 4)) - 30 * MINUTE, RETRY, index);
	else
		conclude(index);
}

static void retry(uint32_t index)
{
	struct story *s = &stories.all[index];
	s->tries++;
	for (uint32_t i = 0; i < s->recipients; i++)
		if (s->to[i].outcome == WAITING)
			s->to[i].outcome = PENDING;
	attempt(index);
}

static void still_frozen(uint32_t index)
{
	struct story *s = &stories.all[index];
	struct scene scene = scene_of(s);
	if (s->step++ < 12) {
		say(T_frozen_lines, ES_NONE, "%I Message is frozen", &scene);
		schedule(to_queue_run() + (HOUR << (s->step < 5 ? s->step : 5)) - HOUR, FROZEN, index);
		return;
	}
	say(T_frozen_lines, ES_NONE, "%I cancelled by timeout_frozen_after", &scene);
	say(T_completed, ES_NONE, "%I Completed", &scene);
	end_story(index);
}

static uint32_t recipient_count(void)
{
	return chance(opt.mix == DELIVERY ? 620 : 800) ? 1 : 2 + zipf(MOST_RECIPIENTS - 1);
}

static void look_up_name(const struct story *s)
{
	struct scene scene = scene_of(s);
	if (!opt.provider && !has_name(&s->peer))
		say(T_no_host_name, ES_NONE, "no host name found for IP address %i", &scene);
}

static void mail_in(void)
{
	uint32_t index = new_story(), count = recipient_count();
	struct story *s = &stories.all[index];
	s->peer = peer_of(SERVER);
	s->sender = remote_address();
	s->null_sender = chance(30);
	s->size = random_size();
	for (uint32_t i = 0; i < count; i++) {
		struct recipient *r = add_recipient(s, hosted_address());
		if (chance(70)) {
			r->forwarded = true;
			r->final = remote_address();
		}
	}
	look_up_name(s);
	arrive(index, "%I <= %S H=%H P=%P%X%K S=%z%G id=%A%B");
}

static void remote_recipients(struct story *s)
{
	uint32_t count = recipient_count();
	struct address a = remote_address();
	for (uint32_t i = 0; i < count; i++) {
		if (chance(400))
			a = remote_address();
		add_recipient(s, a);
		a.user = zipf(60);
	}
	s->hopeless = chance(10);
}

static void mail_out(void)
{
	uint32_t index = new_story();
	struct story *s = &stories.all[index];
	s->peer = peer_of(CLIENT);
	s->sender = hosted_address();
	s->size = random_size();
	s->pid = next_pid();
	remote_recipients(s);
	look_up_name(s);
	arrive(index, "%I <= %S H=%H P=esmtpsa X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no "
		"A=%M:%S S=%z id=%A%B");
}

static void mail_local(void)
{
	static const char *const lines[] = {
		"%I <= %S U=www-data P=local S=%z id=%A%B", "%I <= %S U=root P=local S=%z id=%A%B", "%I <= %S U=web%d P=local S=%z id=%A%B",
	};
	uint32_t index = new_story();
	struct story *s = &stories.all[index];
	s->sender = hosted_address();
	s->size = random_size() / 4 + 400;
	if (chance(400))
		add_recipient(s, hosted_address());
	else
		remote_recipients(s);
	arrive(index, one_of(lines, COUNT(lines), rnd()));
}

static void queue_run(uint32_t index)
{
	struct story *s = &stories.all[index];
	struct scene scene = scene_of(s);
	bool begins = s->step ^= 1;
	if (begins)
		s->pid = next_pid();
	if (!opt.provider)
		say(T_other_lines, ES_NONE, begins ? "Start queue run: pid=%p" : "End queue run: pid=%p", &scene);
	schedule(begins ? SECOND + uneven(9 * SECOND) : 30 * MINUTE - now_ms % (30 * MINUTE), QUEUE_RUN, index);
}

/* ---- everything together ---- */

static void scene_without_message(void)
{
	if (opt.maillog)
		play(choose(maillog_scripts, COUNT(maillog_scripts)));
	else
		play(choose(mainlog_scripts, COUNT(mainlog_scripts)));
}

static const struct {
	uint16_t weight[MIXES];
	void (*begin)(void);
} sessions[] = {
	{{920, 55, 450}, scene_without_message},
	{{55, 215, 330}, mail_in},
	{{18, 670, 160}, mail_out},
	{{7, 60, 60}, mail_local},
};

static void begin_session(void)
{
	if (opt.maillog) {
		scene_without_message();
		return;
	}
	uint32_t at = below(1000);
	size_t i = 0;
	for (; at >= sessions[i].weight[opt.mix]; i++)
		at -= sessions[i].weight[opt.mix];
	sessions[i].begin();
}

static void happen(const struct event *e)
{
	static void (*const handler[])(uint32_t) = {
		[NEXT_STEP] = next_step, [ATTEMPT] = attempt, [RETRY] = retry, [FROZEN] = still_frozen, [QUEUE_RUN] = queue_run,
	};
	handler[e->kind](e->story);
}

/* As the curve wants it, with a chance that is bounded, so that no great wait calls for a great burst. */
static int64_t time_to_next_session(void)
{
	uint64_t done = tally[T_lines] + heap.soon;
	int64_t due = moment(done) - now_ms, usual = moment(done + 4) - moment(done);
	return due > usual ? due - usual + uneven(usual) : uneven(due > 0 ? due : usual / 8);
}

static void generate(void)
{
	int64_t session = 0, end = opt.days * DAY - 1;
	if (!opt.maillog)
		schedule(0, QUEUE_RUN, new_story());
	while (room()) {
		if (heap.used && heap.all[0].at <= session) {
			struct event e = next_event();
			now_ms = e.at;
			happen(&e);
			continue;
		}
		now_ms = session;
		begin_session();
		session += time_to_next_session();
		if (session > end)
			session = end;
	}
	flush_out();
}

static void write_truth(void)
{
	tally[T_distinct_senders] = senders.used;
	tally[T_distinct_recipients] = recipients.used;
	tally[T_distinct_final_addresses] = finals.used;
	tally[T_distinct_rejected_ips] = rejected_ips.used;
	tally[T_distinct_auth_failure_ips] = auth_ips.used;
	tally[T_distinct_sending_hosts] = sending.used;
	tally[T_distinct_receiving_hosts] = receiving.used;
	FILE *f = fopen(opt.truth, "w");
	if (!f)
		die("cannot write the truth: ", strerror(errno));
	for (unsigned i = 0; i < TALLY_COUNT; i++)
		fprintf(f, "%s %" PRIu64 "\n", tally_name[i], tally[i]);
	if (fclose(f))
		die("cannot write the truth: ", strerror(errno));
}

/* ---- command line ---- */

static const char usage[] =
	"usage: generate [--lines N] [--mix rejection|delivery|mixed] [--ids 16|23] [--seed S]\n"
	"                [--start YYYY-MM-DD] [--days D] [--selectors default|provider]\n"
	"                [--maillog] [--truth FILE] > LOG\n";

static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value < least || value > most)
		die("number out of range: ", text);
	return value;
}

static unsigned word_of(const char *text, const char *const *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(text, list[i]) == 0)
			return i;
	die("not understood: ", text);
	return 0;
}

static int64_t date_from(const char *text)
{
	struct date d;
	char *p;
	d.year = strtol(text, &p, 10);
	d.month = (unsigned)strtoul(*p == '-' ? p + 1 : "", &p, 10);
	d.day = (unsigned)strtoul(*p == '-' ? p + 1 : "", &p, 10);
	if (*p || d.year > 9999 ||
			d.year < 1970 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31)
		die("not a date: ", text);
	int64_t days = days_of(d);
	if (date_of(days).day != d.day)
		die("no such day: ", text);
	return days * DAY;
}

static void set_option(const char *name, const char *value)
{
	static const char *const mixes[] = {"rejection", "delivery", "mixed"}, *const ids[] = {"16", "23"},
		*const selectors[] = {"default", "provider"};
	if (!strcmp(name, "--lines"))
		opt.lines = number(value, 1, 1000000000);
	else if (!strcmp(name, "--mix"))
		opt.mix = (enum mix)word_of(value, mixes, 3);
	else if (!strcmp(name, "--ids"))
		opt.long_ids = word_of(value, ids, 2);
	else if (!strcmp(name, "--seed"))
		opt.seed = number(value, 0, UINT64_MAX);
	else if (!strcmp(name, "--start"))
		opt.start = date_from(value);
	else if (!strcmp(name, "--days"))
		opt.days = (int64_t)number(value, 1, 3660);
	else if (!strcmp(name, "--selectors"))
		opt.provider = word_of(value, selectors, 2);
	else if (!strcmp(name, "--truth"))
		opt.truth = value;
	else
		die("no such option: ", name);
}

static void read_options(int argc, char **argv)
{
	opt.start = date_from("2026-03-02");
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help")) {
			fputs(usage, stdout);
			exit(0);
		} else if (!strcmp(argv[i], "--maillog")) {
			opt.maillog = true;
		} else if (i + 1 < argc) {
			set_option(argv[i], argv[i + 1]);
			i++;
		} else {
			fputs(usage, stderr);
			exit(64);
		}
	}
	if (!opt.days)
		opt.days = 1 + (int64_t)((opt.lines - 1) / 1000000);
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	seed_all(opt.seed);
	draw_curve();
	generate();
	if (fflush(stdout))
		die("cannot write: ", strerror(errno));
	if (opt.truth)
		write_truth();
	return 0;
}
