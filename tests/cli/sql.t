#!/usr/bin/perl
# mailtrail sql: what a query answers in each format; that it can only read, and ends; what is said of a wrong one.
use strict;
use warnings;
use File::Basename qw(dirname);
use JSON::PP;
use Test::More;
use lib dirname(__FILE__);
use Ingest;

my $town = folder() . '/town.db';
my $got = mailtrail(fast(), ['ingest', '--quiet', '--db', $town, '--config', root_of('tests/fixtures/town/mailtrail.conf'),
                             root_of('tests/fixtures/town')]);
is($got->{code}, 0, 'the town is read');
my $truth = decode_json(slurp(root_of('tests/fixtures/town/truth.json')));
my $endless = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT ';

sub ask { mailtrail(sanitized(), ['sql', '--db', $town, @_]) }

sub answers {
    my ($name, $words, $wanted) = @_;
    my $said = ask(@$words);
    is("$said->{code}|$said->{err}|$said->{out}", "0||$wanted", $name);
}

# ---- answers -----------------------------------------------------------------------------------
my $refused = 0;
$refused += $_ for values %{ $truth->{refused} };
answers('a count', ['--format', 'tsv', "SELECT count(*) AS n FROM rejections WHERE server = 'srv1' AND NOT temporary"],
        "n\n$refused\n");
my $all = q{SELECT '=1+1' AS formula, NULL AS absent, '' AS empty, -1 AS number, x'00ff' AS blob, 'a"b' AS quoted, 'x' || char(9, 10) AS formula};
answers('table', ['SELECT 1 AS n, \'a\' || char(27) || \'[1m\' AS text UNION ALL SELECT 234567, NULL'],
        "n       text\n------  --------\n     1  a#033[1m\n234567  \n");
