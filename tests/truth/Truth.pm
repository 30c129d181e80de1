# What the driver of the corpora recorded, set against what mailtrail holds.  Every difference is a gap:
# (what, key, expected, got).  Addresses and texts are compared as octets.
package Truth;
use strict;
use warnings;
use JSON::PP;
use Exporter 'import';
our @EXPORT_OK = qw(records rows slurp contents gaps_of_set logged_recipients refusals_of sessions_of);

my $json = JSON::PP->new;

sub slurp {
    my ($path) = @_;
    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar <$in>;
}

# Texts come as octets: what is a character in JSON is its UTF-8 here.
sub octets {
    my ($value) = @_;
    if (ref $value eq 'ARRAY') { return [ map { octets($_) } @$value ] }
    if (ref $value eq 'HASH') { return { map { octets($_) => octets($value->{$_}) } keys %$value } }
    return $value if !defined $value || ref $value;
    my $copy = "$value";
    utf8::encode($copy);
    return $copy;
}

sub records {
    my ($path) = @_;
    return () if !-e $path;
    return map { octets(JSON::PP->new->utf8->decode($_)) } grep { /\S/ } split /\n/, slurp($path);
}

sub rows {
    my ($db, $sql) = @_;
    open my $out, '-|', 'sqlite3', '-readonly', '-json', $db, $sql or die "sqlite3: $!\n";
    binmode $out;
    my $text = do { local $/; <$out> };
    close $out or die "sqlite3 failed: $sql\n";
    return () if !defined $text || $text !~ /\S/;
    return @{ octets_of_rows($json->decode($text)) };
}

# sqlite3 prints characters above U+00FF as they are; JSON::PP saw octets, and \u only for controls.
sub octets_of_rows { return $_[0] }

