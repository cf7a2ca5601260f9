# Each user's own learned data, by the recipient's address, for spamd(8p).
#
#     loadplugin GhostInbox::PerUserBayes FILE
#     per_user_bayes DIRECTORY
#
# A user who has moved mail to or from Junk has a directory in there, named by the SHA-256 of the address in lower case,
# without `+extension`: no address is ever a path. What is learned for that user goes there and nowhere else. It decides
# about the user's mail as soon as there is enough of it (bayes_min_spam_num, bayes_min_ham_num); until then, and for
# everybody else, what `bayes_path` holds does.
package GhostInbox::PerUserBayes;

use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Mail::SpamAssassin::Bayes;
use Mail::SpamAssassin::Conf;
use Mail::SpamAssassin::Plugin;
our @ISA = qw(Mail::SpamAssassin::Plugin);

sub new {
  my ($class, $main) = @_;
  my $self = $class->SUPER::new($main);
  bless($self, ref($class) || $class);
  my $type = $Mail::SpamAssassin::Conf::CONF_TYPE_STRING;
  $main->{conf}->{parser}->register_commands([{ setting => 'per_user_bayes', is_admin => 1, type => $type }]);
  return $self;
}

# For each mail, once its recipient is known. SpamAssassin has looked at the data of `bayes_path` by then.
sub signal_user_changed {
  my ($self) = @_;
  my $main = $self->{main};
  $self->{shared} = $main->{conf}->{bayes_path} if !defined $self->{shared};
  $self->{own} = $self->own_path();
  if (!defined $self->{own}) {
    $self->use_path($self->{shared});
  } else {
    $self->use_path($self->{own});
    $self->use_path($self->{shared}) if !$main->{bayes_scanner}->is_scan_available();
  }
  my $set = $main->{local_tests_only} ? 0 : 1;
  my $scans = defined $main->{bayes_scanner} && $main->{bayes_scanner}->is_scan_available();
  $set |= 2 if $scans && $main->{conf}->{use_bayes_rules};
  $main->{conf}->set_score_set($set);
}

# Before the plugin that learns, which is loaded later.
sub learn_message {
  my ($self) = @_;
  $self->use_path($self->{own}) if defined $self->{own};
  return 0;
}

sub forget_message {
  my ($self) = @_;
  return $self->learn_message();
}

# undef: the user has no data, or it is not known who it is.
sub own_path {
  my ($self) = @_;
  my $directory = $self->{main}->{conf}->{per_user_bayes};
  my $user = $self->{main}->{username};
  return undef if !defined $directory || !defined $user || $user !~ /^(.+)\@([^\@]+)$/s;
  my ($local, $domain) = ($1, $2);
  $local =~ s/(?<=.)\+.*//s;
  my $own = "$directory/" . sha256_hex(lc("$local\@$domain"));
  return -d $own ? "$own/bayes" : undef;
}

sub use_path {
  my ($self, $path) = @_;
  my $main = $self->{main};
  return if !defined $path || !defined $main->{bayes_scanner} || $main->{conf}->{bayes_path} eq $path;
  $main->{bayes_scanner}->finish();
  $main->{conf}->{bayes_path} = $path;
  $main->{bayes_scanner} = Mail::SpamAssassin::Bayes->new($main);
}

1;
