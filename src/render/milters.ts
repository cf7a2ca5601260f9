import { RSPAMD_SECONDS } from "./rspamd.ts";
import { RENDERED_BY, type RenderedFile, type Site } from "./site.ts";

/**
 * The milters of main.cf (MILTER_README). A stranger's mail is verified (DKIM, SPF, DMARC), then scored; a user's is
 * signed and nothing else: one milter does both, and sees which it is. Each has deadlines of its own. Where one is dead or frozen the mail passes, but for
 * the filter if `spam.on_failure` says so.
 */
export function postfixMilters(site: Site): Readonly<Record<string, string>> {
  const { layout, spam } = site;
  const milter = (socket: string, action: string, contentSeconds: number): string =>
    `{ unix:${socket.slice(layout.postfixQueue.length + 1)}, connect_timeout=2s, command_timeout=5s, ` +
    `content_timeout=${contentSeconds}s, default_action=${action} }`;
  const score = milter(layout.spamMilterSocket, spam.onFailure === "wait" ? "tempfail" : "accept", SPAM_SECONDS);
  return {
    ghostinbox_rspamd: milter(layout.rspamdSocket, "accept", RSPAMD_SECONDS + 5),
    // Postfix complains of a parameter that nothing uses.
    ...(spam.enabled ? { ghostinbox_spam: score } : {}),
    smtpd_milters: [...(site.verify ? ["$ghostinbox_rspamd"] : []), ...(spam.enabled ? ["$ghostinbox_spam"] : [])].join(
      ", ",
    ),
    header_checks: "regexp:$config_directory/forged_headers",
    // What is attached is the sender's affair, and often signed.
    mime_header_checks: "",
    nested_header_checks: "",
  };
}

/** For the submission services of master.cf. */
export const SUBMISSION_MILTERS = "smtpd_milters=$ghostinbox_rspamd";

/** How long a mail waits for its score at the most; spamc gives up a little earlier. Seconds. */
export const SPAM_SECONDS = 20;

/**
 * Results that a stranger wrote into the mail go before the milters see it (header_checks(5)). All of them, not only
 * those in our name: RFC 8601 section 5 allows it, and a mail program may not look whose they are.
 */
export function renderForgedHeaders(): RenderedFile {
  const names = ["Authentication-Results", "Received-SPF", "X-Spam-[A-Za-z-]+"];
  const text = [`# ${RENDERED_BY}`, ...names.map((name) => `/^${name}[[:space:]]*:/ IGNORE`), ""].join("\n");
  return { name: "forged_headers", text, mode: 0o644 };
}
