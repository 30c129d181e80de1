#!/usr/bin/perl
# A week of an invented provider, by the real daemons (run-week), and mailtrail over its logs: what each message's story says
# beside what the driver did and saw.
use strict;
use warnings;
use File::Basename qw(dirname);
use JSON::PP;
use Test::More;
use lib dirname(__FILE__) . '/../cli';
use Ingest;

my $folder = folder();
chmod 0755, $folder, dirname($folder);      # run-week gives root up
my $week = "$folder/week";
is(system($^X, dirname(__FILE__) . '/run-week', $week), 0, 'the week is run') or BAIL_OUT('no week');
my $record = JSON::PP->new->latin1->decode(slurp("$week/messages.json"));
my $db = new_db();
is(mailtrail(sanitized(), ['ingest', '--quiet', '--db', $db, '--config', "$week/mailtrail.conf", "$week/logs"])->{code}, 0, 'its logs are read');
is(mailtrail(sanitized(), ['check', '--quiet', '--db', $db])->{out}, '', 'check finds nothing');

sub parts { my ($part) = @_; return ($part, map { parts($_) } @{ $part->{parts} }) }
my (%part, @without, @wrong);
for my $m (@{ $record->{messages} }) {
    my $said = mailtrail(fast(), ['trace', '--db', $db, '--format', 'json', $m->{id}]);
    my ($root) = $said->{code} == 0 ? @{ JSON::PP->new->utf8->decode($said->{out})->{stories} } : ();
    if (!$root) { push @without, $m->{id}; next }
    $part{ $_->{exim_id} } = $_ for parts($root);
    my $told = $part{ $m->{id} };
    push @wrong, "$m->{id}: sender $told->{sender}, not $m->{sender}" if $told->{sender} ne $m->{sender};
    push @wrong, "$m->{id}: of $told->{ip}, not $m->{ip}" if ($told->{ip} // '') ne ($m->{ip} // '');
    push @wrong, "$m->{id}: Message-ID $told->{message_id}" if $told->{message_id} ne $m->{message_id};
}
cmp_ok(scalar @{ $record->{messages} }, '>', 150, 'messages were sent');
is("@without", '', 'each has its story');
is(join("\n", @wrong), '', 'sender, client and Message-ID are as sent');

# What lies in mailboxes and what far servers took, by id: as many deliveries are told.
my @counts;
for my $id (sort keys %{ $record->{taken} }) {
    my $told = $part{$id} // next;
    my $delivered = grep { $_->{kind} eq 'delivered' || $_->{kind} eq 'additional' } @{ $told->{attempts} };
    my $taken = @{ $record->{taken}{$id} };
    push @counts, "$id: $delivered told, $taken taken" if $delivered != $taken;
}
is(join("\n", @counts), '', 'deliveries are those that arrived');
done_testing();
