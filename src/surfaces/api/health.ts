import type { ComponentHealth, Health, OwnerTask } from "../../admin/declare/items.ts";
import { EVENT_TYPES } from "../../core/events/event-types.ts";
import type { Millis } from "../../core/time.ts";
import { VERSION } from "../../core/version.ts";
import { headlineOf, taskOf } from "../../guard/explain/needs-you.ts";
import { UntrustedProxy } from "./client-address.ts";
import { API_LIMITS } from "./limits.ts";
import type { ApiParts } from "./ports.ts";

type Parts = Pick<ApiParts, "guard" | "queries" | "clock">;
type States = Pick<Health, "status"> & Readonly<{ components: readonly Pick<ComponentHealth, "name" | "status">[] }>;

const GUARD_DOWN: OwnerTask = {
  kind: "notice",
  code: "guard_down",
  since: null,
  says: "Until the guard answers, no new address is banned and nothing is recorded.",
  action: "On the server, `status` shows why; `restart` restarts everything.",
  account: null,
};

const RANK = { ok: 0, degraded: 1, down: 2 } as const;

export type HealthReader = ReturnType<typeof createHealthReader>;

/**
 * The guard's health and the web's own observations. Anyone may ask, so an answer is kept for a second and simultaneous
 * requests share one question.
 */
export function createHealthReader({ guard, queries, clock }: Parts, proxies = new UntrustedProxy()) {
  let latest: Readonly<{ at: Millis; health: Promise<Health> }> | null = null;

  function read(): Promise<Health> {
    const now = clock.now();
    if (latest === null || Math.abs(now - latest.at) >= API_LIMITS.healthAgeMs)
      latest = { at: now, health: look().then((seen) => ({ ...seen, headline: headlineOf(seen) })) };
    return latest.health;
  }

  /** Whether the guard and the database can be reached, regardless of other failures. */
  async function readiness() {
    const { components } = await read();
    const isReached = components.some(({ name, status }) => name === "guard" && status === "ok");
    const guardsOwn = { name: "guard", status: isReached ? "ok" : "down" } as const;
    const own = store();
    return publicHealth({ status: isReached ? own.status : "down", components: [guardsOwn, own] });
  }

  async function look(): Promise<Omit<Health, "headline">> {
    const reply = await guard.ask("web", { verb: "health" });
    const own = store();
    if (!reply.ok) {
      const down: ComponentHealth = { name: "guard", status: "down", detail: "It does not answer." };
      return { status: "down", components: [down, own], notices: [], needsYou: [GUARD_DOWN], uptimeSeconds: 0 };
    }
    const { components, status, notices, needsYou, ...rest } = reply.result;
    const untrusted = proxies.notices(clock.now());
    return {
      ...rest,
      notices: [...notices, ...untrusted],
      needsYou: [...needsYou, ...untrusted.map(taskOf)],
      status: RANK[own.status] > RANK[status] ? own.status : status,
      components: own.status === "ok" ? components : [...components, own],
    };
  }

  function store(): ComponentHealth {
    try {
      queries().events({ most: 1, order: "newest_first" });
      return { name: "store", status: "ok", detail: "The web can read it." };
    } catch {
      return { name: "store", status: "down", detail: "The web cannot read it." };
    }
  }

  return { read, readiness };
}

/** For strangers: the version, names and states, no details. The web listens on loopback unless the settings say otherwise. */
export function publicHealth({ status, components }: States) {
  return { version: VERSION, status, components: components.map((one) => ({ name: one.name, status: one.status })) };
}

/** Prometheus text exposition format 0.0.4. Never an address or an account as a label. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export async function metrics({ queries, clock }: Parts, health: HealthReader): Promise<string> {
  const { components } = await health.read();
  const { figures } = queries();
  const up = components.map(({ name, status }): Sample => [`component="${name}"`, status === "down" ? 0 : 1]);
  const inForce = Object.entries(figures.banCounts(clock.now()));
  const bans = inForce.map(([source, count]): Sample => [`source="${source}"`, count]);
  const totals = figures.totals(null);
  // Includes types without events: without an earlier zero, Prometheus sees no increase in the first event of a type.
  const events = EVENT_TYPES.map((type): Sample => [`type="${type}"`, totals[type] ?? 0]);
  return [
    family("ghostinbox_build_info", "gauge", "What runs.", [[`version="${VERSION}"`, 1]]),
    family("ghostinbox_component_up", "gauge", "1: it works, at least in part. 0: it is down.", up),
    family("ghostinbox_bans_active", "gauge", "Bans in force.", bans),
    family("ghostinbox_events_total", "counter", "Events recorded.", events),
  ].join("");
}

type Sample = readonly [labels: string, value: number];

function family(name: string, type: "gauge" | "counter", says: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}{${labels}} ${value}\n`);
  return `# HELP ${name} ${says}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}
