# The faults of eximstats 4.96, each with the log that shows it (tests/fixtures/compat/NAME.log) and what both
# programs make of it; and the selectors that tell lines of the corpus which show one.
package EximstatsFaults;
use strict;
use warnings;
use Exporter qw(import);
use Compat qw(ok run slurp write_file root tmp old_and_new %packers);

our @EXPORT_OK = qw(without_faults fault_tests);

# ---- lines of the corpus -----------------------------------------------------------------------------

# What a line of the corpus must look like to show the fault.
my @selectors = (
    [Q1 => qr/^\S+ \S+(?: [+-]\d{4})?(?: \[\d+\])? custom logwrite: <= /],        # a flag without a message id
    [Q2 => qr/<="? "?[^"]* H=[^"]*"\@|<"H=|<"x> R=foo T=bar"\@|<= "H=|<= "x> R=| for "H=evil /],  # fields inside an address
    [Q3 => qr/ C="[^"]*\\"nested\\" QT=5s DT=1s"/],                                  # the far server's words
    [Q3 => qr/ => \|\S+pipeok --opt='a b' T="x" <arg>/],                             # a pipe's command
    [Q3 => qr/ A=\w+:user H=evil \[9\.9\.9\.9\]/],                                   # an authenticated name
    [Q3 => qr/ T="(?:<= a\@b\.example H=h \[1\.1\.1\.1\]|T=\\"a\\" H=evil )/],           # a subject
    [Q4 => qr/ <= \S+ H=\(U=root P=local\)/],
    [Q4 => qr/H=\(evil \[1\.2\.3\.4\] S=999 T="x" P=esmtp\)/],                       # a HELO name
    [Q3 => qr/ T="2026-01-01 00:00:00 1abcde-000001-AA <= fake\@x\.example H=z /],   # a subject
    [Q2 => qr/ => \(paren\) dt=1s qt=99d <"\(paren\) DT=1s QT=99d"\@/],
    [Control => qr/[\x00-\x09\x0b-\x1f\x7f]/],
);

# Fractions are 0 to the old program (Q16): here to both.
sub without_faults {
    my (@lines) = @_;
    my @kept = grep { my $line = $_; !grep { $line =~ $_->[1] } @selectors } @lines;
    return map { s/ ([DQ]T)=\d*\.\d+s(?= |$)/ $1=0s/gr } @kept;
}

# ---- a log for each ----------------------------------------------------------------------------------

# fault => { words, and for a fault that is fixed what the old program says and what ours does }; without them both say
# the same, which holds `shows`.  log: another file than the fault's name; env: the environment.
my $bare = '-h0 -q0 -ne -nr -nt';
my @faults = (
    [Q1 => { words => "$bare -t0", old => qr/Received +742MB +1 .*\n +Delivered +742MB +1 /, new => qr/Received +0 +0 .*\n +Delivered +0 +0 .*\n +Rejects +1 +1\n\n\z/ }],
    [Q2 => { words => '-h0 -q0 -ne -nr', old => qr/Received +954MB.*\n  evil +.*trusted\.bank/s, new => qr/Received +100 .*\n  devnull +200 +2\n.*\(real\)\n/s }],
    [Q3 => { words => '-h0 -q0 -ne -nr -show_dt1,60', old => qr/Received +118MB.*  bogus .*Over  +1m  +1 100/s, new => qr/Received +300 .*  address_pipe .*Under  +1s/s }],
    [Q4 => { words => $bare, old => qr/1   \[10\.0\.0\.1\]\n/, new => qr/1   \[203\.0\.113\.5\]\n/ }],
    [Q5 => { words => $bare, old => qr/Rejected RCPT: all is well\n/, new => qr/3   Rejected RCPT: relay not permitted\n/ }],
    [Q6 => { words => $bare, old => qr/Rejects +3 /, new => qr/Delivered [^\n]*\n\n/ }],
    [Q7 => { words => "$bare -t0", old => qr/Received +1MB|Received +977KB +2/, new => qr/Received +100 +1 / }],
    [Q8 => { words => $bare, new => qr/Received +8589934592GB|Received +83819032GB/ }],
    [Q9 => { words => "$bare -t0", old => qr/Received/, new => qr/\A\z/, special => \&no_shell }],
    [Q10 => { words => '-h0 -ne -nr -t0', special => \&file_order }],
    [Q11 => { words => '-h0 -ne -nr -nt -t0', env => { TZ => 'Europe/Berlin' }, old => qr/Under +3h +1 100/, new => qr/Under +1m +1 100/ }],
    [Q12 => { words => '-h0 -ne -nr -nt -t0', env => { TZ => 'Europe/Berlin' }, old => qr/Under +1m +1 +50\.0.*\n +3h +1 /, new => qr/Under +1m +2 100/ }],
    [Q13 => { words => "$bare -t0", old => qr/to 0000-00-00 00:00:00\n/, new => qr/from 2026-11-20 10:00:00 to 2026-11-20 10:00:00\n/ }],
    [Q14 => { words => '-h0 -ne -nr -nt -t0', shows => qr/Under +1m +1 100/ }],
    [Q15 => { words => "$bare -t0", special => \&memory }],
    [Q16 => { words => "$bare -t0 -show_dt3", old => qr/Delivery times: all messages\n-+\n\n\n/, new => qr/Under +3s +1 +50.0%.*\nOver +3s +1/ }],
    [Q17 => { words => "$bare -bylocaldomain", shows => qr/^(?!.*local domain destination)/s }],
    [Q18 => { words => $bare, shows => qr/ 3072MB +1024MB   / }],
    [Q19 => { words => "$bare -t0", shows => qr/Received +100 +1 .*\n +Delivered +0 +1 / }],
    [Q20 => { words => $bare, shows => qr/Rejects +2 .*  \[203\.0\.113\.14\]\n/s }],
    [Q21 => { words => $bare, shows => qr/Rejects +2 +2\n/ }],
    [Q22 => { words => "$bare -t0", old => qr/\A\z/, new => qr/Received +100 +1 .*\n +Delivered +100 +1 / }],
    [Q23 => { words => '-html -h0', old => qr/<script>/, new => qr/&lt;script&gt;/, never => qr/<script>/ }],
    [Q24 => { words => "$bare -t1", old => qr/Top local sender by message count\n-+\n.*\n\n/, new => qr/Top local sender by message count\n-+\n.*\n +2 .*   _\n/ }],
    [Completed => { words => '-h0 -ne -nr -nt -t0', old => qr/Over +1d +1 /, new => qr/Under +1m +1 100\.0%/ }],
    [Discards => { words => '-h0 -q0 -ne -nr', shows => qr/Rejects +1 .*:blackhole: +100 +1\n/s }],
    [DeliverySize => { words => '-h0 -q0 -ne -nr -t0', shows => qr/remote_smtp +100 +1\n/ }],
    [Relay => { words => '-h0 -q0 -ne -nt -t0', shows => qr/ "q\n/ }],
    [Hosts => { words => $bare, shows => qr/ \[192\.0\.2\.1\]:1111\n/ }],
    [LocalUsers => { words => $bare, shows => qr/   dave\@local\.example R=lmtp T=lmtp_delivery C="250 2\.1\.5\n/ }],
    [Errors => { words => '-h0 -q0 -nr -nt -t0', shows => qr/Errors encountered: 2\n/ }],
    [Hidden => { words => "-h0 -q0 -ne -nr -t0 -nt/spam/", old => qr/Received +0 +0 /, new => qr/Received +100 +1 / }],
    [Duplicates => { words => "$bare -t0", shows => qr/Received +200 +2 / }],
    [Short => { words => "$bare -t0 -pattern Short /SIGHUP/", shows => qr/Short +0\n/ }],
    [Syslog => { words => "$bare -t0", old => qr/\A\z/, new => qr/from 2026-11-20 10:00:00 .*Received +400 +4 /s }],
    [Compression => { words => "$bare -t0", special => \&compression }],
    [Control => { words => '-h0 -q0 -nr -nt -t0', old => qr/\t here\n/, new => qr/#011 here\n/ }],
    [Merge => { words => '-h0 -nr -nt -t0 -ne', special => \&merged_twice }],
);

sub log_of { my ($fault) = @_; return root() . '/tests/fixtures/compat/' . lc($fault) . '.log' }

sub both {
    my ($fault, $case, @more) = @_;
    local %ENV = (%ENV, %{ $case->{env} // {} });
    return old_and_new([split(/ /, $case->{words}), @more ? @more : log_of($fault)]);
}

sub test_fixed {
    my ($fault, $case) = @_;
    my ($old, $new) = $case->{old} ? both($fault, $case) : (undef, do {
        run([tmp() . '/bin/eximstats', split(/ /, $case->{words}), log_of($fault)]) });
    ok(!$old || $old->{out} =~ $case->{old}, "$fault: the old program has it", $old ? $old->{out} : '');
    ok($new->{out} =~ $case->{new} && !($case->{never} && $new->{out} =~ $case->{never}), "$fault: fixed", $new->{out}, $new->{err});
    return;
}

sub test_kept {
    my ($fault, $case) = @_;
    my ($old, $new) = both($fault, $case);
    ok($old->{out} =~ $case->{shows}, "$fault: the old program has it", $old->{out});
    ok($old->{out} eq $new->{out}, "$fault: kept", $new->{out});
    return;
}

# No file name is a command.
sub no_shell {
    my ($fault) = @_;
    my $mark = tmp() . '/pwned';
    my ($old, $new) = ({ out => '' }, run([tmp() . '/bin/eximstats', "echo>$mark|"]));
    ok($new->{code} == 1 && !-e $mark && $new->{err} =~ /^Failed to read echo/, "$fault: fixed", $new->{err});
    run(['eximstats', "echo>$mark|"]);
    ok(-e $mark, "$fault: the old program has it");
    my $blank = write_file(tmp() . '/a b', slurp(log_of('q13')));
    system('gzip', '-f', $blank);
    my ($old_blank, $new_blank) = old_and_new(['-t0', "$blank.gz"]);
    ok($old_blank->{code} == 1 && $new_blank->{code} == 0, "$fault: a blank in the name of a .gz", $new_blank->{err});
    return;
}

# Newest first: the arrival is read after the delivery there.
sub file_order {
    my ($fault, $case) = @_;
    my @lines = split /^/, slurp(log_of($fault));
    my $early = write_file(tmp() . '/early', @lines[0, 1]);
    my $late = write_file(tmp() . '/late', @lines[2 .. $#lines]);
    my ($old, $new) = both($fault, $case, $early, $late);
    my ($old_back, $new_back) = both($fault, $case, $late, $early);
    ok($old->{out} eq $new->{out}, "$fault: oldest first, the same", $old->{out}, $new->{out});
    ok($old_back->{out} ne $old->{out}, "$fault: the old program has it");
    ok($new_back->{out} eq $new->{out}, "$fault: fixed", $new_back->{out});
    my ($old_lost, $new_lost) = both($fault, $case, $late);
    ok($old_lost->{out} eq $new_lost->{out} && $new_lost->{out} =~ /Delivered +0 +1 /, "$fault: an arrival in no file is none, kept");
    return;
}

# Peak memory in KiB over many messages that never end.
sub peak {
    my ($program, $log) = @_;
    my $run = run(['/usr/bin/time', '-f', 'KIB %M', $program, '-t0', $log]);
    return $run->{err} =~ /^KIB (\d+)/m ? $1 : 0;
}

sub memory {
    my ($fault) = @_;
    my $line = '2026-11-20 10:00:00 1vM%03d-%06d-00 <= a@a.example H=h.a.example [192.0.2.1] P=smtp S=100' . "\n";
    my $many = write_file(tmp() . '/many', map { sprintf $line, $_ / 1000, $_ } 0 .. 99_999);
    my ($old, $new) = (peak('eximstats', $many), peak(tmp() . '/bin/eximstats', $many));
    ok($old > 60_000, "$fault: the old program has it", $old);
    ok($new > 0 && ($new < 40_000 || $new < $old * 2 && `nm $ENV{MAILTRAIL}` =~ /__asan_init/), "$fault: fixed, a tenth for each message", $new);
    return;
}

# Told by the content, whatever the name.
sub compression {
    my ($fault) = @_;
    my $log = write_file(tmp() . '/plain.gz.txt', slurp(log_of('q13')));
    my ($old, $new) = old_and_new(['-t0', $log]);
    ok($old->{code} == 1 && $new->{code} == 0, "$fault: fixed, a plain file named .gz.txt", $new->{err});
    for my $kind (sort keys %packers) {
        my $packed = tmp() . "/log.$kind";
        system("$packers{$kind} <'$log' >'$packed'") == 0 or die "$packers{$kind} failed\n";
        my ($old_packed, $new_packed) = old_and_new(['-t0', $packed]);
        ok($old_packed->{code} == ($kind =~ /^(?:gz|Z)$/ ? 0 : 1) && $new_packed->{out} eq $new->{out}, "$fault: fixed, .$kind", $new_packed->{err});
        rename $packed, tmp() . '/log' or die;
        ok(run([tmp() . '/bin/eximstats', '-t0', tmp() . '/log'])->{out} eq $new->{out}, "$fault: fixed, .$kind by another name");
        cut_short($fault, $kind) if $kind ne 'Z';    # where half of it is, nothing may tell
    }
    return;
}

# Two members, the second cut: the first counts, and a line says so.
sub cut_short {
    my ($fault, $kind) = @_;
    my ($log, $twice) = (log_of('q1'), tmp() . "/cut.$kind");
    my $alone = run([tmp() . '/bin/eximstats', '-t0', '-emptyok', $log]);
    system("($packers{$kind} <'$log'; $packers{$kind} <'$log' | head -c 40) >'$twice'") == 0 or die;
    my $cut = run([tmp() . '/bin/eximstats', '-t0', '-emptyok', $twice]);
    ok($cut->{out} eq $alone->{out} && $cut->{code} == 0 && $cut->{err} =~ /cut\.$kind: compressed data ends early/, "$fault: a .$kind cut short gives what it has",
        $cut->{out}, $cut->{err});
    return;
}

# What two days have in common counts twice.
sub merged_twice {
    my ($fault, $case) = @_;
    my ($day) = both($fault, $case, log_of('q17'));
    my $report = write_file(tmp() . '/day', $day->{out});
    my ($old, $new) = both($fault, $case, '-merge', $report, $report);
    ok($old->{out} eq $new->{out} && $new->{out} =~ /Received.* 2 +0 /, "$fault: kept, hosts are added", $new->{out});
    return;
}

sub fault_tests {
    my ($docs) = @_;
    my ($section) = slurp($docs) =~ /^## The drop-in eximstats\n(.*?)(?=^## |\z)/ms or die "no section in $docs\n";
    my %documented = map { $_->[0] => $_->[1] } map { [/^\| (\w+) \| (kept|fixed|in part) \|/] } grep { /^\| \w+ \| (?:kept|fixed|in part) / } split /\n/, $section;
    for my $entry (@faults) {
        my ($fault, $case) = @$entry;
        my $said = delete $documented{$fault} // 'nothing';
        ok($said eq 'in part' || $case->{special} || ($said eq ($case->{shows} ? 'kept' : 'fixed')), "$fault: docs/compat.md says so", $said);
        $case->{special} ? $case->{special}->($fault, $case) : $case->{shows} ? test_kept($fault, $case) : test_fixed($fault, $case);
    }
    ok(!%documented, 'no fault in docs/compat.md without a test', sort keys %documented);
    return;
}

1;
