// Invariant: Aliases and forwards form one graph without loops.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { accountName, mailAddress } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { ann, bob, refused, START, scalarOf, twoAccounts } from "../../../test/kit/test-database.ts";
import { DAY_MS, HOUR_MS, instant, later, type Millis } from "../../core/time.ts";
import { openAccounts } from "../open.ts";
import { NETWORKS } from "./account-networks.ts";
import { NotedUses } from "./credentials.ts";
import { FORWARDS, sqliteCountedForwards } from "./forwards.ts";
import { sqliteAliasReach } from "./mail-lookups.ts";
import { readMailboxSettings } from "./setting-tables.ts";

const elsewhere = mailAddress("ann@else.example");

function fresh(t: TestContext) {
  const { db, accounts } = twoAccounts(t);
  db.exec("INSERT INTO served (domain) VALUES ('example.org')");
  return {
    accounts,
    forwards: FORWARDS.store(db),
    onward: (from: string) => sqliteAliasReach(db).onward(from),
    forwarding: (of: string) => readMailboxSettings(db, of).forwarding,
    /** The targets that Postfix finds, and the mailbox that Dovecot finds for the address. */
    goesTo: (of: string) => scalarOf(db, "SELECT targets FROM alias_map WHERE address = ?", of),
    behind: (of: string) => scalarOf(db, "SELECT user FROM alias_userdb WHERE address = ?", of),
    isStored: (of: string) => scalarOf(db, "SELECT 1 FROM stored WHERE user = ?", of) === 1,
  };
}

test("an account that does not exist forwards nothing", (t) => {
  const { forwards, goesTo } = fresh(t);
  const set = forwards.setForward(accountName("nobody@example.org"), [elsewhere], true, null);
  assert.deepEqual(set, refused("There is no account nobody@example.org."));
  assert.equal(goesTo("nobody@example.org"), undefined);
});

test("the targets of all forwards are listed, without the copies that stay", (t) => {
  const { forwards } = fresh(t);
  assert.deepEqual(forwards.targets(), []);
  forwards.setForward(ann, [elsewhere, bob], true, null);
  forwards.setForward(bob, [elsewhere], false, null);
  assert.deepEqual(forwards.targets().toSorted(), [elsewhere, elsewhere, bob].toSorted());
});

test("the mail of a suspended account stays in its mailbox, until it is resumed", (t) => {
  const { accounts, forwards, forwarding, goesTo, behind } = fresh(t);
  accounts.addAlias(mailAddress("info@example.org"), [ann]);
  forwards.setForward(ann, [elsewhere], false, null);
  accounts.setSuspended(ann, true);
  assert.deepEqual([forwarding(ann), goesTo(ann)], [{ to: [elsewhere], keep: false }, undefined]);
  assert.deepEqual([goesTo("info@example.org"), behind("info@example.org")], [ann, ann]);
  accounts.setSuspended(ann, false);
  assert.equal(goesTo("Ann@Example.ORG"), elsewhere);
});

test("aliases and forwards are followed together, so that none leads back to itself", (t) => {
  const { accounts, forwards, onward } = fresh(t);
  accounts.addAlias(mailAddress("info@example.org"), [ann]);
  assert.deepEqual(onward("Info@Example.org"), ["info@example.org", ann]);
  forwards.setForward(ann, [bob], true, null);
  assert.deepEqual(onward("info@example.org"), ["info@example.org", ann, bob]);
  assert.deepEqual(onward("ann+x@example.org"), ["ann+x@example.org", ann, bob]);
  assert.deepEqual(onward(bob), [bob]);
});

test("removing an account removes the forwards to it", (t) => {
  const { accounts, forwards, forwarding, goesTo } = fresh(t);
  forwards.setForward(ann, [bob, elsewhere], true, null);
  forwards.setForward(bob, [elsewhere], false, null);
  accounts.remove(bob);
  assert.deepEqual([forwarding(ann), goesTo(bob)], [{ to: [elsewhere], keep: true }, undefined]);
});

