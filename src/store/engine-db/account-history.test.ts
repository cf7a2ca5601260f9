import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { databaseOnMemory } from "../../../test/kit/memory-database.ts";
import { net } from "../../../test/kit/samples.ts";
import { ann, engineDatabase, eventRow, planOf, record, START } from "../../../test/kit/test-database.ts";
import { auditRecord } from "../../core/events/command.ts";
import { DAY_MS, instant, isoTime, later } from "../../core/time.ts";
import { newPlaces, sqliteAccountHistory, sqliteLastSignIns } from "./account-history.ts";
import { engineMigrations } from "./schema.ts";

const between = (since: number, until = 9) => ({ since: later(START, since), until: later(START, until) });
const span = (since: number, most: number, until = 9) => ({ ...between(since, until), most });

type GuessRow = readonly [account: string, network: string, passwordHash: string, at: number, isStale?: boolean];

function fresh(t: TestContext) {
  const { db, store } = engineDatabase(t);
  store.begin();
  t.after(() => store.rollback());
  const know = (prefix: string, account: string, at: number, passwordHash = ""): void =>
    store.apply({ type: "KNOW", prefix: net(prefix), account, passwordHash }, later(START, at));
  const guess = (...[account, network, passwordHash, at, isStale = false]: GuessRow): void =>
    store.apply({ type: "GUESS", account, network: net(network), passwordHash, isStale }, later(START, at));
  return { db, store, history: sqliteAccountHistory(db), know, guess };
}

test("sign-ins of an account, newest first, with the latest password from each network", (t) => {
  const { store, history, know } = fresh(t);
  know("203.0.113.1", ann, 1, "old");
  know("203.0.113.2", ann, 2, "new");
  know("203.0.113.1", ann, 3, "newest");
  know("203.0.113.3", "bob@example.org", 4, "bob's");
  const signIns = (since = START) =>
    history.signIns(ann, since).map(({ prefix, passwordHash }) => `${prefix} ${passwordHash}`);
  assert.deepEqual(signIns(), ["203.0.113.1/32 newest", "203.0.113.2/32 new"]);
  assert.equal(signIns(later(START, 2)).length, 1, "what is as old as the limit is too old");
  assert.deepEqual(history.accountsOf(net("203.0.113.1"), START), [ann]);
  assert.deepEqual(history.accountsOf(net("203.0.113.1"), later(START, 3)), []);
  store.apply({ type: "FORGET_PLACES", account: ann, since: later(START, 2) }, START);
  assert.deepEqual(signIns(), ["203.0.113.1/32 newest"], "first used before, and again since");
  store.apply({ type: "FORGET_PLACES", account: ann }, START);
  assert.deepEqual(history.networksSince(START), [net("203.0.113.3")], "a removed account's are gone");
});

test("guesses at an account are found within the window, from anywhere or from one network", (t) => {
  const { history, guess } = fresh(t);
  guess(ann, "203.0.113.0/24", "a", 1);
  guess(ann, "198.51.100.0/24", "a", 2);
  guess(ann, "198.51.100.0/24", "b", 3);
  const of = (network: string | null, since: number, most = 10, until = 9): readonly string[] =>
    history
      .guesses(ann, { network: network === null ? null : net(network), ...span(since, most, until) })
      .map(({ network: from, passwordHash }) => `${passwordHash} ${from}`)
      .toSorted();
  assert.deepEqual(of(null, 0), ["a 198.51.100.0/24", "a 203.0.113.0/24", "b 198.51.100.0/24"]);
  assert.deepEqual(of(null, 0, 1), ["b 198.51.100.0/24"], "only as many as are needed, latest first");
  assert.deepEqual(of("203.0.113.0/24", 0), ["a 203.0.113.0/24"]);
  assert.deepEqual(of(null, 2), ["b 198.51.100.0/24"]);
  assert.deepEqual(of(null, 0, 10, 1), ["a 203.0.113.0/24"], "a guess after `until` does not count");
  assert.deepEqual(of("198.51.100.0/24", 0, 10, 2), ["a 198.51.100.0/24"]);
  guess(ann, "203.0.113.0/24", "a", 9);
  assert.deepEqual(of(null, 3), ["a 203.0.113.0/24"], "when tried again, it counts from then on");
  guess(ann, "203.0.113.0/24", "a", 4);
  assert.deepEqual(of(null, 3, 10, 4), ["a 203.0.113.0/24"], "even after the clock was set back");
  assert.deepEqual(of(null, 4), []);
});

