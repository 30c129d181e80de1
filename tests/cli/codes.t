#!/usr/bin/perl
# SMTP and enhanced status codes stand apart from the text that tells them: in the reason of a refusal, a deferral or a
# failure, or in the answer to a delivery.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my $second = 0;
sub line { sprintf "2026-11-20 10:00:%02d %s\n", $second++, $_[0] }

my $id = '1xULPV-000001-AA';
my $to = 'R=r T=smtp H=mx.y.example [192.0.2.9]';
my $said = 'SMTP error from remote mail server after';
my $client = 'H=c.x.example [192.0.2.7] F=<a@x.example>';
my $log = join '',
    map({ line("$id => u$_\@y.example $to C=\"250 2.0.0 Ok: queued as A$_\"") } 1 .. 3),
    line(qq{$id => u4\@y.example $to C="250 Accepted"}),
    line(qq{$id => u5\@y.example $to C="250-2.1.5 one\\n250 2.1.5 two"}),
    line("$id => u6 <u6\@x.example> R=local T=maildir"),
    line("$id ** n1\@y.example $to: $said RCPT TO:<n1\@y.example>: 550 5.1.1 no such user"),
    line("$id ** n2\@y.example $to: $said RCPT TO:<n2\@y.example>: 550 5.1.1 no such user"),
    line("$id ** n3\@y.example $to: $said end of data: 554 no 4.7.1 here"),
    line(qq{$id ** "a: 450 4.7.1"\@y.example $to: $said RCPT TO:<"a: 450 4.7.1"\@y.example>: 550 5.1.10 no}),
    line("$id == d1\@y.example $to defer (-44): $said RCPT TO:<d1\@y.example>: 451 4.7.1 Greylisted"),
    line("$id == d2\@y.example $to defer (110): Connection timed out"),
    line("$client rejected RCPT <l1\@z.example>: 550 5.7.1 no relaying"),
    line("$client rejected RCPT <l2\@z.example>: 5.7.1 no relaying"),
    line("$client temporarily rejected RCPT <l3\@z.example>: 451 later"),
    line("$client rejected RCPT <l4\@z.example>: Unknown user"),
    line("$client rejected RCPT <l5\@z.example>: said 550 5.1.1 once"),
    line("$client rejected RCPT <l6\@z.example>: 192.0.2.7 is listed");
my $db = folder() . '/db';
is(ingest($db, [spew(folder() . '/mainlog', $log)], zone => 'UTC')->{unparsed}, 0, 'every line is understood');

sub rows { return split /\n/, Ingest::sqlite($db, $_[0]) }

# What there is of each code, counted by hand.
sub codes { my ($view) = @_; return rows("SELECT coalesce(smtp_code, '-') || ' ' || coalesce(enhanced_code, '-') || ' ' || count(*)
    FROM $view GROUP BY smtp_code, enhanced_code ORDER BY 1") }

is_deeply([codes('deliveries')], ['- - 2', '250 - 1', '250 2.0.0 3', '250 2.1.5 1', '451 4.7.1 1', '550 5.1.1 2', '550 5.1.10 1', '554 - 1'],
          'deliveries, deferrals and failures');
is_deeply([codes('rejections')], ['- - 3', '- 5.7.1 1', '451 - 1', '550 5.7.1 1'], 'rejections');
is_deeply([rows("SELECT smtp_code || ' ' || reason FROM deliveries WHERE recipient LIKE 'n3%'")],
          ["554 $said end of data: 554 no 4.7.1 here"], 'the text stays as it was');
is(mailtrail(sanitized(), ['check', '--db', $db])->{code}, 0, 'the database is whole');
done_testing();
