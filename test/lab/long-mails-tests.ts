import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { before, test } from "node:test";
import { whileStopped } from "./commands.ts";
import { contentMail, GTUBE, MX, spamdAnswers } from "./content.ts";
import { assertAccepted, sendMail } from "./mail.ts";
import { findMail, mailText } from "./mailbox.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const KB = 1000;
const LINE = "The quick brown fox jumps over the lazy dog and then lies down beside it.\r\n";
const LINK = '<p><a href="http://shop.example/">The quick brown fox</a> <img src="cid:dog">\r\n';

/** 5 kB for one header; a mail may have a thousand headers. */
const LINES_OF_70 = Array.from({ length: 70 }, () => "x".repeat(70)).join("\r\n ");

/** What makes a spam mail long. */
const PADDINGS = [
  ["nearly 10 MB of short lines", "text/plain", "a\r\n", 10_100 * KB],
  ["nearly 10 MB of HTML", "text/html", LINK, 10_100 * KB],
] as const;

/** Spam that a busy machine left unscored is sent again. */
const MOST_TRIES = 3;

/** For a server whose allow list has the senders, so that no limit stops them. */
export const LONG_MAILS = {
  settings: { GHOSTINBOX_SPAM__ENABLED: "true", GHOSTINBOX_SPAM__REFUSE_SCORE: "1500" },
  accounts: ["anna@example.test"],
};

type Lines = readonly string[];

