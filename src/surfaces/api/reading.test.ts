import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKitOf, BAN, startKit, T0 } from "../../../test/kit/api-kit.ts";
import { TOKEN } from "../../../test/kit/fake-guard.ts";
import { ip, net } from "../../../test/kit/samples.ts";
import { DAY_MS } from "../../core/time.ts";
import { readBans, readWhy, readWhyAccount } from "./reading.ts";

const kit = apiKitOf(import.meta.filename);
const FOR_CI = { as: TOKEN, ip: ip("203.0.113.9") };

test("a page of bans says how many are in force", async (t) => {
  const bans = t.mock.method(kit.queries, "bans", () => ({ items: [BAN], next: "41" }));
  assert.deepEqual(await readBans(kit.parts, { limit: 1, cursor: 42 }), { items: [BAN], next: "41", active: 1 });
  assert.deepEqual(bans.mock.calls[0]?.arguments, [T0, { limit: 1, cursor: "42" }]);
  await readBans(kit.parts, {});
  assert.deepEqual(bans.mock.calls[1]?.arguments, [T0, { limit: 50, cursor: null }]);
  const ask = t.mock.method(kit.parts.lookups, "ask");
  await readBans(kit.parts, { text: "203." });
  assert.deepEqual(bans.mock.calls[2]?.arguments, [T0, { limit: 50, cursor: null, text: "203." }]);
  assert.equal(ask.mock.callCount(), 1, "a search does not run in the thread that answers all others");
});

test("an account is explained with its current state, or without it while the guard is down", async () => {
  const account = "anna@example.org";
  const reported = await readWhyAccount(kit.parts, FOR_CI, account);
  assert.deepEqual([reported.account, reported.state], [account, null]);
  assert.deepEqual(kit.guard.asked, [{ asker: FOR_CI, command: { verb: "account_state", name: account } }]);
  kit.guard.isDown = true;
  const without = await readWhyAccount(kit.parts, FOR_CI, account);
  assert.deepEqual([without.account, "state" in without], [account, false]);
});

test("an address is explained as of now, with the configured memory of offences", async (t) => {
  const kit = await startKit(t, { memoryMs: 77 });
  const address = t.mock.method(kit.queries, "address");
  const prefix = net("203.0.113.7");
  kit.guard.answers("protection", { prefix, reason: "gateway" });
  const reported = await readWhy(kit.parts, FOR_CI, prefix);
  assert.deepEqual([reported.ban, reported.protection, reported.protectionUnknown], [BAN, "gateway", false]);
  assert.deepEqual(kit.guard.asked, [{ asker: FOR_CI, command: { verb: "protection", target: ip("203.0.113.7") } }]);
  assert.deepEqual(address.mock.calls[0]?.arguments, [prefix, T0, { memoryMs: 77, ipv6Prefix: 64 }]);
  kit.guard.isDown = true;
  const without = await readWhy(kit.parts, FOR_CI, prefix);
  assert.deepEqual([without.ban, without.protection, without.protectionUnknown], [BAN, null, true]);
});

test("a chart has the times of its steps, and never covers the future", async (t) => {
  const ask = (query: string) => kit.send("GET", `figures${query}`);
  const span = t.mock.method(kit.queries.figures, "totalsAt");
  const quiet = { refused: [0, 0], deferred: [0, 0], logins: [0, 0], logins_failed: [0, 0], bans: [0, 0] };
  const series = { connections: [2, 1], mails_in: [0, 1], mails_out: [0, 1], ...quiet };
  const chart = { from: "2026-11-20T06:50:00.000Z", to: "2026-11-20T07:00:00.000Z", stepSeconds: 300, series };
  const { answer } = await ask("?step=300&from=2026-11-20T06:52:00Z&to=2027-01-01T00:00:00Z");
  assert.deepEqual(answer, chart);
  await ask("?from=1990-01-01T00:00:00Z");
  const last = span.mock.calls.at(-1)?.arguments[0] ?? assert.fail("it was not asked");
  assert.ok(T0 - last.from <= 401 * DAY_MS && last.stepMs === 7 * DAY_MS);
  for (const wrong of ["?step=90", "?step=0", "?from=yesterday", "?from=2026-11-20T07:00:00Z&to=2026-11-20T06:00:00Z"])
    assert.equal((await ask(wrong)).status, 400, wrong);
});

test("addresses are ranked as requested, for as long as counts are kept", async (t) => {
  const top = t.mock.method(kit.queries.figures, "top");
  const ask = (query: string) => kit.send("GET", `top${query}`);
  const ranked = { by: "failures", from: "2026-11-20T00:00:00.000Z", items: [{ ip: "203.0.113.7", count: 3 }] };
  assert.deepEqual((await ask("?by=failures&limit=3&from=2026-11-20T01:00:00%2B01:00")).answer, ranked);
  await ask("?from=1990-01-01T00:00:00Z");
  const asked = top.mock.calls.map((call) => call.arguments);
  assert.deepEqual(asked, [
    ["failures", Date.UTC(2026, 10, 20), 3],
    ["mails", T0 - 30 * DAY_MS, 50],
  ]);
  assert.equal((await ask("?by=color")).status, 400);
});

test("spam scores and waiting mail are read from the events, without the guard", async () => {
  kit.queries.add("SPAM_SCORED");
  kit.queries.add("GREYLIST_ASKED");
  const before = kit.guard.asked.length;
  const { answer } = await kit.send("GET", "spam?limit=1");
  assert.partialDeepStrictEqual(answer, { items: [{ id: 1, score: 1.5, required: 5, isSpam: false }], next: "1" });
  assert.deepEqual((await kit.send("GET", "greylist/waiting")).answer, { items: [], total: 0, complete: true });
  assert.equal(kit.guard.asked.length, before);
  kit.storeDown(true);
  const next = "Try again in a few seconds; `./ghostinbox status` shows more.";
  for (const path of ["spam", "greylist/waiting"])
    assert.partialDeepStrictEqual(await kit.send("GET", path), { status: 503, answer: { code: "store_down", next } });
});
