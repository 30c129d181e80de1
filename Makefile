# mailtrail: settings above, rules below; `make help` lists the targets.

PREFIX   ?= /usr/local
DESTDIR  ?=
CC       ?= cc
CFLAGS   ?= -O2 -g
WARNINGS  = -Wall -Wextra -Wconversion -Wshadow -Werror
STANDARD  = -std=c11 -D_GNU_SOURCE
LIBS      = -lsqlite3 -lpcre2-8 -lxlsxwriter -lz -lzstd -lbz2 -llzma -lpthread
LOGS     ?= tests/fixtures/town
DEMO_DB  ?= build/demo.db
COMPAT    = eximstats exigrep

# Debian packages, by name.
BUILD_PACKAGES = gcc make pkg-config libc6-dev libsqlite3-dev zlib1g-dev libzstd-dev libbz2-dev liblzma-dev libxxhash-dev libpcre2-dev libxlsxwriter-dev tzdata
CHECK_PACKAGES = binutils clang libclang-rt-14-dev sqlite3 exim4-base perl zstd bzip2 xz-utils ncompress time bash bsdutils $(TOWN_PACKAGES)
TOWN_PACKAGES = exim4-daemon-light spamd spamc libfaketime libresolv-wrapper coreutils perl sqlite3

PARSERS  := $(sort $(wildcard parsers/*.c))
SOURCES  := $(PARSERS) $(sort $(wildcard src/*/*.c))
EMBEDDED := $(sort $(wildcard schema/*.sql reports/* trace/*.sql))
HEADERS  := $(wildcard parsers/*.h src/*/*.h)
BUILD    ?= build
GENERATED = $(BUILD)/embedded_files.c $(BUILD)/dialects.c
OBJECTS   = $(SOURCES:%.c=$(BUILD)/%.o) $(GENERATED:.c=.o)

all: mailtrail ## build ./mailtrail

mailtrail: $(OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STANDARD) $(CFLAGS) $(WARNINGS) -c -o $@ $<

$(GENERATED:.c=.o): %.o: %.c $(HEADERS)
	$(CC) $(STANDARD) $(CFLAGS) $(WARNINGS) -I. -c -o $@ $<

# Parsing and hashing are the hot loops; the rest gains nothing from -O3.
$(BUILD)/parsers/%.o $(BUILD)/src/ingest/%.o $(BUILD)/src/compat/%.o $(BUILD)/src/base/hash.o: CFLAGS += -O3

$(BUILD)/embedded_files.c: $(EMBEDDED) tools/embed
	@mkdir -p $(@D)
	tools/embed $(EMBEDDED) > $@

$(BUILD)/dialects.c: $(PARSERS) tools/dialects
	@mkdir -p $(@D)
	tools/dialects $(PARSERS) > $@

demo: deps ## build, ingest LOGS (or the bundled town) and print the nightly report
	@$(MAKE) -s mailtrail
	@mkdir -p build && rm -f $(DEMO_DB) $(DEMO_DB)-*
	@if [ "$(LOGS)" = tests/fixtures/town ]; then export MAILTRAIL_CONF=$(LOGS)/mailtrail.conf; fi; \
	 ./mailtrail ingest --db $(DEMO_DB) $(LOGS)
	@./mailtrail report --db $(DEMO_DB)

install: mailtrail ## install below DESTDIR/PREFIX
	install -D -m 755 mailtrail $(DESTDIR)$(PREFIX)/bin/mailtrail
	for page in packaging/man/*.[1-8]; do \
	  install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/mailtrail docs/*.md

install-compat: install ## besides, links by the names of the programs that it stands in for
	for name in $(COMPAT); do ln -sf mailtrail $(DESTDIR)$(PREFIX)/bin/$$name; done

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/mailtrail
	for name in $(COMPAT); do [ ! -L $(DESTDIR)$(PREFIX)/bin/$$name ] || rm -f $(DESTDIR)$(PREFIX)/bin/$$name; done
	for page in packaging/man/*.[1-8]; do \
	  rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done
	for page in docs/*.md; do rm -f $(DESTDIR)$(PREFIX)/share/doc/mailtrail/$${page##*/}; done
	-rmdir $(DESTDIR)$(PREFIX)/share/doc/mailtrail

deps: ## install the libraries that the build needs (Debian packages)
	@tools/deps $(BUILD_PACKAGES)

deps-check: ## install what the tests need besides
	@tools/deps $(BUILD_PACKAGES) $(CHECK_PACKAGES)

