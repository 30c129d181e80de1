#!/usr/bin/perl
# mailtrail trace finds whom only other lines than deliveries name: recipients behind "for", headers in the reject log,
# recipients that an ACL discarded; by keys as people paste them; and by mention as by reading everything.
use strict;
use warnings;
use File::Basename qw(dirname);
use JSON::PP;
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my $work = folder();
spew("$work/mainlog", <<'END');
2026-03-02 08:00:00 1vwyC8-0001AA-01 <= carl@sender.example H=mx.sender.example [192.0.2.9] P=esmtp S=500 id=1.x@sender.example T="flour" for mia@mill.example ben@bakery.example "odd \"one\""@mill.example
2026-03-02 08:00:00 1vwyC8-0001AA-01 Message is frozen
2026-03-02 08:00:05 1vwyCD-0001AB-01 <= carl@sender.example H=mx.sender.example [192.0.2.9] P=esmtp S=500 T="DISCARD" for anna@shop.example
2026-03-02 08:00:05 1vwyCD-0001AB-01 => blackhole (DATA ACL discarded recipients): no data
2026-03-02 08:00:05 1vwyCD-0001AB-01 Completed
2026-03-02 08:00:06 H=mx.sender.example [192.0.2.9] F=<carl@sender.example> RCPT <gone@shop.example>: discarded by RCPT ACL: nobody reads it
2026-03-02 08:00:07 1vwyCF-0001AC-01 H=bad.sender.example [192.0.2.7] F=<virus@sender.example> rejected after DATA: This message contains a virus
END
append("$work/mainlog", "2026-03-02 08:00:09 1vwyCH-0001AD-01 <= odd\@odd.example P=local S=9 for \"b\x07\t\\\\l\"\@odd.example caf\xe9\@odd.example\n");
spew("$work/rejectlog", <<'END');
2026-03-02 08:00:07 1vwyCF-0001AC-01 H=bad.sender.example [192.0.2.7] F=<virus@sender.example> rejected after DATA: This message contains a virus
Envelope-from: <virus@sender.example>
Envelope-to: <mia@mill.example>
	<ben@bakery.example>
P Received: from bad.sender.example ([192.0.2.7])
	by mx.mill.example with esmtp (Exim 4.96)
	id 1vwyCF-0001AC-01
	for mia@mill.example; Mon, 02 Mar 2026 08:00:07 +0000
F From: "Somebody" <other@sender.example>
T To: list@mill.example
  Subject: EICAR inside
I Message-ID: <34.week@sender.example>
END
spew("$work/maillog", <<'END');
2026-03-02T09:00:00.000000+00:00 mx vm-pop3d[100]: User 'mia@mill.example' logged in from 203.0.113.5, nmsgs=2
2026-03-02T09:00:02.000000+00:00 mx vm-pop3d[100]: Session ended for user: 'mia@mill.example' from 203.0.113.5, nmsgs=2, ndel=1
2026-03-02T10:00:00.000000+00:00 mx imapd[101]: Login user=dora host=pc.example.net [203.0.113.6]
2026-03-02T10:00:09.000000+00:00 mx imapd[101]: Logout user=dora host=pc.example.net [203.0.113.6]
2026-03-02T10:00:00.000000+00:00 mx imapd[102]: Login user=emil host=[203.0.113.7]
END
my $db = "$work/db";
is(mailtrail(sanitized(), ['ingest', '--quiet', '--db', $db, '--server', 'mx', '--zone', 'UTC', "$work/mainlog", "$work/rejectlog", "$work/maillog"])->{err}, '', 'read');

sub trace { return mailtrail(sanitized(), ['trace', '--db', $db, '--format', 'json', @_]) }

