import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeQueries, T0 } from "../../../test/kit/api-kit.ts";
import { HEALTH } from "../../../test/kit/fake-guard.ts";
import { net } from "../../../test/kit/samples.ts";
import { isoTime } from "../../core/time.ts";
import { type ArgumentsOf, answerQuestion, QUESTIONS, type Question } from "./questions.ts";

const ANNA = { account: "anna@example.test", addresses: ["anna@example.test"], createdAt: isoTime(T0) };
/** One of each. */
const ASKED: { readonly [Q in Question]: ArgumentsOf<Q> } = {
  stats: [HEALTH, T0],
  bans: [T0, { limit: 1, cursor: null, text: "203." }],
  events: [{ most: 1, order: "newest_first" }],
  address: [net("203.0.113.7"), T0, { memoryMs: 1_000, ipv6Prefix: 64 }],
  account: ["anna@example.test"],
  message: ["72CED1EABE5"],
  ownSignIns: [ANNA, { limit: 1, cursor: null }],
  ownMail: [ANNA, "72CED1EABE5"],
  series: [{ from: T0, to: T0, stepMs: 60_000 }],
  waiting: [T0],
  spam: [T0, { limit: 1, cursor: null }],
  top: ["mails", T0, 1],
};

const isQuestion = (name: string): name is Question => name in QUESTIONS;

test("questions and answers pass to another thread and back unchanged", () => {
  const queries = new FakeQueries();
  queries.add("LOGIN_FAILED");
  assert.deepEqual(Object.keys(QUESTIONS).toSorted(), Object.keys(ASKED).toSorted());
  for (const question of Object.keys(QUESTIONS).filter(isQuestion)) {
    const asked = ASKED[question];
    assert.deepEqual(structuredClone(asked), asked, question);
    const answer = answerQuestion(queries, question, asked);
    assert.deepEqual(structuredClone(answer), answer, question);
  }
});
