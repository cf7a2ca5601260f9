import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeQueries, T0 } from "../../../test/kit/api-kit.ts";
import { HEALTH } from "../../../test/kit/fake-guard.ts";
import { net } from "../../../test/kit/samples.ts";
import { type Asked, answerTo, QUESTIONS, type Question } from "./questions.ts";

/** One of each. */
const ASKED: { readonly [Q in Question]: Asked<Q> } = {
  stats: [HEALTH, T0],
  bans: [T0, { limit: 1, cursor: null, text: "203." }],
  events: [{ most: 1, order: "newest_first" }],
  address: [net("203.0.113.7"), T0, 1_000],
  account: ["anna@example.test"],
  message: ["72CED1EABE5"],
  ownSignIns: ["anna@example.test", { limit: 1, cursor: null }],
  ownMail: [{ account: "anna@example.test", addresses: ["anna@example.test"] }, "72CED1EABE5"],
  series: [{ from: T0, to: T0, stepMs: 60_000 }],
  waiting: [T0],
  spam: [T0, { limit: 1, cursor: null }],
  top: ["mails", T0, 1],
};

test("questions and answers pass to another thread and back unchanged", () => {
  const queries = new FakeQueries();
  queries.add("LOGIN_FAILED");
  const ask = <Q extends Question>(question: Q, asked: Asked<Q>): void => {
    assert.deepEqual(structuredClone(asked), asked);
    const answer = answerTo(queries, question, asked);
    assert.deepEqual(structuredClone(answer), answer);
  };
  ask("stats", ASKED.stats);
  ask("bans", ASKED.bans);
  ask("events", ASKED.events);
  ask("address", ASKED.address);
  ask("account", ASKED.account);
  ask("message", ASKED.message);
  ask("series", ASKED.series);
  ask("top", ASKED.top);
  ask("waiting", ASKED.waiting);
  ask("spam", ASKED.spam);
  ask("ownSignIns", ASKED.ownSignIns);
  ask("ownMail", ASKED.ownMail);
  assert.equal(Object.keys(QUESTIONS).length, 12);
});
