import assert from "node:assert/strict";
import { test } from "node:test";
import { alertsOnDatabase } from "../../../test/kit/alerts-on-database.ts";
import { DAY_MS } from "../../core/time.ts";
import { SqliteAlertEvents } from "./alerts.ts";

const ANNA = "anna@example.test";

test("a sign-in that lacked its code is new by the network from which the dashboard was asked", async () => {
  const { engine, db, clock, signIn } = alertsOnDatabase();
  const asked = async (from: string): Promise<boolean> => {
    clock.advance(1_000);
    await engine.audit({ type: "SECOND_FACTOR_ASKED", subject: "authenticator app", by: `web:admin via ${from}` });
    return new SqliteAlertEvents(db).between(0, 100).at(-1)?.isNewNetwork ?? assert.fail();
  };
  assert.equal(await asked("203.0.113.200"), true);
  await signIn("203.0.113.201", ANNA);
  assert.equal(await asked("203.0.113.200"), true, "a mailbox's sign-in tells nothing");
  await signIn("203.0.113.7");
  await signIn("2001:db8:1:2::3");
  assert.equal(await asked("203.0.113.200"), false);
  assert.equal(await asked("2001:db8:1:3::1"), false);
  assert.equal(await asked("198.51.100.7"), true);
});

for (const [login, name] of [
  ["admin", "web:admin"],
  [ANNA, `mailbox:${ANNA}`],
] as const)
  test(`a change by ${name} is critical from a network not used for a day`, async () => {
    const { clock, signIn, change } = changes();
    await signIn("203.0.113.7", login);
    clock.advance(1_000);
    await signIn("198.51.100.7", login);
    assert.equal(await change(`${name} via 203.0.113.200`), "web_account", "the network of the first sign-in");
    assert.equal(await change(`${name} via 198.51.100.7`), "web_new_network", "one's own sign-in proves nothing");
    assert.equal(await change(`${name} via 192.0.2.7`), "web_new_network", "a stolen session");
    assert.equal(await change(`${name} via 127.0.0.1`), "web_account");
    clock.advance(DAY_MS);
    assert.equal(await change(`${name} via 198.51.100.8`), "web_account");
  });

test("a token's first network is familiar, and no other for a day", async () => {
  const { clock, change } = changes();
  assert.equal(await change("web:token nightly via 192.0.2.9"), "web_account");
  assert.equal(await change("web:token nightly via 198.51.100.9"), "web_new_network");
  clock.advance(DAY_MS);
  assert.equal(await change("web:token nightly via 198.51.100.10"), "web_account");
});

/** `change` resolves with the code of the alert that the change raises. */
function changes() {
  const { engine, clock, signIn, seconds } = alertsOnDatabase();
  return {
    clock,
    signIn,
    change: async (by: string): Promise<string> => {
      clock.advance(1_000);
      await engine.audit({ type: "APP_PASSWORD_MADE", subject: `phone of ${ANNA}`, account: ANNA, by });
      return (await seconds(2)).flatMap((one) => /^opened (web_\S+)/.exec(one)?.[1] ?? []).join();
    },
  };
}
