#!/usr/bin/perl
# mailtrail trace: whose mailbox a delivery went into, and whose session is told as its: lists, aliases and paths whose mailbox
# is in another domain, logins without a domain, and two persons of one name, who are never taken for each other.
use strict;
use warnings;
use File::Basename qw(dirname);
use JSON::PP;
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my ($number, @mainlog, @maillog, %id) = (0);

# A message of the 3rd, 09:00, from one sender: what Exim logs of its deliveries, each "RECIPIENT <ORIGINAL> [T=TRANSPORT]".
sub message {
    my ($name, @deliveries) = @_;
    my $id = $id{$name} = sprintf '1vxLbk-%06d-01', ++$number;
    my $stamp = "2026-03-03 09:00:00 $id";
    push @mainlog, "$stamp <= shop\@sender.example H=mx.sender.example [192.0.2.1] P=esmtp S=1200 for x\@y.example",
        map({ "$stamp => $_" . (/ T=/ ? '' : ' R=box T=box') } @deliveries), "$stamp Completed";
    return;
}

# A login on the 3rd, as of an hour and minute.
sub login {
    my ($time, $user) = @_;
    my $pid = 100 + @maillog;
    push @maillog, "2026-03-03T$time:00+00:00 mx vm-pop3d[$pid]: User '$user' logged in from 203.0.113.4, nmsgs=1",
        "2026-03-03T$time:01+00:00 mx vm-pop3d[$pid]: Session ended for user: '$user' from 203.0.113.4, nmsgs=1, ndel=0";
    return;
}

# A list's member in another domain, who gets mail by her own address too, or only logs in by it.
message('list', 'anna <list@lists.example>', 'amy <list@lists.example>');
message('own address', 'anna <anna@other.example>');
login('10:00', 'anna@other.example');
login('10:05', 'amy@other.example');
login('08:00', 'anna@other.example');           # before it came
# A path.
message('path', '/var/mail/virtual/other.example/ben <list@lists.example> R=userforward T=address_file',
        '/home/vmail/other.example/bill/Maildir/.Lists/ <list@lists.example> R=userforward T=address_directory',
        '/var/mail/barb@third.example <list@lists.example> R=userforward T=address_file',
        '/dev/null <list@lists.example> R=userforward T=address_file', '|/usr/bin/procmail <list@lists.example> R=pipe T=address_pipe');
login('10:10', $_) for 'ben@other.example', 'bill@other.example', 'ben@lists.example', 'barb@third.example', 'barb@other.example', 'null';
# No domain in the login: one person of the name.
message('bare', 'cleo <list@lists.example>');
message('cleo herself', 'cleo <cleo@other.example>');
login('10:15', 'cleo');
# Two of a name, a list that is in neither's domain; both log in, and somebody does without a domain.
message('two', 'dora <list@lists.example>');
message('dora here', 'dora <dora@other.example>');
message('dora there', 'dora <dora@third.example>');
login('10:20', $_) for 'dora@other.example', 'dora@third.example', 'dora';
# Two of a name, mail to one of them; the other is known by an address in full alone.
message('one of two', 'eric <eric@other.example>');
message('the other', 'eric@third.example <eric@third.example>');
login('10:25', $_) for 'eric', 'eric@third.example';
# An alias in the domain of one of two.
message('alias', 'fred <office@other.example>');
message('fred there', 'fred <fred@third.example>');
login('10:30', $_) for 'fred@other.example', 'fred@third.example';
# An alias in the domain of one who is known by a rejection alone: hers it may be, and not that of the other.
message('unseen', 'gina <office@other.example>');
push @mainlog, '2026-03-03 07:00:00 H=mx.far.example [192.0.2.9] F=<a@far.example> rejected RCPT <gina@other.example>: mailbox closed';
login('10:35', 'gina@third.example');
# Letters, a suffix, an account of the system.
message('letters', 'Hugo <HUGO@Other.Example>');
message('suffix', 'ines <ines+news@other.example>');
message('account', '/home/ivan/Maildir/ <ivan@other.example> R=userforward T=address_directory');
message('ivan there', 'ivan <ivan@third.example>');
login('10:40', $_) for 'hugo@other.example', 'ines@other.example', 'ivan', 'ivan@third.example';
# Twice in one message, by his address and by the list's.
message('twice', 'karl <karl@other.example>', 'karl <list@lists.example>');
login('10:45', 'karl@other.example');

my $folder = folder();
my $db = new_db();
ingest($db, [spew("$folder/mainlog", join '', map { "$_\n" } @mainlog), spew("$folder/maillog", join '', map { "$_\n" } @maillog)], zone => 'UTC');
# Another server's people are none of ours.
ingest($db, [spew("$folder/hub", <<'END')], zone => 'UTC', server => 'hub');
2026-03-03 09:00:00 1vxLbk-000777-01 <= shop@sender.example H=mx.sender.example [192.0.2.1] P=esmtp S=1200 for x@y.example
2026-03-03 09:00:00 1vxLbk-000777-01 => anna <anna@fourth.example> R=box T=box
2026-03-03 09:00:00 1vxLbk-000777-01 => cleo <cleo@fourth.example> R=box T=box
2026-03-03 09:00:00 1vxLbk-000777-01 Completed
END
ok(@{ JSON::PP->new->utf8->decode(mailtrail(fast(), ['trace', '--db', $db, '--format', 'json', $id{list}])->{out})->{stories} }, 'the logs are read');

