/**
 * Mail that root hands in (pickup(8)): alerts, and what the jails brought. It is signed like a user's, so the verifier is
 * told of a sign-in, under a name that no account has: their names hold an @. It passes where the verifier is dead, for
 * that may be what it is about.
 */
export const OWN_MAIL_USER = "root";

const CLEANUP = "cleanup-own";

/** The option of pickup(8) that leads it through the cleanup service below. */
export const OWN_MAIL_OPTION = `  -o cleanup_service_name=${CLEANUP}`;

export const ownMailCleanup: readonly string[] = [
  `${CLEANUP} unix n - n - 0 cleanup`,
  "  -o non_smtpd_milters=$ghostinbox_rspamd",
  `  -o milter_macro_defaults=auth_authen=${OWN_MAIL_USER}`,
];
