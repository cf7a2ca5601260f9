import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { Ran } from "./commands.ts";
import type { Dialog, SmtpReply } from "./dialog.ts";
import {
  ANNA,
  authenticate,
  BERT,
  logIn,
  openImap,
  openImapAs,
  openSubmission,
  openSubmissionAs,
  sendMail,
} from "./mail.ts";
import { mailFiles } from "./mailbox.ts";
import { PASSWORD } from "./product.ts";
import { AWAY, HOME, signInsFrom } from "./sign-ins.ts";
import { waitingIn } from "./submitted.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** For a server for example.test and two.test that limits no connections. `file`: the one that `accounts.follow` names. */
export function accountsTests({ lab, product }: Running, file: string): void {
  const { signsIn } = signInsFrom(lab.sender);
  const receives = async (recipient: string): Promise<number> =>
    (await sendMail({ host: lab.sender, from: "198.51.100.10", recipient })).code;
  const newPassword = (name: string): Promise<Ran> =>
    product.cli(["account", "passwd", name, "--password-stdin"], { input: "one more unrelated phrase\n" });

  test("every scheme that Dovecot knows is imported and signs in; clear text becomes Argon2id", async () => {
    const schemes = (await lab.server.mustExec(["doveadm", "pw", "-l"])).trim().split(/\s+/);
    assert.ok(schemes.length > 20);
    const names = new Map(schemes.map((scheme) => [scheme, `s-${scheme.toLowerCase()}@two.test`]));
    const lines = ["# every scheme", "", "carl@elsewhere.test|{PLAIN}not of ours at all"];
    for (const [scheme, name] of names) {
      const hash = (await lab.server.mustExec(["doveadm", "pw", "-s", scheme, "-u", name, "-p", PASSWORD])).trim();
      lines.push(`${name}|${hash}|userdb_quota_rule=*:storage=1G`);
      if (scheme === "SHA512-CRYPT") lines.push(`bare@two.test|${hash.slice("{SHA512-CRYPT}".length)}`);
    }
    const imported = lab.path("imported.cf");
    writeFileSync(imported, lines.join("\r\n"));
    const { stdout, stderr } = await product.typed(["account", "import", imported]);
    assert.match(stdout + stderr, new RegExp(`^${schemes.length + 1} accounts imported`, "m"));
    assert.match(stdout, /carl@elsewhere\.test has the domain elsewhere\.test, which is not a mail domain/);
    const all = [...names.values(), "bare@two.test"];
    // Each from a different address: each may have only ten connections.
    const tries = all.map(async (name, i) => ((await signsIn(name, PASSWORD, `198.51.100.${71 + i}`)) ? [] : [name]));
    assert.deepEqual((await Promise.all(tries)).flat(), []);
    const clear = "SELECT name FROM account WHERE password LIKE '{PLAIN}%' OR password LIKE '{CLEAR%'";
    assert.deepEqual(await product.sqlite(clear, product.layout.accountsDb), []);
  });

  test("the accounts file is followed without a restart, and only valid content is used", async () => {
    const hash = (await lab.server.mustExec(["doveadm", "pw", "-s", "SHA512-CRYPT", "-p", PASSWORD])).trim();
    writeFileSync(file, `dora@example.test|${hash}\nemil@example.test|{PLAIN}${PASSWORD}\n${ANNA}|{PLAIN}not hers\n`);
    const isListed = async (state: RegExp) => state.test((await product.cli(["account", "list"])).stdout);
    await until("a new line is an account", () => isListed(/^dora@example\.test +active/m));
    assert.ok(await signsIn("dora@example.test"));
    assert.ok(await signsIn("emil@example.test"));
    assert.ok(await signsIn(ANNA), "accounts made by command are untouched");
    const open = await openImapAs(lab.sender, HOME, "dora@example.test");

    const notice = async (): Promise<string> => (await product.cli(["status"])).stdout;
    writeFileSync(file, "");
    await until("the owner is alerted to the empty file", async () => /names no account/.test(await notice()));
    writeFileSync(file, `emil@example.test|{PLAIN}${PASSWORD}\ndora@example.test|${hash.slice(0, 70)}`);
    await until("the owner is alerted to the line", async () => /Line 2.*dora@example\.test/.test(await notice()));
    assert.ok(await signsIn("dora@example.test"), "no account was removed");

    writeFileSync(file, `emil@example.test|{PLAIN}a rather new phrase\n`);
    await open.closed();
    await until("the account is suspended", () => isListed(/^dora@example\.test +not in the accounts file/m));
    assert.equal(await signsIn("dora@example.test"), false);
    assert.equal(await receives("dora@example.test"), 250);
    assert.ok(await signsIn("emil@example.test", "a rather new phrase"));
    assert.equal(await signsIn("emil@example.test"), false);
    appendFileSync(file, `dora@example.test|${hash}\n`);
    await until("the line is back", () => isListed(/^dora@example\.test +active/m));
    assert.ok(await signsIn("dora@example.test"));
    await until("the notice is gone", async () => !/accounts\.follow/.test(await notice()));
    const refused = await newPassword("dora@example.test");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /follows the accounts file: change its line there/);
  });

  test("a user sends only as itself, and cannot find out which other accounts exist", async () => {
    await product.json(["alias", "add", "sales@two.test", ANNA, BERT]);
    await product.json(["alias", "add", "old@two.test", ANNA]);
    await product.json(["alias", "block", "old@two.test"]);
    const dialog = await openSubmission(lab.sender, HOME, 465);
    const from = async (sender: string): Promise<SmtpReply> => {
      const reply = await dialog.ask(`MAIL FROM:<${sender}>`);
      if (reply.code === 250) await dialog.ask("RSET");
      return reply;
    };
    const words = ({ code, lines }: SmtpReply): string => `${code} ${lines.join().replaceAll(/<[^>]*>/g, "<>")}`;
    const strangers = [BERT, "nobody@example.test", "someone@sender.test"];
    const before = new Set<string>();
    for (const sender of [...strangers, ANNA]) before.add(words(await from(sender)));
    assert.deepEqual([...before], ["554 5.7.1 <>: Sender address rejected: Access denied"]);
    assert.equal((await authenticate(dialog, ANNA)).code, 235);
    const after = new Set<string>();
    for (const sender of [...strangers, "old@two.test"]) after.add(words(await from(sender)));
    assert.deepEqual([...after], [`553 5.7.1 <>: Sender address rejected: not owned by user ${ANNA}`]);
    for (const own of [ANNA, "Anna+lists@Example.Test", "sales@two.test", "postmaster@two.test"])
      assert.equal((await from(own)).code, 250, own);

    const imap = await openImapAs(lab.sender, HOME, ANNA);
    for (const box of ["../bert/Maildir", "../../example.test/bert/Maildir/INBOX", "user.bert", "~bert@example.test"])
      assert.match((await imap.imap(`SELECT "${box}"`)).at(-1) ?? "", /^t\d+ NO/);
  });

  test("postmaster and abuse reach the administrator unless an account has that name, and aliases are live", async () => {
    const mailsOf = (user: string): number => mailFiles(product.layout, `${user}@example.test`).length;
    const before = mailsOf("anna");
    for (const recipient of ["postmaster@example.test", "Abuse@two.test", "postmaster"])
      assert.equal(await receives(recipient), 250, recipient);
    await until("all three are the first account's", () => mailsOf("anna") === before + 3);
    await product.json(["alias", "add", "abuse@two.test", BERT]);
    const berts = mailsOf("bert");
    assert.equal(await receives("abuse@two.test"), 250);
    await until("the alias wins", () => mailsOf("bert") === berts + 1);
    await product.json(["alias", "add", "report@two.test", "abuse@two.test"]);
    await product.json(["alias", "add", "both@two.test", "report@two.test", BERT]);
    await product.json(["alias", "block", "abuse@two.test"]);
    assert.equal(await receives("abuse@two.test"), 550);
    assert.equal(await receives("report@two.test"), 550, "what it accepted would bounce");
    assert.equal(await receives("both@two.test"), 250);
    await until("only the other target got it", () => mailsOf("bert") === berts + 2);
    await product.json(["alias", "unblock", "abuse@two.test"]);
    assert.equal(await receives("abuse@two.test"), 250);
    assert.equal(await receives("report@two.test"), 250);
  });

  test("a new password ends what its account has open at the submission ports, and no other account's transfer", async () => {
    const begin = async (account: string): Promise<Dialog> => {
      const dialog = await openSubmissionAs(lab.sender, HOME, account, 465);
      for (const line of [`MAIL FROM:<${account}>`, `RCPT TO:<${BERT}>`])
        assert.equal((await dialog.ask(line)).code, 250, line);
      assert.equal((await dialog.ask("DATA")).code, 354);
      dialog.send(`From: ${account}`);
      return dialog;
    };
    await product.addAccount("changed@example.test");
    const idle = await openSubmissionAs(lab.sender, HOME, "changed@example.test", 465);
    const [own, colleague] = [await begin("changed@example.test"), await begin(ANNA)];
    await newPassword("changed@example.test");
    const end = async (dialog: Dialog): Promise<number> => {
      for (const line of ["Subject: half sent", "", "Hello."]) dialog.send(line);
      return (await dialog.ask(".")).code;
    };
    assert.deepEqual([await end(colleague), await end(own)], [250, 421]);
    assert.equal((await idle.ask("MAIL FROM:<changed@example.test>")).code, 250);
    assert.equal((await idle.ask(`RCPT TO:<${BERT}>`)).code, 421);
    colleague.close();
  });

  test("a sign-in whose former password is being verified opens no session that stays", async () => {
    await product.addAccount("hasty@example.test");
    let signIns = 0;
    const changed = new AbortController();
    const signInAgainAndAgain = async (): Promise<Dialog | null> => {
      let latest: Dialog | null = null;
      while (!changed.signal.aborted) {
        const dialog = await openImap(lab.sender, HOME);
        const isIn = (await logIn(dialog, "hasty@example.test"))?.startsWith("OK") === true;
        (isIn ? latest : dialog)?.close();
        if (!isIn) continue;
        latest = dialog;
        signIns++;
      }
      return latest;
    };
    const thieves = Array.from({ length: 8 }, signInAgainAndAgain);
    await until("they sign in", () => signIns > thieves.length);
    await newPassword("hasty@example.test");
    changed.abort();
    const latest = await Promise.all(thieves);
    await until("every session is ended", () => latest.every((one) => one === null || one.isClosed));
  });

  test("an account's open sending ends with its suspension, though Dovecot is down; there is a notice about the rest", async () => {
    await product.addAccount("stolen@example.test");
    const dialog = await openSubmissionAs(lab.sender, AWAY, "stolen@example.test", 465);
    await product.sv("down", "dovecot");
    try {
      await product.fails(
        ["account", "suspend", "stolen@example.test"],
        /its open sessions were not ended: doveadm kick failed/,
      );
      assert.equal((await dialog.ask("MAIL FROM:<stolen@example.test>")).code, 250);
      assert.equal((await dialog.ask(`RCPT TO:<${BERT}>`)).code, 421);
      await until("the session is cut", () => dialog.isClosed);
    } finally {
      dialog.close();
      await product.sv("up", "dovecot");
    }
    await until("Dovecot is back", async () => signsIn(ANNA).catch(() => false));
  });

  test("an account that is removed has no open session, and gets no mail", async () => {
    await product.addAccount("leaving@example.test");
    const open = await openImapAs(lab.sender, HOME, "leaving@example.test");
    await product.json(["account", "remove", "leaving@example.test", "--yes"]);
    await open.closed();
    assert.equal(await receives("leaving@example.test"), 550);
  });

  test("mail that the DNS leads back to this server waits until its domain is in the settings again", async () => {
    await product.json(["alias", "add", "moved@example.test", "ceo@two.test"]);
    const arrived = (): number => mailFiles(product.layout, "ceo@two.test").length;
    const before = arrived();
    await product.configure("domains", "example.test");
    assert.equal(await receives("moved@example.test"), 250);
    await until("it waits", async () =>
      (await waitingIn({ lab, product })).some(({ reason }) => /mail for two\.test loops back/.test(reason)),
    );
    await product.configure("domains", "example.test,two.test");
    // It may be tried again, or have arrived, before.
    await product.cli(["queue", "flush"]);
    await until("it has arrived", () => arrived() === before + 1);
  });
}
