import { BoundedMap } from "../../core/bounded-map.ts";
import type { Facts } from "../../core/decide/facts.ts";
import type { Credit } from "../../core/decide/honest-mail.ts";
import type { Policy } from "../../core/decide/policy.ts";
import { REFUSALS_OF_DOMAIN } from "../../core/decide/sending.ts";
import type { Consequence, Observation } from "../../core/events/log.ts";
import type { EndOfMessage } from "../../core/events/mail.ts";
import { domainOf } from "../../core/net/address.ts";
import { neighbourhoodOf, type Prefix, prefixOf } from "../../core/net/ip.ts";
import { later, type Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { HonestMail, SendingHistory } from "../storage-ports.ts";

type Refusal = Readonly<{ account: string; recipient: string }>;

/**
 * How often the servers of one domain refused mail of an account. Only a few of these count: otherwise someone whose domain
 * refuses each answer of an account's autoresponder could have that account held. Kept in memory only.
 */
export class RefusingDomains {
  readonly #counted = new BoundedMap<string, readonly Millis[]>(LIMITS.refusingDomains);

  /** Whether one more refusal counts within this window. If so, counts it. */
  take(refusal: Refusal, windowMs: number, now: Millis): boolean {
    const key = keyOf(refusal);
    const since = later(now, -windowMs);
    // A time later than now is from before the clock was set back.
    const before = (this.#counted.get(key) ?? []).filter((at) => at > since && at <= now);
    if (before.length >= REFUSALS_OF_DOMAIN) return false;
    this.#counted.set(key, [...before, now]);
    return true;
  }

  /** Undoes the latest refusal that counted. */
  undoTake(refusal: Refusal): void {
    const key = keyOf(refusal);
    this.#counted.set(key, (this.#counted.get(key) ?? []).slice(0, -1));
  }
}

function keyOf({ account, recipient }: Refusal): string {
  return `${account} ${lastTwoLabels(recipient)}`;
}

/**
 * Ignores subdomains, since anyone may create as many as they want. `co.uk` counts as one domain then, so fewer
 * refusals count.
 */
function lastTwoLabels(recipient: string): string {
  return domainOf(recipient).toLowerCase().split(".").slice(-2).join(".");
}

/** A stranger's mail between the last question about it and its delivery. */
type FromStranger = {
  readonly prefix: Prefix;
  readonly network: Prefix;
  readonly sender: string;
  proven: "spf" | "dkim" | null;
  isSpam: boolean;
};
/** The same for an account's own mail. `strangers`: how many strangers among its recipients have not refused it yet. */
type FromAccount = { readonly account: string; readonly at: Millis; strangers: number };
type Tried = Extract<Observation, { type: "MAIL_TRIED" }>;
type Origin = Pick<Facts, "prefix" | "network" | "sending">;

/**
 * Connects log lines about a mail, by queue id, with the server that it came from or was delivered to, and with the account that
 * sent it. Kept in memory only: a restart of the guard loses the credit and the refusals for the few mails in flight, and nothing else.
 */
export class MailOrigins {
  readonly #honest: Pick<HonestMail, "hasWrittenTo">;
  readonly #sending: Pick<SendingHistory, "holdOf">;
  readonly #mails = new BoundedMap<string, FromStranger | FromAccount>(LIMITS.queuedMails);
  readonly #refusing = new RefusingDomains();
  /** Undoes the changes of log lines in the open transaction: if it is lost, they are read again. */
  #undo: (() => void)[] = [];

  constructor(honest: Pick<HonestMail, "hasWrittenTo">, sending: Pick<SendingHistory, "holdOf">) {
    this.#honest = honest;
    this.#sending = sending;
  }

  /** Postfix has the whole mail, and the guard accepted it. */
  accepted({ queueId, account, sender }: EndOfMessage, { prefix, network, sending }: Origin, at: Millis): void {
    if (queueId === "") return;
    if (account !== null) this.#mails.set(queueId, { account, at, strangers: sending.mail.strangers });
    else this.#mails.set(queueId, { prefix, network, sender, proven: null, isSpam: false });
  }

  /** Call it after each transaction. */
  ended(isCommitted: boolean): void {
    if (this.#undo.length === 0) return;
    if (!isCommitted) for (const undo of this.#undo.toReversed()) undo();
    this.#undo = [];
  }

  /** The credit for the server if this mail was delivered, or a refusal that counts; null if neither. */
  consequenceOf(observation: Observation, policy: Policy, now: Millis): Consequence | null {
    if (observation.type !== "MAIL_JUDGED" && observation.type !== "MAIL_TRIED") return null;
    const mail = this.#mails.get(observation.queueId);
    if (mail === undefined) return null;
    if ("account" in mail)
      return observation.type === "MAIL_TRIED" ? this.#ofAccountsMail(mail, observation, policy, now) : null;
    if (observation.type === "MAIL_JUDGED") {
      if (observation.found === "spam") mail.isSpam = true;
      else mail.proven = observation.found;
      return null;
    }
    if (observation.outcome !== "sent") return null;
    // Counts once for each mail, however many recipients it has.
    this.#mails.delete(observation.queueId);
    this.#undo.push(() => this.#mails.set(observation.queueId, mail));
    if (mail.isSpam) return null;
    const { prefix, network } = mail;
    return { type: "CREDIT", prefix, network, mail: this.#kindOf(mail.sender, mail.proven) };
  }

  /**
   * A refusal counts at most once for each stranger among the recipients, a few times for one domain, and not if the owner has
   * vouched since.
   */
  #ofAccountsMail(mail: FromAccount, observation: Tried, { bans, sending }: Policy, now: Millis): Consequence | null {
    if (observation.outcome === "sent") return creditOfRecipientServer(observation, bans.ipv6Prefix);
    // A domain without a server (`smtp none`) refused nothing.
    const byServer = observation.relay.startsWith("smtp ") && observation.relay !== "smtp none";
    const isRefused = observation.outcome === "bounced" && observation.alias === null && byServer;
    if (!isRefused || mail.strangers === 0) return null;
    // If the mail lies in the future, the clock was set back, and the release that vouched for it may lie in the future too.
    if (mail.at > now || this.#sending.holdOf(mail.account, now).vouchedAt >= mail.at) return null;
    const { account } = mail;
    const refusal = { account, recipient: observation.recipient };
    if (!this.#refusing.take(refusal, sending.refused.windowMs, now)) return null;
    mail.strangers -= 1;
    this.#undo.push(() => {
      mail.strangers += 1;
      this.#refusing.undoTake(refusal);
    });
    return { type: "NOTE_REFUSAL", account };
  }

  #kindOf(sender: string, proven: FromStranger["proven"]): Credit {
    if (proven === null) return "accepted";
    // Anyone can replay a DKIM signature. SPF says that this server may send for the sender.
    const isWanted = proven === "spf" && sender !== "" && this.#honest.hasWrittenTo(sender);
    return isWanted ? "wanted" : "proven";
  }
}

function creditOfRecipientServer({ server }: Tried, ipv6Prefix: number): Consequence | null {
  if (server === null) return null;
  const network = neighbourhoodOf(server, ipv6Prefix);
  return { type: "CREDIT", prefix: prefixOf(server, ipv6Prefix), network, mail: "written" };
}
