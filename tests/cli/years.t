#!/usr/bin/perl
# Time: years that no stamp names, found by the file's time; long silences told; a log of another zone refused, with the
# command that mends it; clocks set back.  The truth for every stamp without a year is the same line with a full one.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use Test::More;
use Time::Local qw(timegm_modern);
use lib dirname(__FILE__);
use Ingest;

my @month = qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);
my $count = 0;

sub database { folder() . '/' . ++$count . '.db' }

sub epoch {
    my ($stamp) = @_;
    my ($y, $mo, $d, $h, $mi, $s, $sign, $oh, $om) =
        $stamp =~ /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:(?:Z|([-+])(\d\d):?(\d\d)))?/ or die "no stamp: $stamp\n";
    return timegm_modern($s, $mi, $h, $d, $mo - 1, $y) - (defined $sign ? ($sign eq '-' ? -1 : 1) * ($oh * 3600 + $om * 60) : 0);
}

# The head of a line as syslog writes it, without a year.
sub head {
    my ($stamp) = @_;
    my ($mo, $d, $time) = $stamp =~ /^\d{4}-(\d\d)-(\d\d)[T ]([\d:]{8})/ or die "no stamp: $stamp\n";
    return sprintf '%s %2d %s', $month[$mo - 1], $d, $time;
}

# A second as message ids hold it.
sub base62 {
    my ($second) = @_;
    my ($id, @digit) = ('', '0' .. '9', 'A' .. 'Z', 'a' .. 'z');
    ($id, $second) = ($digit[$second % 62] . $id, int($second / 62)) for 1 .. 6;
    return $id;
}

# One line for each stamp, which tells its number: what Exim would log for a logwrite.
sub numbered { my $n = 0; return join '', map { head($_) . ' mx exim[1]: line ' . $n++ . "\n" } @_ }

sub rows {
    my ($db, $sql) = @_;
    my $folder = folder();
    spew("$folder/sql", $sql);
    in_shell('sqlite3 -batch -bail -readonly "$1" <"$2" >"$3"', $db, "$folder/sql", "$folder/out");
    return split /\n/, slurp("$folder/out");
}

# Number of a line => instants at which the database has it.
sub instants {
    my ($db) = @_;
    my %at;
    for (rows($db, "SELECT substr(text, 6), at FROM events WHERE text LIKE 'line %';")) {
        my ($n, $at) = split /\|/;
        push @{$at{$n}}, $at;
    }
    return \%at;
}

sub years_of { join ' ', rows($_[0], 'SELECT DISTINCT years FROM sources;') }

# A file that holds these stamps, changed last at a time.
sub file_of {
    my ($time, @stamps) = @_;
    my $file = spew(folder() . '/maillog', numbered(@stamps));
    utime epoch($time), epoch($time), $file or die "$file: $!\n";
    return $file;
}

