import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { AddressAnswer } from "../../../src/admin/declare/items.ts";
import { answerRequests } from "../../../test/kit/answered-requests.ts";
import { banItem } from "../../../test/kit/samples.ts";
import { forgetToasts, toasts } from "../../attempt.ts";
import { aheadMs } from "../../live.ts";
import { bans as words } from "../../texts/english-admin.ts";
import { type AllowedItem, allow, ban, disallow, effectsOf, lift, verdictOf } from "./ban-commands.ts";

const NOW = Date.UTC(2026, 10, 21, 14);
const BAN = banItem({ ip: "192.0.2.1", prefix: "192.0.2.1/32", reason: "the former", expiresAt: null });
const LASTS = { at: new Date(NOW).toISOString(), expiresAt: new Date(NOW + 90 * 60_000).toISOString() };
const ENTRY: AllowedItem = { ...LASTS, prefix: "192.0.2.0/24", note: "the office", by: "root", from: "command" };

/** A server that answers so; returns what it was asked. */
function serve(t: TestContext, answers: Readonly<Record<string, unknown>>): string[] {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOW });
  t.after(forgetToasts);
  return answerRequests(t, (request) => answers[request]);
}

async function undo(asked: string[]): Promise<readonly string[]> {
  asked.length = 0;
  await (toasts.value.at(-1)?.undo ?? assert.fail("nothing to undo"))();
  return asked.filter((request) => !request.startsWith("GET"));
}

const MADE = { "POST bans": { ban: { ...BAN, reason: "new", level: "manual" } } };
const REQUEST = { ip: "192.0.2.1", reason: "new", for: "30m" };

test("to undo a ban lifts it; the one that it replaced is in force again for the rest of its time", async (t) => {
  const asked = serve(t, MADE);
  await ban(REQUEST, null);
  assert.deepEqual(asked, ['POST bans {"ip":"192.0.2.1","reason":"new","for":"30m"}']);
  assert.deepEqual(await undo(asked), ["DELETE bans/192.0.2.1/32"]);
  await ban(REQUEST, BAN);
  assert.deepEqual(await undo(asked), ['POST bans {"ip":"192.0.2.1/32","reason":"the former","for":"permanent"}']);
  await ban(REQUEST, { ...BAN, expiresAt: new Date(NOW + 5 * 60_000).toISOString() });
  assert.deepEqual(await undo(asked), ['POST bans {"ip":"192.0.2.1/32","reason":"the former","for":"5m"}']);
});

test("the rest of a ban is by the server's clock, whatever the browser's shows", async (t) => {
  const asked = serve(t, MADE);
  t.after(() => (aheadMs.value = 0));
  aheadMs.value = -3_600_000;
  await ban(REQUEST, { ...BAN, expiresAt: new Date(NOW - 30 * 60_000).toISOString() });
  assert.deepEqual(await undo(asked), ['POST bans {"ip":"192.0.2.1/32","reason":"the former","for":"30m"}']);
});

test("a former ban that is over by now, or is that of a network around it, does not come back", async (t) => {
  const asked = serve(t, MADE);
  for (const former of [
    { ...BAN, expiresAt: new Date(NOW - 1).toISOString() },
    { ...BAN, prefix: "192.0.2.0/24" },
  ]) {
    await ban(REQUEST, former);
    assert.deepEqual(await undo(asked), ["DELETE bans/192.0.2.1/32"]);
  }
});

test("to undo an unban bans again, unless the network is wider than the page may ban", async (t) => {
  const asked = serve(t, { "POST bans": { ban: BAN } });
  let undone = 0;
  await lift(BAN, () => (undone += 1));
  assert.deepEqual(await undo(asked), ['POST bans {"ip":"192.0.2.1/32","reason":"the former","for":"permanent"}']);
  assert.equal(undone, 1);
  assert.equal(toasts.value.at(-1)?.text, words.bannedAgain("192.0.2.1"));
  for (const [prefix, isOffered] of [
    ["192.0.2.0/24", true],
    ["192.0.2.0/23", false],
    ["2001:db8::/48", true],
    ["2001:db8::/47", false],
  ] as const) {
    await lift({ ...BAN, prefix }, () => {});
    await disallow({ ...ENTRY, prefix }, () => {});
    for (const { text, undo: offer } of toasts.value.slice(-2))
      assert.deepEqual([offer !== null, text.includes("too wide")], [isOffered, !isOffered], text);
  }
});

test("an unban says what is still banned around it or within it", async (t) => {
  const answers: Record<string, unknown> = {};
  serve(t, answers);
  for (const [still, says] of [
    [{ around: "192.0.2.0/24", within: 2 }, words.stillAround("192.0.2.1", "192.0.2.0/24")],
    [{ within: 2 }, `${words.lifted("192.0.2.1")} ${words.stillWithin(2)}`],
    [{}, words.lifted("192.0.2.1")],
  ] as const) {
    answers["DELETE bans/192.0.2.1/32"] = { prefix: BAN.prefix, ...still };
    await lift(BAN, () => {});
    assert.equal(toasts.value.at(-1)?.text, says);
  }
});

