import assert from "node:assert/strict";
import { join } from "node:path";
import { OLD_SCHEMAS, restoreOld, restoreOldAccounts } from "../kit/old-data.ts";
import type { Lab } from "./lab.ts";
import type { SystemdMachine } from "./systemd-machine.ts";

/** Of the server under systemd. */
export const DATA = "/var/lib/ghostinbox";
const OLD = "/srv/lab/old";
/** A start after a boot on an idle machine takes a fourth of it. */
const READY_S = 15;
const TAKEN_BACK =
  /^ghostinbox: The upgrade of engine\.db to schema \d+ was taken back: install the version .*json to upgrade again\.$/m;
/** Runs as root before each start, and works before one. */
const BECOME_OLD = `
  [ -d ${OLD} ] || exit 0
  cd ${DATA}/db
  for name in ${Object.keys(OLD_SCHEMAS).join(" ")}; do
    db=$name/$name.db
    chown --reference=$db ${OLD}/$name.db
    chmod --reference=$db ${OLD}/$name.db
    rm $db*
    mv ${OLD}/$name.db $db
  done
  rm -r ${OLD}`;

/** Whenever the server is started next, the databases of an earlier version are there, with this account, which there is. */
export async function becomesOldBeforeNextStart(machine: SystemdMachine, lab: Lab, account: string): Promise<void> {
  const hash = await valueIn(machine, `${DATA}/db/accounts/accounts.db`, "SELECT password FROM account");
  const old = join(lab.directory, "old");
  restoreOld("engine", join(old, "engine.db"));
  restoreOldAccounts(join(old, "accounts.db"), account, hash);
  const unit = "/run/systemd/system/ghostinbox.service.d";
  await machine.shell(`mkdir ${unit} && cp -r ${old} ${OLD}`);
  await machine.run(["tee", `${OLD}.sh`], { input: BECOME_OLD });
  await machine.run(["tee", `${unit}/old.conf`], { input: `[Service]\nExecStartPre=/bin/sh -e ${OLD}.sh\n` });
}

/** The first column of the first row. */
async function valueIn(machine: SystemdMachine, database: string, query: string): Promise<string> {
  const script = `
    import { DatabaseSync } from "node:sqlite";
    const [path, query] = process.argv.slice(1);
    console.log(Object.values(new DatabaseSync(path, { readOnly: true }).prepare(query).get())[0]);`;
  const argv = [process.execPath, "--input-type=module", "--eval", script, database, query];
  return (await machine.must(argv)).trim();
}

/** It has gone back, and this version does not start before it may upgrade again. */
export async function assertTakenBack(machine: SystemdMachine): Promise<void> {
  const version = await valueIn(machine, `${DATA}/db/engine/engine.db`, "PRAGMA user_version");
  assert.equal(version, String(OLD_SCHEMAS.engine));
  assert.equal((await machine.run(["systemctl", "start", "ghostinbox"])).code, 1);
  assert.match(await machine.shell("journalctl --sync; journalctl -n 6 -o cat -u ghostinbox"), TAKEN_BACK);
  const state = await machine.run(["systemctl", "is-active", "ghostinbox"]);
  assert.equal(state.stdout, "failed\n", "it is not repeated");
}

/** The last start took less than 15 s, without what it waited for other programs. */
export async function assertQuickStart(machine: SystemdMachine): Promise<void> {
  const { elapsedS, waitedS, usedS } = await startUp(machine);
  console.log(
    `ready ${elapsedS.toFixed(1)} s after systemd started it, with ${usedS.toFixed(1)} s of processor time, and ${waitedS.toFixed(1)} s of waiting for other programs`,
  );
  assert.ok(elapsedS - waitedS < READY_S, `${elapsedS} s, of which it waited ${waitedS} s`);
  assert.ok(usedS < READY_S, `${usedS} s: one processor alone would take longer`);
}

/**
 * From the start of the unit to its readiness, in seconds; how long any part waited for a processor or the disk since the
 * boot, which depends on what else this machine does (kernel, Documentation/accounting/psi.rst); and what all used.
 */
async function startUp(
  machine: SystemdMachine,
): Promise<Readonly<{ elapsedS: number; waitedS: number; usedS: number }>> {
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
