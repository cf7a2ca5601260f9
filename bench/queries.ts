import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../src/adapters/machine/clock.ts";
import { openEngine, openEngineForReading } from "../src/adapters/sqlite/open.ts";
import { fill } from "../test/scale/fill.ts";
import { questions } from "../test/scale/questions.ts";
import { removeTable } from "./ban-time.ts";
import type { Child } from "./child.ts";
import { KEEPS_ALL } from "./guard.ts";
import { searchLogs } from "./log-search.ts";
import { anonymousMb, memoryRow } from "./memory.ts";
import type { Bench, Part } from "./part.ts";
import { percentiles, type Row, within } from "./result.ts";

const EVENTS = 10_000_000;
const BANS = 100_000;
const RUNS = 100;
const MOST_MS = 50;
const MOST_START_MS = 2_000;
const MOST_MB = 40;
const REST_MS = 60_000;
const LOOK_MS = 1_000;

/** Everything that the API and the command line ask of a large database, by a connection such as theirs, and of the logs; then the guard starts with it. */
export const queries: Part = {
  name: "queries",
  says: `questions about ${EVENTS.toLocaleString("en")} events and ${BANS.toLocaleString("en")} bans`,
  async run(bench) {
    const { programs, quick, say } = bench;
    await programs.wipe();
    const path = programs.layout.engineDb;
    const now = systemClock.now();
    const events = quick ? EVENTS / 20 : EVENTS;
    const writer = openEngine(path);
    const from = performance.now();
    fill(writer, { events, bans: BANS, now });
    writer.close();
    say(`${events.toLocaleString("en")} events written in ${((performance.now() - from) / 1_000).toFixed(0)} s`);
    const reader = openEngineForReading(path);
    let slowest = { what: "", p99Ms: 0 };
    for (const [what, ask] of Object.entries(questions(reader, now))) {
      const { p50Ms, p99Ms } = percentiles(Array.from({ length: RUNS }, () => timed(ask)));
      say(`${what}: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`);
      if (p99Ms > slowest.p99Ms) slowest = { what, p99Ms };
    }
    reader.close();
    const of = `of ${events.toLocaleString("en")} events`;
    const answered = within(
      `slowest question ${of}, p99 (${slowest.what})`,
      { value: slowest.p99Ms, unit: "ms" },
      MOST_MS,
    );
    return [answered, await searchLogs(bench), ...(await start(bench, of))];
  },
};

async function start(bench: Bench, of: string): Promise<readonly Row[]> {
  const from = performance.now();
  const guard = await bench.programs.startGuard(KEEPS_ALL);
  const ms = performance.now() - from;
  try {
    memoryRow(
      bench,
      "memory of the guard right after its start, with all bans on their way to the kernel",
      guard,
      null,
    );
    await rests(guard);
    return [
      within(`start of the guard ${of}`, { value: ms, unit: "ms" }, MOST_START_MS),
      memoryRow(bench, `memory of the guard at rest after its start ${of}`, guard, MOST_MB),
    ];
  } finally {
    await guard.stop();
    await removeTable(bench);
  }
}

/** What a start left behind is collected once the guard has had little to do for a while. */
async function rests(guard: Child): Promise<void> {
  const until = performance.now() + REST_MS;
  while (anonymousMb(guard) > MOST_MB && performance.now() < until) await pause(LOOK_MS);
}

function timed(ask: () => number): number {
  const from = performance.now();
  ask();
  return performance.now() - from;
}
