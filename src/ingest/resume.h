/* resume.h — a source found again by its content: by its first bytes, and by those before the place where
   reading stopped, whatever it is called by now and however it is packed. */
#ifndef MAILTRAIL_RESUME_H
#define MAILTRAIL_RESUME_H

#include "../store/sources.h"
#include "lines.h"

#define HEAD_SIZE 4096
#define SNIFF_SIZE 65536

struct resume {
    struct source_row row; /* of the source found, or of the new one with position 0 */
    bool is_known;
    int64_t known_by;      /* octets of the head that it was known by; 0: it is new */
    struct slice head;     /* the first octets, up to SNIFF_SIZE: to see what it is */
    char *memory;          /* the struct's own, behind head and tail */
    struct slice tail;     /* octets before row.position */
};

/* Finds the place where the source is to be read on, and puts it there.  0; -1: *err. */
int resume_find(struct store *store, int64_t server, struct source *source, struct resume *resume,
                struct error *err);
void resume_free(struct resume *resume);

/* Whether another server has a log that begins as this one: see sources_twin. */
int resume_twin(struct store *store, struct resume *resume, struct source_twin *twin, struct error *err);

/* Hash over the octets before a place; pure. */
uint64_t resume_tail_hash(struct slice tail);

/* The octets before a place, up to TAIL_SIZE, read anew into buf (TAIL_SIZE octets). */
int resume_read_tail(struct source *source, int64_t position, char *buf, struct slice *tail,
                     struct error *err);

#endif
