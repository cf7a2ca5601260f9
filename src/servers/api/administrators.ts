import { BoundedMap } from "../../core/bounded-map.ts";
import type { Ip } from "../../core/net/ip.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import type { ApiParts } from "./ports.ts";

/** Well below the half hour for which the guard remembers it. */
const TELL_EVERY_MS = 5 * MINUTE_MS;
const MOST = 256;

/** Reports to the guard from where sessions and tokens are used, so that it does not ban administrators. */
export class Administrators {
  readonly #parts: Pick<ApiParts, "guard" | "clock">;
  readonly #told = new BoundedMap<Ip, Millis>(MOST);

  constructor(parts: Pick<ApiParts, "guard" | "clock">) {
    this.#parts = parts;
  }

  /** Resolves when the guard knows, or did not answer; then the next use reports it again. Never rejects. */
  async seen(ip: Ip): Promise<void> {
    const now = this.#parts.clock.now();
    const told = this.#told.get(ip);
    if (told !== undefined && Math.abs(now - told) < TELL_EVERY_MS) return;
    this.#told.set(ip, now);
    const reply = await this.#parts.guard.ask("web", { verb: "admin_seen", ip });
    if (!reply.ok) this.#told.delete(ip);
  }
}
