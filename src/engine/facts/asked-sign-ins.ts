import { BoundedMap } from "../../core/bounded-map.ts";
import type { LoginAsked, LoginFailed, LoginSucceeded } from "../../core/events/login.ts";
import type { AskedBefore } from "../../core/events/seen.ts";
import { LIMITS } from "../limits.ts";

/**
 * Logins in flight. The report of a login records when the guard was asked about it, so that a replay can ask at the
 * same moment. A replay does not ask about dropped entries.
 */
export class AskedSignIns {
  readonly #asked = new BoundedMap<string, readonly AskedBefore[]>(LIMITS.askedSignIns);
  #count = 0;

  passed(event: LoginAsked, now: Omit<AskedBefore, "nth">): void {
    const key = keyOf(event);
    const asked = this.#asked.get(key) ?? [];
    this.#asked.set(key, [...asked, { ...now, nth: ++this.#count }].slice(-LIMITS.askedPerAccount));
  }

  /** The oldest question that this report answers. */
  take(report: LoginSucceeded | LoginFailed): AskedBefore | undefined {
    const key = keyOf(report);
    const [first, ...others] = this.#asked.get(key) ?? [];
    if (others.length === 0) this.#asked.delete(key);
    else this.#asked.set(key, others);
    return first;
  }
}

function keyOf({ ip, service, login, passwordHash }: LoginAsked | LoginSucceeded | LoginFailed): string {
  return `${ip} ${service} ${passwordHash} ${login}`;
}
