import { eventsBetween } from "../../engine/explain/series.ts";
import type { BanCounts } from "../../engine/figures.ts";
import type { ApiParts } from "./ports.ts";

/** Prometheus text exposition format 0.0.4. Never an address or an account as a label. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export function metrics({ queries, clock, version }: ApiParts): string {
  const { figures } = queries();
  return [
    family("ghostinbox_build_info", "gauge", "What runs.", [[`version="${version}"`, 1]]),
    family("ghostinbox_bans_active", "gauge", "Bans in force.", bansBySource(figures.bansInForce(clock.now()))),
    family(
      "ghostinbox_events_total",
      "counter",
      "Events recorded.",
      Object.entries(eventsBetween({}, figures.totals(null))).map(([type, count]) => [`type="${type}"`, count]),
    ),
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
