# Attack.pm — the attack set of tests/fixtures/attack: every place where a stranger's text stands in a line, times every
# forgery.  What a truthful reader must see is known before anybody reads the line.
package Attack;
use strict;
use warnings;
use Exporter qw(import);
our @EXPORT_OK = qw(attempts forgeries places described);

my $STAMP = '2026-11-20 10:00:03'; # the message ids hold 10:00:01

sub lines_of {
    my ($path) = @_;
    open my $in, '<:raw', $path or die "$path: $!\n";
    chomp(my @lines = <$in>);
    close $in;
    return @lines;
}

sub decode { my ($text) = @_; return $text =~ s/\\(?:x([0-9a-f]{2})|(.))/defined $1 ? chr hex $1 : $2/ger }

# [name, bytes] of each forgery.
sub forgeries {
    my ($folder) = @_;
    return map { /^([^#\t]+)\t(.*)/s ? [$1, decode($2)] : () } lines_of("$folder/forgeries");
}

# {name, what, lines} of each place in a file; a line is [line, truth].
sub places {
    my ($path) = @_;
    my (@places, $place);
    for my $line (lines_of($path)) {
        if ($line =~ /^@ (\S+)\t(.*)/) { push @places, $place = {name => $1, what => $2} }
        elsif ($line eq '' || $line =~ /^#/) { undef $place }
        elsif (!$place->{lines} || defined $place->{lines}[-1][1]) { push @{$place->{lines}}, [$line] }
        else { $place->{lines}[-1][1] = $line }
    }
    die "$path: no places\n" if !@places;
    return @places;
}

# ---- how the daemons print a stranger's bytes ----

my %control = ("\n" => '\n', "\r" => '\r', "\b" => '\b', "\013" => '\v', "\f" => '\f', "\0" => '?');
sub printed { my ($text) = @_; return $text =~ s/([^\x20-\x7e\t])/$control{$1} \/\/ sprintf '\\%03o', ord $1/ger }
sub escaped { my ($text) = @_; return $text =~ s/(["\\])/\\$1/gr }
# No line feed and no NUL gets into a command.
sub sent { my ($text) = @_; return $text =~ tr/\n\0/ ?/r }

# Syslog writes control bytes in octal.
sub logged { my ($text) = @_; return $text =~ s/([\x00-\x1f\x7f])/sprintf '#%03o', ord $1/ger }

my %form = (
    raw => \&sent,
    print => \&printed,
    quoted => sub { printed(escaped($_[0])) },
    subject => sub { printed(escaped(substr $_[0] =~ s/[\r\n]/\n /gr, 0, 100)) },
    answer => sub { escaped(printed($_[0])) },
    helo => sub { lc(sent($_[0]) =~ s/ .*//sr) },
    local => sub { '"' . escaped(sent($_[0])) . '"' },
    mixed => sub { printed('"' . escaped($_[0]) . '"') },
    final => sub { lc sent($_[0]) },
    
    bare => \&logged,
    user => sub { logged(substr $_[0], 0, 80) },
    name => sub { logged(substr $_[0], 0, 64) },
    mid => sub { logged($_[0] =~ s/>.*//sr) },
    joined => sub { $_[0] =~ s/>.*//sr =~ s/[\x00-\x1f\x7f\s,]/_/gr },
);
my $forms = join '|', keys %form;

sub filled {
    my ($text, $forgery, $id) = @_;
    my $fill = sub { $_[0] =~ s/\{($forms|id)\}/$1 eq 'id' ? $id : $form{$1}->($forgery)/ger };
    my $nested = qr/((?:[^{}]|\{\w+\})*)/;
    # Exim cuts a command's argument: {cut <{local}@x>} is what is left, {whole {local}@x} the address if all of it is.
    $text =~ s/\{cut $nested\}/substr $fill->($1), 0, 100/ge;
    return undef if $text =~ /^\{whole $nested\}$/ && length $fill->($1) > 98;
    $text =~ s/^\{whole $nested\}$/$fill->($1)/e;
    return $text =~ /\{(?:$forms|id)\}/ ? $fill->($text) : $text;
}

# ---- descriptions, as `mailtrail explain --brief` prints them ----

sub unquoted { my ($value) = @_; return $value =~ s/^"(.*)"$/$1/sr =~ s/\\(?:x([0-9a-f]{2})|(.))/defined $1 ? chr hex $1 : $2/gers }

# {name => value} of a description, with the kind of line under "".
sub described {
    my ($text) = @_;
    my ($what, $rest) = $text =~ /^(\S+)(.*)/s or die "no description: $text\n";
    my %fields = ('' => $what);
    while ($rest =~ /\G (\w+)=("(?:[^"\\]|\\.)*"|\S*)/gc) { $fields{$1} = unquoted($2) }
    die "no description: $text\n" if (pos $rest // 0) != length $rest;
    return \%fields;
}

# The truth about a line: the fields of the template filled, and the frame.
sub truth_of {
    my ($truth, $forgery, $id, $frame) = @_;
    my $fields = described($truth);
    # Control bytes are written as syslog writes them, lest a line be another by its channel.
    $_ = filled($_, $forgery, $id) for values %$fields;
    delete @$fields{grep { !defined $fields->{$_} } keys %$fields};
    $_ = logged($_) for values %$fields;
    return {%$fields, %$frame};
}

# What stands before a line, and what of the frame follows.
sub frame_of {
    my ($line, $truth) = @_;
    return ('', {}) if $truth =~ /^CONTINUATION/;
    return ("$STAMP ", {at => $STAMP =~ tr/ /T/r, frame_tag => 'exim'}) if $line !~ /^(dovecot|[a-z0-9-]+\[(\d+)\]): /;
    my ($tag, $pid) = ($1, $2);
    my %frame = (at => '--11-20T10:00:03', frame_tag => $tag =~ s/\[.*//r, frame_host => 'mx');
    $frame{frame_pid} = $pid if defined $pid;
    return ('Nov 20 10:00:03 mx ', \%frame);
}

# {place, forgery, line, truth, forged} of every line; forged: whether a stranger's text is in it.
sub attempts {
    my ($places, $forgeries) = @_;
    my (@attempts, $messages);
    for my $place (@$places) {
        for my $forgery (@$forgeries) {
            my ($name, $bytes) = @$forgery;
            my $id = sprintf '1xULPV-%06d-AA', $messages++;
            for (@{$place->{lines}}) {
                my ($line, $truth) = @$_;
                my ($head, $frame) = frame_of($line, $truth);
                push @attempts, {place => $place->{name}, forgery => $name, forged => scalar($line =~ /\{(?:$forms)\}/),
                    line => $head . filled($line, $bytes, $id), truth => truth_of($truth, $bytes, $id, $frame)};
            }
        }
    }
    return @attempts;
}

1;
