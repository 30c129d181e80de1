#!/usr/bin/perl
# The archive of lines: each source comes back byte for byte, whatever stands in it, in whatever pieces it was read and
# wherever a run was killed; what is damaged in it is found.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

srand 20261124;

my $log = root_of('tests/fixtures/town/mainlog');
my @log = split /^/, slurp($log);

sub sql {
    my ($db, $sql) = @_;
    my $out = folder() . '/out';
    in_shell('sqlite3 "$1" "$2" >"$3"', $db, $sql, $out);
    return slurp($out) =~ s/\n\z//r;
}

# The archived lines into a file of their own.
sub lines_of {
    my ($db, @words) = @_;
    my $out = folder() . '/lines';
    in_shell('out=$1; shift; "$@" >"$out"', $out, fast(), 'lines', '--db', $db, @words);
    return $out;
}

sub check_ok {
    my ($db, $name) = @_;
    my $got = mailtrail(fast(), ['check', '--quiet', '--db', $db]);
    is("$got->{code} $got->{out}$got->{err}", '0 ', "$name: check");
}

# What was read of a source comes back as the first octets of a plain file.
sub comes_back {
    my ($db, $plain, $name, @words) = @_;
    my $octets = sql($db, 'SELECT coalesce(sum(position), 0) FROM source' . (@words ? " WHERE id = $words[1]" : ''));
    my $lines = lines_of($db, @words);
    my $same = system('sh', '-c', 'head -c "$3" "$1" | cmp - "$2"', 'sh', $plain, $lines, $octets) == 0;
    ok($same, "$name: comes back byte for byte");
    return $octets;
}

# A file alone in a database, read whole.
sub whole_file {
    my ($path, $name, %how) = @_;
    my $db = new_db();
    my $plain = folder() . '/plain';
    in_shell('zcat -f "$1" >"$2"', $path, $plain);
    ingest($db, [$path], zone => 'UTC', code => 'any', %how);
    my $octets = comes_back($db, $plain, $name);
    is($octets, -s $plain, "$name: to its end") if $how{to_end};
    check_ok($db, $name);
    return $db;
}

# ---- what stands in the files ----

sub test_fixtures {
    my @logs = (glob(root_of('tests/fixtures/town/*log*')), glob(root_of('tests/fixtures/once/*/*')));
    my $corpus = $ENV{CORPUS} // root_of('../shared/corpus');
    push @logs, grep { -f && !/\.(?:json|md|tsv|conf)$/ } glob "$corpus/*/*";
    my ($db, $folder) = (new_db(), folder());
    my @read = grep { ingest($db, [$_], zone => 'UTC', code => 'any', server => basename(dirname($_)), binary => fast())->{code} == 0 }
        grep { -f && -s } @logs;
    my @rows = split /\n/, sql($db, 'SELECT id, path FROM source ORDER BY id');
    ok(@rows > 10, 'fixtures: many sources');
    my @bad;
    for (@rows) {
        my ($id, $path) = split /\|/, $_, 2;
        my $lines = lines_of($db, '--source', $id);
        system('sh', '-c', 'zcat -f "$1" | head -c "$3" | cmp - "$2"', 'sh', $path, $lines,
               sql($db, "SELECT position FROM source WHERE id = $id")) == 0 or push @bad, $path;
    }
    is("@bad", '', 'fixtures: each source comes back byte for byte');
    check_ok($db, 'fixtures');
}

sub noise { my ($n) = @_; return join '', map { chr int rand 256 } 1 .. $n }

