import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { requestOf } from "../../bench/policy-request.ts";
import { patience } from "../kit/patience.ts";
import { asUser } from "./commands.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const DECISION_MS = patience(500);
const TRAPS = {
  "a pipe": "mkfifo",
  "a link to a secret": "ln -s ../../secrets/login-policy",
  "an endless file": "truncate --size=1G",
} as const;

/** For a server with REACHED: the exporter runs, but has no receiver. */
export function foreignFilesTests({ lab, product }: Running): void {
  const asExporter = (script: string) => lab.server.mustExec([...asUser("ghostinbox-export"), "sh", "-c", script]);

  test("whatever the exporter's user puts in place of its record, decisions and starts continue", async (t) => {
    const { foreign: record } = product.layout.exportRecord;
    const guard = (): number => product.pidsOf(/program\/guard\.js/)[0] ?? 0;
    const isReported = () => product.hasNotice("export_failing");
    const trouble = JSON.stringify({ position: 1, at: null, trouble: "refused", since: 1, lost: null });
    const stopped = product.pidsOf(/program\/export\.js/);
    assert.equal(stopped.length, 1);
    for (const pid of stopped) process.kill(pid, "SIGSTOP");
    t.after(async () => {
      await asExporter(`rm -f ${record}`);
      for (const pid of stopped) process.kill(pid, "SIGCONT");
    });
    for (const [what, command] of Object.entries(TRAPS)) {
      await asExporter(`rm -f ${record}; echo '${trouble}' > ${record}`);
      await until(`the guard has read the record before ${what}`, isReported);
      await asExporter(`rm ${record}; ${command} ${record}`);
      await until(`the guard has looked at ${what}`, async () => !(await isReported()));
      assert.ok((await decisionMs(product.layout.policySocket)) < DECISION_MS, what);
    }
    await asExporter(`rm ${record}; mkfifo ${record}`);
    const before = guard();
    process.kill(before, "SIGTERM");
    await until("another guard runs", () => guard() !== 0 && guard() !== before);
    await until("it answers", () => product.guardAnswers());
    assert.ok((await decisionMs(product.layout.policySocket)) < DECISION_MS, "after a restart");
  });
}

/** The time to answer one question of Postfix. */
function decisionMs(policySocket: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    const socket = connect(policySocket, () => socket.write(requestOf("CONNECT", "v4").bytes));
    socket.on("error", reject).on("data", () => {
      socket.destroy();
      resolve(performance.now() - from);
    });
  });
}
