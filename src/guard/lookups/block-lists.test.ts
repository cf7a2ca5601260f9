// Invariant: A broken block list refuses no mail, and delays it by less than a second.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { ip } from "../../../test/kit/samples.ts";
import { settled } from "../../../test/kit/until.ts";
import { MINUTE_MS } from "../../core/time.ts";
import type { NameAnswer, Names } from "../network-ports.ts";
import { createBlockLists, LIST_LIMITS } from "./block-lists.ts";
import { listQuery } from "./dnsbl.ts";

const [ZEN, COP] = ["zen.spamhaus.org", "bl.spamcop.net"] as const;
const NONE: NameAnswer = { type: "none" };
const HONEST: readonly string[] = [ZEN, COP].flatMap((zone) => [
  `2.0.0.127.${zone}`,
  `2.0.0.0.0.0.f.7.f.f.f.f.${"0.".repeat(20)}${zone}`,
]);
const STRANGER = ip("198.51.100.7");

/** A DNS of honest lists; `say` changes the answer for a name, or for every name with that ending. */
class Dns implements Names {
  readonly asked: string[] = [];
  readonly #said = new Map<string, NameAnswer | Promise<NameAnswer>>();

  say(ending: string, answer: string | NameAnswer | Promise<NameAnswer>): void {
    const addresses = (address: string): NameAnswer => ({ type: "addresses", addresses: [address], ttlMs: 120_000 });
    this.#said.set(ending, typeof answer === "string" ? addresses(answer) : answer);
  }

