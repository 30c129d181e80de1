#!/usr/bin/perl
# mailtrail trace --lines: beside each story of the town stand the lines of its files that name one of its ids, all of
# them and in order; beside a refusal the line that it was read from.
use strict;
use warnings;
use Compress::Zlib ();
use Encode ();
use File::Basename qw(basename dirname);
use JSON::PP;
use Test::More;
use lib dirname(__FILE__), dirname(__FILE__) . '/../truth';
use Ingest;
use Truth ();

my $folder = root_of('tests/fixtures/town');
my $town = folder() . '/town.db';
is(mailtrail(fast(), ['ingest', '--quiet', '--db', $town, '--config', "$folder/mailtrail.conf", $folder])->{code}, 0, 'the town is read');

sub trace {
    my ($binary, @words) = @_;
    my $said = mailtrail($binary, ['trace', '--db', $town, '--lines', '--format', 'json', '--limit', 1000, @words]);
    return Truth::octets(JSON::PP->new->utf8->decode($said->{out}));
}
# What JSON makes of octets that are no UTF-8.
sub whole { return Encode::encode('UTF-8', Encode::decode('UTF-8', $_[0])) }
sub parts { my ($part) = @_; return ($part, map { parts($_) } @{ $part->{parts} }) }

# The files as they are: each line of each server by the ids in it.
my (%text, %named);
for my $path (grep { !/json$|conf$/ } glob("$folder/*")) {
    my $text = slurp($path);
    $text = Compress::Zlib::memGunzip($text) if $path =~ /\.gz$/;
    my $server = basename($path) =~ /^hub/ ? 'hub' : 'srv1';
    my $number = 0;
    for my $line (split /\n/, $text) {
        my $place = basename($path) . ':' . ++$number;
        $text{$place} = $line;
        my %ids = map { $_ => 1 } $line =~ /(?<![\w-])(\w{6}-\w{6}-\w\w)(?![\w-])/g;
        push @{ $named{$server}{$_} }, $place for keys %ids;
    }
}

my (@missing, @wrong, @disorder, %checked);
my @senders = map { $_->{sender} =~ /\@([^\@]+)$/ ? $1 : () } @{ JSON::PP->new->utf8->decode(slurp("$folder/messages.json"))->{messages} };
my %domain = map { $_ => 1 } @senders;
for my $domain (sort keys %domain) {
    for my $root (@{ trace(fast(), $domain)->{stories} }) {
        next if $checked{"$root->{server} $root->{exim_id}"}++;
        my %want;
        my $named = $named{ $root->{server} };
        for my $part (parts($root)) {
            $want{$_} = 1 for @{ $named->{ $part->{exim_id} } };
            my @lines = @{ $part->{lines} };
            push @disorder, $part->{exim_id} if grep { $lines[$_ - 1]{at} > $lines[$_]{at} } 1 .. $#lines;
        }
        for my $line (map { @{ $_->{lines} } } parts($root)) {
            my $place = basename($line->{source}) . ":$line->{line}";
            push @wrong, "$root->{exim_id}: $place $line->{text}" if $line->{text} ne whole($text{$place} // '');
            delete $want{$place};
        }
        push @missing, map { "$root->{exim_id}: $_ $text{$_}" } sort keys %want;
    }
}
cmp_ok(scalar keys %checked, '>', 300, 'stories were compared');
is(scalar @missing, 0, 'each line that names a message is told') or diag join "\n", @missing[0 .. ($#missing > 9 ? 9 : $#missing)];
is(scalar @wrong, 0, 'each is the line of that number') or diag join "\n", @wrong[0 .. ($#wrong > 9 ? 9 : $#wrong)];
is(scalar @disorder, 0, 'in order of time') or diag "@disorder";

# ---- refusals ------------------------------------------------------------------------------------
my $refused = trace(sanitized(), 'g@sender20.example', 'grey6@blog.example.net');
cmp_ok(scalar @{ $refused->{refusal_lines} }, '>=', 1, 'a refusal has its line');
is(scalar(grep { $_->{text} !~ /g\@sender20\.example.*grey6\@blog\.example\.net/ } @{ $refused->{refusal_lines} }), 0, 'and no other');

# ---- words ---------------------------------------------------------------------------------------
my $told = mailtrail(sanitized(), ['trace', '--db', $town, '--lines', '1werl8-0007iW-2a'])->{out};
like($told, qr{^  \S*mainlog\.2\.gz:609: 2026-07-01 10:01:34\.819 1werl8-0007iW-2a <= norm\@sender5\.example }m, 'file, number, line');
is(scalar(() = $told =~ /mainlog\.1:602:/g), 1, 'a line that names two messages of a story is told once');
unlike(mailtrail(sanitized(), ['trace', '--db', $town, '1werl8-0007iW-2a'])->{out}, qr/mainlog/, 'none unless asked for');
my $without = folder() . '/without.db';
mailtrail(fast(), ['ingest', '--quiet', '--no-lines', '--db', $without, '--config', "$folder/mailtrail.conf", $folder]);
like(mailtrail(sanitized(), ['trace', '--db', $without, '--lines', '1werl8-0007iW-2a'])->{out}, qr/^  \(its lines are not kept\)$/m, 'where none are kept, that is said');
done_testing();
