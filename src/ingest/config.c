/* config.c — a small file of sections and keys. */
#include "config.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"

struct section {
    char *pattern; /* NULL: the top */
    struct settings settings;
};

struct config {
    char *text; /* the file, cut up in place: settings point into it */
    struct section *sections;
    size_t count, capacity;
};

static char *trimmed(char *text)
{
    text += strspn(text, " \t\r");
    size_t n = strlen(text);
    while (n && strchr(" \t\r", text[n - 1]))
        text[--n] = 0;
    return text;
}

static int set_year(struct settings *settings, const char *value)
{
    char *end;
    long year = strtol(value, &end, 10);
    if (*end || year < 1970 || year > 2100)
        return -1;
    settings->year = (int)year;
    return 0;
}

static int set_duplication(struct settings *settings, const char *value)
{
    settings->syslog_single = strcmp(value, "no") == 0;
    return settings->syslog_single || strcmp(value, "yes") == 0 ? 0 : -1;
}

/* 0: taken; -1: no such key, or no value for it. */
static int set_key(struct settings *settings, const char *key, const char *value)
{
    if (!*value)
        return -1;
    if (strcmp(key, "server") == 0)
        settings->server = value;
    else if (strcmp(key, "zone") == 0)
        settings->zone = value;
    else if (strcmp(key, "year") == 0)
        return set_year(settings, value);
    else if (strcmp(key, "syslog_duplication") == 0)
        return set_duplication(settings, value);
    else
        return -1;
    return 0;
}

static struct section *add_section(struct config *config, char *pattern)
{
    config->sections = grow(config->sections, &config->capacity, config->count + 1,
                            sizeof *config->sections);
    config->sections[config->count] = (struct section){.pattern = pattern};
    return &config->sections[config->count++];
}

static int read_line(struct config *config, char *line)
{
    char *comment = strchr(line, '#');
    if (comment)
        *comment = 0;
    line = trimmed(line);
    size_t n = strlen(line);
    if (n == 0)
        return 0;
    if (*line == '[' && line[n - 1] == ']') {
        line[n - 1] = 0;
        add_section(config, trimmed(line + 1));
        return 0;
    }
    char *equals = strchr(line, '=');
    if (!equals)
        return -1;
    *equals = 0;
    return set_key(&config->sections[config->count - 1].settings, trimmed(line), trimmed(equals + 1));
}

static int read_lines(struct config *config, const char *path, struct error *err)
{
    int number = 0;
    add_section(config, NULL);
    for (char *line = config->text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        number++;
        if (read_line(config, line) < 0)
            return error_set(err, FAIL_USAGE,
                             "%s:%d: not understood; a line is KEY = VALUE (server, zone, year, "
                             "syslog_duplication = yes|no) or [PATTERN]", path, number);
    }
    return 0;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    size_t n = 0, capacity = 0;
    char *text = NULL;
    if (!file)
        return NULL;
    do {
        text = grow(text, &capacity, n + 4097, 1);
        n += fread(text + n, 1, 4096, file);
    } while (!feof(file) && !ferror(file));
    text[n] = 0;
    fclose(file);
    return text;
}

int config_read(const char *path, struct config **config, struct error *err)
{
    const char *named = path ? path : getenv("MAILTRAIL_CONF");
    const char *name = named && *named ? named : "/etc/mailtrail.conf";
    *config = xcalloc(1, sizeof **config);
    (*config)->text = read_file(name);
    if (!(*config)->text && ((named && *named) || errno != ENOENT))
        return error_set(err, FAIL_USAGE, "%s: cannot be read: %s", name, strerror(errno));
    return (*config)->text ? read_lines(*config, name, err) : 0;
}

void config_free(struct config **config)
{
    if (!*config)
        return;
    free((*config)->text);
    free((*config)->sections);
    free(*config);
    *config = NULL;
}

static void fill(struct settings *settings, const struct settings *from)
{
    if (!settings->server)
        settings->server = from->server;
    if (!settings->zone)
        settings->zone = from->zone;
    if (!settings->year)
        settings->year = from->year;
    settings->syslog_single |= from->syslog_single;
}

struct settings config_for(const struct config *config, const char *path)
{
    struct settings settings = {0};
    size_t i = 1;
    while (i < config->count && fnmatch(config->sections[i].pattern, path, 0) != 0)
        i++;
    if (i < config->count)
        fill(&settings, &config->sections[i].settings);
    if (config->count)
        fill(&settings, &config->sections[0].settings);
    return settings;
}
