# Ingest.pm — what the tests of ingest share: the binary run with its words caught, folders and files of their
# own, and the database told as sorted lines in which nothing depends on the order of reading.
package Ingest;
use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use POSIX qw(SIGKILL WNOHANG);

our @EXPORT = qw(fast sanitized folder slurp spew append in_shell mailtrail ingest dump_of rollup_faults faults_of
                 difference root_of new_db start_until kill_at);

my $root = dirname(__FILE__) . '/../..';
my $count = 0;
my $databases = 0;
my $home = tempdir('mailtrail-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);

# No configuration and no database but those that a test names.
$ENV{MAILTRAIL_CONF} = '/dev/null';
delete $ENV{MAILTRAIL_DB};
$ENV{TZ} = 'UTC';
$ENV{LC_ALL} = 'C';

sub root_of { "$root/$_[0]" }
sub sanitized { $ENV{MAILTRAIL} // "$root/mailtrail" }
sub fast { $ENV{MAILTRAIL_FAST} // sanitized() }

# A folder of its own.
sub folder {
    my $folder = "$home/" . ++$count;
    mkdir $folder or die "$folder: $!\n";
    return $folder;
}

# Where a database of its own is to be.
sub new_db { folder() . '/' . ++$databases . '.db' }

sub slurp {
    my ($path) = @_;
    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar(<$in>) // '';
}

sub put {
    my ($mode, $path, $text) = @_;
    open my $out, "$mode:raw", $path or die "$path: $!\n";
    print $out $text;
    close $out or die "$path: $!\n";
    return $path;
}
sub spew { put('>', @_) }
sub append { put('>>', @_) }

# A command line for the shell, which must succeed; $1, $2 ... are the words after it.
sub in_shell {
    my ($line, @words) = @_;
    system('sh', '-c', $line, 'sh', @words) == 0 or die "failed: $line @words\n";
}

# Runs a binary.  input: a file for standard input; setup: code run in the child before it.
# Returns { code, signal, err, out }.
sub mailtrail {
    my ($binary, $words, %how) = @_;
    my $folder = folder();
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', $how{input} // '/dev/null' or die;
        open STDOUT, '>', "$folder/out" or die;
        open STDERR, '>', "$folder/err" or die;
        $how{setup}->() if $how{setup};
        exec $binary, @$words or exit 127;
    }
    waitpid $pid, 0;
    my $status = $?;
    return { code => $status >> 8, signal => $status & 127, err => slurp("$folder/err"), out => slurp("$folder/out") };
}

# Ingests into a database and dies unless the exit code is the one wanted (0, or 'any'); returns what mailtrail() does,
# and the figures of the summary: rows, copies, lines, sources, unchanged, failed, unparsed.
sub ingest {
    my ($db, $paths, %how) = @_;
    my @words = ('ingest', '--db', $db, '--server', $how{server} // 'mx', $how{zone} ? ('--zone', $how{zone}) : (),
                 $how{year} ? ('--year', $how{year}) : (), @{$how{options} // []}, @$paths);
    my $got = mailtrail($how{binary} // fast(), \@words, %how);
    my $wanted = $how{code} // 0;
    die "ingest @$paths: exit $got->{code}, signal $got->{signal}, not $wanted:\n$got->{err}"
        if ($wanted ne 'any' && $got->{code} != $wanted) || $got->{signal};
    @$got{qw(sources unchanged failed lines rows copies unparsed)} = ($1, $2, $3, $4, $5, $6, $7)
        if $got->{err} =~ /(\d+) sources? read, (\d+) unchanged, (\d+) failed(?:, \d+ empty)?; (\d+) lines?: (\d+) rows? new, (\d+) cop(?:y|ies), (\d+) not/;
    return $got;
}

# ---- stopped on the way ----

sub octets_read {
    my ($pid) = @_;
    open my $io, '<', "/proc/$pid/io" or return 0;
    return join('', <$io>) =~ /^rchar: (\d+)/m ? $1 : 0;
}

# Starts mailtrail and waits until it has read so many octets, or ends; its pid, or 0 once it has ended.
sub start_until {
    my ($octets, @words) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', '/dev/null' or die;
        open STDOUT, '>', '/dev/null' or die;
        open STDERR, '>', '/dev/null' or die;
        exec fast(), @words or exit 127;
    }
    while (octets_read($pid) < $octets) {
        return 0 if waitpid($pid, WNOHANG) == $pid;
        select undef, undef, undef, 0.001;
    }
    return $pid;
}

# Kills it there; whether it was still at work.
sub kill_at {
    my $pid = start_until(@_) or return 0;
    kill SIGKILL, $pid;
    waitpid $pid, 0;
    return 1;
}

# ---- the database as lines ----

sub sqlite {
    my ($db, $script) = @_;
    my $folder = folder();
    spew("$folder/sql", $script);
    in_shell('sqlite3 -batch -bail -readonly "$1" <"$2" >"$3"', $db, "$folder/sql", "$folder/out");
    return slurp("$folder/out");
}

# What differs between equal lines of different channels and depends on which came first.
my %left_out = (unparsed => { path => 1, line => 1 });
my %of_channel = (unparsed => { text => 1, size => 1, fault_at => 1 }, messages => { queue_seconds => 1 });
my @views = qw(messages deliveries rejections scans sessions auth_failures events unparsed mentions);
my %columns;

sub columns_of {
    my ($db) = @_;
    return if %columns;
    for my $line (split /\n/, sqlite($db, join '', map { "SELECT '$_', name FROM pragma_table_info('$_');\n" } @views)) {
        my ($view, $column) = split /\|/, $line;
        push @{$columns{$view}}, $column unless $left_out{$view}{$column};
    }
}

my $tally_sql = join ', ', map { "coalesce((SELECT text FROM string WHERE id = key$_), iif(key$_ = 0, '', '?'))" } 1 .. 4;

# Every row of every view as a line of JSON, sorted.  loose: without what only some channels say; facts: without mentions,
# which forget does not take back.
sub dump_of {
    my ($db, %how) = @_;
    columns_of($db);
    my $sql = '';
    for my $view (grep { !($how{facts} && $_ eq 'mentions') } @views) {
        my @names = grep { !($how{loose} && $of_channel{$view}{$_}) } @{$columns{$view}};
        $sql .= "SELECT json_array('$view', " . join(', ', map { qq("$_") } @names) . ") FROM $view;\n";
    }
    $sql .= "SELECT json_array('tally', measure, time, server, slot, $tally_sql, count, addresses, bytes) FROM tally;\n";
    return join "\n", sort split /\n/, sqlite($db, $sql);
}

# Rows in which table rollup is not what schema/rollup.sql makes of the facts.
sub rollup_faults {
    my ($db) = @_;
    return sqlite($db, ".parameter init\n.parameter set :since -9223372036854775807\n"
        . ".parameter set :until 9223372036854775807\n.parameter set :server NULL\n"
        . "CREATE TEMP TABLE rollup_built AS SELECT * FROM rollup LIMIT 0;\n"
        . slurp(root_of('schema/rollup.sql'))
        . "SELECT 'kept', * FROM (SELECT * FROM rollup EXCEPT SELECT * FROM rollup_built);\n"
        . "SELECT 'wanted', * FROM (SELECT * FROM rollup_built EXCEPT SELECT * FROM rollup);\n");
}

# What is wrong inside: the rollups, SQLite's own check, deliveries that wrongly (do not) wait for an arrival,
# rows whose source is gone.
sub faults_of {
    my ($db) = @_;
    my $rows = join ' UNION ALL ', map { "SELECT source FROM $_" }
        qw(delivery rejection auth_failure session_line scan_line event unparsed_line);
    my $faults = sqlite($db, "SELECT * FROM pragma_quick_check WHERE quick_check <> 'ok';\n"
        . "SELECT 'orphan', m.exim_id, d.at FROM delivery d LEFT JOIN message m ON m.id = d.message"
        . " WHERE coalesce(d.orphan, 0) <> (m.received IS NULL);\n"
        . "SELECT 'no source', count(*) FROM ($rows) WHERE source NOT IN (SELECT id FROM source) HAVING count(*);\n"
        . "SELECT 'at', exim_id FROM message WHERE received IS NOT NULL AND at <> received;\n");
    return $faults . rollup_faults($db);
}

# '' when two dumps are the same, else the first lines that only one of them has.
sub difference {
    my ($got, $wanted) = @_;
    return '' if $got eq $wanted;
    my (%more, @lines);
    $more{$_}++ for split /\n/, $got;
    $more{$_}-- for split /\n/, $wanted;
    for my $line (sort keys %more) {
        push @lines, ($more{$line} > 0 ? 'only got:    ' : 'only wanted: ') . $line if $more{$line};
    }
    my $all = @lines;
    splice @lines, 12 if @lines > 12;
    return join "\n", "$all lines differ", @lines;
}

1;