# ---- tests ----
# The tests run a binary of their own, built with the sanitizers; clang's UBSan sees more than gcc's.
ASAN_FLAGS = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
UNIT_TESTS = $(patsubst tests/unit/%.c,build/asan/%,$(wildcard tests/unit/*_test.c))
LINE_FIXTURES = $(wildcard tests/fixtures/lines/*.t)
CLI_TESTS  = tests/town/town-live.t $(sort $(wildcard tests/cli/*.t tests/compat/*.t))
ROUNDS ?= 2000

check: deps-check ## run every test; the last line counts
	@$(MAKE) -s mailtrail
	@$(MAKE) -s BUILD=build/asan CC=clang CFLAGS="$(ASAN_FLAGS)" build/asan/mailtrail $(UNIT_TESTS) build/fuzz/replay
	@MAILTRAIL=$(CURDIR)/build/asan/mailtrail MAILTRAIL_FAST=$(CURDIR)/mailtrail LC_ALL=C TZ=UTC tests/run \
	  "build/asan/lines_test $(LINE_FIXTURES)" $(filter-out %/lines_test,$(UNIT_TESTS)) \
	  "build/fuzz/replay tests/fuzz/corpus" $(CLI_TESTS)

check-compat: mailtrail deps-check ## the old programs beside ours, ROUNDS logs and options by chance
	@ALL_OPTIONS=1 MAILTRAIL=$(CURDIR)/mailtrail tests/run tests/compat/eximstats.t tests/compat/exigrep.t
	@for program in tests/compat/random-*; do MAILTRAIL=$(CURDIR)/mailtrail $$program $(ROUNDS) || exit 1; done

# A folder that holds a week already is only read.
town: mailtrail ## a week by the real Exim and spamd, made anew, and what mailtrail tells of it; TOWN=FOLDER keeps it
	@tools/deps $(BUILD_PACKAGES) $(TOWN_PACKAGES)
	@[ -z "$(TOWN)" ] || [ -e "$(TOWN)/messages.json" ] || tests/town/run-week "$(TOWN)"
	@MAILTRAIL=$(CURDIR)/mailtrail LC_ALL=C TZ=UTC tests/run tests/town/town-live.t
	@[ -z "$(TOWN)" ] || printf '%s\n' "The week is in $(TOWN): logs/, and in messages.json what was done and seen.  Read it:" \
	  "  ./mailtrail ingest --db town.db --config $(TOWN)/mailtrail.conf $(TOWN)/logs && ./mailtrail report --db town.db"

build/asan/mailtrail: $(OBJECTS)
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

build/asan/%_test: tests/unit/%_test.c $(wildcard tests/unit/*.h) $(OBJECTS)
	$(CC) $(STANDARD) $(CFLAGS) $(WARNINGS) -o $@ $< $(filter-out %/main.o,$(OBJECTS)) $(LIBS)

# ---- fuzzing ----
# Parsers alone, built to count their steps (tests/fuzz/steps.h): the compiler's call in each block becomes ours.
FUZZ_FLAGS = $(ASAN_FLAGS) -fsanitize=fuzzer-no-link -fsanitize-coverage=trace-pc -include tests/fuzz/steps.h
FUZZ_OBJECTS = $(PARSERS:%.c=build/fuzz/%.o) build/asan/dialects.o build/asan/src/ingest/describe.o
FUZZ_SECONDS ?= 60

build/fuzz/parsers/%.o: parsers/%.c $(HEADERS) tests/fuzz/steps.h
	@mkdir -p $(@D)
	clang $(STANDARD) $(FUZZ_FLAGS) $(WARNINGS) -c -o $@ $<
	objcopy --redefine-sym __sanitizer_cov_trace_pc=step_block $@

build/fuzz/%: tests/fuzz/%.c tests/fuzz/target.c tests/fuzz/target.h tests/unit/arena.h $(FUZZ_OBJECTS)
	$(CC) $(STANDARD) $(CFLAGS) $(LDFLAGS) $(WARNINGS) -o $@ $< tests/fuzz/target.c $(FUZZ_OBJECTS)

build/fuzz/fuzz: LDFLAGS += -fsanitize=fuzzer

fuzz: deps-check ## run libFuzzer over frame and each dialect, FUZZ_SECONDS= each (60)
	@$(MAKE) -s BUILD=build/asan CC=clang CFLAGS="$(ASAN_FLAGS)" build/fuzz/fuzz
	@tests/fuzz/dictionary $(PARSERS) > build/fuzz/dictionary
	@rm -rf build/fuzz/seeds && tests/fuzz/seed build/fuzz/seeds $(LINE_FIXTURES)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run build/fuzz/fuzz build/fuzz/seeds

bench-parse: deps ## parsing alone, on one core, beside splitting the same log into words
	@$(MAKE) -s $(BUILD)/bench/parse $(BUILD)/bench/generate
	@printf '%-10s %10s %10s %12s %12s %8s\n' mix lines understood 'M parsed/s' 'M split/s' 'times'
	@for mix in rejection delivery; do \
	  $(BUILD)/bench/generate --lines $(BENCH_LINES) --mix $$mix --ids 16 > $(BUILD)/bench/$$mix.log && \
	  $(BUILD)/bench/parse $$mix $(BUILD)/bench/$$mix.log || exit 1; rm -f $(BUILD)/bench/$$mix.log; done

BENCH_LINES ?= 2000000
$(BUILD)/bench/parse: bench/parse.c $(PARSERS:%.c=$(BUILD)/%.o) $(BUILD)/dialects.o
	@mkdir -p $(@D)
	$(CC) $(STANDARD) $(CFLAGS) $(WARNINGS) -o $@ $^
$(BUILD)/bench/generate: bench/generate.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -O2 -o $@ $<

bench: mailtrail deps-check ## eximstats and mailtrail side by side: the ratios
	bench/run

clean: ## remove what was built
	rm -rf build mailtrail

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18

.PHONY: all check check-compat town install-compat fuzz bench bench-parse demo install uninstall deps deps-check clean help
