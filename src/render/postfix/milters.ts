import { FINDING_WORDS } from "../../wire/logs/milter-log.ts";
import { RSPAMD_SECONDS } from "../rspamd/rspamd.ts";
import { JUNK_HEADER } from "../rspamd/rules.ts";
import { RENDERED_BY, type RenderedFile, type Site } from "../site.ts";
import { VERIFIED_HEADER, withoutProofs } from "./proofs.ts";

/**
 * The milters of main.cf (MILTER_README). A stranger's mail is verified (DKIM, SPF, DMARC), then scored; a user's is
 * signed and nothing else: one milter does both, and sees which it is. Each has deadlines of its own. Where one is dead or frozen the mail passes, but for
 * the filter if `spam.on_failure` says so.
 */
export function postfixMilters(site: Site): Readonly<Record<string, string>> {
  const { layout, spam, verify } = site;
  const milter = (socket: string, action: string, contentSeconds: number): string =>
    `{ unix:${socket.slice(layout.postfixQueue.length + 1)}, connect_timeout=2s, command_timeout=5s, ` +
    `content_timeout=${contentSeconds}s, default_action=${action} }`;
  const score = milter(layout.spamMilterSocket, spam.onFailure === "wait" ? "tempfail" : "accept", SPAM_SECONDS);
  return {
    ghostinbox_rspamd: milter(layout.rspamdSocket, "accept", RSPAMD_SECONDS + 5),
    // It alone knows whether the authors that a user's mail names are the user's own.
    ghostinbox_rspamd_submission: milter(layout.rspamdSocket, "tempfail", RSPAMD_SECONDS + 5),
    // Postfix complains of a parameter that nothing uses.
    ...(spam.enabled ? { ghostinbox_spam: score } : {}),
    smtpd_milters: [...(verify ? ["$ghostinbox_rspamd"] : []), ...(spam.enabled ? ["$ghostinbox_spam"] : [])].join(
      ", ",
    ),
    // A milter sees a header up to its first NUL, a mail program may see what follows.
    message_strip_characters: "\\0",
    header_checks: "regexp:$config_directory/forged_headers",
    milter_header_checks: "regexp:$config_directory/milter_findings",
    // What is attached is the sender's affair, and often signed.
    mime_header_checks: "",
    nested_header_checks: "",
    ...withoutProofs(),
  };
}

/** For the submission services of master.cf. */
export const SUBMISSION_MILTERS = "smtpd_milters=$ghostinbox_rspamd_submission";

/** How long a mail waits for its score at the most; spamc gives up a little earlier. Seconds. */
export const SPAM_SECONDS = 20;

/**
 * Results that a sender wrote into the mail go before the milters see it (header_checks(5)), a stranger's and a user's
 * alike. All of them, not only those in our name: RFC 8601 section 5 allows it, and a mail program may not look whose
 * they are.
 */
export const FORGED_HEADERS: readonly string[] = [
  "Authentication-Results",
  "Received-SPF",
  "X-Spam-[A-Za-z-]+",
  "X-GhostInbox-[A-Za-z-]+",
].map((name) => `/^${name}[[:space:]]*:/ IGNORE`);

export function renderForgedHeaders(): RenderedFile {
  const text = [`# ${RENDERED_BY}`, ...FORGED_HEADERS, ""].join("\n");
  return { name: "forged_headers", text, mode: 0o644 };
}

/**
 * What the milters found out is written into the log, for the guard to learn whose mail is good (header_checks(5)). Only
 * headers that a milter adds are looked at, and none whose value repeats what a stranger wrote.
 */
export function renderMilterFindings(): RenderedFile {
  const text = [
    `# ${RENDERED_BY}`,
    `/^${VERIFIED_HEADER}:[[:space:]]*spf$/ INFO ${FINDING_WORDS.spf}`,
    `/^${VERIFIED_HEADER}:[[:space:]]*dkim$/ INFO ${FINDING_WORDS.dkim}`,
    `/^X-Spam-Flag:[[:space:]]*YES/ INFO ${FINDING_WORDS.spam}`,
    `/^${JUNK_HEADER}:/ INFO ${FINDING_WORDS.spam}`,
    "",
  ].join("\n");
  return { name: "milter_findings", text, mode: 0o644 };
}
