import assert from "node:assert/strict";
import { test } from "node:test";
import { eventItem, NOON, STRANGER } from "../../../test/kit/samples.ts";
import { hostPrefix } from "../../core/net/ip.ts";
import { isoTime, later, MINUTE_MS } from "../../core/time.ts";
import type { EventItem } from "../../wire/control/items.ts";
import type { EventFilter, EventPage, Queries } from "../storage-ports.ts";
import { whyAccount, whyMessage } from "./why.ts";

const FROM = { sender: "a@sender.test", recipient: "anna@example.test" };
const NOT_ASKED = (): never => assert.fail("this is not asked");

type Row = Partial<EventItem> & Readonly<{ type: string; minute?: number; mail?: string }>;

/** Rows in the order of their ids. `mail` is the name by which the database finds a row. */
function queries(...rows: readonly Row[]): Queries & { readonly asked: readonly EventFilter[] } {
  const items = rows.map(({ type, minute = 0, ...told }, i) =>
    eventItem(type, { id: i + 1, at: isoTime(later(NOON, minute * MINUTE_MS)), ip: STRANGER, ...told }),
  );
  const asked: EventFilter[] = [];
  const events = (filter: EventFilter): EventPage => {
    asked.push(filter);
    const { mail, before, prefix } = filter;
    const found = items
      .filter((_, i) => mail === undefined || rows[i]?.mail === mail)
      .filter(({ id }) => before === undefined || id < before)
      .filter(({ ip }) => prefix === undefined || ip !== null)
      .toReversed()
      .slice(0, filter.most);
    return { items: found, next: null };
  };
  const figures = { bansInForce: NOT_ASKED, topIps: NOT_ASKED, counts: NOT_ASKED, recorded: NOT_ASKED };
  return { asked, events, bans: NOT_ASKED, address: NOT_ASKED, figures };
}

const ACCEPTED: Row = {
  type: "EMAIL_ACCEPTED",
  ...FROM,
  queueId: "72CED1EABE5",
  mail: "72CED1EABE5",
};

function types(rows: readonly Row[]): readonly string[] {
  return whyMessage(queries(...rows), "72CED1EABE5").timeline.map(({ type }) => type);
}

test("the session of a mail begins at its connection and holds what concerned its sender, within ten minutes", () => {
  const session: readonly Row[] = [
    { type: "CONNECT" },
    { type: "CONNECT" },
    { type: "RECIPIENT", ...FROM },
    { type: "RECIPIENT", sender: "b@sender.test" },
    { type: "GREYLIST_ASKED", ...FROM },
    { type: "EMAIL", ...FROM },
    { type: "EMAIL_DEFERRED", ...FROM },
    { type: "EMAIL_BLOCKED", ...FROM },
    { type: "LOGIN_FAILED", ...FROM },
    { type: "EMAIL", ...FROM, ip: "203.0.113.8" },
  ];
  assert.deepEqual(types([...session, ACCEPTED]), [
    "CONNECT",
    "RECIPIENT",
    "GREYLIST_ASKED",
    "EMAIL",
    "EMAIL_DEFERRED",
    "EMAIL_BLOCKED",
    "EMAIL_ACCEPTED",
  ]);
  const late = { ...ACCEPTED, minute: 10 };
  assert.deepEqual(types([{ type: "CONNECT" }, late]), ["CONNECT", "EMAIL_ACCEPTED"]);
  assert.deepEqual(types([{ type: "CONNECT" }, { ...late, minute: 10.001 }]), ["EMAIL_ACCEPTED"]);
});

test("fifty events before a mail are looked at for its session, of its own address alone", () => {
  const noise = (count: number): readonly Row[] => Array.from({ length: count }, () => ({ type: "LOGIN_FAILED" }));
  const first = { type: "CONNECT" };
  assert.deepEqual(types([first, ...noise(49), ACCEPTED]), ["CONNECT", "EMAIL_ACCEPTED"]);
  assert.deepEqual(types([first, ...noise(50), ACCEPTED]), ["EMAIL_ACCEPTED"]);
  const asked = queries(first, ACCEPTED);
  whyMessage(asked, "72CED1EABE5");
  assert.deepEqual(asked.asked.at(-1), { prefix: hostPrefix(STRANGER), before: 2, most: 50, order: "newest_first" });
});

test("a mail without an address, or one that names no sender, has no session", () => {
  const connect = { type: "CONNECT" };
  assert.deepEqual(types([connect, { ...ACCEPTED, ip: null }]), ["EMAIL_ACCEPTED"]);
  assert.deepEqual(types([connect, { ...ACCEPTED, sender: null }]), ["EMAIL_ACCEPTED"]);
  const queued = { ...ACCEPTED, type: "EMAIL_QUEUED", sender: null, messageId: "<x@y>" };
  assert.deepEqual(types([connect, queued]), ["EMAIL_QUEUED"]);
});

test("names lead from one to another, to twenty of them and two hundred events", () => {
  const chain = (count: number): readonly Row[] =>
    Array.from({ length: count }, (_, i) => ({
      type: "EMAIL_QUEUED",
      ip: null,
      queueId: i === 0 ? "72CED1EABE5" : `AAAAA${i}`,
      messageId: `<${i}@sender.test>`,
      mail: i === 0 ? "72CED1EABE5" : `${i - 1}@sender.test`,
    }));
  const few = whyMessage(queries(...chain(3)), "72CED1EABE5");
  assert.deepEqual(few.queueIds, ["72CED1EABE5", "AAAAA1", "AAAAA2"]);
  assert.deepEqual(few.messageIds, ["<0@sender.test>", "<1@sender.test>", "<2@sender.test>"]);
  const many = queries(...chain(60));
  whyMessage(many, "72CED1EABE5");
  assert.equal(many.asked.length, 20);
  const flood = Array.from({ length: 200 }, (_, i) => ({
    type: "EMAIL_QUEUED",
    ip: null,
    queueId: "72CED1EABE5",
    messageId: `<${i}@sender.test>`,
    mail: "72CED1EABE5",
  }));
  const last = {
    type: "EMAIL_QUEUED",
    ip: null,
    mail: "72CED1EABE5",
    queueId: "72CED1EABE5",
    messageId: "<x@y>",
  };
  const nameless = { ...last, messageId: null };
  const full = queries(last, ...Array.from({ length: 199 }, () => nameless));
  whyMessage(full, "72CED1EABE5");
  assert.equal(full.asked.length, 1, "two hundred events are enough");
  const flooded = queries(...flood);
  whyMessage(flooded, "<72CED1EABE5>");
  assert.equal(flooded.asked[0]?.mail, "72CED1EABE5");
  assert.equal(flooded.asked[0]?.most, 200);
});

test("an account's addresses have their sign-ins counted, and the time of the last", () => {
  const login = (type: string, minute: number, ip: string | null = STRANGER): Row => ({
    type,
    minute,
    ip,
  });
  const rows = [
    login("LOGIN_SUCCEEDED", 5),
    login("LOGIN_FAILED", 9),
    login("LOGIN_REFUSED", 7),
    login("LOGIN_FAILED", 8, null),
    login("ACCOUNT_ADDED", 9),
  ];
  const { addresses, account } = whyAccount(queries(...rows), "anna@example.test");
  assert.equal(account, "anna@example.test");
  assert.deepEqual(addresses, [{ ip: STRANGER, succeeded: 1, failed: 2, lastAt: isoTime(later(NOON, 9 * MINUTE_MS)) }]);
});
