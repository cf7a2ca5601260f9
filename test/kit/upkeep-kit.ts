import type { PublishedRecord } from "../../src/admin/declare/reports.ts";
import { createUpkeep, type Upkeep, type UpkeepParts } from "../../src/guard/commands/upkeep.ts";
import { loadValid } from "./loaded-settings.ts";

export const { settings } = loadValid('domains = ["example.org", "example.net"]\nhostname = "mail.example.org"\n');

export const MX: PublishedRecord = {
  name: "example.org",
  type: "MX",
  value: "10 mail.example.org.",
  says: "Mail for the domain comes here.",
  required: true,
  status: "ok",
  detail: "It names only this server.",
};

/** The upkeep of a server whose records are all published. */
export function upkeepOf(parts: Pick<UpkeepParts, "keeper" | "clock"> & Partial<UpkeepParts>): Upkeep {
  return createUpkeep({
    settings: () => settings,
    publishedFor: () => Promise.resolve([MX]),
    keyCounts: () => ({ own: 0, without: [], ofFile: 0, closed: [] }),
    ...parts,
  });
}
