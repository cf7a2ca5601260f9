import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { listenOnSocket } from "../../../test/kit/local-server.ts";
import { ROOT } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import {
  closedParent,
  holdsForeignFiles,
  lockHolder,
  prepareDataDirectory,
  releaseLock,
  removeDataDirectory,
  takeLock,
  usedElsewhere,
} from "./data-directory.ts";

const directory = temporaryDirectory();
chmodSync(directory, 0o755);

for (const bad of ["relative/data", "/srv/my data", "/srv/$(id)", "/srv/../etc", "/", "/srv/a'b"])
  test(`${JSON.stringify(bad)} is refused before anything is created`, () =>
    assert.throws(() => prepareDataDirectory(bad), /^SetUpFailure: GHOSTINBOX_DATA must be an absolute path/));

test("a name too long for sockets is refused", () => {
  assert.throws(() => prepareDataDirectory(`/srv/${"x".repeat(70)}`), /at most 70 characters/);
});

test("accepts an empty or new directory, and one of ours", () => {
  const data = join(directory, "new");
  prepareDataDirectory(data);
  assert.ok(existsSync(data));
  mkdirSync(join(data, "lost+found"));
  prepareDataDirectory(data);
  writeFileSync(join(data, "ghostinbox.toml"), "");
  mkdirSync(join(data, "mail"));
  prepareDataDirectory(data);
  assert.ok(!holdsForeignFiles(data));
});

test("accepts one of ours whose settings file is lost, so that the start can report it", () => {
  const data = join(directory, "lost");
  for (const name of ["db", "run"]) mkdirSync(join(data, name), { recursive: true });
  assert.throws(() => prepareDataDirectory(data), /holds files but no ghostinbox.toml/);
  writeFileSync(join(data, "run", "settings.toml"), "");
  prepareDataDirectory(data);
});

test("accepts one whose rollback was killed while it exchanged the settings", () => {
  const data = join(directory, "exchanged");
  for (const name of ["db", "before-upgrade"]) mkdirSync(join(data, name), { recursive: true });
  writeFileSync(join(data, "ghostinbox.toml.rollback"), "");
  prepareDataDirectory(data);
});

test("accepts a new directory with mounted disks for mail and logs", () => {
  const data = join(directory, "mounted");
  for (const path of ["mail", "log/mail"]) mkdirSync(join(data, path), { recursive: true });
  assert.ok(holdsForeignFiles(data));
  const mount = (path: string): string => `31 22 7:0 / ${join(data, path)} rw,relatime - ext4 /dev/sdb1 rw\n`;
  assert.ok(!holdsForeignFiles(data, mount("mail") + mount("log/mail")));
  writeFileSync(join(data, "thesis.txt"), "");
  assert.ok(holdsForeignFiles(data, mount("mail") + mount("log/mail")));
});

test("a directory that another user owns is refused, empty or not", ROOT, () => {
  const data = join(directory, "given");
  mkdirSync(data);
  chownSync(data, 65_534, 65_534);
  assert.throws(() => prepareDataDirectory(data), /belongs to another user \(uid 65534\)/);
});

test("a parent that other users may not enter is named, and nothing is created in it", () => {
  const closed = join(directory, "closed");
  mkdirSync(closed, { mode: 0o700 });
  assert.equal(closedParent(join(closed, "data")), closed);
  assert.throws(() => prepareDataDirectory(join(closed, "deep", "data")), new RegExp(`may not enter ${closed}`));
  assert.deepEqual(readdirSync(closed), []);
});

for (const proof of ["ghostinbox.toml", "run/settings.toml"])
  test(`an interrupted removal leaves a directory of ours, and can be repeated: ${proof}`, () => {
    const data = join(directory, `leaving-${dirname(proof)}`);
    mkdirSync(join(data, "run"), { recursive: true });
    prepareDataDirectory(data);
    writeFileSync(join(data, proof), "");
    // Too deep to be removed. Other names are removed before and after it.
    const deep = Array.from({ length: 110 }, () => "d").join("/");
    for (const path of ["a/mail", `m/${deep}`, "z/mail"]) mkdirSync(join(data, path), { recursive: true });
    assert.throws(() => removeDataDirectory(data), /lies deeper than 100 directories/);
    assert.ok(!holdsForeignFiles(data));
    rmSync(join(data, "m"), { recursive: true });
    const link = join(directory, `link-${dirname(proof)}`);
    symlinkSync(data, link);
    removeDataDirectory(link);
    assert.deepEqual([readdirSync(data), existsSync(link)], [[], false]);
    removeDataDirectory(data);
    assert.ok(!existsSync(data));
  });

test("a second start gets the pid of the running one", () => {
  const file = join(directory, "run", "start.pid");
  assert.equal(takeLock(file), null);
  assert.equal(lockHolder(file), process.pid);
  assert.equal(takeLock(file), process.pid);
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
    takeLock(file);
    assert.equal(lockHolder(file), process.pid);
    releaseLock(file);
  });

test("no other user can make a start wait for the lock", ROOT, async (t) => {
  const file = join(directory, "waited-for", "start.pid");
  takeLock(file);
  for (const path of [dirname(file), file]) {
    const flock = ["flock", "--no-fork", path, "sh", "-c", "echo; exec sleep 60"];
    const other = spawn("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", ...flock], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    t.after(() => other.kill());
    await Promise.race([once(other.stdout, "data"), once(other, "close")]);
  }
  releaseLock(file);
  const starter = starterOf(t, file);
  starter.stdin.end("take\n");
  const [said] = await Promise.race([once(starter.stdout, "data"), pause(20_000, ["it waits"], { ref: false })]);
  assert.equal(String(said), "taken\n");
});

test("a server whose processes are not visible here, as in another container, is found by its sockets", async () => {
  const layout = layoutOf(temporaryDirectory());
  assert.equal(await usedElsewhere(layout), null);
  await listenOnSocket(createServer(), layout.keeperSocket);
  assert.match((await usedElsewhere(layout)) ?? "", /^A server in another container uses \S+: stop it first\.$/);
});

const ROUNDS = 100;
/** Takes the lock on request and reports the result, then releases it on request. */
const STARTER = `
  import { createInterface } from "node:readline";
  const [, file, module] = process.argv;
  const { releaseLock, takeLock } = await import(module);
  let taken = false;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "release") { if (taken) releaseLock(file); taken = false; console.log("released"); continue; }
    taken = takeLock(file) === null;
    console.log(taken ? "taken" : "refused");
  }`;

function starterOf(t: TestContext, file: string) {
  const argv = ["--input-type=module", "--eval", STARTER, file, import.meta.resolve("./data-directory.ts")];
  const starter = spawn(process.execPath, argv);
  t.after(() => starter.kill());
  return starter;
}

test("if several starts find the same dead holder, exactly one continues", async (t) => {
  const file = join(directory, "raced.pid");
  const starters = [1, 2, 3].map(() => {
    const child = starterOf(t, file);
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
  takeLock(file);
  assert.equal(lockHolder(file), process.pid);
});
