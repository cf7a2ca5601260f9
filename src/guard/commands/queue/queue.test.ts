// Invariant: Holds by the guard and by hand never mix: `account release` and `account drop` handle the guard's, `queue release` and `queue delete` those made by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, OWNER, refusalOf } from "../../../../test/kit/commands-kit.ts";
import { fakeQueue, holdMails, listedMail } from "../../../../test/kit/queue-kit.ts";
import { ip, MAIL, net } from "../../../../test/kit/samples.ts";
import type { Command } from "../../../admin/declare/control.ts";
import type { ListedMail } from "../../../admin/declare/keeper.ts";
import { BEFORE_ALL_MAIL } from "../../../admin/declare/paging.ts";
import { DAY_MS } from "../../../core/time.ts";

const ANNA = "anna@example.test";
const BERT = "bert@example.test";
const INFO = "info@example.test";

const NONE = { ids: [], account: null, sender: null, recipient: null } as const;
const ALL = { ...NONE, isAll: true, cursor: null } as const;
const SOME = { ...ALL, isAll: false } as const;
const ANNAS = { ...SOME, account: ANNA } as const;
const UNRECORDED = /^failed The audit entry could not be written, so nothing/;

const kit = commandsOf(import.meta.filename, ANNA, BERT);
const queue = fakeQueue(import.meta.filename, kit);

function mail(id: string, reported: Partial<ListedMail> = {}): ListedMail {
  const recipients = [{ address: "bob@elsewhere.test", reason: "connection timed out" }];
  return listedMail(id, { at: 1_000, sizeBytes: 500, sender: ANNA, nextTryAt: 2_000, recipients, ...reported });
}

const result = (command: Command): Promise<object> => kit.result(command);
const id = (n: number): string => `MANY${String(n).padStart(5, "0")}`;
const mails = (count: number, reported: Partial<ListedMail> = {}): readonly ListedMail[] =>
  Array.from({ length: count }, (_, n) => mail(id(n), { at: n, ...reported }));
const done = (changed: number, rest: object = {}) => ({ changed, kept: [], next: null, ...rest });
const left = (): readonly string[] => queue.mails.map(({ id, queue: place }) => `${id} ${place}`);

test("lists where each mail waits and for whom it is held, a page at a time", async () => {
  queue.mails = [mail("AAAA1"), mail("AAAA2", { queue: "hold", nextTryAt: null }), mail("AAAA3", { queue: "hold" })];
  await holdMails(kit, ANNA, "AAAA1", "AAAA3");
  const list = { verb: "queue_list", ...NONE, cursor: null } as const;
  const first = await result({ ...list, limit: 2 });
  const reported = { sizeBytes: 500, sender: ANNA, recipientCount: 1, recipients: mail("x").recipients };
  const times = { at: new Date(1_000).toISOString(), nextTryAt: new Date(2_000).toISOString() };
  assert.deepEqual(first, {
    items: [
      { queueId: "AAAA1", queue: "deferred", heldFor: null, ...reported, ...times },
      { queueId: "AAAA2", queue: "hold", heldFor: null, ...reported, ...times, nextTryAt: null },
    ],
    next: "0000000000001000 AAAA2",
    total: 3,
    newestAt: times.at,
  });
  const last = { queueId: "AAAA3", queue: "hold", heldFor: ANNA, ...reported, ...times };
  const second = await result({ ...list, limit: 2, cursor: "0000000000001000 AAAA2" });
  assert.deepEqual(second, { items: [last], next: null, total: 3, newestAt: times.at });
});

test("mail that arrived after the list is left alone", async () => {
  const list = async () => kit.result({ verb: "queue_list", ...NONE, sender: ANNA, limit: 1, cursor: null });
  assert.equal((await list()).newestAt, undefined);
  queue.mails = mails(3);
  const until = (await list()).newestAt ?? assert.fail();
  queue.mails = [...mails(3), mail("NEW01", { at: 3 })];
  assert.deepEqual(await result({ verb: "queue_flush", ...ALL, until }), done(3));
  assert.deepEqual(await result({ verb: "queue_delete", ...SOME, sender: ANNA, until }), done(3));
  assert.deepEqual(left(), ["NEW01 deferred"]);
});

