import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../../src/core/decide/decision.ts";
import type { Facts } from "../../src/core/decide/facts.ts";
import type { MailAttributes } from "../../src/core/events/mail.ts";
import { factsOf, MAIL } from "./samples.ts";

export const USER = "user@example.org";

/** A decision, with the facts and fields of the mail that differ from the usual ones. `answer`: as `outcomeOf` prints it. */
export type Example = readonly [that: string, answer: string, known?: Partial<Facts>, mail?: Partial<MailAttributes>];

export function check(
  stage: string,
  examples: readonly Example[],
  decide: (facts: Facts, mail: MailAttributes) => Decision,
): void {
  for (const [that, answer, known, mail] of examples)
    void test(`${stage}: ${that}: ${answer}`, () =>
      assert.equal(outcomeOf(decide(factsOf(known), { ...MAIL, ...mail })), answer));
}

/**
 * `refuse mail_limit, banned`, `hold account_held, HOLD_ACCOUNT`; an event that enters no sliding window is `uncounted`, one that leaves
 * no row `unrecorded`.
 */
export function outcomeOf({ verdict, reason, counted, recorded, changes }: Decision): string {
  const changed = changes.map(({ type }) => (type === "BAN" ? ", banned" : `, ${type}`));
  return `${verdict} ${reason}${changed.join("")}${counted ? "" : ", uncounted"}${recorded ? "" : ", unrecorded"}`;
}
