import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type ComponentMemory, memoryOfComponents, totalOf } from "../test/lab/component-memory.ts";
import { spamdAnswers } from "../test/lab/content.ts";
import { arriveAtOnce, FAMILY, LETS_IN, openDevices } from "../test/lab/family-mail.ts";
import { AS_SHIPPED } from "../test/lab/for-tests.ts";
import { type Environment, Product } from "../test/lab/product.ts";
import { until } from "../test/lab/wait.ts";
import { type Child, load } from "./child.ts";
import { type Bench, counted, type Part, type Row, within } from "./result.ts";

const IDLE_MB = 24;
const AFTER_MB = 40;
const EVENTS = 1_000_000;
const ADDRESSES = 200_000;
/** Time for work after a start or a flood, such as collecting garbage, which belongs to neither figure. */
const SETTLE_MS = 2_000;

/** Anonymous private memory: the programs' own, without the runtime's file, which they share. */
export const memory: Part = {
  name: "memory",
  says: "anonymous private memory of our programs",
  async run(bench) {
    await bench.programs.wipe();
    const programs = await bench.programs.startAll();
    return bench.programs.whileRunning(Object.values(programs), async () => {
      const rows: Row[] = [];
      await pause(SETTLE_MS);
      for (const [name, child] of Object.entries(programs))
        rows.push(memoryRow(bench, `memory of ${name}, idle`, child, name === "guard" ? IDLE_MB : null));
      const events = bench.quick ? EVENTS / 10 : EVENTS;
      const result = await load({
        socket: bench.programs.layout.policySocket,
        stages: ["DATA"],
        addresses: ADDRESSES,
        family: "v6",
        requests: events,
      });
      if (result.answers !== events || result.others > 0) throw new Error("not every mail was accepted");
      await pause(SETTLE_MS);
      const many = `${counted(events)} events of ${counted(Math.min(events, ADDRESSES))} addresses`;
      return [...rows, memoryRow(bench, `memory of guard after ${many}`, programs.guard, AFTER_MB)];
    });
  },
};

export function memoryRow(bench: Bench, what: string, child: Child, mostMb: number | null): Row {
  child.mustRun();
  const said = ["Anonymous", "Private_Dirty", "Pss", "Rss"].map(
    (field) => `${field} ${megabytes(child, field).toFixed(1)} MB`,
  );
  bench.say(`${what}: ${said.join(", ")}`);
  return within(what, { value: anonymousMb(child), unit: "MB" }, mostMb);
}

export function anonymousMb(child: Child): number {
  return megabytes(child, "Anonymous");
}

function megabytes(child: Child, field: string): number {
  const rollup = readFileSync(`/proc/${child.pid}/smaps_rollup`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? Number.NaN) / 1024;
}

/** Mails at once. With this number no mail waits for its greeting longer than a sender would. The small profile serves fewer. */
const MAILS = { usual: 30, small: 20 } as const;
/** Time for work after a start, which belongs to no figure. */
const SERVER_SETTLE_MS = 8_000;
const LOOK_MS = 100;
/** Our own services. The others would also run without us. */
const ENGINE = ["guard", "keeper", "web"];
const SHARE_MS = 30_000;

/** The memory of every process, from `npm start` to the last smtpd, with the default settings. */
export const serverMemory: Part = {
  name: "server-memory",
  says: "proportional memory of the whole server and the engine's processor share, at rest and while mail arrives",
  run: async (bench) => [
    ...(await measure(bench, { how: "as shipped", mails: MAILS.usual, settings: {} })),
    ...(await measure(bench, {
      how: "with the small profile",
      mails: MAILS.small,
      settings: { GHOSTINBOX_PROFILE: "small" },
    })),
  ],
};

type How = Readonly<{ how: string; mails: number; settings: Environment }>;

async function measure(bench: Bench, { how, mails, settings }: How): Promise<readonly Row[]> {
  const data = join(bench.lab.directory, `memory-${how.replaceAll(" ", "-")}`);
  const product = new Product(bench.lab, { ...AS_SHIPPED, ...LETS_IN, ...settings }, { data });
  await product.start();
  try {
    for (const name of FAMILY) await product.addAccount(name);
    await until("spamd answers", () => spamdAnswers(product), 30_000);
    await pause(SERVER_SETTLE_MS);
    const rest = memoryOfComponents(product);
    printMemory(bench, `${how}, at rest`, rest);
    const idle = await shareWhile(product, () => Promise.resolve());
    const busy = await shareWhile(product, async () => {
      const [code] = await arriveAtOnce(bench.lab, 1);
      if (code !== 250) throw new Error(`a mail was not accepted: ${code}`);
    });
    const devices = await openDevices(bench.lab);
    const most = await mostWhile(product, async () => {
      const replies = await arriveAtOnce(bench.lab, mails);
      if (replies.some((code) => code !== 250)) throw new Error(`a mail was not accepted: ${replies.join(" ")}`);
    });
    printMemory(bench, `${how}, at most while ${mails} mails arrive at once`, most);
    for (const device of devices) device.close();
    const row = (what: string, components: readonly ComponentMemory[]): Row =>
      within(`memory of the whole server ${how}, ${what}`, { value: totalOf(components).mb, unit: "MB" }, null);
    const share = (what: string, percent: number): Row =>
      within(`processor share of the engine ${how}, ${what}`, { value: percent, unit: "%" }, null);
    return [
      row("at rest", rest),
      row(`while ${mails} mails arrive at once`, most),
      share("at rest", idle),
      share("at one mail a second", busy),
    ];
  } finally {
    await product.stop();
  }
}

/** Percent of one processor that the engine takes while `eachSecond` is done each second. */
async function shareWhile(product: Product, eachSecond: () => Promise<void>): Promise<number> {
  const used = (): number => {
    const ours = memoryOfComponents(product).filter(({ name }) => ENGINE.includes(name));
    return totalOf(ours).processorS;
  };
  const [before, from] = [used(), performance.now()];
  for (let at = 0; at < SHARE_MS; at += 1_000) {
    await eachSecond();
    await pause(Math.max(0, from + at + 1_000 - performance.now()));
  }
  return ((used() - before) / (performance.now() - from)) * 100_000;
}

async function mostWhile(product: Product, work: () => Promise<void>): Promise<readonly ComponentMemory[]> {
  let most: readonly ComponentMemory[] = [];
  const look = (): void => {
    const now = memoryOfComponents(product);
    if (totalOf(now).mb > totalOf(most).mb) most = now;
  };
  const looking = setInterval(look, LOOK_MS);
  try {
    await work();
  } finally {
    clearInterval(looking);
  }
  look();
  return most;
}

function printMemory({ say }: Bench, when: string, components: readonly ComponentMemory[]): void {
  say(`${when}:`);
  for (const { name, processes, mb, anonymousMb } of [...components, totalOf(components)])
    say(
      `  ${name.padEnd(15)} ${String(processes).padStart(3)} ${processes === 1 ? "process  " : "processes"}` +
        ` Pss ${mb.toFixed(1).padStart(6)} MB, of these Pss_Anon ${anonymousMb.toFixed(1).padStart(6)} MB`,
    );
}
