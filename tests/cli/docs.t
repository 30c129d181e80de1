#!/usr/bin/perl
# What the documentation leaves out: every table, view and column is in docs/schema.md, every report and its columns
# in docs/reports.md, every command and option in the manual page, every key of the configuration in its own.
use strict;
use warnings;
use File::Basename qw(basename dirname);

my $root = dirname(__FILE__) . '/../..';
my $mailtrail = $ENV{MAILTRAIL} // "$root/mailtrail";
my $tests = 0;

sub slurp {
    my ($path) = @_;
    open my $in, '<', $path or die "$path: $!\n";
    local $/;
    return scalar <$in>;
}

sub output_of {
    my @words = @_;
    open my $out, '-|', @words or die "$words[0]: $!\n";
    local $/;
    my $text = <$out>;
    close $out or ($words[-1] eq '--help' && $? == 256) or die "@words: status $?\n"; # eximstats' help ends with 1
    return $text;
}

# One test: nothing of a list is missing.
sub complete {
    my ($name, $all, @missing) = @_;
    $tests++;
    my $good = $all && !@missing;
    print $good ? '' : 'not ', "ok $tests - $name\n";
    print "# nothing was found to look for\n" if !$all;
    print "# missing: $_\n" for @missing;
    return;
}

sub missing {
    my ($in, @wanted) = @_;
    my %there = map { $_ => 1 } @$in;
    return grep { !$there{$_} } @wanted;
}

sub surplus { return map { "$_ (documented, but not there)" } missing(@_) }

# The sections of a page by heading, each with what its tables' first column names.
sub sections {
    my ($path, $level) = @_;
    my (%found, $heading);
    for (split /\n/, slurp($path)) {
        if (/^(#+) (.*)/) {
            $heading = length $1 == $level ? $2 : undef;
            $found{$heading} = [] if defined $heading;
        }
        push @{ $found{$heading} }, $1 if defined $heading && /^\| `(\w+)` \|/;
    }
    return \%found;
}

sub table_columns { my ($body) = @_; return $body =~ /^ {4}(\w+)\s+(?:INTEGER|TEXT|ANY|BLOB|REAL)\b/mg }

# The names behind AS in the last SELECT's list, at its outermost level.
sub view_columns {
    my ($body) = @_;
    $body =~ s/--[^\n]*//g;
    my ($list) = substr($body, rindex $body, "\nSELECT") =~ /^\nSELECT(.*?)\n  FROM /s;
    1 while $list =~ s/\([^()]*\)//g;
    return map { /\bAS\s+(\w+)\s*$/ ? $1 : "'$_' without a name" } split /,/, $list;
}

# ---- docs/schema.md ----
my $pages = sections("$root/docs/schema.md", 2);
my %objects;
for my $path (glob "$root/schema/*.sql") {
    my $sql = slurp($path);
    while ($sql =~ /^CREATE (TABLE|VIEW) (\w+)(.*?;)$/msg) {
        my ($what, $name, $body) = ($1, $2, $3);
        $objects{ $what eq 'TABLE' ? "table $name" : $name } = [$what eq 'TABLE' ? table_columns($body) : view_columns($body)];
    }
}
delete @objects{ grep { /^table .*built_/ } keys %objects };
complete('schema.md: tables and views', scalar %objects, missing([keys %$pages], sort keys %objects));
for my $name (sort keys %objects) {
    my ($documented, $columns) = ($pages->{$name} // [], $objects{$name});
    complete("schema.md: $name", scalar @$columns, missing($documented, @$columns), surplus($columns, @$documented));
}
my @measures = slurp("$root/schema/001_facts.sql") =~ /^\s+\(\d+,\s*'(\w+)',/mg;
complete('schema.md: measures', scalar @measures, missing($pages->{Measures} // [], @measures));

# ---- docs/reports.md ----
my $reports = sections("$root/docs/reports.md", 3);
my @files = glob "$root/reports/*.sql";
my %known;
for my $path (@files) {
    my $sql = slurp($path);
    my ($name) = $sql =~ /^-- report: +(\S+)/m;
    my @columns = $sql =~ /^-- column: +(\S+)/mg;
    $known{$name} = 1;
    complete("reports.md: $name", $reports->{$name} ? scalar @columns : 0, missing($reports->{$name} // [], @columns),
             surplus(\@columns, @{ $reports->{$name} // [] }));
}
complete('reports.md: no report that is not there', scalar @files, surplus([keys %known], sort keys %$reports));
my $how = sections("$root/docs/reports.md", 2)->{"A report's file"} // [];
my $reader = slurp("$root/src/report/report_file.c");
my @keys = $reader =~ /slice_is\(key, "(\w+)"\)/g;
my @names = map { /"(\w+)"/g } $reader =~ /_names\[\] = \{(.*?)\};/sg;
complete('reports.md: keys, layouts and types of a report file', @keys * @names, missing($how, @keys, @names));

# ---- the manual pages ----
my $page = slurp("$root/packaging/man/mailtrail.1");
my %manual = $page =~ /^\.SS "mailtrail (\w+) [^\n]*\n(.*?)(?=^\.S[SH] )/msg;
my ($listed) = output_of($mailtrail, '--help') =~ /^Commands:\n(.*?)\n\n/ms;
my @commands = $listed =~ /^ +(\w+)/mg;
complete('mailtrail.1: commands', scalar @commands, missing([keys %manual], @commands), surplus(\@commands, sort keys %manual));
for my $command (@commands) {
    my @options = output_of($mailtrail, $command, '--help') =~ /^ +(--[a-z-]+)/mg;
    (my $text = $manual{$command} // '') =~ s/\\-/-/g;
    my @documented = $text =~ /^\.TP\n\.BI? (--[a-z-]+)/mg;
    complete("mailtrail.1: $command", scalar @options, missing(\@documented, @options), surplus(\@options, @documented));
}
my @settings = slurp("$root/src/ingest/config.c") =~ /strcmp\(key, "(\w+)"\)/g;
my @described = slurp("$root/packaging/man/mailtrail.conf.5") =~ /^\.TP\n\.B (\w+)/mg;
complete('mailtrail.conf.5: keys', scalar @settings, missing(\@described, @settings), surplus(\@settings, @described));

# ---- docs/trace.md: every column that the stories' SQL answers is a member ----
my $trace = slurp("$root/docs/trace.md");
my %members = map { $_ => 1 } map { /`(\w+)`/g } map { slurp("$root/docs/$_") } qw(trace.md schema.md);
for my $path (grep { !/namesakes/ } glob "$root/trace/*.sql") {
    my ($select) = slurp($path) =~ /.*^SELECT (.*?)^\s+FROM /ms;
    1 while $select =~ s/\([^()]*\)//g;
    my @columns = map { /(?:\bAS |\.)?(\w+)\s*$/ } split /,/, $select;
    complete('trace.md: ' . basename($path), scalar @columns, missing([keys %members], @columns));
}

# ---- links ----
for my $path ('README.md', map { "docs/$_" } qw(schema.md reports.md exactly-once.md queries.md trace.md archive.md prune.md backup.md)) {
    my @links = grep { !/^\w+:/ } slurp("$root/$path") =~ /\]\(([^)#]+)/g;
    complete("$path: links lead somewhere", 1, grep { !-e "$root/" . dirname($path) . "/$_" } @links);
}
print "1..$tests\n";
