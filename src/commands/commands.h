/* commands.h — the commands, and what they share. */
#ifndef MAILTRAIL_COMMANDS_H
#define MAILTRAIL_COMMANDS_H

#include "../base/options.h"
#include "../store/store.h"
#include "../base/version.h"

extern const struct command command_ingest, command_report, command_status, command_explain, command_forget,
    command_exigrep, command_eximstats, command_check, command_sql, command_trace, command_lines, command_grep,
    command_prune;

/* Tells an error and answers the exit code that belongs to it: EXIT_USAGE or EXIT_FAILED. */
int command_fail(const struct error *err);

/* The database's path: as given, else $MAILTRAIL_DB, else the place that root or the user has for it.  The
   caller's to free. */
char *command_db_path(const char *given);

/* Opens the database for reading. */
int command_open_db(const char *given, struct store **store, struct error *err);

/* Closes it after reading.  done: how that went so far, 0 or -1 with *err; answers that, or -1 when it turns out now that
   what was read may be wrong. */
int command_close_db(struct store **store, int done, struct error *err);

/* Says on standard error of which servers, or whether of the one named, facts were pruned that a question from since
   on asks for; what: what of them is left. */
int command_tell_pruned(struct store *store, int64_t since, const char *server, const char *what, struct error *err);

/* Flushes standard output.  0; -1: it could not be written (a full disk, a closed pipe). */
int command_flush(struct error *err);

#endif
