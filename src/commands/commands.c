/* commands.c — what the commands share. */
#include "commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/memory.h"
#include "../store/pruned.h"

int command_fail(const struct error *err)
{
    error_print(err);
    return err->kind == FAIL_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

char *command_db_path(const char *given)
{
    const char *env = getenv("MAILTRAIL_DB"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (given)
        return xstrdup(given);
    if (env && *env)
        return xstrdup(env);
    if (geteuid() == 0)
        return xstrdup("/var/lib/mailtrail/mailtrail.db");
    if (data && *data)
        return xprintf("%s/mailtrail/mailtrail.db", data);
    return xprintf("%s/.local/share/mailtrail/mailtrail.db", home ? home : ".");
}

int command_open_db(const char *given, struct store **store, struct error *err)
{
    char *path = command_db_path(given);
    int done = store_open(path, STORE_READ, store, err);
    free(path);
    return done;
}

int command_close_db(struct store **store, int done, struct error *err)
{
    if (done == 0 && *store)
        done = store_check_still(*store, err);
    store_close(store);
    return done;
}

static void tell_pruned(void *context, const char *server, const char *day)
{
    const char *what = context;
    struct error said;
    error_set(&said, FAIL_DB, "%s: details before %s are pruned%s", server, day, what);
    error_print(&said);
}

int command_tell_pruned(struct store *store, int64_t since, const char *server, const char *what, struct error *err)
{
    char *context = xstrdup(what);
    const struct pruned_listener listener = {tell_pruned, context};
    int done = pruned_since(store, since, server, &listener, err);
    free(context);
    return done;
}

int command_flush(struct error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return error_set(err, FAIL_OS, "standard output: %s", strerror(errno));
}
