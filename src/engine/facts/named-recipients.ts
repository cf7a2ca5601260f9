import { BoundedMap } from "../../core/bounded-map.ts";
import { NO_RECIPIENTS, type RecipientCounts, type SendingFacts } from "../../core/decide/facts.ts";
import type { MailFacts } from "../../core/events/mail.ts";
import { LIMITS } from "../limits.ts";

type Mail = Pick<MailFacts, "session" | "transaction">;
type Named = {
  readonly transaction: string;
  readonly names: string[];
  recipients: number;
  written: number;
  strangers: number;
  isHeld: boolean;
  last: Readonly<{ recipient: string; kind: SendingFacts["recipient"]; isNamed: boolean }> | null;
};

/**
 * The recipients of mails in flight, one mail per connection. At the end of a mail Postfix names its recipient only if
 * there is one (SMTPD_POLICY_README). The recipients of a dropped entry are not remembered as written to, and count as
 * strangers.
 */
export class NamedRecipients {
  readonly #mails = new BoundedMap<string, Named>(LIMITS.namedRecipientsMails);

  add({ session, transaction }: Mail, recipient: string, kind: SendingFacts["recipient"]): void {
    const present = this.#present({ session, transaction });
    const named: Named = present ?? { transaction, names: [], ...NO_RECIPIENTS, isHeld: false, last: null };
    const isNamed = named.names.length < LIMITS.namedRecipients;
    if (isNamed) named.names.push(recipient);
    named.last = { recipient, kind, isNamed };
    named.recipients += 1;
    if (kind === "written") named.written += 1;
    if (kind === "stranger") named.strangers += 1;
    this.#mails.set(session, named);
  }

  /** It will be decided again whether this recipient, if it is the last, may be named. */
  takeBack(mail: Mail, recipient: string): void {
    const named = this.#present(mail);
    if (named === undefined || named.last?.recipient !== recipient) return;
    const { kind, isNamed } = named.last;
    if (isNamed) named.names.pop();
    named.recipients -= 1;
    if (kind === "written") named.written -= 1;
    if (kind === "stranger") named.strangers -= 1;
    named.last = null;
  }

  of(mail: Mail): readonly string[] {
    return this.#present(mail)?.names ?? NOBODY;
  }

  /** `all`: the number of recipients that Postfix counts; those not named here are unknown. */
  counts(mail: Mail, all: number | null): RecipientCounts {
    const { recipients, written, strangers } = this.#present(mail) ?? NO_RECIPIENTS;
    if (all === null) return { recipients, written, strangers };
    const unseen = Math.max(0, all - recipients);
    return { recipients: all, written: Math.min(written, all), strangers: Math.min(strangers, all) + unseen };
  }

  /** Postfix got the order to hold it. */
  hold(mail: Mail): void {
    const present = this.#present(mail);
    if (present !== undefined) present.isHeld = true;
  }

  isHeld(mail: Mail): boolean {
    return this.#present(mail)?.isHeld ?? false;
  }

  /** The mail has ended, or a new connection reuses the port of an old one. */
  end(session: string): void {
    this.#mails.delete(session);
  }

  #present({ session, transaction }: Mail): Named | undefined {
    const present = this.#mails.get(session);
    return present?.transaction === transaction ? present : undefined;
  }
}

const NOBODY: readonly string[] = [];
