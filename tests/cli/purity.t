#!/usr/bin/perl
# The parsers are pure: their objects call nothing but each other and a few functions that only look at bytes or copy
# them, and hold no variable.  That this test would see otherwise is shown by an object that is not pure.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);

my $root = dirname(__FILE__) . '/../..';
my %may = map { $_ => 1 } qw(memchr memrchr memmem memcmp memcpy memmove memset strlen strcmp __stack_chk_fail _GLOBAL_OFFSET_TABLE_);
my $tests = 0;

sub ok {
    my ($good, $name, @diag) = @_;
    $tests++;
    print $good ? '' : 'not ', "ok $tests - $name\n";
    print map { "# $_\n" } @diag if !$good;
}

sub lines_of {
    my (@command) = @_;
    open my $out, '-|', @command or die "$command[0]: $!\n";
    my @lines = <$out>;
    close $out or die "$command[0] failed\n";
    return @lines;
}

# Names of an object's symbols whose type is one of those given.
sub symbols { my ($types, $object) = @_; return map { /^[0-9a-f ]{16} ([$types]) (\S+)$/ ? $2 : () } lines_of('nm', $object) }

# Bytes of variables: what is neither code nor constant.
sub variables {
    my ($object) = @_;
    my $bytes = 0;
    for (lines_of('size', '-A', $object)) { $bytes += $2 if /^(\.data|\.bss|\.tdata|\.tbss|\.data\.(?!rel\.ro)\S+|COMMON)\s+(\d+)/ }
    return $bytes;
}

my @objects = map { "$root/build/parsers/" . basename($_, '.c') . '.o' } glob "$root/parsers/*.c";
ok(@objects > 5, 'there are parsers');

my %ours = map { $_ => 1 } 'dialects', map { symbols('TR', $_), symbols('DV', $_) } @objects;
sub strangers { my ($object) = @_; return grep { !$may{$_} && !$ours{$_} } symbols('UwW', $object) }
for my $object (@objects) {
    my @strangers = strangers($object);
    ok(!@strangers, basename($object) . ' calls nothing that allocates, reads, writes or asks the time', "calls @strangers");
    ok(variables($object) == 0, basename($object) . ' holds no variable');
}

my $tmp = tempdir(CLEANUP => 1);
open my $out, '>', "$tmp/impure.c" or die "impure.c: $!\n";
print $out "#include <stdlib.h>\nextern char **environ;\nchar *f(void);\nstatic int n;\nchar *f(void) { return environ[n++] ? malloc(1) : getenv(\"X\"); }\n";
close $out or die "impure.c: $!\n";
system($ENV{CC} // 'cc', '-O2', '-c', '-o', "$tmp/impure.o", "$tmp/impure.c") == 0 or die "cc failed\n";
ok(join(' ', sort(strangers("$tmp/impure.o"))) eq 'environ getenv malloc', 'an object that is not pure is seen: what it calls', strangers("$tmp/impure.o"));
ok(variables("$tmp/impure.o") > 0, 'an object that is not pure is seen: its variable');
print "1..$tests\n";
