import assert from "node:assert/strict";
import { linkSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { lacking } from "../../../test/kit/needs.ts";
import { DOVECOT, realDovecot } from "../../../test/kit/real-dovecot.ts";
import { accountName } from "../../../test/kit/samples.ts";
import { DAY_MS } from "../../core/time.ts";
import { Mailboxes } from "./mailboxes.ts";

describe("mailboxes of a real Dovecot", { skip: lacking(DOVECOT) }, () => {
  const [anna, bert] = [accountName("anna@example.org"), accountName("bert@example.org")];
  const { top, conf, doveadm, start, stop } = realDovecot([anna, bert]);
  const mailboxes = new Mailboxes(conf);
  const save = (account: string, folder: string, text: string): string =>
    doveadm(["save", "-u", account, "-m", folder], `Subject: x\n\n${text}\n`);
  const folder = async (account = anna, name = "Trash") =>
    (await mailboxes.folders(account)).find((one) => one.name === name) ?? assert.fail(name);

  before(async () => {
    await start();
    doveadm(["mailbox", "create", "-u", anna, "Trash", "Trash.old", "Tr*"]);
    doveadm(["mailbox", "create", "-u", bert, "Trash"]);
  });
  after(stop);

  test("accounts, folders, their mails and error messages are Dovecot's own", async () => {
    assert.deepEqual(await mailboxes.accounts(), [anna, bert]);
    save(anna, "Trash", "one");
    save(anna, "Tr*", "two");
    const folders = await mailboxes.folders(anna);
    const reported = new Set(folders.map(({ name, mails }) => `${name}: ${mails}`));
    assert.deepEqual(reported, new Set(["INBOX: 0", "Tr*: 1", "Trash: 1", "Trash.old: 0"]));
    assert.deepEqual([await mailboxes.mailCount(anna), await mailboxes.mailCount(bert)], [2, 0]);
    await assert.rejects(mailboxes.mailCount("nobody@example.org"), /^Error: doveadm failed: .*nobody@example\.org/);
  });

  test("only mail of that folder that came before the time is counted and removed", async () => {
    const wild = await folder(anna, "Tr*");
    const now = Date.now();
    assert.equal((await mailboxes.cameBefore(anna, wild, now - DAY_MS)).mails, 0);
    const found = await mailboxes.cameBefore(anna, wild, now + DAY_MS);
    assert.deepEqual([found.mails, found.bytes > 10], [1, true]);
    await mailboxes.expunge(anna, wild, now - DAY_MS);
    assert.equal((await folder(anna, "Tr*")).mails, 1);
    await mailboxes.expunge(anna, wild, now + DAY_MS);
    assert.deepEqual([(await folder(anna, "Tr*")).mails, (await folder()).mails], [0, 1]);
  });

  test("a backup, which hard-links each file, does not make mail younger", async () => {
    const maildir = join(top, "mail", anna, "Maildir", ".Trash", "new");
    const [name = ""] = readdirSync(maildir);
    const file = join(maildir, name);
    const saved = statSync(file).ctimeMs;
    // Dovecot's times are in seconds.
    while (Math.floor(Date.now() / 1_000) <= Math.floor(saved / 1_000) + 1) await pause(100);
    linkSync(file, join(top, "second-name"));
    rmSync(join(top, "second-name"));
    assert.ok(statSync(file).ctimeMs > saved + 900);
    const then = saved + 1_000;
    assert.equal((await mailboxes.cameBefore(anna, await folder(), then)).mails, 1);
  });
});
