import { load } from "./load-client.ts";
import type { Bench, Part } from "./part.ts";
import { MOST_V4_ADDRESSES } from "./policy-request.ts";
import { within } from "./result.ts";

const DELAY_MS = 200;
const MOST_MS = 5;
const CONNECTIONS = 32;

/** Every fsync and fdatasync of the guard and of its children takes this much longer (strace(1), tampering). */
const SLOW_DISK = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"]
  .concat(["-e", "trace=fsync,fdatasync"])
  .concat(["-e", `inject=fsync,fdatasync:delay_enter=${DELAY_MS * 1_000}`]);

/** Decisions while the disk takes its time: none waits for it. */
export const flush: Part = {
  name: "flush",
  says: `decisions while each flush of the disk takes ${DELAY_MS} ms longer`,
  async run(bench) {
    await bench.programs.wipe();
    const guard = await bench.programs.startGuard({}, SLOW_DISK);
    try {
      const result = await load({
        socket: bench.programs.layout.policySocket,
        connections: CONNECTIONS,
        stages: ["CONNECT", "RCPT", "DATA", "END-OF-MESSAGE"],
        addresses: MOST_V4_ADDRESSES,
        family: "v4",
        requests: Number.MAX_SAFE_INTEGER,
        runMs: bench.quick ? 3_000 : 10_000,
        warmUpMs: 1_000,
      });
      guard.mustRun();
      say(bench, result);
      const what = `p99.9 on ${CONNECTIONS} connections, each flush delayed by ${DELAY_MS} ms`;
      return [within(what, { value: result.p999Ms, unit: "ms" }, MOST_MS)];
    } finally {
      await guard.stop();
    }
  },
};

function say({ say: print }: Bench, result: Awaited<ReturnType<typeof load>>): void {
  const { answers, seconds, p50Ms, p99Ms, p999Ms, mostMs } = result;
  const rate = Math.round(answers / seconds).toLocaleString("en");
  print(`${rate}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms, p99.9 ${p999Ms} ms, longest ${mostMs} ms`);
}