sub test_hostile {
    my $folder = folder();
    my $head = join '', @log[0 .. 9];
    my $tail = join '', @log[10 .. 29];
    my %hostile = (
        'CR and LF' => join('', map { s/\n/\r\n/r } @log),
        'NULs' => $head . "\0\0\n" . ("2026-07-07 10:04:40 \0x\0\n" x 3) . $tail,
        'blank lines' => "$head\n\n\n$tail\n\n",
        'binary' => $head . noise(700_000) . "\n" . $tail,
        'Latin-1 and broken UTF-8' => $head . "2026-07-07 10:04:40 caf\xe9 \xc3\n\xff\xfe\n" . $tail,
        'a line of 3 MB' => $head . '2026-07-07 10:04:40 ' . noise(3_000_000) =~ tr/\n/x/r . "\n" . $tail,
        'lines around a block' => $head . join('', map { '2026-07-07 10:04:40 ' . 'y' x $_ . "\n" } 524_200 .. 524_210, 65_520 .. 65_540) . $tail,
        'two long lines' => $head . ('z' x 1_500_000 . "\n") x 2 . 'q' x 1_048_576 . "\n" . $tail,
    );
    for my $name (sort keys %hostile) {
        my $path = spew("$folder/log", $hostile{$name});
        whole_file($path, $name, to_end => 1);
        in_shell('gzip -c "$1" >"$1.gz"', $path);
        whole_file("$path.gz", "$name, packed", to_end => 1);
        chop(my $open = $hostile{$name} . 'x');
        spew($path, substr $hostile{$name}, 0, -7); # the last line has no LF
        whole_file($path, "$name, last line without LF");
        in_shell('gzip -c "$1" >"$1.gz"', $path);
        whole_file("$path.gz", "$name, packed, last line without LF", to_end => 1);
        my $db = new_db();
        ingest($db, ['-'], zone => 'UTC', input => $path);
        is(comes_back($db, $path, "$name, piped in, last line without LF"), -s $path, "$name: to the end of the pipe");
    }
    my $cut = slurp(root_of('tests/fixtures/town/mainlog.2.gz'));
    my $plain = "$folder/plain";
    in_shell('zcat "$1" >"$2"', root_of('tests/fixtures/town/mainlog.2.gz'), $plain);
    spew("$folder/cut.gz", substr $cut, 0, length($cut) / 2);
    my $db = new_db();
    ingest($db, ["$folder/cut.gz"], zone => 'UTC', code => 1);
    ok(comes_back($db, $plain, 'a .gz cut short') > 0, 'a .gz cut short: something was kept');
    spew("$folder/cut.gz", $cut);
    ingest($db, ["$folder/cut.gz"], zone => 'UTC');
    is(comes_back($db, $plain, 'the whole .gz'), -s $plain, 'the whole .gz: all of it');
    check_ok($db, 'the whole .gz');
}

