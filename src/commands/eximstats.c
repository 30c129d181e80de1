/* eximstats.c — mailtrail eximstats, and the link of that name. */
#include "../compat/eximstats.h"
#include "commands.h"

const struct command command_eximstats = {
    "eximstats", "[OPTIONS] [LOG...]", "Exim's old statistics over the files named, option for option, no database",
    eximstats_main};
