import { setTimeout as pause } from "node:timers/promises";
import { networkAddress, type Prefix, parsePrefix } from "../src/core/net/ip.ts";
import { HOUR_MS, later } from "../src/core/time.ts";
import { systemClock } from "../src/host/machine/clock.ts";
import { SqliteStore } from "../src/store/engine-db/store.ts";
import { openEngine } from "../src/store/open.ts";
import { BAN } from "../test/kit/samples.ts";
import { median } from "../test/lab/wait.ts";
import { type Probes, startProbes } from "./ban-time.ts";
import type { Child } from "./child.ts";
import { anonymousMb } from "./memory.ts";
import { type Bench, counted, ms, type Part, within } from "./result.ts";

const BANS = 100_000;
const OF_IPV6 = 10_000;
const MOST_MS = 1_000;
const MOST_MB = 40;
/** How long memory is watched from the start of the process. By then the kernel has long had the bans, and garbage is not collected yet. */
const WATCHED_MS = 3_000;
/** Each set that uses a hash holds one element by which the guard notices that someone emptied it. */
const WATERMARKS = 3;

/** The guard starts with a hundred thousand bans in its database and a kernel that knows none, as after a reboot. */
export const restore: Part = {
  name: "restore",
  says: `${counted(BANS)} bans back in the kernel after a start`,
  async run(bench) {
    await bench.programs.wipe();
    const probes = await startProbes(bench);
    try {
      const attacker = probes.attacker();
      fill(bench.programs.layout.engineDb, attacker);
      const times: number[] = [];
      for (let run = 0; run < (bench.quick ? 2 : 7); run++) times.push(await once(bench, probes, attacker));
      bench.say(`from the start of the process: ${times.map((time) => `${Math.round(time)} ms`).join(", ")}`);
      const most = await mostMemory(bench, probes, attacker);
      return [
        within(`${counted(BANS)} bans restored`, ms(median(times)), MOST_MS),
        within("most memory of the guard during that start", { value: most, unit: "MB" }, MOST_MB),
      ];
    } finally {
      await probes.stop();
    }
  },
};

/** The kernel adds the bans in one transaction, so when one of them drops packets, all do. Counts them afterwards. */
async function once(bench: Bench, probes: Probes, attacker: string): Promise<number> {
  await probes.begin(attacker);
  const startedAtNs = Number(process.hrtime.bigint());
  return withGuard(bench, async () => {
    const tookMs = ((await probes.dropped()) - startedAtNs) / 1e6;
    const count = await elements(bench);
    if (count !== BANS + WATERMARKS) throw new Error(`the kernel holds ${count} elements`);
    return tookMs;
  });
}

/** Measures in a separate run, because looking takes time, too. */
async function mostMemory(bench: Bench, probes: Probes, attacker: string): Promise<number> {
  await probes.begin(attacker);
  return withGuard(bench, async (guard) => {
    const end = performance.now() + WATCHED_MS;
    let most = 0;
    while (performance.now() < end) {
      most = Math.max(most, anonymousMb(guard));
      await pause(10);
    }
    return most;
  });
}

/** Throws if the guard has ended by then. */
async function withGuard(bench: Bench, work: (guard: Child) => Promise<number>): Promise<number> {
  const guard = bench.programs.launch("guard");
  return bench.programs.whileRunning([guard], async () => {
    const result = await work(guard);
    guard.mustRun();
    return result;
  });
}

async function elements({ lab }: Bench): Promise<number> {
  let count = 0;
  for (const set of ["ban4", "ban6", "ban6_host"]) {
    const listed = await lab.server.mustExec(["nft", "list", "set", "inet", "ghostinbox", set]);
    const from = listed.indexOf("elements = {");
    if (from >= 0) count += listed.slice(from).split(",").length;
  }
  return count;
}

/** Bans through the guard's own store, while no guard runs. SQLite gives its files to the owner of the database. */
function fill(path: string, attacker: string): void {
  const db = openEngine(path);
  const store = new SqliteStore(db);
  const now = systemClock.now();
  store.begin();
  for (let i = 0; i < BANS; i++) {
    const prefix = prefixOf(i, attacker);
    const expiresAt = later(now, 24 * HOUR_MS);
    const ban = { ...BAN, prefix, ip: networkAddress(prefix), level: "heavy", createdAt: now, expiresAt } as const;
    store.apply({ type: "BAN", ban }, now);
  }
  store.commit();
  db.close();
}

function prefixOf(i: number, attacker: string): Prefix {
  const text =
    i === 0
      ? attacker
      : i < OF_IPV6
        ? `2001:db8:${(0x1000 + i).toString(16)}::/64`
        : `198.${18 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`no prefix: ${text}`);
  return prefix;
}
