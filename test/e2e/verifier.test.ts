import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { contentMail, ELSEWHERE, MX, RECORDS } from "../lab/content.ts";
import { ANNA, assertAccepted, sendMail } from "../lab/mail.ts";
import { mailFiles, mailText } from "../lab/mailbox.ts";
import { SERVER } from "../lab/network.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const SESSIONS = 8;
const MAILS = 800;
const RSPAMD = /rspamd: (main|rspamd_proxy) process/;

describe("the verifier", needsLab(), () => {
  const { lab, product } = withProduct({ GHOSTINBOX_ALLOW__NETWORKS: "198.51.100.0/26" }, [ANNA], {
    records: () => RECORDS,
  });

  const { arrived } = contentMail(product);

  /** Sends one mail; returns the reply code. */
  async function send(author: string, subject: string, from: string = MX, sender: string = author): Promise<number> {
    const text = mailText({ subject, from: author });
    return (await sendMail({ host: lab.sender, from, sender, recipient: ANNA, text })).code;
  }

  test("a sender whose own names are slow to look up cannot forge another's", async () => {
    assert.ok((await send("boss@strict.test", "slowly forged", ELSEWHERE, "x@slow.test")) >= 400);
  });

  test("while a policy cannot be read, proven mail is accepted, and other mail is deferred", async () => {
    assert.equal(await send("x@unread.test", "proven"), 250);
    assert.equal(await send("x@unread.test", "not proven", ELSEWHERE), 451);
  });

  test("mail from loopback gets no result headers", async () => {
    const text = mailText({ subject: "by a proxy", from: "boss@strict.test" });
    assertAccepted(await sendMail({ host: lab.server, from: "127.0.0.1", to: "127.0.0.1", recipient: ANNA, text }));
    assert.doesNotMatch(await arrived("by a proxy"), /^(Authentication-Results|DKIM-Signature):/m);
  });

  test("many mails at once are all accepted and verified, and Rspamd survives them", async () => {
    const started = product.pidsOf(RSPAMD);
    const before = mailFiles(product.layout, ANNA).length;
    const burst = ["smtp-source", "-s", String(SESSIONS), "-m", String(MAILS), "-l", "2000", "-M", "mx.sender.test"];
    // smtp-source exits with 1 at the first refusal.
    await lab.sender.mustExec([...burst, "-f", "someone@sender.test", "-t", ANNA, `${SERVER.v4}:25`], {
      deadlineMs: 120_000,
    });
    // An alert may have come between them.
    await until("all have arrived", () => mailFiles(product.layout, ANNA).length >= before + MAILS);
    const verified = (): number =>
      mailFiles(product.layout, ANNA).filter((file) =>
        /^\s+spf=pass \(.*\) smtp\.mailfrom=someone@sender\.test/ms.test(readFileSync(file, "utf8")),
      ).length;
    await until("all are verified", () => verified() === MAILS);
    assert.deepEqual(product.pidsOf(RSPAMD), started);
  });
});
