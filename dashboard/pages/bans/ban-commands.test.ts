import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { BanItem } from "../../../src/admin/bans.ts";
import type { AddressAnswer } from "../../../src/admin/declare/items.ts";
import { answerRequests } from "../../../test/kit/answered-requests.ts";
import { banItem } from "../../../test/kit/samples.ts";
import { clockOffsetMs } from "../../api.ts";
import { forgetToasts, toasts } from "../../attempt.ts";
import { bans as words } from "../../texts/english-admin.ts";
import { type AllowedItem, allow, ban, disallow, effectsOf, lift, verdictOf } from "./ban-commands.ts";

const NOW = Date.UTC(2026, 10, 21, 14);
const BAN = banItem({ ip: "192.0.2.1", prefix: "192.0.2.1/32", reason: "the former", expiresAt: null });
const LASTS = { at: new Date(NOW).toISOString(), expiresAt: new Date(NOW + 90 * 60_000).toISOString() };
const ENTRY: AllowedItem = { ...LASTS, prefix: "192.0.2.0/24", note: "the office", by: "root", from: "command" };

/** A server that gives these answers; returns the requests. */
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

/** Answers to a ban that replaces `former`. */
const replaced = (former: BanItem | null) => ({
  "GET why/192.0.2.1": { ban: former },
  "POST bans": { ban: { ...BAN, reason: "new", level: "manual" } },
});
const NO = Response.json({ detail: "It was removed." }, { status: 409 });
const REQUEST = { ip: "192.0.2.1", reason: "new", for: "30m" };

test("undoing a ban lifts it, and restores the one that it replaced for the rest of its time", async (t) => {
  const answers = replaced(null);
  const asked = serve(t, answers);
  await ban(REQUEST);
  assert.deepEqual(asked, ["GET why/192.0.2.1", 'POST bans {"ip":"192.0.2.1","reason":"new","for":"30m"}']);
  assert.deepEqual(await undo(asked), ["DELETE bans/192.0.2.1/32"]);
  Object.assign(answers, replaced(BAN));
  await ban(REQUEST);
  assert.deepEqual(await undo(asked), ['POST bans {"ip":"192.0.2.1/32","reason":"the former","for":"permanent"}']);
  Object.assign(answers, replaced({ ...BAN, expiresAt: new Date(NOW + 5 * 60_000).toISOString() }));
  await ban(REQUEST);
  assert.deepEqual(await undo(asked), ['POST bans {"ip":"192.0.2.1/32","reason":"the former","for":"5m"}']);
});

test("a ban is made without an undo if the one in force cannot be read", async (t) => {
  const asked = serve(t, { ...replaced(null), "GET why/192.0.2.1": Response.json({}, { status: 503 }) });
  await ban(REQUEST);
  assert.equal(asked.length, 2);
  assert.deepEqual(
    toasts.value.map((toast) => toast.undo),
    [null],
  );
});

test("the rest of a ban is measured by the server's clock, whatever the browser's shows", async (t) => {
  const asked = serve(t, replaced({ ...BAN, expiresAt: new Date(NOW - 30 * 60_000).toISOString() }));
  t.after(() => (clockOffsetMs.value = 0));
  clockOffsetMs.value = -3_600_000;
  await ban(REQUEST);
  assert.deepEqual(await undo(asked), ['POST bans {"ip":"192.0.2.1/32","reason":"the former","for":"30m"}']);
});

test("a replaced ban that is over by now, or was on a network around it, is not restored", async (t) => {
  const answers = replaced(null);
  const asked = serve(t, answers);
  for (const former of [
    { ...BAN, expiresAt: new Date(NOW - 1).toISOString() },
    { ...BAN, prefix: "192.0.2.0/24" },
  ]) {
    Object.assign(answers, replaced(former));
    await ban(REQUEST);
    assert.deepEqual(await undo(asked), ["DELETE bans/192.0.2.1/32"]);
  }
});

