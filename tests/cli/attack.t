#!/usr/bin/perl
# Nobody is fooled: every place where a stranger's text stands in a line, times every forgery (tests/fixtures/attack), read by
# `mailtrail explain` field by field, and by `mailtrail ingest` and the real eximstats place by place.  What nobody can tell from
# the line must be marked, and be in the list of tests/fixtures/attack/ambiguous; docs/compat.md has the table of figures.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Attack qw(attempts forgeries places described);

my $root = dirname(__FILE__) . '/../..';
my $mailtrail = $ENV{MAILTRAIL} // "$root/mailtrail";
my $fast = $ENV{MAILTRAIL_FAST} // $mailtrail;
my $set = "$root/tests/fixtures/attack";
my $tmp = tempdir(CLEANUP => 1);
$ENV{TZ} = 'UTC';
$ENV{PATH} .= ':/usr/sbin';    # where Debian has eximstats
$ENV{MAILTRAIL_CONF} = '/dev/null';

my $tests = 0;
sub ok {
    my ($good, $name, @diag) = @_;
    $tests++;
    print $good ? '' : 'not ', "ok $tests - $name\n";
    print map { "# $_\n" } @diag if !$good;
    return $good;
}

sub write_file {
    my ($path, @lines) = @_;
    open my $out, '>:raw', $path or die "$path: $!\n";
    print $out map { "$_\n" } @lines;
    close $out or die "$path: $!\n";
}

sub lines_of {
    my (@command) = @_;
    open my $out, '-|', @command or die "$command[0]: $!\n";
    binmode $out;
    chomp(my @lines = <$out>);
    close $out or die "$command[0] failed\n";
    return @lines;
}

# ---- field by field ----

# Takes the mark off a reading; whether it was there.
sub take_mark {
    my ($fields) = @_;
    my @flags = split /,/, $fields->{flags} // '';
    my @others = grep { $_ ne 'ambiguous' } @flags;
    if (@others) { $fields->{flags} = join ',', @others } else { delete $fields->{flags} }
    return @flags > @others;
}

