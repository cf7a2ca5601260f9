import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, HASH, OWNER, refusalOf } from "../../../../test/kit/commands-kit.ts";
import { fakeQueue, holdMails, listedMail } from "../../../../test/kit/queue-kit.ts";
import { ip, MAIL, RECIPIENT } from "../../../../test/kit/samples.ts";
import { columnOf } from "../../../../test/kit/test-database.ts";
import { settled } from "../../../../test/kit/until.ts";
import type { ListedMail } from "../../../admin/declare/keeper.ts";
import type { HeldList } from "../../../admin/held.ts";
import { DAY_MS, HOUR_MS, isoTime, later, MINUTE_MS } from "../../../core/time.ts";
import { forgetGone } from "./held-queue.ts";

const [ANNA, BERT] = ["anna@example.test", "bert@example.test"];
const THIEF = ip("203.0.113.66");

const kit = commandsOf(import.meta.filename, ANNA);
const queue = fakeQueue(import.meta.filename, kit);

const RELEASE = { verb: "held_release", name: ANNA } as const;
const DROP = { verb: "held_drop", name: ANNA } as const;
const SUSPEND = { verb: "account_suspend", name: ANNA } as const;
const RESUME = { verb: "account_resume", name: ANNA } as const;
const dropped = (count: number, isMore = false) => ({ name: ANNA, dropped: count, isMore, isHeld: true });
const many = (count: number, from = 1_000) => Array.from({ length: count }, (_, i) => `MANY${from + i}`);

async function releases(released: number, isMore = false): Promise<void> {
  assert.deepEqual(await kit.result(RELEASE), { name: ANNA, released, isMore });
}

function put(mail: Partial<ListedMail>, ...ids: readonly string[]): void {
  queue.mails = [...queue.mails, ...ids.map((id) => listedMail(id, mail))];
}

/** A mail to this many strangers, through all stages. */
async function send(queueId: string, recipients: number, account = ANNA, from = THIEF): Promise<string> {
  const mail = { ...MAIL, ip: from, account, sender: account, queueId, session: queueId, transaction: queueId };
  for (let i = 0; i < recipients; i++)
    await kit.engine.ask({ ...RECIPIENT, ...mail, recipient: `${queueId}-${i}@elsewhere.test` });
  const recipient = recipients === 1 ? `${queueId}-0@elsewhere.test` : null;
  const begun = await kit.engine.ask({ type: "DATA", recipientCount: recipients, ...mail, recipient });
  await kit.engine.ask({ type: "END_OF_MESSAGE", recipientCount: recipients, sizeBytes: 1, ...mail, recipient });
  put({ sender: account, queue: begun.verdict === "hold" ? "hold" : "deferred", recipientCount: recipients }, queueId);
  return `${begun.verdict} ${begun.reason}`;
}

const left = () => queue.mails.map(({ id }) => id);

test("lists held mail, and for one account also what it sent before", async () => {
  for (const id of ["SENT1", "SENT2"]) assert.equal(await send(id, 2), "pass below_limit");
  assert.equal(await send("HELD1", 30), "hold account_held");
  const at = isoTime(kit.clock.now());
  const evidence = { count: 34, limit: 20, windowMs: HOUR_MS, key: "limits.sending.strangers" };
  const accounts = [{ account: ANNA, ip: THIEF, ...evidence, at }];
  const recipients = [0, 1, 2, 3, 4].map((i) => `held1-${i}@elsewhere.test`);
  const held = { queueId: "HELD1", account: ANNA, at, ip: THIEF, recipientCount: 30, recipients };
  const sent = { queueId: "SENT1", at, ip: THIEF, recipientCount: 2, recipient: null };
  const all = { accounts, held: [held], heldTotal: 1, sent: [], sentTotal: 0, suspended: false };
  assert.deepEqual(await kit.result({ verb: "held_list", name: null }), all);
  const before = { sent: [{ ...sent, queueId: "SENT2" }, sent], sentTotal: 2 };
  assert.deepEqual(await kit.result({ verb: "held_list", name: ANNA }), { ...all, ...before });
});

