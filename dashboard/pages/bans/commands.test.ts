import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { BanItem } from "../../../src/admin/bans.ts";
import { WEB_LIMITS } from "../../../src/guard/commands/web/web-bounds.ts";
import { forgetToasts, toasts } from "../../attempt.ts";
import { type AllowedItem, allow, ban, disallow, lift, WIDEST } from "./ban-commands.ts";

const NOW = Date.UTC(2026, 10, 21, 14);
const BAN: BanItem = {
  ip: "192.0.2.1",
  prefix: "192.0.2.1/32",
  level: "permanent",
  code: "manual",
  reason: "the former",
  source: "root",
  createdAt: new Date(NOW).toISOString(),
  expiresAt: null,
  offences: 0,
};
const ENTRY: AllowedItem = {
  prefix: "192.0.2.0/24",
  note: "the office",
  by: "root",
  at: new Date(NOW).toISOString(),
  expiresAt: new Date(NOW + 90 * 60_000).toISOString(),
  from: "command",
};

/** A server that answers so; returns what it was asked to change. */
function serve(t: TestContext, answers: Readonly<Record<string, unknown>>): string[] {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOW });
  t.after(forgetToasts);
  const asked: string[] = [];
  t.mock.method(globalThis, "fetch", (path: string, { method = "", body = "" }: RequestInit) => {
    const [verb, what] = [method, path.replace("api/v1/", "")];
    if (verb !== "GET") asked.push(`${verb} ${what} ${typeof body === "string" ? body : ""}`.trim());
    return Promise.resolve(Response.json(answers[`${verb} ${what}`] ?? {}));
  });
  return asked;
}

async function undo(asked: string[]): Promise<readonly string[]> {
  asked.length = 0;
  await (toasts.value.at(-1)?.undo ?? assert.fail("nothing to undo"))();
  return asked;
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
  const back: BanItem[] = [];
  await lift(BAN, (item) => back.push(item));
  assert.deepEqual(await undo(asked), ['POST bans {"ip":"192.0.2.1/32","reason":"the former","for":"permanent"}']);
  assert.deepEqual(back, [BAN]);
  const offered: [string, boolean][] = [];
  for (const prefix of ["192.0.2.0/24", "192.0.2.0/23", "2001:db8::/48", "2001:db8::/47"]) {
    await lift({ ...BAN, prefix }, () => {});
    await disallow({ ...ENTRY, prefix });
    for (const { text, undo: offer } of toasts.value.slice(-2)) {
      assert.equal(offer === null, text.includes("too wide"));
      offered.push([prefix, offer !== null]);
    }
  }
  assert.deepEqual(
    offered.filter((_, place) => place % 2 === 0),
    offered.filter((_, place) => place % 2 === 1),
  );
  assert.deepEqual(Object.fromEntries(offered), {
    "192.0.2.0/24": true,
    "192.0.2.0/23": false,
    "2001:db8::/48": true,
    "2001:db8::/47": false,
  });
  assert.deepEqual(WIDEST, WEB_LIMITS.widest);
});

test("to undo an entry of the allow list takes it off, or puts back the one that it replaced", async (t) => {
  const request = { network: "192.0.2.0/24", note: "new", for: "" };
  const entries: AllowedItem[] = [];
  const answers = { "GET allow?limit=500": { items: entries, next: null }, "POST allow": { ...ENTRY, liftedTotal: 0 } };
  const asked = serve(t, answers);
  await allow(request);
  assert.deepEqual(await undo(asked), ["DELETE allow/192.0.2.0/24"]);
  entries.push(ENTRY);
  await allow(request);
  assert.deepEqual(await undo(asked), ['POST allow {"network":"192.0.2.0/24","note":"the office","for":"90m"}']);
});

test("an entry of the allow list that ended bans, or whose former state is not known, cannot be undone", async (t) => {
  const cases = [
    { page: { items: [], next: null }, liftedTotal: 2 },
    { page: { items: [], next: "more" }, liftedTotal: 0 },
    { page: { items: [{ ...ENTRY, from: "settings" }], next: null }, liftedTotal: 0 },
  ];
  const answers: Record<string, unknown> = {};
  serve(t, answers);
  for (const { page, liftedTotal } of cases) {
    answers["GET allow?limit=500"] = page;
    answers["POST allow"] = { prefix: ENTRY.prefix, liftedTotal };
    await allow({ network: ENTRY.prefix, note: "", for: "" });
    assert.equal(toasts.value.at(-1)?.undo, null);
  }
  assert.match(toasts.value[0]?.text ?? "", /ended with it for good: 2/);
});

test("a message with an undo is not pushed out by later ones", async (t) => {
  const asked = serve(t, MADE);
  for (let count = 0; count < 6; count += 1) await ban(REQUEST, null);
  assert.equal(toasts.value.filter((toast) => toast.undo !== null).length, 6);
  assert.equal(asked.length, 6);
});
