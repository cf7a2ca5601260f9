import type { Service } from "../../core/events/event-types.ts";
import { shareOfOneClient } from "../../core/firewall/connection-shares.ts";
import { PROBE_ADDRESS } from "../../core/net/ip.ts";
import { type RenderedFile, rendered, type Site, verbatim } from "../configuration/site.ts";
import { NULL_SENDER_REFUSED } from "../logs/patterns.ts";
import { bounceServices, REMOVING_PROOF, REPORTS, UNTAGGED } from "./bounces.ts";
import { OWN_MAIL_OPTION, ownMailCleanup, sieveMailService } from "./local-mail.ts";
import { FORWARDS, LANES, SHARED, shortOnly } from "./main-cf.ts";
import { FORGED_HEADERS, PROBE_SENDS_NOTHING, SUBMISSION_MILTERS } from "./milters.ts";
import { PROXIED } from "./policy-protocol.ts";

/** master.cf (master(5)): Postfix's own services, and one smtpd for each port. */
export function renderPostfixMaster(site: Site): string {
  const { ports, limits, messageSizeBytes, outbound } = site;
  const quarter = Math.ceil(limits.smtpPlaces / 4);
  return [
    "# service type private unpriv chroot wakeup maxproc command",
    `${ports.smtp} inet n - y - ${limits.smtpPlaces} smtpd`,
    ...submission(site, "submission", ports.submission),
    ...submission(site, "submissions", ports.submissions),
    ...proxiedServices(site),
    ...sieveMailService(site),
    `lmtp unix - - n - ${Math.min(outbound.atOnce, limits.smtpPlaces)} lmtp`,
    ...impatient(FORWARDS, "-", 300),
    `  -o { smtp_header_checks = ${REMOVING_PROOF}, ${UNTAGGING} }`,
    ...[...LANES, SHARED].map((name) => `${name} unix - - y - ${quarter} smtp`),
    ...impatient(REPORTS, String(quarter), 60),
    ...[...submissionCleanup, ...ownMailCleanup, ...bounceServices, ...STANDARD_SERVICES].flatMap((line) => [
      line,
      ...(line.endsWith(" cleanup") ? [`  -o message_size_limit=${messageSizeBytes + ENVELOPE_BYTES}`] : []),
    ]),
    "",
  ].join("\n");
}

/**
 * Has shorter timeouts than RFC 5321, 4.5.3.2, asks for, with which mail for a slow server would enter the active queue faster than it
 * leaves it. `doneSeconds`: for the answer to a whole mail. If the answer comes later, the mail arrives twice.
 */
function impatient(name: string, processes: string, doneSeconds: number): readonly string[] {
  const steps = ["helo", "starttls", "mail", "rcpt", "data_init", "data_xfer"];
  return [
    `${name} unix - - y - ${processes} smtp`,
    ...steps.map((step) => `  -o smtp_${step}_timeout=60s`),
    `  -o smtp_data_done_timeout=${doneSeconds}s`,
  ];
}

/** regexp_table(5): with the tag, the sender's signature over the subject would fail, and SPF fails anyway at the next server. */
const UNTAGGING = `regexp:{ { ${UNTAGGED.replaceAll("$", () => "$$")} } }`;

/** The same services again, for clients that come through a proxy. */
function proxiedServices(site: Site): readonly string[] {
  if (site.proxied === null) return [];
  const { smtp, submission: starttls, submissions } = site.proxied.ports;
  return [
    `${smtp} inet n - y - ${site.limits.smtpPlaces} smtpd`,
    ...behindProxy("smtp"),
    ...submission(site, "submission", starttls),
    ...behindProxy("submission"),
    ...submission(site, "submissions", submissions),
    ...behindProxy("submissions"),
  ];
}

/**
 * smtpd trusts the PROXY header of any client; only the firewall keeps other clients than proxies away. Only the guard knows whether it
 * does, so without the guard no client is accepted. There is no exception for a probe, because a PROXY header may contain any address.
 */
function behindProxy(name: Service): readonly string[] {
  return [
    "  -o smtpd_upstream_proxy_protocol=haproxy",
    `  -o ghostinbox_context=${PROXIED}${name}`,
    "  -o { smtpd_client_restrictions = $ghostinbox_guard, reject_unauth_pipelining }",
  ];
}

const TLS = { submission: "smtpd_tls_security_level=encrypt", submissions: "smtpd_tls_wrappermode=yes" } as const;

/**
 * Only for users, only over TLS, only with their own addresses. The guard's questions at connect, DATA and the end of the mail are those
 * of main.cf (`restrictions`).
 */
function submission({ limits }: Site, name: keyof typeof TLS, port: number): readonly string[] {
  const ofClient = Math.min(shareOfOneClient(limits.smtpPlaces), limits.connectionsOfKnown);
  return [
    `${port} inet n - y - ${limits.smtpPlaces} smtpd`,
    `  -o syslog_name=postfix/${name}`,
    `  -o ghostinbox_context=${name}`,
    `  -o ${TLS[name]}`,
    // The guard distinguishes strangers from known addresses, and is stricter with strangers.
    `  -o smtpd_client_connection_count_limit=${ofClient}`,
    "  -o smtpd_sasl_auth_enable=yes",
    `  -o cleanup_service_name=${SUBMISSION_CLEANUP}`,
    `  -o ${SUBMISSION_MILTERS}`,
    // Users connect from any name and network.
    "  -o smtpd_helo_restrictions=reject_unauth_pipelining",
    "  -o { smtpd_discard_ehlo_keywords = silent-discard, etrn }",
    // Before a sign-in every sender gets the same refusal, so that none can be distinguished.
    `  -o { smtpd_sender_restrictions = ${USERS_SENDERS.join(", ")} }`,
    "  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject",
    `  -o { smtpd_recipient_restrictions = ${RECIPIENTS.join(", ")} }`,
  ];
}

