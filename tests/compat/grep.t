#!/usr/bin/perl
# `mailtrail grep` beside the real exigrep over the same lines: the same messages and lines, each message whole, or
# different for a reason that docs/compat.md names.  Messages come in the order of their first lines.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use Test::More;
use lib dirname(__FILE__), dirname(__FILE__) . '/../cli';
use Exigrep qw(expected mended meaning first_difference @mends);
use Ingest;

$ENV{PATH} .= ':/usr/sbin'; # where Debian has exigrep
delete @ENV{qw(POSIXLY_CORRECT PAGER LESS)};

my $corpus = $ENV{CORPUS} // root_of('../shared/corpus');

# As exigrep has them; ours takes -i where exigrep does without -I.
my @command_lines = (
    ['alice'], ['-l', 'alice'], ['-I', 'alice'], ['-I', 'ALICE'], ['ALICE'], ['-l', '<= <>'], ['-l', '.example'],
    ['-l', '-I', 'Completed'], ['rejected RCPT'], ['^2026-\d\d-\d\d 1[0-3]:'], ['[Ff]rozen|blackhole'], ['T=\S+smtp .*C="250'],
    ['-I', 'S=\d{5,}\b'], ['a{,2}b'], ['(\w)\1\1'], ['(?<=@)[a-z]+\.example\b'], ['(?i:COMPLETED)$'], ['-I', '(?i)completed'],
    ['[^\x00-\x7f]'], ['Completed\n'], [''], ['nothing like this'], ['no host name found'], ['-v', 'example'],
    ['-v', '-I', 'Completed'], ['-v', '-l', '=> '], ['-v', 'nothing like this'], ['-v', '-t', '60', 'P=local'],
    ['-t', '0', 'P=e?smtp'], ['-t', '5', 'example'], ['-t', '3600', '.'], ['-I', 'defer \(-?\d+\).*:'], ['\*\* '], ['SMTP (?:error|call)'],
    ['id=\S+@'], ['-l', ' R=1'], ['(?:a|b)c*d'],
);

sub run_in_shell {
    my ($line, @words) = @_;
    my $out = folder() . '/out';
    local $ENV{OUT} = $out;
    system('sh', '-c', "$line >\"\$OUT\"", 'sh', @words) == 0 or die "failed: $line @words\n";
    return slurp($out);
}

# Messages and lines of no message, each with the empty line behind it.
sub parts { return sort split /(?<=\n\n)/, $_[0] }
sub joined { return join "\0", parts($_[0]) }

