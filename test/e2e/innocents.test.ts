// Invariant: Honest users sign in under the default limits, also while their account is attacked.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { messageOf } from "../../src/core/error.ts";
import { patience } from "../kit/patience.ts";
import { fail2banRuns, jailHasRead } from "../lab/fail2ban.ts";
import { alertsOf, assertSignsIn, importAccounts, LOGINS_AS_SHIPPED, signIn } from "../lab/login-attacks.ts";
import { assertAccepted, sendMail, sendMailAs } from "../lab/mail.ts";
import { eachOf } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

/** Each in a different network. */
const [HOME, HOTEL, OFFICE, MONITOR] = ["198.51.100.70", "2001:db8:b0fd::1", "2001:db8:b0fe::1", "2001:db8:b0ff::1"];
/** The address from which the thief of an account signs in. */
const THIEF = "198.51.100.90";
const PHONE = "phone@example.test";
const GUESTS = ["guest1@example.test", "guest2@example.test"];
const STAFF = Array.from({ length: 20 }, (_, i) => `staff${i + 1}@example.test`);
const TRAVELLER = "traveller@example.test";
const WATCHED = "monitored@example.test";
const CHECKS = 40;
const PATIENCE_MS = patience(10_000);

describe("honest users, with the limits as they are shipped", needsLab(), () => {
  const accounts = [PHONE, ...GUESTS, ...STAFF, TRAVELLER, WATCHED];
  const { lab, product } = withProduct(LOGINS_AS_SHIPPED);
  before(async () => {
    await importAccounts(product, accounts);
    await fail2banRuns(product);
  });

  const enters = (from: string, name: string) => assertSignsIn(lab.sender, { from, name }, PATIENCE_MS);

  async function mistypes(from: string, name: string, password: string): Promise<void> {
    const { answer } = await signIn(lab.sender, { from, name, password });
    assert.equal(answer, "NO [AUTHENTICATIONFAILED] Authentication failed.", `${name} from ${from}`);
  }

  async function phoneAndLaptop(): Promise<void> {
    await enters(HOME, PHONE);
    for (let i = 0; i < 8; i++) await mistypes(HOME, PHONE, "the old one");
    await enters(HOME, PHONE);
  }

  /** Two guests' devices at a place from which neither has signed in before. */
  async function twoDevicesInHotel(): Promise<void> {
    for (let i = 0; i < 8; i++)
      await Promise.all(GUESTS.map((name, who) => mistypes(HOTEL, name, `the old one of ${who}`)));
    for (const name of GUESTS) await enters(HOTEL, name);
  }

  async function office(): Promise<void> {
    // A stranger's address may hold ten connections; after these sign-ins the office's is known.
    await eachOf(STAFF, 5, (name) => enters(OFFICE, name));
    await Promise.all(
      STAFF.map(async (name, who) => {
        for (let typo = 0; typo < 2; typo++) await mistypes(OFFICE, name, `typo ${typo} of ${who}`);
        await enters(OFFICE, name);
      }),
    );
  }

  async function travels(): Promise<void> {
    await enters(HOME, TRAVELLER);
    for (let stop = 1; stop <= 5; stop++) {
      const from = `2001:db8:b0${stop}0::1`;
      if (stop <= 3) await mistypes(from, TRAVELLER, `typo at stop ${stop}`);
      await enters(from, TRAVELLER);
    }
  }

  async function monitoring(): Promise<void> {
    for (let i = 0; i < CHECKS; i++) await enters(MONITOR, WATCHED);
  }

  test("stale devices, an office that mistypes, a traveller and monitoring all come in", async () => {
    await Promise.all([phoneAndLaptop(), twoDevicesInHotel(), office(), travels(), monitoring()]);
  });

  test("Fail2ban has read about all of this, and banned none of them", async () => {
    await jailHasRead(product, "198.51.100.200");
    assert.deepEqual(await product.sqlite("SELECT prefix FROM ban WHERE ip <> '198.51.100.200'"), []);
    await Promise.all([
      enters(HOME, PHONE),
      ...GUESTS.map((name) => enters(HOTEL, name)),
      ...STAFF.map((name) => enters(OFFICE, name)),
      enters(MONITOR, WATCHED),
    ]);
  });

  test("an infected machine in the office floods port 25: it must wait, and its colleagues sign in and send", async () => {
    const replies: number[] = [];
    await eachOf(Array.from({ length: 90 }), 5, async () => {
      replies.push((await sendMail({ host: lab.sender, from: OFFICE, recipient: PHONE })).code);
    });
    for (const code of replies.slice(60)) assert.ok(code === 450 || code === 421, replies.join(" "));
    const [colleague = ""] = STAFF;
    await enters(OFFICE, colleague);
    assertAccepted(await sendMailAs(colleague, { host: lab.sender, from: OFFICE, recipient: PHONE }));
    assert.equal(await product.banOf(OFFICE), undefined);
    assert.match((await product.cli(["why", OFFICE])).stdout, /over a limit, but an account signed in from it/);
  });

  test("one stolen account does not protect an address from a ban, in however many spellings of its name", async () => {
    const [guest = ""] = GUESTS;
    for (const name of [guest, guest.toUpperCase(), guest.replace("g", "G")]) await enters(THIEF, name);
    // The firewall drops everything that comes after the ban.
    for (let sent = 0; sent < 90 && (await product.banOf(THIEF)) === undefined; sent++)
      // The kernel resets a new connection while too many from the address are still open.
      await sendMail({ host: lab.sender, from: THIEF, recipient: PHONE }).catch((error: unknown) =>
        assert.match(messageOf(error), /ECONNRESET/),
      );
    assert.match((await product.banOf(THIEF))?.code ?? "no ban", /^(connection|mail)_limit$/);
  });

  test("no attack is reported, except for two strangers in a hotel who failed at the same time", async () => {
    const others = accounts.filter((name) => !GUESTS.includes(name));
    const alarming = (await alertsOf(product, ...others)).filter(({ severity }) => severity === "critical");
    assert.deepEqual(alarming, []);
    const raised = (await product.alerts()).map(({ code }) => code);
    for (const code of ["account_guarded", "spraying", "known_address_capped"]) assert.ok(!raised.includes(code), code);
  });
});
