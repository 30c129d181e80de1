#!/usr/bin/perl
# `mailtrail report` beside the real eximstats over the same log: totals, transports, histograms, time on the queue and
# every row of every league table.  Where the two count differently on purpose, docs/compat.md has a row
# | log | section | figure | eximstats | mailtrail | why |; a difference without a row fails, and so does a row without one.
# Logs: generated ones, and, with a corpus (CORPUS), Exim's main logs: plain ones, from which every message
# was left out that eximstats is known to miscount, figure by figure, and whole ones, totals only.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP;
use lib dirname(__FILE__) . '/../truth';
use lib dirname(__FILE__) . '/../compat';
use Compat qw(with_old_ids);
use Truth qw(slurp);

my $root = dirname(__FILE__) . '/../..';
my $corpus = $ENV{CORPUS} // "$root/../shared/corpus";
my $mailtrail = $ENV{MAILTRAIL_FAST} // $ENV{MAILTRAIL} // "$root/mailtrail";
my $tmp = tempdir(CLEANUP => 1);
my $ALL = 10_000;
$ENV{TZ} = 'UTC';
$ENV{PATH} .= ':/usr/sbin';           # where Debian has eximstats
$ENV{MAILTRAIL_CONF} = '/dev/null';

my $tests = 0;
sub ok {
    my ($good, $name, @diag) = @_;
    $tests++;
    print $good ? '' : 'not ', "ok $tests - $name\n";
    print map { "# $_\n" } @diag if !$good;
    return $good;
}

sub output {
    my (@command) = @_;
    open my $out, '-|', @command or die "$command[0]: $!\n";
    binmode $out;
    local $/;
    my $text = <$out>;
    close $out or die "$command[0] failed\n";
    return $text;
}

sub write_file {
    my ($path, @lines) = @_;
    open my $out, '>:raw', $path or die "$path: $!\n";
    print $out @lines;
    close $out or die "$path: $!\n";
    return $path;
}

# ---- what both say, as {section}{figure} -----------------------------------------------------------

