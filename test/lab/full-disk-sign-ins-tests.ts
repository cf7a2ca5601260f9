import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { patience } from "../kit/patience.ts";
import type { SmallDisk } from "./full-disk.ts";
import { assertSignsIn, during, signIn } from "./login-attacks.ts";
import { ANNA, BERT } from "./mail.ts";
import { type Credentials, openSasl, type SaslClient } from "./sasl.ts";
import { type Verification, watchVerifications } from "./verified.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const [OWNER, GUESSED_AT, SUSPENDED] = [ANNA, BERT, "gone@example.test"];
const HOME = "198.51.100.70";
const GUESSER = "198.51.100.220";
const GUESSES = 1_000;
const AT_ONCE = 300;
/** The sum of the limits for one address, one account and the whole server. */
const MOST_VERIFIED = 50;
const OWNER_MS = patience(5_000);

/** For a server with these accounts, whose engine's database is on this disk. */
export function fullDiskSignInsTests({ lab, product }: Running, disk: SmallDisk): void {
  let verifications: () => readonly Verification[];
  let postfix: SaslClient;
  before(async () => {
    await product.addAccount(SUSPENDED);
    verifications = await watchVerifications(product);
    postfix = await openSasl(product);
    for (const name of [OWNER, SUSPENDED]) assert.match((await signIn(lab.sender, { from: HOME, name })).answer, /^OK/);
    await product.json(["account", "suspend", SUSPENDED]);
    disk.fill();
    await until("the owner is alerted", async () => {
      await ownerSignsIn();
      return product.hasNotice("database_unwritable");
    });
  });
  after(() => postfix.close());

  const ownerSignsIn = () => assertSignsIn(lab.sender, { from: HOME, name: OWNER }, OWNER_MS);

  test(`few of ${GUESSES} guesses are verified, and the owner gets in`, async () => {
    const verified = (): readonly Verification[] => verifications().filter(({ ip }) => ip !== HOME);
    const guesses = Array.from({ length: GUESSES }, (_, i): Credentials => {
      const [v4, v6] = [`198.18.${i % 256}.${1 + (i >> 8)}`, `2001:db8:a${i.toString(16).padStart(3, "0")}::7`];
      const name = [OWNER, GUESSED_AT][i % 3] ?? `user${i}@example.test`;
      return { from: i % 3 === 0 ? GUESSER : i % 2 === 0 ? v4 : v6, name, password: `guess ${i}` };
    });
    assert.equal(await during(postfix.signInAll(guesses, AT_ONCE), ownerSignsIn), 0);
    const count = verified().length;
    const ofGuesser = verified().filter(({ ip }) => ip === GUESSER).length;
    const counts = `${count} guesses were verified, ${ofGuesser} of one address`;
    assert.ok(count > 0 && count <= MOST_VERIFIED && ofGuesser <= 10, counts);
    const again = guesses.slice(0, 300).map((one) => ({ ...one, password: `${one.password} again` }));
    assert.equal(await postfix.signInAll(again, AT_ONCE), 0);
    assert.ok(verified().length <= MOST_VERIFIED, `${verified().length} guesses were verified`);
  });

  test("a suspended account stays closed, with the right password and from a known place", async () => {
    assert.match((await signIn(lab.sender, { from: HOME, name: SUSPENDED })).answer, /^NO/);
    assert.equal(await postfix.signIn({ from: HOME, name: SUSPENDED }), false);
  });

  test("none of this could be recorded, and everything works once there is room", async () => {
    assert.ok(await product.hasNotice("database_unwritable"), "the disk was full all the while");
    disk.free();
    await until("it has recovered", async () => !(await product.hasNotice("database_unwritable")));
    await ownerSignsIn();
    assert.match((await signIn(lab.sender, { from: HOME, name: SUSPENDED })).answer, /^NO/);
  });
}
