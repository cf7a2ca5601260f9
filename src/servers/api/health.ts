import { later, type Millis } from "../../core/time.ts";
import { VERSION } from "../../core/version.ts";
import { taskOf } from "../../engine/explain/needs-you.ts";
import type { ComponentHealth, Health, OwnerTask } from "../../wire/control/items.ts";
import { API_LIMITS } from "./limits.ts";
import type { ApiParts } from "./ports.ts";
import { UntrustedProxy } from "./untrusted-proxy.ts";

type PublicHealth = Readonly<{
  version: string;
  status: Health["status"];
  components: readonly Readonly<{ name: string; status: Health["status"] }>[];
}>;

const GUARD_DOWN: OwnerTask = {
  kind: "notice",
  code: "guard_down",
  since: null,
  says: "Until the guard answers, no address is banned and nothing is recorded.",
  action: "On the server, `status` says why; `restart` starts everything again.",
};

const RANK = { ok: 0, degraded: 1, down: 2 } as const;

/**
 * The guard's health and the web's own observations. Anyone may ask, so an answer is kept for a second and simultaneous
 * requests share one question.
 */
export class HealthReader {
  readonly #parts: ApiParts;
  readonly #proxies: UntrustedProxy;
  #latest: { readonly at: Millis; readonly health: Promise<Health> } | null = null;

  constructor(parts: ApiParts, proxies = new UntrustedProxy()) {
    this.#parts = parts;
    this.#proxies = proxies;
  }

  read(): Promise<Health> {
    const now = this.#parts.clock.now();
    if (this.#latest === null || now >= later(this.#latest.at, API_LIMITS.healthAgeMs))
      this.#latest = { at: now, health: this.#look() };
    return this.#latest.health;
  }

  /** Whether the guard and the database can be reached, regardless of other failures. */
  async readiness(): Promise<PublicHealth> {
    const { components } = await this.read();
    const guard = components.find(({ name }) => name === "guard")?.status === "ok";
    const store = this.#store().status === "ok";
    return {
      version: VERSION,
      status: guard && store ? "ok" : "down",
      components: [
        { name: "guard", status: guard ? "ok" : "down" },
        { name: "store", status: store ? "ok" : "down" },
      ],
    };
  }

  async #look(): Promise<Health> {
    const reply = await this.#parts.guard.ask("web", { verb: "health" });
    const store = this.#store();
    if (reply.ok) {
      const { components, status, notices, needsYou, ...rest } = reply.result;
      const worst = RANK[store.status] > RANK[status] ? store.status : status;
      const own = this.#proxies.notices(this.#parts.clock.now());
      return {
        ...rest,
        notices: [...notices, ...own],
        needsYou: [...needsYou, ...own.map(taskOf)],
        status: worst,
        components: store.status === "ok" ? components : [...components, store],
      };
    }
    const guard: ComponentHealth = { name: "guard", status: "down", detail: "It does not answer." };
    return { status: "down", components: [guard, store], notices: [], needsYou: [GUARD_DOWN], uptimeSeconds: 0 };
  }

  #store(): ComponentHealth {
    try {
      this.#parts.queries().events({ most: 1, order: "newest_first" });
      return { name: "store", status: "ok", detail: "The web can read it." };
    } catch {
      return { name: "store", status: "down", detail: "The web cannot read it." };
    }
  }
}

/** For strangers: the version, names and states, no details. The web listens on loopback unless the settings say otherwise. */
export function publicHealth(health: Health): PublicHealth {
  return {
    version: VERSION,
    status: health.status,
    components: health.components.map(({ name, status }) => ({ name, status })),
  };
}
