import { lastLines } from "../../adapters/machine/run-program.ts";
import { runTool, TOOL_PATH } from "../../adapters/nft/tools.ts";
import type { Opening } from "../../core/firewall/strict.ts";
import type { Outcome } from "../../engine/ports.ts";
import { nftEndStrict, nftStrict, STRICT_TABLE } from "../../wire/kernel/nft-strict.ts";

const NFT_MS = 10_000;

/** One transaction: no packet sees it half built. */
export function loadStrict(
  confirmed: Opening | null,
  trial: Readonly<{ opening: Opening; lastsS: number }> | null,
): Promise<Outcome> {
  return load(confirmed === null && trial === null ? nftEndStrict() : nftStrict(confirmed, trial));
}

/** Removes the table, if it exists. */
export function endStrict(): Promise<Outcome> {
  return load(nftEndStrict());
}

/** As the kernel holds it; empty if it does not exist. Null if it cannot be read. */
export async function listStrict(): Promise<string | null> {
  const ran = await runTool("nft", ["list", "table", ...STRICT_TABLE.split(" ")], {
    path: TOOL_PATH,
    timeoutMs: NFT_MS,
  });
  if (ran.code === 0) return ran.stdout;
  return /No such file or directory/.test(ran.stderr) ? "" : null;
}

async function load(input: string): Promise<Outcome> {
  const ran = await runTool("nft", ["-f", "-"], { path: TOOL_PATH, input, timeoutMs: NFT_MS });
  return ran.code === 0 ? { ok: true } : { ok: false, reason: `nft failed: ${lastLines(ran, 1)}` };
}
