/* fuzz.c — libFuzzer's entry; the environment's FUZZ_PARSER names the parser: frame or a dialect. */
#include <stdio.h>
#include <stdlib.h>

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *name = getenv("FUZZ_PARSER");
    if (!name) {
        fputs("fuzz: FUZZ_PARSER names no parser\n", stderr);
        exit(2);
    }
    target_run(name, bytes, n);
    return 0;
}
