import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadValid } from "../../../../../test/kit/loaded-settings.ts";
import { scriptCall } from "../../../../../test/kit/script-world.ts";
import { guardOfSuite, TIMED } from "../../../../../test/kit/test-guard.ts";
import { connect } from "../../../../programs/command-line/connect.ts";
import { confirmApply } from "./config-apply.ts";

const BOTH = ["limits.mail.per_minute", "domains"];

describe("domains that accounts would lose", TIMED, () => {
  const { layout } = guardOfSuite({ accounts: ["anna@example.org"] });

  /** `answer`: what someone at a terminal says; null: no terminal. */
  const confirm = async (
    toml: string,
    changed: readonly string[],
    answer: string | null,
    flags: readonly string[] = [],
  ) => {
    const terminal = { interactive: answer !== null, err: () => undefined, ask: () => Promise.resolve(answer) };
    const call = scriptCall({ layout, flags, terminal, ...connect(layout, {}) });
    return confirmApply(call, loadValid(toml).settings, changed);
  };

  test("are removed only after a yes, and the accounts are named", async () => {
    const misspelled = 'domains = ["exmaple.org"]';
    const refused = await confirm(misspelled, BOTH, null);
    assert.ok(!refused.ok);
    assert.match(refused.message, /^Nothing was applied: this would refuse mail to anna@example\.org for good\.$/);
    assert.equal(refused.next, "`./ghostinbox config apply --yes` applies them all the same.");
    assert.equal((await confirm(misspelled, ["domains"], "n")).ok, false);
    assert.equal((await confirm(`${misspelled}\nsimulate = true`, ["domains"], null)).ok, false);
    assert.equal((await confirm(misspelled, ["domains"], "y")).ok, true);
    assert.equal((await confirm(misspelled, ["domains"], null, ["yes"])).ok, true);
  });

  test("need no question where none is lost", async () => {
    assert.equal((await confirm('domains = ["example.net", "example.org"]', BOTH, null)).ok, true);
    assert.equal((await confirm('domains = ["exmaple.org"]', ["spam.enabled"], null)).ok, true);
  });
});