test("guesses are counted for an account, listed for a network, and read for all accounts, latest first", (t) => {
  const { store, history, guess } = fresh(t);
  guess(ann, "203.0.113.0/24", "a", 1);
  guess(ann, "198.51.100.0/24", "b", 2);
  guess("bob@example.org", "198.51.100.0/24", "c", 3);
  const candidates = (since: number, until = 9) =>
    history.candidates(ann, { ...between(since, until), share: 9 }).within;
  assert.deepEqual([candidates(0), candidates(1), candidates(0, 1)], [2, 1, 1]);
  for (let i = 0; i < 5; i++) guess("carl@example.org", i < 3 ? "203.0.113.0/24" : "192.0.2.0/24", `p${i}`, i + 1);
  const shares = (share: number, name = "carl@example.org"): string => {
    const { within, beyond } = history.candidates(name, { ...between(0), share });
    return `${within}+${beyond}`;
  };
  assert.deepEqual([shares(9), shares(2), shares(1)], ["5+0", "4+1", "2+3"], "at most a share for each network");
  assert.equal(shares(1, "nobody"), "0+0");
  store.apply({ type: "FORGET_GUESSES", account: "carl@example.org" }, START);
  const passwordHashes = (guesses: Iterable<Readonly<{ passwordHash: string }>>) =>
    [...guesses].map(({ passwordHash }) => passwordHash).join("");
  assert.equal(passwordHashes(history.guessesOf(net("198.51.100.0/24"), span(0, 9))), "cb");
  assert.equal(passwordHashes(history.guessesOf(net("198.51.100.0/24"), span(0, 1))), "c");
  assert.equal(passwordHashes(history.guessesOf(net("198.51.100.0/24"), span(0, 9, 2))), "b");
  assert.equal(passwordHashes(history.guessesSince(span(0, 9))), "cba");
  assert.equal(passwordHashes(history.guessesSince(span(2, 9))), "c");
  assert.equal(passwordHashes(history.guessesSince(span(0, 2))), "cb");
  assert.equal(passwordHashes(history.guessesSince(span(0, 9, 2))), "ba");
  guess("bob@example.org", "198.51.100.0/24", "c", 3, true);
  assert.equal(passwordHashes(history.guessesSince(span(0, 9))), "ba", "passwords that looked right are not spraying");
  assert.equal(passwordHashes(history.guessesOf(net("198.51.100.0/24"), span(0, 9))), "cb");
  guess("bob@example.org", "198.51.100.0/24", "c", 3);
  // A reader may stop early; the next one reads from the start.
  for (const { passwordHash } of history.guessesSince(span(0, 9))) {
    assert.equal(passwordHash, "c");
    break;
  }
  assert.equal(passwordHashes(history.guessesSince(span(0, 9))), "cba");
  store.apply({ type: "FORGET_GUESSES", account: null }, START);
  assert.equal(passwordHashes(history.guessesSince(span(0, 9))), "");
});

test("many later guesses from one network do not hide another network's", (t) => {
  const { history, guess } = fresh(t);
  for (let i = 0; i < 30; i++) guess(ann, `198.51.${i}.0/24`, "x", 1);
  for (let i = 0; i < 5_000; i++) guess(ann, "2001:db8:7::/48", `p${i}`, 2 + i);
  const { within, beyond } = history.candidates(ann, { ...between(0, 9_999), share: 40 });
  assert.deepEqual([within, beyond], [30 + 40, 4_960]);
});

test("known places within a network are found by the primary key, without its neighbours", (t) => {
  const { db, history, know } = fresh(t);
  const units = ["203.0.113.1", "203.0.113.255", "203.0.11.3", "203.0.114.1", "2001:db8:7:1::/64", "2001:db8:7::/64"];
  for (const [i, unit] of [...units, "2001:db8:70::/64"].entries())
    for (const account of [ann, "bob@example.org"]) know(unit, account, i + 1);
  const isKnown = (network: string, since = 0) => history.isKnownWithin(net(network), later(START, since));
  assert.equal(isKnown("203.0.113.0/24", 1), true);
  assert.equal(isKnown("203.0.113.0/24", 2), false, "a sign-in as old as the limit is too old");
  assert.deepEqual([isKnown("2001:db8:7::/48", 5), isKnown("2001:db8:7::/48", 6)], [true, false]);
  assert.equal(isKnown("198.51.100.0/24"), false);

  const prepare = t.mock.method(db, "prepare");
  sqliteAccountHistory(db).isKnownWithin(net("203.0.113.0/24"), START);
  const sql = prepare.mock.calls.map((call) => call.arguments[0]).find((text) => text.includes("prefix >= ?"));
  prepare.mock.restore();
  assert.deepEqual(planOf(db, sql ?? ""), ["SEARCH known_address USING PRIMARY KEY (prefix>? AND prefix<?)"]);
});

