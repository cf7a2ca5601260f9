import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { ELSEWHERE, GTUBE, MX, RECORDS, scoreByOneRule } from "../lab/content.ts";
import type { Lab } from "../lab/lab.ts";
import { ANNA, assertAccepted, openSmtp, sendMail, sendMailAs, tryLogIn } from "../lab/mail.ts";
import { mailText } from "../lab/mailbox.ts";
import { SERVER } from "../lab/network.ts";
import { startSink } from "../lab/sink.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const NETWORK = "198.51.100.0/24";

/** Settings that the lab's other tests turn off, because their hosts are neighbours. */
const SHIPPED = { GHOSTINBOX_BANS__NEIGHBOURS: "5", GHOSTINBOX_LIMITS__NETWORKS__FAILURES: "30" };
const FAIL2BAN = { GHOSTINBOX_FAIL2BAN__ENABLED: "true" };
/** Hosts of the attacker, in the same network as the honest server. */
const hosts = (first: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `198.51.100.${first + i}`);

describe("networks in which hosts offend, with Fail2ban", needsLab(), () => {
  const { lab, product } = withProduct(
    { ...SHIPPED, ...FAIL2BAN, GHOSTINBOX_SPAM__ENABLED: "true", GHOSTINBOX_SPAM__REFUSE_SCORE: "1500" },
    [ANNA],
    { records: () => RECORDS, prepare: scoreByOneRule },
  );

  const delivered = () => product.countEvents("type = 'EMAIL_DELIVERED'");

  test("a network without honest mail is banned whole for the guesses of a dozen hosts, on all ports", async () => {
    const guesses = hosts(200, 12).map(async (from) => {
      for (let i = 0; i < 5; i++) {
        await tryLogIn(lab.attacker, from, `user${i}@example.test`, `${from} ${i}`);
      }
    });
    await Promise.allSettled(guesses);
    const ban = await until("the network is banned", () => product.banOf(NETWORK));
    assert.ok(["neighbours_banned", "network_guesses"].includes(ban.code), ban.code);
    for (const port of [25, 587, 993]) {
      const connected = await lab.attacker.connect({ from: "198.51.100.230", to: SERVER.v4, port, timeoutMs: 400 });
      assert.deepEqual(connected, { ok: false, code: "ETIMEDOUT" }, `port ${port}`);
    }
  });

  test("five hosts with three unknown recipients each: their neighbour can still use 25 and 993", async () => {
    // Ends the network's ban: offences from before that no longer count against it.
    await product.json(["break-glass"]);
    const five = hosts(240, 5);
    await Promise.all(five.map(async (from) => assert.equal(await probe(lab, from, 3), 550)));
    const isReported = async (from: string): Promise<boolean> =>
      (await product.events(from)).some(({ details }) => details.startsWith("jail postfix: "));
    for (const from of five) await until(`Fail2ban has reported ${from}`, () => isReported(from), 20_000);
    assert.equal(await product.banOf(NETWORK), undefined);
    await assertAccess(lab, MX);
    await until("its mail vouches for it", async () => (await credits()).some(([, unit]) => unit === `${MX}/32`));
  });

  async function send(subject: string, from: string, body?: string): Promise<void> {
    await until("spamd listens", () => existsSync(product.layout.spamdSocket));
    const before = await delivered();
    const mail = { host: lab.sender, from, recipient: ANNA, sender: "someone@sender.test" };
    assertAccepted(await sendMail({ ...mail, text: mailText({ subject, ...(body === undefined ? {} : { body }) }) }));
    await until(`${subject} is delivered`, async () => (await delivered()) > before);
  }
  const credits = (): Promise<readonly (readonly string[])[]> =>
    product.sqlite("SELECT network, prefix, accepted, proven, wanted, written FROM honest_mail ORDER BY prefix");

  test("once delivered, honest mail vouches for the server that brought it, by what the milters found", async () => {
    await send("a friendly one", MX);
    await send("by nobody in particular", ELSEWHERE);
    await send("buy this", "198.51.100.71", GTUBE);
    assert.deepEqual(await credits(), [
      [NETWORK, `${MX}/32`, "2", "2", "0", "0"],
      [NETWORK, `${ELSEWHERE}/32`, "1", "0", "0", "0"],
    ]);
  });

  test("a network with an honest server is not banned for five hosts that the engine bans for probing", async () => {
    for (const from of hosts(210, 5)) {
      await probe(lab, from, 11);
      const ban = await until(`${from} is banned`, () => product.banOf(from));
      assert.partialDeepStrictEqual(ban, { source: "engine", code: "recipient_probing" });
    }
    assert.equal(await product.banOf(NETWORK), undefined);
    await assertAccess(lab, MX);
  });

  test("a network to which an account sends mail is never banned whole, however many of its hosts are", async () => {
    const sink = await startSink(lab, MX);
    // From elsewhere, because a sign-in would spare the network.
    const mail = { from: "2001:db8:b000:1::1", recipient: "someone@sender.test" };
    assertAccepted(await sendMailAs(ANNA, { host: lab.sender, ...mail }));
    await until("it is there", () => sink.mails().length > 0);
    await until("that is known", async () =>
      (await credits()).some(([, unit, , , , written]) => unit === `${MX}/32` && written === "1"),
    );
    for (const from of hosts(220, 12)) {
      await probe(lab, from, 11);
      await until(`${from} is banned`, () => product.banOf(from));
    }
    assert.equal(await product.banOf(NETWORK), undefined);
    await until("the owner can see why", async () =>
      (await product.events(NETWORK)).some(({ type, reason }) => type === "SPARED" && reason === "honest_network"),
    );
    await assertAccess(lab, MX);
  });
});

/** Names this many missing recipients; returns the last reply. */
async function probe(lab: Lab, from: string, count: number): Promise<number> {
  using dialog = await openSmtp(lab.attacker, from, ["EHLO client.test", "MAIL FROM:<someone@sender.test>"]);
  let code = 0;
  for (let i = 0; i < count; i++) ({ code } = await dialog.ask(`RCPT TO:<nobody${i}@example.test>`, 20_000));
  return code;
}
async function assertAccess(lab: Lab, from: string): Promise<void> {
  assert.equal((await sendMail({ host: lab.sender, from, recipient: ANNA })).code, 250, `${from} brings mail`);
  assert.match(await tryLogIn(lab.sender, from, ANNA, "mistyped"), /^NO/, `${from} is heard by IMAP`);
}
