import assert from "node:assert/strict";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { unfit } from "./service.ts";

test("units are installed on a systemd, and not beside a package's", { skip: lacking({ root: true }) }, () => {
  assert.equal(unfit("install", false, true), null);
  assert.match(unfit("install", false, false)?.message ?? "", /systemd does not run this machine/);
  assert.match(unfit("install", true, true)?.next ?? "", /systemctl enable --now ghostinbox/);
  assert.match(unfit("uninstall", true, true)?.next ?? "", /systemctl disable --now ghostinbox/);
});
