// Invariant: Every author of a mail is checked; a mail with an unproven author of ours goes to Junk.

import assert from "node:assert/strict";
import { test } from "node:test";
import { patience } from "../kit/patience.ts";
import { contentMail, ELSEWHERE, MX } from "./content.ts";
import { ANNA, assertAccepted, sendMail } from "./mail.ts";
import { mailText } from "./mailbox.ts";
import { SERVER } from "./network.ts";
import type { Signer } from "./signer.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** Like ELSEWHERE, an address that no domain names as its sender. */
const PRINTER = "198.51.100.71";
/** Its policy refuses forged mail; its own mail comes from MX. */
const BOSS = "boss@strict.test";

/** For a server that limits no mail, with RECORDS and the records of `signer`. */
export function receivedAuthorsTests({ lab, product }: Running, signer: Signer): void {
  const { arrived } = contentMail(product);
  /** A mail with these header lines; the envelope sender's domain proves itself from MX. */
  async function send(headers: readonly string[], subject: string, from: string = MX, sender = "x@sender.test") {
    // Not first: Postfix does not treat a first line that starts with `From ` as a header.
    const text = ["X-Lab: true", ...headers, `To: <${ANNA}>`, `Subject: ${subject}`, "", "Hello."].join("\r\n");
    const reply = await sendMail({ host: lab.sender, from, sender, recipient: ANNA, text });
    return { code: reply.code, text: reply.lines.join(" ") };
  }

  /** More forms: src/mail/rspamd/authors.test.ts. Every second one is a bounce, which may lack an author. */
  const unclear: readonly (readonly string[])[] = [
    ["From: <x@sender.test>", `From: <${BOSS}>`],
    [`From: <${BOSS}>`, "From: <x@sender.test>"],
    ["From: <>"],
    [`From: <x@sender.test>\0 <${BOSS}>`],
    [],
    Array.from({ length: 100 }, () => "From: <x@sender.test>"),
    [`From: ${["a", "b", "c", "d", "e"].map((name) => `<x@${name}.test>`).join(", ")}`],
  ];

  test("a mail without exactly one readable From: is refused, a bounce too", async () => {
    for (const [at, headers] of unclear.entries()) {
      const reply = await send(headers, `unclear ${at}`, MX, at % 2 === 0 ? "x@sender.test" : "");
      assert.equal(reply.code, 554, `${headers.join(" | ")}: ${reply.text}`);
      assert.match(reply.text, /^5\.7\.1 The header must name its author/);
    }
    await until("it is an event", async () => {
      const rows = await product.sqlite("SELECT DISTINCT type, ip FROM event WHERE reason = 'author_unclear'");
      return rows.length === 1 && rows[0]?.join(" ") === `EMAIL_BLOCKED ${MX}`;
    });
  });

  test("p=reject is applied however the author is written", async () => {
    for (const header of [
      `From: <${BOSS}>`,
      `From : <${BOSS}>`,
      `From: <x@sender.test>, <${BOSS}>`,
      `From: <${BOSS}>, <x@sender.test>`,
      `From: <x@sender.test>, <y@sender.test>, <boss@sub.strict.test>`,
    ]) {
      const reply = await send([header], "forged strict", ELSEWHERE);
      assert.equal(reply.code, 554, `${header}: ${reply.text}`);
      assert.match(reply.text, /rejected by DMARC policy for (sub\.)?strict\.test$/, header);
    }
    assert.equal((await send([`From: Boss <${BOSS}>`], "truly strict", MX, BOSS)).code, 250);
    await arrived("truly strict", "INBOX");
  });

  test("a mail that is costly to parse is refused at once, and helps no concurrent forgery", async () => {
    // Anything longer would be refused for the header's length alone.
    const heavy = Array.from({ length: 4 }, () => `From:${"\r\n ".repeat(34_000)}`);
    const from = performance.now();
    const bombs = [1, 2, 3].map((at) => send(heavy, `bomb ${at}`, ELSEWHERE));
    const forgeries = [1, 2, 3].map((at) => send([`From: Boss <${BOSS}>`], `beside a bomb ${at}`, ELSEWHERE));
    for (const reply of await Promise.all([...bombs, ...forgeries])) assert.equal(reply.code, 554, reply.text);
    assert.ok(performance.now() - from < patience(15_000), `${performance.now() - from} ms`);
  });

  test("p=quarantine sends mail to Junk, also for subdomains of the domain that sets it", async () => {
    for (const [at, header] of [
      "From: <x@lenient.test>",
      "From: <x@sub.parent.test>",
      "From: <x@sender.test>, <x@lenient.test>",
    ].entries()) {
      assert.equal((await send([header], `lenient ${at}`)).code, 250, header);
      const mail = await arrived(`lenient ${at}`, "Junk");
      assert.match(mail, /^X-GhostInbox-Junk: unproven author at \S+\.test$/m, header);
    }
    assert.match(await arrived("lenient 0", "Junk"), /dmarc=fail .*header\.from=lenient\.test/s);
    assert.equal((await send(["From: <x@parent.test>"], "parent")).code, 250);
    await arrived("parent", "INBOX");
  });

  test("a report without an author's address goes to Junk; one with an address is judged by its author", async () => {
    for (const [at, headers] of [["From: Mail Delivery System <MAILER-DAEMON>"], ["From:"], []].entries()) {
      const reply = await send(headers, `report ${at}`, MX, "");
      assert.equal(reply.code, 250, `${headers.join()}: ${reply.text}`);
      assert.match(await arrived(`report ${at}`, "Junk"), /^X-GhostInbox-Junk: no author$/m);
      assert.equal((await send(headers, `no report ${at}`)).code, 554, headers.join());
    }
    assert.equal((await send([`From: <${BOSS}>`], "forged report", ELSEWHERE, "")).code, 554);
  });

  test("a mail with an author of ours from a stranger goes to Junk, unless it is proven or the owner trusts the client", async () => {
    for (const [at, header] of [
      "From: Bob <bob@example.test>",
      "From: <x@sender.test>, <bob@EXAMPLE.test>",
      "From: <root@mail.example.test>",
      "From: Bob <bob@a.Sub.example.test>",
    ].entries()) {
      assert.equal((await send([header], `one of ours ${at}`)).code, 250, header);
      const mail = await arrived(`one of ours ${at}`, "Junk");
      assert.match(mail, /^X-GhostInbox-Junk: unproven author at (mail\.|a\.sub\.)?example\.test$/m);
    }
    // As returned by a list that keeps the signature intact.
    const mail = mailText({ subject: "by a list", from: "bob@example.test" });
    const text = await signer.sign(lab, "example.test", mail);
    assertAccepted(await sendMail({ host: lab.sender, from: MX, sender: "list@sender.test", recipient: ANNA, text }));
    assert.doesNotMatch(await arrived("by a list", "INBOX"), /X-GhostInbox-Junk/);

    await product.json(["allow", "add", PRINTER]);
    const scanned = await send(["From: <scanner@example.test>"], "scanned", PRINTER, "scanner@example.test");
    assert.equal(scanned.code, 250, scanned.text);
    await arrived("scanned", "INBOX");
    const changed = await send([`From: Boss <${BOSS}>`], "changed by a list", PRINTER, "list@sender.test");
    assert.equal(changed.code, 250, changed.text);
    await arrived("changed by a list", "INBOX");
  });

  test("a sender of ours is refused with a route or our IP address too; a dot at its end makes it invalid", async () => {
    for (const [sender, code] of [
      ["@sender.test:bob@example.test", 550],
      [`bob@[${SERVER.v4}]`, 550],
      [`bob@[IPv6:${SERVER.v6.toUpperCase()}]`, 550],
      ["bob@example.test.", 501],
      ["BOB@Example.Test.", 501],
    ] as const) {
      const reply = await send(["From: <x@sender.test>"], "by our sender", ELSEWHERE, sender);
      assert.equal(reply.code, code, `${sender}: ${reply.text}`);
    }
  });

  test("honest mail arrives, in the forms in which it is written", async () => {
    for (const [at, header] of [
      "From: =?UTF-8?Q?M=C3=BCller=2C_Anna?= <x@sender.test>",
      "From: Müller <x@sender.test>",
      "From: <x@sender.test>, Bert <y@sender.test>",
      "From : <x@sender.test>",
    ].entries()) {
      const reply = await send([header, "X-GhostInbox-Junk: forged"], `honest ${at}`);
      assert.equal(reply.code, 250, `${header}: ${reply.text}`);
      assert.doesNotMatch(await arrived(`honest ${at}`, "INBOX"), /X-GhostInbox-Junk/);
    }
  });
}
