import assert from "node:assert/strict";
import { test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { ban, engineDatabase, START, unban } from "../../../test/kit/test-database.ts";
import { later } from "../../core/time.ts";
import { sqliteNetworkHistory } from "./network-history.ts";

test("counts the neighbours of a network that were banned for an offence, and their guesses", (t) => {
  const { db, store } = engineDatabase(t);
  const history = sqliteNetworkHistory(db);
  const network = net("203.0.113.0/24");
  ban(store, "203.0.113.1", later(START, 1));
  ban(store, "203.0.113.1", later(START, 2));
  ban(store, "203.0.113.255", later(START, 2));
  ban(store, "203.0.113.0/24", later(START, 2));
  ban(store, "203.0.113.7", later(START, 2), { offences: 0 });
  ban(store, "203.0.114.1", later(START, 2));
  ban(store, "203.0.113.9", later(START, 2));
  unban(store, "203.0.113.9", later(START, 3));
  ban(store, "203.0.113.8", later(START, 2), { code: "jail_report", source: "fail2ban" });
  const banned = ["203.0.113.1", "203.0.113.255", "203.0.113.8"].map(net);
  assert.deepEqual(history.banned(network, START).toSorted(), banned.toSorted(), "a report of Fail2ban too");
  const [stranger, one] = [net("203.0.113.77"), net("203.0.113.1")];
  assert.equal(
    history.offenders(network, START, stranger),
    2,
    "excludes manual and forgiven bans, and those of the network itself",
  );
  assert.equal(history.offenders(network, START, one), 1, "not counting itself");
  assert.equal(history.offenders(network, later(START, 2), stranger), 0);
  for (const [i, passwordHash] of ["a", "a", "b"].entries())
    store.apply({ type: "GUESS", account: `user${i}`, network, passwordHash, isStale: false }, later(START, i));
  const guesses = (since: number, account: string, passwordHash: string, until = 9): number =>
    history.guessesFrom(network, { since: later(START, since), until: later(START, until) }, { account, passwordHash });
  assert.equal(guesses(-1, "user9", "z"), 3, "the same password at two accounts is two guesses");
  assert.equal(guesses(1, "user9", "z"), 1);
  assert.equal(guesses(-1, "user9", "z", 1), 2, "a guess after `until` does not count");
  assert.equal(guesses(-1, "user0", "a"), 2, "not counting itself");
  assert.equal(guesses(-1, "user0", "b"), 3, "another password at the same account is another guess");
  assert.equal(history.settledAt(network, later(START, 9)), later(START, 2), "when it was banned");
  unban(store, "203.0.113.0/24", later(START, 5));
  assert.equal(history.settledAt(network, later(START, 9)), later(START, 5), "when that was lifted");
  assert.equal(history.settledAt(network, later(START, 4)), 0, "an end after now settles nothing");
  assert.equal(history.settledAt(net("198.51.100.0/24"), later(START, 9)), 0);
});

test("bans within a spared IPv6 site are counted only up to a limit", (t) => {
  const { db, store } = engineDatabase(t);
  store.begin();
  for (let i = 1; i <= 5_001; i++) ban(store, `2001:db8:7:${i.toString(16)}::/64`, later(START, 1));
  assert.equal(sqliteNetworkHistory(db).offenders(net("2001:db8:7::/48"), START, net("2001:db8:7::/64")), 5_000);
  store.rollback();
});
