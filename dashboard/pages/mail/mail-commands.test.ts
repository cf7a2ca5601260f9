import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { answerRequests } from "../../../test/kit/answered-requests.ts";
import { forgetToasts, toasts } from "../../attempt.ts";
import {
  allowSender,
  changeQueue,
  disallowSender,
  dropHeld,
  dropSelection,
  leftBehind,
  pauseGreylist,
  releaseHeld,
  resumeGreylist,
} from "./mail-commands.ts";

/** A server that gives these answers, each answer of a list once; returns the requested changes. */
function serve(t: TestContext, answers: Readonly<Record<string, readonly unknown[]>>): string[] {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.after(forgetToasts);
  const left = new Map(Object.entries(answers).map(([request, all]) => [request, [...all]]));
  return answerRequests(t, (request) => left.get(request)?.shift());
}

/** A refusal. */
const refused = (detail: string) => new Response(JSON.stringify({ detail, code: "refused" }), { status: 409 });

const AT = "2026-11-20T07:05:01.123Z";
const ANNA = { account: "anna@example.test", at: AT, ip: "", count: 1, limit: 1, windowMs: 1, key: "" };
const HELD = { queueId: "AAAA1", account: ANNA.account, at: AT, ip: null, recipientCount: 1, recipients: [] };
const SHOWN = { accounts: [{ ...ANNA, at: "2026-11-20T07:05:00.000Z" }], held: [HELD], suspended: false };
const last = () => toasts.value.at(-1) ?? assert.fail("no toast was shown");
const changed = (count: number, next: string | null = null, kept: readonly object[] = []) => ({
  changed: count,
  kept,
  next,
});
const never = (): never => assert.fail("nothing was undone");

test("holding mail by its id can be undone by releasing it, and vice versa", async (t) => {
  const asked = serve(t, {
    "POST queue/hold": [changed(1), changed(1)],
    "POST queue/release": [changed(1), changed(1)],
  });
  let undone = 0;
  await changeQueue("hold", { ids: ["AAAA1"] }, () => (undone += 1));
  assert.equal(last().text, "On hold: 1 mail.");
  await last().undo?.();
  assert.deepEqual([last().text, undone], ["Released: 1 mail.", 1]);
  await changeQueue("release", { ids: ["AAAA1"] }, () => (undone += 1));
  await last().undo?.();
  const ids = '{"ids":["AAAA1"]}';
  assert.deepEqual(asked, [
    `POST queue/hold ${ids}`,
    `POST queue/release ${ids}`,
    `POST queue/release ${ids}`,
    `POST queue/hold ${ids}`,
  ]);
});

test("all matching mail is changed, the rest is reported, and no undo is offered for other users' holds", async (t) => {
  const kept = [{ account: "anna@example.test", mails: 3 }];
  const asked = serve(t, { "POST queue/hold": [changed(1_000, "c1", kept), changed(7)] });
  await changeQueue("hold", { sender: "form@example.test" }, never);
  assert.deepEqual(asked, [
    'POST queue/hold {"sender":"form@example.test"}',
    'POST queue/hold {"sender":"form@example.test","cursor":"c1"}',
  ]);
  assert.match(last().text, /^On hold: 1007 mails\. Still held by the guard for anna@example\.test: 3 mails\.$/);
  assert.equal(last().undo, null);
});

test("no undo is offered if some of the named mails were on hold before", async (t) => {
  serve(t, { "POST queue/hold": [changed(1)] });
  await changeQueue("hold", { ids: ["AAAA1", "AAAA2"] }, never);
  assert.deepEqual([last().text, last().undo], ["On hold: 1 mail.", null]);
});

test("a list without an end is given up after twenty turns", async (t) => {
  const asked = serve(t, { "POST queue/flush": Array.from({ length: 99 }, () => changed(1, "again")) });
  await changeQueue("flush", { account: "anna@example.test" }, never);
  assert.equal(asked.length, 20);
});

test("the finished part is reported before the server's refusal of the rest", async (t) => {
  serve(t, {
    "POST queue/delete": [changed(1_000, "c1"), refused("No more within an hour."), refused("No more at all.")],
    "POST held/anna%40example.test/release": [{ released: 500, isMore: true }, refused("Try again.")],
    "POST held/anna%40example.test/drop": [{ dropped: 1_000, isMore: true }, refused("Try again.")],
  });
  const all = { sender: "form@example.test" };
  await assert.rejects(changeQueue("delete", all, never), { message: "No more within an hour." });
  assert.equal(last().text, "Deleted: 1000 mails.");
  await assert.rejects(changeQueue("delete", all, never), { message: "No more at all." });
  assert.equal(toasts.value.length, 1, "nothing was done, so no toast is shown");
  await assert.rejects(releaseHeld("anna@example.test", SHOWN), { message: "Try again." });
  assert.match(last().text, /^Sent: 500 mails of anna@example\.test\. Some is still on hold/);
  await assert.rejects(dropHeld("anna@example.test", false, { meant: { until: AT }, total: 1_500 }), {
    message: "Try again.",
  });
  assert.match(last().text, /^Deleted: 1000 mails of anna@example\.test\./);
});

