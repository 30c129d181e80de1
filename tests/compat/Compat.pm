# What the tests of the drop-ins share: running the old program and ours over the same arguments.
package Compat;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);

our @EXPORT_OK = qw(ok plan run slurp write_file root tmp old_and_new generated corpus_logs with_old_ids %packers);

# What compresses standard input, by the end of the name that it is known by.
our %packers = (gz => 'gzip -c', zst => 'zstd -qc', bz2 => 'bzip2 -c', xz => 'xz -c', lzma => 'xz -c --format=lzma', Z => 'compress -c');

my $root = dirname(__FILE__) . '/../..';
my $tmp = tempdir(CLEANUP => 1);
my $tests = 0;
my $mailtrail = $ENV{MAILTRAIL} // "$root/mailtrail";
$mailtrail = `pwd` =~ s/\n//r . "/$mailtrail" if $mailtrail !~ m{^/};
$ENV{TZ} = 'UTC';
$ENV{LC_ALL} = 'C';
$ENV{PATH} .= ':/usr/sbin';    # where Debian has eximstats
mkdir "$tmp/bin";
symlink $mailtrail, "$tmp/bin/eximstats" or die "link: $!\n";

sub root { return $root }
sub tmp  { return $tmp }

sub ok {
    my ($good, $name, @diag) = @_;
    $tests++;
    print $good ? '' : 'not ', "ok $tests - $name\n";
    print map { s/[^\n\x20-\x7e]/?/gr } map { "# $_\n" } map { split /\n/ } @diag if !$good;
    return $good;
}

sub plan { print "1..$tests\n"; return }

sub slurp {
    my ($path) = @_;
    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar <$in>;
}

sub write_file {
    my ($path, @text) = @_;
    open my $out, '>:raw', $path or die "$path: $!\n";
    print $out @text;
    close $out or die "$path: $!\n";
    return $path;
}

# Runs a command; answers what it printed, its exit code and its complaints.
sub run {
    my ($command, $input) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', $input // '/dev/null' or die "$input: $!\n";
        open STDOUT, '>', "$tmp/stdout" or die "stdout: $!\n";
        open STDERR, '>', "$tmp/stderr" or die "stderr: $!\n";
        exec { $command->[0] } @$command or exit 127;
    }
    waitpid $pid, 0;
    my $code = $? & 127 ? 1000 + ($? & 127) : $? >> 8;
    return { out => slurp("$tmp/stdout"), err => slurp("$tmp/stderr"), code => $code };
}

# The old program and ours over the same words.
sub old_and_new {
    my ($words, $input) = @_;
    my $old = run(['eximstats', @$words], $input);
    die "eximstats cannot be run: $old->{err}\n" if $old->{code} == 127;
    return ($old, run(["$tmp/bin/eximstats", @$words], $input));
}

my $generator;

# A generated log, by the options of bench/generate.c.
sub generated {
    my ($name, @options) = @_;
    if (!$generator) {
        $generator = "$tmp/generate";
        system($ENV{CC} // 'cc', '-O1', '-o', $generator, "$root/bench/generate.c") == 0
            or die "bench/generate.c does not build\n";
    }
    my $log = run([$generator, @options]);
    die "generate: $log->{err}\n" if $log->{code};
    return write_file("$tmp/$name.log", $log->{out});
}

# Exim's main logs in the corpus, with what was rotated away, oldest first: [name, text].
sub corpus_logs {
    my $corpus = $ENV{CORPUS} // "$root/../shared/corpus";
    my $age = sub { $_[0] =~ /\.(\d+)/ ? $1 : 0 };
    my @logs;
    for my $set (-d $corpus ? sort map { m{/exim-(\w+)$} } glob "$corpus/exim-*" : ()) {
        for my $log (qw(mainlog hub-mainlog)) {
            my @parts = sort { $age->($b) <=> $age->($a) } glob "$corpus/exim-$set/$log*";
            push @logs, ["$set/$log", join '', map { /\.gz$/ ? run(['gzip', '-dc', $_])->{out} : slurp($_) } @parts] if @parts;
        }
    }
    return @logs;
}

# The same log with ids of 16 characters, of which each stands for one of 23.
sub with_old_ids {
    my ($text) = @_;
    my (%old, $count);
    return $text =~ s{\b([0-9A-Za-z]{6})-([0-9A-Za-z]{11})-([0-9A-Za-z]{4})(?![0-9A-Za-z])}
                     {$old{"$1-$2-$3"} //= sprintf '%s-%06d-%s', $1, ++$count, substr $3, 0, 2}ger;
}

1;
