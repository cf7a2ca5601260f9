import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { EventItem } from "../../src/admin/declare/items.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/core/time.ts";
import { patienceSeconds } from "../kit/patience.ts";
import { machineClock } from "../lab/machine-clock.ts";
import { ANNA, assertAccepted, sendMail, tryLogIn } from "../lab/mail.ts";
import { findMail } from "../lab/mailbox.ts";
import { ADMIN_PASSWORD, PASSWORD } from "../lab/product.ts";
import { until } from "../lab/wait.ts";
import { WebClient } from "../lab/web-client.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const PHONE = "198.51.100.70";
const EARLIER = "198.51.100.220";
const LATER = "198.51.100.221";
const SLOW = "198.51.100.222";
/** Deadline for a notice to appear, and to end. */
const SOON_MS = 30_000;
const STATS = "/api/security?action=stats";
const GUARD = /program\/guard\.js/;

describe("the machine's clock is set", needsLab(), () => {
  const clock = machineClock();
  const { lab, product } = withProduct({ GHOSTINBOX_FAIL2BAN__ENABLED: "true" }, [ANNA], {
    within: clock.within,
    prepare: clock.prepare,
  });

  async function guessUntilBanned(from: string): Promise<void> {
    const guess = (number: number): Promise<string> => tryLogIn(lab.attacker, from, ANNA, `guess ${number}`);
    // The ban cuts off the last guess.
    await Promise.allSettled([1, 2, 3, 4, 5].map(guess));
    let last = 5;
    await until(`${from} is banned`, async () => {
      if (await isBanned(from)) return true;
      // On a busy machine a guess may get a temporary error instead of an answer, and then it does not count.
      await guess(++last).catch(() => "");
      return false;
    });
  }

  /** Asks the kernel, whose clock is never set. */
  const isBanned = async (ip: string): Promise<boolean> => (await product.firewallBans()).includes(`${ip} timeout`);

  const signsIn = (password: string): Promise<string> => tryLogIn(lab.sender, PHONE, ANNA, password);

  async function goesOn(from: string, subject: string): Promise<void> {
    const before = await delivered();
    assertAccepted(await sendMail({ host: lab.sender, from, subject }));
    await until(`${subject}: it is delivered`, () => findMail(product.layout, subject) !== null, SOON_MS);
    await until("sign-ins work", async () => (await signsIn(PASSWORD)).startsWith("OK"), SOON_MS);
    await until("the log is read", async () => (await delivered()) > before, SOON_MS);
  }

  /** How many deliveries the guard has read in the log. */
  const delivered = () => product.countEvents("type = 'EMAIL_DELIVERED'");

  const noticed = () => product.notice("clock_jumped");
  const isRecorded = async (words: string): Promise<boolean> =>
    (await product.cli(["events", "--type", "CLOCK_JUMPED"])).stdout.includes(words);

  test("back by a day, and right again: mail, sign-ins and bans continue, and there is a notice", async () => {
    await goesOn("198.51.100.71", "By the right clock");
    await guessUntilBanned(EARLIER);
    clock.set(-DAY_MS);
    const detail = await until("the owner is alerted", noticed, SOON_MS);
    assert.match(detail, /^It was set back by 1d at .* Try: timedatectl set-ntp true$/);
    // File times are real here, so Postfix takes new files for tomorrow's until it is reloaded.
    const said = join(product.layout.log, "keeper", "current");
    await until("Postfix is reloaded", () => /set back by 86400 s: every/.test(readFileSync(said, "utf8")), SOON_MS);
    await goesOn("198.51.100.72", "A day ago");
    assert.ok(await product.banOf(EARLIER));
    clock.set(0);
    await until("it is over", async () => (await noticed()) === undefined, SOON_MS);
    await goesOn("198.51.100.73", "Right again");
    assert.ok(await isBanned(EARLIER));
    await until("its end is recorded", () => isRecorded("back by 1d, and it came back"));
  });

  test("ahead by a day, and back: no ban, grant or token ends, and timers for the former time still run", async () => {
    await product.json(["allow", "add", "198.51.100.250", "--for", "1h"]);
    const web = await WebClient.local(lab.server);
    const page = await web.signedIn({ password: ADMIN_PASSWORD });
    clock.set(DAY_MS);
    assert.match(await until("the owner is alerted", noticed, SOON_MS), /^It was set ahead by 1d at /);
    await goesOn("198.51.100.74", "A day ahead");
    await guessUntilBanned(LATER);
    assert.equal((await page.ask("GET", STATS)).status, 200);

    await product.sv("down", "dovecot");
    assertAccepted(await sendMail({ host: lab.sender, from: "198.51.100.75", subject: "It waits for tomorrow" }));
    const deferred = join(product.layout.postfixQueue, "deferred");
    const waits = (): boolean =>
      readdirSync(deferred, { recursive: true }).some((name) => /[0-9A-Za-z]{8}/.test(String(name)));
    await until("it is deferred", waits, SOON_MS);
    await product.sv("up", "dovecot");

    clock.set(0);
    await until("it is over", async () => (await noticed()) === undefined, SOON_MS);
    await until("what waited is delivered", () => findMail(product.layout, "It waits for tomorrow") !== null, SOON_MS);
    await goesOn("198.51.100.76", "Today again");
    await until("its end is recorded", () => isRecorded("ahead by 1d, and it came back"));
    for (const ip of [EARLIER, LATER]) {
      const ends = Date.parse((await product.banOf(ip))?.expiresAt ?? "") - Date.now();
      assert.ok(ends > 20 * MINUTE_MS && ends <= 30 * MINUTE_MS, `${ip} is banned for ${ends} ms`);
      assert.ok(await isBanned(ip));
    }
    assert.equal((await page.ask("GET", STATS)).status, 200);
    assert.match((await product.cli(["allow", "list"])).stdout, /198\.51\.100\.250/);
    const types = (await product.json(["events", "--limit", "500"])) as { items: readonly EventItem[] };
    const ended = types.items.filter(({ type }) => ["BAN_EXPIRED", "ALLOW_EXPIRED"].includes(type));
    assert.deepEqual(ended, []);
    await until("all is well", async () => (await product.stats()).health.status === "ok", SOON_MS);
  });

  test("a guard starts with a clock an hour slow: bans hold, and attackers are banned, but no innocent address", async () => {
    clock.set(-HOUR_MS);
    await restartGuard();
    assert.ok(await product.banOf(EARLIER), "who was banned stays banned");
    assert.ok(await isBanned(EARLIER));
    await guessUntilBanned(SLOW);
    const ban = (await product.events(SLOW)).find(({ type }) => type === "BAN");
    assert.ok(Math.abs(clock.now() - Date.parse(ban?.at ?? "")) < MINUTE_MS, "the guard's clock is slow");
    const stale = await Promise.all(Array.from({ length: 8 }, () => signsIn("stale")));
    for (const answer of stale) assert.match(answer, /^NO/);
    for (let i = 0; i < 4; i++) assert.equal((await sendMail({ host: lab.sender, from: PHONE })).code, 250);
    assert.match(await signsIn(PASSWORD), /^OK/);
    assert.ok(!(await isBanned(PHONE)));
  });

  test("once it starts with the right clock, a ban from the slow hour ends, and the others hold", async () => {
    clock.set(0);
    await restartGuard();
    assert.ok(await isBanned(EARLIER));
    await until("the ban by the wrong clock ends", async () => !(await isBanned(SLOW)));
    assert.match(await signsIn(PASSWORD), /^OK/);
  });

  async function restartGuard(): Promise<void> {
    const before = product.pidsOf(GUARD);
    const restart = ["sv", "-w", patienceSeconds(15), "restart", join(product.layout.services, "guard")];
    // sv(8) compares times with runsv's.
    await lab.server.mustExec([...clock.within, ...restart]);
    const isNew = (): boolean => product.pidsOf(GUARD).every((pid) => !before.includes(pid));
    await until("the guard is back", async () => isNew() && (await product.guardAnswers()));
  }
});