test("a sender does not include its extensions, and an account does", async () => {
  queue.mails = [mail("AAAA1"), mail("AAAA2", { sender: "anna+bob=elsewhere.test@example.test" })];
  assert.deepEqual(await result({ verb: "queue_hold", ...SOME, sender: ANNA }), done(1));
  assert.deepEqual(await result({ verb: "queue_delete", ...ANNAS }), done(2));
});

test("an account includes all its addresses, and a bounce has the empty sender", async () => {
  assert.ok((await kit.ask({ verb: "alias_add", address: "info@example.test", targets: [ANNA] })).ok);
  queue.mails = [mail("AAAA1"), mail("AAAA2", { sender: "info@example.test" }), mail("AAAA3", { sender: "" })];
  assert.deepEqual(await result({ verb: "queue_delete", ...ANNAS }), done(2));
  assert.deepEqual(left(), ["AAAA3 deferred"]);
  await result({ verb: "queue_delete", ...SOME, sender: "" });
  assert.deepEqual(left(), []);
});

test("root's holds are made by hand: a flush skips such mail, and a release delivers it", async () => {
  queue.mails = [mail("AAAA1"), mail("AAAA2")];
  await result({ verb: "queue_hold", ...SOME, ids: ["AAAA1"] });
  assert.deepEqual(left(), ["AAAA1 hold", "AAAA2 deferred"]);
  await result({ verb: "queue_flush", ...ALL });
  assert.deepEqual(left(), ["AAAA1 hold", "AAAA2 active"]);
  const listing = await result({ verb: "queue_list", ...NONE, limit: 9, cursor: null });
  assert.match(JSON.stringify(listing), /"queueId":"AAAA1","queue":"hold".*"heldFor":"root"/);
  await result({ verb: "queue_release", ...ALL });
  assert.deepEqual(left(), ["AAAA1 active", "AAAA2 active"]);
  assert.equal(kit.heldMail.holderOf("AAAA1"), null, "its note goes too");
  assert.match(await kit.said({ verb: "queue_release", ...ALL }), /^failed No such mail is on hold/);
});

test("mail that the guard holds is left to `account release`, and is named", async () => {
  queue.mails = [mail("AAAA1", { queue: "hold" }), mail("AAAA2", { sender: BERT })];
  await holdMails(kit, ANNA, "AAAA1");
  const kept = [{ account: ANNA, mails: 1 }];
  for (const verb of ["queue_release", "queue_delete"] as const)
    assert.deepEqual(await result({ verb, ...SOME, ids: ["AAAA1"] }), done(0, { kept }));
  assert.deepEqual(await result({ verb: "queue_delete", ...ALL }), done(1, { kept }));
  assert.deepEqual(left(), ["AAAA1 hold"]);
});

test("mail of a held account without a note also belongs to the guard", async () => {
  const evidence = { count: 21, limit: 20, windowMs: 3_600_000, key: "limits.sending.strangers" };
  const from = { prefix: net("203.0.113.66/32"), ip: ip("203.0.113.66") };
  assert.ok(await kit.engine.audit(null, [{ type: "HOLD_ACCOUNT", account: ANNA, ...from, evidence }]));
  queue.mails = ["Anna+tag@example.test", BERT].map((sender, i) => mail(`AAAA${i}`, { queue: "hold", sender }));
  const kept = [{ account: ANNA, mails: 1 }];
  assert.deepEqual(await result({ verb: "queue_release", ...ALL }), done(1, { kept }));
});

test("`account release`, `account drop` and `suspend` do not touch what root holds", async () => {
  queue.mails = [mail("AAAA1"), mail("AAAA2")];
  await result({ verb: "queue_hold", ...SOME, ids: ["AAAA1"] });
  assert.match(await kit.said({ verb: "held_release", name: ANNA }), /No mail of anna@example\.test is held/);
  assert.deepEqual(await result({ verb: "account_suspend", name: ANNA }), { name: ANNA, held: 1 });
  const dropped = await result({ verb: "held_drop", name: ANNA });
  assert.deepEqual(dropped, { name: ANNA, dropped: 1, isMore: false, isHeld: false });
  assert.deepEqual(left(), ["AAAA1 hold"]);
});

