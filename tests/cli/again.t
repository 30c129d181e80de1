#!/usr/bin/perl
# ingest --again: archived lines read once more give what a fresh ingest of the same files gives, at once or not at all.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use List::Util qw(shuffle);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

srand 20261124;


sub sql {
    my ($db, $sql) = @_;
    my $out = folder() . '/out';
    in_shell('sqlite3 "$1" "$2" >"$3"', $db, $sql, $out);
    return slurp($out) =~ s/\n\z//r;
}

sub again {
    my ($db, $name) = @_;
    my $got = mailtrail(fast(), ['ingest', '--again', '--db', $db]);
    is($got->{code}, 0, "$name: again") or diag $got->{err};
    my $check = mailtrail(fast(), ['check', '--quiet', '--db', $db]);
    is("$check->{code} $check->{out}$check->{err}", '0 ', "$name: again, and checked");
}

# What sources say of themselves, and of their lines.
sub sources_of {
    my ($db) = @_;
    return sql($db, "SELECT s.path, s.bytes, s.lines, s.understood, s.copies, s.foreign_lines, s.unparsed, s.blank, s.first_at,"
        . " s.last_at, s.longest_gap, s.gap_at, s.years, s.archived FROM sources s ORDER BY s.id;"
        . " SELECT * FROM line_tally ORDER BY 1, 2, 3, 4; SELECT id, position, tail_hash, head_hash, year FROM source");
}

# Facts as a parser that knew less would have left them.
my $worse = "DELETE FROM delivery WHERE at % 3 = 0; UPDATE message SET sender = NULL; DELETE FROM event WHERE at % 2 = 0;"
    . " DELETE FROM rollup_one WHERE key % 2 = 0; DELETE FROM message WHERE id % 5 = 0; UPDATE rejection SET cause = 1;";

sub logs_of {
    my ($folder) = @_;
    return grep { -f && basename($_) =~ /^(?:mainlog|rejectlog|maillog|secure|spamd-)/ } glob "$folder/*";
}

sub test_sets {
    my $once = root_of('tests/fixtures/once');
    my $corpus = $ENV{CORPUS} // root_of('../shared/corpus');
    my @sets = ([town => 'UTC', root_of('tests/fixtures/town')], [channels => 'UTC', "$once/channels"],
                [fold => 'Europe/Berlin', "$once/fold"], [newyear => 'UTC', "$once/newyear"],
                ['exim-a' => 'UTC', "$corpus/exim-a"], ['spamd-direct' => 'UTC', "$corpus/spamd-direct"], ['exim-mix' => 'UTC', "$corpus/exim-mix"]);
    for (@sets) {
        my ($name, $zone, $folder) = @$_;
        my @files = logs_of($folder) or next;
        @files = grep { !/maillog(?:\.raw)?$/ } @files if $name eq 'fold'; # its syslog wrote UTC
        my $db = new_db();
        ingest($db, [shuffle @files], zone => $zone);
        my ($wanted, $sources) = (dump_of($db), sources_of($db));
        again($db, $name);
        is(difference(dump_of($db), $wanted) . faults_of($db), '', "$name: again: the same");
        is(difference(sources_of($db), $sources), '', "$name: again: sources too");
        sql($db, $worse);
        again($db, "$name, parsers learnt more");
        is(difference(dump_of($db), $wanted) . faults_of($db), '', "$name: parsers learnt more: as ingested afresh");
        my $got = ingest($db, \@files, zone => $zone);
        is("$got->{lines} $got->{rows}", '0 0', "$name: afterwards nothing is left to be read");
        for my $file (@files) {
            my $growing = folder() . '/log';
            in_shell('zcat -f "$1" >"$2"; touch -r "$1" "$2"', $file, $growing);
            append($growing, (split /^/, slurp($growing))[-1]);
            in_shell('touch -r "$1" "$2"', $file, $growing);
            $got = ingest($db, [$growing], zone => $zone);
            is($got->{lines}, 1, "$name: " . basename($file) . ' is read on where it ended');
            last;
        }
    }
}

# Some sources have no lines: theirs stays.
sub test_some {
    my ($log, $reject, $old) = map { root_of("tests/fixtures/town/$_") } qw(mainlog rejectlog mainlog.2.gz);
    for my $without ($log, $reject) {
        my $db = new_db();
        ingest($db, [$without], zone => 'UTC', options => ['--no-lines']);
        ingest($db, [grep { $_ ne $without } $log, $reject, $old], zone => 'UTC');
        my $wanted = dump_of($db);
        again($db, 'without ' . basename($without));
        is(difference(dump_of($db), $wanted) . faults_of($db), '', 'without ' . basename($without) . ': the same');
    }
}

