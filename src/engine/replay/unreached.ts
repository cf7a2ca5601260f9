import { BoundedMap } from "../../core/bounded-map.ts";
import type { Decision } from "../../core/decide/decision.ts";
import { LIMITS } from "../limits.ts";
import type { DecidedStep } from "./sequence.ts";

type Mail = { readonly transaction: string; taken: boolean; lost: boolean };

/**
 * Events that would not have happened: the rest of a connection that is now refused, the content of a mail without a
 * recipient, the outcome of a sign-in that is refused before its password.
 */
export class Unreached {
  readonly #reports = new Set<number>();
  readonly #signIns = new BoundedMap<string, number>(LIMITS.sessions);
  readonly #sessions = new BoundedMap<string, true>(LIMITS.sessions);
  readonly #mails = new BoundedMap<string, Mail>(LIMITS.sessions);
  readonly #queueIds = new BoundedMap<string, true>(LIMITS.sessions);

  /** Marks the report of a sign-in that is now refused. */
  report(id: number): void {
    this.#reports.add(id);
  }

  /** Whether a mail that was accepted at that time would not exist. */
  mail(queueId: string | null): boolean {
    return queueId !== null && this.#queueIds.get(queueId) === true;
  }

  has({ event, id }: DecidedStep): boolean {
    switch (event.type) {
      case "CONNECT":
        this.#sessions.delete(event.session);
        this.#mails.delete(event.session);
        return false;
      case "RECIPIENT":
        return this.#sessions.get(event.session) === true;
      case "MAIL":
      case "MESSAGE": {
        const mail = this.#mails.get(event.session);
        const isLost =
          this.#sessions.get(event.session) === true ||
          (mail !== undefined && mail.transaction === event.transaction && mail.lost && !mail.taken);
        if (isLost && event.type === "MESSAGE") this.#loseMail(event.queueId);
        return isLost;
      }
      case "LOGIN_SUCCEEDED":
      case "LOGIN_FAILED":
        return this.#reports.delete(id) || this.#takeSignIn(event);
      case "LOGIN_ASKED":
      case "JAIL_REPORTED":
        return false;
    }
  }

  /** Only changed decisions matter: all recorded events did happen. */
  follow({ event, record, seen }: DecidedStep, { verdict }: Decision): void {
    const passed = verdict === "pass";
    // Held mail was accepted.
    const wasTaken = record.verdict === "pass" || record.verdict === "hold";
    const isLost = wasTaken && seen.simulated === undefined && !passed && verdict !== "hold";
    if (event.type === "CONNECT" && isLost) this.#sessions.set(event.session, true);
    if (event.type === "RECIPIENT") this.#recipient(event, passed, isLost);
    if (event.type === "MAIL" && isLost)
      this.#mails.set(event.session, { transaction: event.transaction, taken: false, lost: true });
    if (event.type === "MESSAGE" && isLost) this.#loseMail(event.queueId);
    // A login that was only delayed left a separate event; its report does not say when it was asked about.
    if (event.type === "LOGIN_ASKED" && record.verdict === "delay" && verdict === "refuse") {
      const key = keyOf(event);
      this.#signIns.set(key, (this.#signIns.get(key) ?? 0) + 1);
    }
  }

  #recipient(
    { session, transaction }: Readonly<{ session: string; transaction: string }>,
    passed: boolean,
    isLost: boolean,
  ): void {
    const before = this.#mails.get(session);
    const mail = before?.transaction === transaction ? before : { transaction, taken: false, lost: false };
    mail.taken ||= passed;
    mail.lost ||= isLost;
    this.#mails.set(session, mail);
  }

  #loseMail(queueId: string): void {
    if (queueId !== "") this.#queueIds.set(queueId, true);
  }

  #takeSignIn(event: Parameters<typeof keyOf>[0]): boolean {
    const key = keyOf(event);
    const left = this.#signIns.get(key);
    if (left === undefined) return false;
    if (left > 1) this.#signIns.set(key, left - 1);
    else this.#signIns.delete(key);
    return true;
  }
}

function keyOf(event: Readonly<{ ip: string; service: string; passwordHash: string; login: string }>): string {
  return `${event.ip} ${event.service} ${event.passwordHash} ${event.login}`;
}
