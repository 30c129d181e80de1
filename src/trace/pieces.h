/* pieces.h — what entries of a trace for people are made of; all log text passes the escaper here. */
#ifndef MAILTRAIL_PIECES_H
#define MAILTRAIL_PIECES_H

#include <stdio.h>

#include "meaning.h"
#include "story.h"

void put_text(FILE *out, struct slice text);
/* before, the text and after; nothing where the text is absent. */
void put_with(FILE *out, const char *before, struct slice text, const char *after);
/* before, and the text as Exim's log has it between quotes; nothing where it is absent. */
void put_quoted(FILE *out, const char *before, struct slice text);
/* "<>" where it is empty. */
void put_address(FILE *out, struct slice address);

/* before and "host [ip]", as far as known. */
void put_host_of(FILE *out, const char *before, struct slice host, struct slice ip);
/* The same of columns host and ip of a row; helo: "host (HELO) [ip]". */
void put_host(FILE *out, const char *before, const struct rows *rows, size_t row, bool helo);

void put_duration(FILE *out, int64_t seconds);

/* On a line of its own: what it means, and whose it is to mend. */
void put_meaning(FILE *out, struct meaning meaning);
/* A row of trace/refusals.sql, or of trace/rejections.sql and the like: when in the dialogue, from whom, to whom, by whom, in
   what words, and what they mean. */
void put_refusal(FILE *out, const struct rows *refusals, size_t row);

/* "(the copy) ", "(the report) ", of a part that is not the message itself. */
void put_whose(FILE *out, const struct part *part);
/* On a line of its own, where a row is ambiguous: that it is. */
void put_ambiguous(FILE *out, const struct rows *rows, size_t row);

/* A line that tells how many more were found than are shown, if any; options: "--until shows". */
void put_more(FILE *out, size_t found, size_t shown, const char *what, const char *options);

#endif
