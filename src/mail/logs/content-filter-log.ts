import { BoundedMap } from "../../core/bounded-map.ts";
import type { ContentReason, MailFinding, Observation } from "../../core/events/log.ts";
import { reasons } from "../../core/events/reasons.ts";
import { parseIp } from "../../core/net/ip.ts";
import { LONGEST_LINE } from "./log-line.ts";
import { CLIENT, IN_PATH, QUEUE_ID } from "./patterns.ts";

/**
 * What Postfix's cleanup(8) writes if a milter refuses a mail, temporarily (4.…) or permanently:
 *
 *     QUEUEID: milter-reject: END-OF-MESSAGE from NAME[IP]: 5.7.1 REPLY; from=<A> to=<B> proto=…
 *
 * Null for any other text. The line names neither account nor service, so `FilterLoad` adds those of an account's mail.
 */
export function readMilterReject(text: string): Observation | null {
  const groups = REJECT.exec(text)?.groups;
  const { queue: queueId = "", status = "", reply = "", sender = "", recipient = "" } = groups ?? {};
  const ip = parseIp(groups?.["ip"] ?? "");
  if (ip === null || OUR_REPLIES.has(`${status} ${reply}`)) return null;
  const isFinal = status.startsWith("5.");
  const [, account = null] = (isFinal ? NOT_SENT.exec(reply) : null) ?? [];
  const reason = !isFinal ? "filter_deferred" : account === null ? reasonOf(reply) : "author_not_own";
  const service = account === null ? "smtp" : "submission";
  return { type: "CONTENT_REFUSED", ip, reason, account, service, queueId, sender, recipient, reply };
}

function reasonOf(reply: string): ContentReason {
  if (reply === REFUSED_AS_SPAM) return "spam_refused";
  if (reply.startsWith("rejected by DMARC policy for ")) return "dmarc_refused";
  return reply.startsWith(AUTHOR_UNCLEAR) ? "author_unclear" : "filter_refused";
}

/** Replies of the guard's own milter, without the reply code. What it refused or deferred is already recorded. */
const OUR_REPLIES: ReadonlySet<string> = new Set(
  [reasons.header_lines, reasons.mime_parts, reasons.filters_busy].map(({ smtp }) => smtp.slice("550 ".length)),
);
/** The reply to a sender whose mail scored too high. It names no mechanism. */
export const REFUSED_AS_SPAM = "Message content refused";
/** The start of the reply to a stranger's mail whose author is not certain. */
export const AUTHOR_UNCLEAR = "The header must name its author";
/** The start of the reply to an account's mail; the account and a colon follow. */
export const NOT_SENT_FOR = "Not sent for ";
const NOT_SENT = new RegExp(`^${NOT_SENT_FOR}(\\S+@\\S+): `);

/**
 * What Postfix writes for each header from a milter that one of our tables names (`FINDING_WORDS`; postconf(5), milter_header_checks):
 *
 *     QUEUEID: milter-header-info: header NAME: VALUE from NAME[IP]; from=<A> to=<B> proto=… helo=<C>: WORDS
 *
 * Our words come last, and no text of a stranger comes before the queue id.
 */
export function readMilterFinding(text: string): Observation | null {
  const { queue: queueId = "", words = "" } = FINDING.exec(text)?.groups ?? {};
  const found = FINDINGS.find((finding) => FINDING_WORDS[finding] === words);
  return found === undefined ? null : { type: "MAIL_JUDGED", queueId, found };
}

const FINDINGS = ["spf", "dkim", "spam"] as const satisfies readonly MailFinding[];
export const FINDING_WORDS: Readonly<Record<MailFinding, string>> = {
  spf: "the sender is proven by SPF",
  dkim: "a DKIM signature is valid",
  spam: "it is marked as spam",
};
const FINDING = new RegExp(`^${QUEUE_ID}: milter-header-info: header .*>: (?<words>[A-Za-z ]{1,40})$`);
const REJECT = new RegExp(
  `^${QUEUE_ID}: milter-reject: END-OF-MESSAGE from ${CLIENT}: (?<status>[45]\\.\\d\\.\\d) (?<reply>[^;]*); ` +
    `from=<(?<sender>${IN_PATH})> to=<(?<recipient>${IN_PATH})> proto=`,
);

/**
 * Reads the log of spamd(8p). Each mail has two lines, which share the process id of the child that scored it:
 *
 *     [2] info: spamd: identified spam (5.9/5.0) for anna@example.org:111 in 0.1 seconds, 154 bytes.
 *     [2] info: spamd: result: Y 5 - GTUBE scantime=0.1,…,user=anna@example.org,…,required_score=5.0,…,mid=<a@b>,…
 *
 * The second has the score truncated to a whole number. spamd replaces commas within a Message-ID.
 */
export class SpamdLog {
  readonly #exact = new BoundedMap<string, number>(MOST_CHILDREN);

  /** Null if the line does not end a mail. A long Message-ID, which the sender chose and which comes last, is truncated. */
  read(line: string): Observation | null {
    const [, pid = "", message = ""] = SPAMD_LINE.exec(line.slice(0, LONGEST_LINE)) ?? [];
    const [, exact] = /^(?:identified spam|clean message) \((-?\d+(?:\.\d+)?)\//.exec(message) ?? [];
    if (exact !== undefined) {
      this.#exact.set(pid, Number(exact));
      return null;
    }
    const [, whole, user = "", required, messageId = ""] = RESULT.exec(message) ?? [];
    if (whole === undefined || required === undefined) return null;
    const score = this.#exact.get(pid) ?? Number(whole);
    this.#exact.delete(pid);
    const recipient = user.includes("@") ? user : null;
    return { type: "SPAM_SCORED", score, required: Number(required), messageId, recipient };
  }
}

/** More than spamd ever has at once. First lines without a second one are forgotten. */
const MOST_CHILDREN = 64;
/** `s`: a Message-ID may contain line separators of Unicode (U+2028), which end no line. */
const SPAMD_LINE = /^(?:\S+ )?\[(\d+)\] info: spamd: (.*)$/s;
const RESULT =
  /^result: [Y.] +(-?\d+) - \S* scantime=[\d.]+,size=\d+,user=([^,]*),.*?,required_score=(-?[\d.]+),.*?,mid=([^,]*)/s;

/**
 * Whether Rspamd's main process has heard nothing from the process that reads mail since its last check (`CHECK_MS`):
 *
 *     #4(main) <d1ee3b>; main; rspamd_main_heartbeat_cb: lost 2 heartbeat from worker type rspamd_proxy with pid 9, last beat on: …
 */
export function isBlocked(line: string): boolean {
  return BLOCKED.test(line.slice(0, LONGEST_LINE));
}

const BLOCKED =
  /^(?:\S+ )?#\d+\(main\) <\w+>; main; rspamd_main_heartbeat_cb: lost (?:\d+ )?heartbeat from worker type rspamd_proxy /;
