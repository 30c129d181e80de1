#!/usr/bin/perl
# What trace says of replies and outcomes: lines as Exim 4.96 writes them, and what an administrator may conclude from each.
# What is for now is not told as being for good (RFC 5321 4.2.1, RFC 3463 3), what may be far or ours is not told as either.
use strict;
use warnings;
use File::Basename qw(dirname);
use JSON::PP;
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my ($number, @log, @cases) = (0);

# A message that came at 09:00:00, and what was logged of it behind its arrival; @ in a line stands for its id.
sub message {
    my ($more, @lines) = @_;
    my $id = sprintf '1vxLbk-%06d-01', ++$number;
    push @log, map { "2026-03-03 $_\n" =~ s/\@ /$id /r } "09:00:00 \@ <= ann\@shop.example H=mx.shop.example [192.0.2.1] P=esmtp S=500 $more", @lines;
    return $id;
}

# One recipient whose last attempt says something.
sub says {
    my ($name, $lines, $means, $side, $verdict) = @_;
    my $id = message('T="x" for bob@far.example', @$lines);
    push @cases, [$name, $id, $means, $side, $verdict];
    return;
}

my $way = 'R=far T=remote_smtp';
my $to = "$way H=mx.far.example [198.51.100.9]";
sub answers { my ($code) = @_; return ["09:00:02 \@ == bob\@far.example $to defer (-44): SMTP error from remote mail server after RCPT TO:<bob\@far.example>: $code"] }
sub fails { my ($code) = @_; return ["09:00:02 \@ ** bob\@far.example $to: SMTP error from remote mail server after RCPT TO:<bob\@far.example>: $code", '09:00:03 @ Completed'] }

# ---- far or ours ----------------------------------------------------------------------------------
says('a far host refused the connection', ['09:00:01 @ H=mx.dead.example [192.0.2.6] Connection refused', "09:00:02 \@ == bob\@far.example $way defer (111): Connection refused"],
     qr/^the far server was not reached/, 'recipient', qr/; 1 waiting: not reached$/);
my $named = $cases[-1][1];
says('a far host did not answer', ['09:00:01 @ H=mx.slow.example [192.0.2.7] Connection timed out', "09:00:01 \@ == bob\@far.example $way defer (110): Connection timed out"],
     qr/^the far server did not answer in time$/, 'recipient', qr/; 1 waiting: no answer in time$/);
says('a far host broke off', ['09:00:01 @ H=mx.slow.example [192.0.2.7] Connection reset by peer', "09:00:01 \@ == bob\@far.example $way defer (104): Connection reset by peer"],
     qr/^the far server was not reached, or broke off$/, 'recipient', qr/not reached/);
says('no way there', ['09:00:01 @ H=mx.far.example [2001:db8::9] Network is unreachable', "09:00:01 \@ == bob\@far.example $way defer (101): Network is unreachable"],
     qr/^the far server was not reached: the network there, here or between failed$/, 'unclear', qr/not reached/);
says('two far hosts', ['09:00:01 @ H=mx1.far.example [192.0.2.6] Connection refused', '09:00:02 @ H=mx2.far.example [192.0.2.7] Connection refused',
     "09:00:02 \@ == bob\@far.example $way defer (111): Connection refused"], qr/^the far server was not reached/, 'recipient', qr/not reached/);
my $two = $cases[-1][1];
says('nothing tells whose', ["09:00:02 \@ == bob\@far.example $way defer (111): Connection refused"],
     qr/^a server was not reached, or broke off; the log does not tell whether a far one or one of ours$/, 'unclear', qr/; 1 waiting: not reached$/);
my $untold = $cases[-1][1];
says('a host error in other words, long before', ['09:00:01 @ H=mx.far.example [192.0.2.6] Connection refused', "09:00:01 \@ == bob\@far.example $way defer (111): Connection refused",
     "11:00:02 \@ == bob\@far.example R=other T=lmtp defer (110): Connection timed out"], qr/^no answer came in time; the log does not tell/, 'unclear', qr/no answer in time/);
says('its way leads to far hosts', ["09:00:02 \@ == bob\@far.example $way defer (111): Connection refused", "10:00:02 \@ => bob\@far.example $to C=\"250 ok\""],
     qr/^the far server was not reached/, 'recipient', qr/^delivered to 1 of 1 recipient$/);
