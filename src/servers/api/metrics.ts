import { instant } from "../../core/time.ts";
import type { BanItem } from "../../wire/control/items.ts";
import type { ApiParts } from "./ports.ts";

/** Prometheus text exposition format 0.0.4. Never an address or an account as a label. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export function metrics({ queries, clock, version }: ApiParts): string {
  const store = queries();
  return [
    family("ghostinbox_build_info", "gauge", "What runs.", [[`version="${version}"`, 1]]),
    family("ghostinbox_bans_active", "gauge", "Bans in force.", bansBySource(store.bans(clock.now()))),
    family(
      "ghostinbox_events_total",
      "counter",
      "Events in the database.",
      Object.entries(store.counts(instant(0))).map(([type, count]) => [`type="${type}"`, count]),
    ),
  ].join("");
}

type Sample = readonly [labels: string, value: number];

function family(name: string, type: "gauge" | "counter", says: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}{${labels}} ${value}\n`);
  return `# HELP ${name} ${says}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

/** The source of a manual ban is a person; all people are one label. */
function bansBySource(bans: readonly BanItem[]): readonly Sample[] {
  const bySource = { engine: 0, fail2ban: 0, manual: 0 };
  for (const { source } of bans) bySource[source === "engine" || source === "fail2ban" ? source : "manual"]++;
  return Object.entries(bySource).map(([source, count]) => [`source="${source}"`, count]);
}
