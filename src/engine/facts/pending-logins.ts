import { BoundedMap } from "../../core/bounded-map.ts";
import type { LoginAsked, LoginFailed, LoginSucceeded } from "../../core/events/login.ts";
import type { AskedBefore } from "../../core/events/seen.ts";
import { LIMITS } from "../limits.ts";

/**
 * Logins in flight. The report of a login records when the guard was asked about it, so that a replay can ask at the
 * same moment. A replay does not ask about dropped entries.
 */
export class PendingLogins {
  readonly #pending = new BoundedMap<string, readonly AskedBefore[]>(LIMITS.pendingLogins);
  #count = 0;

  passed(event: LoginAsked, now: Omit<AskedBefore, "nth">): void {
    const key = keyOf(event);
    const asked = this.#pending.get(key) ?? [];
    this.#pending.set(key, [...asked, { ...now, nth: ++this.#count }].slice(-LIMITS.pendingLoginsPerAccount));
  }

  /** The oldest question that this report answers. */
  take(report: LoginSucceeded | LoginFailed): AskedBefore | undefined {
    const key = keyOf(report);
    const [first, ...others] = this.#pending.get(key) ?? [];
    if (others.length === 0) this.#pending.delete(key);
    else this.#pending.set(key, others);
    return first;
  }
}

function keyOf({ ip, service, login, passwordHash }: LoginAsked | LoginSucceeded | LoginFailed): string {
  return `${ip} ${service} ${passwordHash} ${login}`;
}
