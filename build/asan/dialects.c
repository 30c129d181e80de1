#include "parsers/dialect.h"
extern const struct dialect dialect_dovecot;
extern const struct dialect dialect_exim_mainlog;
extern const struct dialect dialect_imapd;
extern const struct dialect dialect_spamd;
extern const struct dialect dialect_vm_pop3d;
const struct dialect *const dialects[] = {
    &dialect_dovecot,
    &dialect_exim_mainlog,
    &dialect_imapd,
    &dialect_spamd,
    &dialect_vm_pop3d,
    NULL};
