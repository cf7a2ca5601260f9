import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Finished, ghostinbox, guardOfSuite, TIMED } from "../../../../test/kit/test-guard.ts";
import { openAccounts } from "../../../store/open.ts";

const ANNA = "anna@example.org";

describe("account vacation", TIMED, () => {
  const { layout, does } = guardOfSuite({ accounts: [ANNA] });
  const run = (...words: readonly string[]): Promise<Finished> => ghostinbox(layout, ["account", "vacation", ...words]);

  test("sets, shows and ends the reply", async () => {
    assert.match((await run(ANNA)).out, /^anna@example\.org sends no vacation reply\.$/m);
    const set = await run(ANNA, "I am away.\nAnna", "--subject", "Away", "--until", "2099-12-24");
    assert.equal(set.code, 0, set.err);
    const { out } = await run(ANNA);
    assert.match(out, /^anna@example\.org sends this reply, until 2099-12-24 23:59:59 UTC:$/m);
    assert.match(out, /^ {2}Subject: Away\n\n {2}I am away\.\n {2}Anna$/m);
    const says = /this reply, until you end it \(--off\):\n {2}I am away\.$/m;
    assert.match((await run(ANNA, "I", "am", "away.")).out, says);
    assert.match((await run(ANNA, "--off")).out, /sends no vacation reply/);
    assert.match((await run(ANNA)).out, /sends no vacation reply/);
    const audit = await does("audit list");
    for (const change of ["until 2099-12-24T23:59:59.000Z", "until it is ended", "no longer"])
      assert.ok(audit.includes(`${ANNA} ${change}`), audit);
    assert.doesNotMatch(audit, /away/i, "the text may say where someone is");
  });

  test("a reply that has ended is shown as such, here and by `why`", async () => {
    const why = async (): Promise<string> => (await ghostinbox(layout, ["why", "--account", ANNA])).out;
    assert.equal((await run(ANNA, "I am away.", "--until", "2099-12-24")).code, 0);
    assert.match(await why(), /^ {2}vacation reply +until 2099-12-24 23:59:59 UTC: I am away\.$/m);
    using accounts = openAccounts(layout.accountsDb);
    accounts.exec(`UPDATE vacation SET until = ${Date.UTC(2020, 0, 1)}`);
    assert.match((await run(ANNA)).out, /^The reply of anna@example\.org ended 2020-01-01 00:00:00 UTC:$/m);
    assert.match(await why(), /^ {2}vacation reply +ended 2020-01-01 00:00:00 UTC: I am away\.$/m);
    assert.equal((await run(ANNA, "--off")).code, 0);
    assert.doesNotMatch(await why(), /vacation reply/);
  });

  test("refuses contradictory options, and times that are past or invalid", async () => {
    for (const words of [
      [ANNA, "away", "--off"],
      [ANNA, "--off", "--until", "2099-01-01"],
      [ANNA, "--subject", "Away"],
      [ANNA, "away", "--until", "soon"],
      [ANNA, "away", "--until", "2020-01-01"],
    ])
      assert.equal((await run(...words)).code, 2, words.join(" "));
  });
});
