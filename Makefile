# mailtrail: settings above, rules below; `make help` lists the targets.

PREFIX   ?= /usr/local
DESTDIR  ?=
CC       ?= cc
CFLAGS   ?= -O2 -g
WARNINGS  = -Wall -Wextra -Wconversion -Wshadow -Werror
STANDARD  = -std=c11 -D_GNU_SOURCE
LIBS      = -lsqlite3 -lz -lzstd -lpthread
LOGS     ?= tests/fixtures/town
DEMO_DB  ?= build/demo.db

# Debian packages, by name.
BUILD_PACKAGES = gcc make pkg-config libc6-dev libsqlite3-dev zlib1g-dev libzstd-dev libxxhash-dev tzdata
CHECK_PACKAGES = clang libclang-rt-14-dev libcmocka-dev sqlite3 exim4-base perl zstd time

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
$(BUILD)/parsers/%.o $(BUILD)/src/ingest/%.o $(BUILD)/src/base/hash.o: CFLAGS += -O3

$(BUILD)/embedded_files.c: $(EMBEDDED) tools/embed
	@mkdir -p $(@D)
	tools/embed $(EMBEDDED) > $@

$(BUILD)/dialects.c: $(PARSERS) tools/dialects
	@mkdir -p $(@D)
	tools/dialects $(PARSERS) > $@

deps: ## install the libraries that the build needs (Debian packages)
	@tools/deps $(BUILD_PACKAGES)

deps-check: ## install what the tests need besides
	@tools/deps $(BUILD_PACKAGES) $(CHECK_PACKAGES)

clean: ## remove what was built
	rm -rf build mailtrail

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18

.PHONY: all deps deps-check clean help
