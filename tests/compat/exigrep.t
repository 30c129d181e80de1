#!/usr/bin/perl
# exigrep beside `mailtrail exigrep`: the same to the octet, or different for a reason that docs/compat.md names, and then
# in exactly that way.  Logs: those of docs/compat.md, the town's, generated ones, and with a corpus (CORPUS) Exim's own.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Compat qw(%packers);
use Exigrep qw(expected mended parts_of sorted_parts meaning verdict first_difference @mends);

my $root = abs_path(dirname(__FILE__) . '/../..');
my $corpus = $ENV{CORPUS} // "$root/../shared/corpus";
my $mailtrail = abs_path($ENV{MAILTRAIL} // "$root/mailtrail");
my $fast = abs_path($ENV{MAILTRAIL_FAST} // $mailtrail);
my $tmp = tempdir(CLEANUP => 1);
$ENV{TZ} = 'UTC';
$ENV{LC_ALL} = 'C';
$ENV{PATH} .= ':/usr/sbin';           # where Debian has exigrep
$ENV{TMPDIR} = $tmp;
delete @ENV{qw(POSIXLY_CORRECT PAGER LESS)};
$SIG{PIPE} = 'IGNORE';

my $tests = 0;
sub ok {
    my ($good, $name, @diag) = @_;
    $tests++;
    print $good ? '' : 'not ', "ok $tests - $name\n";
    print map { s/\n/\n# /gr } map { "# $_\n" } @diag if !$good;
    return $good;
}

sub slurp {
    my ($path) = @_;
    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar(<$in>) // '';
}

sub spew {
    my ($name, $text) = @_;
    open my $out, '>:raw', "$tmp/$name" or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
    return "$tmp/$name";
}

# Runs a program: { out, err, code }.  input: a file for standard input.
sub run {
    my ($program, $words, %how) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        local %ENV = (%ENV, %{ $how{env} // {} });
        open STDIN, '<', $how{input} // '/dev/null' or die;
        open STDOUT, '>', "$tmp/out" or die;
        open STDERR, '>', "$tmp/err" or die;
        chdir $tmp or die;
        exec @$program, @$words or exit 127;
    }
    waitpid $pid, 0;
    return { out => slurp("$tmp/out"), err => slurp("$tmp/err"), code => $? & 127 ? -($? & 127) : $? >> 8 };
}
sub old { return run(['exigrep'], @_) }
sub ours { return run([$mailtrail, 'exigrep'], @_) }

my (%identical, %with_reason);

# One command line over one log: both programs, and both against what is to be expected.
sub compare {
    my ($name, $path, @words) = @_;
    my $binary = -s $path > 20_000 ? $fast : $mailtrail; # the sanitizers have had the small ones
    my ($old, $ours) = (old([@words], input => $path), run([$binary, 'exigrep'], [@words, $path]));
    my $title = "$name: @words";
    return ok(0, $title, "exit codes $old->{code}, $ours->{code}", $ours->{err}) if $old->{code} || $ours->{code};
    my ($good, $reasons, $why) = verdict(slurp($path), meaning(@words), $old->{out}, $ours->{out});
    $identical{$name} += !@$reasons;
    $with_reason{$_}++ for @$reasons;
    return ok($good, $title . (@$reasons ? ": differs for @$reasons" : ': the same'), $why // ());
}

# ---- what docs/compat.md says -------------------------------------------------------------------

sub words_of { return map { /^'(.*)'$/ ? $1 : $_ } split ' ', $_[0] }

sub documented {
    my ($section) = slurp("$root/docs/compat.md") =~ /^## The drop-in exigrep\n(.*?)(?=^## |\z)/ms;
    my @found;
    for my $part (split /^### /m, $section) {
        my ($name) = $part =~ /^(\S+)\n/ or next;
        my ($log) = $part =~ /^```log\n(.*?)^```/ms or next;
        push @found, $name;
        my $path = spew('log', $log);
        while ($part =~ /^```(old|ours) (TZ=\S+ )?([^\n]*)\n(.*?)^```/msg) {
            my ($who, $zone, $line, $wanted) = ($1, $2 // '', $3, $4);
            my $env = { $zone =~ /^TZ=(\S+)/ ? (TZ => $1) : () };
            my $got = ($who eq 'old' ? \&old : \&ours)->([words_of($line), $path], env => $env)->{out};
            ok($got eq $wanted, "compat.md, $name: $who $zone$line", first_difference($wanted, $got));
        }
        next if $name eq 'zones';
        my ($line) = $part =~ /^```ours ([^\n]*)/m;
        my %all = map { $_ => 1 } @mends;
        my $o = meaning(words_of($line));
        my ($with, $without) = map { join "\0", sort { $a cmp $b } expected($log, $o, $_) } \%all, { %all, $name => 0 };
        my $old = sorted_parts(old([words_of($line), $path])->{out});
        ok($name eq 'order' ? $old eq sorted_parts(mended($log, $o)) : $with ne $without,
           "compat.md, $name: is about that, and about nothing else than what it says");
    }
    my %known = map { $_ => 1 } @mends, 'zones';
    ok("@{[sort @found]}" eq "@{[sort keys %known]}", 'compat.md: all reasons for a difference are there', "@found");
}

# ---- command lines ------------------------------------------------------------------------------

my @command_lines = (
    ['alice'], ['-l', 'alice'], ['-I', 'alice'], ['-I', 'ALICE'], ['ALICE'], ['-l', '<= <>'], ['-l', '.example'],
    ['--literal', '--sensitive', 'Completed'], ['rejected RCPT'], ['^2026-\d\d-\d\d 1[0-3]:'], ['[Ff]rozen|blackhole'],
    ['T=\S+smtp .*C="250'], ['S=\d{5,}\b'], ['a{,2}b'], ['(\w)\1\1'], ['(?<=@)[a-z]+\.example\b'], ['(?i:COMPLETED)$'],
    ['[^\x00-\x7f]'], ['^[^a]*$'], ['\Qa.b\E'], ['Completed\n'], [''], ['nothing like this'],
    ['-v', 'example'], ['-v', '-I', 'Completed'], ['--invert', '-l', '=> '], ['-v', 'nothing like this'], ['-v', '-t', '60', 'P=local'],
    ['-t', '0', 'P=e?smtp'], ['-t', '5', 'example'], ['--queue-time', '3600', '.'], ['-t', '-1', 'alice'], ['-t', '-5', 'alice'],
    ['-M', 'alice'], ['--related', '-l', 'R=1'], ['-M', '\*\* '], ['-M', '-t', '1', 'info'], ['-M', '-v', 'alice'],
    ['--no-pager', 'no host name found'], ['-l', '-M', '-I', 'Frozen'],
);

sub id_in { my ($log) = @_; return slurp($log) =~ / (\w{6}-\w{6}-\w\w) </ ? $1 : '1abcdE-000001-AA' }

sub generated {
    my ($name, @options) = @_;
    my $path = "$tmp/$name";
    system("$tmp/generate @options > $path") == 0 or die "generate failed\n";
    return $path;
}

sub over {
    my ($name, $path, @lines) = @_;
    compare($name, $path, @$_) for @lines, [id_in($path)];
}

# ---- 23 characters ------------------------------------------------------------------------------

# The same log with the old ids, of which each stands for one.
sub with_old_ids {
    my ($text) = @_;
    my (%old, $count);
    $text =~ s{([0-9A-Za-z]{6})-([0-9A-Za-z]{11})-([0-9A-Za-z]{4})(?![0-9A-Za-z])}
              {$old{"$1-$2-$3"} //= sprintf '%s-%06d-%s', $1, ++$count % 1_000_000, substr $3, 0, 2}ge;
    return ($text, \%old);
}

sub long_ids {
    my ($name, $path) = @_;
    my ($text, $old_id) = with_old_ids(slurp($path));
    my $short = spew('short', $text);
    for my $words (['alice'], ['-v', '-I', 'smtp'], ['-t', '10', 'example'], ['-l', 'rejected'], ['-M', 'alice']) {
        my ($long_out, $short_out) = map { $_->{out} } ours([@$words, $path]), ours([@$words, $short]);
        my ($translated) = $long_out =~ s{([0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4})}{$old_id->{$1} // $1}ger;
        ok(length $short_out && $translated eq $short_out, "$name: @$words: the same as with 16 characters",
           first_difference($short_out, $translated));
    }
    over("$name with 16", $short, $ENV{ALL_OPTIONS} ? @command_lines : @command_lines[0, 8, 16, 23, 29, 33]);
}

# ---- the command line ---------------------------------------------------------------------------

sub command_lines {
    my $log = spew('short', join '', map { "2026-11-20 10:00:0$_ 1abcdE-000001-AA " . ($_ < 5 ? "line $_ -l\n" : "Completed\n") } 1 .. 5);
    for my $line ('', '-z line LOG', '-l=x line LOG', '-t', '-t x line LOG', '-t= line LOG', '-t5 line LOG', '-Il line LOG', '+ line LOG',
                  '--- line LOG', '--no-pager=1 x', '--bogus', '-t 5.5 x', '--queue-t', '-z -y x', '-l') {
        my @words = map { $_ eq 'LOG' ? $log : $_ } split ' ', $line;
        my ($old, $ours) = (old(\@words), ours(\@words));
        ok($ours->{code} == 2 && $old->{code} == 2 && $ours->{err} eq $old->{err} && $ours->{out} eq $old->{out},
           "wrong: exigrep $line", $old->{err}, $ours->{err});
    }
    for my $line ('line LOG', 'LOG -l', '-t=3 line LOG', '-t 4 line LOG', '--t=3 line LOG', '-t 1_0 line LOG', '-t -3 line LOG', '+l line LOG', '-literal line LOG',
                  '--lit --rel line LOG', '-i line LOG', '-s LINE LOG', 'line -s LOG', 'line LOG -v', '--no line LOG', '-p line LOG',
                  '--nopager line LOG', '-- -l LOG', '--inv line LOG', '-q 2 line LOG', '-t +2 line LOG', 'line LOG LOG', '-I -l -M -t 2 line LOG') {
        my @words = map { $_ eq 'LOG' ? $log : $_ } split ' ', $line;
        my ($old, $ours) = (old(\@words), ours(\@words));
        ok($ours->{code} == $old->{code} && $ours->{out} eq $old->{out}, "right: exigrep $line", $old->{out}, $ours->{out}, $ours->{err});
    }
    my $strict = { POSIXLY_CORRECT => 1 };
    for my $words (['line', $log, '-v'], ['+l', $log]) {
        my ($old, $ours) = (old($words, env => $strict), ours($words, env => $strict));
        ok($ours->{code} == $old->{code} && $ours->{out} eq $old->{out}, "POSIXLY_CORRECT: @$words", $old->{out}, $ours->{out});
    }
    for my $words (['-h'], ['--help'], ['--he', '-z'], ['-m'], ['--version'], ['line', '--vers']) {
        my $ours = ours($words);
        ok($ours->{code} == 0 && $ours->{err} eq '' && length $ours->{out}, "told: exigrep @$words", $ours->{err});
    }
}

sub patterns {
    my $log = spew('short', "2026-11-20 10:00:02 ab a{b axb \xe4\n");
    for my $pattern ('(', 'a)', '[a', '*a', 'a**', '[z-a]', '[[:foo:]]', "a\\", '(?{print 1})') {
        my ($old, $ours) = (old([$pattern], input => $log), ours([$pattern, $log]));
        ok($old->{code} && $ours->{code} == 25 && $ours->{out} eq '' && $ours->{err} =~ /^mailtrail: pattern '.*': .+\n\z/, "wrong pattern: $pattern",
           $ours->{err});
    }
    for my $pattern ('a\{b', 'a{b', 'a{,1}b', 'a{ 1 , 2 }b', 'a{}b', '\lax\Eb', 'a\ub', 'a\x62', "\xe4", '\xe4$', '(?#note)ab', 'a b', '\bab\b', '[[:alpha:]]{2}',
                     '\x{41}b', '(?<n>a)\k<n>', 'a{2}', 'ab{1}', '[]a{1}]b', '\N{U+61}b', 'x{,3}b', '\d{4}', '\R', '\h\xe4', '[\w{,2}]b', '[^\W\d]{,3}b', 'a(*FAIL)|b') {
        my ($old, $ours) = (old([$pattern], input => $log), ours([$pattern, $log]));
        ok($old->{code} == 0 && $ours->{code} == 0 && $ours->{out} eq $old->{out}, "pattern: $pattern", $old->{err} . $old->{out}, $ours->{err} . $ours->{out});
    }
}

# ---- files --------------------------------------------------------------------------------------

sub files {
    my ($one, $two) = map { generated("part$_", '--lines', 300, '--seed', 40 + $_) } 1, 2;
    my $both = spew('both', slurp($one) . slurp($two));
    my $wanted = mended(slurp($both), meaning('example'));
    my $same = sub { my ($name, $got) = @_; ok($got->{out} eq $wanted && !$got->{code}, $name, $got->{err}) };
    $same->('two files', ours(['example', $one, $two]));
    $same->('standard input', ours(['example'], input => $both));
    $same->('standard input by name', ours(['example', '-'], input => $both));
    $same->('-M, standard input: the same twice', { code => 0, out => $wanted }) if ours(['-M', 'example'], input => $both)->{out} eq ours(['-M', 'example', $both])->{out};
    for my $kind (sort keys %packers) {
        system("$packers{$kind} <$one >$tmp/one.$kind; cp $tmp/one.$kind $tmp/packed; $packers{$kind} <$two >$tmp/two.$kind") == 0 or die;
        my @packed = ("$tmp/one.$kind", "$tmp/two.$kind");
        $same->("compressed: .$kind", ours(['example', @packed]));
        $same->("compressed: .$kind by another name", ours(['example', "$tmp/packed", $two]));
        $same->("compressed: .$kind as standard input", ours(['example', '-', $two], input => "$tmp/one.$kind"));
        ok(sorted_parts(old(['-I', 'CONNECT|T=', @packed])->{out}) eq sorted_parts(ours(['-I', 'CONNECT|T=', @packed])->{out}),
           "compressed: .$kind: as the old one") if $kind ne 'Z';
    }
    system("cp $tmp/one.gz '$tmp/a b;echo x;.gz'") == 0 or die;
    my $shell = ours(['example', 'a b;echo x;.gz', $two]);
    $same->('a name that a shell would take apart', $shell);
    $same->('a pipe by name', run(['bash', '-c', "'$mailtrail' exigrep example <(cat $both)"], []));
    $same->('a pipe', run(['sh', '-c', "cat $both | '$mailtrail' exigrep example"], []));
    symlink $mailtrail, "$tmp/exigrep" or die;
    $same->('a link by the name', run(["$tmp/exigrep"], ['example', $one, $two]));
    for my $bad ("$tmp/none", $tmp) {
        my $got = ours(['example', $one, $bad, $two]);
        my ($head) = parts_of(ours(['example', $one])->{out});
        ok($got->{code} == 2 && $got->{out} eq $head && $got->{err} =~ /^mailtrail: \Q$bad\E: .+\n\z/, "cannot be read: $bad", $got->{err});
    }
    for my $kind (sort keys %packers) {
        # a member more, but for .Z, since some give nothing of a block that is cut
        my ($whole, $more) = (slurp("$tmp/one.$kind"), $kind eq 'Z' ? '' : slurp("$tmp/two.$kind"));
        spew("cut.$kind", substr "$whole$more", 0, $kind eq 'Z' ? length($whole) / 2 : length($whole) + 40);
        my $cut = ours(['example', "$tmp/cut.$kind", $two]);
        ok($cut->{code} == 1 && $cut->{err} =~ /cut\.$kind: .*ends early/ && length $cut->{out} > length old(['example', $two])->{out},
           "a cut .$kind gives what it has", $cut->{err});
        spew("bad.$kind", $kind eq 'Z' ? substr($whole, 0, 4000) . "\xff" x 40 : $whole . substr($more, 0, length($more) / 2) . 'x' x 40);
        my $bad = ours(['example', "$tmp/bad.$kind", $two]);
        ok($bad->{code} == 1 && $bad->{err} =~ /bad\.$kind: .*(?:is damaged|ends early)/ && length $bad->{out} > length old(['example', $two])->{out},
           "a broken .$kind gives what it has", $bad->{err});
    }
    ok(ours(['example'], input => '/dev/null')->{out} eq '', 'nothing at all');
    my $torn = spew('torn', slurp($one) =~ s/\n\z//r);
    ok(sorted_parts(ours(['T=', $torn, $two])->{out}) eq sorted_parts(old(['T=', $torn, $two])->{out}), 'a file without a last LF, and one behind it');
}

sub odd_lines {
    my @parts = ("2026-11-20 10:00:01 1abcdE-000001-AA <= alice\0x\xff\r\n", "\n", "x\n", "2026-11-20 10:00:01\n", "2026-11-20 10:00:01 \n", "2026-11-20 10:00:01 alice",
                 "\n2026-11-20 10:00:01 [12] alice\n", "2026-11-20 10:00:01 [12]alice\n", "2026-11-20 10:00:01. alice\n", "2026-11-20 10:00:01.5 +0100 [1] alice\n",
                 "2026-11-20 10:00:01 +0100 alice\n", "2026-11-20 10:00:01 +010 alice\n", "2026-99-99 99:99:99 alice\n", "9999-99-99 99:99:99 1abcdE-000001-AA alice\n",
                 "2026-11-20  10:00:01 alice\n", " 2026-11-20 10:00:01 alice\n", "2026-11-20 10:00:01 1abcdE-000001-AA\n", "2026-11-20 10:00:01 +0100 1abcdE-000001-AA Completed\n");
    my $log = spew('odd', join '', @parts);
    compare('odd lines', $log, @$_) for ['alice'], ['-v', '-I', 'bob'], ['-v', '-I', 'alice'], ['-t', '5', 'alice'], ['.*'], ['\n$'], ['\x00'], ['\xff'], ['\r$'], ['1abcdE'];
    my $long = spew('long', "2026-11-20 10:00:01 1abcdE-000001-AA alice" . 'x' x 70000 . " bob\n2026-11-20 10:00:02 1abcdE-000001-AA Completed\n");
    my $ours = ours(['alice', $long]);
    ok($ours->{out} eq '2026-11-20 10:00:01 1abcdE-000001-AA alice' . 'x' x (65536 - 42) . "\n2026-11-20 10:00:02 1abcdE-000001-AA Completed\n\n", 'a line too long: up to 65536 octets');
    ok(ours(['bob', $long])->{out} eq '', 'a line too long: nothing is searched behind them');
    my $slow = ours(['(?:a?){60}(?:a+)+\1?b$', spew('slow', '2026-11-20 10:00:01 ' . 'a' x 4000 . "\n")]);
    ok($slow->{code} == 0 || $slow->{err} =~ /takes too long/, 'a pattern that would run for ever does not', $slow->{err});
}

# ---- much that never ends -----------------------------------------------------------------------

# Lines of many open messages: more than memory keeps, so that they go through the temporary file, and back in order.
sub spilled {
    open my $log, '>:raw', "$tmp/many" or die;
    my $id = sub { sprintf '1abc%02d-%06d-AA', $_[0] / 1000, $_[0] };
    for my $round (0 .. 2) {
        printf $log "2026-11-20 1%d:00:00 %s line %d of %d %s\n", $round, $id->($_), $round, $_, 'x' x 300 for 0 .. 9999;
    }
    printf $log "2026-11-20 14:00:00 %s Completed\n", $id->($_ * 7) for 0 .. 999;
    close $log;
    for my $words (['-l', '77 '], ['line 1 of \d*5 '], ['-v', '-I', '1 of \d*[3-9] ']) {
        my ($old, $ours) = (old([@$words, "$tmp/many"]), ours([@$words, "$tmp/many"]));
        my $wanted = mended(slurp("$tmp/many"), meaning(@$words));
        ok($ours->{out} eq $wanted, "30000 open lines: @$words", $ours->{err}, first_difference($wanted, $ours->{out}));
        ok($words->[0] eq '-v' || sorted_parts($old->{out}) eq sorted_parts($ours->{out}), "30000 open lines: @$words: as the old one");
    }
    my ($old, $ours) = map { run(['/usr/bin/time', '-f', '%M', @$_], ['nothing', "$tmp/many"])->{err} =~ /(\d+)\n\z/ ? $1 : 0 } ['exigrep'], [$fast, 'exigrep'];
    ok($ours && $ours < $old, 'memory: no more than the old one', "old $old KiB, ours $ours KiB");
}

# On a terminal the output goes through the pager.
sub pager {
    my $log = spew('short', "2026-11-20 10:00:02 alice\n");
    my $on_terminal = sub {
        my ($pager, @options) = @_;
        local @ENV{qw(PAGER MORE)} = ($pager, '-e');       # where there is no less, more waits for a key at the end
        return run(['script', '-qec', join(' ', "'$mailtrail'", 'exigrep', @options, 'alice', $log), '/dev/null'], [])->{out} =~ s/\r//gr;
    };
    ok($on_terminal->(q{sed "s/alice/$LESS/"}) eq "2026-11-20 10:00:02  --no-init --quit-if-one-screen\n\n", 'a terminal: $PAGER, and how less is to behave', $on_terminal->('cat'));
    ok($on_terminal->('no-such-pager') =~ /alice/, 'a terminal: a pager that is not there');
    ok($on_terminal->('false', '--no-pager') =~ /^2026-11-20 10:00:02 alice$/m, 'a terminal: --no-pager');
    ok(ours(['alice', $log], env => { PAGER => 'false' })->{out} =~ /alice/, 'no terminal: no pager');
}

# ---- everything ---------------------------------------------------------------------------------

system("cc -std=c11 -O2 -o $tmp/generate $root/bench/generate.c") == 0 or die "the generator does not compile\n";
documented();
command_lines();
patterns();
files();
odd_lines();
pager();
over('town', "$root/tests/fixtures/town/mainlog", @command_lines);
over('generated', generated('mixed', '--lines', 1500, '--seed', 5), @command_lines);
over("generated $_", generated($_, '--lines', 1000, '--mix', $_, '--seed', 5), @command_lines[map { 2 * $_ } 0 .. 19]) for qw(delivery rejection);
over('generated, much logged', generated('provider', '--lines', 800, '--selectors', 'provider', '--seed', 6), @command_lines[map { 2 * $_ + 1 } 0 .. 17]);
long_ids('generated', generated('long', '--lines', 800, '--ids', 23, '--seed', 7));
ok(@command_lines >= 30, 'at least 30 combinations of options');
# Each set with a part of them here, in turn; `make check-compat` runs every one over every set.
my $sets = 0;
for my $set (-d $corpus ? sort map { m{/exim-(\w+)/mainlog$} ? $1 : () } glob "$corpus/exim-*/mainlog" : ()) {
    my $path = "$corpus/exim-$set/mainlog";
    if ($set eq 'n1') { long_ids("corpus $set", $path) }
    else {
        over("corpus $set", $path, $ENV{ALL_OPTIONS} ? @command_lines : @command_lines[map { 5 * $_ + $sets % 5 } 0 .. 7]);
        $sets++;
    }
}
spilled();
print "# the same: ", join(', ', map { "$_ $identical{$_}" } sort keys %identical), "\n";
print "# otherwise for: ", join(', ', map { "$_ $with_reason{$_}" } sort keys %with_reason), "\n";
print "1..$tests\n";