test("a list shows the latest hundred held mails, with their recipients in the queue, and says how many there are", async () => {
  await holdMails(kit, ANNA, "NOTED");
  const recipients = [{ address: "bob@elsewhere.test", reason: null }];
  put({ queue: "hold", sender: ANNA, at: 1_000, recipients }, "NOTED", ...many(100));
  const { held, heldTotal } = await kit.result({ verb: "held_list", name: ANNA });
  assert.deepEqual([held.length, heldTotal], [100, 101]);
  const shown = { account: ANNA, ip: null, recipientCount: 1, recipients: ["bob@elsewhere.test"] };
  assert.deepEqual(held.slice(0, 2), [
    { queueId: "NOTED", ...shown, at: isoTime(kit.clock.now()) },
    { queueId: "MANY1000", ...shown, at: new Date(1_000).toISOString() },
  ]);
});

test("a total counts mails beyond the 2,000 that are looked up", async () => {
  const ids = many(2_001);
  await holdMails(kit, ANNA, ...ids);
  await holdMails(kit, BERT, "BERT1");
  put({ queue: "hold", sender: ANNA }, ...ids);
  put({ queue: "hold" }, "BERT1");
  const total = async (name: string | null) => (await kit.result({ verb: "held_list", name })).heldTotal;
  assert.deepEqual([await total(ANNA), await total(BERT), await total(null)], [2_001, 1, 2_002]);
  assert.equal((await kit.result(RESUME)).held, 2_001);
});

test("a release ends the hold, sends the mail, and makes its recipients known", async () => {
  await send("HELD1", 30);
  assert.equal((await kit.result(RESUME)).isHeld, true, "a new sign-in does not release it");
  kit.asked.splice(0);
  await releases(1);
  assert.deepEqual(queue.ordered("release_mail"), [["HELD1"]]);
  assert.equal(queue.ordered("find_mail").length, 2, "the queue is read before and after");
  assert.equal(kit.types().at(-1), "ACCOUNT_RELEASED");
  assert.equal(await send("AFTER", 20), "pass below_limit", "the hour starts again, and the place is known");
  assert.match(await kit.said(RELEASE), /^failed No mail of anna@example\.test is held/);
});

test("nothing is lost while the keeper is down: the same command releases the rest", async () => {
  kit.given.keeperUp = false;
  assert.equal((await kit.result({ verb: "held_list", name: null })).heldTotal, 0, "none was noted");
  await send("HELD1", 30);
  assert.match(await kit.said(RELEASE), /^failed The queue could not be changed: no answer/);
  assert.match(await kit.said({ verb: "held_list", name: ANNA }), /no answer/);
  assert.match(await kit.said(DROP), /no answer/);
  kit.given.keeperUp = true;
  await releases(1);
});

test("a release that fails afterwards says that the hold has ended", async () => {
  await send("HELD1", 30);
  kit.replies.set("release_mail", { ok: false, reason: "no answer" });
  const message =
    "New mail of anna@example.test is no longer held, but mail on hold may not have been released: no answer";
  assert.partialDeepStrictEqual(await kit.ask(RELEASE), { message, mayBeDone: true });
  assert.equal(await send("AFTER", 20), "pass below_limit");
});

test("mail released before a failure is reported, and that there is more", async () => {
  const mails = Array.from({ length: 700 }, (_, n) => ({ id: `MANY${n}`, isHeld: true, at: 0, recipients: 1 }));
  let looks = 0;
  kit.given.queue = () => {
    looks += 1;
    if (looks === 2) kit.given.keeperUp = false;
    return looks === 1 ? mails.slice(0, 500) : mails.slice(500);
  };
  await releases(500, true);
});