# All rows that tell what the logs say; the sources apart.
sub contents {
    my ($db) = @_;
    my $text = '';
    for my $table (qw(messages deliveries rejections scans sessions auth_failures events unparsed)) {
        my @lines;
        for my $row (rows($db, "SELECT * FROM $table")) {
            push @lines, join("\t", $table, map { $row->{$_} // '' } grep { $_ ne 'path' && $_ ne 'line' } sort keys %$row) . "\n";
        }
        $text .= join '', sort @lines;
    }
    return $text;
}

# ---- counting with keys -------------------------------------------------------------------------

sub compare_counts {
    my ($gaps, $what, $expected, $got) = @_;
    my %keys = map { $_ => 1 } keys %$expected, keys %$got;
    for my $key (sort keys %keys) {
        my ($e, $g) = ($expected->{$key} // 0, $got->{$key} // 0);
        push @$gaps, [ $what, $key, $e, $g ] if $e ne $g;
    }
}

# ---- mail ---------------------------------------------------------------------------------------

my $HOST = 'srv1.hostpanel.example';

# The address as Exim takes it: without a source route, rewritten by the one rule there is, qualified.
sub envelope {
    my ($address) = @_;
    $address =~ s/^\@[^:]*://;
    $address =~ s/^rewriteme\@/rewritten\@/;
    $address .= "\@$HOST" if $address ne '' && $address !~ /\@/;
    return $address;
}

sub client_ip { my ($t) = @_; return $t->{proxy} ? $t->{proxy}[0] : $t->{src} }

sub accepted {
    my ($t) = @_;
    return $t->{case} ne 'op' && $t->{exim_id} && $t->{accepted};
}

# The driver wrote octets that are no UTF-8 as \xNN.
sub sent {
    my ($text) = @_;
    $text =~ s/\\x([89a-f][0-9a-f])/chr hex $1/ge;
    return $text;
}

# A final address stands in the log without its quotes.
sub unquoted {
    my ($address) = @_;
    if ($address =~ /^"((?:[^"\\]|\\.)*)"(\@.*)?$/s) {
        my ($local, $domain) = ($1, $2 // '');
        $local =~ s/\\(.)/$1/gs;
        $address = $local . $domain;
    }
    return lower($address);
}

sub lower { my ($text) = @_; $text =~ tr/A-Z/a-z/; return $text }

# Exim logs id= only of a Message-ID of one dot-string or quoted string on each side.
sub logged_mid {
    my ($mid) = @_;
    return undef if !defined $mid || $mid !~ /^<([^<>\s"]{1,255}|"[^"]*"\@[^<>\s"]+)>$|^([^<>\s"]+)$/s;
    my $text = sent($1 // $2);
    return $text;
}

# How many recipients `for` lists: those that the RCPT ACL discards only where it discards all.
sub logged_recipients {
    my ($t) = @_;
    my @rcpts = grep { ($_->[1] // '') =~ /^2/ } @{ $t->{rcpts} };
    my @kept = grep { $_->[0] !~ /^discard/ } @rcpts;
    return $t->{case} eq 'discard' && @kept ? scalar @kept : scalar @rcpts;
}

# What the log shows of control bytes: three octal digits behind #.
sub shown {
    my ($text) = @_;
    $text =~ s/([\x00-\x1f\x7f])/sprintf '#%03o', ord $1/ge;
    return $text;
}

# The log names a virtual mailbox by its local part; its domain is that of the original address, or for a
# system alias, whichever still waits for this message.
sub boxes_of {
    my ($local, $domain, $id, $want, $have) = @_;
    return "$domain/$local" if $want->{"$domain/$local $id"};
    for my $key (sort keys %$want) {
        return $1 if $key =~ m{^(.*/\Q$local\E) \Q$id\E$}s && ($have->{$key} // 0) < $want->{$key};
    }
    return "$domain/$local";
}

sub gaps_of_mail {
    my ($dir, $db) = @_;
    my @gaps;
    my @truth = records("$dir/truth.jsonl");
    my @messages = rows($db, "SELECT * FROM messages WHERE server = 'srv1' ORDER BY exim_id");
    my @deliveries = rows($db, "SELECT * FROM deliveries WHERE server = 'srv1' ORDER BY exim_id, at, recipient");
    my %message = map { $_->{exim_id} => $_ } @messages;
    my (%delivery, %by_mid, %mid_sent);
    push @{ $delivery{ $_->{exim_id} } }, $_ for @deliveries;
    for (@messages) { push @{ $by_mid{ $_->{message_id} } }, $_ if defined $_->{message_id} }
    my %known;
    my %touched = map { $_->{exim_id} => 1 } grep { $_->{case} eq 'op' } @truth;

    my $differ = sub {
        my ($what, $id, $expected, $got) = @_;
        $_ //= '(none)' for $expected, $got;
        push @gaps, [ "message.$what", $id, $expected, $got ] if $expected ne $got;
    };

    for my $t (grep { $_->{case} ne 'op' && $_->{accepted} && defined $_->{mail_from} && $_->{data_resp} } @truth) {
        my $id = $t->{exim_id};
        my $fake = $t->{data_resp} =~ /fake rejection/ ? 1 : 0;
        if ($fake) {
            my @m = @{ $by_mid{ logged_mid($t->{message_id}) // '' } || [] };
            if (@m != 1) { push @gaps, [ 'message', "fakereject $t->{message_id}", 1, scalar @m ]; next }
            $id = $m[0]{exim_id};
        }
        my $m = $message{$id};
        $known{$id} = 1;
        if (!$m || !defined $m->{received}) { push @gaps, [ 'message', $id, 'received', 'missing' ]; next }
        $differ->('fakereject', $id, $fake, $m->{fakereject});
        $differ->('sender', $id, shown(envelope($t->{mail_from})), $m->{sender});
        $differ->('ip', $id, client_ip($t), $m->{ip});
        my $helo = shown(sent($t->{helo}));
        $helo = $m->{host} if defined $m->{host} && !defined $m->{helo} && (lower($helo) eq $m->{host} || $helo eq "[$m->{ip}]");
        $differ->('helo', $id, $helo, $m->{helo} // $m->{host});
        my ($auth, $auth_id) = $t->{auth} && $t->{auth}[2] =~ /^235/ ? @{ $t->{auth} }[ 0, 1 ] : ();
        $differ->('auth', $id, $auth, $m->{auth});
        $differ->('auth_id', $id, $auth_id, $m->{auth_id});
        $differ->('tls', $id, $t->{tls} ? 1 : 0, defined $m->{tls} ? 1 : 0);
        $differ->('message_id', $id, logged_mid($t->{message_id}), $m->{message_id});
        my $more = $m->{size} - $t->{bytes};
        push @gaps, [ 'message.size', $id, $t->{bytes}, $m->{size} ] if $more < 0 || $more > 2500;
        my $late = $t->{t} - $m->{received};
        push @gaps, [ 'message.received', $id, int $t->{t}, $m->{received} ] if $late < -1 || $late > 6;
        my $discards = $t->{case} eq 'discard';
        $differ->('recipients', $id, logged_recipients($t), $m->{recipients}) if defined $m->{recipients};
        my @rcpts = grep { ($_->[1] // '') =~ /^2/ } @{ $t->{rcpts} };
        @rcpts = map { envelope($_->[0]) } grep { ($_->[2] // '2') =~ /^2/ } @rcpts;        # PRDR: each answered again
        next if $t->{case} =~ /^oddmsg:(?:freeze|fail|extra)/;      # the system filter took them
        my @here = @{ $delivery{$id} || [] };
        my %want = map { lower($_) => 1 } @rcpts;
        my %have = map { lower($_->{original}) => 1 } @here;
        if ($discards) {
            my $all = ($t->{subject} // '') =~ /DISCARD-ME/;
            my @gone = grep { $all || /^discard/ } keys %want;
            delete @want{@gone};
            $want{blackhole} = 1 if !%want;
        }
        my %final = map { my ($domain) = $_->{original} =~ /(\@[^\@]*)$/; lower($_->{recipient} =~ /\@/ ? $_->{recipient} : $_->{recipient} . ($domain // '')) => 1 } @here;
        # An operator froze, cancelled or readdressed it.
        %have = (%have, %want), delete $have{"added\@ok.example"} if $touched{$id};
        for (sort keys %want) { push @gaps, [ 'message.recipient', "$id $_", 'delivery', 'none' ] if !$have{$_} && !$final{$_} }
        for (sort keys %have) { push @gaps, [ 'message.recipient', "$id $_", 'none', 'delivery' ] if !$want{$_} }
    }

    # Submitted on the machine itself: no id was told, the Message-ID finds it.
    my @local = grep { $_->{case} =~ /^(?:local:|longline:many|localsmtp|bsmtp)/ } @truth;
    for my $t (@local) {
        my @ids = $t->{batch} ? map { $_->{message_id} } @{ $t->{batch} } : $t->{accepted} ? ($t->{message_id}) : ();
        for my $mid (grep { defined } @ids) {
            my @m = grep { ($_->{protocol} // '') ne 'spam-scanned' } @{ $by_mid{ logged_mid($mid) // '' } || [] };
            if (@m != 1) { push @gaps, [ 'local', "$t->{case} $mid", 1, scalar @m ]; next }
            $known{ $m[0]{exim_id} } = 1;
            next if !defined $t->{mail_from};
            $differ->('sender', $m[0]{exim_id}, envelope($t->{mail_from}), $m[0]{sender});
            $differ->('local_user', $m[0]{exim_id}, $t->{user}, $m[0]{local_user});
        }
    }

    # The rest must be of the server's own making.
    my $swaks = 0;
    for my $m (@messages) {
        my $id = $m->{exim_id};
        if (($m->{protocol} // '') eq 'spam-scanned') {
            my $of = $m->{copy_of};
            my @parents = grep { ($_->{protocol} // '') ne 'spam-scanned' && defined $_->{message_id} && $_->{message_id} eq ($m->{message_id} // "\0") } @messages;
            push @gaps, [ 'copy', $id, join('|', map { $_->{exim_id} } @parents), $of // '(none)' ]
                if !defined $of || !grep { $_->{exim_id} eq $of } @parents;
            next;
        }
        push @gaps, [ 'copy', $id, '(none)', $m->{copy_of} ] if defined $m->{copy_of};
        next if $known{$id};
        if ($m->{sender} eq 'swaks@sender2.example') { $swaks++; next }
        my $kind = !defined $m->{received} ? 'arrival never seen'
                 : defined $m->{parent_exim_id} ? 'bounce'
                 : "other $m->{sender} " . ($m->{local_user} // '-') . ' ' . ($m->{protocol} // '-');
        next if $kind eq 'bounce';
        push @gaps, [ 'message', $id, 'none', $kind ];
    }

    my $swaks_sent = grep { $_->{case} eq 'swaks' && defined $_->{rc} && !$_->{rc} && "@{ $_->{args} }" !~ /quit-after/ } @truth;
    push @gaps, [ 'swaks', 'messages', $swaks_sent, $swaks ] if $swaks_sent != $swaks;

    # Copies in mailboxes.
    my (%box_want, %box_have);
    if (-e "$dir/mailbox_truth.json") {
        my $boxes = octets(JSON::PP->new->utf8->decode(slurp("$dir/mailbox_truth.json")));
        for my $box (keys %$boxes) { $box_want{"$box $_"} = $boxes->{$box}{$_} for keys %{ $boxes->{$box} } }
        for my $d (@deliveries) {
            next if $d->{kind} !~ /^(?:delivered|additional)$/;
            my ($to, $how) = ($d->{recipient}, $d->{transport} // '');
            my ($domain) = $d->{original} =~ /\@([^\@]*)$/;
            my $box = $how eq 'virtual_localdelivery' ? boxes_of($to, $domain, $d->{exim_id}, \%box_want, \%box_have)
                    : $how eq 'local_delivery' && $to =~ /^([^\@]*)/ ? "system/$1"
                    : $how eq 'catchall_file' ? 'weird.mbox'
                    : $how eq 'address_file' && $to =~ m{/mail/(.*)$} ? $1 : next;
            $box_have{"$box $d->{exim_id}"}++;
        }
        compare_counts(\@gaps, 'mailbox', \%box_want, \%box_have);
    }

    # What the far servers took, and with what words.
    my (%sink_want, %sink_have, %bad_want, %bad_have);
    for my $k (records("$dir/sink_truth.jsonl")) {
        if ($k->{ev} eq 'data' && $k->{resp} =~ /^2/) {
            $sink_want{ join ' ', $k->{exim_id} // '-', unquoted($_) }++ for @{ $k->{rcpts} };
        }
    }
    for my $d (@deliveries) {
        next if ($d->{transport} // '') ne 'remote_smtp' || $d->{kind} !~ /^(?:delivered|additional|cutthrough)$/;
        $sink_have{ join ' ', $d->{exim_id}, lower($d->{recipient}) }++;
    }
    compare_counts(\@gaps, 'sink', \%sink_want, \%sink_have);

    # The queue.
    my %queue_want;
    for (split /\n/, -e "$dir/queue_at_end.txt" ? slurp("$dir/queue_at_end.txt") : '') {
        next if !/^\s*\S+\s+\S+ (\S+) </;
        my $id = $1;
        $queue_want{ $id . (/frozen/ ? ' frozen' : ' queued') } = 1;
    }
    my %queue_have = map { +"$_->{exim_id} $_->{state}" => 1 } grep { $_->{state} !~ /^(?:completed|retracted)/ } @messages;
    compare_counts(\@gaps, 'queue', \%queue_want, \%queue_have);
    return @gaps;
}

# ---- refusals -----------------------------------------------------------------------------------

# What each record says was refused, as Exim logs it: (stage, ip, code, address).  Exim logs nothing of a command that
# it cannot read (501, 504, 500), one line for all recipients over the limit, and no sender where there was no HELO.
sub refusals_of {
    my (@truth) = @_;
    my (%tried, @refusals);     # authfail.more goes on with the name of its connection
    for my $t (@truth) {
        my $socket = ($t->{src} // '') . ' ' . ($t->{sport} // '');
        $tried{$socket} = [ client_ip($t), $t->{auth}[1] ] if $t->{case} eq 'authfail';
        push @refusals, $t->{case} ne 'authfail.more' ? refusals_of_one($t)
            : map { [ 'authfail', $tried{$socket}[0], 5, $tried{$socket}[1] ] } grep { /^535/ } @{ $t->{resp} };
    }
    return @refusals;
}

sub refusals_of_one {
    my ($t) = @_;
    my $ip = $t->{src} ? client_ip($t) : undef;
    my ($case, $kind) = split /:/, $t->{case}, 2;
    my @out;
    my $say = sub {
        my ($stage, $reply, $address) = @_;
        return if !defined $reply || $reply !~ /^[45]\d\d/ || $reply =~ /^50[014]/ || $reply =~ /fake rejection/;
        my $code = substr $reply, 0, 1;
        $address = '' if $reply =~ /^503 HELO/;
        push @out, [ $stage, $ip, $code, $address // '' ];
    };
    my @resp = ref $t->{resp} ? @{ $t->{resp} } : defined $t->{resp} ? ($t->{resp}) : ();
    if ($case eq 'connreject') { $say->('connect', $resp[0]) }
    elsif ($case eq 'heloreject') {
        push @out, [ 'helo', $ip, 5, '' ] if $resp[0] =~ /^[45]/;
        $say->('mail', $resp[1]);
    }
    elsif ($case eq 'authfail') { $say->('authfail', $t->{auth}[2], set_id(@{ $t->{auth} })) }
    elsif ($case eq 'authodd') {
        if ($kind =~ /^(?:bad|cancel)$/) { push @out, [ 'authfail', $ip, 5, '' ] }
        else { $say->('auth', $resp[-1]) }
    }
    elsif ($t->{case} eq 'toobig:size') { $say->('mail', $resp[0], 'big@sender1.example') }
    elsif ($case eq 'localblocked') { push @out, [ 'local', '-', 5, 'www-blocked@shop-one.example' ] }
    elsif ($case eq 'swaks') {
        my $args = "@{ $t->{args} }";
        push @out, [ 'authfail', '127.1.0.2', 5, 'user1' ] if $args =~ /--ap bad/;
        push @out, [ 'rcpt', '127.1.0.2', 5, $1 ] if $args =~ /--to (nosuch\S+)/;
    }
    elsif ($case eq 'protoerr') {
        push @out, [ 'other', $ip, 5, '' ] if $kind =~ /^(?:nonmail|synprot|badrcpt|unknown|http)$/;
        push @out, [ 'mail', $ip, 5, 'unqualified' ] if $kind eq 'badmail';
        push @out, [ 'rcpt', $ip, 5, 'unq' ] if $kind eq 'badrcpt';
        push @out, [ 'mail', $ip, 5, '' ] if $kind eq 'nohelo';
        push @out, [ $kind, $ip, 5, '' ] if $kind =~ /^(?:expn|etrn)$/;
        push @out, ([ $kind, $ip, 5, '' ]) x 2 if $kind eq 'vrfy';
    }
    elsif (@resp || $case eq 'op') { }
    else {
        my $from = envelope($t->{mail_from} // '');
        $say->('helo', $t->{helo_resp});
        $say->('mail', $t->{mail_resp}, $from);
        push @out, [ 'starttls', $ip, 5, '' ] if $case eq 'tlscerts' && ($ip // '') eq '127.33.0.1';
        my $full = 0;
        for my $r (@{ $t->{rcpts} || [] }) {
            if (($r->[1] // '') =~ /^452 too many/) { $say->('rcpt', $r->[1]) if !$full++ }
            else { $say->('rcpt', $r->[1], $r->[0]) }
            $say->('prdr', $r->[2], $r->[0]);
        }
        $say->('data', $t->{data_resp}, $case eq 'predata' ? '' : $from);
    }
    return @out;
}

# CRAM-MD5 ends a name at its first blank.
sub set_id {
    my ($method, $user) = @_;
    $user =~ s/ .*//s if $method eq 'cram';
    return $user;
}

sub gaps_of_refusals {
    my ($dir, $db) = @_;
    my (@gaps, %want, %have);
    for (refusals_of(records("$dir/truth.jsonl"))) {
        my ($stage, $ip, $code, $address) = @$_;
        $want{"$stage $ip ${code}xx " . shown($address)}++;
    }
    for my $r (rows($db, "SELECT r.*, m.ip AS client FROM rejections r LEFT JOIN messages m USING (server, exim_id) WHERE server = 'srv1'")) {
        my $stage = $r->{stage};
        if ($stage eq 'data' && defined $r->{recipient}) {
            $have{"prdr $r->{client} 5xx $r->{recipient}"}++;
            next;
        }
        my $address = $stage eq 'rcpt' ? $r->{recipient} : $stage =~ /^(?:mail|data|predata|local)$/ ? $r->{sender} : '';
        $stage = 'data' if $stage eq 'predata';
        $have{ join ' ', $stage, $r->{ip} // '-', $r->{temporary} ? '4xx' : '5xx', $address // '' }++;
    }
    for my $r (rows($db, "SELECT * FROM auth_failures WHERE server = 'srv1' AND service = 'smtp'")) {
        $have{ join ' ', 'authfail', $r->{ip} // '-', '5xx', $r->{user} // '' }++;
    }
    compare_counts(\@gaps, 'refused', \%want, \%have);
    return @gaps;
}

# ---- mailboxes opened ---------------------------------------------------------------------------

# The logins that a client saw succeed, the failures, and what the server said of the mailbox.  vm-pop3d-cc logs no
# failure.  An AUTHENTICATE that is no mechanism of the server's (BAD) is a failed login too.  A second session that
# finds the first one's lock comes from an address of its own, which the driver did not note: "?".
sub sessions_of {
    my ($t) = @_;
    my $imap = $t->{svc} =~ /imap/;
    my $ok = $imap ? qr/^a OK \[CAPABILITY/ : qr/^\+OK (?:Mailbox open|Logged in|opened (?:shared )?mailbox)/;
    my $no = $imap ? qr/^a (?:NO (?:Invalid login|Invalid auth|\[AUTH)|BAD Command unrecognized: AUTHENTICATE)/
                   : qr/^-ERR (?:Bad login|\[AUTH\]|Bad authentication)/;
    my ($ip, $last, @out) = ($t->{src});
    for my $reply (@{ $t->{replies} }) {
        if ($reply eq 'second:') { ($ip, $last) = ('?') }
        elsif ($reply =~ $ok) { push @out, $last = { ok => 1, ip => $ip } }
        elsif ($reply =~ $no) { push @out, { ok => 0, ip => $ip } if $t->{svc} !~ /vm-pop3d/ }
        elsif ($last && !$imap && $reply =~ /^\+OK (\d+) \d+$/) { $last->{messages} //= $1 }
        elsif ($last && $reply =~ /^\+OK Message (?:\d+ marked|deleted)|^\+OK Marked to be deleted/) { $last->{deleted}++ }
    }
    return @out;
}

# A key with "?" takes any that is left and fits.
sub settle_unknown {
    my ($want, $have) = @_;
    for my $key (grep { / \? / } sort keys %$want) {
        (my $like = quotemeta $key) =~ s/\\ \\\?\\ / \\S+ /;
        for my $found (grep { /^$like$/ && $have->{$_} > ($want->{$_} // 0) } sort keys %$have) {
            while ($want->{$key} && $have->{$found} > ($want->{$found} // 0)) { $want->{$key}--; $want->{$found}++ }
        }
    }
}

sub gaps_of_sessions {
    my ($dir, $db) = @_;
    my (@gaps, %want, %have, %fail_want, %fail_have);
    for my $t (records("$dir/pop_truth.jsonl")) {
        next if !$t->{svc} || $t->{svc} =~ /^noise/;
        my $service = $t->{svc} =~ /imap/ ? 'imap' : 'pop3';
        my $user = $t->{user};
        $user =~ s/[:!;]/\@/ if $t->{svc} =~ /vm-pop3d/;
        for my $session (sessions_of($t)) {
            if (!$session->{ok}) { $fail_want{"$service $session->{ip}"}++; next }
            $want{"$service $session->{ip} $user"}++;
        }
    }
    return () if !%want;
    $have{"$_->{service} " . ($_->{ip} // '-') . ' ' . ($_->{user} // '-')}++
        for rows($db, "SELECT * FROM sessions WHERE login IS NOT NULL");
    $fail_have{"$_->{service} " . ($_->{ip} // '-')} += $_->{attempts}
        for rows($db, "SELECT * FROM auth_failures WHERE service <> 'smtp'");
    settle_unknown(\%want, \%have);
    compare_counts(\@gaps, 'login', \%want, \%have);
    compare_counts(\@gaps, 'login failed', \%fail_want, \%fail_have);
    return @gaps;
}

# The driver noted names octet by octet.  vm-pop3d reads a line to its first NUL or CR, takes the first of its
# separators for the @, and the local part in lower case.
sub tried_name {
    my ($name) = @_;
    utf8::decode($name);
    utf8::downgrade($name);
    $name =~ s/^APOP (.*) [0-9a-f]{32}$/$1/s;
    $name =~ s/ \(no PASS sent\)$//;
    $name =~ s/[\x00\r].*//s;
    $name =~ s/^(.[^\@%!:;]*)[%!:;]/$1\@/;
    $name =~ s/^([^\@]*)/lower($1)/e;
    return shown($name);
}

# vm-pop3d of DirectAdmin, and imapd beside it: each session with its figures.
sub gaps_of_pop3d {
    my ($dir, $db) = @_;
    my (@gaps, %want, %have, %fail_want, %fail_have);
    for my $t (records("$dir/truth.jsonl")) {
        my $service = $t->{svc} eq 'imapd' ? 'imap' : 'pop3';
        my $ip = $t->{ip} // '-';
        $fail_want{"$service $ip " . tried_name($_)}++ for @{ $t->{fails} || [] };
        $ip = '-' if $ip eq 'localhost';
        next if !@{ $t->{logins} || [] } && !($t->{kind} eq 'localhost' && $t->{outcome} eq 'quit') && !(($t->{replies}[0] // "") =~ m{^a OK \[CAP});
        my $bytes = 0;
        $bytes += $_->[1] for @{ $t->{retr} || [] };
        my $quit = ($t->{outcome} // '') eq 'quit';
        my @figures = $service eq 'imap' ? () : ('nmsgs=' . ($t->{nmsgs} // '-'), 'retr=' . @{ $t->{retr} }, "bytes=$bytes",
            'dele=' . ($quit ? scalar @{ $t->{dele} } : '-'));
        $want{ join ' ', $service, $ip, $t->{user} // '-', @figures }++;
    }
    for my $s (rows($db, "SELECT * FROM sessions WHERE login IS NOT NULL")) {
        my @figures = $s->{service} eq 'imap' ? () : ('nmsgs=' . ($s->{messages} // '-'), 'retr=' . $s->{transfers},
            'bytes=' . ($s->{bytes} // 0), 'dele=' . ($s->{deleted} // '-'));
        $have{ join ' ', $s->{service}, $s->{ip} // '-', $s->{user} // '-', @figures }++;
    }
    $fail_have{ join ' ', $_->{service}, $_->{ip} // '-', $_->{user} // '-' }++
        for rows($db, "SELECT * FROM auth_failures");
    compare_counts(\@gaps, 'session', \%want, \%have);
    compare_counts(\@gaps, 'login failed', \%fail_want, \%fail_have);
    return @gaps;
}

# ---- spamd --------------------------------------------------------------------------------------

# Each call of spamc that asked for a verdict, and what it was told; the scan has its user, size and second.
sub gaps_of_scans {
    my ($dir, $db) = @_;
    my @gaps;
    my @scans = rows($db, 'SELECT * FROM scans ORDER BY at');
    for my $t (records("$dir/truth.jsonl")) {
        if ($t->{raw} && $t->{raw} =~ /^CHECK .*User: (.*)\r\nContent-length: (\d+)\r\n\r\n(.*)$/s && length $3 == $2) {
            my ($scan) = grep { !$_->{used} && ($_->{user} // '') eq $1 && $_->{size} == $2 } @scans;
            push @gaps, [ 'scan', "raw $1 $2", 'scanned', 'missing' ] if !$scan;
            $scan->{used} = 1 if $scan;
        }
        next if !$t->{opt} || "@{ $t->{opt} }" =~ /^-[KLC]/ || $t->{rc} > 1;
        my $mid = ($t->{message_id} // '') =~ s/^<(.*)>$/$1/sr =~ s/[\x80-\xff]/?/gr;
        my @near = grep { !$_->{used} && ($_->{user} // '(unknown)') eq $t->{user} && $_->{size} == $t->{bytes} && abs($_->{at} - $t->{t}) < 5 } @scans;
        my ($scan) = ((grep { ($_->{message_id} // '') eq $mid } @near), @near);
        my $key = "n=$t->{n} $t->{user} $t->{bytes}";
        if (!$scan) { push @gaps, [ 'scan', $key, 'scanned', 'missing' ]; next }
        $scan->{used} = 1;
        my $told = ref $t->{status} ? $t->{status}[0] : $t->{status};
        my $score = $told =~ /score=(-?[\d.]+) / || $told =~ m{^(-?[\d.]+)/[\d.]+\n} ? $1 + 0 : undef;
        push @gaps, [ 'scan.score', $key, $score, $scan->{score} ] if defined $score && $score != $scan->{score};
        push @gaps, [ 'scan.is_spam', $key, $score >= 5 ? 1 : 0, $scan->{is_spam} ] if defined $score && ($score >= 5 xor $scan->{is_spam});
        my $rules = $told =~ / tests=([A-Z0-9_,]+)/ ? $1 : $t->{opt}[0] && $t->{opt}[0] eq '-y' ? $told =~ s/\s+$//r : '';
        push @gaps, [ 'scan.rules', $key, $rules, $scan->{rules} ] if index("$scan->{rules},", $rules) != 0;
        next if $t->{kind} !~ /^(?:own|exim-id|resent)$/;
        push @gaps, [ 'scan.message_id', $key, $mid, $scan->{message_id} // '(none)' ] if $mid ne ($scan->{message_id} // '');
    }
    push @gaps, [ 'scan', "user=" . ($_->{user} // '-') . " size=$_->{size} mid=" . ($_->{message_id} // '-'), 'none', 'scanned' ] for grep { !$_->{used} } @scans;
    return @gaps;
}

# A copy that came back from the scanner was scanned.
sub gaps_of_copies {
    my ($dir, $db) = @_;
    return map { [ 'copy scanned', $_->{exim_id}, 'scan', 'none' ] } rows($db,
        "SELECT exim_id FROM messages WHERE protocol = 'spam-scanned' AND message_id IS NOT NULL
            AND message_id NOT IN (SELECT message_id FROM scans WHERE message_id IS NOT NULL) ORDER BY 1");
}

sub gaps_of_set {
    my ($dir, $db) = @_;
    return gaps_of_pop3d($dir, $db) if $dir =~ /vm-pop3d-da$/;
    return gaps_of_scans($dir, $db) if $dir =~ /spamd-direct$/;
    return (gaps_of_mail($dir, $db), gaps_of_copies($dir, $db), gaps_of_refusals($dir, $db), gaps_of_sessions($dir, $db));
}

1;
