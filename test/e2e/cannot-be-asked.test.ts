import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Dialog } from "../lab/dialog.ts";
import { LOGINS_AS_SHIPPED, signIn } from "../lab/login-attacks.ts";
import { logIn, openImap } from "../lab/mail.ts";
import { SERVER, whyNoLab } from "../lab/network.ts";
import { PASSWORD } from "../lab/product.ts";
import { type Credentials, SaslClient } from "../lab/sasl.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const OWNER = "anna@example.test";
const HOME = "198.51.100.70";
/** `limits.accounts.candidates`: past this many in a day every new place is refused. */
const BUDGET = 1_000;
const AT_ONCE = 500;
const ROUNDS = 12;
const AT_A_TIME = 6;
/**
 * How often a sample of one kind is later than one of the other, if they are indistinguishable: half of the time. With twelve each,
 * the share is outside of these bounds once in five hundred runs (Mann-Whitney).
 */
const ALIKE = { from: 0.13, to: 0.87 };

/** What an attacker sees of five concurrent sign-ins, of which the last one matters. */
type Seen = Readonly<{ answers: readonly string[]; tookMs: number; others: number; endedMs: number; end: string }>;

describe("a guard that refuses unheard tells no right password from a wrong one", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct(LOGINS_AS_SHIPPED, [OWNER]);
  let postfix: SaslClient;
  before(async () => {
    postfix = await SaslClient.open(product);
    assert.match((await signIn(lab.sender, { from: HOME, name: OWNER })).said, /^OK/);
    const used = Array.from({ length: BUDGET * 1.2 }, (_, i): Credentials => {
      return { from: `2001:db8:${(0xc000 + i).toString(16)}::7`, name: OWNER, password: `candidate ${i}` };
    });
    assert.equal(await postfix.signInAll(used, AT_ONCE), 0);
  });
  after(() => postfix.close());

  test("once the budget of the account is used up, a new place is refused whatever the password", async () => {
    const right = await signIn(lab.sender, { from: "2001:db8:b001::1", name: OWNER });
    const wrong = await signIn(lab.sender, { from: "2001:db8:b002::1", name: OWNER, password: "wrong" });
    assert.match(right.said, /^NO/);
    assert.equal(right.said, wrong.said);
    assert.match((await signIn(lab.sender, { from: HOME, name: OWNER })).said, /^OK/, "known addresses still sign in");
  });

  test("four wrong passwords and a candidate side by side: count, time and end are alike", async () => {
    const seen: Record<"right" | "wrong", Seen[]> = { right: [], wrong: [] };
    for (let round = 0; round < ROUNDS; round += AT_A_TIME)
      await Promise.all(
        Array.from({ length: AT_A_TIME }, async (_, i) => {
          const place = (kind: number): string => `2001:db8:a${hex(2 * (round + i) + kind)}::7`;
          const [right, wrong] = await Promise.all([ask(place(0), PASSWORD), ask(place(1), `no word ${round + i}`)]);
          seen.right.push(right);
          seen.wrong.push(wrong);
        }),
      );
    const { right, wrong } = seen;
    const ends = ({ answers, end }: Seen): string => `${answers.join("; ")}; ${end}`;
    assert.deepEqual(new Set(right.map(ends)), new Set(wrong.map(ends)));
    assert.equal(new Set(right.map(ends)).size, 1, "each round alike");
    for (const figure of ["tookMs", "others", "endedMs"] as const) {
      const later = shareOfLater(
        right.map((one) => one[figure]),
        wrong.map((one) => one[figure]),
      );
      const figures = `${figure}: right ${listed(right, figure)}, wrong ${listed(wrong, figure)}`;
      assert.ok(later >= ALIKE.from && later <= ALIKE.to, figures);
    }
  });

  async function ask(from: string, candidate: string): Promise<Seen> {
    const dialogs = await Promise.all(Array.from({ length: 5 }, () => openImap(lab.attacker, from)));
    const began = performance.now();
    const times: number[] = [];
    const answers = await Promise.all(
      dialogs.map(async (dialog, i) => {
        const said = (await logIn(dialog, OWNER, i === 4 ? candidate : `${from} ${i}`)) ?? "closed";
        times[i] = performance.now() - began;
        return said;
      }),
    );
    const end = await endOf(from, dialogs);
    for (const dialog of dialogs) dialog.close();
    const [tookMs = 0, ...others] = times.toReversed();
    return {
      answers: answers.toSorted(),
      tookMs,
      others: others.toSorted((a, b) => a - b)[1] ?? 0,
      endedMs: performance.now() - began,
      end,
    };
  }

  /** Whether the connections are cut and the next is refused: five different passwords cause a ban. */
  async function endOf(from: string, dialogs: readonly Dialog[]): Promise<string> {
    const isShutOut = async (): Promise<boolean> =>
      !(await lab.attacker.reaches({ from, to: SERVER.v6, port: 993, timeoutMs: 200 }));
    const shutOut = await until("shut out", isShutOut, 4_000).catch(() => false);
    const closed = dialogs.filter(({ isClosed }) => isClosed).length;
    return `${shutOut ? "banned" : "free"}, ${closed} closed`;
  }
});

/** The chance that one of `some` is greater than one of `others`; half where they are equal. */
function shareOfLater(some: readonly number[], others: readonly number[]): number {
  const pairs = some.flatMap((a) => others.map((b) => Math.sign(a - b)));
  return 0.5 + pairs.reduce((sum, sign) => sum + sign, 0) / (2 * pairs.length);
}

function listed(seen: readonly Seen[], figure: "tookMs" | "others" | "endedMs"): string {
  return seen.map((one) => Math.round(one[figure])).join(" ");
}

function hex(n: number): string {
  return n.toString(16).padStart(3, "0");
}
