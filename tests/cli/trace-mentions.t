#!/usr/bin/perl
# mailtrail trace finds by mention what it finds by reading everything: for every text of the town and of a generated log, in
# any case, alone and two together, with bounds.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my $folder = root_of('tests/fixtures/town');
my $town = folder() . '/town.db';
is(mailtrail(fast(), ['ingest', '--quiet', '--db', $town, '--config', "$folder/mailtrail.conf", $folder])->{code}, 0, 'the town is read');
my $work = folder();
system('cc', '-O1', '-o', "$work/generate", root_of('bench/generate.c'), '-lm') == 0 or die 'no generator';
system("'$work/generate' --lines 12000 --days 40 --mix mixed --seed 5 --start 2026-01-05 >'$work/log'") == 0 or die 'no log';
my $made = "$work/made.db";
is(mailtrail(fast(), ['ingest', '--quiet', '--db', $made, '--server', 'mx', '--zone', 'UTC', "$work/log"])->{code}, 0, 'a generated log is read');

sub rows { my ($db, $sql) = @_; my $out = `sqlite3 -readonly '$db' "$sql"`; return split /\n/, $out }
sub ask { my ($db, @words) = @_; my $got = mailtrail(fast(), ['trace', '--db', $db, '--format', 'json', '--limit', 100000, @words]); return "$got->{code}$got->{err}$got->{out}" }

my ($asked, $found, $long, @wrong) = (0, 0, 0);
sub same_answer {
    my ($db, @words) = @_;
    my $by_mention = ask($db, @words);
    push @wrong, "@words" if $by_mention ne ask($db, '--scan', @words);
    $asked++;
    $found++ if $by_mention =~ /^0/;
    return;
}

for my $db ($town, $made) {
    my $texts = 'SELECT DISTINCT text FROM string WHERE id IN (SELECT sender FROM message UNION SELECT auth_id FROM message'
        . ' UNION SELECT local_user FROM message UNION SELECT recipient FROM delivery UNION SELECT original FROM delivery'
        . ' UNION SELECT sender FROM rejection UNION SELECT recipient FROM rejection UNION SELECT user FROM auth_failure'
        . ' UNION SELECT host FROM client UNION SELECT helo FROM client UNION SELECT ip FROM client'
        . ' UNION SELECT recipient FROM event UNION SELECT host FROM route UNION SELECT ip FROM route UNION SELECT domain FROM string)'
        . " AND text <> '' AND text NOT GLOB '-*' ORDER BY text";
    my @texts = rows($db, $texts);
    my $step = 1 + int(@texts / 250);
    for my $i (grep { $_ % $step == 0 } 0 .. $#texts) {
        same_answer($db, $texts[$i]);
        same_answer($db, $i % 2 ? uc $texts[$i] : ucfirst $texts[$i]) if $i % 3 == 0;
    }
    same_answer($db, $_) for rows($db, "SELECT message_id FROM message WHERE message_id <> '' AND message_id NOT GLOB '-*' ORDER BY id % 7, id LIMIT 40");
    same_answer($db, $_) for rows($db, 'SELECT DISTINCT message FROM rejection WHERE message IS NOT NULL LIMIT 20');
    same_answer($db, split /\t/) for rows($db, "SELECT sender || char(9) || recipient FROM rejections WHERE sender LIKE '%@%' AND recipient LIKE '%@%' LIMIT 20");
    same_answer($db, split /\t/) for rows($db, "SELECT ip || char(9) || recipient FROM rejections WHERE recipient LIKE '%@%' LIMIT 20");
    same_answer($db, $_) for rows($db, "SELECT DISTINCT value FROM message, json_each(recipients) ORDER BY value LIMIT 40");
    same_answer($db, /^Envelope-to: <(.*)>/ ? $1 : /^Message-ID: <(.*)>/ ? $1 : ()) for grep { /^(?:Envelope-to|Message-ID): <[^-]/ } rows($db, "SELECT DISTINCT text FROM events WHERE kind = 'rejected_header' ORDER BY text");
    my @long = rows($db, 'SELECT exim_id FROM message WHERE completed IS NULL OR completed - at > 1800 ORDER BY id LIMIT 60');
    same_answer($db, $_) for @long;
    $long += @long;
    my ($middle) = rows($db, 'SELECT date(avg(at), char(117, 110, 105, 120, 101, 112, 111, 99, 104)) FROM message');
    same_answer($db, '--since', $middle, $_) for @texts[0 .. 9];
    same_answer($db, '--until', "$middle 12:30", $_) for @texts[-10 .. -1];
}
cmp_ok($found, '>', 300, "$asked answers, $found of them found something");
cmp_ok($long, '>', 40, "$long ids of messages that were in the house for over half an hour");
is(scalar @wrong, 0, 'by mention as by reading everything') or diag join "\n", @wrong[0 .. ($#wrong > 9 ? 9 : $#wrong)];
done_testing();
