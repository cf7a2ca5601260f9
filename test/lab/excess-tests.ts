// Invariant: No filter reads a mail with a million header lines or thousands of MIME parts; strangers' mails that may hide more are read one at a time; none passes unverified while Rspamd fails.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { serviceLog } from "../../src/settings/layout.ts";
import { patience } from "../kit/patience.ts";
import { whileBusy, whileStopped } from "./commands.ts";
import { processorSecondsOf } from "./component-memory.ts";
import { contentMail, spamdAnswers } from "./content.ts";
import type { Dialog } from "./dialog.ts";
import { ANNA, assertRefused, mailOver, openSmtp, openSubmissionAs, sendMail } from "./mail.ts";
import { mailText } from "./mailbox.ts";
import { timed, until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const HONEST = "198.51.100.72";
const PHONE = "198.51.100.71";
const STRANGERS = Array.from({ length: 20 }, (_, n) => `198.18.${100 + n}.7`);
const HEAD = "From: <a@sender.test>\r\nSubject: heavy\r\n";
/** 1.35 MB, which cost 20 s of CPU time each when the filters read them. */
const LINES = `${HEAD}${"a:\r\n".repeat(450_000)}\r\nHello.`;
/** Far shorter than the minutes that the filters would take, and longer than a machine pauses for its disk. */
const MOST_WAIT_MS = 15_000;
const MULTIPART = `${HEAD}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="x y"\r\n\r\n`;
const PARTS = `${"--x y\r\nContent-Type: text/html\r\n\r\n<p>a\r\n".repeat(10_000)}--x y--`;
const MESSAGE = `${HEAD}MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n`;
const OF_PARTS = [
  ["198.18.120.7", "", MULTIPART + PARTS],
  ["2001:db8:a121::7", " in a message within the mail, over IPv6,", MESSAGE + MULTIPART + PARTS],
] as const;
/** Costs as much as 10,000 parts. */
const RECIPIENTS = `${MESSAGE}${`To: ${"a@b,\r\n ".repeat(10_000)}\r\n`.repeat(40)}\r\nHello.`;
const FEWER = PARTS.slice(0, 80_000);
const IN_PIECES = MULTIPART.replace('boundary="x y"', 'boundary*0="x "; boundary*1="y"') + FEWER;
const ENCODED = MESSAGE.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
const IN_BASE64 = Buffer.from(MULTIPART + FEWER).toString("base64");
const MAY_HIDE = [
  IN_PIECES,
  ENCODED + IN_BASE64.replace(/.{76}/g, "$&\r\n"),
  `${MULTIPART.replace("x y", "z")}--other\r\nJunk\r\n${ENCODED}${IN_BASE64.replace(/.{76}/g, "$&\r\n")}`,
  `${MESSAGE}${"a:\r\n".repeat(40_000)}\r\nHello.`,
];
/** 100,000 nested messages, encoded: Rspamd would take minutes to read them. */
const CHAINED = "Content-Type: message/a\n\n";
const CHAIN = CHAINED.replace("\n\n", "\nContent-Transfer-Encoding: 7bit\n\n") + CHAINED.repeat(100_000);
const ENDLESS = `${MULTIPART}--x y\r\n${ENCODED.slice(HEAD.length)}${Buffer.from(CHAIN).toString("base64").replace(/.{76}/g, "$&\r\n")}\r\n--x y--`;
/** 9.4 MB of text, and how many such mails exceed what the filters may have to read. */
const LARGE = `${HEAD.replace("heavy", "large")}\r\n${"a line of text that fills the mail\r\n".repeat(260_000)}Hello.`;
const MOST_LARGE = 8;
/** How long a mail counts if no log line shows its end. */
const COUNTED_MS = 50_000;
const VERIFIER = /rspamd: rspamd_proxy/;
const TOO_MUCH = { code: 451, lines: ["4.3.2 Too much mail at once, try again later"] };
const TOO_MANY_HEADERS = { code: 550, lines: ["5.7.1 Too many header lines"] };
const MANY_HEADERS = Array.from({ length: 1_100 }, (_, n) => `X-${n}: a`);
/** A mail together with the line that ends it. */
const FORGED = `${mailText({ subject: "small, forged", from: "boss@strict.test" })}\r\n.\r\n`;

/** For a server that scores mail, with the account of Anna. */
export function excessTests(running: Running): void {
  const { lab, product } = running;
  const { arrived, send } = contentMail(product);
  before(() => until("spamd answers", () => spamdAnswers(product)));

  function secondsOfFilters(): number {
    const [milters, verifiers] = [product.pidsOf(/spamass-milter /), product.pidsOf(/rspamd: /)];
    assert.ok(milters.length > 0 && verifiers.length > 0, "the filters run");
    return [...milters, ...verifiers].reduce((sum, pid) => sum + processorSecondsOf(pid), 0);
  }

  test("a mail with 300 headers and 50 parts arrives", async () => {
    const headers = Array.from({ length: 300 }, (_, n) => `X-Hop-${n}: by mx${n}.sender.test; passed on`);
    const type = ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=x"];
    const body = `${"--x\r\nContent-Type: text/plain\r\n\r\nfile\r\n".repeat(50)}--x--`;
    const reply = await send({ subject: "travelled far", headers: [...headers, ...type], body });
    assert.equal(reply.code, 250, reply.text);
    assert.match(await arrived("travelled far"), /^X-Hop-299: /m);
  });

  test("20 strangers whose mails have 450,000 header lines keep no other mail waiting, and are banned", async () => {
    const from = secondsOfFilters();
    const attacked = Promise.all(STRANGERS.map((stranger) => write(stranger, LINES)));
    const waits: number[] = [];
    const status = timed(() => product.cli(["status"]));
    // As many as Postfix itself accepts from one server within a minute.
    while (waits.length < 8) {
      const beside = { subject: `beside ${waits.length}`, from: "someone@friend.test" };
      const { value, ms } = await timed(() => send(beside, HONEST));
      assert.equal(value.code, 250, value.text);
      waits.push(ms);
    }
    for (const reply of await attacked) assertRefused(reply, "5.7.1 Too many header lines");
    for (const stranger of STRANGERS) await banned(stranger, "header_lines");
    assert.ok((secondsOfFilters() - from) * 1_000 < patience(2_000), "the filters read none of it");
    assert.ok(Math.max(...waits) < patience(MOST_WAIT_MS), waits.join());
    assert.ok((await status).ms < patience(MOST_WAIT_MS), "status answers too");
    await arrived("beside 0");
  });

  test("200,000 Message-IDs in a header, each of which Postfix logs, leave few events", async () => {
    const text = `${HEAD}${"Message-ID:a\r\n".repeat(200_000)}\r\nHello.`;
    assertRefused(await write("198.18.127.7", text), "5.7.1 Too many header lines");
    await banned("198.18.127.7", "header_lines");
    await hasTurn("198.18.128.7", `${HEAD}\r\nHello.`);
    const lines = readFileSync(product.layout.mailLog, "utf8").split(": message-id=a\n").length - 1;
    const rows = await product.countEvents("type = 'EMAIL_QUEUED' AND message_id = 'a'");
    assert.ok(lines >= 100_000 && rows > 0 && rows < 1_000, `${rows} rows of ${lines} lines`);
  });

  for (const [stranger, how, text] of OF_PARTS)
    test(`10,000 MIME parts${how} are refused before any filter reads them, and are an offence`, async () => {
      const from = secondsOfFilters();
      await whileBusy(async () => {
        assertRefused(await write(stranger, text), "5.7.1 Too many parts");
        await banned(stranger, "mime_parts");
      });
      assert.ok((secondsOfFilters() - from) * 1_000 < patience(1_000));
    });

  test("recipients that cost as much are refused too, but are only an estimate, and no offence", async () => {
    const from = "198.18.125.7";
    assert.deepEqual(await write(from, RECIPIENTS), { code: 550, lines: ["5.7.1 Too many parts"] });
    assert.equal(await product.banOf(from), undefined);
  });

  test("the filters read mails that may hide parts one at a time, and a mail that hides none beside them", async () => {
    const taken = await ended();
    const dialogs = await Promise.all([...MAY_HIDE, "small"].map((_, nth) => atData(`198.18.${150 + nth}.7`)));
    const small = dialogs.pop();
    const [first, ...others] = dialogs;
    assert.ok(small !== undefined && first !== undefined);
    await whileStopped(product.pidsOf(/rspamd: /), async () => {
      first.sendRaw(`${MAY_HIDE[0]}\r\n.\r\n`);
      await until("the filters have it", async () => (await ended()) > taken);
      for (const [nth, other] of others.entries()) {
        other.sendRaw(`${MAY_HIDE[nth + 1]}\r\n.\r\n`);
        assert.deepEqual(await other.reply(60_000), TOO_MUCH);
      }
      small.sendRaw(FORGED);
    });
    assert.notEqual((await first.reply(60_000)).code, 451);
    assert.equal((await small.reply(60_000)).code, 554, "the forged mail did not pass unverified");
    for (const dialog of [first, small, ...others]) dialog.close();
    await until("another has its turn", async () => (await write("198.18.159.7", IN_PIECES)).code !== 451);
  });

  test("while the filters have 64 MB to read, a stranger's large mail must be retried, and a small one is verified", async () => {
    const taken = await ended();
    const strangers = Array.from({ length: MOST_LARGE + 2 }, (_, nth) => `198.18.${130 + nth}.7`);
    const dialogs = await Promise.all(strangers.map(atData));
    const [small, refused, ...others] = dialogs;
    assert.ok(small !== undefined && refused !== undefined);
    await whileStopped(product.pidsOf(/rspamd: /), async () => {
      for (const dialog of others) dialog.sendRaw(`${LARGE}\r\n.\r\n`);
      await until("the filters have all of it", async () => (await ended()) === taken + MOST_LARGE);
      refused.sendRaw(`${LARGE}\r\n.\r\n`);
      const { code, lines } = await refused.reply();
      assert.equal(code, 451, lines.join());
      assert.match(lines.join(), /Too much mail at once, try again later/);
      small.sendRaw(FORGED);
    });
    for (const dialog of others) assert.equal((await dialog.reply(60_000)).code, 250);
    assert.equal((await small.reply(60_000)).code, 554, "the forged mail did not pass unverified");
    await hasTurn("198.18.140.7", LARGE);
    for (const dialog of dialogs) dialog.close();
    assert.ok((await product.countEvents("reason = 'filters_busy'")) >= 1);
  });

  test("mails that Postfix refuses as a loop leave room for others at once", async () => {
    const looped = "Received: by relay.sender.test\r\n".repeat(55) + LARGE;
    const loops = () => readFileSync(product.layout.mailLog, "utf8").split(": hopcount exceeded").length - 1;
    const before = loops();
    const dialogs = await Promise.all(Array.from({ length: MOST_LARGE }, (_, nth) => atData(`198.18.${180 + nth}.7`)));
    for (const dialog of dialogs) dialog.sendRaw(looped);
    await until("Postfix has found the loops", () => loops() === before + MOST_LARGE);
    for (const dialog of dialogs) {
      dialog.sendRaw("\r\n.\r\n");
      const { code, lines } = await dialog.reply(60_000);
      assert.equal(code, 554, lines.join());
      dialog.close();
    }
    const hasRoom = async (): Promise<boolean> => (await write("198.18.190.7", LARGE)).code === 250;
    const { ms } = await timed(() => until("there is room", hasRoom));
    assert.ok(ms < COUNTED_MS, `after ${Math.round(ms)} ms`);
  });

  test("a network whose mail blocked Rspamd, even unfinished, gets no turn soon; another network does", async () => {
    await hasTurn("198.18.163.7");
    const taken = await ended();
    const dialog = await atData("198.18.160.7");
    const [verifier] = product.pidsOf(VERIFIER);
    assert.ok(verifier !== undefined);
    const log = serviceLog(product.layout, "rspamd");
    const checks = () => readFileSync(log, "utf8").split(" heartbeat from worker type rspamd_proxy ").length;
    const before = checks();
    await whileStopped([verifier], async () => {
      dialog.sendRaw(`${IN_PIECES}\r\n.\r\n`);
      await until("the filters have it", async () => (await ended()) > taken);
      await until("Rspamd misses its process", () => checks() >= before + 3);
    });
    const { code, lines } = await dialog.reply(60_000);
    assert.equal(code, 250, lines.join());
    dialog.close();
    await isOver("198.18.160.7");
    assert.deepEqual(await write("198.18.160.8", IN_PIECES), TOO_MUCH);
    await hasTurn("198.18.161.7");
  });

  test("a mail that blocks Rspamd is deferred, as are those that wait for it; the next ones are verified", async () => {
    const before = product.pidsOf(VERIFIER);
    const idle = secondsOfFilters();
    const [endless, forged] = await Promise.all(["198.18.170.7", "198.18.171.7"].map(atData));
    assert.ok(endless !== undefined && forged !== undefined);
    const from = performance.now();
    endless.sendRaw(`${ENDLESS}\r\n.\r\n`);
    await until("Rspamd reads it", () => secondsOfFilters() > idle + 1);
    forged.sendRaw(FORGED);
    const reply = await endless.reply(60_000);
    assert.deepEqual(reply, { code: 451, lines: ["4.7.1 Service unavailable - try again later"] });
    assert.ok(performance.now() - from < patience(30_000));
    assert.equal((await forged.reply(60_000)).code, 451);
    for (const dialog of [endless, forged]) dialog.close();
    await until("a mail is taken", async () => (await send({ subject: "after the endless one" })).code === 250);
    assert.match(await arrived("after the endless one"), /^Authentication-Results: mail\.example\.test;/m);
    assert.notDeepEqual(product.pidsOf(VERIFIER), before);
    assert.deepEqual(await write("198.18.170.8", ENDLESS), TOO_MUCH);
    await until("all is well", async () => !(await product.hasNotice("verifier_silent")));
  });

  test("a user's mail is refused too, without a ban, and the user may write another", async () => {
    const dialog = await openSubmissionAs(lab.sender, PHONE, ANNA);
    const heavy = mailText({ from: ANNA, subject: "heavy", headers: MANY_HEADERS });
    assert.deepEqual(await mailOver(dialog, { sender: ANNA, recipient: ANNA, text: heavy }), TOO_MANY_HEADERS);
    const light = mailText({ from: ANNA, subject: "light" });
    assert.equal((await mailOver(dialog, { sender: ANNA, recipient: ANNA, text: light })).code, 250);
    dialog.close();
    assert.equal(await product.banOf(PHONE), undefined);
    const events = await product.sqlite(
      "SELECT account, reason, type FROM event WHERE reason = 'header_lines' AND account IS NOT NULL",
    );
    assert.deepEqual(events, [[ANNA, "header_lines", "EMAIL_BLOCKED"]]);
  });

  test("a guard that answers seven seconds late has counted the mail", async (t) => {
    const dialog = await openSubmissionAs(lab.sender, PHONE, ANNA);
    for (const line of [`MAIL FROM:<${ANNA}>`, `RCPT TO:<${ANNA}>`, "DATA"])
      assert.ok((await dialog.ask(line)).code < 400, line);
    const pid = await until("the guard runs", () => product.pidsOf(/\/guard\.js/)[0]);
    process.kill(pid, "SIGSTOP");
    const timer = setTimeout(() => process.kill(pid, "SIGCONT"), 7_000);
    t.after(() => {
      clearTimeout(timer);
      process.kill(pid, "SIGCONT");
      dialog.close();
    });
    dialog.send(`${mailText({ from: ANNA, subject: "late", headers: MANY_HEADERS })}\r\n.`);
    assert.deepEqual(await dialog.reply(40_000), TOO_MANY_HEADERS);
  });

  /** Opens a session up to its DATA command. While the filters are stopped, no new session can start. */
  async function atData(from: string): Promise<Dialog> {
    const dialog = await openSmtp(lab.attacker, from);
    for (const line of ["MAIL FROM:<a@sender.test>", `RCPT TO:<${ANNA}>`, "DATA"])
      assert.ok((await dialog.ask(line)).code < 400, line);
    return dialog;
  }

  const write = (from: string, text: string) => sendMail({ host: lab.attacker, from, sender: "a@sender.test", text });

  /** Waits until a mail from this address is accepted and its turn is over, which the log shows by its delivery. */
  async function hasTurn(from: string, text = IN_PIECES): Promise<void> {
    await until(`${from} has its turn`, async () => (await write(from, text)).code === 250);
    await isOver(from);
  }

  async function isOver(from: string): Promise<void> {
    const accepted = `SELECT queue_id FROM event WHERE type = 'EMAIL_ACCEPTED' AND ip = '${from}'`;
    const delivered = `type = 'EMAIL_DELIVERED' AND queue_id IN (${accepted})`;
    await until("it is delivered", () => product.countEvents(delivered));
  }

  /** How many mails of the stranger who writes large ones have been accepted. */
  const ended = () => product.countEvents("type = 'EMAIL_ACCEPTED' AND sender = 'a@sender.test'");

  async function banned(ip: string, code: string): Promise<void> {
    const ban = await until(`a ban of ${ip}`, () => product.banOf(ip));
    assert.deepEqual([ban.code, ban.level], [code, "light"]);
  }
}
