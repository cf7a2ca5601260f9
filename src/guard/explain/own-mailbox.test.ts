import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf } from "../../../test/kit/event-rows.ts";
import { NOON } from "../../../test/kit/samples.ts";
import type { EventItem } from "../../admin/declare/items.ts";
import { HOUR_MS, isoTime, later, MINUTE_MS } from "../../core/time.ts";
import { ownMail, ownSignIns } from "./own-mailbox.ts";

const createdAt = isoTime(NOON);
const ANNA = { account: "anna@example.test", addresses: ["anna@example.test", "info@example.test"], createdAt };
const BERT = { account: "bert@example.test", addresses: ["bert@example.test", "info@example.test"], createdAt };
const [FIRST, SECOND] = ["72CED1EABE5", "82CED1EABE6"];
const MESSAGE = "<one@sender.test>";

/** The events of some mails, oldest first. */
const queriesOf = (...rows: readonly (readonly [type: string, fields: Partial<EventItem>])[]) =>
  eventsOf(rows.map(([type, fields]) => ({ type, ...fields })));

const stepsOf = (queries: ReturnType<typeof queriesOf>, reader = ANNA, id = FIRST) =>
  ownMail(queries, reader, id)
    ?.steps.map(({ what }) => what)
    .join(" ");

test("only its sender and its recipients can find a mail", () => {
  const queries = queriesOf(
    ["EMAIL_QUEUED", { queueId: FIRST, messageId: MESSAGE }],
    ["EMAIL_ACCEPTED", { queueId: FIRST, account: "Bert@example.test", sender: BERT.account, recipient: null }],
    ["EMAIL_DELIVERED", { queueId: FIRST, recipient: "anna+shop@example.test" }],
    ["EMAIL_BOUNCED", { queueId: FIRST, recipient: "gone@else.test" }],
  );
  const ways = [ANNA, BERT].map((reader) => stepsOf(queries, reader));
  assert.deepEqual(ways, ["queued accepted delivered", "queued accepted delivered returned"]);
  assert.equal(ownMail(queries, ANNA, FIRST)?.state, "delivered");
  const stranger = { account: "carol@example.test", addresses: ["carol@example.test"], createdAt };
  assert.equal(ownMail(queries, stranger, FIRST), null);
  assert.equal(ownMail(queries, stranger, "one@sender.test"), null);
  assert.equal(ownMail(queries, ANNA, "A0000000000"), null);
  assert.doesNotMatch(JSON.stringify(ownMail(queries, BERT, FIRST)), /@/, "no address is shown");
});

test("mail for an alias with an extension belongs to its reader, refused mail too", () => {
  const queries = queriesOf(["EMAIL_BLOCKED", { queueId: FIRST, recipient: "Shop+Spring@example.test" }]);
  const addresses = [...ANNA.addresses, "shop+spring@example.test"];
  assert.equal(stepsOf(queries, { ...ANNA, addresses }), "refused");
  assert.equal(ownMail(queries, { ...ANNA, addresses: [...ANNA.addresses, "shop+autumn@example.test"] }, FIRST), null);
});

test("a mail whose forward without a copy failed is not said to have arrived", () => {
  const queries = queriesOf(
    ["EMAIL_ACCEPTED", { queueId: FIRST, recipient: ANNA.account }],
    ["EMAIL_BOUNCED", { queueId: FIRST, recipient: "anna@else.test" }],
  );
  const says = ownMail(queries, ANNA, FIRST)?.steps.map((step) => step.says);
  assert.deepEqual(says, ["The server received the whole mail; its delivery is a separate step."]);
});

test("a stranger's envelope sender does not make a user the sender", () => {
  const queries = queriesOf(
    ["EMAIL_ACCEPTED", { queueId: FIRST, sender: ANNA.account, recipient: BERT.account }],
    ["EMAIL_DELIVERED", { queueId: FIRST, recipient: BERT.account }],
  );
  assert.equal(ownMail(queries, ANNA, FIRST), null);
});

test("mails with the same Message-ID are judged one by one", () => {
  const queries = queriesOf(
    ["EMAIL_ACCEPTED", { queueId: FIRST, messageId: MESSAGE, recipient: "info@example.test" }],
    ["EMAIL_DELIVERED", { queueId: FIRST, recipient: ANNA.account }],
    ["EMAIL_ACCEPTED", { queueId: SECOND, messageId: MESSAGE, recipient: BERT.account }],
    ["EMAIL_BOUNCED", { queueId: SECOND, recipient: BERT.account }],
  );
  assert.equal(stepsOf(queries, ANNA, MESSAGE), "accepted delivered");
});

test("twenty mails with the same Message-ID are shown, and their scores are searched once", () => {
  const ids = Array.from({ length: 21 }, (_, i) => `${i}2CED1EABE5`);
  const queries = queriesOf(
    ...ids.map((queueId) => ["EMAIL_ACCEPTED", { queueId, messageId: MESSAGE, recipient: ANNA.account }] as const),
  );
  assert.equal(ownMail(queries, ANNA, MESSAGE)?.steps.length, 20);
  assert.equal(queries.asked.filter(({ types }) => types?.includes("SPAM_SCORED") === true).length, 1);
});

