/* replay.c — what fuzzing found before, and that the work of a parser grows no faster than its line, as TAP.

   replay FOLDER    each FOLDER/PARSER/FILE is an input; a fault aborts, which is a failure of the whole */
#include <dirent.h>

#include "../unit/tap.h"
#include "target.h"

/* A line that is as long as is wanted: head, middle again and again, tail. */
struct hostile {
    const char *parser, *head, *middle, *tail;
};

static const struct hostile hostile[] = {
#define ARRIVAL(head, middle, tail) {"exim_mainlog", "1xULPV-000001-AA <= " head, middle, tail}
#define ATTEMPT(head, middle, tail) {"exim_mainlog", "1xULPV-000001-AA " head, middle, tail}
#define FREE(head, middle, tail) {"exim_mainlog", head, middle, tail}
    ARRIVAL("", "\"", "@x H=x [192.0.2.1] P=smtp S=1"),
    ARRIVAL("\"", "\\", "\"@x H=x [192.0.2.1] P=smtp S=1"),
    ARRIVAL("\"", "\\\"", "@x H=x [192.0.2.1] P=smtp S=1"),
    ARRIVAL("a@x H=(", ") [1.2.3.4]", ") [192.0.2.1] P=smtp S=1"),
    ARRIVAL("a@x H=(", ") [1.2.3.4] P=x S=1", ") [192.0.2.1] P=smtp S=1 ="),
    ARRIVAL("a@x H=(x) [192.0.2.1] U=", " P=x S=1", " P=smtp S=1 ="),
    ARRIVAL("a@x H=(x) [192.0.2.1] U=", " P=x DN=\" \"", " P=smtp S=1 ="),
    ARRIVAL("a@x H=x [192.0.2.1] P=smtp DN=\"", "\" SNI=x A=y", "\" S=1 ="),
    ARRIVAL("a@x H=x [192.0.2.1] P=smtp A=x:", " K PRX=1 PRDR", " S=1"),
    ARRIVAL("a@x H=x [192.0.2.1] P=smtp S=1 id=", "\"", " T=\"x\""),
    ARRIVAL("a@x H=x [192.0.2.1] P=smtp S=1 T=\"", "\\\"", "\""),
    ARRIVAL("a@x H=x [192.0.2.1] P=smtp S=1 for", " a@x", " ="),
    ARRIVAL("a@x U=x P=local S=1", " S=1", " ="),
    ATTEMPT("=> x", " <a@b>", " R=r T=t ="),
    ATTEMPT("=> x", " <a@b> R=r T=t DN=\"\" \"", " ="),
    ATTEMPT("=> x", " <\"", "\"@b> R=r T=t"),
    ATTEMPT("=> a@x R=r T=t H=x [192.0.2.1] DN=\"", "\" L", " ="),
    ATTEMPT("=> x (", ") <", "> R=r T=t"),
    ATTEMPT("=> x", " (a@b", " R=r T=t"),
    ATTEMPT("=> a@x R=r T=t C=\"", "\\", "\" QT=1s"),
    ATTEMPT("=> |", " R=r T=t", " ="),
    ATTEMPT("== x", " <\"a\"@b> R=r T=t defer (1): a", " ="),
    ATTEMPT("== a@x R=r T=t defer (13): ", " H=", ": x"),
    ATTEMPT("** x", " <\"a\"@b> R=r T=t: a", " ="),
    ATTEMPT("** x", " <\"a\"@b>:", " x"),
    ATTEMPT("** a@x R=r T=t: x", " DT=1s", " x"),
    FREE("H=(", ") [1.2.3.4]", ") [192.0.2.1] F=<a@b> rejected RCPT <c@d>: no"),
    FREE("H=(", ") [1.2.3.4] F=<a@b> rejected RCPT <c@d>: no", ") [192.0.2.1] x"),
    FREE("H=(x) [192.0.2.1] U=", " F=<a@b> rejected RCPT", " <c@d>: no"),
    FREE("H=(x) [192.0.2.1] X=x DN=\"", "\" F=<a@b>", "\" rejected RCPT <c@d>: no"),
    FREE("H=(x) [192.0.2.1] F=<a@b> rejected RCPT <", "\"", ">: no"),
    FREE("H=(x) [192.0.2.1] F=<a@b> rejected RCPT ", ": ", ": no"),
    FREE("H=x [192.0.2.1]: SMTP error from remote mail server", " after <", ": 550"),
    FREE("ETRN ", " received from [1.2.3.4]", " received from [192.0.2.1]"),
    FREE("VRFY failed for ", " H=[1.2.3.4]", " H=[192.0.2.1]"),
    FREE("SMTP protocol error in \"", "\" H=[1.2.3.4]", "\" H=[192.0.2.1] x"),
    FREE("rejected \"EHLO ", "\" from [1.2.3.4]", "\" from [192.0.2.1]"),
    FREE("plain authenticator failed for (", ") [1.2.3.4]: 535 (set_id=", ") [192.0.2.1]: 535 x"),
    FREE("SMTP connection from (", ") [1.2.3.4]", ") [192.0.2.1] lost D=1s"),
    {"imapd", "Login failed user=", " host=x [1.2.3.4] auth= user=", " auth=x host=y [192.0.2.1]"},
    {"imapd", "Login user=", " host=x nmsgs=1/2 mech=", " host=y [192.0.2.1]"},
    {"imapd", "Fatal error user=", " host= mbx=: ", " host=y [192.0.2.1]"},
    {"vm_pop3d", "User '", "' logged in from 1.2.3.4, nmsgs=", "' logged in from 192.0.2.1, nmsgs=1"},
    {"vm_pop3d", "User '", "' of '", "' logged in"},
    {"spamd", "spamd: result: . 1 - ", " scantime=1,size=", "scantime=1,size=1,user=x,uid=1"},
    {"spamd", "spamd: result: . 1 - x scantime=1,size=1,", ",mid=<,rport=,uid=", ",mid=<x>,autolearn=no"},
    {"spamd", "spamd: connection from ", "[1.2.3.4]:", " [192.0.2.1]:1 to port 783, fd 5"},
    {"dovecot", "imap-login: Login: user=<", ">, method=PLAIN, rip=1.2.3.4", ">, method=PLAIN, rip=192.0.2.1, mpid=1"},
    {"dovecot", "lda(x): msgid=<", ">: saved mail to ", ">: saved mail to INBOX"},
    {"frame", "<34>1 2026-11-20T10:00:00Z h a 1 - [", "\\\"[] ", "] x"},
    {"frame", "Nov 20 10:00:00 host ", "[1]: ", "x"},
    {"frame", "Nov 20 10:00:00 h last message repeated 3 times: [", "]", "x"},
};

