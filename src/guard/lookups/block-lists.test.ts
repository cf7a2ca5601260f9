// Invariant: A broken block list refuses no mail, and delays it by less than a second.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { COP, Dns, HONEST, NONE, STRANGER, started, ZEN } from "../../../test/kit/honest-lists.ts";
import { ip } from "../../../test/kit/samples.ts";
import { MINUTE_MS } from "../../core/time.ts";
import type { NameAnswer } from "../network-ports.ts";
import { DnsBlockLists, LIST_LIMITS } from "./block-lists.ts";
import { listQuery } from "./dnsbl.ts";

test("no list is asked before its test points were right", async () => {
  const [dns, clock] = [new Dns(), new HandClock()];
  const parts = { names: dns, clock, notices: new NoticeBoard() };
  const lists = new DnsBlockLists(parts, { zones: [ZEN], checkEveryMs: MINUTE_MS });
  dns.say(listQuery(STRANGER, ZEN), "127.0.0.2");
  assert.equal(await lists.ask(STRANGER), null);
  assert.deepEqual(dns.asked, []);
  await lists.probeDue();
  assert.equal((await lists.ask(STRANGER))?.zone, ZEN);
});

test("a listing names the list and the meaning of its answer, for IPv4 and IPv6", async () => {
  const { dns, lists, aside } = await started();
  const six = ip("2001:db8::25");
  dns.say(listQuery(STRANGER, COP), "127.0.0.2");
  dns.say(listQuery(six, ZEN), "127.0.0.4");
  assert.deepEqual(await lists.ask(STRANGER), { zone: COP, meaning: "127.0.0.2, reported spam source" });
  assert.deepEqual(await lists.ask(six), { zone: ZEN, meaning: "127.0.0.4, XBL, hijacked machine" });
  assert.equal(await lists.ask(ip("198.51.100.8")), null);
  assert.equal(aside(), "");
});

test("an answer is kept for a while, then asked again", async () => {
  const { dns, clock, lists } = await started();
  assert.equal(await lists.ask(STRANGER), null);
  const asked = dns.asked.length;
  dns.say(listQuery(STRANGER, ZEN), "127.0.0.2");
  assert.equal(await lists.ask(STRANGER), null);
  assert.equal(dns.asked.length, asked);
  clock.advance(LIST_LIMITS.otherMs);
  assert.equal((await lists.ask(STRANGER))?.zone, ZEN);
});

test("a list that starts to list every address causes no refusals", async () => {
  const { dns, lists, aside } = await started();
  dns.say(ZEN, "127.0.0.2");
  assert.equal(await lists.ask(STRANGER), null);
  assert.match(aside(), /^zen\.spamhaus\.org: it lists addresses that do not exist$/);
  dns.say(listQuery(ip("198.51.100.8"), COP), "127.0.0.2");
  assert.equal((await lists.ask(ip("198.51.100.8")))?.zone, COP, "the other list is still used");
});

test("a list that says it does not serve us is disabled at once, and is used again after it recovers", async () => {
  const { dns, clock, lists, aside } = await started();
  dns.say(ZEN, "127.255.255.254");
  assert.equal(await lists.ask(STRANGER), null);
  assert.match(aside(), /zen\.spamhaus\.org: it answers 127\.255\.255\.254 \(the question came through a public/);
  clock.advance(MINUTE_MS);
  await lists.probeDue();
  assert.notEqual(aside(), "");
  dns.say(ZEN, NONE);
  for (const name of HONEST.filter((one) => one.endsWith(ZEN))) dns.say(name, "127.0.0.2");
  clock.advance(5 * MINUTE_MS);
  await lists.probeDue();
  assert.equal(aside(), "");
});

for (const [what, name, answer, why] of [
  ["names the address that none may", `1.0.0.127.${ZEN}`, "127.0.0.2", /no list may name/],
  ["does not name the one that all must", `2.0.0.127.${ZEN}`, NONE, /does not list the test address/],
  ["names the IPv6 address that none may", `1.0.0.0.0.0.f.7.f.f.f.f.${"0.".repeat(20)}${ZEN}`, "127.0.0.2", /no list/],
  ["has been sold", ZEN, "203.0.113.80", /no list may name/],
] as const)
  test(`a list that ${what} is never trusted`, async () => {
    const dns = new Dns();
    dns.say(name, answer);
    const { lists, aside } = await started(dns);
    dns.say(listQuery(STRANGER, ZEN), "127.0.0.2");
    assert.equal(await lists.ask(STRANGER), null);
    assert.match(aside(), why);
  });

test("a list without IPv6 is not asked about it, and is not reported", async () => {
  const dns = new Dns();
  dns.say(`2.0.0.0.0.0.f.7.f.f.f.f.${"0.".repeat(20)}${COP}`, NONE);
  const { lists, aside } = await started(dns);
  await lists.ask(ip("2001:db8::25"));
  assert.equal(dns.asked.filter((name) => name.endsWith(COP)).length, 4, "only the test points");
  assert.equal(aside(), "");
});

test("an answer that arrives too late lets this mail pass and is used for the next", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { dns, lists } = await started();
  let come: (answer: NameAnswer) => void = () => {};
  dns.say(listQuery(STRANGER, ZEN), new Promise<NameAnswer>((resolve) => (come = resolve)));
  const first = lists.ask(STRANGER);
  t.mock.timers.tick(LIST_LIMITS.deadlineMs);
  assert.equal(await first, null);
  assert.equal(await lists.ask(STRANGER), null, "no mail waits a second time");
  come({ type: "addresses", addresses: ["127.0.0.2"], ttlMs: 60_000 });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await lists.ask(STRANGER))?.zone, ZEN);
});

test("a list that stops answering is disabled after three questions", async () => {
  const { dns, lists, aside } = await started();
  dns.say(ZEN, { type: "failed", why: "ETIMEOUT" });
  for (const last of [1, 2, 3]) assert.equal(await lists.ask(ip(`198.51.100.${last}`)), null);
  assert.match(aside(), /zen\.spamhaus\.org: it does not answer \(ETIMEOUT\)/);
  const asked = dns.asked.length;
  await lists.ask(ip("198.51.100.4"));
  assert.equal(dns.asked.length, asked + 1, "only the other one is asked");
});

test("asks about a bounded number at once; other clients pass without a question", async () => {
  const { dns, lists } = await started();
  dns.say(ZEN, new Promise<NameAnswer>(() => {}));
  for (let i = 0; i < LIST_LIMITS.inFlight; i++) void lists.ask(ip(`203.0.${i >> 8}.${i & 255}`));
  const asked = dns.asked.length;
  assert.equal(await lists.ask(STRANGER), null);
  assert.equal(dns.asked.length, asked);
});

test("without lists no mail is looked up or delayed", async () => {
  const { dns, lists } = await started();
  lists.configure({ zones: [], checkEveryMs: MINUTE_MS });
  const asked = dns.asked.length;
  assert.equal(await lists.ask(STRANGER), null);
  assert.equal(dns.asked.length, asked);
});
