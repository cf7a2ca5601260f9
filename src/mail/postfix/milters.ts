import { PROBE_ADDRESS } from "../../core/net/ip.ts";
import { type RenderedFile, rendered, type Site } from "../configuration/site.ts";
import { FINDING_WORDS } from "../logs/content-filter-log.ts";
import { STALL_SECONDS } from "../rspamd/rspamd-conf.ts";
import { JUNK_HEADER } from "../rspamd/rules.ts";
import { VERIFIED_HEADER } from "../rspamd/verified-headers.ts";
import { removingProofHeader } from "./bounces.ts";
import { SERVICE_MACRO } from "./milter.ts";
import { FIRST_CONTACT_MARK_HEADER, FIRST_CONTACT_MARK_VALUE } from "./policy-protocol.ts";

/** Any local program could use the probe's address, and its mail would bypass the milters. */
export const PROBE_SENDS_NOTHING = `check_client_access inline:{ { ${PROBE_ADDRESS} = REJECT } }`;

/**
 * The milters of main.cf (MILTER_README). A stranger's mail is verified (DKIM, SPF, DMARC) and then scored; a user's
 * mail is refused if it names another author, and otherwise signed. One milter both verifies and signs, and decides which
 * is needed. Each milter has its own timeouts. While Rspamd is dead or hangs, mail is deferred, except the server's own; no other mail
 * passes unverified or unsigned. Without the guard's milter mail is accepted, and without the spam filter as `spam.on_failure` says.
 */
export function postfixMilters(site: Site): Readonly<Record<string, string>> {
  const { layout, spam, verify } = site;
  const milter = (socket: string, action: string, contentSeconds: number, commandSeconds = contentSeconds): string =>
    `{ unix:${socket.slice(layout.postfixQueue.length + 1)}, connect_timeout=2s, command_timeout=${commandSeconds}s, ` +
    `content_timeout=${contentSeconds}s, default_action=${action} }`;
  const score = milter(layout.spamMilterSocket, spam.onFailure === "wait" ? "tempfail" : "accept", SPAM_SECONDS, 5);
  return {
    // Asked after smtpd_end_of_data_restrictions and before the other milters, so that these never read a mail that would keep them busy.
    // While the guard is down, Postfix accepts mail without it.
    ghostinbox_counts: milter(layout.guardMilterSocket, "accept", GUARD_SECONDS),
    milter_macro_defaults: `${SERVICE_MACRO}=$ghostinbox_context`,
    // Rspamd has one process: while it reads other mails, a mail waits for it.
    ghostinbox_rspamd: milter(layout.rspamdSocket, "tempfail", BUSY_SECONDS, STALL_SECONDS + 5),
    // For mail that the server makes (local-mail.ts): an alert may report that Rspamd is dead.
    ghostinbox_rspamd_own: milter(layout.rspamdSocket, "accept", BUSY_SECONDS, STALL_SECONDS + 5),
    // Postfix complains about an unused parameter.
    ...(spam.runs ? { ghostinbox_spam: score } : {}),
    smtpd_milters: [
      "$ghostinbox_counts",
      ...(verify ? ["$ghostinbox_rspamd"] : []),
      ...(spam.runs ? ["$ghostinbox_spam"] : []),
    ].join(", "),
    // The server's own probe sends no mail, and its greeting does not wait for a milter that hangs.
    smtpd_milter_maps: `inline:{ { ${PROBE_ADDRESS} = DISABLE } }`,
    // A milter sees a header up to its first NUL; a mail program may see what follows.
    message_strip_characters: "\\0",
    header_checks: "regexp:$config_directory/forged_headers",
    milter_header_checks: "regexp:$config_directory/milter_findings",
    // Attachments are not changed: they belong to the sender and are often signed.
    mime_header_checks: "",
    nested_header_checks: "",
    ...removingProofHeader(),
  };
}

/** For the submission services of master.cf. */
export const SUBMISSION_MILTERS = "smtpd_milters=$ghostinbox_counts,$ghostinbox_rspamd";

/** Seconds that a mail waits for the guard's milter: longer than the restart of a hung guard takes, so that no mail skips a slow one. */
const GUARD_SECONDS = 20;

/**
 * How long a mail's content waits for Rspamd: even on a slow machine several times what Rspamd needs for all the mail that FilterLoad
 * admits. A process that hangs is ended earlier (`STALL_SECONDS`), as is Rspamd by the keeper (programs/keeper/watches/watch-parts.ts).
 * Seconds.
 */
export const BUSY_SECONDS = 60;

/** The longest time that a mail waits for its score. If it may pass without one, spamc gives up earlier (spam-services.ts). Seconds. */
export const SPAM_SECONDS = 20;

/**
 * Results of checks that a sender wrote into the mail are removed before the milters see it (header_checks(5)), for
 * strangers and users. All of them, not only those in our name: RFC 8601 section 5 allows it, and a mail program may
 * not check whose they are.
 */
export const FORGED_HEADERS: readonly string[] = [
  "Authentication-Results",
  "Received-SPF",
  "X-Spam-[A-Za-z-]+",
  "X-GhostInbox-[A-Za-z-]+",
].map((name) => `/^${name}[[:space:]]*:/ IGNORE`);

/**
 * The milters' results are written into the log, so that the guard learns which servers send good mail (header_checks(5)). Only headers
 * that a milter adds are used. The only text of a stranger that they repeat is the checked domain of an author.
 */
const MILTER_FINDINGS: readonly string[] = [
  `/^${VERIFIED_HEADER}:[[:space:]]*spf$/ INFO ${FINDING_WORDS.spf}`,
  `/^${VERIFIED_HEADER}:[[:space:]]*dkim$/ INFO ${FINDING_WORDS.dkim}`,
  `/^X-Spam-Flag:[[:space:]]*YES/ INFO ${FINDING_WORDS.spam}`,
  `/^${JUNK_HEADER}:/ INFO ${FINDING_WORDS.spam}`,
];

export function renderHeaderChecks(): readonly RenderedFile[] {
  const kept = `/^${FIRST_CONTACT_MARK_HEADER}: ${FIRST_CONTACT_MARK_VALUE}$/ DUNNO`;
  return [
    rendered("forged_headers", [kept, ...FORGED_HEADERS, ""].join("\n")),
    rendered("milter_findings", [...MILTER_FINDINGS, ""].join("\n")),
  ];
}