# Hosts without a verified name are keyed by what they call themselves there, by address here: one row.
sub host_key { return $_[0] =~ /^[(\[]|^\d+\.\d+\.\d+\.\d+$|:/ ? 'nameless' : $_[0] }
# A domain is the host without its first label; local and nameless hosts and those of two labels: one row.
sub domain_key { return $_[0] =~ /^(?:localdomain|local|[^.]+\.[^.]+)$/ || host_key($_[0]) eq 'nameless' ? 'without a domain' : $_[0] }
# A file or pipe bears the address that led to it there, and a user the parents that are logged; here neither does.
sub user_key { return $_[0] =~ m{^([/|].*?) <[^>]*>$}s || $_[0] =~ /^(\S+) \(.*\)$/s ? $1 : $_[0] }
sub edomain_key { return $_[0] eq '' || $_[0] eq 'local' ? 'local' : $_[0] }
my %key_of = (host => \&host_key, domain => \&domain_key, edomain => \&edomain_key, local => \&user_key);

my %table = ('sending host' => 'sending-hosts', 'sending domain' => 'sending-domains', 'sending email' => 'sending-emails',
    'sending edomain' => 'sending-edomains', 'local sender' => 'local-senders', 'host destination' => 'destination-hosts',
    'domain destination' => 'destination-domains', 'email destination' => 'destination-emails',
    'edomain destination' => 'destination-edomains', 'local destination' => 'local-destinations');
my %kind = map { my $t = $_; my $k = $t =~ /^(local)-dest|(host|edomain|domain)s$/ ? $1 // $2 : ''; ($t => $key_of{$k} // sub { $_[0] }) } values %table;

sub add_row {
    my ($figures, $table, $key, $messages, $addresses, $bytes) = @_;
    $key = $kind{$table}->($key);
    $figures->{$table}{"$key messages"} += $messages;
    $figures->{$table}{"$key addresses"} += $addresses if defined $addresses;
    $figures->{$table}{"$key bytes"} += $bytes;
}

sub eximstats_figures {
    my ($log) = @_;
    my %f;
    my ($section, $table) = ('', '');
    for (split /\n/, output('eximstats', '-nvr', "-t$ALL", qw(-byhost -bydomain -byemail -byedomain), $log)) {
        if (/^Grand total/) { $section = 'total' }
        elsif (/^Deliveries by transport/) { $section = 'transports' }
        elsif (/^Messages received per hour/) { $section = 'received-per-hour' }
        elsif (/^Deliveries per hour/) { $section = 'deliveries-per-hour' }
        elsif (/^Time spent on the queue: (all|messages with)/) { $section = $1 eq 'all' ? 'queue-time-all' : 'queue-time-remote' }
        elsif (/^Relayed messages|^No relayed/) { $section = 'relayed' }
        elsif (/^Top $ALL (.*?)s? by (message count|volume)/) { $section = $2 eq 'volume' ? '' : 'table'; $table = $table{$1} // '' }
        elsif (/^List of errors/) { $section = '' }
        elsif (/^Errors encountered: (\d+)/) { $f{errors}{errors} = $1 }
        elsif ($section eq 'total' && /^  (Received|Delivered) +(\d+) +(\d+) (.*)/) {
            my ($name, $bytes, $messages, @rest) = ($1, $2, $3, split ' ', $4);
            @{ $f{total} }{ "$name bytes", "$name messages" } = ($bytes, $messages);
            if ($name eq 'Received') { @{ $f{total} }{ 'Received emails', 'Received edomains', 'Delayed', 'Failed' } = @rest[ 2, 3, 4, 6 ] }
            else { @{ $f{total} }{ 'Delivered addresses', 'Delivered emails' } = @rest[ 0, 3 ] }
        }
        elsif ($section eq 'total' && /^  (?:Temp )?Rejects +(\d+)/) { $f{total}{'refused, for good or for now'} += $1 }
        elsif ($section eq 'transports' && /^  (\S.*?) +(\d+) +(\d+)$/) { @{ $f{transports} }{ "$1 bytes", "$1 messages" } = ($2, $3) }
        elsif ($section =~ /hour$/ && /^(\d\d-\d\d) +(\d+) /) { $f{$section}{$1} = $2 if $2 }
        elsif ($section =~ /^queue/ && /^(Over)? *(?:Under)? +(\d+[smhdw]) +(\d+) /) { $f{$section}{ ($1 ? 'over ' : '') . $2 } = $3 }
        elsif ($section eq 'relayed' && /^Total: (\d+)/) { $f{relayed}{messages} = $1 }
        elsif ($section eq 'table' && $table && /^ *(\d+) +(\d+) +(\d+)(?: +(\d+))?   (.*)$/) {
            my ($a, $b, $c, $d, $key) = ($1, $2, $3, $4, $5);
            if ($table =~ /dest/) { add_row(\%f, $table, $key, $a, $b, $c) if defined $d }
            else { add_row(\%f, $table, $key, $a, undef, $b) }
        }
    }
    return \%f;
}

sub mailtrail_figures {
    my ($db) = @_;
    my %f;
    my %bound = (60 => '1m', 300 => '5m', 900 => '15m', 1800 => '30m', 3600 => '1h', 10800 => '3h', 21600 => '6h', 43200 => '12h', 86400 => '1d');
    # Names come as UTF-8; to compare octets they stay it.
    for my $report (@{ JSON::PP->new->latin1->decode(output($mailtrail, 'report', '--db', $db, '--format', 'json', '--top', $ALL))->{reports} }) {
        my ($name, $variant) = ($report->{name}, $report->{variant} // '');
        for my $row (@{ $report->{rows} }) {
            if ($name eq 'grand-total') {
                my $who = $row->{name};
                if ($who eq 'Received') { @{ $f{total} }{ 'Received emails', 'Received edomains', 'Delayed', 'Failed' } = @$row{qw(emails edomains delayed failed)} }
                if ($who eq 'Delivered') { @{ $f{total} }{ 'Delivered addresses', 'Delivered emails' } = @$row{qw(addresses emails)} }
                if ($who =~ /ed$/) { @{ $f{total} }{ "$who bytes", "$who messages" } = @$row{qw(bytes messages)} }
                if ($who =~ /Rejects/) { $f{total}{'refused, for good or for now'} += $row->{messages} }
            }
            elsif ($name eq 'transports') { @{ $f{$name} }{ "$row->{transport} bytes", "$row->{transport} messages" } = @$row{qw(bytes messages)} }
            elsif ($name =~ /per-hour/) { $f{$name}{ $row->{hour} } = $row->{messages} if $row->{messages} }
            elsif ($name =~ /^queue-time/) { $f{$name}{ ($row->{side} =~ /Over/ ? 'over ' : '') . ($bound{ $row->{bound} } // $row->{bound}) } = $row->{messages} }
            elsif ($name eq 'relayed') { $f{relayed}{messages} += $row->{messages} }
            elsif ($name eq 'errors') { $f{errors}{errors} += $row->{errors} }
            elsif ($kind{$name} && $variant eq 'message count') {
                my ($key) = grep { defined } @$row{qw(host domain sender edomain user recipient)};
                add_row(\%f, $name, $key, @$row{qw(messages addresses bytes)});
            }
        }
    }
    return \%f;
}

# ---- the table of docs/compat.md -------------------------------------------------------------------

my %known;
for (split /\n/, slurp("$root/docs/compat.md")) {
    my @cell = map { s/^\s+|\s+$//gr } split /(?<!\\)\|/;
    next if @cell != 7 || $cell[1] eq 'log' || $cell[1] =~ /^-/;
    s/\\\|/|/g for @cell;
    s/^`(.*)`$/$1/ for @cell;
    $known{ $cell[1] }{"$cell[2]\t$cell[3]"} = [ @cell[ 4, 5, 6 ] ];
}

sub compare {
    my ($log, $file, $zone, @sections) = @_;
    my $short = write_file("$tmp/short.log", with_old_ids(slurp($file)));
    my $db = "$tmp/figures.db";
    unlink glob "$db*";
    system($mailtrail, 'ingest', '--quiet', '--db', $db, '--server', 'one', '--zone', $zone, $file) == 0 or die "ingest of $log failed\n";
    my ($e, $m) = (eximstats_figures($short), mailtrail_figures($db));
    my (%found, @new, %all);
    my $figures = 0;
    for my $section (@sections ? @sections : sort keys %{ { %$e, %$m } }) {
        my ($es, $ms) = ($e->{$section} // {}, $m->{$section} // {});
        for my $figure (sort keys %{ { %$es, %$ms } }) {
            my ($there, $here) = ($es->{$figure} // 0, $ms->{$figure} // 0);
            $figures++;
            next if $there eq $here;
            my $row = $known{$log}{"$section\t$figure"};
            $found{"$section\t$figure"} = 1;
            push @new, "| $log | $section | `" . ($figure =~ s/\|/\\|/gr) . "` | $there | $here |" if !$row || $row->[0] ne $there || $row->[1] ne $here;
        }
    }
    my @gone = grep { !$found{$_} } sort keys %{ $known{$log} || {} };
    ok($figures > (@sections ? 20 : 500), "$log: there are figures to compare", $figures);
    ok(!@new && !@gone, "$log: $figures figures, equal to eximstats' but for " . keys(%found) . ' named ones',
        (map { "not in docs/compat.md: $_" } @new), map { "no longer different: $log $_" } @gone);
    delete $known{$log};
}

# ---- generated logs --------------------------------------------------------------------------------

system($ENV{CC} // 'cc', '-O1', '-o', "$tmp/generate", "$root/bench/generate.c") == 0 or die "bench/generate.c does not build\n";
for my $mix (['delivery'], ['rejection'], [ 'mixed', '--selectors', 'provider' ]) {
    my ($name, @options) = @$mix;
    write_file("$tmp/$name.log", output("$tmp/generate", '--lines', 8000, '--seed', 7, '--mix', $name, @options));
    compare("generated $name", "$tmp/$name.log", 'UTC');
}

# ---- real ones -------------------------------------------------------------------------------------

# What eximstats is known to miscount, see docs/compat.md: these messages are left out of the plain logs.
my $feature = qr/ (?:\(=|>>|\*>) | P=spam-scanned | P=local\S* .*\bH=| T=(?:spamcheck|bar|"x")| => (?:blackhole|:blackhole:|discarded)|\bH=.*\bH=| T=.* T="|"@|"[^"]*[<\[][^"]*" *@|logwrite|^\S+ \S+ ETRN/;

sub plain {
    my ($sort, @lines) = @_;
    my %odd;
    my $id = qr/^\S+ \S+ (?:[-+]\d{4} )?(?:\[\d+\] )?(\w{6}-(?:\w{6}-\w\w|\w{11}-\w{4})) /;
    for (@lines) { $odd{$1} = 1 if /$feature/ && /$id/ }
    @lines = grep { !/$feature/ && !(/$id/ && $odd{$1}) } @lines;
    return @lines if !$sort;
    my $stamp = '';
    my @kept = map { $stamp = $1 if /^(\d{4}-\S+ \S+)/; [ $stamp, $_ ] } @lines;
    my @order = sort { $kept[$a][0] cmp $kept[$b][0] || $a <=> $b } 0 .. $#kept;
    return map { $kept[$_][1] } @order;
}

if (-d "$corpus/exim-a") {
    for my $set (qw(a c c2 c3 d d3 e1 e3 f mix n1)) {
        my @lines;
        my $log = $set eq 'e1' ? 'maillog.syslog2eximlog' : 'mainlog*';    # e1 logged to syslog alone
        for my $part (sort { ($b =~ /\.(\d+)/ ? $1 : 0) <=> ($a =~ /\.(\d+)/ ? $1 : 0) } glob "$corpus/exim-$set/$log") {
            my $text = $part =~ /\.gz$/ ? output('gzip', '-dc', $part) : slurp($part);
            push @lines, $text =~ /[^\n]*\n/g;
        }
        write_file("$tmp/whole.log", @lines);
        write_file("$tmp/plain.log", plain($set eq 'f', @lines));     # f was rotated under way: not in order
        my $zone = $set =~ /^d/ ? 'Europe/Berlin' : 'UTC';
        compare("plain $set", "$tmp/plain.log", $zone);
        compare("whole $set", "$tmp/whole.log", $zone, qw(total transports relayed errors));
    }
} else {
    delete @known{ grep { /^(?:plain|whole) / } keys %known };
}
ok(!keys %known, 'docs/compat.md names no other log', sort keys %known);

print "1..$tests\n";
