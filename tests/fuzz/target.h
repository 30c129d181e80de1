/* target.h — one input for one parser, and what must hold for it; used by libFuzzer and by the replay. */
#ifndef MAILTRAIL_FUZZ_TARGET_H
#define MAILTRAIL_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Name of the i-th parser: "frame", for whole lines, then every dialect, for bodies; NULL behind the last. */
const char *target_name(size_t i);

/* Reads the bytes as the named parser would, behind a guard page.  Aborts if a field lies outside of the line, if the
   reason's class or normal form is not sound, or if it took more steps than are allowed for that many bytes.
   Returns the steps; the name must be one of target_name's. */
uint64_t target_run(const char *name, const uint8_t *bytes, size_t n);

#endif
