#!/usr/bin/perl
# Exim's channels: main log, reject log and panic log, files and syslog in every frame, with and without Exim's own
# stamp, whole and cut into parts.  Whichever brought the lines, the same is known of the mail.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

# What Exim logged, by hand: second, process, text; what is in the main log (m), the reject log (r), the panic log (p).
# A line of the text behind the first is one of a dump of headers.
my $id = '1xW2ab-000001-AA';
my $long = join ' ', map { "word$_" } 1 .. 40;
my @entries = (
    [1, 100, 'm', "$id <= a\@x.example H=mx.x.example [192.0.2.1] P=esmtp S=500 id=1\@x.example T=\"$long\" for b\@y.example c\@y.example"],
    [2, 101, 'm', "$id => b <b\@y.example> R=local T=mailbox"],
    [2, 101, 'm', "$id == c\@y.example R=out T=smtp defer (-44) H=mx.y.example [192.0.2.9]: SMTP error from remote mail server after RCPT TO:<c\@y.example>: 451 4.7.1 $long"],
    [3, 102, 'mr', 'H=(h) [192.0.2.3] F=<s@x.example> rejected RCPT <u@y.example>: no'],
    [3, 102, 'mr', 'H=(h) [192.0.2.3] F=<s@x.example> rejected RCPT <v@y.example>: no'],
    [4, 103, 'mr', '1xW2ab-000002-BB H=(h) [192.0.2.4] F=<s@x.example> rejected after DATA: not this'
        . "\nEnvelope-from: <s\@x.example>\nEnvelope-to: <u\@y.example>\nP Received: from [192.0.2.4] (helo=h)\n\tby mx with smtp (Exim 4.96)\n\tfor u\@y.example"
        . "\nF From: S <s\@x.example>\n  Subject: $long\n  2026-11-20 10:00:09 1xW2ab-000009-XX <= evil\@x.example H=evil [6.6.6.6] P=smtp S=9"
        . "\nI Message-ID: <2\@x.example>\n  X-Spam: Subject: no"],
    [5, 104, 'r', 'H=(h) [192.0.2.5] F=<s@x.example> rejected RCPT <w@y.example>: log_reject_target keeps this from the main log'],
    [6, 105, 'mp', "$id Failed to open database lock file /var/spool/exim4/db/retry.lockfile: Permission denied"],
    [7, 106, 'p', 'Exim configuration error in line 7 of /etc/exim4/exim4.conf'],
    [9, 107, 'm', "$id Completed QT=8s"],
);

# What must be known of it.
my $facts = <<"END";
message|$id|a\@x.example|mx.x.example|192.0.2.1|500|2|8.0|completed
delivery|delivered|b|
delivery|deferred|c\@y.example|policy
rejection|rcpt|192.0.2.3|s\@x.example|u\@y.example|no|
rejection|rcpt|192.0.2.3|s\@x.example|v\@y.example|no|
rejection|data|192.0.2.4|s\@x.example||not this|1xW2ab-000002-BB
rejection|rcpt|192.0.2.5|s\@x.example|w\@y.example|log_reject_target keeps this from the main log|
event|internal_error||Exim configuration error in line 7 of /etc/exim4/exim4.conf
event|internal_error|$id|Failed to open database lock file /var/spool/exim4/db/retry.lockfile: Permission denied
event|rejected_header|1xW2ab-000002-BB|Envelope-to: <u\@y.example>
event|rejected_header|1xW2ab-000002-BB|From: S <s\@x.example>
event|rejected_header|1xW2ab-000002-BB|Message-ID: <2\@x.example>
event|rejected_header|1xW2ab-000002-BB|Subject: 2026-11-20 10:00:09 1xW2ab-000009-XX <= evil\@x.example H=evil [6.6.6.6] P=smtp S=9
event|rejected_header|1xW2ab-000002-BB|Subject: $long
END

sub rows {
    my ($db, $sql) = @_;
    my $folder = folder();
    spew("$folder/sql", $sql);
    in_shell('sqlite3 -batch -bail -readonly "$1" <"$2" >"$3"', $db, "$folder/sql", "$folder/out");
    return slurp("$folder/out");
}