test("to undo an entry of the allow list takes it off; to undo its removal puts it back", async (t) => {
  const request = { network: "192.0.2.0/24", note: "new", for: "" };
  const answers = { "GET allow?limit=500": { items: [], next: null }, "POST allow": { ...ENTRY, liftedTotal: 0 } };
  const asked = serve(t, answers);
  let reloads = 0;
  const reload = (): void => void (reloads += 1);
  await allow(request, reload);
  assert.deepEqual(await undo(asked), ["DELETE allow/192.0.2.0/24"]);
  await disallow(ENTRY, reload);
  assert.deepEqual(await undo(asked), ['POST allow {"network":"192.0.2.0/24","note":"the office","for":"90m"}']);
  assert.equal(reloads, 4, "the list is read again after each change and each undo");
});

test("an entry that is added again says what it keeps", async (t) => {
  const kept = { prefix: ENTRY.prefix, liftedTotal: 0, keptEnd: null, keptNote: "the office" };
  serve(t, { "GET allow?limit=500": { items: [ENTRY], next: null }, "POST allow": kept });
  await allow({ network: ENTRY.prefix, note: "", for: "30m" }, () => {});
  assert.equal(toasts.value.at(-1)?.text, `${words.isAllowed(ENTRY.prefix, 0)} ${words.keptEnd} ${words.keptNote}`);
});

test("an entry of the allow list that ended bans, or may have been there before, cannot be undone", async (t) => {
  const cases = [
    { page: { items: [], next: null }, liftedTotal: 2 },
    { page: { items: [], next: "more" }, liftedTotal: 0 },
    { page: { items: [ENTRY], next: null }, liftedTotal: 0 },
  ];
  const answers: Record<string, unknown> = {};
  serve(t, answers);
  for (const { page, liftedTotal } of cases) {
    answers["GET allow?limit=500"] = page;
    answers["POST allow"] = { prefix: ENTRY.prefix, liftedTotal };
    await allow({ network: ENTRY.prefix, note: "", for: "" }, () => {});
    assert.equal(toasts.value.at(-1)?.undo, null);
  }
  assert.match(toasts.value[0]?.text ?? "", /cannot be restored: 2/);
});

const effects = (ip: string, known: Readonly<Record<string, unknown>> = {}): readonly string[] => {
  const totals = { knownAccounts: 2, pastBans: 0 };
  const nothing = { protection: null, protectionUnknown: false, knownAccounts: [], totals, ban: null };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fields by which effects are distinguished
  return effectsOf(ip, { ...nothing, ...known } as unknown as AddressAnswer);
};

test("an address of which nothing is known may be banned", () => {
  for (const ip of ["203.0.113.7", "203.0.113.7/32"]) assert.deepEqual(effects(ip), [words.nothing]);
  assert.deepEqual(effects("2001:db8::1"), [words.nothing, words.widened]);
});

test("so may a network from no part of which an account signs in, and from no other one", () => {
  for (const network of ["203.0.113.0/24", "2001:db8::/48"]) {
    assert.deepEqual(effects(network), [words.nothing]);
    assert.deepEqual(effects(network, { knownAccounts: ["anna", "bert"] }), [words.accounts("anna, bert")]);
  }
});

test("nothing is called harmless where something is known, or the guard did not answer", () => {
  assert.deepEqual(effects("203.0.113.7", { protectionUnknown: true }), [words.unknown]);
  assert.deepEqual(effects("203.0.113.7", { protection: "listed" }), [words.protected("listed")]);
  assert.deepEqual(effects("203.0.113.7", { knownAccounts: ["anna", "bert"] }), [words.accounts("anna, bert")]);
  const [many] = effects("203.0.113.7", { knownAccounts: ["anna", "bert"], totals: { knownAccounts: 52 } });
  assert.equal(many, words.accounts("anna, bert, and 50 more"));
});

test("a ban in force is replaced; that of a network around it stays", () => {
  assert.deepEqual(effects("203.0.113.7", { ban: { prefix: "203.0.113.7/32" } }), [words.already]);
  assert.deepEqual(effects("203.0.113.7", { ban: { prefix: "203.0.113.0/24" } }), [
    words.alreadyWith("203.0.113.0/24"),
  ]);
  assert.deepEqual(effects("2001:db8::1", { ban: { prefix: "2001:db8::/64" } }), [words.already, words.widened]);
});

const of = (asked: string, prefix: string | null) =>
  verdictOf(asked, prefix === null ? null : banItem({ prefix, level: "manual", reason: "guesses" }));

test("a ban of a network is named as such, in the sentence and on the button", () => {
  assert.deepEqual(of("203.0.113.7", "203.0.113.0/24"), {
    says: "It is banned with its network 203.0.113.0/24 (manual): guesses.",
    unban: "Unban 203.0.113.0/24",
  });
  assert.equal(of("2001:db8::1", "2001:db8::/64").unban, "Unban 2001:db8::/64");
});

test("a ban of exactly the requested address is shown without a network", () => {
  for (const [asked, prefix] of [
    ["203.0.113.7", "203.0.113.7/32"],
    ["203.0.113.0/24", "203.0.113.0/24"],
    ["2001:DB8::1", "2001:db8::1/128"],
  ] as const)
    assert.deepEqual(of(asked, prefix), { says: "It is banned (manual): guesses.", unban: "Unban it" });
});

test("a network that is not banned may hold addresses that are", () => {
  for (const asked of ["203.0.113.7", "203.0.113.7/32"]) assert.equal(of(asked, null).says, "It is not banned.");
  assert.match(of("203.0.113.0/24", null).says, /not banned as a whole/);
});
