import { BoundedMap } from "../../core/bounded-map.ts";
import type { MailFacts } from "../../core/events/mail.ts";
import { LIMITS } from "../limits.ts";

type Mail = Pick<MailFacts, "session" | "transaction">;

/**
 * The recipients of mails in flight, one mail per connection. At the end of a mail Postfix names its recipient only if
 * there is one (SMTPD_POLICY_README). A dropped entry is not remembered as written to; nothing else is lost.
 */
export class NamedRecipients {
  readonly #mails = new BoundedMap<string, Readonly<{ transaction: string; named: string[] }>>(
    LIMITS.namedRecipientsMails,
  );

  add({ session, transaction }: Mail, recipient: string): void {
    const present = this.#mails.get(session);
    const named = present?.transaction === transaction ? present.named : [];
    if (named.length < LIMITS.namedRecipients) named.push(recipient);
    this.#mails.set(session, { transaction, named });
  }

  of({ session, transaction }: Mail): readonly string[] {
    const present = this.#mails.get(session);
    return present?.transaction === transaction ? present.named : NOBODY;
  }

  /** The mail has ended, or a new connection reuses the port of an old one. */
  end(session: string): void {
    this.#mails.delete(session);
  }
}

const NOBODY: readonly string[] = [];
