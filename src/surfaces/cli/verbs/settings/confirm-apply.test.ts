import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadValid } from "../../../../../test/kit/loaded-settings.ts";
import { ip, LOGIN } from "../../../../../test/kit/samples.ts";
import { scriptCall } from "../../../../../test/kit/script-world.ts";
import { guardOfSuite, TIMED } from "../../../../../test/kit/test-guard.ts";
import { connect } from "../../../../programs/command-line/connect.ts";
import { toPolicy } from "../../../../settings/to-policy.ts";
import { confirmApply } from "./config-apply.ts";

const BOTH = ["limits.mail.per_minute", "domains"];
const ANNA = "anna@example.org";

describe("domains that accounts would lose", TIMED, () => {
  const { layout, guard, run } = guardOfSuite({ accounts: [ANNA] });

  /** `answer`: what someone at a terminal says; null: no terminal. */
  const confirm = async (
    toml: string,
    changed: readonly string[],
    answer: string | null,
    { flags = [], inForce = [] }: Readonly<{ flags?: readonly string[]; inForce?: readonly string[] }> = {},
  ) => {
    const terminal = { interactive: answer !== null, err: () => undefined, ask: () => Promise.resolve(answer) };
    const call = scriptCall({ layout, flags, terminal, ...connect(layout, {}) });
    return confirmApply(call, loadValid(toml).settings, { changed, inForce });
  };

  test("are removed only after a yes, and the accounts are named", async () => {
    const misspelled = 'domains = ["exmaple.org"]';
    const refused = await confirm(misspelled, BOTH, null);
    assert.ok(!refused.ok);
    assert.match(refused.message, /^Nothing was applied: no mail would come to anna@example\.org any more\.$/);
    assert.equal(refused.next, "`./ghostinbox config apply --yes` applies them all the same.");
    assert.equal((await confirm(misspelled, ["domains"], "n")).ok, false);
    assert.equal((await confirm(`${misspelled}\nsimulate = true`, ["domains"], null)).ok, false);
    assert.equal((await confirm(misspelled, ["domains"], "y")).ok, true);
    assert.equal((await confirm(misspelled, ["domains"], null, { flags: ["yes"] })).ok, true);
  });

  test("a rule that deletes mail of the same day is applied only after a yes", async () => {
    const [months, days] = ['retention.mail = ["INBOX 36m", "Trash 30d"]', 'retention.mail = ["Trash 30d"]'];
    const refused = await confirm(months, ["retention.mail"], null);
    assert.match(refused.ok ? "" : refused.message, /less than a day old: “INBOX 36m” \(m is minutes\)\.$/);
    assert.equal((await confirm(months, ["retention.mail"], "y")).ok, true);
    assert.equal((await confirm(days, ["retention.mail"], null)).ok, true);
  });

  test("need no question where none is lost", async () => {
    assert.equal((await confirm('domains = ["example.net", "example.org"]', BOTH, null)).ok, true);
    assert.equal((await confirm('domains = ["exmaple.org"]', ["spam.enabled"], null)).ok, true);
  });

  test("aliases would lose their mail too, and are named", async () => {
    assert.equal((await run(`alias add info@example.org ${ANNA}`)).code, 0);
    const refused = await confirm('domains = ["exmaple.org"]', BOTH, null);
    assert.match(
      refused.ok ? "" : refused.message,
      /no mail would come to anna@example\.org.* info@example\.org any more/,
    );
  });

  test("a network that leaves the allow list is judged without it: who signed in there after guesses is named", async () => {
    const { engine } = guard();
    const [domains, inForce] = [`domains = ["example.org"]\n`, '["203.0.113.0/24"]'];
    engine.setPolicy(toPolicy(loadValid(`${domains}allow.networks = ${inForce}`).settings));
    const login = { ...LOGIN, ip: ip("203.0.113.9"), login: ANNA };
    for (let i = 0; i < 40; i++) {
      await engine.ask({ ...login, type: "LOGIN_ASKED", passwordHash: `${i}` });
      await engine.ask({ ...login, type: "LOGIN_FAILED", passwordHash: `${i}` });
    }
    await engine.ask({ ...login, type: "LOGIN_ASKED", passwordHash: "right" });
    await engine.ask({ ...login, type: "LOGIN_SUCCEEDED", passwordHash: "right" });
    const refused = await confirm(domains, ["allow.networks"], null, { inForce: [inForce] });
    assert.ok(!refused.ok);
    assert.match(refused.message, /would have turned away anna@example\.org \(from 203\.0\.113\.9\)/);
    guard().settingsWait({ changed: ["allow.networks"], inForce: [inForce] });
    const simulated = await run(`config simulate ${layout.settings} --json`);
    assert.partialDeepStrictEqual(JSON.parse(simulated.out), { accounts: { items: [{ account: ANNA }] } });
  });
});
