import { merged, type Opening, type StrictState, strictState, UNCONFIRMED } from "../../core/firewall/strict.ts";
import type { Outcome } from "../../guard/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import { isStrict } from "../../settings/ports.ts";
import type { Settings } from "../../settings/schema.ts";
import { removeFile } from "../root-files/files.ts";
import { readRecord, writeRecord } from "../root-files/record-file.ts";
import { runsForAnother } from "../running/processes.ts";
import { requiredOpening, sshDoors } from "./opening.ts";
import { listTable, loadNft, removeTable } from "./run-nft.ts";
import { nftStrict, STRICT_TABLE, type Trial } from "./strict-rules.ts";

type File = Pick<Layout, "strictFirewall">;

/** An invalid file counts as not confirmed, because an open port is better than a lockout. */
export function readStrict({ strictFirewall: file }: File): StrictState {
  return readRecord<StrictState>(file, strictState, UNCONFIRMED);
}

export function keepStrict({ strictFirewall: file }: File, state: StrictState): void {
  if (state.confirmed === null && state.trial === null) removeFile(file);
  else writeRecord(file, state);
}

/** Loads the table in one transaction, so that no packet sees it half built. If both are null, removes the table, if it exists. */
export function loadStrict(confirmed: Opening | null, trial: Trial | null): Promise<Outcome> {
  return loadNft(confirmed === null && trial === null ? removeTable(STRICT_TABLE) : nftStrict(confirmed, trial));
}

/** The table as the kernel has it; empty if it does not exist. Null if it cannot be read. */
export function listStrict(): Promise<string | null> {
  return listTable(STRICT_TABLE);
}

const PARTS = { ssh: sshDoors, load: loadStrict, isAnothers: runsForAnother };

/**
 * Puts the confirmed firewall in force, before the first service starts. Adds the current ports of SSH, which may have changed since,
 * and ends an unconfirmed trial. `settings`: null if not read yet; then nothing is changed without a confirmation, which only a strict
 * firewall has. Returns a warning, or null.
 */
export async function startStrict(layout: Layout, settings: Settings | null, parts = PARTS): Promise<string | null> {
  const isWanted = settings === null || isStrict(settings);
  // The table has the same name for every server.
  if (parts.isAnothers(layout.data))
    return isWanted ? "the firewall is not strict: the server of another data directory runs here." : null;
  const { confirmed, trial } = readStrict(layout);
  if (settings === null && confirmed === null) return null;
  if (trial !== null) keepStrict(layout, { confirmed, trial: null });
  if (!isWanted || confirmed === null) {
    // If nft(8) cannot run, no table exists.
    await parts.load(null, null);
    return isWanted
      ? "the firewall is not strict, because it was not confirmed. `./ghostinbox firewall try` starts a trial."
      : null;
  }
  const ssh = await parts.ssh();
  const required = settings === null ? { doors: ssh, trusted: [] } : requiredOpening(settings, ssh);
  const loaded = await parts.load(merged(confirmed, required), null);
  return loaded.ok ? null : `the firewall is not strict: ${loaded.reason}.`;
}
