#!/usr/bin/perl
# Reports as somebody reads them: on a terminal of 80 places, in a file, in a short mail; figures beside the raw logs.
use strict;
use warnings;
use Encode ();
use File::Basename qw(dirname);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my $town = root_of('tests/fixtures/town');
my $db = new_db();
is(mailtrail(fast(), ['ingest', '--quiet', '--db', $db, '--config', "$town/mailtrail.conf", $town])->{code}, 0, 'the town is read');
delete $ENV{COLUMNS};

sub said { return mailtrail(sanitized(), [shift, '--db', $db, @_])->{out} }

sub on_terminal {
    my ($columns, @words) = @_;
    my $command = join ' ', map { "'$_'" } sanitized(), shift @words, '--db', $db, @words;
    return mailtrail('/usr/bin/script', ['-qec', "stty cols $columns; $command", '/dev/null'])->{out} =~ s/\r//gr;
}

sub too_long { my ($columns, $text) = @_; return join "\n", grep { length > $columns } split /\n/, Encode::decode('UTF-8', $text) }

# ---- on a terminal ----
is(too_long(80, on_terminal(80, 'status')), '', 'status fits 80 places');
is(too_long(80, on_terminal(80, 'report')), '', 'report fits 80 places');
is(too_long(80, on_terminal(80, 'report', 'sources')), '', 'sources fit 80 places');
like(on_terminal(80, 'report', 'sources'), qr{^      10    271 .*\n.*\n +9s  given  srv1    \S+/rejectlog\.2\.gz$}m, 'a source is on three lines: none of its figures is cut');
is(scalar(() = on_terminal(240, 'report', 'sources') =~ m{^ +\d+ .*rejectlog}mg), 3, 'on one where there is room');
{
    local $ENV{COLUMNS} = 60;
    is(too_long(60, on_terminal(120, 'report', 'errors', 'sending-hosts')), '', 'COLUMNS is heard before the terminal');
    cmp_ok(length too_long(60, said('report', 'sources')), '>', 0, 'but not where there is no terminal');
}
my $file = folder() . '/report';
is(on_terminal(80, 'report', '--output', $file, 'coverage'), '', 'a file is written from a terminal');
is(slurp($file), said('report', 'coverage'), '  and is as wide as in a pipe');
unlike(said('report') . said('status'), qr/ $/m, 'no blanks at the ends of lines');

# ---- spam scores, beside the raw log ----
my %scored;
for my $path ('maillog.2.gz', 'maillog.1', 'maillog') {
    my $text = folder() . '/text';
    in_shell('zcat -f "$1" >"$2"', "$town/$path", $text);
    for my $score (slurp($text) =~ /(?:clean message|identified spam) \((-?[\d.]+)\//g) {
        $scored{$score < 0 ? 'below 0' : $score >= 20 ? '20 and above' : int $score}++;
    }
}
my %shown = said('report', 'spam-scores') =~ /^ *(\S.*?)  +(\d+) \.+$/mg;
is_deeply(\%shown, \%scored, 'spam scores: as in the raw log, and the rows at either end say what is in them');

# ---- the short set ----
my @day = ('--since', '2026-07-01', '--until', '2026-07-02');
my $short = said('report', @day, 'short');
is(scalar(grep { /^-+$/ } split /\n/, $short), 10, 'short: ten tables');
cmp_ok(scalar(split /\n/, $short), '<', 150, 'short: a page or two');
like($short, qr/^Top 10 sending emails by message count$/m, 'short: ten of a league');
like(said('report', @day, '--top', 2, 'short'), qr/^Top 2 sending emails by message count$/m, 'short: or as many as are asked for');
like(said('report', '--list'), qr/^grand-total +NS /m, '--list tells which sets have a report');
is(said('report', @day, 'nightly'), said('report', @day), 'nightly is the set of which there is no need to speak');

# ---- averages: 302 octets of three messages are 100.67 each ----
my $three = folder() . '/three';
spew($three, join q(), map { my ($n, $size) = @$_;
    ("2026-11-20 10:00:0$n 1xULPU-00000$n-AA <= al\@x.example U=al P=local S=$size\n",
     "2026-11-20 10:00:0$n 1xULPU-00000$n-AA => bo <bo\@y.example> R=localuser T=local_delivery\n") } [1, 100], [2, 100], [3, 102]);
my $averages = new_db();
is(mailtrail(fast(), ['ingest', '--quiet', '--db', $averages, '--server', 'mx', '--zone', 'UTC', $three])->{code}, 0, 'three messages are read');
my $leagues = mailtrail(sanitized(), ['report', '--db', $averages])->{out};
my @of_three = $leagues =~ /^ +3(?: +3)? +302 +(\d+)   (?:local|al|al\@x\.example|x\.example|bo)$/mg;
is("@of_three", join(' ', (101) x 20), 'averages are rounded, not cut, in all twenty leagues');
done_testing();
