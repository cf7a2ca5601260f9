import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { contentMail, detailsOf, ELSEWHERE, GTUBE, MX, RECORDS, spamdAnswers } from "./content.ts";
import { encryptByAccount, encryptedMail } from "./encrypted-mail.ts";
import { ANNA, assertAccepted, BERT, openImapAs, sendMail, sendMailAs } from "./mail.ts";
import { findMail, mailText } from "./mailbox.ts";
import type { Signer } from "./signer.ts";
import type { Sink } from "./sink.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** For a server that scores mail by all rules. */
export const SCORED = {
  settings: {
    GHOSTINBOX_SPAM__ENABLED: "true",
    GHOSTINBOX_SPAM__REFUSE_SCORE: "1500",
    GHOSTINBOX_SPAM__ALLOW_FROM: "*@friend.test",
    GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: "1000",
    GHOSTINBOX_LIMITS__CONNECTIONS__PER_MINUTE: "1000",
  },
  records: (signer: Signer) => [...RECORDS, signer.record("strict.test")],
};

/** For a server with SCORED and the accounts of Anna and Bert. `sink`: at MX. */
export function contentTests({ lab, product }: Running, signer: Signer, sink: () => Sink): void {
  const { arrived, send } = contentMail(product);
  before(() => until("spamd answers", () => spamdAnswers(product)));

  test("spam is marked and lies in Junk; other mail is neither", async () => {
    assert.equal((await send({ subject: "buy this", body: GTUBE })).code, 250);
    assert.match(await arrived("buy this", "Junk"), /^Subject: \[SPAM\] buy this$/m);
    assert.equal((await send({ subject: "lunch" })).code, 250);
    const lunch = await arrived("lunch");
    assert.match(lunch, /^Subject: lunch$/m);
    assert.match(lunch, /^X-Spam-Status: No, /m);
  });

  test("scores are events, and so are refusals, with who sent it", async () => {
    assert.equal((await send({ subject: "scored", body: GTUBE })).code, 250);
    const scored = await until("the score is an event", () => detailsOf(product, "SPAM_SCORED", "message_id=<scored@"));
    assert.match(scored, /score=1\d{3}(\.\d)? required=5 message_id=<scored@sender\.test> to=<anna@example\.test>/);
    const refused = await send({ subject: "too much", body: GTUBE, headers: ["X-Lab: refuse"] }, ELSEWHERE);
    assert.equal(refused.code, 550, refused.text);
    assert.match(refused.text, /^5\.7\.1 Message content refused$/);
    await until("the refusal is an event", () => detailsOf(product, "EMAIL_BLOCKED", "Message content refused"));
    assert.equal(findMail(product.layout, "too much", { folder: "Junk" }), null);
  });

  test("result headers are only ours: a stranger's own are removed", async () => {
    const headers = [
      "Authentication-Results: mail.example.test; dkim=pass header.d=bank.test; dmarc=pass",
      "Authentication-Results: elsewhere.test;\r\n\tspf=pass",
      "Received-SPF: pass (forged)",
      "X-Spam-Status: No, score=-99",
    ];
    assert.equal((await send({ subject: "honest", headers })).code, 250);
    const text = await arrived("honest");
    assert.doesNotMatch(text, /bank\.test|elsewhere\.test|forged|score=-99/);
    assert.match(text, /^Authentication-Results: mail\.example\.test;\s+dkim=none;\s+/m);
    assert.match(text, /^\s+spf=pass \(.*\) smtp\.mailfrom=someone@sender\.test/ms);
  });

  test("a domain's DMARC policy is applied, and the reply names it", async () => {
    const forged = await send({ subject: "from strict", from: "boss@strict.test" }, ELSEWHERE);
    assert.equal(forged.code, 554, forged.text);
    assert.match(forged.text, /DMARC policy for strict\.test/);
    assert.equal((await send({ subject: "truly strict", from: "boss@strict.test" })).code, 250);
    assert.match(await arrived("truly strict"), /dmarc=pass .*header\.from=strict\.test/s);
  });

  test("a signature counts for DMARC wherever the mail comes from; a mail that was changed since does not", async () => {
    const signed = await signedBy("strict.test", "signed elsewhere");
    const mail = { host: lab.sender, from: ELSEWHERE, sender: "bounces@sender.test" };
    const reply = await sendMail({ ...mail, text: signed });
    assert.equal(reply.code, 250, reply.lines.join());
    const seen = await arrived("signed elsewhere");
    assert.match(seen, /^Authentication-Results: mail\.example\.test;\s+dkim=pass .*header\.d=strict\.test/m);
    assert.match(seen, /dmarc=pass .*header\.from=strict\.test/);
    const changed = await sendMail({ ...mail, text: signed.replace("Hello.", "Hello!") });
    assert.equal(changed.code, 554, changed.lines.join());
  });

  test("a mail whose signature cannot be verified now is deferred", async () => {
    const text = await signedBy("half.test", "comes again");
    const reply = await sendMail({ host: lab.sender, from: ELSEWHERE, sender: "bounces@sender.test", text });
    assert.equal(Math.floor(reply.code / 100), 4, reply.lines.join());
  });

  function signedBy(domain: string, subject: string): Promise<string> {
    return signer.sign(lab, domain, mailText({ subject, from: `boss@${domain}` }));
  }

  test("a user's mail is sent with one signature, which a stock verifier accepts; others' mail is not signed", async () => {
    const text = mailText({ subject: "signed", from: ANNA, to: "someone@sender.test" });
    const mail = { host: lab.sender, from: "198.51.100.65", recipient: "someone@sender.test", text };
    assertAccepted(await sendMailAs(ANNA, mail));
    const isIt = (mail: string): boolean => mail.includes("Subject: signed");
    const out = await until("the mail went out", () => sink().mails().find(isIt));
    assert.equal(out.match(/^DKIM-Signature:/gm)?.length, 1);
    assert.equal(await verified(out), "pass");
    assert.equal(await verified(out.replace("Hello.", "Hello!")), "fail");
    for (const added of ["Reply-To: carl@strict.test", "Subject: Urgent"])
      assert.equal(await verified(out.replace(/^Subject: signed/m, `${added}\n$&`)), "fail", added);
    assert.equal(findMail(product.layout, "signed", { folder: "INBOX" }), null);
    // The same mail by a stranger is verified like any other, and never signed.
    const stranger = { from: "carl@strict.test", subject: "unsigned" };
    assert.equal((await send(stranger)).code, 250);
    assert.doesNotMatch(await arrived("unsigned"), /^DKIM-Signature:/m);
  });

  test("a mail that counts as spam is tagged here, but an alias forwards it with a valid signature", async () => {
    await product.json(["alias", "add", "both@example.test", ANNA, "someone@sender.test"]);
    const [from, to] = ["boss@strict.test", "both@example.test"];
    const text = await signer.sign(
      lab,
      "strict.test",
      mailText({ subject: "tagged here", from, to, headers: ["X-Lab: ten"] }),
    );
    assertAccepted(await sendMail({ host: lab.sender, from: MX, sender: from, recipient: to, text }));
    assert.match(await arrived("tagged here", "Junk"), /^Subject: \[SPAM\] tagged here$/m);
    const out = await until("it was forwarded", () =>
      sink()
        .mails()
        .find((mail) => mail.includes("Subject: tagged here")),
    );
    assert.match(out, /^X-Spam-Flag: YES$/m);
    assert.equal(await verified(out, signer.record("strict.test")), "pass");
  });

  /** python3-dkim's verdict on the first signature, with the key in these records, by default those of `dns records`. */
  async function verified(mail: string, records?: string): Promise<string> {
    const answer = records ?? JSON.stringify(await product.json(["dns", "records", "example.test"]));
    const key = /"v=DKIM1;[^"]*"/.exec(answer)?.[0] ?? "";
    const program = [
      "import dkim, sys",
      "text = sys.stdin.buffer.read()",
      "text = text[text.index(b'DKIM-Signature:'):].replace(b'\\r\\n', b'\\n').rstrip(b'\\n') + b'\\n'",
      `print('pass' if dkim.verify(text.replace(b'\\n', b'\\r\\n'), dnsfunc=lambda name, timeout=5: b${key}) else 'fail')`,
    ].join("\n");
    return (await lab.server.mustExec(["/usr/bin/python3", "-c", program], { input: mail })).trim();
  }

  test("senders allowed by the settings are trusted as written; senders allowed by an account must be proven", async () => {
    const spam = { headers: ["X-Lab: spam"] };
    await send({ ...spam, subject: "by settings", from: "x@friend.test" }, ELSEWHERE);
    assert.match(await arrived("by settings"), /^Subject: by settings$/m);

    await product.json(["spam", "allow", "add", ANNA, "*@sender.test"]);
    await product.json(["alias", "add", "anna.alias@example.test", ANNA]);
    await send({ ...spam, subject: "proven" });
    assert.match(await arrived("proven"), /^Subject: proven$/m);
    await send({ ...spam, subject: "forged" }, ELSEWHERE);
    assert.match(await arrived("forged", "Junk"), /^Subject: \[SPAM\] forged$/m);
    await send({ ...spam, subject: "to another", to: BERT });
    assert.match(await arrived("to another", "Junk", BERT), /^Subject: \[SPAM\] to another$/m);
    await until("the alias has its list", () =>
      existsSync(join(product.layout.spamPreferences, "example.test", "anna.alias", "user_prefs")),
    );
    await send({ ...spam, subject: "by alias", to: "anna.alias@example.test" });
    assert.match(await arrived("by alias"), /^Subject: by alias$/m);

    await product.json(["spam", "allow", "remove", ANNA, "*@sender.test"]);
    await send({ ...spam, subject: "no more" });
    await arrived("no more", "Junk");
  });

  test("moving mail to and from Junk teaches the filter, for the user who did it", async () => {
    const words = "genuine swiss replica chronographs shipped discreetly tonight";
    await send({ subject: "missed spam", body: words });
    await arrived("missed spam");
    await send({ subject: "wrong spam", body: "minutes of the allotment committee", headers: ["X-Lab: ten"] });
    await arrived("wrong spam", "Junk");
    const moved = async (folder: string, subject: string, to: string): Promise<void> => {
      using imap = await openImapAs(lab.sender, "198.51.100.65", ANNA);
      await imap.imap(`CREATE ${to}`);
      await imap.imap(`SELECT ${folder}`);
      const [, uid] = /^\* SEARCH (\d+)$/m.exec((await imap.imap(`UID SEARCH SUBJECT "${subject}"`)).join("\n")) ?? [];
      assert.match((await imap.imap(`UID MOVE ${uid} ${to}`)).at(-1) ?? "", / OK /, subject);
    };
    await moved("INBOX", "missed spam", "Junk");
    await moved("Junk", "wrong spam", "INBOX");
    // Deleting mail from Junk, or filing it there, does not correct the filter.
    for (const [folder, subject] of [
      ["Trash", "thrown away"],
      ["Junk.2024", "sorted by year"],
      ['"Gel&APY-schte Elemente"', "thrown away in German"],
    ] as const) {
      // The filter treats equal bodies with the same date as one mail.
      await send({ subject, body: subject, headers: ["X-Lab: ten"] });
      await arrived(subject, "Junk");
      await moved("Junk", subject, folder);
    }
    const report = JSON.stringify(await product.json(["report"], { deadlineMs: 60_000 }));
    assert.match(report, /"missed":1,"wrong":1,"users":1/);
    await send({ subject: "more spam", body: words });
    const either = (): string | null =>
      findMail(product.layout, "more spam") ?? findMail(product.layout, "more spam", { folder: "Junk" });
    assert.match(await until("a similar mail came", either), /^X-Spam-Status: [^]*?BAYES_[89]\d/m);
    await send({ subject: "to bert", body: words, to: BERT });
    assert.doesNotMatch(await arrived("to bert", "INBOX", BERT), /BAYES_/);
  });

  test("mail that is encrypted with the key of its account still teaches the filter", async () => {
    const password = "purple monkey dishwasher";
    await encryptByAccount(product, { account: BERT, password });
    const mail = encryptedMail({ lab, product }, { account: BERT, from: "198.51.100.65" });
    await mail.writeHidden(password, "yachts");
    await mail.copy(password, "Junk");
    await until("it was learned", () =>
      readFileSync(product.layout.spamCorrections.foreign, "utf8").includes(` spam ${BERT}`),
    );
  });

  test("the socket that scores mail cannot teach, and no user's script can start a program", async () => {
    const asked = await lab.server.exec(["spamc", "-U", product.layout.spamHeadSocket, "-u", BERT, "-L", "spam"], {
      input: "x",
    });
    assert.doesNotMatch(asked.stdout, /successfully/);
    const script = 'require ["vnd.dovecot.pipe", "copy"];\npipe :copy "spam-learn" ["ham", "bert@example.test"];\n';
    const check = ["doveadm", "-c", product.layout.dovecotConf, "sieve", "put", "-u", ANNA, "mine"];
    const put = await lab.server.exec(check, { input: script });
    assert.notEqual(put.code, 0);
    assert.match(put.stderr, /vnd\.dovecot\.pipe/);
  });
}
