import { BoundedMap } from "../../core/bounded-map.ts";
import type { Change } from "../../core/decide/decision.ts";
import type { Credit } from "../../core/decide/honest-mail.ts";
import type { Observation } from "../../core/events/log.ts";
import type { Message } from "../../core/events/mail.ts";
import { neighbourhoodOf, type Prefix, prefixOf } from "../../core/net/ip.ts";
import { LIMITS } from "../limits.ts";
import type { HonestMail } from "../storage-ports.ts";

/** A mail between the last question about it and its delivery. */
type QueuedMail = {
  readonly prefix: Prefix;
  readonly network: Prefix;
  /** Null: the mail is an account's own. */
  readonly sender: string | null;
  proven: "spf" | "dkim" | null;
  isSpam: boolean;
};

/**
 * Connects log lines about a mail with the server that sent it, by queue id. Kept in memory only: a restart of the
 * guard loses the credit for the few mails in flight, and nothing else.
 */
export class QueuedMails {
  readonly #honest: Pick<HonestMail, "hasWrittenTo">;
  readonly #mails = new BoundedMap<string, QueuedMail>(LIMITS.queuedMails);

  constructor(honest: Pick<HonestMail, "hasWrittenTo">) {
    this.#honest = honest;
  }

  /** Postfix has the whole mail, and the guard let it pass. */
  accepted({ queueId, account, sender }: Message, prefix: Prefix, network: Prefix): void {
    if (queueId === "") return;
    const from = account === null ? sender : null;
    this.#mails.set(queueId, { prefix, network, sender: from, proven: null, isSpam: false });
  }

  /** The credit for the server if this mail got through; null if there is none. */
  creditOf(seen: Observation, ipv6Prefix: number): Extract<Change, { type: "CREDIT" }> | null {
    if (seen.type !== "MAIL_JUDGED" && seen.type !== "MAIL_TRIED") return null;
    const mail = this.#mails.get(seen.queueId);
    if (mail === undefined) return null;
    if (seen.type === "MAIL_JUDGED") {
      if (seen.found === "spam") mail.isSpam = true;
      else mail.proven = seen.found;
      return null;
    }
    if (seen.outcome !== "sent") return null;
    if (mail.sender === null) return written(seen, ipv6Prefix);
    // Counts once for each mail, however many recipients it has.
    this.#mails.delete(seen.queueId);
    if (mail.isSpam) return null;
    const { prefix, network } = mail;
    return { type: "CREDIT", prefix, network, mail: this.#kindOf(mail.sender, mail.proven) };
  }

  #kindOf(sender: string, proven: QueuedMail["proven"]): Credit {
    if (proven === null) return "accepted";
    // Anyone can replay a signature. SPF says that a server may send for the sender.
    const isWanted = proven === "spf" && sender !== "" && this.#honest.hasWrittenTo(sender);
    return isWanted ? "wanted" : "proven";
  }
}

function written(
  { server }: Extract<Observation, { type: "MAIL_TRIED" }>,
  ipv6Prefix: number,
): Extract<Change, { type: "CREDIT" }> | null {
  if (server === null) return null;
  const network = neighbourhoodOf(server, ipv6Prefix);
  return { type: "CREDIT", prefix: prefixOf(server, ipv6Prefix), network, mail: "written" };
}
