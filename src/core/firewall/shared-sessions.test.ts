// Invariant: The sessions of one account keep no one else out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Session, sessionsWithoutSurplus, surplusOf } from "./connection-shares.ts";

let pid = 1;
const sessions = (account: string, ip: string, count: number): readonly Session[] =>
  Array.from({ length: count }, () => ({ account, ip, pid: pid++ }));
const PLACES = 90;

test("while two thirds of the places suffice, every session stays, whoever owns it", () =>
  assert.deepEqual(surplusOf(sessions("anna@a.test", "192.0.2.1", 60), PLACES), []));

test("the account with the most makes room, at the addresses where it has the most; others keep theirs", () => {
  const phone = sessions("anna@a.test", "2001:db8::1", 3);
  const taken = [1, 2, 3].flatMap((n) => sessions("anna@a.test", `192.0.2.${n}`, 20));
  const others = sessions("bert@a.test", "192.0.2.1", 8);
  const [anna, ...more] = surplusOf([...phone, ...taken, ...others], PLACES);
  assert.deepEqual(more, []);
  assert.deepEqual([anna?.account, anna?.sessions, anna?.addresses, anna?.end.length], ["anna@a.test", 63, 4, 11]);
  const left = new Set([...phone, ...taken].filter((one) => anna?.end.includes(one) === false).map(({ ip }) => ip));
  assert.equal(left.size, 4);
  assert.ok(anna?.end.every(({ ip }) => ip !== "2001:db8::1"));
});

test("an account's sessions count together from any addresses, such as those of one IPv6 user's /56", () => {
  const spread = Array.from({ length: 24 }, (_, n) =>
    sessions("anna@a.test", `2001:db8:0:${n.toString(16)}::1`, 3),
  ).flat();
  const [anna] = surplusOf([...spread, ...sessions("bert@a.test", "192.0.2.1", 9)], PLACES);
  assert.deepEqual([anna?.account, anna?.sessions, anna?.addresses], ["anna@a.test", 72, 24]);
});

test("an account has at most a quarter of the places, or 60, even while most are free", () => {
  const surplus = (places: number, most: number, more: number) => {
    const all = [...sessions("anna@a.test", "192.0.2.1", most), ...sessions("anna@a.test", "192.0.2.2", more)];
    return surplusOf(all, places).map(({ end }) => end.length);
  };
  assert.deepEqual([surplus(400, 100, 0), surplus(400, 100, 3)], [[], [3]]);
  assert.deepEqual([surplus(100, 60, 0), surplus(100, 60, 3)], [[], [3]]);
  assert.deepEqual([60, 90, 400].map(sessionsWithoutSurplus), [40, 60, 100], "at most two thirds");
});

test("two accounts that share the places lose the same number", () => {
  const both = [...sessions("bert@a.test", "192.0.2.2", 40), ...sessions("anna@a.test", "192.0.2.1", 50)];
  const ended = surplusOf(both, PLACES).map(({ account, end }) => `${account} ${end.length}`);
  assert.deepEqual(ended, ["anna@a.test 20", "bert@a.test 10"]);
});

test("many accounts keep ten sessions each, even if all places are taken", () => {
  const all = Array.from({ length: 9 }, (_, n) => sessions(`user${n}@a.test`, "192.0.2.1", 10)).flat();
  assert.deepEqual(surplusOf(all, PLACES), []);
  const [eleventh] = surplusOf([...all, ...sessions("user0@a.test", "192.0.2.2", 1)], PLACES);
  assert.deepEqual([eleventh?.account, eleventh?.end.length], ["user0@a.test", 1]);
});
