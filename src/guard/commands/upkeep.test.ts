import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { NOON } from "../../../test/kit/samples.ts";
import { MX, settings, upkeepOf } from "../../../test/kit/upkeep-kit.ts";
import type { KeeperCommand, KeeperReply } from "../../admin/declare/keeper.ts";
import { isoTime, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { remembered } from "./upkeep.ts";

const BACKUP = { name: "backup", state: "ok", at: null, says: "There is none yet.", command: "backup list" } as const;
const KEYS = [
  { domain: "example.org", key: "AAAA" },
  { domain: "example.net", key: "" },
];

function kit() {
  const clock = new HandClock(NOON);
  const asked: KeeperCommand["verb"][] = [];
  const looked: string[] = [];
  let reply: KeeperReply = { ok: true, detail: "", upkeep: [BACKUP], dkimKeys: KEYS };
  const keeper = {
    ask: ({ verb }: KeeperCommand) => {
      asked.push(verb);
      return Promise.resolve(reply);
    },
  };
  const publishedFor = (_: unknown, domain: string, key: string) => {
    looked.push(`${domain} ${key}`);
    return Promise.resolve([MX]);
  };
  const upkeep = upkeepOf({ keeper, clock, publishedFor });
  return { clock, asked, looked, upkeep, answer: (next: KeeperReply) => void (reply = next) };
}

test("root's records are read once for all callers within some seconds", async () => {
  const { clock, asked, upkeep } = kit();
  const [first, second] = await Promise.all([upkeep.records(), upkeep.records()]);
  assert.deepEqual(first, { ok: true, result: { items: [BACKUP] } });
  assert.equal(second, first);
  clock.advance(5 * SECOND_MS - 1);
  await upkeep.records();
  assert.deepEqual(asked, ["upkeep"]);
  clock.advance(1);
  await upkeep.records();
  assert.deepEqual(asked, ["upkeep", "upkeep"]);
});

test("callers share the result of the last audit check, even if there was none", async () => {
  const { clock, asked, upkeep, answer } = kit();
  answer({ ok: true, detail: "", audit: null });
  const all = await Promise.all([upkeep.audit(), upkeep.audit()]);
  for (const one of all) assert.deepEqual(one, { ok: true, result: { audit: null } });
  assert.deepEqual(asked, ["audit"]);
  clock.advance(5 * SECOND_MS);
  answer({ ok: true, detail: "" });
  assert.partialDeepStrictEqual(await upkeep.audit(), { ok: false, message: "The keeper runs a different version." });
});

test("the keys of accounts are counted, with the keeper's answer about the server's key, once for all callers", async () => {
  const encryption = { encrypts: true, byAccount: true, readable: true, fingerprint: "00ff" };
  const ask = () => Promise.resolve({ ok: true as const, detail: "", encryption });
  const counted: number[] = [];
  const accounts = { own: 2, without: ["bert@example.org"], ofFile: 0, closed: [] };
  const keyCounts = (most: number) => {
    counted.push(most);
    return accounts;
  };
  const upkeep = upkeepOf({ keeper: { ask }, clock: new HandClock(NOON), keyCounts });
  for (const _ of [1, 2])
    assert.deepEqual(await upkeep.encryption(), { ok: true, result: { ...encryption, accounts } });
  assert.deepEqual(counted, [20]);
});

test("Fail2ban is asked once a minute, and a slow answer is not waited for", async () => {
  const clock = new HandClock(NOON);
  const fail2ban = { enabled: true, sentences: "all", jails: [], refused: [] } as const;
  const { promise, resolve } = Promise.withResolvers<KeeperReply>();
  let asked = 0;
  const upkeep = upkeepOf({ keeper: { ask: () => ((asked += 1), promise) }, clock, longestMs: 5 });
  assert.partialDeepStrictEqual(await upkeep.fail2ban(), { ok: false, next: "Ask again in a few seconds." });
  resolve({ ok: true, detail: "", fail2ban });
  clock.advance(MINUTE_MS - 1);
  assert.deepEqual(await upkeep.fail2ban(), { ok: true, result: fail2ban });
  assert.equal(asked, 1);
  clock.advance(1);
  await upkeep.fail2ban();
  assert.equal(asked, 2);
});

test("the certificate is remembered for ten seconds, and a failure of Fail2ban for thirty", async () => {
  const { clock, asked, upkeep, answer } = kit();
  const lasts = { notBefore: "2026-11-01T00:00:00Z", notAfter: "2027-01-30T00:00:00Z", fingerprint: "00ff" };
  const certificate = { names: [], issuer: "R3", isSelfSigned: false, ...lasts, trouble: null, ports: [] };
  answer({ ok: true, detail: "", certificate });
  for (const waitedMs of [0, 10 * SECOND_MS - 1, 1]) {
    clock.advance(waitedMs);
    assert.deepEqual(await upkeep.certificate(), { ok: true, result: certificate });
  }
  for (const waitedMs of [0, 30 * SECOND_MS - 1, 1]) {
    clock.advance(waitedMs);
    assert.partialDeepStrictEqual(await upkeep.fail2ban(), { ok: false });
  }
  assert.deepEqual(asked, ["certificate", "certificate", "fail2ban", "fail2ban"]);
});

test("a keeper that does not answer, or runs an older version, is reported and asked again", async () => {
  const { asked, upkeep, answer } = kit();
  answer({ ok: false, reason: "The keeper hung up." });
  assert.partialDeepStrictEqual(await upkeep.records(), { ok: false, message: "The keeper hung up." });
  answer({ ok: true, detail: "" });
  const older = { ok: false, message: "The keeper runs a different version." };
  for (const _ of [1, 2]) assert.partialDeepStrictEqual(await upkeep.certificate(), older);
  assert.deepEqual(asked, ["upkeep", "certificate", "certificate"]);
});

test("the resolver is asked for a domain of the settings once a minute, however often the web asks", async () => {
  const { clock, looked, upkeep } = kit();
  const known = { domain: "example.org", domains: settings.domains, checkedAt: isoTime(NOON), records: [MX] };
  for (const asked of [null, "example.org", "EXAMPLE.ORG"])
    assert.deepEqual(await upkeep.dns(asked), { ok: true, result: known });
  assert.deepEqual(looked, ["example.org AAAA"]);
  clock.advance(MINUTE_MS);
  await upkeep.dns(null);
  assert.equal(looked.length, 2);
  const usage = { ok: false, kind: "usage", next: "It has: example.org, example.net." };
  for (const asked of ["", "example.com", "x".repeat(200)])
    assert.partialDeepStrictEqual(await upkeep.dns(asked), usage, asked);
  assert.partialDeepStrictEqual(await upkeep.dns("example.net"), { message: "example.net has no key yet." });
  assert.equal(looked.length, 2);
});

test("a slow resolver is not waited for long, and its answer is kept for the next caller", async () => {
  const { promise, resolve } = Promise.withResolvers<readonly [typeof MX]>();
  const keeper = { ask: () => Promise.resolve({ ok: true as const, detail: "", dkimKeys: KEYS }) };
  const upkeep = upkeepOf({ keeper, clock: new HandClock(NOON), publishedFor: () => promise, longestMs: 5 });
  assert.partialDeepStrictEqual(await upkeep.dns(null), { ok: false, next: "Ask again in a few seconds." });
  resolve([MX]);
  assert.partialDeepStrictEqual(await upkeep.dns(null), { ok: true });
});

test("an error is thrown to all who wait for it, and the next caller asks again", async () => {
  let isBroken = true;
  const ask = () => (isBroken ? Promise.reject(new Error("broken")) : Promise.resolve({ ok: true }));
  const get = remembered(new HandClock(NOON), { lastsMs: 1_000 }, ask);
  await Promise.all([1, 2].map(() => assert.rejects(get(), /broken/)));
  isBroken = false;
  assert.deepEqual(await get(), { ok: true });
});

test("if asking is expensive, a failure is also remembered for a while, starting when it became known", async () => {
  const clock = new HandClock(NOON);
  let asked = 0;
  const get = remembered(clock, { lastsMs: 1_000, failureMs: 300 }, () => {
    clock.advance(500);
    return Promise.resolve({ ok: false, nth: (asked += 1) });
  });
  assert.equal((await get()).nth, 1);
  clock.advance(299);
  assert.equal((await get()).nth, 1);
  clock.advance(1);
  assert.equal((await get()).nth, 2);
});