test("the first 500 mails count even if the next ones fail", async () => {
  const ids = many(700);
  await holdMails(kit, ANNA, ...ids);
  put({ queue: "hold", sender: "info@example.test" }, ...ids);
  queue.before(2, "release_mail", () => Promise.resolve({ ok: false, reason: "no answer" }));
  await releases(500, true);
  await releases(200);
});

test("a drop deletes the mail, and the account stays held until it is released", async () => {
  await send("HELD1", 30);
  kit.asked.splice(0);
  assert.deepEqual(await kit.result(DROP), dropped(1));
  assert.deepEqual(queue.ordered("delete_mail"), [["HELD1"]]);
  assert.equal(kit.types().at(-1), "HELD_MAIL_DROPPED");
  assert.match(await kit.said(DROP), /^failed No mail/);
  assert.equal(await send("NEXT1", 1), "hold account_held");
  assert.deepEqual(await kit.result({ ...DROP, isReturned: true }), dropped(1));
  assert.deepEqual(queue.ordered("return_mail"), [["NEXT1"]]);
  await releases(0);
  assert.equal(await send("NEXT2", 1), "pass below_limit");
});

test("a drop of named mails deletes no other mail, and none from a different account", async () => {
  await send("HELD1", 30);
  await send("HELD2", 1);
  await holdMails(kit, BERT, "BERT1");
  put({ queue: "hold", sender: ANNA }, "BERT1", "UNSEEN");
  const drop = (ids: readonly string[]) => kit.result({ ...DROP, ids: [...ids] });
  assert.deepEqual(await drop(["HELD1", "BERT1", "GONE1", "UNSEEN"]), dropped(2));
  assert.deepEqual(left(), ["HELD2", "BERT1"]);
  assert.deepEqual(await drop(["HELD1"]), dropped(0));
});

test("without a record no held mail leaves the queue", async () => {
  await send("HELD1", 30);
  kit.fillDisk();
  for (const command of [RELEASE, DROP])
    assert.match(await kit.said(command), /^failed The audit entry could not be written, so nothing/);
  assert.partialDeepStrictEqual(queue.mails, [{ id: "HELD1", queue: "hold" }]);
});

test("a thousand held mails are deleted in parts, and the release afterwards sends none", async () => {
  await send("HELD1", 30);
  put({ queue: "hold", sender: ANNA }, ...many(1_200));
  const ofAlias = many(700, 5_000);
  await holdMails(kit, ANNA, ...ofAlias);
  put({ queue: "hold", sender: "info@example.test" }, ...ofAlias);
  assert.deepEqual(await kit.result(DROP), dropped(1_901));
  assert.deepEqual(queue.mails, []);
  assert.deepEqual(kit.types().filter((type) => type === "HELD_MAIL_DROPPED").length, 1);
  await releases(0);
});

test("through the web at most 500 held mails leave within a day", async () => {
  await send("HELD1", 30);
  put({ queue: "hold", sender: ANNA }, ...many(600));
  const release = (as = OWNER.as) => {
    kit.signIn({ ...OWNER, as });
    return kit.ask(RELEASE, "web", { ...OWNER, as });
  };
  assert.deepEqual(await release(), { ok: true, result: { name: ANNA, released: 500, isMore: true } });
  kit.clock.advance(2 * HOUR_MS);
  assert.match(refusalOf(await release("1e".repeat(32))), /500 mails within a day/);
  await releases(101);
});

test("mail that stays on hold keeps its note, and the reply says that there is more", async () => {
  await send("HELD1", 30);
  const stuck = { id: "HELD1", isHeld: true, at: 0, recipients: 30 };
  kit.given.queue = ({ onHold }) => (onHold ? [stuck] : []);
  assert.deepEqual(await kit.result(DROP), dropped(0, true));
  assert.equal(kit.kept().filter((verb) => verb === "delete_mail").length, 40, "20,000 mails at a time");
  const listed = await kit.result({ verb: "held_list", name: ANNA });
  assert.ok(JSON.stringify(listed.held).includes("held1-0@elsewhere.test"));
});

