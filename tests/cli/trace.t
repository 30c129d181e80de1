#!/usr/bin/perl
# mailtrail trace: for every message of the town it tells what its driver's record says (tests/fixtures/town/messages.json,
# cut from that record alone): recipients, mailboxes, what far servers took and answered, refusals; by each kind of key.
use strict;
use warnings;
use File::Basename qw(dirname);
use Encode ();
use JSON::PP;
use Test::More;
use lib dirname(__FILE__), dirname(__FILE__) . '/../truth';
use Ingest;
use Truth ();

my $folder = root_of('tests/fixtures/town');
my $town = folder() . '/town.db';
is(mailtrail(fast(), ['ingest', '--quiet', '--db', $town, '--config', "$folder/mailtrail.conf", $folder])->{code}, 0, 'the town is read');
my $record = Truth::octets(JSON::PP->new->utf8->decode(slurp("$folder/messages.json")));

sub trace {
    my ($binary, @words) = @_;
    my $said = mailtrail($binary, ['trace', '--db', $town, '--format', 'json', @words]);
    $said->{json} = Truth::octets(JSON::PP->new->utf8->decode($said->{out})) if $said->{out} =~ /^\{/;
    return $said;
}
sub told { my $said = mailtrail(sanitized(), ['trace', '--db', $town, @_]); return "$said->{err}$said->{out}" }
sub parts { my ($part) = @_; return ($part, map { parts($_) } @{ $part->{parts} }) }
sub lower { my ($text) = @_; $text =~ tr/A-Z/a-z/; return $text }

# An address as Exim takes it, in lower case.
sub envelope { return lower(Truth::envelope($_[0])) }
# A reply as the log has it, compared by its letters and digits alone: each channel quotes and breaks it in its own way.
sub words_of { my ($text) = @_; $text =~ s/\\n|\\r//g; $text =~ s/\\(\d{3})/chr oct $1/ge; $text =~ s/[^A-Za-z0-9\x80-\xff]+//g; return lower($text) }

# What JSON makes of octets that are no UTF-8.
sub whole { my ($text) = @_; return defined $text ? Encode::encode('UTF-8', Encode::decode('UTF-8', $text)) : undef }

# ---- every message -----------------------------------------------------------------------------
# Recipients of which the log tells otherwise than the envelope; tests/truth/gaps.tsv says why.
my %also = ('1werlt-00009K-0E' => 'noreply@big-corp.example.org', '1wfEHJ-0002c6-19' => 'vac@vac.example');
my (%faults, $checked, %seen_box, %seen_far, %answered);
my %answers;
push @{ $answers{ envelope($_->[0]) } }, words_of($_->[1]) for @{ $record->{answers} };

sub fault { my ($what, $id, $got, $wanted) = @_; push @{ $faults{$what} }, "$id: got '" . ($got // 'nothing') . "', wanted '" . ($wanted // 'nothing') . "'"; return }
sub same { my ($what, $id, $got, $wanted) = @_; $got //= ''; $wanted //= ''; fault($what, $id, $got, $wanted) if $got ne $wanted; return }

my @refused_got;
sub check_recipients {
    my ($m, $root) = @_;
    my %want = map { envelope($_) => 1 } @{ $m->{recipients} };
    return if $m->{case} =~ /^oddmsg:(?:freeze|fail|extra)/;        # a system filter took or added recipients
    if ($m->{case} eq 'discard') {                                  # an ACL took some or all: the log says blackhole
        delete @want{ grep { /^discard/ } keys %want };
        %want = (blackhole => 1) if !%want || $root->{recipients_seen}[0]{address} eq 'blackhole';
    }
    %want = () if $root->{state} eq 'frozen';                       # frozen by an ACL, never tried
    $want{ $also{ $m->{id} } } = 1 if $also{ $m->{id} };
    # An address that an alias before it led to as well: Exim logs it once, under the alias.
    my %final = map { lower($_->{recipient} . ($_->{recipient} =~ /\@/ ? '' : $_->{original} =~ s/.*(?=\@)//r)) => 1 } map { @{ $_->{attempts} } } parts($root);
    my %seen = map { lower($_->{address}) => 1 } @{ $root->{recipients_seen} };
    delete @want{ grep { $final{$_} && !$seen{$_} } keys %want };
    my @refused = map { lower($_->{address}) } grep { $_->{outcome} eq 'refused' } @{ $root->{recipients_seen} };
    same('recipients', $m->{id}, join(' ', sort map { lower($_->{address}) } grep { $_->{outcome} ne 'refused' } @{ $root->{recipients_seen} }), join(' ', sort keys %want));
    push @refused_got, map { "$m->{ip} $_" } @refused;
}

# Mailboxes and far servers: what the attempts told as delivered say, by the ids of the story.
sub check_deliveries {
    my ($id, $root) = @_;
    for my $part (parts($root)) {
        my %box = %{ $record->{mailboxes}{ $part->{exim_id} } // {} };
        my @far = @{ $record->{far}{ $part->{exim_id} } // [] };
        my ($local, @far_told) = (0);
        for my $attempt (grep { $_->{kind} =~ /^(?:delivered|additional|cutthrough)$/ } @{ $part->{attempts} }) {
            my $how = $attempt->{transport} // '';
            $local++ if $how =~ /^(?:virtual_localdelivery|local_delivery|catchall_file|address_file)$/;
            push @far_told, $attempt if $how eq 'remote_smtp';
        }
        my $copies = 0;
        $copies += $_ for values %box;
        same('mailboxes', $part->{exim_id}, $local, $copies);
        same('far recipients', $part->{exim_id}, join(' ', sort map { lower($_->{recipient}) } @far_told),
             join(' ', sort map { Truth::unquoted($_->[0]) } @far));
        for my $attempt (grep { defined $_->{response} } @far_told) {
            my ($answer) = grep { Truth::unquoted($_->[0]) eq lower($attempt->{recipient}) } @far or next;
            $answered{taken}++;
            my $wanted = words_of($answer->[1]);
            # Of a cut-through delivery Exim logs the first line of the answer alone.
            $wanted = substr $wanted, 0, length words_of($attempt->{response}) if $attempt->{kind} eq 'cutthrough';
            same('words of far servers', $part->{exim_id}, words_of($attempt->{response}), $wanted);
        }
    }
}

# Every no of a far server that the log quotes is one that the far server gave for this recipient.
sub check_answers {
    my ($root) = @_;
    for my $part (parts($root)) {
        for my $attempt (grep { $_->{kind} =~ /^(?:failed|deferred)$/ && ($_->{detail} // '') =~ /after RCPT TO:<.*?>: (.*)/s } @{ $part->{attempts} }) {
            next if ($attempt->{transport} // '') ne 'remote_smtp';
            my ($words) = $attempt->{detail} =~ /after RCPT TO:<.*>: ([45]\d\d.*)/s;
            my $given = $answers{ lower($attempt->{original}) } // $answers{ lower($attempt->{recipient}) } // [];
            $answered{refused}++;
            fault('refusals of far servers', $part->{exim_id}, $attempt->{detail}, join ' | ', @$given) if !grep { $_ eq words_of($words) } @$given;
            same('reply codes', $part->{exim_id}, $attempt->{reply_code}, substr $words, 0, 3);
        }
    }
}

# A recipient is delivered where a mailbox, a far server or the hub has it, and no attempt told otherwise.
sub check_outcomes {
    my ($id, $root) = @_;
    my %kinds;
    for my $part (grep { $_->{relation} ne 'bounce' } parts($root)) {
        $kinds{ lower($_->{original}) }{ $_->{kind} } = 1 for @{ $part->{attempts} };
    }
    for my $recipient (@{ $root->{recipients_seen} }) {
        next if $recipient->{outcome} eq 'refused';
        my %had = %{ $kinds{ lower($recipient->{address}) } };
        my $reached = grep { $had{$_} } qw(delivered additional cutthrough);
        my $wanted = $reached && $had{failed} ? 'partly' : $reached ? 'delivered' : $had{failed} ? 'failed' : $had{discarded} ? 'discarded' : 'waiting';
        same('outcomes', "$id $recipient->{address}", $recipient->{outcome}, $wanted);
    }
}

# All stories by the domains of their senders; those of no sender by their ids.
my %story;
my %domain = map { $_->{sender} =~ /\@([^\@]+)$/ ? ($1 => 1) : () } @{ $record->{messages} };
for my $domain (sort keys %domain) {
    $story{ $_->{exim_id} } = $_ for @{ trace(fast(), '--limit', 1000, $domain)->{json}{stories} };
}
for my $m (@{ $record->{messages} }) {
    my $id = $m->{id};
    ($story{$id}) = @{ trace(fast(), $id)->{json}{stories} // [] } if $m->{sender} !~ /\@/;
    my $root = $story{$id};
    if (!$root || $root->{exim_id} ne $id) { fault('stories', $id, 'no story', 'one'); next }
    $checked++;
    same('sender', $id, $root->{sender}, Truth::shown(Truth::envelope($m->{sender})));
    same('address of the client', $id, $root->{ip}, $m->{ip});
    same('encryption', $id, defined $root->{tls} ? 1 : 0, $m->{tls});
    same('login', $id, $root->{auth_id}, $m->{auth});
    same('Message-ID', $id, $root->{message_id}, whole(Truth::logged_mid($m->{message_id})));
    check_recipients($m, $root);
    check_deliveries($id, $root);
    check_answers($root);
    check_outcomes($id, $root);
}
is($checked, scalar @{ $record->{messages} }, 'each message that the driver sent has its story');
cmp_ok($answered{taken}, '>', 20, 'words with which far servers took mail were compared');
cmp_ok($answered{refused}, '>', 30, 'words with which they refused it were compared');
for my $what ('stories', 'sender', 'address of the client', 'encryption', 'login', 'Message-ID', 'recipients', 'mailboxes', 'far recipients',
              'words of far servers', 'refusals of far servers', 'reply codes', 'outcomes') {
    my @faults = @{ $faults{$what} // [] };
    is(scalar @faults, 0, "each message: $what") or diag join "\n", @faults > 10 ? @faults[0 .. 9] : @faults;
}

is(join("\n", sort @refused_got), join("\n", sort map { "$_->[1] " . lower($_->[3]) } grep { $_->[0] eq 'prdr' } @{ $record->{refusals} }),
   'recipients refused behind the data of a message that came for others are those of the driver');

# ---- refusals, by the client's address -----------------------------------------------------------
my (%refused_want, %refused_got);
for my $refusal (@{ $record->{refusals} }) {
    my ($stage, $ip) = @$refusal;
    $refused_want{$ip}++ if defined $ip && $ip =~ /[.:]/;       # others were refused on the machine itself
}
my @ips = grep { $refused_want{$_} } sort keys %refused_want;
for my $ip (@ips) {
    my $json = trace(fast(), '--server', 'srv1', '--limit', 500, $ip)->{json};
    # A recipient refused behind the data (PRDR) has a line of its message without the client.
    my @in_stories = grep { ($_->{ip} // $ip) eq $ip } map { @{ $_->{refusals} } } map { parts($_) } grep { ($_->{ip} // '') eq $ip } @{ $json->{stories} };
    $refused_got{$ip} = @in_stories + grep { $_->{what} eq 'refused' || $_->{service} eq 'smtp' } @{ $json->{refusals} };
}
my @wrong = map { "$_: got $refused_got{$_}, wanted $refused_want{$_}" } grep { $refused_got{$_} != $refused_want{$_} } sort keys %refused_want;
is(scalar @wrong, 0, 'clients refused, by address: each as often as the driver was') or diag join "\n", @wrong;
cmp_ok(scalar keys %refused_want, '>', 50, 'of many addresses');

# ---- by each kind of key -------------------------------------------------------------------------
sub ids_by { my $json = trace(sanitized(), '--limit', 1000, @_)->{json}; return join ' ', sort map { $_->{exim_id} } @{ $json->{stories} } }
sub ids_of { my ($is) = @_; return join ' ', sort map { $_->{id} } grep { $is->($_) } @{ $record->{messages} } }

my ($sample) = grep { $_->{id} eq '1werk6-0006bx-1U' } @{ $record->{messages} };
is(ids_by($sample->{id}), $sample->{id}, 'by id');
is(ids_by($sample->{message_id}), $sample->{id}, 'by Message-ID, in <>');
is(ids_by($sample->{message_id} =~ s/[<>]//gr), $sample->{id}, 'by Message-ID, without <>');
my $news = ids_of(sub { $_[0]{sender} eq 'news@sender30.example' });
is(ids_by('news@sender30.example'), $news, 'by sender');
is(ids_by('NEWS@Sender30.EXAMPLE'), $news, 'in any case');
my $dup = ids_of(sub { grep { /^user26\@big-corp\.example\.org$/i } @{ $_[0]{recipients} } });
like(ids_by('user26@big-corp.example.org'), qr/\Q$_\E/, "by recipient: $_") for split / /, $dup;
is(ids_by('user26@big-corp.example.org', 'news@sender30.example'),
   ids_of(sub { $_[0]{sender} eq 'news@sender30.example' && grep { /^user26\@big-corp\.example\.org$/i } @{ $_[0]{recipients} } }),
   'by sender and recipient: both');
my @sender30 = split / /, ids_of(sub { $_[0]{sender} =~ /\@sender30\.example$/ });
is(scalar(grep { my $id = $_; ids_by('sender30.example') =~ /\Q$id\E/ } @sender30), scalar @sender30, 'by domain');
my $from = ids_of(sub { $_[0]{ip} eq '127.1.0.30' });
is(ids_by('127.1.0.30'), $from, 'by IP');
is(ids_by('mail.sender30.example'), $from, 'by host name');
is(ids_by('subject:RTL override', '127.1.0.30'), $sample->{id}, 'by words of the subject');
is(ids_by('sink18.example', 'c.d5@flaky.example'), '1wfEHL-0002eF-2M', 'by far host and recipient');
is(scalar split(/ /, ids_by('--server', 'hub', '127.0.0.1')), scalar(grep { / <= .*\[127\.0\.0\.1\]/ } split /\n/, slurp("$folder/hub-mainlog")),
   'by server: what the hub received of us');
is(ids_by('--since', '2026-07-07', 'news@sender30.example'), join(' ', grep { /^1wh/ } split / /, $news), 'since');
is(ids_by('--until', '2026-07-02', 'news@sender30.example'), join(' ', grep { /^1wer/ } split / /, $news), 'until');
is(ids_by('1werjr-0006Mj-1R'), '1werjo-0006Ky-2N', 'a bounce is told with the message that it is about');
is(ids_by('1werkB-0006g6-03'), $sample->{id}, 'a copy is told with the message that it is of');
is(ids_by('--limit', 1, '127.1.0.30'), (split / /, $from)[-1], 'the latest, within the limit');
is(trace(sanitized(), '--limit', 1, '127.1.0.30')->{json}{stories_found}, scalar(split / /, $from), 'and how many there were');
is(trace(sanitized(), 'nobody@nowhere.example')->{code}, 1, 'nothing found: exit code 1');

# ---- the words ------------------------------------------------------------------------------------
like(told('1wermW-0000yo-0N'), qr/^1wermW-0000yo-0N on srv1: delivered to 0 of 3 recipients; 3 bounced: greylisted \(given up after retries\), refused by policy, mailbox full \(given up after retries\)\n/,
     'a verdict of bounces');
like(told('1wermW-0000yo-0N'), qr/put off full9\@relay\.example, 3 attempts over 6d1m42s and 5 times not tried yet, last 2026-07-07 10:04:44:\n/, 'deferrals are folded');
like(told('1wermW-0000yo-0N'), qr/452 4\.2\.2 mailbox full; over quota"\n += the recipient's mailbox is full; the recipient's side has to mend it\n/,
     'words, meaning and side');
like(told('1wh2fW-0003CB-0G'), qr/: delivered to \d of \d recipients?; 1 waiting: greylisted\n/, 'a verdict of what waits');
like(told('1werkU-00071e-0r'), qr/: frozen, nothing tried\n/, 'a verdict of what is frozen');
like(told('1werk6-0006bx-1U'), qr/: delivered to 6 of 6 recipients\n/, 'a verdict of success');
like(told('1werk6-0006bx-1U'), qr/given back by the scanner as 1werkB-0006g6-03, joined by Message-ID, sender and time\n/, 'the scanner\'s copy, and how it was joined');
like(told('1werk6-0006bx-1U'), qr/no spam: score 0\.0, spam from 5\.0 on/, 'the score');
like(told('g@sender20.example', 'grey6@blog.example.net'), qr/^never became a message\n.*refused for now at rcpt, from g\@sender20\.example, to grey6\@blog\.example\.net\n.*"greylisted\."/ms, 'a refusal that never became a message');
unlike(told('127.1.0.30'), qr/\e/, 'no colours into a pipe');
is(told('--format', 'xml', 'x'), "mailtrail: trace: no format 'xml'; text or json\n", 'an unknown format');
like(told(), qr/^mailtrail: trace: no key; /, 'no key');
like(told('--server', 'mx9', 'x'), qr/^mailtrail: no server 'mx9' in this database\n/, 'an unknown server');
like(told(map { "k$_" } 1 .. 9), qr/^mailtrail: trace: give one to 8 keys\n/, 'too many keys');

sub on_terminal {
    my ($words, %env) = @_;
    local @ENV{keys %env} = values %env;
    my $command = join ' ', map { "'$_'" } sanitized(), 'trace', '--db', $town, @$words;
    return mailtrail('/usr/bin/script', ['-qec', "stty cols 80; $command", '/dev/null'])->{out} =~ s/\r//gr;
}
like(on_terminal(['1werk6-0006bx-1U'], TERM => 'xterm', NO_COLOR => ''), qr/\e\[32mdelivered to 6 of 6 recipients\e\[0m/, 'colours on a terminal');
my $plain = on_terminal(['1werk6-0006bx-1U'], TERM => 'xterm', NO_COLOR => '1');
unlike($plain, qr/\e/, 'no colours with NO_COLOR');
is(scalar(grep { length > 80 && / / } map { Encode::decode('UTF-8', $_) } split /\n/, $plain), 0, 'lines fit the terminal');

# ---- a mailbox opened, a Message-ID that two messages have ----------------------------------------
my $small = folder();
my $tls = 'X=TLS1.3:TLS_AES_256_GCM_SHA384:256';
spew("$small/mainlog", <<"END");
2026-03-03 09:00:00 1vxLbk-000001-01 <= shop\@sender.example H=mx.sender.example [192.0.2.1] P=esmtps $tls S=1200 id=dup\@sender.example T="The invoice" for bob\@shop.example carol\@shop.example lists\@far.example
2026-03-03 09:00:01 1vxLbk-000001-01 => bob <bob\@shop.example> R=virtual_user T=virtual_localdelivery
2026-03-03 09:00:01 1vxLbk-000001-01 => carol <carol\@shop.example> R=virtual_user T=virtual_localdelivery
2026-03-03 09:00:02 1vxLbk-000001-01 ** lists\@far.example R=lookuphost T=remote_smtp H=mx.far.example [198.51.100.9]: SMTP error from remote mail server after RCPT TO:<lists\@far.example>: 550 5.2.2 Mailbox full
2026-03-03 09:00:02 1vxLbk-000002-01 <= <> R=1vxLbk-000001-01 U=Debian-exim P=local S=2500 for shop\@sender.example
2026-03-03 09:00:02 1vxLbk-000001-01 Completed
2026-03-03 09:00:03 1vxLbk-000002-01 => shop\@sender.example R=lookuphost T=remote_smtp H=mx.sender.example [192.0.2.1] C="250 ok"
2026-03-03 09:00:03 1vxLbk-000002-01 Completed
2026-03-03 09:05:00 1vxLga-000001-01 <= shop\@sender.example H=mx.sender.example [192.0.2.1] P=esmtps $tls S=1201 id=dup\@sender.example T="The invoice" for dave\@shop.example
2026-03-03 09:05:01 1vxLga-000001-01 => dave <dave\@shop.example> R=virtual_user T=virtual_localdelivery
2026-03-03 09:05:01 1vxLga-000001-01 Completed
2026-03-03 10:00:00 1vxMXo-000001-01 <= shop\@sender.example H=mx.sender.example [192.0.2.1] P=esmtps $tls S=1201 for bob\@shop.example
END
spew("$small/maillog", <<'END');
2026-03-03T09:00:00.500000+00:00 mx spamd[77]: spamd: result: Y  6 - LOTS_OF_MONEY,URG_BIZ scantime=0.5,size=1200,user=nobody,uid=65534,required_score=5.0,rhost=localhost,raddr=127.0.0.1,rport=54120,mid=<dup@sender.example>,autolearn=no autolearn_force=no
2026-03-03T08:00:00.000000+00:00 mx vm-pop3d[99]: User 'bob@shop.example' logged in from 203.0.113.4, nmsgs=7
2026-03-03T08:00:01.000000+00:00 mx vm-pop3d[99]: Session ended for user: 'bob@shop.example' from 203.0.113.4, nmsgs=7, ndel=7
2026-03-03T10:00:00.000000+00:00 mx vm-pop3d[100]: User 'bob@shop.example' logged in from 203.0.113.5, nmsgs=2
2026-03-03T10:00:01.000000+00:00 mx vm-pop3d[100]: bytes: domain shop.example 1234 bytes
2026-03-03T10:00:02.000000+00:00 mx vm-pop3d[100]: Session ended for user: 'bob@shop.example' from 203.0.113.5, nmsgs=2, ndel=1
2026-03-03T11:00:00.000000+00:00 mx imapd[101]: Login user=carol host=office.example.org [203.0.113.6]
2026-03-03T11:00:09.000000+00:00 mx imapd[101]: Logout user=carol host=office.example.org [203.0.113.6]
END
my $db = "$small/small.db";
ingest($db, ["$small/mainlog", "$small/maillog"], zone => 'UTC');
my $proof = mailtrail(sanitized(), ['trace', '--db', $db, '--lines', '1vxLbk-000001-01'])->{out};
like($proof, qr/vm-pop3d\[100\]: Session ended/, 'lines of a session');
unlike($proof, qr/1vxMXo/, 'and not another message\'s that names its user then');
my $said = mailtrail(sanitized(), ['trace', '--db', $db, '1vxLbk-000001-01']);
is($said->{out}, <<"END", 'a story, word for word');
1vxLbk-000001-01 on mx: delivered to 2 of 3 recipients; 1 bounced: mailbox full
  2026-03-03 09:00:00  received from shop\@sender.example
                       by mx.sender.example [192.0.2.1], esmtps, TLS1.3:TLS_AES_256_GCM_SHA384:256
                       1200 octets, subject "The invoice"
                       for bob\@shop.example, carol\@shop.example, lists\@far.example
                       Message-ID dup\@sender.example
  2026-03-03 09:00:00  spam: score 6.0, spam from 5.0 on, user nobody
                       LOTS_OF_MONEY,URG_BIZ
                       (joined by Message-ID and time; ambiguous: 1 more message had it then)
  2026-03-03 09:00:01  delivered bob\@shop.example -> bob
                       via router virtual_user, transport virtual_localdelivery
  2026-03-03 09:00:01  delivered carol\@shop.example -> carol
                       via router virtual_user, transport virtual_localdelivery
  2026-03-03 09:00:02  failed lists\@far.example
                       via router lookuphost, transport remote_smtp, to mx.far.example [198.51.100.9]
                       "SMTP error from remote mail server after RCPT TO:<lists\@far.example>: 550 5.2.2 Mailbox full"
                       = the recipient's mailbox is full; the recipient's side has to mend it
  2026-03-03 09:00:02  reported to the sender as 1vxLbk-000002-01
  2026-03-03 09:00:02  completed after 2s on the queue
  2026-03-03 09:00:03  delivered (the report) shop\@sender.example
                       via router lookuphost, transport remote_smtp, to mx.sender.example [192.0.2.1]
                       "250 ok"
  2026-03-03 09:00:03  completed (the report) after 1s on the queue
  2026-03-03 10:00:00  opened bob\@shop.example by pop3 from a host without a name [203.0.113.5], 2 in it, 1 fetched (1234 octets), 1 deleted, ended: logout
  2026-03-03 11:00:00  opened carol\@shop.example by imap from office.example.org [203.0.113.6], ended: logout
                       (inferred: the session says carol, which may be of another domain)
END
# ---- what POP3 fetched and deleted: Dovecot tells it at the end, TOP apart; nothing fetched is 0 where it is logged ----
my $pop = new_db();
ingest($pop, [spew(folder() . '/mainlog', <<"END"), spew(folder() . '/maillog', <<'MAIL')], zone => 'UTC');
2026-03-03 09:00:00 1vxLbk-000001-01 <= shop\@sender.example H=mx.sender.example [192.0.2.1] P=esmtp S=1200 for eve\@shop.example
2026-03-03 09:00:01 1vxLbk-000001-01 => eve <eve\@shop.example> R=virtual_user T=virtual_localdelivery
2026-03-03 09:00:01 1vxLbk-000001-01 Completed
END
2026-03-03T10:00:00.000000+00:00 mx dovecot: pop3-login: Login: user=<eve@shop.example>, method=PLAIN, rip=203.0.113.7, lip=198.51.100.1, mpid=501, session=<a>
2026-03-03T10:00:05.000000+00:00 mx dovecot: pop3(eve@shop.example)<501><a>: Disconnected: Logged out top=4/900, retr=2/1234, del=0/5, size=99999
2026-03-03T11:00:00.000000+00:00 mx dovecot: pop3-login: Login: user=<eve@shop.example>, method=PLAIN, rip=203.0.113.7, lip=198.51.100.1, mpid=502, TLS, session=<b>
2026-03-03T11:00:05.000000+00:00 mx dovecot: pop3(eve@shop.example)<502><b>: Disconnected: Logged out top=0/0, retr=0/0, del=3/5, size=99999
2026-03-03T12:00:00.000000+00:00 mx vm-pop3d[503]: User 'eve@shop.example' logged in from 203.0.113.8, nmsgs=2
2026-03-03T12:00:02.000000+00:00 mx vm-pop3d[503]: Session ended for user: 'eve@shop.example' from 203.0.113.8, nmsgs=2, ndel=0
MAIL
is(join('', mailtrail(sanitized(), ['trace', '--db', $pop, '1vxLbk-000001-01'])->{out} =~ /^(.* opened .*\n)/mg), <<'END', 'what was fetched and deleted by POP3');
  2026-03-03 10:00:00  opened eve@shop.example by pop3 from a host without a name [203.0.113.7], 5 in it, 2 fetched (1234 octets), 0 deleted, ended: logout
  2026-03-03 11:00:00  opened eve@shop.example by pop3 from a host without a name [203.0.113.7], 5 in it, 0 fetched, 3 deleted, ended: logout
  2026-03-03 12:00:00  opened eve@shop.example by pop3 from a host without a name [203.0.113.8], 2 in it, 0 fetched, 0 deleted, ended: logout
END
is(Ingest::sqlite($pop, "SELECT time, messages, deleted, transfers, bytes FROM sessions ORDER BY at;"),
   "2026-03-03 10:00:00|5|0|2|1234\n2026-03-03 11:00:00|5|3|0|0\n2026-03-03 12:00:00|2|0|0|0\n", 'and in the view sessions');

# ---- pids begin anew between a message and its copy: the id of the copy is the lesser one -----------
for my $ids (['1vyQ6K-0008WV-2z', '1vyQ6K-00004w-33'], ['1vyQ6K-00000008WVa-0a5z', '1vyQ6K-00000000004-0a63']) {
    my ($first, $copy) = @$ids;
    my $wrapped = new_db();
    ingest($wrapped, [spew(folder() . '/mainlog', <<"END")], zone => 'UTC');
2026-03-06 08:00:00 $first <= carl\@sender3.example H=mail.sender3.example [192.0.2.3] P=esmtp S=370 id=a\@sender3.example for mia\@mill.example
2026-03-06 08:00:00 $copy <= carl\@sender3.example U=mail P=spam-scanned S=734 id=a\@sender3.example for mia\@mill.example
2026-03-06 08:00:00 $copy => mia <mia\@mill.example> R=box T=box
2026-03-06 08:00:00 $copy Completed
2026-03-06 08:00:00 $first => mia <mia\@mill.example> R=spamcheck T=spamcheck
2026-03-06 08:00:00 $first Completed
END
    my $json = JSON::PP->new->utf8->decode(mailtrail(sanitized(), ['trace', '--db', $wrapped, '--format', 'json', $copy])->{out});
    is(join(' ', map { $_->{exim_id} } parts($json->{stories}[0])), "$first $copy", 'a copy with a lesser pid is a copy');
}
done_testing();
