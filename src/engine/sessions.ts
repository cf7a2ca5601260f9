import { LIMITS } from "./limits.ts";

/** Counts the mails of open connections, which Postfix 3.7 does not. What falls out merely starts at nought again. */
export class Sessions {
  readonly #mails = new Map<string, number>();

  /** A new connection may reuse the port of an old one. */
  begin(session: string): void {
    this.#mails.delete(session);
  }

  mails(session: string): number {
    return this.#mails.get(session) ?? 0;
  }

  addMail(session: string): void {
    const mails = this.mails(session) + 1;
    this.#mails.delete(session);
    this.#mails.set(session, mails);
    if (this.#mails.size <= LIMITS.sessions) return;
    const oldest = this.#mails.keys().next();
    if (oldest.done !== true) this.#mails.delete(oldest.value);
  }
}
