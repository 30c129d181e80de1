/* terminal.h — how much room there is where somebody reads. */
#ifndef MAILTRAIL_TERMINAL_H
#define MAILTRAIL_TERMINAL_H

/* Places in a line of the terminal that fd is: $COLUMNS, else what the terminal says, else 80.  0: it is none. */
int terminal_width(int fd);

#endif
