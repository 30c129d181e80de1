#!/usr/bin/perl
# string_hash in runs: fed in pieces large and small, each text is stored once and found again, and the runs are few.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my $folder = folder();
my $n = 0;

# So many refusals of hosts that were never seen, and one of a host that is always the same.
sub lines {
    my ($count) = @_;
    return join '', map {
        $n++;
        my $ip = join '.', 10, $n >> 16 & 255, $n >> 8 & 255, $n & 255;
        my $time = sprintf '2026-05-%02d %02d:%02d:%02d', 1 + int($n / 86400), $n / 3600 % 24, $n / 60 % 60, $n % 60;
        "$time H=(h$n.client.example) [$ip] F=<s$n\@sender.example> rejected RCPT <r$n\@shop.example>: Unknown user\n"
            . "$time H=(same.client.example) [192.0.2.1] F=<same\@sender.example> rejected RCPT <one\@shop.example>: Unknown user\n"
    } 1 .. $count;
}

my $db = new_db();
sub runs { my $said = mailtrail(fast(), ['sql', '--db', $db, '--format', 'csv', 'SELECT level, pairs FROM string_run ORDER BY level']); return [map { [split /,/] } grep { /\d/ } split /\n/, $said->{out}] }
sub total { my $sum = 0; $sum += $_->[1] for @{ $_[0] }; return $sum }

my $most = 0;
for my $count ((200) x 12, 9000, (150) x 10, 3000, 20000, (1000) x 6) {
    my $path = spew("$folder/log", lines($count));
    rename $path, "$folder/$n" or die;
    is(mailtrail(fast(), ['ingest', '--quiet', '--no-lines', '--server', 's', '--zone', 'UTC', '--db', $db, "$folder/$n"])->{code}, 0, "$n are read");
    my $runs = runs();
    $most = @$runs if @$runs > $most;
    my @over = grep { $_->[1] > 8192 * 8 ** $_->[0] } @$runs;
    is(scalar @over, 0, 'no run is over its size');
}
cmp_ok($most, '<=', 4, 'few runs at any time');
my $counted = mailtrail(fast(), ['sql', '--db', $db, '--format', 'csv',
    'SELECT (SELECT count(*) FROM string) + (SELECT count(*) FROM client) + (SELECT count(*) FROM route) + (SELECT count(*) FROM cause), (SELECT count(*) FROM string) - (SELECT count(DISTINCT text) FROM string), (SELECT count(*) FROM rejections)']);
my ($rows, $twice, $rejections) = $counted->{out} =~ /^(\d+),(\d+),(\d+)\r?$/m;
is(total(runs()), $rows, 'a hash for each text, client and cause');
is($twice, 0, 'no text is stored twice');
is($rejections, 2 * $n, 'each refusal is there');
is(mailtrail(fast(), ['check', '--quiet', '--db', $db])->{out}, '', 'check finds nothing');

# Read again by other names: nothing is new.
my $before = total(runs());
in_shell('cat $(ls "$1"/* | sort -V) > "$1.all"', $folder);
like(mailtrail(fast(), ['ingest', '--db', $db, '--server', 's', "$folder.all"])->{err}, qr/: 0 rows new, /, 'all in one again: nothing new');
is(total(runs()), $before, 'and no hash');

# A filter that has lost its bits lets texts be missed: check says so.
mailtrail('/usr/bin/sqlite3', [$db, 'UPDATE string_filter SET bits = zeroblob(length(bits)) WHERE part = (SELECT max(part) FROM string_filter)']);
like(mailtrail(fast(), ['check', '--db', $db])->{out}, qr/^hashes      string_hash: \w+ \d+ is not found$/m, 'a broken filter is found');
done_testing();
