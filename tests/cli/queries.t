#!/usr/bin/perl
# docs/queries.md: every question runs over the town, in mailtrail sql and in the plain shell alike, and each answer is
# held against figures from outside: the driver's record (truth.json), or the lines themselves, counted here.
use strict;
use warnings;
use Compress::Zlib ();
use File::Basename qw(dirname);
use JSON::PP;
use Test::More;
use Time::Local qw(timegm);
use lib dirname(__FILE__);
use Ingest;

my $folder = root_of('tests/fixtures/town');
my $town = folder() . '/town.db';
my $said = mailtrail(fast(), ['ingest', '--quiet', '--db', $town, '--config', "$folder/mailtrail.conf", $folder]);
is($said->{code}, 0, 'the town is read');
my $truth = decode_json(slurp("$folder/truth.json"));

# ---- the lines ---------------------------------------------------------------------------------
sub lines_of {
    my @lines;
    for my $name (@_) {
        my $text = slurp("$folder/$name");
        $text = Compress::Zlib::memGunzip($text) if $name =~ /\.gz$/;
        push @lines, split /\n/, $text;
    }
    return @lines;
}
my @main = lines_of('mainlog.2.gz', 'mainlog.1', 'mainlog', 'hub-mainlog');
my @mail = lines_of('maillog.2.gz', 'maillog.1', 'maillog');
my $id = qr/\d{4}-\d\d-\d\d [\d:.]+ \w{6}-\w{6}-\w\w/;
sub count { my ($what, @lines) = @_; return scalar grep { $_ =~ $what } @lines }
sub main_lines { return count(shift, @main) }
sub mail_lines { return count(shift, @mail) }
sub ids { my ($what) = @_; my %ids = map { (split ' ')[2] => 1 } grep { $_ =~ $what } @main; return \%ids }
sub at { my ($line) = @_; my ($y, $mo, $d, $h, $mi, $s) = $line =~ /^(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+)/; return timegm($s, $mi, $h, $d, $mo - 1, $y) }
sub line { my ($what) = @_; my @lines = grep { $_ =~ $what } @main; @lines == 1 or die scalar(@lines), " lines: $what\n"; return $lines[0] }
sub sum { my ($column, @rows) = @_; my $n = 0; $n += $_->{$column} // 0 for @rows; return $n }
sub dovecot { my ($what) = @_; return total(map { /dovecot: pop3\(.*$what/ ? $1 : () } @mail) }
sub total { my $n = 0; $n += $_ for @_; return $n }
my $arrival = qr/^$id (?:<=|\(=) /;
my $address = qr/\[[0-9a-fA-F:.]+\]/;
my $no_copy = qr/^(?!.*P=spam-scanned)$id (?:<=|\(=) /;
# What the hub, of which the driver keeps no record, refused.
my $hub_refused = count(qr/ rejected /, lines_of('hub-mainlog'));
my $hub_put_off = count(qr/temporarily rejected /, lines_of('hub-mainlog'));
my $refused = total(values %{ $truth->{refused} }) + $hub_refused - $hub_put_off;
my $put_off = total(values %{ $truth->{refused_for_now} }) + $hub_put_off;

# ---- what each must answer ---------------------------------------------------------------------
# A question => pairs of what its rows say and what they must say; or the number of rows, where that says enough.
my %answers = (
    'How well does mail reach each destination?' => sub { (
        sum('deferrals', @_), main_lines(qr/^$id == /),
        (map { "$_->{recipients} $_->{reached} $_->{failed}" } grep { $_->{domain} eq 'reject.example' } @_), join(' ', map { "$_ 0 $_" } scalar keys %{{ map { /^$id \*\* (\S+\@reject\.example)/ ? ((split ' ')[2] . $1 => 1) : () } @main }}),
        sum('open', @_), scalar @{ $truth->{queue} } - 1) },       # the frozen one was never tried
    'Who was told "mailbox full"?' => sub { (
        join(' ', map { "$_->{recipient}=$_->{attempts}" } @_), 'full9@relay.example=3 full@big-corp.example.org=2',
        sum('attempts', @_), main_lines(qr/^$id == .*(?:mailbox is full|mailbox full)/)) },
    'Which addresses that we write to do not exist?' => sub { (
        sum('failures', @_), main_lines(qr/^$id \*\* .*(?:Unknown user|Unrouteable address|550-5\.1\.1)/),
        (map { $_->{failures} } grep { $_->{address} eq 'z@reject.example' } @_), main_lines(qr/^$id \*\* z\@reject\.example /)) },
    'Which destinations are slowest?' => sub {
        my $slow = ids(qr/^$id => \S+\@flaky\.example .*sink18/);
        my @waits = sort { $b <=> $a } map { at(line(qr/ $_ => .*flaky\.example /)) - at(line(qr/ $_ <= /)) } keys %$slow;
        return ($_[0]{domain}, 'flaky.example', $_[0]{deliveries}, scalar @waits, $_[0]{worst_seconds}, $waits[0]) },
    'What went to one address, in a large database?' => sub { (
        scalar @_, main_lines(qr/^$id (?:=>|->|==|\*\*|>>) (?:\S+ <)?user2\@shop-one\.example[ >]/)) },
    'Which hosts put us off, and with what words?' => sub { (
        sum('deferrals', @_), main_lines(qr/^$id == /) - main_lines(qr/^$id == .*retry time not reached/)) },
    'What did greylisting cost?' => sub { (
        sum('greylisted', @_), main_lines(qr/^$id == .*Greylisted/),
        join(' ', map { $_->{exim_id} } grep { defined $_->{seconds_lost} } @_), '1wfEHL-0002eF-2M 1werkg-0007Eg-1h',
        $_[0]{seconds_lost}, at(line(qr/ 1wfEHL-0002eF-2M => c\.d5/)) - at(line(qr/ 1wfEHL-0002eF-2M == c\.d5.*Greylisted/))) },
    'What is the bounce rate of each destination domain?' => sub { (
        sum('failed', @_), main_lines(qr/^$id \*\* /),
        (map { $_->{percent_failed} } grep { $_->{domain} eq 'ok.example' } @_), 33.3) },      # 5 of 15
    'Whose mail bounces most?' => sub {
        my ($failed, $sent) = (ids(qr/^$id \*\* /), ids(qr/^$id <= [^<]/));
        return (sum('bounced', @_), scalar grep { $sent->{$_} } keys %$failed) },
    'Who refuses us as a host or a sender?' => sub { (
        sum('times', @_), main_lines(qr/^$id (?:\*\*|==) .*H=\S+ $address.*(?:421 4\.3\.2 Service|550 5\.7\.1 <= Sender|554 5\.7\.1 Message rejected)/)) },
    'What was given up after all retries?' => sub { (
        scalar @_, main_lines(qr/^$id \*\* .*retry timeout exceeded/)) },
    'What left without encryption?' => sub { (
        sum('deliveries', @_), main_lines(qr/^(?!.* X=TLS)$id (?:=>|>>) .* H=\S+ $address/)) },
    'What does a far host say when it takes our mail?' => sub { (
        sum('times', @_), main_lines(qr/^$id => .* C="/)) },
    'Which way did deliveries go?' => sub { (
        sum('lines', @_), main_lines(qr/^$id (?:=>|->|>>|\*\*|==) /),
        sum('lines', grep { ($_->{transport} // '') eq 'spamcheck' } @_), main_lines(qr/^$id (?:=>|->|\*\*) .*T=spamcheck/)) },
    'Which of our own pipes, files and transports fail?' => sub { (
        sum('failures', @_), main_lines(qr/^(?!.* H=\S+ $address)$id (?:==|\*\*) .* T=\w+/)) },
    'What was thrown away?' => sub { (
        sum('messages', @_), main_lines(qr/^$id => (?::blackhole:|blackhole \()/)) },
    'What became of one message?' => sub { (
        join('|', map { "$_->{kind} $_->{original} $_->{recipient} $_->{router}" } @_), 'delivered chain@shop-one.example user5 virtual_user') },
    'What is on the queue, and how old is it?' => sub { (
        join(' ', sort map { $_->{exim_id} } @_), join(' ', @{ $truth->{queue} }),
        join(' ', map { $_->{waiting} // '-' } @_), '- d@defer.example lp4z@lists.example lp4z@relay.example') },
    'Which messages were longest on the queue?' => sub {
        my $first = $_[0]{exim_id};
        return ($_[0]{hours}, sprintf('%.2f', (at(line(qr/^\S+ \S+ \Q$first\E Completed/)) - at(line(qr/^\S+ \S+ \Q$first\E <= /))) / 3600)) },
    'How is time on the queue spread?' => sub { (
        sum('messages', @_), main_lines(qr/^$id Completed/), $_[-1]{on_queue}, '6 a day and more') },
    'How many messages stand how?' => sub { (
        sum('messages', @_), main_lines($arrival), sum('with_failures', @_), scalar keys %{ ids(qr/^$id \*\* /) }) },
    'Which messages were largest?' => sub {
        my ($most) = sort { $b <=> $a } map { /$arrival.* S=(\d+)/ ? $1 : () } @main;
        return ($_[0]{size}, $most) },
    'Which messages went to the most recipients?' => sub {
        my ($for) = line(qr/ \Q$_[0]{exim_id}\E <= /) =~ / for (.*)/;
        return ($_[0]{recipients}, scalar split / /, $for) },
    'Which Message-IDs came more than once?' => sub { (
        join(' ', map { $_->{times} } @_), '2 2 2', main_lines(qr/$no_copy.* id=no-angle /), 2) },
    'What did the scanner give back as copies?' => sub { (
        scalar(grep { line(qr/ $_->{copy} <= /) =~ /P=spam-scanned .* id=(\S+)/ && line(qr/ $_->{first} <= /) =~ / id=\Q$1\E / } @_), 20) },
    'Which bounces did we make, and about what?' => sub {
        my %bounces = map { $_->{bounce} => 1 } @_;
        return (join(' ', sort keys %bounces), join(' ', sort keys %{ ids(qr/^$id <= <> R=/) })) },
    'Are we a source of backscatter?' => sub {
        my @about = map { /^$id <= <> R=(\S+)/ ? $1 : () } @main;
        my $strangers = ids(qr/^(?!.* A=)$id <= .* H=.*$address/);
        return (sum('bounces', @_), scalar grep { $strangers->{$_} } @about) },
    'Which addresses forward out of the house?' => sub { (
        join(' ', map { "$_->{address}:$_->{messages}" } grep { $_->{forwarded_to} eq 'someoneb@ok.example' } @_),
        join(' ', map { "forward\@$_:" . main_lines(qr/^$id => someoneb\@ok\.example <forward\@\Q$_\E>/) } qw(big-corp.example.org blog.example.net))) },
    'Which aliases fan out?' => sub {
        my %times;
        /^$id (?:=>|\*\*) .*<sales\@blog\.example\.net>/ and $times{ (split ' ')[2] }++ for @main;
        my ($sales) = grep { $_->{alias} eq 'sales@blog.example.net' } @_;
        return ("$sales->{recipients} $sales->{messages}", '3 ' . grep { $_ == 3 } values %times) },
    'Which messages came from programs on the machine?' => sub { (
        sum('messages', @_), main_lines(qr/^$id <= .* P=local /)) },
    'Which clients were told no although we took the mail?' => sub { (
        scalar @_, $truth->{fakereject}, join(' ', map { $_->{exim_id} } @_), join(' ', sort keys %{ ids(qr/^$id \(= /) })) },
    'What did operators and the system do to messages?' => sub { (
        scalar @_, main_lines(qr/^$id (?:Message is frozen|Frozen \(|Unfrozen|frozen by|cancelled by|removed by)/)) },
    'Which accounts send, how much and from where?' => sub { (
        sum('messages', @_), main_lines(qr/^$id <= .* A=\w+:/)) },
    'Which accounts suddenly send?' => sub { (
        join(' ', map { "$_->{day} $_->{auth_id} $_->{messages}" } @_),
        '2026-07-01 user2@shop-one.example ' . main_lines(qr/^2026-07-01 .* A=plain:user2\@shop-one\.example/)) },
    'Which accounts are used from many addresses?' => sub { (
        join(' ', map { "$_->{auth_id} $_->{addresses}" } @_), 'user22@big-corp.example.org 2') },
    'Who signs in as one and sends as another?' => sub { (
        sum('messages', @_), main_lines(qr/^$id <= (\S+) .* A=\w+:(?!\1 )/)) },
    'Which hosts send us most?' => sub { (
        "$_[0]{host} $_[0]{messages}", 'mail.sender13.example ' . main_lines(qr/^$id <= .*? H=mail\.sender13\.example /)) },
    'What share of mail comes encrypted, by month?' => sub { (
        "$_[0]{month} $_[0]{encrypted}", '2026-07 ' . main_lines(qr/$arrival.* X=TLS/),
        $_[0]{messages}, main_lines(qr/^(?!.* P=(?:local|spam))$id (?:<=|\(=) .* H=.*$address/)) },
    'Which versions of TLS and which ciphers are in use?' => sub { (
        sum('messages', @_), main_lines(qr/$arrival.* X=TLS/), sum('messages', grep { $_->{cipher} =~ /X25519/ } @_), $truth->{encrypted}) },
    'Who sent a password in the clear?' => sub { (
        scalar @_, main_lines(qr/^(?!.* X=TLS)$id <= .* A=\w+:/)) },         # nobody: it is not offered without TLS
    'At which hours does mail come?' => sub { (
        sum('messages', @_), main_lines($no_copy), $_[0]{hour}, 10) },
    'How much came and went each day?' => sub { (
        join(' ', map { $_->{received} } @_), join(' ', map { my $day = $_; main_lines(qr/^(?=$day )(?!.*P=spam-scanned)$id (?:<=|\(=) /) } qw(2026-07-01 2026-07-02 2026-07-07)),
        sum('refused', @_), $refused) },
    'Why do we refuse?' => sub { (
        sum('refusals', grep { !$_->{temporary} } @_), $refused, sum('refusals', grep { $_->{temporary} } @_), $put_off) },
    'Whom do we refuse most?' => sub { (
        "$_[0]{ip} $_[0]{refusals}", '127.25.0.1 ' . main_lines(qr/ rejected .*\[127\.25\.0\.1\]/)) },
    q{Was somebody's mail refused, and why?} => sub { (
        scalar @_, main_lines(qr/(?:PRDR refused for user2$)|rejected .*<user2\@shop-one\.example>/) - main_lines(qr/rejected .*<user2\@shop-one\.example>.*after DATA/)) },
    'Who guesses addresses?' => sub { (
        sum('refusals', @_), main_lines(qr/ rejected RCPT .*: Unknown user/)) },
    'Which lists refuse for us?' => sub { (
        sum('refusals', @_), main_lines(qr/ rejected (?:RCPT|MAIL) .*(?:is in an RBL|is listed at dul\.dnsbl|is blacklisted)/)) },
    'Who came back after our greylisting?' => sub { (
        scalar @_, main_lines(qr/temporarily rejected RCPT .*: greylisted\./),
        join(' ', map { $_->{recipient} } grep { defined $_->{accepted} } @_), 'grey1@blog.example.net') },
    'What was refused after its content was seen?' => sub { (
        scalar @_, main_lines(qr/(?<!temporarily) rejected after DATA|^$id PRDR \S+ PRDR refused/),
        scalar(grep { ($_->{subject} // '') =~ /VIAGRA/ } @_), main_lines(qr/ rejected after DATA: Subject <Buy VIAGRA/)) },
    'Who lies in HELO?' => sub { (
        (map { $_->{refusals} } grep { ($_->{helo} // '') eq 'notmyname.example' } @_), main_lines(qr/ rejected MAIL from \(notmyname\.example\) .*no HELO/)) },
    'Who tries passwords, over all services?' => sub { (
        "$_[0]{ip} $_[0]{failures}", '192.0.2.77 ' . (mail_lines(qr/ - failed auth, from=192\.0\.2\.77$/) + main_lines(qr/authenticator failed .*\[192\.0\.2\.77\]/))) },
    'Which accounts are under attack?' => sub {
        my ($admin) = grep { $_->{user} eq 'admin' } @_;
        return ("$admin->{failures}", mail_lines(qr/User 'admin' - failed auth|Login failed user=admin /) + total(map { /auth failed, (\d+) attempts.*user=<admin>/ } @mail) + main_lines(qr/authenticator failed .*set_id=admin\)/)) },
    'Who got in after failing?' => sub { (
        join(' ', map { "$_->{ip} $_->{failures_before}" } @_), '203.0.113.10 3 203.0.113.10 3') },     # three lines of 06:01:33 to 06:14:25 name it at the end
    'How is each mailbox used?' => sub { (
        sum('imap', @_), $truth->{logins}{imap}, sum('pop3', @_), $truth->{logins}{pop3}) },
    'Who fetched how much by POP3?' => sub { (
        # Dovecot's sessions are not in the record: their lines say retr=N/OCTETS, del=N/M.
        sum('bytes', @_), $truth->{fetched_bytes} + dovecot(qr/ retr=\d+\/(\d+)/), sum('deleted', @_), $truth->{deleted} + dovecot(qr/ del=(\d+)/)) },
    'Whose mailbox grows because nothing is deleted?' => sub { (
        (map { $_->{messages} } grep { $_->{user} eq 'carol' } @_), (sort { $b <=> $a } map { /\buser=carol .*nmsgs=(\d+)|User 'carol' logged in.* nmsgs=(\d+)/ ? $1 // $2 : () } @mail)[0]) },
    'Who opens a mailbox from many addresses?' => sub {
        my %from = map { /Login: user=<alice>.* rip=([0-9a-f.:]+)|Login user=alice host=.*\[(\S+)\]|User 'alice' logged in from ([^,]+),/ ? ($1 // $2 // $3 => 1) : () } @mail;
        return ("$_[0]{user}", 'alice', $_[0]{addresses} >= keys %from ? 'so many' : $_[0]{addresses}, 'so many') },
    'How do sessions end?' => sub { (
        sum('logged_in', @_), total(values %{ $truth->{logins} })) },
    'How many logins a day, by service?' => sub { (
        sum('logins', @_), total(values %{ $truth->{logins} }), join(' ', sort { $a cmp $b } map { $_->{day} } grep { $_->{service} eq 'imap' } @_), '2026-07-01 2026-07-02 2026-07-03') },
    'How are spam scores spread?' => sub { (
        sum('spam', @_), mail_lines(qr/spamd: result: Y /), sum('scans', @_), mail_lines(qr/spamd: result: [Y.] /),
        sum('spam', grep { $_->{from_score} < 5 } @_), 0) },
    'Which rules decide?' => sub {
        my ($money) = grep { $_->{rule} eq 'LOTS_OF_MONEY' } @_;
        return ("$money->{in_spam} $money->{in_ham}", mail_lines(qr/result: Y .*\bLOTS_OF_MONEY\b/) . ' ' . mail_lines(qr/result: \. .*\bLOTS_OF_MONEY\b/)) },
    'Who sends us spam?' => sub {
        my %spam = map { /result: Y .*,mid=<([^>]*)>/ ? ($1 => 1) : () } @mail;
        return (sum('spam', @_), scalar grep { /$no_copy.* id=(\S+) / && $spam{$1} } @main) },
    'Whose mail is taken for spam by a hair?' => sub { (
        scalar @_, mail_lines(qr{spamd: (?:clean message|identified spam) \((?:4\.[1-9]|5\.\d)/5\.0\)})) },
    'Which scans are slow?' => sub {
        my ($most) = sort { $b <=> $a } map { /result: .*scantime=([\d.]+),/ ? $1 : () } @mail;
        return ($_[0]{seconds}, $most) },
    'How much of the mail is spam, by day?' => sub {
        my ($fourth) = grep { $_->{day} eq '2026-07-04' } @_;
        return ("$fourth->{scans} $fourth->{spam}", "$truth->{scans_by_call} $truth->{spam_by_call}") },
    'Which lines were not understood?' => sub { (scalar @_, 0) },         # none in the town; t/accounting.t has some
    'Is a log missing?' => sub { (
        scalar @_, scalar grep({ /log/ } glob "$folder/*"), $_[0]{path} =~ m{([^/]+)$}, 'hub-mainlog', $_[0]{hours} + 0, 120,
        sum('lines', grep { $_->{path} =~ /maillog/ } @_), scalar @mail) },
    'Which far hosts could not be reached?' => sub { (
        sum('errors', @_), main_lines(qr/^$id H=\S+ $address:? (?:SMTP error from|Remote host closed|Connection refused)/)) },
    'What else happened, by kind?' => sub { (
        sum('events', grep { $_->{kind} eq 'queue_run' } @_), main_lines(qr/ (?:Start|End) queue run: /)) },
);

# ---- the book ----------------------------------------------------------------------------------
my (@titles, %query);
for my $section (split /^### /m, slurp(root_of('docs/queries.md')) =~ s/\A.*?^(?=### )//smr) {
    my ($title, $body) = $section =~ /^([^\n]+)\n(.*)/s or next;
    push @titles, $title;
    ($query{$title}) = $body =~ /^```sql\n(.*?)^```$/ms;
}
cmp_ok(scalar @titles, '>=', 40, 'forty questions and more');
is(join("\n", sort @titles), join("\n", sort keys %answers), 'each has its answer here');

my %parameters = (id => '1werjn-0006JR-13', address => 'user2@shop-one.example');
my $file = folder() . '/query';
my $json = JSON::PP->new;

sub rows_of { my ($text) = @_; return $text =~ /\S/ ? $json->decode($text) : [] }

for my $title (@titles) {
    my $sql = $query{$title} or do { fail("$title: has SQL"); next };
    my @used = grep { $sql =~ /:$_\b/ } sort keys %parameters;
    spew($file, $sql);
    my $ours = mailtrail(sanitized(), ['sql', '--db', $town, '--format', 'json', map({ ('-p', "$_=$parameters{$_}") } @used)], input => $file);
    is("$ours->{code}$ours->{err}", '0', "$title: runs");
    my $shell = mailtrail('/usr/bin/sqlite3', ['-batch', '-bail', '-readonly', '-json', $town],
                          input => spew("$file.shell", join '', ".parameter init\n", map({ ".parameter set :$_ \"'$parameters{$_}'\"\n" } @used), $sql));
    is("$shell->{code}$shell->{err}", '0', "$title: runs in the plain shell");
    my ($here, $there) = (rows_of($ours->{out}), rows_of($shell->{out}));
    is(scalar @$here, scalar @$there, "$title: as many rows in both");
    my @pairs = $answers{$title} ? $answers{$title}->(@$here) : ();
    ok(@pairs && @pairs % 2 == 0, "$title: something is held against it");
    while (my ($got, $wanted) = splice @pairs, 0, 2) { is($got, $wanted, "$title: its figures") }
}

# A question about a span reads that span alone: its plan has no scan of a table of events.
for my $title (grep { $query{$_} =~ /at >= coalesce\(:since/ && $query{$_} !~ /sessions|scans/ } @titles) {
    spew($file, "EXPLAIN QUERY PLAN $query{$title}");
    my $plan = mailtrail(sanitized(), ['sql', '--db', $town, '--format', 'json'], input => $file);
    my @scans = map { $_->{detail} } grep { $_->{detail} =~ /^SCAN (?:m|d|r|a|e|u|[a-z]* AS .)\b(?! USING)/ } @{ rows_of($plan->{out}) };
    is("@scans", '', "$title: no scan");
}
done_testing();
