# Exigrep.pm — what exigrep prints, told a second time: by the rules of the old program, and with each of the faults
# mended that docs/compat.md names.  Written for the tests, where it stands between the real program and ours.
package Exigrep;
use strict;
use warnings;
use Exporter 'import';
use Time::Local qw(timegm);

no warnings 'regexp'; # patterns of the tests are Perl's with all their oddities

our @EXPORT_OK = qw(expected mended parts_of sorted_parts meaning verdict first_difference @mends);

# The mends, by the names that docs/compat.md gives them.  What is not a mend is the same in both.
our @mends = qw(ends order fractions related invert-incomplete invert-case ids syslog);

my $stamp = qr/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? (?:[+-]\d{4} )?/;
my $old_id = qr/\w{6}-\w{6}-\w{2}/;
my $new_id = qr/[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})/;
my $syslog = qr/^(?:<\d+>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) \S+ /;
my $client = qr/(?:H=|U=|F=<).*?(?:F=<.*?> |\] |U=\S+ |> )/;

# Text, stamp, id and rest of a line; nothing: it is none of Exim's.
sub read_line {
    my ($line, $mended) = @_;
    if (!$mended->{syslog}) { $line =~ s/^.*? exim\b.*?: // if $line !~ /^\d{4}-/ }
    elsif ($line !~ /^$stamp/) { $line =~ s/${syslog}exim4?(?:\[\d+\])?: // or return }
    my $id = $mended->{ids} ? qr/$new_id(?=[ \n]|\z)/ : $old_id;
    $line =~ /^($stamp)(?:\[\d+\] )?($id)?/ or return;
    return { text => $line, stamp => $1, id => $2, rest => substr $line, $+[0] };
}

sub ends {
    my ($line, $mended) = @_;
    return $line->{text} =~ /Completed|SMTP data timeout/ || $line->{rest} =~ /^ rejected/ if !$mended->{ends};
    return $line->{rest} =~ /^ Completed(?: QT=|$)/ || $line->{rest} =~ /^ SMTP data timeout/
        || $line->{rest} =~ /^ (?:$client)?(?:temporarily )?rejected (?:after DATA|by |during |from )/
        && $line->{rest} !~ /^ .*?(?:Warning: |SMTP error from remote)/;
}

# Seconds of a stamp; undef: the old program does not read this one.
sub seconds {
    my ($text, $mended) = @_;
    my ($y, $mon, $d, $h, $min, $s, $fraction, $sign, $zh, $zm) =
        $text =~ /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(\.\d+)? (?:([+-])(\d\d)(\d\d))?/;
    my $seconds = timegm($s, $min, $h, $d, $mon - 1, $y);
    $seconds -= ($sign eq '-' ? -60 : 60) * ($zh * 60 + $zm) if $sign;
    return $seconds + ($mended->{fractions} && $fraction ? $fraction : 0);
}

sub matcher {
    my ($o) = @_;
    my $p = $o->{literal} ? quotemeta $o->{pattern} : $o->{pattern};
    my ($exact, $any) = (qr/(?:)$p/, qr/(?:)$p/i);
    return $o->{sensitive} ? (sub { $_[0] =~ $exact }) x 2
        : (sub { $_[0] =~ $any || $_[0] =~ $exact }, sub { $_[0] =~ $exact });
}

# The ids that -M wants, looking both ways.
sub related {
    my ($lines, $matches) = @_;
    my (%names, %wanted, @fresh);
    for my $line (grep { $_->{id} } @$lines) {
        push @fresh, $line->{id} if $matches->($line->{text});
        while ($line->{rest} =~ /(?=($new_id))/g) { push @{ $names{$1} }, $line->{id} }
        push @{ $names{ $line->{id} } }, $1 if $line->{rest} =~ /^ <= <> R=($new_id) /;
    }
    while (defined(my $id = pop @fresh)) {
        push @fresh, @{ $names{$id} // [] } if !$wanted{$id}++;
    }
    return \%wanted;
}

# What is printed for a log: before the end, and then for each message that is not complete.
sub expected {
    my ($log, $o, $mended) = @_;
    my @lines = map { read_line($_, $mended) // () } $log =~ /([^\n]*\n|[^\n]+\z)/g;
    my ($matches, $hides) = matcher($o);
    $hides = $matches if $mended->{'invert-case'};
    my $both_ways = $o->{related} && !$o->{invert} && $mended->{related} ? related(\@lines, $matches) : undef;
    my ($out, %saved, %state, %first, @named, $number) = ('');
    for my $line (@lines) {
        my ($text, $id) = @$line{qw(text id)};
        $number++;
        if (!defined $id) {
            $out .= "$text\n" if $o->{invert} ? !$hides->($text) : $matches->($text);
            next;
        }
        $first{$id} //= $number;
        $saved{$id} .= $text;
        if ($o->{invert}) {
            $state{$id} //= 1;
            $state{$id} = 0 if $matches->($text);
        } elsif ($both_ways) {
            $state{$id} = 1 if $both_ways->{$id};
        } elsif (defined $state{$id} || $matches->($text)) {
            $state{$id} = 1;
            push @named, $id if $o->{related};
        } elsif (grep { index($text, $_) >= 0 } @named) {
            $state{$id} = 1;
        }
        next if !ends($line, $mended);
        my ($begin) = $saved{$id} =~ /^($stamp)/;
        $state{$id} = 0 if defined $o->{queue_time} && $o->{queue_time} != -1 && ($mended->{fractions} || $begin !~ /\./)
            && seconds($line->{stamp}, $mended) - seconds($begin, $mended) <= $o->{queue_time} + 1e-7;
        $out .= "$saved{$id}\n" if $state{$id};
        delete $_->{$id} for \%saved, \%state, \%first;
    }
    my @left = grep { $state{$_} || !$mended->{'invert-incomplete'} } sort { $first{$a} <=> $first{$b} } keys %state;
    return ($out, map { "+++ $_ has not completed +++\n$saved{$_}\n" } @left);
}

# What was printed, taken apart in the same way.
sub parts_of {
    my ($out) = @_;
    my ($head, @incomplete) = split /^(?=\+\+\+ \S+ has not completed \+\+\+$)/m, $out;
    return ('', $head, @incomplete) if defined $head && $head =~ /^\+\+\+ \S+ has not completed/;
    return ($head // '', @incomplete);
}

# All of it as one text, every fault mended.
sub mended { my ($log, $o) = @_; return join '', expected($log, $o, { map { $_ => 1 } @mends }) }

# The same for the same output in another order of what is not complete.
sub sorted_parts { my ($head, @rest) = parts_of($_[0]); return join "\0", $head, sort @rest }

sub first_difference {
    my ($wanted, $got) = map { [split /\n/, $_] } @_;
    for my $i (0 .. (@$wanted > @$got ? $#$wanted : $#$got)) {
        my ($x, $y) = ($wanted->[$i] // '(end)', $got->[$i] // '(end)');
        return 'line ' . ($i + 1) . "\n  wanted: $x\n  got:    $y" if $x ne $y;
    }
    return 'the ends';
}

# What a command line of options and a pattern asks for.
sub meaning {
    my @words = @_;
    my %o;
    while (@words > 1) {
        my $word = shift @words;
        if ($word =~ /^(?:-l|--literal)$/) { $o{literal} = 1 }
        elsif ($word =~ /^(?:-I|--sensitive)$/) { $o{sensitive} = 1 }
        elsif ($word =~ /^(?:-M|--related)$/) { $o{related} = 1 }
        elsif ($word =~ /^(?:-v|--invert)$/) { $o{invert} = 1 }
        elsif ($word =~ /^(?:-t|--queue-time)$/) { $o{queue_time} = shift @words }
        elsif ($word ne '--no-pager') { die "what is $word?\n" }
    }
    $o{pattern} = shift @words;
    return \%o;
}

# Whether the outputs of the old program and of ours are what they ought to be: ours to the octet, the old one as it is
# known to be.  Returns whether, and a reference to the list of mends that make the difference (none: there is none), and what is wrong.
sub verdict {
    my ($log, $o, $old, $ours) = @_;
    my $mended = mended($log, $o);
    return (0, [], 'ours: ' . first_difference($mended, $ours)) if $mended ne $ours;
    my $same = sorted_parts($old) eq sorted_parts($ours);
    return (1, []) if $same;
    my $unmended = join '', expected($log, $o, {});
    return (0, [], 'old: ' . first_difference(sorted_parts($unmended), sorted_parts($old)))
        if sorted_parts($unmended) ne sorted_parts($old);
    my %all = map { $_ => 1 } @mends;
    return (1, [grep { $mended ne join '', expected($log, $o, { %all, $_ => 0 }) } grep { $_ ne 'order' } @mends]);
}

1;
