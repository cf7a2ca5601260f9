import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ALERT_CONDITIONS, alertConditionsTests, prepareConditions } from "../lab/alert-conditions-tests.ts";
import { type AlertReceivers, startAlertReceivers, WEBHOOK_KEY } from "../lab/alert-receivers.ts";
import { stopService } from "../lab/content.ts";
import type { Lists } from "../lab/lists.ts";
import { ANNA, tryLogIn } from "../lab/mail.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

describe("alerts on every channel", needsLab(), () => {
  const { lab, product } = withProduct(ALERT_CONDITIONS, [ANNA], { prepare });
  let receivers: AlertReceivers;
  let lists: Lists;
  async function prepare(): Promise<void> {
    receivers = await startAlertReceivers(lab);
    product.set(receivers.environment);
    lists = await prepareConditions({ lab, product });
  }
  const once = (title: string): Promise<void> => receivers.onceEverywhere(product, title);

  test("a test alert reaches every channel, and the command reports each result, including the heartbeat's", async () => {
    const answer = JSON.stringify(await product.json(["alerts", "test"]));
    assert.equal(answer.match(/"ok":true/g)?.length, 7, answer);
    assert.doesNotMatch(answer, /secret|my-key|my-topic/);
    await once("This is a test");
    for (const [name, texts] of receivers.alerts(product))
      for (const part of [/mail\.example\.test/, /Anna \+49 30 1234567/, /What to do: nothing/])
        assert.match(texts.join("\n"), part, name);
  });

  test("a mail through our own queue is signed, and only root submits it", () => {
    const [mail = ""] = receivers.alerts(product).get("email") ?? [];
    assert.match(mail, /^DKIM-Signature: .*\bd=example\.test;/m);
    assert.match(mail, /\(Postfix, from userid 0\)/);
  });

  test("a report comes by mail as text and as a page, and is noted for its period", async () => {
    const { node, program, data } = product.layout;
    const env = `GHOSTINBOX_DATA=${data}`;
    const at = Date.now();
    const argv = ["env", env, node, join(program, "report.js"), "2026-11-16", String(at)];
    // The command asks apt for updates, with a limit of two minutes.
    await lab.server.mustExec(argv, { deadlineMs: 150_000 });
    const report = (): string =>
      receivers
        .alerts(product)
        .get("email")
        ?.find((one) => one.includes("<report-2026-11-16@")) ?? "";
    await until("the report is in the mailbox", () => report() !== "");
    assert.match(report(), /^Subject: Weekly report of mail\.example\.test\r?$/m);
    assert.match(report(), /^DKIM-Signature: .*\bd=example\.test;/m);
    const bodies = [...report().matchAll(/\r?\nContent-Transfer-Encoding: base64\r?\n\r?\n([A-Za-z0-9+/=\r\n]+)/g)].map(
      ([, body = ""]) => Buffer.from(body, "base64").toString(),
    );
    assert.match(bodies[0] ?? "", /^Weekly report of mail\.example\.test\n/);
    assert.match(bodies[1] ?? "", /^<!DOCTYPE html>/);
    assert.match((await product.cli(["status"])).stdout, /^Last report by mail: .*, to postmaster@example\.test\.$/m);
  });

  test("a webhook is signed, ntfy and Gotify get their tokens, Apprise its key", () => {
    const [hook] = receivers.received("webhook");
    assert.ok(hook);
    const signed = `${hook.headers["webhook-id"]}.${hook.headers["webhook-timestamp"]}.${hook.body}`;
    const signature = createHmac("sha256", Buffer.from(WEBHOOK_KEY, "base64")).update(signed).digest("base64");
    assert.equal(hook.headers["webhook-signature"], `v1,${signature}`);
    assert.equal(receivers.received("ntfy")[0]?.headers["authorization"], "Bearer a-token");
    assert.equal(receivers.received("ntfy")[0]?.url, "/");
    assert.equal(receivers.received("gotify")[0]?.headers["x-gotify-key"], "a-token");
    assert.equal(receivers.received("apprise")[0]?.url, "/notify/my-key");
  });

  test("the addresses of the channels are shown nowhere", async () => {
    const shown = JSON.stringify(await product.json(["config", "show"]));
    assert.doesNotMatch(shown, /hook\?secret|my-topic|my-key|8003|alive/);
  });

  test("a component that does not run: one alert, one end, and no heartbeat in between", async () => {
    await until("the heart beats", () => receivers.received("watcher").length > 0);
    const postgrey = await stopService(product, "postgrey");
    await once("A part of the server is not running (postgrey)");
    await postgrey.start();
    await once("Resolved: A part of the server is not running (postgrey)");
    const listed = (await product.alerts()).find(({ code }) => code === "component_down") ?? assert.fail("no alert");
    const after = Date.parse(listed.resolvedAt ?? "");
    await until("the heart beats again", () => receivers.received("watcher").some(({ at }) => at > after));
    // A heartbeat that was pending when the alert opened may arrive late.
    const meanwhile = receivers
      .received("watcher")
      .filter(({ at }) => at > Date.parse(listed.openedAt) + 500 && at < after);
    assert.deepEqual(meanwhile, []);
  });

  test("while Postfix is down, the relay and all other channels get the alert; the mailbox gets it once Postfix is back", async () => {
    const postfix = await stopService(product, "postfix");
    const down = "A part of the server is not running (postfix)";
    await until("all others know", () =>
      [...receivers.alerts(product)].every(([name, texts]) => name === "email" || texts.join("").includes(down)),
    );
    await postfix.start();
    await once(down);
    await once(`Resolved: ${down}`);
  });

  test("a killed guard forgets no alert and repeats none; a receiver that was down gets it later", async () => {
    receivers.refuse("gotify", true);
    const postgrey = await stopService(product, "postgrey");
    await until("the others know", () => receivers.alerts(product).get("ntfy")?.filter(isPostgrey).length === 3);
    // Sent but unrecorded alerts are sent again after a kill.
    await until("what they know is noted", async () => {
      const left = await product.sqlite("SELECT channel FROM alert_delivery WHERE channel NOT LIKE '%gotify%'");
      return left.length === 0;
    });
    await product.kill(/program\/guard\.js/);
    await until("the guard is back", () => product.guardAnswers());
    receivers.refuse("gotify", false);
    await postgrey.start();
    const knows = (texts: readonly string[]): boolean => texts.filter(isPostgrey).length >= 4;
    await until("every channel knows all", () => [...receivers.alerts(product).values()].every(knows), 100_000);
    for (const [name, texts] of receivers.alerts(product)) assert.equal(texts.filter(isPostgrey).length, 4, name);
  });

  test("a guessed password is reported at once, and the alert ends when the password is changed", async () => {
    const from = "198.51.100.72";
    for (let i = 0; i < 4; i++) {
      assert.match(await tryLogIn(lab.sender, from, ANNA, `wrong ${i}`), /^NO/);
    }
    assert.match(await tryLogIn(lab.sender, from, ANNA), /^OK/);
    const guessed = `A sign-in succeeded after many wrong passwords (${ANNA})`;
    await once(guessed);
    const alertedAt = Date.now();
    await until("the heartbeat continues", () => receivers.received("watcher").some(({ at }) => at > alertedAt));
    await product.json(["account", "passwd", ANNA, "--password-stdin"], { input: "other unrelated words here too\n" });
    await once(`Resolved: ${guessed}`);
  });

  // Last, because these have their own thresholds.
  describe("each condition is reported once on every channel, and its end once", () =>
    alertConditionsTests({ lab, product }, { lists: () => lists, receivers: () => receivers }));
});

const isPostgrey = (text: string): boolean =>
  text.includes("is not running (postgrey)") || text.includes("is not running\r\n (postgrey)");
