import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connected, readerWith, script } from "../../../../../test/kit/script-world.ts";
import { engineDatabase, eventRow, record, START } from "../../../../../test/kit/test-database.ts";
import { oneLineOfError } from "../../../../../test/kit/test-guard.ts";
import { auditRecord } from "../../../../core/events/command.ts";
import type { EventRecord } from "../../../../core/events/event.ts";
import { EVENT_TYPES } from "../../../../core/events/event-types.ts";
import { later } from "../../../../core/time.ts";
import { sqliteQueries } from "../../../../store/engine-db/queries.ts";
import type { Call } from "../../call.ts";

const BLOCKED = { type: "EMAIL_BLOCKED", verdict: "refuse", reason: "mail_limit" } as const;
const ROWS = [
  eventRow("203.0.113.7", START),
  eventRow("198.51.100.9", later(START, 1_000), { ...BLOCKED, recipient: "nobody@example.org" }),
  eventRow("203.0.113.7", later(START, 2_000), { helo: "\u001b[31m\u009b\u2028", messageId: "<a@sender.test>" }),
  auditRecord({ type: "PASSWORD_CHANGED", subject: "anna@example.org", by: "root" }, later(START, 3_000)),
];

/** Runs the command over a real database; `committed` arrives while it follows. */
async function ran(t: TestContext, words: string, committed: readonly EventRecord[] = [], before = ROWS) {
  const { db, store } = engineDatabase(t);
  record(store, ...before);
  const watch: Call["guard"]["watch"] = async (onEvents) => {
    onEvents(ROWS.length);
    record(store, ...committed);
    onEvents(ROWS.length + committed.length);
    return { ok: true };
  };
  const reader = readerWith({ queries: sqliteQueries(db), account: () => null });
  const { out, ...ended } = await script(words.split(" "), {
    now: () => START,
    connect: () => connected({ guard: { watch }, reader }),
  });
  return { ...ended, out, lines: out.split("\n").slice(0, -1) };
}

/** The value at a dotted path in a line of JSON. */
function field(line: string | undefined, path: string): unknown {
  let value: unknown = JSON.parse(line ?? "null");
  for (const name of path.split("."))
    value = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  return value;
}

test("--ecs prints one object per line, oldest first, with the nested fields of the schema", async (t) => {
  const { code, out, err, lines } = await ran(t, "events --ecs");
  assert.deepEqual([code, err, lines.length], [0, "", ROWS.length]);
  for (const unsafe of ["\u001b", "\u009b", "\u2028"]) assert.ok(!out.includes(unsafe));
  const [first, blocked, odd, command] = lines;
  assert.partialDeepStrictEqual(field(first, "event"), { id: "1", code: "CONNECT", category: ["network"] });
  assert.equal(field(first, "@timestamp"), new Date(START).toISOString());
  assert.deepEqual(field(blocked, "source"), { ip: "198.51.100.9" });
  assert.equal(field(odd, "ghostinbox.helo"), "\u001b[31m\u009b\u2028");
  assert.deepEqual(field(command, "user"), { name: "root", target: { name: "anna@example.org" } });
  assert.match(String(field(command, "message")), /anna@example\.org/);
});

test("--ecs respects filters, --limit and --after", async (t) => {
  const idsOf = async (words: string) =>
    (await ran(t, `events --ecs ${words}`)).lines.map((line) => field(line, "event.id"));
  assert.deepEqual(await idsOf("--limit 2"), ["3", "4"]);
  assert.deepEqual(await idsOf("--ip 203.0.113.7"), ["1", "3"]);
  assert.deepEqual(await idsOf("--type email_blocked --json"), ["2"]);
  assert.deepEqual(await idsOf("--after 1 --limit 2"), ["2", "3"]);
  assert.deepEqual(await idsOf("--account Anna@example.org"), ["4"]);
  assert.deepEqual(await idsOf("--after 4"), []);
  const all = ["1", "2", "3", "4"];
  assert.deepEqual([await idsOf("--after 5"), await idsOf("--after 5 --follow")], [all, all], "another database");
});

test("a list that starts after an id ends with where newer events start, if any", async (t) => {
  const lastLine = async (words: string) => (await ran(t, `events ${words}`)).lines.at(-1);
  assert.equal(await lastLine("--after 1 --limit 2"), "… newer ones: --after 3");
  assert.match((await lastLine("--after 2 --limit 2")) ?? "", /PASSWORD_CHANGED/);
});