sub ours {
    my ($db, @words) = @_;
    my $sensitive = grep { $_ eq '-I' } @words[0 .. $#words - 1];
    my @ours = ((grep { $_ ne '-I' } @words[0 .. $#words - 1]), '--', $words[-1]);
    my $got = mailtrail(fast(), ['grep', '--db', $db, $sensitive ? () : '-i', @ours]);
    return "exit $got->{code}, signal $got->{signal}: $got->{err}" if $got->{code} || $got->{signal};
    return $got->{out};
}

# Whether messages come in the order of their first lines in the log.
sub in_order {
    my ($log, $out) = @_;
    my ($number, %first, $last) = (0);
    for (split /\n/, $log) {
        $number++;
        $first{$1} //= $number if /^\S+ \S+ (?:\[\d+\] )?(\w{6}-\w{6}-\w\w)(?= |$)/;
    }
    for my $part (split /(?<=\n\n)/, $out) {
        my ($id) = $part =~ /^(?:\+\+\+ )?(?:\d\S+ \S+ )?(?:\[\d+\] )?(\w{6}-\w{6}-\w\w)(?= |$)/m or next;
        return 0 if defined $last && $first{$id} < $last;
        $last = $first{$id};
    }
    return 1;
}

# Without the lines behind a message's end, of which exigrep makes another message; grep leaves them with theirs.
sub without_late {
    my ($log) = @_;
    my %all = map { $_ => 1 } @mends;
    my (%ended, $kept);
    for my $text (split /^/, $log) {
        my $line = Exigrep::read_line($text, \%all);
        my $id = $line && $line->{id};
        next if defined $id && $ended{$id};
        $kept .= $text;
        $ended{$id} = 1 if defined $id && Exigrep::ends($line, \%all);
    }
    return $kept;
}

# every: which of the command lines, one of so many.
sub compare {
    my ($every, $name, $zone, @files) = @_;
    my $log = join '', map { run_in_shell('zcat -f "$1"', $_) } @files;
    $log =~ s/^(?!\d{4}-\d\d-\d\d ).*\n//mg; # exigrep sees no lines without a stamp
    # A log of which lines come late exigrep takes apart, where grep prints each message as one.
    $log = join '', map { $_->[1] } sort { $a->[0] cmp $b->[0] } map { [/^(\S+ \S+)/, $_] } split /^/, $log;
    $log = without_late($log);
    my $path = spew(folder() . '/log', $log);
    my $db = new_db();
    ingest($db, [$path], zone => $zone);
    for my $number (grep { $_ % $every == 0 } 0 .. $#command_lines) {
        my @words = @{$command_lines[$number]};
        my $ours = ours($db, @words);
        my $o = meaning(@words);
        my $wanted = mended($log, $o);
        is(joined($ours) eq joined($wanted) ? '' : first_difference(joined($wanted) =~ tr/\0/\n/r, joined($ours) =~ tr/\0/\n/r), '',
           "$name: @words: what it should be");
        ok(in_order($log, $ours), "$name: @words: in order");
        my $old = run_in_shell('exigrep --no-pager "$@"', @words, $path);
        ok(joined($old) eq joined($ours) || joined($old) eq joined(join '', expected($log, $o, {})),
           "$name: @words: exigrep prints the same, or is wrong as known");
    }
    return ($db, $log);
}

# A log whose lines are out of order: each message is whole all the same.
sub test_disorder {
    my ($log) = @_;
    my @lines = split /^/, $log;
    my @mixed = map { $_->[1] } sort { $a->[0] <=> $b->[0] } map { [int($_ / 40) % 5 * @lines + $_, $lines[$_]] } 0 .. $#lines;
    my $db = new_db();
    ingest($db, [spew(folder() . '/mixed', join '', @mixed)], zone => 'UTC');
    for my $pattern ('alice', 'Completed', '<=') {
        my $ours = ours($db, '-I', $pattern);
        my (%lines, %wanted);
        for (@mixed) {
            my ($id) = /^\S+ \S+ (?:\[\d+\] )?(\w{6}-\w{6}-\w\w)(?= |$)/ or next;
            $lines{$id} .= $_;
            $wanted{$id} = 1 if /$pattern/;
        }
        my @got = map { s/^\+\+\+.*\n//r } grep { /^(?:\+\+\+ .*\n)?\S+ \S+ (?:\[\d+\] )?\w{6}-\w{6}-\w\w / } split /(?<=\n\n)/, $ours;
        is(first_difference(join('', sort map { "$lines{$_}\n" } keys %wanted), join '', sort @got), 'the ends', "out of order: $pattern: messages are whole");
    }
}

# Several files, packed and out of order, and other channels of the same lines: nothing twice, nothing else.
sub test_sources {
    my ($log) = @_;
    my $once = root_of('tests/fixtures/town');
    my ($folder, $db) = (folder(), new_db());
    my @lines = split /^/, $log;
    my ($one, $two) = (int(@lines / 3), int(@lines / 2));
    spew("$folder/mainlog.2", join '', @lines[0 .. $one - 1]);
    spew("$folder/mainlog.1", join '', @lines[$one .. $two - 1]);
    spew("$folder/mainlog", join '', @lines[$two .. $#lines]);
    in_shell('gzip "$1"', "$folder/mainlog.2");
    my $year = substr $lines[0], 0, 4;
    my @months = qw(- Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);
    spew("$folder/maillog", join '', map { /^\d+-(\d\d)-(\d\d) (\S{8})/ ? sprintf("%s %2d %s mx exim[77]: %s", $months[$1], $2, $3, $_) : () } @lines[$one / 2 .. $#lines - 100]);
    spew("$folder/rejectlog", join '', grep { / rejected / } @lines);
    ingest($db, [map { "$folder/$_" } qw(mainlog mainlog.1 mainlog.2.gz maillog rejectlog)], zone => 'UTC', year => $year);
    for my $words (['alice'], ['rejected'], ['Completed'], ['-v', 'Completed']) {
        my $ours = ours($db, @$words);
        is(first_difference(join('', parts(mended($log, meaning(@$words)))), join '', parts($ours)), 'the ends', "several sources: @$words");
    }
}

# Lines of daemons other than Exim are lines of no message.
sub test_others {
    my $db = new_db();
    my $maillog = spew(folder() . '/maillog', "Oct 28 23:59:58 mx imapd[1]: Login user=ann host=[192.0.2.1]\nNov  1 00:00:02 mx imapd[2]: Login user=bob host=[192.0.2.1]\n");
    my $main = spew(folder() . '/mainlog', "2019-10-29 10:00:01 1iPQXR-000001-AA <= ann\@x.example U=ann P=local S=100\n2019-10-29 10:00:02 1iPQXR-000001-AA Completed\n");
    ingest($db, [$maillog], zone => 'UTC', options => ['--year', '2019']);
    ingest($db, [$main], zone => 'UTC', server => 'other');
    is(ours($db, 'ann'), "Oct 28 23:59:58 mx imapd[1]: Login user=ann host=[192.0.2.1]\n\n" . slurp($main) . "\n", 'other daemons');
    is(ours($db, '--since', '2019-10-29', 'ann'), slurp($main) . "\n", '--since');
    is(ours($db, '--until', '2019-10-29', 'ann'), "Oct 28 23:59:58 mx imapd[1]: Login user=ann host=[192.0.2.1]\n\n", '--until');
    is(ours($db, '--server', 'other', 'ann'), slurp($main) . "\n", '--server');
    is(ours($db, '--since', '2019-10-29 10:00:02', '--until', '2019-10-29 10:00:03', 'complet'), slurp($main) . "\n", 'a message found by time is whole');
    my $longer = spew(folder() . '/maillog', "Oct 29 09:00:00 mx imapd[1]: Login user=eve host=[192.0.2.1]\nOct 29 11:00:00 mx imapd[2]: Login user=ann host=[192.0.2.1]\n");
    my $both = new_db();
    ingest($both, [$longer, $main], zone => 'UTC', options => ['--year', '2019']);
    is(ours($both, 'ann'), "Oct 29 11:00:00 mx imapd[2]: Login user=ann host=[192.0.2.1]\n\n" . slurp($main) . "\n", 'source after source, the one that begins earlier first');
    my %wrong = ('--server=none ann' => qr{no server 'none'}, '(' => qr{pattern '\('}, '-t x ann' => qr{--queue-time wants seconds, not 'x'},
                 'ann /var/log/x' => qr{one pattern, but '/var/log/x' came behind it}, '-x ann' => qr{no option -x}, '' => qr{no pattern});
    for my $words (sort keys %wrong) {
        my $got = mailtrail(fast(), ['grep', '--db', $db, split / /, $words]);
        is($got->{code}, 64, "wrong: grep $words");
        like($got->{err}, $wrong{$words}, "wrong: grep $words: in words");
    }
    my $without = new_db();
    ingest($without, [$main], zone => 'UTC', options => ['--no-lines']);
    my $got = mailtrail(fast(), ['grep', '--db', $without, 'ann']);
    is("$got->{code} $got->{out}", '0 ', 'without lines: nothing is found');
    like($got->{err}, qr{1 source was read with --no-lines and cannot be searched}, 'without lines: told');
}

my @town = grep { -e } map { root_of("tests/fixtures/town/$_") } qw(mainlog.2.gz mainlog.1 mainlog);
my ($town_db, $town_log) = compare(1, 'town', 'UTC', @town);
test_disorder($town_log);
for my $set (qw(exim-a exim-c exim-mix)) {
    compare(3, $set, 'UTC', "$corpus/$set/mainlog") if -e "$corpus/$set/mainlog";
}
test_sources($town_log);
test_others();
done_testing();
