#!/usr/bin/perl
# What `mailtrail check` says of a sound database, and of one that the sqlite3 shell has damaged: it names what was broken.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Ingest;
use Test::More;

my $folder = folder();
my $db = "$folder/town.db";
ingest($db, [root_of('tests/fixtures/town/mainlog'), root_of('tests/fixtures/town/maillog')], zone => 'UTC', code => 'any');

sub check {
    my ($path, @options) = @_;
    return mailtrail(sanitized(), ['check', '--db', $path, @options]);
}

my $sound = check($db);
is($sound->{code}, 0, 'a sound database: exit code 0');
is($sound->{out}, join('', map { sprintf "%-12sok\n", $_ } qw(sqlite references accounting rows identity sums derived hashes)),
    'a line for each kind');
is(check($db, '--quiet')->{out}, '', 'quiet: nothing to say');
is(check($db, 'x')->{code}, 64, 'it takes no arguments');
is(check("$folder/none.db")->{code}, 2, 'no database');

# name, what the shell does, the kind that must tell it, and what the line must hold
my @damages = (
    ['a tally', 'UPDATE line_tally SET lines = lines + 1 WHERE (source, dialect, kind, program) ='
        . ' (SELECT source, dialect, kind, program FROM line_tally LIMIT 1)', 'accounting', qr/lines read, but \d+ counted/],
    ['a row gone', 'DELETE FROM delivery WHERE (at, mark) = (SELECT at, mark FROM delivery LIMIT 1)', 'rows', qr/rows of kind delivery/],
    ['a sum', 'UPDATE rollup_one SET count = count + 1 WHERE (bucket, key) = (SELECT bucket, key FROM rollup_one LIMIT 1)', 'sums', qr/count \d+/],
    ['a reference', 'UPDATE delivery SET route = 999999 WHERE (at, mark) = (SELECT at, mark FROM delivery LIMIT 1)', 'references',
        qr/delivery\.route: 1 rows name a route that is not there, as 999999/],
    ['an orphan', 'UPDATE delivery SET orphan = 1 WHERE (at, mark) = (SELECT at, mark FROM delivery WHERE orphan IS NULL LIMIT 1)',
        'derived', qr/orphan 1, but its arrival is known/],
    ['a time', 'UPDATE message SET at = at + 1 WHERE id = (SELECT id FROM message WHERE received IS NOT NULL LIMIT 1)', 'derived',
        qr/at \d+, but received \d+/],
    ['a hash', 'UPDATE string_hash SET pairs = substr(pairs, 13) WHERE bucket = (SELECT bucket FROM string_hash WHERE length(pairs) > 12 LIMIT 1)',
        'hashes', qr/is not found/]);
for my $damage (@damages) {
    my ($name, $sql, $kind, $words) = @$damage;
    my $broken = "$folder/broken.db";
    in_shell('cp "$1" "$2" && sqlite3 "$2" "$3"', $db, $broken, $sql);
    my $got = check($broken);
    is($got->{code}, 1, "$name: exit code 1");
    like((grep { /^$kind / && !/ok$/ } split /\n/, $got->{out})[0] // '', $words, "$name: $kind tells it");
    unlink glob "$broken*";
}

done_testing();
