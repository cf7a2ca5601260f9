import { BoundedMap } from "../../core/bounded-map.ts";
import type { LoginAsked, LoginFailed, LoginSucceeded } from "../../core/events/login.ts";
import type { AskedBefore } from "../../core/events/seen.ts";
import { LIMITS } from "../limits.ts";

/**
 * Sign-ins that went on to their password: the report of how one ended records when it was asked about, so that a
 * replay can ask again at the same moment. What falls out is asked about by no replay.
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