test("what root does is recorded, except retries", async () => {
  queue.mails = [mail("AAAA1"), mail("AAAA2"), mail("BBBB1", { sender: BERT })];
  const before = kit.rows();
  await result({ verb: "queue_flush", ...ALL });
  assert.equal(kit.rows(), before);
  await result({ verb: "queue_hold", ...SOME, ids: ["AAAA1"] });
  await result({ verb: "queue_release", ...ANNAS });
  await result({ verb: "queue_return", ...SOME, sender: BERT });
  await result({ verb: "queue_hold", ...ALL });
  await result({ verb: "queue_delete", ...SOME, recipient: "bob@elsewhere.test" });
  const types = ["HELD", "RELEASED", "DELETED", "HELD", "DELETED"].map((what) => `QUEUE_${what}`);
  assert.deepEqual(kit.types().slice(before), types);
  const rows = kit.db.prepare(
    "SELECT coalesce(queue_id, rest ->> '$.queueIds'), account, sender, recipient, details FROM event ORDER BY id",
  );
  const both = '["AAAA1","AAAA2"]';
  assert.deepEqual(rows.all().slice(before).map(Object.values), [
    ["AAAA1", null, null, null, "AAAA1 by root"],
    ["AAAA1", ANNA, null, null, `account ${ANNA} by root`],
    ["BBBB1", null, BERT, null, `sender <${BERT}>, returned to its senders by root`],
    [both, null, null, null, "all mail in the queue by root"],
    [both, null, null, "bob@elsewhere.test", "recipient <bob@elsewhere.test> by root"],
  ]);
});

test("the record of a change names ten of its mails", async () => {
  queue.mails = mails(11);
  const ids = queue.mails.map(({ id }) => id);
  const ten = ids.slice(0, 10);
  for (const all of [ten, ids]) await result({ verb: "queue_hold", ...SOME, ids: all });
  assert.deepEqual(kit.details().slice(-2), [`${ten.join(" ")} by root`, `${ten.join(" ")} and 1 more by root`]);
});

test("two thousand mails are deleted in parts, skipping those that stay", async () => {
  queue.mails = mails(2_000, { queue: "hold" });
  await holdMails(kit, BERT, ...queue.mails.slice(0, 600).map(({ id }) => id));
  const kept = [{ account: BERT, mails: 600 }];
  assert.deepEqual(await result({ verb: "queue_delete", ...ALL }), done(1_400, { kept }));
  queue.mails = mails(6_000);
  const next = `0000000000004999 ${id(4_999)}`;
  assert.deepEqual(await result({ verb: "queue_hold", ...ALL }), done(5_000, { next }));
  assert.deepEqual(await result({ verb: "queue_hold", ...ALL, cursor: next }), done(1_000));
  assert.equal(kit.types().filter((type) => type === "QUEUE_HELD").length, 2, "one record of each command");
});

test("all mail is retried by one order, and chosen mail in parts", async () => {
  queue.mails = mails(450);
  const annas = { verb: "queue_flush", ...ANNAS } as const;
  const next = "0000000000000199 MANY00199";
  assert.deepEqual(await result(annas), done(200, { next }));
  // These fail in the meantime, so they wait again.
  queue.mails = queue.mails.map((one) => ({ ...one, queue: "deferred" }));
  const second = "0000000000000399 MANY00399";
  assert.deepEqual(await result({ ...annas, cursor: next }), done(200, { next: second }));
  assert.deepEqual(await result({ ...annas, cursor: second }), done(50));
  queue.mails = queue.mails.map((one) => ({ ...one, queue: "deferred" }));
  assert.deepEqual(await result({ verb: "queue_flush", ...ALL }), done(450));
  const flushed = queue.ordered("flush_mail").map(({ length }) => length);
  assert.deepEqual(flushed, [200, 200, 50, 0]);
});

test("mails of the guard beyond one command's limit do not hide later mails", async () => {
  queue.mails = mails(5_001, { queue: "hold" });
  await holdMails(kit, BERT, ...queue.mails.slice(0, 5_000).map(({ id }) => id));
  const next = `0000000000004999 ${id(4_999)}`;
  const kept = [{ account: BERT, mails: 5_000 }];
  assert.deepEqual(await result({ verb: "queue_release", ...ALL }), done(0, { kept, next }));
  assert.deepEqual(await result({ verb: "queue_release", ...ALL, cursor: next }), done(1));
});