/** Sender, recipients and added headers, which cleanup(8) counts towards message_size_limit; smtpd counts only the mail. */
const ENVELOPE_BYTES = 1024 * 1024;

/** The guard counts only recipients that exist and whose mailbox takes the mail. */
const RECIPIENTS: readonly string[] = [
  "reject_non_fqdn_recipient",
  shortOnly("recipient"),
  "reject_unlisted_recipient",
  "$ghostinbox_quota",
  "$ghostinbox_guard",
];

const USERS_SENDERS: readonly string[] = [
  PROBE_SENDS_NOTHING,
  "reject_non_fqdn_sender",
  "reject_authenticated_sender_login_mismatch",
  // Mail that the guard could not record is found only by its envelope sender (guard/commands/queue/held-queue.ts).
  `check_sender_access inline:{ { <> = 550 5.7.1 ${NULL_SENDER_REFUSED} } }`,
  shortOnly("sender"),
  "permit_sasl_authenticated",
  "reject",
];

/** Each connection takes a new process, so an answer shows that master(8) still starts processes. It handles no mail. */
export const PROBED_BY_MASTER = "probe";

const STANDARD_SERVICES: readonly string[] = [
  "pickup unix n - n 60 1 pickup",
  OWN_MAIL_OPTION,
  "cleanup unix n - n - 0 cleanup",
  "qmgr unix n - n 300 1 qmgr",
  "tlsmgr unix - - n 1000? 1 tlsmgr",
  "rewrite unix - - n - - trivial-rewrite",
  "flush unix n - n 1000? 0 flush",
  "proxymap unix - - n - - proxymap",
  // Services that look names up are chrooted, so that they ask our resolver.
  "smtp unix - - y - - smtp",
  "showq unix n - n - - showq",
  "error unix - - n - - error",
  "retry unix - - n - - error",
  "discard unix - - n - - discard",
  `${PROBED_BY_MASTER} unix - - n - 1 discard`,
  "  -o max_use=1",
  "anvil unix - - n - 1 anvil",
  "scache unix - - n - 1 scache",
  "postlog unix-dgram n - n - 1 postlogd",
];

const FILE = "submission-headers";

/** The smtpd(8) option that selects the cleanup service below for submitted mail. */
const SUBMISSION_CLEANUP = "cleanup-submission";

const submissionCleanup: readonly string[] = [
  `${SUBMISSION_CLEANUP} unix n - n - 0 cleanup`,
  // Adds From, Date and Message-ID (RFC 6409, 8.2 and 8.3) before the milters sign.
  "  -o always_add_missing_headers=yes",
  `  -o header_checks=regexp:$config_directory/${FILE}`,
  "  -o mime_header_checks=",
  "  -o nested_header_checks=",
];

/**
 * Removes headers that reveal the user's address and program, from the mail program or our own server (header_checks(5), regexp_table(5)).
 * Applied only to the headers of the submitted mail, never to its parts or to an enclosed mail, which may be signed. The FROM clause of our
 * own trace line, which RFC 5321 section 4.4 requires, is removed because it names the user's address. `Mime-Version` stays: some programs
 * put their name into its comment, but Postfix treats it as a part's header.
 */
export function renderSubmissionHeaders(): RenderedFile {
  const by = "by ([^ ]+) \\(Postfix\\)[[:space:]]+with ([A-Z0-9]+) id ([A-Za-z0-9]+)";
  const lines = [
    `/^Received: from .*[[:space:]]${by}.*; ([^;]+)$/ REPLACE Received: by $1 with $2 id $3; $4`,
    "/^Received:/ IGNORE",
    ...FORGED_HEADERS,
    "/^X-(Originating|Client|Sender|Real|Source|Remote)-IP:/ IGNORE",
    "/^X-(Forwarded-For|PHP-Originating-Script|PHP-Script|Authenticated-Sender|Sender|Mailer|MimeOLE|Enigmail):/ IGNORE",
    "/^X-(Mail-Agent|Newsreader|Library|Apple-[A-Za-z-]+|Universally-Unique-Identifier):/ IGNORE",
    "/^(User-Agent|Mail-Client|X-User-Agent|X-Originating-Client|X-Originating-Host):/ IGNORE",
  ];
  return rendered(FILE, `${lines.join("\n")}\n`);
}

/**
 * Files that the C library of a chrooted smtpd or smtp reads below the queue directory (resolv.conf(5), nsswitch.conf(5)). So
 * they ask our resolver instead of the machine's.
 */
export function renderChroot({ dns }: Site): readonly RenderedFile[] {
  const file = (name: string, lines: readonly string[]) => verbatim(name, `${lines.join("\n")}\n`);
  return [
    // Up to 6 s for a name, less than any client's timeout. trust-ad keeps the information that an answer was validated.
    file("resolv.conf", [`nameserver ${dns.address}`, "options timeout:3 attempts:2 edns0 trust-ad"]),
    file("nsswitch.conf", ["hosts: files dns", "services: files", "passwd: files", "group: files"]),
    // The probe has a name, so that its greeting does not wait for the resolver.
    file("hosts", [
      "127.0.0.1 localhost",
      "::1 localhost ip6-localhost ip6-loopback",
      `${PROBE_ADDRESS} probe.localhost`,
    ]),
    file("services", ["smtp 25/tcp mail", "submission 587/tcp", "submissions 465/tcp ssmtp smtps", "domain 53/udp"]),
  ];
}
