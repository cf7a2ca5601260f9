import assert from "node:assert/strict";
import { test } from "node:test";
import type { Dialog } from "./dialog.ts";
import { ANNA, logIn, openImap } from "./mail.ts";
import { SERVER } from "./network.ts";
import { PASSWORD } from "./product.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const ROUNDS = 12;
const AT_A_TIME = 6;
/**
 * If two kinds are indistinguishable, a sample of one is later than a sample of the other half of the time. With twelve samples each,
 * the share is outside these bounds once in five hundred runs (Mann-Whitney).
 */
const ALIKE = { from: 0.13, to: 0.87 };

/** What an attacker sees of five concurrent sign-ins, of which the last one matters. */
type Seen = Readonly<{ answers: readonly string[]; tookMs: number; others: number; endedMs: number; end: string }>;

/** For a server that refuses every password for ANNA's account from a new place, because the budget is used up. */
export function cannotBeAskedTests({ lab }: Pick<Running, "lab">): void {
  test("four wrong passwords beside a right or a wrong one: count, time and end don't differ", async () => {
    const seen: Record<"right" | "wrong", Seen[]> = { right: [], wrong: [] };
    for (let round = 0; round < ROUNDS; round += AT_A_TIME)
      await Promise.all(
        Array.from({ length: AT_A_TIME }, async (_, i) => {
          const place = (kind: number): string => `2001:db8:${(0xac00 + 2 * (round + i) + kind).toString(16)}::7`;
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
      const [ofRight, ofWrong] = [right.map((one) => one[figure]), wrong.map((one) => one[figure])];
      const later = shareOfLater(ofRight, ofWrong);
      const figures = `${figure}: right ${ofRight.join()}, wrong ${ofWrong.join()}`;
      assert.ok(later >= ALIKE.from && later <= ALIKE.to, figures);
    }
  });

  async function ask(from: string, candidate: string): Promise<Seen> {
    const dialogs = await Promise.all(Array.from({ length: 5 }, () => openImap(lab.attacker, from)));
    const began = performance.now();
    const times: number[] = [];
    const answers = await Promise.all(
      dialogs.map(async (dialog, i) => {
        const answer = (await logIn(dialog, ANNA, i === 4 ? candidate : `${from} ${i}`)) ?? "closed";
        times[i] = performance.now() - began;
        return answer;
      }),
    );
    const end = await endOf(from, dialogs);
    for (const dialog of dialogs) dialog.close();
    const [tookMs = 0, ...rest] = times.toReversed();
    const [, others = 0] = rest.toSorted((a, b) => a - b);
    return { answers: answers.toSorted(), tookMs, others, endedMs: performance.now() - began, end };
  }

  /** Whether the connections are cut and the next is refused: five different passwords cause a ban. */
  async function endOf(from: string, dialogs: readonly Dialog[]): Promise<string> {
    const isShutOut = async () => !(await lab.attacker.reaches({ from, to: SERVER.v6, port: 993, timeoutMs: 200 }));
    const shutOut = await until("shut out", isShutOut, 4_000).catch(() => false);
    const closed = dialogs.filter(({ isClosed }) => isClosed).length;
    return `${shutOut ? "banned" : "free"}, ${closed} closed`;
  }
}

/** The chance that one of `some` is greater than one of `others`; half where they are equal. */
function shareOfLater(some: readonly number[], others: readonly number[]): number {
  const pairs = some.flatMap((a) => others.map((b) => Math.sign(a - b)));
  return 0.5 + pairs.reduce((sum, sign) => sum + sign, 0) / (2 * pairs.length);
}
