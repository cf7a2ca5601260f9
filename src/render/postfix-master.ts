import { alertDoor } from "./alert-mail.ts";
import { SUBMISSION_MILTERS } from "./milters.ts";
import { RENDERED_BY, type Site } from "./site.ts";
import { SUBMISSION_CLEANUP, submissionCleanup } from "./submission-headers.ts";

/** master.cf (master(5)): Postfix's own services, and one smtpd for each door. */
export function renderPostfixMaster(site: Site): string {
  const { ports, messageSizeBytes } = site;
  return [
    `# ${RENDERED_BY}`,
    "# service type private unpriv chroot wakeup maxproc command",
    `${ports.smtp} inet n - y - - smtpd`,
    ...submission(ports.submission, "submission", "smtpd_tls_security_level=encrypt"),
    ...submission(ports.submissions, "submissions", "smtpd_tls_wrappermode=yes"),
    ...alertDoor(site),
    ...[...submissionCleanup, ...OWN_SERVICES].flatMap((line) => [line, ...roomFor(line, messageSizeBytes)]),
    "",
  ].join("\n");
}

/** Users only, over TLS only, under their own addresses only. */
function submission(port: number, name: "submission" | "submissions", tls: string): readonly string[] {
  return [
    `${port} inet n - y - - smtpd`,
    `  -o syslog_name=postfix/${name}`,
    `  -o ghostinbox_context=${name}`,
    `  -o ${tls}`,
    "  -o smtpd_sasl_auth_enable=yes",
    `  -o cleanup_service_name=${SUBMISSION_CLEANUP}`,
    `  -o ${SUBMISSION_MILTERS}`,
    // Users sit behind any name and network.
    "  -o smtpd_helo_restrictions=reject_unauth_pipelining",
    "  -o { smtpd_discard_ehlo_keywords = silent-discard, etrn }",
    // Before a sign-in every sender is refused alike, so that none is told from another.
    `  -o smtpd_sender_restrictions=${OWN_SENDERS.join(",")}`,
    "  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject",
    "  -o { smtpd_recipient_restrictions = reject_non_fqdn_recipient, reject_unlisted_recipient, $ghostinbox_guard }",
  ];
}

/** Sender, recipients and the headers that are added: cleanup(8) counts them too, though smtpd alone knows the mail. */
const ENVELOPE_BYTES = 1024 * 1024;

function roomFor(service: string, messageSizeBytes: number): readonly string[] {
  return service.endsWith(" cleanup") ? [`  -o message_size_limit=${messageSizeBytes + ENVELOPE_BYTES}`] : [];
}

const OWN_SENDERS: readonly string[] = [
  "reject_non_fqdn_sender",
  "reject_authenticated_sender_login_mismatch",
  "permit_sasl_authenticated",
  "reject",
];

const OWN_SERVICES: readonly string[] = [
  "pickup unix n - n 60 1 pickup",
  "cleanup unix n - n - 0 cleanup",
  "qmgr unix n - n 300 1 qmgr",
  "tlsmgr unix - - n 1000? 1 tlsmgr",
  "rewrite unix - - n - - trivial-rewrite",
  "bounce unix - - n - 0 bounce",
  "defer unix - - n - 0 bounce",
  "trace unix - - n - 0 bounce",
  "verify unix - - n - 1 verify",
  "flush unix n - n 1000? 0 flush",
  "proxymap unix - - n - - proxymap",
  "proxywrite unix - - n - 1 proxymap",
  // Those that look names up are chrooted, so that they ask our resolver (chroot.ts).
  "smtp unix - - y - - smtp",
  "relay unix - - y - - smtp",
  "  -o syslog_name=postfix/relay",
  "showq unix n - n - - showq",
  "error unix - - n - - error",
  "retry unix - - n - - error",
  "discard unix - - n - - discard",
  "lmtp unix - - n - - lmtp",
  "anvil unix - - n - 1 anvil",
  "scache unix - - n - 1 scache",
  "postlog unix-dgram n - n - 1 postlogd",
];
