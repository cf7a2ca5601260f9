import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { before, describe, test } from "node:test";
import { ROOT } from "../../../../../test/kit/needs.ts";
import { ghostinbox, guardOfSuite, TIMED } from "../../../../../test/kit/test-guard.ts";
import { homeOf } from "../../../../mail/dovecot/sieve-redirects.ts";

describe("account legal-hold", { ...TIMED, ...ROOT }, () => {
  const { layout, fails } = guardOfSuite({ accounts: ["anna@example.org"] });
  before(() => void mkdirSync(dirname(layout.legalHolds), { recursive: true }));

  test("holds an account, and mail of one that was removed", async () => {
    mkdirSync(homeOf(layout.mail, "gone@example.org"), { recursive: true });
    for (const name of ["anna@example.org", "gone@example.org"]) {
      const { code, out, err } = await ghostinbox(layout, ["account", "legal-hold", name, "on", "a lawsuit"]);
      assert.equal(code, 0, err);
      assert.match(out, /is under legal hold: no mail of it is removed by retention/);
    }
  });

  test("protects nothing under a misspelled name, and says so", async () => {
    const says = /^There is no account ana@example\.org, and no mail of one\. /;
    for (const word of ["on", "off", ""]) await fails(`account legal-hold ana@example.org ${word}`.trim(), says);
  });
});
