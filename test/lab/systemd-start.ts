import assert from "node:assert/strict";
import type { SystemdMachine } from "./systemd-machine.ts";

/** The data directory of the server under systemd. */
const DATA = "/var/lib/ghostinbox";
/** Four times a start after a boot on an idle machine. */
const READY_S = 15;
const ROLLED_BACK =
  /^ghostinbox: The upgrade of engine\.db to schema 2 was undone: install the version .*json to upgrade again\.$/m;

/** Checks that the upgrade was rolled back, and that the abandoned version does not start. */
export async function assertRolledBack(machine: SystemdMachine): Promise<void> {
  const database = `file:${DATA}/db/engine/engine.db?mode=ro`;
  assert.equal(await machine.must(["sqlite3", database, "PRAGMA user_version"]), "1\n");
  assert.equal((await machine.run(["systemctl", "start", "ghostinbox"])).code, 1);
  assert.match(await machine.shell("journalctl --sync; journalctl -n 6 -o cat -u ghostinbox"), ROLLED_BACK);
  const state = await machine.run(["systemctl", "is-active", "ghostinbox"]);
  assert.equal(state.stdout, "failed\n", "it is not repeated");
}

/** Checks that the last start took less than 15 s, without waits for other programs. */
export async function assertQuickStart(machine: SystemdMachine): Promise<void> {
  const { elapsedS, waitedS, usedS } = await startUp(machine);
  console.log(
    `ready ${elapsedS.toFixed(1)} s after systemd started it, with ${usedS.toFixed(1)} s of processor time, and ${waitedS.toFixed(1)} s of waiting for other programs`,
  );
  assert.ok(elapsedS - waitedS < READY_S, `${elapsedS} s, of which it waited ${waitedS} s`);
  assert.ok(usedS < READY_S, `${usedS} s: one processor alone would take longer`);
}

/**
 * In seconds: the time from the start of the unit to its readiness; how long any service has waited for a processor or the disk
 * since the boot, which depends on what else this machine does (kernel, Documentation/accounting/psi.rst); and the processor time.
 */
async function startUp(machine: SystemdMachine) {
  const slice = "/sys/fs/cgroup/system.slice";
  const printed = await machine.shell(`
    systemctl show -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic ghostinbox
    for what in cpu io; do sed -n "s/^some .*total=/$what=/p" ${slice}/$what.pressure; done
    sed -n 's/^usage_usec /used=/p' ${slice}/cpu.stat`);
  const seconds = (name: string): number =>
    Number(new RegExp(`^${name}=(\\d+)$`, "m").exec(printed)?.[1] ?? assert.fail(printed)) / 1e6;
  const elapsedS = seconds("ActiveEnterTimestampMonotonic") - seconds("InactiveExitTimestampMonotonic");
  return { elapsedS, waitedS: seconds("cpu") + seconds("io"), usedS: seconds("used") };
}
