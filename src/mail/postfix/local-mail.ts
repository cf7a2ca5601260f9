import { SIEVE_MAIL_ADDRESS } from "../../settings/ports.ts";
import type { Site } from "../configuration/site.ts";
import { SIEVE } from "./policy-protocol.ts";

/** The sign-in name that Rspamd sees: account names always contain an @. */
export const SIEVE_MAIL_USER = "sieve";

/** Maximum concurrent deliveries that send mail, and maximum such mails of all accounts per minute. */
const AT_ONCE = 20;
const A_MINUTE = 60;
/** Bytes of headers added to a redirected mail, which may be as long as an incoming one. */
const ADDED_BYTES = 65_536;

/**
 * The smtpd of master.cf to which Dovecot submits mail of Sieve scripts (Pigeonhole: `submission_host`). It has no sign-in:
 * the guard checks the owner of the connection (`isDovecot` of policy-server.ts), and without the guard none is accepted. The firewall
 * refuses other users first.
 */
export function sieveMailService({ ports, messageSizeBytes }: Site): readonly string[] {
  return [
    `${SIEVE_MAIL_ADDRESS}:${ports.sieveMail} inet n - y - ${AT_ONCE} smtpd`,
    "  -o syslog_name=postfix/sieve",
    `  -o ghostinbox_context=${SIEVE}`,
    // A client that talks before the greeting is not Dovecot, and may be gone before the guard checks it.
    "  -o { smtpd_client_restrictions = reject_unauth_pipelining, $ghostinbox_guard, reject }",
    "  -o smtpd_tls_security_level=none",
    // A redirected mail keeps its header, or its author's signature would break.
    "  -o local_header_rewrite_clients=",
    "  -o smtpd_helo_restrictions=",
    "  -o smtpd_sender_restrictions=reject_non_fqdn_sender",
    "  -o smtpd_relay_restrictions=permit_mynetworks,reject",
    "  -o smtpd_recipient_restrictions=reject_non_fqdn_recipient,reject_unlisted_recipient",
    "  -o smtpd_data_restrictions=",
    "  -o smtpd_end_of_data_restrictions=",
    "  -o smtpd_recipient_limit=1",
    // Loopback is exempt elsewhere. Beyond the limit redirects wait, as Dovecot makes Postfix retry the delivery; replies are not sent.
    "  -o smtpd_client_event_limit_exceptions=",
    `  -o smtpd_client_connection_count_limit=${AT_ONCE}`,
    `  -o smtpd_client_message_rate_limit=${A_MINUTE}`,
    `  -o message_size_limit=${messageSizeBytes + ADDED_BYTES}`,
    "  -o smtpd_milters=$ghostinbox_rspamd_own",
    `  -o milter_macro_defaults=auth_authen=${SIEVE_MAIL_USER}`,
  ];
}

/**
 * Mail from root (pickup(8)): alerts and reports of bans. It is signed like a user's, so Rspamd sees a sign-in
 * under a name that no account has: account names contain an @. It is accepted even while Rspamd is down, which
 * may be what it reports.
 */
export const OWN_MAIL_USER = "root";

const CLEANUP = "cleanup-own";

/** The option of pickup(8) that selects the cleanup service below. */
export const OWN_MAIL_OPTION = `  -o cleanup_service_name=${CLEANUP}`;

export const ownMailCleanup: readonly string[] = [
  `${CLEANUP} unix n - n - 0 cleanup`,
  "  -o non_smtpd_milters=$ghostinbox_rspamd_own",
  `  -o milter_macro_defaults=auth_authen=${OWN_MAIL_USER}`,
];