my $facts_sql = <<'END';
SELECT 'message', exim_id, sender, host, ip, size, recipients, queue_seconds, state FROM messages;
SELECT 'delivery', kind, recipient, reason_class FROM deliveries ORDER BY recipient;
SELECT 'rejection', stage, ip, sender, recipient, coalesce(detail, reason), exim_id FROM rejections ORDER BY time, recipient;
SELECT 'event', kind, exim_id, text FROM events ORDER BY kind, trim(text);
END

# queue_seconds is printed as it is stored: whole or with tenths; blanks in front of a folded header line stay.
sub told {
    my $rows = rows($_[0], $facts_sql);
    $rows =~ s/^(message\|.*\|8)(?=\|completed$)/$1.0/m;
    $rows =~ s/\| +(?=2026-11-20)/|/;
    return $rows;
}

# --- how each channel writes an entry ---

sub own_stamp { sprintf '2026-11-20 10:00:%02d', $_[0] }

sub file_lines {
    my ($second, $pid, $text) = @_;
    return own_stamp($second) . " $text\n";
}

# Parts as Exim cuts them: at a line's end, [n\m], or where a line is too long, [n/m]; nothing is cut that is one short line.
sub parts_of {
    my ($text, $most) = @_;
    my @parts;
    for my $line (split /\n/, $text) {
        my @pieces = $line =~ /(.{1,$most})/g;
        push @parts, map { [$pieces[$_], $_ < $#pieces ? '/' : '\\'] } 0 .. $#pieces;
    }
    return $text if @parts == 1;
    $parts[-1][1] = '/';
    return map { '[' . ($_ + 1) . "$parts[$_][1]" . @parts . "] $parts[$_][0]" } 0 .. $#parts;
}

my %frame = (
    'RFC 3164' => sub { sprintf 'Nov 20 10:00:%02d mx exim[%d]: %s', @_ },
    'RFC 3164 with priority, without host' => sub { sprintf '<22>Nov 20 10:00:%02d exim[%d]: %s', @_ },
    'ISO' => sub { sprintf '2026-11-20T10:00:%02d.123456+00:00 mx exim[%d]: %s', @_ },
    'ISO of another zone' => sub { sprintf '2026-11-20T12:00:%02d+02:00 mx exim[%d]: %s', @_ },
    'RFC 5424' => sub { sprintf '<22>1 2026-11-20T10:00:%02d.5Z mx exim %d - - %s', @_ },
    'RFC 5424 without pid' => sub { my ($second, $pid, $text) = @_; sprintf '1 2026-11-20T10:00:%02dZ mx exim - - [x@1 y="[1/2\]"] %s', $second, $text },
);

# Syslog writes a rejection twice: for the main log, without the dump, and for the reject log.  The panic log as well.
sub syslog_lines {
    my ($frame, $stamped, $most) = @_;
    my $log = '';
    for (@entries) {
        my ($second, $pid, $logs, $text) = @$_;
        my @texts = $logs =~ /m/ && $logs =~ /r/ ? ((split /\n/, $text)[0], $text) : $text;
        for my $whole (@texts) {
            $log .= $frame{$frame}->($second, $pid, $_) . "\n" =~ s/\t/#011/r
                for parts_of(($stamped ? own_stamp($second) . ' ' : '') . $whole, $most);
        }
    }
    return $log;
}

sub log_of {
    my ($letter) = @_;
    return join '', map { my ($second, $pid, $logs, $text) = @$_;
                          $text = (split /\n/, $text)[0] if $letter ne 'r';
                          $logs =~ /$letter/ ? file_lines($second, $pid, $text) : () } @entries;
}

my $count = 0;
sub database { folder() . '/' . ++$count . '.db' }

# The texts are small: the binary with the sanitizers reads them.
sub take {
    my ($db, $paths, %how) = @_;
    return ingest($db, $paths, zone => 'UTC', binary => sanitized(), %how);
}

# --- files ---

sub test_files {
    my %log = map { $_ => spew(folder() . "/$_", log_of($_)) } qw(m r p);
    my $dump;
    for my $order ([qw(m r p)], [qw(p r m)], [qw(r m p)]) {
        my $db = database();
        take($db, [$log{$_}]) for @$order;
        is(told($db), $facts, "files in the order @$order");
        $dump //= dump_of($db);
        is(difference(dump_of($db), $dump), '', '  and every row is the same');
        is(faults_of($db), '', '  and the database is sound');
    }
    my $db = database();
    take($db, [$log{m}]);
    my $more = take($db, [$log{r}]);
    is("$more->{rows} new, $more->{copies} copies", '6 new, 3 copies', 'the reject log adds a rejection and five headers, no more');
    $more = take($db, [$log{p}]);
    is("$more->{rows} new, $more->{copies} copies", '1 new, 1 copies', 'the panic log adds what the main log has not');
    return $dump;
}

# The reject log grows while it is read, cut at every byte of a dump.
sub test_growing {
    my ($text) = log_of('r');
    my $from = index $text, 'Envelope-from';
    my $whole = database();
    take($whole, [spew(folder() . '/whole', $text)]);
    my $wanted = dump_of($whole);
    my $wrong = '';
    for (my $cut = $from - 3; $cut < $from + 460; $cut += 23) {
        my $db = database();
        my $file = spew(folder() . '/rejectlog', substr $text, 0, $cut);
        take($db, [$file]);
        append($file, substr $text, $cut);
        take($db, [$file]);
        $wrong .= "$cut: " . difference(dump_of($db), $wanted) . "\n" if dump_of($db) ne $wanted;
    }
    is($wrong, '', 'a dump read in two runs is the same dump');
}

# --- syslog ---

sub test_syslog {
    my ($dump) = @_;
    for my $frame (sort keys %frame) {
        for my $stamped (0, 1) {
            next if $frame =~ /^ISO of/ && !$stamped;
            for my $most (870, 61) {
                my $db = database();
                my $what = "$frame, " . ($stamped ? "Exim's own stamp" : "syslog's stamp") . ", at most $most octets";
                my $got = take($db, [spew(folder() . '/maillog', syslog_lines($frame, $stamped, $most))],
                               year => 2026);
                is(told($db), $facts, $what);
                is($got->{unparsed}, 0, '  all understood');
            }
        }
    }
    my $db = database();
    my %log = map { $_ => spew(folder() . "/$_", log_of($_)) } qw(m r p);
    take($db, [@log{qw(m r p)}]);
    my $more = take($db, [spew(folder() . '/maillog', syslog_lines('RFC 3164', 1, 61))], year => 2026);
    is($more->{rows}, 0, 'syslog beside the files adds nothing');
    is(difference(dump_of($db), $dump), '', '  and changes nothing');
}

# --- parts ---

sub explained {
    my ($text) = @_;
    return mailtrail(sanitized(), [qw(explain --brief)], input => spew(folder() . '/in', $text))->{out};
}

sub test_parts {
    my @lines = map { "Nov 20 10:00:01 mx exim[7]: $_\n" } parts_of("2026-11-20 10:00:01 $entries[0][3]", 61);
    my $whole = explained("2026-11-20 10:00:01 $entries[0][3]\n");
    my @explained = split /^/, explained(join '', @lines);
    is(scalar(grep { /^CONTINUATION / } @explained), @lines - 1, 'explain: a part of an entry is a continuation');
    (my $last = $explained[-1]) =~ s/ frame_(?:pid|host|part)=\S+//g;
    is($last, $whole, 'explain: the last part tells what the entry says');

    my @other = map { s/exim\[7\]/exim[8]/r =~ s/$id/1xW2ab-000003-CC/r } @lines;
    my @mixed = map { ($lines[$_], "Nov 20 10:00:01 mx imapd[9]: Login user=x host=[192.0.2.1]\n", $other[$_]) } 0 .. $#lines;
    is(scalar(grep { /^ARRIVAL / } split /^/, explained(join '', @mixed)), 2, 'the parts of two processes, one between the other');

    my @forged = (@lines[0, 1], map { s/exim\[7\]/exim[8]/r } @lines[2 .. $#lines]);
    is(scalar(grep { !/^CONTINUATION / } split /^/, explained(join '', @forged)), 0, 'parts of another process end no entry');
    my @missing = @lines;
    splice @missing, 1, 1;
    is(scalar(grep { !/^CONTINUATION / } split /^/, explained(join '', @missing)), 0, 'an entry without its middle is none');
}

my $dump = test_files();
test_growing();
test_syslog($dump);
test_parts();
done_testing();