test("undoing an unban bans again, unless the network is wider than the page may ban", async (t) => {
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

test("no undo is offered for a ban or an entry whose shown end is over, because it was replaced", async (t) => {
  serve(t, {});
  const almostOver = { expiresAt: new Date(NOW + 59_000).toISOString() };
  await lift({ ...BAN, ...almostOver }, () => {});
  assert.equal(toasts.value.at(-1)?.undo, null);
  await disallow({ ...ENTRY, ...almostOver }, () => {});
  assert.equal(toasts.value.at(-1)?.undo, null);
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

test("undoing an entry of the allow list removes it; undoing its removal restores it", async (t) => {
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

test("a refused change reads the list again: the entry may be gone", async (t) => {
  serve(t, { "POST allow": NO.clone(), [`DELETE allow/${ENTRY.prefix}`]: NO.clone() });
  let reloads = 0;
  const reload = (): void => void (reloads += 1);
  await assert.rejects(disallow(ENTRY, reload));
  await assert.rejects(allow({ network: ENTRY.prefix, note: "", for: "" }, reload));
  assert.equal(reloads, 2);
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

const BOTH = { knownAccounts: ["anna", "bert"] };
const SPARED = { protection: "allow_listed" };
const MANY = { ...BOTH, totals: { knownAccounts: 52 } };

test("a preview says what a ban would do, and calls it harmless only if that is certain", () => {
  const totals = { knownAccounts: 2, pastBans: 0 };
  const nothing = { protection: null, protectionUnknown: false, knownAccounts: [], totals, ban: null };
  for (const [ip, known, ...effects] of [
    ["203.0.113.7", {}, words.nothing],
    ["203.0.113.0/24", {}, words.nothing],
    ["2001:db8::/48", {}, words.nothing],
    ["2001:db8::1", {}, words.nothing, words.widened],
    ["2001:db8:0:1::/64", { ban: { prefix: "2001:db8::/48" } }, words.alreadyWith("2001:db8::/48")],
    ["203.0.113.7", BOTH, words.accounts("anna, bert")],
    ["203.0.113.0/24", BOTH, words.accounts("anna, bert")],
    ["203.0.113.7", MANY, words.accounts("anna, bert, and 50 more")],
    ["203.0.113.7", { protectionUnknown: true }, words.unknown],
    ["203.0.113.7", { protection: "listed" }, words.protected("listed")],
    ["203.0.113.7", { ban: { prefix: "203.0.113.7/32" } }, words.already],
    ["203.0.113.7", { ban: { prefix: "203.0.113.0/24" } }, words.alreadyWith("203.0.113.0/24")],
    ["2001:db8::1", { ban: { prefix: "2001:db8::/64" } }, words.already, words.widened],
    ["203.0.113.7", { ...SPARED, ban: { prefix: "203.0.113.0/24" } }, words.protected("allow_listed")],
  ] as const) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fields by which effects are distinguished
    const answer = { ...nothing, ...known } as unknown as AddressAnswer;
    assert.deepEqual(effectsOf(ip, answer), effects, effects[0]);
  }
});

test("a verdict and its button name the network that is banned, unless it is exactly what was asked for", () => {
  const alone = { text: "It is banned (manual): guesses.", buttonText: "Unban it", isBanned: true };
  const within = (network: string) => ({
    text: `It is banned with its network ${network} (manual): guesses.`,
    buttonText: `Unban ${network}`,
    isBanned: true,
  });
  for (const [asked, prefix, verdict] of [
    ["203.0.113.7", "203.0.113.0/24", within("203.0.113.0/24")],
    ["2001:db8::1", "2001:db8::/64", within("2001:db8::/64")],
    ["203.0.113.7", "203.0.113.7/32", alone],
    ["203.0.113.0/24", "203.0.113.0/24", alone],
    ["2001:DB8::1", "2001:db8::1/128", alone],
  ] as const)
    assert.deepEqual(verdictOf(asked, { ban: guessing(prefix), protection: null }), verdict);
  const free = { ban: null, protection: null };
  for (const asked of ["203.0.113.7", "203.0.113.7/32"]) assert.equal(verdictOf(asked, free).text, "It is not banned.");
  assert.match(verdictOf("203.0.113.0/24", free).text, /not banned as a whole/);
});

test("an address on the allow list is not called banned, whatever ban is in force, but a network that is listed in part is", () => {
  const of = { ban: guessing("203.0.113.0/24"), ...SPARED };
  const text = "It is allowed: the ban of 203.0.113.0/24 (manual: guesses) does not apply to it.";
  for (const asked of ["203.0.113.7", "203.0.113.7/32"])
    assert.deepEqual(verdictOf(asked, of), { text, buttonText: "Unban 203.0.113.0/24", isBanned: false });
  const own = verdictOf("203.0.113.7", { ban: guessing("203.0.113.7/32"), ...SPARED });
  assert.deepEqual(own, { text: text.replace("0/24", "7"), buttonText: "Unban it", isBanned: false });
  assert.match(verdictOf("203.0.113.0/25", of).text, /^It is banned with its network/);
});

function guessing(prefix: string) {
  return banItem({ prefix, level: "manual", reason: "guesses" });
}
