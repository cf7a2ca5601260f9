import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { joinLegalHolds, legalHoldOf, liftLegalHold, readLegalHolds, setLegalHold } from "./retention.ts";

const SINCE = "2026-11-20T06:00:00.000Z";

test("a hold is set once, keeps its time, and is lifted; case does not matter", () => {
  const path = join(temporaryDirectory(), "legal-holds.json");
  assert.deepEqual(readLegalHolds(path), []);
  setLegalHold(path, { account: "Anna@example.org", since: SINCE, reason: "a lawsuit" });
  setLegalHold(path, { account: "bert@example.org", since: SINCE, reason: "" });
  setLegalHold(path, { account: "anna@example.org", since: "2026-12-01T06:00:00.000Z", reason: "" });
  const kept = { account: "anna@example.org", since: SINCE, reason: "a lawsuit" };
  assert.deepEqual(legalHoldOf(path, "ANNA@example.org"), kept);
  liftLegalHold(path, "Anna@Example.org");
  assert.deepEqual(readLegalHolds(path), [{ account: "bert@example.org", since: SINCE, reason: "" }]);
});

test("a file that cannot be read is an error, never an empty list", () => {
  const path = join(temporaryDirectory(), "legal-holds.json");
  for (const text of ["", "{", "[]", '{"holds":[{"account":1}]}']) {
    writeFileSync(path, text);
    assert.throws(() => readLegalHolds(path), /cannot be read, so it is unknown/);
  }
});

test("holds of a second list are added; a list that cannot be read is kept", () => {
  const path = join(temporaryDirectory(), "of-backup.json");
  const other = join(temporaryDirectory(), "in-force.json");
  const accounts = () => readLegalHolds(path).map(({ account }) => account);
  setLegalHold(path, { account: "anna@example.org", since: SINCE, reason: "" });
  joinLegalHolds(path, other);
  assert.deepEqual(accounts(), ["anna@example.org"]);
  setLegalHold(other, { account: "bert@example.org", since: SINCE, reason: "" });
  joinLegalHolds(path, other);
  assert.deepEqual(accounts(), ["anna@example.org", "bert@example.org"]);
  writeFileSync(path, "{");
  joinLegalHolds(path, other);
  assert.throws(accounts, /cannot be read/, "nothing is removed until it is repaired");
  liftLegalHold(other, "bert@example.org");
  writeFileSync(path, '{"holds":[]}');
  writeFileSync(other, "{");
  joinLegalHolds(path, other);
  assert.throws(accounts, /cannot be read/);
});

/** Sets a hold once its input ends, so that several processes do it at once. */
const HOLDER = `
  import { readFileSync } from "node:fs";
  const [, path, account, module] = process.argv;
  const { setLegalHold } = await import(module);
  console.log("ready");
  readFileSync(0);
  setLegalHold(path, { account, since: "${SINCE}", reason: "" });`;

test("holds that several commands set at once are all kept, and no lock is left", async (t) => {
  const directory = temporaryDirectory();
  const path = join(directory, "legal-holds.json");
  const accounts = Array.from({ length: 4 }, (_, i) => `user${i}@example.org`);
  const holders = accounts.map((account) => {
    const argv = ["--input-type=module", "--eval", HOLDER, path, account, import.meta.resolve("./retention.ts")];
    const child = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"] });
    t.after(() => child.kill());
    return child;
  });
  await Promise.all(holders.map(({ stdout }) => once(stdout, "data")));
  const ended = holders.map((child) => once(child, "close"));
  for (const { stdin } of holders) stdin.end();
  for (const end of await Promise.all(ended)) assert.deepEqual(end, [0, null]);
  const held = readLegalHolds(path).map(({ account }) => account);
  assert.deepEqual(held.toSorted(), accounts);
  assert.deepEqual(readdirSync(directory), ["legal-holds.json"]);
});
