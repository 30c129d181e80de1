#!/usr/bin/perl
# What a version of a daemon does not log is told, so that nobody takes it for zero.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my $count = 0;
sub database { folder() . '/' . ++$count . '.db' }

sub line { "Nov 20 10:00:0$_[0] mx vm-pop3d[7]: $_[1]\n" }

my $upstream = line(1, 'Connect from 192.0.2.1') . line(2, "User 'bob' of 'x.example' logged in") . line(3, 'Session ended for user: bob');
my $directadmin = line(1, "User 'bob\@x.example' - failed auth, from=192.0.2.1") . line(2, "User 'bob\@x.example' logged in from 192.0.2.1, nmsgs=3")
    . line(3, 'bytes: domain x.example 512 bytes') . line(4, "Session ended for user: 'bob\@x.example' from 192.0.2.1, nmsgs=3, ndel=1");
my $told = qr{/maillog: written by vm-pop3d 1\.1\.6: failed logins, octets, numbers of messages and the addresses of logins are not logged by this version$}m;

my $log = spew(folder() . '/maillog', $upstream);
my $db = database();
like(ingest($db, [$log], zone => 'UTC', year => 2026)->{err}, $told, 'vm-pop3d 1.1.6: what it does not log is told');
append($log, $upstream =~ s/10:/11:/gr);
unlike(ingest($db, [$log], zone => 'UTC', year => 2026)->{err}, qr/not logged/, '  once, not every night');
is(ingest(database(), [$log], zone => 'UTC', year => 2026, options => ['--quiet'])->{err}, '', '  and not with --quiet');
unlike(ingest(database(), [spew(folder() . '/maillog', $directadmin)], zone => 'UTC', year => 2026)->{err}, qr/not logged/,
       'vm-pop3d 1.1.7f-DA-2 logs all of it');
my @both = map { spew(folder() . "/maillog$_", $upstream =~ s/bob/bob$_/gr) } 1 .. 3;
my @lines = grep { /vm-pop3d/ } split /\n/, ingest(database(), \@both, zone => 'UTC', year => 2026)->{err};
like("@lines", qr{^mailtrail: \Q$both[0]\E and 2 more: written by vm-pop3d 1\.1\.6: [^:]*$}, 'three files by 1.1.6: told once, with their number');
like(ingest(database(), [spew(folder() . '/maillog', $directadmin . $upstream)], zone => 'UTC', year => 2026)->{err}, $told, 'a log of both');

# A name cannot make a line of one version look like one of the other.
for my $name ("x' logged in", "x' of 'y' logged in", "x' logged in from 192.0.2.1, nmsgs=9", 'bytes: domain x 9 bytes') {
    my $got = mailtrail(sanitized(), [qw(explain --brief)], input => spew(folder() . '/in', line(1, "User '$name' - failed auth, from=192.0.2.66")));
    like($got->{out}, qr/^AUTH_FAILURE .* ip=192\.0\.2\.66 .* version=1\.1\.7f-DA-2/, "a failed login of $name");
}

# Nor is it zero in the database and in reports: one server writes the one version, the other the other, a third is UW's.
$db = database();
ingest($db, [spew(folder() . '/maillog', $upstream . line(4, "Session ended for user: bob"))], zone => 'UTC', year => 2026, server => 'old');
ingest($db, [spew(folder() . '/maillog', $directadmin =~ s/vm-pop3d\[7\]/vm-pop3d[8]/gr . join('',
    map { line($$_[0], $$_[1]) =~ s/\[7\]/[9]/r } [4, "User 'eve\@x.example' logged in from 192.0.2.2, nmsgs=0"],
    [5, "Session ended for user: 'eve\@x.example' from 192.0.2.2, nmsgs=0, ndel=0"]))], zone => 'UTC', year => 2026, server => 'new');
ingest($db, [spew(folder() . '/maillog', map { line($$_[0], $$_[1]) =~ s/vm-pop3d\[7\]/imapd[6]/r } [1, 'Login user=ann host=pc.x.example [192.0.2.3]'],
    [2, 'Logout user=ann host=pc.x.example [192.0.2.3]'])], zone => 'UTC', year => 2026, server => 'uw');
is(Ingest::sqlite($db, ".nullvalue NULL\nSELECT server, user, version, messages, deleted, transfers, bytes FROM sessions WHERE login IS NOT NULL ORDER BY server, user;"),
   "new|bob\@x.example|1.1.7f-DA-2|3|1|1|512\nnew|eve\@x.example|1.1.7f-DA-2|0|0|0|0\nold|bob\@x.example|1.1.6|NULL|NULL|NULL|NULL\nuw|ann|NULL|NULL|NULL|NULL|NULL\n",
   'sessions: what is not logged is NULL, and zero only where zero is logged');

sub report { return mailtrail(sanitized(), ['report', '--db', $db, @_])->{out} }
my $none = qr/ not logged not logged not logged/;
like(report(qw(sessions-by-user --server old)), qr/^ +1$none   pop3 +bob\@x\.example$/m, 'sessions-by-user: 1.1.6 logs none of it');
my $new = report(qw(sessions-by-user --server new));
like($new, qr/^ +1 +1 +1 +512   pop3 +bob\@x\.example$/m, '  1.1.7f-DA-2 all of it');
like($new, qr/^ +1 +0 +0 +0   pop3 +eve\@x\.example$/m, '  zero too');
like(report('sessions-by-user'), qr/^ +2        >=1        >=1      >=512   pop3 +bob\@x\.example$/m, '  of both, what the one tells is the least that it was');
like(report('sessions-by-user'), qr/^ +1 +0 +0 +0   pop3 +eve\@x\.example$/m, '  and exact where all sessions tell it');
like(report(qw(sessions-by-user --format csv)), qr/^sessions,fetched,fetched_told,deleted,deleted_told,bytes,bytes_told,service,user\r?\n2,1,1,1,1,512,1,pop3,bob\@x\.example\r?$/m, '  in a file for programs, how many tell it');
like(report(qw(sessions-by-host --server uw)), qr/^ +1$none   imap +pc\.x\.example$/m, 'sessions-by-host: UW imapd logs no octets');
like(report(qw(sessions-by-host --server uw --format html)), qr{(?:<td class="n">not logged</td>){3}}, '  the page says the same');
like(report(qw(sessions-by-host --server uw --format csv)), qr/^1,,0,,0,,0,imap,pc\.x\.example\r?$/m, '  a file for programs has nothing there');
for my $name (qw(auth-failures failed-logins)) {
    like(report($name), qr/^ +1   pop3 +(?:192\.0\.2\.1|bob\@x\.example) *\nnot logged   pop3 +vm-pop3d 1\.1\.6 on old$/m, "$name: those that are not logged, last");
    unlike(report($name, qw(--server uw)), qr{pop3|not logged}, "  and only of that server");
}
done_testing();
