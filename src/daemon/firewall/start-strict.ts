import { merged } from "../../core/firewall/strict.ts";
import { isStrict } from "../../settings/is-strict.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { runsForAnother } from "../set-up/running/processes.ts";
import { keepStrict, readStrict } from "./strict-file.ts";
import { loadStrict } from "./strict-table.ts";
import { sshDoors, wantedOpening } from "./wanted.ts";

const PARTS = { ssh: sshDoors, load: loadStrict, isAnothers: runsForAnother };

/**
 * Before the first service starts: puts the confirmed firewall in force from the start. SSH may have a different port since
 * then, and an unconfirmed trial has ended. Returns a warning, or null.
 */
export async function startStrict(layout: Layout, settings: Settings, parts = PARTS): Promise<string | null> {
  // The table has one name, whichever server has loaded it.
  if (parts.isAnothers(layout.data))
    return isStrict(settings) ? "the firewall is not strict: the server of another data directory runs here." : null;
  const { confirmed, trial } = readStrict(layout);
  if (trial !== null) keepStrict(layout, { confirmed, trial: null });
  if (!isStrict(settings) || confirmed === null) {
    // If nft(8) cannot run, no table exists.
    await parts.load(null, null);
    return isStrict(settings)
      ? "the firewall is not strict, because it was not confirmed. `./ghostinbox firewall try` starts a trial."
      : null;
  }
  const opening = merged(confirmed, wantedOpening(settings, await parts.ssh()));
  const loaded = await parts.load(opening, null);
  return loaded.ok ? null : `the firewall is not strict: ${loaded.reason}.`;
}
