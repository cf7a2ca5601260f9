import assert from "node:assert/strict";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { adminPassword, rememberAdminPassword, weaknessOfTaken } from "./admin-password.ts";
import { verifyPassword } from "./password-hash.ts";

const layout = temporaryLayout("firstStartDone", "engineDb");
writeFileSync(layout.engineDb, "");
const UNCHANGED = { hash: null, onlyIfNone: false, printed: null };

test("a password is generated until one has been printed, then kept; a given one takes precedence", async () => {
  const first = await adminPassword(layout, {});
  assert.ok(first.printed !== null && first.hash !== null);
  assert.ok(await verifyPassword(first.hash, first.printed));
  const again = await adminPassword(layout, {});
  assert.notEqual(again.printed, first.printed);

  rememberAdminPassword(layout, again);
  assert.deepEqual(await adminPassword(layout, {}), UNCHANGED);

  const given = await adminPassword(layout, { ADMIN_PASSWORD: "correct horse" });
  assert.equal(given.printed, null);
  assert.ok(given.hash !== null && (await verifyPassword(given.hash, "correct horse")));
});

test("a given password is used once, so that it does not undo a later change; a different one is used again", async () => {
  const [old, other] = [{ ADMIN_PASSWORD: "correct horse" }, { ADMIN_PASSWORD: "battery staple" }];
  rememberAdminPassword(layout, await adminPassword(layout, old));
  assert.equal(statSync(layout.firstStartDone).mode & 0o777, 0o600);
  assert.doesNotMatch(readFileSync(layout.firstStartDone, "utf8"), /horse/);
  const taken = { hash: readFileSync(layout.firstStartDone, "utf8").split("\n")[0], onlyIfNone: true, printed: null };
  for (const env of [old, {}, old]) {
    const unchanged = await adminPassword(layout, env);
    assert.deepEqual(unchanged, env === old ? taken : UNCHANGED);
    rememberAdminPassword(layout, unchanged);
  }

  const changed = await adminPassword(layout, other);
  assert.ok(changed.hash !== null && !changed.onlyIfNone && (await verifyPassword(changed.hash, "battery staple")));
  assert.ok(!(await adminPassword(layout, other)).onlyIfNone, "until it is remembered");
  rememberAdminPassword(layout, changed);
  assert.ok((await adminPassword(layout, other)).onlyIfNone);
  assert.ok(!(await adminPassword(layout, old)).onlyIfNone);
});

test("the weakness of a given password is remembered while it is the dashboard's password", async () => {
  const weak = await adminPassword(layout, { ADMIN_PASSWORD: "hunter2" });
  rememberAdminPassword(layout, weak);
  assert.match(weaknessOfTaken(layout, weak.hash) ?? "", /too short/);
  assert.equal(weaknessOfTaken(layout, "a later one"), null);
  const strong = await adminPassword(layout, { ADMIN_PASSWORD: "seven quiet llamas rowing" });
  rememberAdminPassword(layout, strong);
  assert.equal(weaknessOfTaken(layout, strong.hash), null);
});

test("losing the engine's database does not bring a given password back, because it does not hold the password", async () => {
  const env = { ADMIN_PASSWORD: "correct horse" };
  rememberAdminPassword(layout, await adminPassword(layout, env));
  rmSync(layout.engineDb);
  assert.ok((await adminPassword(layout, env)).onlyIfNone);
});

test("a file may hold the password; a missing, empty or undecodable one stops only the first start", async (t) => {
  const [file, none, empty, latin1] = ["password", "none", "empty", "latin1"].map((name) => join(layout.data, name));
  assert.ok(file && none && empty && latin1);
  writeFileSync(file, "from a file\n");
  writeFileSync(empty, "\n");
  writeFileSync(latin1, Buffer.from("gr\xfcne Wiesen", "latin1"));
  const { hash } = await adminPassword(layout, { ADMIN_PASSWORD_FILE: file });
  assert.ok(hash !== null && (await verifyPassword(hash, "from a file")));

  const warned = t.mock.method(console, "error", () => undefined);
  const fresh = temporaryLayout("firstStartDone");
  for (const [env, why] of [
    [{ ADMIN_PASSWORD_FILE: empty }, /which is empty/],
    [{ ADMIN_PASSWORD_FILE: none }, /which cannot be read/],
    [{ ADMIN_PASSWORD_FILE: latin1 }, /which is not UTF-8: convert it/],
    [{ ADMIN_PASSWORD: "gr\ufffdne Wiesen" }, /^ADMIN_PASSWORD is not UTF-8/],
  ] as const) {
    await assert.rejects(adminPassword(fresh, env), { message: why });
    assert.deepEqual(await adminPassword(layout, env), UNCHANGED);
    assert.match(String(warned.mock.calls.at(-1)?.arguments[0]), /The stored password, if any, stays\.$/);
  }
  assert.equal(warned.mock.callCount(), 4);
});
