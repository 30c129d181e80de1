#!/usr/bin/perl
# What is wrong with the input, the database or the machine is told in one clear line with the right exit code,
# and nothing else is lost: 0 done, 1 in part, 2 not done, 64 usage.
use strict;
use warnings;
use Fcntl qw(:mode);
use File::Basename qw(basename dirname);
use POSIX qw(mkfifo);
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my $log = root_of('tests/fixtures/once/channels/mainlog');
my $whole = do { my $db = new_db(); ingest($db, [$log], zone => 'UTC'); dump_of($db) };

# Lines of standard error that tell an error: neither the summary nor a note on what was made or passed over.
sub told { grep { !/: \d+ sources? read, |passed over$|nothing to read$|: made database / } split /\n/, $_[0]{err} }

# One run: its exit code, and its one line of error.
sub refuses {
    my ($name, $code, $line, @words) = @_;
    my %how = ref $words[-1] ? %{pop @words} : ();
    my $got = mailtrail($how{binary} // sanitized(), \@words, %how);
    is("$got->{code} $got->{signal}", "$code 0", "$name: exit code $code") or diag $got->{err};
    my @told = told($got);
    is(scalar @told, $line ? 1 : 0, "$name: one line") or diag $got->{err};
    like($told[0] // '', $line, "$name: says what is wrong and what to do") if $line;
    return $got;
}

sub ingests {
    my ($name, $code, $line, $db, @paths) = @_;
    my %how = ref $paths[-1] ? %{pop @paths} : ();
    return refuses($name, $code, $line, 'ingest', '--db', $db, '--server', $how{server} // 'mx', '--zone',
                   $how{zone} // 'UTC', @{$how{options} // []}, @paths, \%how);
}

sub is_whole { is(difference(dump_of($_[0]), $whole) . faults_of($_[0]), '', $_[1]) }

# ---- paths ----

sub test_paths {
    my $folder = folder();
    my $db = new_db();
    ingests('no such file', 2, qr{^mailtrail: \Q$folder\E/none: no such file or folder; check the path$}, $db, "$folder/none");
    my $got = ingests('no such file beside a log', 1, qr{/none: no such file}, $db, $log, "$folder/none");
    is_whole($db, 'no such file beside a log: the log is kept');

    mkdir "$folder/empty" or die;
    ingests('an empty folder', 2, qr{/empty: no mail log in this folder; name the folder that}, new_db(), "$folder/empty");
    spew("$folder/empty/notes.txt", "this is\nno log\n");
    $got = ingests('a folder without logs', 2, qr{/empty: no mail log in this folder}, new_db(), "$folder/empty");
    like($got->{err}, qr{/notes.txt: no log .*; passed over$}m, 'a folder without logs: its files are named');
    ingests('a folder without logs beside a log', 1, qr{/empty: no mail log in this folder}, new_db(), $log, "$folder/empty");

    in_shell('cp "$1" "$2"', $log, "$folder/empty/mainlog");
    mkfifo("$folder/empty/fifo", 0600) or die;
    symlink 'nowhere', "$folder/empty/dangling" or die;
    $db = new_db();
    $got = ingests('a folder with a log, a FIFO and other files', 0, undef, $db, "$folder/empty");
    like($got->{err}, qr{/fifo: .*passed over$}m, 'a FIFO in a folder is named');
    is_whole($db, 'a folder with a log, a FIFO and other files: the log is kept');
    ingests('a FIFO by name', 2, qr{/fifo: neither a file nor a folder; pipe it into standard input}, new_db(), "$folder/empty/fifo");
    ingests('a device', 2, qr{/dev/null: neither a file nor a folder}, new_db(), '/dev/null');
}

# What is to be said of many files is said of the first, and of the rest how many they are.
sub test_many {
    my $folder = folder();
    mkdir "$folder/$_" or die for qw(tree tree/deeper logs);
    spew("$folder/tree/$_.c", "no log\n") for 1 .. 4;
    spew("$folder/tree/deeper/$_.c", "no log\n") for 1 .. 3;
    spew("$folder/tree/empty$_", '') for 1 .. 5;
    spew("$folder/tree/zz", slurp($log));
    my $got = ingests('a tree of other files', 0, undef, new_db(), "$folder/tree");
    is(scalar(() = $got->{err} =~ /\.c: no log .*; passed over$/mg), 3, 'a tree of other files: three are named');
    like($got->{err}, qr{^mailtrail: \Q$folder\E/tree: 4 files more: no log; passed over$}m, 'a tree of other files: the rest is counted');
    is(scalar(() = $got->{err} =~ m{/empty\d: is empty}g), 3, 'a tree of other files: three that are empty');
    like($got->{err}, qr{^mailtrail: \Q$folder\E/tree: 2 files more: empty; nothing to read$}m, 'a tree of other files: two more are');
    like($got->{err}, qr{: 1 source read, 0 unchanged, 0 failed, 5 empty; \d+ lines: }, 'an empty file is none that is unchanged');
    is(ingest(new_db(), ["$folder/tree"], zone => 'UTC', options => ['--quiet'])->{err}, '', 'a tree of other files: nothing with --quiet');

    my $line = "2026-02-10 10:00:00 SMTP connection from [192.0.2.%d] lost\n";
    my @logs = map { spew("$folder/logs/$_", sprintf($line, $_) . slurp($log)) } 1 .. 4;
    my $db = new_db();
    ingest($db, \@logs, zone => 'UTC');
    spew("$folder/one", sprintf $line, 9);
    like(ingests('one line', 0, undef, $db, "$folder/one")->{err}, qr{1 source read, 0 unchanged, 0 failed; 1 line: 1 row new, 0 copies, }, 'one line, one row');
    for ([qr{server mx was ingested in zone UTC, not Europe/Berlin; }, qr{server mx: 3 files more: not taken either, for the zone given}, 'mx', 'Europe/Berlin', $db],
         [qr{logs/1: begins as a log of server mx }, qr{server xm: 3 files more: not taken either, as logs of another server}, 'xm', 'UTC', $db],
         [qr{logs/1: its message ids say}, qr{server mx: 3 files more: not taken either, for what their message ids say}, 'mx', 'Asia/Tokyo', new_db()]) {
        my ($first, $rest, $server, $zone, $where) = @$_;
        $got = mailtrail(sanitized(), ['ingest', '--quiet', '--db', $where, '--server', $server, '--zone', $zone, @logs]);
        is($got->{code}, 2, "four files, $first: exit code 2");
        my @lines = split /\n/, $got->{err};
        is(scalar @lines, 2, '  two lines') or diag $got->{err};
        like($lines[0], $first, '  what is wrong');
        like($lines[1], $rest, '  how often');
    }
}

# The setup of a user who is not root, and may read what is made readable.
sub nobody {
    return if $>;
    my (undef, undef, $uid, $gid) = getpwnam('nobody') or die 'no user nobody';
    POSIX::setgid($gid);
    POSIX::setuid($uid);
    $> == $uid or die;
}

# A folder that nobody may enter and write to, with a copy of the binary there.
sub open_folder {
    my $folder = folder();
    in_shell('cp "$1" "$2/mailtrail"; cp "$3" "$2/mainlog"; chmod 0777 "$2"; chmod a+x "$(dirname "$2")"', fast(), $folder, $log);
    return $folder;
}

sub test_rights {
    my $folder = open_folder();
    my %how = (setup => \&nobody, binary => "$folder/mailtrail");
    spew("$folder/secret", slurp($log));
    chmod 0, "$folder/secret";
    ingests('an unreadable file', 2, qr{/secret: not readable; run as a user who may read it}, "$folder/a.db", "$folder/secret", \%how);
    ingests('an unreadable file beside a log', 1, qr{/secret: not readable}, "$folder/a.db", "$folder/secret", "$folder/mainlog", \%how);
    is_whole("$folder/a.db", 'an unreadable file beside a log: the log is kept');
    mkdir "$folder/closed" or die;
    chmod 0, "$folder/closed";
    ingests('an unreadable folder', 2, qr{/closed: cannot be listed: .*; run as a user who may}, "$folder/b.db", "$folder/closed", \%how);
    chmod 0700, "$folder/closed";

    ingest("$folder/own.db", [$log], zone => 'UTC');
    chmod 0644, "$folder/own.db";
    chmod 0644, glob "$folder/own.db-*";
    my $more = spew("$folder/more", "2026-02-10 10:00:00 exim 4.96 daemon started: pid=1, no queue runs, not listening for SMTP\n");
    ingests('a database that may only be read', 2, qr{own\.db}, "$folder/own.db", $more, \%how);
    is_whole("$folder/own.db", 'a database that may only be read: unchanged');
    my $status = mailtrail("$folder/mailtrail", ['status', '--db', "$folder/own.db"], setup => \&nobody);
    is($status->{code}, 0, 'and it can be read') or diag $status->{err};
    chmod 0600, "$folder/own.db";
    ingests('a database of others', 2, qr{own\.db: not readable for you}, "$folder/own.db", $more, \%how);
    ingests('no right to make the database', 2, qr{/closed/x\.db: cannot be made: .*; give another --db}, "$folder/closed/x.db", $more, \%how);
}

# A database in a folder where its reader may not write, as `cp` and `chmod` leave it.
sub still_db {
    my ($folder) = @_;
    my $still = "$folder/copies of ?#%";
    mkdir $still or die;
    ingest("$folder/live.db", [$log], zone => 'UTC');
    in_shell('cp "$1" "$2/a.db" && chmod 0644 "$2/a.db" && chmod 0555 "$2"', "$folder/live.db", $still);
    return "$still/a.db";
}

sub test_reading {
    my $folder = open_folder();
    my %how = (setup => \&nobody, binary => "$folder/mailtrail");
    my $db = still_db($folder);
    for my $command (['status'], ['report'], ['check'], ['trace', 'user1@'], ['grep', 'user1'], ['lines'], ['sql', 'SELECT count(*) FROM messages']) {
        my $owner = mailtrail(fast(), [@$command, '--db', "$folder/live.db"]);
        my $got = mailtrail("$folder/mailtrail", [@$command, '--db', $db], setup => \&nobody);
        is("$got->{code} $got->{err}", "$owner->{code} $owner->{err}", "$$command[0] of a copy in a folder of others");
        is($got->{out}, $owner->{out}, '  answers what the owner is answered') if $$command[0] ne 'status';
    }
    chmod 0755, dirname($db);
    spew("$db-wal", '');
    chmod 0555, dirname($db);
    is(mailtrail("$folder/mailtrail", ['status', '--db', $db], setup => \&nobody)->{code}, 0, 'its log came with it, and is empty');
    chmod 0755, dirname($db);
    spew("$db-wal", 'x' x 32);
    chmod 0600, "$db-wal";
    chmod 0555, dirname($db);
    refuses('a log that may not be read', 2, qr{a\.db: its log \(.*a\.db-wal, .*\) cannot be read by you, .*; ask for the group of these files, or for a copy .*: sqlite3 .*\.backup},
            'report', '--db', $db, \%how);
    unlink "$db-wal";
}

# Written while it is read: a long answer, whose reader waits for its end.
sub test_written_meanwhile {
    my $folder = open_folder();
    my $db = still_db($folder);
    my $pid = open(my $answer, '-|') // die "fork: $!\n";
    if (!$pid) {
        open STDERR, '>', "$folder/err" or die;
        nobody();
        exec "$folder/mailtrail", 'sql', '--db', $db, "SELECT printf('%01000000d', 1)" or exit 127;
    }
    getc $answer; # the database is open by now
    utime 1, 1, $db or die;
    local $/;
    my $rest = <$answer>;
    close $answer;
    is($? >> 8, 2, 'a copy that is written while it is read: exit code 2');
    like(slurp("$folder/err"), qr{a\.db: was written while it was read, and what was answered may be wrong; ask again$}, 'a copy that is written while it is read: which is told');
}

# ---- content ----

sub test_content {
    my $folder = folder();
    my $bytes = join '', map { chr(($_ * 7919) % 251) } 1 .. 20000;
    spew("$folder/binary", $bytes);
    ingests('a binary file', 2, qr{/binary: is no log: no line with a time stamp}, new_db(), "$folder/binary");
    spew("$folder/empty", '');
    my $got = ingests('an empty file', 0, undef, new_db(), "$folder/empty");
    like($got->{err}, qr{/empty: is empty; nothing to read}, 'an empty file is named');
    in_shell('gzip -c "$1" >"$2"', "$folder/empty", "$folder/empty.gz");
    ingests('an empty .gz', 0, undef, new_db(), "$folder/empty.gz");

    my $text = slurp($log);
    my @lines = split /^/, $text;
    my $line = "2026-02-09 09:00:26 something new: ";
    my %odd = ('NUL bytes' => "a\0b\0", 'broken UTF-8' => "\xff\xc3(\xe2\x82", 'Latin-1' => "M\xfcnchen", 'only CR' => "a\rb",
               'escapes' => "\e]0;x\a");
    for my $name (sort keys %odd) {
        my $db = new_db();
        spew("$folder/odd", join '', @lines[0 .. 99], "$line$odd{$name}\n", @lines[100 .. $#lines]);
        ingests($name, 0, undef, $db, "$folder/odd");
        my @more = grep { !/^\["(?:events|unparsed)"/ } split /\n/, difference(dump_of($db), $whole);
        is(scalar(grep { /^only wanted/ } @more) . faults_of($db), '0', "$name: nothing of the rest is lost");
        is(scalar(() = dump_of($db) =~ /something new/g), 1, "$name: the line is kept") or diag join "\n", @more;
    }
    my $db = new_db();
    (my $open = $text) =~ s/\n\z//;
    spew("$folder/open", $open);
    ingests('no LF at the end', 0, undef, $db, "$folder/open");
    isnt(dump_of($db), $whole, 'no LF at the end: the last line waits');
    append("$folder/open", "\n");
    ingests('its LF comes', 0, undef, $db, "$folder/open");
    is_whole($db, 'its LF comes: the last line is there');
    $db = new_db();
    spew("$folder/open", $open);
    ingests('no LF at the end of standard input', 0, undef, $db, '-', { input => "$folder/open" });
    is_whole($db, 'no LF at the end of standard input: the last line counts');
}

sub test_long_line {
    my $folder = folder();
    my @lines = split /^/, slurp($log);
    spew("$folder/long", join '', @lines[0 .. 99], '2026-02-09 09:00:26 something long: ');
    in_shell('head -c 100000000 /dev/zero | tr "\0" x >>"$1"', "$folder/long");
    append("$folder/long", join '', "\n", @lines[100 .. $#lines]);
    for my $packed ('', '.gz') {
        in_shell('gzip -1 -c "$1" >"$1.gz"', "$folder/long") if $packed;
        my $db = new_db();
        my $got = mailtrail('/usr/bin/time', ['-f', 'peak %M', fast(), 'ingest', '--db', $db, '--server', 'mx', '--zone', 'UTC',
                                              "$folder/long$packed"]);
        is($got->{code}, 0, "a line of 100 MB$packed") or diag $got->{err};
        my ($peak) = $got->{err} =~ /peak (\d+)/;
        cmp_ok($peak, '<', 256 * 1024, "a line of 100 MB$packed: memory stays below 256 MiB");
        my $dump = dump_of($db);
        my @lost = grep { /^only wanted/ && !/"tally"/ } split /\n/, difference($dump, $whole);
        is("@lost", '', "a line of 100 MB$packed: nothing of the rest is lost");
        like($dump, qr/something long: x{3900}/, "a line of 100 MB$packed: its beginning is kept");
    }
}

sub test_packed {
    my $folder = folder();
    my $db = new_db();
    in_shell('gzip -c "$1" >"$2"', $log, "$folder/log.gz");
    my $packed = slurp("$folder/log.gz");
    spew("$folder/cut.gz", substr $packed, 0, int(length($packed) / 2));
    my $got = ingests('a .gz cut short', 1, qr{/cut\.gz: compressed data ends early; what could be read was kept, read it again}, $db, "$folder/cut.gz");
    like($got->{err}, qr/ [1-9]\d* rows new/, 'a .gz cut short: what it held is kept');
    my $status = mailtrail(fast(), ['status', '--db', $db]);
    like($status->{out}, qr/ends early/, 'a .gz cut short: status says so');
    spew("$folder/cut.gz", substr $packed, 0, -4); # all of the log, half of the trailer
    ingests('a .gz cut in its trailer', 1, qr{/cut\.gz: compressed data ends early}, $db, "$folder/cut.gz");
    spew("$folder/cut.gz", $packed);
    ingests('the whole .gz', 0, undef, $db, "$folder/cut.gz");
    is_whole($db, 'the whole .gz completes it');
    $status = mailtrail(fast(), ['status', '--db', $db]);
    unlike($status->{out}, qr/ends early/, 'the whole .gz: status says nothing of the cut any more');

    $db = new_db();
    my $broken = $packed;
    substr $broken, -8, 4, 'XXXX'; # the checksum
    spew("$folder/bad.gz", $broken);
    ingests('a .gz with a wrong checksum', 1, qr{/bad\.gz: compressed data is damaged}, $db, "$folder/bad.gz");
    is_whole($db, 'a .gz with a wrong checksum: what it held is kept');
    spew("$folder/tiny.gz", substr $packed, 0, 5);
    ingests('five bytes of a .gz', 2, qr{/tiny\.gz: compressed data ends early}, new_db(), "$folder/tiny.gz");
    in_shell('zstd -qc "$1" | head -c 3000 >"$2"', $log, "$folder/cut.zst");
    ingests('a .zst cut short beside a log', 1, qr{/cut\.zst: compressed data ends early}, new_db(), "$folder/cut.zst", $log);
    spew("$folder/junk.gz", $packed . ("\0" x 3000));
    $db = new_db();
    ingests('a .gz with padding behind it', 0, undef, $db, "$folder/junk.gz");
    is_whole($db, 'a .gz with padding behind it is whole');
    test_packing($folder, @$_) for ['zst', 'zstd -qc'], ['bz2', 'bzip2 -1c'], ['xz', 'xz -c'], ['lzma', 'xz -c --format=lzma'], ['Z', 'compress -c'];
}

sub test_packing {
    my ($folder, $kind, $program) = @_;
    # in two members, since some packings give nothing of a block that is cut; .Z has none, and is cut inside a code here
    my $members = $kind eq 'Z' ? '"$2" <"$1" >"$3"' : '(head -n 100 "$1" | $2; tail -n +101 "$1" | $2) >"$3"';
    in_shell($members =~ s/"?\$2"?/$program/gr, $log, '', "$folder/log.$kind");
    my $packed = slurp("$folder/log.$kind");
    my $db = new_db();
    spew("$folder/cut.$kind", substr $packed, 0, int(length($packed) * 0.9));
    my $got = ingests("a .$kind cut short", 1, qr{/cut\.$kind: compressed data ends early; what could be read was kept, read it again}, $db, "$folder/cut.$kind");
    like($got->{err}, qr/ [1-9]\d* rows new/, "a .$kind cut short: what it held is kept");
    spew("$folder/cut.$kind", $packed);
    ingests("the whole .$kind", 0, undef, $db, "$folder/cut.$kind");
    is_whole($db, "the whole .$kind completes it");
    unlike(mailtrail(fast(), ['status', '--db', $db])->{out}, qr/ends early/, "the whole .$kind: status says nothing of the cut any more");
    spew("$folder/tiny.$kind", substr $packed, 0, 4);
    ingests("four bytes of a .$kind", 2, qr{/tiny\.$kind: compressed data ends early}, new_db(), "$folder/tiny.$kind");
    my $at = int(length($packed) * 0.9);
    substr $packed, $at, 40, $kind eq 'Z' ? "\xff" x 40 : 'x' x 40;
    $db = new_db();
    spew("$folder/bad.$kind", $packed);
    ingests("a .$kind with wrong octets", 1, qr{/bad\.$kind: compressed data is damaged}, $db, "$folder/bad.$kind");
}

# ---- databases ----

sub test_databases {
    my $folder = folder();
    mkdir "$folder/folder" or die;
    ingests('a folder as database', 2, qr{/folder: is a folder, not a database; give a file as --db}, "$folder/folder", $log);
    spew("$folder/text", "no database at all\n" x 100);
    ingests('a text as database', 2, qr{/text: is not a mailtrail database; give another --db}, "$folder/text", $log);
    is(slurp("$folder/text"), "no database at all\n" x 100, 'a text as database: left alone');
    in_shell('sqlite3 "$1" "CREATE TABLE x (a)"', "$folder/other.db");
    my $before = slurp("$folder/other.db");
    ingests("another program's database", 2, qr{/other\.db: is the database of another program}, "$folder/other.db", $log);
    is(slurp("$folder/other.db"), $before, "another program's database: left alone");
    ingest("$folder/new.db", [$log], zone => 'UTC');
    in_shell('sqlite3 "$1" "PRAGMA user_version = 99"', "$folder/new.db");
    ingests('a newer database', 2, qr{/new\.db: was made by a newer mailtrail .*; update mailtrail}, "$folder/new.db", $log);
    ingest("$folder/old.db", [$log], zone => 'UTC');
    in_shell('sqlite3 "$1" "UPDATE meta SET value = 1 WHERE name = \'facts\'"', "$folder/old.db");
    ingests('a database with other tables', 2, qr{/old\.db: was made by another version of mailtrail .*; ingest the logs into a new --db}, "$folder/old.db", $log);
    ingest("$folder/bad.db", [$log], zone => 'UTC');
    my $size = -s "$folder/bad.db";
    my $bytes = slurp("$folder/bad.db");
    substr $bytes, 8192, $size - 8192, join '', map { chr(($_ * 7919) % 251) } 1 .. $size - 8192;
    spew("$folder/bad.db", $bytes);
    ingests('a corrupt database', 2, qr{/bad\.db: the database is damaged; move it away}, "$folder/bad.db", $log);
    refuses('forget where there is no database', 2, qr{/none\.db: no such database}, 'forget', '--db', "$folder/none.db", 'x');
    ok(!-e "$folder/none.db", 'forget where there is no database makes none');
    ingest("$folder/good.db", [$log], zone => 'UTC');
    refuses('forget what is not there', 64, qr{no source 'nothing'; see mailtrail status}, 'forget', '--db', "$folder/good.db", 'nothing');
    is_whole("$folder/good.db", 'forget what is not there: nothing is lost');
    my $made = "$folder/deep/er/log.db";
    like(ingests('folders of the database that are missing', 0, undef, $made, $log)->{err}, qr{^mailtrail: made database \Q$made\E$}m,
         'a database that is made is named');
    unlike(ingests('a database that is there', 0, undef, $made, $log)->{err}, qr/made database/, 'which is not made');
    is(ingest(new_db(), [$log], zone => 'UTC', options => ['--quiet'])->{err}, '', 'with --quiet it is not named');
    is(sprintf('%o', S_IMODE((stat $made)[2])), '640', 'they are made, the file for owner and group');
}

# ---- a full disk ----

# Files may not grow beyond a size; the signal that says so is ignored.
sub limited {
    my ($blocks, @command) = @_;
    return ('/bin/sh', ['-c', 'trap "" XFSZ; ulimit -f "$1"; shift; exec "$@"', 'sh', $blocks, @command]);
}

sub test_full_disk {
    my $folder = folder();
    in_shell('for n in 1 2 3 4 5 6 7 8 9 10 11 12; do sed "s/^2026-02-09/2026-03-$(printf %02d $n)/;s/^\(....-..-.. ..:..:..\.\...\) \[[0-9]*\] 1/\1 1/" "$1"; done >"$2"',
             $log, "$folder/log");
    spew("$folder/first", slurp($log)); # whose database is published when the disk fills up
    for my $room (['a draft', 100], ['a draft', 200], ['a published one', 100, "$folder/first"], ['a published one', 200, "$folder/first"]) {
        my ($kind, $kibibytes, @first) = @$room;
        my $wanted = do { my $db = new_db(); ingest($db, [$_], zone => 'UTC') for @first, "$folder/log"; dump_of($db) };
        my $db = new_db();
        ingest($db, [$_], zone => 'UTC') for @first;
        my ($shell, $words) = limited($kibibytes * 2, fast(), 'ingest', '--db', $db, '--server', 'mx', '--zone', 'UTC', "$folder/log");
        my $got = mailtrail($shell, $words);
        my $name = "$kind, no room beyond $kibibytes KiB";
        is("$got->{code} $got->{signal}", '2 0', "$name: exit code 2") or diag $got->{err};
        my @told = told($got);
        is(scalar @told, 1, "$name: one line") or diag $got->{err};
        like($told[0] // '', qr{\Q$db\E: .*(?:run the same command again|free space)}, "$name: says so");
        ingests("$name, then room again", 0, undef, $db, "$folder/log");
        is(difference(dump_of($db), $wanted) . faults_of($db), '', "$name, then room again: complete");
    }
}

# ---- words ----

sub test_usage {
    my $folder = folder();
    refuses('an unknown command', 64, qr{no command 'ingset'; did you mean ingest; see mailtrail --help}, 'ingset');
    refuses('an option before the command', 64, qr{no command '--db': the command comes first, its options behind it}, '--db', 'x', 'report');
    for my $command (qw(trace ingest)) {
        my $got = refuses("help $command", 0, undef, 'help', $command);
        is($got->{out}, mailtrail(fast(), [$command, '--help'])->{out}, "help $command: is what $command --help prints");
        like($got->{out}, qr/^Usage: mailtrail $command /, "help $command: of that command");
    }
    like(refuses('help', 0, undef, 'help')->{out}, qr/^Commands:$/m, 'help: the commands');
    refuses('help of what is none', 64, qr{no command 'tarce'; did you mean trace}, 'help', 'tarce');
    refuses('a report whose name is cut', 64, qr{no report is named transport; did you mean transports; report --list}, 'report', 'transport');
    refuses('a report whose name is mistyped', 64, qr{no report is named grand-totl; did you mean grand-total; report --list}, 'report', 'grand-totl');
    refuses('a report that is like none', 64, qr{no report is named zzzzzz; report --list}, 'report', 'zzzzzz');
    refuses('an unknown option', 64, qr{ingest: no option --sever; did you mean --server; see mailtrail ingest --help}, 'ingest', '--sever', 'x', $log);
    refuses('an option without its value', 64, qr{--server wants a value: NAME}, 'ingest', $log, '--server');
    refuses('a value too many', 64, qr{--quiet takes no value}, 'ingest', '--quiet=yes', $log);
    refuses('no path', 64, qr{ingest: no path; name logs, folders of logs, or -}, 'ingest', '--db', new_db());
    refuses('a year of two digits', 64, qr{--year wants four digits, 1970 to 2100, not '26'}, 'ingest', '--year', '26', $log);
    my $db = new_db();
    ingest($db, [$log], zone => 'UTC');
    refuses('an unknown report', 64, qr{no report .*rejected-host.*; }, 'report', '--db', $db, 'rejected-host');
    refuses('an unknown format', 64, qr{no format 'jsn'}, 'report', '--db', $db, '--format', 'jsn');
    for my $where ("$folder/absent.db", "$folder/absent/mail.db", $db) {
        refuses("an unknown report, $where", 64, qr{no report .*rejected-host.*; }, 'report', '--db', $where, 'rejected-host');
        refuses("an unknown format, $where", 64, qr{no format 'jsn'}, 'report', '--db', $where, '--format', 'jsn');
        refuses("an unknown league, $where", 64, qr{--by takes host}, 'report', '--db', $where, '--by', 'hots');
        refuses("an unknown zone, $where", 64, qr{Europe/Berlim}, 'ingest', '--db', $where, '--zone', 'Europe/Berlim', $log);
    }
    ok(!-e "$folder/absent.db", 'no database is made for a zone that is none');
    refuses('a time that is none', 64, qr{'soon' is no time; write 2026-11-23}, 'report', '--db', $db, '--since', 'soon');
    for my $words (['2026-02-09', '2026-02-09'], ['2026-02-10', '2026-02-09'], ['now', '1d']) {
        refuses("$$_[0] from $$words[0] to $$words[1]", 64, qr{the span ends before it begins: --since must be earlier than --until}, @$_,
                '--db', $db, '--since', $$words[0], '--until', $$words[1]) for ['report'], ['trace', 'x'], ['grep', 'x'], ['lines'], ['sql', 'SELECT 1'];
    }
    refuses('a zone that is none', 64, qr{no time zone 'Mars/Olympus' on this system; give one of}, 'ingest', '--db', new_db(), '--zone', 'Mars/Olympus', $log);
    my %conf = ("server = mx\nsevrer = mx\n" => 2, "[/x]\nyear = soon\n" => 2, "zone\n" => 1, "\n\n# x\nsyslog_duplication = maybe\n" => 4);
    for my $text (sort keys %conf) {
        spew("$folder/conf", $text);
        refuses("mailtrail.conf, line $conf{$text}", 64, qr{/conf:$conf{$text}: not understood; a line is KEY = VALUE}, 'ingest', '--config', "$folder/conf", $log);
    }
    refuses('no such configuration', 64, qr{/none: cannot be read: No such file}, 'ingest', '--config', "$folder/none", $log);
    spew("$folder/conf", "server = top # all\r\nzone = UTC\n[*/other*]\n server = other\n");
    in_shell('cp "$1" "$2"', $log, "$folder/other.log");
    $db = new_db();
    refuses('a configuration that is right', 0, undef, 'ingest', '--twice', '--db', $db, '--config', "$folder/conf", $log, "$folder/other.log");
    my %servers = map { $_ => 1 } dump_of($db) =~ /^\["messages",\d+,"[^"]*","(\w+)"/mg;
    is(join(' ', sort keys %servers), 'other top', 'a configuration that is right: each path its server');
}

# ---- zones, years, servers ----

sub test_zones {
    my $fold = root_of('tests/fixtures/once/fold/mainlog');
    my $db = new_db();
    my $right = new_db();
    ingest($right, [$fold], zone => 'Europe/Berlin');
    ingests('a log from another zone', 2, qr{/mainlog: its message ids say that it was written at UTC\+0[12]:00, but server mx is in zone UTC .*nothing was taken: name its zone with --zone}, $db, $fold);
    ingest($db, [$fold], zone => 'Europe/Berlin');
    is(difference(dump_of($db), dump_of($right)), '', 'a log from another zone: taken with the zone it names');

    $db = new_db();
    ingest($db, [$log], zone => 'UTC');
    my $got = ingests('a log from another zone beside others', 2, qr{mailtrail forget --server mx}, $db, $fold);
    is_whole($db, 'a log from another zone beside others: they are kept');
    ingests('a server has one zone', 2, qr{server mx was ingested in zone UTC, not Europe/Berlin; .*forget --server mx}, $db, $fold, { zone => 'Europe/Berlin' });
    my $forgot = mailtrail(fast(), ['forget', '--db', $db, '--server', 'mx']);
    is($forgot->{code}, 0, 'the command that mends it') or diag $forgot->{err};
    ingest($db, [$fold], zone => 'Europe/Berlin');
    my $taken = dump_of($right, facts => 1); # forget takes back no mention
    is(difference(dump_of($db, facts => 1), $taken) . faults_of($db), '', 'the command that mends it: then the zone is taken');

    ingest($db, [$log], server => 'second', zone => 'UTC');
    my @dump = split /\n/, dump_of($db, facts => 1);
    my ($second) = join "\n", map { s/"second"/"mx"/r } grep { /"second"/ } @dump;
    is(difference($second, join "\n", grep { !/^\["mentions"/ } split /\n/, $whole), '', 'a second server in a zone of its own');
    is(difference(join("\n", grep { !/"second"/ } @dump), $taken), '', 'a second server leaves the first alone');
    ingest($db, [$log], server => 'third', zone => 'UTC', options => ['--twice']);
    my $forget = mailtrail(fast(), ['forget', '--db', $db, '--server', 'third']);
    is(difference(dump_of($db, facts => 1), join "\n", @dump) . faults_of($db), '', 'a server forgotten leaves the others');
}

# A log of one server under the name of another: it would count twice.
sub test_names {
    my ($folder, $db) = (folder(), new_db());
    ingest($db, [$log], server => 'town', zone => 'UTC');
    my $before = dump_of($db);
    my $text = slurp($log);
    my $copy = spew("$folder/mainlog.0", $text);
    my $told = qr{/mainlog\.0: begins as a log of server town \(source 1, \Q$log\E\), and would count twice as one of twon: nothing was taken; give --server town, or if that is wrong, first: mailtrail forget 1; --twice};
    ingests('a mistyped server', 2, $told, $db, $copy, { server => 'twon' });
    is(difference(dump_of($db), $before) . faults_of($db), '', 'a mistyped server: nothing was taken');
    is(Ingest::sqlite($db, 'SELECT name FROM server'), "town\n", 'a mistyped server: it is none');
    my $other = spew("$folder/other", "2026-02-10 10:00:00 exim 4.96 daemon started: pid=1, no queue runs, not listening for SMTP\n");
    my $got = ingests('a mistyped server, beside a log that is new', 1, $told, $db, $copy, $other, { server => 'twon' });
    like($got->{err}, qr/1 sources? read, 0 unchanged, 1 failed; 1 lines?: 1 rows? new/, 'a mistyped server, beside a log that is new: that is taken');

    for my $size (4096, 20000) {
        my $cut = spew("$folder/cut", substr $text, 0, $size);
        ingests("the first $size octets of a log", 2, qr{/cut: begins as a log of server town}, $db, $cut, { server => 'twon' });
        in_shell('gzip -c "$1" >"$1.gz"', $cut);
        ingests("the first $size octets of a log, packed", 2, qr{/cut\.gz: begins as a log of server town}, $db, "$cut.gz", { server => 'twon' });
    }
    my $small = spew("$folder/small", substr $text, 0, 900);
    ingests('so few octets that they may be alike', 0, undef, $db, $small, { server => 'twon' });
    spew($small, $text);
    ingests('which then grow', 2, qr{/small: begins as a log of server town}, $db, $small, { server => 'twon' });

    my $short = new_db();
    ingest($short, [spew("$folder/short", substr $text, 0, 2000)], server => 'twon', zone => 'UTC');
    ingests('a log whose beginning another has', 2, qr{/mainlog\.0: begins as a log of server twon}, $short, $copy, { server => 'town' });
    is(mailtrail(fast(), ['forget', '--db', $short, '1'])->{code}, 0, 'a log whose beginning another has: the command that mends it');
    ingests('and then it', 0, undef, $short, $copy, { server => 'town' });

    ingests('a log of two servers, as asked for', 0, undef, $db, $copy, { server => 'twon', options => ['--twice'] });
    append($copy, "2026-02-10 11:00:00 SMTP connection from [192.0.2.9] lost\n");
    ingests('which then grows', 0, undef, $db, $copy, { server => 'twon' });
    my @twon = grep { /"twon"/ } split /\n/, dump_of($db);
    is(scalar(grep { /^\["messages"/ } @twon), scalar(() = $before =~ /^\["messages"/mg), 'a log of two servers, as asked for: it is of both');
}

sub test_years {
    my $folder = folder();
    my $path = spew("$folder/maillog", "Oct 28 23:59:58 mx imapd[1]: Login user=ann host=[192.0.2.1]\n"
        . "Nov  1 00:00:02 mx imapd[2]: Login user=bob host=[192.0.2.1]\nJan  2 03:04:05 mx imapd[3]: Login user=eve host=[192.0.2.1]\n");
    for my $year (2019, 2023) {
        my $db = new_db();
        ingest($db, [$path], zone => 'UTC', options => ['--year', $year]);
        my @times = dump_of($db) =~ /^\["sessions",\d+,"([^"]*)"/mg;
        is("@times", "$year-10-28 23:59:58 $year-11-01 00:00:02 " . ($year + 1) . '-01-02 03:04:05', "--year $year");
    }
    in_shell('touch -d 2022-01-02T12:00:00Z "$1"', $path);
    my $db = new_db();
    ingest($db, [$path], zone => 'UTC');
    like(dump_of($db), qr/"2021-10-28 23:59:58"/, 'the year by the time of the file');
    spew($path, "Feb 29 01:02:03 mx imapd[1]: Login user=ann host=[192.0.2.1]\n");
    in_shell('touch -d 2026-06-01T12:00:00Z "$1"', $path);
    ingest($db, [$path], zone => 'UTC');
    like(dump_of($db), qr/"2024-02-29 01:02:03"/, '29 February is in the leap year before the time of the file');
    my $got = ingest(new_db(), [spew("$folder/silent", "Jan  1 00:00:00 mx imapd[1]: Login user=ann host=[192.0.2.1]\n"
        . "Oct  1 00:00:00 mx imapd[2]: Login user=bob host=[192.0.2.1]\n")], zone => 'UTC');
    like($got->{err}, qr{/silent: its stamps have no year and fall silent for \d+ days; if the years are wrong, forget it and give --year},
         'a long silence is told');
}

test_paths();
test_many();
test_rights();
test_reading();
test_written_meanwhile();
test_content();
test_long_line();
test_packed();
test_databases();
test_full_disk();
test_usage();
test_zones();
test_names();
test_years();
done_testing();
