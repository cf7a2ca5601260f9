import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { listenOnSocket } from "../../../test/kit/local-server.ts";
import { copyMail, deferMails, makeMailQueue, SENDMAIL } from "../../../test/kit/mail-queue.ts";
import { patience } from "../../../test/kit/patience.ts";
import { done, reasonOf } from "../../../test/kit/reason-of.ts";
import { mailAddress } from "../../../test/kit/samples.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { type KeeperCommand, MAILS_PER_COMMAND, type QueuedMail } from "../../admin/declare/keeper.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { queueVerb } from "./mail-queue.ts";

const ANNA = mailAddress("anna@example.test");
const INFO = mailAddress("info@example.test");
type ListMail = Extract<KeeperCommand, { readonly verb: "list_mail" }>;
const MISSING = "0000000AAAA";
const COPIES = Array.from({ length: MAILS_PER_COMMAND }, (_, i) => `F${(0x10_0000 + i).toString(16).toUpperCase()}`);

/** Postfix's own programs on a queue of files; Postfix itself does not run. */
describe("Postfix's queue", SENDMAIL, () => {
  const layout = temporaryLayout();
  const sentBy = new Map<string, string>();
  before(async () => {
    chmodSync(layout.data, 0o755);
    makeMailQueue(layout);
    const send = async (sender: string, ...to: readonly string[]): Promise<void> => {
      const input = "Subject: hello\n\nHello.\n";
      const sent = await runProgram("sendmail", ["-C", layout.postfixConf, "-f", sender, ...to], { input });
      assert.equal(sent.code, 0, sent.stderr);
      const [id = "", ...others] = deferMails(layout);
      assert.equal(others.length, 0);
      sentBy.set(sender, id);
    };
    await send(ANNA, "one@example.net", "two@example.net");
    await send("Anna+Shop@Example.test", "one@example.net");
    await send(INFO, "one@example.net");
    await send("<>", ANNA);
    await send('"anna@example.test x"@example.net', "one@example.net");
    await send("bert@example.test", "one@example.net", '"three \\" \\\\ four"@example.net');
  });

  function idOf(sender: string): string {
    return sentBy.get(sender) ?? assert.fail(sender);
  }
  async function found(onHold: boolean, asked: { senders?: (typeof ANNA)[]; ids?: string[] }) {
    const reply = await queueVerb(layout, { verb: "find_mail", senders: [], ids: [], ...asked, onHold });
    assert.ok(reply.ok && reply.mails !== undefined, JSON.stringify(reply));
    return reply.mails;
  }
  const ids = (mails: readonly Pick<QueuedMail, "id">[]): readonly string[] => mails.map(({ id }) => id).toSorted();

  test("finds mails by their envelope senders, ignoring case and extension, and by their ids", async () => {
    const annas = [idOf(ANNA), idOf("Anna+Shop@Example.test")].toSorted();
    assert.deepEqual(ids(await found(false, { senders: [ANNA] })), annas);
    const bert = idOf("bert@example.test");
    assert.deepEqual(ids(await found(false, { senders: [INFO], ids: [bert, MISSING] })), [idOf(INFO), bert].toSorted());
    const [mail] = await found(false, { ids: [idOf(ANNA)] });
    assert.deepEqual([mail?.recipients, mail?.isHeld], [2, false]);
    assert.ok(Math.abs(Date.now() - (mail?.at ?? 0)) < 600_000, `it arrived at ${mail?.at}`);
    assert.deepEqual(await found(true, { senders: [ANNA, INFO], ids: [bert] }), [], "none is on hold");
    assert.deepEqual(await found(false, {}), [], "no account has an empty or odd sender");
  });

  const ALL = { verb: "list_mail", ids: [], senders: [], recipient: null, where: "anywhere", after: null } as const;
  async function listed(asked: Partial<ListMail> = {}) {
    const reply = await queueVerb(layout, { ...ALL, limit: 500, ...asked });
    assert.ok(reply.ok && reply.queue !== undefined && reply.total !== undefined, JSON.stringify(reply));
    return { queue: reply.queue, total: reply.total, newest: reply.newest };
  }

  test("a list has one page of mails in the order of arrival, with the next retry of deferred mails", async () => {
    const { queue, total, newest } = await listed();
    assert.deepEqual([queue.length, total, newest], [6, 6, queue.at(-1)?.at]);
    const first = queue[1] ?? assert.fail();
    const rest = await listed({ after: { at: first.at, id: first.id }, limit: 2 });
    assert.deepEqual([rest.queue, rest.total], [queue.slice(2, 4), 6]);
    for (const { queue: where, nextTryAt } of queue) assert.ok(where === "deferred" && nextTryAt !== null);
    const info = await listed({ senders: [ANNA], beside: [idOf(INFO)] });
    const senders = info.queue.map(({ sender }) => sender).toSorted();
    assert.deepEqual(senders, ["Anna+Shop@Example.test", ANNA, INFO], "sent as another too");
    assert.deepEqual(ids((await listed({ senders: [""] })).queue), [idOf("<>")]);
    for (const sender of [ANNA, "Anna+Shop@Example.test"]) {
      const exact = await listed({ senders: [sender.toLowerCase()], isExact: true });
      assert.deepEqual(ids(exact.queue), [idOf(sender)]);
    }
    const anna = await listed({ senders: [ANNA], recipient: mailAddress("two@example.net"), where: "loose" });
    const recipients = ["one", "two"].map((name) => ({ address: `${name}@example.net`, reason: null }));
    const shown = anna.queue.map(({ sender, recipients: to }) => [sender, to]);
    assert.deepEqual(shown, [[ANNA, recipients]]);
    assert.deepEqual((await listed({ where: "hold" })).queue, []);
    assert.equal((await listed({ ids: [idOf(INFO), MISSING] })).total, 1);
  });

  test("finds held mail separately, and releases or deletes it by its id; missing ids are ignored", async () => {
    const [anna, info] = [idOf(ANNA), idOf(INFO)];
    type Change = "hold_mail" | "release_mail" | "delete_mail" | "return_mail";
    const change = async (verb: Change, ...of: readonly string[]): Promise<number> => {
      const command = verb === "delete_mail" ? { verb, ids: of, onHold: true } : { verb, ids: of };
      const reply = done(await queueVerb(layout, command));
      return reply.count ?? assert.fail("how many?");
    };
    assert.equal(await change("hold_mail", anna, info, MISSING), 2);
    assert.deepEqual(ids(await found(true, { senders: [ANNA, INFO] })), [anna, info].toSorted());
    assert.deepEqual(ids(await found(false, { senders: [ANNA, INFO] })), [idOf("Anna+Shop@Example.test")]);
    assert.equal(await change("release_mail", info, MISSING), 1);
    assert.equal(await change("hold_mail", info), 1);
    const shop = idOf("Anna+Shop@Example.test");
    const manager = createServer();
    await listenOnSocket(manager, join(layout.postfixQueue, "public", "qmgr"));
    const scan = once(manager, "connection", { signal: AbortSignal.timeout(patience(5_000)) });
    assert.equal(await change("return_mail", info, shop, MISSING), 2, "one was on hold, one was not");
    await scan;
    assert.equal(await change("delete_mail", anna, info, MISSING), 1);
    assert.deepEqual(await found(true, { ids: [anna, info] }), []);
    assert.deepEqual(ids(await found(false, { ids: [anna, info] })), [info], "mail that is not on hold is not deleted");
  });

  test("named mails come first if a reply cannot hold all", async () => {
    const shop = idOf("Anna+Shop@Example.test");
    copyMail(layout, shop, COPIES);
    const last = COPIES.slice(-3);
    const some = await found(false, { senders: [ANNA], ids: [...last, MISSING] });
    assert.equal(some.length, MAILS_PER_COMMAND);
    assert.deepEqual(ids(some.slice(0, 3)), last);
    assert.equal(new Set(ids(some)).size, MAILS_PER_COMMAND);
  });

  test("a retry that fails after the first mail may be done in part", async () => {
    let asked = 0;
    // As flush(8) would, which accepts the first and then ends.
    const flush = createServer((socket) => {
      if (++asked > 1) return void socket.destroy();
      socket.write(["protocol", "queue_flush_protocol", "", ""].join("\0"));
      socket.once("data", () => socket.end(["status", "0", "", ""].join("\0")));
    });
    await listenOnSocket(flush, join(layout.postfixQueue, "public", "flush"));
    const flushed = await queueVerb(layout, { verb: "flush_mail", ids: [MISSING, MISSING] });
    assert.ok(!flushed.ok && flushed.mayBeDone === true && asked > 1, JSON.stringify(flushed));
    const refused = await queueVerb(layout, { verb: "flush_mail", ids: [MISSING] });
    assert.ok(!refused.ok && refused.mayBeDone === undefined, JSON.stringify(refused));
  });

  test("an unreadable queue is reported in Postfix's words", async () => {
    const elsewhere = { ...layout, postfixConf: `${layout.postfixConf}-gone` };
    const reply = await queueVerb(elsewhere, { verb: "find_mail", senders: [ANNA], ids: [], onHold: true });
    assert.match(reasonOf(reply), /^postqueue failed: .*main\.cf/);
    const held = await queueVerb(elsewhere, { verb: "hold_mail", ids: [MISSING] });
    assert.ok(!held.ok && held.mayBeDone === true, "some mails may have been changed");
    assert.match(held.reason, /^postsuper failed: .*main\.cf/);
  });
});
