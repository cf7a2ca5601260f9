import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { patience } from "../kit/patience.ts";
import { temporaryDirectory } from "../kit/temporary-directory.ts";

describe("a run that is ended early says that it has no result, and leaves nothing behind", {
  concurrency: true,
}, () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    test(signal, { timeout: patience(60_000) }, async (t) => {
      const directory = temporaryDirectory();
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const argv = ["test/mutants/main.ts", "--only", "src/core/time.ts", "--count", "1", "--at-once", "1"];
      const child = spawn(process.execPath, argv, { env: { ...env, TMPDIR: directory }, stdio: "pipe" });
      t.after(() => child.kill("SIGKILL"));
      const closed = once(child, "close");
      let said = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
      while (!said.includes("places in"))
        await Promise.race([once(child.stdout, "data"), closed.then(() => assert.fail(said))]);
      assert.equal(readdirSync(directory).length, 1);
      child.kill(signal);
      await closed;
      assert.equal(child.exitCode, 130);
      assert.match(said, new RegExp(`\nEnded early by ${signal}: nothing above is a result\\.\n$`));
      assert.deepEqual(readdirSync(directory), []);
    });
});
