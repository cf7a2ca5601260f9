# Each user's own learned data, by the recipient's address, for spamd(8p).
#
#     loadplugin GhostInbox::PerUserBayes FILE
#     per_user_bayes DIRECTORY
#
# A user who has moved mail to or from Junk has a directory in DIRECTORY, named by the SHA-256 of the address in lower case,
# without `+extension`, so that no address is ever a path. Data learned for that user goes only there. Once there is enough of it
# (bayes_min_spam_num, bayes_min_ham_num), it decides about the user's mail. Until then, and for all other users, the data of
# `bayes_path` decides.
#
# SpamAssassin also learns mails automatically (bayes_auto_learn). They can come from anyone, with tens of thousands of new words
# each. If the data grew without limit, removing old words would take longer than spamd lets a child work. The data would never
# shrink again, and every mail would keep a child busy with it. From MANY_BYTES on it therefore learns only a short mail at times.
package GhostInbox::PerUserBayes;

use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Mail::SpamAssassin::Bayes;
use Mail::SpamAssassin::Conf;
use Mail::SpamAssassin::Plugin;
our @ISA = qw(Mail::SpamAssassin::Plugin);

# About 250,000 words. SpamAssassin starts to remove old ones at 150,000 (bayes_expiry_max_db_size).
use constant MANY_BYTES => 8 * 1024 * 1024;
# From this size on nothing is learned, not even from users.
use constant MOST_BYTES => 4 * MANY_BYTES;
use constant SHORT_BYTES => 8 * 1024;
use constant REST_SECONDS => 600;

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
  delete $self->{by_itself};
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

# SpamAssassin is about to learn a mail automatically.
sub autolearn {
  my ($self) = @_;
  $self->{by_itself} = 1;
}

# Called before the plugin that learns, which is loaded later.
sub learn_message {
  my ($self, $params) = @_;
  $self->forget_message();
  $self->inhibit_further_callbacks() if !$self->may_learn($params->{msg}, delete $self->{by_itself});
  return 0;
}

sub forget_message {
  my ($self) = @_;
  $self->use_path($self->{own}) if defined $self->{own};
  return 0;
}

sub may_learn {
  my ($self, $msg, $by_itself) = @_;
  my $path = $self->{main}->{conf}->{bayes_path};
  my $bytes = (-s "${path}_toks") // 0;
  # The file of mails that were already learned, from which SpamAssassin never removes any. Without it a mail may count twice.
  unlink "${path}_seen" if ((-s "${path}_seen") // 0) >= MANY_BYTES;
  return 0 if $bytes >= MOST_BYTES;
  return 1 if !$by_itself || $bytes < MANY_BYTES;
  # This file is written only when a mail is learned.
  my $learned = (stat("${path}_seen"))[9] // 0;
  return length($msg->get_pristine()) <= SHORT_BYTES && time - $learned >= REST_SECONDS;
}

# Returns undef if the user has no data or is unknown.
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
