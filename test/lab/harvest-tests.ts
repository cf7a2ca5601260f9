import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setTimeout as waitMs } from "node:timers/promises";
import { patience } from "../kit/patience.ts";
import { whileBusy } from "./commands.ts";
import type { SmtpReply } from "./dialog.ts";
import { NAMED } from "./dns.ts";
import { ANNA, assertAccepted, openSmtp, sendMail, tryLogIn } from "./mail.ts";
import { findMail, mailText } from "./mailbox.ts";
import { eachOf, median, until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const HOME = "198.51.100.70";
const NETWORKS = 100;
const NAMES = 1_000;
/** How many of the requested names exist. */
const REAL = 20;
const MOST_LEARNED = 200;
/** Longer than the delay of greylisting. */
const DELAY_MS = 3_000;
const ADDRESSES = 40;
const AT_ONCE = 10;
const CROWD_S = 15;
const CROWD = `[limits.first_contacts]
per_minute = ${AT_ONCE}
[greylist]
crowd_delay = "${CROWD_S}s"
`;
/** Addresses, each in a different IPv6 site. */
const strangers = (first: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `2001:db8:${(0xa000 + first + i).toString(16)}::7`);

/** An address that has asked for nothing yet. */
const NEW = "2001:db8:a0ff::7";

type Asked = Readonly<{ from: string; name: string; isReal: boolean; text: string; code: number; tookMs: number }>;

/** For a server that greylists for two seconds, with the account anna@example.test. */
export function harvestTests({ lab, product }: Running): void {
  const names = Array.from({ length: NAMES }, (_, i) => (i % (NAMES / REAL) === 7 ? `real${i}` : `name${i}`));
  const asked: Asked[] = [];

  test(`${NAMES} names from ${NETWORKS} networks: few are answered, then all alike`, async () => {
    for (const name of names.filter((one) => one.startsWith("real")))
      await product.json(["alias", "add", `${name}@example.test`, ANNA]);
    assert.match(await tryLogIn(lab.sender, HOME, ANNA), /^OK/);
    const networks = strangers(0, NETWORKS);
    await eachOf([...networks.entries()], 20, async ([i, from]) => {
      asked.push(...(await ask(from, names.slice((i * NAMES) / NETWORKS, ((i + 1) * NAMES) / NETWORKS))));
    });
    const refused = asked.filter(({ code }) => code === 550);
    const deferred = asked.filter(({ code }) => code === 450);
    const real = deferred.filter(({ isReal }) => isReal);
    // Compares a name with those before and after it, when the machine was equally busy.
    const longer = real.map((one) => {
      const at = asked.indexOf(one);
      const beside = [asked[at - 1], asked[at + 1]].map((other) => other?.tookMs ?? assert.fail());
      return one.tookMs - beside.reduce((sum, ms) => sum + ms, 0) / beside.length;
    });
    assert.equal(asked.length, NAMES);
    assert.equal(refused.length + deferred.length, NAMES, "no other replies");
    assert.ok(refused.length <= MOST_LEARNED, `${refused.length} names are reported not to exist`);
    assert.equal(new Set(deferred.map(({ text }) => text)).size, 1, "one text for all others");
    assert.ok(Math.abs(median(longer)) < patience(20), `the real ones took ${median(longer)} ms longer`);
  });

  test("asking again after the delay reveals nothing either, however busy the processors are", async () => {
    const late = asked.filter(({ isReal, code }) => isReal && code === 450).at(-1);
    assert.ok(late);
    await waitMs(DELAY_MS);
    const neighbours = asked.filter(({ from }) => from === late.from).map(({ name }) => name);
    const again = await whileBusy(async () =>
      (await Promise.all([late.from, NEW].map((from) => ask(from, neighbours)))).flat(),
    );
    assert.deepEqual([...new Set(again.map(({ code, text }) => `${code} ${text}`))], [`450 ${late.text}`]);
    const events = await product.events(late.from);
    const recorded = events.filter(({ reason }) => reason === "recipients_deferred");
    assert.ok(recorded.some(({ count, limit }) => count !== null && limit === 100));
  });

  test("in the meantime known places are accepted, and honest strangers at their second try", async () => {
    assert.equal((await sendMail({ host: lab.sender, from: HOME })).code, 250);
    assert.equal((await sendMail({ host: lab.sender, from: NAMED["mail-x.google.com"] })).code, 250);
    const from = "2001:db8:b001::1";
    assert.equal((await sendMail({ host: lab.sender, from })).code, 450);
    await waitMs(DELAY_MS);
    assertAccepted(await sendMail({ host: lab.sender, from }));
  });

  async function ask(from: string, wanted: readonly string[]): Promise<readonly Asked[]> {
    using dialog = await openSmtp(lab.attacker, from, ["EHLO client.test", "MAIL FROM:<someone@sender.test>"]);
    const answers: Asked[] = [];
    for (const name of wanted) {
      const began = performance.now();
      const reply = await dialog.ask(`RCPT TO:<${name}@example.test>`);
      const tookMs = performance.now() - began;
      answers.push({ from, name, isReal: name.startsWith("real"), ...answerOf(reply, name), tookMs });
    }
    return answers;
  }
}

/** Spam from many addresses, one mail each. For a server that greylists for two seconds and scores mail. */
export function crowdTests({ lab, product }: Running): void {
  before(() => product.applySettings(CROWD));

  test("strangers past the limit wait longer, and their mail gets a higher score", async () => {
    const waits = await Promise.all(
      strangers(0x200, ADDRESSES).map(async (from, i) => {
        const began = performance.now();
        const text = mailText({ subject: `Offer ${i}`, body: "A mail like any other." });
        for (;;) {
          const { code } = await sendMail({ host: lab.attacker, from, text });
          if (code === 250) return performance.now() - began;
          assert.equal(code, 450);
          await waitMs(4_000);
        }
      }),
    );
    const long = waits.filter((ms) => ms >= CROWD_S * 1_000);
    assert.ok(long.length >= ADDRESSES - AT_ONCE, waits.map(Math.round).join(", "));
    const offer = (i: number) =>
      findMail(product.layout, `Offer ${i}`) ?? findMail(product.layout, `Offer ${i}`, { folder: "Junk" });
    const mails = await Promise.all(waits.map((_, i) => until(`mail ${i} is there`, () => offer(i))));
    for (const mail of mails) assert.match(mail, /^X-Spam-Status:(.*\n\s)*.*\bGHOSTINBOX_CROWD\b/m);
  });
}

/** Removes the name from the reply, so that replies can be compared. */
function answerOf({ code, lines }: SmtpReply, name: string): Readonly<{ code: number; text: string }> {
  return { code, text: lines.join(" ").replaceAll(name, "NAME") };
}
