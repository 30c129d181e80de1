#!/usr/bin/perl
# Exactly once: the database is the union of what was logged, whatever files, channels, cuts, orders and deaths
# brought it.  Every way of reading a set of logs must end in the same views and the same sums.
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use Fcntl qw(:flock);
use File::Basename qw(basename dirname);
use List::Util qw(first shuffle sum);
use POSIX qw(SIGKILL SIGSTOP SIGCONT WNOHANG WUNTRACED);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

srand 20261124;

# ---- sets of logs ----

# Modification times of maillogs whose stamps have no year: the last stamp of the same stream with full stamps.
sub give_times {
    my ($folder) = @_;
    for my $iso (grep { !/\.gz$/ } glob "$folder/*.iso*") {
        my $last = (split /\n/, slurp($iso))[-1] or next;
        my ($time) = $last =~ /^(\d{4}-\d\d-\d\dT\S+)/ or next;
        (my $plain = $iso) =~ s/\.iso//;
        (my $raw = $iso) =~ s/\.iso/.raw/;
        in_shell('touch -d "$1" "$2"', $time, $_) for grep { -e } $iso, $plain, $raw;
    }
}

# A set copied into a folder of its own: files that are read, and other channels of the same lines.
sub take_set {
    my ($name, $zone, $source, $year) = @_;
    my $folder = folder();
    my @files = grep { -f && basename($_) =~ /^(?:mainlog|rejectlog|maillog|secure|spamd-)/ && !/syslog2eximlog/ }
        glob "$source/*";
    @files = grep { !/maillog(?:\.raw)?$/ } @files if $name =~ /^(?:fold|exim-d)/; # their syslog wrote UTC
    in_shell('to=$1; shift; cp -p "$@" "$to"; chmod u+w "$to"/*', $folder, @files);
    give_times($folder);
    my @all = sort glob "$folder/*";
    my @iso = grep { /\.iso/ } @all;
    my @other = grep { my $file = $_; grep { (my $twin = $_) =~ s/\.iso//; (my $raw = $_) =~ s/\.iso/.raw/;
                                             $file eq $twin || $file eq $raw } @iso } @all;
    my %other = map { $_ => 1 } @other;
    return { name => $name, zone => $zone, how => { zone => $zone, $year ? (year => $year) : () }, folder => $folder, files => [grep { !$other{$_} } @all], other => \@other };
}

