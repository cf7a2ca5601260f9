import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { HOUR_MS } from "../../src/core/time.ts";
import { patience } from "../kit/patience.ts";
import { alertsOf, assertSignsIn, during, LOGINS_AS_SHIPPED, signIn, watchedLogins } from "../lab/login-attacks.ts";
import type { Credentials } from "../lab/sasl.ts";
import { eachOf, until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const OWNER = "anna@example.test";
const [EARLY_VICTIM, VICTIM] = ["bert@example.test", "carl@example.test"];
const ACCOUNTS = [OWNER, EARLY_VICTIM, VICTIM, "dora@example.test", "emil@example.test"];
/** Further targets, most of which are names of missing accounts. */
const NAMES = [
  "dora@example.test",
  "emil@example.test",
  ...Array.from({ length: 398 }, (_, i) => `user${i}@example.test`),
];
const NETWORKS = 200;
const EACH = 3;
/** Every n-th guess is made over IMAP, the others by submission: their TLS connections would slow down the test, not the server. */
const OVER_IMAP = 7;
/** Guesses at once, by protocol. */
const AT_ONCE = { imap: 20, submission: 100 } as const;
/** Networks, each a /48 of one /36. */
const ROOT_NETWORKS = 300;
const MOST_VERIFIED = 20;
const ALERT_MS = 10_000;
/** Long, because two cores carry the attack, the server and the owner. */
const OWNER_MS = patience(10_000);
/** The password tried at every account, as in an attack; Dovecot salts its hash with the name. */
const FASHIONABLE = "Summer-2026!";
const HOME = "198.51.100.70";
const EARLY_SPRAYER = "198.18.250.9";

describe("spraying: a few guesses at each of many accounts, from many networks", needsLab(), () => {
  const { lab, product } = withProduct(LOGINS_AS_SHIPPED, ACCOUNTS);
  const hits = new Set<string>();
  const logins = watchedLogins(product);
  before(async () => {
    for (const name of [OWNER, VICTIM]) assert.match((await signIn(lab.sender, { from: HOME, name })).answer, /^OK/);
  });

  /** Guesses that Dovecot compared with a password. */
  const verified = (): number => logins.verified(({ ip }) => /^(198\.18\.|2001:db8:a)/.test(ip) && !hits.has(ip));

  /** Uses the right password from an address that failed elsewhere, and expects an alert. */
  async function isAlerted(from: string, name: string): Promise<void> {
    hits.add(from);
    assert.match((await signIn(lab.attacker, { from, name })).answer, /^OK/);
    const hit = (): Promise<boolean> =>
      alertsOf(product, name).then((alerts) => alerts.some(({ code }) => code === "login_after_guesses"));
    await until(`the owner is alerted to ${from}`, hit, ALERT_MS);
  }

  test("a right password after wrong ones at other accounts is reported at once, however few they were", async () => {
    for (const name of NAMES.slice(0, 3))
      await logins.postfix.signIn({ from: EARLY_SPRAYER, name, password: FASHIONABLE });
    await isAlerted(EARLY_SPRAYER.replace(/9$/, "10"), EARLY_VICTIM);
  });

  test(`${ROOT_NETWORKS} networks of one provider, side by side, one guess each: few are verified`, async () => {
    logins.clock.forward(2 * HOUR_MS);
    const before = verified();
    const guesses = Array.from({ length: ROOT_NETWORKS }, (_, i): Credentials => {
      return { from: `2001:db8:a${hex(0x400 + i)}::7`, name: NAMES[i % NAMES.length] ?? "", password: "Winter-2026!" };
    });
    assert.equal(await during(logins.postfix.signInAll(guesses, ROOT_NETWORKS), ownerSignsIn), 0);
    const count = verified() - before;
    assert.ok(count > 0 && count <= MOST_VERIFIED, `${count} guesses were verified`);
  });

  test(`${NETWORKS} networks, ${EACH} accounts each: few guesses are verified, and the owner can sign in from everywhere`, async () => {
    logins.clock.forward(2 * HOUR_MS);
    const before = verified();
    const guesses = Array.from({ length: NETWORKS * EACH }, (_, i): Credentials => {
      const name = NAMES[i % NAMES.length] ?? "";
      return { from: sprayer(i % NETWORKS, Math.floor(i / NETWORKS)), name, password: FASHIONABLE };
    });
    const answers = new Map<string, number>();
    const overImap = guesses.filter((_, i) => i % OVER_IMAP === 0);
    const bySubmission = guesses.filter((_, i) => i % OVER_IMAP !== 0);
    const attack = eachOf(overImap, AT_ONCE.imap, async (guess) => {
      const answer = (await signIn(lab.attacker, guess)).answer;
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    });
    const [, signedIn] = await during(
      Promise.all([attack, logins.postfix.signInAll(bySubmission, AT_ONCE.submission)]),
      ownerSignsIn,
    );
    assert.equal(signedIn, 0);
    assert.deepEqual([...answers], [["NO [AUTHENTICATIONFAILED] Authentication failed.", overImap.length]]);
    const count = verified() - before;
    assert.ok(count > 0 && count <= MOST_VERIFIED, `${count} guesses were verified`);
  });

  test("a hit during the attack is reported", () => isAlerted(sprayer(1, 0), VICTIM));

  let places = 0;
  async function ownerSignsIn(): Promise<void> {
    for (const from of [HOME, `2001:db8:b${hex(places++)}::1`])
      await assertSignsIn(lab.sender, { from, name: OWNER }, OWNER_MS);
  }
});

/** Every other network is an IPv4 /24, the rest are IPv6 /48; each guess has a different address in it. */
const sprayer = (network: number, host: number): string =>
  network % 2 === 0 ? `198.18.${network}.${host + 1}` : `2001:db8:a${hex(network)}:${host}::7`;

const hex = (n: number): string => n.toString(16).padStart(3, "0");