test("nothing is done if nothing can be recorded, or Postfix cannot be asked", async () => {
  queue.mails = [mail("AAAA1")];
  kit.given.keeperUp = false;
  assert.match(await kit.said({ verb: "queue_delete", ...ALL }), /^failed The queue could not be changed: no answer/);
  kit.given.keeperUp = true;
  kit.fillDisk();
  assert.match(await kit.said({ verb: "queue_delete", ...ALL }), UNRECORDED);
  assert.deepEqual(left(), ["AAAA1 deferred"]);
});

test("a change that the keeper accepted but did not confirm may be done", async () => {
  const message = "The queue may have been changed: no answer";
  await holdMails(kit, ANNA, "AAAA2");
  for (const [order, command] of [
    ["delete_mail", { verb: "queue_delete", ...ALL }],
    ["flush_mail", { verb: "queue_flush", ...ALL }],
    ["delete_mail", { verb: "held_drop", name: ANNA }],
  ] as const) {
    queue.mails = [mail("AAAA1"), mail("AAAA2", { queue: "hold" })];
    kit.replies.set(order, { ok: false, reason: "no answer", mayBeDone: true });
    assert.partialDeepStrictEqual(await kit.ask(command), { message, mayBeDone: true }, command.verb);
  }
});

test("what was changed before a failure is reported, with where the rest starts", async () => {
  const all = mails(1_000, { queue: "hold" });
  await holdMails(kit, BERT, ...all.slice(1, 500).map(({ id }) => id));
  kit.given.list = ({ after }) => {
    if (after !== null) kit.given.keeperUp = false;
    return { queue: after === null ? all.slice(0, 500) : all.slice(500), total: 1_000 };
  };
  const next = `0000000000000499 ${id(499)}`;
  const command = { verb: "queue_delete", ...ALL } as const;
  assert.deepEqual(await result(command), done(1, { kept: [{ account: BERT, mails: 499 }], next }));
  assert.match(await kit.said({ ...command, cursor: next }), /^failed The queue could not be changed: no answer/);
});

test("no mail is held whose note cannot be written", async () => {
  queue.mails = mails(501);
  const refused = `BEFORE INSERT ON held_mail WHEN NEW.queue_id = '${id(500)}'`;
  kit.db.exec(`CREATE TRIGGER full ${refused} BEGIN SELECT RAISE(ABORT, 'disk is full'); END`);
  const next = `0000000000000499 ${id(499)}`;
  const command = { verb: "queue_hold", ...ALL } as const;
  assert.deepEqual(await result(command), done(500, { next }));
  assert.match(await kit.said({ ...command, cursor: next }), UNRECORDED);
  assert.deepEqual(left().slice(-2), [`${id(499)} hold`, `${id(500)} deferred`]);
});

test("an account includes what it sent from an address shared with other accounts", async () => {
  assert.ok((await kit.ask({ verb: "alias_add", address: INFO, targets: [ANNA, BERT] })).ok);
  for (const queueId of ["AAAA1", "AAAA2", "BBBB1"]) {
    const account = queueId === "BBBB1" ? BERT : ANNA;
    const sent = { ...MAIL, ip: ip("203.0.113.7"), account, sender: INFO, queueId, session: queueId };
    const recipient = "x@elsewhere.test";
    const asked = { ...sent, type: "DATA", recipientCount: 1, recipient, transaction: queueId } as const;
    assert.equal((await kit.engine.ask(asked)).verdict, "pass");
  }
  queue.mails = ["AAAA1", "AAAA2", "BBBB1"].map((queueId) => mail(queueId, { sender: INFO }));
  // An isolated server keeps its mail for 100 days.
  kit.clock.advance(99 * DAY_MS);
  assert.ok((await kit.ask({ verb: "queue_hold", ...ANNAS })).ok);
  assert.deepEqual(kit.asked.at(-1), { verb: "hold_mail", ids: ["AAAA1", "AAAA2"] });
});

test("with a cursor before all mail, an empty result is a success", async () => {
  assert.match(await kit.said({ verb: "queue_hold", ...ANNAS }), /^failed No such mail waits in the queue\./);
  assert.deepEqual(await result({ verb: "queue_hold", ...ANNAS, cursor: BEFORE_ALL_MAIL }), done(0));
  assert.deepEqual(kit.asked, [], "Postfix gets no order");
  kit.given.keeperUp = false;
  assert.equal((await kit.ask({ verb: "queue_hold", ...ANNAS, cursor: BEFORE_ALL_MAIL })).ok, false);
});