test("all held mail is sent; no more is dropped than the reader saw", async (t) => {
  const sent = (released: number, isMore: boolean) => ({ released, isMore });
  const drops = (dropped: number) => ({ dropped, isMore: true, isHeld: true });
  const asked = serve(t, {
    "POST held/anna%40example.test/release": [sent(1_000, true), sent(500, false)],
    "POST held/anna%40example.test/drop": [drops(800), drops(200), { dropped: 0, isMore: false, isHeld: false }],
  });
  await releaseHeld("anna@example.test", SHOWN);
  assert.equal(last().text, "Sent: 1500 mails of anna@example.test. New mail is no longer held.");
  await dropHeld("anna@example.test", true, { meant: { until: AT }, total: 1_000 });
  assert.equal(last().text, "Returned: 1000 mails of anna@example.test. New mail is still held.");
  assert.equal(asked[0], `POST held/anna%40example.test/release {"until":"${AT}","suspended":false}`);
  assert.equal(asked.length, 4);
  await dropHeld("anna@example.test", false, { meant: { ids: ["AAAA1"] }, total: 1 });
  assert.equal(last().text, "Deleted: 0 mails of anna@example.test.", "another administrator has sent it");
});

test("a release ends only the hold that was shown", async (t) => {
  const older = { ...HELD, at: "2026-11-20T07:04:00.000Z" };
  const path = "POST held/anna%40example.test/release";
  const asked = serve(t, { [path]: Array.from({ length: 3 }, () => ({ released: 0, isMore: false })) });
  const shown = [[], [older]].map((held) => ({ accounts: [ANNA], held, suspended: false }));
  for (const list of [...shown, { accounts: [], held: [], suspended: true }]) await releaseHeld(ANNA.account, list);
  assert.deepEqual(
    asked,
    [
      { until: AT, suspended: false },
      { until: AT, suspended: false },
      { until: "1970-01-01T00:00:00.000Z", suspended: true },
    ].map((body) => `${path} ${JSON.stringify(body)}`),
  );
});

test("an account whose hold has ended is listed while its mail is on hold", () => {
  const of = (account: string) => ({ ...HELD, account });
  const held = [of("bert@example.test"), of("anna@example.test"), of("bert@example.test")];
  assert.deepEqual(leftBehind({ accounts: [ANNA], held }), ["bert@example.test"]);
});

test("mail that arrived since is not dropped: the mails that were shown are named, or the newest of them", () => {
  assert.deepEqual(dropSelection({ held: [HELD], heldTotal: 1 }), { meant: { ids: ["AAAA1"] }, total: 1 });
  assert.deepEqual(dropSelection({ held: [HELD], heldTotal: 2 }), { meant: { until: AT }, total: 2 });
});

test("no undo is offered for mail that is deleted, returned, sent or dropped", async (t) => {
  const dropped = { name: "anna@example.test", dropped: 4, isMore: false, isHeld: true };
  const asked = serve(t, {
    "POST queue/delete": [changed(1)],
    "POST queue/return": [changed(2)],
    "POST held/anna%40example.test/release": [{ name: "anna@example.test", released: 4, isMore: false }],
    "POST held/anna%40example.test/drop": [dropped, dropped],
  });
  for (const act of [
    () => changeQueue("delete", { ids: ["AAAA1"] }, never),
    () => changeQueue("return", { ids: ["AAAA1", "AAAA2"] }, never),
    () => releaseHeld("anna@example.test", SHOWN),
    () => dropHeld("anna@example.test", false, { meant: { until: AT }, total: 4 }),
    () => dropHeld("anna@example.test", true, { meant: { ids: ["AAAA1"] }, total: 1 }),
  ]) {
    await act();
    assert.equal(last().undo, null);
  }
  assert.equal(asked.at(-1), 'POST held/anna%40example.test/drop {"bounce":true,"ids":["AAAA1"]}');
});

test("a pause of greylisting and an allowed sender can be undone", async (t) => {
  const pause = { target: "anna@example.test", until: "", by: "" };
  const asked = serve(t, { "POST greylist/pauses": [pause, pause] });
  let read = 0;
  const changes = (): void => void (read += 1);
  const request = { recipient: pause.target, for: "" };
  await pauseGreylist(request, [], changes);
  await last().undo?.();
  await pauseGreylist({ ...request, for: "1h" }, [pause], changes);
  assert.equal(last().undo, null, "the former pause cannot be restored");
  await resumeGreylist("bert@example.test");
  const sender = { account: "anna@example.test", sender: "*@friend.example" };
  await allowSender(sender, changes);
  await last().undo?.();
  await disallowSender(sender, changes);
  await last().undo?.();
  const query = "spam/senders?account=anna%40example.test&sender=*%40friend.example";
  assert.deepEqual(asked, [
    'POST greylist/pauses {"recipient":"anna@example.test"}',
    "DELETE greylist/pauses/anna%40example.test",
    'POST greylist/pauses {"recipient":"anna@example.test","for":"1h"}',
    "DELETE greylist/pauses/bert%40example.test",
    `POST spam/senders ${JSON.stringify(sender)}`,
    `DELETE ${query}`,
    `DELETE ${query}`,
    `POST spam/senders ${JSON.stringify(sender)}`,
  ]);
  assert.equal(read, 7);
  answerRequests(t, () => refused("It is gone."));
  await assert.rejects(pauseGreylist(request, [], changes));
  await assert.rejects(allowSender(sender, changes));
  await assert.rejects(disallowSender(sender, changes));
  assert.equal(read, 10, "the list is read again after a refusal");
});