# Ingests and compares every instant; returns what ingest did.
sub instants_are {
    my ($name, $file, $stamps, %how) = @_;
    my $db = $how{db} // database();
    my $got = ingest($db, [$file], zone => $how{zone} // 'UTC', year => $how{year});
    my $at = instants($db);
    my @wrong = grep { !$at->{$_} || "@{$at->{$_}}" ne epoch($stamps->[$_]) } 0 .. $#$stamps;
    is(scalar(@wrong), 0, "$name: every stamp") or diag(map { "$stamps->[$_]: got " . join(' ', map { scalar gmtime $_ } @{$at->{$_} // []}) . "\n" } @wrong[0 .. ($#wrong > 4 ? 4 : $#wrong)]);
    is(years_of($db), $how{years} // 'inferred', "$name: years are $how{years}") if $how{years};
    return $got;
}

# --- years, by files of our own ---

sub test_years {
    my @new_year = ('2023-12-30 10:00:00', '2023-12-31 23:59:59', '2024-01-01 00:00:00', '2023-12-31 23:59:59', '2024-01-01 00:00:01',
                    '2024-02-28 23:59:59', '2024-02-29 00:00:00', '2024-02-29 23:59:59', '2024-03-01 00:00:00');
    instants_are('over New Year and a leap day', file_of('2024-03-01 00:00:00', @new_year), \@new_year, years => 'inferred');
    instants_are('the file changed days later', file_of('2024-03-09 00:00:00', @new_year), \@new_year);
    instants_are('the year given', file_of('2026-11-20 00:00:00', @new_year), \@new_year, year => 2023, years => 'given');
    my @three = map { my $y = $_; map { "$y-$_ 12:00:00" } qw(01-05 04-01 07-01 10-01 12-31) } 2021 .. 2023;
    instants_are('three years in one file', file_of('2023-12-31 12:00:01', @three), \@three, years => 'inferred');
    my @leap = ('2024-02-29 10:00:00', '2024-03-01 10:00:00');
    instants_are('29 February in a file whose time is lost', file_of('2026-11-20 10:00:00', @leap), \@leap);
    my @old = ('2025-11-21 10:00:00', '2025-11-22 10:00:00');
    instants_are('no stamp is later than its file', file_of('2026-11-20 10:00:00', @old), \@old);
    my @full = ('2025-06-01 10:00:00');
    my $mixed = spew(folder() . '/maillog', numbered(@full) . "2025-06-01T10:00:05.000001+00:00 mx exim[1]: full\n");
    instants_are('a full stamp behind tells the year', $mixed, \@full, years => 'inferred');
}

sub test_gzip {
    my @stamps = ('2023-12-31 23:59:59', '2024-01-01 00:00:00');
    my $file = file_of('2024-01-01 00:00:00', @stamps);
    in_shell('gzip "$1"', $file); # -N: the header keeps the file's time
    utime epoch('2026-11-20 00:00:00'), epoch('2026-11-20 00:00:00'), "$file.gz";
    instants_are('the time in a header of .gz, not that of the copied file', "$file.gz", \@stamps, years => 'inferred');
}

# A file that grows: the years go on from the stamps before, whatever the file's time says.
sub test_growing {
    my @stamps = ('2023-12-31 23:59:58', '2023-12-31 23:59:59', '2024-01-01 00:00:00', '2024-01-01 00:00:01');
    my ($db, $folder) = (database(), folder());
    my @lines = split /^/, numbered(@stamps);
    my $file = spew("$folder/maillog", join '', @lines[0, 1]);
    utime epoch($stamps[1]), epoch($stamps[1]), $file;
    ingest($db, [$file], zone => 'UTC');
    append($file, join '', @lines[2, 3]);
    instants_are('a file that grew over New Year', $file, \@stamps, db => $db, years => 'inferred');
}

# Lines of Exim's without a stamp of its own, under ids of the second of their stamp less what the message waited.
sub with_ids {
    my ($wait, @stamps) = @_;
    my $n = 0;
    return join '', map { sprintf "%s mx exim[1]: %s-%06d-00 line %d\n", head($_), base62(epoch($_) - $wait), $n, $n++ } @stamps;
}

# A copy that has its own time: the message ids say what year it is; without them it is told that nothing does.
sub test_lost_time {
    my @stamps = ('2024-12-30 08:00:00', '2024-12-31 23:59:59', '2025-01-01 00:00:01', '2025-03-01 10:00:00');
    for my $wait (0, 5 * 86400) {
        my $file = spew(folder() . '/maillog', with_ids($wait, @stamps));
        utime epoch('2026-11-20 00:00:00'), epoch('2026-11-20 00:00:00'), $file;
        my $db = database();
        my $got = ingest($db, [$file], zone => 'UTC');
        is(join(' ', rows($db, 'SELECT at FROM events ORDER BY at;')), join(' ', map { epoch($_) } @stamps), "ids of $wait seconds before: every stamp");
        is(years_of($db), 'inferred', '  by years that are inferred');
        unlike($got->{err}, qr/--year/, '  and nothing to tell');
    }
    my @last = ('2025-03-01 10:00:00');
    my $file = file_of('2026-11-20 10:00:00', @last);
    my $db = database();
    my $got = ingest($db, [$file], zone => 'UTC');
    like($got->{err}, qr{/maillog: its stamps have no year .* changed 264 days after the last of them, and 2026 was taken for the first; if that is wrong: mailtrail forget \Q$file\E, and mailtrail ingest --year YYYY \Q$file\E$}m,
         'a file changed months after its last stamp: that is told, and what mends it');
    is(mailtrail(fast(), ['forget', '--db', $db, $file])->{code}, 0, '  which does: forget');
    $got = instants_are('  and --year', $file, \@last, db => $db, year => 2025);
    unlike($got->{err}, qr/if that is wrong/, '  of which nothing is to be told');
    $got = instants_are('a file changed 59 days after', file_of('2025-04-29 10:00:00', @last), \@last);
    unlike($got->{err}, qr/--year/, '  is not told');
}

sub test_silence {
    my @stamps = ('2024-02-29 10:00:00', '2024-03-01 10:00:00', '2024-12-31 23:00:00', '2025-01-01 01:00:00');
    my $got = instants_are('a silence of 305 days', file_of('2025-01-01 01:00:00', @stamps), \@stamps);
    like($got->{err}, qr{/maillog: .*305 days.*--year}, 'is told, and that --year settles it');
    my @short = ('2024-03-01 10:00:00', '2024-08-30 10:00:00');
    $got = instants_are('a silence of 182 days', file_of('2024-08-30 10:00:00', @short), \@short);
    unlike($got->{err}, qr/--year/, 'is not told');
}

# --- zones ---

# Arrivals whose ids hold the second of the stamp less an offset.
sub arrivals {
    my ($offset, @stamps) = @_;
    my $n = 0;
    return join '', map { sprintf "%s %s-%06d-00 <= a%d\@x.example U=a P=local S=9\n", $_, base62(epoch($_) - $offset), ++$n, $n } @stamps;
}

sub test_zone {
    my @stamps = map { sprintf '2026-07-01 10:%02d:00', $_ } 0 .. 9;
    my $log = spew(folder() . '/mainlog', arrivals(7200, @stamps));
    my $db = database();
    my $got = ingest($db, [$log], zone => 'UTC', code => 2);
    like($got->{err}, qr{/mainlog: .*UTC\+02:00.*--zone}s, 'a log of another zone is refused, and the zone is named');
    is(join(' ', rows($db, 'SELECT count(*) FROM messages; SELECT count(*) FROM sources;')), '0 0', '  nothing of it was taken');
    like($got->{err}, qr/mailtrail forget --server mx/, '  with the command that takes back what was read wrongly');
    my $good = database();
    ingest($good, [$log], zone => 'Europe/Berlin');
    is((rows($good, 'SELECT min(at) FROM messages;'))[0], epoch($stamps[0]) - 7200, '  and in its zone it is taken, at the right instants');

    my ($zone) = $got->{err} =~ /such as --zone (\S+)/;
    ingest($db, [$log], zone => $zone);
    is((rows($db, 'SELECT min(at) FROM messages;'))[0], epoch($stamps[0]) - 7200, "  and in the zone that the refusal names, $zone");
    my $utc = spew(folder() . '/mainlog', arrivals(0, @stamps));
    like(ingest(database(), [$utc], zone => 'Europe/Berlin', code => 2)->{err}, qr/such as --zone UTC /, '  UTC, where it is UTC');

    my $half = spew(folder() . '/mainlog', arrivals(19800, @stamps));
    like(ingest(database(), [$half], zone => 'Europe/Berlin', code => 2)->{err}, qr/UTC\+05:30/, 'a zone of half hours is named');
    my $west = spew(folder() . '/mainlog', arrivals(-12600, map { sprintf '2026-01-15 10:%02d:00', $_ } 0 .. 9));
    like(ingest(database(), [$west], zone => 'UTC', code => 2)->{err}, qr/UTC-03:30/, 'and one west of Greenwich');

    my $printed = spew(folder() . '/mainlog', arrivals(7200, @stamps) =~ s/(:00) /$1 +0200 /gr);
    my $third = database();
    ingest($third, [$printed], zone => 'UTC');
    is((rows($third, 'SELECT min(at) FROM messages;'))[0], epoch($stamps[0]) - 7200, 'stamps that name their zone need no other');
}

# What was read in a wrong zone before goes with the command that the refusal names.
sub test_mending {
    my $db = database();
    my $quiet = spew(folder() . '/mainlog', "2026-07-01 09:00:00 line 0\n"); # no id to check it by
    ingest($db, [$quiet], zone => 'UTC');
    my $log = spew(folder() . '/mainlog', arrivals(7200, map { sprintf '2026-07-01 10:%02d:00', $_ } 0 .. 9));
    my $refused = ingest($db, [$log], zone => 'UTC', code => 2);
    my ($words) = $refused->{err} =~ /mailtrail (forget --server \S+)/ or return fail('the command is named');
    is(mailtrail(fast(), [split(/ /, $words), '--db', $db])->{code}, 0, "mailtrail $words");
    ingest($db, [$quiet, $log], zone => 'Europe/Berlin');
    is(join(' ', rows($db, 'SELECT min(at) FROM events; SELECT min(at) FROM messages;')),
       join(' ', epoch('2026-07-01 07:00:00'), epoch('2026-07-01 08:00:00')), '  and then the right zone can be given');
}

# --- clocks set back ---

sub test_clock {
    my @seconds = map { "2026-05-05 10:00:$_" } qw(00 05 04 03 05 06);
    instants_are('a clock that steps back by seconds', file_of('2026-05-05 10:00:06', @seconds), \@seconds);
    my @hours = ('2026-05-05 10:00:00', '2026-05-05 11:00:00', '2026-05-05 09:30:00', '2026-05-02 09:30:00', '2026-05-05 12:00:00');
    instants_are('by an hour, and by three days', file_of('2026-05-05 12:00:00', @hours), \@hours);
    my @eve = ('2026-01-01 00:10:00', '2025-12-31 23:30:00', '2025-12-31 23:59:59', '2026-01-01 00:00:01');
    instants_are('over New Year, backwards', file_of('2026-01-01 00:00:01', @eve), \@eve);

    # The hour that comes twice, in stamps that name neither year nor zone; 02:10 comes again behind 02:50.
    my @local = ('2025-10-26 01:50:00', '2025-10-26 02:10:00', '2025-10-26 02:50:00', '2025-10-26 02:10:00', '2025-10-26 02:50:00', '2025-10-26 03:10:00');
    my @truth = map { my ($hour) = $local[$_] =~ / (\d\d):/; $local[$_] . ($_ >= 3 ? '+01:00' : '+02:00') } 0 .. $#local;
    instants_are('the end of summer time', file_of('2025-10-26 02:10:00', @local), \@truth, zone => 'Europe/Berlin');
}

# --- the corpus ---

# The maillog of a set with every line's text a number, its files' times as they were; and the truth for each.
sub numbered_set {
    my ($folder, $dir, $kind) = @_;
    my ($n, @truth, @files) = (0);
    for my $iso (sort glob "$dir/maillog.iso*") {
        (my $name = basename($iso)) =~ s/maillog\.iso/maillog$kind/;
        next unless -e "$dir/$name";
        my @full = lines_of($iso);
        my @bare = lines_of("$dir/$name");
        die "$name: other lines than in its twin\n" unless @full == @bare;
        my $text = '';
        for my $i (0 .. $#full) {
            my ($head) = $bare[$i] =~ /^((?:<\d+>)?\w{3} [ \d]\d [\d:]{8}) / or die "$name: $bare[$i]\n";
            $text .= "$head mx exim[1]: line " . $n++ . "\n";
            push @truth, epoch($full[$i]);
        }
        (my $plain = $name) =~ s/\.gz$//;
        my $time = $name =~ /\.gz$/ ? unpack 'V', substr(slurp("$dir/$name"), 4, 4) : epoch($full[-1]);
        my $file = spew("$folder/$plain", $text);
        utime $time, $time, $file;
        in_shell('gzip "$1"', $file) if $name ne $plain;
        push @files, "$folder/$name";
    }
    return (\@files, \@truth);
}

sub lines_of {
    my ($file) = @_;
    my $folder = folder();
    in_shell('zcat -f "$1" >"$2"', $file, "$folder/out");
    return split /\n/, slurp("$folder/out");
}

sub test_corpus {
    my ($set, $dir, $kind, $silent) = @_;
    my ($files, $truth) = numbered_set(folder(), $dir, $kind);
    my $db = database();
    my $got = ingest($db, $files, zone => 'UTC'); # what syslog wrote in, d and d3 included
    my $at = instants($db);
    my @wrong = grep { !$at->{$_} || "@{$at->{$_}}" ne $truth->[$_] } 0 .. $#$truth;
    is(scalar(@wrong), 0, sprintf '%s, maillog%s: %d lines in %d files, none at a wrong instant', $set, $kind, scalar(@$truth), scalar(@$files));
    ok(@$truth > 100, '  which are not few');
    is(years_of($db), 'inferred', '  all by inferred years, and marked so');
    my @told = $got->{err} =~ m{/(maillog[^:/]*): [^\n]*--year}g;
    is("@told", $silent, $silent ? "  the silence in $silent is told" : '  no silence to tell of');
}

# Copies of a set's maillogs that have lost their times: the ids of Exim's lines tell the years.
sub test_copies {
    my ($set, $dir) = @_;
    for my $log (grep { !/\.(?:iso|raw)/ } glob "$dir/maillog*") {
        (my $iso = $log) =~ s/maillog/maillog.iso/;
        my @full = lines_of($iso);
        my $file = spew(folder() . '/maillog', join '', map { "$_\n" } lines_of($log));
        utime epoch('2026-11-20 00:00:00'), epoch('2026-11-20 00:00:00'), $file;
        my $db = database();
        my $got = ingest($db, [$file], zone => 'UTC');
        is(join(' ', rows($db, 'SELECT first_at, last_at FROM source;')), join('|', epoch($full[0]), epoch($full[-1])), "$set, a copy of " . basename($log));
        unlike($got->{err}, qr/if that is wrong/, '  of which nothing is to be told');
    }
}

# The hour that comes twice, in stamps without a zone: each arrival is at the second that its message's id holds, or just
# behind it.  In another zone the log is refused.
sub test_ids {
    my ($set, $log) = @_;
    my %value = map { ((('0' .. '9', 'A' .. 'Z', 'a' .. 'z')[$_]) => $_) } 0 .. 61;
    my $db = database();
    ingest($db, [$log], zone => 'Europe/Berlin');
    my ($all, @wrong) = (0);
    for (rows($db, 'SELECT exim_id, received FROM messages WHERE received IS NOT NULL;')) {
        my ($id, $at) = split /\|/;
        my $second = 0;
        $second = $second * 62 + $value{$_} for split //, substr $id, 0, 6;
        $all++;
        push @wrong, "$id is $second, not $at" if $at < $second - 1 || $at > $second + 120;
    }
    is("@wrong", '', "$set: $all arrivals, each at the time of its id");
    ok($all > 100, '  which are not few');
    my $refused = ingest(database(), [$log], zone => 'Asia/Tokyo', code => 2);
    like($refused->{err}, qr/UTC\+0[12]:00.*--zone/, '  and refused as a log of Tokyo');
}

test_years();
test_gzip();
test_growing();
test_lost_time();
test_silence();
test_zone();
test_mending();
test_clock();
my $corpus = $ENV{CORPUS} // root_of('../shared/corpus');
for my $set (grep { -d "$corpus/$_" } qw(exim-d exim-d3 exim-mix exim-pop exim-a exim-c exim-e1)) {
    for my $kind ('', '.raw') {
        test_corpus($set, "$corpus/$set", $kind, $set eq 'exim-mix' ? "maillog$kind.2.gz" : '');
    }
}
-d "$corpus/$_" and test_copies($_, "$corpus/$_") for 'exim-mix';
-e "$corpus/$_/mainlog" and test_ids($_, "$corpus/$_/mainlog") for 'exim-d3';
done_testing();