test("the filter's spam verdict is shown to the recipient", () => {
  const spam = (recipient: string, at = isoTime(NOON)) =>
    ["SPAM_SCORED", { messageId: MESSAGE, recipient, verdict: "mark", at }] as const;
  const mail = [
    ["EMAIL_ACCEPTED", { queueId: FIRST, messageId: MESSAGE, recipient: ANNA.account }],
    spam(ANNA.account, isoTime(later(NOON, 10 * MINUTE_MS))),
    spam("carol@example.test"),
    spam(ANNA.account, isoTime(later(NOON, 10 * MINUTE_MS + 1))),
    ["EMAIL_DELIVERED", { queueId: FIRST, recipient: ANNA.account, at: isoTime(later(NOON, HOUR_MS)) }],
  ] as const;
  assert.equal(stepsOf(queriesOf(...mail)), "accepted spam delivered");
  const blocked = { queueId: FIRST, recipient: ANNA.account, reason: "spam_refused" } as const;
  const refused = queriesOf(mail[0], ["EMAIL_BLOCKED", blocked], spam(ANNA.account));
  assert.equal(ownMail(refused, ANNA, FIRST)?.state, "refused", "it goes to no folder");
});

test("a mail in a loop is refused, even if the guard notes its end later", () => {
  const queries = queriesOf(
    ["EMAIL_BLOCKED", { queueId: FIRST, reason: "mail_loop" }],
    ["EMAIL_ACCEPTED", { queueId: FIRST, recipient: ANNA.account }],
  );
  assert.equal(ownMail(queries, ANNA, FIRST)?.state, "refused");
});

test("the newest hundred events of a mail with too many are shown", () => {
  const delayed = ["EMAIL_DELAYED", { queueId: FIRST, recipient: ANNA.account }] as const;
  const queries = queriesOf(...Array.from({ length: 101 }, () => delayed));
  assert.equal(ownMail(queries, ANNA, FIRST)?.steps.length, 100);
});

test("mails without a Message-ID have nothing in common", () => {
  const mail = [
    ["EMAIL_QUEUED", { queueId: FIRST, messageId: "<>" }],
    ["EMAIL_DELIVERED", { queueId: FIRST, recipient: ANNA.account }],
    ["SPAM_SCORED", { messageId: "<>", recipient: ANNA.account, verdict: "mark", at: isoTime(NOON) }],
  ] as const;
  assert.equal(ownMail(queriesOf(...mail), ANNA, FIRST)?.state, "delivered");
});

const TYPES = ["LOGIN_SUCCEEDED", "LOGIN_FAILED", "LOGIN_REFUSED", "LOGIN_DELAYED"];

/** This many sign-ins of alternating kinds; a search finds two at a time. */
function signInsOf(many: number, account = "Anna@example.test") {
  const typeOf = (i: number) => TYPES[i % TYPES.length] ?? "";
  const rows = Array.from({ length: many }, (_, i) => ({ type: typeOf(i), account, ip: `198.51.100.${i}` }));
  return eventsOf(rows, 2);
}

test("lists successful, failed, slowed and refused sign-ins together, newest first, page by page", () => {
  const queries = signInsOf(10);
  const places: (string | null)[] = [];
  let cursor: number | null = null;
  do {
    const { items, next } = ownSignIns(queries, ANNA, { limit: 4, cursor });
    places.push(...items.map(({ ip }) => ip));
    cursor = next === null ? null : Number(next);
  } while (cursor !== null);
  const newestFirst = Array.from({ length: 10 }, (_, i) => `198.51.100.${9 - i}`);
  assert.deepEqual(places, newestFirst);
  assert.ok(queries.asked.every(({ account }) => account === ANNA.account));
  const page = ownSignIns(queries, ANNA, { limit: 4, cursor: 5 });
  const kinds = page.items.map(({ what, isRight }) => `${what} ${isRight}`);
  assert.deepEqual(kinds, ["slowed false", "refused false", "wrong_password false", "signed_in true"]);
});

test("a sign-in that only the simulation refused or slowed is not listed", () => {
  const row = { account: ANNA.account, simulated: "refuse" };
  const queries = eventsOf([
    ...TYPES.map((type) => ({ type, ...row })),
    { type: "LOGIN_SUCCEEDED", account: ANNA.account },
  ]);
  const { items } = ownSignIns(queries, ANNA, { limit: 9, cursor: null });
  assert.deepEqual(items.map(({ what }) => what).toSorted(), ["signed_in", "signed_in", "wrong_password"]);
});

test("a name with the same prefix is a different account", () => {
  const others = ownSignIns(signInsOf(8, "anna@example.test.evil"), ANNA, { limit: 9, cursor: null });
  assert.deepEqual(others, { items: [], next: null });
});

test("a new account sees nothing of an earlier one with the same name", () => {
  const former = { queueId: FIRST, account: ANNA.account, recipient: ANNA.account, minute: -1 };
  const rows = [{ type: "EMAIL_DELIVERED", ...former }, ...TYPES.map((type) => ({ type, ...former }))];
  const [before, signedIn] = [eventsOf(rows), { type: "LOGIN_SUCCEEDED", account: ANNA.account }];
  assert.equal(ownMail(before, ANNA, FIRST), null);
  assert.deepEqual(ownSignIns(before, ANNA, { limit: 9, cursor: null }), { items: [], next: null });
  assert.equal(ownSignIns(eventsOf([...rows, signedIn]), ANNA, { limit: 9, cursor: null }).items.length, 1);
});
