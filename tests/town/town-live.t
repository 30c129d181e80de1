#!/usr/bin/perl
# A week of real daemons (tests/town/run-week), read by mailtrail: for every message `trace` tells what the week's driver did
# and saw (its messages.json, in which nothing comes from a log), and the sums are its sums.
# TOWN=FOLDER reads a week that was made before.
use strict;
use warnings;
use File::Basename qw(dirname);
use JSON::PP;
use Test::More;
use lib dirname(__FILE__) . '/../cli', dirname(__FILE__) . '/../truth';
use Ingest;
use Truth ();

my $week = $ENV{TOWN} // folder();
if (!$ENV{TOWN}) {
    chmod 0711, dirname($week);         # as root the week is made by another user
    in_shell('"$1" "$2"', root_of('tests/town/run-week'), $week);
}
my $record = JSON::PP->new->latin1->decode(slurp("$week/messages.json"));
my $db = new_db();
is(mailtrail(sanitized(), ['ingest', '--quiet', '--db', $db, '--config', "$week/mailtrail.conf", "$week/logs"])->{code}, 0, 'the week is read');
is(mailtrail(sanitized(), ['check', '--db', $db])->{code}, 0, 'check finds nothing');

sub sql {
    my ($query) = @_;
    my $said = mailtrail(fast(), ['sql', '--db', $db, '--format', 'json', $query]);
    die "sql: $said->{err}" if $said->{code};
    return @{ JSON::PP->new->utf8->decode($said->{out}) };
}
sub value { my ($row) = sql("SELECT ($_[0]) AS v"); return $row->{v} // 0 }
sub trace { my $said = mailtrail(fast(), ['trace', '--db', $db, '--format', 'json', @_]); return $said->{out} =~ /^\{/ ? JSON::PP->new->utf8->decode($said->{out}) : {} }
sub parts { my ($part) = @_; return ($part, map { parts($_) } @{ $part->{parts} }) }
sub is_delivered { return $_[0]{kind} =~ /^(?:delivered|additional)$/ && ($_[0]{transport} // '') ne 'spamcheck' }
sub lines { return join "\n", sort @_ }

# ---- the record, message by message -----------------------------------------------------------------
my %faults;

sub same {
    my ($what, $id, $got, $wanted) = @_;
    $_ //= '' for $got, $wanted;
    push @{ $faults{$what} }, "$id: got '$got', wanted '$wanted'" if $got ne $wanted;
    return;
}

sub where { my ($at) = @_; return $at->{box} ? 'box ' . ($at->{box} =~ s/\@.*//r) : "far $at->{far} $at->{answer}" }

# Sessions of a mailbox from a time on, within a week: the first three, and how many there were.
sub sessions_from {
    my ($box, $at) = @_;
    my @after = grep { $_->{user} eq $box && $_->{at} >= $at && $_->{at} < $at + 7 * 86400 } @{ $record->{sessions} };
    my $more = @after > 3 && $after[2];
    return map { join ' ', $box, @$_{qw(service at ip)}, $_->{messages} // '-', $_->{deleted} // '-', $_->{taken} // '-', $_->{bytes} // '-', $_ eq $more ? 1 : 0 } grep { defined } @after[ 0 .. 2 ];
}

my %list_answers;
my @list_wanted = map { "$_->{to} $_->{answer}" } grep { ($_->{from} // '') =~ /^owner-choir\@/ } @{ $record->{answers} };
my (@list_got, %told);
for my $m (@{ $record->{messages} }) {
    my $id = $m->{id};
    my @found = @{ trace($id)->{stories} // [] };
    same('one story each', $id, scalar @found, 1);
    my $root = $found[0] or next;
    same('one story each', $id, $root->{exim_id}, $id);
    my @ids = ($id, @{ $m->{copies} });
    my @to = map { $_->{address} } @{ $m->{recipients} };

    same('sender', $id, $root->{sender}, $m->{sender});
    same('client', $id, $root->{ip}, $m->{ip});
    same('client', $id, $root->{host} // $root->{helo}, $m->{helo});
    same('login', $id, $root->{auth_id}, $m->{auth_id});
    same('protocol', $id, $root->{protocol}, { smtp => 'esmtp', login => 'esmtpa', local => 'local' }->{ $m->{how} });
    same('Message-ID', $id, $root->{message_id}, $m->{message_id});
    same('subject', $id, $root->{subject}, $m->{subject});
    same('number of recipients', $id, $root->{recipients}, scalar @to);
    same('time', $id, $root->{at} >= $m->{began} && $root->{at} <= $m->{at} ? 'then' : $root->{at}, 'then');
    same('recipients and outcomes', $id, lines(map { "$_->{address} $_->{outcome}" } @{ $root->{recipients_seen} }),
         lines(map { "$_->{address} $_->{outcome}" } @{ $m->{recipients} }));

    my $waits = $m->{waiting};
    same('state', $id, $root->{state}, $waits ? $waits->{frozen} ? 'frozen' : 'queued' : 'completed');

    # Copies and reports, each with the message that it comes of.
    my @wanted = (map({ "copy $_ of $id" } @{ $m->{copies} }), map({ "bounce $_->{id} of $_->{about}" } @{ $m->{reports} }));
    my @got;
    my @open = ($root);
    while (my $part = shift @open) {
        push @got, "$_->{relation} $_->{exim_id} of " . ($_->{copy_of} // $_->{parent_exim_id} // '') for @{ $part->{parts} };
        push @open, @{ $part->{parts} };
    }
    same('copies and reports', $id, lines(@got), lines(@wanted));

    # Where each of them arrived.
    my @parts = parts($root);
    $told{ $_->{exim_id} } = 1 for @parts;
    for my $part (@parts) {
        same('arrivals', $part->{exim_id},
             lines(map { ($_->{transport} eq 'box' ? 'box ' . ($_->{recipient} =~ s/\@.*//r) : "far $_->{recipient} " . ($_->{response} // '')) } grep { is_delivered($_) } @{ $part->{attempts} }),
             lines(map { where($_) } @{ $record->{taken}{ $part->{exim_id} } // [] }));
    }

    # Failures, by the bounces.
    for my $part (grep { $_->{relation} ne 'bounce' } @parts) {
        same('failures', $part->{exim_id}, lines(map { $_->{recipient} } grep { $_->{kind} eq 'failed' } @{ $part->{attempts} }),
             lines(map { @{ $record->{reports}{ $_->{id} }{failed} } } grep { $_->{about} eq $part->{exim_id} } @{ $m->{reports} }));
    }

    # Answers of far servers that were no success: as often as they gave them, in their words, with their code.
    my %mine = map { ($_ => 1) } map { $_->{exim_id} } @parts;
    my %from = ($m->{sender} eq '' ? () : ($m->{sender} => 1));
    my @answered;
    for my $answer (@{ $record->{answers} }) {
        my $is = $answer->{stage} eq 'data' ? $mine{ $answer->{id} } && $answer->{answer} ne ''
               : $answer->{stage} eq 'connect' ? grep { /\@busy\.example$/ } @to
               : $answer->{from} eq '' ? grep { $_->{relation} eq 'bounce' && $answer->{to} eq $m->{sender} } @parts
               : $from{ $answer->{from} };
        push @answered, join ' ', $answer->{to} // $to[0], $answer->{answer} if $is;
    }
    my @quoted;
    for my $attempt (grep { $_->{kind} =~ /^(?:failed|deferred)$/ && defined $_->{reply_code} } map { @{ $_->{attempts} } } @parts) {
        my ($words) = $attempt->{detail} =~ /: ($attempt->{reply_code} .*?)(?:: retry timeout exceeded)?$/;
        next if $attempt->{detail} eq 'retry timeout exceeded';       # given up: its code is that of the last try
        push @quoted, "$attempt->{recipient} " . ($words // "? $attempt->{detail}");
    }
    if (grep { $_ eq 'choir@town.example' } @to) { push @list_got, @quoted }
    else { same('answers of far servers', $id, lines(@quoted), lines(@answered)) }

    my $scan = $m->{spam};
    same('verdicts', $id, join('; ', map { "$_->{is_spam} " . ($_->{score} + 0) . ' of ' . ($_->{threshold} + 0) } @{ $root->{scans} }),
         $scan ? "$scan->{spam} " . ($scan->{spam} ? int $scan->{score} : $scan->{score}) . " of $scan->{threshold}" : '');

    my %boxes;
    for my $arrived (grep { $_->{box} } map { @{ $record->{taken}{$_} // [] } } @ids) {
        my $at = $boxes{ $arrived->{box} };
        $boxes{ $arrived->{box} } = $arrived->{at} if !defined $at || $arrived->{at} < $at;
    }
    my @sessions = map { my $s = $_; join ' ', $s->{mailbox}, @$s{qw(service at ip)}, map({ $_ // '-' } @$s{qw(messages deleted taken bytes)}), $s->{more} }
        map { @{ $_->{sessions} } } grep { $_->{relation} ne 'bounce' } @parts;
    same('sessions', $id, lines(@sessions), lines(map { sessions_from($_, $boxes{$_}) } keys %boxes));
}
same('answers of far servers', 'the list', lines(@list_got), lines(@list_wanted));

my @all = @{ $record->{messages} };
cmp_ok(scalar @all, '>', 150, 'messages');
for my $what ('one story each', 'sender', 'client', 'login', 'protocol', 'Message-ID', 'subject', 'number of recipients', 'time', 'recipients and outcomes', 'state',
              'copies and reports', 'arrivals', 'failures', 'answers of far servers', 'verdicts', 'sessions') {
    my @wrong = @{ delete $faults{$what} // [] };
    is(scalar @wrong, 0, "each message: $what") or diag join "\n", @wrong > 10 ? @wrong[ 0 .. 9 ] : @wrong;
}
is(join(' ', keys %faults), '', 'nothing else was compared');

# Every kind of fate is among them.
my %fates;
$fates{ $_->{outcome} }++ for map { @{ $_->{recipients} } } @all;
ok($fates{$_}, "some recipients: $_") for qw(delivered partly failed waiting removed discarded);

# ---- no more, no less -----------------------------------------------------------------------------------
my @logged = map { $_->{exim_id} } sql('SELECT exim_id FROM messages WHERE received IS NOT NULL');
is(difference(lines(@logged), lines(keys %told)), '', 'every message received is told in one of the stories');
my @arrived = map { @$_ } values %{ $record->{taken} };
my @spam = grep { defined } map { $_->{spam} } @all;
my $kinds = "kind IN ('delivered', 'additional')";
is(value('SELECT count(*) FROM unparsed'), 0, 'every line is understood');
is(value('SELECT count(*) FROM messages WHERE received IS NOT NULL AND copy_of IS NULL AND parent_exim_id IS NULL'), scalar @all, 'messages received');
is(value('SELECT sum(recipients) FROM messages WHERE copy_of IS NULL AND parent_exim_id IS NULL'), scalar(map { @{ $_->{recipients} } } @all), 'their recipients');
is(value('SELECT count(*) FROM messages WHERE copy_of IS NOT NULL'), scalar(map { @{ $_->{copies} } } @all), 'copies');
is(value('SELECT count(*) FROM messages WHERE parent_exim_id IS NOT NULL'), scalar keys %{ $record->{reports} }, 'bounces and warnings');
is(value("SELECT count(*) FROM deliveries WHERE $kinds AND transport = 'box'"), scalar(grep { $_->{box} } @arrived), 'letters in mailboxes');
is(value("SELECT count(*) FROM deliveries WHERE $kinds AND transport LIKE 'remote_smtp%'"), scalar(grep { $_->{far} } @arrived), 'recipients that far servers took');
is(value('SELECT count(*) FROM scans'), scalar @spam, 'scans');
is(value('SELECT sum(is_spam) FROM scans'), scalar(grep { $_->{spam} } @spam), 'spam');
for my $service ('imap', 'pop3') {
    is(value("SELECT count(*) FROM sessions WHERE service = '$service' AND login IS NOT NULL"), scalar(grep { $_->{service} eq $service } @{ $record->{sessions} }), "sessions: $service");
}
my @failed;
for my $service (sort keys %{ $record->{failed_logins} }) {
    push @failed, "$service $_ $record->{failed_logins}{$service}{$_}" for keys %{ $record->{failed_logins}{$service} };
}
is(lines(map { "$_->{service} $_->{ip} $_->{n}" } sql('SELECT service, ip, sum(attempts) AS n FROM auth_failures GROUP BY 1, 2')), lines(@failed), 'failed logins, by client');

# ---- refused ----------------------------------------------------------------------------------------------
sub refusal { my ($r) = @_; return join ' ', $r->{stage}, $r->{ip} // '-', $r->{temporary}, $r->{sender} // '-', $r->{stage} eq 'rcpt' ? $r->{recipient} : '' }
is(difference(lines(map { refusal($_) } sql('SELECT * FROM rejections')), lines(map { refusal($_) } @{ $record->{refusals} })), '', 'refusals, one by one');
my %stages = map { ($_->{stage} => 1) } @{ $record->{refusals} };
is(join(' ', sort keys %stages), 'data helo local mail rcpt', 'at each stage');
my ($listed) = grep { $_->{ip} && $_->{ip} eq '127.1.0.66' } @{ $record->{refusals} };
is(scalar @{ trace($listed->{ip})->{refusals} }, scalar(grep { ($_->{ip} // '') eq $listed->{ip} } @{ $record->{refusals} }), 'trace by the address of a client that was always refused');

done_testing();