sub differences {
    my ($got, $truth) = @_;
    my %names = map { $_ => 1 } keys %$got, keys %$truth;
    return map { "$_: got " . ($got->{$_} // 'nothing') . ', true is ' . ($truth->{$_} // 'nothing') }
        grep { ($got->{$_} // "\0") ne ($truth->{$_} // "\0") } sort keys %names;
}

# {place}{right|wrong} of the list: names of forgeries, "all" as it is.
sub listed_as_ambiguous {
    my %listed;
    for (lines_of('cat', "$set/ambiguous")) {
        next if /^#/ || $_ eq '';
        my ($place, $how, $names) = split /\t/;
        $listed{$place}{$how} = $names;
    }
    return \%listed;
}

my @forgeries = forgeries($set);
my @exim = places("$set/exim");
my @places = (@exim, places("$set/maillog"));
my @attempts = attempts(\@places, \@forgeries);
write_file("$tmp/lines", map { $_->{line} } @attempts);
my @got = lines_of('sh', '-c', "'$mailtrail' explain --brief < '$tmp/lines'");
ok(@got == @attempts, scalar(@attempts) . ' lines are told apart');

my (%forged, %marked, %count);
for my $i (0 .. $#attempts) {
    my ($attempt, $fields) = ($attempts[$i], described($got[$i]));
    my $mark = take_mark($fields);
    my @wrong = differences($fields, $attempt->{truth});
    $count{$attempt->{place}}++ if $attempt->{forged};
    push @{$marked{$attempt->{place}}{@wrong ? 'wrong' : 'right'}}, $attempt->{forgery} if $mark;
    push @{$forged{$attempt->{place}}}, "$attempt->{forgery}: $attempt->{line}", map { "  $_" } @wrong if @wrong && !$mark;
}
my $all = 0;
$all += $_ for values %count;
ok($all >= 150, "$all attempts");
for my $place (map { $_->{name} } @places) {
    ok(!$forged{$place}, "$place: $count{$place} attempts, none forges a field unmarked", @{$forged{$place} // []});
}
my $listed = listed_as_ambiguous();
for my $place (sort keys %{{%marked, %$listed}}) {
    for my $how (qw(right wrong)) {
        my $list = $marked{$place}{$how} ? join ' ', @{$marked{$place}{$how}} : '';
        $list = 'all' if $list ne '' && @{$marked{$place}{$how}} == $count{$place};
        ok($list eq ($listed->{$place}{$how} // ''), "$place: what is marked, and read $how, is listed", "got: $list")
            if $list ne '' || $listed->{$place}{$how};
    }
}

# ---- place by place, beside eximstats ----

my $mark = qr/^[\[(]*(?:x? ?h=)?(?:bank\.example|192\.0\.2\.200|forged)/i;

sub forged_in { my ($key, $count) = @_; return defined $key && $key =~ $mark ? $count : 0 }

# What is counted: [received, delivered, refused, of all these what bears a forged host, address, transport or size].
sub eximstats_counts {
    my ($log) = @_;
    my %n = (received => 0, delivered => 0, refused => 0, forged => 0);
    my $table = '';
    for (lines_of('sh', '-c', "eximstats -nvr -t10000 -byhost -emptyok '$log' 2>&1")) {
        if (/^  Received\s+(\d+)\s+(\d+)/) { $n{received} = $2; $n{forged} += $1 >= 999_999_999 }
        elsif (/^  Delivered\s+\d+\s+(\d+)/) { $n{delivered} = $1 }
        elsif (/^  (?:Temp )?Rejects\s+(\d+)/) { $n{refused} += $1 }
        elsif (/^Top \d+ (.*?) by message count/) { $table = $1 }
        elsif (/^(?:Top|Deliveries|Grand|Time|List|Relayed|No relayed|Errors|Messages)\b/) { $table = /^Deliveries by transport/ ? 'transports' : '' }
        elsif ($table eq 'transports') { $n{forged} += forged_in(/^  (\S+)\s+\d+\s+(\d+)$/) }
        elsif ($table =~ /host|rejected ip/) { $n{forged} += forged_in(reverse /^\s+(\d+)\s+(?:\d+\s+)*(\S.*)$/) }
    }
    return \%n;
}

sub mailtrail_counts {
    my ($log) = @_;
    my $db = "$log.db";
    system($fast, 'ingest', '--db', $db, '--server', 'mx', '--zone', 'UTC', '--quiet', $log) == 0 or die "ingest failed\n";
    my $bears = q{(host IN ('bank.example', 'forged') OR ip = '192.0.2.200')};
    my ($row) = lines_of('sqlite3', '-readonly', $db, qq{
        SELECT (SELECT count(*) FROM messages WHERE sender IS NOT NULL),
               (SELECT count(*) FROM deliveries WHERE kind IN ('delivered', 'cutthrough')),
               (SELECT count(*) FROM rejections),
               (SELECT count(*) FROM messages WHERE $bears OR size = 999999999)
               + (SELECT count(*) FROM deliveries WHERE $bears OR transport = 'forged')
               + (SELECT count(*) FROM rejections WHERE $bears),
               (SELECT count(*) FROM messages WHERE ($bears OR size = 999999999) AND NOT ambiguous)
               + (SELECT count(*) FROM deliveries WHERE ($bears OR transport = 'forged') AND NOT ambiguous)
               + (SELECT count(*) FROM rejections WHERE $bears AND NOT ambiguous)});
    my %n;
    @n{qw(received delivered refused forged unmarked)} = split /\|/, $row;
    return \%n;
}

sub true_counts {
    my (@attempts) = @_;
    my %n = (received => 0, delivered => 0, refused => 0);
    for my $truth (map { $_->{truth} } @attempts) {
        $n{received}++ if $truth->{''} eq 'ARRIVAL';
        $n{delivered}++ if $truth->{''} eq 'DELIVERY' && $truth->{kind} =~ /^(?:delivered|cutthrough)$/;
        $n{refused}++ if $truth->{''} eq 'REJECTION';
    }
    return \%n;
}

# The rows of the table in docs/compat.md under "The attack set".
sub rows_of_docs {
    my (%rows, $inside);
    for (lines_of('cat', "$root/docs/compat.md")) {
        $inside = $1 eq 'The attack set' if /^## (.*)/;
        $rows{$1} = $_ if $inside && /^\| `([a-z0-9-]+)` \|/;
    }
    return \%rows;
}

my $rows = rows_of_docs();
for my $place (map { $_->{name} } @exim) {
    my @of_place = grep { $_->{place} eq $place } @attempts;
    next if grep { $_->{line} =~ /^Nov / } @of_place;
    my $log = "$tmp/$place";
    write_file($log, map { $_->{line} } @of_place);
    my ($true, $theirs, $ours) = (true_counts(@of_place), eximstats_counts($log), mailtrail_counts($log));
    my $figures = join ' | ', map { "$true->{$_} / $theirs->{$_} / $ours->{$_}" } qw(received delivered refused);
    my $row = "| `$place` | $count{$place} | $figures | $theirs->{forged} | $ours->{forged} |";
    ok($row eq (delete $rows->{$place} // ''), "$place: the figures are those of docs/compat.md", $row);
    ok($ours->{unmarked} == 0, "$place: nothing that mailtrail counts bears a forged name unmarked", "$ours->{unmarked} do");
    ok($ours->{$_} == $true->{$_}, "$place: mailtrail counts what was $_", "$ours->{$_}, true are $true->{$_}") for qw(received delivered);
}

# A site that logs a header and nothing before it lets its sender write lines of Exim: they are Exim's to the last octet.
my @bare = attempts([{name => 'bare-logwrite', lines => [['{raw}', 'ACL_TEXT text={raw}']]}], \@forgeries);
write_file("$tmp/bare", map { $_->{line} } @bare);
my @passed = grep { !/^ACL_TEXT / } lines_of('sh', '-c', "'$mailtrail' explain --brief < '$tmp/bare'");
my $row = '| `bare-logwrite` | ' . @bare . ' | ' . @passed . ' |';
ok($row eq (delete $rows->{'bare-logwrite'} // ''), 'bare-logwrite: the figures are those of docs/compat.md', $row);
ok(!%$rows, 'docs/compat.md has no row that nothing proves', sort keys %$rows);
print "1..$tests\n";
