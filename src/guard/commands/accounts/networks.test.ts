import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, OWNER, refusalOf } from "../../../../test/kit/commands-kit.ts";
import { net } from "../../../../test/kit/samples.ts";
import { parseAccountName } from "../../../core/net/address.ts";

const NAME = "alice@example.test";

const kit = commandsOf(import.meta.filename, NAME);

function change(verb: "networks_add" | "networks_remove", networks: readonly string[]) {
  return kit.ask({ verb, name: NAME, networks });
}

test("an account is limited to its networks until the last is removed; each change ends its sessions", async () => {
  assert.deepEqual(await change("networks_add", ["203.0.113.7", "2001:db8::/32"]), {
    ok: true,
    result: { name: NAME, networks: ["2001:db8::/32", "203.0.113.7/32"] },
  });
  await change("networks_remove", ["2001:db8::/32"]);
  assert.deepEqual(await change("networks_remove", ["203.0.113.7"]), {
    ok: true,
    result: { name: NAME, networks: [] },
  });
  assert.deepEqual(kit.kept(), ["kick_account", "kick_account", "kick_account"]);
  assert.deepEqual(kit.details().slice(1), [
    `${NAME} from 2001:db8::/32, 203.0.113.7/32 by root`,
    `${NAME} from 203.0.113.7/32 by root`,
    `${NAME} from anywhere by root`,
  ]);
});

const AS = { as: "5e".repeat(32), ip: "203.0.113.9" };
const ELSEWHERE = { ...AS, ip: "198.51.100.9" };

const signIn = (): void => kit.signIn(AS, parseAccountName(NAME));
const isIn = async (as: typeof AS) => (await kit.ask({ verb: "my_sessions" }, "web", as)).ok;

test("changed networks end the account's sessions at the dashboard, but a dry run ends none", async () => {
  kit.signIn(OWNER);
  for (const verb of ["networks_add", "networks_remove"] as const) {
    signIn();
    const command = { verb, name: NAME.toUpperCase(), networks: ["203.0.113.0/24"] };
    assert.ok((await kit.dryRun(command)).ok);
    assert.ok(await isIn(AS), verb);
    assert.ok((await kit.ask(command)).ok);
    assert.ok(!(await isIn(AS)), verb);
  }
});

test("a mailbox session works only where its user may sign in", async () => {
  signIn();
  assert.deepEqual([await isIn(AS), await isIn(ELSEWHERE)], [true, true]);
  await change("networks_add", ["203.0.113.0/24"]);
  signIn();
  assert.deepEqual([await isIn(AS), await isIn(ELSEWHERE)], [true, false]);
  await change("networks_remove", ["203.0.113.0/24"]);
  signIn();
  const { logins } = kit.engine.policy;
  kit.engine.setPolicy({ ...kit.engine.policy, logins: { ...logins, networks: [net("198.51.100.0/24")] } });
  assert.deepEqual([await isIn(AS), await isIn(ELSEWHERE)], [false, true]);
});

test("a network that restricts nothing, or no network, is a usage error and changes nothing", async () => {
  for (const wrong of ["0.0.0.0/0", "::/0", "nowhere"]) {
    const said = await kit.said({ verb: "networks_add", name: NAME, networks: ["203.0.113.7", wrong] });
    assert.match(said, /^usage .* is not a network that restricts anything, such as/, wrong);
  }
  assert.ok((await change("networks_add", ["128.0.0.0/1"])).ok, "half the internet restricts something");
  assert.equal(kit.types().length, 2);
});

test("the caller learns where sessions stay open", async () => {
  kit.keeperUp(false);
  assert.match(refusalOf(await change("networks_add", ["203.0.113.7"])), /its open sessions were not ended: no answer/);
});

test("the web cannot restrict the mailbox that gets the alerts", async () => {
  kit.signIn(OWNER);
  kit.sendsAlertsTo([NAME]);
  for (const verb of ["networks_add", "networks_remove"] as const) {
    const reply = await kit.ask({ verb, name: NAME, networks: ["203.0.113.7/32"] }, "web", OWNER);
    assert.match(reply.ok ? "taken" : reply.message, /gets the alerts/, verb);
  }
  assert.partialDeepStrictEqual(await change("networks_add", ["203.0.113.7/32"]), { ok: true }, "root may");
});
