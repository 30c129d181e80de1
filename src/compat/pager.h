/* pager.h — output shown page by page when it goes to a terminal. */
#ifndef MAILTRAIL_PAGER_H
#define MAILTRAIL_PAGER_H

/* Starts $PAGER, else less, else more, whichever is there, and puts it between standard output and the terminal.
   Answers its process, or 0: there is none, or standard output is no terminal. */
int pager_start(void);

/* Ends the output and waits until the pager is done.  pager 0: nothing to do. */
void pager_wait(int pager);

#endif
