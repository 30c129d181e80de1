#!/usr/bin/perl
# mailtrail prune: what goes and what stays, sums that stay as they were, space given back, and nothing that comes back
# or counts twice when it is read again.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use IPC::Open2 qw(open2);
use POSIX qw(mktime);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my $config = root_of('tests/fixtures/town/mailtrail.conf');
my @town = map { root_of("tests/fixtures/town/$_") }
    qw(hub-mainlog maillog maillog.1 maillog.2.gz mainlog mainlog.1 mainlog.2.gz rejectlog rejectlog.1 rejectlog.2.gz);

sub sql {
    my ($db, $sql) = @_;
    my $out = folder() . '/out';
    in_shell('sqlite3 -batch -bail "$1" "$2" >"$3"', $db, $sql, $out);
    return slurp($out) =~ s/\n\z//r;
}

# Noon of a day, UTC.
sub noon { my ($year, $mon, $day) = split /-/, $_[0]; return mktime(0, 0, 12, $day, $mon - 1, $year - 1900) }

sub prune {
    my ($db, @words) = @_;
    return mailtrail(sanitized(), ['prune', '--db', $db, @words]);
}

sub prune_ok {
    my ($name, $db, @words) = @_;
    my $got = prune($db, @words);
    is($got->{code}, 0, "$name: pruned") or diag $got->{err};
    return $got;
}

sub is_sound {
    my ($db, $name) = @_;
    my $check = mailtrail(fast(), ['check', '--quiet', '--db', $db]);
    is("$check->{code} $check->{out}$check->{err}", '0 ', "$name: check finds nothing");
}

sub copy_of {
    my ($db) = @_;
    my $copy = new_db();
    in_shell('cp "$1" "$2"', $db, $copy);
    return $copy;
}