  v4Addresses(name: string): Promise<NameAnswer> {
    this.asked.push(name);
    const endings = [...this.#said].filter(([ending]) => name.endsWith(ending));
    const said = endings.toSorted(([a], [b]) => b.length - a.length)[0]?.[1];
    if (said !== undefined) return Promise.resolve(said);
    const listed = HONEST.includes(name);
    return Promise.resolve(listed ? { type: "addresses", addresses: ["127.0.0.2"], ttlMs: 0 } : NONE);
  }
}

async function started(dns: Dns = new Dns(), zones: readonly string[] = [ZEN, COP]) {
  const [clock, notices] = [new HandClock(), new NoticeBoard()];
  const lists = createBlockLists({ names: dns, clock, notices }, { zones, checkEveryMs: 5 * MINUTE_MS });
  await lists.probeDue();
  const aside = (): string => {
    const detail = notices.raised.get("dnsbl_set_aside");
    assert.notEqual(detail, "", "a raised notice has a detail");
    return detail ?? "";
  };
  return { dns, clock, lists, aside };
}

test("no list is asked before its test points were right", async () => {
  const { dns, lists } = await started(new Dns(), []);
  lists.configure({ zones: [ZEN], checkEveryMs: MINUTE_MS });
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

test("a list that starts to list every address causes no refusals", async () => {
  const { dns, lists, aside } = await started();
  dns.say(ZEN, "127.0.0.2");
  assert.equal(await lists.ask(STRANGER), null);
  assert.match(aside(), /^zen\.spamhaus\.org: it lists addresses that do not exist$/);
  dns.say(listQuery(ip("198.51.100.8"), COP), "127.0.0.2");
  assert.equal((await lists.ask(ip("198.51.100.8")))?.zone, COP, "the other list is still used");
});

for (const [what, name, answer, why] of [
  ["names the address that none may", `1.0.0.127.${ZEN}`, "127.0.0.2", /no list may name/],
  ["does not name the one that all must", `2.0.0.127.${ZEN}`, NONE, /does not list the test address/],
  ["names the IPv6 address that none may", `1.0.0.0.0.0.f.7.f.f.f.f.${"0.".repeat(20)}${ZEN}`, "127.0.0.2", /no list/],
  ["does not serve us", ZEN, "127.255.255.254", /it answers 127\.255\.255\.254/],
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

test("an answer after nine tenths of a second lets this mail pass and is used for the next", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { dns, lists } = await started();
  let come: (answer: NameAnswer) => void = () => {};
  dns.say(listQuery(STRANGER, ZEN), new Promise<NameAnswer>((resolve) => (come = resolve)));
  let isAnswered = false;
  const first = lists.ask(STRANGER).finally(() => (isAnswered = true));
  t.mock.timers.tick(899);
  await settled();
  assert.equal(isAnswered, false);
  t.mock.timers.tick(1);
  assert.equal(await first, null);
  assert.equal(await lists.ask(STRANGER), null, "no mail waits a second time");
  come({ type: "addresses", addresses: ["127.0.0.2"], ttlMs: 60_000 });
  await settled();
  assert.equal((await lists.ask(STRANGER))?.zone, ZEN);
});

test("a listing is kept for the list's TTL, between a second and five minutes, and a missing one for a minute", async () => {
  for (const [ttlMs, keptMs] of [
    [120_000, 120_000],
    [0, 1_000],
    [3_600_000, 300_000],
    [null, 60_000],
  ] as const) {
    const { dns, clock, lists } = await started();
    const listing = { type: "addresses", addresses: ["127.0.0.2"] } as const;
    dns.say(listQuery(STRANGER, ZEN), ttlMs === null ? NONE : { ...listing, ttlMs });
    await lists.ask(STRANGER);
    const asked = dns.asked.length;
    clock.advance(keptMs - 1);
    assert.equal((await lists.ask(STRANGER))?.zone, ttlMs === null ? undefined : ZEN);
    assert.equal(dns.asked.length, asked, `kept for ${keptMs} ms`);
    clock.advance(1);
    await lists.ask(STRANGER);
    assert.ok(dns.asked.length > asked, `asked again after ${keptMs} ms`);
    if (ttlMs === null) assert.equal(dns.asked.length, asked + 2, "both lists");
  }
});

test("the first list that names an address is trusted without waiting for the others", async () => {
  const { dns, lists } = await started();
  dns.say(ZEN, new Promise<NameAnswer>(() => {}));
  dns.say(listQuery(STRANGER, COP), "127.0.0.2");
  assert.equal((await lists.ask(STRANGER))?.zone, COP);
});

test("a listing counts only if the list denies an unused address of 127.0.0.0/8 at the same time", async () => {
  const { dns, lists, aside } = await started();
  dns.say(listQuery(STRANGER, ZEN), "127.0.0.2");
  await lists.ask(STRANGER);
  const nobody = /^(?:(?:1[6-9]|[2-9]\d|1\d\d|2[0-4]\d|25[0-4])\.){3}127\.zen\.spamhaus\.org$/;
  assert.equal(dns.asked.filter((name) => nobody.test(name)).length, 1, dns.asked.slice(8).join(" "));
  dns.say(`127.${ZEN}`, { type: "failed", why: "ETIMEOUT" });
  const other = ip("198.51.100.8");
  dns.say(listQuery(other, ZEN), "127.0.0.2");
  assert.equal(await lists.ask(other), null, "not while that is unknown");
  assert.equal(aside(), "");
});

test("asks about two hundred addresses at once, and about the next one as soon as there is room", async () => {
  const { dns, lists } = await started();
  const come: ((answer: NameAnswer) => void)[] = [];
  for (let i = 0; i < 201; i++) {
    const one = ip(`203.0.113.${i}`);
    dns.say(listQuery(one, ZEN), new Promise<NameAnswer>((resolve) => come.push(resolve)));
    void lists.ask(one);
  }
  assert.equal(new Set(dns.asked.slice(8)).size, 2 * 200);
  come[0]?.(NONE);
  await settled();
  void lists.ask(ip("203.0.113.200"));
  assert.equal(new Set(dns.asked.slice(8)).size, 2 * 201);
  void lists.ask(STRANGER);
  assert.equal(new Set(dns.asked.slice(8)).size, 2 * 201, "one added, one dropped");
});

test("keeps four thousand answers, those of the addresses asked about last", async () => {
  const { dns, lists, clock } = await started();
  const address = (i: number) => ip(`203.0.${i >> 8}.${i & 255}`);
  for (let i = 0; i < 4_096; i++) await lists.ask(address(i));
  clock.advance(LIST_LIMITS.otherMs);
  await lists.ask(address(0));
  const asked = dns.asked.length;
  await lists.ask(STRANGER);
  assert.equal(dns.asked.length, asked + 2);
  await lists.ask(address(0));
  assert.equal(dns.asked.length, asked + 2, "its answer is newer than that of the others");
  for (let i = 2; i < 4_097; i++) await lists.ask(address(5_000 + i));
  await lists.ask(STRANGER);
  assert.equal(dns.asked.length, asked + 2 + 2 * 4_095, "there is room for 4,096");
  await lists.ask(address(5_000));
  await lists.ask(STRANGER);
  assert.equal(dns.asked.length, asked + 2 + 2 * 4_097, "the oldest was dropped");
});

test("an answer from before a list was disabled, or before other lists were configured, is ignored", async () => {
  const { dns, lists, clock, aside } = await started();
  dns.say(listQuery(STRANGER, ZEN), "127.0.0.2");
  assert.equal((await lists.ask(STRANGER))?.zone, ZEN);
  dns.say(`127.${ZEN}`, "127.0.0.2");
  const other = ip("198.51.100.8");
  dns.say(listQuery(other, ZEN), "127.0.0.2");
  await lists.ask(other);
  assert.notEqual(aside(), "");
  assert.equal(await lists.ask(STRANGER), null);
  dns.say(`127.${ZEN}`, NONE);
  clock.advance(30_000);
  for (const name of HONEST.filter((one) => one.endsWith(ZEN))) dns.say(name, "127.0.0.2");
  await lists.probeDue();
  assert.equal(aside(), "");
  assert.equal((await lists.ask(STRANGER))?.zone, ZEN, "a later client was judged without it");
  lists.configure({ zones: [COP], checkEveryMs: 5 * MINUTE_MS });
  await lists.probeDue();
  assert.equal(await lists.ask(STRANGER), null);
});

test("every disabled list is reported, until it is removed from the settings", async () => {
  const dns = new Dns();
  for (const zone of [ZEN, COP]) dns.say(`2.0.0.127.${zone}`, NONE);
  const { lists, aside } = await started(dns);
  assert.equal(aside(), [ZEN, COP].map((zone) => `${zone}: it does not list the test address 127.0.0.2`).join("; "));
  lists.configure({ zones: [], checkEveryMs: MINUTE_MS });
  assert.equal(aside(), "");
});

test("test points are queried at their time, and not earlier", async () => {
  const { dns, lists, clock } = await started();
  const asked = dns.asked.length;
  assert.equal(asked, 8);
  clock.advance(5 * MINUTE_MS - 1);
  await lists.probeDue();
  assert.equal(dns.asked.length, asked);
  clock.advance(1);
  await Promise.all([lists.probeDue(), lists.probeDue()]);
  assert.equal(dns.asked.length, asked + 8);
});

for (const [what, name, isSilent] of [
  ["the test point that all must name", `2.0.0.127.${ZEN}`, true],
  ["the test point that none may name", `1.0.0.127.${ZEN}`, true],
  ["a test point of IPv6", `1.0.0.0.0.0.f.7.f.f.f.f.${"0.".repeat(20)}${ZEN}`, false],
] as const)
  test(`a list that does not answer about ${what} is ${isSilent ? "asked again soon" : "asked only about IPv4"}`, async () => {
    const dns = new Dns();
    dns.say(name, { type: "failed", why: "ETIMEOUT" });
    const { lists, aside } = await started(dns);
    assert.equal(aside(), "");
    for (const address of [STRANGER, ip("2001:db8::25")]) dns.say(listQuery(address, ZEN), "127.0.0.2");
    assert.equal((await lists.ask(STRANGER))?.zone, isSilent ? undefined : ZEN);
    assert.equal(await lists.ask(ip("2001:db8::25")), null);
  });

test("a list that stopped answering is reported at once, for a client or for the unused address", async () => {
  for (const ending of [ZEN, `127.${ZEN}`]) {
    const { dns, lists, aside } = await started(new Dns(), [ZEN]);
    dns.say(ending, { type: "failed", why: "ETIMEOUT" });
    for (const last of [1, 2, 3]) {
      assert.equal(aside(), "");
      const one = ip(`198.51.100.${last}`);
      if (ending !== ZEN) dns.say(listQuery(one, ZEN), "127.0.0.2");
      await lists.ask(one);
    }
    assert.equal(aside(), `${ZEN}: it does not answer (ETIMEOUT)`);
  }
});

test("a list that says it does not serve us is disabled at once; many clients at a time do not delay its next check", async () => {
  const { dns, lists, clock, aside } = await started();
  dns.say(ZEN, "127.255.255.254");
  await Promise.all([1, 2, 3].map((last) => lists.ask(ip(`198.51.100.${last}`))));
  assert.match(aside(), /zen\.spamhaus\.org: it answers 127\.255\.255\.254 \(the question came through a public/);
  dns.say(ZEN, NONE);
  for (const name of HONEST.filter((one) => one.endsWith(ZEN))) dns.say(name, "127.0.0.2");
  clock.advance(30_000);
  await lists.probeDue();
  assert.equal(aside(), "");
});

test("answers outlast a successful check", async () => {
  const { dns, lists, clock } = await started();
  clock.advance(5 * MINUTE_MS - 1);
  await lists.ask(STRANGER);
  clock.advance(1);
  await lists.probeDue();
  const asked = dns.asked.length;
  await lists.ask(STRANGER);
  assert.equal(dns.asked.length, asked);
});
