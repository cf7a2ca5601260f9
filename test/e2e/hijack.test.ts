import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DAY_MS } from "../../src/core/time.ts";
import { patience } from "../kit/patience.ts";
import { whileBusy, whileStopped } from "../lab/commands.ts";
import type { HttpReceiver } from "../lab/http-receiver.ts";
import { receiveAlerts } from "../lab/incident-tests.ts";
import { ANNA, BERT, openSubmissionAs, tryLogIn } from "../lab/mail.ts";
import { type Sink, startSink } from "../lab/sink.ts";
import { queueOf, submit } from "../lab/submitted.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const [CARL, EVE, FAY] = ["carl@example.test", "eve@example.test", "fay@example.test"];
const HOME = "198.51.100.65";
const THIEF = "198.51.100.99";
/** The address of mx.sender.test in the lab's DNS. */
const ELSEWHERE = "198.51.100.10";
const MAILS = 10;
const A_MAIL = 100;
const MOST_LEFT = 100;
const ALERT_MS = 10_000;

describe("a stolen password", needsLab(), () => {
  const running = withProduct({}, [ANNA, BERT, CARL, EVE, FAY], {
    prepare: async (made) => {
      webhook = await receiveAlerts(made);
    },
  });
  const { lab, product } = running;
  let webhook: HttpReceiver;
  let sink: Sink;

  test(`used to write to ${MAILS * A_MAIL} strangers: nothing is sent, and there is an alert within ${ALERT_MS / 1_000} s`, async () => {
    assert.match(await tryLogIn(lab.sender, HOME, ANNA), /^OK/);
    const names = (mail: number): readonly string[] =>
      Array.from({ length: A_MAIL }, (_, i) => `victim${mail}-${i}@sender.test`);
    const said = await Promise.all(Array.from({ length: MAILS }, (_, i) => submit(running, ANNA, THIEF, ...names(i))));
    const accepted = Array.from({ length: MAILS }, () => 250);
    assert.deepEqual(said, accepted, "the thief learns nothing");
    // A slow machine may need the whole minute for the ten mails.
    if ((await product.countEvents("type = 'EMAIL' AND at < 1000 * (unixepoch() - 30)")) === 0)
      assert.equal(await submit(running, ANNA, THIEF, "victim@sender.test"), 450, "one more within the minute");
    assert.equal(await product.banOf(THIEF), undefined);
    const alert = await until("the owner is alerted", () => alerts().find((text) => text.includes("account_held")));
    const alertedAt = Date.now();
    // Measured from the mail at which the guard noticed, because the time of the thief's sign-ins does not matter.
    const [[began = ""] = []] = await product.sqlite("SELECT min(at) FROM event WHERE type = 'EMAIL_HELD'");
    const tookMs = alertedAt - Number(began);
    assert.ok(began !== "" && tookMs < patience(ALERT_MS), `alerted after ${tookMs} ms`);
    for (const part of [ANNA, THIEF, "account held", "account release", "account drop", "account suspend"])
      assert.ok(alert.includes(part), `${part} is not in ${alert}`);
    const queue = await queued(ANNA);
    assert.equal(queue.length, MAILS);
    const deliverable = queue
      .filter(({ queue: where }) => where !== "hold")
      .flatMap(({ recipients }) => recipients).length;
    assert.ok(deliverable <= MOST_LEFT, `${deliverable} recipients are deliverable`);
    assert.equal(deliverable, 0);
    assert.equal(await product.countEvents("type = 'EMAIL_HELD' AND reason = 'account_held'"), MAILS);
  });

  test("held mail is listed with queue ids and recipients, and the owner's own mail waits too", async () => {
    const before = await queued(ANNA);
    const listed = await product.cli(["account", "held", ANNA]);
    assert.match(listed.stdout, new RegExp(`${ANNA} has been held since .*${THIEF}`));
    for (const { id } of before) assert.ok(listed.stdout.includes(id), listed.stdout);
    assert.match(listed.stdout, /victim\d-0@sender\.test/);
    assert.match(listed.stdout, /No other mail was sent in the last 24 hours/);
  });

  test("`queue delete --bounce` returns a deferred mail to its sender at once", async () => {
    // No server answers there yet.
    assert.equal(await submit(running, BERT, HOME, "wait@sender.test"), 250);
    await until("it is deferred", async () => (await queued(BERT))[0]?.queue === "deferred");
    const deleted = await product.json(["queue", "delete", "--recipient", "wait@sender.test", "--bounce", "--yes"]);
    assert.deepEqual(deleted, { changed: 1, kept: [], next: null });
    const bounce = `type = 'EMAIL_DELIVERED' AND recipient = '${BERT}'`;
    await until("its sender gets a bounce", () => product.countEvents(bounce));
  });

  test("`suspend` leaves nothing of an account deliverable, and `resume` says how it is released", async () => {
    // No server answers there yet: the mail waits in the queue.
    for (const n of [1, 2, 3]) assert.equal(await submit(running, BERT, HOME, `later${n}@sender.test`), 250);
    await until("the mail waits", async () => (await queued(BERT)).length === 3);
    const suspended = await product.cli(["account", "suspend", BERT]);
    assert.match(suspended.stdout, /3 of its mails in the queue are held/, suspended.stderr);
    // `status` shows what waits for the owner, and every mail names its recipient.
    const { needsYou } = (await product.stats()).health;
    const waits = new Map(needsYou.map(({ code, says }) => [code, says]));
    const waiting = waits.get("suspended_mail_waits") ?? "";
    assert.match(waiting, /^3 mails of bert@example\.test are held, and the account is/);
    assert.match(waits.get("mail_held") ?? "", /of anna@example\.test are held/);
    assert.match((await product.cli(["status"])).stdout, /\d things need attention\.\n/);
    const list = await product.cli(["account", "held", BERT]);
    for (const n of [1, 2, 3]) assert.match(list.stdout, new RegExp(`later${n}@sender\\.test`));
    sink = await startSink(lab, ELSEWHERE);
    await lab.server.mustExec(["postqueue", "-c", product.layout.postfixConf, "-f"]);
    const held = (await queued(BERT)).map(({ queue }) => queue);
    assert.deepEqual(held, ["hold", "hold", "hold"], "a flush sends none of it");
    const resumed = await product.cli(["account", "resume", BERT]);
    assert.match(resumed.stdout, /3 of its mails are still held/);
    assert.match(resumed.stderr, /account release bert@example\.test/);
  });

  test("an account is suspended while a filter reads its mail", async () => {
    using dialog = await openSubmissionAs(lab.sender, HOME, FAY);
    // No server listens there: the mail waits.
    for (const line of [`MAIL FROM:<${FAY}>`, "RCPT TO:<one@phone.client.test>"])
      assert.equal((await dialog.ask(line)).code, 250);
    assert.equal((await dialog.ask("DATA")).code, 354);
    await whileStopped(product.pidsOf(/rspamd: /), async () => {
      dialog.send(`From: <${FAY}>\r\nTo: <one@phone.client.test>\r\nSubject: late\r\n\r\nHello.\r\n.`);
      await until("a filter has it", () => product.countEvents(`type = 'EMAIL_ACCEPTED' AND account = '${FAY}'`));
      assert.deepEqual(await product.json(["account", "suspend", FAY]), { name: FAY, held: 0 });
    });
    assert.equal((await dialog.reply(60_000)).code, 250);
  });

  test("`drop` deletes it after a question, and further mail is held until `release`", async () => {
    const dropped = await product.json(["account", "drop", ANNA, "--yes"]);
    assert.deepEqual(dropped, { name: ANNA, dropped: MAILS, isMore: false, isHeld: true });
    assert.deepEqual(await queued(ANNA), []);
    // The thief has used up the ten mails of this minute.
    const sent = `type = 'EMAIL' AND account = '${ANNA}' AND at > 1000 * (unixepoch() - 61)`;
    await until("the minute is over", async () => (await product.countEvents(sent)) === 0, 90_000);
    const late = async () => (await queued(FAY)).map(({ queue }) => queue).join();
    await until("the late mail of the suspended account is held", async () => (await late()) === "hold");
    assert.equal(await submit(running, ANNA, HOME, "friend@sender.test"), 250);
    const [mail, ...others] = await queued(ANNA);
    assert.deepEqual([mail?.queue, others.length], ["hold", 0]);
  });

  test("`release` sends what is held, makes its recipients known, and ends the hold", async () => {
    assert.equal(delivered(/./), 0, "so far nothing has left");
    assert.deepEqual(await product.json(["account", "release", BERT]), { name: BERT, released: 3, isMore: false });
    await until("Bert's mail arrives", () => delivered(/later\d@sender\.test/) === 3);
    assert.match((await product.cli(["account", "release", BERT])).stderr, /No mail of bert@example\.test is held/);
    assert.deepEqual(await product.json(["account", "release", ANNA]), { name: ANNA, released: 1, isMore: false });
    await until("the mail arrives", () => delivered(/friend@sender\.test/) === 1);
    const known = await product.sqlite(`SELECT address FROM correspondent WHERE account = '${ANNA}'`);
    assert.deepEqual(known, [["friend@sender.test"]], "none of the thief's recipients");
    assert.equal(await submit(running, ANNA, HOME, "another@sender.test"), 250);
    await until("it goes out at once", () => delivered(/another@sender\.test/) === 1);
    assert.equal(delivered(/victim/), 0);
  });

  test("a mail to 51 strangers is accepted for 50 of them however busy the machine is, with an alert", async () => {
    const dialog = await openSubmissionAs(lab.sender, HOME, CARL);
    const known = `FROM known_address WHERE account = '${CARL}'`;
    await until("the place is known", async () => (await product.sqlite(`SELECT 1 ${known}`)).length > 0);
    await change(`UPDATE known_address SET first_at = first_at - ${2 * DAY_MS} WHERE account = '${CARL}'`);
    await dialog.ask(`MAIL FROM:<${CARL}>`);
    const codes: number[] = [];
    await whileBusy(async () => {
      for (let i = 0; i < 51; i++) codes.push((await dialog.ask(`RCPT TO:<guest${i}@sender.test>`)).code);
    });
    assert.deepEqual([codes.filter((code) => code === 250).length, codes.at(-1)], [50, 450]);
    dialog.close();
    await until("the owner is alerted", () => alerts().some((text) => text.includes("sending_limited")), ALERT_MS);
  });

  test("mail of an account to itself that is forwarded to a stranger is held too, however busy the processors are", async () => {
    await product.does(["account", "forward", EVE, "victim@sender.test"]);
    const itself = Array.from({ length: 21 }, (_, i) => `eve+${i}@example.test`);
    assert.equal(await whileBusy(() => submit(running, EVE, THIEF, ...itself)), 250);
    const places = (await queued(EVE)).map(({ queue }) => queue);
    assert.deepEqual(places, ["hold"]);
  });

  const queued = async (sender: string) => (await queueOf(running)).filter((entry) => entry.sender === sender);

  /** Backdates events, as if from earlier days. */
  const change = (sql: string) =>
    lab.server.mustExec(["sqlite3", "-cmd", ".timeout 5000", product.layout.engineDb, sql]);

  const alerts = (): readonly string[] => webhook.received().map(({ body }) => body);

  /** How many recipients like this the other server accepted. */
  function delivered(recipient: RegExp): number {
    const named = sink.mails().flatMap((mail) => [...mail.matchAll(/^X-Rcpt-Args: <(.*)>/gm)].map(([, to = ""]) => to));
    return named.filter((address) => recipient.test(address)).length;
  }
});
