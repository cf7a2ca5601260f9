import assert from "node:assert/strict";
import type { BareDebian, BareRun } from "./bare-debian.ts";

/** Edits a limit in the original project's script, as its pages say, and applies it. */
export async function expectLimitOfScript(machine: BareDebian, online: BareRun): Promise<void> {
  await edit(machine, "perMinute: 10", "perMinute: 20");
  const output = await machine.must(["./ghostinbox", "config", "apply"], online);
  assert.match(output, /security\.js was edited: limits\.mail\.per_minute = 20, now in ghostinbox\.toml\./);
  assert.match(output, /In force now: limits\.mail\.per_minute\./);
  const shown = await machine.must(["./ghostinbox", "config", "show"], online);
  assert.match(shown, /^limits\.mail\.per_minute = 20 {2}# ghostinbox\.toml:\d+$/m);
}

/** Adds an address to the script's whitelist. Returns what the next start must print about that. */
export async function whitelistInScript(machine: BareDebian): Promise<RegExp> {
  await edit(machine, "whitelist: [[]]", 'whitelist: ["192.0.2.7"]');
  return /security\.js was edited: allow\.networks = .*"192\.0\.2\.7\/32"/;
}

export async function scriptAsDelivered(machine: BareDebian): Promise<void> {
  await edit(machine, "perMinute: 20", "perMinute: 10");
  await edit(machine, "whitelist: [[].*]", "whitelist: []");
}

async function edit(machine: BareDebian, from: string, to: string): Promise<void> {
  // Only the first match, because limits of mails come before those of connections.
  await machine.must(["sed", "-i", `0,\\#${from}#s#${from}#${to}#`, "security/security.js"]);
  assert.ok((await machine.must(["cat", "security/security.js"])).includes(to));
}