test("a suspended account has its queued mail held: by its events, and by its addresses as sender", async () => {
  await send("SENT1", 2);
  await send("OTHER", 1, BERT);
  queue.mails = queue.mails.map((mail) => (mail.id === "SENT1" ? { ...mail, sender: "info@example.test" } : mail));
  put({ sender: ANNA, recipientCount: 7 }, "UNSEEN");
  await holdMails(kit, ANNA, "NOTED");
  put({ sender: "info@example.test" }, "NOTED");
  const aliases = { "sales@example.test": [ANNA], "team@example.test": [ANNA, BERT] };
  assert.ok((await kit.ask({ verb: "account_create_hashed", name: BERT, hash: HASH })).ok);
  for (const [address, targets] of Object.entries(aliases)) {
    assert.ok((await kit.ask({ verb: "alias_add", address, targets })).ok);
    put({ sender: address }, address.slice(0, 5));
  }
  assert.deepEqual(await kit.result(SUSPEND), { name: ANNA, held: 4 });
  assert.deepEqual(queue.onHold(), ["SENT1", "UNSEEN", "NOTED", "sales"]);
  assert.deepEqual(await kit.result(RESUME), { name: ANNA, held: 4, isHeld: false });
  await releases(4);
});

test("a drop deletes no mail that comes after the order, or that no list can have shown", async () => {
  await send("SPAM1", 30);
  await holdMails(kit, ANNA, "ONWAY");
  queue.before(1, "delete_mail", async () => {
    put({ queue: "hold", sender: ANNA }, "ONWAY");
    kit.clock.advance(1);
    await send("GENUINE", 1);
  });
  assert.deepEqual(await kit.result(DROP), dropped(1));
  assert.deepEqual(left(), ["ONWAY", "GENUINE"]);
  const until = isoTime(kit.clock.now());
  kit.clock.advance(1);
  await send("NEXT", 1);
  assert.deepEqual(await kit.result({ ...DROP, until: isoTime(later(kit.clock.now(), -DAY_MS)) }), dropped(0));
  assert.deepEqual(await kit.result({ ...DROP, until }), dropped(2), "what the list showed");
  assert.deepEqual(left(), ["NEXT"]);
});

test("a release sends no mail held after the newest that was listed", async () => {
  await send("SHOWN", 30);
  const until = isoTime(kit.clock.now());
  kit.clock.advance(1);
  await send("UNSEEN", 1);
  assert.deepEqual(await kit.result({ ...RELEASE, until }), { name: ANNA, released: 1, isMore: false });
  assert.deepEqual(queue.onHold(), ["UNSEEN"]);
  const known = () => columnOf(kit.db, "SELECT count(*) FROM correspondent WHERE address LIKE 'unseen-%'");
  assert.deepEqual(known(), [0]);
  assert.match(await kit.said({ ...RELEASE, until }), /^failed No mail/);
  await releases(1);
  assert.deepEqual(known(), [1]);
});

test("a release does not send mail that the account's next hold keeps", async () => {
  await send("OLD1", 30);
  queue.before(1, "release_mail", async () => {
    kit.clock.advance(1);
    assert.equal(await send("NEW1", 30, ANNA, ip("198.51.100.7")), "hold account_held");
  });
  await releases(1);
  assert.deepEqual(queue.onHold(), ["NEW1"]);
  assert.equal((await kit.result(RESUME)).isHeld, true);
});

test("a release based on a list does not end a hold that started later", async () => {
  await send("OLD1", 30);
  const until = isoTime(kit.clock.now());
  await releases(1);
  kit.clock.advance(1);
  assert.equal(await send("NEW1", 30, ANNA, ip("198.51.100.7")), "hold account_held");
  const stale = await kit.ask({ ...RELEASE, until });
  assert.match(refusalOf(stale), /^The held mail of anna@example\.test changed after the list was made/);
  put({ queue: "hold", sender: ANNA }, "REST");
  assert.deepEqual(await kit.ask({ ...RELEASE, until }), stale, "even while some of the shown mail is on hold");
  assert.equal(await send("NEW2", 1), "hold account_held");
  assert.deepEqual(queue.onHold(), ["NEW1", "REST", "NEW2"]);
});

