import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Dialog, type SmtpReply } from "../lab/dialog.ts";
import { authenticate, logIn, openImap, openSubmission, sendMail } from "../lab/mail.ts";
import { findMail, mailText } from "../lab/mailbox.ts";
import { SERVER, whyNoLab } from "../lab/network.ts";
import { SharedDisk } from "../lab/shared-disk.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const [ANNA, BERT] = ["anna@example.test", "bert@example.test"];
const HOME = "198.51.100.70";
const MAX_SIZE_KB = 256;
/** Of 1 MB, five are 82 % and six 99 %. */
const BODY = `${"x".repeat(70)}\r\n`.repeat(2_390);

describe("room for mail", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct(
    { GHOSTINBOX_MAILBOXES__QUOTA: "1MB", GHOSTINBOX_LIMITS__MAIL__MAX_SIZE: `${MAX_SIZE_KB}KB` },
    [ANNA, BERT],
    { toml: "", prepare: () => disk.mount(), release: () => disk.unmount() },
  );
  const disk = new SharedDisk(product);

  const words = ({ code, lines }: SmtpReply): string => `${code} ${lines.join(" ")}`;
  const quotaOf = async (name: string): Promise<string> => {
    const imap = await openImap(lab.sender, HOME);
    assert.match((await logIn(imap, name)) ?? "", /^OK/);
    const answer = (await imap.imap('GETQUOTAROOT "INBOX"')).join("\n");
    imap.close();
    return answer;
  };
  const askFor = async (recipient: string): Promise<string> => {
    const dialog = await Dialog.open(lab.sender, { from: "198.51.100.71", to: SERVER.v4, port: 25 });
    await dialog.reply();
    for (const line of ["EHLO client.test", "MAIL FROM:<someone@sender.test>"]) await dialog.ask(line);
    const reply = await dialog.ask(`RCPT TO:<${recipient}>`);
    dialog.close();
    return words(reply);
  };

  test("strangers' mail fills a mailbox until it is refused at RCPT; what was accepted is there", async () => {
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
    for (const subject of accepted) assert.ok(findMail(product.layout, subject) !== null, subject);
    assert.equal(await lab.server.mustExec(["postqueue", "-c", product.layout.postfixConf, "-j"]), "");
  });

  test("its owner was warned twice, and sees it over IMAP; the administrator on the command line", async () => {
    for (const percent of [80, 95])
      await until(`the warning at ${percent} %`, () => findMail(product.layout, `Your mailbox is ${percent} % full`));
    const [, used, limit] = /\* QUOTA "User quota" \(STORAGE (\d+) (\d+)/.exec(await quotaOf(ANNA)) ?? [];
    assert.equal(Number(limit), 1_024);
    assert.ok(Number(used) > 1_000, `${used} KB`);
    const { stdout } = await product.cli(["account", "quota", ANNA]);
    assert.match(stdout, /^anna@example\.test uses 1\.\d MB for \d+ mails; its quota is 1MB \(mailboxes\.quota\)\.$/m);
  });

  test("it is full under every name, also for users; others are not", async () => {
    await product.json(["alias", "add", "info@example.test", ANNA]);
    for (const name of ["Anna@Example.Test", "anna+lists@example.test", "info@example.test", "postmaster@example.test"])
      assert.match(await askFor(name), /^452 4\.2\.2 /, name);
    assert.match(await askFor(BERT), /^250 /);
    const dialog = await openSubmission(lab.sender, HOME);
    await authenticate(dialog, BERT);
    await dialog.ask(`MAIL FROM:<${BERT}>`);
    assert.match(words(await dialog.ask(`RCPT TO:<${ANNA}>`)), /^452 4\.2\.2 /);
    dialog.close();
  });

  test("a larger quota holds at once", async () => {
    await product.json(["account", "quota", ANNA, "3MB"]);
    assert.equal((await sendMail({ host: lab.sender, from: "198.51.100.72", subject: "Room again" })).code, 250);
    await until("it has arrived", () => findMail(product.layout, "Room again"));
    assert.match(await quotaOf(ANNA), /\(STORAGE \d+ 3072/);
  });

  test("a nearly full disk: Postfix refuses mail while the guard still records", async () => {
    disk.fill((10 * MAX_SIZE_KB - 256) * 1024);
    const refused = await sendMail({ host: lab.sender, from: "198.51.100.73", recipient: BERT });
    assert.match(words(refused), /^452 4\.3\.1 Insufficient system storage/);
    await product.json(["ban", "198.51.100.74", "--for", "1h"]);
    assert.ok((await product.banOf("198.51.100.74")) !== undefined);
    await quotaOf(BERT);
    const notices = (await product.stats()).health.notices.map(({ code }) => code);
    assert.ok(!notices.includes("database_unwritable"), notices.join());
    disk.free();
    assert.equal((await sendMail({ host: lab.sender, from: "198.51.100.75", recipient: BERT })).code, 250);
  });
});
