import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { whileBusy } from "../lab/commands.ts";
import { ANNA, assertAccepted, BERT, sendMail, sendMailAs } from "../lab/mail.ts";
import { findMail } from "../lab/mailbox.ts";
import { SERVER } from "../lab/network.ts";
import { PASSWORD } from "../lab/product.ts";
import { signInsFrom } from "../lab/sign-ins.ts";
import { queueOf, submit } from "../lab/submitted.ts";
import { until } from "../lab/wait.ts";
import { type WebAnswer, WebClient } from "../lab/web-client.ts";
import { webRightsTests } from "../lab/web-rights-tests.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const HERS = "198.51.100.70";
const STRANGER = "198.51.100.90";
const ELSEWHERE = "198.51.100.72";
const SENDER = "198.51.100.80";
const FRESH = "seven quiet lanterns above";
const WRONG = Array.from({ length: 6 }, (_, i) => `a wrong one ${i}`);

describe("what the user of a mailbox does at the dashboard", needsLab(), () => {
  const settings = {
    GHOSTINBOX_HTTP__ADDRESS: "0.0.0.0",
    GHOSTINBOX_LIMITS__CONNECTIONS__PER_MINUTE: "1000",
    // The mailbox that gets the alerts cannot forward to new outside addresses.
    GHOSTINBOX_ACCOUNTS__ADMINISTRATOR: BERT,
  };
  const { lab, product } = withProduct(settings, [ANNA, BERT]);
  const { signsIn } = signInsFrom(lab.sender);
  let hers: WebClient;
  before(async () => {
    hers = await webFrom(HERS);
  });

  const webFrom = (from: string) => WebClient.from(lab.sender, { from, to: SERVER.v4, port: 3000 });
  const signIn = (web: WebClient, account = ANNA, password = PASSWORD): Promise<WebAnswer> =>
    web.ask("POST", "/api/v1/login", { body: { account, password } });
  const sessionOf = (web: WebClient, account = ANNA): Promise<WebClient> =>
    web.signedIn({ account, password: PASSWORD });
  const statusOf = async (web: WebClient, path = "/api/v1/session"): Promise<number> =>
    (await web.ask("GET", path)).status;

  test("the mailbox password opens that mailbox, and nothing of the administrator or other users", async () => {
    await product.json(["alias", "add", "info@example.test", ANNA, BERT]);
    const session = await sessionOf(hers);
    assert.partialDeepStrictEqual((await session.ask("GET", "/api/v1/session")).json(), {
      role: "mailbox",
      account: ANNA,
      scopes: [],
    });
    const mine = await session.ask("GET", "/api/v1/me");
    assert.partialDeepStrictEqual(mine.json(), { account: ANNA, mails: 0, aliases: ["info@example.test"] });
    assert.doesNotMatch(mine.text, /bert/);
    for (const path of [
      "status",
      "bans",
      "events",
      "accounts",
      `accounts/${ANNA}`,
      "why/account/x",
      "stream",
      "tokens",
    ])
      assert.equal(await statusOf(session, `/api/v1/${path}`), 403, path);
    assert.equal((await session.ask("POST", `/api/v1/accounts/${BERT}/suspend`)).status, 403);
    const recorded = await product.sqlite("SELECT service, account FROM event WHERE type = 'LOGIN_SUCCEEDED'");
    assert.deepEqual(recorded, [["dashboard", ANNA]]);
    assert.equal((await session.ask("POST", "/api/v1/logout")).status, 204);
    assert.equal(await statusOf(session), 401);
    const { stdout } = await product.cli(["account", "app-password", "add", ANNA, "phone"]);
    const [password = ""] = stdout.split("\n");
    assert.equal((await signIn(hers, ANNA, password)).status, 401, "an app password opens no dashboard");
  });

  test("users see their own sign-ins by every protocol, and follow their own mail, and no one else's", async () => {
    assert.ok(await signsIn(ANNA, PASSWORD, HERS));
    assert.equal(await signsIn(ANNA, "a typing error", HERS), false);
    const session = await sessionOf(hers);
    const listed = async () => (await session.ask("GET", "/api/v1/me/sign-ins?limit=3")).json();
    const [here, wrong, imap] = [
      { service: "dashboard", isRight: true },
      { service: "imap", isRight: false, what: "wrong_password" },
      { service: "imap", isRight: true, what: "signed_in" },
    ].map((one) => ({ ip: HERS, ...one }));
    assert.partialDeepStrictEqual(await listed(), { items: [here, wrong, imap] });

    const queueIdOf = async (recipient: string): Promise<string> =>
      assertAccepted(await sendMail({ host: lab.sender, from: SENDER, recipient }));
    const [own, foreign] = [await queueIdOf(ANNA), await queueIdOf(BERT)];
    const wayOf = (id: string) => session.ask("GET", `/api/v1/me/mail?id=${id}`);
    await until("it is delivered", async () => /"state":"delivered"/.test((await wayOf(own)).text));
    const [others, none] = [await wayOf(foreign), await wayOf("A0000000000")];
    assert.deepEqual([others.status, none.status], [404, 404]);
    assert.equal(others.text, none.text);

    assert.equal(await submit({ lab, product }, ANNA, HERS, BERT), 250);
    const sentBy = "SELECT queue_id FROM event WHERE type = 'EMAIL_ACCEPTED' AND account = 'anna@example.test'";
    const sent = await until("it is recorded", async () => (await product.sqlite(sentBy))[0]?.[0]);
    await until("it is delivered", async () => /"state":"delivered"/.test((await wayOf(sent)).text));
    assert.doesNotMatch((await wayOf(sent)).text, /bert/);
    await session.ask("POST", "/api/v1/logout");
  });

  test("a new password works by IMAP at once, and ends the user's other sessions", async () => {
    const [own, other] = [await sessionOf(hers), await sessionOf(await webFrom(ELSEWHERE))];
    const change = (password: string) => own.ask("POST", "/api/v1/me/password", { body: { password } });
    assert.equal((await change("password12345")).status, 400);
    assert.equal((await change(FRESH)).status, 200);
    assert.equal(await statusOf(own), 200);
    await until("the other one ends", async () => (await statusOf(other)) === 401);
    assert.deepEqual([await signsIn(ANNA, FRESH, HERS), await signsIn(ANNA, PASSWORD, HERS)], [true, false]);
    const listed = await own.ask("GET", "/api/v1/me/sessions");
    assert.partialDeepStrictEqual(listed.json(), { items: [{ ip: HERS, isOwn: true }] });
    assert.equal((await signIn(hers, ANNA, FRESH)).status, 200);
    assert.equal((await change(PASSWORD)).status, 200);
    assert.match(JSON.stringify(await product.json(["audit", "list"])), new RegExp(`mailbox:${ANNA} via ${HERS}`));
    await own.ask("POST", "/api/v1/logout");
  });

  test("wrong passwords ban the address everywhere, as by IMAP, whichever way they came and however busy the processors are", async () => {
    const web = await webFrom(STRANGER);
    await whileBusy(async () => {
      for (const password of WRONG.slice(0, 2)) assert.equal(await signsIn(ANNA, password, STRANGER), false);
      for (const password of WRONG.slice(0, 4)) assert.equal((await signIn(web, ANNA, password)).status, 401);
      assert.equal(await product.banOf(STRANGER), undefined, "the first two count once");
      // The ban may cut this connection before the answer.
      await signIn(web, ANNA, "the fifth").catch(() => null);
    });
    await until("it is banned", async () => (await product.banOf(STRANGER)) !== undefined);
    assert.ok(await signsIn(ANNA, PASSWORD, HERS), "the user is not");
  });

  test("a new forward sends no more than its account may; the rest stays in the mailbox", async () => {
    const victim = "victim@sender.test";
    const session = await sessionOf(hers);
    const set = await session.ask("PUT", "/api/v1/me/forwarding", { body: { to: [victim], keep: false } });
    assert.equal(set.status, 200, set.text);
    // No server answers there: outgoing mail waits in the queue.
    const leaving = async (): Promise<number> => {
      const recipients = (await queueOf({ lab, product })).flatMap((mail) => mail.recipients);
      return recipients.filter(({ address }) => address.startsWith("victim")).length;
    };
    const many = Array.from({ length: 60 }, (_, i) => `anna+${i}@example.test`);
    // A user's mail, because a stranger's may name only one of them.
    const toMany = { host: lab.sender, from: HERS, recipient: many, subject: "to many" };
    assert.equal((await sendMailAs(BERT, toMany)).code, 250);
    await until("it leaves", async () => (await leaving()) > 0);
    await until("the rest of it is here", () => findMail(product.layout, "to many"));
    assert.equal((await sendMail({ host: lab.sender, from: SENDER, subject: "from outside" })).code, 250);
    assert.equal(await submit({ lab, product }, BERT, HERS, ANNA), 250);
    for (const subject of ["from outside", "hello"])
      await until(`it is here: ${subject}`, () => findMail(product.layout, subject));
    // Postfix may look up some of the fifty only after forwarding has paused. Those stay, too.
    const left = await leaving();
    assert.ok(left > 40 && left <= 50, `${left}`);
    const rested = "SELECT account, details FROM event WHERE type = 'FORWARDING_CHANGED' AND actor = 'engine'";
    const [[account, details] = [], ...more] = await product.sqlite(rested);
    assert.deepEqual([account, more], [ANNA, []]);
    assert.match(String(details), /, 51 within \w+, limit 50\) by engine$/);
    // A forward that root sets is not limited, because root is responsible for it.
    await product.does(["account", "forward", ANNA, victim, "--no-keep"]);
    assert.equal((await sendMail({ host: lab.sender, from: SENDER })).code, 250);
    await until("it leaves again", async () => (await leaving()) === left + 1);
    await product.does(["account", "forward", ANNA, "--off"]);
    await product.does(["queue", "delete", "--all", "--yes"]);
  });

  test("an account that is suspended or removed, or gets other networks or a new password, is signed out", async () => {
    const session = await sessionOf(hers, BERT);
    await product.json(["account", "suspend", BERT]);
    await until("its session ends", async () => (await statusOf(session)) === 401);
    assert.equal((await signIn(hers, BERT)).status, 401);
    await product.json(["account", "resume", BERT]);
    const again = await sessionOf(hers, BERT);
    await product.json(["account", "networks", BERT, "add", "192.0.2.0/24"]);
    assert.equal((await signIn(hers, BERT)).status, 401, "as for an account that does not exist");
    await product.json(["account", "remove", BERT, "--yes"]);
    await until("its session ends", async () => (await statusOf(again)) === 401);
  });

  // Last, because it kills the guard and the web.
  describe("what the web may do and read", () => webRightsTests({ lab, product }));
});
