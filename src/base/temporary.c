/* temporary.c — O_TMPFILE where the file system has it. */
#include "temporary.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "memory.h"

int temporary_file(void)
{
    const char *dir = getenv("TMPDIR");
    int fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        char *name = xprintf("%s/mailtrail.XXXXXX", dir && *dir ? dir : "/tmp");
        fd = mkostemp(name, O_CLOEXEC);
        if (fd >= 0)
            unlink(name);
        free(name);
    }
    return fd;
}
