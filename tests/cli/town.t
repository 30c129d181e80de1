#!/usr/bin/perl
# The bundled week: what ingest, SQL and report say of it, against what the driver of its daemons recorded
# (tests/fixtures/town/truth.json, counted by tests/fixtures/cut-town from that record alone).
use strict;
use warnings;
use Encode qw(decode);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP;
use lib dirname(__FILE__) . '/../truth';
use Truth qw(rows slurp);

my $root = dirname(__FILE__) . '/../..';
my $mailtrail = $ENV{MAILTRAIL} // "$root/mailtrail";
my $town = "$root/tests/fixtures/town";
my $tmp = tempdir(CLEANUP => 1);
my $db = "$tmp/town.db";
my $truth = decode_json(slurp("$town/truth.json"));
my $tests = 0;

sub is {
    my ($got, $expected, $name) = @_;
    $tests++;
    my $good = defined $got && defined $expected && $got eq $expected;
    print $good ? '' : 'not ', "ok $tests - $name\n";
    print '# expected ', $expected // 'nothing', ', got ', $got // 'nothing', "\n" if !$good;
    return $good;
}

sub value { return (values %{ (rows($db, "SELECT ($_[0]) AS v"))[0] })[0] }

sub report {
    my ($name, @options) = @_;
    open my $out, '-|', $mailtrail, 'report', '--db', $db, '--format', 'json', @options, $name or die "$mailtrail: $!\n";
    local $/;
    return decode_json(scalar <$out>)->{reports}[0]{rows};
}

sub total { my $n = 0; $n += $_ for values %{ $_[0] }; return $n }

my $ok = system("'$mailtrail' ingest --quiet --db '$db' --config '$town/mailtrail.conf' '$town' 2>'$tmp/said'") == 0;
is($ok ? 1 : 0, 1, 'ingested');
is(value('SELECT count(*) FROM unparsed'), 0, 'every line is understood');
is(value('SELECT group_concat(name) FROM (SELECT name FROM server ORDER BY name)'), 'hub,srv1', 'two servers');
is(value("SELECT date(min(at), 'unixepoch') || ' ' || date(max(at), 'unixepoch') FROM events"), '2026-07-01 2026-07-07', 'a week of 2026');