test("only the latest places are kept of an account that signs in from a whole IPv6 site", (t) => {
  const { history, know } = fresh(t);
  know("203.0.113.7", "bob@example.org", 1);
  for (let i = 1; i <= 1_001; i++) know(`2001:db8:7:${i.toString(16)}::/64`, ann, 1 + i);
  const known = history.networksSince(START);
  assert.deepEqual([known.length, known[0], known.at(-1)], [1_001, "2001:db8:7:3e9::/64", "203.0.113.7/32"]);
  assert.deepEqual(history.accountsOf(net("2001:db8:7:1::/64"), START), [], "the oldest is gone");
});

test("a sign-in after the clock was set back does not make a known place older", (t) => {
  const { history, know } = fresh(t);
  for (const at of [5, 3]) know("203.0.113.7", ann, at);
  assert.deepEqual(history.accountsOf(net("203.0.113.7"), later(START, 4)), [ann]);
});

test("a thief's many places do not displace one that has been known for a day", (t) => {
  const { history, know } = fresh(t);
  know("203.0.113.7", ann, 0);
  for (let i = 1; i <= 1_001; i++) know(`2001:db8:7:${i.toString(16)}::/64`, ann, DAY_MS + i);
  assert.deepEqual(history.accountsOf(net("203.0.113.7"), later(START, -1)), [ann]);
  assert.deepEqual(history.accountsOf(net("2001:db8:7:1::/64"), START), []);
});

/** Anna's three places and one of Bert's. */
function knownPlaces() {
  const db = databaseOnMemory(engineMigrations);
  db.exec(`INSERT INTO known_address (prefix, account, first_at, last_at) VALUES
    ('203.0.113.7/32', 'anna@example.org', 1000, 2000),
    ('203.0.113.8/32', 'anna@example.org', 2000, 3000),
    ('203.0.113.9/32', 'anna@example.org', 2500, 4000),
    ('203.0.113.7/32', 'bert@example.org', 2500, 2000)`);
  return db;
}

test("the latest sign-in from any address, whatever case the login was typed in", () => {
  const signIns = sqliteLastSignIns(knownPlaces());
  assert.deepEqual(signIns("ANNA@example.org"), { at: "1970-01-01T00:00:04.000Z", from: "203.0.113.9/32" });
  assert.equal(signIns("Bert@example.org")?.at, "1970-01-01T00:00:02.000Z");
  assert.equal(signIns("carl@example.org"), null);
});

test("a sign-in through loopback is remembered by its event", (t) => {
  const { db, store } = engineDatabase(t);
  const signIn = (ip: string, account: string, afterMs: number) =>
    record(store, eventRow(ip, later(START, afterMs), { type: "LOGIN_SUCCEEDED", account }));
  const signIns = sqliteLastSignIns(db);
  assert.equal(signIns("anna@example.org"), null);
  signIn("198.51.100.7", "Anna@example.org", 1_000);
  signIn("198.51.100.8", "anna@example.org", 2_000);
  signIn("198.51.100.9", "bert@example.org", 3_000);
  assert.deepEqual(signIns("anna@example.org"), { at: isoTime(later(START, 2_000)), from: "198.51.100.8" });
  const removed = { type: "ACCOUNT_REMOVED", subject: "anna@example.org", by: "root" } as const;
  record(store, auditRecord(removed, later(START, 4_000)));
  assert.equal(signIns("anna@example.org"), null, "not a sign-in of the next account of this name");
});

test("places that an account has not used before, newest first", () => {
  const places = newPlaces(knownPlaces(), "Anna@example.org", instant(2000));
  assert.deepEqual(places, ["203.0.113.9/32", "203.0.113.8/32"]);
});