test("removing an alias's last target removes the forwards to the alias", (t) => {
  const { accounts, forwards, forwarding, goesTo } = fresh(t);
  const info = mailAddress("info@example.org");
  accounts.addAlias(info, [bob, elsewhere]);
  forwards.setForward(ann, [info], false, null);
  accounts.remove(bob);
  assert.deepEqual(forwarding(ann), { to: [info], keep: false }, "it has one target left");
  accounts.removeAlias(info);
  assert.deepEqual([forwarding(ann), goesTo(ann)], [null, undefined]);
});

test("nothing is forwarded to a blocked alias until it accepts mail again", (t) => {
  const { accounts, forwards, forwarding, goesTo } = fresh(t);
  const info = mailAddress("info@example.org");
  accounts.addAlias(info, [bob]);
  forwards.setForward(ann, [info], false, null);
  accounts.setAliasBlocked(info, true);
  assert.deepEqual([forwarding(ann), goesTo(ann)], [{ to: [info], keep: false }, undefined]);
  const again = forwards.setForward(ann, [elsewhere, info], true, null);
  assert.deepEqual(again, refused("The alias info@example.org is blocked, so it accepts no mail."));
  accounts.setAliasBlocked(info, false);
  assert.equal(goesTo(ann), info);
  const team = mailAddress("team@example.org");
  accounts.addAlias(team, [info]);
  forwards.setForward(ann, [team], false, null);
  accounts.setAliasBlocked(info, true);
  assert.equal(goesTo(ann), undefined, "nor through another");
});

test("a mailbox's quota is checked only while mail is stored in it", (t) => {
  const { accounts, forwards, behind, isStored } = fresh(t);
  const info = mailAddress("info@example.org");
  accounts.addAlias(info, [ann]);
  const asked = () => [isStored("Ann@example.org"), behind(info)];
  assert.deepEqual(asked(), [true, ann]);
  forwards.setForward(ann, [elsewhere], true, null);
  assert.deepEqual(asked(), [true, ann], "a copy stays");
  forwards.setForward(ann, [elsewhere], false, null);
  assert.deepEqual(asked(), [false, undefined]);
  forwards.setForward(ann, [bob], false, null);
  assert.equal(behind(ann), undefined, "it is not an alias of its target's mailbox");
  accounts.setSuspended(ann, true);
  assert.deepEqual(asked(), [true, ann]);
});

test("new targets are counted for a day, even across a restart", () => {
  const path = join(temporaryDirectory(), "accounts.db");
  const spend = (many: number, at: Millis, account = ann): boolean => {
    using db = openAccounts(path);
    return FORWARDS.store(db).spendTargets(account, many, 5, { since: later(at, -DAY_MS), until: at });
  };
  assert.equal(spend(3, START), true);
  assert.equal(spend(1, START), true, "at the same moment");
  assert.equal(spend(2, later(START, 1)), false, "what is left is spent");
  assert.equal(spend(1, later(START, 2)), false);
  assert.equal(spend(5, later(START, 2), bob), true, "each account has its own count");
  assert.equal(spend(4, later(START, DAY_MS)), true, "the first four are a day old");
  assert.equal(spend(1, later(START, DAY_MS)), false);
});

/** Postfix's lookups use the machine's clock. */
const NOW = instant(Date.now());
const [old, added] = [mailAddress("ann@old.example"), mailAddress("ann@added.example")];

function withNewTarget(t: TestContext) {
  const { db, accounts } = twoAccounts(t, NOW);
  const uses = new NotedUses();
  const [forwards, countedForwards] = [FORWARDS.store(db), sqliteCountedForwards(db, uses)];
  const set = (keep: boolean, at = NOW) =>
    forwards.setForward(ann, [old, added], keep, { targets: [added], until: later(at, DAY_MS) });
  const goesTo = () =>
    String(scalarOf(db, "SELECT targets FROM alias_map WHERE address = ?", ann))
      .split(",")
      .toSorted();
  const networks = NETWORKS.store(db);
  const reached = (recipient: string, now: Millis = NOW) =>
    countedForwards
      .reached(recipient, now)
      .map(({ account, target, isNew }) => `${account} ${target}${isNew ? "" : " old"}`);
  return { accounts, forwards, networks, countedForwards, set, goesTo, reached, changes: () => uses.changes(db) };
}

