// Invariant: An account sends only as itself, in the envelope and in every author field.

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentMail, stopService } from "./content.ts";
import { openDialog } from "./dialog.ts";
import { ANNA, BERT, sendMailAs } from "./mail.ts";
import { findMail } from "./mailbox.ts";
import { SERVER } from "./network.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const CEO = "ceo@two.test";
const PHONE = "198.51.100.65";

/** For a server for example.test and two.test that limits no mail. */
export function submittedAuthorsTests({ lab, product }: Running): void {
  /** A mail of Anna's with these header lines: code and text of the reply. */
  async function submit(headers: readonly string[], subject: string, sender: string = ANNA, recipient: string = BERT) {
    const text = [...headers, `To: <${recipient}>`, `Subject: ${subject}`, "", "Hello."].join("\r\n");
    const { code, lines } = await sendMailAs(ANNA, { host: lab.sender, from: PHONE, sender, recipient, text });
    return { code, text: lines.join(" ") };
  }

  const arrived = (subject: string) => contentMail(product).arrived(subject, "INBOX", BERT);

  const own = `From: <${ANNA}>`;
  // More forms: src/mail/rspamd/authors.test.ts.
  const forgeries: readonly (readonly string[])[] = [
    [`From: <${CEO}>`],
    [`From: <${BERT}>`],
    ["From: <someone@elsewhere.test>"],
    [`From: <${ANNA}>, <${CEO}>`],
    [own, `From: <${CEO}>`],
    [`From: <${ANNA}>\0, <${CEO}>`],
    [own, `Sender: <${CEO}>`],
    [own, `Sender: <${ANNA}>`, `Sender: <${CEO}>`],
    [own, "Sender: nobody"],
    [own, `Resent-From: <${CEO}>`],
    [own, `Resent-Sender: <${CEO}>`],
    [own, ...Array.from({ length: 60 }, () => `Resent-From: <${ANNA}>`)],
  ];

  test("no foreign author is accepted, however it is written, and the reply says what to do", async () => {
    for (const [at, headers] of forgeries.entries()) {
      const reply = await submit(headers, `forged ${at}`);
      assert.equal(reply.code, 554, `${headers.join(" | ")}: ${reply.text}`);
      assert.match(reply.text, /^5\.7\.1 Not sent for anna@example\.test: /);
    }
    const { text } = await submit([`From: <${CEO}>`], "forged, with the reason");
    assert.equal(text, `5.7.1 Not sent for ${ANNA}: From: names ${CEO}, which is not an address of this account`);
  });

  test("each refusal is an event of the account", async () => {
    // The log is read with a delay, so the newest line may come last.
    await until("`why` lists it", async () => {
      const { stdout } = await product.cli(["why", "--account", ANNA]);
      return stdout.includes("not its own") && /names ceo@two\.test/.test(stdout);
    });
    const asked = "SELECT DISTINCT type, account, action FROM event WHERE reason = 'author_not_own'";
    assert.deepEqual(await product.sqlite(asked), [["EMAIL_BLOCKED", ANNA, "refused"]]);
  });

  test("mail with the account's own addresses is signed, in every form that mail programs write", async () => {
    await product.json(["alias", "add", "info@two.test", ANNA, BERT]);
    const honest: readonly (readonly string[])[] = [
      [own],
      [],
      ["From: Anna@EXAMPLE.test"],
      ["From: =?utf-8?q?M=C3=BCller=2C_Anna?=\r\n <anna+shop@example.test>"],
      ["From: <info@two.test>"],
      ["From: <info@two.test>, <anna@example.test>", `Sender: Anna <${ANNA}>`],
      [own, `Resent-From: <${ANNA}>`, `Resent-Sender: <${ANNA}>`],
    ];
    for (const [at, headers] of honest.entries()) {
      const reply = await submit(headers, `honest ${at}`);
      assert.equal(reply.code, 250, `${headers.join(" | ")}: ${reply.text}`);
      const domain = (headers[0] ?? "").includes("info@") ? "two\\.test" : "example\\.test";
      const text = await arrived(`honest ${at}`);
      assert.match(text, new RegExp(`^DKIM-Signature:[^]*?d=${domain};`, "m"), headers.join());
      if (at < 2) for (const added of [/^From: .*anna@/m, /^Date: /m, /^Message-Id: /im]) assert.match(text, added);
    }
  });

  test("an alias may send as soon as the command that adds it ends, and only while it exists", async () => {
    assert.equal((await submit(["From: <late@two.test>"], "too early")).code, 554);
    await product.json(["alias", "add", "late@two.test", ANNA]);
    assert.equal((await submit(["From: <late@two.test>"], "in time")).code, 250);
    await product.json(["alias", "block", "late@two.test"]);
    assert.equal((await submit(["From: <late@two.test>"], "too late")).code, 554);
  });

  test("an account must name a sender: the empty one is refused", async () => {
    const refused = await submit([own], "without a sender", "");
    assert.equal(refused.code, 550, refused.text);
    assert.match(refused.text, /Use one of your own addresses as the sender/);
    await until("it is an event", async () => {
      const rows = await product.sqlite("SELECT details FROM event WHERE reason = 'sender_refused'");
      return rows.some(([details = ""]) => details.includes("Use one of your own addresses"));
    });
  });

  test("result headers that an account writes itself are removed", async () => {
    const forged = [
      "Authentication-Results: mail.example.test; dkim=pass header.d=bank.test; dmarc=pass",
      "Authentication-Results : elsewhere.test; spf=pass",
      "Received-SPF: pass (forged)",
      "X-Spam-Status: No, score=-99",
      "X-GhostInbox-Junk: forged",
    ];
    assert.equal((await submit([...forged, own], "with results")).code, 250);
    assert.doesNotMatch(await arrived("with results"), /bank\.test|elsewhere\.test|forged|score=-99/);
  });

  test("the server's own reports to an account still arrive", async () => {
    assert.equal((await submit([own], "to nowhere", ANNA, "x@nowhere.test")).code, 250);
    const report = "Undelivered Mail Returned to Sender";
    await until("the report is there", () => findMail(product.layout, report));
  });

  test("a list that was emptied or removed is written again; until then users' mail waits", async () => {
    const file = join(product.layout.authorLists, "senders");
    const text = readFileSync(file, "utf8");
    const isBack = () => until("the list is back", () => existsSync(file) && readFileSync(file, "utf8") === text);
    for (const spoil of [() => writeFileSync(file, ""), () => rmSync(file)]) {
      spoil();
      await isBack();
    }
    const guard = await stopService(product, "guard");
    for (const spoilt of ["", text.slice(0, -20), null]) {
      if (spoilt === null) rmSync(file);
      else writeFileSync(file, spoilt);
      const waits = await submit([own], "waits for the list");
      assert.equal(waits.code, 451, waits.text);
    }
    await guard.start();
    await isBack();
    assert.equal((await submit([own], "with the list")).code, 250);
  });

  test("while Rspamd is dead, users' mail waits and is not lost", async () => {
    const dead = await stopService(product, "rspamd");
    assert.equal(await askTls(), 454);
    await dead.start();
    await until("submission is open again", async () => (await askTls()) === 220);
    assert.equal((await submit([own], "after it")).code, 250);
  });

  /** The answer to STARTTLS, before which Postfix checks that the milter answers. */
  async function askTls(): Promise<number> {
    using dialog = await openDialog(lab.sender, { from: PHONE, to: SERVER.v4, port: 587 });
    await dialog.reply();
    await dialog.ask("EHLO client.test");
    return (await dialog.ask("STARTTLS")).code;
  }

  test("while the guard is down users can still send, only as themselves", async () => {
    const guard = await stopService(product, "guard");
    assert.equal((await submit([own], "without the guard")).code, 250);
    assert.equal((await submit([`From: <${CEO}>`], "forged without the guard")).code, 554);
    await guard.start();
  });

  test("no forgery was delivered", () => {
    for (const account of [ANNA, BERT, CEO])
      for (const at of forgeries.keys()) assert.equal(findMail(product.layout, `forged ${at}`, { account }), null);
    assert.match(readFileSync(product.layout.mailLog, "utf8"), /milter-reject: END-OF-MESSAGE/);
  });
}
