/* header.h — the headers of a refused message, as Exim's reject log dumps them: "Name: text". */
#ifndef MAILTRAIL_HEADER_H
#define MAILTRAIL_HEADER_H

#include "slice.h"

/* Whether the header is of that name, given in small letters; *text is what stands behind its colon. */
bool header_is(struct slice header, const char *name, struct slice *text);

/* What stands in the <> of a Message-ID header; absent of any other. */
struct slice header_message_id(struct slice header);

/* The next address of the header's text, which *text then stands behind: what has an @ between blanks, commas, brackets and
   quotes.  Absent: there are no more. */
struct slice header_address(struct slice *text);

#endif