answers('csv', ['--format', 'csv', $all],
        qq{formula,absent,empty,number,blob,quoted,formula\r\n'=1+1,,"",-1,x'00ff',"a""b","x\t\n"\r\n});
answers('tsv', ['--format', 'tsv', $all],
        qq{formula\tabsent\tempty\tnumber\tblob\tquoted\tformula\n=1+1\t\t\t-1\tx'00ff'\ta"b\tx\\t\\n\n});
answers('json', ['--format=json', $all],
        qq([\n {"formula": "=1+1", "absent": null, "empty": "", "number": -1, "blob": "x'00ff'", "quoted": "a\\"b", "formula:2": "x\\t\\n"}\n]\n));
answers('json, no rows', ['--format', 'json', 'SELECT 1 AS x WHERE 0'], "[]\n");
answers('json, numbers without a word', ['--format', 'json', 'SELECT 1e999 AS x, 9223372036854775807 AS y'],
        qq([\n {"x": null, "y": 9223372036854775807}\n]\n));
answers('line', ['--format', 'line', "SELECT 1 AS a, 'x' AS long UNION ALL SELECT 2, NULL"],
        "   a = 1\nlong = x\n\n   a = 2\nlong = \n");
answers('table, no rows', ['SELECT 1 AS name WHERE 0'], "name\n----\n");
my $rows = ask('--format', 'table', "$endless x, 'y' AS y FROM c LIMIT 3000")->{out};
is(scalar(split /\n/, $rows), 3002, 'a long table is whole');
like($rows, qr/\n1000  y\n1001  y\n/, 'and goes on behind the rows that gave it its widths');

# ---- parameters --------------------------------------------------------------------------------
answers('parameters', ['-p', 'a=1', '--param', 'b=2.5', '--param=c=07', '-p', 'd=x=y', '--format', 'tsv',
                       'SELECT typeof(:a), typeof(@b), typeof($c), :d, :not_given IS NULL'],
        "typeof(:a)\ttypeof(\@b)\ttypeof(\$c)\t:d\t:not_given IS NULL\ninteger\treal\ttext\tx=y\t1\n");
answers('by number', ['--format', 'tsv', '-p', '1=5', '-p', '2=6', 'SELECT ?1 AS a, ? AS b'], "a\tb\n5\t6\n");
answers('a value is no SQL', ['--format', 'tsv', '-p', "s=' OR 1=1 --", 'SELECT count(*) AS n FROM messages WHERE sender = :s'], "n\n0\n");
is(ask('-p', 'x=1', 'SELECT 1')->{err}, "mailtrail: sql: the query has no parameter :x\n", 'a parameter that is not there');
is(ask('-p', 'x', 'SELECT :x')->{code}, 64, 'a parameter without a value');

my $span = 'SELECT :since, :until';
answers('a span', ['--format', 'tsv', '--since', '2026-07-02', '--until', '2026-07-02 00:01', $span], ":since\t:until\n1782950400\t1782950460\n");
answers('half a span', ['--format', 'tsv', '--until', '2026-07-02', $span], ":since\t:until\n\t1782950400\n");
answers('a span for nothing', ['--format', 'tsv', '--since', '2026-07-02', 'SELECT 1'], "1\n1\n");
is(ask('--since', 'soon', 'SELECT 1')->{code}, 64, 'a time that is none');

# ---- the query from standard input -----------------------------------------------------------------
my $file = folder() . '/query';
spew($file, "-- how many\nSELECT count(*) AS n\n  FROM server;\n-- done\n");
for my $words ([], ['-']) {
    my $said = mailtrail(sanitized(), ['sql', '--db', $town, '--format', 'tsv', @$words], input => $file);
    is("$said->{code}|$said->{err}|$said->{out}", "0||n\n2\n", "standard input, @$words");
}

# ---- it only reads ---------------------------------------------------------------------------------
my $before = slurp($town);
my %writes = (
    'DELETE FROM message' => 'DELETE from message', 'UPDATE message SET id = 1' => 'UPDATE of message',
    'INSERT INTO meta SELECT 1, 2' => 'INSERT into meta', 'WITH x AS (SELECT 1) REPLACE INTO meta SELECT 1, 2' => 'INSERT into meta',
    "ATTACH '$file.db' AS other" => "ATTACH of $file.db", 'DETACH main' => 'DETACH of main',
    "SELECT load_extension('/usr/lib/x.so')" => 'function load_extension', 'CREATE TEMP TABLE t (a)' => 'changing the schema',
    'CREATE VIEW v AS SELECT 1' => 'changing the schema', 'DROP VIEW messages' => 'changing the schema',
    'ALTER TABLE message ADD x' => 'ALTER', 'REINDEX' => 'changing the schema', 'ANALYZE' => 'changing the schema',
    'BEGIN IMMEDIATE' => 'transaction: BEGIN', 'PRAGMA query_only = 0' => 'PRAGMA query_only',
    'PRAGMA writable_schema = 1' => 'PRAGMA writable_schema', 'PRAGMA journal_mode = delete' => 'PRAGMA journal_mode',
    'PRAGMA user_version = 7' => 'PRAGMA user_version', 'VACUUM' => undef, "VACUUM INTO '$file.db'" => undef,
);
for my $sql (sort keys %writes) {
    my $said = ask($sql);
    my $what = $writes{$sql} // '';
    is($said->{code}, 2, "$sql: exit code 2");
    $what eq 'ALTER' ? like($said->{err}, qr/^mailtrail: sql: /, "$sql: is told")
                     : like($said->{err}, $what ? qr/^mailtrail: sql: refused: \Q$what\E; sql only reads\n/
                                                : qr/^mailtrail: sql: refused; sql only reads\n/, "$sql: is told");
    is($said->{out}, '', "$sql: nothing is printed");
}
ok(!-e "$file.db", 'no other file was made');
ok($before eq slurp($town), 'the database is what it was, octet for octet');
answers('what tells is allowed', ['--format', 'tsv', "SELECT count(*) > 20 AS many FROM pragma_table_info('messages')"], "many\n1\n");
answers('a PRAGMA that tells', ['--format', 'tsv', 'PRAGMA user_version'], "user_version\n1\n");

# ---- it ends ----------------------------------------------------------------------------------------
my $said = ask('--time-limit', '0.2', $endless . 'count(*) FROM c');
is($said->{code}, 2, 'an endless query: exit code 2');
like($said->{err}, qr/^mailtrail: sql: stopped at the time limit of 0\.2 s; 0 rows were written; /, 'an endless query: told');
$said = ask('--time-limit', '0.2', '--format', 'tsv', $endless . 'x FROM c');
like($said->{err}, qr/^mailtrail: sql: stopped at the time limit of 0\.2 s; [1-9]\d* rows/, 'endless rows: told');
like($said->{out}, qr/^x\n1\n2\n/, 'endless rows: those before are there');
$said = ask('--time-limit', '0.2', $endless . 'x FROM c ORDER BY -x');
like($said->{err}, qr/stopped at the time limit/, 'an endless sort');
$said = ask('SELECT length(zeroblob(900000000))');
is("$said->{code} $said->{err}", "2 mailtrail: sql: string or blob too big\n", 'a text beyond all bounds');
is(ask('--time-limit', 'soon', 'SELECT 1')->{code}, 64, 'a time limit that is none');

# Ctrl-C, as soon as rows come.
{
    my $folder = folder();
    pipe my $read, my $write or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>&', $write or die;
        open STDERR, '>', "$folder/err" or die;
        exec sanitized(), 'sql', '--db', $town, '--format', 'tsv', $endless . 'x FROM c' or exit 127;
    }
    close $write;
    my $first = <$read>;
    kill 'INT', $pid;
    1 while <$read>;
    waitpid $pid, 0;
    is($?, 2 << 8, 'Ctrl-C: exit code 2');
    like(slurp("$folder/err"), qr/^mailtrail: sql: stopped by Ctrl-C after [\d.]+ s; \d+ rows were written\n$/, 'Ctrl-C: told');
}

# ---- what is wrong, and where -------------------------------------------------------------------------
sub wrong {
    my ($name, $sql, $wanted) = @_;
    my $told = ask('--', $sql);
    is("$told->{code}|$told->{out}|$told->{err}", "64||mailtrail: sql: $wanted", $name);
}
wrong('an unknown column', "SELECT time,\n  recipint FROM deliveries",
      "no such column: recipint; did you mean recipient\n  line 2:   recipint FROM deliveries\n            ^\n");
wrong('an unknown table', 'SELECT 1 FROM messags', "no such table: messags; did you mean messages\n");
wrong('a word out of place', 'SELECT 1 FORM messages',
      qq{near "messages": syntax error\n  line 1: SELECT 1 FORM messages\n                        ^\n});
wrong('control bytes', "SELECT \e[1m",
      qq{unrecognized token: "#033"\n  line 1: SELECT #033[1m\n                 ^\n});
wrong('two queries', 'SELECT 1; SELECT 2',
      "one query at a time; here begins another\n  line 1: SELECT 1; SELECT 2\n                    ^\n");
wrong('none', '-- nothing', "there is no query in it\n");
wrong('an unfinished one', 'SELECT (1', "incomplete input\n");
wrong('a command of the shell', '.tables', "commands with a dot are the sqlite3 shell's; mailtrail sql without a query opens it\n"
      . "  line 1: .tables\n          ^\n");
is(ask('SELECT', '1')->{err}, "mailtrail: sql: one query; put it in quotes\n", 'two arguments');
is(ask('--format', 'xml', 'SELECT 1')->{code}, 64, 'an unknown format');
is(mailtrail(sanitized(), ['sql', '--db', folder() . '/none.db', 'SELECT 1'])->{code}, 2, 'no database');

# ---- the shell ---------------------------------------------------------------------------------------
sub on_terminal {
    my ($db, $input, %env) = @_;
    local @ENV{keys %env} = values %env;
    return mailtrail('/usr/bin/script', ['-qec', "'" . sanitized() . "' sql --db '$db'", '/dev/null'], input => $input);
}
spew($file, "SELECT 'servers: ' || count(*) FROM server;\nDELETE FROM message;\n.quit\n");
$said = on_terminal($town, $file);
like($said->{out}, qr/servers: 2/, 'on a terminal the sqlite3 shell opens the database');
like($said->{out}, qr/attempt to write a readonly database/, 'to read');
$said = on_terminal($town, '/dev/null', PATH => folder());
is($said->{out} =~ s/\r//gr, qq{mailtrail: sql: the sqlite3 shell is not there; install sqlite3, or give a query: mailtrail sql "SELECT ..."\n}, 'no shell');
$said = on_terminal(folder() . '/none.db', $file);
like($said->{out}, qr/no such database/, 'no database: the shell makes none');
done_testing();
