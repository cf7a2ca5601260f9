import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { lockHolder, releaseLock, takeLock } from "./data-directory.ts";
import { SetUpFailure } from "./failure.ts";

const directory = temporaryDirectory();

test("a second start learns which process runs", () => {
  const file = join(directory, "run", "start.pid");
  takeLock(file, "/srv/mail");
  assert.equal(lockHolder(file), process.pid);
  assert.throws(
    () => takeLock(file, "/srv/mail"),
    new SetUpFailure(`GhostInbox is already running (pid ${process.pid}, data /srv/mail).`),
  );
  releaseLock(file);
  assert.equal(lockHolder(file), null);
});

for (const [what, text] of [
  ["a process that is gone", "4194305 12345"],
  ["a pid that another process has now", `${process.pid} 1`],
  ["nothing", ""],
  ["nonsense", "me too\n"],
] as const)
  test(`a lock that names ${what} is taken over`, () => {
    const file = join(directory, "stale.pid");
    writeFileSync(file, text);
    takeLock(file, "/srv/mail");
    assert.equal(lockHolder(file), process.pid);
    releaseLock(file);
  });

const ROUNDS = 100;
const EVAL = ["--input-type=module", "--eval"];
/** Takes the lock on request and reports the result, then releases it on request. */
const STARTER = `
  import { createInterface } from "node:readline";
  const [, file, module] = process.argv;
  const { releaseLock, takeLock } = await import(module);
  let taken = false;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "release") { if (taken) releaseLock(file); taken = false; console.log("released"); continue; }
    try { takeLock(file, "/srv/mail"); taken = true; console.log("taken"); } catch { console.log("refused"); }
  }`;

test("of several starts that find the same dead holder, exactly one continues", async (t) => {
  const file = join(directory, "raced.pid");
  const starters = [1, 2, 3].map(() => {
    const child = spawn(process.execPath, [...EVAL, STARTER, file, import.meta.resolve("./data-directory.ts")]);
    t.after(() => child.kill());
    const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return async (what: string): Promise<unknown> => {
      child.stdin.write(`${what}\n`);
      return (await said.next()).value;
    };
  });
  for (let round = 0; round < ROUNDS; round++) {
    writeFileSync(file, "4194305 12345");
    const said = await Promise.all(starters.map((tell) => tell("take")));
    assert.equal(said.filter((word) => word === "taken").length, 1, `round ${round}: ${said.join(" ")}`);
    await Promise.all(starters.map((tell) => tell("release")));
  }
  takeLock(file, "/srv/mail");
  assert.equal(lockHolder(file), process.pid);
});