test("a selection may say where mail waits; a command that is impossible there finds none", async () => {
  queue.mails = [mail(id(1)), mail(id(2), { queue: "hold" }), mail(id(3), { queue: "active" })];
  const of = (state: "deferred" | "hold" | "active") => ({ ...SOME, sender: ANNA, state }) as const;
  const listing = await result({ verb: "queue_list", ...NONE, state: "hold", limit: 500, cursor: null });
  assert.match(JSON.stringify(listing), /^\{"items":\[\{"queueId":"MANY00002".*"total":1,/);
  assert.match(await kit.said({ verb: "queue_hold", ...of("hold") }), /^failed No such mail waits/);
  assert.match(await kit.said({ verb: "queue_release", ...of("active") }), /^failed No such mail is on hold/);
  assert.match(await kit.said({ verb: "queue_flush", ...of("hold") }), /^failed No such mail waits for another/);
  const flush = { verb: "queue_flush", ...ALL, state: "active" } as const;
  assert.match(await kit.said(flush), /^failed No such mail waits for another/);
  assert.deepEqual(await result({ verb: "queue_hold", ...of("active") }), done(1));
  assert.deepEqual(left(), ["MANY00001 deferred", "MANY00002 hold", "MANY00003 hold"]);
  assert.deepEqual(await result({ verb: "queue_delete", ...of("hold") }), done(2));
  assert.deepEqual(kit.details().at(-1), "sender <anna@example.test> state hold by root");
});

test("the web deletes or returns at most a thousand mails within an hour, and learns where the rest starts", async () => {
  kit.signIn(OWNER);
  const ask = (verb: "queue_delete" | "queue_return" | "queue_hold") =>
    kit.ask({ verb, ...SOME, sender: ANNA }, "web", OWNER);
  queue.mails = mails(700);
  assert.deepEqual(await ask("queue_delete"), { ok: true, result: done(700) });
  queue.mails = mails(700);
  const next = `0000000000000299 ${id(299)}`;
  assert.deepEqual(await ask("queue_return"), { ok: true, result: done(300, { next }) });
  assert.match(refusalOf(await ask("queue_delete")), /which is the maximum/);
  assert.equal(queue.mails.length, 400);
  queue.mails = mails(1_001);
  const held = done(1_000, { next: `0000000000000999 ${id(999)}` });
  assert.deepEqual(await ask("queue_hold"), { ok: true, result: held }, "without an hourly limit");
  await new Promise((resolve) => setImmediate(resolve));
  const details = kit.details().join("\n");
  assert.match(details, /sender <anna@example\.test> by web:admin via 203\.0\.113\.8/);
  assert.doesNotMatch(details, /queue_delete by web:admin/, "an owner in a hurry is not a break-in");
});

test("the web releases at most five hundred mails within a day", async () => {
  kit.signIn(OWNER);
  const release = () => kit.ask({ verb: "queue_release", ...ALL }, "web", OWNER);
  queue.mails = mails(600, { queue: "hold" });
  const next = `0000000000000499 ${id(499)}`;
  assert.deepEqual(await release(), { ok: true, result: done(500, { next }) });
  assert.match(refusalOf(await release()), /500 mails within a day/);
  assert.deepEqual(await result({ verb: "queue_release", ...ALL }), done(100), "root has no such limit");
});

for (const [what, command, says] of [
  ["a choice and all", { verb: "queue_delete", ...ALL, ids: ["AAAA1"] }, /^usage Choose either/],
  ["no choice", { verb: "queue_delete", ...SOME }, /^usage Choose either/],
  ["both senders", { verb: "queue_hold", ...ANNAS, sender: BERT }, /^usage An account already/],
  ["no place", { verb: "queue_hold", ...ALL, cursor: "x" }, /^usage This cursor is not/],
  ["no cursor", { verb: "queue_list", ...NONE, limit: 1, cursor: "x" }, /^usage This cursor is not/],
  ["no such mail", { verb: "queue_flush", ...ALL }, /^failed No such mail waits for another try/],
] as const satisfies readonly (readonly [string, Command, RegExp])[])
  test(`refused in one sentence: ${what}`, async () => assert.match(await kit.said(command), says));