static size_t append(char *to, size_t at, const char *text, size_t times)
{
    size_t n = strlen(text);
    for (; times > 0; times--, at += n)
        memcpy(to + at, text, n);
    return at;
}

/* Steps for the line with its middle so many times; *bytes, its length. */
static uint64_t steps_of(const struct hostile *h, size_t times, size_t *bytes)
{
    size_t most = strlen(h->head) + strlen(h->middle) * times + strlen(h->tail);
    char *line = malloc(most);
    if (!line)
        abort();
    *bytes = append(line, append(line, append(line, 0, h->head, 1), h->middle, times), h->tail, 1);
    uint64_t steps = target_run(h->parser, (const uint8_t *)line, *bytes);
    free(line);
    return steps;
}

/* Four times the line, at most four times the steps and a tenth. */
static void check_linear(const struct hostile *h)
{
    enum { SHORT = 12000 };
    size_t times = SHORT / strlen(h->middle), n, four;
    uint64_t first = steps_of(h, times, &n), second = steps_of(h, 4 * times, &four);
    check(second * 10 <= first * 44 + 100000, "%s: %s%s...%s: linear", h->parser, h->head, h->middle, h->tail);
    printf("# %zu bytes: %" PRIu64 " steps, %zu bytes: %" PRIu64 " steps, %.1f a byte\n", n, first, four, second,
           (double)second / (double)four);
}

static void replay_file(const char *parser, const char *folder, const char *name)
{
    static uint8_t bytes[65536];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s/%s", folder, parser, name);
    FILE *in = fopen(path, "rb");
    if (!in)
        abort();
    size_t n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    printf("# %s\n", path);
    fflush(stdout);
    target_run(parser, bytes, n);
    check(true, "%s: %s", parser, name);
}

static void replay(const char *parser, const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, parser);
    DIR *dir = opendir(path);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            replay_file(parser, folder, entry->d_name);
    closedir(dir);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && target_name(i); i++)
        replay(target_name(i), argv[1]);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
        check_linear(&hostile[i]);
    return tap_end();
}
