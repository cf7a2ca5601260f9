import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { ReplayReport } from "../../src/jobs/replay/run-replay.ts";
import { ANNA, BERT, mailOver, openSmtp, openSubmissionAs, sendMail, tryLogIn } from "./mail.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

export const REPLAYED_ACCOUNTS: readonly string[] = [ANNA, BERT];
/** Senders, and how many mails each sends within a minute. */
const MAILS = { "198.51.100.71": 4, "198.51.100.72": 5, "198.51.100.73": 6, "198.51.100.74": 7 } as const;
const GUESSER = "198.51.100.81";
const FLOODER = "198.51.100.82";

/** For a new server with these accounts. */
export function replayTests({ lab, product }: Running): void {
  const policy = `/tmp/ghostinbox-replay-${process.pid}.toml`;
  const replayed = async (text: string, ...more: readonly string[]): Promise<ReplayReport> => {
    writeFileSync(policy, text);
    return (await product.json(["replay", "--policy", policy, ...more])) as ReplayReport;
  };
  const ipsOf = ({ items }: ReplayReport["banned"]) => items.map(({ ip }) => ip);
  const restartGuard = async (): Promise<void> => {
    await product.sv("restart", "guard");
    await until("the guard is back", () => product.guardAnswers());
  };
  const signIn = (from: string, name: string, password?: string) => tryLogIn(lab.sender, from, name, password);

  test("mails, wrong passwords, bans, commands and restarts make a varied history", async () => {
    for (const [from, mails] of Object.entries(MAILS)) {
      // A connection may bring five mails.
      for (let i = 0; i < mails; i++)
        assert.equal((await sendMail({ host: lab.sender, from })).code, 250, `${from} ${i}`);
    }
    const dialog = await openSmtp(lab.sender, "198.51.100.75");
    for (const to of [ANNA, "nobody@example.test", "admin@example.test"]) await mailOver(dialog, { recipient: to });
    dialog.close();
    await signIn("198.51.100.76", ANNA);
    await signIn("198.51.100.76", BERT, "not the right one");
    const user = await openSubmissionAs(lab.sender, "198.51.100.76", ANNA);
    for (let i = 0; i < 3; i++) assert.equal((await mailOver(user, { sender: ANNA, recipient: BERT })).code, 250);
    user.close();
    await restartGuard();
    for (let i = 0; i < 7; i++) await signIn(GUESSER, ANNA, `wrong ${i}`).catch(() => {});
    assert.ok((await product.banOf(GUESSER)) !== undefined, "the guesser is banned");
    await Promise.all(Array.from({ length: 30 }, () => signIn(FLOODER, BERT, "the same").catch(() => {})));
    await product.json(["ban", "198.51.100.83", "by", "hand"]);
    await product.json(["unban", GUESSER]);
    await product.json(["allow", "add", "198.51.100.84", "office"]);
    await sendMail({ host: lab.sender, from: "198.51.100.84" });
    await restartGuard();
    await signIn(GUESSER, ANNA, "wrong again");
    await product.json(["allow", "remove", "198.51.100.84"]);
    await sendMail({ host: lab.sender, from: "198.51.100.84" });
  });

  test("under the same settings nothing differs", async () => {
    const report = await replayed("");
    assert.deepEqual(report.examples, []);
    assert.ok(report.identical, JSON.stringify(report, null, 1));
    assert.ok(report.events > 60, `${report.events} events`);
    assert.match((await product.cli(["replay", "--policy", policy])).stdout, /^Nothing differs\.$/m);
  });

  test("a limit of five mails a minute names exactly the senders of six and more", async () => {
    const report = await replayed("limits.mail.per_minute = 5\n");
    const expected = Object.entries(MAILS).flatMap(([ip, mails]) => (mails > 5 ? [ip] : []));
    assert.deepEqual(ipsOf(report.banned).toSorted(), expected);
    assert.deepEqual(report.notBanned.items, []);
    assert.deepEqual(report.accounts.items, []);
    const { stdout } = await product.cli(["config", "simulate", policy]);
    assert.match(stdout, /Would have been banned, but was not \(2\)/);
    const { banned } = await replayed("limits.mail.per_minute = 5\n", "--ip", "198.51.100.73");
    assert.deepEqual(ipsOf(banned), ["198.51.100.73"]);
  });

  test("a policy that turns an owner away names the account; it is applied only with consent", async () => {
    const tight = "limits.mail.per_minute = 2\n";
    const [turnedAway, ...others] = (await replayed(tight)).accounts.items;
    assert.equal(turnedAway?.account, ANNA);
    assert.deepEqual(others, []);
    product.writeSettings(tight);
    const says =
      /^Nothing was applied\. In the .* events.*, these settings would have refused users .*: anna@example\.test/m;
    await product.fails(["config", "apply"], says);
    await product.does(["config", "apply", "--yes"]);
  });

  test("a server that only simulates refuses and bans nothing, but records everything; afterwards that does not count", async () => {
    await product.applySettings("limits.mail.per_minute = 2\nsimulate = true\n");
    const from = "198.51.100.90";
    for (let i = 0; i < 4; i++) assert.equal((await sendMail({ host: lab.sender, from })).code, 250, `${i}`);
    assert.equal(await product.banOf(from), undefined);
    const recorded = await product.events(from);
    assert.ok(recorded.some(({ type, action }) => type === "BAN" && action.startsWith("would be banned")));
    const passed = recorded.filter(({ verdict, reason }) => verdict === "pass" && reason === "mail_limit");
    assert.ok(passed.some(({ action }) => action.includes("would be refused")));
    assert.match((await product.cli(["status"])).stdout, /simulate/);
    assert.match((await product.cli(["why", from])).stdout, /would be/);
    product.writeSettings("limits.mail.per_minute = 2\n");
    await product.json(["config", "apply", "--yes"]);
    assert.doesNotMatch((await product.cli(["status"])).stdout, /simulate/);
    assert.equal((await sendMail({ host: lab.sender, from: "198.51.100.91" })).code, 250);
    for (let i = 0; i < 2; i++) await sendMail({ host: lab.sender, from });
    assert.ok((await sendMail({ host: lab.sender, from })).code !== 250, "it is for real again");
    const { offences = 1 } = (await product.banOf(from)) ?? {};
    assert.equal(offences, 1, "simulated offences do not count");
  });

  test("invalid settings are reported in one sentence, and nothing is replayed", async () => {
    writeFileSync(policy, "limits.mail.per_minute = -5\n");
    await product.fails(["replay", "--policy", policy], /limits\.mail\.per_minute/);
    assert.equal((await product.cli(["replay", "--policy", `${policy}.missing`])).code, 1);
    assert.equal((await product.cli(["replay"])).code, 2);
    rmSync(policy);
    await product.applySettings("");
  });
}
