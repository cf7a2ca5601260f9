import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { DAY_MS } from "../../src/core/time.ts";
import { patience } from "../kit/patience.ts";
import { comesIn, LOGINS_AS_SHIPPED, signIn, watchedLogins } from "../lab/login-attacks.ts";
import { SERVER } from "../lab/network.ts";
import type { Credentials } from "../lab/sasl.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const OWNER = "anna@example.test";
const NEIGHBOUR = "bert@example.test";
const TRAVELLER = "carl@example.test";
const HOME = "198.51.100.70";
/** Addresses that guess every few minutes: at one account, or at a different name each time. */
const SLOW = [
  { from: "198.18.1.9", every: 3, spread: false },
  { from: "198.18.2.9", every: 10, spread: false },
  { from: "2001:db8:a001::9", every: 5, spread: true },
] as const;
const MOST_A_DAY = 10;
/** Twenty, plus one after each ban of a day. */
const MOST_A_WEEK = 25;
/** Guesses from a network from which an account signed in once, and from the server's own network. */
const CROWD = [64, 192].flatMap((first) => Array.from({ length: 50 }, (_, i) => `198.51.100.${first + 10 + i}`));
const NEXT_DOOR = ["2001:db8:10::66", SERVER.gateway];
const MOST_SPARED = 50;
const OWNER_MS = patience(5_000);
/** Deadline for Dovecot's reports. */
const REPORT_MS = patience(500);

describe("guessing over days", needsLab(), () => {
  const { lab, product } = withProduct(LOGINS_AS_SHIPPED, [OWNER, NEIGHBOUR, TRAVELLER]);
  const logins = watchedLogins(product);
  before(async () => {
    for (const name of [NEIGHBOUR, TRAVELLER])
      assert.match((await signIn(lab.sender, { from: HOME, name })).said, /^OK/);
  });

  const verified = (isFrom: (ip: string) => boolean): number => logins.verified(({ ip }) => isFrom(ip));

  /**
   * Resolves when the guard has recorded all decisions; at the latest some time after the answers, which Dovecot delays. Dovecot reports a
   * failure separately: a report after the clock was set forward would count at the wrong time.
   */
  async function tryAll(all: readonly Credentials[]): Promise<void> {
    const recorded = () => product.countEvents("type IN ('LOGIN_FAILED', 'LOGIN_REFUSED')");
    const before = await recorded();
    let answeredAt = Number.POSITIVE_INFINITY;
    const answers = logins.postfix.signInAll(all, all.length).then((hits) => {
      assert.equal(hits, 0);
      answeredAt = Date.now();
    });
    under.push(answers);
    await until("all are decided", async () => {
      return (await recorded()) >= before + all.length || Date.now() > answeredAt + REPORT_MS;
    });
  }
  const under: Promise<void>[] = [];

  test("a guess every three to ten minutes, for a day: no more than ten are heard of any address", async () => {
    const bannedUntil = new Map<string, number>();
    for (let minute = 0; minute < 24 * 60; minute++, logins.clock.forwardMinutes(1)) {
      const due = SLOW.filter(
        ({ from, every }) => minute % every === 0 && logins.clock.now() > (bannedUntil.get(from) ?? 0),
      );
      if (due.length === 0) continue;
      await tryAll(
        due.map(({ from, spread }) => {
          const name = spread ? `user${minute}@example.test` : OWNER;
          return { from, name, password: `slow ${from} ${minute}` };
        }),
      );
      for (const [ip = "", expiresAt] of await product.sqlite("SELECT ip, expires_at FROM ban WHERE ended_at IS NULL"))
        bannedUntil.set(ip, Number(expiresAt));
    }
    for (const { from } of SLOW) {
      const count = verified((ip) => ip === from);
      assert.ok(count > 0 && count <= MOST_A_DAY, `${count} guesses from ${from} were verified`);
      const lengths = await product.sqlite(`SELECT max(expires_at - created_at) FROM ban WHERE ip = '${from}'`);
      assert.ok(Number(lengths[0]?.[0]) >= DAY_MS, `${from} was banned for ${lengths[0]?.[0]} ms`);
    }
  });

  test("a hundred addresses of a spared network, the server's neighbour and its gateway, all day: few are heard", async () => {
    logins.clock.forward(7 * DAY_MS);
    for (let hour = 0; hour < 24; hour += 2) {
      const crowd = CROWD.map((from) => ({ from, name: OWNER, password: `crowd ${from} ${hour}` }));
      const nextDoor = NEXT_DOOR.flatMap((from) =>
        Array.from({ length: 20 }, (_, i) => ({ from, name: NEIGHBOUR, password: `${from} ${hour} ${i}` })),
      );
      await tryAll([...crowd, ...nextDoor]);
      logins.clock.forwardMinutes(120);
    }
    const ofCrowd = verified((ip) => CROWD.includes(ip));
    assert.ok(ofCrowd > 0 && ofCrowd <= MOST_SPARED, `${ofCrowd} guesses of the network were verified`);
    for (const from of NEXT_DOOR) {
      const count = verified((ip) => ip === from);
      assert.ok(count > 0 && count <= MOST_SPARED, `${count} guesses from ${from} were verified`);
    }
    assert.equal(await product.banOf(SERVER.gateway), undefined);
    // An account that signed in from the network still can.
    await comesIn(lab.sender, { from: HOME, name: NEIGHBOUR }, OWNER_MS);
  });

  test("a traveller: guessed at by ten addresses twice, then twenty times an hour; signs in anywhere at once", async () => {
    logins.clock.forward(7 * DAY_MS);
    for (let hour = 0; hour < 8; hour++) {
      const guessers = Array.from({ length: hour === 0 ? 10 : 20 }, (_, i) => `198.18.${100 + hour}.${i + 1}`);
      const tries = hour === 0 ? [1, 2] : [1];
      await tryAll(
        guessers.flatMap((from) => tries.map((i) => ({ from, name: TRAVELLER, password: `${from} ${hour} ${i}` }))),
      );
      await comesIn(lab.sender, { from: `2001:db8:b00${hour}::1`, name: TRAVELLER }, OWNER_MS);
      logins.clock.forwardMinutes(60);
    }
  });

  test("six guesses a day for four weeks, from one address and from a new one each day: few are verified a week", async () => {
    logins.clock.forward(7 * DAY_MS);
    const regular = "198.18.3.9";
    for (let week = 0; week < 4; week++) {
      const before = verified((ip) => ip === regular);
      for (let step = 0; step < 7 * 6; step++, logins.clock.forwardMinutes(240)) {
        const passing = `198.18.${10 + week}.${1 + Math.floor(step / 6)}`;
        await tryAll([regular, passing].map((from) => ({ from, name: OWNER, password: `${from} ${week} ${step}` })));
      }
      const ofWeek = verified((ip) => ip === regular) - before;
      assert.ok(ofWeek <= MOST_A_WEEK, `${ofWeek} guesses were verified in week ${week + 1}`);
    }
    assert.ok(verified((ip) => ip === regular) > 0);
    assert.match((await signIn(lab.sender, { from: HOME, name: NEIGHBOUR })).said, /^OK/);
    await Promise.all(under);
  });
});