# A line that packs badly and is longer than memory may hold.
sub test_huge {
    my $folder = folder();
    spew("$folder/log", join('', @log[0 .. 9]) . '2026-07-07 10:04:40 ');
    my $megabyte = noise(1_000_000) =~ tr/\n/x/r; # it comes again further back than zstd looks
    append("$folder/log", $megabyte) for 1 .. 100;
    append("$folder/log", "\n" . join '', @log[10 .. $#log]);
    my $db = new_db();
    my $got = mailtrail('/usr/bin/time', ['-f', 'peak %M', fast(), 'ingest', '--db', $db, '--server', 'mx', '--zone', 'UTC', "$folder/log"]);
    is($got->{code}, 0, 'a line of 100 MB of noise') or diag $got->{err};
    my ($peak) = $got->{err} =~ /peak (\d+)/;
    cmp_ok($peak, '<', 256 * 1024, 'a line of 100 MB of noise: memory stays below 256 MiB');
    is(comes_back($db, "$folder/log", 'a line of 100 MB of noise'), -s "$folder/log", 'a line of 100 MB of noise: to its end');
    check_ok($db, 'a line of 100 MB of noise');
}

# ---- pieces and deaths ----

sub test_growing {
    my $text = join '', @log;
    $text .= join '', map { s/\n/\r\n/r } split /^/, slurp(root_of('tests/fixtures/town/mainlog.1')) if -e root_of('tests/fixtures/town/mainlog.1');
    for my $round (1 .. 3) {
        my ($db, $path) = (new_db(), folder() . '/log');
        my ($at, $bad) = (0, 0);
        spew($path, '');
        my %cuts = map { int(rand length $text) + 1 => 1 } 1 .. 25;
        for my $cut ((sort { $a <=> $b } keys %cuts), length $text) {
            append($path, substr $text, $at, $cut - $at);
            $at = $cut;
            ingest($db, [$path], zone => 'UTC', options => ['--quiet'], code => 'any');
            my $octets = sql($db, 'SELECT coalesce(sum(position), 0) FROM source');
            $bad++ if system('sh', '-c', 'head -c "$3" "$1" | cmp -s - "$2"', 'sh', $path, lines_of($db), $octets) != 0;
        }
        is($bad, 0, "growing, round $round: what was read comes back each time");
        is(sql($db, 'SELECT position FROM source'), length $text, "growing, round $round: to its end");
        is(sql($db, 'SELECT count(*) FROM line_block'), 1, "growing, round $round: small blocks are joined");
        check_ok($db, "growing, round $round");
    }
}

sub test_killed {
    my $folder = folder();
    my $path = "$folder/log";
    in_shell('for n in $(seq 60); do sed "s/^2026-07-07/$(date -u -d "2026-01-01 +$n days" +%F)/" "$1"; done >"$2"', $log, $path);
    append($path, '2026-07-07 10:04:40 ' . 'long ' x 500_000 . "\n" . join '', @log);
    my $kills = 0;
    for my $round (1 .. 12) {
        my $db = new_db();
        ingest($db, [spew("$folder/first", $log[0])], zone => 'UTC') if $round % 2; # published, else a draft
        $kills += kill_at(rand(1.1) * -s $path, 'ingest', '--quiet', '--db', $db, '--server', 'mx', '--zone', 'UTC', $path) for 1 .. 4;
        ingest($db, [$path], zone => 'UTC');
        is(comes_back($db, $path, "killed, round $round", '--source', 1 + $round % 2), -s $path, "killed, round $round: to its end");
        check_ok($db, "killed, round $round") if $round % 4 == 0;
    }
    cmp_ok($kills, '>=', 20, "killed $kills times");
}

# ---- what may be asked ----

sub test_no_lines {
    my $db = new_db();
    ingest($db, [$log], zone => 'UTC', options => ['--no-lines']);
    is(sql($db, 'SELECT count(*) FROM line_block'), 0, '--no-lines: nothing is kept');
    my $got = mailtrail(fast(), ['lines', '--db', $db]);
    is($got->{code}, 64, '--no-lines: lines says so');
    like($got->{err}, qr{read with --no-lines: nothing was kept}, '--no-lines: in words');
    my $folder = folder();
    in_shell('cp "$1" "$2"', $log, "$folder/log");
    append("$folder/log", $log[-1]);
    $got = ingest($db, ["$folder/log"], zone => 'UTC');
    like($got->{err}, qr{was begun without its lines \(--no-lines\), and goes on without; forget it}, '--no-lines: for good, and told');
    is(sql($db, 'SELECT count(*) FROM line_block'), 0, '--no-lines: still nothing');
    check_ok($db, '--no-lines');
    my $with = new_db();
    ingest($with, [$log], zone => 'UTC');
    is(difference(dump_of($with), do { my $without = new_db(); ingest($without, [$log], zone => 'UTC', options => ['--no-lines']); dump_of($without) }), '',
       '--no-lines: the same facts');
    $got = ingest($with, ["$folder/log"], zone => 'UTC', options => ['--no-lines']);
    like($got->{err}, qr{its lines were kept from the beginning, and go on being kept; forget it}, '--no-lines on a source that has them: told');
    comes_back($with, "$folder/log", '--no-lines on a source that has them');
    my $status = mailtrail(fast(), ['status', '--db', $with, '--format', 'json']);
    my $packed = sql($with, 'SELECT sum(length(text)) FROM line_block');
    like($status->{out}, qr{"archive(?:d)?": ?$packed\b}, 'status has the size of the archive');
}

sub test_forget {
    my $db = new_db();
    my $other = root_of('tests/fixtures/town/mainlog.2.gz');
    ingest($db, [$log, $other], zone => 'UTC');
    mailtrail(fast(), ['forget', '--db', $db, $log]);
    is(sql($db, 'SELECT count(DISTINCT source) FROM line_block'), 1, 'forget: its lines are gone, the others not');
    check_ok($db, 'forget');
}

sub test_times {
    my $db = new_db();
    my $path = folder() . '/log';
    my $text = '';
    for my $hour (0 .. 23) { # a block is some hours
        $text .= sprintf "2026-03-04 %02d:%02d:%02d Start queue run: pid=%d %s\n", $hour, $_ / 60, $_ % 60, $_, 'x' x 20 for 0 .. 3599;
        $text .= "continued $hour\n";
    }
    spew($path, $text);
    ingest($db, [$path], zone => 'Europe/Berlin');
    cmp_ok(sql($db, 'SELECT count(*) FROM line_block'), '>', 5, 'times: several blocks');
    for my $span (['04:00:00', '05:00:00'], ['04:30:10', '04:30:11'], ['03:59:59', '17:00:01'], ['23:59:59', '24:00:00'], ['00:00:00', '00:00:01']) {
        my ($since, $until) = @$span;
        my ($wanted, $in) = ('', 0);
        for (split /^/, $text) {
            $in = $1 ge $since && $1 lt $until if /^2026-03-04 (\S+)/;
            $wanted .= $_ if $in;
        }
        my $day = $until eq '24:00:00' ? '2026-03-05 00:00:00' : "2026-03-04 $until";
        ok(slurp(lines_of($db, '--since', "2026-03-04 $since", '--until', $day)) eq $wanted, "times: @$span");
    }
    my $iso = new_db();
    my $maillog = spew(folder() . '/maillog', join '', map { sprintf "%s %2d 23:59:%02d mx imapd[%d]: Login user=ann host=[192.0.2.1]\n", @$_ }
        ['Dec', 30, 1, 1], ['Dec', 31, 2, 2], ['Jan', 1, 3, 3], ['Jan', 2, 4, 4]);
    ingest($iso, [$maillog], zone => 'UTC', options => ['--year', '2019']);
    like(slurp(lines_of($iso, '--since', '2019-12-31', '--until', '2020-01-02')), qr{\ADec 31 .*\nJan  1 .*\n\z}, 'times: stamps without a year');
}

# A last line that has no end yet, and is longer than what is kept of one, behind lines that lie across the edge of what
# is read at once.
sub test_long_lines {
    my ($folder, @bad) = (folder());
    my $line = sub { sprintf("2026-07-01 10:%02d:%02d unheard %03d ", $_[0] / 60 % 60, $_[0] % 60, $_[0]) . sprintf('%03d ', $_[0]) x $_[1] };
    for my $count (8 .. 14) {
        my $ended = join '', $line->(0, 180_000) . "\n", map { $line->($_, 12_000) . "\n" } 1 .. $count; # blocks end elsewhere
        my ($db, $path) = (new_db(), spew("$folder/$count", $ended . $line->(0, 17_000)));
        ingest($db, [$path], zone => 'UTC');
        push @bad, $count if mailtrail(fast(), ['lines', '--db', $db, '--source', '1'])->{out} ne $ended;
    }
    is("@bad", '', 'a long last line: those before it come back byte for byte');
}

sub test_damage {
    my $db = new_db();
    ingest($db, [$log, root_of('tests/fixtures/town/mainlog.2.gz')], zone => 'UTC');
    my %damage = (
        "UPDATE line_block SET text = CAST(substr(text, 1, 900) || x'00' || substr(text, 902) AS BLOB) WHERE id = 1" => qr{archived lines of source 1 from line 1 on are damaged},
        'UPDATE line_block SET checksum = checksum + 1 WHERE id = 2' => qr{archived lines of source 2 from line 1 on are damaged},
        'UPDATE line_block SET text = substr(text, 1, 900) WHERE id = 1' => qr{archived lines of source 1 from line 1 on are damaged},
        'DELETE FROM line_block WHERE id = 2' => qr{source 2\): \d+ lines and \d+ octets read, but 0 and 0 archived},
        'UPDATE line_block SET lines = lines - 1 WHERE id = 1' => qr{source 1\): (\d+) lines and \d+ octets read, but (?!\1)\d+ and},
        'UPDATE line_block SET position = 7 WHERE id = 1' => qr{source 1\): the block of line 1 at 7 does not follow the one before},
        'UPDATE source SET archived = 0 WHERE id = 1' => qr{source 1\): 1 blocks of a source that is read without lines},
    );
    for my $sql (sort keys %damage) {
        my $copy = folder() . '/copy.db';
        in_shell('cp "$1" "$2"', $db, $copy);
        sql($copy, $sql);
        my $got = mailtrail(fast(), ['check', '--quiet', '--db', $copy]);
        is($got->{code}, 1, "damage is found: $sql");
        like($got->{out}, $damage{$sql}, "damage is named: $sql");
        next if $sql !~ /text|checksum/;
        my $lines = mailtrail(fast(), ['lines', '--db', $copy]);
        is($lines->{code}, 2, "damaged lines are not given out: $sql");
        like($lines->{err}, $damage{$sql}, "damaged lines: in words: $sql");
    }
}

sub test_usage {
    my $db = new_db();
    ingest($db, [$log], zone => 'UTC');
    my %words = ('--source nothing' => qr{no source 'nothing'; see mailtrail status}, 'mainlog' => qr{takes no arguments, but was given 'mainlog'; did you mean --source mainlog},
                 '--since soon' => qr{'soon' is no time});
    for my $words (sort keys %words) {
        my $got = mailtrail(fast(), ['lines', '--db', $db, split / /, $words]);
        is($got->{code}, 64, "lines $words");
        like($got->{err}, $words{$words}, "lines $words: in words");
    }
    is(slurp(lines_of($db, '--source', $log)), slurp($log), 'lines by path');
    my $got = mailtrail('/bin/sh', ['-c', '"$1" lines --db "$2" >/dev/full', 'sh', fast(), $db]);
    is($got->{code}, 2, 'lines onto a full disk');
}

test_fixtures();
test_hostile();
test_huge();
test_growing();
test_killed();
test_no_lines();
test_forget();
test_times();
test_long_lines();
test_damage();
test_usage();
done_testing();
