import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { verifyPassword } from "../../adapters/accounts/password-hash.ts";
import { layoutOf } from "../../settings/layout.ts";
import { adminPassword, rememberAdminPassword } from "./secrets.ts";

const directory = mkdtempSync(join(tmpdir(), "ghostinbox-secrets-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const layout = layoutOf(directory);
mkdirSync(layout.secrets);

test("a password is made up until one was printed, then left alone; a given one always counts", async () => {
  const first = await adminPassword(layout, {});
  assert.ok(first.printed !== null && first.hash !== null);
  assert.ok(await verifyPassword(first.hash, first.printed));
  const again = await adminPassword(layout, {});
  assert.notEqual(again.printed, first.printed);

  rememberAdminPassword(layout);
  assert.deepEqual(await adminPassword(layout, {}), { hash: null, printed: null });

  const given = await adminPassword(layout, { ADMIN_PASSWORD: "correct horse" });
  assert.equal(given.printed, null);
  assert.ok(given.hash !== null && (await verifyPassword(given.hash, "correct horse")));
});

test("a file may hold it; one that is away or empty stops the start", async () => {
  const file = join(directory, "password");
  writeFileSync(file, "from a file\n");
  const { hash } = await adminPassword(layout, { ADMIN_PASSWORD_FILE: file });
  assert.ok(hash !== null && (await verifyPassword(hash, "from a file")));
  writeFileSync(file, "\n");
  await assert.rejects(adminPassword(layout, { ADMIN_PASSWORD_FILE: file }), /which is empty/);
  await assert.rejects(adminPassword(layout, { ADMIN_PASSWORD_FILE: join(directory, "none") }), /cannot be read/);
});
