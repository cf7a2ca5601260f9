import { SIEVE } from "../../wire/postfix/policy.ts";
import type { Site } from "../site.ts";

/** Dovecot connects by IPv4: the kernel's table of such connections tells whose they are. */
export const SIEVE_MAIL_ADDRESS = "127.0.0.1";

/** The name that Rspamd sees for a sign-in: no account has one without an @. */
export const SIEVE_MAIL_USER = "sieve";

/** Deliveries at once that send mail, and such mails of all accounts within a minute. */
const AT_ONCE = 20;
const A_MINUTE = 60;
/** A mail that is redirected may be as long as one that came in, and a few headers are added. Bytes. */
const ADDED_BYTES = 65_536;

/**
 * The smtpd of master.cf at which Dovecot hands over what Sieve scripts send (Pigeonhole: `submission_host`). It has no sign-in:
 * the guard looks whose connection it is, and without the guard none is accepted. The firewall refuses others before that.
 */
export function sieveMailService({ ports, messageSizeBytes }: Site): readonly string[] {
  return [
    `${SIEVE_MAIL_ADDRESS}:${ports.sieveMail} inet n - y - ${AT_ONCE} smtpd`,
    "  -o syslog_name=postfix/sieve",
    `  -o ghostinbox_context=${SIEVE}`,
    // A client that talks before the greeting is not Dovecot, and may be gone before the guard looks.
    "  -o { smtpd_client_restrictions = reject_unauth_pipelining, $ghostinbox_guard, reject }",
    "  -o smtpd_tls_security_level=none",
    "  -o smtpd_helo_restrictions=",
    "  -o smtpd_sender_restrictions=reject_non_fqdn_sender",
    "  -o smtpd_relay_restrictions=permit_mynetworks,reject",
    "  -o smtpd_recipient_restrictions=reject_non_fqdn_recipient,reject_unlisted_recipient",
    "  -o smtpd_data_restrictions=",
    "  -o smtpd_end_of_data_restrictions=",
    "  -o smtpd_recipient_limit=1",
    // Loopback is exempt elsewhere. More must wait: Dovecot tells Postfix to deliver the mail again later.
    "  -o smtpd_client_event_limit_exceptions=",
    `  -o smtpd_client_connection_count_limit=${AT_ONCE}`,
    `  -o smtpd_client_message_rate_limit=${A_MINUTE}`,
    `  -o message_size_limit=${messageSizeBytes + ADDED_BYTES}`,
    "  -o smtpd_milters=$ghostinbox_rspamd",
    `  -o milter_macro_defaults=auth_authen=${SIEVE_MAIL_USER}`,
  ];
}
