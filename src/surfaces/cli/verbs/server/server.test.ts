import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { ROOT } from "../../../../../test/kit/needs.ts";
import { temporaryDirectory, temporaryLayout } from "../../../../../test/kit/temporary-directory.ts";
import { dataDirectory, ghostinbox, oneLineOfError } from "../../../../../test/kit/test-guard.ts";
import { CHECKOUT } from "../../../../host/running/checkout.ts";
import { takeLock } from "../../../../host/running/data-directory.ts";
import { whyNoDomain, whyNotBuilt, whyNoUnits } from "./server.ts";

test("a program that is older than the data restarts nothing", ROOT, async () => {
  using layout = dataDirectory();
  using db = new DatabaseSync(layout.engineDb);
  db.exec("CREATE TABLE t (x); PRAGMA user_version = 1000");
  takeLock(layout.startPid);
  const says = /^Nothing was restarted: .* written by a newer GhostInbox .* The server still runs\.\n$/;
  assert.match(oneLineOfError(await ghostinbox(layout, ["restart"]), 1), says);
});

test("sources that cannot be built restart nothing", async () => {
  const checkout = temporaryDirectory();
  for (const name of ["src/programs/set-up", "node_modules"]) mkdirSync(join(checkout, name), { recursive: true });
  symlinkSync(join(CHECKOUT, "node_modules/@zxcvbn-ts"), join(checkout, "node_modules/@zxcvbn-ts"));
  const start = join(checkout, "src/programs/set-up/serve.ts");
  writeFileSync(start, "<<<<<<< HEAD\n");
  const says = /^The programs could not be built from .*\/serve\.ts:1:0: ERROR: .*\.$/;
  assert.match((await whyNotBuilt(checkout)) ?? "", says);
  writeFileSync(start, "");
  assert.match((await whyNotBuilt(checkout)) ?? "", /Could not resolve/, "nor the services");
});

test("units are installed only with systemd, and not next to those of a package", () => {
  assert.equal(whyNoUnits("install", false, true), null);
  assert.match(whyNoUnits("install", false, false)?.message ?? "", /systemd does not run this machine/);
  assert.match(whyNoUnits("install", true, true)?.next ?? "", /systemctl enable --now ghostinbox/);
  assert.match(whyNoUnits("uninstall", true, true)?.next ?? "", /systemctl disable --now ghostinbox/);
});

test("no unit is installed without a domain, because it would fail", () => {
  const layout = temporaryLayout("settingsInForce");
  writeFileSync(layout.settings, "domains = []\n");
  assert.match(whyNoDomain(layout)?.message ?? "", /^The service could not start\. No mail domain is set/);
  writeFileSync(layout.settings, 'domains = ["example.org"]\n');
  assert.equal(whyNoDomain(layout), null);
  writeFileSync(layout.settingsInForce, 'domains = ["example.org"]\n');
  writeFileSync(layout.settings, "");
  const lost = whyNoDomain(layout);
  assert.match(`${lost?.message} ${lost?.next}`, /^\S+ must have at least one setting, .* config reference/);
});
