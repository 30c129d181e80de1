#!/usr/bin/perl
# A page of the database that cannot be read is told, with exit code 2, or was not needed: no command gives another
# answer than the whole database's.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my $page_size = 16384;
my $whole = folder() . '/town.db';
my $read = mailtrail(fast(), ['ingest', '--quiet', '--db', $whole, '--config', root_of('tests/fixtures/town/mailtrail.conf'),
                              root_of('tests/fixtures/town')]);
is($read->{code}, 0, 'the town is read');

# Number, table and kind of each page of a tree; not the first, without which it is no database at all.
sub pages {
    my $out = folder() . '/pages';
    in_shell(q{sqlite3 -batch -bail -readonly -separator ' ' "$1" "SELECT pageno, name, pagetype FROM dbstat
               WHERE pagetype IN ('leaf', 'internal') AND pageno > 1" >"$2"}, $whole, $out);
    return map { [split ' '] } split /\n/, slurp($out);
}

my @commands = (['report'], ['report', '--since', '2026-07-02 06:00', '--until', '2026-07-04'], ['trace', '1werjr-0006Ni-30'],
                ['trace', '--lines', '--limit', '3', 'user2@shop-one.example'], ['trace', 'shop-one.example', '127.0.0.1'],
                ['trace', '--scan', 'f.p0.187.36673360@mail.sender1.example'], ['grep', '-l', 'Completed'], ['lines', '--source', '1'],
                ['sql', 'SELECT count(*), sum(size) FROM messages'], ['status']);

sub run {
    my ($db, $command) = @_;
    my ($name, @words) = @$command;
    my $got = mailtrail(fast(), [$name, '--db', $db, @words]);
    $got->{out} =~ s/\Q$db\E/DB/g;
    return $got;
}

my %wanted = map { ("@$_" => run($whole, $_)) } @commands;
is($wanted{$_}{code}, 0, "$_: of the whole database") for sort keys %wanted;

my ($told, $same) = (0, 0);
my $bytes = slurp($whole);
for my $page (pages()) {
    my ($number, $table, $kind) = @$page;
    my $db = folder() . '/damaged.db';
    my $damaged = $bytes;
    substr($damaged, ($number - 1) * $page_size, $page_size) = "\xff" x $page_size;
    spew($db, $damaged);
    my @wrong;
    for my $command (@commands) {
        my $got = run($db, $command);
        if ($got->{code} == 2 && $got->{err} =~ /^mailtrail: .*(?:corrupt|malformed|damaged)/m) {
            $told++;
        } elsif ($got->{code} == 0 && $got->{out} eq $wanted{"@$command"}{out}) {
            $same++;
        } else {
            push @wrong, "@$command: exit $got->{code}, signal $got->{signal}: $got->{err}";
        }
    }
    is("@wrong", '', "page $number, $kind of $table");
    unlink $db;
}
cmp_ok($told, '>', 50, 'damage that was in the way was told');
cmp_ok($same, '>', 50, 'damage that was not in the way harmed nothing');
done_testing();