says('a socket of this server', ['09:00:02 @ == bob@far.example R=box T=lmtp defer (111): Connection refused: failed to connect to socket /run/lmtp: Connection refused'],
     qr/^a service of this server was not reached$/, 'ours', qr/not reached/);
says('a service on this machine', ['09:00:01 @ H=localhost [127.0.0.1] Connection refused', '09:00:02 @ == bob@far.example R=scan T=scanner defer (111): Connection refused'],
     qr/^a service of this server was not reached$/, 'ours', qr/not reached/);
says('a pipe', ['09:00:02 @ ** |/bin/slow <bob@far.example> R=alias T=address_pipe: pipe delivery process timed out'],
     qr/^a program or a file of this server took too long$/, 'ours', qr/failed, no bounce seen: no answer in time/);
says('given up, in the words of the last attempt', ['09:00:01 @ H=mx.dead.example [192.0.2.6] Connection refused', "09:00:01 \@ == bob\@far.example $way defer (111): Connection refused",
     '13:00:00 @ ** bob@far.example: retry timeout exceeded', '13:00:00 @ Completed'], qr/^the far server was not reached/, 'recipient', qr/failed, no bounce seen: not reached \(given up after retries\)/);

# ---- for now and for good ---------------------------------------------------------------------------
my $unavailable = qr/^the far server does not take mail for that mailbox for now: busy, locked, disabled, or not known to it yet$/;
says('450 4.2.1', answers('450 4.2.1 mailbox is busy'), $unavailable, 'unclear', qr/; 1 waiting: mailbox not available for now$/);
says('450 4.1.1', answers('450 4.1.1 <bob@far.example>: Recipient address rejected: User unknown'), $unavailable, 'unclear', qr/mailbox not available for now$/);
says('450 alone', answers('450 mailbox unavailable'), $unavailable, 'unclear', qr/mailbox not available for now$/);
says('4.2.0 says nothing', answers('450 4.2.0 not today'), qr/^it was put off, and may be tried again; why, the words say$/, 'unclear', qr/waiting: put off$/);
says('4.2.2', answers('452 4.2.2 over quota'), qr/^the recipient's mailbox is full$/, 'recipient', qr/waiting: mailbox full$/);
says('4.3.1', answers('452 4.3.1 Insufficient system storage'), qr/^the far server has no space left$/, 'recipient', qr/waiting: no space on disk$/);
says('4.3.2', answers('421 4.3.2 shutting down'), qr/^the far server is busy, or takes no more of us for now$/, 'nobody', qr/too many at once$/);
says('4.3.0', answers('451 4.3.0 try that again'), qr/^it was put off/, 'unclear', qr/put off$/);
says('4.4.1 of a server that answers', answers('451 4.4.1 no answer from host'), qr/^something failed at the far server, or behind it$/, 'recipient', qr/a fault of the far server$/);
says('4.7.1', answers('450 4.7.1 we would rather not'), qr/^a rule of the far server holds off our host, the sender or the message for now$/, 'unclear', qr/held off by policy$/);
says('4.7.1, our name', answers('450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]'),
     qr/^the far server finds no name for our host's address in DNS, or none that leads back$/, 'ours', qr/our host's name in DNS$/);
says('a smarthost', ["09:00:02 \@ == bob\@far.example R=smarthost T=remote_smtp_smarthost defer (111) H=smart.uplink.example [203.0.113.250]: Connection refused"],
     qr/^the smarthost that takes our mail was not reached, or broke off$/, 'ours', qr/smarthost not reached$/);
says('4.4.3, DNS', answers('451 4.4.3 that was not looked up'),
     qr/^the far server had no answer of DNS: of our host, or the sender's or the recipient's domain$/, 'unclear', qr/DNS did not answer$/);
says('4.7.1, spam', answers('421 4.7.0 unusual rate of unsolicited mail'), qr/^the far server suspects the message or our host of spam, and puts it off$/, 'unclear', qr/suspected of spam$/);
says('4.1.8', answers('450 4.1.8 <ann@shop.example>: Sender address rejected'), qr/^the far server could not verify the sender's address for now$/, 'unclear', qr/sender's address not verified$/);
says('454 relaying', answers('454 4.7.1 <bob@far.example>: Relay access denied'), qr/for this domain for now; if it stays so, its MX/, 'recipient', qr/domain not taken for now$/);
says('550 5.1.1', fails('550 5.1.1 no such user'), qr/^the far server knows no such mailbox/, 'sender', qr/failed, no bounce seen: no such mailbox$/);
says('550 5.2.1', fails('550 5.2.1 nobody reads this'), qr/^the far server knows no such mailbox/, 'sender', qr/failed, no bounce seen: no such mailbox$/);
says('a rate for good', fails('550 5.7.1 too many messages'), qr/^too many .* of ours for the far server$/, 'ours', qr/failed, no bounce seen: too many at once$/);
says('greylisted for ever', [@{ answers('450 4.2.0 Greylisted') }, '13:00:00 @ ** bob@far.example: retry timeout exceeded', '13:00:00 @ Completed'],
     qr/^the far server takes mail of new senders only at a later try$/, 'unclear', qr/failed, no bounce seen: greylisted \(given up after retries\)/);

# ---- loops, DNS, addresses ---------------------------------------------------------------------------
says('Received headers', ['09:00:02 @ ** bob@far.example: Too many "Received" headers - suspected mail loop'], qr/goes round in a loop/, 'ours', qr/failed, no bounce seen: mail loop$/);
says('hops', fails('554 5.4.6 Too many hops'), qr/^the far server finds that the message goes round in a loop$/, 'unclear', qr/failed, no bounce seen: mail loop$/);
says('DNS of the recipient', ['09:00:02 @ == bob@far.example R=far defer (-36): host lookup for mx.nowhere.example did not complete (DNS timeout?)'],
     qr/^DNS did not answer for the recipient's domain or its mail host$/, 'recipient', qr/waiting: DNS did not answer$/);
says('a foreign address', ['09:00:02 @ ** bob@far.example: Unrouteable address', '09:00:02 @ Completed'],
     qr/^this server knows no way to deliver to that address: its domain does not exist, or it is no mailbox here$/, 'sender', qr/failed, no bounce seen: unrouteable address$/);
my $here = message('T="x" for mia@mill.example nobody@mill.example', '09:00:02 @ => mia <mia@mill.example> R=box T=box', '09:00:02 @ ** nobody@mill.example: Unrouteable address');
push @cases, ['an address in a domain of this server', $here, qr/^there is no such mailbox here/, 'sender', qr/^delivered to 1 of 2 recipients; 1 failed, no bounce seen: no such mailbox$/];

# ---- what ends, and does not ------------------------------------------------------------------------
says('not tried yet', ['09:00:02 @ == bob@far.example R=far T=remote_smtp defer (-54): retry time not reached for any host for \'far.example\'', '09:00:02 @ Frozen'],
     qr/^Exim did not try: the retry time of the address or its hosts is not reached$/, 'nobody', qr/^delivered to 0 of 1 recipient; 1 waiting: its retry time is not reached; frozen$/);
says('taken off the queue', ['09:00:02 @ == bob@far.example R=far T=remote_smtp defer (-54): retry time not reached for any host for \'far.example\'',
     '10:00:00 @ removed by Debian-exim', '10:00:00 @ Completed'], qr/^Exim did not try/, 'nobody', qr/^delivered to 0 of 1 recipient; 1 removed by an operator before it was delivered$/);
says('given up at once', ["09:00:02 \@ ** bob\@far.example $way: all hosts for 'far.example' have been failing for a long time (and retry time not reached)"],
     qr/^Exim gave it up: the address or all its hosts failed for too long$/, 'unclear', qr/failed, no bounce seen: given up after retries$/);
my $frozen = message('for bob@far.example', '09:30:00 @ Message is frozen', '10:00:00 @ removed by root', '10:00:00 @ Completed');
push @cases, ['never tried', $frozen, undef, undef, qr/^removed by an operator before any delivery$/];

# ---- PRDR -------------------------------------------------------------------------------------------
my $prdr = sprintf '1vxLbk-%06d-01', ++$number;
push @log, map { "2026-03-03 09:00:00 $prdr $_\n" } 'PRDR R=<user1@shop-one.example> acceptance', 'PRDR user2@shop-one.example PRDR refused for user2',
    'PRDR user21@shop-one.example PRDR refused for user21', 'PRDR R=<user4@shop-one.example> acceptance',
    '<= p@sender1.example H=mail.sender1.example [192.0.2.1] P=esmtp PRDR S=586 T="\"\"" for user1@shop-one.example user2@shop-one.example user21@shop-one.example user4@shop-one.example',
    '=> user1 <user1@shop-one.example> R=box T=box', '=> user4 <user4@shop-one.example> R=box T=box', 'Completed';
push @cases, ['two of four refused', $prdr, undef, undef, qr/^delivered to 2 of 4 recipients; 2 refused: refused by policy$/];
my $open = sprintf '1vxLbk-%06d-01', ++$number;
push @log, map { "2026-03-03 09:00:00 $open $_\n" } 'PRDR user2@shop-one.example taken, with words', 'PRDR user3@shop-one.example taken, with words',
    '<= p@sender1.example H=mail.sender1.example [192.0.2.1] P=esmtp PRDR S=586 T="x" for user2@shop-one.example user3@shop-one.example', '=> user2 <user2@shop-one.example> R=box T=box';
push @cases, ['words that may be of one that was taken', $open, undef, undef, qr/^delivered to 1 of 2 recipients$/];

# ---- words --------------------------------------------------------------------------------------------
my $discarded = message('T="a\nb \"c\" \\\\d" for bin@shop.example', '09:00:02 @ => :blackhole: <bin@shop.example> R=alias', '09:00:02 @ Completed');
my $many = message('T="x" for many@shop.example', map({ sprintf '09:00:%02d @ => u%d <u%d@shop.example> R=box T=local', $_, $_, $_ } 1 .. 24),
    '09:00:25 @ ** gone1@shop.example: Unknown user', '09:00:26 @ ** gone2@shop.example: Unknown user', '09:00:40 @ Completed');
push @log, "2026-03-03 09:30:00 plain authenticator failed for (desk.example) [192.0.2.40]: 535 Incorrect authentication data (set_id=mia\@mill.example)\n";
push @log, "2026-03-03 09:31:00 plain authenticator failed for (desk.example) [192.0.2.41]: 535 caf\xc3\xa9 <b\n";
push @log, "2026-03-03 09:32:00 H=mx.sender.example [192.0.2.9] F=<carl\@sender.example> RCPT <gone\@shop.example>: discarded by RCPT ACL: nobody reads it\n";

my $folder = folder();
my $db = new_db();
ingest($db, [spew("$folder/mainlog", join '', @log)], zone => 'UTC');
sub told { return mailtrail(sanitized(), ['trace', '--db', $db, @_])->{out} }
sub story { return JSON::PP->new->utf8->decode(told('--format', 'json', @_)) }

for my $case (@cases) {
    my ($name, $id, $means, $side, $verdict) = @$case;
    my ($root) = @{ story($id)->{stories} };
    like($root->{verdict}, $verdict, "$name: the verdict");
    my ($last) = grep { defined $_->{means} } reverse @{ $root->{attempts} };
    like($last->{means}, $means, "$name: what it means") if $means;
    is($last->{side}, $side, "$name: whose") if $side;
}

my ($tried) = @{ story($named)->{stories}[0]{attempts} };
is("$tried->{tried_host} $tried->{tried_ip}", 'mx.dead.example 192.0.2.6', 'the host of a connection that was refused is that of the host error');
is($tried->{ip}, undef, 'its own line has none');
like(told($named), qr/\n +via router far, transport remote_smtp, to mx\.dead\.example \[192\.0\.2\.6\], as the host error says\n +"Connection refused"\n/, 'and so it is told');
is(story($two)->{stories}[0]{attempts}[0]{tried_ip}, undef, 'of two hosts none is named');
like(told($untold), qr/\n +via router far, transport remote_smtp\n/, 'no host, where none is told');

my $refused = told($prdr);
like($refused, qr/\n +"PRDR refused for user2"\n +=.*\n +\(ambiguous: the line has the words, but not whether they refuse the recipient, and whether for good\)\n/, 'what is ambiguous is said');
like($refused, qr/, subject "\\"\\""\n/, 'a subject letter for letter');
like($refused, qr/\n +via router and transport box\n/, 'router and transport of one name, once');
is(join(' ', map { "$_->{address}=$_->{outcome}" } @{ story($prdr)->{stories}[0]{recipients_seen} }),
   'user1@shop-one.example=delivered user4@shop-one.example=delivered user21@shop-one.example=refused user2@shop-one.example=refused', 'recipients with those refused');

like(told($discarded), qr/, subject "a\\nb \\"c\\" \\\\d"\n/, 'a line break in a subject is told as Exim logs it');
my $login = told('192.0.2.40');
like($login, qr/\n +in words like: 535 Incorrect authentication data \(set_id=\.\.\.\)\n/, 'what is no text of the log stands in no quotes');
unlike($login, qr/"535|<user>/, 'and shows no placeholders');
like(told('192.0.2.41'), qr/\n +in words like: 535 caf\xc3\xa9 <b\n/, 'its letters are whole');
my ($failed) = @{ story('192.0.2.40')->{refusals} };
is($failed->{detail}, undef, 'JSON: no detail');
is($failed->{reason}, '535 Incorrect authentication data (set_id=<user>)', 'but the reason');
is($failed->{reply_code}, 535, 'and the code');
my ($noted) = @{ story('gone@shop.example')->{refusals} };
is($noted->{what}, 'noted', 'what is logged of a recipient alone');
is($noted->{means}, undef, 'is no refusal, and means none');

# ---- many recipients ------------------------------------------------------------------------------------
my $asked = told($many, 'u7@shop.example');
like($asked, qr/^  2026-03-03 09:00:07  delivered u7\@shop\.example -> u7\n.*\n  2026-03-03 09:00:01  23 others: delivered, 09:00:01 to 09:00:24\n/m, 'the one asked for comes first, then the others that ended alike');
like($asked, qr/ failed gone1\@shop\.example\n(?s:.*) failed gone2\@shop\.example\n/, 'few are told one by one');
unlike($asked, qr/u8/, 'many are not');
like(told($many), qr/^  2026-03-03 09:00:01  24 addresses: delivered, 09:00:01 to 09:00:24\n/m, 'none asked for');
is(scalar(() = told('--lines', $many) =~ /  delivered u/g), 24, 'with the lines, each');
is(scalar(grep { $_->{kind} eq 'delivered' } @{ story($many)->{stories}[0]{attempts} }), 24, 'in JSON, each');

like(told('--limit', 1, 'ann@shop.example'), qr/^\.\.\. and \d\d earlier messages; --limit or --until show them\n/, 'earlier ones');
like(told('--limit', 1, 'p@sender1.example'), qr/^\.\.\. and 1 earlier message; --limit or --until show it\n/, 'an earlier one');
sub on_terminal {
    local @ENV{qw(TERM NO_COLOR)} = ('xterm', '');
    return mailtrail('/usr/bin/script', ['-qec', join(' ', "stty cols 80;", sanitized(), 'trace', '--db', $db, @_), '/dev/null'])->{out};
}
like(on_terminal($discarded), qr/\e\[33mdelivered to 0 of 1 recipient; 1 discarded\e\[0m/, 'what was thrown away is not told as good news');

# ---- an automatic answer is no report --------------------------------------------------------------
spew("$folder/answer", <<'END');
2026-03-03 09:00:00 1vxLbk-0000zz-01 <= max@far.example H=mx.far.example [192.0.2.1] P=esmtps S=500
2026-03-03 09:00:00 1vxLbk-0000zy-01 <= <> R=1vxLbk-0000zz-01 U=Debian-exim P=local S=700
2026-03-03 09:00:00 1vxLbk-0000zz-01 => >max@far.example <clara@shop.example> R=vacation T=vacation_reply
2026-03-03 09:00:00 1vxLbk-0000zz-01 => clara <clara@shop.example> R=box T=box
2026-03-03 09:00:00 1vxLbk-0000zz-01 Completed
2026-03-03 09:00:01 1vxLbk-0000zy-01 => max@far.example R=far T=remote_smtp H=mx.far.example [192.0.2.1] C="250 ok"
2026-03-03 09:00:01 1vxLbk-0000zy-01 Completed
END
my $answered = new_db();
is(mailtrail(sanitized(), ['ingest', '--quiet', '--db', $answered, '--server', 'mx', '--zone', 'UTC', "$folder/answer"])->{code}, 0, 'an answer is read');
my $of_answer = mailtrail(sanitized(), ['trace', '--db', $answered, '1vxLbk-0000zz-01'])->{out};
like($of_answer, qr/ answered automatically as 1vxLbk-0000zy-01\n(?s:.*) delivered \(the answer\) max\@far\.example\n/, 'it is told as one');
unlike($of_answer, qr/report/, 'not as a report');
done_testing();
