#!/usr/bin/perl
# Lossless by accounting: every line of every source is understood, foreign, blank or not understood, in `status`, by
# dialect and by program; copies are some of those understood.  Lines are counted here by other means than in mailtrail.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use JSON::PP qw(decode_json);
use List::Util qw(sum0);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my $count = 0;

sub database { folder() . '/' . ++$count . '.db' }

sub status {
    my ($db) = @_;
    my $got = mailtrail(fast(), ['status', '--db', $db, '--format', 'json']);
    my %rows = map { $_->{name} => $_->{rows} } @{decode_json($got->{out})->{reports}};
    return \%rows;
}

# The lines of a file, without their ends; of a plain file's last only if it has one.
sub lines_of {
    my ($file) = @_;
    my $folder = folder();
    in_shell('zcat -f "$1" >"$2"', $file, "$folder/out");
    my $text = slurp("$folder/out");
    my @lines = split /\n/, $text, -1;
    pop @lines if $lines[-1] eq '' || $file !~ /\.(?:gz|zst)$/;
    return @lines;
}

my %ours = map { $_ => 1 } qw(exim spamd imapd ipop3d vm-pop3d dovecot);

# Who wrote a line, by its head alone: a program; '' for a line of the daemon's own file, or one that continues it.
sub program {
    my ($line) = @_;
    return '' if $line =~ /^(?:\d{4}-\d\d-\d\d \d|\w{3} \w{3} [ \d]\d [\d:]{8} \d{4} |\w{3} [ \d]\d [\d:.]+ \[\d+\] )/;
    return $1 if $line =~ /^(?:<\d+>)?(?:\w{3} [ \d]\d [\d:]{8}|\d{4}-\d\d-\d\dT[\d:.]+[-+]\d\d:\d\d) (?:[^ :\[]+ )?([^ :\[]+)(?:\[\d+\])?:/;
    return '';
}

# What was read of the files of a set, against what is in them; returns how many lines of Exim's there are.
sub accounted {
    my ($name, $files, %how) = @_;
    my $db = database();
    ingest($db, $files, zone => $how{zone} // 'UTC', year => $how{year}, options => $how{options});
    my $status = status($db);
    my (%lines, %foreign, $exim);
    for my $file (@$files) {
        my @lines = lines_of($file);
        $lines{$file} = @lines;
        $foreign{$_}++ for grep { $_ ne '' && !$ours{$_} } map { program($_) } @lines;
        $exim += grep { /^\d{4}-\d\d-\d\d \d/ || program($_) eq 'exim' } @lines;
    }
    my (@faults, %read);
    for my $source (@{$status->{sources}}) {
        $read{$source->{path}} = $source->{lines};
        push @faults, "$source->{path}: a line is lost"
            if $source->{lines} != sum0(@$source{qw(understood foreign blank unparsed)});
        push @faults, "$source->{path}: more copies than lines understood" if $source->{copies} > $source->{understood};
    }
    $read{$_} //= 0 for keys %lines; # an empty file is no source
    is_deeply(\%read, \%lines, "$name: every line of every file was read");
    is(join("\n", @faults), '', "$name: each is one of the four");
    is(sum0(map { $_->{lines} } @{$status->{'line-kinds'}}), sum0(values %lines), "$name: the kinds of lines add up to them");
    my %told = map { $_->{program} => $_->{lines} } grep { $_->{kind} eq 'foreign' } @{$status->{'line-kinds'}};
    is_deeply(\%told, \%foreign, "$name: foreign lines by program");
    is(sum0(map { $_->{lines} } grep { $_->{kind} =~ /^(?:unparsed|damaged)$/ } @{$status->{'line-kinds'}}),
       sum0(map { $_->{unparsed} } @{$status->{sources}}), "$name: lines not understood, by kind and by source");
    return ($status, $exim);
}

# --- a log of everything that is no line of mail's, counted by hand ---

sub test_odd_lines {
    my $mail = "2026-11-20 10:00:01 1xULPV-000001-AA Completed\n";
    my @odd = (
        ["\n\r\n\n", 'blank', 3], [$mail, 'understood', 1], ["  indented\n", 'understood', 1], ["not a log at all\n", 'unparsed', 1],
        ["Nov 20 10:00:02 mx sshd[7]: Accepted publickey for root\n", 'foreign', 1], ["Nov 20 10:00:02 mx last message repeated 3 times\n", 'understood', 1], # the line of sshd
        ["Nov 20 10:00:03 mx spamd[8]: no such line was ever written\n", 'unparsed', 1], ["Nov 20 10:00:03 mx imapd[8]: nor this one\n", 'unparsed', 1],
        ["Nov 20 10:00:04 mx vm-pop3d[8]: User 'x'\n", 'unparsed', 1], ["2026-11-20 10:00:05 1xULPV-000001-AA <= a\@x.example H=broken\n", 'unparsed', 1],
        ["\0\0\0\n", 'unparsed', 1], ["2026-11-20 10:00:06 a\0b\n", 'understood', 1], ["\xff\xfe\n", 'unparsed', 1],
        ["Nov 20 10:00:07 mx exim[9]: [2/3] the middle of something\n", 'understood', 1], ['2026-11-20 10:00:08 ' . 'x' x 200_000 . "\n", 'understood', 1],
        ['y' x 200_000 . "\n", 'unparsed', 1], ["Nov 20 10:00:09 mx : no program\n", 'foreign', 1], [$mail, 'understood', 1]);
    my %wanted = (understood => 0, foreign => 0, blank => 0, unparsed => 0);
    $wanted{$_->[1]} += $_->[2] for @odd;
    my $db = database();
    my $got = ingest($db, [spew(folder() . '/odd', join '', map { $_->[0] } @odd)], zone => 'UTC', year => 2026);
    my ($source) = @{status($db)->{sources}};
    is_deeply({ map { $_ => $source->{$_} } keys %wanted }, \%wanted, 'odd lines, counted by hand');
    is($source->{lines}, sum0(values %wanted), '  all of them');
    is($got->{unparsed}, $wanted{unparsed}, '  and what ingest says at its end');
    my $without_end = spew(folder() . '/open', $mail . substr $mail, 0, 30);
    my $open = database();
    ingest($open, [$without_end], zone => 'UTC');
    is(status($open)->{sources}[0]{lines}, 1, 'a line without its end waits');
    append($without_end, substr $mail, 30);
    ingest($open, [$without_end], zone => 'UTC');
    is(status($open)->{sources}[0]{lines}, 2, '  and is counted when it has come');
}

# A file read again under another name, and a second channel: their lines are read, and copies.
sub test_copies {
    my $log = root_of('tests/fixtures/once/channels');
    my $db = database();
    ingest($db, ["$log/mainlog"], zone => 'UTC');
    ingest($db, ["$log/maillog.iso"], zone => 'UTC');
    my @sources = @{status($db)->{sources}};
    is(scalar(@sources), 2, 'two channels of one log are two sources');
    ok($sources[1]{copies} > 50 && $sources[1]{copies} <= $sources[1]{understood}, '  of the second most lines are copies, and are understood');
}

# --- fixtures and corpus ---

sub test_fixtures {
    my $fixtures = root_of('tests/fixtures');
    accounted('town', [grep { -f && !/(?:mailtrail\.conf|\.json)$/ } glob "$fixtures/town/*"], year => 2026);
    accounted("once/$_->[0]", [glob "$fixtures/once/$_->[0]/*"], zone => $_->[1], year => $_->[2])
        for ['channels', 'UTC', 2026], ['newyear', 'UTC', 2023];
}

# Free text of a site's own: at most one line of Exim's in a hundred.
sub test_set {
    my ($set, $dir, $zone) = @_;
    my @files = grep { -f && basename($_) =~ /^(?:mainlog|rejectlog|paniclog|maillog\.iso|secure\.iso|spamd-)/ } glob "$dir/*";
    my ($status, $exim) = accounted($set, \@files, zone => $zone, year => $set =~ /^spamd/ ? 2026 : undef);
    is(sum0(map { $_->{unparsed} } @{$status->{sources}}), 0, "$set: nothing is left that was not understood");
    my $own = sum0(map { $_->{lines} } grep { $_->{kind} eq 'acl_text' } @{$status->{'line-kinds'}});
    ok($own * 100 <= ($exim // 0), sprintf '%s: %d of %d lines of Exim are free text of the site', $set, $own, $exim // 0);
}

test_odd_lines();
test_copies();
test_fixtures();
my $corpus = $ENV{CORPUS} // root_of('../shared/corpus');
for my $dir (grep { -d } glob "$corpus/exim-* $corpus/spamd-direct $corpus/vm-pop3d-da") {
    my $set = basename($dir);
    test_set($set, $dir, $set =~ /^(?:exim-d|exim-d3|vm-pop3d-da)$/ ? 'Europe/Berlin' : 'UTC');
}
done_testing();
