import assert from "node:assert/strict";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { parseDoor, UNCONFIRMED } from "../../core/firewall/strict.ts";
import { keepStrict, readStrict } from "./strict.ts";

test("only root may read the confirmed state, and an unreadable file confirms nothing", () => {
  const layout = { strictFirewall: join(temporaryDirectory(), "firewall.json") };
  assert.deepEqual(readStrict(layout), UNCONFIRMED);
  const state = { confirmed: { doors: [parseDoor("22/tcp") ?? assert.fail()], trusted: ["wg0"] }, trial: null };
  keepStrict(layout, state);
  assert.deepEqual(readStrict(layout), state);
  assert.equal(statSync(layout.strictFirewall).mode & 0o777, 0o600);
  writeFileSync(layout.strictFirewall, "{");
  assert.deepEqual(readStrict(layout), UNCONFIRMED);
  keepStrict(layout, UNCONFIRMED);
  assert.ok(!existsSync(layout.strictFirewall));
});
