# mailtrail: settings above, rules below; `make help` lists the targets.

PREFIX   ?= /usr/local
DESTDIR  ?=
CC       ?= cc
CFLAGS   ?= -O2 -g
WARNINGS  = -Wall -Wextra -Wconversion -Wshadow -Werror
STANDARD  = -std=c11 -D_GNU_SOURCE
LIBS      = -lsqlite3 -lz -lzstd -lpcre2-8 -lxlsxwriter -lpthread
LOGS     ?= tests/fixtures/town
DEMO_DB  ?= build/demo.db

# Debian packages, by name.
BUILD_PACKAGES = gcc make pkg-config libc6-dev libsqlite3-dev zlib1g-dev libzstd-dev libxxhash-dev libpcre2-dev libxlsxwriter-dev tzdata
CHECK_PACKAGES = clang libclang-rt-14-dev sqlite3 exim4-base perl zstd time

PARSERS  := $(sort $(wildcard parsers/*.c))
SOURCES  := $(PARSERS) $(sort $(wildcard src/*/*.c))
EMBEDDED := $(sort $(wildcard schema/*.sql reports/*))
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

install-compat: install ## besides, links by the names of the programs that it stands in for
	for name in eximstats; do ln -sf mailtrail $(DESTDIR)$(PREFIX)/bin/$$name; done

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/mailtrail
	for name in eximstats; do [ ! -L $(DESTDIR)$(PREFIX)/bin/$$name ] || rm -f $(DESTDIR)$(PREFIX)/bin/$$name; done
	for page in packaging/man/*.[1-8]; do \
	  rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done

deps: ## install the libraries that the build needs (Debian packages)
	@tools/deps $(BUILD_PACKAGES)

deps-check: ## install what the tests need besides
	@tools/deps $(BUILD_PACKAGES) $(CHECK_PACKAGES)

# ---- tests ----
# The tests run a binary of their own, built with the sanitizers; clang's UBSan sees more than gcc's.
ASAN_FLAGS = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
UNIT_TESTS = $(patsubst tests/unit/%.c,build/asan/%,$(wildcard tests/unit/*_test.c))
LINE_FIXTURES = $(wildcard tests/fixtures/lines/*.t)
CLI_TESTS  = $(sort $(wildcard tests/cli/*.t tests/compat/*.t))

check: deps-check ## run every test; the last line counts
	@$(MAKE) -s mailtrail
	@$(MAKE) -s BUILD=build/asan CC=clang CFLAGS="$(ASAN_FLAGS)" build/asan/mailtrail $(UNIT_TESTS)
	@MAILTRAIL=$(CURDIR)/build/asan/mailtrail MAILTRAIL_FAST=$(CURDIR)/mailtrail LC_ALL=C TZ=UTC tests/run \
	  "build/asan/lines_test $(LINE_FIXTURES)" $(filter-out %/lines_test,$(UNIT_TESTS)) $(CLI_TESTS)

ROUNDS ?= 2000
check-compat: mailtrail deps-check ## the drop-ins beside the old programs, ROUNDS logs and options at random
	@ALL_OPTIONS=1 MAILTRAIL=$(CURDIR)/mailtrail tests/run tests/compat/eximstats.t
	@MAILTRAIL=$(CURDIR)/mailtrail tests/compat/random-eximstats $(ROUNDS)

build/asan/mailtrail: $(OBJECTS)
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

build/asan/%_test: tests/unit/%_test.c $(OBJECTS)
	$(CC) $(STANDARD) $(CFLAGS) $(WARNINGS) -o $@ $< $(filter-out %/main.o,$(OBJECTS)) $(LIBS)

bench: mailtrail deps-check ## eximstats and mailtrail side by side: the ratios
	bench/run

clean: ## remove what was built
	rm -rf build mailtrail

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18

.PHONY: all check check-compat install-compat bench demo install uninstall deps deps-check clean help