# What is found: ids of messages, ids of refusals, recipients that were noted alone, and who logged in.
sub found {
    my ($got) = @_;
    my $said = JSON::PP->new->utf8->decode($got->{out});
    return join ' ', (map { $_->{exim_id} } @{ $said->{stories} }), (map { $_->{exim_id} // "$_->{what} $_->{recipient}" } @{ $said->{refusals} }), map { "$_->{user}/$_->{service}" } @{ $said->{logins} };
}

my ($frozen, $discarded, $refused, $noted) = ('1vwyC8-0001AA-01', '1vwyCD-0001AB-01', '1vwyCF-0001AC-01', 'noted gone@shop.example');
my $mia = 'mia@mill.example/pop3';
my @asked = (
    ['mia@mill.example', "$frozen $refused $mia"], ['BEN@bakery.example', "$frozen $refused"], ['bakery.example', "$frozen $refused"],
    ['"odd \"one\""@mill.example', $frozen],
    ['anna@shop.example', $discarded], ['shop.example', "$discarded $noted"], ['gone@shop.example', $noted], [['gone@shop.example', 'carl@sender.example'], $noted], [['shop.example', '192.0.2.9'], "$discarded $noted"],
    ['34.week@sender.example', $refused], ['Message-ID: <34.week@sender.example>', $refused], ['list@mill.example', $refused],
    ['other@sender.example', $refused], ['subject:eicar', $refused], ['subject:inside EICAR', $refused], ['subject:outside', ''],
    [['mia@mill.example', 'virus@sender.example'], $refused], [['mia@mill.example', '192.0.2.7'], $refused],
    [['mia@mill.example', 'carl@sender.example'], $frozen], [['list@mill.example', 'carl@sender.example'], ''],
    [['34.week@sender.example', 'subject:eicar', 'ben@bakery.example'], $refused],
    ['[192.0.2.7]', $refused], ['192.0.2.7:25', $refused], ["250 OK id=$frozen", $frozen], ['Mia <mia@mill.example>,', "$frozen $refused $mia"], ['mill.example', "$frozen $refused $mia"],
    ['203.0.113.5', $mia], [['203.0.113.5', 'mia@mill.example'], $mia], [['203.0.113.6', 'mia@mill.example'], ''],
    ['203.0.113.6', 'dora/imap'], ['Dora', 'dora/imap'], ['pc.example.net', 'dora/imap'], ['example.net', 'dora/imap'], ['emil', 'emil/imap'],
    ['windmill.example', '']);
for my $case (@asked) {
    my ($key, $want) = @$case;
    my @keys = ref $key ? @$key : $key;
    my $got = trace(@keys);
    is(found($got), $want, "@keys");
    is(trace('--scan', @keys)->{out}, $got->{out}, '  and by reading everything');
}

my $said = JSON::PP->new->utf8->decode(trace($frozen)->{out});
is_deeply($said->{stories}[0]{recipient_list}, ['mia@mill.example', 'ben@bakery.example', '"odd \"one\""@mill.example'], 'envelope recipients');
is($said->{stories}[0]{recipients}, 3, 'counted');
is(`sqlite3 -readonly '$db' "SELECT count(*), sum(json_valid(recipient_list)), sum(recipients) = sum(json_array_length(recipient_list)) FROM messages"`, "3|3|1\n", 'lists are JSON, whatever octets are in them');
my $text = mailtrail(sanitized(), ['trace', '--db', $db, 'mia@mill.example'])->{out};
like($text, qr/^ +for mia\@mill\.example, ben\@bakery\.example, "odd/m, 'a frozen message tells for whom it is');
like($text, qr/^ +for mia\@mill\.example, ben\@bakery\.example\n +subject: EICAR inside$/m, 'a refused one what its headers say') or diag $text;
is(mailtrail(sanitized(), ['trace', '--db', $db, '203.0.113.5'])->{out}, <<'END', 'a login');
logged in to a mailbox
  2026-03-02 09:00:00  opened mia@mill.example by pop3 from a host without a name [203.0.113.5], 2 in it, 0 fetched, 1 deleted, ended: logout
END
like(mailtrail(sanitized(), ['trace', '--db', $db, 'gone@shop.example'])->{out}, qr/"discarded by RCPT ACL: nobody reads it"/, 'words of an ACL');
is(mailtrail(sanitized(), ['trace', '--db', $db, ' [192.0.2.99], '])->{out}, "nothing found for '192.0.2.99'\n", 'the key as it was understood');
like(mailtrail(sanitized(), ['trace', '--db', $db, 'gone@shop.example'])->{out}, qr/noted from carl\@sender\.example, to gone\@shop\.example\n +by mx\.sender\.example \[192\.0\.2\.9\]\n/, 'with the sender and the client');
like(mailtrail(sanitized(), ['trace', '--db', $db, $discarded])->{out}, qr/"DATA ACL discarded recipients: no data"/, 'who discarded a message, and why');
is(mailtrail(sanitized(), ['check', '--db', $db])->{code}, 0, 'check');
done_testing();
