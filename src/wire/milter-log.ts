import type { Observation } from "../core/event.ts";
import { parseIp } from "../core/ip.ts";

/**
 * The line by which Postfix's cleanup(8) tells that a milter refused a mail:
 *
 *     … postfix/cleanup[2]: QUEUEID: milter-reject: END-OF-MESSAGE from NAME[IP]: 5.7.1 REPLY; from=<A> to=<B> proto=…
 *
 * Null: another line, or a refusal that does not say why in words of ours.
 */
export function readMilterReject(line: string, spamReply: string): Observation | null {
  if (line.length > LONGEST_LINE) return null;
  const [, queueId = "", client = "", status = "", reply = "", sender = "", recipient = ""] = REJECT.exec(line) ?? [];
  const ip = parseIp(client);
  if (ip === null || !status.startsWith("5.")) return null;
  const about = { type: "CONTENT_REFUSED", ip, queueId, sender, recipient, reply } as const;
  if (reply === spamReply) return { ...about, reason: "spam_refused" };
  return reply.startsWith("rejected by DMARC policy for ") ? { ...about, reason: "dmarc_refused" } : null;
}

/** Postfix cuts its own at 2,000 characters. */
const LONGEST_LINE = 4_096;
const REJECT =
  /^\S+ +\S+ [\d:]+ \S+ postfix\/cleanup\[\d+\]: (\w+): milter-reject: END-OF-MESSAGE from [^\s[\]]*\[([0-9a-f.:]+)\]: ([45]\.\d\.\d) ([^;]*); from=<([^>]*)> to=<([^>]*)> proto=/i;
