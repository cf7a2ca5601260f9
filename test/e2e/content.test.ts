import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Lab } from "../lab/lab.ts";
import { authenticate, mailOver, openSubmission, sendMail } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { Product } from "../lab/product.ts";
import { Sink } from "../lab/sink.ts";
import { until } from "../lab/wait.ts";

const ANNA = "anna@example.test";
const BERT = "bert@example.test";
/** mx.sender.test, and an address of which the names below know nothing. */
const MX = "198.51.100.10";
const ELSEWHERE = "198.51.100.70";
/** Scores 1,000 (gtube(7)); a score that the refusal is set above. */
const GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";
const RECORDS = [
  'sender.test. TXT "v=spf1 ip4:198.51.100.10 -all"',
  'strict.test. TXT "v=spf1 ip4:198.51.100.10 -all"',
  "strict.test. MX 10 mx.sender.test.",
  '_dmarc.strict.test. TXT "v=DMARC1; p=reject"',
];

type Written = Readonly<{ subject: string; from?: string; to?: string; headers?: readonly string[]; body?: string }>;

function mailText({
  subject,
  from = "someone@sender.test",
  to = ANNA,
  headers = [],
  body = "Hello.",
}: Written): string {
  const lines = [
    ...headers,
    `From: <${from}>`,
    `To: <${to}>`,
    `Subject: ${subject}`,
    "Date: Fri, 20 Nov 2026 08:00:00 +0000",
  ];
  return [...lines, `Message-ID: <${subject.replaceAll(" ", ".")}@sender.test>`, "", body].join("\r\n");
}

describe("what is in a mail, and whose it is", { skip: whyNoLab() ?? false }, () => {
  let lab: Lab;
  let product: Product;
  let sink: Sink;
  before(async () => {
    lab = await Lab.make(RECORDS);
    sink = await Sink.start(lab.sender, MX, lab.directory);
    product = await new Product(lab, {
      GHOSTINBOX_SPAM__ENABLED: "true",
      GHOSTINBOX_SPAM__REFUSE_SCORE: "1500",
      GHOSTINBOX_SPAM__ALLOW_FROM: "*@friend.test",
      GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: "1000",
    }).start();
    await product.addAccount(ANNA);
    await product.addAccount(BERT);
    await until("spamd listens", () => existsSync(product.layout.spamdSocket));
  });
  after(async () => {
    try {
      if (process.env["DEBUG_LOG"]) {
        console.log(readFileSync(product.layout.mailLog, "utf8").slice(-3000));
        for (const s of ["opendkim", "opendmarc", "spamd", "spamass-milter"])
          console.log(s, readFileSync(join(product.layout.log, s, "current"), "utf8").slice(-1500));
      }
      await product.stopAndCheck();
    } finally {
      lab.remove();
    }
  });

  /** The mail with this subject, tagged or not, in a folder of a mailbox; null if it is not there. */
  function find(subject: string, folder: "INBOX" | "Junk", account: string = ANNA): string | null {
    const [local = "", domain = ""] = account.split("@");
    const maildir = join(product.layout.mail, domain, local, "Maildir", folder === "INBOX" ? "" : ".Junk", "new");
    if (!existsSync(maildir)) return null;
    const texts = readdirSync(maildir).map((name) => readFileSync(join(maildir, name), "utf8"));
    return texts.find((text) => new RegExp(`^Subject: (\\[SPAM\\] )?${subject}$`, "m").test(text)) ?? null;
  }

  async function arrived(subject: string, folder: "INBOX" | "Junk" = "INBOX", account: string = ANNA): Promise<string> {
    return until(`“${subject}” in ${folder}`, () => find(subject, folder, account), 15_000);
  }

  async function send(
    written: Written,
    from: string = MX,
    sender?: string,
  ): Promise<Readonly<{ code: number; text: string }>> {
    const reply = await sendMail({
      host: lab.sender,
      from,
      recipient: written.to ?? ANNA,
      sender: sender ?? written.from ?? "someone@sender.test",
      text: mailText(written),
    });
    return { code: reply.code, text: reply.lines.join(" ") };
  }

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
    const scored = await until("the score is an event", () => eventOf("SPAM_SCORED", "message_id=<scored@"));
    assert.match(scored, /score=1\d{3}(\.\d)? required=5 message_id=<scored@sender\.test> to=<anna@example\.test>/);
    const refused = await send({ subject: "too much", body: GTUBE, headers: ["X-Lab: refuse"] }, ELSEWHERE);
    assert.equal(refused.code, 550, refused.text);
    assert.match(refused.text, /^5\.7\.1 Message content refused$/);
    await until("the refusal is an event", () => eventOf("EMAIL_BLOCKED", "Message content refused"));
    assert.equal(find("too much", "Junk"), null);
  });

  /** The details of an event of this type that contain the text; null if there is none. */
  async function eventOf(type: string, containing: string): Promise<string | null> {
    const rows = await product.sqlite(`SELECT details FROM event WHERE type = '${type}'`);
    return rows.find(([details = ""]) => details.includes(containing))?.[0] ?? null;
  }

  test("results are ours: honest, and a stranger's own are gone", async () => {
    const headers = [
      "Authentication-Results: mail.example.test; dkim=pass header.d=bank.test; dmarc=pass",
      "Authentication-Results: elsewhere.test;\r\n\tspf=pass",
      "Received-SPF: pass (forged)",
      "X-Spam-Status: No, score=-99",
    ];
    assert.equal((await send({ subject: "honest", headers })).code, 250);
    const text = await arrived("honest");
    assert.doesNotMatch(text, /bank\.test|elsewhere\.test|forged|score=-99/);
    assert.match(text, /^Authentication-Results: mail\.example\.test; dkim=none/m);
    assert.match(text, /^Authentication-Results: mail\.example\.test; spf=pass smtp\.mailfrom=/m);
  });

  test("what a domain's DMARC record says is done, and the reply names it", async () => {
    const forged = await send({ subject: "from strict", from: "boss@strict.test" }, ELSEWHERE);
    assert.equal(forged.code, 550, forged.text);
    assert.match(forged.text, /DMARC policy for strict\.test/);
    assert.equal((await send({ subject: "truly strict", from: "boss@strict.test" })).code, 250);
    assert.match(await arrived("truly strict"), /dmarc=pass .*header\.from=strict\.test/s);
  });

  test("a user's mail leaves with one signature of each kind, which a stock verifier accepts", async () => {
    const dialog = await openSubmission(lab.sender, "198.51.100.65");
    await authenticate(dialog, ANNA);
    const text = mailText({ subject: "signed", from: ANNA, to: "someone@sender.test" });
    assert.equal((await mailOver(dialog, { sender: ANNA, recipient: "someone@sender.test", text })).code, 250);
    const out = await until(
      "the mail went out",
      () => sink.mails().find((mail) => mail.includes("Subject: signed")),
      20_000,
    );
    assert.equal(out, "");
  });
});