sub sets {
    my $once = root_of('tests/fixtures/once');
    my @sets = map { take_set($_, $_ eq 'fold' ? 'Europe/Berlin' : 'UTC', "$once/$_") } qw(channels fold newyear);
    push @sets, take_set('town', 'UTC', root_of('tests/fixtures/town'), 2026);
    my $corpus = $ENV{CORPUS} // root_of('../shared/corpus');
    my %zone = ('exim-d' => 'Europe/Berlin', 'exim-d3' => 'Europe/Berlin', 'vm-pop3d-da' => 'Europe/Berlin');
    for my $name (qw(exim-a exim-c exim-d exim-d3 exim-e1 exim-e3 exim-f exim-mix exim-n1 exim-pop spamd-direct
                     vm-pop3d-da)) {
        push @sets, take_set($name, $zone{$name} // 'UTC', "$corpus/$name") if -d "$corpus/$name";
    }
    return @sets;
}


sub same {
    my ($set, $db, $name) = @_;
    my $faults = faults_of($db);
    is(difference(dump_of($db, loose => 1), $set->{wanted}) . $faults, '', "$set->{name}: $name");
}

sub adds_nothing {
    my ($set, $db, $paths, $name, %how) = @_;
    my $got = ingest($db, $paths, %{$set->{how}}, %how);
    is($got->{rows}, 0, "$set->{name}: $name adds no rows") or diag $got->{err};
    same($set, $db, "$name: the same");
    return $got;
}

# ---- whole files ----

sub test_again {
    my ($set) = @_;
    my $db = $set->{db};
    my $got = adds_nothing($set, $db, $set->{files}, 'once more');
    is("$got->{lines} $got->{unchanged}", '0 ' . @{$set->{files}}, "$set->{name}: once more reads no line");
}

sub test_orders {
    my ($set, $count) = @_;
    for my $try (1 .. $count) {
        my @files = shuffle(@{$set->{files}});
        my $db = new_db();
        if ($try % 2) { ingest($db, \@files, %{$set->{how}}) }
        else { ingest($db, [$_], %{$set->{how}}) for @files }
        same($set, $db, "order $try (" . ($try % 2 ? 'one command' : 'one command each') . ')')
            or diag join ' ', map { basename($_) } @files;
    }
    my @backwards = reverse @{$set->{files}};
    my $db = new_db();
    ingest($db, [$_], %{$set->{how}}) for @backwards;
    same($set, $db, 'files in reverse');
}

# All of it piped in, behind the files and before them.
sub test_piped {
    my ($set) = @_;
    my $all = "$set->{folder}/all.txt";
    in_shell('to=$1; shift; zcat -f "$@" >"$to"', $all, @{$set->{files}});
    adds_nothing($set, $set->{db}, ['-'], 'piped in behind the files', input => $all);
    my $db = new_db();
    ingest($db, ['-'], %{$set->{how}}, input => $all);
    same($set, $db, 'piped in alone');
    adds_nothing($set, $db, $set->{files}, 'the files behind the pipe');
    unlink $all;
}

my @packings = (['gz', 'gzip -c'], ['zst', 'zstd -qc'], ['bz2', 'bzip2 -c'], ['xz', 'xz -c'], ['lzma', 'xz -c --format=lzma'], ['Z', 'compress -c']);

# The files under other names, packed: nothing is read.
sub test_renamed {
    my ($set) = @_;
    my $folder = folder();
    my $number = 0;
    for my $file (shuffle(@{$set->{files}})) {
        my $to = "$folder/old-" . ++$number;
        if ($file =~ /\.gz$/) { in_shell('zcat "$1" >"$2"', $file, $to) }
        else { in_shell("$packings[$number % @packings][1] " . '<"$1" >"$2"; touch -r "$1" "$2"', $file, $to) }
    }
    my $db = new_db();
    ingest($db, $set->{files}, %{$set->{how}});
    my $got = adds_nothing($set, $db, [$folder], 'renamed and packed');
    is($got->{lines}, 0, "$set->{name}: renamed and packed: no line is read");
}

# The other channels of the same lines on top, and all of them in any order.
sub test_channels {
    my ($set) = @_;
    return if !@{$set->{other}};
    adds_nothing($set, $set->{db}, $set->{other}, 'the other channels');
    my @all = shuffle(@{$set->{files}}, @{$set->{other}});
    my $db = new_db();
    ingest($db, \@all, %{$set->{how}});
    same($set, $db, 'all channels in any order') or diag join ' ', map { basename($_) } @all;
}

sub forget {
    my ($db, @names) = @_;
    my $got = mailtrail(fast(), ['forget', '--db', $db, @names]);
    is($got->{code}, 0, 'forget ' . join(' ', map { basename($_) } @names)) or diag $got->{err};
}

sub test_forget {
    my ($set) = @_;
    my $db = new_db();
    my @files = @{$set->{files}};
    ingest($db, \@files, %{$set->{how}});
    my $gone = $files[rand @files];
    forget($db, $gone);
    is(faults_of($db), '', "$set->{name}: sums after forgetting");
    is(-s "$db-wal", 0, "$set->{name}: and the file alone holds all there is");
    ingest($db, \@files, %{$set->{how}});
    same($set, $db, 'forgotten and read again: ' . basename($gone));
    return if @files == 1;
    my @rest = grep { $_ ne $gone } @files;
    my $alone = new_db();
    ingest($alone, \@rest, %{$set->{how}});
    forget($db, $gone);
    ingest($db, \@rest, %{$set->{how}});
    is(difference(dump_of($db, loose => 1, facts => 1), dump_of($alone, loose => 1, facts => 1)) . faults_of($db), '',
       "$set->{name}: the rest without " . basename($gone) . ' is the rest alone');
}

# Two logs that begin alike for more than the head that a source is known by.  What forgetting one of them makes be
# read anew is the other, not whatever begins as it does.
sub test_forget_alike {
    my $refused = sub { join '', map { sprintf "2026-07-0%d 08:%02d:%02d H=(%s%d) [192.0.2.%d] rejected EHLO or HELO %s%d\n", $_[1], $_ / 60,
                                              $_ % 60, $_[0], $_, $_ % 250 + 1, $_[0], $_ } 0 .. 99 };
    my ($db, $folder) = (new_db(), folder());
    my $begin = $refused->('both', 1);
    cmp_ok(length $begin, '>', 4096, 'alike: for more than a head');
    my %log = (one => $begin . $refused->('one', 2), other => $begin . $refused->('other', 3));
    my ($one, $other) = map { spew("$folder/$_", $log{$_}) } qw(one other);
    ingest($db, [$one], zone => 'UTC');
    ingest($db, [$other], zone => 'UTC');
    forget($db, $other);
    my $again = ingest($db, [$other], zone => 'UTC');
    is("$again->{lines} $again->{rows} $again->{copies}", '200 100 100', 'alike: the forgotten one is read as a log of its own');
    my $reread = ingest($db, [$one], zone => 'UTC');
    is("$reread->{lines} $reread->{rows} $reread->{copies}", '200 0 200', 'alike: and the other one anew');
    my $check = mailtrail(fast(), ['check', '--quiet', '--db', $db]);
    is("$check->{code} $check->{out}", '0 ', 'alike: the database is sound');
    for my $name (sort keys %log) {
        my $lines = mailtrail(fast(), ['lines', '--db', $db, '--source', "$folder/$name"]);
        ok($lines->{out} eq $log{$name}, "alike: the lines of $name are its own");
    }
}

# ---- growing files ----

# Feeds a file cut at the offsets given and compares with the whole.  between: code run after each piece, which
# may rename the file and returns its path.
sub grow {
    my ($what, $text, $zone, $cuts, %how) = @_;
    my ($whole, $db, $folder) = (new_db(), new_db(), folder());
    my $path = "$folder/log";
    my $at = 0;
    if (!exists $how{wanted}) {
        spew("$folder/whole", $text);
        ingest($whole, ["$folder/whole"], zone => $zone, year => $how{year});
        $how{wanted} = dump_of($whole);
    }
    spew($path, '');
    for my $cut (@$cuts, length $text) {
        append($path, substr $text, $at, $cut - $at);
        $at = $cut;
        ingest($db, [$path], zone => $zone, year => $how{year}, options => ['--quiet'],
               code => $cut <= index($text, "\n") ? 'any' : 0); # less than a line may not look like a log yet
        $path = $how{between}->($path, $db) if $how{between} && $cut < length $text;
    }
    is(difference(dump_of($db), $how{wanted}) . faults_of($db), '', $what);
    return $how{wanted};
}

sub random_cuts {
    my ($text, $count) = @_;
    my %cuts = map { 1 + int rand(length($text) - 1) => 1 } 1 .. $count;
    return [sort { $a <=> $b } keys %cuts];
}

# Offsets of every place at which a pattern matches, and some octets around.
sub cuts_at {
    my ($text, $pattern, @around) = @_;
    my %cuts;
    while ($text =~ /$pattern/g) {
        $cuts{$_}++ for grep { $_ > 0 && $_ < length $text } map { $-[0] + $_ } @around;
    }
    return [sort { $a <=> $b } keys %cuts];
}

sub test_growing_set {
    my ($set) = @_;
    my $file = first { !/\.gz$/ && -s $_ > 2000 } shuffle(@{$set->{files}});
    return if !$file;
    my $text = slurp($file);
    my $renamed = 0;
    # renamed at every pause; where a line ends, also packed, behind whose end nothing may be missing
    my $between = sub {
        my ($path, $db) = @_;
        my $to = dirname($path) . '/log.' . ++$renamed;
        if (slurp($path) =~ /\n\z/) {
            in_shell('gzip -c "$1" >"$2"', $path, "$to.gz");
            my $got = ingest($db, ["$to.gz"], %{$set->{how}});
            is($got->{lines}, 0, 'packed between: nothing is read');
        }
        rename $path, $to or die;
        return $to;
    };
    my $cuts = random_cuts($text, 6);
    $_ = index($text, "\n", $_) + 1 for grep { $_ % 3 == 0 } @$cuts;
    grow("$set->{name}: " . basename($file) . ' growing, renamed, at ' . join(' ', @$cuts), $text, $set->{zone}, $cuts,
         between => $between, year => $set->{how}{year});
}

sub fixture { slurp(root_of("tests/fixtures/once/$_[0]")) }

sub test_cuts {
    my $main = fixture('channels/mainlog');
    my $mail = fixture('channels/maillog');
    my $fold = fixture('fold/mainlog');
    my $log = join '', (split /^/, $main)[0 .. 30];
    my $first = index($log, "\n") + 1;
    my @steps = map { $first + $_ } 0 .. 110;
    grow('one octet at a time', $log, 'UTC', \@steps);

    my $plain = grow('whole', $log, 'UTC', []);
    (my $crlf = $log) =~ s/\n/\r\n/g;
    grow('cut around CR LF, as without CR', $crlf, 'UTC', [grep { $_ > $first + 1 } @{cuts_at($crlf, qr/\r\n/, 0, 1, 2)}],
         wanted => $plain);

    grow('cut in and around the parts of split entries', $mail, 'UTC', cuts_at($mail, qr{\[\d+[/\\]\d+\] }, 0, 3, 9),
         year => 2026);
    grow('split entries under a year found by the file\'s time', $mail, 'UTC', [length($mail) - 5000]);

    grow('cut in and around a DST fold', $fold, 'Europe/Berlin',
         [@{cuts_at($fold, qr/^2025-10-26 02:20:(?:19|2\d)/m, 0, 17)}[0 .. 40]]);

    my $line = "2026-02-09 10:00:00 plain authenticator failed for (ylmf) [192.0.2.7]: 535 Incorrect authentication data\n";
    my $other = "2026-02-09 10:00:00 SMTP connection from [192.0.2.8] lost\n";
    my $second = ($line . $other) x 6 . $line;
    my $same = grow('equal lines of a second, cut between and inside', $second, 'UTC',
                    [sort { $a <=> $b } map { ($_, $_ + 30) } @{cuts_at($second, qr/^2026/m, 0)}]);
    is(scalar(() = $same =~ /"auth_failures"/g), 7, 'seven equal lines of one second are seven');
}

# A maillog of many hosts, more than there is room for at once: what was forgotten of them must not depend on cuts.
sub test_many_hosts {
    my $text = '';
    for my $round (1 .. 3) {
        for my $host (1 .. 45) {
            next if $round == 2 && $host % 3;
            $text .= "2026-02-09T10:00:00.000000+00:00 host$host imapd[77]: Login user=bob host=[192.0.2.9]\n";
        }
    }
    grow('many hosts in one log, cut', $text, 'UTC', [cuts_at($text, qr/^2026/m, 0)->@[6, 20, 44, 50, 60, 80]]);
}

# A log that begins in the middle of an entry of several parts, and one whose first entry is split: the year is
# found first, the entry read once.
sub test_split_first {
    my @lines = split /^/, fixture('channels/maillog');
    my ($at) = grep { $lines[$_] =~ m{\[1/3\] } } 0 .. $#lines;
    my ($folder, $db) = (folder(), new_db());
    spew("$folder/log", join '', @lines[$at .. $at + 2]);
    in_shell('touch -d 2026-02-10 "$1"', "$folder/log");
    ingest($db, ["$folder/log"], zone => 'UTC');
    my $dump = dump_of($db);
    is(scalar(() = $dump =~ /^\["messages"/mg), 1, 'a log whose first entry is split: its message is there');
}

# Exim without a stamp of its own in syslog, which stamps some lines a second later than Exim did.
sub test_late_stamps {
    my @seconds = (0, 1, 2, 3, 3, 7);
    my @late = (0, 1, 3, 3, 4, 8);
    my $said = "plain authenticator failed for (ylmf) [192.0.2.7]: 535 Incorrect authentication data\n";
    my $folder = folder();
    my $own = spew("$folder/mainlog", join '', map { "2026-02-09 10:00:0$_ $said" } @seconds);
    my $syslog = spew("$folder/maillog", join '', map { "Feb  9 10:00:0$late[$_] mx exim[$_]: $said" } 0 .. $#late);
    my $both = spew("$folder/both", slurp($syslog) . slurp($own));
    my ($alone, $other) = (new_db(), new_db());
    ingest($alone, [$own], zone => 'UTC');
    ingest($other, [$syslog], zone => 'UTC', year => 2026);
    is(scalar(() = dump_of($_) =~ /^\["auth_failures"/mg), 6, 'equal lines of successive seconds are each one')
        for $alone, $other;
    my $wanted = dump_of($alone);
    for my $order ([$own, $syslog], [$syslog, $own], [$both], [$both, $own, $syslog]) {
        my $db = new_db();
        ingest($db, [$_], zone => 'UTC', year => 2026) for @$order;
        is(difference(dump_of($db), $wanted) . faults_of($db), '',
           'lines that syslog stamped later: ' . join ', ', map { basename($_) } @$order);
    }
}

# ---- packed ----

sub test_packed {
    my ($set) = @_;
    my $file = first { /mainlog$/ } @{$set->{files}};
    my $text = slurp($file);
    my ($folder, $whole) = (folder(), new_db());
    ingest($whole, [$file], %{$set->{how}});
    my $wanted = dump_of($whole);
    my @cuts = @{random_cuts($text, 3)};
    my ($at, $number) = (0, 0);
    for my $cut (@cuts, length $text) {
        spew("$folder/part", substr $text, $at, $cut - $at);
        in_shell($_->[1] . ' <"$1" >>"$2"', "$folder/part", "$folder/members.$_->[0]") for grep { $_->[0] ne 'Z' } @packings;
        $at = $cut;
    }
    in_shell('compress -c <"$1" >"$2"', $file, "$folder/members.Z"); # has none
    for my $packed (map { "$folder/members.$_->[0]" } @packings) {
        my $db = new_db();
        ingest($db, [$packed], %{$set->{how}});
        is(difference(dump_of($db), $wanted), '', basename($packed) . ' of several members');
        my $got = ingest($db, [$file], %{$set->{how}});
        is("$got->{rows} $got->{lines}", '0 0', basename($packed) . ': the plain file behind it is known');
        $got = ingest($whole, [$packed], %{$set->{how}});
        is("$got->{rows} $got->{lines}", '0 0', basename($packed) . ': behind the plain file it is known');
    }
    # a member's end inside a line, while the .gz grows
    my ($db, $grown) = (new_db(), "$folder/grown.gz");
    $at = 0;
    for my $cut (@cuts, length $text) {
        spew("$folder/part", substr $text, $at, $cut - $at);
        in_shell('gzip -c "$1" >>"$2"', "$folder/part", $grown);
        $at = $cut;
    }
    my $packed = slurp($grown);
    for my $size (map { int(length($packed) * $_ / 7) } 2 .. 6) {
        spew("$folder/cut.gz", substr $packed, 0, $size);
        ingest($db, ["$folder/cut.gz"], %{$set->{how}}, code => 1);
    }
    spew("$folder/cut.gz", $packed);
    ingest($db, ["$folder/cut.gz"], %{$set->{how}});
    is(difference(dump_of($db), $wanted), '', 'a .gz that was cut short and grew whole');
}

# ---- two at once, and death ----

sub big_log {
    my $folder = folder();
    in_shell('cc -O1 -o "$1" "$2"', "$folder/generate", root_of('bench/generate.c'));
    # lines that only go on, so that there are commits under way
    in_shell('"$1" --lines 60000 --mix mixed --seed 7 --start 2026-01-05 |'
             . q( perl -ne 'print; print " ", "x" x 8000, "\n" if $. % 3 == 0' >"$2"), "$folder/generate", "$folder/log");
    return "$folder/log";
}

sub into { ('ingest', '--db', $_[0], '--server', 'mx', '--zone', 'UTC', $_[1]) }

# A database that is no draft any more.
sub published_db {
    my $db = new_db();
    ingest($db, [small_log()], zone => 'UTC', options => ['--quiet']);
    return $db;
}

sub small_log {
    my $path = folder() . '/small';
    spew($path, "2026-01-04 23:00:00 SMTP connection from [192.0.2.9] lost\n") if !-e $path;
    return $path;
}

# Killed at any point and run again: a draft is begun anew, what is published goes on.
sub test_killed {
    my ($kind, $make, $log, $wanted) = @_;
    my $kills = 0;
    for my $round (1 .. 6) {
        my $db = $make->();
        for (1 .. 3) {
            kill_at(rand(1.1) * -s $log, into($db, $log)) or last;
            $kills++;
        }
        ingest($db, [$log], zone => 'UTC');
        is(sha256_hex(dump_of($db)) . faults_of($db), $wanted, "$kind killed, round $round");
    }
    cmp_ok($kills, '>=', 10, "$kind killed $kills times");
}

sub stopped_near_its_end {
    my ($db, $log) = @_;
    my $pid = start_until(0.9 * -s $log, into($db, $log)) or die 'ended too early';
    kill SIGSTOP, $pid;
    waitpid $pid, WUNTRACED;
    return $pid;
}

sub test_stopped {
    my ($log, $wanted) = @_;
    my $db = published_db();
    my $pid = stopped_near_its_end($db, $log);
    my $second = mailtrail(fast(), ['ingest', '--db', $db, '--server', 'mx', '--zone', 'UTC', $log]);
    is($second->{code}, 2, 'a second ingest at once: exit 2');
    like($second->{err}, qr/\Q$db\E: another ingest is at work/, 'a second ingest at once is told why');
    my $forget = mailtrail(fast(), ['forget', '--db', $db, $log]);
    is($forget->{code}, 2, 'forget at the same time: exit 2');
    my $status = mailtrail(fast(), ['status', '--db', $db]);
    is("$status->{code} $status->{err}", '0 ', 'status while an ingest is under way');
    my $report = mailtrail(fast(), ['report', '--db', $db]);
    is($report->{code}, 0, 'a report while an ingest is under way') or diag $report->{err};
    kill SIGCONT, $pid;
    waitpid $pid, 0;
    is($?, 0, 'the first ingest goes on to its end');
    is(sha256_hex(dump_of($db)) . faults_of($db), $wanted, 'and is complete');
}

# A draft is not read, and says so; nor is what was left of it.
sub test_draft {
    my ($log, $wanted) = @_;
    my $db = new_db();
    my $pid = stopped_near_its_end($db, $log);
    my $second = mailtrail(fast(), ['ingest', '--db', $db, '--server', 'mx', '--zone', 'UTC', $log]);
    is($second->{code}, 2, 'a second ingest into a draft: exit 2');
    like($second->{err}, qr/\Q$db\E: another ingest is at work/, 'a second ingest into a draft is told why');
    for my $command ('status', 'report', 'check', "forget $log") {
        my $got = mailtrail(fast(), [split(' ', $command), '--db', $db]);
        is($got->{code}, 2, "$command of a draft: exit 2");
        like($got->{err}, qr/\Q$db\E: is being filled for the first time; wait/, "$command of a draft is told why");
    }
    kill SIGKILL, $pid;
    waitpid $pid, 0;
    my $status = mailtrail(fast(), ['status', '--db', $db]);
    is($status->{code}, 2, 'what was left of a draft: exit 2');
    like($status->{err}, qr/run it again if it was stopped/, 'what was left of a draft is told what to do');
    ingest($db, [$log], zone => 'UTC');
    is(sha256_hex(dump_of($db)) . faults_of($db), $wanted, 'and is begun anew');
}

# Reads again and again while an ingest runs: never refused, never waiting for it.
sub test_readers {
    my ($log, $wanted) = @_;
    my $db = published_db();
    my $pid = start_until(0.05 * -s $log, into($db, $log)) or die 'ended too early';
    my ($reads, $refused) = (0, '');
    until (waitpid($pid, WNOHANG) == $pid) {
        my $out = `sqlite3 -readonly -cmd '.timeout 0' "$db" 'SELECT count(*) FROM messages' 2>&1`;
        $refused .= $out if $? || $out !~ /^\d+$/;
        $reads++;
    }
    is($refused, '', "readers are never refused ($reads reads)");
    cmp_ok($reads, '>', 0, 'readers read while it ran');
    is(sha256_hex(dump_of($db)) . faults_of($db), $wanted, 'and the ingest is complete');
}

# ---- the run ----

for my $set (sets()) {
    my $is_ours = $set->{name} !~ /-/;
    $set->{db} = new_db();
    ingest($set->{db}, $set->{files}, %{$set->{how}}, binary => sanitized());
    $set->{wanted} = dump_of($set->{db}, loose => 1);
    is(faults_of($set->{db}), '', "$set->{name}: sums and structure");
    test_again($set);
    test_orders($set, $is_ours ? 4 : 1);
    test_piped($set);
    test_renamed($set);
    test_channels($set);
    test_forget($set) for 1 .. ($is_ours ? 2 : 1);
    test_growing_set($set) for 1 .. ($is_ours ? 2 : 1);
    test_packed($set) if $set->{name} eq 'channels';
}
test_cuts();
test_many_hosts();
test_split_first();
test_forget_alike();
test_late_stamps();

sub wanted_of {
    my ($db, @logs) = @_;
    ingest($db, [$_], zone => 'UTC', options => ['--quiet']) for @logs;
    my $wanted = sha256_hex(dump_of($db)) . faults_of($db);
    is(length $wanted, 64, 'the large log: sums and structure');
    return $wanted;
}

my $log = big_log();
my $first = wanted_of(new_db(), $log);
my $later = wanted_of(new_db(), $log, small_log());
test_killed('a draft', \&new_db, $log, $first);
test_killed('a published one', \&published_db, $log, $later);
test_draft($log, $first);
test_stopped($log, $later);
test_readers($log, $later);
done_testing();
