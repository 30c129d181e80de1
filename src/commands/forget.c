/* forget.c — mailtrail forget. */
#include <stdlib.h>

#include "../store/forget.h"
#include "commands.h"

static int forget_all(struct store *store, const char *server, int count, char **names, int64_t *forgotten,
                      struct error *err)
{
    *forgotten = 0;
    for (int i = 0; i < count; i++) {
        int64_t some;
        if (forget_source(store, names[i], &some, err) < 0)
            return -1;
        if (some == 0)
            return error_set(err, FAIL_USAGE, "forget: no source '%s'; see mailtrail status for their numbers "
                             "and paths", names[i]);
        *forgotten += some;
    }
    if (!server)
        return 0;
    int64_t some;
    if (forget_server(store, server, &some, err) < 0)
        return -1;
    *forgotten += some;
    return some ? 0 : error_set(err, FAIL_USAGE, "forget: no server '%s'", server);
}

static int run(int argc, char **argv)
{
    const char *db = NULL, *server = NULL;
    const struct option_spec options[] = {{"db", "FILE", "the database", &db},
                                          {"server", "NAME", "forget all of a server's sources", &server},
                                          {NULL, NULL, NULL, NULL}};
    struct error err;
    struct store *store = NULL;
    int64_t forgotten = 0;
    int count = options_take(&command_forget, options, argc, argv, &err);
    if (count == -2)
        return EXIT_DONE;
    if (count == 0 && !server)
        count = error_set(&err, FAIL_USAGE, "forget: name sources by number or path, or a --server");
    if (count < 0)
        return command_fail(&err);
    char *path = command_db_path(db);
    int done = store_open(path, STORE_CHANGE, &store, &err);
    if (done == 0)
        done = forget_all(store, server, count, argv + 1, &forgotten, &err);
    if (forgotten)
        store_settle(store);
    store_close(&store);
    free(path);
    if (done < 0)
        return command_fail(&err);
    printf("%lld source%s forgotten\n", (long long)forgotten, forgotten == 1 ? "" : "s");
    return command_flush(&err) < 0 ? command_fail(&err) : EXIT_DONE;
}

const struct command command_forget = {"forget", "SOURCE...", "takes back what sources brought", run};
