/* steps.h — the work of a parser in steps that do not depend on the machine: the basic blocks it went through
   (the compiler calls step_block in each) and the bytes that memchr and memrchr looked at for it.  Given to the
   compiler with -include where parsers are built for tests/fuzz. */
#ifndef MAILTRAIL_STEPS_H
#define MAILTRAIL_STEPS_H

#include <stddef.h>
#include <string.h>

void *step_memchr(const void *s, int c, size_t n);
void *step_memrchr(const void *s, int c, size_t n);
void step_block(void);

#define memchr(s, c, n) step_memchr(s, c, n)
#define memrchr(s, c, n) step_memrchr(s, c, n)

#endif
