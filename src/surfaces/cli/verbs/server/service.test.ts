import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryLayout } from "../../../../../test/kit/temporary-directory.ts";
import { unfit, whyNoDomain } from "./server.ts";

test("units are installed on a systemd, and not beside a package's", () => {
  assert.equal(unfit("install", false, true), null);
  assert.match(unfit("install", false, false)?.message ?? "", /systemd does not run this machine/);
  assert.match(unfit("install", true, true)?.next ?? "", /systemctl enable --now ghostinbox/);
  assert.match(unfit("uninstall", true, true)?.next ?? "", /systemctl disable --now ghostinbox/);
});

test("no unit is installed that would fail for want of a domain", async () => {
  const layout = temporaryLayout();
  writeFileSync(layout.settings, "domains = []\n");
  const refused = await whyNoDomain(layout, {});
  assert.match(refused?.message ?? "", /^The service could not start\. No mail domain is set/);
  writeFileSync(layout.settings, 'domains = ["example.org"]\n');
  assert.equal(await whyNoDomain(layout, {}), null);
});
