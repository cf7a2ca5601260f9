import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../../src/core/decide/decision.ts";
import type { Facts } from "../../src/core/decide/facts.ts";
import type { MailAttributes } from "../../src/core/events/mail.ts";
import { factsOf, MAIL } from "./samples.ts";

export const USER = "user@example.org";

/** The decision on a mail whose facts or fields differ from the usual ones in this way. */
export type Example = Readonly<{
  that: string;
  known?: Partial<Facts>;
  mail?: Partial<MailAttributes>;
  answer: string;
  bans?: number;
  counted?: boolean;
}>;

export function check(stage: string, example: Example, decide: (facts: Facts, mail: MailAttributes) => Decision): void {
  const { that, known = {}, mail = {}, answer, bans = 0, counted = true } = example;
  void test(`${stage}: ${that}: ${answer}`, () => {
    const decided = decide(factsOf(known), { ...MAIL, ...mail });
    assert.equal(`${decided.verdict} ${decided.reason}`, answer);
    assert.equal(decided.changes.filter((change) => change.type === "BAN").length, bans);
    assert.equal(decided.counted, counted);
  });
}
