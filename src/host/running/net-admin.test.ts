import assert from "node:assert/strict";
import { test } from "node:test";
import { hasNetAdmin } from "./container.ts";

test("the right to change the firewall is one bit of the effective capabilities", () => {
  const status = (effective: string): string => `Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\n`;
  assert.ok(hasNetAdmin(status("000001ffffffffff")));
  assert.ok(hasNetAdmin(status("0000000000001000")));
  for (const without of ["0000000000000000", "000001ffffffefff"]) assert.ok(!hasNetAdmin(status(without)), without);
  assert.ok(!hasNetAdmin("Name:\tnode\n"));
});
