import type { ComponentHealth, Health, OwnerTask } from "../../admin/declare/items.ts";
import { EVENT_TYPES } from "../../core/events/event-types.ts";
import type { Millis } from "../../core/time.ts";
import { VERSION } from "../../core/version.ts";
import { headlineOf, taskOf } from "../../guard/explain/needs-you.ts";
import { UntrustedProxy } from "./client-address.ts";
import { API_LIMITS } from "./limits.ts";
import type { ApiParts } from "./ports.ts";

type States = Pick<Health, "status"> & Readonly<{ components: readonly Pick<ComponentHealth, "name" | "status">[] }>;

const GUARD_DOWN: OwnerTask = {
  kind: "notice",
  code: "guard_down",
  since: null,
  says: "Until the guard answers, no new address is banned and nothing is recorded.",
  action: "On the server, `status` says why; `restart` starts everything again.",
  account: null,
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
    if (this.#latest === null || Math.abs(now - this.#latest.at) >= API_LIMITS.healthAgeMs)
      this.#latest = { at: now, health: this.#look().then((seen) => ({ ...seen, headline: headlineOf(seen) })) };
    return this.#latest.health;
  }

  /** Whether the guard and the database can be reached, regardless of other failures. */
  async readiness() {
    const { components } = await this.read();
    const guard = components.find(({ name }) => name === "guard")?.status === "ok" ? "ok" : "down";
    const { status: store } = this.#store();
    return publicHealth({
      status: guard === "ok" ? store : guard,
      components: [
        { name: "guard", status: guard },
        { name: "store", status: store },
      ],
    });
  }

  async #look(): Promise<Omit<Health, "headline">> {
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
export function publicHealth({ status, components }: States) {
  return { version: VERSION, status, components: components.map((one) => ({ name: one.name, status: one.status })) };
}

/** Prometheus text exposition format 0.0.4. Never an address or an account as a label. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export async function metrics(
  { queries, clock }: Pick<ApiParts, "queries" | "clock">,
  health: Pick<HealthReader, "read">,
): Promise<string> {
  const { components } = await health.read();
  const { figures } = queries();
  const up = components.map(({ name, status }): Sample => [`component="${name}"`, status === "down" ? 0 : 1]);
  const bans = Object.entries(figures.bansInForce(clock.now()));
  const totals = figures.totals(null);
  // Types without events too: without an earlier zero, Prometheus sees no increase in the first event of a type.
  const events = EVENT_TYPES.map((type): Sample => [`type="${type}"`, totals[type] ?? 0]);
  return [
    family("ghostinbox_build_info", "gauge", "What runs.", [[`version="${VERSION}"`, 1]]),
    family("ghostinbox_component_up", "gauge", "1: it works, or works in part. 0: it is down.", up),
    family(
      "ghostinbox_bans_active",
      "gauge",
      "Bans in force.",
      bans.map(([source, count]) => [`source="${source}"`, count]),
    ),
    family("ghostinbox_events_total", "counter", "Events recorded.", events),
  ].join("");
}

type Sample = readonly [labels: string, value: number];

function family(name: string, type: "gauge" | "counter", says: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}{${labels}} ${value}\n`);
  return `# HELP ${name} ${says}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}
