#!/usr/bin/perl
# The logs of real daemons, ingested, against what their driver recorded: who sent what to whom, what lay in the
# mailboxes and at the far servers afterwards, who was refused with which reply, who opened a mailbox, what spamd
# told.  CORPUS names the folder of the sets; tests/truth/gaps.tsv holds each difference that remains, and why.
# Without a corpus the bundled week of tests/fixtures/town is taken alone.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use POSIX ();
use Time::Local qw(timegm);
use lib dirname(__FILE__) . '/../truth';
use Truth qw(rows slurp contents gaps_of_set);

my $root = dirname(__FILE__) . '/../..';
my $corpus = $ENV{CORPUS} // "$root/../shared/corpus";
my $mailtrail = $ENV{MAILTRAIL} // "$root/mailtrail";
my $fast = $ENV{MAILTRAIL_FAST} // $mailtrail;
my $tmp = tempdir(CLEANUP => 1);
$ENV{MAILTRAIL_CONF} = '/dev/null';

my ($tests, $failed) = (0, 0);
sub ok {
    my ($good, $name, @diag) = @_;
    $tests++;
    $failed++ if !$good;
    print $good ? '' : 'not ', "ok $tests - $name\n";
    print map { "# $_\n" } @diag if !$good;
}

# exim-d prints its offsets, and its syslog keeps UTC; in exim-d3 only the ISO stream tells the zone of each.
my %zone = ('exim-d3' => 'Europe/Berlin', 'vm-pop3d-da' => 'Europe/Berlin');
my @sets = ((map { "exim-$_" } qw(a c c2 c3 d d3 e1 e3 f mix n1 pop)), qw(spamd-direct vm-pop3d-da));

# A copy of the set's logs.  The year-less ones get back the time of their last line, which a checkout has not.
sub fetch {
    my ($set) = @_;
    my $dir = "$tmp/$set";
    mkdir $dir or die "$dir: $!\n";
    for my $path (glob "$corpus/$set/*") {
        my $name = basename($path);
        copy($path, "$dir/$name") or die "$path: $!\n" if $name =~ /^(?:mainlog|rejectlog|paniclog|maillog|secure|hub-mainlog|spamd-)/;
    }
    for my $iso (glob "$dir/maillog.iso* $dir/secure.iso") {
        next if $iso =~ /\.gz$/ || !-e $iso;
        my ($last) = slurp($iso) =~ /([^\n]+)\n\z/;
        my ($y, $mo, $d, $h, $mi, $s, $sign, $oh, $om) = $last =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)[\d.]*([-+])(\d\d):(\d\d)/
            or die "$iso: no stamp\n";
        my $at = timegm($s, $mi, $h, $d, $mo - 1, $y) - ($sign eq '-' ? -1 : 1) * ($oh * 3600 + $om * 60);
        for my $kind ('', '.raw', '.iso') {
            (my $twin = $iso) =~ s/(maillog|secure)\.iso/$1$kind/;
            utime $at, $at, $twin if -e $twin;
        }
    }
    return $dir;
}

sub ingest {
    my ($program, $db, $server, $zone, @files) = @_;
    open my $out, '-|', $program, 'ingest', '--quiet', '--db', $db, '--server', $server, '--zone', $zone, @files or die "$program: $!\n";
    my @said = <$out>;
    return close $out;
}

sub tally {
    my ($db) = @_;
    return join ' ', map { my $table = $_; "$table " . (rows($db, "SELECT count(*) AS n FROM $table"))[0]{n} }
        qw(message delivery rejection scan_line session_line auth_failure event unparsed_line);
}

# set, what, key, expected, got, why
sub known_gaps {
    my %known;
    open my $in, '<', "$root/tests/truth/gaps.tsv" or die "gaps.tsv: $!\n";
    while (<$in>) {
        chomp;
        next if /^#/ || /^$/;
        my ($set, @gap) = split /\t/, $_, -1;
        die "gaps.tsv:$.: six fields\n" if @gap != 5 || $gap[4] eq '';
        $known{$set}{ join "\t", @gap[ 0 .. 3 ] } = 1;
    }
    return \%known;
}

