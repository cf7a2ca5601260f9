import { SUBMISSION_MILTERS } from "./milters.ts";
import { RENDERED_BY, type RenderedFile, type Site } from "./site.ts";

const FILE = "alert-recipients";

/**
 * A door on loopback by which the guard hands its alerts to our own queue; there only while somebody is to get any. It
 * takes mail for those who are to get alerts and for nobody else, so that no other program of the machine, nor what it
 * can be led to ask for, relays by it.
 */
export function alertDoor({ alerts, ports }: Site): readonly string[] {
  if (alerts.recipients.length === 0) return [];
  return [
    `127.0.0.1:${ports.alerts} inet n - y - 2 smtpd`,
    "  -o syslog_name=postfix/alerts",
    // What leaves is signed, as users' mail is.
    `  -o ${SUBMISSION_MILTERS}`,
    "  -o smtpd_tls_security_level=none",
    "  -o smtpd_client_restrictions=permit_mynetworks,reject",
    "  -o smtpd_helo_restrictions=",
    "  -o smtpd_sender_restrictions=",
    `  -o { smtpd_relay_restrictions = check_recipient_access texthash:$config_directory/${FILE}, reject }`,
    "  -o smtpd_recipient_restrictions=",
    "  -o smtpd_data_restrictions=reject_unauth_pipelining",
    "  -o smtpd_end_of_data_restrictions=",
  ];
}

/** access(5). An address is no stranger's text: the settings' parser let it through. */
export function renderAlertRecipients({ alerts }: Site): RenderedFile {
  const lines = alerts.recipients.map((address) => `${address} OK`);
  return { name: FILE, text: [`# ${RENDERED_BY}`, ...lines, ""].join("\n"), mode: 0o644 };
}