test("mail also reaches targets that root has not set through other accounts' aliases, forwards and role addresses", (t) => {
  const { accounts, forwards, networks, set, reached } = withNewTarget(t);
  assert.deepEqual(reached(ann), []);
  set(true);
  accounts.addAlias(mailAddress("info@example.org"), [bob]);
  forwards.setForward(bob, [ann], false, null);
  networks.serve({ domains: ["example.org"], administrator: bob, refused: [], networks: [] });
  for (const recipient of [ann, "Ann+x@Example.org", bob, "INFO@example.org", "abuse@example.org"])
    assert.deepEqual(reached(recipient), [`${ann} ${added}`], recipient);
  accounts.addAlias(mailAddress("shop@example.org"), [mailAddress("ann+shop@example.org")]);
  forwards.setForward(bob, [mailAddress("shop+new@example.org")], false, null);
  for (const recipient of ["shop@example.org", bob])
    assert.deepEqual(reached(recipient), [`${ann} ${added}`], recipient);
  for (const recipient of ["carl@example.org", '"a@b+c"@example.org']) assert.deepEqual(reached(recipient), []);
  assert.deepEqual(reached(ann, later(NOW, DAY_MS)), [`${ann} ${added} old`]);
  forwards.setForward(ann, [old, added], true, null);
  assert.deepEqual(reached(ann), [], "root has set it");
});

test("while a target is paused its mail stays in the mailbox, and older targets still get theirs", (t) => {
  const { forwards, countedForwards, set, goesTo, reached } = withNewTarget(t);
  for (const keep of [true, false]) {
    set(keep);
    countedForwards.pause(ann, { now: NOW, until: later(NOW, HOUR_MS), which: "new" });
    assert.deepEqual([goesTo(), reached(ann)], [[ann, old].toSorted(), []]);
  }
  forwards.setForward(ann, [], true, { targets: [], until: NOW });
  set(false);
  assert.deepEqual(goesTo(), [ann, old].toSorted(), "setting it again changes nothing");
  assert.deepEqual(reached(ann, later(NOW, HOUR_MS)), [`${ann} ${added}`], "the hour is over");
  countedForwards.pause(ann, { now: NOW, until: later(NOW, -1), which: "new" });
  assert.deepEqual(goesTo(), [added, old].toSorted());
  set(false, later(NOW, -DAY_MS));
  countedForwards.pause(ann, { now: NOW, until: later(NOW, DAY_MS), which: "new" });
  assert.deepEqual(goesTo(), [added, old].toSorted(), "it is not new any more");
  countedForwards.pause(ann, { now: NOW, until: later(NOW, DAY_MS), which: "all" });
  assert.deepEqual(goesTo(), [ann, old].toSorted());
  countedForwards.count(ann, { at: later(NOW, 3 * DAY_MS), recipients: 1, written: 1, strangers: 0 });
  assert.deepEqual(reached(ann, later(NOW, 3 * DAY_MS)), [`${ann} ${added} old`], "it counts as long as it exists");
});

test("forwarded mail is counted for a day; counting it is not a change of the accounts, but a pause is", (t) => {
  const { forwards, countedForwards, set, changes } = withNewTarget(t);
  set(true);
  forwards.setForward(ann, [old], true, { targets: [], until: NOW });
  const before = changes();
  const mail = { at: NOW, recipients: 3, written: 1, strangers: 2 };
  countedForwards.count(ann, mail);
  countedForwards.count(ann, mail);
  const twice = { at: NOW, recipients: 6, written: 2, strangers: 4 };
  const sent = (since: number, until: number) =>
    countedForwards.sent(ann, { since: later(NOW, since), until: later(NOW, until) });
  assert.deepEqual([sent(-1, 0), sent(0, 1), sent(-2, -1)], [[twice], [], []]);
  countedForwards.count(bob, { ...mail, at: later(NOW, DAY_MS) });
  assert.deepEqual(sent(-1, 0), []);
  assert.equal(changes(), before);
  set(true);
  const unpaused = changes();
  countedForwards.pause(ann, { now: NOW, until: later(NOW, HOUR_MS), which: "new" });
  assert.ok(changes() > unpaused);
});