export function longMailsTests({ lab, product }: Running): void {
  const { arrived } = contentMail(product);
  before(() => until("spamd answers", () => spamdAnswers(product)));

  /** `padding`: headers after all others. */
  async function sent(subject: string, headers: Lines, body: string, padding: Lines = []): Promise<void> {
    const text = mailText({ subject, headers, body }).replace("\r\n\r\n", ["", ...padding, "", ""].join("\r\n"));
    assertAccepted(await sendMail({ host: lab.sender, from: MX, text }));
  }

  /** As stored in the mailbox: with Unix line ends, and a complete last line. */
  const bodyOf = (mail: string) => mail.slice(mail.indexOf("\n\n") + 2).replace(/\n+$/, "");

  /** Marked, and complete. */
  function assertMarked(mail: string, subject: string, body: string): void {
    assert.match(mail, new RegExp(`^Subject: \\[SPAM\\] ${subject}$`, "m"));
    assert.ok(bodyOf(mail) === body.replaceAll("\r\n", "\n"), `${bodyOf(mail).length} of ${body.length} bytes`);
  }

  /** Sends spam. Returns whether it arrived complete and marked: mail that an overloaded filter has not scored after 15 s is unmarked. */
  async function isScored(subject: string, type: string, body: string): Promise<boolean> {
    await sent(subject, ["MIME-Version: 1.0", `Content-Type: ${type}`], body);
    const unscored = (): boolean => findMail(product.layout, subject, { folder: "INBOX" }) !== null;
    const mail = await until(`“${subject}”`, () => findMail(product.layout, subject, { folder: "Junk" }) ?? unscored());
    if (mail === true) return false;
    assertMarked(mail, subject, body);
    return true;
  }

  async function assertScored(what: string, type: string, body: string): Promise<void> {
    for (let tries = 1; tries <= MOST_TRIES; tries++) if (await isScored(`${what} ${tries}`, type, body)) return;
    assert.fail(`“${what}” arrived unmarked`);
  }

  for (const [what, type, line, sizeBytes] of PADDINGS)
    test(`spam that is padded with ${what} is marked, and is whole`, async () => {
      const body = `${GTUBE}\r\n${filled(line, sizeBytes)}The end.`;
      await assertScored(`padded with ${what}`, type, body);
    });

  test("spam that is padded with 5 MB of headers is marked", async () => {
    const padding = Array.from({ length: 900 }, (_, n) => `X-Pad-${n}: ${LINES_OF_70}`);
    await sent("padded above", ["MIME-Version: 1.0"], GTUBE, padding);
    await arrived("padded above", "Junk");
  });

  for (const [encoding, body] of [
    ["base64", Buffer.from(`${GTUBE}\r\n`).toString("base64").replaceAll(/.{76}/g, "$&\r\n")],
    ["quoted-printable", GTUBE.replace("XJS", "=58JS").replaceAll("GTUBE", "GT=\r\nUBE")],
  ] as const)
    test(`spam in ${encoding} is marked although 270 kB of headers come before its encoding`, async () => {
      const padding = Array.from({ length: 50 }, (_, n) => `X-Pad-${n}: ${LINES_OF_70}`);
      const type = ["MIME-Version: 1.0", "Content-Type: text/plain;", " charset=utf-8"];
      await sent(`hidden in ${encoding}`, [], body, [...padding, ...type, `Content-Transfer-Encoding: ${encoding}`]);
      await arrived(`hidden in ${encoding}`, "Junk");
    });

  test("spam in the visible part is marked although another part of 540 kB comes first", async () => {
    const part = (type: string, text: string): string => `--=_a part\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;
    const plain = part("text/plain", filled(LINE, 540 * KB));
    const body = `${plain}${part("text/html", `<p>${GTUBE}</p>`)}--=_a part--`;
    const type = 'Content-Type: multipart/alternative;\r\n boundary="=_a part"';
    await sent("the second part", ["MIME-Version: 1.0", type], body);
    await arrived("the second part", "Junk");
  });

  test("spam at the end of a long mail is marked", async () => {
    const body = `${filled(LINE, 600 * KB)}${GTUBE}\r\n`;
    await sent("spam at the end", ["MIME-Version: 1.0", "Content-Type: text/plain"], body);
    await arrived("spam at the end", "Junk");
  });

  test("an honest mail with a large attachment is scored too, is not marked, and is whole", async () => {
    const part = (type: string, text: string): string => `--part\r\nContent-Type: ${type}\r\n${text}\r\n`;
    const attachment = "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\r\n";
    const encoded = `Content-Transfer-Encoding: base64\r\n\r\n${attachment.repeat(50_000)}\r\n--part--`;
    const words = "\r\nHere are the papers that you asked for. Shall we look at them on Friday?\r\n";
    const body = part("text/plain", words) + part("application/pdf; name=papers.pdf", encoded);
    await sent("papers", ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=part"], body);
    const mail = await arrived("papers", "INBOX");
    assert.match(mail, /^X-Spam-Status: No, score=/m);
    assert.ok(bodyOf(mail) === body.replaceAll("\r\n", "\n").trimEnd());
  });

  test("mails that SpamAssassin never finishes are scored, as are the others, and are whole", async () => {
    const body = `${GTUBE}\r\n${filled("<table><tr><td>a\r\n", 400 * KB)}The end.`;
    // One more than there are processes.
    const heavy = Promise.all([1, 2, 3].map((n) => isScored(`heavy ${n}`, "text/html", body)));
    // Queued behind them: spamd is busy.
    const behind = until("spamd has two processes", () => product.pidsOf(/spamd child/).length === 2).then(() =>
      assertScored("behind them", "text/plain", GTUBE),
    );
    const [scored] = await Promise.all([heavy, behind]);
    // On a busy machine three at once may take too long, but each of them does not.
    for (const n of scored.keys()) if (scored[n] === false) await assertScored(`heavy ${n} again`, "text/html", body);
  });

  test("mails whose client hung up stop waiting for a frozen spamd", async () => {
    const [head] = product.pidsOf(/spam-head\.py/);
    await whileStopped(product.pidsOf(/spamd (child|--)/), async () => {
      // More than the filter takes at once, each longer than a socket buffer.
      const ask = ["spamc", "-U", product.layout.spamHeadSocket, "-t", "2", "-s", "1000000"];
      const input = `Subject: x\n\n${LINE.repeat(6_000)}`;
      await Promise.all(Array.from({ length: 20 }, () => lab.server.exec(ask, { input })));
      // One thread accepts connections, and one reports about spamd. The milter's own query may have a third.
      await until("none waits", () => readdirSync(`/proc/${head}/task`).length <= 3, 6_000);
    });
    await until("spamd answers", () => spamdAnswers(product));
  });

  test("none of them made a program of the filter grow large", async () => {
    // A child with nothing to do may end at any time.
    const peaks = product.pidsOf(/spamd (child|--)|spam-head\.py/).flatMap((pid) => {
      const file = `/proc/${pid}/status`;
      return existsSync(file)
        ? [{ pid, kb: Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(file, "utf8"))?.[1]) }]
        : [];
    });
    assert.ok(peaks.length >= 2, JSON.stringify(peaks));
    for (const { pid, kb } of peaks) assert.ok(kb < 256_000, `${pid}: ${kb} kB`);
  });
}

/** This line, as often as it fits. */
const filled = (line: string, sizeBytes: number): string => line.repeat(Math.floor(sizeBytes / line.length));
