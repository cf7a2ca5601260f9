import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { logIn, openImap } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const ANNA = "anna@example.test";
const ADDRESSES = 500;
const TRIES = 3;
const AT_ONCE = 80;
const MOST_VERIFIED = 50;
const OWNER_MS = 5_000;
/** Dovecot tells 12 bits of a password's hash: of the wrong ones here, one in three runs looks like the right one. */
const MOST_ALIKE = 5;
/** Anna's network, which the attackers with IPv4 addresses share. */
const HOME = "198.51.100.70";
const ELSEWHERE = "2001:db8:b000:77::1";
const TRAVELLING = "2001:db8:b002:77::1";
const UNKNOWN = "2001:db8:b001:77::1";

describe("guessing at one account, spread over many addresses", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct({ GHOSTINBOX_FAIL2BAN__ENABLED: "true" }, [ANNA]);

  test("while strangers guess, the owner signs in from a new network at once, and is told", async () => {
    assert.match((await signIn(HOME)).said, /^OK/);
    for (let i = 0; i < 30; i++) await guess(`2001:db8:${(0xa800 + i).toString(16)}::7`, new Map(), 1);
    assert.ok((await count("reason = 'account_guarded'")) >= 5, "the account is guarded");
    const { said, tookMs } = await signIn(TRAVELLING);
    assert.match(said, /^OK/);
    assert.ok(tookMs < OWNER_MS, `the owner waited ${Math.round(tookMs)} ms`);
    assert.match((await signIn(UNKNOWN, "no such password")).said, /^NO/);
    await until("the owner is told of the new place", async () =>
      JSON.stringify(await product.json(["alerts", "list"])).includes("login_new_place"),
    );
  });

  test(`${ADDRESSES} addresses, ${TRIES} tries each: few are heard, and the owner comes in all the while`, async () => {
    const waiting = attackers();
    const said = new Map<string, number>();
    const over = new AbortController();
    const attack = Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let from = waiting.shift(); from !== undefined; from = waiting.shift()) await guess(from, said);
      }),
    ).finally(() => over.abort());

    const ownerMs: number[] = [];
    const owner = (async () => {
      while (!over.signal.aborted) {
        const { said, tookMs } = await signIn(HOME);
        assert.match(said, /^OK/, "the owner signs in from a network that the account knows");
        ownerMs.push(tookMs);
      }
    })();
    await Promise.all([attack, owner]);
    assert.deepEqual([...said], [["NO [AUTHENTICATIONFAILED] Authentication failed.", ADDRESSES * TRIES]]);
    const verified = await count("type = 'LOGIN_FAILED'");
    assert.ok(verified > 0 && verified <= MOST_VERIFIED, `${verified} guesses reached verification`);
    assert.ok(
      ownerMs.length >= 3 && Math.max(...ownerMs) < OWNER_MS,
      `the owner waited ${ownerMs.map(Math.round).join(", ")} ms`,
    );
    assert.ok((await count("reason = 'account_guarded'")) > ADDRESSES, "each refusal is an event");
  });

  test("once the budget for new places is used up, the right password is refused there as a wrong one is", async () => {
    const { said } = await signIn(ELSEWHERE);
    assert.equal(said, (await signIn(ELSEWHERE, "no such password")).said, "in the same words as a wrong one");
    const seemedRight = "reason = 'right_password_guarded'";
    assert.equal(await count(`${seemedRight} AND ip = '${ELSEWHERE}'`), 1);
    assert.ok((await count(seemedRight)) <= 1 + MOST_ALIKE, "few guesses seem right");
    assert.equal(await product.banOf(ELSEWHERE), undefined);
    await product.json(["allow", "add", ELSEWHERE, "Anna travels"]);
    assert.match((await signIn(ELSEWHERE)).said, /^OK/, "until an administrator allows it");
  });

  async function signIn(from: string, password?: string): Promise<{ said: string; tookMs: number }> {
    const began = performance.now();
    const dialog = await openImap(lab.sender, from);
    const said = await logIn(dialog, ANNA, password);
    dialog.close();
    return { said: said ?? "closed", tookMs: performance.now() - began };
  }

  /** Counts what was answered to each try. */
  async function guess(from: string, said: Map<string, number>, tries = TRIES): Promise<void> {
    const dialog = await openImap(lab.attacker, from);
    for (let i = 0; i < tries; i++) {
      const answer = (await logIn(dialog, ANNA, `${from} guess ${i}`)) ?? "closed";
      said.set(answer, (said.get(answer) ?? 0) + 1);
    }
    dialog.close();
  }

  async function count(where: string): Promise<number> {
    const rows = await product.sqlite(`SELECT count(*) FROM event WHERE account = '${ANNA}' AND ${where}`);
    return Number(rows[0]?.[0]);
  }
});

/** Every address in an IPv6 site of its own, but for fifty neighbours of the owner. */
function attackers(): string[] {
  const neighbours = Array.from({ length: 50 }, (_, i) => `198.51.100.${200 + i}`);
  const others = Array.from(
    { length: ADDRESSES - neighbours.length },
    (_, i) => `2001:db8:${(0xa000 + i).toString(16)}::7`,
  );
  return others.flatMap((address, i) => (i % 9 === 0 ? [address, ...neighbours.slice(i / 9, i / 9 + 1)] : [address]));
}
