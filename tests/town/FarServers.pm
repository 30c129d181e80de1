# The far mail servers of the town: one port, a behaviour for each address of 127/8.  Each answer that they give is
# written down, one JSON line each, in the file that the driver reads.
package FarServers;
use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(O_APPEND O_CREAT O_WRONLY);
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();

our @EXPORT_OK = qw(serve);

my ($record, $state);
my $json = JSON::PP->new->canonical->latin1;

sub note { syswrite $record, $json->encode({ at => time, @_ }) . "\n"; return }

# How often this was asked before, by any connection.
sub times_before {
    my ($key) = @_;
    my $name = "$state/" . unpack 'H*', $key;
    my $n = 0;
    $n++ while !mkdir "$name.$n";
    return $n;
}

# What each kind of server says to RCPT; undef: yes.
my %rcpt = (
    pick => sub {
        my (undef, $to) = @_;
        return '550 5.1.1 no such user here' if $to =~ /^gone/;
        return '552 5.2.2 mailbox is full' if $to =~ /^full/;
        return '452 4.2.2 over quota, later perhaps' if $to =~ /^slow/ && times_before("slow @_") < 2;
        return;
    },
    grey => sub { return times_before("grey @_") ? undef : '451 4.7.1 greylisted, come back later' },
    never => sub { return '450 4.2.1 mailbox is busy' },
    senders => sub { return $_[1] =~ /^vanished/ ? '550 5.1.1 nobody of that name' : undef },
);

sub talk {
    my ($kind, $client) = @_;
    my ($from, $from_told, @to) = ('', 0);
    my $say = sub { print $client "$_[0]\r\n" };
    $client->autoflush(1);
    if ($kind eq 'mute' && times_before('mute') < 2) { 1 while <$client>; return }
    if ($kind eq 'busy' && times_before('busy') < 2) {
        note(what => 'connect', kind => $kind, answer => '421 4.3.2 too many connections');
        return $say->('421 4.3.2 too many connections');
    }
    $say->("220 mx.$kind.example at your service");
    while (defined(my $line = <$client>)) {
        $line =~ s/\r?\n$//;
        if ($line =~ /^EHLO|^HELO/i) { $say->("250 mx.$kind.example") }
        elsif ($line =~ /^MAIL FROM:<(.*?)>/i) { $from = $1; @to = (); $say->('250 2.1.0 sender fine') }
        elsif ($line =~ /^RCPT TO:<(.*?)>/i) {
            my $to = $1;
            my $answer = ($rcpt{$kind} // sub { undef })->($from, $to);
            note(what => 'rcpt', kind => $kind, from => $from, to => $to, answer => $answer) if defined $answer;
            push @to, $to if !defined $answer;
            $say->($answer // '250 2.1.5 recipient fine');
        }
        elsif ($line =~ /^DATA/i) {
            if (!@to) { $say->('503 5.5.1 no recipients'); next }
            $say->('354 go on');
            my $text = '';
            while (defined($line = <$client>)) {
                $line =~ s/\r\n$/\n/;
                last if $line eq ".\n";
                $line =~ s/^\.//;
                $text .= $line;
            }
            my ($mid) = $text =~ /^Message-I[dD]: (\S+)/m;
            my $answer = $kind eq 'strict' ? '550 5.7.1 content refused, see policy'
                : $kind eq 'later' && !times_before("later $mid") ? '451 4.3.0 try that again'
                : '250 2.0.0 taken as ' . (1000 + times_before('taken'));
            $answer = '' if $kind eq 'drop' && times_before("drop $mid") < 1;
            note(what => 'data', kind => $kind, from => $from, to => [@to], answer => $answer, text => $text);
            return if $answer eq '';
            $say->($answer);
        }
        elsif ($line =~ /^RSET/i) { $say->('250 2.0.0 fresh') }
        elsif ($line =~ /^QUIT/i) { $say->('221 2.0.0 bye'); return }
        else { $say->('500 5.5.2 pardon') }
    }
}

# Serves sockets (socket => kind) until it is told to end, at most for so many seconds; returns its pid.
sub serve {
    my ($file, $folder, $seconds, @servers) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    $SIG{TERM} = $SIG{INT} = $SIG{ALRM} = sub { POSIX::_exit(0) };
    $SIG{CHLD} = 'IGNORE';
    alarm $seconds;
    $state = $folder;
    sysopen $record, $file, O_WRONLY | O_APPEND | O_CREAT, 0644 or POSIX::_exit(1);
    my %kind = map { $_->[0]->fileno => $_->[1] } @servers;
    my $select = IO::Select->new(map { $_->[0] } @servers);
    while (1) {
        for my $server ($select->can_read) {
            my $client = $server->accept or next;
            my $child = fork;
            if (defined $child && !$child) {
                alarm 30;
                talk($kind{ $server->fileno }, $client);
                close $client;
                POSIX::_exit(0);
            }
            close $client;
        }
    }
}

1;
