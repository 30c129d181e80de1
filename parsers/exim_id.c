/* exim_id.c — message ids: tttttt-pppppp-ff up to Exim 4.96, tttttt-ppppppppppp-ffff from 4.97. */
#include "dialect.h"

/* Value of a base-62 digit, or -1. */
static int digit62(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'z' ? c - 'a' + 36 : -1;
}

static bool all_digits62(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (digit62(p[i]) < 0)
            return false;
    return true;
}

static bool has_form(const char *p, size_t pid_n, size_t fraction_n)
{
    return p[6] == '-' && p[7 + pid_n] == '-' && all_digits62(p, 6) && all_digits62(p + 7, pid_n) &&
           all_digits62(p + 8 + pid_n, fraction_n);
}

bool exim_id_valid(struct slice id)
{
    return (id.n == 16 && has_form(id.p, 6, 2)) || (id.n == 23 && has_form(id.p, 11, 4));
}

size_t exim_id_length(struct slice s)
{
    if (s.n < 16 || s.p[6] != '-')
        return 0;
    if ((s.n == 16 || s.p[16] == ' ') && has_form(s.p, 6, 2))
        return 16;
    if (s.n >= 23 && (s.n == 23 || s.p[23] == ' ') && has_form(s.p, 11, 4))
        return 23;
    return 0;
}

int64_t exim_id_second(struct slice id)
{
    int64_t second = 0;
    for (size_t i = 0; i < 6 && i < id.n; i++)
        second = second * 62 + digit62(id.p[i]);
    return second;
}