sub tally_of { join "\n", grep { /^\["tally"/ } split /\n/, dump_of($_[0]) }
sub report { mailtrail(fast(), ['report', '--db', @_]) }

# ---- by hand ----

my $hand = <<'END';
2026-03-01 10:00:00 1vweLI-000000-0A <= a@x.example H=m.x.example [192.0.2.1] P=esmtp S=100 id=one@x
2026-03-01 10:00:01 1vweLI-000000-0A => b@y.example R=dns T=smtp H=m.y.example [192.0.2.2]
2026-03-01 10:00:02 1vweLI-000000-0A Completed
2026-03-01 11:00:00 1vwfHE-000000-0B <= a@x.example H=m.x.example [192.0.2.1] P=esmtp S=200
2026-03-01 11:00:01 1vwfHE-000000-0B == c@y.example R=dns T=smtp defer (-44): later
2026-03-01 12:00:00 1vwgDA-000000-0C <= a@x.example H=m.x.example [192.0.2.1] P=esmtp S=400
2026-03-01 12:00:01 1vwgDA-000000-0C == d@y.example R=dns T=smtp defer (-44): later
2026-03-01 12:00:02 1vwgDA-000000-0C Frozen
2026-03-01 13:00:00 H=(s) [192.0.2.9] F=<s@s.example> rejected RCPT <u@v.example>: no
2026-03-01 14:00:00 Start queue run: pid=17
2026-03-01 14:00:01 what is this 1
2026-03-02 10:00:00 1vwfHE-000000-0B => c@y.example R=dns T=smtp H=m.y.example [192.0.2.2]
2026-03-02 10:00:01 1vwfHE-000000-0B Completed
2026-03-02 13:00:00 H=(s) [192.0.2.9] F=<s@s.example> rejected RCPT <u@v.example>: no
2026-03-02 14:00:00 Start queue run: pid=18
2026-03-03 10:00:00 1vxNIa-000000-0D <= a@x.example H=m.x.example [192.0.2.1] P=esmtp S=800
2026-03-03 10:00:01 1vxNIa-000000-0D => b@y.example R=dns T=smtp H=m.y.example [192.0.2.2]
2026-03-03 10:00:02 1vxNIa-000000-0D Completed
END
my $log = spew(folder() . '/mainlog', $hand);

sub test_by_hand {
    my $db = new_db();
    ingest($db, [$log], zone => 'UTC');
    my $sums = tally_of($db);
    my $got = prune_ok('by hand', $db, '--older-than', '1d', '--now', noon('2026-03-03'));
    like($got->{out}, qr/^1 messages, 1 deliveries, 1 rejections, 0 failed authentications, 0 session lines, 0 scan lines, (\d+) events, (\d+) unparsed lines; 0 lines in 0 blocks; \d+ octets given back$/,
         'by hand: figures');
    is($got->{err}, '', 'by hand: no word more');
    is(sql($db, 'SELECT substr(exim_id, 15), state FROM messages ORDER BY 1'), "0B|completed\n0C|frozen\n0D|completed",
       'by hand: what is not done, or was not before the day, stays');
    is(sql($db, 'SELECT substr(exim_id, 15), kind FROM deliveries ORDER BY at'), "0B|deferred\n0C|deferred\n0B|delivered\n0D|delivered",
       'by hand: deliveries stay with their messages');
    is(sql($db, "SELECT time, substr(exim_id, 15) FROM events WHERE at < 1772409600"), '2026-03-01 12:00:02|0C', 'by hand: and what befell them');
    is(sql($db, 'SELECT min(time), count(*) FROM rejections'), '2026-03-02 13:00:00|1', 'by hand: a rejection stays');
    is(sql($db, "SELECT count(*) FROM unparsed"), 0, 'by hand: no unparsed line stays');
    is(sql($db, 'SELECT pruned_before FROM server'), 1772409600, 'by hand: the limit is the beginning of a day');
    is(difference(tally_of($db), $sums), '', 'by hand: sums stay');
    is_sound($db, 'by hand');
    $got = ingest($db, ['-'], zone => 'UTC', input => spew(folder() . '/again', "\n$hand"));
    is("$got->{rows} $got->{copies}", '0 18', 'by hand: read again, every line is a copy');
    is(difference(tally_of($db), $sums), '', 'by hand: read again, sums stay');
    is(sql($db, 'SELECT count(*) FROM messages'), 3, 'by hand: read again, nothing comes back');
    is_sound($db, 'by hand: read again');
    like(prune_ok('by hand: once more', $db, '--older-than', '5d', '--now', noon('2026-03-03'))->{out},
         qr/^0 messages, 0 deliveries, 0 rejections, .* 0 events, 0 unparsed/, 'by hand: an earlier limit takes nothing');
    is(sql($db, 'SELECT pruned_before FROM server'), 1772409600, 'by hand: nor does the limit go back');
    my $later = spew(folder() . '/later', "2026-03-03 15:00:00 1vwgDA-000000-0C => d\@y.example R=dns T=smtp H=m.y.example [192.0.2.2]\n2026-03-03 15:00:01 1vwgDA-000000-0C Completed\n");
    ingest($db, [$later], zone => 'UTC');
    is_sound($db, 'by hand: the frozen one is delivered');
    is(sql($db, "SELECT bytes FROM deliveries d JOIN tally t ON t.measure = 'delivered' AND t.slot = 15 WHERE d.time = '2026-03-03 15:00:00'"), 400,
       'by hand: with the size of its arrival, which is older');
    like(prune_ok('by hand: later', $db, '--older-than', '2026-03-04', '--now', noon('2026-03-09'))->{out}, qr/^3 messages, 5 deliveries, 1 rej/,
         'by hand: then they go too');
    is(sql($db, 'SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM delivery) + (SELECT count(*) FROM event)'), 0, 'by hand: nothing is left');
    is_sound($db, 'by hand: nothing is left');
}

# A limit before all that is known is none: what is read later of that time counts.
sub test_nothing_older {
    my $db = new_db();
    ingest($db, [$log], zone => 'UTC');
    prune_ok('nothing older', $db, '--older-than', '400d', '--now', noon('2026-03-03'));
    is(sql($db, 'SELECT count(*) FROM server WHERE pruned_before IS NULL'), 1, 'nothing older: there is no limit');
    is(report($db, 'grand-total')->{err}, '', 'nothing older: nor a word of it');
}

# The day is the server's own.
sub test_zone {
    my $db = new_db();
    ingest($db, [spew(folder() . '/log', join '', map { "2026-03-0$_ 13:00:00 H=(s) [192.0.2.9] F=<s\@s.example> rejected RCPT <u\@v.example>: no\n" } 1 .. 4)], zone => 'America/New_York');
    prune_ok('zone', $db, '--older-than', '24h', '--now', noon('2026-03-04')); # 2026-03-03 07:00 there
    is(sql($db, 'SELECT pruned_before FROM server'), noon('2026-03-03') - 7 * 3600, 'zone: midnight there');
    is(sql($db, 'SELECT count(*) FROM rejections'), 2, 'zone: two days are left');
    is_sound($db, 'zone');
}

# Syslog may stamp a line a second late: in the first second that is kept, when it stood in the last that went.
sub test_late {
    my @lines = map { my ($at, $late, $text) = @$_; ["2026-03-$at $text\n", "Mar  $late mx exim[5]: 2026-03-$at $text\n" =~ s/(exim\[5\]: )\S+ \S+ /$1/r] }
        ['01 23:59:58', '1 23:59:59', '1vwrQY-000000-0A <= a@x.example H=m.x.example [192.0.2.1] P=esmtp S=100'],
        ['01 23:59:59', '2 00:00:00', '1vwrQY-000000-0A => b@y.example R=dns T=smtp H=m.y.example [192.0.2.2]'],
        ['01 23:59:59', '2 00:00:00', '1vwrQY-000000-0A Completed'],
        ['01 23:59:59', '2 00:00:00', 'H=(s) [192.0.2.9] F=<s@s.example> rejected RCPT <u@v.example>: no'],
        ['02 10:00:00', '2 10:00:01', 'H=(s) [192.0.2.9] F=<s@s.example> rejected RCPT <w@v.example>: no'];
    my $own = spew(folder() . '/mainlog', join '', map { $_->[0] } @lines);
    my $syslog = spew(folder() . '/maillog', join '', map { $_->[1] } @lines);
    for my $files ([$own, $syslog], [$syslog, $own]) {
        my $db = new_db();
        my @how = (zone => 'UTC', year => 2026);
        my $name = 'late, ' . basename($files->[0]) . ' first';
        ingest($db, [$files->[0]], @how);
        prune_ok($name, $db, '--older-than', '2026-03-02');
        my $sums = tally_of($db);
        ingest($db, [$files->[1]], @how);
        my $fresh = new_db();
        ingest($fresh, $files, @how);
        is(sql($db, 'SELECT count(*) FROM rejections WHERE at >= 1772445600'), 1, "$name: the later one counts once");
        is_sound($db, $name);
        next if $files->[0] eq $syslog; # whose stamps were all there was
        is(difference(tally_of($db), $sums), '', "$name: nothing counts twice");
        is(difference(tally_of($db), tally_of($fresh)), '', "$name: sums as without pruning");
    }
}

# Whatever stands behind Completed, its message stays with it.
sub test_after_completion {
    my $db = new_db();
    my $text = join('', (split /^/, $hand)[0 .. 2]) . "2026-04-05 10:00:01 1vweLI-000000-0A => e\@y.example R=dns T=smtp H=m.y.example [192.0.2.2]\n";
    ingest($db, [spew(folder() . '/log', $text)], zone => 'UTC');
    prune_ok('after completion', $db, '--older-than', '2026-03-10');
    is(sql($db, 'SELECT count(*), sum(size) FROM deliveries'), '2|200', 'after completion: message and deliveries stay');
    is_sound($db, 'after completion');
}

# ---- the town ----

sub town {
    my $db = new_db();
    my $got = mailtrail(fast(), ['ingest', '--quiet', '--db', $db, '--config', $config, @town]);
    is($got->{code}, 0, 'the town is read') or diag $got->{err};
    return $db;
}

my @by_sums = qw(grand-total received-per-hour deliveries-per-hour sending-hosts sending-emails destination-hosts errors
                 rejection-reasons rejected-hosts transports delivery-kinds queue-time-all relayed);

sub test_town {
    my $town = town();
    my @span = ('--since', '2026-07-02', '--until', '2026-07-04');
    my ($dump, $sums, $report) = (dump_of($town), tally_of($town), report($town, @span, @by_sums));
    my $db = copy_of($town);
    my @words = ('--older-than', '2026-07-05', '--lines-older-than', '2026-07-06');
    my $size = -s $db;
    my $got = prune_ok('town', $db, @words);
    my ($freed) = $got->{out} =~ /(\d+) octets given back$/;
    is($freed, $size - -s $db, 'town: the file is smaller by what was said');
    ok($freed > $size / 4, 'town: by more than a quarter');
    is(sql($db, 'PRAGMA freelist_count'), 0, 'town: no page is free');
    is_sound($db, 'town');
    is(difference(tally_of($db), $sums), '', 'town: sums stay');
    my %had = map { $_ => 1 } split /\n/, $dump;
    my %has = map { $_ => 1 } split /\n/, dump_of($db);
    is(join("\n", grep { !$had{$_} && !/^\["s/ } keys %has), '', 'town: nothing is new'); # but sessions and scans across midnight
    is(join("\n", grep { my ($at) = /^\["\w+",(\d+)/; $at && $at >= 1783209600 && !$has{$_} && !/^\["(?:s|tally)/ } keys %had), '',
       'town: nothing later is gone');
    is(sql($db, "SELECT count(*) FROM messages WHERE at < 1783209600 AND completed < 1783209599"), 0, 'town: what was done before is gone');
    is(sql($db, "SELECT count(*) FROM messages WHERE state IN ('queued', 'frozen') AND at < 1783209600"),
       sql($town, "SELECT count(*) FROM messages WHERE state IN ('queued', 'frozen') AND at < 1783209600"), 'town: what is queued stays');
    my $after = report($db, @span, @by_sums);
    s/^(?:  Ham|  Spam|Pruned and missing in Ham|Details pruned:) .*\n//mg for $after->{out}, $report->{out}; # of scans there are no sums
    is(difference($after->{out}, $report->{out}), '', 'town: reports of whole days are as before');
    like($report->{out}, qr/^  Received +\S+ +106 /m, 'town: which say something');
    is(sql($db, "SELECT count(DISTINCT place >> 22) FROM mention WHERE place >> 22 < 1783209600 / 86400"),
       sql($db, "SELECT count(*) FROM (SELECT at / 86400 FROM message WHERE at < 1783209600 UNION SELECT at / 86400 FROM delivery WHERE at < 1783209600 UNION SELECT at / 86400 FROM event WHERE at < 1783209600)"),
       'town: mentions are left of days that have rows');
    cmp_ok(sql($town, 'SELECT count(DISTINCT place >> 22) FROM mention'), '>', sql($db, 'SELECT count(DISTINCT place >> 22) FROM mention'), 'town: and gone of others');
    like($after->{err}, qr/^mailtrail: srv1: details before 2026-07-05 are pruned; of those days sums/m, 'town: it is said that details are gone');
    is(report($db, '--since', '2026-07-05', @by_sums)->{err}, '', 'town: not of days that have them');
    like(mailtrail(sanitized(), ['trace', '--db', $db, 'example.org'])->{err}, qr/^mailtrail: srv1: details before 2026-07-05 are pruned$/m, 'town: trace says so');
    is(mailtrail(sanitized(), ['trace', '--db', $db, '--since', '2026-07-05', 'example.org'])->{err}, '', 'town: trace, later, does not');
    noted($db, '2026-07-05');
    read_again($db, dump_of($db));
    forgotten($db, $sums);
    return $town;
}

# How many scans of what verdict ended from a day of July on, in the raw logs.
sub scanned {
    my ($verdict, $day) = @_;
    my ($text, $count) = (folder() . '/text', 0);
    in_shell('zcat -f "$2" "$3" "$4" >"$1"', $text, grep { /maillog/ } @town);
    /^Jul +(\d+) .* result: \Q$verdict\E / && $1 >= $day and $count++ for split /\n/, slurp($text);
    return $count;
}

# A report that counts what is pruned says so itself, wherever it is sent to.
sub noted {
    my ($db, $day) = @_;
    my ($hub, $from) = ("hub before $day, srv1 before $day", $day =~ /(\d+)$/);
    my $text = report($db, 'grand-total', 'spam-scores', 'transports', 'sessions-by-user')->{out};
    like($text, qr/^Details pruned: $hub\. Sums by whole days are left; tables that lack details say so\.$/m, 'noted: in the head');
    like($text, qr/^Grand total.*\n-+\nPruned and missing in Ham and Spam: $hub\.$/m, 'noted: which rows of the total');
    like($text, qr/^  Ham +@{[scanned('.', $from)]}$/m, 'noted: where ham is what the raw logs have from that day on');
    like($text, qr/^  Spam +@{[scanned('Y', $from)]}$/m, 'noted: and spam');
    like($text, qr/^$_.*\n-+\nPruned and missing here: $hub\.$/m, "noted: at $_") for 'Spam scores', 'Top 50 users by IMAP';
    like($text, qr/^Deliveries by transport\n-+\n +Volume/m, 'noted: not where sums are whole');
    my $html = report($db, '--format', 'html')->{out};
    like($html, qr{<h1>.*</h1>\n<p>.*</p>\n<p class="missing">Details pruned: $hub\. }, 'noted: in the head of the page');
    like($html, qr{<h3>Spam scores</h3>\n<p class="help">.*</p>\n<p class="missing">Pruned and missing here: $hub\.</p>}, 'noted: and at its tables');
    my $json = report($db, '--format', 'json', 'spam-rules', 'transports')->{out};
    like($json, qr/"pruned": \[\{"server": "hub", "before": "$day", "parts": false\}, \{"server": "srv1"/, 'noted: in JSON');
    like($json, qr/"spam-rules".*?"pruned": "Pruned and missing here: $hub\.".*"transports".*?"pruned": null/s, 'noted: at each report');
    like(report($db, '--format', 'csv', 'spam-verdicts')->{out}, qr/^verdict,bytes,scans,percent,score,pruned\r\n.*,"Pruned and missing here: $hub\."\r$/m, 'noted: in CSV');
    my $gone = report($db, '--since', '2026-07-01', '--until', '2026-07-02', 'spam-scores', 'transports')->{out};
    like($gone, qr/^Spam scores.*\n-+\nPruned and missing here: $hub\.$/m, 'noted: where nothing is left');
    like($gone, qr/^Deliveries by transport\n-+\n +Volume.*\n  \w/m, 'noted: beside sums that are left');
    like(report($db, '--since', '2026-07-01 12:00', '--until', '2026-07-03', 'transports')->{out}, qr/^Pruned and missing of days that the span cuts: $hub\.$/m,
         'noted: a part of a day has no sums');
    for my $format (qw(text html json csv)) {
        unlike(report($db, '--format', $format, '--since', $day)->{out}, qr/\bPruned and|Details pruned|"pruned": "|,pruned/, "noted: not of days that have all: $format");
    }
    like(mailtrail(fast(), ['status', '--db', $db])->{out}, qr/^Messages by state\n-+\nPruned and missing here: $hub\.$/m, 'noted: in status');
}

# But what is mentioned, which may be too much.
sub rows_of { return join "\n", grep { !/^\["mentions"/ } split /\n/, dump_of($_[0]) }

# By the names they have, by new ones, packed, and through standard input.
sub read_again {
    my ($db, $wanted) = @_;
    my $folder = folder();
    for my $path (@town) {
        my $new = "$folder/" . basename($path, '.gz');
        in_shell('{ zcat -f "$1"; } >"$2"; touch -r "$1" "$2"', $path, $new);
    }
    my @how = ('--quiet', '--db', $db, '--config', $config);
    is(mailtrail(fast(), ['ingest', @how, $folder])->{code}, 0, 'read again: renamed');
    is(difference(dump_of($db), $wanted), '', 'read again: renamed: nothing changes');
    my $rows = rows_of($db);
    for my $path (@town) {
        my $piped = "$folder/piped";
        in_shell('{ echo; zcat -f "$1"; } >"$2"', $path, $piped); # another source by its beginning
        my $server = $path =~ /hub-/ ? 'hub' : 'srv1';
        ingest($db, ['-'], server => $server, zone => 'UTC', year => 2026, input => $piped, code => 'any');
        is(difference(rows_of($db), $rows), '', 'read again: ' . basename($path) . ' piped in: nothing changes');
    }
    is_sound($db, 'read again');
}

# forget makes sums anew, but not those of pruned days.
sub forgotten {
    my ($db, $sums) = @_;
    my ($old) = grep { /^\["tally",.*?"2026-07-02"/ } split /\n/, $sums;
    is(mailtrail(fast(), ['forget', '--db', $db, '1', '5', '6'])->{code}, 0, 'forgotten: some sources');
    is_sound($db, 'forgotten');
    my $kept = join "\n", grep { !/"2026-07-0[5-8]"/ } split /\n/, $sums;
    is(difference(join("\n", grep { !/"2026-07-0[5-8]"/ } split /\n/, tally_of($db)), $kept), '', 'forgotten: sums of pruned days stay');
    is(mailtrail(fast(), ['ingest', '--quiet', '--db', $db, '--config', $config, @town])->{code}, 0, 'forgotten: read again');
    is_sound($db, 'forgotten, read again');
    is(difference(tally_of($db), $sums), '', 'forgotten, read again: sums are as they were');
    is(mailtrail(fast(), ['forget', '--db', $db, '--server', 'srv1'])->{code}, 0, 'forgotten: a server');
    is(sql($db, "SELECT count(*) FROM rollup WHERE server NOT IN (SELECT id FROM server)"), 0, 'forgotten: a server: its sums too');
    is_sound($db, 'forgotten: a server');
}

# ---- lines ----

sub lines_of { mailtrail(sanitized(), ['lines', '--db', @_]) }

# Is this what is left of the file: all behind its first so many lines?
sub is_tail {
    my ($db, $path, $name) = @_;
    my ($pruned, $octets) = split /\|/, sql($db, "SELECT pruned_lines, pruned_octets FROM source WHERE path = '$path'");
    my $got = lines_of($db, '--source', $path);
    ok($got->{out} eq substr(slurp($path), $octets), "$name: what is left is the file's end");
    is($got->{code}, $pruned ? 1 : 0, "$name: exit code of lines");
    is($got->{err}, $pruned ? "mailtrail: $path: its first $pruned lines are pruned\n" : '', "$name: and its words");
    is(substr(slurp($path), 0, $octets) =~ tr/\n//, $pruned, "$name: whole lines");
    return $pruned;
}

# The town's last day, over and over, as day n of 2026, with ids of its own.
sub days { my ($path, @days) = @_; in_shell('for n in ' . join(' ', @days) . '; do sed "s/^2026-07-07/$(date -u -d "2025-12-31 +$n days" +%F)/; s/\\(1w[0-9A-Za-z]\\{4\\}-\\)00/\\1$(printf %02d $n)/g" "$1"; done >>"$2"', root_of('tests/fixtures/town/mainlog'), $path) }

sub test_lines {
    my $path = folder() . '/log';
    days($path, 1 .. 60);
    my $db = new_db();
    ingest($db, [$path], zone => 'UTC');
    my $facts = dump_of($db);
    is(is_tail($db, $path, 'lines: none pruned'), 0, 'lines: all are there');
    my $size = -s $db;
    prune_ok('lines', $db, '--lines-older-than', '2026-02-01');
    my $pruned = is_tail($db, $path, 'lines');
    ok($pruned > 0 && -s $db < $size, 'lines: some went, and the file is smaller');
    is(difference(dump_of($db), $facts), '', 'lines: facts stay');
    is_sound($db, 'lines');
    my $since = lines_of($db, '--source', $path, '--since', '2026-02-01');
    is("$since->{code} $since->{err}", '0 ', 'lines: since that day all are there');
    is($since->{out}, join('', grep { $_ ge '2026-02-01' } split /^/, slurp($path)), 'lines: namely these');
    my $part = lines_of($db, '--source', $path, '--since', '2026-01-03', '--until', '2026-01-05');
    is("$part->{code} $part->{out}", '1 ', 'lines: of a time that is pruned there are none');
    like($part->{err}, qr/its first $pruned lines are pruned/, 'lines: which is said');
    like(mailtrail(fast(), ['grep', '--db', $db, '--no-pager', 'nothing like this'])->{err}, qr/the first lines of 1 source are pruned/, 'lines: grep says so');
    like(mailtrail(fast(), ['status', '--db', $db, '--format', 'csv'])->{out}, qr/^1,.*,$pruned,2026-01-01 /m, 'lines: status says how many');
    my $again = mailtrail(sanitized(), ['ingest', '--again', '--db', $db]);
    is($again->{code}, 2, 'lines: ingest --again will not');
    like($again->{err}, qr/: lines of \S+ were pruned, .* nothing was changed$/, 'lines: ingest --again says why');
    is(difference(dump_of($db), $facts), '', 'lines: ingest --again changes nothing');
    days($path, 61 .. 63);
    is(ingest($db, [$path], zone => 'UTC')->{copies}, 0, 'lines: the file grows');
    is(is_tail($db, $path, 'lines, grown'), $pruned, 'lines, grown: as many are pruned');
    is_sound($db, 'lines, grown');
    prune_ok('lines, all', $db, '--lines-older-than', '1d');
    is(is_tail($db, $path, 'lines, all'), slurp($path) =~ tr/\n//, 'lines, all: none is left');
    is_sound($db, 'lines, all');
    days($path, 64);
    ingest($db, [$path], zone => 'UTC');
    is_tail($db, $path, 'lines, all, grown');
    is_sound($db, 'lines, all, grown');
    in_shell('sqlite3 "$1" "UPDATE source SET pruned_lines = pruned_lines - 1"', $db);
    is(mailtrail(fast(), ['check', '--quiet', '--db', $db])->{code}, 1, 'lines: check knows how many');
}

# grep finds a message whole whose facts are gone, however long it took.
sub test_grep {
    my $path = folder() . '/log';
    my $at = noon('2026-01-02') + 43190;
    my $id = join '', map { (0 .. 9, 'A' .. 'Z', 'a' .. 'z')[int($at / 62 ** $_) % 62] } reverse 0 .. 5;
    days($path, 1, 2);
    append($path, "2026-01-02 23:59:50 $id-000000-0A <= needle\@x.example H=m.x.example [192.0.2.1] P=esmtp S=100\n");
    days($path, 3 .. 40);
    append($path, "2026-02-09 23:59:50 $id-000000-0A => b\@y.example R=dns T=smtp H=m.y.example [192.0.2.2]\n2026-02-09 23:59:51 $id-000000-0A Completed\n");
    days($path, 41 .. 50);
    my $db = new_db();
    ingest($db, [$path], zone => 'UTC');
    my $grep = sub { mailtrail(fast(), ['grep', '--db', $db, '--no-pager', 'needle'])->{out} };
    my $wanted = $grep->();
    is($wanted =~ tr/\n//, 4, 'grep: a message of three lines');
    prune_ok('grep', $db, '--older-than', '2026-02-15');
    is(sql($db, "SELECT count(*) FROM message WHERE exim_id LIKE '$id%'"), 0, 'grep: which is pruned');
    is($grep->(), $wanted, 'grep: is found as before');
}

# A source that forget puts back to its beginning is archived whole when it is read again.
sub test_lines_again {
    my ($path, $other) = (folder() . '/log', folder() . '/other');
    days($path, 1 .. 30);
    in_shell('head -n 300 "$1" | tail -n 250 >"$2"', $path, $other);
    my $db = new_db();
    ingest($db, [$path, $other], zone => 'UTC');
    prune_ok('lines again', $db, '--lines-older-than', '2026-01-20');
    ok(is_tail($db, $path, 'lines again') > 0, 'lines again: some are pruned');
    is(mailtrail(fast(), ['forget', '--db', $db, $other])->{code}, 0, 'lines again: the other is forgotten');
    is_sound($db, 'lines again: forgotten');
    ingest($db, [$path], zone => 'UTC');
    is(is_tail($db, $path, 'lines again: read'), 0, 'lines again: read: all are there');
    is_sound($db, 'lines again: read');
}

# A line that lies in several blocks is not parted.
sub test_long_line {
    my $path = folder() . '/log';
    my $line = '2026-03-01 10:00:00 ' . 'x' x 2_500_000 . "\n";
    spew($path, $hand . $line . $hand =~ s/2026-03/2026-05/gr);
    my $db = new_db();
    ingest($db, [$path], zone => 'UTC', code => 'any');
    prune_ok('a long line', $db, '--lines-older-than', '2026-04-01');
    is_tail($db, $path, 'a long line');
    is_sound($db, 'a long line');
}

# ---- readers, kills ----

sub test_reader {
    my ($town) = @_;
    my $db = copy_of($town);
    in_shell('sqlite3 "$1" "PRAGMA journal_mode = wal" >/dev/null', $db);
    my ($size, $count) = (-s $db, sql($db, 'SELECT count(*) FROM delivery'));
    my $pid = open2(my $out, my $in, 'sqlite3', '-batch', '-readonly', $db);
    my $ask = sub { print $in "SELECT count(*) FROM delivery;\n"; $in->flush; return scalar(<$out>) + 0 };
    print $in "BEGIN;\n";
    is($ask->(), $count, 'reader: sees all rows');
    my $got = prune_ok('reader', $db, '--older-than', '2026-07-05', '--lines-older-than', '2026-07-06');
    is($ask->(), $count, 'reader: still sees all rows');
    ok(sql($db, 'SELECT count(*) FROM delivery') < $count, 'reader: others do not');
    is(-s $db, $size, 'reader: the file is as large as it was');
    like($got->{err}, qr/^mailtrail: (\d+) octets more are given back by the next prune/, 'reader: which is said');
    my ($held) = $got->{err} =~ /(\d+) octets/;
    print $in "COMMIT;\n.quit\n";
    close $in;
    waitpid $pid, 0;
    $got = prune_ok('reader gone', $db, '--older-than', '2026-07-05');
    is($size - -s $db, $held, 'reader gone: the file is smaller by what was said');
    like($got->{out}, qr/; $held octets given back$/, 'reader gone: and says it');
    is(-s "$db-wal", 0, 'reader gone: the log is empty');
    is_sound($db, 'reader gone');
}

sub test_killed {
    my $path = folder() . '/log';
    days($path, 1 .. 90);
    my $whole = new_db();
    ingest($whole, [$path], zone => 'UTC');
    my $first = copy_of($whole);
    my @words = ('--older-than', '2026-03-20', '--lines-older-than', '2026-03-20');
    my $read = 0;
    like(prune_ok('killed: not', $whole, @words)->{out}, qr/^\d{4,} messages, 1\d{4} deliveries, /, 'killed: there is much to do');
    my $wanted = dump_of($whole);
    my ($killed, @bad) = (0);
    for my $octets (map { $_ * 400_000 } 1 .. 20) {
        my $db = copy_of($first);
        my $was = kill_at($octets, 'prune', '--db', $db, @words);
        $killed += $was;
        my $check = mailtrail(fast(), ['check', '--quiet', '--db', $db]);
        push @bad, "$octets: $check->{out}$check->{err}" if $check->{code};
        prune($db, @words)->{code} == 0 or push @bad, "$octets: prune";
        my $differ = difference(dump_of($db), $wanted);
        push @bad, "$octets: $differ" if $differ;
        push @bad, "$octets: size " . (-s $db) if -s $db > 1.02 * -s $whole;
        last if !$was;
    }
    ok($killed > 2, "killed: at $killed places");
    is("@bad", '', 'killed: whole, and after another run the same');
    is_sound($whole, 'killed: not');
}

# ---- words ----

sub test_words {
    my ($town) = @_;
    my $db = copy_of($town);
    my $wanted = dump_of($db);
    my @bad = ([64, qr/say what is to go/], [64, qr/takes no arguments/, 'x'], [64, qr/'soon' is no time/, '--older-than', 'soon'],
               [64, qr/is still to come/, '--older-than', '2199-01-01'], [64, qr/is still to come/, '--lines-older-than', '2199-01-01'],
               [64, qr/no option/, '--age', '3d']);
    for (@bad) {
        my ($code, $words, @args) = @$_;
        my $got = prune($db, @args);
        is($got->{code}, $code, "words: @args: exit code");
        like($got->{err}, $words, "words: @args: says why");
    }
    is(difference(dump_of($db), $wanted), '', 'words: nothing was pruned');
    is(prune(folder() . '/none.db', '--older-than', '3d')->{code}, 2, 'words: no database: exit code 2');
    open my $lock, '>>', "$db-lock" or die;
    flock $lock, 2 or die;
    my $got = prune($db, '--older-than', '3d');
    is($got->{code}, 2, 'words: while an ingest is at work: exit code 2');
    like($got->{err}, qr/another ingest is at work/, 'words: which it says');
}

test_by_hand();
test_nothing_older();
test_zone();
test_late();
test_after_completion();
my $town = test_town();
test_lines();
test_lines_again();
test_grep();
test_long_line();
test_reader($town);
test_killed();
test_words($town);
done_testing();
