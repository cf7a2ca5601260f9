import { readFileSync } from "node:fs";
import { removeTable } from "./ban-time.ts";
import type { Child } from "./child.ts";
import { load } from "./load-client.ts";
import type { Bench, Part } from "./part.ts";
import { type Row, within } from "./result.ts";

const IDLE_MB = 24;
const AFTER_MB = 40;
const EVENTS = 1_000_000;
const ADDRESSES = 200_000;
const SETTLE_MS = 2_000;

/** Anonymous private memory: what the programs hold themselves, without the runtime's file, which they share. */
export const memory: Part = {
  name: "memory",
  says: "anonymous private memory of our programs",
  async run(bench) {
    await bench.programs.wipe();
    const programs = await bench.programs.startAll();
    const rows: Row[] = [];
    try {
      await settle();
      for (const [name, child] of Object.entries(programs))
        rows.push(memoryRow(bench, `memory of ${name}, idle`, child, name === "guard" ? IDLE_MB : null));
      const events = bench.quick ? EVENTS / 10 : EVENTS;
      const result = await load({
        socket: bench.programs.layout.policySocket,
        connections: 8,
        stages: ["DATA"],
        addresses: ADDRESSES,
        family: "v6",
        requests: events,
        runMs: 300_000,
        warmUpMs: 0,
      });
      if (result.answers !== events || result.others > 0) throw new Error("not every mail was taken");
      await settle();
      const many = `${events.toLocaleString("en")} events of ${ADDRESSES.toLocaleString("en")} addresses`;
      rows.push(memoryRow(bench, `memory of guard after ${many}`, programs.guard, AFTER_MB));
    } finally {
      await Promise.all(Object.values(programs).map((child) => child.stop()));
      await removeTable(bench);
    }
    return rows;
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

/** What a program does after its start or a flood, such as collecting garbage, belongs to neither figure. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
