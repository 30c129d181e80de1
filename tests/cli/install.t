#!/usr/bin/perl
# What make install puts where, and that uninstall takes all of it away; that make town keeps its week.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
my $root = root_of('');
my $home = folder();

# -o: the binary is taken as it is.
sub run_make { return mailtrail('/usr/bin/make', ['-s', '-C', $root, '-o', 'mailtrail', "DESTDIR=$home", 'PREFIX=/usr', @_]) }

sub installed { return sort map { chomp; s{^\Q$home\E/usr/}{}r } qx(find "$home" -type f -o -type l) }

is(run_make('install-compat')->{code}, 0, 'make install-compat');
my @pages = map { basename($_) } glob "$root/docs/*.md";
ok(@pages > 5, 'there are pages');
is_deeply([installed()], [sort qw(bin/mailtrail bin/eximstats bin/exigrep share/man/man1/mailtrail.1 share/man/man5/mailtrail.conf.5),
                          map { "share/doc/mailtrail/$_" } @pages], 'the binary, two links, the manual, the pages');
is(readlink "$home/usr/bin/$_", 'mailtrail', "$_ is a link") for qw(eximstats exigrep);
my $log = root_of('tests/fixtures/town/mainlog');
is(mailtrail("$home/usr/bin/exigrep", ['alice@', $log])->{out}, mailtrail(fast(), ['exigrep', 'alice@', $log])->{out}, 'exigrep by its link');
my %there = map { ("docs/$_" => 1) } @pages;
my @named = slurp(root_of('packaging/man/mailtrail.1')) =~ m{(docs/\w+\.md)}g;
is(join(' ', grep { !$there{$_} } @named), '', 'every page that the manual names is among them');
is(run_make('uninstall')->{code}, 0, 'make uninstall');
is(join(' ', installed()), '', 'leaves nothing');
spew("$home/usr/bin/exigrep", "another\n");
run_make('uninstall');
is(join(' ', installed()), 'bin/exigrep', 'but a program of that name that is no link');

# What make town would do.
like(run_make('-n', 'town', 'TOWN=/a/folder')->{out}, qr{run-week "/a/folder"\n.*town-live\.t\n.*--config /a/folder/mailtrail\.conf /a/folder/logs}s,
     'make town TOWN=FOLDER: the week is made there, held against its record, and it is said how it is read');
like(mailtrail('/usr/bin/make', ['-s', '-C', $root, 'help'])->{out}, qr/^  town .*TOWN=FOLDER keeps it$/m, 'make help says so');
done_testing();
