/* notes.h — what is to be said of many paths: said of the first few, and of the rest how many they are. */
#ifndef MAILTRAIL_NOTES_H
#define MAILTRAIL_NOTES_H

#include <stddef.h>
#include <stdint.h>

enum note_kind { NOTE_NO_LOG, NOTE_EMPTY, NOTE_NO_FILE, NOTE_SERVER, NOTE_ZONE, NOTE_TWIN };

/* Paths of one kind in one folder, or of one server. */
struct note {
    enum note_kind kind;
    char *scope; /* the folder, the server */
    int64_t count;
};

/* Zeroed is empty. */
struct notes {
    struct note *all;
    size_t count, capacity;
};

/* Counts one more of a kind in a scope: how many there are now. */
int64_t notes_add(struct notes *notes, enum note_kind kind, const char *scope);
void notes_free(struct notes *notes);

#endif
