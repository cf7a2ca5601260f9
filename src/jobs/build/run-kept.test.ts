// Invariant: Root runs nothing that others could have written.
import assert from "node:assert/strict";
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { COMPILED } from "../../../test/kit/own-etc.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { CHECKOUT } from "../../host/running/checkout.ts";

const LAUNCHER = [
  "src/jobs/build",
  "src/host/root-files",
  "src/host/machine/read-text.ts",
  "src/host/running/checkout.ts",
  "src/host/running/failure.ts",
  "src/core/error.ts",
  "src/programs/command-line/main.ts",
  "src/programs/set-up/start.ts",
];
const COMMAND_LINE = "src/programs/command-line/command-line.ts";

/** A checkout whose command line prints a word, and whether it runs from its source. */
class Checkout {
  readonly path = temporaryDirectory();
  readonly bundle = join(this.path, "node_modules", ".cache", "command-line", "command-line.mjs");

  constructor() {
    for (const path of LAUNCHER)
      cpSync(join(CHECKOUT, path), join(this.path, path), { recursive: true, preserveTimestamps: true });
    mkdirSync(join(this.path, "node_modules"), { mode: 0o755 });
    for (const name of ["esbuild", "@esbuild", "@zxcvbn-ts"])
      symlinkSync(join(CHECKOUT, "node_modules", name), join(this.path, "node_modules", name));
    this.write("first");
  }

  /** A minute ago. */
  write(word: string): void {
    const file = join(this.path, COMMAND_LINE);
    writeFileSync(file, `const word: string = "${word}";\nconsole.log(word, import.meta.filename, process.argv[2]);\n`);
    utimesSync(file, new Date(), Date.now() / 1_000 - 60);
  }

  async says(): Promise<string> {
    const ran = await runProgram(process.execPath, [join(this.path, "src/programs/command-line/main.ts"), "--json"], {
      env: COMPILED,
    });
    assert.equal(ran.code, 0, ran.stderr);
    return ran.stdout.trim().replace(this.path, "");
  }
}

const BUNDLE = "/node_modules/.cache/command-line/command-line.mjs --json";

describe("a program of which one file is kept", () => {
  test("runs from it, and from a new one once a source has changed", async () => {
    const checkout = new Checkout();
    assert.deepEqual([await checkout.says(), await checkout.says()], [`first ${BUNDLE}`, `first ${BUNDLE}`]);
    checkout.write("second");
    assert.equal(await checkout.says(), `second ${BUNDLE}`);
  });

  test("runs from its sources if other users may write beside it, whatever they have put there", async () => {
    const checkout = new Checkout();
    await checkout.says();
    writeFileSync(checkout.bundle, 'console.log("theirs");\n');
    assert.equal(await checkout.says(), `first ${BUNDLE}`, "a changed one is built again");
    for (const directory of [dirname(checkout.bundle), join(checkout.path, "node_modules")]) {
      chmodSync(directory, 0o777);
      writeFileSync(checkout.bundle, 'console.log("theirs");\n');
      assert.equal(await checkout.says(), `first /${COMMAND_LINE} --json`, directory);
    }
  });

  test("runs from its sources if the bundler is missing, and keeps nothing", async () => {
    const checkout = new Checkout();
    rmSync(join(checkout.path, "node_modules", "esbuild"));
    assert.equal(await checkout.says(), `first /${COMMAND_LINE} --json`);
    assert.ok(!existsSync(checkout.bundle));
  });

  test("starts the server afresh after building it, in a process that holds nothing of the build", async () => {
    const { path } = new Checkout();
    const seen = 'console.log(process.argv[2], process.moduleLoadList.includes("NativeModule child_process"));\n';
    writeFileSync(join(path, "src/programs/set-up/serve.ts"), seen);
    utimesSync(join(path, "src/programs/set-up/serve.ts"), new Date(), Date.now() / 1_000 - 60);
    for (const start of ["first", "second"]) {
      const ran = await runProgram(process.execPath, [join(path, "src/programs/set-up/start.ts"), "--systemd"], {
        env: COMPILED,
      });
      assert.equal(ran.stdout, "--systemd false\n", `${start} start: ${ran.stderr}`);
    }
  });
});
