import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { patience } from "../kit/patience.ts";
import { cannotBeAskedTests } from "../lab/cannot-be-asked-tests.ts";
import { assertSignsIn, during, signIn } from "../lab/login-attacks.ts";
import { ANNA, logIn, openImap } from "../lab/mail.ts";
import { PASSWORD } from "../lab/product.ts";
import { type Credentials, openSasl } from "../lab/sasl.ts";
import { eachOf, until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const ADDRESSES = 500;
const TRIES = 3;
/** Every n-th address guesses over IMAP, the others by submission: their TLS connections would only cost time. */
const OVER_IMAP = 7;
/** Guesses at once, by protocol. */
const AT_ONCE = { imap: 20, submission: 80 } as const;
const MOST_VERIFIED = 50;
const OWNER_MS = patience(5_000);
/** Dovecot reports 12 bits of a password's hash: in one of three runs a wrong password here looks like the right one. */
const MOST_ALIKE = 5;
/** Anna's network, which the attackers with IPv4 addresses share. */
const HOME = "198.51.100.70";
const ELSEWHERE = "2001:db8:b000:77::1";

describe("guessing at one account, spread over many addresses", needsLab(), () => {
  const { lab, product } = withProduct({ GHOSTINBOX_FAIL2BAN__ENABLED: "true" }, [ANNA]);

  test("while strangers guess, the owner signs in from a new network at once, with a notice", async () => {
    assert.match((await signsIn(HOME)).answer, /^OK/);
    for (let i = 0; i < 30; i++) await guess(`2001:db8:${(0xa800 + i).toString(16)}::7`, new Map(), 1);
    assert.ok((await count("reason = 'account_guarded'")) >= 5, "the account is guarded");
    await assertSignsIn(lab.sender, { from: "2001:db8:b002:77::1", name: ANNA }, OWNER_MS);
    assert.match((await signsIn("2001:db8:b001:77::1", "no such password")).answer, /^NO/);
    await until("the owner is alerted to the new address", async () =>
      (await product.alerts()).some(({ code }) => code === "login_new_place"),
    );
  });

  test(`${ADDRESSES} addresses, ${TRIES} tries each: few are verified, and the owner can always sign in`, async () => {
    const all = attackers();
    const overImap = all.filter((_, i) => i % OVER_IMAP === 0);
    const bySubmission = all.filter((_, i) => i % OVER_IMAP !== 0).flatMap(guessesOf);
    const answers = new Map<string, number>();
    const postfix = await openSasl(product);
    const attack = Promise.all([
      eachOf(overImap, AT_ONCE.imap, (from) => guess(from, answers)),
      postfix.signInAll(bySubmission, AT_ONCE.submission),
    ]).finally(() => postfix.close());

    let signedIn = 0;
    const [, hits] = await during(attack, async () => {
      // From a network that the account knows.
      await assertSignsIn(lab.sender, { from: HOME, name: ANNA }, OWNER_MS);
      signedIn += 1;
    });
    assert.equal(hits, 0);
    const tries = overImap.length * TRIES;
    assert.deepEqual([...answers], [["NO [AUTHENTICATIONFAILED] Authentication failed.", tries]]);
    const verified = await count("type = 'LOGIN_FAILED'");
    assert.ok(verified > 0 && verified <= MOST_VERIFIED, `${verified} guesses reached verification`);
    assert.ok(signedIn >= 3, `the owner signed in ${signedIn} times`);
    assert.ok((await count("reason = 'account_guarded'")) > ADDRESSES, "each refusal is an event");
  });

  test("once the budget for new places is used up, the right password is refused there like a wrong one", async () => {
    const { answer } = await signsIn(ELSEWHERE);
    assert.match(answer, /^NO/);
    assert.equal(answer, (await signsIn(ELSEWHERE, "no such password")).answer, "in the same words as a wrong one");
    const seemedRight = "reason = 'right_password_guarded'";
    assert.equal(await count(`${seemedRight} AND ip = '${ELSEWHERE}'`), 1);
    assert.ok((await count(seemedRight)) <= 1 + MOST_ALIKE, "few guesses seem right");
    assert.equal(await product.banOf(ELSEWHERE), undefined);
    assert.match((await signsIn(HOME)).answer, /^OK/, "known addresses still sign in");
    await product.json(["allow", "add", ELSEWHERE, "Anna travels"]);
    assert.match((await signsIn(ELSEWHERE)).answer, /^OK/, "until an administrator allows it");
  });

  describe("a guard that refuses without verifying does not reveal the right password", () =>
    cannotBeAskedTests({ lab }));

  const signsIn = (from: string, password = PASSWORD) => signIn(lab.sender, { from, name: ANNA, password });

  /** Counts the replies to all tries. */
  async function guess(from: string, answers: Map<string, number>, tries = TRIES): Promise<void> {
    using dialog = await openImap(lab.attacker, from);
    for (const { password } of guessesOf(from).slice(0, tries)) {
      const answer = (await logIn(dialog, ANNA, password)) ?? "closed";
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  }

  const count = (condition: string) => product.countEvents(`account = '${ANNA}' AND ${condition}`);
});

/** Guesses from one address, each with a different password. */
const guessesOf = (from: string): readonly (Credentials & { password: string })[] =>
  Array.from({ length: TRIES }, (_, i) => ({ from, name: ANNA, password: `${from} guess ${i}` }));

/** Every address in a different IPv6 site, except for fifty neighbours of the owner. */
function attackers(): string[] {
  const neighbours = Array.from({ length: 50 }, (_, i) => `198.51.100.${200 + i}`);
  const others = Array.from(
    { length: ADDRESSES - neighbours.length },
    (_, i) => `2001:db8:${(0xa000 + i).toString(16)}::7`,
  );
  return others.flatMap((address, i) => (i % 9 === 0 ? [address, ...neighbours.slice(i / 9, i / 9 + 1)] : [address]));
}
