import { EVENT_TYPES } from "../../core/events/event-types.ts";
import type { BanCounts, Totals } from "../../engine/figures.ts";
import type { ComponentHealth } from "../../wire/control/items.ts";
import type { HealthReader } from "./health.ts";
import type { ApiParts } from "./ports.ts";

/** Prometheus text exposition format 0.0.4. Never an address or an account as a label. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export async function metrics(
  { queries, clock, version }: Pick<ApiParts, "queries" | "clock" | "version">,
  health: Pick<HealthReader, "read">,
): Promise<string> {
  const { components } = await health.read();
  const { figures } = queries();
  return [
    family("ghostinbox_build_info", "gauge", "What runs.", [[`version="${version}"`, 1]]),
    family("ghostinbox_component_up", "gauge", "1: it works, or works in part. 0: it is down.", components.map(upOf)),
    family("ghostinbox_bans_active", "gauge", "Bans in force.", bansBySource(figures.bansInForce(clock.now()))),
    family("ghostinbox_events_total", "counter", "Events recorded.", eventsByType(figures.totals(null))),
  ].join("");
}

type Sample = readonly [labels: string, value: number];

function family(name: string, type: "gauge" | "counter", says: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}{${labels}} ${value}\n`);
  return `# HELP ${name} ${says}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function bansBySource(counts: BanCounts): readonly Sample[] {
  return Object.entries(counts).map(([source, count]) => [`source="${source}"`, count]);
}

function upOf({ name, status }: ComponentHealth): Sample {
  return [`component="${name}"`, status === "down" ? 0 : 1];
}

/** Includes types without events: without an earlier zero, Prometheus sees no increase in the first event of a type. */
function eventsByType(totals: Totals): readonly Sample[] {
  return EVENT_TYPES.map((type) => [`type="${type}"`, totals[type] ?? 0]);
}
