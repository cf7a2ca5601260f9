import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { HOUR_MS } from "../../src/core/time.ts";
import { patience } from "../kit/patience.ts";
import { whileBusy } from "../lab/commands.ts";
import { alertsOf, assertSignsIn, during, LOGINS_AS_SHIPPED, signIn, watchedLogins } from "../lab/login-attacks.ts";
import type { Credentials } from "../lab/sasl.ts";
import { eachOf, until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const OWNER = "anna@example.test";
const OTHER = "bert@example.test";
const HOME = "198.51.100.70";
const GUESSES = 2_500;
/** More connections than all ports of the server together accept. */
const AT_ONCE = 1_000;
const OVER_IMAP = 40;
const MOST_VERIFIED = 50;
/** Fifteen guesses, and up to eight concurrent ones at names without a recent sign-in. */
const MOST_AT_OTHERS = 23;
const OWNER_MS = patience(5_000);

describe("guessing behind an address that the account knows", needsLab(), () => {
  const { lab, product } = withProduct(LOGINS_AS_SHIPPED, [OWNER, OTHER]);
  const logins = watchedLogins(product);
  let signedIn = 0;
  before(() => deviceSignsIn());

  async function deviceSignsIn(): Promise<void> {
    await assertSignsIn(lab.sender, { from: HOME, name: OWNER }, OWNER_MS);
    signedIn += 1;
  }

  /** Wrong passwords that Dovecot compared with the owner's. */
  const verified = (): number => logins.verified(({ name }) => name === OWNER) - signedIn;
  const guess = (password: string): Credentials => ({ from: HOME, name: OWNER, password });

  test(`${2 * GUESSES} guesses side by side in a day: few are verified, and the owner's device still signs in`, async () => {
    for (const half of ["morning", "evening"]) {
      const all = Array.from({ length: GUESSES }, (_, i) => guess(`${half} ${i}`));
      const overImap = eachOf(all.splice(0, OVER_IMAP), OVER_IMAP, async (one) => {
        assert.match((await signIn(lab.sender, one)).answer, /^NO/);
      });
      const attack = Promise.all([overImap, logins.postfix.signInAll(all, AT_ONCE)]);
      const load = half === "evening" ? whileBusy : async <T>(work: () => Promise<T>): Promise<T> => work();
      const [, hits] = await load(async () => during(attack, deviceSignsIn));
      assert.equal(hits, 0);
      await deviceSignsIn();
      assert.ok(verified() > 0 && verified() <= MOST_VERIFIED, `${verified()} were verified by the ${half}`);
      logins.clock.forward(12 * HOUR_MS);
    }
  });

  test("there is a notice", async () => {
    await until("an alert names the account", async () => (await alertsOf(product, OWNER)).length > 0);
  });

  test("guesses at other accounts from there: few are verified, and no one behind the address is banned", async () => {
    const names = [OTHER, ...Array.from({ length: 99 }, (_, i) => `user${i}@example.test`)];
    const all = Array.from({ length: 2_000 }, (_, i): Credentials => {
      return { from: HOME, name: names[i % names.length] ?? "", password: `guess ${i}` };
    });
    assert.equal(await during(logins.postfix.signInAll(all, AT_ONCE), deviceSignsIn), 0);
    await deviceSignsIn();
    const count = logins.verified(({ name }) => name !== OWNER);
    assert.ok(count > 0 && count <= MOST_AT_OTHERS, `${count} were verified`);
    assert.equal(await product.banOf(HOME), undefined);
    const { answer } = await signIn(lab.sender, { from: HOME, name: OTHER });
    assert.match(answer, /^OK/, "another user there comes in with the password that was set");
  });
});
