/** `npm run bench`: see docs/benchmarks.md. Exit code 0 unless something could not be measured or, with --strict, missed its target. */
import { parseArgs } from "node:util";
import { messageOf } from "../src/core/error.ts";
import { makeLab } from "../test/lab/lab.ts";
import { whyNoLab } from "../test/lab/network.ts";
import { backup } from "./backup.ts";
import { banTime } from "./ban-time.ts";
import { burst } from "./burst.ts";
import { goFirst } from "./child.ts";
import { AUTHOR, costs } from "./costs.ts";
import { decisions, flush } from "./decisions.ts";
import { Programs } from "./guard.ts";
import { mail } from "./mail.ts";
import { memory, serverMemory } from "./memory.ts";
import { queries } from "./queries.ts";
import { restore } from "./restore.ts";
import { type Part, printTable, type Row } from "./result.ts";
import { web } from "./web.ts";

const PARTS: readonly Part[] = [
  decisions,
  flush,
  mail,
  costs,
  banTime,
  burst,
  restore,
  queries,
  web,
  memory,
  serverMemory,
  backup,
];

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = arguments_();
  if (asked === null) return 2;
  const why = whyNoLab();
  if (why !== null) {
    console.error(`ghostinbox: the benchmark needs root and network namespaces: ${why}.`);
    return 1;
  }
  goFirst();
  // The lab removes itself when the process exits.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  const lab = await makeLab(AUTHOR.records);
  const rows: Row[] = [];
  let failed = 0;
  try {
    const programs = await Programs.prepare(lab);
    const say = (line: string): void => console.log(`  ${line}`);
    for (const part of asked.parts) {
      console.log(`${part.name}: ${part.says}`);
      try {
        rows.push(...(await part.run({ lab, programs, quick: asked.quick, say })));
      } catch (error) {
        failed += 1;
        console.error(`ghostinbox: ${part.name} could not be measured: ${messageOf(error)}`);
      }
    }
  } catch (error) {
    console.error(`ghostinbox: nothing could be measured: ${messageOf(error)}`);
    return 1;
  } finally {
    lab.remove();
  }
  console.log(`\n${printTable(rows)}`);
  const missed = rows.filter(({ verdict }) => verdict === "MISSED").length;
  const met = rows.filter(({ verdict }) => verdict === "met").length;
  console.log(`\n${met} targets met, ${missed} missed, ${failed} parts failed`);
  return failed > 0 || (asked.strict && missed > 0) ? 1 : 0;
}

type Asked = Readonly<{ parts: readonly Part[]; quick: boolean; strict: boolean }>;

/** Null after wrong usage, or if only help was requested. */
function arguments_(): Asked | null {
  const names = PARTS.map(({ name }) => name);
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { quick: { type: "boolean", default: false }, strict: { type: "boolean", default: false } },
    });
    const unknown = positionals.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`unknown part ${unknown}`);
    const parts = PARTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
    return { parts, quick: values.quick, strict: values.strict };
  } catch (error) {
    console.error(
      `ghostinbox: ${messageOf(error).split("\n", 1)[0]} (npm run bench -- [--quick] [--strict] [${names.join("|")}] ...)`,
    );
    return null;
  }
}