test("`find` lists events that name a text or come from a network, and treats no character as a pattern", async (t) => {
  const idsOf = async (words: string): Promise<readonly unknown[]> => {
    const { code, out } = await ran(t, `find ${words} --json`);
    assert.equal(code, 0, out);
    const items = field(out, "items");
    assert.ok(Array.isArray(items));
    return items.map((item) => field(JSON.stringify(item), "id"));
  };
  assert.deepEqual(await idsOf("SENDER.test"), [3]);
  assert.match((await ran(t, "why SENDER.test")).err, /^Next: \.\/ghostinbox why 203\.0\.113\.7$/m);
  assert.deepEqual(await idsOf("203.0.113.0/24"), [1, 3]);
  assert.deepEqual(await idsOf("nobody@example.org"), [2], "a recipient who has no account");
  for (const odd of ["%", "_@_", "'", '"', "x".repeat(10_000)]) assert.deepEqual(await idsOf(odd), [], odd);
  for (const words of ["why 203.0.113.0/24", "find 203.0.113.0/24"])
    assert.doesNotMatch((await ran(t, words)).err, /is not an IP address/);
  for (const wrong of ["find ", "find   ", "why ", "why 203.0.113.300"]) oneLineOfError(await ran(t, wrong), 2);
  assert.match(
    (await ran(t, "why ")).err,
    /^why needs one of TEXT, --account ADDRESS and --message ID\. .*`\.\/ghostinbox help why`/,
  );
  assert.match((await ran(t, "why 4123456789")).out, /^Nothing is recorded about 4123456789\./, "a queue id");
  assert.doesNotMatch((await ran(t, "find  203.0.113.7")).err, /unexpected/, "a space before an address");
  assert.match((await ran(t, "find nobody@nowhere.test")).out, /^Nothing is recorded about nobody@nowhere\.test\./);
});

test("`find` shows a mail by its Message-ID, with or without brackets, and searches for a text that only looks like an id", async (t) => {
  const queued = eventRow("203.0.113.8", later(START, 4_000), {
    queueId: "72CED1EABE5",
    messageId: "<one@sender.net>",
  });
  const named = eventRow("203.0.113.8", later(START, 5_000), { sender: "20261120@sender.net" });
  const found = async (text: string) => (await ran(t, `find ${text}`, [], [queued, named])).out;
  for (const text of ["<one@sender.net>", "one@sender.net", "72CED1EABE5"])
    assert.match(await found(text), /^Outcome: .*\nMessage-ID: <one@sender\.net>\n/, text);
  assert.match(await found("20261120"), /^2026-11-20 06:00:05 UTC {2}CONNECT /);
  const unknown = await ran(t, "find <it's@sender.net>");
  assert.match(unknown.out, /^Nothing is known about it's@sender\.net\./);
  assert.match(unknown.err, /^Next: \.\/ghostinbox logs --grep 'it'\\''s@sender\.net'$/m);
});

test("following from an id misses and repeats no event, however small the limit", async (t) => {
  const more = [eventRow("203.0.113.8", later(START, 4_000)), eventRow("203.0.113.9", later(START, 5_000))];
  const { code, lines } = await ran(t, "events --ecs --follow --after 1 --limit 1", more);
  const ids = lines.map((line) => field(line, "event.id"));
  assert.deepEqual([code, ids], [0, ["2", "3", "4", "5", "6"]]);
});

test("followed as JSON, a stranger's text cannot control the terminal", async (t) => {
  const { out, lines } = await ran(t, "events --json --follow");
  for (const unsafe of ["\u001b", "\u009b", "\u2028"]) assert.ok(!out.includes(unsafe));
  assert.ok(lines.some((line) => line.includes("\\u009b")));
});

for (const [recipient, named] of [
  ["anna@example.org", "anna@example.org"],
  ["$(id)@example.org", "ADDRESS"],
] as const)
  test(`greylist waiting names ${named} in the next command for ${recipient}, which a stranger chose`, async (t) => {
    const waits = { type: "GREYLIST_ASKED", reason: "greylist_asked", recipient } as const;
    const { out, err } = await ran(t, "greylist waiting", [], [eventRow("203.0.113.8", START, waits)]);
    assert.ok(out.includes(recipient));
    assert.ok(err.includes(`greylist pause ${named}  #`), err);
  });

test("greylist waiting says how many mails it does not list", async (t) => {
  const waits = { type: "GREYLIST_ASKED", reason: "greylist_asked" } as const;
  const rows = Array.from({ length: 103 }, (_, nth) =>
    eventRow("203.0.113.8", START, { ...waits, recipient: `r${nth}@example.org` }),
  );
  const { lines } = await ran(t, "greylist waiting", [], rows);
  assert.deepEqual([lines.length, lines.at(-1)], [102, "and 3 more"]);
});

test("--after accepts only an id, and --type only an existing type", async (t) => {
  const refused = oneLineOfError(await ran(t, "events --after yesterday"), 2);
  assert.match(refused, /^"yesterday" is not the id of an event\. /);
  assert.match(oneLineOfError(await ran(t, "events --type login_faild"), 2), /^"login_faild" is not an event type/);
});

test("--types lists every type with its meaning, without a guard", async (t) => {
  const { code, lines } = await ran(t, "events --types");
  assert.equal(code, 0);
  assert.deepEqual(new Set(lines.map((line) => line.split(" ")[0])), new Set(EVENT_TYPES));
  assert.match(lines.find((line) => line.startsWith("BAN ")) ?? "", /An address or network was banned\.$/);
  assert.equal(field((await ran(t, "events --types --json")).out, "items.length"), EVENT_TYPES.length);
});
