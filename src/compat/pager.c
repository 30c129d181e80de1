/* pager.c — a pipe into a program of the user's choice. */
#include "pager.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/memory.h"

extern char **environ;

/* less shall neither clear the screen nor wait when all fits on one. */
static void prepare_less(void)
{
    const char *old = getenv("LESS");
    char *value = xprintf("%s --no-init --quit-if-one-screen", old ? old : "");
    setenv("LESS", value, 1);
    free(value);
}

/* Runs a command, through the shell if it has more than one word, with input as its standard input.  0: could not. */
static pid_t run(char *command, int input)
{
    char sh[] = "sh", option[] = "-c";
    char *words[] = {sh, option, command, NULL}, **argv = strpbrk(command, " \t|&;<>()$`\\\"'*?[#~=%") ? words : words + 2;
    posix_spawn_file_actions_t actions;
    pid_t pid;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    int failed = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed ? 0 : pid;
}

static pid_t run_any(int input)
{
    char less[] = "less", more[] = "more";
    char *candidates[] = {getenv("PAGER"), less, more};
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        pid_t pid = candidates[i] && *candidates[i] ? run(candidates[i], input) : 0;
        if (pid)
            return pid;
    }
    return 0;
}

int pager_start(void)
{
    int ends[2];
    if (!isatty(STDOUT_FILENO) || pipe2(ends, O_CLOEXEC) < 0)
        return 0;
    prepare_less();
    pid_t pid = run_any(ends[0]);
    close(ends[0]);
    if (pid)
        dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    return pid;
}

void pager_wait(int pager)
{
    if (!pager)
        return;
    fflush(stdout);
    close(STDOUT_FILENO);
    while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
        continue;
}