sub test_set {
    my ($set, $known) = @_;
    my $dir = fetch($set);
    my $db = "$tmp/$set.db";
    my $zone = $zone{$set} // 'UTC';
    my $other = $set eq 'exim-d3' ? qr/maillog(?:$|\.raw)/ : qr/maillog\.(?:iso|raw|syslog)|secure\.iso/;
    my @files = grep { -e && !/$other/ }
        glob "$dir/mainlog* $dir/rejectlog* $dir/paniclog $dir/maillog* $dir/secure $dir/spamd-*";
    ok(ingest($mailtrail, $db, 'srv1', $zone, @files) && (!-e "$dir/hub-mainlog" || ingest($mailtrail, $db, 'hub', 'UTC', "$dir/hub-mainlog")), "$set: ingested");

    my %found = map { my @gap = @$_; s/[\t\n\r]/ /g for @gap; join("\t", @gap) => 1 } gaps_of_set("$corpus/$set", $db);
    my @new = grep { !$known->{$set}{$_} } sort keys %found;
    my @gone = grep { !$found{$_} } sort keys %{ $known->{$set} || {} };
    ok(!@new && !@gone, "$set: agrees with the driver's record, " . keys(%found) . ' known gaps apart',
        (map { "new gap: $set\t$_" } @new), map { "gap no longer there: $set\t$_" } @gone);

    my @unparsed = rows($db, 'SELECT path, line, text FROM unparsed');
    ok(!@unparsed, "$set: every line is understood", map { "$_->{path}:$_->{line}: $_->{text}" } @unparsed);

    # The same again, and the same stream in its other formats: nothing new.
    my ($before, $rows) = (contents($db), tally($db));
    ingest($fast, $db, 'srv1', $zone, @files);
    ok($before eq contents($db), "$set: read again adds nothing");
    my @twins = $set eq 'exim-d3' ? () : grep { -e } glob "$dir/maillog.iso* $dir/secure.iso $dir/maillog.raw*";
    if (@twins) {
        ingest($fast, $db, 'srv1', $zone, @twins);
        my $now = tally($db);
        ok($rows eq $now, "$set: the same stream in ISO and raw format adds nothing", "before $rows", "after  $now");
    }
    unlink $db, "$db-wal", "$db-shm";
}

# Two sets at a time; each says its lines when it is done.
sub test_sets {
    my ($known, @queue) = @_;
    my @running;
    while (@queue || @running) {
        while (@queue && @running < 2) {
            my $set = shift @queue;
            pipe my $read, my $write or die "pipe: $!\n";
            my $pid = fork // die "fork: $!\n";
            if (!$pid) {
                close $read;
                open STDOUT, '>&', $write or die "dup: $!\n";
                eval { test_set($set, $known); 1 } or ok(0, "$set: $@");
                close STDOUT;
                POSIX::_exit(0);
            }
            close $write;
            push @running, [ $set, $pid, $read ];
        }
        my ($set, $pid, $read) = @{ shift @running };
        my @lines = <$read>;
        waitpid $pid, 0;
        ok(0, "$set: its process died") if $? || !grep { /^(?:not )?ok/ } @lines;
        for (@lines) {
            if (/^((?:not )?ok) \d+ - (.*)/) { ok($1 eq 'ok', $2) }
            else { print }
        }
    }
}

if (-d "$corpus/exim-a") {
    test_sets(known_gaps(), @ARGV ? @ARGV : @sets);
} else {
    my $town = "$root/tests/fixtures/town";
    my ($one, $two) = ("$tmp/one.db", "$tmp/two.db");
    my @ingest = ($mailtrail, 'ingest', '--quiet', '--config', "$town/mailtrail.conf", '--db');
    ok(system(@ingest, $one, $town) == 0, 'town: ingested');
    my $before = contents($one);
    ok(length $before > 10000, 'town: holds rows');
    system(@ingest, $one, $town);
    ok($before eq contents($one), 'town: read again adds nothing');
    system(@ingest, $two, $_) for reverse grep { /log/ } glob "$town/*";
    ok($before eq contents($two), 'town: file by file, in reverse order, is the same');
}

print "1..$tests\n";
exit($failed ? 1 : 0);
