#!/usr/bin/perl
# mailtrail check: sound databases pass; each kind of damage is found under its name.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my @kinds = qw(sqlite references accounting rows identity sums derived hashes mentions lines);
my $good = join '', map { sprintf "%-12sok\n", $_ } @kinds;
my $town = folder() . '/town.db';
my $got = mailtrail(fast(), ['ingest', '--quiet', '--db', $town, '--config', root_of('tests/fixtures/town/mailtrail.conf'),
                             root_of('tests/fixtures/town')]);
is($got->{code}, 0, 'the town is read');

sub check { mailtrail(sanitized(), ['check', '--db', @_]) }

sub is_sound {
    my ($db, $name) = @_;
    my $said = check($db);
    is("$said->{code} $said->{err}$said->{out}", "0 $good", "$name is sound");
}

# The town, or another database, with one thing broken.
sub breaks {
    my ($name, $sql, $wanted, $whole) = @_;
    my $db = folder() . '/broken.db';
    in_shell('cp "$1" "$2"', $whole // $town, $db);
    in_shell('sqlite3 -batch -bail "$1" "$2" >/dev/null', $db, $sql);
    my $said = check($db, '--quiet');
    is($said->{code}, 1, "$name: exit code") or diag $said->{err};
    like($said->{out}, $wanted, "$name: is named");
    unlike($said->{out}, qr/ ok$/m, "$name: --quiet prints faults only");
}

is_sound($town, 'the town');
my $channels = folder() . '/channels.db';
ingest($channels, [root_of('tests/fixtures/once/channels')], zone => 'UTC');
is_sound($channels, 'one log by five channels');
mailtrail(fast(), ['forget', '--db', $channels, '1']);
is_sound($channels, 'one log, after forget');
ingest($channels, [root_of('tests/fixtures/once/channels')], zone => 'UTC');
is_sound($channels, 'one log, read again after forget');

my $some = "(at, mark) IN (SELECT at, mark FROM";
breaks('a tally', "UPDATE line_tally SET lines = lines + 3 WHERE source = 5 AND kind = 'delivery'",
       qr{^accounting  .*/mainlog \(source 5\): \d+ lines read, but \d+ counted by kind$}m);
breaks('copies', "UPDATE line_tally SET copies = lines + 1 WHERE source = 5 AND kind = 'delivery'",
       qr{^accounting  .*\(source 5\): exim_mainlog delivery: (\d+) of \d+ lines are copies$}m);
for my $table (qw(delivery rejection auth_failure session_line scan_line event)) {
    breaks("a row of $table", "DELETE FROM $table WHERE $some $table ORDER BY at LIMIT 1)", qr{^rows        .* rows of kind }m);
}
breaks('a sum', "UPDATE rollup_one SET count = count + 1 WHERE (bucket, key) IN (SELECT bucket, key FROM rollup_one LIMIT 1)",
       qr{^sums        received of 2026-07-0\d.* stored: count}m);
breaks('a dangling route', "UPDATE delivery SET route = 999999 WHERE $some delivery WHERE route IS NOT NULL LIMIT 1)",
       qr{^references  delivery\.route: 1 rows name a route that is not there, as 999999$}m);
breaks('a dangling source', "UPDATE event SET source = 77 WHERE $some event LIMIT 1)",
       qr{^references  event\.source: 1 rows name a source that is not there, as 77$}m);
breaks('an orphan', "UPDATE delivery SET orphan = 1 WHERE $some delivery WHERE orphan IS NULL LIMIT 1)",
       qr{^derived     delivery at \d+ of message \S+: orphan 1, but its arrival is known$}m);
breaks('a time', "UPDATE message SET at = at + 1 WHERE id = (SELECT id FROM message WHERE received IS NOT NULL LIMIT 1)",
       qr{^derived     message \S+: at \d+, but received \d+$}m);
breaks('a copy', "UPDATE message SET copy_of = 'nothing' WHERE id = (SELECT id FROM message WHERE copy_of IS NOT NULL LIMIT 1)",
       qr{^derived     message \S+: is a copy of nothing, which is not there$}m);
breaks('a state', "UPDATE message SET delayed = 1 - delayed WHERE id = 1", qr{^derived     message \S+: delayed}m);
breaks('a mention', "UPDATE mention SET times = zeroblob(length(times)) WHERE place = (SELECT min(place) FROM mention)",
       qr{^mentions    .* which is not mentioned then}m);
breaks('a Message-ID', "UPDATE message SET message_id = 'other\@' || message_id WHERE exim_id = '1werk6-0006bx-1U'",
       qr{^mentions    message at \d+ has Message-ID other\@\S+, which is not mentioned then$}m);
breaks('a hash pair', "UPDATE string_hash SET pairs = substr(pairs, 13) WHERE bucket = (SELECT bucket FROM string_hash WHERE length(pairs) > 12 LIMIT 1)",
       qr{^hashes      string_hash: (?:string|client|route|cause) \d+ is not found$}m);

# Every id that is to be mentioned, and no other: the Message-ID, what is logged half an hour from the second in an id, a refusal.
my $ids = new_db();
ingest($ids, [spew(folder() . '/mainlog', <<'END'), spew(folder() . '/rejectlog', <<'REJECT')], zone => 'UTC');
2026-03-03 09:00:00 1vxLbk-000001-01 <= a@b.example H=mx.b.example [192.0.2.1] P=esmtp S=1200 id=One@b.example for x@y.example z@y.example
2026-03-03 09:00:01 1vxLbk-000001-01 => x <x@y.example> R=box T=box
2026-03-03 09:29:59 1vxLbk-000001-01 == z@y.example R=far T=remote_smtp defer (-53): retry time not reached for any host
2026-03-03 09:30:00 1vxLbk-000001-01 ** z@y.example: retry timeout exceeded
2026-03-03 10:00:01 1vxLbk-000001-01 Frozen
2026-03-03 10:00:02 1vxMXq-000002-01 <= <> R=1vxLbk-000001-01 U=Debian-exim P=local S=2500 for a@b.example
2026-03-03 10:00:03 1vxMXr-000003-01 H=mx.far.example [192.0.2.9] F=<a@far.example> rejected after DATA: spam
END
2026-03-03 10:00:03 1vxMXr-000003-01 H=mx.far.example [192.0.2.9] F=<a@far.example> rejected after DATA: spam
Envelope-from: <a@far.example>
Envelope-to: <x@y.example>
F From: <a@far.example>
I Message-ID: <Two@far.example>
REJECT
is_sound($ids, 'a log with ids');
my ($first, $one) = ('WHERE place = (SELECT min(place) FROM id_mention)', qr/\A(?:mentions    \w+ at 17725\d{5} [^\n]*, which is not mentioned then\n)\z/);
breaks('an id', "UPDATE id_mention SET ids = substr(ids, 6) $first", $one, $ids);
breaks('the hour of an id', "UPDATE id_mention SET ids = CAST(substr(ids, 1, 4) || char(1) || substr(ids, 6) AS BLOB) $first", $one, $ids);
in_shell('sqlite3 -batch -bail "$1" "DELETE FROM id_mention"', $ids);
is(join('', sort grep { /, which/ } split /^/m, check($ids, '--quiet')->{out}), <<'END', 'without mentions of ids each is told');
mentions    delivery at 1772530200 is of message 1vxLbk-000001-01, which is not mentioned then
mentions    event at 1772532001 is of message 1vxLbk-000001-01, which is not mentioned then
mentions    header at 1772532003 has Message-ID Two@far.example, which is not mentioned then
mentions    message at 1772528400 has Message-ID One@b.example, which is not mentioned then
mentions    message at 1772532002 reports on message 1vxLbk-000001-01, which is not mentioned then
mentions    rejection at 1772532003 is of message 1vxMXr-000003-01, which is not mentioned then
END

my $bytes = folder() . '/bytes.db';
in_shell('cp "$1" "$2"', $town, $bytes);
open my $out, '+<:raw', $bytes or die;
seek $out, 0, 0;
print $out 'x' x 100;
close $out;
is(check($bytes)->{code}, 2, 'a file that is no database: exit code 2');
for my $page (1, 2, 10, 20, 30) { # the first half of a page, of 16384 octets
    in_shell('cp "$1" "$2"', $town, $bytes);
    in_shell('yes | head -c 8192 | dd of="$1" bs=16384 seek="$2" conv=notrunc 2>/dev/null', $bytes, $page);
    my $said = check($bytes, '--quiet');
    ok($said->{code} == 2 && $said->{err} =~ /damaged/ || $said->{code} == 1 && $said->{out} =~ /^sqlite      \S/, "page $page overwritten is found")
        or diag "$said->{code}\n$said->{out}$said->{err}";
}
is(check(folder() . '/none.db')->{code}, 2, 'no file: exit code 2');
is(check($town, 'word')->{code}, 64, 'an argument: exit code 64');
done_testing();
