// Invariant: No decision waits for the disk's flush: the maintenance process makes every flush, and the write-ahead log stays bounded without it.

import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { requestOf, writeDigits } from "../../bench/policy-request.ts";
import { LOG_LIMITS } from "../../src/programs/guard/removal.ts";
import { serviceLog } from "../../src/settings/layout.ts";
import { patience } from "../kit/patience.ts";
import { ANNA, BERT } from "../lab/mail.ts";
import { signInsTests } from "../lab/sign-ins-tests.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const DELAY_MS = 200;
const CONNECTIONS = 8;
const MAILS = 800;
const STAGES = ["CONNECT", "RCPT", "DATA", "END-OF-MESSAGE"] as const;
/** Far above a decision on the busiest machine, and well below one flush. */
const WAITED_MS = 150;

describe("who may sign in, and a slow disk", needsLab(), () => {
  const { lab, product } = withProduct({ GHOSTINBOX_LIMITS__CONNECTIONS__PER_MINUTE: "1000" }, [ANNA, BERT]);
  const guards = (): readonly number[] => product.pidsOf(/^\d+ \S*\/node .*guard\.js/);
  const maintenance = (): readonly number[] => product.pidsOf(/^\d+ \S*\/node .*maintenance\.js/);

  describe("who may sign in", () => signInsTests({ lab, product }));

  // Last, because the guard stays slow.
  test("no decision waits for a flush: others make them", async (t) => {
    const flushes = lab.path("flushes");
    const run = join(product.layout.services, "guard", "run");
    const delay = `inject=fsync,fdatasync:delay_enter=${DELAY_MS * 1_000}`;
    // Without --seccomp-bpf, whose filter may be active before the tracer is: exec(2) would then fail with ENOSYS.
    const strace = `strace -D -f -qq -y -o ${flushes} -e trace=fsync,fdatasync -e ${delay}`;
    writeFileSync(run, readFileSync(run, "utf8").replace("exec chpst", `exec ${strace} chpst`));
    const before = guards();
    await product.sv("restart", "guard");
    await until("the guard runs under strace", async () => {
      const now = guards();
      if (now.length === 1 && now[0] !== before[0] && (await product.guardAnswers())) return true;
      const log = readFileSync(serviceLog(product.layout, "guard"), "utf8").slice(-2_000);
      throw new Error(`guards: ${now.join(" ")} (before: ${before.join(" ")})\n${log}`);
    });
    // Stops the web, because a reader that is in the way when the log should be emptied costs one flush (ADR 14).
    await product.sv("down", "web");
    t.after(() => product.sv("up", "web"));
    const from = lines(flushes).length;

    const waits: number[] = [];
    for (let round = 0; round < 2; round++) {
      const lanes = Array.from({ length: CONNECTIONS }, (_, lane) => mails(round * CONNECTIONS + lane));
      waits.push(...(await Promise.all(lanes)).flat());
      // The log is emptied at the end of a round or, on a slow machine, in an earlier pause.
      await until("the log is short", () => statSync(`${product.layout.engineDb}-wal`).size < LOG_LIMITS.copyBytes);
    }
    assert.equal(waits.length, 2 * MAILS * STAGES.length);
    const flushed = lines(flushes).slice(from);
    // The first thread of the guard decides; its worker threads flush its log (ADR 14).
    const [first, ...others] = guards();
    assert.ok(first !== undefined && others.length === 0 && flushed.length > 0);
    const ofFirst = flushed.filter((line) => Number.parseInt(line, 10) === first);
    assert.deepEqual(ofFirst, []);
    const slow = waits.filter((ms) => ms >= WAITED_MS);
    // A decision that waits for flushes does so at each checkpoint. A busy machine may delay all connections now and then.
    assert.ok(
      slow.length <= patience(2 * CONNECTIONS),
      `${slow.length} of ${waits.length} waited: ${slow.slice(0, 9).join(" ")}`,
    );
  });

  test("the maintenance process has no rights, and comes back when it is killed", async () => {
    const pid = await until("it runs", () => maintenance()[0]);
    assert.match(readFileSync(`/proc/${pid}/status`, "utf8"), /^CapEff:\t0+$/m);
    process.kill(pid, "SIGKILL");
    await until("another runs", () => maintenance().some((one) => one !== pid));
    await until("no notice is left", async () => !(await product.hasNotice("maintenance_down")));
  });

  /** Asks one question after the other, each for a mail from a different address. Resolves with their durations in ms. */
  function mails(lane: number): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      const requests = STAGES.map((stage) => requestOf(stage, "v4"));
      const waits: number[] = [];
      const socket = connect(product.layout.policySocket);
      let sentAt = 0;
      const ask = (): void => {
        const mail = Math.floor(waits.length / STAGES.length);
        const request = requests[waits.length % STAGES.length];
        if (request === undefined || mail >= MAILS / CONNECTIONS) return void socket.end(() => resolve(waits));
        writeDigits(request, lane * MAILS + mail, lane * MAILS + mail);
        sentAt = performance.now();
        socket.write(request.bytes);
      };
      socket.on("connect", ask).on("error", reject);
      socket.on("data", () => {
        waits.push(performance.now() - sentAt);
        ask();
      });
    });
  }
});

const lines = (path: string): readonly string[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => /fsync|fdatasync/.test(line) && !line.includes("resumed"));
