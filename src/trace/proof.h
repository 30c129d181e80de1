/* proof.h — which original lines stand behind a story. */
#ifndef MAILTRAIL_PROOF_H
#define MAILTRAIL_PROOF_H

#include "story.h"

/* Reads the lines of each part: those that name its id, spamd's that name its Message-ID, those of the sessions; and into
   of_refusals those of rows of trace/rejections.sql.  0, or -1 with *err. */
int proof_read(struct stories *stories, const struct rows *refusals, struct originals *of_refusals, struct error *err);

#endif