# "MAILBOX USER JOINED_BY NAMESAKES" of each session told.
sub opened {
    my ($name, @wanted) = @_;
    my $json = JSON::PP->new->utf8->decode(mailtrail(sanitized(), ['trace', '--db', $db, '--format', 'json', $id{$name}])->{out});
    is(join("\n", sort map { my $s = $_; join ' ', map { $_ // '-' } @$s{qw(mailbox user joined_by namesakes)} } @{ $json->{stories}[0]{sessions} }),
       join("\n", sort @wanted), "sessions: $name");
    return;
}
opened('list', 'anna@other.example anna@other.example name 1', 'amy@other.example amy@other.example name 1');
opened('own address', 'anna@other.example anna@other.example address -');
opened('path', 'ben@other.example ben@other.example path -', 'bill@other.example bill@other.example path -', 'barb@third.example barb@third.example path -');
opened('bare', 'cleo@other.example cleo local part 1');
opened('cleo herself', 'cleo@other.example cleo local part 1');
opened('two', 'dora dora name 2');
opened('dora here', 'dora@other.example dora@other.example address -', 'dora@other.example dora local part 2');
opened('one of two', 'eric@other.example eric local part 2');
opened('the other', 'eric@third.example eric local part 2', 'eric@third.example eric@third.example address -');
opened('alias', 'fred@other.example fred@other.example name 2');
opened('unseen');
opened('letters', 'hugo@other.example hugo@other.example address -');
opened('suffix', 'ines@other.example ines@other.example address -');
opened('account', 'ivan ivan path -');
opened('ivan there', 'ivan@third.example ivan local part 1', 'ivan@third.example ivan@third.example address -');
opened('twice', 'karl@other.example karl@other.example address -');

sub says {
    my ($name, $wanted) = @_;
    like(mailtrail(sanitized(), ['trace', '--db', $db, $id{$name}])->{out}, qr/ opened .*\n +\Q$wanted\E\n/, "said: $name");
    return;
}
says('list', '(inferred: the delivery says anna, and only this domain was seen to have a mailbox of that name)');
says('path', '(inferred: the mailbox is read from a path)');
says('bare', '(inferred: the session says cleo, which may be of another domain)');
says('two', '(ambiguous: the delivery says dora, and 2 domains have a mailbox of that name)');
says('one of two', '(ambiguous: the session says eric, and 2 domains have a mailbox of that name)');
says('alias', '(ambiguous: the delivery says fred, and 2 domains have a mailbox of that name)');

# ---- one session, into which two reports of one story came -----------------------------------------
my $reports = folder();
spew("$reports/mainlog", <<'END');
2026-03-03 09:00:00 1vxLbk-000001-01 <= bea@shop.example H=pc.example [192.0.2.1] P=esmtpa A=plain:bea S=500
2026-03-03 09:00:00 1vxLbk-000001-01 == y@far.example R=far T=remote_smtp defer (111): Connection refused
2026-03-03 10:00:00 1vxMXo-000002-01 <= <> R=1vxLbk-000001-01 U=Debian-exim P=local S=900
2026-03-03 10:00:00 1vxMXo-000002-01 => bea <bea@shop.example> R=box T=box
2026-03-03 10:00:00 1vxMXo-000002-01 Completed
2026-03-03 11:00:00 1vxNTs-000003-01 <= <> R=1vxLbk-000001-01 U=Debian-exim P=local S=900
2026-03-03 11:00:00 1vxNTs-000003-01 => bea <bea@shop.example> R=box T=box
2026-03-03 11:00:00 1vxNTs-000003-01 Completed
END
spew("$reports/maillog", <<'END');
2026-03-03T12:00:00.000000+00:00 mx imapd[101]: Login user=bea@shop.example host=pc.example [203.0.113.6]
2026-03-03T12:00:09.000000+00:00 mx imapd[101]: Logout user=bea@shop.example host=pc.example [203.0.113.6]
END
my $reported = new_db();
ingest($reported, ["$reports/mainlog", "$reports/maillog"], zone => 'UTC');
my $story = mailtrail(sanitized(), ['trace', '--db', $reported, '1vxLbk-000001-01'])->{out};
is(join("\n", grep { /opened/ } split /\n/, $story), '  2026-03-03 12:00:00  opened (the report) bea@shop.example by imap from pc.example [203.0.113.6], ended: logout', 'a session is told once, and whose mail it was');
done_testing();