test("a release of mail that was dropped since it was listed does not vouch for the account", async () => {
  await send("SPAM1", 30);
  kit.clock.advance(1);
  await send("SPAM2", 1);
  const { accounts, held } = await kit.result({ verb: "held_list", name: ANNA });
  assert.deepEqual(await kit.result(DROP), dropped(2));
  const stale = await kit.ask({ ...RELEASE, until: held[0]?.at });
  assert.match(refusalOf(stale), /^The held mail of anna@example\.test changed after the list was made/);
  assert.equal(await send("NEXT1", 1), "hold account_held");
  assert.deepEqual(await kit.result(DROP), dropped(1));
  const result = { name: ANNA, released: 0, isMore: false };
  assert.deepEqual(await kit.result({ ...RELEASE, until: accounts[0]?.at }), result, "the list shows no mail");
  assert.equal(await send("NEXT2", 1), "pass below_limit");
});

test("a release stops once the account is suspended, even for mail that it has just released and that is held again", async () => {
  const ids = many(1_200);
  await holdMails(kit, ANNA, ...ids);
  put({ queue: "hold", sender: ANNA }, ...ids);
  queue.before(2, "release_mail", async () => assert.equal((await kit.result(SUSPEND)).held, 1_200));
  await releases(500, true);
  assert.deepEqual(queue.onHold(), [...ids.slice(0, 500), ...ids.slice(1_000)]);
});

test("a release based on a list sends nothing once the account is suspended, unless the list said so", async () => {
  await send("HELD1", 30);
  const list = () => kit.result({ verb: "held_list", name: ANNA });
  const release = ({ held, suspended }: HeldList) => kit.ask({ ...RELEASE, until: held[0]?.at, suspended });
  const shown = await list();
  await kit.result(SUSPEND);
  assert.match(refusalOf(await release(shown)), /^anna@example\.test was suspended after the list was made/);
  assert.deepEqual(queue.onHold(), ["HELD1"]);
  assert.equal((await kit.result({ verb: "held_list", name: null })).accounts.length, 1, "the hold stays");
  assert.ok((await release(await list())).ok);
  assert.deepEqual(queue.onHold(), []);
});

test("while a suspension puts mail on hold, the mail that it holds already is the account's, and stays", async () => {
  put({ sender: ANNA }, ...many(1_200));
  const all = { ids: [], account: null, sender: null, recipient: null, isAll: true, cursor: null } as const;
  queue.before(2, "hold_mail", async () => {
    const { changed, kept } = await kit.result({ verb: "queue_release", ...all });
    assert.deepEqual([changed, kept], [0, [{ account: ANNA, mails: 500 }]]);
  });
  assert.deepEqual(await kit.result(SUSPEND), { name: ANNA, held: 1_200 });
  assert.equal(queue.onHold().length, 1_200);
  await releases(1_200);
});

test("a suspension that is revoked while it puts mail on hold ends, and the reply names what is on hold", async () => {
  put({ sender: ANNA }, ...many(1_200));
  queue.before(3, "find_mail", async () => {
    assert.deepEqual(await kit.result(RESUME), { name: ANNA, held: 1_000, isHeld: false });
  });
  const resumed = /anna@example\.test was resumed while its mail was being put on hold; some of it may be on hold/;
  assert.match(await kit.said(SUSPEND), resumed);
  assert.equal(queue.onHold().length, 1_000);
  await releases(1_000);
});

test("mail put on hold before the guard ends has its note, and mail that left before it was held has none", async () => {
  put({ sender: ANNA }, ...many(700));
  queue.before(2, "hold_mail", () => new Promise(() => undefined));
  void kit.ask(SUSPEND);
  await settled();
  assert.equal(queue.onHold().length, 500);
  assert.equal(noted().length, 700);
  queue.before(1, "hold_mail", async () => void (queue.mails = queue.mails.filter(({ id }) => id !== "MANY1699")));
  assert.deepEqual(await kit.result(SUSPEND), { name: ANNA, held: 699 });
  assert.equal(noted().length, 699);
});