# ---- mail ----
my $new = "FROM messages WHERE server = 'srv1' AND received IS NOT NULL AND copy_of IS NULL";
my $made_here = "(ip IS NULL OR sender = 'ls\@shop-one.example')";        # -oMa: a local user may say another address
my $from_clients = "$new AND NOT $made_here AND sender <> 'swaks\@sender2.example'";
is(value("SELECT count(*) $from_clients"), $truth->{messages_smtp}, 'messages from clients');
is(value("SELECT sum(recipients) $from_clients"), $truth->{recipients_smtp}, 'their recipients');
is(value("SELECT sum(fakereject) $new"), $truth->{fakereject}, 'accepted, though the client was told otherwise');
is(value("SELECT count(*) $from_clients AND auth IS NOT NULL"), $truth->{authenticated}, 'of authenticated clients');
is(value("SELECT count(*) $from_clients AND tls IS NOT NULL"), $truth->{encrypted}, 'encrypted');
is(value("SELECT count(*) $new AND $made_here AND parent_exim_id IS NULL"), $truth->{messages_local}, 'messages made on the machine');
is(value("SELECT count(*) FROM deliveries WHERE server = 'srv1' AND kind IN ('delivered', 'additional')
           AND transport IN ('virtual_localdelivery', 'catchall_file', 'address_file')"), $truth->{mailbox_copies}, 'copies in mailboxes');
is(value("SELECT count(*) FROM deliveries WHERE server = 'srv1' AND kind IN ('delivered', 'additional', 'cutthrough')
           AND transport = 'remote_smtp'"), $truth->{far_deliveries}, 'recipients that far servers took');
is(value("SELECT group_concat(exim_id, ' ') FROM (SELECT exim_id FROM messages WHERE server = 'srv1'
           AND state IN ('queued', 'frozen') ORDER BY 1)"), join(' ', @{ $truth->{queue} }), 'the queue at the end');
is(value("SELECT count(*) FROM messages WHERE server = 'srv1' AND copy_of IS NOT NULL"),
   value("SELECT count(*) FROM messages WHERE server = 'srv1' AND protocol = 'spam-scanned'"), 'what the scanner gave back is no new mail');

# ---- refused ----
for my $stage (sort keys %{ $truth->{refused} }) {
    my $stages = $stage eq 'data' ? "'data', 'predata'" : "'$stage'";
    is(value("SELECT count(*) FROM rejections WHERE server = 'srv1' AND NOT temporary AND stage IN ($stages)"),
       $truth->{refused}{$stage}, "refused: $stage");
}
for my $stage (sort keys %{ $truth->{refused_for_now} }) {
    is(value("SELECT count(*) FROM rejections WHERE server = 'srv1' AND temporary AND stage = '$stage'"),
       $truth->{refused_for_now}{$stage}, "refused for now: $stage");
}

# ---- mailboxes opened, spam ----
for my $service (sort keys %{ $truth->{logins} }) {
    is(value("SELECT count(*) FROM sessions WHERE service = '$service' AND login IS NOT NULL"), $truth->{logins}{$service}, "logins: $service");
}
for my $service (sort keys %{ $truth->{failed_logins} }) {
    is(value("SELECT sum(attempts) FROM auth_failures WHERE server = 'srv1' AND service = '$service'"), $truth->{failed_logins}{$service}, "failed logins: $service");
}
my $third = "FROM sessions WHERE login IS NOT NULL AND service = 'pop3' AND date(at, 'unixepoch') = '2026-07-03'";
is(value("SELECT sum(transfers) $third"), $truth->{fetched}, 'messages fetched on the 3rd');
is(value("SELECT sum(bytes) $third"), $truth->{fetched_bytes}, 'bytes fetched on the 3rd');
is(value("SELECT sum(deleted) $third"), $truth->{deleted}, 'messages deleted on the 3rd');
my $fourth = "FROM scans WHERE date(at, 'unixepoch') = '2026-07-04'";
is(value("SELECT count(*) $fourth"), $truth->{scans_by_call}, 'scans on the 4th');
is(value("SELECT sum(is_spam) $fourth"), $truth->{spam_by_call}, 'spam on the 4th');

# ---- the report says the same ----
my %total = map { $_->{name} => $_ } @{ report('grand-total', '--server', 'srv1') };
is($total{Received}{messages}, value("SELECT count(*) $new"), 'report: received');
is($total{Received}{messages}, $truth->{messages_smtp} + $truth->{messages_local} + ($truth->{messages_swaks} // 0)
   + value("SELECT count(*) $new AND parent_exim_id IS NOT NULL"), 'report: received is what clients and users sent, and bounces');
is($total{Received}{bytes}, value("SELECT sum(size) $new"), 'report: received bytes');
is($total{Rejects}{messages}, total($truth->{refused}), 'report: rejects');
is($total{'Temp Rejects'}{messages}, total($truth->{refused_for_now}), 'report: temporary rejects');
my %transport = map { $_->{transport} => $_ } @{ report('transports', '--server', 'srv1') };
is($transport{remote_smtp}{messages} + value("SELECT count(*) FROM deliveries WHERE server = 'srv1' AND kind = 'additional'
   AND transport = 'remote_smtp'"), $truth->{far_deliveries}, 'report: deliveries to far servers');
is($transport{virtual_localdelivery}{messages} + $transport{catchall_file}{messages} + $transport{address_file}{messages},
   $truth->{mailbox_copies}, 'report: deliveries to mailboxes');
my %user = map { ("$_->{service} $_->{user}" => $_->{sessions}) } @{ report('sessions-by-user', '--top', 100000) };
is(total(\%user), total($truth->{logins}), 'report: sessions');

# ---- and where sums are made for it, it says what its SELECT says in the plain shell ----
sub text {
    return join "\n", map { my $row = $_; join "\t", map { my $v = $row->{$_} // ''; "$_=" . ($v =~ /^-?\d+\.\d+(?:e[+-]\d+)?$/ ? sprintf('%.10g', $v) : $v) }
                            sort keys %$row } @_;
}

sub shell {
    my ($path, $top, $each) = @_;
    open my $out, '-|', 'sqlite3', '-readonly', '-json', '-cmd', '.parameter init', '-cmd', ".parameter set :top $top",
        '-cmd', ".parameter set :each \"'$each'\"", $db, "\n" . slurp($path) or die "sqlite3: $!\n";
    my $text = do { local $/; <$out> };
    return defined $text && $text =~ /\S/ ? @{ JSON::PP->new->decode(decode('UTF-8', $text)) } : ();
}

for my $path (glob "$root/reports/*.sql") {
    my $source = slurp($path);
    next if $source !~ /^-- (?:sums|top|domains|names):/m;
    my ($name) = $source =~ /^-- report: +(\S+)/m;
    my ($each) = $source =~ /^-- each: +(.+)/m;
    for my $top (1, 3, 50) {
        open my $out, '-|', $mailtrail, 'report', '--db', $db, '--format', 'json', '--top', $top, $name or die "$mailtrail: $!\n";
        my $said = decode_json(do { local $/; <$out> });
        my @variants = split /, */, $each // '';
        is(join("\n\n", map { text(@{ $_->{rows} }) } @{ $said->{reports} }),
           join("\n\n", map { text(shell($path, $top, $_)) } @variants ? @variants : ('')), "$name, top $top: as in the shell");
    }
}

print "1..$tests\n";
