// Invariant: A full mailbox is refused before its mail is accepted, under each of its addresses.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { SmtpReply } from "../lab/dialog.ts";
import { encryptedMail } from "../lab/encrypted-mail.ts";
import { smallDisk } from "../lab/full-disk.ts";
import { ANNA, assertAccepted, BERT, openImapAs, openSmtp, openSubmissionAs, sendMail, words } from "../lab/mail.ts";
import { findMail, mailText } from "../lab/mailbox.ts";
import { PASSWORD } from "../lab/product.ts";
import { queueOf } from "../lab/submitted.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const HOME = "198.51.100.70";
const MAX_SIZE_KB = 256;
/** Five of these fill 82 % of 1 MB, six 99 %. */
const BODY = `${"x".repeat(70)}\r\n`.repeat(2_390);

describe("room for mail", needsLab(), () => {
  const { lab, product } = withProduct(
    { GHOSTINBOX_MAILBOXES__QUOTA: "1MB", GHOSTINBOX_LIMITS__MAIL__MAX_SIZE: `${MAX_SIZE_KB}KB` },
    [ANNA, BERT],
    {
      toml: "",
      prepare: async () => {
        for (const one of [disk, mailDisk]) await one.mount();
      },
    },
  );
  const { data, engineDb, postfixQueue, mail: mails } = product.layout;
  // The database of the engine and Postfix's queue share a small disk, as on a real server.
  const disk = smallDisk(`${data}-disk`, "16m", [dirname(engineDb), postfixQueue]);
  // On its own disk, because space that other tests free would hide from the keeper what sessions store.
  const mailDisk = smallDisk(`${data}-mail-disk`, "1g", [mails]);

  const quotaOf = async (name: string): Promise<string> => {
    using imap = await openImapAs(lab.sender, HOME, name);
    return (await imap.imap('GETQUOTAROOT "INBOX"')).join("\n");
  };
  const begin = () => openSmtp(lab.sender, "198.51.100.71", ["EHLO client.test", "MAIL FROM:<someone@sender.test>"]);
  const askFor = async (recipient: string): Promise<string> => {
    using dialog = await begin();
    return words(await dialog.ask(`RCPT TO:<${recipient}>`));
  };

  test("strangers' mail fills a mailbox until it is refused at RCPT; accepted mail is there", async () => {
    const accepted: string[] = [];
    let refusal: SmtpReply | null = null;
    while (refusal === null && accepted.length < 20) {
      const subject = `Large ${accepted.length}`;
      const reply = await sendMail({
        host: lab.sender,
        from: `198.51.100.${80 + accepted.length}`,
        text: mailText({ subject, body: BODY }),
      });
      if (reply.code !== 250) refusal = reply;
      else {
        await until("it has arrived", () => findMail(product.layout, subject));
        accepted.push(subject);
      }
    }
    assert.equal(refusal?.code, 452);
    assert.match(words(refusal), /4\.2\.2 <anna@example\.test>: Recipient address rejected: Mailbox is full/);
    assert.ok(accepted.length >= 6 && accepted.length <= 7, `${accepted.length} were accepted`);
    await until("the refusal is recorded", () =>
      product.countEvents("type = 'EMAIL_DEFERRED' AND reason = 'mailbox_full'"),
    );
    for (const subject of accepted) assert.ok(findMail(product.layout, subject) !== null, subject);
    await until("nothing is left in the queue", async () => (await queueOf({ lab, product })).length === 0);
  });

  test("its owner was warned twice, and sees it over IMAP; the administrator on the command line", async () => {
    for (const percent of [80, 95])
      await until(`the warning at ${percent} %`, () => findMail(product.layout, `Your mailbox is ${percent} % full`));
    const [, used, limit] = /\* QUOTA "User quota" \(STORAGE (\d+) (\d+)/.exec(await quotaOf(ANNA)) ?? [];
    assert.equal(Number(limit), 1_024);
    assert.ok(Number(used) > 1_000, `${used} KB`);
    const { stdout } = await product.cli(["account", "quota", ANNA]);
    assert.match(
      stdout,
      /^anna@example\.test uses (?:1\.\d M|10\d\d\.\d K)B for \d+ mails; its quota is 1MB \(mailboxes\.quota\)\.$/m,
    );
  });

  test("it is full under each of its addresses, also for users; other mailboxes are not", async () => {
    await product.json(["alias", "add", "info@example.test", ANNA]);
    for (const name of ["Anna@Example.Test", "anna+lists@example.test", "info@example.test", "postmaster@example.test"])
      assert.match(await askFor(name), /^452 4\.2\.2 /, name);
    for (const name of ["PostMaster", '"postmaster"', '"post\\master"', "@mail.example.test:postmaster"])
      assert.match(await askFor(name), /^452 4\.2\.2 /, name);
    for (const name of ["postmaster.", 'post"mas"ter', "postmaster@.", '"postmaster "', "postmaster%example.test"]) {
      const said = await askFor(name);
      assert.match(said, /^(?:452 4\.2\.2|5\d\d) /, `${name}: ${said}`);
    }
    const session = await begin();
    for (const name of [
      "postmaster@",
      "postmaster(here)",
      " postmaster",
      "postmaster ",
      "<postmaster>",
      "postmaster><",
    ])
      assert.match(words(await session.ask(`RCPT TO:<${name}>`)), /^501 /, name);
    assert.match(words(await session.ask("R\\CPT TO:<postmaster>")), /^221 /);
    session.close();
    assert.match(await askFor("anna"), /^504 /, "a name without a domain is not an address");
    assert.match(await askFor(BERT), /^250 /);
    using dialog = await openSubmissionAs(lab.sender, HOME, BERT);
    await dialog.ask(`MAIL FROM:<${BERT}>`);
    assert.match(words(await dialog.ask(`RCPT TO:<${ANNA}>`)), /^452 4\.2\.2 /);
  });

  test("mail that it forwards without a copy is accepted, and refused again once it would be stored", async () => {
    await product.json(["account", "forward", ANNA, BERT, "--no-keep"]);
    assert.match(await askFor("info@example.test"), /^250 /);
    assertAccepted(await sendMail({ host: lab.sender, from: "198.51.100.77", subject: "Sent on" }));
    await until("the other has it", () => findMail(product.layout, "Sent on", { account: BERT }));
    await product.json(["account", "forward", ANNA, BERT]);
    assert.match(await askFor(ANNA), /^452 4\.2\.2 /);
    await product.json(["account", "forward", ANNA, "--off"]);
  });

  test("a mail through an alias with several targets waits for the full one alone", async () => {
    await product.json(["alias", "add", "team@example.test", ANNA, BERT]);
    const mail = { from: "198.51.100.76", recipient: "team@example.test", subject: "For the team" };
    assertAccepted(await sendMail({ host: lab.sender, ...mail }));
    await until("the other has it", () => findMail(product.layout, "For the team", { account: BERT }));
    const waiting = await until("it waits for the first", async () => {
      const { stdout } = await product.cli(["queue", "list", "--recipient", ANNA]);
      return stdout.includes("deferred") ? stdout : null;
    });
    assert.match(waiting, /^1 mail in the queue/);
    assert.match(waiting, /^ {2}to anna@example\.test\n[^]*Mailbox is full/m);
    assert.doesNotMatch(waiting, /bert@/);
  });

  test("a larger quota applies at once", async () => {
    await product.json(["account", "quota", ANNA, "3MB"]);
    assert.equal((await sendMail({ host: lab.sender, from: "198.51.100.72", subject: "Room again" })).code, 250);
    await until("it has arrived", () => findMail(product.layout, "Room again"));
    // If Postfix is already retrying it, there is nothing to flush.
    await product.cli(["queue", "flush", "--recipient", ANNA]);
    await until("what waited has arrived", () => findMail(product.layout, "For the team", { account: ANNA }));
    assert.match(await quotaOf(ANNA), /\(STORAGE \d+ 3072/);
  });

  test("a nearly full disk: Postfix refuses mail while the guard still records", async () => {
    disk.fill((10 * MAX_SIZE_KB - 256) * 1024);
    const refused = await sendMail({ host: lab.sender, from: "198.51.100.73", recipient: BERT });
    assert.match(words(refused), /^452 4\.3\.1 Insufficient system storage/);
    await product.json(["ban", "198.51.100.74", "--for", "1h"]);
    assert.ok((await product.banOf("198.51.100.74")) !== undefined);
    await quotaOf(BERT);
    assert.equal(await product.hasNotice("database_unwritable"), false);
    disk.free();
    assert.equal((await sendMail({ host: lab.sender, from: "198.51.100.75", recipient: BERT })).code, 250);
  });

  test("a user can exceed the quota neither by several sessions, nor by folders, nor by indexes", async () => {
    const mailbox = `${product.layout.mail}/example.test/bert/Maildir`;
    const notice = async (): Promise<string> => (await product.notice("mailbox_overused")) ?? "";
    const open = () => openImapAs(lab.sender, HOME, BERT);
    // The keeper looks after every 32 MB; by then the sessions exceed this quota and its allowance.
    await product.json(["account", "quota", BERT, "15MB"]);
    const mail = "x".repeat(14 * 1024 ** 2);
    const sessions = await Promise.all([open(), open(), open()]);
    const store = (session: (typeof sessions)[number]): void =>
      session.sendRaw(`a APPEND INBOX {${mail.length + 1}+}\r\n${mail}`);
    store(sessions[0]);
    const storing = await until("the first is stored", () =>
      readdirSync(`${mailbox}/tmp`).find((name) => statSync(`${mailbox}/tmp/${name}`).size > 13 * 1024 ** 2),
    );
    // Like a session that is busy with CATENATE, it does not notice that it should end.
    process.kill(Number(/P(\d+)/.exec(storing)?.[1]), "SIGSTOP");
    for (const session of sessions.slice(1)) store(session);
    for (const session of sessions) await session.closed(20_000);
    await until("none of it is left", () => readdirSync(`${mailbox}/tmp`).length === 0);
    await until("the owner sees why", async () => /^the sessions of bert@\S+ were ended at/.test(await notice()));

    const folders = Array.from({ length: 3_001 }, (_, i) => `${mailbox}/.made-${i}`);
    const { uid, gid } = statSync(mailbox);
    for (const each of folders) {
      mkdirSync(each);
      chownSync(each, uid, gid);
    }
    // More than the ended sessions freed, since the keeper may not have seen that space yet.
    const filler = join(product.layout.mail, "filler");
    writeFileSync(filler, Buffer.alloc(80 * 1024 ** 2));
    await until("the owner sees the folders", async () => /^bert@\S+ has more than 3000 folders/.test(await notice()));
    rmSync(filler);
    const limited = await open();
    assert.match((await limited.imap("CREATE another")).at(-1) ?? "", / NO \[NOPERM\] /);
    // Slow, because Dovecot counts the quota in all those folders first.
    assert.match((await limited.imap("APPEND Drafts {5+}\r\nhello", 60_000)).at(-1) ?? "", / OK /);
    limited.close();
    for (const each of folders) rmSync(each, { recursive: true });
    await until("folders can be created again", async () => {
      using session = await open();
      return / OK /.test((await session.imap("CREATE another")).at(-1) ?? "");
    });

    const cache = `${mailbox}/dovecot.index.cache`;
    writeFileSync(cache, Buffer.alloc(300 * 1024 ** 2));
    await until("too large an index is removed", () => !existsSync(cache));
    // The keeper may see the file before it is complete.
    await until("the owner sees which", async () =>
      /: its indexes, .* took (2[5-9]|3[01])\d\S* MB and were removed/.test(await notice()),
    );
    await product.json(["account", "quota", BERT, "default"]);
  });

  test("old mail is removed from the folders of the rules, but not that of an account under legal hold", async () => {
    const mailsIn = (account: string, folder: string) =>
      encryptedMail({ lab, product }, { account, from: HOME }).count(folder);
    for (const account of [ANNA, BERT]) {
      using imap = await openImapAs(lab.sender, HOME, account);
      await imap.imap("SELECT INBOX");
      assert.match((await imap.imap("COPY 1 Trash")).at(-1) ?? "", /OK/);
    }
    const inbox = await mailsIn(BERT, "INBOX");
    await product.configure("retention.mail", '["Trash 1s", "* 3650d"]');
    const held = await product.cli(["account", "legal-hold", ANNA, "on", "a", "lawsuit"]);
    assert.match(held.stdout, /^anna@example\.test is under legal hold/, held.stderr);
    const shown = await product.cli(["retention", "show"]);
    assert.match(shown.stdout, /^bert@example\.test +Trash +1s +1 mail, .* nothing before \S+ +1 mail/m, shown.stderr);
    assert.match(shown.stdout, /^anna@example\.test +Trash +1s +1 mail, .* nothing: legal hold/m);
    assert.match(shown.stdout, /anna@example\.test has been under legal hold since .* \(a lawsuit\)\./);
    assert.match(shown.stdout, / mail logs as 14 or more .* each, each other log as up to six files of 1 MB, /);

    await until("it has gone", async () => {
      await product.json(["retention", "run", "--yes"]);
      return (await mailsIn(BERT, "Trash")) === 0;
    });
    assert.deepEqual([await mailsIn(ANNA, "Trash"), await mailsIn(BERT, "INBOX")], [1, inbox]);
    const after = await product.cli(["retention", "show"]);
    assert.match(after.stdout, /^The next run is at \S+ 0\d:00:00 UTC\. The last, at .* UTC, removed /m, after.stderr);
    const removed = await product.cli(["account", "remove", "--yes", ANNA]);
    assert.match(removed.stdout, /It has been under legal hold since .* \(a lawsuit\): keep its mail\./);
    await product.json(["account", "legal-hold", ANNA, "off"]);
    const { stdout } = await product.cli(["audit", "list"]);
    assert.match(stdout, /root +LEGAL_HOLD_SET +anna@.*\n.*ACCOUNT_REMOVED.*\n.*LEGAL_HOLD_LIFTED +anna@/);
  });

  test("encrypted mail is unreadable on the disk, and arrives while the key is away", async () => {
    const mail = encryptedMail({ lab, product }, { account: BERT, from: HOME });
    const { onDisk, write } = mail;
    let password = PASSWORD;
    const open = (word: string) =>
      until("Dovecot is back", async () =>
        (await mail.read(password).catch(() => "")).includes(`bodysecret of ${word}`),
      );

    await write("clearsecret");
    await product.configure("mailboxes.encryption", "server");
    await write("subjectsecret");
    await open("subjectsecret");
    await open("clearsecret");
    assert.equal(await onDisk("subjectsecret"), "");
    assert.match(await onDisk("clearsecret"), /Maildir/, "existing mail is unchanged");

    await product.json(["backup", "create"]);
    const back = ["backup", "restore", "--account", BERT, "--message", "subjectsecret@sender.test", "--into", "Back"];
    await product.does(back);
    const restored = await lab.server.mustExec(
      ["doveadm", "-c", product.layout.dovecotConf].concat(["fetch", "-u", BERT, "body", "mailbox", "Back*", "all"]),
    );
    assert.match(restored, /bodysecret of subjectsecret/);
    assert.equal(await onDisk("subjectsecret"), "");
    password = "another battery staple horse";
    await product.does(["account", "passwd", BERT, "--password-stdin"], { input: `${password}\n` });
    assert.match(await mail.read(password), /bodysecret of subjectsecret/, "a new password changes nothing");

    assert.match(await product.prints("encryption lock --yes"), /The private key was never displayed/);
    const key = await product.does(["encryption", "key"]);
    const kept = lab.path("kept.pem");
    writeFileSync(kept, key);
    // Keys for DKIM and TLS have the same header.
    const [, , line = ""] = key.split("\n");
    const withKey = async () => (await lab.server.exec(["grep", "-rlF", line, data])).stdout;
    assert.match(await withKey(), /mail\.pem$/m);
    assert.match(await product.does(["encryption", "lock", "--yes"]), /^Locked/);
    assert.equal(await withKey(), "");
    await write("lockedsecret");
    assert.equal(await onDisk("lockedsecret"), "");
    await open("clearsecret");
    assert.doesNotMatch(await mail.read(password), /bodysecret of subjectsecret|lockedsecret/);
    const shown = await product.prints("encryption show");
    assert.match(shown, /^It cannot be read\. The private key .* does not exist\.$/m);

    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    writeFileSync(`${kept}.other`, privateKey.export({ type: "pkcs8", format: "pem" }));
    assert.match(await product.prints(`encryption unlock ${kept}.other`), /^This is another private key/);
    assert.match(await product.does(["encryption", "unlock", kept]), /^Unlocked/);
    await open("lockedsecret");

    rmSync(product.layout.mailPrivateKey);
    await product.configure("mailboxes.encryption_key", kept, "mailboxes.encryption", "off");
    await write("plainsecret");
    await open("subjectsecret");
    assert.match(await onDisk("plainsecret"), /Maildir/);
  });
});
