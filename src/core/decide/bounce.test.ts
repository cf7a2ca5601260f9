import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, NOON, POLICY, RECIPIENT, times } from "../../../test/kit/samples.ts";
import { isBounce } from "../events/mail.ts";
import type { Facts } from "./facts.ts";
import { decideBounce, decideRecipient } from "./mail.ts";

const EVENT = { ...RECIPIENT, sender: "" };
const EXPECTED = { hasOther: false, isExpected: true };

test("a bounce has no sender, or one of blanks", () => {
  assert.deepEqual(
    ["", " ", "a@example.net"].map((sender) => isBounce({ sender })),
    [true, true, false],
  );
  assert.equal(
    decideBounce(POLICY, factsOf({ recipient: "unknown" }), { ...EVENT, sender: "a@example.net" }, NOON),
    null,
  );
});

const examples: readonly (readonly [that: string, known: Partial<Facts>, answer: string, counted: boolean])[] = [
  ["to one of ours", {}, "pass below_limit", false],
  ["to one who does not exist", { recipient: "unknown" }, "refuse recipient_unknown", true],
  [
    "to one who does not exist, after any probing",
    { recipient: "unknown", probes: times(500) },
    "refuse recipient_unknown",
    true,
  ],
  ["the 30th within an hour", { recipient: "unknown", bounces: times(29) }, "refuse recipient_unknown", true],
  ["the 31st", { recipient: "unknown", bounces: times(30) }, "defer bounces_deferred", false],
  [
    "the 101st of the whole server",
    { recipient: "unknown", probesFromAnywhere: times(100) },
    "defer bounces_deferred",
    false,
  ],
  ["to one of ours after that, from anywhere", { probesFromAnywhere: times(100) }, "defer bounces_deferred", false],
  ["from a known place all the same", { known: true, probesFromAnywhere: times(100) }, "pass below_limit", false],
  ["to one of ours after that", { bounces: times(30) }, "defer bounces_deferred", false],
  [
    "to a common target of spam after that",
    { recipient: "blocked", bounces: times(30) },
    "defer bounces_deferred",
    false,
  ],
  ["to one of ours who wrote there", { bounces: times(500), bounce: EXPECTED }, "pass below_limit", false],
  [
    "to one who does not exist, and so wrote nowhere",
    { recipient: "unknown", bounces: times(500), bounce: EXPECTED },
    "defer bounces_deferred",
    false,
  ],
  ["to a second recipient", { bounce: { hasOther: true, isExpected: true } }, "refuse bounce_recipients", false],
  [
    "to a second recipient who does not exist",
    { recipient: "unknown", bounce: { hasOther: true, isExpected: false } },
    "refuse bounce_recipients",
    false,
  ],
  ["from what is never banned", { protection: "allow_listed", bounces: times(500) }, "pass allow_listed", false],
];
for (const [that, known, answer, counted] of examples)
  test(`a bounce ${that}: ${answer}`, () => {
    const decided = decideRecipient(POLICY, factsOf(known), EVENT, NOON);
    assert.equal(`${decided.verdict} ${decided.reason}`, answer);
    assert.deepEqual([decided.counted, decided.changes], [counted, []]);
  });
