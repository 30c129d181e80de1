#!/usr/bin/perl
# The drop-in beside the real eximstats (exim4-base): the same bytes for every option, over logs of our own, generated
# ones and, with a corpus (CORPUS), Exim's main logs.  Where the two differ on purpose, the fault has a number (Q1 ...),
# an entry in docs/compat.md and a test of its own below; lines of the corpus that show a fault are told by its own
# selector and left out for both.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Compat qw(ok plan run slurp write_file root tmp old_and_new generated corpus_logs with_old_ids);
use EximstatsFaults qw(without_faults fault_tests);

my $fixture = root() . '/tests/fixtures/compat/rules.log';

sub differences {
    my ($old, $new) = @_;
    my @a = split /\n/, $old->{out};
    my @b = split /\n/, $new->{out};
    my @found;
    for my $i (0 .. ($#a > $#b ? $#a : $#b)) {
        my ($x, $y) = ($a[$i] // '(end)', $b[$i] // '(end)');
        push @found, "line $i old: $x", "line $i new: $y" if $x ne $y;
        last if @found > 8;
    }
    push @found, "codes $old->{code} $new->{code}" if $old->{code} != $new->{code};
    push @found, "stderr: $new->{err}" if @found && length $new->{err};
    return @found;
}

sub same {
    my ($name, $words, $input) = @_;
    my ($old, $new) = old_and_new($words, $input);
    my $good = $old->{out} eq $new->{out} && $old->{code} == $new->{code};
    return ok($good, $name, differences($old, $new));
}

# ---- every option ------------------------------------------------------------------------------------

my @by = qw(-byhost -bydomain -byemail -byedomain);
my @options = (
    [], ['-ne'], ['-nr'], ['-nt'], ['-nvr'], ['-tnl'], ['-emptyok'], ['-utc'], ['-cache'], ['-txt'],
    map({ ["-h$_"] } 0, 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60),
    map({ ["-t$_"] } 0, 1, 2, 5, 1000),
    map({ ["-q$_"] } 0, 1, '10,60', '300,5', '1,2,3,4,5,6,7,8', '5*60,2*60*60,30/2', '0,1', '010,10-1', '60,', '3*'),
    ['-t_remote_users'], ['-tnl', '-t_remote_users'], ['-include_original_destination', @by],
    map({ [$_] } @by, '-byemaildomain'), [@by], ['-bydomain', '-byemail'], ['-byedomain', '-byhost', '-t3'],
    ['-bylocaldomain'], ['-bylocaldomain', '-include_original_destination'], ['-bylocaldomain', '-t_remote_users', '-tnl'],
    ['-nr/example/'], ['-nr/A=[^ ]*far@/'], ['-nr|H=mail|'], ['-nrx'], ['-nr/x'],
    ['-nt/remote/'], ['-nt/^local_delivery$/'], ['-nt!address_(pipe|file)!'], ['-ntfoo'],
    ['-show_rt'], ['-show_rt1,2,4'], ['-show_dt'], ['-show_dt1,2,4', '-show_rt5,60'], ['-show_dt1,60', '-q0', '-h0'],
    ['-pattern', 'Completed', '/Completed/'], ['-pattern', 'Nobody', '/^nobody$/', '-pattern', 'Rejected mail', '/REJECTED/i', '-h4'],
    ['-h0', '-pattern', '"Two', 'words"', "'/H=[^", "]*x/'"], ['-pattern', 'Ends', '/OK"$/', '-pattern', 'Slash', '/\/var\//'],
    ['-merge', '-emptyok'], ['-ne', '-nr', '-nt', '-t0', '-h0', '-q0'],
    ['-ne', '-t0', '-h0', '-q0', '-nvr', @by], ['-nvr', '-t10', '-byemail', '-bylocaldomain'],
    ['-t1', @by, '-t_remote_users'], ['-h2', '-q60,120', '-show_dt', '-show_rt', '-nr', '-byedomain'],
);

sub name_of { my ($words) = @_; return @$words ? "@$words" : '(no option)' }

my @logs = (
    ['rules', $fixture],
    ['delivery', generated('delivery', '--lines', 2500, '--seed', 11, '--mix', 'delivery')],
    ['rejection', generated('rejection', '--lines', 2500, '--seed', 12, '--mix', 'rejection', '--selectors', 'provider')],
);
for my $words (@options) {
    same("$_->[0]: " . name_of($words), [@$words, $_->[1]]) for @logs;
}
ok(@options >= 60, 'at least 60 combinations of options');

# ---- ids of 23 characters: the same log gives the same report ----------------------------------------

for my $mix (qw(delivery rejection mixed)) {
    my @log = ('--lines', 3000, '--seed', 5, '--mix', $mix);
    my $short = generated("short-$mix", @log, '--ids', 16);
    my $long = write_file(tmp() . "/long-$mix.log", slurp($short) =~ s/\b([0-9A-Za-z]{6})-([0-9A-Za-z]{6})-([0-9A-Za-z]{2})\b/$1-00000$2-${3}00/gr);
    my ($old) = old_and_new([@by, $short]);
    my $new = run([tmp() . '/bin/eximstats', @by, $long]);
    ok($old->{out} eq $new->{out} && slurp($short) ne slurp($long), "$mix with ids of 23 characters", differences($old, $new));
}

# ---- where the log comes from ------------------------------------------------------------------------

same('standard input', ['-byemail'], $fixture);
my $half = int(@{ [ split /^/, slurp($logs[1][1]) ] } / 2);
my @lines = split /^/, slurp($logs[1][1]);
my $first = write_file(tmp() . '/first', @lines[0 .. $half - 1]);
my $second = write_file(tmp() . '/second', @lines[$half .. $#lines]);
same('two files', ['-byemail', $first, $second]);
system('gzip', '-9', '-k', '-f', $first) == 0 or die "gzip failed\n";
same('a .gz and a file', ['-byemail', "$first.gz", $second]);
same('a file that is not there, and one that is', [tmp() . '/nowhere', $second]);
same('standard input by its name behind a file', [$first, '-'], $second);
same('a last line without a newline', [write_file(tmp() . '/open', slurp($fixture) =~ s/\n\z//r)]);
{
    my $via_command = run([$ENV{MAILTRAIL} // root() . '/mailtrail', 'eximstats', '-nvr', $fixture]);
    my ($old) = old_and_new(['-nvr', $fixture]);
    ok($via_command->{out} eq $old->{out}, 'mailtrail eximstats is the same as the link');
}

# ---- what is wrong -----------------------------------------------------------------------------------

for my $case (
    ['no valid line', [write_file(tmp() . '/none', "nothing\n")], 1],
    ['no valid line, which is fine', ['-emptyok', tmp() . '/none'], 0],
    ['a file that is not there', [tmp() . '/nowhere'], 1],
    ['an unknown option', ['-zz', $fixture], 1],
    ['a lone dash', ['-', $fixture], 1],
    ['help', ['-h'], 1], ['--help', ['--help'], 1],
    ['-h that divides no hour', ['-h7', $fixture], 1], ['-h61', ['-h61', $fixture], 1],
    ['one file for two outputs', ['-txt', '-html', $fixture], 2],
    ['an output that cannot be', ['-html=/nonexistent/x', $fixture], 2],
    ['a quote that stays open', ['-pattern', '"x', '/y/'], 2],
    ['a pattern that is none', ['-pattern', 'x', '/a(/', $fixture], 25],
    ['an option behind a file', [$fixture, '-nr'], 0],
    ['--version', ['--version'], 0],
) {
    my ($name, $words, $code) = @$case;
    my ($old, $new) = old_and_new($words);
    ok($old->{code} == $code && $new->{code} == $code, "exit code: $name", "$old->{code} $new->{code}", $new->{err});
    next if $name =~ /pattern|version|cannot be/;    # Perl's own words
    ok($old->{err} eq $new->{err}, "complaint: $name", $old->{err}, $new->{err});
}
for my $source ('print("x")', 'system("true")', '/x/ && die', '/x/e') {
    my $new = run([tmp() . '/bin/eximstats', '-pattern', 'x', $source, $fixture]);
    ok($new->{code} == 25 && $new->{out} eq '' && $new->{err} =~ /^eximstats: .*\n\z/, "Perl source is refused: $source", $new->{err});
}
{
    my $new = run([tmp() . '/bin/eximstats', '--version']);
    ok($new->{out} =~ m{\Aeximstats: \S+/eximstats\nbuild: 4\.96\nmailtrail\(runtime\): \d\S*\n\z}, 'three lines of version');
}

{
    my $help = run([tmp() . '/bin/eximstats', '-h'])->{out};
    my ($manual) = slurp(root() . '/packaging/man/mailtrail.1') =~ /^\.SS "mailtrail eximstats (.*?)^\.S[SH] /ms;
    $manual =~ s/\\-/-/g;
    my @options = $help =~ /(?:^  | )(-[a-z_]{2,}|-[htq](?=[A-Z]))/mg;
    my @missing = grep { $manual !~ /(?:^|[\s"])\Q$_\E(?![a-z])/m } @options;
    ok(@options > 20 && !@missing, 'every option of the help is in the manual', "@missing");
}

# ---- -merge ------------------------------------------------------------------------------------------

my @all = (@by, '-bylocaldomain', '-show_rt1,2,4', '-show_dt1,2,4');
my %report;
for my $part (['one', $first], ['two', $second], ['rules', $fixture]) {
    my ($name, $log) = @$part;
    for my $as ('txt', 'html') {
        my ($old, $new) = old_and_new(["-$as", @all, '-pattern', 'Done', '/Completed/', $log]);
        $report{"old $name $as"} = write_file(tmp() . "/old-$name.$as", $old->{out});
        $report{"new $name $as"} = write_file(tmp() . "/new-$name.$as", $new->{out});
    }
}
for my $words (
    [@all, '-pattern', 'Done', '/x/', $report{'old one txt'}], [@all, @report{ 'old one txt', 'old two txt' }],
    [@all, '-pattern', 'Done', '/x/', @report{ 'old two html', 'old one txt', 'old rules html' }],
    ['-h2', '-t3', @report{ 'old one txt', 'old rules txt' }], ['-q10,15,90', $report{'old rules txt'}],
    ['-nr/far/', $report{'old rules txt'}], ['-t1', '-byemail', $report{'old two txt'}], ['-nvr', $report{'old two txt'}],
    ['-ne', @all, '-pattern', 'Done', '/x/', @report{ 'new one html', 'old two txt' }],
) {
    same('-merge ' . join(' ', map { s{.*/}{}r } @$words), ['-merge', @$words]);
}
{
    my @ten = map { sprintf "2026-11-20 10:00:%02d 1vM0aA-0000%02d-2a <= a\@a.example H=h%d.example [192.0.2.1] P=smtp S=%d\n", $_, $_, $_ % 3, 1 << 31 } 1 .. 10;
    my ($whole) = old_and_new([write_file(tmp() . '/ten', @ten[0 .. 4])]);
    same('-merge of ten whole gigabytes', ['-merge', write_file(tmp() . '/ten.txt', $whole->{out})]);
    my ($half) = old_and_new([write_file(tmp() . '/ten', @ten[0 .. 1])]);
    write_file(tmp() . '/half.txt', $half->{out});
    same('-merge of parts of ten gigabytes', ['-merge', map { tmp() . '/half.txt' } 1 .. 5]);
}
for my $name (qw(one two)) {
    my $new = run([tmp() . '/bin/eximstats', '-merge', @all, '-pattern', 'Done', '/x/', $report{"new $name html"}]);
    ok($new->{out} eq slurp($report{"old $name txt"}), "$name: our page, merged, is the old text",
        differences({ out => slurp($report{"old $name txt"}), code => 0 }, $new));
}

# ---- page, workbook, charts --------------------------------------------------------------------------

{
    my @words = (@by, '-show_dt', '-pattern', 'A & B', '/x/', $fixture);
    my ($old, $new) = old_and_new(['-html', @words]);
    my @titles = map { [ map { s/&amp;/&/gr } $_->{out} =~ m{<h2>(.*?)</h2>}g ] } $old, $new;
    s/Deliveries by Transport/Deliveries by transport/ for @{ $titles[0] };
    ok(@{ $titles[0] } > 15 && "@{ $titles[0] }" eq "@{ $titles[1] }", 'the page has the same sections in the same order',
        "@{ $titles[0] }", "@{ $titles[1] }");
    ok($new->{out} !~ /<svg|<img/, 'no charts unless asked for');
    mkdir tmp() . '/charts';
    my $inside = run([tmp() . '/bin/eximstats', '-html', '-charts', @words]);
    ok($inside->{out} =~ /<svg.*<rect/s && $inside->{out} !~ /<img/, 'charts inside the page');
    my $beside = run([tmp() . '/bin/eximstats', '-html', '-charts', '-chartdir', tmp() . '/charts', '-chartrel', 'c', @words]);
    my @images = $beside->{out} =~ m{<img alt="" src="c/([^"/]+\.svg)">}g;
    ok(@images > 10 && !grep({ !-s tmp() . "/charts/$_" } @images) && $beside->{out} !~ /<svg/, 'charts as files where asked for');
    my ($warned_old, $warned) = old_and_new(['-chartdir', '.', $fixture]);
    ok($warned_old->{err} eq $warned->{err} && length $warned->{err}, 'a place for charts without -charts is warned of');
    my $nowhere = run([tmp() . '/bin/eximstats', '-html', '-charts', '-chartdir', tmp() . '/no/such', @words]);
    ok($nowhere->{code} == 2 && $nowhere->{err} =~ /could not write/, 'charts that cannot be written');
}
{
    my $path = tmp() . '/book.xlsx';
    write_file($path, 'an older file');
    my $new = run([tmp() . '/bin/eximstats', "-xls=$path", '-html=' . tmp() . '/page.html', '-txt', @by, $fixture]);
    my ($old) = old_and_new([@by, $fixture]);
    ok($new->{code} == 0 && $new->{out} eq $old->{out} && -s tmp() . '/page.html', 'three outputs at once', $new->{err});
    my $names = run(['perl', '-MIO::Uncompress::Unzip=unzip,$UnzipError', '-e',
        'unzip($ARGV[0] => \my $text, Name => "xl/workbook.xml") or die $UnzipError; print $text', $path]);
    my @sheets = $names->{out} =~ /<sheet name="([^"]+)"/g;
    ok("@sheets" eq 'Exim Statistik Relayed Messages Errors Deliveries Rejections Temporary Rejections',
        'the workbook has the sheets of the old one', "@sheets", $names->{err});
    my $strings = run(['perl', '-MIO::Uncompress::Unzip=unzip,$UnzipError', '-e',
        'unzip($ARGV[0] => \my $text, Name => "xl/sharedStrings.xml") or die $UnzipError; print $text', $path]);
    ok($strings->{out} =~ />Top 50 sending hosts by volume</ && $strings->{out} =~ />mail\.a\.example</, 'and its rows');
    my $stdout = run([tmp() . '/bin/eximstats', '-xls', $fixture]);
    ok($stdout->{out} =~ /\APK/, 'a workbook on standard output');
}

# ---- faults, one by one ------------------------------------------------------------------------------

fault_tests(root() . '/docs/compat.md');

# ---- the corpus --------------------------------------------------------------------------------------

# Each log with a part of the combinations here, in turn; `make check-compat` runs every one over every log.
my $turn = 0;
for my $log (corpus_logs()) {
    my ($name, $text) = @$log;
    my $whole = join '', without_faults(split /^/, $text);
    my $mended = write_file(tmp() . '/corpus.log', with_old_ids($whole));
    my @some = $ENV{ALL_OPTIONS} ? @options : @options[ grep { $_ % 12 == $turn % 12 } 0 .. $#options ];
    $turn++;
    same("corpus $name: " . name_of($_), [@$_, $mended]) for @some;
    next if $whole eq slurp($mended);
    my ($old) = old_and_new([@by, $mended]);
    my $new = run([tmp() . '/bin/eximstats', @by, write_file(tmp() . '/long.log', $whole)]);
    ok($old->{out} eq $new->{out}, "corpus $name: its ids of 23 characters", differences($old, $new));
}
plan();
