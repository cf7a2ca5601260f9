import { domainPattern, type RenderedFile, rendered, type Site } from "../configuration/site.ts";
import { PROOF_HEADER } from "../rspamd/verified-headers.ts";
import { SPAM_TAG } from "../spamassassin/spamassassin-conf.ts";

/** The service of master.cf that sends mail with an empty envelope sender: reports, and replies while a user is away. */
export const REPORTS = "reports";

const RECIPIENTS = "bounce-recipients";
const PROOFS = "bounce-proofs";
const REMOVAL = "proof-removal";
/** For delivery agents (smtp_header_checks): removes `PROOF_HEADER`. */
export const REMOVING_PROOF = `regexp:$config_directory/${REMOVAL}`;
const CLEANUP = "cleanup-bounce";

/** Why a delivery report to another server was not sent, for the log and the event. */
const WITHHELD = "the sender of the mail is not proven";

/**
 * The services of master.cf that report undeliverable mail (bounce(8)), including mail that an alias's target refuses. A report to
 * a forged sender reaches someone who never wrote, so another server gets one only if SPF proved the sender on arrival: the header
 * checks of a separate cleanup(8) decide.
 */
export const bounceServices: readonly string[] = [
  ...["bounce", "defer", "trace"].flatMap((name) => [
    `${name} unix - - n - 0 bounce`,
    `  -o cleanup_service_name=${CLEANUP}`,
    "  -o internal_mail_filter_classes=bounce",
  ]),
  `${CLEANUP} unix n - n - 0 cleanup`,
  `  -o header_checks=regexp:$config_directory/${RECIPIENTS}`,
  `  -o nested_header_checks=regexp:$config_directory/${PROOFS}`,
  `  -o body_checks=regexp:$config_directory/${PROOFS}`,
];

/**
 * regexp_table(5), header_checks(5). The last FILTER counts. Reports to our own users are sent; those to others are discarded, unless the
 * sender of the enclosed mail was proven. That mail is enclosed whole, or only its header as text if it is long.
 */
export function renderBounceChecks(site: Site): readonly RenderedFile[] {
  const { domains, hostname, outbound } = site;
  // For a mail without envelope sender, SPF proves only the server's name, which DMARC compares with the author. A relay has another name.
  const author = `/^From:/ REPLACE From: Mail Delivery System <MAILER-DAEMON@${hostname}>\n`;
  const recipients = `/^To: .*@(${domainPattern(domains)})>?$/ DUNNO\n/^To:/ FILTER discard:${WITHHELD}\n`;
  return [
    rendered(RECIPIENTS, (outbound.relay === null ? author : "") + recipients),
    rendered(PROOFS, `${proofPattern(site)} FILTER ${REPORTS}:${outbound.relay?.nextHop ?? ""}\n${FINDINGS}\n`, 0o600),
    // For `removingProofHeader`.
    rendered(REMOVAL, `${proofPattern(site)} IGNORE\n`, 0o600),
  ];
}

/** Parameters of main.cf: delivery agents remove `PROOF_HEADER` from mail, and from reports that enclose one. */
export function removingProofHeader(): Readonly<Record<string, string>> {
  const checks = ["header_checks", "nested_header_checks", "body_checks"];
  const names = ["smtp", "lmtp"].flatMap((agent) => checks.map((check) => `${agent}_${check}`));
  return Object.fromEntries(names.map((name) => [name, REMOVING_PROOF]));
}

/** header_checks(5): removes SpamAssassin's tag. */
export const UNTAGGED = String.raw`/^Subject: ${RegExp.escape(SPAM_TAG)} (.*)$/ REPLACE Subject: $1`;
/** Removes spam scores and tags. In a long mail, whose header is enclosed as text, only the first line of each header is removed. */
const FINDINGS = `/^X-(Spam|GhostInbox)-[A-Za-z-]+:/ IGNORE\n${UNTAGGED}`;

/** regexp_table(5): matches the header in a mail, or in one that it encloses. */
function proofPattern({ proofWord }: Site): string {
  return `/^${PROOF_HEADER}:[[:space:]]*${proofWord}[[:space:]]*$/`;
}
