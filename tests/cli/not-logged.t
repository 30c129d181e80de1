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
like(ingest(database(), [spew(folder() . '/maillog', $directadmin . $upstream)], zone => 'UTC', year => 2026)->{err}, $told, 'a log of both');

# A name cannot make a line of one version look like one of the other.
for my $name ("x' logged in", "x' of 'y' logged in", "x' logged in from 192.0.2.1, nmsgs=9", 'bytes: domain x 9 bytes') {
    my $got = mailtrail(sanitized(), [qw(explain --brief)], input => spew(folder() . '/in', line(1, "User '$name' - failed auth, from=192.0.2.66")));
    like($got->{out}, qr/^AUTH_FAILURE .* ip=192\.0\.2\.66 .* version=1\.1\.7f-DA-2/, "a failed login of $name");
}
done_testing();
