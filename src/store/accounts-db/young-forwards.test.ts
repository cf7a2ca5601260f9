import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { accountName, mailAddress } from "../../../test/kit/samples.ts";
import { accountsFor } from "../../../test/kit/test-database.ts";
import { DAY_MS, HOUR_MS, instant, later, type Millis } from "../../core/time.ts";
import { SqliteAccountNetworks } from "./account-networks.ts";
import { SqliteAccounts } from "./accounts.ts";
import { SqliteForwards, SqliteYoungForwards } from "./forwards.ts";

/** Postfix's lookups use the machine's clock. */
const NOW = instant(Date.now());
const [ann, bob] = [accountName("ann@example.org"), accountName("bob@example.org")];
const [old, fresh] = [mailAddress("ann@old.example"), mailAddress("ann@fresh.example")];

function made(t: TestContext) {
  const db = accountsFor(t);
  const accounts = new SqliteAccounts(db);
  for (const each of [ann, bob]) accounts.add(each, "{BLF-CRYPT}$2y$05$x", NOW);
  const [forwards, young] = [new SqliteForwards(db), new SqliteYoungForwards(db)];
  const set = (keep: boolean, at = NOW) =>
    forwards.forward(ann, [old, fresh], keep, { targets: [fresh], until: later(at, DAY_MS) });
  const goesTo = () =>
    String(db.prepare("SELECT targets FROM alias_map WHERE address = ?").get(ann)?.["targets"]).split(",").toSorted();
  const networks = new SqliteAccountNetworks(db);
  const reached = (recipient: string, now: Millis = NOW) =>
    young.reached(recipient, now).map(({ account, target }) => `${account} ${target}`);
  return { accounts, forwards, networks, young, set, goesTo, reached };
}

test("mail reaches targets of the last day, by other accounts' aliases, forwards and role addresses too", (t) => {
  const { accounts, forwards, networks, set, reached } = made(t);
  assert.deepEqual(reached(ann), []);
  set(true);
  accounts.addAlias(mailAddress("info@example.org"), [bob]);
  forwards.forward(bob, [ann], false, null);
  networks.serve({ domains: ["example.org"], administrator: bob, refused: [], networks: [] });
  for (const recipient of [ann, "Ann+x@Example.org", bob, "INFO@example.org", "abuse@example.org"])
    assert.deepEqual(reached(recipient), [`${ann} ${fresh}`], recipient);
  assert.deepEqual(reached("carl@example.org"), []);
  assert.deepEqual(reached(ann, later(NOW, DAY_MS)), [], "it is a day old");
  forwards.forward(ann, [old, fresh], true, null);
  assert.deepEqual(reached(ann), [], "root has set it");
});

test("while it rests the mail stays in the mailbox, and is still sent to older targets", (t) => {
  const { forwards, young, set, goesTo, reached } = made(t);
  for (const keep of [true, false]) {
    set(keep);
    young.rest(ann, later(NOW, HOUR_MS));
    assert.deepEqual([goesTo(), reached(ann)], [[ann, old].toSorted(), []]);
  }
  forwards.forward(ann, [], true, { targets: [], until: NOW });
  set(false);
  assert.deepEqual(goesTo(), [ann, old].toSorted(), "setting it again changes nothing");
  assert.deepEqual(reached(ann, later(NOW, HOUR_MS)), [`${ann} ${fresh}`], "the hour is over");
  young.rest(ann, later(NOW, -1));
  assert.deepEqual(goesTo(), [fresh, old].toSorted());
  set(false, later(NOW, -DAY_MS));
  young.rest(ann, later(NOW, DAY_MS));
  assert.deepEqual(goesTo(), [fresh, old].toSorted(), "what is old does not rest");
});

test("what left is counted for a day, and goes with the account", (t) => {
  const { accounts, young } = made(t);
  const mail = { at: NOW, recipients: 3, written: 1, strangers: 2 };
  young.count(ann, mail);
  young.count(ann, mail);
  const twice = { at: NOW, recipients: 6, written: 2, strangers: 4 };
  assert.deepEqual([young.sent(ann, later(NOW, -1)), young.sent(ann, NOW)], [[twice], []]);
  young.count(bob, { ...mail, at: later(NOW, DAY_MS) });
  assert.deepEqual(young.sent(ann, later(NOW, -1)), []);
  accounts.remove(bob);
  assert.deepEqual(young.sent(bob, NOW), []);
});
