import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { userIds } from "../src/host/machine/system-users.ts";
import { answers } from "../src/host/sockets/unix-socket.ts";
import { processorSecondsOf } from "../test/lab/component-memory.ts";
import type { Lab } from "../test/lab/lab.ts";
import { median, until } from "../test/lab/wait.ts";
import { Child, load, pinned, SERVER_CPU } from "./child.ts";
import { type LoadPlan, type LoadResult, WHOLE_MAILS } from "./policy-request.ts";
import { type Bench, counted, type Figure, higher, lower, ms, type Part, type Row, within } from "./result.ts";

const CONNECTIONS = [1, 8, 32] as const;
/** The number to which the rate's target applies. */
const TARGET_CONNECTIONS = 8;
const TIMES_THE_RATE = 10;
/** Targets for the p99, as a part of Postgrey's, by the number of connections. */
const PARTS_OF_P99: Readonly<Record<number, number>> = { 8: 5, 32: 3 };
const POSTGREY = "Postgrey";

/** The same questions to the guard and to Postgrey, in turn. */
export const decisions: Part = {
  name: "decisions",
  says: "policy decisions, against Postgrey",
  async run(bench) {
    await bench.programs.wipe();
    const guard = await bench.programs.startGuard();
    const postgrey = await startPostgrey(bench.lab);
    return bench.programs.whileRunning([guard, postgrey.child], async () => {
      const rows: Row[] = [];
      for (const connections of CONNECTIONS) {
        const ours: LoadResult[] = [];
        const theirs: LoadResult[] = [];
        for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
          ours.push(
            await measure(bench, guard, "guard", recipients(bench, bench.programs.layout.policySocket, connections)),
          );
          theirs.push(await measure(bench, postgrey.child, POSTGREY, recipients(bench, postgrey.socket, connections)));
        }
        rows.push(...compare(connections, ours, theirs));
      }
      return [...rows, await wholeMails(bench, guard)];
    });
  },
};

function recipients({ quick }: Bench, socket: string, connections: number): LoadPlan {
  const times = { runMs: quick ? 1_000 : 3_000, warmUpMs: quick ? 300 : 1_000 };
  return { ...WHOLE_MAILS, ...times, socket, connections, stages: ["RCPT"], addresses: 1_000 };
}

/** The questions of Postfix about each mail, each from the next address, so that every window is counted and none is full. */
async function wholeMails(bench: Bench, guard: Child): Promise<Row> {
  const { stages, addresses } = WHOLE_MAILS;
  const some = recipients(bench, bench.programs.layout.policySocket, TARGET_CONNECTIONS);
  const plan = { ...some, stages, addresses };
  const result = await measure(bench, guard, "guard, all stages", plan);
  return within("decisions on 8 connections, all four stages of a mail", rate(result), null);
}

function compare(connections: number, ours: readonly LoadResult[], theirs: readonly LoadResult[]): readonly Row[] {
  const targeted = connections === TARGET_CONNECTIONS;
  const on = `on ${connections} connection${connections === 1 ? "" : "s"}`;
  const middle = (figures: readonly Figure[]): Figure => ({
    value: median(figures.map(({ value }) => value)),
    unit: figures[0]?.unit ?? "ms",
  });
  const both = (figure: (result: LoadResult) => Figure): readonly [Figure, Figure] => [
    middle(ours.map(figure)),
    middle(theirs.map(figure)),
  ];
  return [
    higher(`decisions ${on}`, ...both(rate), targeted ? TIMES_THE_RATE : null),
    lower(`  p50 ${on}`, ...both(({ p50Ms }) => ms(p50Ms)), null),
    lower(`  p99 ${on}`, ...both(({ p99Ms }) => ms(p99Ms)), PARTS_OF_P99[connections] ?? null),
  ];
}

function rate({ answers, seconds }: LoadResult): Figure {
  return { value: answers / seconds, unit: "/s" };
}

async function measure(bench: Bench, server: Child, name: string, plan: LoadPlan): Promise<LoadResult> {
  const before = processorSecondsOf(server.pid);
  const result = await load(plan);
  const serverShare = (processorSecondsOf(server.pid) - before) / (result.seconds + plan.warmUpMs / 1_000);
  server.mustRun();
  if (name !== POSTGREY && result.others > 0) throw new Error(`${result.others} questions were refused by a limit`);
  bench.say(
    `${name}, ${plan.connections} connections: ${speed(result)} ` +
      `(processor: client ${percent(result.cpuShare)}, server ${percent(serverShare)})`,
  );
  return result;
}

const speed = ({ answers, seconds, p50Ms, p99Ms }: LoadResult): string =>
  `${counted(answers / seconds)}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`;

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** The real Postgrey as Debian starts it, except for its directory and a unix socket. */
async function startPostgrey(lab: Lab): Promise<Readonly<{ socket: string; child: Child }>> {
  const directory = join(lab.directory, "postgrey");
  const socket = join(directory, "socket");
  const { uid, gid } = userIds("postgrey");
  mkdirSync(directory);
  chownSync(directory, uid, gid);
  const argv = ["postgrey", `--unix=${socket}`, `--dbdir=${directory}`, "--hostname=mail.example.org"];
  const child = new Child(lab.server.inside(pinned(SERVER_CPU, argv)));
  await until("Postgrey listens", () => {
    child.mustRun();
    return answers(socket);
  });
  return { socket, child };
}

const DELAY_MS = 200;
const MOST_MS = 5;
const FLUSH_CONNECTIONS = 32;

/** Every fsync and fdatasync of the guard and of its children takes this much longer (strace(1), tampering). */
const SLOW_DISK = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"]
  .concat(["-e", "trace=fsync,fdatasync"])
  .concat(["-e", `inject=fsync,fdatasync:delay_enter=${DELAY_MS * 1_000}`]);

/** Decisions while the disk is slow: none waits for it. */
export const flush: Part = {
  name: "flush",
  says: `decisions while each flush of the disk takes ${DELAY_MS} ms longer`,
  async run(bench) {
    await bench.programs.wipe();
    const guard = await bench.programs.startGuard({}, SLOW_DISK);
    return bench.programs.whileRunning([guard], async () => {
      const socket = bench.programs.layout.policySocket;
      const times = { runMs: bench.quick ? 3_000 : 10_000, warmUpMs: 1_000 };
      const result = await load({ socket, connections: FLUSH_CONNECTIONS, ...times });
      guard.mustRun();
      bench.say(`${speed(result)}, p99.9 ${result.p999Ms} ms, longest ${result.mostMs} ms`);
      const what = `p99.9 on ${FLUSH_CONNECTIONS} connections, each flush delayed by ${DELAY_MS} ms`;
      return [within(what, ms(result.p999Ms), MOST_MS)];
    });
  },
};
