#!/usr/bin/perl
# docs/logs.md leaves out no kind of line and no class of reason, and names none that is not there.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;

my $root = dirname(__FILE__) . '/../..';

sub slurp {
    my ($path) = @_;
    open my $in, '<', "$root/$path" or die "$path: $!\n";
    local $/;
    return scalar <$in>;
}

# What the first column of the tables under a heading names.
sub table {
    my ($heading) = @_;
    my ($section) = slurp('docs/logs.md') =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms or return;
    return [sort $section =~ /^\| `(\w+)` \|/mg];
}

my $events = slurp('parsers/event.h') =~ s/enum event_kind.*//sr;
is_deeply(table('Kinds'), [sort $events =~ /^    KIND\(\w+, "(\w+)",/mg], 'kinds of lines');
my %class = map { $_ => 1 } slurp('parsers/reason.c') =~ /\{"?[^"{}]*"?, "(\w+)"\}/g, slurp('parsers/reason.c') =~ /"(remote_block|unavailable|other)"/g;
is_deeply(table('Reasons'), [sort keys %class], 'classes of reasons');
done_testing();