# --year and syslog_duplication are remembered.
sub test_settings {
    my $folder = folder();
    my $path = spew("$folder/maillog", join '', map { ("Mar  1 00:00:0$_ mx exim[12]: 2019-03-01 00:00:0$_ H=(x) [192.0.2.1] F=<a\@b.example> rejected RCPT <u\@v.example>: no\n") x 2 } 1 .. 5);
    append($path, "Mar  2 00:00:01 mx imapd[1]: Login user=ann host=[192.0.2.1]\n");
    spew("$folder/conf", "[*maillog]\nsyslog_duplication = no\n");
    my $db = new_db();
    ingest($db, [$path], zone => 'UTC', options => ['--year', '2019', '--config', "$folder/conf"]);
    my ($wanted, $sources) = (dump_of($db), sources_of($db));
    again($db, 'settings');
    is(difference(dump_of($db), $wanted), '', 'settings: the same');
    is(difference(sources_of($db), $sources), '', 'settings: sources too');
}

# What was piped in ended inside a line, and the file went on.
sub test_open_line {
    my $text = slurp(root_of('tests/fixtures/town/mainlog'));
    my $folder = folder();
    my $db = new_db();
    ingest($db, ['-'], zone => 'UTC', input => spew("$folder/part", substr $text, 0, index($text, "\n", 9000) - 20));
    ingest($db, [spew("$folder/whole", $text)], zone => 'UTC');
    my $lines = $text =~ tr/\n//;
    is(sql($db, 'SELECT lines FROM source'), $lines + 1, 'a line in two pieces: is two lines');
    again($db, 'a line in two pieces');
    is(sql($db, 'SELECT s.lines, sum(b.lines) FROM source s JOIN line_block b ON b.source = s.id'), "$lines|$lines", 'a line in two pieces: is one, read again');
    my $fresh = new_db();
    ingest($fresh, ["$folder/whole"], zone => 'UTC');
    is(difference(dump_of($db), dump_of($fresh)), '', 'a line in two pieces: as ingested afresh');
}

# What forget took with a source that had lines in common comes back without its file.
sub test_forgotten {
    my ($log, $reject) = map { root_of("tests/fixtures/town/$_") } qw(mainlog rejectlog);
    my $folder = folder();
    in_shell('cp "$1" "$2"', $reject, "$folder/reject");
    my ($db, $alone) = (new_db(), new_db());
    ingest($db, [$log, "$folder/reject"], zone => 'UTC');
    unlink "$folder/reject";
    is(mailtrail(fast(), ['forget', '--db', $db, $log])->{code}, 0, 'forgotten: the log that came first');
    again($db, 'forgotten');
    ingest($alone, [$reject], zone => 'UTC');
    is(difference(dump_of($db), dump_of($alone)), '', 'forgotten: the other is there, its file is not');
}

sub test_killed {
    my $folder = folder();
    my $path = "$folder/log";
    in_shell('for n in $(seq 40); do sed "s/^2026-07-07/$(date -u -d "2026-01-01 +$n days" +%F)/" "$1"; done >"$2"', root_of('tests/fixtures/town/mainlog'), $path);
    my $db = new_db();
    ingest($db, [$path], zone => 'UTC');
    my $right = dump_of($db);
    sql($db, $worse);
    my $wrong = dump_of($db);
    isnt($wrong, $right, 'killed: there is something to mend');
    for my $round (1 .. 10) {
        my $killed = kill_at($round / 8 * -s $db, 'ingest', '--again', '--quiet', '--db', $db);
        my $dump = dump_of($db);
        ok($dump eq $wrong || $dump eq $right, "killed, round $round: all old or all new");
        last if !$killed;
    }
    again($db, 'killed');
    is(difference(dump_of($db), $right), '', 'killed: then done');
}

sub test_words {
    my $db = new_db();
    my $log = root_of('tests/fixtures/town/mainlog');
    ingest($db, [$log], zone => 'UTC');
    my $got = mailtrail(fast(), ['ingest', '--db', $db, '--again', $log]);
    is($got->{code}, 64, 'again takes no path');
    my $wanted = dump_of($db);
    sql($db, 'UPDATE line_block SET checksum = checksum + 1');
    $got = mailtrail(fast(), ['ingest', '--db', $db, '--again']);
    is($got->{code}, 2, 'damaged lines: exit code 2');
    like($got->{err}, qr{archived lines of source 1 from line 1 on are damaged}, 'damaged lines: in words');
    is(difference(dump_of($db), $wanted), '', 'damaged lines: nothing is changed');
}

test_sets();
test_some();
test_settings();
test_open_line();
test_forgotten();
test_killed();
test_words();
done_testing();
