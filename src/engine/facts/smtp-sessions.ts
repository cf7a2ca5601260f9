import { BoundedMap } from "../../core/bounded-map.ts";
import { LIMITS } from "../limits.ts";

/** A mail within a connection, and the first recipient that it named. */
export type Named = Readonly<{ session: string; transaction: string; recipient: string | null }>;

/**
 * Counts the mails of open connections, which Postfix 3.7 does not, and remembers the recipient of a bounce. A dropped
 * entry starts at zero again.
 */
export class SmtpSessions {
  readonly #mails = new BoundedMap<string, number>(LIMITS.sessions);
  readonly #bounces = new BoundedMap<string, Named>(LIMITS.sessions);

  /** Starts at zero: a new connection may reuse the port of an old one. */
  begin(session: string): void {
    this.#mails.delete(session);
    this.#bounces.delete(session);
  }

  mails(session: string): number {
    return this.#mails.get(session) ?? 0;
  }

  addMail(session: string): void {
    this.#mails.set(session, this.mails(session) + 1);
  }

  /** Whether this mail named a different recipient before. Postfix may repeat a question, which does not count twice. */
  hasOther({ session, transaction, recipient }: Named): boolean {
    const named = this.#bounces.get(session);
    return named !== undefined && named.transaction === transaction && named.recipient !== recipient;
  }

  nameBounce({ session, transaction, recipient }: Named): void {
    if (this.#bounces.get(session)?.transaction === transaction) return;
    this.#bounces.set(session, { session, transaction, recipient });
  }
}