test("mail that the keeper could not put on hold has no note, unless it may have", async () => {
  put({ sender: ANNA }, ...many(700));
  queue.before(2, "hold_mail", () => Promise.resolve({ ok: false, reason: "postsuper failed" }));
  assert.match(await kit.said(SUSPEND), /was not held: postsuper failed/);
  assert.equal(queue.onHold().length, 500);
  assert.equal(noted().length, 500);
  kit.replies.set("hold_mail", { ok: false, reason: "no answer", mayBeDone: true });
  assert.match(await kit.said(SUSPEND), /was not held: no answer/);
  assert.equal(noted().length, 700);
});

test("mail that cannot be held is reported", async () => {
  const stuck = { id: "STUCK1", isHeld: false, at: 0, recipients: 1 };
  kit.given.queue = ({ onHold }) => (onHold ? [] : [stuck]);
  const reply = await kit.ask(SUSPEND);
  assert.equal(kit.kept().filter((verb) => verb === "hold_mail").length, 40);
  const says = /is suspended, but its mail in the queue was not held: Mail kept coming into the queue/;
  assert.match(refusalOf(reply), says);
  assert.partialDeepStrictEqual(reply, { mayBeDone: true });
  assert.ok(kit.types().includes("ACCOUNT_SUSPENDED"));
});

/** From now on Postfix's queue contains only these mails, on hold. */
function leave(...ids: readonly string[]): void {
  queue.mails = ids.map((id) => listedMail(id, { queue: "hold" }));
}
const noted = () => columnOf(kit.db, "SELECT queue_id FROM held_mail ORDER BY queue_id");
const parts = () => ({ ...kit, accounts: { sendersOf: () => [] } });

test("a list forgets mail that root removed from the queue, but not mail that may still be on its way into it", async () => {
  await holdMails(kit, ANNA, "OLD1", "OLD2");
  kit.clock.advance(1);
  await holdMails(kit, ANNA, "NEW1");
  kit.clock.advance(HOUR_MS);
  leave("OLD1");
  assert.equal((await kit.result({ verb: "held_list", name: null })).heldTotal, 1);
  assert.deepEqual(noted(), ["NEW1", "OLD1"]);
});

test("a release does not make known the recipients of a mail that root deleted", async () => {
  await holdMails(kit, ANNA, "GONE", "KEPT");
  kit.clock.advance(HOUR_MS + 1);
  leave("KEPT");
  assert.ok((await kit.ask(RELEASE)).ok);
  assert.deepEqual(columnOf(kit.db, "SELECT address FROM correspondent"), ["kept@elsewhere.test"]);
});

test("notes of all accounts are compared with the queue, 500 at a time", async () => {
  await holdMails(kit, ANNA, ...many(501));
  await holdMails(kit, BERT, "B1");
  kit.clock.advance(HOUR_MS + MINUTE_MS);
  leave("MANY1000", "MANY1500");
  const first = await forgetGone(parts(), "");
  assert.equal(first, "MANY1498");
  assert.deepEqual(noted(), ["MANY1000", "MANY1499", "MANY1500"]);
  assert.equal(await forgetGone(parts(), first), "MANY1500");
  assert.equal(await forgetGone(parts(), "MANY1500"), null);
  assert.deepEqual(noted(), ["MANY1000", "MANY1500"]);
});

test("the guard forgets nothing while the queue cannot be read", async () => {
  await holdMails(kit, ANNA, "A1");
  kit.clock.advance(2 * HOUR_MS);
  kit.given.keeperUp = false;
  assert.equal(await forgetGone(parts(), ""), null);
  assert.deepEqual(noted(), ["A1"]);
});
