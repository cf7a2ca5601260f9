/**
 * Mail from root (pickup(8)): alerts and reports of bans. It is signed like a user's, so the verifier sees a sign-in
 * under a name that no account has: account names contain an @. It is accepted even while the verifier is down, because
 * that may be its subject.
 */
export const OWN_MAIL_USER = "root";

const CLEANUP = "cleanup-own";

/** The option of pickup(8) that selects the cleanup service below. */
export const OWN_MAIL_OPTION = `  -o cleanup_service_name=${CLEANUP}`;

export const ownMailCleanup: readonly string[] = [
  `${CLEANUP} unix n - n - 0 cleanup`,
  "  -o non_smtpd_milters=$ghostinbox_rspamd",
  `  -o milter_macro_defaults=auth_authen=${OWN_MAIL_USER}`,
];
