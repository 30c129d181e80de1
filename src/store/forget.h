/* forget.h — takes back what a source brought. */
#ifndef MAILTRAIL_FORGET_H
#define MAILTRAIL_FORGET_H

#include "store.h"

/* The sources to forget: those of an id or a path, or all of a server.  What other sources had in common with
   them is lost with them until those are read again: their positions are taken back to the beginning, so that
   the next ingest does so.  In one transaction.  *forgotten: how many sources went.  0, -1. */
int forget_source(struct store *store, const char *id_or_path, int64_t *forgotten, struct error *err);
int forget_server(struct store *store, const char *name, int64_t *forgotten, struct error *err);

/* Takes back all that sources with an archive brought and puts them to their beginnings, for their lines to be read
   again; the sources, their lines, and what sources without an archive brought stay.  In the transaction that is
   open. */
int forget_facts(struct store *store, struct error *err);

#endif
