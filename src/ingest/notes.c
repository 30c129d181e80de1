/* notes.c — counts by kind and scope; both are few. */
#include "notes.h"

#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"

int64_t notes_add(struct notes *notes, enum note_kind kind, const char *scope)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->all[i].kind == kind && strcmp(notes->all[i].scope, scope) == 0)
            return ++notes->all[i].count;
    notes->all = grow(notes->all, &notes->capacity, notes->count + 1, sizeof *notes->all);
    notes->all[notes->count++] = (struct note){kind, xstrdup(scope), 1};
    return 1;
}

void notes_free(struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        free(notes->all[i].scope);
    free(notes->all);
    *notes = (struct notes){0};
}
